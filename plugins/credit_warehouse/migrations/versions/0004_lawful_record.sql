-- Group role of the officers who enter changes to records.
do $$
begin
    if not exists (select from pg_roles where rolname = 'credit_officer') then
        create role credit_officer nologin;
    end if;
end
$$;

-- What the catalogue says stands once, in the catalogue; a feed names its item.
alter table ops.feed
    drop column catalogue_item_name,
    drop column information_class,
    drop column legal_basis_type,
    drop column legal_basis_name,
    drop column legal_basis_article,
    drop column sharing_tier,
    drop column report_period,
    drop column report_sla_workdays,
    drop column report_sla_source,
    drop column display_months,
    drop column display_source,
    add column brings text not null default 'records' check (brings in ('records', 'register', 'changes')),
    add column records_of text,
    alter column record_category drop not null,
    alter column effect drop not null;

comment on column ops.feed.records_of is 'Feed whose records these are: itself, or the one of another generation of the same standard';

-- Settings of this office that SQL needs. One row, written from the settings at every migration.
create table ops.office (
    singleton boolean primary key default true check (singleton),
    region_rules text not null,
    clock text not null check (clock in ('calendar', 'nights'))
);
insert into ops.office (region_rules, clock) values ('*', 'calendar');
comment on column ops.office.region_rules is 'Region whose deadlines apply (ops.deadline.region)';
comment on column ops.office.clock is 'calendar: the legal day is today in Asia/Shanghai; nights: the day of the newest night, for a city that lives at another time';

-- Grain: item × version. Written from catalogue/ only, as the three tables after it.
create table ops.catalogue_item (
    catalogue_item_code text not null,
    version int not null,
    catalogue_item_name text not null,
    valid_from date not null,
    valid_to date,
    information_class text not null,
    act text not null,
    department_codes text[] not null,
    sharing_tier text not null check (sharing_tier in ('public', 'government', 'authorised')),
    display_class text not null,
    use_months int,
    use_starts text not null check (use_starts in ('conduct_end', 'finding')),
    use_source text not null,
    report_period text not null,
    report_sla_workdays int not null,
    report_sla_source text not null,
    severity_source text not null,
    level text not null,
    serious_class int check (serious_class between 1 and 4),
    withdrawn_on date,
    withdrawn_document text,
    withdrawn_reason text,
    primary key (catalogue_item_code, version)
);

-- Grain: one legal basis of one version. Bases of a version do not overlap in time.
create table ops.legal_basis (
    catalogue_item_code text not null,
    version int not null,
    valid_from date not null,
    valid_to date,
    legal_basis_type text not null,
    legal_basis_name text not null,
    legal_basis_article text,
    source text not null,
    primary key (catalogue_item_code, version, valid_from),
    foreign key (catalogue_item_code, version) references ops.catalogue_item on delete cascade
);

-- Grain: display class × regime × severity; every regime has every severity.
create table ops.display_rule (
    display_class text not null,
    display_label text not null,
    starts text not null check (starts in ('finding', 'publication')),
    regime text not null,
    valid_from date not null,
    valid_to date,
    takes_over text not null check (takes_over in ('shorter', 'never')),
    severity text not null,
    shown boolean not null,
    min_months int not null,
    max_months int,
    source text not null,
    primary key (display_class, valid_from, severity)
);

-- Grain: procedure × step × region × validity.
create table ops.deadline (
    procedure text not null,
    step text not null,
    region text not null,
    amount int not null,
    unit text not null check (unit in ('workday', 'day', 'month', 'year')),
    valid_from date not null,
    valid_to date,
    source text not null,
    primary key (procedure, step, region, valid_from)
);

-- A candidate takes in the changes, and the reviewers' decisions, up to a number: what is entered during a build waits for
-- the next one.
alter table ops.publication
    add column events_through bigint not null default 0,
    add column decisions_through bigint not null default 0;

-- A change of what core means (this version is one) asks for one publication built from everything.
create table ops.rebuild_request (
    rebuild_request_id bigint generated always as identity primary key,
    reason text not null,
    requested_at timestamptz not null default clock_timestamp(),
    publication_id bigint references ops.publication
);
comment on column ops.rebuild_request.publication_id is 'Publication that fulfilled it; none = still open';
insert into ops.rebuild_request (reason)
select '信用记录按目录、公示期限和变更事件重新计算' where exists (select from ops.publication where state = 'published');

