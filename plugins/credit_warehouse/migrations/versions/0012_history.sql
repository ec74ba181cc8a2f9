-- Grain: kind of publication × validity. How long publications of that kind stay readable in the warehouse; counted in whole
-- months, so that a month is archived once and whole.
create table ops.history_rule (
    keep text not null check (keep in ('every', 'month_end', 'year_end')),
    months int not null check (months >= 0),
    source text not null check (length(btrim(source)) > 0),
    valid_from date not null,
    valid_to date check (valid_to is null or valid_to >= valid_from),
    primary key (keep, valid_from)
);
comment on column ops.history_rule.keep is 'every: each publication; month_end, year_end: the last one of a month or year that was not taken back';
insert into ops.history_rule (keep, months, source, valid_from) values
    ('every', 3, '本中心初始设置：三个月内逐批可查', '2000-01-01'),
    ('month_end', 6, '本中心初始设置：半年内按月末可查', '2000-01-01'),
    ('year_end', 36, '本中心初始设置：三年内按年末可查', '2000-01-01');

-- Grain: one run that moved publications out of the marts into files.
create table ops.history_archive (
    archive_id bigint generated always as identity primary key,
    as_of date not null,
    folder text not null unique,
    manifest_sha256 text not null check (manifest_sha256 ~ '^[0-9a-f]{64}$'),
    rows bigint not null,
    bytes bigint not null,
    archived_at timestamptz not null default clock_timestamp(),
    swept_at timestamptz,
    removed_on date
);
comment on column ops.history_archive.folder is 'Below the folder of archives';
comment on column ops.history_archive.swept_at is 'When its row versions had left the marts; none = the next run makes up for it';
comment on column ops.history_archive.removed_on is 'Business date on which its files were removed, past the time the law asks for';

-- Grain: one publication that can no longer be read from the marts.
create table ops.pruned_publication (
    publication_id bigint primary key references ops.publication,
    archive_id bigint not null references ops.history_archive
);
create index on ops.pruned_publication (archive_id);
create trigger is_append_only before update or delete or truncate on ops.pruned_publication
    for each statement execute function ops.is_append_only();

-- Published and readable today, with the reason why a publication stays readable on a day; no reason = it is due. What
-- the pointer stands on, and the newest two (the night's base, and the rollback from it), always stay.
create function ops.publication_due(as_of date)
returns table (publication_id bigint, business_date date, kept_as text)
language sql stable security definer set search_path = pg_catalog
as $$
    with last_move as (
        -- Per publication the newest flip to it or from it: taken back when that was a rollback from it.
        select distinct on (touched.publication_id)
            touched.publication_id, flip.action = 'rollback' and touched.is_origin as taken_back
        from ops.publication_flip as flip
        cross join lateral (
            values (flip.from_publication_id, true), (flip.to_publication_id, false)
        ) as touched (publication_id, is_origin)
        where touched.publication_id is not null
        order by touched.publication_id, flip.flip_id desc
    ),
    readable as (
        select
            published.publication_id, published.business_date,
            row_number() over (order by published.publication_id desc) <= 2
            or published.publication_id in (select pointer.publication_id from ops.current_publication as pointer)
                as is_needed,
            row_number() over (
                partition by date_trunc('month', published.business_date)
                order by coalesce(move.taken_back, false), published.publication_id desc
            ) = 1 as is_month_end,
            row_number() over (
                partition by date_trunc('year', published.business_date)
                order by coalesce(move.taken_back, false), published.publication_id desc
            ) = 1 as is_year_end
        from ops.publication as published
        left join last_move as move on published.publication_id = move.publication_id
        where published.state = 'published'
    ),
    since as (
        select rule.keep, date_trunc('month', as_of) - make_interval(months => rule.months) as first_day
        from ops.history_rule as rule
        where rule.valid_from <= as_of and (rule.valid_to is null or rule.valid_to >= as_of)
    )
    select
        readable.publication_id, readable.business_date,
        case
            when readable.is_needed then 'needed'
            else (
                select min(since.keep) from since
                where readable.business_date >= since.first_day
                    and (
                        since.keep = 'every'
                        or (since.keep = 'month_end' and readable.is_month_end)
                        or (since.keep = 'year_end' and readable.is_year_end)
                    )
            )
        end
    from readable
    where readable.publication_id not in (select pruned.publication_id from ops.pruned_publication as pruned)
    order by readable.publication_id
$$;
revoke all on function ops.publication_due(date) from public;
grant execute on function ops.publication_due(date) to credit_etl, credit_auditor;

-- As before; what was archived is said to be, for the loading role too: its rows are no longer whole.
create or replace function ops.reading_publication() returns bigint
language plpgsql stable security definer set search_path = pg_catalog
as $$
declare
    pinned bigint := nullif(current_setting('credit.publication', true), '')::bigint;
    pinned_state text;
begin
    if pinned is null then
        return (select publication_id from ops.current_publication);
    end if;
    if exists (select from ops.pruned_publication where publication_id = pinned) then
        raise exception '发布批次 % 已按历史保存规则归档，不能直接读取', pinned
            using hint = '某主体在该批次中的记录：credit-warehouse history show 主体键 --publication ' || pinned;
    end if;
    select state into pinned_state from ops.publication where publication_id = pinned;
    if pinned_state = 'published' or (pinned_state is not null and pg_has_role(session_user, 'credit_etl', 'member')) then
        return pinned;
    end if;
    raise exception '发布批次 % 不存在或未发布，不能读取', pinned
        using hint = 'reset credit.publication，或从 publication 中选择已发布的批次';
end
$$;

-- Stores made from now on have it from the start (macro create_store_sql).
do $$
declare
    store regclass;
begin
    for store in select oid from pg_class where relnamespace = 'mart_store'::regnamespace and relkind = 'r' loop
        execute format(
            'alter table %s set (autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02)', store
        );
    end loop;
end
$$;
