-- Grain: one look at a subject, a record or a mart through a command. Append-only. What readers ask in plain SQL is in the
-- server's log (log_statement of their logins).
create table ops.access (
    access_id bigint generated always as identity primary key,
    at timestamptz not null default clock_timestamp(),
    login name not null default session_user,
    person text not null check (length(btrim(person)) > 0),
    read_as text,
    command text not null check (length(btrim(command)) > 0),
    mart text,
    subject_key uuid,
    record_key uuid,
    publication_id bigint references ops.publication
);
create index on ops.access (subject_key, at);
create index on ops.access (record_key, at);
comment on column ops.access.login is 'Login of the session, as the database knows it';
comment on column ops.access.person is 'User of the machine the command ran under, as the command says';
comment on column ops.access.read_as is 'Role the session took on before it read; null = its own';

create trigger is_append_only before update or delete or truncate on ops.access
    for each statement execute function ops.is_append_only();

-- Everybody notes for himself only: the login is the session's.
create function ops.note_access(
    person text, read_as text, command text, mart text, subject_key uuid, record_key uuid, publication_id bigint
) returns bigint
language sql security definer set search_path = pg_catalog
as $$
    insert into ops.access (login, person, read_as, command, mart, subject_key, record_key, publication_id)
    values (session_user, $1, $2, $3, $4, $5, $6, $7)
    returning access_id
$$;
revoke all on function ops.note_access(text, text, text, text, uuid, uuid, bigint) from public;
grant execute on function ops.note_access(text, text, text, text, uuid, uuid, bigint)
    to credit_etl, credit_reader, credit_officer, credit_auditor;
