#!/usr/bin/env bash
# Creates the hub's user and database: no superuser, and owner of nothing else. The image of PostgreSQL runs it once,
# when its volume is empty. It also runs by hand, as a superuser, on any server that `psql` reaches:
#
#   PASSWORD_FILE=/etc/satupintu/database_password deploy/postgres/create-database.sh
set -euo pipefail
password="$(cat "${PASSWORD_FILE:-/run/secrets/database_password}")"

psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --username="${POSTGRES_USER:-postgres}" --dbname=postgres \
  --set=password="$password" <<'SQL'
CREATE ROLE satupintu LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD :'password';
CREATE DATABASE satupintu OWNER satupintu ENCODING 'UTF8' TEMPLATE template0;
REVOKE ALL ON DATABASE satupintu FROM PUBLIC;
REVOKE CONNECT ON DATABASE postgres FROM PUBLIC;
SQL
