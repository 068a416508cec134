"""One training step: Muon for the matrices inside blocks, AdamW for the rest (num/optimisers/optim.h), and a
schedule over the games: a warm-up, then a level rate, then a straight line to zero.

A step changes tensors on the device only, counters and learning rates among them. So the whole step
(forward, backward, optimiser, schedule, choice of games) can be captured as one CUDA graph.
"""

import math
import os
import sys
import traceback

import torch

from games import RNG_FRESH, say
from network import plain_attention

# A gradient that is missing is off by 1, relative to what it should be; products in bfloat16 make
# some hundredths.
GRADIENT_ERROR_MAX = 0.5


# num/optimisers/optim.c has the same.
ROUNDS = ((8.3007, -24.0375, 17.4662), (4.0034, -2.9228, 0.5419), (3.4709, -2.5494, 0.5002),
          (2.4901, -1.8343, 0.4368))


def newton_schulz(x, half):
    """(n, rows, columns), rows <= columns -> about orthogonal, by four rounds of quintics (Amsel et
    al. 2025) from x over the square root of its Gram matrix's norm."""
    if half:
        x = x.bfloat16()
    for i, (a, b, c) in enumerate(ROUNDS):
        gram = torch.bmm(x, x.transpose(1, 2))
        if i == 0:
            norm = gram.float().flatten(1).norm(dim=1).sqrt()
            factor = (1 / (norm + 1e-7))[:, None, None]
            x, gram = (x * factor).to(x.dtype), (gram * factor * factor).to(x.dtype)
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x.float()


