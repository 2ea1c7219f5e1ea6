"""Answers the queries of `yiqilai bench match` from PostgreSQL with PostGIS: one GiST index over place
and skills, prepared statements, everything in memory. Prints one line of JSON and writes the answers
to a file, as the bench does.

usage: postgis.py DSN DATA TOP PASSES QUERIES HITS
Wants numpy and psycopg."""

import io
import json
import os
import sys
import time

import numpy as np
import psycopg

TYPES = {"i32": np.int32, "u64": np.uint64, "u32": np.uint32, "u8": np.uint8, "f64": np.float64}
# The score of a pair (weights 35, 25, 20, 10, 10).
SCORE = """
  35 * CASE WHEN {n}wants = 0 THEN 1 ELSE bit_count({v}skills & {n}want)::float8 / {n}wants END
  + 25 / (1 + d / {scale})
  + 20 * CASE WHEN {n}asked = 0 THEN 1 ELSE bit_count({v}hours & {n}slots)::float8 / {n}asked END
  + CASE WHEN {v}interests = 0 OR ({v}interests >> {n}cat & 1) = 1 THEN 10 ELSE 0 END
  + 10::float8 / (1 + {load})
"""
FORWARD = """
WITH n AS (SELECT * FROM queries WHERE id = $1),
near AS (
  SELECT v.id, ST_DistanceSphere(v.geom, n.geom) AS d, v.skills, v.hours, v.interests, v.load, v.radius,
         n.want, n.wants, n.slots, n.asked, n.cat, n.radius AS reach
  FROM n, people v
  WHERE v.geom && n.box AND v.has @> n.req AND (n.flags & ~v.flags) = 0
    AND (n.asked = 0 OR bit_count(v.hours & n.slots) > 0)
  OFFSET 0)
SELECT id, {score} AS score FROM near WHERE d <= least(radius, reach)
ORDER BY score DESC, id LIMIT {top}
"""
REVERSE = """
WITH v AS (SELECT * FROM people WHERE id = $1),
near AS (
  SELECT n.id, ST_DistanceSphere(v.geom, n.geom) AS d, v.skills, v.hours, v.interests, n.fill, v.radius,
         n.want, n.wants, n.slots, n.asked, n.cat, n.radius AS reach
  FROM v, needs n
  WHERE n.geom && v.box AND n.req <@ v.has AND (n.flags & ~v.flags) = 0
    AND (n.asked = 0 OR bit_count(v.hours & n.slots) > 0)
  OFFSET 0)
SELECT id, {score} AS score FROM near WHERE d <= least(radius, reach)
ORDER BY score DESC, id LIMIT {top}
"""


def read(folder, prefix):
    columns = {}
    for name in os.listdir(folder):
        if name.startswith(prefix + "_"):
            key, kind = name[len(prefix) + 1 :].split(".")
            values = np.fromfile(os.path.join(folder, name), TYPES[kind])
            if kind == "u64":
                values = values.reshape(-1, 3 if key in ("avail", "slots") else 4)
            columns[key] = values
    return columns


def bits(words):
    """Rows of words as texts of bits, the lowest first."""
    unpacked = np.unpackbits(words.view(np.uint8).reshape(len(words), -1), axis=1, bitorder="little")
    flat = (unpacked + ord("0")).tobytes().decode()
    width = unpacked.shape[1]
    return unpacked, [flat[n * width : (n + 1) * width] for n in range(len(words))]


def arrays(unpacked):
    return ["{" + ",".join(map(str, np.flatnonzero(row))) + "}" for row in unpacked]


def copy(cursor, table, rows):
    buffer = io.StringIO()
    for row in rows:
        buffer.write("\t".join(map(str, row)))
        buffer.write("\n")
    with cursor.copy(f"COPY {table} FROM STDIN") as target:
        target.write(buffer.getvalue())


def load_people(cursor, columns):
    cursor.execute(
        "CREATE UNLOGGED TABLE raw_people (id int, lat float8, lon float8, radius int, has int[], skills bit(256),"
        " hours bit(192), flags int, load int, interests int)"
    )
    for at in range(0, len(columns["lat"]), 100_000):
        part = {key: values[at : at + 100_000] for key, values in columns.items()}
        unpacked, skills = bits(part["skills"])
        _, hours = bits(part["avail"])
        rows = zip(
            range(at, at + len(part["lat"])), part["lat"].tolist(), part["lon"].tolist(), part["r"], arrays(unpacked),
            skills, hours, part["flags"], part["load"], part["interests"],
        )
        copy(cursor, "raw_people", rows)
    # in the order of space, as the index is walked
    cursor.execute(
        "CREATE UNLOGGED TABLE people WITH (fillfactor = 80) AS SELECT id, geom, ST_Expand(geom, dx, dy) AS box,"
        " radius, has, skills, hours, flags, load, interests"
        " FROM (SELECT *, ST_SetSRID(ST_MakePoint(lon, lat), 4326) AS geom, radius / 111194.0 AS dy,"
        " radius / (111194.0 * cos(radians(lat))) * 1.01 AS dx FROM raw_people) raw ORDER BY geom"
    )
    cursor.execute("DROP TABLE raw_people")


