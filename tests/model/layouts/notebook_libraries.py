"""Stand-ins for the libraries that docs/NOTEBOOKS.md imports, for machines that lack them.

install() puts small modules with the names of safetensors, transformer_lens, mingpt and
transformers into sys.modules. Each network is written from its library's own conventions, in
PyTorch: torch.nn.Linear and one module a projection for minGPT, Conv1D and a packed c_attn for
GPT-2. Their state dicts have the names that these libraries give, and loading is strict.
"""

import json
import math
import sys
import types
from pathlib import Path

import numpy
import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "tools"))
import notebook_bridge  # noqa: E402
from make_golden_logits import read_safetensors, write_safetensors  # noqa: E402


def load_file(path):
    return {name: torch.tensor(values) for name, values in read_safetensors(Path(path)).items()}


def save_file(tensors, path):
    write_safetensors(Path(path), {name: numpy.ascontiguousarray(value.detach().numpy())
                                   for name, value in tensors.items()})


class HookedTransformerConfig:
    def __init__(self, n_layers, d_model, n_ctx, d_head, n_heads, d_mlp, d_vocab, act_fn,
                 normalization_type, eps, seed):
        assert act_fn == "gelu" and normalization_type == "LN", (act_fn, normalization_type)
        self.sizes = {"n_layers": n_layers, "d_model": d_model, "n_ctx": n_ctx, "d_head": d_head,
                      "n_heads": n_heads, "d_mlp": d_mlp, "d_vocab": d_vocab, "eps": eps}


class HookedTransformer(notebook_bridge.HookedTransformer):
    def __init__(self, cfg):
        super().__init__(cfg.sizes)

    def run_with_cache(self, tokens):
        cache = {}
        handles = [block.register_forward_hook(
            lambda module, inputs, output, name=f"blocks.{layer}.hook_resid_post":
            cache.__setitem__(name, output.detach())) for layer, block in enumerate(self.blocks)]
        with torch.no_grad():
            logits = self(tokens)
        for handle in handles:
            handle.remove()
        return logits, cache


class GPTConfig:
    def __init__(self, vocab_size, block_size, n_layer, n_head, n_embd):
        self.vocab_size, self.block_size, self.n_layer = vocab_size, block_size, n_layer
        self.n_head, self.n_embd = n_head, n_embd


