-- Grain: publication × mart: rows it holds, as gate 2 found them. The next gate adds what changed instead of counting a city.
create table ops.mart_rows (
    publication_id bigint not null references ops.publication on delete cascade,
    mart text not null,
    rows bigint not null check (rows >= 0),
    primary key (publication_id, mart)
);
