-- Two roles for PostgreSQL. Run it once as a superuser, in the database of Keystile:
--
--   psql --set ON_ERROR_STOP=1 --file deploy/roles.sql --dbname keystile
--
-- keystile_owner owns the tables and runs `keystile migrate` before each new version starts.
-- keystile_app is the server's: it reads and writes rows. It cannot change a table, nor remove the
-- trigger that refuses changes of audit entries. It can add audit entries and delete old ones.
begin;

create role keystile_owner login;
create role keystile_app login;

create schema keystile authorization keystile_owner;
grant usage on schema keystile to keystile_app;
alter default privileges for role keystile_owner in schema keystile
  grant select, insert, update, delete on tables to keystile_app;

commit;
