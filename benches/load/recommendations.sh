#!/usr/bin/env bash
# Recommendations per second of one server process on SQLite with a million people and tens of
# thousands of needs: 20 needs for a person with score and explanation, as ratios to a bare actix
# handler and to a plain read by id in the same run; the time to build the projection of matching,
# and the memory that a person takes in it.
# The people and needs are made up: roles of the sample projects and wishes, strewn with the people
# over three degrees by three. Wants wrk and sqlite3 (Debian packages) and the release build:
#   cargo build --release --bin yiqilai --example hello
#   benches/load/recommendations.sh
set -euo pipefail
# shellcheck source=benches/load/common.sh
source "$(dirname "$(realpath "$0")")/common.sh"
people=${PEOPLE:-1000000}
copies=${COPIES:-1000} # of each claimed project of the sample district, some three roles each
wishes=${WISHES:-50000}
callers=128
PATIENCE=3000

export YIQILAI__IDENTITY__REQUESTS_PER_ADDRESS__COUNT=100000
memory() { ps -o rss= -p "$server" | awk '{printf "%.0f", $1 / 1024}'; }

start
small=$(memory)
stop
columns() { # TABLE [LEFT OUT]: its columns
    sqlite3 data/yiqilai.db "SELECT group_concat(name) FROM pragma_table_info('$1') WHERE name NOT IN ($2)"
}
account=language,status,version,created_at
project=$(columns projects "'id', 'longitude', 'latitude'")
claim=$(columns project_claims "'id', 'project_id'")
role=$(columns project_roles "'id', 'project_id'")
wish=$(columns wishes "'id', 'longitude', 'latitude'")
sqlite3 data/yiqilai.db <<SQL
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
PRAGMA cache_size = -400000;
BEGIN;
CREATE TEMP TABLE codes AS SELECT row_number() OVER () - 1 AS n, code FROM
    (SELECT DISTINCT json_extract(s.value, '\$.skill') AS code FROM project_roles, json_each(skills) AS s);
CREATE TEMP TABLE crowd (n INTEGER PRIMARY KEY, id BLOB);
INSERT INTO crowd SELECT value, randomblob(16) FROM generate_series(1, $people);
INSERT INTO accounts (id, email, password_hash, display_name, $account)
    SELECT c.id, CASE WHEN c.n <= $callers THEN 'load-' || c.n || '@demo.invalid' END, a.password_hash, '示例', a.language, a.status, a.version, a.created_at
    FROM crowd AS c, accounts AS a WHERE a.email = 'volunteer@demo.invalid' ORDER BY c.id;
INSERT INTO volunteers (account_id, region_id, introduction, birth_date, version, created_at, updated_at)
    SELECT c.id, v.region_id, '', '1980-01-01', 1, v.created_at, v.updated_at FROM crowd AS c, (SELECT * FROM volunteers LIMIT 1) AS v ORDER BY c.id;
INSERT OR IGNORE INTO volunteer_skills (account_id, skill, level)
    SELECT c.id, (SELECT code FROM codes WHERE n = abs(c.n * 7919 + s.value * 104729 * (c.n % 13 + 1)) % (SELECT count(*) FROM codes)), 1 + (c.n + s.value) % 3
    FROM crowd AS c, generate_series(1, 4) AS s ORDER BY c.id;
INSERT INTO volunteer_windows (account_id, weekday, from_minute, to_minute)
    SELECT c.id, d.value, CASE WHEN d.value > 5 THEN 480 ELSE 1080 END, CASE WHEN d.value > 5 THEN 1020 ELSE 1260 END
    FROM crowd AS c, generate_series(1, 7) AS d WHERE (c.n + d.value) % 3 = 0 ORDER BY c.id;
INSERT INTO volunteer_interests (account_id, life_cycle)
    SELECT c.id, (SELECT life_cycle FROM wishes LIMIT 1 OFFSET 0) FROM crowd AS c WHERE c.n % 4 = 0 ORDER BY c.id;
INSERT INTO volunteer_places (id, account_id, label, longitude, latitude, radius_m)
    SELECT randomblob(16), c.id, '示例', 120 + 3 * abs(random()) / 9223372036854775807.0, 29 + 3 * abs(random()) / 9223372036854775807.0, 5000 + 1000 * (c.n % 11) FROM crowd AS c;
INSERT INTO consents (id, account_id, purpose, text_version, channel, given_at)
    SELECT randomblob(16), c.id, k.purpose, k.text_version, k.channel, k.given_at
    FROM crowd AS c, (SELECT * FROM consents WHERE purpose = 'personalization' LIMIT 1) AS k;
