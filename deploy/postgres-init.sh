#!/bin/sh
# The postgres image runs this once, in an empty database: it makes the two roles and their passwords.
set -eu
psql --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" --file /keystile/roles.sql
psql --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" \
  --set owner="$OWNER_PASSWORD" --set app="$APP_PASSWORD" <<'SQL'
alter role keystile_owner password :'owner';
alter role keystile_app password :'app';
SQL
