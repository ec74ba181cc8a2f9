"""A year of nights: what history costs the night and its readers, kept whole and pruned by the rules.

One city is built by dbt; its database is copied, and both copies live through the same nights. A night's writes are made
set-wise on the versioned tables behind the marts, in the proportions of the generated city (0.5 % of the records: 60 % new,
35 % corrected, 5 % taken back; their subjects' profiles with them), under real candidates, flips and ``history prune``.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from statistics import median

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from bench.city import City, night_date
from bench.harness import machine, percentile, save, table
from bench.published_city import published_city
from bench.readers import GOALS, ask, questions, reader_url
from bench.warehouse import vacuum
from credit_warehouse import publication
from credit_warehouse.database import connect
from credit_warehouse.history import fingerprint, prune, stores
from credit_warehouse.settings import get_settings

_ASKED = 300
_OLD = 60
"""Nights back that `as of` asks: kept by the rules, so both copies have it."""


@dataclass
class Arm:
    """One copy of the city. Seconds of nights since the last look; what was seen at each look."""

    name: str
    database: str
    prunes: bool
    seconds: list[float]
    lines: list[list[str]]
    pruning: float = 0


def use(arm: Arm, url: str, home: Path) -> str:
    """Point the settings at this copy; its URL."""
    own = make_conninfo(url, dbname=arm.database)
    os.environ |= {"CREDIT_DATABASE_URL": own, "CREDIT_HOME": str(home / arm.database)}
    get_settings.cache_clear()
    return own


def prepare() -> None:
    """Places of the first night's records, so that a night finds those it changes without looking through the city."""
    with connect() as connection:
        connection.execute(
            "create table public.place as select row_number() over (order by record_key)::int as n, record_key"
            " from mart_store.queryable_credit_record where valid_to_publication is null"
        )
        connection.execute("alter table public.place add primary key (n)")
        connection.execute("analyze public.place")


def one_night(number: int, day: date, changed: int) -> None:
    """The night's writes under a candidate, and its flip."""
    candidate = publication.open_candidate(day)
    assert candidate is not None
    with connect() as connection:
        connection.execute(
            "create temporary table touched on commit drop as"
            " select stored.record_key, stored.subject_key, (array['new', 'corrected', 'gone'])["
            "   case when i %% 20 < 12 then 1 when i %% 20 < 19 then 2 else 3 end] as change"
            " from generate_series(1, %(changed)s) as i"
            # Two primes: every night other places, all over the city.
            " inner join public.place on n = 1 + (i::bigint * 7368787 + %(night)s::bigint * 104729) %% (select count(*) from public.place)"
            " inner join mart_store.queryable_credit_record as stored using (record_key)"
            " where stored.valid_to_publication is null",
            {"changed": changed, "night": number},
        )
        connection.execute("analyze touched")
        _write(connection, candidate.publication_id, "queryable_credit_record", "record_key", "updated_at")
        _write(connection, candidate.publication_id, "subject_credit_profile", "subject_key", "last_seen_on")
    publication.publish(candidate.publication_id, "bench")


def _write(connection: psycopg.Connection, candidate: int, store: str, key: str, moved: str) -> None:
    columns = stores.columns(connection, store)
    parts = {
        "store": stores.table(store),
        "key": sql.Identifier(key),
        "moved": sql.Identifier(moved),
        "columns": sql.SQL(", ").join(map(sql.Identifier, columns)),
        "rest": sql.SQL(", ").join(
            sql.SQL("stored.{}").format(sql.Identifier(name)) for name in columns if name not in (key, moved)
        ),
        "others": sql.SQL(", ").join(sql.Identifier(name) for name in columns if name not in (key, moved)),
        "changes": sql.SQL(
            "('corrected', 'gone')" if key == "record_key" else "('new', 'corrected', 'gone')"
        ),
        "candidate": sql.Literal(candidate),
    }
    connection.execute(
        sql.SQL(
            "update {store} as stored set valid_to_publication = {candidate} where valid_to_publication is null"
            " and {key} in (select {key} from touched where change in {changes})"
        ).format(**parts)
    )
    keeps = "change <> 'gone'" if key == "record_key" else "true"
    new_key = "case when change = 'new' then md5(touched.record_key::text || {candidate}::text)::uuid else touched.{key} end"
    connection.execute(
        sql.SQL(
            "insert into {store} ({key}, {moved}, {others}, valid_from_publication)"
            " select "
            + (new_key if key == "record_key" else "touched.{key}")
            + ", stored.{moved} + interval '1 day', {rest}, {candidate}"
            " from (select distinct on ({key}) * from touched where "
            + keeps
            + " and {key} is not null) as touched"
            " inner join {store} as stored using ({key})"
            " where stored.valid_to_publication = {candidate}"
            + (
                " or (touched.change = 'new' and stored.valid_to_publication is null)"
                if key == "record_key"
                else ""
            )
        ).format(**parts)
    )


