"""Makes up people, needs and batch rounds for the benchmarks: the same for the same seed.

usage: generate.py match OUT --people N --needs M [--towns T] [--width KM] [--queries Q] [--updates U] [--seed S]
       generate.py round OUT --people N --needs M [--pairs P] [--places C] [--seed S]
Wants numpy. One town of 12 km is a dense district; 300 towns in 1500 km a country."""

import argparse
import json
import os

import numpy as np

SKILLS, HOURS = 200, 168
METRES_OF_A_DEGREE = 111_195.0


def bit_sets(rows, words, draw):
    """Sets of bits: `draw` gives a number for every row, again and again; below 0, none."""
    sets = np.zeros((rows, words), np.uint64)
    for chosen in draw:
        has = np.flatnonzero(chosen >= 0)
        bit = chosen[has]
        sets[has, bit // 64] |= np.uint64(1) << (bit % 64).astype(np.uint64)
    return sets


def skills(rng, rows, least, most):
    """From `least` to `most` skills, a few of them common and most rare."""
    popularity = 1 / np.arange(1, SKILLS + 1)
    popularity /= popularity.sum()
    count = rng.integers(least, most + 1, rows)
    draw = (np.where(count > n, rng.choice(SKILLS, rows, p=popularity), -1) for n in range(most))
    return bit_sets(rows, 4, draw)


def hours(rng, rows, blocks, longest):
    """So many blocks of a few hours between 8 and 22 o'clock, anywhere in the week."""

    def draw():
        for block in range(blocks):
            begin = 24 * rng.integers(0, 7, rows) + rng.integers(8, 19, rows)
            length = rng.integers(1, longest + 1, rows) * (rng.random(rows) < (1 if block == 0 else 0.6))
            for n in range(longest):
                yield np.where(n < length, np.minimum(begin + n, HOURS - 1), -1)

    return bit_sets(rows, 3, draw())


class Land:
    """Towns of different sizes, and people around their centres."""

    def __init__(self, rng, towns, width_km):
        self.width = width_km * 1000.0
        self.centres = rng.random((towns, 2)) * self.width
        self.share = 1 / np.arange(1, towns + 1) ** 0.8
        self.share /= self.share.sum()
        self.spread = min(self.width / 5, 4000.0)

    def degrees(self, rng, rows):
        town = rng.choice(len(self.share), rows, p=self.share)
        east, north = (self.centres[town] + rng.normal(0, self.spread, (rows, 2))).T
        latitude = 28.0 + north / METRES_OF_A_DEGREE
        return latitude, 112.0 + east / (METRES_OF_A_DEGREE * np.cos(np.radians(latitude)))


def people(rng, land, rows):
    latitude, longitude = land.degrees(rng, rows)
    return {
        "lat.f64": latitude,
        "lon.f64": longitude,
        "r.i32": rng.choice(np.array([1000, 2000, 3000, 5000, 10000, 20000], np.int32), rows),
        "skills.u64": skills(rng, rows, 1, 6),
        "avail.u64": hours(rng, rows, 6, 4),
        "flags.u8": ((rng.random(rows) < 0.15) + 2 * (rng.random(rows) < 0.2)).astype(np.uint8),
        "load.u8": np.minimum(rng.poisson(1.0, rows), 7).astype(np.uint8),
        "interests.u8": (rng.integers(0, 128, rows) * (rng.random(rows) > 0.3)).astype(np.uint8),
    }


def needs(rng, land, rows):
    latitude, longitude = land.degrees(rng, rows)
    required = skills(rng, rows, 0, 3)
    return {
        "lat.f64": latitude,
        "lon.f64": longitude,
        "r.i32": rng.choice(np.array([2000, 5000, 10000, 20000], np.int32), rows),
        "req.u64": required,
        "want.u64": skills(rng, rows, 0, 3) & ~required,
        "slots.u64": hours(rng, rows, 2, 4),
        "flags.u8": ((rng.random(rows) < 0.05) + 2 * (rng.random(rows) < 0.1)).astype(np.uint8),
        "fill.u8": np.minimum(rng.poisson(1.0, rows), 7).astype(np.uint8),
        "cat.u8": rng.integers(0, 7, rows).astype(np.uint8),
    }


def save(folder, prefix, columns):
    for name, values in columns.items():
        values.tofile(os.path.join(folder, f"{prefix}_{name}"))


def write_match(args):
    land = Land(np.random.default_rng(args.seed), args.towns, args.width)
    parts = np.random.default_rng(args.seed + 1).spawn(4)
    save(args.out, "v", people(parts[0], land, args.people))
    save(args.out, "n", needs(parts[1], land, args.needs))
    save(args.out, "q", needs(parts[2], land, args.queries))
    rng, rows = parts[3], args.updates
    latitude, longitude = land.degrees(rng, rows)
    updates = {
        "kind.u8": (rng.random(rows) < 0.2).astype(np.uint8),
        "idx.u32": rng.integers(0, args.people, rows).astype(np.uint32),
        "load.u8": np.minimum(rng.poisson(1.0, rows), 7).astype(np.uint8),
        "lat.f64": latitude,
        "lon.f64": longitude,
    }
    save(args.out, "u", updates)
    scale = 2000.0 if args.towns == 1 else 5000.0
    return {"n": args.people, "m": args.needs, "q": args.queries, "u": rows, "L": scale, "seed": args.seed}


def write_round(args):
    rng = np.random.default_rng(args.seed)
    pairs = min(args.pairs, args.needs)
    places = rng.integers(1, args.places + 1, args.people).astype(np.int32)
    share = rng.lognormal(0, 0.6, args.needs)
    # fewer seats than people have places: they are in demand
    seats = np.maximum(1, share / share.sum() * places.sum() * 0.75).astype(np.int32)
    # neighbours on a line know each other, and a few needs are liked by all
    first = rng.integers(0, args.needs, args.people)[:, None]
    near = np.argsort(rng.random((args.people, min(3 * pairs, args.needs))), 1)[:, :pairs]
    chosen = np.sort((first + near) % args.needs, 1).astype(np.int32)
    liked = rng.lognormal(0, 0.3, args.needs)[chosen]
    weight = 1e6 * np.clip(0.5 * rng.random(chosen.shape) + 0.3 * liked, 0.001, 2)
    columns = {
        "cap_v.i32": places,
        "cap_p.i32": seats,
        "off.i64": np.arange(args.people + 1, dtype=np.int64) * pairs,
        "prj.i32": chosen,
        "w.i32": weight.astype(np.int32),
    }
    for name, values in columns.items():
        values.tofile(os.path.join(args.out, name))
    return {"people": args.people, "needs": args.needs, "pairs": int(chosen.size), "seed": args.seed}


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("what", choices=["match", "round"])
    parser.add_argument("out")
    parser.add_argument("--people", type=int, required=True)
    parser.add_argument("--needs", type=int, required=True)
    parser.add_argument("--towns", type=int, default=1)
    parser.add_argument("--width", type=float, default=12)
    parser.add_argument("--queries", type=int, default=1000)
    parser.add_argument("--updates", type=int, default=50_000)
    parser.add_argument("--pairs", type=int, default=50)
    parser.add_argument("--places", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    os.makedirs(args.out, exist_ok=True)
    meta = write_match(args) if args.what == "match" else write_round(args)
    with open(os.path.join(args.out, "meta.json"), "w") as file:
        json.dump(meta, file)


main()