-- Grain: one dated change of one record, by an officer or by a department's feed. Append-only: a wrong entry is
-- answered by another.
create table ops.record_event (
    event_id bigint generated always as identity primary key,
    record_key uuid not null,
    kind text not null check (kind in (
        'revocation', 'repair', 'objection_filed', 'objection_upheld', 'objection_dismissed', 'correction',
        'reinstatement', 'severity_finding'
    )),
    effective_on date not null,
    document_no text not null check (btrim(document_no) <> ''),
    reason text not null check (btrim(reason) <> ''),
    objection_no text check ((kind like 'objection%') = (objection_no is not null)),
    corrects_through timestamp check ((kind in ('objection_upheld', 'correction')) = (corrects_through is not null)),
    severity text check (
        (kind = 'severity_finding') = (severity is not null) and severity in ('轻微', '一般', '较重', '严重')
    ),
    entered_by text not null default session_user,
    entered_at timestamptz not null default clock_timestamp(),
    feed text references ops.feed,
    batch_id bigint references ops.batch,
    source_row bigint,
    change_key uuid,
    unique (batch_id, source_row),
    check (
        (batch_id is null) = (source_row is null) and (batch_id is null) = (feed is null)
        and (batch_id is null) = (change_key is null)
    )
);
create index on ops.record_event (record_key);
create index on ops.record_event (change_key);
comment on column ops.record_event.effective_on is 'Day of the document: the change holds from then on';
comment on column ops.record_event.change_key is 'Key of the delivered row of changes over all its versions: one sent again unchanged is no new event';
comment on column ops.record_event.kind is 'objection_upheld takes the record away; correction confirms that its right version has come; reinstatement takes a removal back';
comment on column ops.record_event.corrects_through is 'Versions the sender changed up to here are wrong, and stay away for good';

-- Grain: record × origin: what no outlet shows any more, from the moment it was entered, in no publication.
create table ops.suppression (
    record_key uuid not null,
    origin text not null check (origin in ('event', 'sender')),
    kind text not null check (kind in ('revocation', 'repair', 'objection_upheld', 'withdrawal')),
    through_updated_at timestamp,
    event_id bigint references ops.record_event,
    batch_id bigint references ops.batch,
    entered_at timestamptz not null default clock_timestamp(),
    primary key (record_key, origin)
);
create index on ops.suppression (entered_at);
comment on column ops.suppression.through_updated_at is 'Only versions changed up to then; none = every version';

create view ops.open_objection as
select distinct filed.record_key, filed.objection_no, filed.effective_on as filed_on
from ops.record_event as filed
where filed.kind = 'objection_filed' and not exists (
    select from ops.record_event as closed
    where closed.record_key = filed.record_key and closed.objection_no = filed.objection_no
        and closed.kind in ('objection_upheld', 'objection_dismissed')
);

-- The day the law counts by. Everything else takes its business date as a parameter; only what must take effect on its
-- own, in the readers' views, asks here.
create function ops.legal_day() returns date
language sql stable security definer set search_path = pg_catalog
as $$
    select case office.clock
        when 'calendar' then (clock_timestamp() at time zone 'Asia/Shanghai')::date
        else greatest(
            (select max(business_date) from ops.publication where state in ('published', 'candidate')),
            (select max(business_date) from ops.batch)
        )
    end
    from ops.office as office
$$;

-- When the publication this session reads was opened, and the night it speaks of: what happened since is not in it.
create function ops.reading_since() returns timestamptz
language sql stable security definer set search_path = pg_catalog
as $$ select opened_at from ops.publication where publication_id = ops.reading_publication() $$;

create function ops.reading_night() returns date
language sql stable security definer set search_path = pg_catalog
as $$ select business_date from ops.publication where publication_id = ops.reading_publication() $$;

create function ops.check_record_event() returns trigger
language plpgsql security definer set search_path = pg_catalog
as $$
declare
    removed_by text;
