#!/usr/bin/env bash
# Matching and batch rounds beside other ways to do them, on the same data in the same run: PostGIS, a
# plain full scan, and OR-tools' min-cost flow. Installs what is missing (PostGIS from the system's
# packages, Python's packages into a folder of its own), starts a private PostgreSQL, checks that all
# answers agree, prints one line of JSON for each and the ratios.
#
#   cargo build --release --bin yiqilai
#   YIQILAI_TEST_POSTGRES_OPTIONS='-c shared_buffers=4GB' \
#       tests/services.sh benches/peers/run.sh match DATA [QUERIES] # columns as `yiqilai bench match` reads them
#   benches/peers/run.sh round DATA                                 # a round as `yiqilai bench round` reads it
set -euo pipefail
here=$(dirname "$(realpath "$0")")
target=$(realpath "${CARGO_TARGET_DIR:-target}")
peers=$target/peers
mkdir -p "$peers"

python() {
    if [ ! -e "$peers/python/ready" ]; then
        python3 -m venv "$peers/python"
        "$peers/python/bin/pip" install -q numpy 'psycopg[binary]' ortools
        touch "$peers/python/ready"
    fi
    "$peers/python/bin/python" "$@"
}
ratio() { # NAME PEER OURS PATH
    node -e '
const [name, peer, ours, path] = process.argv.slice(1)
const at = (text) => path.split(".").reduce((value, key) => value[key], JSON.parse(text))
console.log(`${name} ${path}: ${(at(peer) / at(ours)).toFixed(1)} times`)' "$@"
}

match() { # DATA [QUERIES]
    local data=$1 asked=${2:-1000} ours scan postgis
    gcc -O3 -march=native -o "$peers/scan" "$here/scan.c" -lm
    ours=$("$target/release/yiqilai" bench match --data "$data" --hits "$peers/ours.hits")
    echo "yiqilai: $ours"
    scan=$("$peers/scan" "$data" 20 1 "$asked" "$peers/scan.hits")
    echo "full scan: $scan"
    python "$here/compare.py" "$peers/scan.hits" "$peers/ours.hits"
    postgis=$(python "$here/postgis.py" "$YIQILAI_TEST_POSTGRES_URL" "$data" 20 3 "$asked" "$peers/postgis.hits")
    echo "postgis: $postgis"
    # its earth is a few centimetres smaller: who stands on the very edge of a radius may differ
    python "$here/compare.py" "$peers/scan.hits" "$peers/postgis.hits" || true
    for way in forward.p50_us forward.p99_us reverse.p50_us reverse.p99_us; do
        ratio "full scan" "$scan" "$ours" "$way"
        ratio postgis "$postgis" "$ours" "$way"
    done
    ratio postgis "$postgis" "$ours" update.load_us
    ratio postgis "$postgis" "$ours" update.move_us
    ratio "postgis' index" "${postgis//index_s/build_s}" "$ours" build_s
}

round() { # DATA
    local ours ortools
    ours=$("$target/release/yiqilai" bench round --data "$1")
    echo "yiqilai: $ours"
    ortools=$(python "$here/ortools_round.py" "$1")
    echo "ortools: $ortools"
    ratio ortools "$ortools" "$ours" solve_s
}

install_postgis() {
    compgen -G '/usr/share/postgresql/*/extension/postgis.control' >/dev/null && return
    local as_root=()
    [ "$(id -u)" = 0 ] || as_root=(sudo)
    "${as_root[@]}" apt-get install -y -qq "$(basename "$(ls -d /usr/lib/postgresql/* | tail -1)" | sed 's/.*/postgresql-&-postgis-3/')"
}

case ${1:-} in
match) install_postgis; match "${@:2}" ;;
round) round "${@:2}" ;;
*) sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "$0" >&2; exit 2 ;;
esac
