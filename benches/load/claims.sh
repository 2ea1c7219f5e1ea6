#!/usr/bin/env bash
# Claims of wishes per second of one server process: on SQLite against the same server with one
# commit for each claim, on PostgreSQL against the database's own bench tool running every
# statement of the same claim (claim.sql). Sixteen thousand wishes and more for 32 claimants, each
# claimed once. Wants wrk and sqlite3 (Debian packages) and the release build:
#   cargo build --release --bin yiqilai
#   tests/services.sh benches/load/claims.sh
set -euo pipefail
here=$(dirname "$(realpath "$0")")
# shellcheck source=benches/load/common.sh
source "$here/common.sh"
wishes=${WISHES:-60000}
export YIQILAI__WISHES__LIVE_CLAIMS=1000000

cat >claim.lua <<'LUA'
local tokens, n = {}, 0
function init(args)
  for line in io.lines(args[1]) do tokens[#tokens + 1] = line end
  n = tonumber(args[2])
end
function request()
  n = n + 1
  local path = string.format("/api/v1/wishes/00000000-0000-7000-8000-%012d/claim", n)
  return wrk.format("POST", path, { authorization = "Bearer " .. tokens[n % #tokens + 1] })
end
LUA

claims() { # FIRST: claims a second, from this wish on
    : >tokens
    for n in $(seq -w 0 31); do sign_in "load-$n@demo.invalid" >>tokens; done
    wrk -t1 -c32 -d"${seconds}s" -s claim.lua http://127.0.0.1:18082 -- tokens "$1" >out
    if grep -q 'Non-2xx' out; then cat out >&2; exit 1; fi
    awk '/Requests\/sec/ {print $2}' out
}

# --- SQLite: in groups, and one by one
start
stop
columns=region_id,author_id,beneficiary_id,contact,consent_channel,alias,beneficiary_group,life_cycle,kind,title,description,value_fen,longitude,latitude,expires_on,status,status_since,due_at,fulfilled_by,fulfilled_at,version,created_at
people=password_hash,display_name,language,status,version,created_at
{
    echo 'BEGIN;'
    echo "CREATE TEMP TABLE one AS SELECT $columns FROM wishes WHERE status = 'published' AND beneficiary_id IS NOT NULL LIMIT 1;"
    for n in $(seq -w 0 31); do
        echo "INSERT INTO accounts (id, email, $people) SELECT x'000000000000700090000000000000$n', 'load-$n@demo.invalid', $people FROM accounts WHERE email = 'volunteer@demo.invalid';"
    done
    seq -f %012.0f 1 "$wishes" |
        sed "s/.*/INSERT INTO wishes (id, $columns) SELECT x'00000000000070008000&', * FROM one;/"
    echo 'COMMIT;'
} | sqlite3 data/yiqilai.db
start
grouped=$(claims 0)
stop
YIQILAI__DATABASE__GROUP_COMMIT=1 start
single=$(claims $((wishes / 2)))
stop
echo "sqlite: $grouped claims/s in groups, $single with a commit each: $(share "$grouped" "$single")"

# --- PostgreSQL: over HTTP, and the same statements in pgbench
[ -n "${YIQILAI_TEST_POSTGRES_URL:-}" ] || exit 0
psql -q "$YIQILAI_TEST_POSTGRES_URL" -c 'CREATE DATABASE claims'
export YIQILAI__DATABASE__URL=${YIQILAI_TEST_POSTGRES_URL%/postgres}/claims
start
stop
psql -q -v ON_ERROR_STOP=1 "$YIQILAI__DATABASE__URL" <<SQL
INSERT INTO accounts (id, email, $people)
SELECT ('00000000-0000-7000-9000-' || lpad(n::text, 12, '0'))::uuid, 'load-' || lpad(n::text, 2, '0') || '@demo.invalid', $people
FROM accounts, generate_series(0, 31) AS n WHERE email = 'volunteer@demo.invalid';
INSERT INTO wishes (id, $columns)
SELECT ('00000000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid, $columns
FROM (SELECT * FROM wishes WHERE status = 'published' AND beneficiary_id IS NOT NULL LIMIT 1) AS one, generate_series(1, $wishes) AS n;
ANALYZE;
SQL
start
served=$(claims 0)
stop
# each client claims wishes of its own, beyond those that were claimed over HTTP
bench=$(pgbench -n -M prepared -c 16 -j 1 -T "$seconds" -D i=0 -D first=$((wishes / 2)) -D each=$((wishes / 32)) \
    -f "$here/claim.sql" "$YIQILAI__DATABASE__URL" 2>pgbench.log | awk '/^tps/ {print $3}') || { cat pgbench.log >&2; exit 1; }
echo "postgres: $served claims/s; its statements in pgbench: $bench/s; $(share "$served" "$bench")"
