"""Causal attention for at most 64 positions in Triton, one program a head of a game, each way.

The operator takes Q, K and V as one matrix (games * positions, 3 * width), as the product before it
leaves them, and returns (games * positions, width), as the product after it reads them. Nothing is
moved in memory in between. A whole head fits in registers, so the backward pass computes the
attention weights again instead of storing them.
"""

import torch
import triton
import triton.language as tl

BLOCK = 64  # positions, padded to a power of two
WARPS = {"forward": 4, "backward": 4}  # check() chooses the faster of two


@triton.jit
def forward_kernel(qkv, out, T, scale, C: tl.constexpr, H: tl.constexpr, D: tl.constexpr,
                   BT: tl.constexpr):
    pid = tl.program_id(0).to(tl.int64)
    game = pid // H
    head = pid % H
    t = tl.arange(0, BT)
    d = tl.arange(0, D)
    inside = (t < T)[:, None]
    at = qkv + (game * T + t)[:, None] * (3 * C) + head * D + d[None, :]
    q = tl.load(at, mask=inside, other=0.0)
    k = tl.load(at + C, mask=inside, other=0.0)
    v = tl.load(at + 2 * C, mask=inside, other=0.0)
    s = tl.dot(q, tl.trans(k)) * scale
    s = tl.where(t[:, None] >= t[None, :], s, -1e30)
    p = tl.exp(s - tl.max(s, 1)[:, None])
    p = p / tl.sum(p, 1)[:, None]
    o = tl.dot(p.to(v.dtype), v)
    there = out + (game * T + t)[:, None] * C + head * D + d[None, :]
    tl.store(there, o.to(out.dtype.element_ty), mask=inside)


@triton.jit
def backward_kernel(qkv, grad, dqkv, T, scale, C: tl.constexpr, H: tl.constexpr, D: tl.constexpr,
                    BT: tl.constexpr):
    pid = tl.program_id(0).to(tl.int64)
    game = pid // H
    head = pid % H
    t = tl.arange(0, BT)
    d = tl.arange(0, D)
    inside = (t < T)[:, None]
    at = (game * T + t)[:, None] * (3 * C) + head * D + d[None, :]
    q = tl.load(qkv + at, mask=inside, other=0.0)
    k = tl.load(qkv + at + C, mask=inside, other=0.0)
    v = tl.load(qkv + at + 2 * C, mask=inside, other=0.0)
    g = tl.load(grad + (game * T + t)[:, None] * C + head * D + d[None, :], mask=inside, other=0.0)
    s = tl.dot(q, tl.trans(k)) * scale
    s = tl.where(t[:, None] >= t[None, :], s, -1e30)
    p = tl.exp(s - tl.max(s, 1)[:, None])
    p = p / tl.sum(p, 1)[:, None]
    dp = tl.dot(g, tl.trans(v))
    ds = p * (dp - tl.sum(p * dp, 1)[:, None]) * scale
    ds = ds.to(q.dtype)
    dv = tl.dot(tl.trans(p.to(q.dtype)), g)
    dq = tl.dot(ds, k)
    dk = tl.dot(tl.trans(ds), q)
    out = dqkv.dtype.element_ty
    tl.store(dqkv + at, dq.to(out), mask=inside)
    tl.store(dqkv + at + C, dk.to(out), mask=inside)
    tl.store(dqkv + at + 2 * C, dv.to(out), mask=inside)


@torch.library.custom_op("ogpt::attention", mutates_args=())
def attention(qkv: torch.Tensor, T: int, H: int) -> torch.Tensor:
    qkv = qkv.contiguous()
    N, C = qkv.shape[0], qkv.shape[1] // 3
    out = torch.empty(N, C, dtype=qkv.dtype, device=qkv.device)
    forward_kernel[(N // T * H,)](qkv, out, T, (C // H) ** -0.5, C, H, C // H, BLOCK,
                                  num_warps=WARPS["forward"])
    return out


@attention.register_fake
def _(qkv, T, H):
    return torch.empty(qkv.shape[0], qkv.shape[1] // 3, dtype=qkv.dtype, device=qkv.device)


@torch.library.custom_op("ogpt::attention_backward", mutates_args=())
def attention_backward(qkv: torch.Tensor, grad: torch.Tensor, T: int, H: int) -> torch.Tensor:
    qkv, grad = qkv.contiguous(), grad.contiguous()
    N, C = qkv.shape[0], qkv.shape[1] // 3
    out = torch.empty(N, 3 * C, dtype=qkv.dtype, device=qkv.device)
    backward_kernel[(N // T * H,)](qkv, grad, out, T, (C // H) ** -0.5, C, H, C // H, BLOCK,
                                   num_warps=WARPS["backward"])
    return out


@attention_backward.register_fake
def _(qkv, grad, T, H):
    return torch.empty(qkv.shape[0], qkv.shape[1], dtype=qkv.dtype, device=qkv.device)


def _setup(ctx, inputs, output):
    ctx.save_for_backward(inputs[0])
    ctx.T, ctx.H = inputs[1], inputs[2]


def _backward(ctx, grad):
    return torch.ops.ogpt.attention_backward(ctx.saved_tensors[0], grad, ctx.T, ctx.H), None, None


attention.register_autograd(_backward, setup_context=_setup)


def microseconds(work):
    """The time of one call, as the mean over 20."""
    for _ in range(3):
        work()
    begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
    torch.cuda.synchronize()
    begin.record()
    for _ in range(20):
        work()
    end.record()
    torch.cuda.synchronize()
    return begin.elapsed_time(end) / 20 * 1000


def relative_error(have, want):
    return ((have.float() - want).norm() / want.norm()).item()


def check(B, T, H, C, plain, say):
    """Refuse shapes that the kernels cannot do, compare them with `plain` in float32, choose the
    faster number of warps, and print the times of both."""
    head = C // H
    if T > BLOCK or head < 16 or head & (head - 1):
        raise RuntimeError("not a shape for this kernel")
    x = torch.randn(B * T, 3 * C, device="cuda", dtype=torch.bfloat16, requires_grad=True)
    grad = torch.randn(B * T, C, device="cuda", dtype=torch.bfloat16)
    have = torch.ops.ogpt.attention(x, T, H)
    have_grad, = torch.autograd.grad(have, x, grad)
    exact = x.detach().float().requires_grad_(True)
    want = plain(exact, B, T, H)
    want_grad, = torch.autograd.grad(want, exact, grad.float())
    errors = relative_error(have, want), relative_error(have_grad, want_grad)
    if not (errors[0] < 0.01 and errors[1] < 0.015):
        raise RuntimeError(f"attention differs: {errors}")

    ways = {"forward": lambda: torch.ops.ogpt.attention(x, T, H),
            "backward": lambda: torch.ops.ogpt.attention_backward(x, grad, T, H)}
    ours = {}
    with torch.no_grad():
        for name, way in ways.items():
            times = {}
            for WARPS[name] in (4, 2):
                times[WARPS[name]] = microseconds(way)
            WARPS[name] = min(times, key=times.get)
            ours[name] = times[WARPS[name]]
    mixed = plain(x, B, T, H)
    theirs = {"forward": microseconds(lambda: plain(x, B, T, H)),
              "backward": microseconds(
                  lambda: torch.autograd.grad(mixed, x, grad, retain_graph=True))}
    for name in ways:
        say(f"attention of {B} games, {name}: {ours[name]:.0f} us with {WARPS[name]} warps "
            f"(PyTorch {theirs[name]:.0f})")
    say(f"attention differs from float32 by {errors[0]:.4f} (forward), {errors[1]:.4f} (backward)")