begin
    -- Candidates are opened under the exclusive half of this lock: numbers up to theirs are all committed.
    perform pg_advisory_xact_lock_shared(hashtext('credit_warehouse.publication'));
    if new.kind = 'objection_upheld' then
        -- What the record says now is wrong.
        if to_regclass('core.credit_record') is not null then
            execute 'select updated_at from core.credit_record where record_key = $1'
                into new.corrects_through using new.record_key;
        end if;
        new.corrects_through := coalesce(new.corrects_through, new.effective_on + interval '1 day');
    elsif new.kind = 'correction' then
        new.corrects_through := coalesce((
            select upheld.corrects_through from ops.record_event as upheld
            where upheld.record_key = new.record_key and upheld.kind = 'objection_upheld'
            order by upheld.effective_on desc, upheld.event_id desc limit 1
        ), new.effective_on::timestamp);
    end if;
    -- A department's row has passed the row rules; it may speak of a record that is still to come.
    if new.batch_id is not null then
        return new;
    end if;
    if new.effective_on > ops.legal_day() then
        raise exception '生效日期 % 晚于今天（%），不能录入', new.effective_on, ops.legal_day()
            using hint = '请核对文书日期；尚未生效的变更到期再录入';
    end if;
    -- An officer is who he logged in as; only the loading role may enter on somebody's behalf.
    if not pg_has_role(session_user, 'credit_etl', 'member') then
        new.entered_by := session_user;
        new.entered_at := clock_timestamp();
    end if;
    if new.kind in ('objection_upheld', 'objection_dismissed') and not exists (
        select from ops.open_objection as opened
        where opened.record_key = new.record_key and opened.objection_no = new.objection_no
    ) then
        raise exception '该记录没有编号为 % 的未结异议', new.objection_no using hint = '请核对异议编号，或先登记异议受理';
    end if;
    if new.kind = 'objection_filed' and exists (
        select from ops.record_event as filed
        where filed.record_key = new.record_key and filed.objection_no = new.objection_no
    ) then
        raise exception '异议编号 % 已登记过', new.objection_no using hint = '再次提出异议请使用新编号';
    end if;
    removed_by := (
        select hidden.kind from ops.suppression as hidden
        where hidden.record_key = new.record_key and hidden.origin = 'event' and hidden.through_updated_at is null
    );
    if new.kind = 'reinstatement' and removed_by is null then
        raise exception '该记录没有被撤销、修复或更正，无需恢复' using hint = '请用 credit-warehouse explain 核对记录现状';
    end if;
    if new.kind = 'correction' and removed_by is distinct from 'objection_upheld' then
        raise exception '该记录没有待更正的成立异议' using hint = '请用 credit-warehouse explain 核对记录现状';
    end if;
    return new;
end
$$;
create trigger check_record_event before insert on ops.record_event
    for each row execute function ops.check_record_event();

-- What stands about whether a record is away, after event N: the last word by day of effect. Readers' views go by it from
-- the moment of entry, core from the next publication.
create function ops.removal_as_of(last_event bigint) returns setof ops.record_event
language sql stable
begin atomic
    select distinct on (event.record_key) event.*
    from ops.record_event as event
    where event.event_id <= last_event
        and event.kind in ('revocation', 'repair', 'objection_upheld', 'correction', 'reinstatement')
    order by event.record_key, event.effective_on desc, event.event_id desc;
end;

create function ops.suppress_record() returns trigger
language plpgsql security definer set search_path = pg_catalog
as $$
declare
    last ops.record_event;
begin
    select * into last from ops.removal_as_of(9223372036854775807) as removal where removal.record_key = new.record_key;
    if last.event_id is null or last.kind = 'reinstatement' then
        delete from ops.suppression where record_key = new.record_key and origin = 'event';
        return null;
    end if;
    insert into ops.suppression (record_key, origin, kind, through_updated_at, event_id)
    values (
        new.record_key,
        'event',
        case last.kind when 'correction' then 'objection_upheld' else last.kind end,
        case last.kind when 'correction' then last.corrects_through end,
        last.event_id
    )
    on conflict (record_key, origin) do update
    set kind = excluded.kind, through_updated_at = excluded.through_updated_at, event_id = excluded.event_id,
        entered_at = clock_timestamp();
    return null;
end
$$;
create trigger suppress_record after insert on ops.record_event
    for each row execute function ops.suppress_record();

create trigger is_append_only before update or delete or truncate on ops.record_event
    for each statement execute function ops.is_append_only();

-- The audited history: whole, also what no outlet shows any more.
create schema audit;
grant usage on schema audit to credit_auditor;
grant select on all tables in schema ops to credit_auditor;

grant usage on schema ops to credit_officer;
grant insert (record_key, kind, effective_on, document_no, reason, objection_no, severity)
    on ops.record_event to credit_officer;
grant select on ops.record_event, ops.open_objection to credit_officer;
revoke all on function ops.check_record_event(), ops.suppress_record() from public;
revoke all on function ops.legal_day(), ops.reading_since(), ops.reading_night() from public;
grant execute on function ops.legal_day(), ops.reading_since(), ops.reading_night()
    to credit_etl, credit_reader, credit_auditor, credit_officer;

