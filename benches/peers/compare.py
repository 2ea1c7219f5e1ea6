"""Compares answers rank by rank: every score within 1e-6, and other ids only where scores are that near.

usage: compare.py EXPECTED FOUND
Queries that only one of them answered are left out. Ends with 1 when an answer differs."""

import sys


def read(path):
    answers = {}
    with open(path) as file:
        for line in file:
            letter, number, *hits = line.split()
            pairs = (hit.split(":") for hit in hits)
            answers[letter, number] = [(int(key), float(score)) for key, score in pairs]
    return answers


def agree(expected, found):
    if len(expected) != len(found):
        return False
    for (key, score), (other, near) in zip(expected, found):
        if abs(score - near) > 1e-6:
            return False
        if key != other:
            # the same score stands beside it, or beyond the end of the list
            ties = {k for k, s in found if abs(s - score) <= 2e-6}
            if key not in ties and abs(score - found[-1][1]) > 2e-6:
                return False
    return True


def main():
    expected, found = read(sys.argv[1]), read(sys.argv[2])
    both = expected.keys() & found.keys()
    differing = sorted(query for query in both if not agree(expected[query], found[query]))
    print(f"{len(both)} queries compared, {len(differing)} differ {' '.join(map(' '.join, differing[:5]))}".strip())
    sys.exit(bool(differing) or not both)


main()
