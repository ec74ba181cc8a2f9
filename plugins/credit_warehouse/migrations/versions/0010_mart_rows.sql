-- Grain: publication × mart: rows it holds, as gate 2 found them. The next gate adds what changed instead of counting a city.
create table ops.mart_rows (
    publication_id bigint not null references ops.publication on delete cascade,
    mart text not null,
    rows bigint not null check (rows >= 0),
    primary key (publication_id, mart)
);

-- A night reads its own batches: the planner must not take each of them for as large as the first one (contracts/tables.py).
do $$
declare
    raw_table regclass;
begin
    for raw_table in select oid from pg_class where relnamespace = 'raw'::regnamespace and relkind = 'r' loop
        execute format('alter table %s alter column batch_id set (n_distinct = -0.01)', raw_table);
    end loop;
end
$$;