-- 「连续三年无不良记录」 of one subject on one day (DOMAIN.md §1.1 二(三)1). One row. A fact with its reasons, no decision:
-- is_clean is null where there is nothing to judge by.
create function mart.no_adverse_record(subject uuid, as_of date default null, years int default null)
returns table (
    is_clean boolean, window_from date, window_to date, adverse_records bigint, reasons text[]
)
language plpgsql stable
as $$
declare
    day date := coalesce(as_of, ops.reading_night());
    span int := coalesce(years, ops.clean_record_years(coalesce(as_of, ops.reading_night())));
begin
    return query
    with standing as (
        select
            record.*,
            least(record.ended_on, record.displayed_until + 1) as adverse_until
        from mart.queryable_credit_record as record
        where record.subject_key = subject and record.decision_date <= day
    ),
    blocking as (
        select * from standing
        where standing.effect = 'adverse'
            and (standing.adverse_until is null or greatest(standing.adverse_until, standing.decision_date) > day - make_interval(years => span))
    )
    select
        case when (select count(*) from standing) = 0 then null else (select count(*) from blocking) = 0 end,
        (day - make_interval(years => span))::date,
        day,
        (select count(*) from blocking),
        case
            when (select count(*) from standing) = 0 then array['没有该主体的可用信用记录，无法判断']
            else coalesce((
                select array_agg(
                    format('%s %s（%s，%s）%s', blocking.decision_date, blocking.feed_label, blocking.authority_name,
                        blocking.document_no,
                        case when blocking.adverse_until is null or blocking.adverse_until > day then '，仍有效'
                            else format('，有效至 %s', blocking.adverse_until - 1) end)
                    order by blocking.decision_date, blocking.document_no
                ) from blocking
            ), array[]::text[])
        end;
end
$$;
comment on function mart.no_adverse_record is '连续若干年无不良记录：可用记录中，窗口期内有效过的失信记录为零；附理由';

create function ops.clean_record_years(on_day date) returns int
language sql stable security definer set search_path = pg_catalog
as $$
    select amount from ops.deadline, ops.office
    where procedure = 'clean_record' and region in (office.region_rules, '*')
        and valid_from <= on_day and (valid_to is null or valid_to >= on_day)
    order by (region = '*') limit 1
$$;
revoke all on function ops.clean_record_years(date) from public;
grant execute on function ops.clean_record_years(date) to credit_etl, credit_reader, credit_auditor;
revoke all on function mart.no_adverse_record(uuid, date, int) from public;
grant execute on function mart.no_adverse_record(uuid, date, int) to credit_etl, credit_reader, credit_auditor;

-- Marts of an earlier version: records keep their published history, under the name of the mart that now holds them.
do $$
begin
    if to_regclass('mart_store.credit_record') is not null then
        drop view mart.credit_record;
        alter table mart_store.credit_record rename to queryable_credit_record;
        alter table mart_store.queryable_credit_record add column status text not null default 'in_force';
        alter table mart_store.queryable_credit_record alter column status drop default;
        alter index mart_store.credit_record__open rename to queryable_credit_record__open;
        alter index mart_store.credit_record__key rename to queryable_credit_record__key;
        alter index mart_store.credit_record__from rename to queryable_credit_record__from;
        alter index mart_store.credit_record__to rename to queryable_credit_record__to;
        alter index mart_store.credit_record__subject_key rename to queryable_credit_record__subject_key;
        alter index mart_store.credit_record__feed rename to queryable_credit_record__feed;
        drop view mart.subject_credit_profile;
    end if;
    drop view if exists mart.catalogue_item;
    drop table if exists mart_store.catalogue_item;
    drop table if exists core.credit_record, core.subject, core.catalogue_item;
end
$$;

-- Marts of what has gone wrong may be empty, and begin with the first case.
insert into ops.gate_parameter (name, scope, value, unit, source, valid_from) values
    ('min_first_rows', '*', 1, 'rows', '本中心初始设置', '2000-01-01'),
    ('min_first_rows', 'objection', 0, 'rows', '本中心初始设置', '2000-01-01'),
    ('min_first_rows', 'catalogue_refusal', 0, 'rows', '本中心初始设置', '2000-01-01'),
    ('max_row_rise_share', 'objection', 100, 'share', '本中心初始设置', '2000-01-01'),
    ('max_row_rise_share', 'catalogue_refusal', 100, 'share', '本中心初始设置', '2000-01-01');
