"""Edges patched one at a time in PyTorch, without a cache, for comparison (./dev bench patch).

Usage: torch_patch.py MODEL SHEET SCOPE EDGES

Reads the network from its safetensors file, and pairs and sums of effects from the sheet that
bench_patch wrote. Both runs of all pairs are done once and what every sender wrote is kept. Then
each of EDGES edges, spread evenly over all of them, is patched: every pair runs through the whole
network in batches sorted by length and padded to their longest, and the receiver reads the stream
plus the difference of what the sender wrote (SCOPE last: at the last position). Every batch size and
number of threads is tried on one edge, and the edges are timed once with the fastest. Prints
tab-separated: threads, pairs, edges, batch, seconds, edges/s (times pairs), and the largest
difference of an edge's sum of effects from the sheet's; ends with status 1 when that is above
TOLERANCE.
"""

import sys

import torch
import torch_network

SIZES = (16, 64)
THREADS = (1, 2)
# Two programs add in different orders: float rounding of a Delta of some units, times the pairs.
TOLERANCE = 0.01


class PatchedNetwork(torch_network.Network):
    """`patch` = (receiver, difference) adds a difference to what one receiver reads: ("Q", l, h),
    ("mlp", l) or ("logits",). `senders`, a list, collects what each part writes."""

    patch, senders = None, None

    def qkv(self, l, x):
        out = super().qkv(l, x)
        if self.patch and self.patch[0][1:2] == (l,) and self.patch[0][0] != "mlp":
            channel, _, head = self.patch[0]
            b, HS, C = self.blocks[l], self.config["d_head"], x.shape[-1]
            first = "QKV".index(channel) * C + head * HS
            part = slice(first, first + HS)
            h = self.norm(x + self.patch[1], b["ln1.w"], b["ln1.b"]).view(-1, C)
            out[:, part] = torch.addmm(b["b_qkv"][part], h, b["qkv"][:, part])
        return out

    def reads(self, receiver, x):
        return x + self.patch[1] if self.patch and self.patch[0] == receiver else x

    def wrote(self, x):
        if self.senders is not None:
            self.senders.append(x)

    def mixed(self, l, z):
        if self.senders is not None:
            W_O = self.blocks[l]["attn.W_O"]
            self.senders += [z[:, h] @ W_O[h] for h in range(z.shape[1])]

    def outputs(self, tokens, last):
        """What every sender writes, (senders, B, T, C), and the logits."""
        self.patch, self.senders = None, []
        logits = self.logits(tokens, last)
        outputs, self.senders = torch.stack(self.senders), None
        return outputs, logits


def read_sheet(path):
    pairs, sums = [], []
    with open(path, encoding="utf-8") as file:
        for line in file:
            kind, rest = line.split(" ", 1)
            if kind == "edge":
                sums.append(float(rest))
                continue
            clean, corrupt, weights = rest.split("|")[1:]
            pairs.append((list(map(int, clean.split())), list(map(int, corrupt.split())),
                          list(map(float, weights.split()))))
    pairs.sort(key=lambda pair: len(pair[0]))
    return pairs, sums


def make_batches(network, pairs, size, scope):
    """Batches with the base Deltas and what each sender adds, as (senders, B, T, C)."""
    batches = []
    for first in range(0, len(pairs), size):
        chunk = pairs[first:first + size]
        clean, last = torch_network.pad([pair[0] for pair in chunk])
        corrupt, _ = torch_network.pad([pair[1] for pair in chunk])
        weights = torch.tensor([pair[2] for pair in chunk])
        here, logits = network.outputs(clean, last)
        other, _ = network.outputs(corrupt, last)
        diff = other - here
        if scope == "last":
            diff *= (torch.arange(clean.shape[1]) == last[:, None])[None, :, :, None]
        batches.append((clean, last, weights, (logits * weights).sum(dim=1), diff))
    return batches


def list_edges(config):
    """(receiver, sender) in the order of graph_edge (probes/graph/graph.h)."""
    H = config["n_heads"]
    edges = []
    for l in range(config["n_layers"]):
        below = 1 + l * (H + 1)
        edges += [((c, l, h), s) for c in "QKV" for h in range(H) for s in range(below)]
        edges += [(("mlp", l), s) for s in range(below + H)]
    return edges + [(("logits",), s) for s in range(1 + config["n_layers"] * (H + 1))]


def effect(network, batches, edge):
    receiver, sender = edge
    total = 0.0
    for tokens, last, weights, base, diff in batches:
        network.patch = (receiver, diff[sender])
        total += ((network.logits(tokens, last) * weights).sum(dim=1) - base).sum().item()
    return total


def main():
    model, sheet, scope = sys.argv[1:4]
    n_edges = int(sys.argv[4])
    torch.set_grad_enabled(False)
    network = PatchedNetwork(model)
    pairs, sums = read_sheet(sheet)
    edges = list_edges(network.config)
    assert len(edges) == len(sums)
    chosen = [e * len(edges) // n_edges for e in range(n_edges)]

    settings = []
    for size in SIZES:
        batches = make_batches(network, pairs, size, scope)
        for threads in THREADS:
            torch.set_num_threads(threads)
            seconds, _ = torch_network.seconds_of(effect, network, batches, edges[chosen[-1]])
            settings.append((seconds, size, threads))
    _, size, threads = min(settings)
    torch.set_num_threads(threads)
    batches = make_batches(network, pairs, size, scope)
    seconds, found = torch_network.seconds_of(
        lambda: [effect(network, batches, edges[e]) for e in chosen])
    gap = max(abs(a - sums[e]) for a, e in zip(found, chosen))
    print(threads, len(pairs), len(found), size, f"{seconds:.2f}",
          f"{len(pairs) * len(found) / seconds:.0f}", f"{gap:.6f}", sep="\t")
    if gap > TOLERANCE:
        print(f"the two programs differ by {gap:.6f} in the sum of effects of an edge, at most "
              f"{TOLERANCE} expected: they do not patch the same edges", file=sys.stderr)
        sys.exit(1)


main()
