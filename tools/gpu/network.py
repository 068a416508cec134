"""The network of model/tensors.def in PyTorch, laid out for few large operations, and its files.

Legend: B games, T positions of a game, C width, H heads, L layers, V tokens.
"""

import json
import math
import struct

import torch
import torch.nn.functional as F


class Embed(torch.autograd.Function):
    """Rows of a table. The gradient is a matrix product: a scatter of so many rows onto 61 would
    queue at the atomic additions."""

    @staticmethod
    def forward(ctx, table, ids):
        ctx.save_for_backward(ids)
        ctx.rows = table.shape[0]
        return table[ids]

    @staticmethod
    def backward(ctx, grad):
        ids, = ctx.saved_tensors
        grad = grad.reshape(-1, grad.shape[-1])
        kind = torch.bfloat16 if grad.is_cuda else grad.dtype
        rows = torch.arange((ctx.rows + 7) // 8 * 8, device=grad.device)
        hot = (rows[:, None] == ids.reshape(1, -1)).to(kind)
        return (hot @ grad.to(kind)).to(grad.dtype)[:ctx.rows], None


def plain_attention(qkv, B, T, H):
    """qkv (B*T, 3*C) -> (B*T, C): causal attention of every head."""
    C = qkv.shape[1] // 3
    q, k, v = qkv.view(B, T, 3, H, C // H).permute(2, 0, 3, 1, 4)
    if hasattr(F, "scaled_dot_product_attention"):
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True)
    else:
        later = torch.ones(T, T, dtype=torch.bool, device=qkv.device).triu(1)
        scores = ((q @ k.transpose(-1, -2)) / math.sqrt(C // H)).masked_fill(later, float("-inf"))
        mixed = scores.softmax(-1) @ v
    return mixed.transpose(1, 2).reshape(B * T, C)


class Net:
    """Weights: `mats`, four stacks of matrices (Q, K and V side by side; O; in; out), which Muon
    trains, and `flat`, one vector of everything else, which AdamW trains."""

    def __init__(self, L, C, H, V, T, seed, device):
        self.L, self.C, self.H, self.V, self.T, self.device = L, C, H, V, T, device
        self.attention = plain_attention
        self.rest_shapes = [
            ("W_E", (V, C)), ("W_U", (C, V)), ("W_pos", (T, C)),
            ("ln1_w", (L, C)), ("ln1_b", (L, C)), ("ln2_w", (L, C)), ("ln2_b", (L, C)),
            ("lnf_w", (C,)), ("lnf_b", (C,)),
            ("b_QKV", (L, 3 * C)), ("b_O", (L, C)), ("b_in", (L, 4 * C)), ("b_out", (L, C))]
        self.sizes = [math.prod(shape) for _, shape in self.rest_shapes]
        shapes = [(L, C, 3 * C), (L, C, C), (L, C, 4 * C), (L, 4 * C, C)]
        self.flat = torch.zeros(sum(self.sizes), device=device, requires_grad=True)
        self.mats = [torch.zeros(shape, device=device, requires_grad=True) for shape in shapes]
        self.decay_mask = torch.zeros(sum(self.sizes), device=device)
        self.decay_mask[:self.sizes[0] + self.sizes[1]] = 1  # W_E and W_U
        self.start(seed)

    def params(self):
        return self.mats + [self.flat]

    def rest(self, flat):
        """The parts of the flat vector by name."""
        parts = torch.split(flat, self.sizes)
        return {name: part.view(shape) for (name, shape), part in zip(self.rest_shapes, parts)}

    @torch.no_grad()
    def start(self, seed):
        """Random weights as model/tensors.def draws them (other numbers, the same distribution)."""
        generator = torch.Generator().manual_seed(seed)

        def normal(shape, std=0.02):
            return torch.randn(*shape, generator=generator) * std

        residual = 0.02 / math.sqrt(2 * self.L)
        self.flat.zero_()
        w = self.rest(self.flat)
        for name in ("W_E", "W_pos", "W_U"):
            w[name].copy_(normal(w[name].shape))
        for name in ("ln1_w", "ln2_w", "lnf_w"):
            w[name].fill_(1)
        for mat, std in zip(self.mats, (0.02, residual, 0.02, residual)):
            mat.copy_(normal(mat.shape, std))

    def logits(self, ids, half, attention=None):
        """ids (B, T) -> (B*T, V rounded up to 8) float; the columns past V mean nothing. half:
        products inside blocks in bfloat16."""
        attention = attention or self.attention
        B, T = ids.shape
        C = self.C

        def low(t):
            return t.bfloat16() if half else t

        w = self.rest(self.flat)
        w_qkv, w_o, w_in, w_out = (low(mat).unbind(0) for mat in self.mats)
        b_qkv, b_o, b_in, b_out = (low(w[k]).unbind(0) for k in ("b_QKV", "b_O", "b_in", "b_out"))
        ln = {k: w[k].unbind(0) for k in ("ln1_w", "ln1_b", "ln2_w", "ln2_b")}
        x = (Embed.apply(w["W_E"], ids) + w["W_pos"][:T]).reshape(B * T, C)
        for i in range(self.L):
            h = low(F.layer_norm(x, (C,), ln["ln1_w"][i], ln["ln1_b"][i], 1e-5))
            mixed = attention(torch.addmm(b_qkv[i], h, w_qkv[i]), B, T, self.H)
            x = x + torch.addmm(b_o[i], mixed, w_o[i])
            h = low(F.layer_norm(x, (C,), ln["ln2_w"][i], ln["ln2_b"][i], 1e-5))
            h = F.gelu(torch.addmm(b_in[i], h, w_in[i]))
            x = x + torch.addmm(b_out[i], h, w_out[i])
        h = F.layer_norm(x, (C,), w["lnf_w"], w["lnf_b"], 1e-5)
        return h @ F.pad(w["W_U"], (0, -self.V % 8))

    def loss(self, games, half, attention=None):
        """games (B, moves) uint8 -> sum of the cross-entropy of the moves from the second on, and
        how many they are."""
        ids = games.long()
        x, y = ids[:, :-1], ids[:, 1:].reshape(-1)
        z = self.logits(x, half, attention)[:, :self.V]
        there = y != 0
        entropy = torch.logsumexp(z, 1) - z.gather(1, y[:, None])[:, 0]
        return torch.where(there, entropy, torch.zeros_like(entropy)).sum(), there.sum().float()

    def tensors(self):
        """(name in the file, view of the weights) of all tensors but the bias of the unembedding,
        which is zero: copying into a view reads it."""
        L, C, H = self.L, self.C, self.H
        w = self.rest(self.flat.detach())
        qkv, w_o, w_in, w_out = (mat.detach() for mat in self.mats)
        yield from (("embed.W_E", w["W_E"]), ("pos_embed.W_pos", w["W_pos"]),
                    ("ln_final.w", w["lnf_w"]), ("ln_final.b", w["lnf_b"]),
                    ("unembed.W_U", w["W_U"]))
        for i in range(L):
            block = f"blocks.{i}."
            for ln in ("ln1", "ln2"):
                yield block + ln + ".w", w[ln + "_w"][i]
                yield block + ln + ".b", w[ln + "_b"][i]
            for j, letter in enumerate("QKV"):
                part = slice(j * C, (j + 1) * C)
                yield (block + "attn.W_" + letter,
                       qkv[i][:, part].unflatten(1, (H, C // H)).permute(1, 0, 2))
                yield block + "attn.b_" + letter, w["b_QKV"][i][part].view(H, C // H)
            yield block + "attn.W_O", w_o[i].view(H, C // H, C)
            yield block + "attn.b_O", w["b_O"][i]
            yield block + "mlp.W_in", w_in[i]
            yield block + "mlp.b_in", w["b_in"][i]
            yield block + "mlp.W_out", w_out[i]
            yield block + "mlp.b_out", w["b_out"][i]

    def write(self, path):
        """safetensors with TransformerLens's names and shapes."""
        tensors = {name: view.float().cpu().contiguous() for name, view in self.tensors()}
        tensors["unembed.b_U"] = torch.zeros(self.V)
        write_safetensors(path, tensors)

    def read(self, path):
        tensors = read_safetensors(path)
        if "unembed.b_U" in tensors and tensors["unembed.b_U"].any():
            raise ValueError(f"{path}: unembed.b_U is not zero: this trainer has no such bias")
        for name, view in self.tensors():
            view.copy_(tensors[name])


def read_safetensors(path):
    with open(path, "rb") as file:
        raw = file.read()
    n = struct.unpack("<Q", raw[:8])[0]
    kinds = {"F32": torch.float32, "F16": torch.float16}
    out = {}
    for name, entry in json.loads(raw[8:8 + n]).items():
        if name != "__metadata__":
            first, end = entry["data_offsets"]
            data = bytearray(raw[8 + n + first:8 + n + end])
            tensor = torch.frombuffer(data, dtype=kinds[entry["dtype"]])
            out[name] = tensor.reshape(entry["shape"]).float()
    return out


def write_safetensors(path, tensors):
    head, data, at = {}, [], 0
    for name in sorted(tensors):
        raw = tensors[name].numpy().tobytes()
        head[name] = {"dtype": "F32", "shape": list(tensors[name].shape),
                      "data_offsets": [at, at + len(raw)]}
        at += len(raw)
        data.append(raw)
    text = json.dumps(head).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + b"".join(data))
