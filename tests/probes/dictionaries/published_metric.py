#!/usr/bin/env python3
"""tests/probes/dictionaries/published_metric.py - the published board metrics by their definition, and the fixture
that test_coverage.c compares ogpt's with.

Written from the definitions of Karvonen et al. 2024 (arXiv:2408.00113), in plain loops over plain
numbers: no array library, nothing of ogpt's. Values are whole numbers and largest values multiples of ten, so that
no threshold is a matter of rounding. Made by:

    python3 tests/probes/dictionaries/published_metric.py > tests/probes/dictionaries/published_metric.txt
"""

import random

SQUARES, CLASSES, FEATURES, THRESHOLDS = 4, 3, 7, 11
N_FIT, N_TEST = 120, 90


def board(draw):
    """Class 0 is empty, as in ogpt's labels; square 3 is never empty."""
    return [draw.choice([0, 1, 2]) if s < 3 else draw.choice([1, 2]) for s in range(SQUARES)]


def values(draw, labels):
    """Features that know something: 0 square 0 is mine, 1 square 1 is empty, 2 square 2 theirs at high values only,
    3 noise, 4 never fires, 5 square 3 is mine, with one error in twelve, 6 both squares 0 and 1 are theirs."""
    out = [0] * FEATURES
    if labels[0] == 2:
        out[0] = draw.randrange(1, 50)
    if labels[1] == 0 and draw.random() < 0.8:
        out[1] = draw.randrange(1, 30)
    out[2] = draw.randrange(30, 60) if labels[2] == 1 else draw.randrange(0, 35)
    out[3] = max(0, draw.randrange(-40, 40))
    if (labels[3] == 2) != (draw.random() < 1 / 12):
        out[5] = draw.randrange(1, 20)
    if labels[0] == 1 and labels[1] == 1:
        out[6] = draw.randrange(5, 90)
    return out


def f1(hits, said, there):
    precision = hits / said if said else 0
    recall = hits / there if there else 0
    return 2 * precision * recall / (precision + recall) if precision + recall else 0


def classifier(rows, feature, t, largest):
    return [10 * f[feature] > t * largest[feature] for _, f in rows] if largest[feature] else [False] * len(rows)


def pair_f1(rows, said, square, state):
    truth = [labels[square] == state for labels, _ in rows]
    return f1(sum(a and b for a, b in zip(said, truth)), sum(said), sum(truth))


def coverage(rows, largest, states):
    """Mean over pairs of the largest F1 over features and thresholds; and with one threshold for all pairs."""
    said = {(f, t): classifier(rows, f, t, largest) for f in range(FEATURES) for t in range(THRESHOLDS)}
    pairs = [(s, c) for s in range(SQUARES) for c in states]
    each = [max(pair_f1(rows, said[f, t], s, c) for f in range(FEATURES) for t in range(THRESHOLDS)) for s, c in pairs]
    one = [
        sum(max(pair_f1(rows, said[f, t], s, c) for f in range(FEATURES)) for s, c in pairs) / len(pairs)
        for t in range(THRESHOLDS)
    ]
    return sum(each) / len(pairs), max(one)


def reconstruction(fit, test, largest, states):
    """F1 over all squares and classes of the union of high-precision features, at the best threshold of the test."""
    best = 0
    for t in range(THRESHOLDS):
        votes = []
        for f in range(FEATURES):
            said = classifier(fit, f, t, largest)
            for s in range(SQUARES):
                for c in states:
                    hits = sum(a and labels[s] == c for a, (labels, _) in zip(said, fit))
                    if hits >= 10 and hits / sum(said) >= 0.95:
                        votes.append((f, s, c))
        hits = said_pairs = there = 0
        fires = [classifier(test, f, t, largest) for f in range(FEATURES)]
        for i, (labels, _) in enumerate(test):
            union = {(s, c) for f, s, c in votes if fires[f][i]}
            truth = {(s, labels[s]) for s in range(SQUARES) if labels[s] in states}
            hits += len(union & truth)
            said_pairs += len(union)
            there += len(truth)
        best = max(best, f1(hits, said_pairs, there))
    return best


def main():
    draw = random.Random(1)
    rows = []
    for _ in range(N_FIT + N_TEST):
        labels = board(draw)
        rows.append((labels, values(draw, labels)))
    fit, test = rows[:N_FIT], rows[N_FIT:]
    # The largest value of the fit rows, up to a multiple of ten: one fit row has it.
    largest = [-(-max(f[j] for _, f in fit) // 10) * 10 for j in range(FEATURES)]
    for j in range(FEATURES):
        if largest[j]:
            at = max(range(N_FIT), key=lambda i: fit[i][1][j])
            fit[at][1][j] = largest[j]
    print(SQUARES, FEATURES, N_FIT, N_TEST)
    for labels, f in rows:
        print(*labels, *f)
    for states in ([0, 1, 2], [1, 2]):
        print(*(f"{x:.12f}" for x in (*coverage(test, largest, states), reconstruction(fit, test, largest, states))))


main()
