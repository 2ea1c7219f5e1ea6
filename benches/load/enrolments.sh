#!/usr/bin/env bash
# An activity with 5,000 places opens, and 20,000 people try at once: exactly 5,000 places and an ordered
# line, on SQLite and on PostgreSQL, and there as a ratio to the database's own bench tool running every
# statement of the same enrolment (enrol.sql). Each person has a session and enrols once, over 64 connections.
# Wants wrk and sqlite3 (Debian packages) and the release build:
#   cargo build --release --bin yiqilai
#   tests/services.sh benches/load/enrolments.sh
set -euo pipefail
here=$(dirname "$(realpath "$0")")
# shellcheck source=benches/load/common.sh
source "$here/common.sh"
people=${PEOPLE:-20000}
seats=${SEATS:-5000}
export YIQILAI__IDENTITY__REQUESTS_PER_ADDRESS__COUNT=100000000

# --- 20,000 sessions: each begins with a refresh token that is known here
cat >sessions.mjs <<'JS'
import { createHash } from "node:crypto";
const [, , backend, people] = process.argv;
const id = (kind, n) => `00000000-0000-7000-${kind}-${String(n).padStart(12, "0")}`;
const blob = (hex) => (backend === "sqlite" ? `x'${hex}'` : `'\\x${hex}'`);
const uuid = (text) => (backend === "sqlite" ? blob(text.replaceAll("-", "")) : `'${text}'`);
const now = Date.now(), later = now + 864e5;
const at = (ms) => (backend === "sqlite" ? ms * 1000 : `to_timestamp(${ms / 1000})`);
for (let n = 1; n <= people; n += 1) {
  const hash = createHash("sha256").update(`load-${n}`).digest("hex");
  console.log(`INSERT INTO sessions (id, account_id, device, created_at, last_used_at) VALUES (${uuid(id("b000", n))}, ${uuid(id("9000", n))}, 'load', ${at(now)}, ${at(now)});`);
  console.log(`INSERT INTO refresh_tokens (token_hash, session_id, issued_at, expires_at) VALUES (${blob(hash)}, ${uuid(id("b000", n))}, ${at(now)}, ${at(later)});`);
}
JS
cat >tokens.mjs <<'JS'
import http from "node:http";
const [, , people] = process.argv;
const agent = new http.Agent({ keepAlive: true, maxSockets: 32 });
const refresh = (n) => new Promise((done, failed) => {
  const options = { agent, method: "POST", host: "127.0.0.1", port: 18082, path: "/api/v1/auth/refresh", headers: { "content-type": "application/json" } };
  const request = http.request(options, (response) => {
    let text = "";
    response.on("data", (part) => { text += part; });
    response.on("end", () => done(JSON.parse(text).access_token));
  });
  request.on("error", failed);
  request.end(JSON.stringify({ refresh_token: `load-${n}` }));
});
for (let from = 1; from <= people; from += 500) {
  const some = Array.from({ length: Math.min(500, people - from + 1) }, (_, k) => refresh(from + k));
  console.log((await Promise.all(some)).join("\n"));
}
JS
cat >enrol.lua <<'LUA'
local ffi = require("ffi")
ffi.cdef [[ typedef struct { long seconds, micros; } instant; int gettimeofday(instant *, void *); int getpid(void); int kill(int, int); ]]
local function now()
  local at = ffi.new("instant[1]")
  ffi.C.gettimeofday(at, nil)
  return tonumber(at[0].seconds) + tonumber(at[0].micros) / 1e6
