-- Grain: version of an indicator of the yearly score sheet. Written from appraisal/sheet.yaml only.
create table ops.appraisal_indicator (
    indicator_code text not null,
    ordinal int not null,
    indicator_label text not null,
    category text not null,
    max_points numeric(6, 2) not null check (max_points > 0),
    is_bonus boolean not null,
    metric_code text,
    feeds text[],
    full_from numeric(5, 4) check (full_from > 0 and full_from <= 1),
    valid_from date not null,
    valid_to date check (valid_to >= valid_from),
    source text not null,
    primary key (indicator_code, valid_from)
);
comment on column ops.appraisal_indicator.feeds is 'The metric of these feeds only; null = of the department as a whole';
comment on column ops.appraisal_indicator.full_from is 'Rate from which all points are given; null = in proportion up to 100 %';

-- Grain: points an officer gives a department for an indicator no metric measures. Append-only: the newest counts, a void
-- one takes the points back.
create table ops.appraisal_entry (
    appraisal_entry_id bigint generated always as identity primary key,
    year int not null check (year between 2000 and 2100),
    department_code text not null,
    indicator_code text not null,
    points numeric(6, 2) not null check (points >= 0),
    reason text not null check (btrim(reason) <> ''),
    document text not null check (btrim(document) <> ''),
    is_void boolean not null default false,
    entered_by text not null default session_user,
    entered_at timestamptz not null default clock_timestamp()
);
create index on ops.appraisal_entry (year, department_code, indicator_code);

create function ops.check_appraisal_entry() returns trigger
language plpgsql security definer set search_path = pg_catalog
as $$
declare
    allowed numeric;
begin
    select max_points into allowed from ops.appraisal_indicator as indicator
    where indicator.indicator_code = new.indicator_code and indicator.metric_code is null
        and make_date(new.year, 1, 1) >= indicator.valid_from
        and (indicator.valid_to is null or make_date(new.year, 1, 1) <= indicator.valid_to);
    if allowed is null then
        raise exception '% 年的评分表没有需要评定的指标“%”', new.year, new.indicator_code;
    end if;
    if new.points > allowed then
        raise exception '“%”满分 % 分，不能录入 % 分', new.indicator_code, allowed, new.points;
    end if;
    if not exists (select from ops.feed where department_code = new.department_code) then
        raise exception '没有报送单位“%”', new.department_code;
    end if;
    return new;
end
$$;
create trigger check_entry before insert on ops.appraisal_entry
    for each row execute function ops.check_appraisal_entry();
create trigger is_append_only before update or delete or truncate on ops.appraisal_entry
    for each statement execute function ops.is_append_only();

grant select on ops.appraisal_indicator, ops.appraisal_entry to credit_auditor;

-- Entries are few, and one may be taken back; movements of a population may come in one night for many years.
insert into ops.gate_parameter (name, scope, value, unit, source, valid_from) values
    ('min_first_rows', 'appraisal_entry', 0, 'rows', '本中心初始设置', '2000-01-01'),
    ('max_row_rise_share', 'appraisal_entry', 100, 'share', '本中心初始设置', '2000-01-01'),
    ('max_row_drop_share', 'appraisal_entry', 0.5, 'share', '本中心初始设置', '2000-01-01'),
    ('min_first_rows', 'population_movement', 0, 'rows', '本中心初始设置', '2000-01-01'),
    ('max_row_rise_share', 'population_movement', 100, 'share', '本中心初始设置', '2000-01-01');

insert into ops.metric_parameter (name, value, unit, source, valid_from) values
    ('named_late_share', 0.5, 'share', 'DOMAIN.md §5.1 [F12]：迟报率超过 50 % 的单位点名', '2000-01-01');
