#!/bin/bash
# tests/tools/gpu.sh - label: slow - the trainer of tools/gpu on the CPU: its games are the program's, it learns,
# goes on after a stop with the same bits, and ogpt reads what it writes and knows its games.
export PYTHONDONTWRITEBYTECODE=1
. "$OGPT_SOURCE/tools/peer_python.sh"
peer_python torch "the trainer of tools/gpu" || exit 77
. "$OGPT_SOURCE/tests/cli/lib_check.sh" || exit 1
gpu=$OGPT_SOURCE/tools/gpu

for size in 6 8; do
    expect 0 generate "g$size.ogpc" --size $size --games 300 --seed 5 --quiet
    expect 0 export "g$size.ogpc" "g$size.txt" --format text --quiet
done
expect 0 generate others.ogpc --size 6 --games 200 --seed 9 --quiet
expect 0 export others.ogpc others.txt --format text --quiet

# One process for all runs, because importing PyTorch takes longer than any of them.
OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 PYTHONPATH=$gpu "$python" - >log 2>&1 <<'END' || fail "$(cat log)"
import os
import optimiser
import torch
import train
from games import RNG_FRESH, GameMaker, Variant

TINY = ("--size 6 --layers 1 --d-model 16 --heads 2 --batch 32 --micro 16 --pool 64 --device cpu "
        "--heldout 64 --lr 0.05 --lr-rest 0.02 --cooldown 0.5 ")


def run(text):
    code = train.main(text.split())
    assert code == 0, text
    return train.main


def weights(folder):
    with open(folder + "/model.safetensors", "rb") as file:
        return file.read()


# Games: as the program makes them, in both ways; another seed makes others.
for size in (6, 8):
    check = f"--size {size} --device cpu --check g{size}.txt --seed "
    for plain in ("", "1"):
        os.environ["PLAIN_GAMES"] = plain
        assert train.main((check + "5").split()) == 0
    assert train.main((check + "6").split()) == 1
os.environ["PLAIN_GAMES"] = ""

# Ten steps lower the loss on held-out games; at a rate of zero they do not.
options = train.read_options((TINY + "--games 320 --seed 3").split())
variant = Variant(6)
net = train.Net(1, 16, 2, variant.n_moves + 1, variant.n_moves - 1, 3, "cpu")
training = train.Training(net, GameMaker(variant, "cpu"), options)
excess = {}
for rate in (0.0, 0.05):
    training.reset(rate, rate, 320)
    before = train.heldout_excess(training, 64)
    train.train(training, lambda: training.step(2), 32, 320, quiet=True)
    assert training.steps.item() == 10
    excess[rate] = before - train.heldout_excess(training, 64)
assert excess[0.0] == 0, excess
assert excess[0.05] > 0.1, excess

# The gradients of a step are checked: right ones pass; one that is missing, or wrong, is named.
error, name = training.gradient_error(lambda: training.step(2), 2)
assert error < 1e-4, (error, name)  # the same sums in another order
rest = net.rest
for what, factor in (("ln1_w", 0.0), ("lnf_b", -3.0)):
    def spoiled(flat):
        parts = rest(flat)
        part = parts[what]
        parts[what] = part * factor + (part * (1 - factor)).detach()
        return parts

    def step():
        net.rest = spoiled
        training.step(2)
        net.rest = rest

    error, name = training.gradient_error(step, 2)
    assert name == what and error > optimiser.GRADIENT_ERROR_MAX, (what, name, error)

# Stopped at half and resumed: the bits of the unbroken run. Its twin: other games.
run(TINY + "--games 320 --seed 3 --out whole")
run(TINY + "--games 320 --seed 3 --out half --stop-at 160 --checkpoint half.pt")
assert weights("half") != weights("whole")
run(TINY + "--games 320 --seed 3 --out resumed --resume half.pt")
assert weights("resumed") == weights("whole")
run(TINY + "--games 320 --seed 4 --out other --resume half.pt")
assert weights("other") != weights("whole")

# A run from that network, on games of its own.
run(TINY + "--games 160 --seed 4 --out later --init-from whole/model.safetensors")

# Its games, those of the run before, and the first ones that it had not.
maker = GameMaker(variant, "cpu")
for name, seed, first, n in (("first", 3, 0, 200), ("second", 4, 0, 160), ("new", 4, 160, 200)):
    with open(name + ".txt", "w") as file:
        for tokens in maker.make(seed, RNG_FRESH, first, n)[0].tolist():
            file.write(variant.text(tokens) + "\n")
END

# What ogpt does with the results.
name_games() { # RUN MODEL [EARLIER]
    "$python" "$gpu/manifest.py" "$@" >said 2>&1
}
for run in whole later; do
    expect 0 convert $run model-$run --from tl --check
    expect 0 import tested.ogpc first.txt second.txt new.txt others.txt --size 6 --force --quiet
    expect 0 eval model-$run --corpus tested.ogpc
    holds "the manifest does not name all training games"
done
name_games whole model-whole || fail "manifest.py: $(cat said)"
name_games later model-later && fail "manifest.py: a run that began as another network, and none was named"
name_games whole model-whole model-later && fail "manifest.py: a run that began with random weights, and another was named"
name_games later model-later model-whole || fail "manifest.py: $(cat said)"
expect 0 verify model-whole model-later
seen() { # MODEL CORPUS GAMES: n_seen of the scored games are among the GAMES of its runs
    expect 0 eval "$1" --corpus "$2" --seen --test-split --json --quiet
    [ "$(json_value remade_games)" = "$3" ] || fail "$1: $3 games expected, found $(json_value remade_games)"
    n_seen=$(json_value seen_games)
}
# A tenth of a corpus is tested: some 20 of the first 200 games, and some 16 of the 160 after them.
seen model-whole tested.ogpc 320
n_first=$n_seen
[ "$n_first" -ge 8 ] && [ "$n_first" -le 40 ] || fail "some 20 seen games expected, found $n_first"
seen model-later tested.ogpc 480
[ "$n_seen" -ge $((n_first + 5)) ] || fail "more than $n_first seen games expected, found $n_seen"
expect 0 import unseen.ogpc new.txt others.txt --size 6 --quiet
seen model-later unseen.ogpc 480
[ "$n_seen" = 0 ] || fail "no seen game expected, found $n_seen"

# A manifest that was changed is refused, by both.
sed -i 's/"games": 320/"games": 321/' model-whole/MANIFEST.json
expect 3 verify model-whole
name_games later model-later model-whole && fail "manifest.py took a changed manifest"
check_end
