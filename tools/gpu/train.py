#!/usr/bin/env python3
"""Train a network of ogpt with PyTorch on one GPU (or, for tests, on the CPU).

    train.py --check GAMES.txt --seed S      compare the games with `ogpt generate` (text export)
    train.py --until 695 --batch 512 --seed 102 --out run
    train.py --trials 512:0.02,1024:0.03     speed and learning of short whole runs

Game i of a seed is the game that `ogpt train --fresh --seed` makes, and each is trained on once: a
run of N games has seen games 0..N-1 of fresh:SIZE:SEED. README.md has the whole way to a model.
"""

import argparse
import json
import math
import os
import sys
import time
import traceback

import torch

from games import RNG_GENERATE, RNG_HELDOUT, START, GameMaker, Variant, say
from network import Net, plain_attention
from optimiser import Training

FOREVER = 1 << 40  # games of a schedule before its length is known


def heldout_excess(training, n):
    """Loss minus the lowest possible one, nats a move, on n held-out games of the seed, float32."""
    seed = training.options.seed
    games, floors, counts = training.maker.make(seed, RNG_HELDOUT, 0, n)
    precision = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    with torch.no_grad():
        loss = sum(training.net.loss(games[k:k + 512], False, plain_attention)[0].item()
                   for k in range(0, n, 512))
    torch.set_float32_matmul_precision(precision)
    return (loss - floors.double().sum().item()) / counts.double().sum().item()


def write_model(training, seconds, speed, final):
    """The folder that `ogpt convert FOLDER MODEL --from tl` and manifest.py read."""
    options, net = training.options, training.net
    os.makedirs(options.out, exist_ok=True)

    def publish(name, write):
        path = os.path.join(options.out, name)
        write(path + ".tmp")
        os.replace(path + ".tmp", path)

    trained = {"games": int(training.games.item()), "steps": int(training.steps.item()),
               "games_of": f"fresh:{options.size}:{options.seed}", "final": final,
               "seconds": round(seconds, 1), "games_per_second": round(speed),
               "device": torch.cuda.get_device_name() if training.cuda else "cpu",
               "precision": "bf16" if training.cuda else "f32", "torch": torch.__version__}
    for name in ("batch", "lr", "lr_rest", "warmup", "cooldown", "decay", "momentum", "clip",
                 "init_from"):
        trained[name] = getattr(options, name)
    config = {"n_layers": net.L, "d_model": net.C, "n_heads": net.H, "d_head": net.C // net.H,
              "d_mlp": 4 * net.C, "n_ctx": net.T, "d_vocab": net.V, "act_fn": "gelu",
              "normalization_type": "LN", "eps": 1e-5, "seed": options.seed, "trained": trained}

    def write_config(path):
        with open(path, "w", encoding="utf-8") as file:
            json.dump(config, file, indent=1)

    publish("model.safetensors", net.write)
    publish("config.json", write_config)


def speed_of(training, step, batch, n_steps):
    """Games a second."""
    training.sync()
    begin = time.time()
    for _ in range(n_steps):
        step()
    training.sync()
    return n_steps * batch / (time.time() - begin)


