#!/usr/bin/env bash
# Reads per second of one server process, as ratios to a bare actix handler in the same run, and on
# PostgreSQL to the database's own bench tool running the statements of the same read.
# Wants wrk (a Debian package) and the release build:
#   cargo build --release --bin yiqilai --example hello
#   tests/services.sh benches/load/reads.sh
set -euo pipefail
# shellcheck source=benches/load/common.sh
source "$(dirname "$(realpath "$0")")/common.sh"

rate() { # URL [HEADER]: requests per second, warmed up
    wrk -t1 -c32 -d2s ${2:+-H "$2"} "$1" >/dev/null
    wrk -t1 -c32 -d"${seconds}s" --latency ${2:+-H "$2"} "$1" >out
    grep -q 'Non-2xx' out && { echo "not all answers were 2xx" >&2; cat out >&2; exit 1; }
    awk '/Requests\/sec/ {print $2}' out
}

"$target/examples/hello" 127.0.0.1:18081 &
pids+=($!)
ready http://127.0.0.1:18081/
hello=$(rate http://127.0.0.1:18081/)
echo "hello: $hello requests/s"

serve() { # NAME
    start
    sleep 8 # the allocator gives back what loading took
    echo "$1, memory after start with the sample district: $(ps -o rss= -p "$server" | awk '{printf "%.0f MB", $1 / 1024}')"
    token=$(sign_in volunteer@demo.invalid)
    wish=$(curl -sf "$S/wishes?limit=1" | json .items[0].id)
    for what in "me" "wishes/$wish" "wishes?limit=20" "regions/$(curl -sf "$S/regions?limit=1" | json .items[0].id)"; do
        r=$(rate "$S/$what" "authorization: Bearer $token")
        echo "$1, GET /${what%%-*}…: $r requests/s, $(share "$r" "$hello") of hello"
    done
}

serve sqlite
stop

if [ -n "${YIQILAI_TEST_POSTGRES_URL:-}" ]; then
    psql -q "$YIQILAI_TEST_POSTGRES_URL" -c 'CREATE DATABASE reads'
    export YIQILAI__DATABASE__URL=${YIQILAI_TEST_POSTGRES_URL%/postgres}/reads
    serve postgres
    r=$(rate "$S/me" "authorization: Bearer $token")
    # what GET /me runs: is the session live, its grants, the account; with the ids given, as there
    read -r session account < <(psql -AtF ' ' "$YIQILAI__DATABASE__URL" -c 'SELECT id, account_id FROM sessions LIMIT 1')
    cat >me.sql <<SQL
SELECT s.id FROM sessions s JOIN accounts a ON a.id = s.account_id WHERE s.id = '$session' AND s.account_id = '$account' AND s.ended_at IS NULL AND a.status = 'active' LIMIT 1;
SELECT id, account_id, role, scope_kind, scope_id, granted_at FROM role_grants WHERE account_id = '$account' AND revoked_at IS NULL ORDER BY id;
SELECT * FROM accounts WHERE id = '$account' AND status <> 'deleted' LIMIT 1;
SQL
    bench=$(pgbench -n -M prepared -c 16 -j 1 -T "$seconds" -f me.sql "$YIQILAI__DATABASE__URL" 2>/dev/null | awk '/^tps/ {print $3}')
    echo "postgres, GET /me: $r requests/s; its statements in pgbench: $bench/s; $(share "$r" "$bench")"
fi
