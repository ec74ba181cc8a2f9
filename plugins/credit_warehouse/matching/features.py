"""Queries that turn the vault's rows into the columns of :data:`credit_warehouse.matching.scoring.COLUMNS`.

They read temporary tables ``affected`` (record_key) and ``blocked`` (known_as_id), and parameters ``kind``, ``day``,
``sample`` and ``floor``. Only what shares a block with an affected record leaves the warehouse: cost follows the change.
"""

from __future__ import annotations

BLOCKED = {
    "person": """
        create temp table blocked on commit drop as
        select known_as_id from vault.known_as as known
        join vault.unlinked_record as record on known.plain_name = record.plain_name
        join affected using (record_key)
        where known.subject_type = 'person' and record.subject_type = 'person'
        union
        select known_as_id from vault.unlinked_record as record
        join affected using (record_key)
        join vault.identity on record.visible_digits = vault.visible_digits(identity.id_value)
        join vault.known_as as known using (subject_key)
        where identity.subject_type = 'person'
    """,
    "organisation": """
        create temp table blocked on commit drop as
        select known_as_id from vault.known_as as known
        join vault.unlinked_record as record on known.name_core = record.name_core
        join affected using (record_key)
        where known.subject_type = 'organisation'
        union
        select known_as_id from vault.known_as as known
        join vault.unlinked_record as record using (representative)
        join affected using (record_key)
        where known.subject_type = 'organisation' and known.representative <> ''
            and record.subject_type = 'organisation'
        union
        select known_as_id from vault.unlinked_record as record
        join affected using (record_key)
        join vault.identity on identity.id_type = 'uscc' and record.org_code = substr(identity.id_value, 9, 9)
        join vault.known_as as known using (subject_key)
    """,
}

# The number says the sex already: compared again, the same evidence would count twice. A sex that contradicts it counts.
RECORDS = """
    select
        record_key as unique_id,
        plain_name as name,
        left(visible_digits, 6) as region,
        substr(visible_digits, 7, 4) as birth_year,
        case when visible_digits is not null then substr(number, 15, 4) end as tail,
        visible_digits,
        case when visible_digits is not null then nullif(right(number, 1), '*') end as check_digit,
        case when visible_digits is null or sex <> (array['女', '男'])[mod(right(visible_digits, 1)::int, 2) + 1] then sex
            end as sex,
        case when visible_digits is null and birth_date is null then age_since end as born_since,
        case when visible_digits is null and birth_date is null then age_until end as born_until,
        case when visible_digits is not null and birth_date is null then age_since end as year_since,
        case when visible_digits is not null and birth_date is null then age_until end as year_until,
        birth_date,
        name_core as core,
        nullif(representative, '') as representative,
        org_code
    from vault.unlinked_record
    join affected using (record_key)
    cross join lateral (
        select (decided_on - make_interval(years => age + 1) + interval '1 day')::date as age_since,
            (decided_on - make_interval(years => age))::date as age_until
    ) as ages
    where subject_type = %(kind)s
    order by record_key
"""

_SUBJECT = """
    select
        known.known_as_id as unique_id,
        known.plain_name as name,
        left(digits, 6) as region,
        substr(digits, 7, 4) as birth_year,
        case when digits is not null then right(id_value, 4) end as tail,
        digits as visible_digits,
        case when digits is not null then right(id_value, 1) end as check_digit,
        (array['女', '男'])[mod(right(digits, 1)::int, 2) + 1] as sex,
        {since} as born_since,
        {until} as born_until,
        {since} as year_since,
        {until} as year_until,
        born_on as birth_date,
        known.name_core as core,
        nullif(known.representative, '') as representative,
        case when identity.id_type = 'uscc' then substr(id_value, 9, 9) end as org_code
    from {known} as known
    join vault.identity using (subject_key)
    cross join lateral (
        select case when known.subject_type = 'person' then vault.visible_digits(id_value) end as digits
    ) as visible
    cross join lateral (
        select case when digits is not null then to_date(substr(id_value, 7, 8), 'YYYYMMDD') end as born_on
    ) as birth
    where known.subject_type = %(kind)s
"""

SUBJECTS = (
    _SUBJECT.format(known="vault.known_as", since="born_on", until="born_on")
    + " and known.known_as_id in (select known_as_id from blocked) order by known.known_as_id"
)

# A subject key is a hash: the first ones in its order are a fair sample, and the same one every night.
_SAMPLED = """
    (
        select *, row_number() over (order by subject_key) as place from (
            select distinct on (subject_key) * from vault.known_as where subject_type = %(kind)s
            order by subject_key, known_as_id limit 2 * %(sample)s
        ) as first_names
    )
"""

SAMPLE = _SUBJECT.format(known=_SAMPLED, since="born_on", until="born_on") + " and mod(known.place, 2) = 0"

MASKED_SAMPLE = (
    _SUBJECT.format(
        known=_SAMPLED,
        since="(%(day)s - make_interval(years => extract(year from age(%(day)s, born_on))::int + 1)"
        " + interval '1 day')::date",
        until="(%(day)s - make_interval(years => extract(year from age(%(day)s, born_on))::int))::date",
    )
    + " and mod(known.place, 2) = 1"
)

# How many others go by the value: a subject is none of its own namesakes. The floor stands for those the city does not know.
_FREQUENCY = """
    select {column} as value, (count(distinct subject_key) - 1 + %(floor)s::float8)
        / (select greatest(count(*), 1) from vault.identity where subject_type = %(kind)s) as share
    from vault.known_as
    where subject_type = %(kind)s
        and {column} in (select {column} from vault.known_as join blocked using (known_as_id))
    group by 1
"""

FREQUENCY = {
    "name": _FREQUENCY.format(column="plain_name"),
    "core": _FREQUENCY.format(column="name_core"),
    "representative": _FREQUENCY.format(column="representative"),
}
