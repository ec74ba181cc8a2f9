-- Records whose identifier is masked, missing or of a kind without a check name nobody (DOMAIN.md §2.5, §7.4). Who they
-- may be about is proposed here with an explained score; only a person's decision links one.

-- What is left of an organisation's name without places and legal form: 惠州市惠城区某某餐饮店 → 某某餐饮店.
create function vault.name_core(name text) returns text
language sql immutable parallel safe
return coalesce(nullif(
    regexp_replace(
        regexp_replace(
            regexp_replace(
                regexp_replace(
                    regexp_replace(identity.canonical_name(name), '\([^()]*\)', '', 'g'),
                    '^.{2,6}?(省|自治区|特别行政区)', ''),
                '^.{2,4}?市', ''),
            '^.{2,4}?(区|县|旗|市)', ''),
        '(集团)?(股份|有限责任|有限)*公司$', ''),
    ''), identity.canonical_name(name));

-- What a court leaves visible of a resident ID (digits 11 to 14 hidden): the first ten and the three of the sequence.
create function vault.visible_digits(number text) returns text
language sql immutable parallel safe
return case when number ~ '^[1-9][0-9]{9}([0-9]{4}|[*]{4})[0-9]{3}[0-9X*]$' then left(number, 10) || substr(number, 15, 3) end;

create index identity_visible_digits on vault.identity (vault.visible_digits(id_value)) where subject_type = 'person';
create index identity_org_code on vault.identity (substr(id_value, 9, 9)) where id_type = 'uscc';

-- Grain: subject × name × representative, as accepted rows gave them: also the names of former times.
create table vault.known_as (
    known_as_id bigint generated always as identity primary key,
    subject_key uuid not null,
    subject_type text not null,
    name text not null,
    representative text not null default '',
    plain_name text generated always as (identity.canonical_name(name)) stored,
    name_core text generated always as (case when subject_type = 'organisation' then vault.name_core(name) end) stored,
    first_batch_id bigint not null references ops.batch,
    unique (subject_key, name, representative)
);
create index on vault.known_as (plain_name, subject_type);
create index on vault.known_as (name_core) where subject_type = 'organisation';
create index on vault.known_as (representative) where subject_type = 'organisation' and representative <> '';

-- Grain: one record whose newest accepted version names nobody and has not been withdrawn.
create table vault.unlinked_record (
    record_key uuid primary key,
    feed text not null references ops.feed,
    batch_id bigint not null references ops.batch,
    source_row bigint not null,
    subject_type text not null check (subject_type in ('organisation', 'person')),
    name text not null,
    number text,
    sex text,
    age int,
    birth_date date,
    representative text,
    org_code text,
    decided_on date not null,
    plain_name text generated always as (identity.canonical_name(name)) stored,
    name_core text generated always as (case when subject_type = 'organisation' then vault.name_core(name) end) stored,
    visible_digits text generated always as (case when subject_type = 'person' then vault.visible_digits(number) end) stored
);
comment on column vault.unlinked_record.number is 'Number as delivered: masked, or of a kind without a check';
comment on column vault.unlinked_record.age is 'Years on decided_on';
create index on vault.unlinked_record (plain_name, subject_type);
create index on vault.unlinked_record (name_core) where subject_type = 'organisation';
create index on vault.unlinked_record (representative) where subject_type = 'organisation';
create index on vault.unlinked_record (visible_digits);
create index on vault.unlinked_record (org_code);

-- Grain: one run of the proposing that had something to do. ``model`` is Splink's, whole: every weight can be had again.
create table ops.match_run (
    match_run_id bigint generated always as identity primary key,
    business_date date not null,
    model_version text not null,
    models jsonb not null,
    records bigint not null,
    pairs bigint not null,
    started_at timestamptz not null default clock_timestamp()
);

-- Grain: batch a model version has taken account of.
create table ops.match_batch (
    model_version text not null,
    batch_id bigint not null references ops.batch,
    primary key (model_version, batch_id)
);