class Watch:
    """Progress of a run: speed, lines of the log, and the schedule's end where a time is given."""

    def __init__(self, training, seconds, quiet):
        self.training, self.seconds, self.quiet = training, seconds, quiet
        self.begin = self.last = self.saved = time.time()
        self.last_games = int(training.games.item())
        self.measured = 0.0  # games a second, smoothed

    def look(self, games, total, batch):
        """Print a line; the total, moved along with the measured speed where a time is given. None
        when the loss is no number."""
        training, now = self.training, time.time()
        speed = (games - self.last_games) / max(now - self.last, 1e-9)
        self.measured = 0.7 * self.measured + 0.3 * speed if self.measured else speed
        left = self.seconds - (now - self.begin) if self.seconds else 0
        if left > 8:
            total = max(games + int(left * self.measured) // batch * batch, games + batch)
            training.total.fill_(total)
        loss, floor = training.loss_sum.item(), training.floor_sum.item()
        n = max(training.n_sum.item(), 1)
        if not self.quiet:
            numbers = sum(p.numel() for p in training.net.params())
            flops = 6 * numbers * speed * training.net.T
            say(f"games {games} of {total} loss {loss / n:.4f} excess {(loss - floor) / n:.4f} "
                f"{speed:.0f} games/s {flops / 1e12:.1f} TFLOP/s rate {training.rate.item():.3f} "
                f"norm {training.norm.item():.3f}")
        training.forget_sums()
        self.last, self.last_games = now, games
        if not math.isfinite(loss):
            say("the loss is not finite")
            return None
        return total

    def save(self, games):
        options = self.training.options
        write_model(self.training, time.time() - self.begin, self.measured, False)
        if options.checkpoint:
            self.training.save(options.checkpoint)
        say(f"saved; held-out excess {heldout_excess(self.training, options.heldout // 4):.4f}")
        self.saved = self.last = time.time()
        self.last_games = games


def train(training, step, batch, total, seconds=None, quiet=False):
    """Train until the schedule is done, after `total` games; with `seconds` the total is moved so
    that this is then. Returns games a second, None when the loss is no number."""
    options = training.options
    watch = Watch(training, seconds, quiet)
    games = first = watch.last_games
    marks = []
    training.fill(games // options.pool * options.pool)
    while games < (min(total, options.stop_at) if options.stop_at else total):
        if games % options.pool == 0 and games:
            training.fill(games)
        step()
        games += batch
        if training.cuda and games // batch % 32 == 0:  # at most 96 steps ahead of the GPU
            mark = torch.cuda.Event()
            mark.record()
            marks.append(mark)
            if len(marks) > 2:
                marks.pop(0).synchronize()
        if time.time() - watch.last >= options.log_every or games >= total:
            training.sync()
            total = watch.look(games, total, batch)
            if total is None:
                return None
            if seconds and time.time() - watch.begin > seconds + 12:
                say("out of time before the schedule's end")
                break
            if not quiet and time.time() - watch.saved >= options.save_every and games < total:
                watch.save(games)
    training.sync()
    return (games - first) / max(time.time() - watch.begin, 1e-9)


def run_trials(training, options):
    """Whole runs of options.trial_seconds, each with its schedule."""
    table = []
    for spec in options.trials.split(","):
        try:
            part = spec.split(":")
            batch, lr = int(part[0]), float(part[1])
            lr_rest = float(part[2]) if len(part) > 2 else lr / 10
            training.reset(lr, lr_rest, FOREVER)
            step = training.stepper(batch)
            speed = speed_of(training, step, batch, 30 if training.cuda else 2)
            total = max(2, int(options.trial_seconds * speed / batch)) * batch
            training.reset(lr, lr_rest, total)
            train(training, step, batch, total, quiet=True)
            table.append(f"batch {batch:5d} lr {lr:.3f} rest {lr_rest:.4f}: {speed:8.0f} games/s, "
                         f"{total} games, held-out excess {heldout_excess(training, 2048):.4f}")
            say(table[-1])
        except Exception:
            say(spec, "failed:", traceback.format_exc()[-1500:])
    print("\n".join(["TRIALS"] + table), flush=True)


def check_games(maker, options):
    """Whether game i of the seed is line i of a text export; the exit code."""
    with open(options.check, encoding="ascii") as file:
        want = [line.strip().lower().replace(" ", "") for line in file if line.strip()]
    have = maker.make(options.seed, options.check_purpose, 0, len(want))[0].tolist()
    bad = sum(maker.variant.text(tokens) != text for tokens, text in zip(have, want))
    say(f"{len(want)} games, {bad} differ ({'games.cu' if maker.library else 'PyTorch'})")
    return int(bad != 0 or not want)


def print_device(training):
    """What the GPU can do: games and matrix products."""
    say(torch.cuda.get_device_name(), torch.__version__)
    training.fill(0)
    training.sync()
    begin = time.time()
    training.fill(0)
    training.sync()
    say(f"games made at {training.options.pool / (time.time() - begin) / 1e6:.2f} million/s")
    x = torch.randn(8192, 8192, device=training.device).bfloat16()
    for n in (3, 10):
        begin = time.time()
        for _ in range(n):
            x @ x
        training.sync()
    say(f"bf16 product of 8192: {n * 2 * 8192 ** 3 / (time.time() - begin) / 1e12:.0f} TFLOP/s")


def parser():
    p = argparse.ArgumentParser(description=__doc__,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--out", default="gpu-model", help="folder of the trained network")
    p.add_argument("--size", type=int, default=8, choices=(4, 6, 8), help="of the board")
    p.add_argument("--layers", type=int, default=8)
    p.add_argument("--d-model", type=int, default=128)
    p.add_argument("--heads", type=int, default=8)
    p.add_argument("--batch", type=int, default=512, help="games of one step")
    p.add_argument("--micro", type=int, help="games of one pass (512, or a smaller batch)")
    p.add_argument("--games", type=int, help="games of the run; or give --minutes or --until")
    p.add_argument("--minutes", type=float)
    p.add_argument("--until", type=float, help="seconds after the start of the program")
    p.add_argument("--stop-at", type=int, metavar="GAMES",
                   help="stop after this many games; --resume goes on with the same schedule")
    p.add_argument("--lr", type=float, default=0.02, help="of Muon")
    p.add_argument("--lr-rest", type=float, default=0.002, help="of AdamW")
    p.add_argument("--decay", type=float, default=0.01)
    p.add_argument("--momentum", type=float, default=0.95)
    p.add_argument("--clip", type=float, default=1.0)
    p.add_argument("--warmup", type=float, default=0.01, help="share of the games")
    p.add_argument("--cooldown", type=float, default=0.9, help="share of the games")
    p.add_argument("--seed", type=int, default=101, help="of the games and the first weights")
    p.add_argument("--init-from", default="", metavar="SAFETENSORS")
    p.add_argument("--checkpoint", metavar="FILE")
    p.add_argument("--resume", metavar="FILE")
    p.add_argument("--device", choices=("cuda", "cpu"))
    p.add_argument("--pool", type=int, default=262144, help="games made at once")
    p.add_argument("--heldout", type=int, default=4096, help="games of the last measurement")
    p.add_argument("--save-every", type=float, default=60.0, metavar="SECONDS")
    p.add_argument("--log-every", type=float, default=5.0, metavar="SECONDS")
    p.add_argument("--trials", metavar="BATCH:LR[:LR_REST],...")
    p.add_argument("--trial-seconds", type=float, default=15.0)
    p.add_argument("--check", metavar="TEXT")
    p.add_argument("--check-purpose", type=int, default=RNG_GENERATE, help="of base/rng.h")
    return p


def read_options(arguments):
    p = parser()
    options = p.parse_args(arguments)
    options.micro = options.micro or min(512, options.batch)
    if options.batch % options.micro or options.pool % options.batch:
        p.error("--batch must be a multiple of --micro, and --pool of --batch")
    if not (options.check or options.trials or options.games or options.minutes or options.until):
        p.error("how long? --games, --minutes or --until")
    return options


def run(training, options):
    """One training run, from its schedule to the written model; the exit code."""
    training.reset(options.lr, options.lr_rest, FOREVER)
    step = training.stepper(options.batch)
    speed = speed_of(training, step, options.batch, 60 if training.cuda else 2)
    say(f"{speed:.0f} games/s")
    training.reset(options.lr, options.lr_rest, FOREVER)
    if options.resume:
        training.restore(options.resume)
    seconds = None
    total = (options.games or 0) // options.batch * options.batch
    if not total:
        seconds = options.until - (time.time() - START) if options.until else options.minutes * 60
        total = int(training.games.item()) + int(seconds * speed) // options.batch * options.batch
    training.total.fill_(total)
    begin = time.time()
    speed = train(training, step, options.batch, total, seconds)
    if speed is None:
        return 1
    games = int(training.games.item())
    if options.checkpoint:
        training.save(options.checkpoint)
    write_model(training, time.time() - begin, speed, games >= training.total.item())
    say(f"held-out excess {heldout_excess(training, options.heldout):.4f} games {games} steps "
        f"{int(training.steps.item())} {time.time() - begin:.0f} s {speed:.0f} games/s")
    return 0


def main(arguments=None):
    options = read_options(arguments)
    device = options.device or ("cuda" if torch.cuda.is_available() else "cpu")
    variant = Variant(options.size)
    maker = GameMaker(variant, device)
    if options.check:
        return check_games(maker, options)
    if device == "cuda":
        torch.set_float32_matmul_precision("high")
        torch.backends.cuda.matmul.allow_bf16_reduced_precision_reduction = False
    net = Net(options.layers, options.d_model, options.heads, variant.n_moves + 1,
              variant.n_moves - 1, options.seed, device)
    training = Training(net, maker, options)
    training.fill(0)
    if training.cuda:
        print_device(training)
    training.reset(options.lr, options.lr_rest, FOREVER)
    training.prepare()
    say("ready")
    if options.trials:
        run_trials(training, options)
        return 0
    return run(training, options)


if __name__ == "__main__":
    sys.exit(main())
