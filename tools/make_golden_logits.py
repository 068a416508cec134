"""An independent implementation of the network, and the reference logits it gives.

Usage: make_golden_logits.py DIR           write the reference files into DIR
       make_golden_logits.py --check DIR   make them again and compare; exit 1 when they differ

The network is design.md section 5 written from its words, in PyTorch, double precision: GPT-2
blocks with LayerNorm before each part, causal attention, exact GELU, learned positions, an
untied head. Weights are drawn N(0, 0.3), biases included, LayerNorm weights 1 + N(0, 0.3): with
the small weights of a fresh network a wrong GELU would hide below the tolerance. The first
positions and half of the tokens have their embeddings scaled by 0.02, so that the first
LayerNorm meets rows of variance about 1e-4, where an eps of 1e-6 instead of 1e-5 shows.

Written: model.safetensors, config.json (TransformerLens's names and shapes), tokens.npy, and
logits.npy with three wrong twins: logits_tanh.npy (GELU by tanh), logits_eps.npy (eps 1e-6),
logits_heads.npy (heads 0 and 1 exchanged before the output projection).
"""

import json
import math
import struct
import sys
import tempfile
from pathlib import Path

import numpy
import torch

CONFIG = {"n_layers": 3, "d_model": 32, "n_heads": 4, "d_head": 8, "d_mlp": 128, "n_ctx": 31,
          "d_vocab": 33, "act_fn": "gelu", "normalization_type": "LN", "eps": 1e-5, "seed": 1}
N_GAMES = 4
STD = 0.3
SMALL_SCALE, SMALL_POSITIONS, SMALL_TOKENS = 0.02, 8, 16


def tensor_shapes(c):
    """Names and shapes as TransformerLens has them, in the order of the file."""
    heads, width, head = c["n_heads"], c["d_model"], c["d_head"]
    shapes = {"embed.W_E": (c["d_vocab"], width), "pos_embed.W_pos": (c["n_ctx"], width)}
    for layer in range(c["n_layers"]):
        block = {"ln1.w": (width,), "ln1.b": (width,)}
        for letter in "QKV":
            block[f"attn.W_{letter}"] = (heads, width, head)
        block["attn.W_O"] = (heads, head, width)
        for letter in "QKV":
            block[f"attn.b_{letter}"] = (heads, head)
        block.update({"attn.b_O": (width,), "ln2.w": (width,), "ln2.b": (width,),
                      "mlp.W_in": (width, c["d_mlp"]), "mlp.b_in": (c["d_mlp"],),
                      "mlp.W_out": (c["d_mlp"], width), "mlp.b_out": (width,)})
        shapes.update({f"blocks.{layer}.{name}": shape for name, shape in block.items()})
    shapes.update({"ln_final.w": (width,), "ln_final.b": (width,),
                   "unembed.W_U": (width, c["d_vocab"]), "unembed.b_U": (c["d_vocab"],)})
    return shapes


def draw_weights(c):
    """float32 arrays; NumPy's legacy generator gives the same numbers in every version."""
    generator = numpy.random.RandomState(c["seed"])
    weights = {}
    for name, shape in tensor_shapes(c).items():
        values = STD * generator.standard_normal(shape)
        if name.endswith((".ln1.w", ".ln2.w")) or name == "ln_final.w":
            values += 1
        weights[name] = values.astype("<f4")
    weights["embed.W_E"][:SMALL_TOKENS] *= numpy.float32(SMALL_SCALE)
    weights["pos_embed.W_pos"][:SMALL_POSITIONS] *= numpy.float32(SMALL_SCALE)
    return weights


def draw_tokens(c):
    """Rows of distinct tokens 1..32, each starting with small ones; the last row ends in pads."""
    generator = numpy.random.RandomState(c["seed"] + 1)
    rows = []
    for _ in range(N_GAMES):
        small = generator.permutation(numpy.arange(1, SMALL_TOKENS))
        large = generator.permutation(numpy.arange(SMALL_TOKENS, c["d_vocab"]))
        head, rest = small[:SMALL_POSITIONS], numpy.append(small[SMALL_POSITIONS:], large)
        rows.append(numpy.append(head, generator.permutation(rest))[:c["n_ctx"]])
    tokens = numpy.array(rows, dtype="|u1")
    tokens[-1, -5:] = 0
    return tokens


def layer_norm(x, w, b, eps):
    mean = x.mean(-1, keepdim=True)
    variance = ((x - mean) ** 2).mean(-1, keepdim=True)
    return (x - mean) / torch.sqrt(variance + eps) * w + b


def gelu_exact(x):
    return x * 0.5 * (1 + torch.erf(x / math.sqrt(2)))


