"""What gate 2 has to know about a candidate before it can say what to expect."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from credit_warehouse.quality.parameters import Parameters

_TEXT_TYPES = ("text", "character varying", "character", "json", "jsonb", "ARRAY")


@dataclass(frozen=True)
class Mart:
    """One mart: ``mart.<name>`` is what readers see, ``mart_store.<name>`` holds every version.

    ``label``: Chinese name; ``columns``: name → type; ``key``: the grain; ``rows_before``: rows in the publication
    before, none without one.
    """

    name: str
    label: str
    columns: Mapping[str, str]
    key: tuple[str, ...]
    rows_before: int | None

    @property
    def text_columns(self) -> tuple[str, ...]:
        """Every column that can hold words, also inside an array or a document."""
        return tuple(name for name, type_ in self.columns.items() if type_ in _TEXT_TYPES)


@dataclass(frozen=True)
class FeedTerms:
    """What the candidate owes one active feed."""

    feed: str
    label: str
    department: str
    max_age_days: int


@dataclass(frozen=True)
class Candidate:
    """A candidate publication on its business date.

    ``previous_id``: the publication before. ``passed_in``: expectation id → the newest publication in which it passed. A truth about single rows that held
    there needs to be judged only on rows that changed since; a new expectation, or one that was waived, on all.
    """

    publication_id: int
    previous_id: int | None
    business_date: date
    is_full_refresh: bool
    marts: tuple[Mart, ...]
    feeds: tuple[FeedTerms, ...]
    parameters: Parameters
    passed_in: Mapping[str, int]

    def mart(self, name: str) -> Mart:
        """The mart called ``name``.

        Raises:
            KeyError: there is none.
        """
        return {mart.name: mart for mart in self.marts}[name]

    def changed_since(self, expectation_id: str) -> int:
        """Rows of a later publication than this one are still to be judged; 0 = all."""
        return 0 if self.is_full_refresh else self.passed_in.get(expectation_id, 0)


def load(connection: psycopg.Connection, publication_id: int, business_date: date) -> Candidate:
    """Read the facts. ``connection`` is pinned to the candidate.

    Raises:
        LookupError: no such publication.
    """
    with connection.cursor(row_factory=dict_row) as cursor:
        publication = cursor.execute(
            "select is_full_refresh, (select max(earlier.publication_id) from ops.publication as earlier"
            " where earlier.state = 'published' and earlier.publication_id < %(id)s) as previous_id"
            " from ops.publication where publication_id = %(id)s",
            {"id": publication_id},
        ).fetchone()
        if publication is None:
            raise LookupError(f"no publication {publication_id}")
        feeds = cursor.execute(
            "select feed, feed_label as label, department_name as department, max_age_days from ops.feed"
            " where is_active order by feed"
        ).fetchall()
        columns = cursor.execute(
            "select table_name, column_name, data_type,"
            " obj_description(format('mart.%I', table_name)::regclass, 'pg_class') as comment"
            " from information_schema.columns where table_schema = 'mart'"
            # Views on top of a mart hold nothing of their own.
            " and to_regclass(format('mart_store.%I', table_name)) is not null order by table_name, ordinal_position"
        ).fetchall()
    comments = {row["table_name"]: row["comment"] for row in columns}
    return Candidate(
        publication_id,
        publication["previous_id"],
        business_date,
        publication["is_full_refresh"],
        tuple(
            Mart(
                name,
                # A mart's description begins with its Chinese name and a dash.
                f"{comment.split(' — ')[0].strip()} {name}" if comment else name,
                {row["column_name"]: row["data_type"] for row in columns if row["table_name"] == name},
                _key(connection, name),
                _rows_before(connection, name, publication["previous_id"]),
            )
            for name, comment in comments.items()
        ),
        tuple(FeedTerms(**feed) for feed in feeds),
        Parameters.load(connection, business_date),
        _passed(connection, publication_id),
    )


def _key(connection: psycopg.Connection, mart: str) -> tuple[str, ...]:
    """The grain, from the index that keeps one open version per key."""
    rows: Iterable[tuple[str]] = connection.execute(
        "select attribute.attname from pg_index as index"
        " cross join unnest(index.indkey) with ordinality as part(number, place)"
        " join pg_attribute as attribute on attribute.attrelid = index.indrelid and attribute.attnum = part.number"
        " where index.indrelid = to_regclass(%s) and index.indisunique and attribute.attname <> 'valid_to_publication'"
        " order by part.place",
        [f"mart_store.{mart}"],
    )
    return tuple(row[0] for row in rows)


def _rows_before(connection: psycopg.Connection, mart: str, previous_id: int | None) -> int | None:
    if previous_id is None:
        return None
    noted = connection.execute(
        "select rows from ops.mart_rows where publication_id = %s and mart = %s", [previous_id, mart]
    ).fetchone()
    counted = (
        noted
        or connection.execute(
            sql.SQL(
                "select count(*) from {} where valid_from_publication <= %(id)s"
                " and (valid_to_publication is null or valid_to_publication > %(id)s)"
            ).format(sql.Identifier("mart_store", mart)),
            {"id": previous_id},
        ).fetchone()
    )
    return counted[0] if counted else None


def versions_since(mart: str, since: int, publication_id: int) -> str:
    """Query of the versions by which ``mart`` in a publication differs from publication ``since`` (0 = from nothing):
    ``sign`` 1 = it has them, -1 = it had them."""
    return f"""
        select *, 1 as sign from mart_store.{mart}
        where valid_from_publication > {since} and valid_from_publication <= {publication_id}
            and coalesce(valid_to_publication > {publication_id}, true)
        union all
        select *, -1 from mart_store.{mart}
        where valid_to_publication > {since} and valid_to_publication <= {publication_id}
            and valid_from_publication <= {since}
    """


def rows_query(candidate: Candidate, mart: Mart) -> str:
    """Query of one number, ``rows``: how many the mart has in the candidate. Costs what changed since the last publication."""
    since = candidate.previous_id or 0
    changed = versions_since(mart.name, since, candidate.publication_id)
    return f"select {mart.rows_before or 0} + coalesce(sum(sign), 0) as rows from ({changed}) as version"


def note_rows(connection: psycopg.Connection, candidate: Candidate) -> None:
    """Keep how many rows the marts have in the candidate, for the gate of the next one."""
    for mart in candidate.marts:
        connection.execute(
            f"insert into ops.mart_rows (publication_id, mart, rows) select %s, %s, rows from ({rows_query(candidate, mart)})"
            " as counted on conflict (publication_id, mart) do update set rows = excluded.rows",
            [candidate.publication_id, mart.name],
        )


def _passed(connection: psycopg.Connection, publication_id: int) -> dict[str, int]:
    rows = connection.execute(
        "select expectation_id, max(publication_id) from ("
        "  select distinct on (publication_id, expectation_id) publication_id, expectation_id, state"
        "  from ops.gate_result where gate = 'publication' and publication_id < %s"
        "  order by publication_id, expectation_id, gate_result_id desc"
        ") as final_result join ops.publication using (publication_id)"
        " where final_result.state = 'passed' and publication.state = 'published'"
        # Rows closed since an archived publication may be gone: what last passed there is judged on all rows.
        " and publication_id not in (select publication_id from ops.pruned_publication) group by expectation_id",
        [publication_id],
    ).fetchall()
    return dict(rows)
