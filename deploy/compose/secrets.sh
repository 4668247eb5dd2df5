#!/usr/bin/env bash
# Draws the passwords that compose.yaml mounts; a file that exists is not changed. Run it as root: each file belongs to
# the user that reads it in its container, and nobody else may read it (libpq refuses a passfile that others can read).
#
#   sudo deploy/compose/secrets.sh [FOLDER]
set -euo pipefail
folder="${1:-$(cd "$(dirname "$0")" && pwd)/secrets}"
hub=10001 postgres=999 grafana=472
umask 077
mkdir -p "$folder"
chmod 711 "$folder"

draw() { head -c 32 /dev/urandom | base64 | tr -d '/+=\n'; }

store() {  # NAME OWNER, the text on standard input
  cat >"$folder/.new"
  if [ -e "$folder/$1" ]; then rm "$folder/.new"; else mv "$folder/.new" "$folder/$1"; fi
  chmod 400 "$folder/$1"
  if [ "$(id -u)" = 0 ]; then chown "$2:$2" "$folder/$1"; else echo "not root: give $folder/$1 to user $2" >&2; fi
}

draw | store postgres_password "$postgres"
draw | store database_password "$postgres"
printf 'postgres:5432:satupintu:satupintu:%s\n' "$(cat "$folder/database_password")" | store pgpass "$hub"
draw | store grafana_password "$grafana"
echo "passwords in $folder: back them up with the keys, and keep them out of any repository" >&2
