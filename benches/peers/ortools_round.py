"""Solves a batch round by OR-tools' min-cost flow. Prints one line of JSON.

usage: ortools_round.py DATA
Wants numpy and ortools."""

import json
import sys
import time

import numpy as np
from ortools.graph.python import min_cost_flow


def main():
    folder = sys.argv[1]
    column = lambda name, kind: np.fromfile(f"{folder}/{name}", kind)
    people, places = column("cap_v.i32", np.int32), column("cap_p.i32", np.int32)
    offsets, projects, weights = column("off.i64", np.int64), column("prj.i32", np.int32), column("w.i32", np.int32)
    started = time.perf_counter()
    n, m, pairs = len(people), len(places), len(projects)
    source, sink = n + m, n + m + 1
    flow = min_cost_flow.SimpleMinCostFlow()
    who = np.repeat(np.arange(n, dtype=np.int32), np.diff(offsets))
    add = flow.add_arcs_with_capacity_and_unit_cost
    arcs = add(who, projects + np.int32(n), np.ones(pairs, np.int64), -weights.astype(np.int64))
    add(np.full(n, source, np.int32), np.arange(n, dtype=np.int32), people, np.zeros(n, np.int64))
    add(np.arange(n, n + m, dtype=np.int32), np.full(m, sink, np.int32), places, np.zeros(m, np.int64))
    # who gets no place, and which place nobody
    flow.add_arc_with_capacity_and_unit_cost(source, sink, int(people.sum()), 0)
    flow.set_node_supply(source, int(people.sum()))
    flow.set_node_supply(sink, -int(people.sum()))
    built = time.perf_counter() - started
    if flow.solve() != flow.OPTIMAL:
        sys.exit("no optimum was found")
    solved = time.perf_counter() - started
    assigned = int(flow.flows(arcs).sum())
    print(json.dumps({"assigned": assigned, "total": -flow.optimal_cost(), "build_s": round(built, 3), "solve_s": round(solved, 3)}))


main()