end
local tokens, n, path, began, main = {}, -1, nil, nil, nil
enrolled, refused, seconds = 0, 0, 0
function setup(thread) main = thread end
function init(args)
  for line in io.lines(args[1]) do tokens[#tokens + 1] = line end
  path = args[2]
end
function request() -- the first is asked for, and not sent
  n = n + 1
  if n < 1 or n > #tokens then return wrk.format("GET", "/livez") end
  began = began or now()
  return wrk.format("POST", path, { authorization = "Bearer " .. tokens[n], ["content-type"] = "application/json" }, "{}")
end
function response(status)
  if status == 201 then enrolled = enrolled + 1
  elseif status ~= 200 then refused = refused + 1 end
  if seconds == 0 and enrolled + refused >= #tokens then
    seconds = now() - began
    ffi.C.kill(ffi.C.getpid(), 2) -- everybody has had an answer
  end
end
function done()
  print("rate " .. main:get("enrolled") / main:get("seconds") .. " refused " .. main:get("refused"))
end
LUA

shift_id=00000000-0000-7000-c000-00000000000
enrol() { # everybody enrols in the first shift; prints how many a second
    node tokens.mjs "$people" >tokens
    wrk -t1 -c64 -d"${LONGEST:-600}s" --timeout 60s -s enrol.lua http://127.0.0.1:18082 -- tokens "/api/v1/shifts/${shift_id}1/enrolments" >out
    if ! grep -q '^rate .* refused 0$' out; then cat out >&2; tail server.log >&2; exit 1; fi
    awk '/^rate/ {print $2}' out
}
# what must hold then; in both databases' SQL
checks="SELECT count(*) || ' enrolled, ' || sum(CASE WHEN holds_seat THEN 1 ELSE 0 END) || ' with a place, line of '
    || count(queue_no) || ' numbered ' || coalesce(min(queue_no), 0) || ' to ' || coalesce(max(queue_no), 0) || ', ' || count(DISTINCT queue_no) || ' numbers'
    FROM enrolments WHERE shift_id ="
holds() { # HOW MANY ENROLLED, WHAT WAS FOUND
    local line=$(($1 - seats))
    local wanted="$1 enrolled, $seats with a place, line of $line numbered 1 to $line, $line numbers"
    if [ "$2" != "$wanted" ]; then echo "found:  $2"; echo "wanted: $wanted"; exit 1; fi >&2
}

# --- SQLite
start
stop
columns() { # TABLE LEFT OUT: its columns
    sqlite3 data/yiqilai.db "SELECT group_concat(name) FROM pragma_table_info('$1') WHERE name NOT IN ($2)"
}
account=$(columns accounts "'id', 'email', 'phone'")
volunteer=$(columns volunteers "'account_id'")
activity=$(columns activities "'id', 'series_id', 'recurs_at'")
shift=$(columns activity_shifts "'id', 'activity_id', 'seats', 'taken', 'queued'")
{
    echo 'BEGIN;'
    echo 'CREATE TEMP TABLE people (n INTEGER PRIMARY KEY, id BLOB);'
    seq -f %.0f 1 "$people" | awk '{printf "INSERT INTO people VALUES (%d, x'\''00000000000070009000%012d'\'');\n", $1, $1}'
    cat <<SQL
INSERT INTO accounts (id, email, $account) SELECT people.id, 'load-' || n || '@demo.invalid', $account
    FROM people, (SELECT $account FROM accounts WHERE email = 'volunteer@demo.invalid');
INSERT INTO volunteers (account_id, $volunteer) SELECT people.id, $volunteer FROM people, (SELECT $volunteer FROM volunteers LIMIT 1);
CREATE TEMP TABLE activity AS SELECT * FROM activities WHERE status = 'published' AND NOT minors ORDER BY starts_at DESC LIMIT 1;
INSERT INTO activities (id, $activity) SELECT x'00000000000070008000000000000001', $activity FROM activity;
INSERT INTO activity_shifts (id, activity_id, seats, taken, queued, $shift)
    SELECT x'0000000000007000c000000000000001', x'00000000000070008000000000000001', $seats, 0, 0, $shift
    FROM activity_shifts WHERE activity_id = (SELECT id FROM activity) LIMIT 1;
SQL
    node sessions.mjs sqlite "$people"
    echo 'COMMIT;'
} | sqlite3 data/yiqilai.db
start
sqlite=$(enrol)
stop
holds "$people" "$(sqlite3 data/yiqilai.db "$checks x'0000000000007000c000000000000001'")"
echo "sqlite: $sqlite enrolments/s"

# --- PostgreSQL: over HTTP, and the same statements in pgbench on another activity
[ -n "${YIQILAI_TEST_POSTGRES_URL:-}" ] || exit 0
psql -q "$YIQILAI_TEST_POSTGRES_URL" -c 'CREATE DATABASE enrolments'
export YIQILAI__DATABASE__URL=${YIQILAI_TEST_POSTGRES_URL%/postgres}/enrolments
start
stop
{
    echo 'BEGIN;'
    cat <<SQL
INSERT INTO accounts (id, email, $account) SELECT ('00000000-0000-7000-9000-' || lpad(n::text, 12, '0'))::uuid, 'load-' || n || '@demo.invalid', $account
FROM accounts, generate_series(1, $people) AS n WHERE email = 'volunteer@demo.invalid';
INSERT INTO volunteers (account_id, $volunteer) SELECT ('00000000-0000-7000-9000-' || lpad(n::text, 12, '0'))::uuid, $volunteer
FROM (SELECT * FROM volunteers LIMIT 1) AS one, generate_series(1, $people) AS n;
CREATE TEMP TABLE activity AS SELECT * FROM activities WHERE status = 'published' AND NOT minors ORDER BY starts_at DESC LIMIT 1;
INSERT INTO activities (id, $activity) SELECT ('00000000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid, $activity FROM activity, generate_series(1, 2) AS n;
INSERT INTO activity_shifts (id, activity_id, seats, taken, queued, $shift)
SELECT ('00000000-0000-7000-c000-' || lpad(n::text, 12, '0'))::uuid, ('00000000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid, $seats, 0, 0, $shift
FROM (SELECT * FROM activity_shifts WHERE activity_id = (SELECT id FROM activity) LIMIT 1) AS one, generate_series(1, 2) AS n;
-- the second is an hour later, and collides with nothing
UPDATE activities SET starts_at = starts_at + interval '1 day', ends_at = ends_at + interval '1 day' WHERE id = '00000000-0000-7000-8000-000000000002';
UPDATE activity_shifts SET starts_at = starts_at + interval '1 day', ends_at = ends_at + interval '1 day' WHERE activity_id = '00000000-0000-7000-8000-000000000002';
SQL
    node sessions.mjs postgres "$people"
    echo 'COMMIT; ANALYZE;'
} | psql -q -v ON_ERROR_STOP=1 "$YIQILAI__DATABASE__URL"
start
served=$(enrol)
stop
of() { psql -At "$YIQILAI__DATABASE__URL" -c "$checks '${shift_id}$1'"; }
holds "$people" "$(of 1)"
clients=16
bench=$(pgbench -n -M prepared -c "$clients" -j 1 -t $((people / clients)) -D i=0 -D each=$((people / clients)) \
    -f "$here/enrol.sql" "$YIQILAI__DATABASE__URL" 2>pgbench.log | awk '/^tps/ {print $3}') || { cat pgbench.log >&2; exit 1; }
holds $((people / clients * clients)) "$(of 2)"
echo "postgres: $served enrolments/s; its statements in pgbench: $bench/s; $(share "$served" "$bench")"
