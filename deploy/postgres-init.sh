#!/bin/sh
# The postgres image runs this once, in an empty database: it makes the two roles and their passwords.
set -eu
psql --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" --file /keystile/roles.sql
# psql reads the passwords from the environment: all users of the machine can read its arguments.
psql --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" <<'SQL'
\getenv owner OWNER_PASSWORD
\getenv app APP_PASSWORD
alter role keystile_owner password :'owner';
alter role keystile_app password :'app';
SQL
