#!/usr/bin/env bash
# Runs a command with private servers around it: PostgreSQL, and a second one that backups are restored on,
# Redis, an S3-compatible file store and an SMTP server that keeps what it receives. Installs what is missing, uses free ports, leaves nothing running.
#
#   tests/services.sh COMMAND [ARG...]
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
[ $# -gt 0 ] || { echo "usage: tests/services.sh COMMAND [ARG...]" >&2; exit 2; }

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"
    elif command -v sudo >/dev/null; then sudo "$@"
    else echo "services.sh: root or sudo is needed for: $*" >&2; return 1; fi
}

# --- whatever happens, all of it ends: the command first, then its servers
work=$(mktemp -d "${TMPDIR:-/tmp}/yiqilai-test.XXXXXX")
chmod 755 "$work" # PostgreSQL may run as another user
started=()
policy=

end() { # SIGNAL PID...: ends process groups, after ten seconds by force
    local signal=$1 pid
    shift
    for pid; do kill -s "$signal" -- "-$pid" 2>/dev/null || true; done
    for pid; do
        for _ in $(seq 100); do kill -0 -- "-$pid" 2>/dev/null || continue 2; sleep 0.1; done
        kill -s KILL -- "-$pid" 2>/dev/null || true
    done
}
forget_policy() { [ ! -e "${policy:-/nonesuch}" ] || as_root rm -f "$policy"; policy=; }
stop() {
    set +e               # one failure does not stop the stopping,
    trap '' INT TERM HUP # nor does a second Ctrl-C
    [ -z "${command:-}" ] || end TERM "$command"
    # INT: with TERM, PostgreSQL would wait for its clients to leave
    end INT "${started[@]}"
    forget_policy
    rm -rf "$work" 2>/dev/null || as_root rm -rf "$work"
}
trap stop EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# --- what is missing
missing=()
compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || missing+=(postgresql)
command -v redis-server >/dev/null || missing+=(redis-server)
command -v openssl >/dev/null || missing+=(openssl)
command -v curl >/dev/null || missing+=(curl) # the README's tour
if [ ${#missing[@]} -gt 0 ]; then
    echo "services.sh: installing ${missing[*]}"
    as_root apt-get update -qq
    if [ ! -e /usr/sbin/policy-rc.d ]; then # else the packages start servers of their own
        policy=/usr/sbin/policy-rc.d
        printf '#!/bin/sh\nexit 101\n' >"$work/policy-rc.d"
        as_root install -m 755 "$work/policy-rc.d" "$policy"
    fi
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "${missing[@]}" >"$work/apt.log" 2>&1 ||
        { cat "$work/apt.log" >&2; exit 1; }
    forget_policy
fi
make -s -C "$here/.." tests/tools/node_modules/.package-lock.json

# --- servers, each in a process group of its own: a Ctrl-C must not reach them before the command
start() { # NAME COMMAND...
    set -m
    "${@:2}" >"$work/$1.log" 2>&1 </dev/null &
    set +m
    started+=($!)
}
ready() { # NAME COMMAND...: waits until the command succeeds, as long as the server lives
    for _ in $(seq 150); do
        "${@:2}" >/dev/null 2>&1 && return
        kill -0 "$!" 2>/dev/null || break
        sleep 0.2
    done
    echo "services.sh: the $1 server did not start:" >&2
    cat "$work/$1.log" >&2
    return 1
}
# all at once, so that they differ
read -r pg_port other_port redis_port s3_port smtp_port smtps_port < <(node -e '
    const open = () => new Promise((done) => {
        const server = require("net").createServer().listen(0, "127.0.0.1", () => done(server));
    });
    Promise.all([open(), open(), open(), open(), open(), open()]).then((servers) => {
        console.log(servers.map((server) => server.address().port).join(" "));
        servers.forEach((server) => server.close());
    });')

# PostgreSQL refuses to run as root: then it runs as the user its package made
pg_bin=$(dirname "$(printf '%s\n' /usr/lib/postgresql/*/bin/initdb | sort -V | tail -1)")
run_pg=()
[ "$(id -u)" != 0 ] || run_pg=(setpriv --reuid=postgres --regid=postgres --init-groups)
postgres() { # NAME PORT [OPTION...]
    local data="$work/$1"
    mkdir "$data"
    [ "$(id -u)" != 0 ] || chown postgres "$data"
    "${run_pg[@]}" "$pg_bin/initdb" -D "$data" -U yiqilai -A trust -E UTF8 --locale=C.UTF-8 >"$data.log" 2>&1 ||
        { cat "$data.log" >&2; exit 1; }
    # durability is not what these tests are about
    start "$1" "${run_pg[@]}" "$pg_bin/postgres" -D "$data" -p "$2" -c listen_addresses=127.0.0.1 \
        -c unix_socket_directories= -c fsync=off -c synchronous_commit=off -c full_page_writes=off "${@:3}"
    ready "$1" "$pg_bin/pg_isready" -h 127.0.0.1 -p "$2"
}
# a benchmark may want more memory (-c shared_buffers=2GB)
# shellcheck disable=SC2086 # several options
postgres pg "$pg_port" -c max_connections=300 ${YIQILAI_TEST_POSTGRES_OPTIONS:-}
postgres other-pg "$other_port" -c shared_buffers=16MB

start redis redis-server --port "$redis_port" --bind 127.0.0.1 --save '' --appendonly no --dir "$work"
ready redis grep -q "Ready to accept" "$work/redis.log"

mkdir "$work/s3"
start s3 "$here/tools/node_modules/.bin/s3rver" -d "$work/s3" -a 127.0.0.1 -p "$s3_port" --configure-bucket files
ready s3 grep -q "listening" "$work/s3.log"

export YIQILAI_TEST_POSTGRES_URL="postgres://yiqilai@127.0.0.1:$pg_port/postgres"
export YIQILAI_TEST_OTHER_POSTGRES_URL="postgres://yiqilai@127.0.0.1:$other_port/postgres"
export YIQILAI_TEST_POSTGRES_BIN="$pg_bin" # where pg_dump and pg_restore are
export YIQILAI_TEST_REDIS_URL="redis://127.0.0.1:$redis_port"
export YIQILAI_TEST_S3_URL="http://127.0.0.1:$s3_port"
export YIQILAI_TEST_SMTP_HOST=localhost
export YIQILAI_TEST_SMTP_PORT=$smtp_port YIQILAI_TEST_SMTPS_PORT=$smtps_port
export YIQILAI_TEST_SMTP_USER=postman YIQILAI_TEST_SMTP_PASSWORD=secret
export YIQILAI_TEST_SMTP_CA="$work/ca.pem" YIQILAI_TEST_SMTP_DIR="$work/mail"

# SMTP, with a certificate of this run
mkdir "$work/mail"
{
    openssl req -x509 -newkey rsa:2048 -nodes -days 2 -keyout "$work/ca.key" -out "$work/ca.pem" -subj "/CN=test CA"
    openssl req -newkey rsa:2048 -nodes -keyout "$work/smtp.key" -out "$work/smtp.csr" -subj /CN=localhost
    echo "subjectAltName=DNS:localhost" >"$work/smtp.ext"
    openssl x509 -req -days 2 -in "$work/smtp.csr" -CA "$work/ca.pem" -CAkey "$work/ca.key" -CAcreateserial \
        -extfile "$work/smtp.ext" -out "$work/smtp.pem"
} >"$work/openssl.log" 2>&1 || { cat "$work/openssl.log" >&2; exit 1; }
start smtp node "$here/tools/smtp.mjs" "$smtp_port" "$smtps_port" "$work/smtp.key" "$work/smtp.pem" "$work/mail"
ready smtp grep -qx ready "$work/smtp.log"

# --- the command: in the background, since bash answers a signal only between foreground commands
mkdir "$work/tmp"
export TMPDIR="$work/tmp" # what a killed test leaves goes with the rest
[ ! -t 0 ] || exec </dev/null # a background group may not read a terminal
set -m
"$@" <&0 &
command=$!
set +m
wait "$command"
