-- Numbers of closings, in the order in which a candidate takes them in.
create sequence quarantine.closing_id;

-- What became of a rejected row. Its state (DOMAIN.md §5.3) follows from that, so that it is right before dbt runs and
-- can be told in one way only.
alter table quarantine.rejected_row
    drop column state,
    add column rejection_id bigint generated always as identity unique,
    add column is_key_whole boolean,
    add column outcome text check (outcome in ('corrected', 'rerejected', 'ignored', 'duplicate')),
    add column closing_id bigint unique,
    add column closed_on date,
    add column closed_batch_id bigint references ops.batch,
    add column closed_by text,
    add column closed_reason text,
    add column state text not null generated always as (
        case outcome
            when 'corrected' then '已修改'
            when 'ignored' then '已忽略'
            when 'rerejected' then '已处理'
            when 'duplicate' then '已处理'
            else '未处理'
        end
    ) stored,
    add check ((outcome is null) = (closing_id is null)),
    add check ((outcome is null) = (closed_on is null)),
    -- Closed by a batch, or by a person with a reason.
    add check (outcome is null or (closed_batch_id is null) = (closed_by is not null)),
    add check (closed_by is null or length(btrim(closed_by)) > 0),
    add check ((closed_by is null) = (coalesce(length(btrim(closed_reason)), 0) = 0));
comment on column quarantine.rejected_row.rejection_id is 'Number of the returned row';
comment on column quarantine.rejected_row.is_key_whole is 'No field of the natural key is at fault: the next delivery of record_key is the same record. Null: rejected before packages were sent';
comment on column quarantine.rejected_row.outcome is 'By the next delivery of its key: corrected (accepted) or rerejected; ignored by a person; duplicate: a later row of its own delivery stands; null = open';
comment on column quarantine.rejected_row.closed_on is 'Business date of the night, or of the answer, that closed it';

-- Batches of before have gone back by other ways.
alter table ops.batch add column is_returned boolean not null default false;
update ops.batch set is_returned = true;
create index on ops.batch (feed) where not is_returned;
comment on column ops.batch.is_returned is 'Its rejected rows, if any, stand in a feedback package';

-- Grain: one package to one department: source × night × number; number 2 and up are supplements.
create table ops.feedback_package (
    package_id bigint generated always as identity primary key,
    package_no text not null unique,
    source text not null,
    department_code text not null,
    business_date date not null,
    number int not null check (number > 0),
    state text not null check (state in ('built', 'delivered', 'acknowledged', 'failed')),
    attempts int not null default 0,
    rows bigint not null,
    errors bigint not null,
    refused_batches bigint not null,
    sha256 text not null check (sha256 ~ '^[0-9a-f]{64}$'),
    location text,
    receipt_no text,
    message text,
    built_at timestamptz not null default clock_timestamp(),
    delivered_at timestamptz,
    acknowledged_at timestamptz,
    unique (source, business_date, number),
    check ((state in ('delivered', 'acknowledged')) = (delivered_at is not null)),
    check ((state = 'acknowledged') = (receipt_no is not null))
);
create index on ops.feedback_package (source) where state <> 'acknowledged';
comment on column ops.feedback_package.state is 'failed: the channel was down or the department did not take it; sent again the next night. acknowledged: the department has given a receipt';
comment on column ops.feedback_package.sha256 is 'Digest of the manifest, which holds those of the files';
comment on column ops.feedback_package.location is 'Where the department finds it: folder, address or table';

-- Grain: one error of one returned row (source_row 0: of the batch as a whole). No value of a row stands here.
create table ops.feedback_item (
    package_id bigint not null references ops.feedback_package,
    batch_id bigint not null references ops.batch,
    source_row bigint not null,
    position int not null,
    error_code int not null,
    rule text not null,
    field text not null,
    primary key (batch_id, source_row, position)
);
create index on ops.feedback_item (package_id);
comment on column ops.feedback_item.error_code is 'Number of the rule (plugins/credit_warehouse/intake/error_codes.csv)';

-- As with changes and decisions: what is closed while a candidate is being built waits for the next one.
alter table ops.publication add column closings_through bigint not null default 0;

-- The mart of returned rows is empty until one is returned, and grows with the defects of a night.
insert into ops.gate_parameter (name, scope, value, unit, source, valid_from) values
    ('min_first_rows', 'feedback_item', 0, 'rows', '本中心初始设置', '2000-01-01'),
    ('max_row_rise_share', 'feedback_item', 100, 'share', '本中心初始设置', '2000-01-01');

grant select on ops.feedback_package, ops.feedback_item to credit_auditor;
