"""The sweep of bench_intervene in PyTorch, without a cache, for comparison (./dev bench intervene).

Usage: torch_intervene.py MODEL PROBE SHEET THREADS [BATCH...]

Reads the network and the probe from their safetensors files, and cases and plans from the sheet
that bench_intervene wrote. Every plan runs every case through the whole network, in batches sorted
by length and cut to their longest; a forward hook adds scale * |x| * unit(w_to - w_from) to the
last position's output of the plan's layer. Each BATCH size is tried on the first plan, and all
plans are timed once with the fastest. Prints tab-separated: threads, cases, plans, batch, seconds,
edits/s, mean error over all plans, and the largest difference of a plan's mean error from the
sheet's; ends with status 1 when that is above TOLERANCE.
"""

import sys

import torch
import torch_network
from torch.nn import functional

# The two programs add in different orders, so a near tie of two logits may be decided differently
# and move the error of a case by 2; this allows five such cases in 1,000.
TOLERANCE = 0.01


class EditedNetwork(torch_network.Network):
    """`edit(layer, x)` may change a block's output."""

    edit = None

    def behind(self, l, x):
        return self.edit(l, x)


def read_sheet(path):
    cases, plans = [], []
    with open(path, encoding="utf-8") as file:
        for line in file:
            kind, rest = line.split(" ", 1)
            if kind == "plan":
                layer, scale, error = rest.split()
                plans.append((int(layer), float(scale), float(error)))
                continue
            tokens, squares, legal = (list(map(int, part.split())) for part in rest.split("|"))
            cases.append((tokens, [squares[i:i + 3] for i in range(0, len(squares), 3)], legal))
    cases.sort(key=lambda case: len(case[0]))
    return cases, plans


def make_batches(cases, size, d_vocab):
    batches = []
    for first in range(0, len(cases), size):
        chunk = cases[first:first + size]
        tokens, last = torch_network.pad([moves for moves, _, _ in chunk])
        legal = torch.zeros(len(chunk), d_vocab, dtype=torch.bool)
        for i, (_, _, moves_legal) in enumerate(chunk):
            legal[i, moves_legal] = True
        batches.append((tokens, last, [squares for _, squares, _ in chunk], legal))
    return batches


def directions(weight, batches):
    """For each batch (cases, squares, d_model): unit vectors, zeros behind a case's last square."""
    out = []
    flat = weight.reshape(weight.shape[0], -1, weight.shape[-1])
    for _, _, squares, _ in batches:
        unit = torch.zeros(len(squares), max(map(len, squares)), weight.shape[0])
        for i, edits in enumerate(squares):
            for j, (square, old, new) in enumerate(edits):
                unit[i, j] = functional.normalize(
                    flat[:, square, new] - flat[:, square, old], dim=0)
        out.append(unit)
    return out


def mean_error(network, batches, units, layer, scale):
    wrong, n = 0, 0
    for (tokens, last, _, legal), unit in zip(batches, units):
        rows = torch.arange(len(tokens))

        def edit(l, x, last=last, unit=unit, rows=rows):
            if l == layer:
                for j in range(unit.shape[1]):
                    row = x[rows, last]
                    x[rows, last] = row + scale * row.norm(dim=1, keepdim=True) * unit[:, j]
            return x

        network.edit = edit
        logits = network.logits(tokens, last)
        # The top N tokens, N of the case: ranks below N.
        rank = logits.argsort(dim=1, descending=True).argsort(dim=1)
        predicted = rank < legal.sum(dim=1, keepdim=True)
        wrong += (predicted != legal).sum().item()
        n += len(tokens)
    return wrong / n


def main():
    model, probe, sheet, threads = sys.argv[1:4] + [int(sys.argv[4])]
    sizes = list(map(int, sys.argv[5:])) or [32, 128, 512]
    torch.set_num_threads(threads)
    torch.set_grad_enabled(False)
    network = EditedNetwork(model)
    weights = torch_network.read_safetensors(probe + "/probe.safetensors")
    cases, plans = read_sheet(sheet)
    d_vocab = network.config["d_vocab"]

    best, batch = None, 0
    for size in sizes:
        batches = make_batches(cases, size, d_vocab)
        units = directions(weights[f"blocks.{plans[0][0]}.hook_resid_post.weight"], batches)
        seconds, _ = torch_network.seconds_of(mean_error, network, batches, units, plans[0][0],
                                              plans[0][1])
        if best is None or seconds < best:
            best, batch = seconds, size

    batches = make_batches(cases, batch, d_vocab)
    by_layer = {layer: directions(weights[f"blocks.{layer}.hook_resid_post.weight"], batches)
                for layer, _, _ in plans}
    seconds, errors = torch_network.seconds_of(
        lambda: [mean_error(network, batches, by_layer[layer], layer, scale)
                 for layer, scale, _ in plans])
    gap = max(abs(error - theirs) for error, (_, _, theirs) in zip(errors, plans))
    print(threads, len(cases), len(plans), batch, f"{seconds:.2f}",
          f"{len(cases) * len(plans) / seconds:.0f}", f"{sum(errors) / len(errors):.6f}",
          f"{gap:.6f}", sep="\t")
    if gap > TOLERANCE:
        print(f"the two programs differ by {gap:.6f} in the mean error of a plan, at most "
              f"{TOLERANCE} expected: they do not make the same edits", file=sys.stderr)
        sys.exit(1)


main()