def look(arm: Arm, url: str, night: int) -> None:
    """One line: the nights since the last look, the readers' waits, the size of the stores."""
    with connect() as connection:
        old = connection.execute(
            "select publication_id from ops.publication where state = 'published' order by publication_id desc"
            " offset least(%s, (select count(*) from ops.publication where state = 'published') - 1) limit 1",
            [_OLD],
        ).fetchone()
        readable = connection.execute(
            "select count(*) from ops.publication where state = 'published'"
            " and publication_id not in (select publication_id from ops.pruned_publication)"
        ).fetchone()
        size = connection.execute(
            "select sum(pg_total_relation_size(oid)) / 1048576.0, sum(pg_indexes_size(oid)) / 1048576.0 from pg_class"
            " where relkind = 'r' and relnamespace = 'mart_store'::regnamespace"
        ).fetchone()
        versions = connection.execute(
            "select (select count(*) from mart_store.queryable_credit_record) + (select count(*) from mart_store.subject_credit_profile)"
        ).fetchone()
    assert old and readable and size and versions
    waits = {kind: _waits(url, kind, questions(old[0], _ASKED)) for kind in GOALS}
    archived = sum(path.stat().st_size for path in get_settings().archive_dir.rglob("*") if path.is_file())
    arm.lines.append(
        [
            str(night), arm.name, f"{median(arm.seconds) * 1000:.0f}",
            *(f"{percentile(found, share):.1f}" for found in waits.values() for share in (0.5, 0.99)),
            str(readable[0]), f"{versions[0]:,}", f"{size[0]:.0f}", f"{archived / 2**20:.1f}",
        ]
    )  # fmt: skip
    print("  " + " ".join(arm.lines[-1]), file=sys.stderr, flush=True)
    arm.seconds.clear()


def _waits(url: str, kind: str, asked: list[dict[str, object]]) -> list[float]:
    waits = []
    with psycopg.connect(url, autocommit=True) as connection:
        for subject in asked:
            started = time.perf_counter()
            ask(connection, kind, subject)
            waits.append((time.perf_counter() - started) * 1000)
    # The first fill the session's caches.
    return waits[10:]


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--persons", type=int, default=20_000)
    parser.add_argument("--nights", type=int, default=365)
    parser.add_argument("--every", type=int, default=61, help="nights between two looks")
    parser.add_argument("--save-as", default="history")
    arguments = parser.parse_args(argv)
    city = City.of(arguments.persons)
    with published_city(city) as url:
        home = Path(os.environ["CREDIT_HOME"])
        prepare()
        arms = [Arm("kept whole", "whole", False, [], []), Arm("pruned by the rules", "pruned", True, [], [])]
        _copy(url, [arm.database for arm in arms])
        readers = {}
        for arm in arms:
            readers[arm.name] = make_conninfo(reader_url(use(arm, url, home)), dbname=arm.database)
        for number in range(1, arguments.nights + 1):
            for arm in arms:
                own = use(arm, url, home)
                day = night_date(0) + timedelta(days=number)
                started = time.perf_counter()
                one_night(number, day, city.changed)
                arm.seconds.append(time.perf_counter() - started)
                if arm.prunes:
                    started = time.perf_counter()
                    prune.prune(day)
                    arm.pruning += time.perf_counter() - started
                if number % arguments.every == 0 or number == arguments.nights:
                    vacuum(own)
                    look(arm, readers[arm.name], number)
        same = _same(arms, url, home)
    head = ["night", "history", "night ms", "report p50", "report p99", "as of p50", "as of p99", "month p50", "month p99",
            "readable", "row versions", "stores MB", "archive MB"]  # fmt: skip
    lines = sorted((line for arm in arms for line in arm.lines), key=lambda line: int(line[0]))
    save(
        arguments.save_as,
        "\n\n".join(
            [
                "# A year of nights",
                f"{city.persons:,} persons, {city.records:,} records, {arguments.nights} nights of {city.changed:,} changed"
                f" records; {machine()}, load in the end {os.getloadavg()[2]:.0f}. Waits of one client as `credit_analyst`, ms; `as of`: {_OLD} nights back.",
                table(head, lines),
                f"{same} (publication, mart) pairs readable in both copies hold the same rows. All pruning together took"
                f" {arms[1].pruning:.1f} s.",
            ]
        ),
    )


def _copy(url: str, names: list[str]) -> None:
    template = str(psycopg.conninfo.conninfo_to_dict(url)["dbname"])
    with psycopg.connect(make_conninfo(url, dbname="template1"), autocommit=True) as connection:
        for name in names:
            connection.execute(
                sql.SQL("create database {} template {}").format(
                    sql.Identifier(name), sql.Identifier(template)
                )
            )


def _same(arms: list[Arm], url: str, home: Path) -> int:
    """How many fingerprints the copies share. Raises AssertionError when any differs."""
    found = []
    for arm in arms:
        use(arm, url, home)
        with connect() as connection:
            found.append(fingerprint.take(connection))
    shared = found[0].keys() & found[1].keys()
    different = [place for place in shared if found[0][place] != found[1][place]]
    assert not different, f"pruning changed {different[:5]}"
    return len(shared)


if __name__ == "__main__":
    main()