-- Grain: record × subject it may be about. Derived, and replaced when the record or the known subjects change.
create table vault.match_candidate (
    record_key uuid not null,
    subject_key uuid not null,
    score numeric(7, 6) not null check (score between 0 and 1),
    match_weight numeric(7, 2) not null,
    explanation jsonb not null,
    model_version text not null,
    first_run_id bigint not null references ops.match_run,
    first_batch_id bigint not null references ops.batch,
    first_proposed_for date not null,
    last_run_id bigint not null references ops.match_run,
    last_batch_id bigint not null references ops.batch,
    last_proposed_for date not null,
    primary key (record_key, subject_key)
);
comment on column vault.match_candidate.score is 'Share of such pairs expected to be the same subject, by the model; a hint, never a decision';
comment on column vault.match_candidate.match_weight is 'Sum of the weights in explanation, in bits (log2 of the odds)';
comment on column vault.match_candidate.explanation is 'The prior and one object per comparison: item, level (Chinese), weight (bits)';
comment on column vault.match_candidate.first_batch_id is 'Batch of the record''s version when the pair was first proposed';

-- Numbers of the matching models: m = share of true pairs at a level; u = share of false ones, given only where it is not
-- estimated from the city's own data, or is too rare to be seen there.
create table ops.match_parameter (
    model text not null check (model in ('person', 'organisation')),
    name text not null,
    value numeric not null,
    source text not null,
    valid_from date not null,
    valid_to date check (valid_to is null or valid_to >= valid_from),
    primary key (model, name, valid_from)
);

-- Grain: one decision of a person. Append-only; an undo names the decision it takes back.
create table ops.match_decision (
    decision_id bigint generated always as identity primary key,
    decision text not null check (decision in ('link', 'reject', 'undo')),
    record_key uuid not null,
    subject_key uuid not null,
    undoes bigint unique references ops.match_decision,
    decided_by text not null check (length(btrim(decided_by)) > 0),
    reason text not null check (length(btrim(reason)) > 0),
    document text check (length(btrim(document)) > 0),
    decided_at timestamptz not null default clock_timestamp(),
    check ((decision = 'undo') = (undoes is not null)),
    check (decision = 'undo' or document is not null)
);
create index on ops.match_decision (record_key);

-- Decisions numbered up to last_decision that nobody had undone by then.
create function ops.standing_decision(last_decision bigint) returns setof ops.match_decision
language sql stable
begin atomic
    select decision.* from ops.match_decision as decision
    where decision.decision_id <= last_decision and decision.decision <> 'undo' and not exists (
        select from ops.match_decision as undo
        where undo.undoes = decision.decision_id and undo.decision_id <= last_decision
    );
end;

-- The links in effect after decision last_decision: what a publication that took in decisions up to it must build.
create function ops.record_link_as_of(last_decision bigint)
returns table (record_key uuid, subject_key uuid, decision_id bigint)
language sql stable
begin atomic
    select standing.record_key, standing.subject_key, standing.decision_id
    from ops.standing_decision(last_decision) as standing where standing.decision = 'link';
end;

create view ops.record_link as select * from ops.record_link_as_of(9223372036854775807);

-- Records delivered under a person's own identifier and another name: a person decides whether they are theirs. Empty
-- before the first night; core makes the relation.
create function vault.held_record() returns table (record_key uuid, subject_key uuid)
language plpgsql stable set search_path = pg_catalog
as $$
begin
    if to_regclass('core.row_subject') is not null then
        return query execute
            'select distinct record_key, delivered_subject_key from core.row_subject where is_held';
    end if;
end
$$;

create function ops.is_append_only() returns trigger
language plpgsql
as $$
begin
    raise exception '%.% 只能追加，不能修改或删除', tg_table_schema, tg_table_name
        using hint = '更正、撤销请另录一条';
end
$$;

