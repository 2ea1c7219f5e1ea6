#!/usr/bin/env bash
# Runs the tour of a README against a fresh sample district: every fenced block marked `sh tour`,
# in order, in one shell. What the README says is thereby known to work.
#   tests/tour.sh BINARY [README.md]
set -euo pipefail
binary=$(realpath "$1")
readme=$(realpath "${2:-README.md}")
name=${2:-README.md}

# --- whatever happens, both end: the tour first, then its server
work=$(mktemp -d "${TMPDIR:-/tmp}/yiqilai-tour.XXXXXX")
end() { # PID: ends a process group, after ten seconds by force
    kill -- "-$1" 2>/dev/null || return 0
    for _ in $(seq 100); do kill -0 -- "-$1" 2>/dev/null || return 0; sleep 0.1; done
    kill -s KILL -- "-$1" 2>/dev/null || true
}
stop() {
    set +e               # one failure does not stop the stopping,
    trap '' INT TERM HUP # nor does a second Ctrl-C
    [ -z "${tour:-}" ] || end "$tour"
    [ -z "${server:-}" ] || end "$server"
    rm -rf "$work"
}
trap stop EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
mkdir "$work/blocks" "$work/here"
cd "$work/here"

# --- one file a block, padded so that bash's own messages name the line of the README
awk -v blocks="$work/blocks" '
    match($0, /^```+/) && (!fence || RLENGTH >= fence && /^`+[ \t]*$/) {
        if (fence) { fence = 0; block = ""; next }
        fence = RLENGTH
        if (substr($0, RLENGTH + 1) == "sh tour") {
            block = sprintf("%s/%06d", blocks, NR)
            for (i = 1; i <= NR; i++) print "" >block
        }
        next
    }
    block { print >block }
    END { if (block) { print "tour.sh: the last block has no end" >"/dev/stderr"; exit 1 } }
' "$readme"
compgen -G "$work/blocks/*" >/dev/null || { echo "tour.sh: no tour in $name" >&2; exit 1; }

# --- the server, in a process group of its own, so that all of it can be ended
port=$(node -e 'const s=require("net").createServer().listen(0,"127.0.0.1",()=>{console.log(s.address().port);s.close()})')
export YIQILAI__SERVER__ADDRESS=127.0.0.1:$port YIQILAI__SERVER__PUBLIC_URL=http://127.0.0.1:$port
export S=http://127.0.0.1:$port DATA=$work/here/data
set -m
"$binary" demo >"$work/server.log" 2>&1 </dev/null &
server=$!
set +m
for _ in $(seq 300); do
    curl -sf "$S/readyz" >/dev/null && break
    kill -0 "$server" 2>/dev/null || break
    sleep 0.2
done
curl -sf "$S/readyz" >/dev/null || { echo "tour.sh: the server is not ready:"; cat "$work/server.log"; exit 1; } >&2

# --- the blocks, which note how far they came
set -m
# shellcheck disable=SC2016 # the inner bash expands it
bash -euo pipefail -c '
    for tour_block in "$1"/blocks/*; do
        tour_line=$((10#${tour_block##*/}))
        echo "$tour_line" >"$1/at"
        echo "--- line $tour_line"
        sed "1,${tour_line}d; s/^/    /" "$tour_block"
        . "$tour_block"
    done
    echo end >"$1/at"' tour "$work" </dev/null &
tour=$!
set +m
code=0
wait "$tour" || code=$?
at=$(cat "$work/at")
[ "$at" = end ] || {
    echo "tour.sh: the block at line $at of $name ended the tour with $code; the server said at last:"
    tail -20 "$work/server.log"
    exit 1
} >&2
