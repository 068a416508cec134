"""Do our files open in the notebooks people have? Usage: notebook_bridge.py GOLDEN_DIR [MODEL_DIR]

A minimal hooked transformer in PyTorch whose parameters and buffers carry TransformerLens's
names loads model.safetensors with load_state_dict(strict=False): nothing unexpected, and only
the buffers *.mask and *.IGNORE missing. On GOLDEN_DIR its logits equal the stored ones, and a
wrong name is noticed. MODEL_DIR is a model directory that ogpt itself wrote: its names, shapes
and config.json fit too, and its logits are finite.
"""

import json
import math
import sys
from pathlib import Path

import numpy
import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "tools"))
from make_golden_logits import read_safetensors  # noqa: E402

# Both sides compute in float32 with other orders of summation; test_golden.c says why 1e-4.
TOLERANCE = 1e-4


def zeros(*shape):
    return nn.Parameter(torch.zeros(*shape))


class LayerNorm(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.eps, self.w, self.b = c["eps"], zeros(c["d_model"]), zeros(c["d_model"])

    def forward(self, x):
        return nn.functional.layer_norm(x, self.w.shape, self.w, self.b, self.eps)


class Attention(nn.Module):
    def __init__(self, c):
        super().__init__()
        heads, width, head = c["n_heads"], c["d_model"], c["d_head"]
        for letter in "QKV":
            setattr(self, f"W_{letter}", zeros(heads, width, head))
            setattr(self, f"b_{letter}", zeros(heads, head))
        self.W_O, self.b_O = zeros(heads, head, width), zeros(width)
        self.scale = math.sqrt(head)
        self.register_buffer("mask", torch.ones(c["n_ctx"], c["n_ctx"]).tril().bool())
        self.register_buffer("IGNORE", torch.tensor(-math.inf))

    def forward(self, x):
        q, k, v = (torch.einsum("bpm,imh->bpih", x, getattr(self, f"W_{letter}"))
                   + getattr(self, f"b_{letter}") for letter in "QKV")
        scores = torch.einsum("bqih,bkih->biqk", q, k) / self.scale
        mask = self.mask[:x.shape[1], :x.shape[1]]
        pattern = torch.where(mask, scores, self.IGNORE).softmax(-1)
        z = torch.einsum("biqk,bkih->bqih", pattern, v)
        return torch.einsum("bqih,ihm->bqm", z, self.W_O) + self.b_O


class MLP(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.W_in, self.b_in = zeros(c["d_model"], c["d_mlp"]), zeros(c["d_mlp"])
        self.W_out, self.b_out = zeros(c["d_mlp"], c["d_model"]), zeros(c["d_model"])

    def forward(self, x):
        return nn.functional.gelu(x @ self.W_in + self.b_in) @ self.W_out + self.b_out


class Block(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.ln1, self.attn, self.ln2, self.mlp = LayerNorm(c), Attention(c), LayerNorm(c), MLP(c)

    def forward(self, x):
        x = x + self.attn(self.ln1(x))
        return x + self.mlp(self.ln2(x))


class HookedTransformer(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.embed, self.pos_embed, self.unembed = nn.Module(), nn.Module(), nn.Module()
        self.embed.W_E = zeros(c["d_vocab"], c["d_model"])
        self.pos_embed.W_pos = zeros(c["n_ctx"], c["d_model"])
        self.blocks = nn.ModuleList(Block(c) for _ in range(c["n_layers"]))
        self.ln_final = LayerNorm(c)
        self.unembed.W_U, self.unembed.b_U = zeros(c["d_model"], c["d_vocab"]), zeros(c["d_vocab"])

    def forward(self, tokens):
        x = self.embed.W_E[tokens] + self.pos_embed.W_pos[:tokens.shape[1]]
        for block in self.blocks:
            x = block(x)
        return self.ln_final(x) @ self.unembed.W_U + self.unembed.b_U


def wrong_names(keys):
    """What load_state_dict reports, without the buffers that files never have."""
    missing = [name for name in keys.missing_keys if not name.endswith((".mask", ".IGNORE"))]
    return missing + list(keys.unexpected_keys)


def state_dict_of(directory):
    return {name: torch.tensor(values)
            for name, values in read_safetensors(directory / "model.safetensors").items()}


def open_model(directory):
    config = json.loads((directory / "config.json").read_text())
    config.pop("ogpt", None)
    assert config["act_fn"] == "gelu" and config["normalization_type"] == "LN", config
    model = HookedTransformer(config)
    wrong = wrong_names(model.load_state_dict(state_dict_of(directory), strict=False))
    assert not wrong, f"{directory}: names that do not fit: {wrong}"
    return model


def check_golden(directory):
    model = open_model(directory)
    tokens = torch.from_numpy(numpy.load(directory / "tokens.npy").astype("i8"))
    with torch.no_grad():
        logits = model(tokens).numpy()
    difference = numpy.abs(logits - numpy.load(directory / "logits.npy")).max()
    print(f"golden model: largest difference of logits {difference:.2g}")
    assert difference <= TOLERANCE
    # Negative twins: a renamed tensor is reported, a wrong reference is not accepted.
    state = state_dict_of(directory)
    state["blocks.0.attn.W_q"] = state.pop("blocks.0.attn.W_Q")
    assert len(wrong_names(model.load_state_dict(state, strict=False))) == 2
    assert numpy.abs(logits - numpy.load(directory / "logits_tanh.npy")).max() > TOLERANCE


def check_written(directory):
    model = open_model(directory)
    assert not model.unembed.b_U.any(), "unembed.b_U: expected zeros"
    with torch.no_grad():
        logits = model(torch.tensor([[1, 2, 3]]))
    assert torch.isfinite(logits).all() and logits.std() > 0
    print(f"{directory.name}: every name and shape fits")


if __name__ == "__main__":
    check_golden(Path(sys.argv[1]))
    if len(sys.argv) > 2:
        check_written(Path(sys.argv[2]))
