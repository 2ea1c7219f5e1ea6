#!/usr/bin/env bash
# Runs the tour of a README against a fresh sample district: every fenced block marked `sh tour`,
# in order, in one shell.
#   tests/tour.sh BINARY [README.md]
set -euo pipefail
binary=$(realpath "$1")
readme=$(realpath "${2:-README.md}")
work=$(mktemp -d "${TMPDIR:-/tmp}/yiqilai-tour.XXXXXX")
cd "$work"
port=$(node -e 'const s=require("net").createServer().listen(0,"127.0.0.1",()=>{console.log(s.address().port);s.close()})')
export YIQILAI__SERVER__ADDRESS=127.0.0.1:$port YIQILAI__SERVER__PUBLIC_URL=http://127.0.0.1:$port
export S=http://127.0.0.1:$port DATA=$work/data
"$binary" demo >server.log 2>&1 &
server=$!
trap 'kill $server 2>/dev/null; wait $server 2>/dev/null; rm -rf "$work"' EXIT
for _ in $(seq 300); do
    curl -sf "$S/readyz" >/dev/null && break
    kill -0 $server 2>/dev/null || break
    sleep 0.2
done
curl -sf "$S/readyz" >/dev/null || { cat server.log >&2; exit 1; }

awk '/^```sh tour$/ {on = 1; print "echo \"--- line " NR "\""; next} /^```$/ {on = 0} on' "$readme" >tour
[ -s tour ] || { echo "no tour in $readme" >&2; exit 1; }
bash -euo pipefail tour