CREATE TEMP TABLE models AS SELECT p.id AS model, c.id AS claim FROM projects AS p JOIN project_claims AS c ON c.project_id = p.id
    WHERE c.ended_at IS NULL GROUP BY p.id;
CREATE TEMP TABLE copies AS SELECT randomblob(16) AS id, model, claim FROM models, generate_series(1, $copies);
INSERT INTO projects (id, longitude, latitude, $project)
    SELECT k.id, 120 + 3 * abs(random()) / 9223372036854775807.0, 29 + 3 * abs(random()) / 9223372036854775807.0, ${project//batch_id/NULL}
    FROM copies AS k JOIN (SELECT id AS of_id, * FROM projects) AS p ON p.of_id = k.model;
INSERT INTO project_claims (id, project_id, $claim)
    SELECT randomblob(16), k.id, $claim FROM copies AS k JOIN (SELECT id AS of_id, * FROM project_claims) AS c ON c.of_id = k.claim;
INSERT INTO project_roles (id, project_id, $role)
    SELECT randomblob(16), k.id, $role FROM copies AS k JOIN (SELECT project_id AS of_id, * FROM project_roles) AS r ON r.of_id = k.model;
CREATE TEMP TABLE one AS SELECT row_number() OVER () AS n, * FROM wishes WHERE status = 'published';
INSERT INTO wishes (id, longitude, latitude, $wish)
    SELECT randomblob(16), 120 + 3 * abs(random()) / 9223372036854775807.0, 29 + 3 * abs(random()) / 9223372036854775807.0, $wish
    FROM generate_series(1, $wishes) AS w JOIN one ON one.n = 1 + w.value % (SELECT count(*) FROM one);
COMMIT;
SQL
echo "SQLite file: $(du -m data/yiqilai.db | cut -f1) MB"

began=$(date +%s.%N)
start
echo "start until ready, the projection built: $(awk -v a="$began" -v b="$(date +%s.%N)" 'BEGIN {printf "%.1f s", b - a}')"
big=$(memory)
needs=$((wishes + copies * 36))
echo "memory: $small MB with the sample district, $big MB with $people people and about $needs needs: $(awk -v a="$small" -v b="$big" -v n="$people" 'BEGIN {printf "%.0f", (b - a) * 1048576 / n}') bytes a person, needs included"

: >tokens
for n in $(seq "$callers"); do sign_in "load-$n@demo.invalid" >>tokens; done
cat >ask.lua <<'LUA'
local tokens, n, path = {}, 0, nil
function init(args)
  for line in io.lines(args[1]) do tokens[#tokens + 1] = line end
  path = args[2]
end
function request()
  n = n + 1
  return wrk.format("GET", path, { authorization = "Bearer " .. tokens[n % #tokens + 1] })
end
LUA
rate() { # PATH: requests a second, each by the next caller
    wrk -t1 -c32 -d2s -s ask.lua http://127.0.0.1:18082 -- tokens "$1" >/dev/null
    wrk -t1 -c32 -d"${seconds}s" -s ask.lua http://127.0.0.1:18082 -- tokens "$1" >out
    if grep -q 'Non-2xx' out; then cat out >&2; exit 1; fi
    awk '/Requests\/sec/ {print $2}' out
}
"$target/examples/hello" 127.0.0.1:18081 &
pids+=($!)
ready http://127.0.0.1:18081/
wrk -t1 -c32 -d2s http://127.0.0.1:18081/ >/dev/null
hello=$(wrk -t1 -c32 -d"${seconds}s" http://127.0.0.1:18081/ | awk '/Requests\/sec/ {print $2}')
asked="/api/v1/recommendations?personalized=true&limit=20"
curl -sf "http://127.0.0.1:18082$asked" -H "authorization: Bearer $(head -1 tokens)" >first
echo "needs in the first answer: $(json .items.length <first), $(wc -c <first) bytes"
named=$(curl -sf "$S/wishes?limit=1" | json .items[0].id)
plain=$(rate "/api/v1/wishes/$named")
recommended=$(rate "$asked")
few=$(rate "/api/v1/recommendations?personalized=true&limit=5")
echo "hello: $hello requests/s; a wish by id: $plain, $(share "$plain" "$hello")"
echo "20 recommendations: $recommended requests/s, $(share "$recommended" "$hello") of hello, $(share "$recommended" "$plain") of a read by id"
echo "5 recommendations: $few requests/s, $(share "$few" "$hello") of hello, $(share "$few" "$plain") of a read by id"
