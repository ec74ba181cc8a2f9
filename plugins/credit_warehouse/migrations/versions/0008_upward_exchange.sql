-- Exchange upward (DOMAIN.md §1.5 XCH, §3.1): what left for which platform, and what came of it.

-- Grain: one package. A number stands for the same bytes for ever; what is wrong with a package is put right by a later one.
create table ops.exchange_package (
    package_id bigint generated always as identity primary key,
    platform text not null,
    number int not null check (number > 0),
    name text not null,
    previous_name text,
    is_removals_only boolean not null,
    business_date date not null,
    publication_id bigint not null references ops.publication,
    rows bigint not null check (rows > 0),
    bytes bigint not null,
    sha256 text not null check (sha256 ~ '^[0-9a-f]{64}$'),
    state text not null default 'built' check (
        state in ('built', 'sent', 'acknowledged', 'partly_rejected', 'rejected', 'failed')
    ),
    built_at timestamptz not null default clock_timestamp(),
    attempted_at timestamptz,
    sent_at timestamptz,
    answered_at timestamptz,
    closed_at timestamptz,
    receipt jsonb,
    message text,
    unique (platform, number),
    check (sent_at is null or attempted_at is not null),
    check ((state in ('acknowledged', 'partly_rejected', 'rejected')) = (receipt is not null))
);
create index on ops.exchange_package (state);
comment on column ops.exchange_package.attempted_at is 'First upload began: from here on the platform may hold it, whatever we heard';
comment on column ops.exchange_package.closed_at is 'Given up';
comment on column ops.exchange_package.publication_id is 'Publication whose records it holds; removals entered since are in it too';
comment on column ops.exchange_package.state is 'failed: given up, its rows go again under a later number';

-- Grain: package × record. The row that left is raw (feed, batch_id, source_row); digest is of its cells as sent.
create table ops.exchange_item (
    package_id bigint not null references ops.exchange_package,
    record_key uuid not null,
    feed text not null references ops.feed,
    batch_id bigint not null,
    source_row bigint not null,
    operation text not null check (operation in ('insert', 'update', 'delete')),
    digest text not null check (digest ~ '^[0-9a-f]{64}$'),
    call_back_reason text check ((operation = 'delete') = (call_back_reason is not null)),
    outcome text not null default 'waiting' check (outcome in ('waiting', 'accepted', 'rejected', 'void')),
    reject_reason text check ((outcome = 'rejected') = (reject_reason is not null)),
    primary key (package_id, record_key)
);
create index on ops.exchange_item (record_key, package_id desc);
comment on column ops.exchange_item.digest is 'SHA-256 of feed and cells; of a call-back: of what is called back';
comment on column ops.exchange_item.call_back_reason is 'Kind of removal (ops.suppression.kind), ended, expired, or not_shareable';
comment on column ops.exchange_item.outcome is 'void: the package was given up';

-- Grain: platform × record: a version our own row rules no longer let pass, which therefore did not leave.
create table ops.exchange_held (
    platform text not null,
    record_key uuid not null,
    feed text not null references ops.feed,
    digest text not null,
    violations jsonb not null,
    business_date date not null,
    held_at timestamptz not null default clock_timestamp(),
    primary key (platform, record_key)
);

-- What is there cannot be rewritten: only the course of a package goes on, and what came of a waiting row.
create function ops.guard_exchange() returns trigger
language plpgsql set search_path = pg_catalog
as $$
declare
    course text[] := case tg_table_name
        when 'exchange_item' then array['outcome', 'reject_reason']
        else array['state', 'attempted_at', 'sent_at', 'answered_at', 'closed_at', 'receipt', 'message']
    end;
begin
    if (to_jsonb(new) - course) is distinct from (to_jsonb(old) - course) then
        raise exception '%.% 已成交换记录，内容不能修改', tg_table_schema, tg_table_name
            using hint = '请另建交换包';
    end if;
    if (tg_table_name = 'exchange_item' and to_jsonb(old) ->> 'outcome' <> 'waiting')
        or (tg_table_name = 'exchange_package' and to_jsonb(old) ->> 'state' not in ('built', 'sent')) then
        raise exception '%.% 已办结，不能修改', tg_table_schema, tg_table_name
            using hint = '请另建交换包';
    end if;
    return new;
end
$$;
create trigger guard_exchange before update on ops.exchange_package
    for each row execute function ops.guard_exchange();
create trigger guard_exchange before update on ops.exchange_item
    for each row execute function ops.guard_exchange();
create trigger is_append_only before delete or truncate on ops.exchange_package
    for each statement execute function ops.is_append_only();
create trigger is_append_only before delete or truncate on ops.exchange_item
    for each statement execute function ops.is_append_only();

-- What the far side holds of each record, as far as we can know: its last row that was accepted, that is still under way,
-- or that left in a package given up (is_certain = false: it may or may not have arrived).
create view ops.exchange_far_side as
select distinct on (package.platform, item.record_key)
    package.platform,
    item.record_key,
    item.feed,
    item.batch_id,
    item.source_row,
    item.operation,
    item.digest,
    item.outcome,
    package.number,
    item.outcome <> 'void' as is_certain
from ops.exchange_item as item
inner join ops.exchange_package as package on item.package_id = package.package_id
where item.outcome in ('accepted', 'waiting') or (item.outcome = 'void' and package.attempted_at is not null)
order by package.platform, item.record_key, package.number desc;

-- Rows the platform refused and nothing has followed since.
create view ops.exchange_refusal as
select * from (
    select distinct on (package.platform, item.record_key)
        package.platform,
        item.record_key,
        item.feed,
        item.operation,
        item.digest,
        item.outcome,
        item.reject_reason,
        package.number
    from ops.exchange_item as item
    inner join ops.exchange_package as package on item.package_id = package.package_id
    where item.outcome <> 'void'
    order by package.platform, item.record_key, package.number desc
) as last
where last.outcome = 'rejected';

grant select on ops.exchange_package, ops.exchange_item, ops.exchange_held, ops.exchange_far_side, ops.exchange_refusal
    to credit_auditor;

-- The mart of what went up begins with the first package and grows by a few rows a night.
insert into ops.gate_parameter (name, scope, value, unit, source, valid_from) values
    ('min_first_rows', 'exchange_status', 0, 'rows', '本中心初始设置', '2000-01-01'),
    ('max_row_rise_share', 'exchange_status', 100, 'share', '本中心初始设置', '2000-01-01');
