"""Two marts with versions, as the dbt materialization makes them, and nights that write them."""

from __future__ import annotations

from datetime import date

from credit_warehouse import publication
from credit_warehouse.database import connect

NAMES = ("one", "two")


def make() -> None:
    with connect() as connection:
        for name in NAMES:
            connection.execute(
                f"create table mart_store.{name} (key int not null, value text, is_plain boolean generated always as"
                " (value is not distinct from '甲') stored, valid_from_publication bigint not null,"
                " valid_to_publication bigint)"
            )
            connection.execute(f"create index on mart_store.{name} (valid_to_publication)")
            connection.execute(
                f"create view mart.{name} as select key, value from mart_store.{name}"
                " where (select ops.reading_publication()) is not null"
                " and valid_from_publication <= (select ops.reading_publication())"
                " and (valid_to_publication is null or valid_to_publication > (select ops.reading_publication()))"
            )


def night(day: date, changes: dict[int, str | None], discard: bool = False) -> int:
    """One publication in which these keys got these values. Its number."""
    candidate = publication.open_candidate(day, full_refresh=True)
    assert candidate is not None
    number = candidate.publication_id
    with connect() as connection:
        for name in NAMES:
            for key, value in changes.items():
                connection.execute(
                    f"update mart_store.{name} set valid_to_publication = %s"
                    " where valid_to_publication is null and key = %s",
                    [number, key],
                )
                connection.execute(
                    f"insert into mart_store.{name} (key, value, valid_from_publication) values (%s, %s, %s)",
                    [key, value, number],
                )
    if discard:
        publication.discard(number, "试")
    else:
        publication.publish(number, "test")
    return number


def told(key: int, value: str | None) -> dict[str, str | None]:
    """The row as PostgreSQL writes it."""
    return {"is_plain": "true" if value == "甲" else "false", "key": str(key), "value": value}


def read(number: int | None = None, name: str = "one") -> dict[int, str | None]:
    with connect(publication=number) as connection:
        return dict(connection.execute(f"select key, value from mart.{name}").fetchall())
