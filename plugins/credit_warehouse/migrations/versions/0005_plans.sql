-- Grain: city the warehouse can serve. Written from cities/ only, as the table after it.
create table ops.city (
    city text primary key,
    city_name text not null,
    level text not null check (level in ('prefecture', 'county')),
    province text not null,
    prefecture text,
    region_code text not null,
    office_name text not null,
    provincial_platform text not null,
    source text not null
);

-- Grain: city × district (GB/T 2260).
create table ops.district (
    city text not null references ops.city,
    district text not null,
    district_name text not null,
    source text not null,
    primary key (city, district)
);

alter table ops.office add column city text references ops.city;
comment on column ops.office.city is 'The city this office is of; null only before the first migrate';

-- Grain: plan. Written from plans/ only, as the four tables after it. Every day is inclusive.
create table ops.plan (
    plan_code text primary key,
    city text not null references ops.city,
    plan_title text not null,
    document text not null,
    valid_from date not null,
    valid_to date not null check (valid_to >= valid_from),
    period_source text not null
);

-- Grain: unit for as long as it had its name and remit.
create table ops.unit (
    unit_code text primary key,
    city text not null references ops.city,
    unit_name text not null,
    kind text not null check (kind in ('unit', 'collective')),
    valid_from date,
    valid_to date,
    successor_codes text[] not null,
    change_document text,
    department_code text,
    check ((valid_to is null) = (successor_codes = '{}') and (valid_to is null) = (change_document is null))
);
comment on column ops.unit.department_code is 'Supplying department the unit is';

create table ops.plan_task (
    task_code text primary key,
    plan_code text not null references ops.plan,
    place int not null,
    article text not null,
    task text not null,
    deadline_kind text not null check (deadline_kind in ('dated', 'ongoing', 'undated')),
    due_on date,
    deadline_source text not null,
    check ((deadline_kind = 'ongoing') = (due_on is null))
);

-- Grain: task × role × unit, as the plan names it.
create table ops.plan_task_unit (
    task_code text not null references ops.plan_task,
    role text not null check (role in ('lead', 'responsible')),
    unit_code text not null references ops.unit,
    place int not null,
    primary key (task_code, role, unit_code)
);

create table ops.plan_target (
    target_code text primary key,
    plan_code text not null references ops.plan,
    place int not null,
    article text not null,
    metric text not null,
    target_value numeric(5, 2) check (target_value > 0 and target_value <= 100),
    milestone text,
    scope_note text not null,
    qualitative boolean not null,
    deadline_kind text not null check (deadline_kind in ('dated', 'ongoing')),
    due_on date,
    deadline_source text not null,
    measure text check (measure in ('population_coverage', 'department_coverage')),
    population text,
    group_names text[],
    denominator_name text,
    check ((target_value is null) <> (milestone is null)),
    check ((measure is null) = (denominator_name is null))
);
comment on column ops.plan_target.target_value is 'Percent';

-- Numbers of the status rules. The value in force on the night judges the whole history of that publication.
create table ops.plan_parameter (
    name text not null,
    value numeric not null,
    unit text not null,
    source text not null,
    valid_from date not null,
    valid_to date check (valid_to is null or valid_to >= valid_from),
    primary key (name, valid_from)
);
insert into ops.plan_parameter (name, value, unit, source, valid_from) values
    ('at_risk_days', 90, 'day', '本中心初始设置：到期前提前一个季度预警', '2000-01-01'),
    ('stale_days', 180, 'day', '本中心初始设置：各单位每半年至少报一次进展', '2000-01-01');

-- Grain: rule by which a status is given; the first that applies, in the order of place.
create table ops.plan_status_rule (
    rule_code text primary key,
    place int not null unique,
    status text not null check (
        status in ('met', 'met_late', 'on_track', 'at_risk', 'overdue', 'never_evidenced', 'not_measurable')
    ),
    status_label text not null,
    rule_text text not null,
    source text not null
);
insert into ops.plan_status_rule (rule_code, place, status, status_label, rule_text, source)
select rule_code, place, status, status_label, rule_text, 'DOMAIN.md §1.8；本中心状态口径'
from (values
    ('met_on_time', 1, 'met', '已完成', '在期限内完成：完成佐证的日期或达到目标值之日不晚于期限，且目前仍达到'),
    ('met_late', 2, 'met_late', '逾期完成', '已完成，但完成佐证的日期或达到目标值之日晚于期限'),
    ('met_ongoing', 3, 'met', '已完成', '长期指标，目前达到目标值'),
    ('qualitative', 4, 'not_measurable', '无法计量', '定性目标，尚无任何佐证'),
    ('denominator_unknown', 5, 'not_measurable', '无法计量', '分母未知（当日登记簿无数据），也无佐证'),
    ('overdue', 6, 'overdue', '逾期', '期限已过，有佐证或计量值，但未完成'),
    ('never_evidenced', 7, 'never_evidenced', '逾期且无佐证', '期限已过，从无任何佐证'),
    ('never_evidenced_ongoing', 8, 'never_evidenced', '逾期且无佐证', '长期任务，规划期已满，从无任何佐证'),
    ('at_risk_deadline', 9, 'at_risk', '有风险', '距期限不超过{at_risk_days}天，尚未完成'),
    ('at_risk_stale', 10, 'at_risk', '有风险', '超过{stale_days}天没有新的佐证（从最近佐证或规划起始日算起）'),
    ('on_track', 11, 'on_track', '正常推进', '未到期，{stale_days}天内有佐证、规划开始不久，或由本仓库逐日计量')
) as rule (rule_code, place, status, status_label, rule_text);