create function ops.guard_match_decision() returns trigger
language plpgsql set search_path = pg_catalog
as $$
declare
    taken_back ops.match_decision;
    standing ops.match_decision;
begin
    -- Below, what other sessions decided must be seen.
    if current_setting('transaction_isolation') = 'repeatable read' then
        raise exception '登记匹配决定的事务不能使用 repeatable read 隔离级别' using hint = '请使用 read committed';
    end if;
    -- One at a time and numbered inside the lock: whoever reads "up to N" never finds a smaller number later.
    perform pg_advisory_xact_lock(hashtext('credit_warehouse.match_decision'));
    new.decision_id := nextval('ops.match_decision_decision_id_seq');
    if new.decision = 'undo' then
        select * into taken_back from ops.match_decision where decision_id = new.undoes;
        if taken_back.decision is null then
            raise exception '决定 % 不存在，无法撤销', new.undoes using hint = '用 review show 查看该记录的决定';
        elsif taken_back.decision = 'undo' then
            raise exception '决定 % 本身是撤销，不能再撤销', new.undoes using hint = '如需恢复，请重新登记决定';
        elsif exists (select from ops.match_decision where undoes = new.undoes) then
            raise exception '决定 % 已被撤销', new.undoes using hint = '无需再次撤销';
        end if;
        new.record_key := taken_back.record_key;
        new.subject_key := taken_back.subject_key;
        return new;
    end if;
    if not exists (
        select from vault.match_candidate
        where record_key = new.record_key and subject_key = new.subject_key
    ) and not exists (
        select from vault.held_record() as held
        where held.record_key = new.record_key and held.subject_key = new.subject_key
    ) then
        raise exception '主体 % 不是记录 % 的候选', new.subject_key, new.record_key
            using hint = '只能对系统提出的候选作出决定，请用 review show 查看';
    end if;
    select * into standing from ops.standing_decision(9223372036854775807) as s
    where s.record_key = new.record_key and (s.decision = 'link' or s.subject_key = new.subject_key) limit 1;
    if standing.decision = 'link' and new.decision = 'link' then
        raise exception '记录 % 已关联主体 %（决定 %），一条记录不能同时关联两个主体',
            new.record_key, standing.subject_key, standing.decision_id using hint = '如关联有误，请先撤销该决定';
    elsif standing.subject_key = new.subject_key then
        raise exception '该候选已有未撤销的决定 %', standing.decision_id using hint = '如决定有误，请先撤销该决定';
    end if;
    return new;
end
$$;
create trigger guard before insert on ops.match_decision
for each row execute function ops.guard_match_decision();
create trigger is_append_only before update or delete or truncate on ops.match_decision
for each statement execute function ops.is_append_only();

-- Grain: candidate. What a reviewer works on, with the state the decisions give it.
create view vault.match_review as
select
    candidate.record_key,
    candidate.subject_key,
    record.feed,
    candidate.score,
    candidate.match_weight,
    candidate.explanation,
    candidate.last_batch_id,
    candidate.last_proposed_for,
    last.decision_id,
    case
        when standing.decision = 'link' then '已关联'
        when standing.decision = 'reject' then '已否决'
        when last.decision = 'undo' then '已撤销'
        else '待审'
    end as state
from vault.match_candidate as candidate
join vault.unlinked_record as record using (record_key)
left join lateral (
    select decision_id, decision from ops.match_decision as d
    where d.record_key = candidate.record_key and d.subject_key = candidate.subject_key
    order by decision_id desc limit 1
) as last on true
left join ops.standing_decision(9223372036854775807) as standing using (record_key, subject_key);

