"""The recipe of ogpt sae train --kind batchtopk in PyTorch, for comparison (./dev bench sae).

Usage: torch_sae.py ROWS WIDTH FEATURES K THREADS

Batch-top-k (Bussmann et al. 2024) on rows that lie in memory, shuffled: encoder, the largest K a row of
the whole batch, decoder, squared error, Adam, gradients of the decoder without their part along each row,
rows of length 1 after the step, the moving threshold. Dense products, as the published trainers have them.
One step to warm up, then best of three timings. Prints: threads, rows, seconds, rows/s, GFLOP/s (12 *
WIDTH * FEATURES a row), and what torch.mm itself reaches on 1024^3 in this run.
"""

import math
import sys
import time

import torch

BATCH, BLOCK, REPEATS = 4096, 65536, 3


def train(x, n_steps, features, k, rate):
    torch.manual_seed(1)
    width = x.shape[1]
    w_dec = torch.nn.functional.normalize(torch.randn(features, width), dim=1).requires_grad_()
    w_enc = w_dec.detach().t().contiguous().clone().requires_grad_()
    b_enc = torch.zeros(features, requires_grad=True)
    b_dec = torch.zeros(width, requires_grad=True)
    adam = torch.optim.Adam([w_enc, w_dec, b_enc, b_dec], lr=rate, betas=(0.9, 0.999))
    threshold = torch.tensor(0.0)
    order = torch.randperm(len(x))
    for step in range(n_steps):
        first = step * BATCH % len(x)
        batch = x[order[first:first + BATCH]]
        pre = torch.relu((batch - b_dec) @ w_enc + b_enc)
        kept = torch.topk(pre.flatten(), k * len(batch), sorted=False)
        f = torch.zeros_like(pre).flatten().scatter(0, kept.indices, kept.values).view_as(pre)
        error = (f @ w_dec + b_dec - batch).pow(2).sum(1).mean()
        adam.zero_grad(set_to_none=True)
        error.backward()
        with torch.no_grad():
            w_dec.grad -= (w_dec.grad * w_dec).sum(1, keepdim=True) * w_dec
            adam.step()
            w_dec /= w_dec.norm(dim=1, keepdim=True)
            threshold = 0.99 * threshold + 0.01 * kept.values.min()


def mm_flops_per_second(size=1024, calls=4):
    a, b = torch.rand(size, size), torch.rand(size, size)
    torch.mm(a, b)
    best = math.inf
    for _ in range(REPEATS):
        start = time.perf_counter()
        for _ in range(calls):
            torch.mm(a, b)
        best = min(best, time.perf_counter() - start)
    return 2.0 * size**3 * calls / best


def main():
    rows, width, features, k, threads = map(int, sys.argv[1:6])
    torch.set_num_threads(threads)
    torch.manual_seed(2)
    x = torch.randn(BLOCK, width)
    steps = rows // BATCH
    rate = 2e-4 / math.sqrt(features / 16384)
    train(x, 1, features, k, rate)
    best = math.inf
    for _ in range(REPEATS):
        start = time.perf_counter()
        train(x, steps, features, k, rate)
        best = min(best, time.perf_counter() - start)
    flops = 12.0 * width * features * steps * BATCH / best
    print(threads, steps * BATCH, f"{best:.2f}", f"{steps * BATCH / best:.0f}", f"{flops * 1e-9:.2f}",
          f"{mm_flops_per_second() * 1e-9:.2f}", sep="\t")


if __name__ == "__main__":
    main()
