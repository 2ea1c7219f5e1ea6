#!/usr/bin/env bash
# Runs a command with private servers around it: PostgreSQL, Redis and an SMTP server that keeps
# what it receives. Installs what is missing, uses free ports, leaves nothing running.
#
#   tests/services.sh COMMAND [ARG...]
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"
    elif command -v sudo >/dev/null; then sudo "$@"
    else echo "services.sh: '$*' needs root or sudo" >&2; return 1; fi
}

missing=()
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing+=(postgresql)
command -v redis-server >/dev/null || missing+=(redis-server)
command -v openssl >/dev/null || missing+=(openssl)
if [ ${#missing[@]} -gt 0 ]; then
    echo "services.sh: installing ${missing[*]}"
    as_root apt-get update -qq
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "${missing[@]}" >/dev/null
fi

work=$(mktemp -d "${TMPDIR:-/tmp}/yiqilai-test.XXXXXX")
chmod 755 "$work"
pids=()
stop() {
    for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
    for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null || true; done
    rm -rf "$work" 2>/dev/null || as_root rm -rf "$work"
}
trap stop EXIT
trap 'exit 130' INT TERM

free_port() { node -e 'const s=require("net").createServer().listen(0,"127.0.0.1",()=>{console.log(s.address().port);s.close()})'; }

wait_for() { # WHAT COMMAND...
    local what=$1; shift
    for _ in $(seq 150); do "$@" >/dev/null 2>&1 && return; sleep 0.2; done
    echo "services.sh: $what did not start" >&2
    cat "$work"/*.log >&2
    return 1
}

# --- PostgreSQL refuses to run as root: then it runs as the user its package made
pg_bin=$(dirname "$(ls /usr/lib/postgresql/*/bin/initdb | sort -V | tail -1)")
pg_user=$(id -un)
run_pg=()
if [ "$(id -u)" = 0 ]; then
    pg_user=postgres
    run_pg=(setpriv --reuid=postgres --regid=postgres --init-groups)
fi
pg_port=$(free_port)
mkdir "$work/pg"
[ "$pg_user" = "$(id -un)" ] || chown "$pg_user" "$work/pg"
"${run_pg[@]}" "$pg_bin/initdb" -D "$work/pg" -U yiqilai -A trust -E UTF8 --locale=C.UTF-8 >"$work/initdb.log" 2>&1 ||
    { cat "$work/initdb.log" >&2; exit 1; }
# durability is not what these tests are about
"${run_pg[@]}" "$pg_bin/postgres" -D "$work/pg" -p "$pg_port" -c listen_addresses=127.0.0.1 \
    -c unix_socket_directories= -c fsync=off -c synchronous_commit=off -c full_page_writes=off \
    -c max_connections=300 >"$work/postgres.log" 2>&1 &
pids+=($!)

redis_port=$(free_port)
redis-server --port "$redis_port" --bind 127.0.0.1 --save '' --appendonly no --dir "$work" >"$work/redis.log" 2>&1 &
pids+=($!)

# --- SMTP, with a certificate of this run
mkdir "$work/mail"
{
    openssl req -x509 -newkey rsa:2048 -nodes -days 2 -keyout "$work/ca.key" -out "$work/ca.pem" -subj "/CN=test CA"
    openssl req -newkey rsa:2048 -nodes -keyout "$work/smtp.key" -out "$work/smtp.csr" -subj /CN=localhost
    echo "subjectAltName=DNS:localhost" >"$work/smtp.ext"
    openssl x509 -req -days 2 -in "$work/smtp.csr" -CA "$work/ca.pem" -CAkey "$work/ca.key" -CAcreateserial \
        -extfile "$work/smtp.ext" -out "$work/smtp.pem"
} >"$work/openssl.log" 2>&1
smtp_port=$(free_port)
smtps_port=$(free_port)
node "$here/tools/smtp.mjs" "$smtp_port" "$smtps_port" "$work/smtp.key" "$work/smtp.pem" "$work/mail" \
    >"$work/smtp.log" 2>&1 &
pids+=($!)

wait_for PostgreSQL "$pg_bin/pg_isready" -h 127.0.0.1 -p "$pg_port"
wait_for Redis grep -q "Ready to accept" "$work/redis.log"
wait_for "the SMTP server" grep -q ready "$work/smtp.log"

export YIQILAI_TEST_POSTGRES_URL="postgres://yiqilai@127.0.0.1:$pg_port/postgres"
export YIQILAI_TEST_REDIS_URL="redis://127.0.0.1:$redis_port"
export YIQILAI_TEST_SMTP_PORT=$smtp_port YIQILAI_TEST_SMTPS_PORT=$smtps_port
export YIQILAI_TEST_SMTP_USER=postman YIQILAI_TEST_SMTP_PASSWORD=secret
export YIQILAI_TEST_SMTP_CA="$work/ca.pem" YIQILAI_TEST_SMTP_DIR="$work/mail"
"$@"
