"""The essential marts written by hand: one script, for PostgreSQL and DuckDB alike.

`hand_record` has the columns of mart.queryable_credit_record that are computed (:data:`RECORD_COLUMNS`), `hand_profile`
those of mart.subject_credit_profile but the naming of the subject (:data:`PROFILE_COLUMNS`). Both begin at the relation
`credit_record_delivery` (accepted rows of every feed, as core has it), and at `repaired` (record keys).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

Months = Callable[[str], str]


def postgres_months(count: str) -> str:
    """An interval of so many months."""
    return f"make_interval(months => ({count})::int)"


def duckdb_months(count: str) -> str:
    """The same for DuckDB."""
    return f"to_months(({count})::int)"


RECORD_COLUMNS = (
    "record_key", "subject_key", "feed", "status", "record_category", "effect", "list_name", "catalogue_version", "severity",
    "title", "content", "document_no", "authority_name", "amount_cny", "rating_year", "decision_date", "ended_on",
    "displayed_until", "usable_until", "first_received_on", "delay_workdays", "versions", "delivered_for", "updated_at",
)  # fmt: skip
PROFILE_COLUMNS = (
    "subject_key", "records_in_force", "adverse_records", "neutral_records", "positive_records", "registrations",
    "qualifications", "licences", "penalties", "court_enforcements", "list_entries", "other_records", "past_records",
    "latest_adverse_on", "latest_positive_on", "latest_decision_on", "years_without_adverse", "tax_a_latest_year",
    "tax_a_years", "first_seen_on", "last_seen_on",
)  # fmt: skip


def script(day: date, months: Months) -> list[str]:
    """The statements, in order. ``day``: the night the marts are of."""
    return [
        _NEWEST,
        "analyze hand_newest",
        _records(day, months),
        "drop table hand_newest",
        _profiles(day),
        *_INDEXES,
    ]


# A table of its own, so that PostgreSQL knows how many rows it joins: as a part of the statement it guesses one.
_NEWEST = """
    create table hand_newest as
    select * from (
        select *,
            row_number() over (
                partition by record_key order by updated_at desc, delivered_for desc, batch_id desc, source_row desc
            ) as place,
            min(delivered_for) over (partition by record_key) as first_received_on,
            first_value(decision_date) over (
                partition by record_key order by delivered_for, updated_at, batch_id, source_row
            ) as first_decision_date,
            count(*) over (partition by record_key) as versions
        from credit_record_delivery
    ) as version
    where place = 1 and not is_withdrawal
