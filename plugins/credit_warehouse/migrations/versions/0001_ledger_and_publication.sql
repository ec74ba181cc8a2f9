-- Schemas, in the direction data flows.
create schema raw;
create schema accepted;
create schema quarantine;
create schema vault;
create schema staging;
create schema core;
create schema mart_store;
create schema mart;

-- Group roles; a login is a member of one. On a server they may exist already.
do $$
begin
    if not exists (select from pg_roles where rolname = 'credit_etl') then
        create role credit_etl nologin;
    end if;
    if not exists (select from pg_roles where rolname = 'credit_reader') then
        create role credit_reader nologin;
    end if;
    if not exists (select from pg_roles where rolname = 'credit_auditor') then
        create role credit_auditor nologin;
    end if;
    if not pg_has_role(current_user, 'credit_etl', 'member') then
        execute format('grant credit_etl to %I', current_user);
    end if;
end
$$;

-- One row per feed: what the contracts say, for the database to join on. Written from the contracts only.
create table ops.feed (
    feed text primary key,
    source text not null,
    feed_label text not null,
    contract_version text not null,
    department_code text not null,
    department_name text not null,
    catalogue_item_code text not null,
    catalogue_item_name text not null,
    information_class text not null,
    legal_basis_type text not null,
    legal_basis_name text not null,
    legal_basis_article text,
    sharing_tier text not null,
    record_category text not null,
    effect text not null,
    list_name text,
    report_period text not null,
    report_sla_workdays int not null,
    report_sla_source text not null,
    max_age_days int not null,
    display_months int,
    display_source text not null,
    is_subject_register boolean not null,
    is_active boolean not null
);

-- Grain: one delivery of one feed (a file, a page sequence, a window of changes).
create table ops.batch (
    batch_id bigint generated always as identity primary key,
    feed text not null references ops.feed,
    business_date date not null,
    delivered_for date not null,
    delivery_id text not null,
    sha256 text not null check (sha256 ~ '^[0-9a-f]{64}$'),
    receipt_sha256 text not null default '',
    landed_path text not null,
    bytes bigint not null,
    declared_rows bigint,
    watermark text,
    state text not null check (state in ('landed', 'loaded', 'accepted', 'refused', 'duplicate')),
    is_initial boolean not null default false,
    delivered_rows bigint,
    accepted_rows bigint,
    quarantined_rows bigint,
    refused_rows bigint,
    refusal_code text,
    refusal_message text,
    contract_version text not null,
    received_at timestamptz not null default clock_timestamp(),
    unique (feed, delivery_id, sha256, receipt_sha256),
    check (delivered_rows = accepted_rows + quarantined_rows + refused_rows),
    check ((state = 'refused') = (refusal_code is not null))
);
create index on ops.batch (business_date);
create index on ops.batch (feed, state, delivered_for desc);
comment on column ops.batch.business_date is 'Night that took the delivery';
comment on column ops.batch.delivered_for is 'Date the delivery is for, by the sender';
comment on column ops.batch.delivery_id is 'The sender''s name of the delivery: remote path, or the window of changes';
comment on column ops.batch.watermark is 'Window feeds: where the next window begins; files: size and time of the remote file, to see a redelivery';
comment on column ops.batch.receipt_sha256 is 'Digest of the checksum file sent beside the delivery: a corrected one is a new delivery';
comment on column ops.batch.state is 'duplicate: the same bytes were landed before under another name; holds no rows of its own';
comment on column ops.batch.refused_rows is 'Rows of a batch refused as a whole; they stay in the landed file';

-- Grain: one step of one night for a feed (or source, or publication). Written also when the step fails.
create table ops.outcome (
    outcome_id bigint generated always as identity primary key,
    business_date date not null,
    source text,
    feed text references ops.feed,
    batch_id bigint references ops.batch,
    publication_id bigint,
    step text not null,
    state text not null check (
        state in ('running', 'succeeded', 'failed', 'late', 'refused', 'duplicate', 'unchanged', 'skipped')
    ),
    code text,
    message text,
    detail jsonb not null default '{}',
    run_id text,
    started_at timestamptz not null default clock_timestamp(),
    finished_at timestamptz
);
create index on ops.outcome (business_date, feed, step);

-- Grain: batch × metric × field ('' = the whole batch). What gate 1 judges, so that its cost does not grow with the batch.
create table ops.batch_profile (
    batch_id bigint not null references ops.batch on delete cascade,
    metric text not null,
    field text not null default '',
    value numeric not null,
    primary key (batch_id, metric, field)
);

-- Grain: batch × rule × field: rows that broke it.
create table ops.rule_count (
    batch_id bigint not null references ops.batch on delete cascade,
    rule text not null,
    field text not null,
    rows bigint not null,
    primary key (batch_id, rule, field)
);

-- Grain: one rejected row, whole, as delivered, with every rule it breaks.
create table quarantine.rejected_row (
    batch_id bigint not null references ops.batch,
    source_row bigint not null,
    feed text not null references ops.feed,
    record_key uuid,
    payload jsonb not null,
    violations jsonb not null,
    state text not null default '未处理' check (state in ('未处理', '已处理', '已忽略', '已修改')),
    primary key (batch_id, source_row)
);
create index on quarantine.rejected_row (feed, record_key);

-- Grain: one identifier of one subject, in clear. Nobody but the loading role reads it.
create table vault.identity (
    subject_key uuid primary key,
    subject_type text not null check (subject_type in ('organisation', 'person')),
    id_type text not null check (id_type in ('uscc', 'resident_id')),
    id_value text not null,
    name text not null,
    first_batch_id bigint not null
);

