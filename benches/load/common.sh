# shellcheck shell=bash
# What the load scripts share: a folder of their own, servers that end with them, small words.
target=$(realpath "${CARGO_TARGET_DIR:-target}/release")
work=$(mktemp -d "${TMPDIR:-/tmp}/yiqilai-load.XXXXXX")
cd "$work" || exit 1
pids=()
trap 'kill "${pids[@]}" 2>/dev/null || true; wait; rm -rf "$work"' EXIT
# shellcheck disable=SC2034 # for the scripts that read this one
seconds=${SECONDS_EACH:-8}
S=http://127.0.0.1:18082/api/v1

share() { awk -v a="$1" -v b="$2" 'BEGIN {printf "%.1f %%", 100 * a / b}'; }
ready() { for _ in $(seq "${PATIENCE:-300}"); do curl -sf "$1" >/dev/null && return; sleep 0.1; done; return 1; }
json() { node -p "JSON.parse(require('fs').readFileSync(0, 'utf8'))$1"; }

# COMMAND: one server process with the sample district; sets $server
start() {
    export YIQILAI__SERVER__ADDRESS=127.0.0.1:18082 YIQILAI__LOG__FILTER=warn
    "$target/yiqilai" demo >server.log 2>&1 &
    server=$!
    pids+=("$server")
    ready http://127.0.0.1:18082/readyz || { tail -20 server.log >&2; exit 1; }
}
stop() { kill "$server"; wait "$server" 2>/dev/null || true; }
sign_in() { # EMAIL: prints an access token
    curl -sf "$S/auth/sign-in" -H 'content-type: application/json' \
        -d "{\"email\": \"$1\", \"password\": \"yiqilai-demo\"}" | json .access_token
}
