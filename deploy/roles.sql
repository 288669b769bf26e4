-- Two roles for PostgreSQL. Run it once as a superuser, in the database of Keystile:
--
--   psql --set ON_ERROR_STOP=1 --file deploy/roles.sql --dbname keystile
--
-- keystile_owner owns the tables and runs `keystile migrate` before each new version starts.
-- keystile_app is the server's: it reads and writes rows. It cannot change a table, nor remove the
-- trigger that refuses changes of audit entries. It can add and delete audit entries.
--
-- All databases of a cluster share their roles. So the script uses a role that exists already. If
-- the second database needs roles and passwords of its own, replace the names in a copy.
begin;

do $$
declare
  needed text;
begin
  foreach needed in array array['keystile_owner', 'keystile_app'] loop
    if exists (select from pg_roles where rolname = needed) then
      raise notice 'the role % exists already', needed;
    else
      execute format('create role %I login', needed);
    end if;
  end loop;
end $$;

create schema keystile authorization keystile_owner;
grant usage on schema keystile to keystile_app;
alter default privileges for role keystile_owner in schema keystile
  grant select, insert, update, delete on tables to keystile_app;

commit;