create table ops.publication (
    publication_id bigint generated always as identity primary key,
    business_date date not null,
    state text not null check (state in ('candidate', 'published', 'discarded')),
    is_full_refresh boolean not null default false,
    run_id text,
    opened_at timestamptz not null default clock_timestamp(),
    closed_at timestamptz,
    message text
);
-- One candidate at a time.
create unique index one_candidate on ops.publication ((true)) where state = 'candidate';

-- Grain: batch × publication that first built it in.
create table ops.publication_batch (
    publication_id bigint not null references ops.publication,
    batch_id bigint not null references ops.batch,
    primary key (publication_id, batch_id)
);
create index on ops.publication_batch (batch_id);

-- The pointer. One row; one UPDATE of it is what publishing means.
create table ops.current_publication (
    singleton boolean primary key default true check (singleton),
    publication_id bigint not null references ops.publication,
    flipped_at timestamptz not null default clock_timestamp()
);

-- Grain: one move of the pointer.
create table ops.publication_flip (
    flip_id bigint generated always as identity primary key,
    action text not null check (action in ('publish', 'rollback')),
    from_publication_id bigint references ops.publication,
    to_publication_id bigint not null references ops.publication,
    reason text not null,
    flipped_by text not null,
    flipped_at timestamptz not null default clock_timestamp()
);

create table ops.waiver (
    waiver_id bigint generated always as identity primary key,
    gate text not null check (gate in ('intake', 'publication')),
    expectation_id text not null,
    feed text references ops.feed,
    reason text not null check (length(btrim(reason)) > 0),
    owner text not null check (length(btrim(owner)) > 0),
    starts_on date not null,
    expires_on date not null check (expires_on >= starts_on),
    created_at timestamptz not null default clock_timestamp()
);

-- Numbers the gates use that are no contract's: rows with a source and a time of validity, never constants.
create table ops.gate_parameter (
    name text not null,
    scope text not null default '*',
    value numeric not null,
    unit text not null,
    source text not null,
    valid_from date not null,
    valid_to date check (valid_to is null or valid_to >= valid_from),
    primary key (name, scope, valid_from)
);
insert into ops.gate_parameter (name, scope, value, unit, source, valid_from) values
    ('max_row_drop_share', '*', 0.2, 'share', '本中心初始设置', '2000-01-01'),
    ('max_row_drop_share', 'department_coverage_daily', 0, 'share', '本中心初始设置', '2000-01-01'),
    -- Growth: a mart may at most double in a night; coverage grows by one row per feed and night.
    ('max_row_rise_share', '*', 1, 'share', '本中心初始设置', '2000-01-01'),
    ('max_row_rise_share', 'department_coverage_daily', 100, 'share', '本中心初始设置', '2000-01-01'),
    -- Gate 1 warns when more of a delivery than this repeats itself.
    ('max_duplicate_share', '*', 0.1, 'share', '本中心初始设置', '2000-01-01');

-- Grain: one expectation on one batch or one candidate, of one run of the gate. Append-only; the newest run counts.
create table ops.gate_result (
    gate_result_id bigint generated always as identity primary key,
    gate_run_id uuid not null,
    gate text not null check (gate in ('intake', 'publication')),
    business_date date not null,
    source text,
    feed text,
    batch_id bigint references ops.batch,
    publication_id bigint references ops.publication,
    expectation_id text not null,
    severity text not null check (severity in ('block', 'warn')),
    state text not null check (state in ('passed', 'failed', 'waived', 'error')),
    observed text,
    expected text,
    failing_rows bigint,
    message text not null,
    next_steps text not null,
    examples jsonb,
    waiver_id bigint references ops.waiver,
    docs_path text,
    evaluated_at timestamptz not null default clock_timestamp(),
    check ((gate = 'intake') = (batch_id is not null)),
    check ((gate = 'publication') = (publication_id is not null)),
    check ((state = 'waived') = (waiver_id is not null))
);
create index on ops.gate_result (publication_id, gate_run_id);
create index on ops.gate_result (batch_id, gate_run_id);

-- Grain: one dbt node of one build.
create table ops.dbt_result (
    dbt_result_id bigint generated always as identity primary key,
    publication_id bigint not null references ops.publication,
    layer text not null,
    unique_id text not null,
    resource_type text not null,
    status text not null,
    message text,
    failures bigint,
    rows_affected bigint,
    execution_seconds numeric not null,
    finished_at timestamptz not null default clock_timestamp()
);
create index on ops.dbt_result (publication_id);

-- The publication this session reads: the one it pinned, else the current one. Called once per query, as a scalar
-- subquery. A reader may pin what was published; only the loading role sees a candidate.
create function ops.reading_publication() returns bigint
language plpgsql stable security definer set search_path = pg_catalog
as $$
declare
    pinned bigint := nullif(current_setting('credit.publication', true), '')::bigint;
    pinned_state text;
begin
    if pinned is null then
        return (select publication_id from ops.current_publication);
    end if;
    select state into pinned_state from ops.publication where publication_id = pinned;
    if pinned_state = 'published' or (pinned_state is not null and pg_has_role(session_user, 'credit_etl', 'member')) then
        return pinned;
    end if;
    raise exception '发布批次 % 不存在或未发布，不能读取', pinned
        using hint = 'reset credit.publication，或从 ops.publication 中选择已发布的批次';
end
$$;

grant usage on schema mart to credit_reader, credit_auditor;
grant usage on schema ops to credit_reader, credit_auditor;
-- Reading a mart calls the function; the ledger tables stay closed to readers.
revoke all on function ops.reading_publication() from public;
grant execute on function ops.reading_publication() to credit_etl, credit_reader, credit_auditor;
grant select on all tables in schema ops to credit_auditor;
alter default privileges in schema ops grant select on tables to credit_auditor;
-- A new mart is open to readers only by its own grant (see the versioned materialization), never by default.
alter default privileges in schema mart grant select on tables to credit_auditor;
