"""Stores keep one index by key instead of two: of the key and the publication that ended the version."""

from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    op.execute("""
        do $$
        declare
            store record;
        begin
            for store in
                select stored.relname as name, string_agg(format('%I', attribute.attname), ', ' order by part.place) as key
                from pg_class as stored
                inner join pg_index as index on index.indrelid = stored.oid
                inner join pg_class as named on named.oid = index.indexrelid and named.relname = stored.relname || '__open'
                cross join unnest(index.indkey) with ordinality as part (number, place)
                inner join pg_attribute as attribute
                    on attribute.attrelid = stored.oid and attribute.attnum = part.number
                where stored.relnamespace = 'mart_store'::regnamespace
                group by stored.relname
            loop
                execute format('drop index mart_store.%I, mart_store.%I', store.name || '__open', store.name || '__key');
                execute format(
                    'create unique index %I on mart_store.%I (%s, valid_to_publication) nulls not distinct',
                    store.name || '__key', store.name, store.key
                );
            end loop;
        end
        $$
    """)
