#!/usr/bin/env bash
# Every test, inside tests/services.sh: all of them on SQLite, those through HTTP again on
# PostgreSQL and Redis, then the specification's linter, its generated client, and whether every
# operation was called. Goes on after a failure, and repeats the runners' summary lines at the end.
set -uo pipefail
cd "$(dirname "$0")/.." || exit
summary=()
failed=0
log=$(mktemp)
export YIQILAI_TEST_CALLS="$log.calls"
: >"$YIQILAI_TEST_CALLS"
trap 'rm -f "$log" "$log.calls"' EXIT

# what a runner says in sum, and which tests failed; not the crates without tests
worth='^test result:|^test .*FAILED$|^error: could not compile|API description|Validation failed|operations called$'

run() { # LABEL COMMAND...
    local label=$1 line; shift
    echo "=== $label"
    if "$@" 2>&1 | tee "$log"; then summary+=("$label: passed"); else failed=1; summary+=("$label: FAILED"); fi
    while read -r line; do summary+=("$label: $line"); done < <(grep -E "$worth" "$log" | grep -v ' 0 passed; 0 failed; 0 ignored')
}

YIQILAI_TEST_BACKEND=sqlite run "sqlite" cargo test --locked --no-fail-fast
YIQILAI_TEST_BACKEND=postgres run "postgres + redis" cargo test --locked --test it
run "readme tour" tests/tour.sh "${CARGO_TARGET_DIR:-target}/debug/yiqilai" README.md
run "openapi lint" npm --prefix tests/tools run -s lint-openapi
run "typescript client" npm --prefix tests/tools run -s client
run "operations called" node tests/tools/coverage.mjs openapi.yaml "$YIQILAI_TEST_CALLS"

echo
echo "=== summary"
printf '%s\n' "${summary[@]}"
if [ "$failed" = 0 ]; then echo "everything passed"; else echo "something FAILED"; fi
exit "$failed"