def load_needs(cursor, table, columns):
    cursor.execute(
        "CREATE UNLOGGED TABLE raw_needs (id int, lat float8, lon float8, radius int, req int[], want bit(256),"
        " wants int, slots bit(192), asked int, flags int, fill int, cat int)"
    )
    required, _ = bits(columns["req"])
    wanted, want = bits(columns["want"])
    hours, slots = bits(columns["slots"])
    rows = zip(
        range(len(want)), columns["lat"].tolist(), columns["lon"].tolist(), columns["r"], arrays(required), want,
        wanted.sum(1), slots, hours.sum(1), columns["flags"], columns["fill"], columns["cat"],
    )
    copy(cursor, "raw_needs", rows)
    cursor.execute(
        f"CREATE UNLOGGED TABLE {table} AS SELECT id, geom, ST_Expand(geom, dx, dy) AS box, radius, req, want, wants,"
        " slots, asked, flags, fill, cat"
        " FROM (SELECT *, ST_SetSRID(ST_MakePoint(lon, lat), 4326) AS geom, radius / 111194.0 AS dy,"
        " radius / (111194.0 * cos(radians(lat))) * 1.01 AS dx FROM raw_needs) raw ORDER BY geom"
    )
    cursor.execute("DROP TABLE raw_needs")


def seconds(cursor, statement):
    started = time.perf_counter()
    cursor.execute(statement)
    return time.perf_counter() - started


def timed(cursor, name, asked, passes, letter, out):
    least, answers = [float("inf")] * asked, [None] * asked
    for _ in range(passes):
        for n in range(asked):
            started = time.perf_counter()
            cursor.execute(f"EXECUTE {name}({n})")
            rows = cursor.fetchall()
            least[n] = min(least[n], 1e6 * (time.perf_counter() - started))
            answers[n] = rows
    for n, rows in enumerate(answers):
        out.write(" ".join([f"{letter} {n}"] + [f"{key}:{score:.9f}" for key, score in rows]) + "\n")
    if not asked:
        return {}
    return {"p50_us": round(float(np.percentile(least, 50)), 1), "p99_us": round(float(np.percentile(least, 99)), 1)}


def main():
    dsn, folder, top, passes, asked, hits = sys.argv[1:]
    top, passes, asked = int(top), int(passes), int(asked)
    with open(os.path.join(folder, "meta.json")) as file:
        meta = json.load(file)
    with psycopg.connect(dsn, autocommit=True, prepare_threshold=None) as connection, open(hits, "w") as out:
        cursor = connection.cursor()
        cursor.execute("CREATE EXTENSION IF NOT EXISTS postgis; CREATE EXTENSION IF NOT EXISTS intarray")
        cursor.execute("DROP TABLE IF EXISTS people, needs, queries")
        cursor.execute("SET jit = off; SET max_parallel_workers_per_gather = 0; SET work_mem = '256MB'")
        cursor.execute("SET maintenance_work_mem = '2GB'; SET random_page_cost = 1.0; SET plan_cache_mode = force_generic_plan")
        load_people(cursor, read(folder, "v"))
        load_needs(cursor, "needs", read(folder, "n"))
        load_needs(cursor, "queries", read(folder, "q"))
        ops = "(geom, {} gist__intbig_ops(siglen = 32))"
        index = seconds(cursor, "CREATE INDEX people_place ON people USING gist " + ops.format("has"))
        index += seconds(cursor, "CREATE INDEX needs_place ON needs USING gist " + ops.format("req"))
        for table in ("people", "needs", "queries"):
            cursor.execute(f"CREATE UNIQUE INDEX {table}_id ON {table} (id)")
        cursor.execute("VACUUM ANALYZE people")
        cursor.execute("VACUUM ANALYZE needs")

        updates = read(folder, "u")
        cursor.execute("SET synchronous_commit = off")
        cursor.execute("PREPARE load_of (int, int) AS UPDATE people SET load = $2 WHERE id = $1")
        cursor.execute(
            "PREPARE place_of (int, float8, float8) AS UPDATE people SET geom = ST_SetSRID(ST_MakePoint($2, $3), 4326),"
            " box = ST_Expand(ST_SetSRID(ST_MakePoint($2, $3), 4326), radius / (111194.0 * cos(radians($3))) * 1.01,"
            " radius / 111194.0) WHERE id = $1"
        )
        spent = {"load": [], "move": []}
        for kind, key, load, lat, lon in zip(*(updates[c].tolist() for c in ("kind", "idx", "load", "lat", "lon"))):
            text = f"EXECUTE place_of({key}, {lon!r}, {lat!r})" if kind else f"EXECUTE load_of({key}, {load})"
            spent["move" if kind else "load"].append(seconds(cursor, text))
        cursor.execute("VACUUM ANALYZE people")

        score = SCORE.format(n="", v="", load="load", scale=float(meta["L"]))
        cursor.execute("PREPARE forward (int) AS " + FORWARD.format(score=score, top=top))
        score = SCORE.format(n="", v="", load="fill", scale=float(meta["L"]))
        cursor.execute("PREPARE reverse (int) AS " + REVERSE.format(score=score, top=top))
        figures = {
            "index_s": round(index, 3),
            "forward": timed(cursor, "forward", min(asked, meta["q"]), passes, "f", out),
            "reverse": timed(cursor, "reverse", min(asked, meta["n"]), passes, "r", out),
            "update": {f"{kind}_us": round(1e6 * sum(all_) / max(len(all_), 1), 1) for kind, all_ in spent.items()},
        }
        print(json.dumps(figures))


main()