"""

_INDEXES = (
    "create unique index hand_record_key on hand_record (record_key)",
    "create index hand_record_subject on hand_record (subject_key)",
    "create unique index hand_profile_key on hand_profile (subject_key)",
)


def _records(day: date, months: Months) -> str:
    started = "case when {rule}.starts = 'publication' then coalesce(published_on, decision_date) else decision_date end"
    start = started.format(rule="decided")

    def end(rule: str) -> str:
        return (
            f"case when {rule}.shown is false then {start} - 1"
            f" else cast({start} + {months(f'{rule}.max_months')} as date) end"
        )

    return f"""
        create table hand_record as
        with governed as (
            select newest.*, feed.record_category, feed.effect, feed.list_name, item.version as catalogue_version,
                item.display_class, item.use_months, item.use_starts, coalesce(newest.severity, '未定') as shown_severity,
                least(newest.removed_on, newest.valid_until + 1) as ended_on
            from hand_newest as newest
            join feed on newest.feed = feed.feed
            join catalogue_item as item
                on feed.catalogue_item_code = item.catalogue_item_code and item.valid_from <= newest.decision_date
                and (item.valid_to is null or item.valid_to >= newest.decision_date)
            join legal_basis as basis
                on item.catalogue_item_code = basis.catalogue_item_code and item.version = basis.version
                and basis.valid_from <= newest.decision_date
                and (basis.valid_to is null or basis.valid_to >= newest.decision_date)
            where newest.record_key not in (select record_key from repaired)
                and (item.withdrawn_on is null or item.withdrawn_on > date '{day}')
        ),
        displayed as (
            select governed.*,
                least(
                    {end("decided")},
                    case when present.valid_from > decided.valid_from and present.takes_over = 'shorter'
                        then greatest(present.valid_from - 1, {end("present")}) end,
                    display_until
                ) as displayed_until
            from governed
            left join display_rule as decided
                on governed.display_class = decided.display_class and governed.shown_severity = decided.severity
                and decided.valid_from <= governed.decision_date
                and (decided.valid_to is null or decided.valid_to >= governed.decision_date)
            left join display_rule as present
                on governed.display_class = present.display_class and governed.shown_severity = present.severity
                and present.valid_from <= date '{day}' and (present.valid_to is null or present.valid_to >= date '{day}')
        ),
        clocked as (
            select displayed.*,
                cast(
                    case use_starts when 'finding' then decision_date
                        else coalesce(conduct_ended_on, ended_on, displayed_until) end
                    + {months("use_months")} as date
                ) as usable_until,
                received.workday_number - decided.workday_number as delay_workdays
            from displayed
            left join working_day as decided on displayed.first_decision_date = decided.day
            left join working_day as received on displayed.first_received_on = received.day
        )
        select record_key, subject_key, feed,
            case when ended_on <= date '{day}' then 'ended' when displayed_until < date '{day}' then 'expired'
                else 'in_force' end as status,
            record_category, effect, list_name, catalogue_version, shown_severity as severity, title, content, document_no,
            authority_name, amount_cny, rating_year, decision_date, ended_on, displayed_until, usable_until,
            first_received_on, delay_workdays, cast(versions as int) as versions, delivered_for, updated_at
        from clocked
        where usable_until is null or usable_until >= date '{day}'
    """


def _profiles(day: date) -> str:
    counted = {
        "registrations": "登记备案",
        "qualifications": "资质资格",
        "licences": "行政许可",
        "penalties": "行政处罚",
        "court_enforcements": "判决执行",
        "list_entries": "红黑名单",
    }
    categories = "".join(
        f"count(*) filter (where status = 'in_force' and record_category = '{category}') as {column}, "
        for column, category in counted.items()
    )
    named = ", ".join(f"'{category}'" for category in counted.values())
    return f"""
        create table hand_profile as
        select subject_key,
            count(*) filter (where status = 'in_force') as records_in_force,
            count(*) filter (where status = 'in_force' and effect = 'adverse') as adverse_records,
            count(*) filter (where status = 'in_force' and effect = 'neutral') as neutral_records,
            count(*) filter (where status = 'in_force' and effect = 'positive') as positive_records,
            {categories}
            count(*) filter (where status = 'in_force' and record_category not in ({named})) as other_records,
            count(*) filter (where status <> 'in_force') as past_records,
            max(decision_date) filter (where status = 'in_force' and effect = 'adverse') as latest_adverse_on,
            max(decision_date) filter (where status = 'in_force' and effect = 'positive') as latest_positive_on,
            max(decision_date) as latest_decision_on,
            case when bool_or(status = 'in_force' and effect = 'adverse') then 0
                else greatest(cast(extract(year from age(cast(date '{day}' as timestamp), cast(coalesce(
                    max(least(ended_on, displayed_until + 1)) filter (where effect = 'adverse'),
                    min(least(decision_date, first_received_on))
                ) as timestamp))) as int), 0) end as years_without_adverse,
            max(rating_year) filter (where status = 'in_force' and feed = 'tax.taxpayer_a_grade') as tax_a_latest_year,
            count(distinct rating_year) filter (
                where status = 'in_force' and feed = 'tax.taxpayer_a_grade'
            ) as tax_a_years,
            min(first_received_on) as first_seen_on,
            max(delivered_for) as last_seen_on
        from hand_record where subject_key is not null
        group by subject_key
    """