def gelu_tanh(x):
    return 0.5 * x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


def forward(c, weights, tokens, gelu=gelu_exact, eps=None, exchange_heads=False):
    w = {name: torch.from_numpy(values.astype("f8")) for name, values in weights.items()}
    eps = c["eps"] if eps is None else eps
    length = tokens.shape[1]
    future = torch.ones(length, length, dtype=torch.bool).triu(1)
    x = w["embed.W_E"][torch.from_numpy(tokens.astype("i8"))] + w["pos_embed.W_pos"][:length]
    for layer in range(c["n_layers"]):
        p = {name[len(f"blocks.{layer}."):]: values for name, values in w.items()
             if name.startswith(f"blocks.{layer}.")}
        normed = layer_norm(x, p["ln1.w"], p["ln1.b"], eps)
        q, k, v = (torch.einsum("btc,hcd->bhtd", normed, p[f"attn.W_{letter}"])
                   + p[f"attn.b_{letter}"][:, None] for letter in "QKV")
        scores = torch.einsum("bhqd,bhkd->bhqk", q, k) / math.sqrt(c["d_head"])
        pattern = scores.masked_fill(future, -math.inf).softmax(-1)
        z = torch.einsum("bhqk,bhkd->bhqd", pattern, v)
        if exchange_heads:
            z = z[:, [1, 0, 2, 3]]
        x = x + torch.einsum("bhtd,hdc->btc", z, p["attn.W_O"]) + p["attn.b_O"]
        normed = layer_norm(x, p["ln2.w"], p["ln2.b"], eps)
        x = x + gelu(normed @ p["mlp.W_in"] + p["mlp.b_in"]) @ p["mlp.W_out"] + p["mlp.b_out"]
    x = layer_norm(x, w["ln_final.w"], w["ln_final.b"], eps)
    return (x @ w["unembed.W_U"] + w["unembed.b_U"]).numpy().astype("<f4")


def write_safetensors(path, weights):
    """u64 header length, JSON header padded to 8 bytes, the bytes of all tensors."""
    header, offset = {}, 0
    for name, values in weights.items():
        header[name] = {"dtype": "F32", "shape": list(values.shape),
                        "data_offsets": [offset, offset + values.nbytes]}
        offset += values.nbytes
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    data = b"".join(values.tobytes() for values in weights.values())
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def read_safetensors(path):
    data = path.read_bytes()
    (length,) = struct.unpack_from("<Q", data)
    header = json.loads(data[8:8 + length])
    header.pop("__metadata__", None)
    return {name: numpy.frombuffer(data, "<f4", math.prod(entry["shape"]),
                                   8 + length + entry["data_offsets"][0]).reshape(entry["shape"])
            for name, entry in header.items()}


def write_all(directory):
    weights, tokens = draw_weights(CONFIG), draw_tokens(CONFIG)
    directory.mkdir(parents=True, exist_ok=True)
    write_safetensors(directory / "model.safetensors", weights)
    (directory / "config.json").write_text(json.dumps(CONFIG, indent=2) + "\n")
    numpy.save(directory / "tokens.npy", tokens)
    numpy.save(directory / "logits.npy", forward(CONFIG, weights, tokens))
    numpy.save(directory / "logits_tanh.npy", forward(CONFIG, weights, tokens, gelu=gelu_tanh))
    numpy.save(directory / "logits_eps.npy", forward(CONFIG, weights, tokens, eps=1e-6))
    numpy.save(directory / "logits_heads.npy",
               forward(CONFIG, weights, tokens, exchange_heads=True))


def check_all(directory):
    """Weights and tokens must be the same bytes; logits may differ by the order of the sums in
    double precision, at most one unit in the last place of a float of their size (1e-5)."""
    n_findings = 0
    with tempfile.TemporaryDirectory() as fresh:
        write_all(Path(fresh))
        for path in sorted(Path(fresh).iterdir()):
            stored = directory / path.name
            if path.name.startswith("logits"):
                difference = numpy.abs(numpy.load(path) - numpy.load(stored)).max()
                same = bool(difference <= 1e-5)
                detail = f"largest difference {difference:.3g}"
            else:
                same = path.read_bytes() == stored.read_bytes()
                detail = "bytes compared"
            n_findings += not same
            print(f"{path.name}: {'same' if same else 'DIFFERS'} ({detail})")
    return 1 if n_findings else 0


if __name__ == "__main__":
    if len(sys.argv) == 3 and sys.argv[1] == "--check":
        sys.exit(check_all(Path(sys.argv[2])))
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    write_all(Path(sys.argv[1]))