def attention(q, k, v, n_head):
    """Causal attention of (batch, time, width) by heads of neighbouring columns."""
    batch, time, width = q.shape
    q, k, v = (x.view(batch, time, n_head, width // n_head).transpose(1, 2) for x in (q, k, v))
    scores = q @ k.transpose(-2, -1) / math.sqrt(width // n_head)
    scores = scores.masked_fill(torch.ones(time, time).triu(1).bool(), -math.inf)
    return (scores.softmax(-1) @ v).transpose(1, 2).reshape(batch, time, width)


class CausalSelfAttention(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.n_head = c.n_head
        for name in ("key", "query", "value", "proj"):
            setattr(self, name, nn.Linear(c.n_embd, c.n_embd))
        mask = torch.ones(c.block_size, c.block_size).tril()
        self.register_buffer("mask", mask.view(1, 1, c.block_size, c.block_size))

    def forward(self, x):
        return self.proj(attention(self.query(x), self.key(x), self.value(x), self.n_head))


class MinBlock(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.ln1, self.ln2 = nn.LayerNorm(c.n_embd), nn.LayerNorm(c.n_embd)
        self.attn = CausalSelfAttention(c)
        self.mlp = nn.Sequential(nn.Linear(c.n_embd, 4 * c.n_embd), nn.GELU(),
                                 nn.Linear(4 * c.n_embd, c.n_embd))

    def forward(self, x):
        x = x + self.attn(self.ln1(x))
        return x + self.mlp(self.ln2(x))


class GPT(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.tok_emb = nn.Embedding(c.vocab_size, c.n_embd)
        self.pos_emb = nn.Parameter(torch.zeros(1, c.block_size, c.n_embd))
        self.blocks = nn.Sequential(*(MinBlock(c) for _ in range(c.n_layer)))
        self.ln_f = nn.LayerNorm(c.n_embd)
        self.head = nn.Linear(c.n_embd, c.vocab_size, bias=False)

    def forward(self, tokens):
        x = self.tok_emb(tokens) + self.pos_emb[:, :tokens.shape[1]]
        return self.head(self.ln_f(self.blocks(x)))


class Conv1D(nn.Module):
    def __init__(self, n_out, n_in):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(n_in, n_out))
        self.bias = nn.Parameter(torch.zeros(n_out))

    def forward(self, x):
        return x @ self.weight + self.bias


class GPT2Attention(nn.Module):
    def __init__(self, width, n_head):
        super().__init__()
        self.n_head = n_head
        self.c_attn, self.c_proj = Conv1D(3 * width, width), Conv1D(width, width)

    def forward(self, x):
        q, k, v = self.c_attn(x).split(x.shape[-1], dim=-1)
        return self.c_proj(attention(q, k, v, self.n_head))


class GPT2MLP(nn.Module):
    def __init__(self, width, inner):
        super().__init__()
        self.c_fc, self.c_proj = Conv1D(inner, width), Conv1D(width, inner)

    def forward(self, x):
        return self.c_proj(nn.functional.gelu(self.c_fc(x)))


class GPT2Block(nn.Module):
    def __init__(self, c):
        super().__init__()
        width, eps = c["n_embd"], c["layer_norm_epsilon"]
        self.ln_1, self.ln_2 = nn.LayerNorm(width, eps), nn.LayerNorm(width, eps)
        self.attn = GPT2Attention(width, c["n_head"])
        self.mlp = GPT2MLP(width, c["n_inner"])

    def forward(self, x):
        x = x + self.attn(self.ln_1(x))
        return x + self.mlp(self.ln_2(x))


class GPT2LMHeadModel(nn.Module):
    def __init__(self, c):
        super().__init__()
        width = c["n_embd"]
        assert c["model_type"] == "gpt2" and c["architectures"] == ["GPT2LMHeadModel"], c
        assert c["activation_function"] == "gelu" and not c["tie_word_embeddings"], c
        self.transformer = nn.Module()
        self.transformer.wte = nn.Embedding(c["vocab_size"], width)
        self.transformer.wpe = nn.Embedding(c["n_positions"], width)
        self.transformer.h = nn.ModuleList(GPT2Block(c) for _ in range(c["n_layer"]))
        self.transformer.ln_f = nn.LayerNorm(width, c["layer_norm_epsilon"])
        self.lm_head = nn.Linear(width, c["vocab_size"], bias=False)

    @classmethod
    def from_pretrained(cls, directory):
        model = cls(json.loads((Path(directory) / "config.json").read_text()))
        model.load_state_dict(load_file(Path(directory) / "model.safetensors"))
        return model

    def forward(self, tokens):
        x = self.transformer.wte(tokens) + self.transformer.wpe(torch.arange(tokens.shape[1]))
        for block in self.transformer.h:
            x = block(x)
        return self.lm_head(self.transformer.ln_f(x))


def install():
    """The stand-ins, always: what the test compares must not depend on what is installed."""
    contents = {
        "safetensors": {}, "safetensors.torch": {"load_file": load_file, "save_file": save_file},
        "transformer_lens": {"HookedTransformer": HookedTransformer,
                             "HookedTransformerConfig": HookedTransformerConfig},
        "mingpt": {}, "mingpt.model": {"GPT": GPT, "GPTConfig": GPTConfig},
        "transformers": {"GPT2LMHeadModel": GPT2LMHeadModel},
    }
    for name, members in contents.items():
        module = types.ModuleType(name)
        module.__dict__.update(members)
        sys.modules[name] = module
    sys.modules["safetensors"].torch = sys.modules["safetensors.torch"]
    sys.modules["mingpt"].model = sys.modules["mingpt.model"]
