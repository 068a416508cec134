"""Edges patched one at a time in PyTorch, without a cache, for comparison (./dev bench patch).

Usage: torch_patch.py MODEL SHEET SCOPE THREADS EDGES [BATCH...]

Reads the network from its safetensors file, and pairs and sums of effects from the sheet that
bench_patch wrote. Both runs of all pairs are done once and what every sender wrote is kept. Then
each of EDGES edges, spread evenly over all of them, is patched: every pair runs through the whole
network in batches of equal length, and the receiver reads the stream plus the difference of what
the sender wrote (SCOPE last: at the last position). Each BATCH size is tried on one edge, and the
edges are timed once with the fastest. Prints tab-separated: threads, pairs, edges, batch, seconds,
edges/s (times pairs), and the largest difference of an edge's sum of effects from the sheet's; ends
with status 1 when that is above TOLERANCE.
"""

import json
import struct
import sys
import time

import torch
from torch.nn import functional

# Two programs add in different orders: float rounding of a Delta of some units, times the pairs.
TOLERANCE = 0.01


def read_safetensors(path):
    with open(path, "rb") as file:
        size, = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(size))
        data = bytearray(file.read())
    tensors = {}
    for name, entry in header.items():
        if name != "__metadata__":
            begin, end = entry["data_offsets"]
            tensors[name] = torch.frombuffer(data[begin:end], dtype=torch.float32).view(
                entry["shape"])
    return tensors


class Network:
    """Pre-LayerNorm GPT. `senders` collects what each part wrote; `patch` = (receiver, difference)
    adds a difference to what one receiver reads."""

    def __init__(self, path):
        with open(path + "/config.json", encoding="utf-8") as file:
            self.config = json.load(file)
        w = read_safetensors(path + "/model.safetensors")
        C = self.config["d_model"]
        self.w, self.blocks = w, []
        for l in range(self.config["n_layers"]):
            b = {k[len(f"blocks.{l}."):]: v for k, v in w.items() if k.startswith(f"blocks.{l}.")}
            for n in "QKV":  # (heads, d_model, d_head) -> (d_model, heads * d_head)
                b[n] = b[f"attn.W_{n}"].permute(1, 0, 2).reshape(C, C).contiguous()
                b["b" + n] = b[f"attn.b_{n}"].reshape(C)
            b["out"] = b["attn.W_O"].reshape(C, C).contiguous()
            self.blocks.append(b)
        n_ctx = self.config["n_ctx"]
        self.future = torch.ones(n_ctx, n_ctx, dtype=torch.bool).triu(1)

    def norm(self, x, w, b):
        return functional.layer_norm(x, x.shape[-1:], w, b, self.config["eps"])

    def project(self, b, l, channel, x, patch):
        """Queries, keys or values of all heads; those of one head read another stream."""
        h = self.norm(x, b["ln1.w"], b["ln1.b"])
        out = torch.addmm(b["b" + channel], h.view(-1, h.shape[-1]), b[channel]).view(x.shape)
        if patch and patch[0][:2] == (channel, l):
            HS = self.config["d_head"]
            part = slice(patch[0][2] * HS, (patch[0][2] + 1) * HS)
            h = self.norm(x + patch[1], b["ln1.w"], b["ln1.b"])
            out[:, :, part] = h @ b[channel][:, part] + b["b" + channel][part]
        return out

    def logits(self, tokens, patch=None, senders=None):
        B, T = tokens.shape
        NH, HS = self.config["n_heads"], self.config["d_head"]
        x = self.w["embed.W_E"][tokens] + self.w["pos_embed.W_pos"][:T]
        if senders is not None:
            senders.append(x)
        for l, b in enumerate(self.blocks):
            q, k, v = (self.project(b, l, c, x, patch).view(B, T, NH, HS).transpose(1, 2)
                       for c in "QKV")
            scores = (q @ k.transpose(2, 3)) * HS**-0.5
            pattern = scores.masked_fill(self.future[:T, :T], -torch.inf).softmax(dim=-1)
            z = pattern @ v
            if senders is not None:
                senders += [z[:, h] @ b["attn.W_O"][h] for h in range(NH)]
            z = z.transpose(1, 2).reshape(B * T, NH * HS)
            x = x + torch.addmm(b["attn.b_O"], z, b["out"]).view(B, T, -1)
            read = x + patch[1] if patch and patch[0] == ("mlp", l, 0) else x
            h = self.norm(read, b["ln2.w"], b["ln2.b"]).view(B * T, -1)
            h = functional.gelu(torch.addmm(b["mlp.b_in"], h, b["mlp.W_in"]))
            h = torch.addmm(b["mlp.b_out"], h, b["mlp.W_out"]).view(B, T, -1)
            if senders is not None:
                senders.append(h)
            x = x + h
        x = x[:, -1]
        if patch and patch[0][0] == "logits":
            x = x + patch[1][:, -1]
        return self.norm(x, self.w["ln_final.w"], self.w["ln_final.b"]) @ self.w["unembed.W_U"]


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
    """Batches of one length with the base Deltas and what each sender adds, as (senders, B, T, C)."""
    batches = []
    first = 0
    while first < len(pairs):
        end = first
        while end < len(pairs) and end < first + size and len(pairs[end][0]) == len(pairs[first][0]):
            end += 1
        chunk = pairs[first:end]
        clean, corrupt = (torch.tensor([pair[i] for pair in chunk]) for i in (0, 1))
        weights = torch.tensor([pair[2] for pair in chunk])
        here, other = [], []
        base = (network.logits(clean, senders=here) * weights).sum(dim=1)
        network.logits(corrupt, senders=other)
        diff = torch.stack(other) - torch.stack(here)
        if scope == "last":
            diff[:, :, :-1] = 0
        batches.append((clean, weights, base, diff))
        first = end
    return batches


