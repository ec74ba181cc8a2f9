-- Readers by what they may know. Group roles are shared by every warehouse of a server.
-- credit_reader is now what they have in common: the functions the views call, and no table.
do $$
declare
    reader text;
begin
    foreach reader in array array['credit_leader', 'credit_analyst', 'credit_department'] loop
        if not exists (select from pg_roles where rolname = reader) then
            execute format('create role %I nologin', reader);
        end if;
        if not pg_has_role(reader, 'credit_reader', 'member') then
            execute format('grant credit_reader to %I', reader);
        end if;
    end loop;
end
$$;

-- Rows of one department each, under the names of the marts: see macros/readers.sql.
create schema department;
grant usage on schema department to credit_department, credit_auditor;
alter default privileges in schema department grant select on tables to credit_auditor;

-- A mart says itself who reads it; until the next build, which finds every grant changed, nobody does.
revoke usage on schema mart from credit_reader;
grant usage on schema mart to credit_leader, credit_analyst;
revoke all on all tables in schema mart from credit_reader;

-- Anything new is closed until somebody opens it.
alter default privileges revoke execute on functions from public;
revoke execute on all functions in schema ops, mart, vault from public;
revoke all on schema public from public;

-- Grain: one login of a department.
create table ops.reader_department (
    login name primary key,
    department_code text not null,
    entered_at timestamptz not null default clock_timestamp()
);

-- The department whose rows this session reads; null, and so no row, for a login that belongs to none.
create function ops.reading_department() returns text
language sql stable security definer set search_path = pg_catalog
as $$
    select department_code from ops.reader_department where login = session_user
$$;
revoke all on function ops.reading_department() from public;
grant execute on function ops.reading_department() to credit_etl, credit_department, credit_auditor;

-- Both look at single subjects.
revoke all on function mart.no_adverse_record(uuid, date, int) from credit_reader;
grant execute on function mart.no_adverse_record(uuid, date, int) to credit_analyst;
