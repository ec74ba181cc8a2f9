"""What a mart and its columns mean, as the database itself says: dbt keeps the descriptions of the YAML as comments."""

from __future__ import annotations

from dataclasses import dataclass

import psycopg

from credit_warehouse.readers import Role

BETWEEN = " — "
"""Stands between the Chinese label and the English text of every description."""


class UnknownMart(ValueError):
    """There is no such mart; the message lists those there are."""


@dataclass(frozen=True)
class Column:
    """A column. ``type`` is PostgreSQL's name of it; ``meaning`` in English, with the unit where there is one."""

    name: str
    type: str
    label: str
    meaning: str


@dataclass(frozen=True)
class Mart:
    """A mart. ``grain`` says in English what one row is; ``readers`` are the roles that may read it in whole."""

    name: str
    label: str
    grain: str
    readers: tuple[Role, ...]
    columns: tuple[Column, ...]


def describe(connection: psycopg.Connection, name: str) -> Mart:
    """The dictionary of one mart.

    Raises:
        UnknownMart: there is none of this name.
    """
    found = connection.execute(_MART, {"roles": list(Role), "name": name}).fetchone()
    if found is None:
        known = connection.execute(_NAMES).fetchall()
        raise UnknownMart(f"没有集市 {name}；可选：{'、'.join(mart for (mart,) in known) or '尚无'}")
    comment, readers = found
    columns = connection.execute(_COLUMNS, {"name": name}).fetchall()
    return Mart(
        name,
        *_parts(comment),
        tuple(Role(role) for role in readers),
        tuple(Column(column, kind, *_parts(text)) for column, kind, text in columns),
    )


def _parts(comment: str | None) -> tuple[str, str]:
    label, _, meaning = (comment or "").strip().partition(BETWEEN)
    return label, " ".join(meaning.split())


_NAMES = "select relname from pg_class where relnamespace = 'mart'::regnamespace and relkind = 'v' order by 1"
_MART = """
select obj_description(mart.oid, 'pg_class'),
    array(
        select role from unnest(%(roles)s::text[]) with ordinality as known (role, place)
        where has_table_privilege('credit_' || role, mart.oid, 'select') order by place
    )
from pg_class as mart
where mart.relnamespace = 'mart'::regnamespace and mart.relkind = 'v' and mart.relname = %(name)s
"""
_COLUMNS = """
select attribute.attname, format_type(attribute.atttypid, attribute.atttypmod), col_description(mart.oid, attribute.attnum)
from pg_class as mart inner join pg_attribute as attribute on mart.oid = attribute.attrelid
where mart.relnamespace = 'mart'::regnamespace and mart.relname = %(name)s and attribute.attnum > 0
    and not attribute.attisdropped
order by attribute.attnum
"""