def list_edges(config):
    """(receiver, sender) in the order of graph_edge (probes/graph/graph.h)."""
    H = config["n_heads"]
    edges = []
    for l in range(config["n_layers"]):
        below = 1 + l * (H + 1)
        edges += [((c, l, h), s) for c in "QKV" for h in range(H) for s in range(below)]
        edges += [(("mlp", l, 0), s) for s in range(below + H)]
    return edges + [(("logits", 0, 0), s) for s in range(1 + config["n_layers"] * (H + 1))]


def effect(network, batches, edge):
    receiver, sender = edge
    return sum(((network.logits(tokens, (receiver, diff[sender])) * weights).sum(dim=1) - base)
               .sum().item() for tokens, weights, base, diff in batches)


def main():
    model, sheet, scope = sys.argv[1:4]
    threads, n_edges = map(int, sys.argv[4:6])
    sizes = list(map(int, sys.argv[6:])) or [8, 32, 128]
    torch.set_num_threads(threads)
    torch.set_grad_enabled(False)
    network = Network(model)
    pairs, sums = read_sheet(sheet)
    edges = list_edges(network.config)
    assert len(edges) == len(sums)
    chosen = range(0, len(edges), max(1, len(edges) // n_edges))

    best, size = None, 0
    for candidate in sizes:
        batches = make_batches(network, pairs, candidate, scope)
        start = time.perf_counter()
        effect(network, batches, edges[0])
        seconds = time.perf_counter() - start
        if best is None or seconds < best:
            best, size = seconds, candidate
    batches = make_batches(network, pairs, size, scope)
    start = time.perf_counter()
    found = [effect(network, batches, edges[e]) for e in chosen]
    seconds = time.perf_counter() - start
    gap = max(abs(a - sums[e]) for a, e in zip(found, chosen))
    print(threads, len(pairs), len(found), size, f"{seconds:.2f}",
          f"{len(pairs) * len(found) / seconds:.0f}", f"{gap:.6f}", sep="\t")
    if gap > TOLERANCE:
        print(f"the two programs differ by {gap:.6f} in the sum of effects of an edge, at most "
              f"{TOLERANCE} expected: they do not patch the same edges", file=sys.stderr)
        sys.exit(1)


main()
