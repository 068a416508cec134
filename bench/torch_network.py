"""The network of a run's folder in PyTorch, for comparisons with programs of bench/.

Pre-LayerNorm GPT. Sequences of a batch have different lengths: they are padded behind their end, which
a causal network does not see, and `last` is the position that is answered. The methods that do
nothing here are what a comparison changes or looks at.
"""

import json
import struct
import time

import torch
from torch.nn import functional


def read_safetensors(path):
    with open(path, "rb") as file:
        size, = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(size))
        data = bytearray(file.read())
    tensors = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        assert entry["dtype"] == "F32", name
        begin, end = entry["data_offsets"]
        tensors[name] = torch.frombuffer(data[begin:end], dtype=torch.float32).view(entry["shape"])
    return tensors


class Network:
    def __init__(self, path):
        with open(path + "/config.json", encoding="utf-8") as file:
            self.config = json.load(file)
        w = read_safetensors(path + "/model.safetensors")
        C = self.config["d_model"]
        self.w, self.blocks = w, []
        for l in range(self.config["n_layers"]):
            b = {k[len(f"blocks.{l}."):]: v for k, v in w.items() if k.startswith(f"blocks.{l}.")}
            # (heads, d_model, d_head) -> (d_model, heads * d_head), Q, K and V side by side.
            qkv = [b[f"attn.W_{n}"].permute(1, 0, 2).reshape(C, C) for n in "QKV"]
            b["qkv"] = torch.cat(qkv, dim=1).contiguous()
            b["b_qkv"] = torch.cat([b[f"attn.b_{n}"].reshape(C) for n in "QKV"])
            b["out"] = b["attn.W_O"].reshape(C, C).contiguous()
            self.blocks.append(b)
        n_ctx = self.config["n_ctx"]
        self.future = torch.ones(n_ctx, n_ctx, dtype=torch.bool).triu(1)

    def norm(self, x, w, b):
        return functional.layer_norm(x, x.shape[-1:], w, b, self.config["eps"])

    def qkv(self, l, x):
        """Queries, keys and values of all heads, side by side: (B * T, 3 C)."""
        b = self.blocks[l]
        return torch.addmm(b["b_qkv"], self.norm(x, b["ln1.w"], b["ln1.b"]).view(-1, x.shape[-1]),
                           b["qkv"])

    def reads(self, receiver, x):
        """The stream that the MLP of a block, ("mlp", l), or the end, ("logits",), reads."""
        return x

    def wrote(self, x):
        """The embeddings, or what an MLP adds."""

    def mixed(self, l, z):
        """What the heads of a block mixed: (B, heads, T, d_head)."""

    def behind(self, l, x):
        """The stream behind a block."""
        return x

    def logits(self, tokens, last):
        B, T = tokens.shape
        NH, HS = self.config["n_heads"], self.config["d_head"]
        x = self.w["embed.W_E"][tokens] + self.w["pos_embed.W_pos"][:T]
        self.wrote(x)
        for l, b in enumerate(self.blocks):
            q, k, v = (y.view(B, T, NH, HS).transpose(1, 2)
                       for y in self.qkv(l, x).split(NH * HS, dim=1))
            scores = (q @ k.transpose(2, 3)) * HS**-0.5
            pattern = scores.masked_fill(self.future[:T, :T], -torch.inf).softmax(dim=-1)
            z = pattern @ v
            self.mixed(l, z)
            z = z.transpose(1, 2).reshape(B * T, NH * HS)
            x = x + torch.addmm(b["attn.b_O"], z, b["out"]).view(B, T, -1)
            h = self.norm(self.reads(("mlp", l), x), b["ln2.w"], b["ln2.b"]).view(B * T, -1)
            h = functional.gelu(torch.addmm(b["mlp.b_in"], h, b["mlp.W_in"]))
            h = torch.addmm(b["mlp.b_out"], h, b["mlp.W_out"]).view(B, T, -1)
            self.wrote(h)
            x = self.behind(l, x + h)
        x = self.reads(("logits",), x)[torch.arange(B), last]
        return self.norm(x, self.w["ln_final.w"], self.w["ln_final.b"]) @ self.w["unembed.W_U"]


def pad(histories):
    """tokens (B, T) and the last position of each (B)."""
    tokens = torch.zeros(len(histories), max(map(len, histories)), dtype=torch.long)
    for i, moves in enumerate(histories):
        tokens[i, :len(moves)] = torch.tensor(moves)
    return tokens, torch.tensor([len(moves) - 1 for moves in histories])


def seconds_of(run, *arguments):
    """How long a call takes, and what it returns."""
    start = time.perf_counter()
    found = run(*arguments)
    return time.perf_counter() - start, found
