-- Districts a deciding body of this office's city may belong to; the bodies of a county-level city are all its own.
create view ops.office_district as
select
    district.district as district_code,
    district.district_name
from ops.office as office
inner join ops.city as city on office.city = city.city and city.level = 'prefecture'
inner join ops.district as district on city.city = district.city;

alter table ops.feed add column authority_header text;
comment on column ops.feed.authority_header is 'The sender''s column with the deciding body: a rejected row is its district''s by it';
alter table ops.catalogue_item add column domain text;
comment on column ops.catalogue_item.domain is '重点领域 (DOMAIN.md §1.6); none = the item belongs to no single one';

-- Grain: one metric. Written from metrics/metrics.yaml only.
create table ops.metric (
    metric_code text primary key,
    metric_label text not null,
    metric_name text not null,
    formula text not null,
    numerator text not null,
    denominator text,
    unit text not null check (unit in ('share', 'workday', 'day', 'count')),
    higher_is_better boolean,
    source text not null
);
comment on column ops.metric.unit is 'share: numerator / denominator; else the numerator is the value, and the denominator what it was taken from';

-- Numbers the metrics use: rows with a source and a time of validity, never constants.
create table ops.metric_parameter (
    name text not null,
    value numeric not null,
    unit text not null,
    source text not null,
    valid_from date not null,
    valid_to date check (valid_to is null or valid_to >= valid_from),
    primary key (name, valid_from)
);
insert into ops.metric_parameter (name, value, unit, source, valid_from) values
    ('small_count', 30, '条', 'DOMAIN.md §5.2 small-n flag (< 30)', '2000-01-01');

-- What officers enter. Append-only: an entry is answered by a later one with the same key, or taken back by one that is void.

-- Grain: one decision found in the field by a check, and whether it had been reported.
create table ops.spot_check (
    spot_check_id bigint generated always as identity primary key,
    sampler text not null check (btrim(sampler) <> ''),
    source text not null check (btrim(source) <> ''),
    sampled_on date not null,
    department_code text not null,
    feed text not null references ops.feed,
    document_no text not null check (btrim(document_no) <> ''),
    found boolean not null,
    fields_checked int not null check (fields_checked >= 0),
    fields_wrong int not null check (fields_wrong between 0 and fields_checked),
    document text not null check (btrim(document) <> ''),
    is_void boolean not null default false,
    entered_by text not null default session_user,
    entered_at timestamptz not null default clock_timestamp()
);
create index on ops.spot_check (source, sampled_on, feed, document_no);

-- Grain: what a department says it decided in a month, by feed.
create table ops.declared_production (
    declared_production_id bigint generated always as identity primary key,
    department_code text not null,
    feed text not null references ops.feed,
    month date not null check (extract(day from month) = 1),
    produced int not null check (produced >= 0),
    published_by_unit int check (published_by_unit >= 0),
    source text not null check (btrim(source) <> ''),
    document text not null check (btrim(document) <> ''),
    is_void boolean not null default false,
    entered_by text not null default session_user,
    entered_at timestamptz not null default clock_timestamp()
);
create index on ops.declared_production (feed, month);

-- Grain: days on which we could take nothing: charged to no sender.
create table ops.outage (
    outage_id bigint generated always as identity primary key,
    scope text not null check (btrim(scope) <> ''),
    started_on date not null,
    ended_on date not null check (ended_on >= started_on),
    reason text not null check (btrim(reason) <> ''),
    document text not null check (btrim(document) <> ''),
    is_void boolean not null default false,
    entered_by text not null default session_user,
    entered_at timestamptz not null default clock_timestamp()
);
comment on column ops.outage.scope is 'A feed, a source, or * for every feed';

-- Grain: a department's word that in the period of a day there was nothing to report (零报告).
create table ops.zero_report (
    zero_report_id bigint generated always as identity primary key,
    department_code text not null,
    feed text not null references ops.feed,
    reported_for date not null,
    reported_on date not null check (reported_on >= reported_for),
    source text not null check (btrim(source) <> ''),
    document text not null check (btrim(document) <> ''),
    is_void boolean not null default false,
    entered_by text not null default session_user,
    entered_at timestamptz not null default clock_timestamp()
);
comment on column ops.zero_report.reported_for is 'Any day of the period the report speaks of';

create trigger is_append_only before update or delete or truncate on ops.spot_check
    for each statement execute function ops.is_append_only();
create trigger is_append_only before update or delete or truncate on ops.declared_production
    for each statement execute function ops.is_append_only();
create trigger is_append_only before update or delete or truncate on ops.outage
    for each statement execute function ops.is_append_only();
create trigger is_append_only before update or delete or truncate on ops.zero_report
    for each statement execute function ops.is_append_only();

grant select on all tables in schema ops to credit_auditor;

-- Marts of what is entered or happens now and then begin empty, and may grow by a whole city's backlog in one night.
insert into ops.gate_parameter (name, scope, value, unit, source, valid_from)
select parameter.name, mart.name, parameter.value, parameter.unit, '本中心初始设置', '2000-01-01'
from (values ('min_first_rows', 0, 'rows'), ('max_row_rise_share', 100, 'share')) as parameter (name, value, unit)
cross join (
    values ('reporting_delay_daily'), ('district_daily'), ('reporting_period'), ('spot_check_monthly'),
        ('declared_production_monthly'), ('repair')
) as mart (name);
-- Corrections of delays and districts move records between rows.
insert into ops.gate_parameter (name, scope, value, unit, source, valid_from) values
    ('max_row_drop_share', 'reporting_period', 0, 'share', '本中心初始设置', '2000-01-01');

-- Counted anew with what it gained.
drop table if exists core.batch_count;
insert into ops.rebuild_request (reason)
select '部门报送指标增加完整率、准确率、唯一性等计数' where exists (select from ops.publication where state = 'published');
