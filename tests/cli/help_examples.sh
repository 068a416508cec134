#!/bin/bash
# tests/cli/help_examples.sh - every example of every page of help runs, in the order of `ogpt help`, in one
# folder that was empty. label: slow
#
# Lengths shrink by the table below, so that this takes seconds: options stay, numbers become smaller.
# What cannot run here is named with its reason.
[ "$OGPT_SANITIZED" = 1 ] && { echo "skipped: the build as shipped runs the examples"; exit 77; }
. "$OGPT_SOURCE/tests/cli/lib_check.sh" || exit 1
. "$OGPT_SOURCE/tests/cli/lib_paste.sh" || exit 1

shorter='
ogpt train; --minutes [0-9]+; --steps 1 --d-model 32 --heads 4 --batch 16
ogpt train; --games 200000; --games 16 --d-model 32 --heads 4 --batch 16
ogpt train; --preset tiny;
ogpt eval; --games 1000; --games 20
ogpt eval compare;games.ogpc$;games.ogpc --games 20
ogpt eval; --by-ply; --by-ply --games 20
ogpt probe fit;$; --games 20 --test-games 20
ogpt probe fit;(.*(probe-2|colour|empty|liblinear|mlp).*)$;\1 --no-controls
ogpt probe eval; --test-games 5000; --test-games 20
ogpt probe compare;$; --test-games 20
ogpt probe geometry;$; --games 20 --test-games 20
ogpt activations; --games 5000; --games 20
ogpt activations;test$;test --games 20
ogpt cases make; --n [0-9]+; --n 5
ogpt cases pairs; --n [0-9]+; --n 3
ogpt cases make erase;$; --n 5
ogpt attribute; --games 200; --games 10
ogpt attribute runs;$; --games 10
ogpt scrub; --n 200; --n 8 --lenders 500
ogpt ablate; --games [0-9]+; --games 8 --match own --lending-games 500 --mean-games 64 --draws 5
ogpt heads; --games 200; --games 24 --pass-games 8 --hard-games 2 --random-games 8 --rotations 4
ogpt neurons; --games 200; --games 12 --test-games 6 --plies 3 --use-games 4 --use-plies 2 --ablate 2 --mean-games 40
ogpt lens; --games [0-9]+; --games 16 --plies 2 --rounds 2
ogpt lens; --test-games [0-9]+; --test-games 8
ogpt lens runs;$; --test-games 8
ogpt illusion; --training-pairs [0-9]+;
ogpt illusion; --pairs [0-9]+; --pairs 8 --gram-pairs 4 --training-pairs 16
ogpt steer;$; --tuning-games 3 --alpha 2
ogpt steer; --tuning-games 40; 
ogpt steer;(.*(target|sae|runs|square).*)$;\1 --fit-games 200
ogpt steer; --games [0-9]+; --games 6 --plies 3
ogpt sae train; --activations [0-9]+;
ogpt sae train; --k 8,16,32,64 --seeds 3 --features 512; --k 2,4 --seeds 2
ogpt sae train;$; --activations 3000 --batch 256 --buffer 24 --features 32 --dead-after 1000
ogpt sae eval; --twin-activations [0-9]+;
ogpt sae eval;$; --fit-games 12 --validation-games 4 --test-games 4 --twin-activations 300
ogpt sae compare; --activations [0-9]+;
ogpt sae compare;$; --k 2 --seeds 2 --activations 3000 --batch 256 --buffer 24 --features 32 --dead-after 1000 --fit-games 12 --validation-games 4 --test-games 4 --twin-activations 300
ogpt sae compare; --k 16,32;
ogpt sae features;$; --games 12 --test-games 4 --clamp 2
ogpt ccs;$; --games 6 --test-games 4 --starts 1 --steps 3
ogpt basis; --games [0-9]+; --games 16 --plies 2 --rotations 2
ogpt basis; --cells [0-9]+; --cells 3 --starts 2 --features 3
ogpt world transposition;(tiny-6x6)$;\1 --n 12 --strict-games 4 --history-steps 20 --mistake-games 64
ogpt world transposition; --n 300; --n 8 --strict-games 4 --history-steps 20 --mistake-games 64
ogpt world compression; --states [0-9]+; --states 2 --strict-games 4 --history-steps 20 --mistake-games 64
ogpt world distinction; --states [0-9]+; --states 2 --strict-games 4 --history-steps 20 --mistake-games 64
ogpt world adversary; --games [0-9]+; --games 4 --strict-games 4 --history-steps 20 --mistake-games 64
ogpt world detour;tiny-6x6$;tiny-6x6 --games 4 --strict-games 4 --history-steps 20 --mistake-games 64
ogpt world detour; --games 200; --games 4 --strict-games 4 --history-steps 20 --mistake-games 64
ogpt world inductive-bias;tiny-6x6$;tiny-6x6 --functions 2 --states 30 --trained 8 --steps 2
ogpt world inductive-bias; --functions 10 --states 200 --trained 50; --functions 2 --states 30 --trained 8 --steps 2
ogpt world forget; --games 4096; --games 64 --batch 8 --test-games 6 --fit-games 12 --plies 2 --threads 1
ogpt world forget; --games 0; --games 0 --test-games 6 --fit-games 12 --plies 2
ogpt world align; --games 50; --games 4 --fit-games 4
ogpt train grown;$; --d-model 32 --heads 4 --batch 16
ogpt world emergence; --games 100; --games 20 --fit-games 20 --plies 2
ogpt world grid; --steps 40; --steps 2 --d-model 16 --heads 2 --score-games 8 --planted 2
ogpt world grid; --games 1000,10000 --layers 1,2,4,8 --seeds 3 --steps 3000; --games 200 --layers 1 --d-model 16 --heads 2 --steps 2 --score-games 8
ogpt perft; 1[02]; 7
'
not_here='
ogpt demo; it takes minutes (tests/cli/demo.sh)
'

mkdir empty && cd empty && ln -s "$OGPT_SOURCE/datasets" datasets || exit 1 # as in a clone
commands=$(sed -n 's/^COMMAND(cmd_\(.*\))$/\1/p' "$OGPT_SOURCE/cli/commands/commands.def" | tr _ ' ' |
    sed 's/inductive bias/inductive-bias/')
n_run=0
while read -r command; do
    # shellcheck disable=SC2086
    "$OGPT" help $command | awk '/^examples:/ { on = 1; next } /^$/ { on = 0 } on { sub(/^ +/, ""); print }' \
        >"$work/examples"
    [ -s "$work/examples" ] || fail "ogpt help $command: no examples"
    paste_lines "ogpt help $command" <"$work/examples"
done <<<"$commands"
[ "$n_run" -ge 50 ] || fail "$n_run examples ran, at least 50 expected"
echo "$n_run examples ran"
check_end