insert into ops.match_parameter (model, name, value, source, valid_from)
select model, name, value, '本中心初始设置：录入差错率的估计，积累足够的审核决定后据以重估', date '2000-01-01'
from (values
    -- Share of unlinked records whose subject the city knows; the rest is divided among all known subjects.
    ('person', 'known_share', 0.5), ('organisation', 'known_share', 0.5),
    -- A pair below this score is not shown, nor is one beyond the best few of its record.
    ('person', 'least_score', 0.05), ('organisation', 'least_score', 0.02),
    ('person', 'most_candidates', 10), ('organisation', 'most_candidates', 10),
    -- Namesakes the city does not know, for each name it knows: a name seen once is not yet nobody else's.
    ('person', 'frequency_floor', 0.5), ('organisation', 'frequency_floor', 0.5),
    -- u is estimated from this many known subjects against as many others; from fewer than the least it is taken from below.
    ('person', 'sample', 800), ('organisation', 'sample', 800),
    ('person', 'least_sample', 100), ('organisation', 'least_sample', 100),

    ('person', 'm.name.same', 0.97), ('person', 'u.name.same', 0.002),
    ('person', 'm.name.one_character', 0.02), ('person', 'u.name.one_character', 0.02),
    ('person', 'm.name.different', 0.01), ('person', 'u.name.different', 0.978),
    ('person', 'm.region.same', 0.999), ('person', 'u.region.same', 0.2),
    ('person', 'm.region.different', 0.001), ('person', 'u.region.different', 0.8),
    ('person', 'm.birth_year.same', 0.999), ('person', 'u.birth_year.same', 0.02),
    ('person', 'm.birth_year.different', 0.001), ('person', 'u.birth_year.different', 0.98),
    ('person', 'm.tail.same', 0.89), ('person', 'u.tail.same', 0.0001),
    ('person', 'm.tail.sequence', 0.109), ('person', 'u.tail.sequence', 0.001),
    ('person', 'm.tail.different', 0.001), ('person', 'u.tail.different', 0.9989),
    ('person', 'm.sex.same', 0.995), ('person', 'u.sex.same', 0.5),
    ('person', 'm.sex.different', 0.005), ('person', 'u.sex.different', 0.5),
    ('person', 'm.age.fits', 0.88), ('person', 'u.age.fits', 0.02),
    ('person', 'm.age.near', 0.1), ('person', 'u.age.near', 0.04),
    ('person', 'm.age.different', 0.02), ('person', 'u.age.different', 0.94),
    -- Where the year of birth is visible, the age only says on which side of the birthday the decision fell.
    ('person', 'm.age_in_year.fits', 0.9), ('person', 'u.age_in_year.fits', 0.5),
    ('person', 'm.age_in_year.near', 0.09), ('person', 'u.age_in_year.near', 0.48),
    ('person', 'm.age_in_year.different', 0.01), ('person', 'u.age_in_year.different', 0.02),
    ('person', 'm.birth_date.same', 0.98), ('person', 'u.birth_date.same', 0.00005),
    ('person', 'm.birth_date.different', 0.02), ('person', 'u.birth_date.different', 0.99995),

    ('organisation', 'm.name.same', 0.75), ('organisation', 'u.name.same', 0.000001),
    ('organisation', 'm.name.core', 0.17), ('organisation', 'u.name.core', 0.00005),
    ('organisation', 'm.name.one_character', 0.04), ('organisation', 'u.name.one_character', 0.001),
    ('organisation', 'm.name.contains', 0.02), ('organisation', 'u.name.contains', 0.0002),
    ('organisation', 'm.name.different', 0.02), ('organisation', 'u.name.different', 0.99875),
    ('organisation', 'm.representative.same', 0.85), ('organisation', 'u.representative.same', 0.002),
    ('organisation', 'm.representative.one_character', 0.02), ('organisation', 'u.representative.one_character', 0.02),
    ('organisation', 'm.representative.different', 0.13), ('organisation', 'u.representative.different', 0.978),
    ('organisation', 'm.org_code.same', 0.999), ('organisation', 'u.org_code.same', 0.000001),
    ('organisation', 'm.org_code.different', 0.001), ('organisation', 'u.org_code.different', 0.999999)
) as given (model, name, value);
