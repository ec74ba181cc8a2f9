"""What a publication holds, as one number per mart: equal numbers, equal rows."""

from __future__ import annotations

import psycopg
from psycopg import sql

from credit_warehouse.history import stores

Fingerprints = dict[tuple[int, str], str]
"""(publication, mart) → 'rows:hash'."""


def take(connection: psycopg.Connection) -> Fingerprints:
    """Fingerprint of every readable publication, mart by mart, whole: also what readers no longer see in it.

    One scan of each store, however many publications: a row version adds its hash where it begins and takes it away
    where it ends, so the running sum at a publication is the sum over the rows it holds. The hash of a row is 2 × 64
    bit over its text, the sum does not depend on the order of rows.
    """
    # A row's text depends on these, and the ones of two servers may differ.
    connection.execute(
        "set local datestyle = iso; set local timezone = 'UTC'; set local extra_float_digits = 1"
    )
    found: Fingerprints = {}
    for store in stores.names(connection):
        rows = connection.execute(
            sql.SQL(_FINGERPRINT).format(
                columns=sql.SQL(", ").join(map(sql.Identifier, stores.columns(connection, store))),
                store=stores.table(store),
            )
        )
        found |= {
            (publication, store): f"{count}:{int(one):x}.{int(two):x}"
            for publication, count, one, two in rows
        }
    return found


# Sums are taken modulo 2^64, as non-negative numbers.
_FINGERPRINT = """
    with version as (
        select
            valid_from_publication, valid_to_publication,
            hashtextextended(row({columns})::text, 1)::numeric as one,
            hashtextextended(row({columns})::text, 2)::numeric as two
        from {store}
    ),
    step as (
        select valid_from_publication as publication_id, count(*) as rows, sum(one) as one, sum(two) as two
        from version group by 1
        union all
        select valid_to_publication, -count(*), -sum(one), -sum(two)
        from version where valid_to_publication is not null group by 1
    )
    select
        readable.publication_id,
        coalesce(sum(step.rows), 0)::bigint,
        mod(mod(coalesce(sum(step.one), 0), 18446744073709551616) + 18446744073709551616, 18446744073709551616)::text,
        mod(mod(coalesce(sum(step.two), 0), 18446744073709551616) + 18446744073709551616, 18446744073709551616)::text
    from ops.publication as readable
    left join step on step.publication_id <= readable.publication_id
    where readable.state = 'published'
        and readable.publication_id not in (select publication_id from ops.pruned_publication)
    group by readable.publication_id
    order by readable.publication_id
"""