-- Grain: one dated entry about one task or target. Append-only: a wrong one is withdrawn by another.
create table ops.plan_evidence (
    evidence_id bigint generated always as identity primary key,
    task_code text references ops.plan_task,
    target_code text references ops.plan_target,
    kind text not null check (kind in ('progress', 'completed', 'measured', 'withdrawn')),
    dated_on date not null,
    value numeric(5, 2) check (value between 0 and 100),
    withdraws bigint unique references ops.plan_evidence,
    note text not null check (btrim(note) <> ''),
    document text not null check (btrim(document) <> ''),
    entered_by text not null default session_user check (btrim(entered_by) <> ''),
    entered_at timestamptz not null default clock_timestamp(),
    check (num_nonnulls(task_code, target_code) = 1),
    check ((kind = 'measured') = (value is not null)),
    check ((kind = 'withdrawn') = (withdraws is not null))
);
create index on ops.plan_evidence (task_code);
create index on ops.plan_evidence (target_code);
comment on column ops.plan_evidence.dated_on is 'Day of the document: what it shows holds from then on';
comment on column ops.plan_evidence.value is 'Percent';
comment on column ops.plan_evidence.withdraws is 'Entry that counts no more, from any day';

create function ops.check_plan_evidence() returns trigger
language plpgsql security definer set search_path = pg_catalog
as $$
declare
    taken_back ops.plan_evidence;
begin
    -- Candidates are opened under the exclusive half of this lock: numbers up to theirs are all committed.
    perform pg_advisory_xact_lock_shared(hashtext('credit_warehouse.publication'));
    if new.dated_on > ops.legal_day() then
        raise exception '佐证日期 % 晚于今天（%），不能录入', new.dated_on, ops.legal_day()
            using hint = '请核对文件日期；佐证以已形成的文件为准';
    end if;
    -- An officer is who he logged in as; only the loading role may enter on somebody's behalf.
    if not pg_has_role(session_user, 'credit_etl', 'member') then
        new.entered_by := session_user;
        new.entered_at := clock_timestamp();
    end if;
    if new.kind = 'measured' and not exists (
        select from ops.plan_target as target
        where target.target_code = new.target_code and target.target_value is not null
    ) then
        raise exception '% 没有数值目标，不能录入计量值', coalesce(new.task_code, new.target_code)
            using hint = '请改用 progress（进展）或 completed（完成）';
    end if;
    if new.kind = 'withdrawn' then
        select * into taken_back from ops.plan_evidence where evidence_id = new.withdraws;
        if taken_back.evidence_id is null then
            raise exception '佐证 % 不存在，无法撤回', new.withdraws using hint = '用 plan evidence list 查看编号';
        elsif taken_back.kind = 'withdrawn' then
            raise exception '佐证 % 本身是撤回，不能再撤回', new.withdraws using hint = '如需恢复，请重新录入佐证';
        elsif exists (select from ops.plan_evidence where withdraws = new.withdraws) then
            raise exception '佐证 % 已被撤回', new.withdraws using hint = '无需再次撤回';
        end if;
        new.task_code := taken_back.task_code;
        new.target_code := taken_back.target_code;
    end if;
    return new;
end
$$;
create trigger check_plan_evidence before insert on ops.plan_evidence
    for each row execute function ops.check_plan_evidence();
create trigger is_append_only before update or delete or truncate on ops.plan_evidence
    for each statement execute function ops.is_append_only();

-- What a candidate takes in of the evidence: a publication shows one state of it throughout.
alter table ops.publication add column evidence_through bigint not null default 0;

grant select on ops.plan, ops.unit, ops.plan_task, ops.plan_task_unit, ops.plan_target, ops.plan_evidence to credit_officer;
grant insert (task_code, target_code, kind, dated_on, value, withdraws, note, document) on ops.plan_evidence to credit_officer;
revoke all on function ops.check_plan_evidence() from public;

-- Evidence begins with the first entry; a city may have no targets; histories grow with every night's figures.
insert into ops.gate_parameter (name, scope, value, unit, source, valid_from) values
    ('min_first_rows', 'plan_evidence', 0, 'rows', '本中心初始设置', '2000-01-01'),
    ('min_first_rows', 'plan_target', 0, 'rows', '本中心初始设置', '2000-01-01'),
    ('max_row_rise_share', 'plan_evidence', 100, 'share', '本中心初始设置', '2000-01-01'),
    ('max_row_rise_share', 'plan_status_history', 100, 'share', '本中心初始设置', '2000-01-01');