class Training:
    """A network, its games, the memory of the optimisers, counters and schedule.

    options: pool (games made at once), micro (games of one pass; a batch is a multiple of it),
    seed, init_from, warmup and cooldown (shares of all games), clip, momentum, decay.
    """

    def __init__(self, net, maker, options):
        self.net, self.maker, self.options = net, maker, options
        self.device, self.cuda = net.device, net.device == "cuda"

        def number(dtype=torch.float32):
            return torch.zeros((), device=self.device, dtype=dtype)

        self.momentum = [torch.zeros_like(mat) for mat in net.mats]  # of Muon
        self.mean, self.square = torch.zeros_like(net.flat), torch.zeros_like(net.flat)  # of AdamW
        self.steps, self.games, self.total = (number(torch.float64), number(torch.int64),
                                              number(torch.float64))
        self.lr, self.lr_rest, self.rate, self.norm = number(), number(), number(), number()
        self.loss_sum, self.floor_sum, self.n_sum = (number(torch.float64) for _ in range(3))
        self.pool = maker.room(options.pool)
        self.rows = torch.arange(options.micro, device=self.device)
        self.losses = lambda games: net.loss(games, self.cuda)
        self.graph = None

    def state(self):
        """All that a checkpoint holds; a resumed run goes on with the same bits on one machine."""
        return [*self.net.params(), *self.momentum, self.mean, self.square, self.steps, self.games,
                self.total, self.lr, self.lr_rest]

    @torch.no_grad()
    def reset(self, lr, lr_rest, total):
        self.net.start(self.options.seed)
        if self.options.init_from:
            self.net.read(self.options.init_from)
        for x in (*self.momentum, self.mean, self.square, self.steps, self.games):
            x.zero_()
        self.forget_sums()
        self.total.fill_(total)
        self.lr.fill_(lr)
        self.lr_rest.fill_(lr_rest)

    def forget_sums(self):
        for x in (self.loss_sum, self.floor_sum, self.n_sum):
            x.zero_()

    def save(self, path):
        torch.save([x.detach().cpu() for x in self.state()], path + ".tmp")
        os.replace(path + ".tmp", path)

    @torch.no_grad()
    def restore(self, path):
        for x, kept in zip(self.state(), torch.load(path)):
            x.copy_(kept)

    def fill(self, first):
        """Make games first.. of the seed into the pool."""
        self.maker.make(self.options.seed, RNG_FRESH, first, self.options.pool, self.pool)

    def step(self, micros):
        """One step over `micros` passes of options.micro games each."""
        grads = None
        micro = self.options.micro
        at = torch.remainder(self.games, self.options.pool)
        for j in range(micros):
            rows = at + j * micro + self.rows
            loss, n = self.losses(self.pool[0].index_select(0, rows))
            parts = torch.autograd.grad(loss / (n * micros), self.net.params())
            with torch.no_grad():
                self.loss_sum += loss.detach()
                self.n_sum += n
                self.floor_sum += self.pool[1].index_select(0, rows).sum()
                parts = [x.float() for x in parts]
                grads = parts if grads is None else [x + y for x, y in zip(grads, parts)]
        with torch.no_grad():
            self.update(grads, micros * micro)

    def schedule(self, batch):
        """The share of the learning rates for the step over the next `batch` games."""
        options, games = self.options, self.games.double()
        warm = options.warmup * self.total + batch
        left = (self.total - games) / (options.cooldown * self.total)
        return torch.minimum(torch.clamp((games + batch) / warm, max=1.0),
                             torch.clamp(left, min=0.0)).float()

    def update(self, grads, batch):
        options, net = self.options, self.net
        norm = torch.sqrt(sum(g.square().sum() for g in grads))
        scale = torch.clamp(options.clip / (norm + 1e-12), max=1.0)
        self.norm.copy_(norm)
        rate = self.schedule(batch)
        self.rate.copy_(rate)
        self.steps += 1
        self.games += batch
        self.update_matrices([g * scale for g in grads[:4]], self.lr * rate)
        g = grads[4] * scale
        self.mean.mul_(0.9).add_(g, alpha=0.1)
        self.square.mul_(0.95).addcmul_(g, g, value=0.05)
        mean = self.mean * (1 / (1 - 0.9 ** self.steps)).float()
        square = self.square * (1 / (1 - 0.95 ** self.steps)).float()
        decay = options.decay * net.decay_mask * net.flat
        net.flat.sub_(self.lr_rest * rate * (mean / (torch.sqrt(square) + 1e-8) + decay))

    def update_matrices(self, grads, lr):
        """Muon with Nesterov momentum. Q, K, V and O of all layers are orthogonalised together; so
        are the two matrices of all MLPs, of which the wider one steps twice as far."""
        options, net = self.options, self.net
        L, C = net.L, net.C
        moves = []
        for momentum, g in zip(self.momentum, grads):
            momentum.mul_(options.momentum).add_(g)
            moves.append(g.add_(momentum, alpha=options.momentum))
        qkv, w_o, w_in, w_out = moves
        square = torch.cat((qkv.view(L, C, 3, C).permute(0, 2, 1, 3).reshape(3 * L, C, C), w_o))
        square = newton_schulz(square, self.cuda)
        wide = newton_schulz(torch.cat((w_in, w_out.transpose(1, 2))), self.cuda)
        moves = (square[:3 * L].view(L, 3, C, C).permute(0, 2, 1, 3).reshape(L, C, 3 * C),
                 square[3 * L:], wide[:L] * 2.0, wide[L:].transpose(1, 2))
        for mat, move in zip(net.mats, moves):
            mat.sub_(lr * (move + options.decay * mat))

    def sync(self):
        if self.cuda:
            torch.cuda.synchronize()

    def prepare(self):
        """On a GPU: choose the fastest way to compute the loss that works and agrees with float32:
        compiled with the Triton attention, compiled, the Triton attention alone, plain."""
        self.ways = iter(())
        if not self.cuda:
            return
        fast = None
        if not os.environ.get("PLAIN_ATTENTION"):
            try:
                import attention
                attention.check(self.options.micro, self.net.T, self.net.H, self.net.C,
                                plain_attention, say)
                fast = lambda qkv, B, T, H: torch.ops.ogpt.attention(qkv, T, H)
            except Exception:
                say("Triton attention failed:", traceback.format_exc()[-1500:])
        ways = [("compiled, Triton attention", fast, True), ("compiled", plain_attention, True),
                ("Triton attention", fast, False), ("plain", plain_attention, False)]
        self.ways = iter([(name, way, compiled) for name, way, compiled in ways
                          if way and not (compiled and os.environ.get("NO_COMPILE"))])
        self.next_way()

    def next_way(self):
        for name, way, compiled in self.ways:
            if self.try_way(name, way, compiled):
                return
        sys.exit("no way of training works")

    @torch.no_grad()
    def gradients(self):
        """The gradient of each tensor, as the first step leaves it in the optimisers' memory."""
        parts = dict(zip(("W_QKV", "W_O", "W_in", "W_out"), self.momentum))
        parts.update(self.net.rest(self.mean))
        return {name: part.clone() for name, part in parts.items()}

    def gradient_error(self, step, micros):
        """(largest relative error, its tensor): the gradients of one `step` at the first weights,
        against float32 with plain attention. Leaves the training reset."""
        losses, precision = self.losses, torch.get_float32_matmul_precision()
        found = []
        for exact in (False, True):
            self.reset(0, 0, 1 << 40)
            if exact:
                self.losses = lambda games: self.net.loss(games, False, plain_attention)
                torch.set_float32_matmul_precision("highest")
                self.step(micros)
            else:
                step()
            found.append(self.gradients())
        self.losses = losses
        torch.set_float32_matmul_precision(precision)
        self.reset(0, 0, 1 << 40)
        have, want = found
        errors = {name: ((have[name] - want[name]).norm() / want[name].norm()).item()
                  for name in want}
        worst = max(errors, key=lambda name: math.inf if math.isnan(errors[name]) else errors[name])
        return errors[worst], worst

    def try_way(self, name, way, compiled):
        net, games = self.net, self.pool[0][:self.options.micro]
        net.attention = way
        losses = lambda chosen: net.loss(chosen, True)
        losses = torch.compile(losses, dynamic=False) if compiled else losses
        try:
            for _ in range(3):
                loss, n = losses(games)
                grads = torch.autograd.grad(loss / n, net.params())
            torch.cuda.synchronize()
            with torch.no_grad():
                want, m = net.loss(games[:256], False, plain_attention)
                have, k = net.loss(games[:256], True, way)
            error = abs((have / k - want / m).item())
            say(f"{name}: loss {(loss / n).item():.5f}, of 256 games differs from float32 by "
                f"{error:.5f}")
            if error >= 0.01 or not all(torch.isfinite(x).all() for x in grads):
                raise RuntimeError("the loss is off")
            self.losses = losses
            return True
        except Exception:
            say(name, "failed:", traceback.format_exc()[-1500:])
            return False

    def stepper(self, batch):
        """A function that does one step over `batch` games: the replay of a CUDA graph, where one
        can be had. Its gradients are compared with exact ones before it is used; where they are
        wrong, the next way is tried. Making it trains: call reset() afterwards."""
        micros = batch // self.options.micro

        def plain():
            self.step(micros)

        while True:
            for step in (self.captured(micros), plain):
                if step is None:
                    continue
                error, name = self.gradient_error(step, micros)
                kind = "step" if step is plain else "CUDA graph"
                say(f"{kind}: the gradient that is off most is that of {name}, by {error:.4f}")
                if error < GRADIENT_ERROR_MAX:
                    return step
            self.next_way()

    def captured(self, micros):
        """The step as the replay of a CUDA graph, or None."""
        self.graph = None
        if not self.cuda or os.environ.get("NO_GRAPH"):
            return None
        try:
            side = torch.cuda.Stream()
            side.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(side):
                for _ in range(3):
                    self.step(micros)
            torch.cuda.current_stream().wait_stream(side)
            torch.cuda.synchronize()
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph):
                self.step(micros)
            torch.cuda.synchronize()
            self.graph = graph  # keeps its memory
            return graph.replay
        except Exception:
            say("no CUDA graph:", traceback.format_exc()[-1500:])
            torch.cuda.synchronize()
            return None
