#!/bin/bash
# tests/cli/shipped_names.sh - a shipped network is known by its name alone, in any folder; what lies
# here goes first, and no output is taken for one.
. "$OGPT_SOURCE/tests/cli/lib_check.sh" || exit 1

expect 0 verify tiny-6x6
holds "tiny-6x6"
refuse 4 "no-such-net" verify no-such-net

# As installed: PREFIX/bin/ogpt and PREFIX/share/ogpt/models.
mkdir -p prefix/bin prefix/share/ogpt/models
cp "$OGPT" prefix/bin/ogpt
cp -r "$OGPT_SOURCE/datasets/models/tiny-6x6" prefix/share/ogpt/models/six
prefix/bin/ogpt verify six >out 2>err || fail "as installed: six is not found"
holds "$PWD/prefix/share/ogpt/models/six"
"$OGPT" verify six >out 2>err && fail "a network of another installation is found"

# A new network may have the name, and is what the name means from then on.
expect 0 train tiny-6x6 --fresh --size 4 --layers 1 --d-model 16 --heads 1 --batch 8 --steps 1 --quiet
[ -d tiny-6x6/step-00000001 ] || fail "train: tiny-6x6 expected in this folder"
expect 0 convert tiny-6x6 tiny-8x8 --to hf-gpt2 --quiet
[ -d tiny-8x8 ] || fail "convert: tiny-8x8 expected in this folder"
expect 0 train next --fresh --size 4 --layers 1 --d-model 16 --heads 1 --batch 8 --steps 1 --quiet \
    --init-from tiny-6x6
rm -rf tiny-6x6
expect 3 train after --fresh --size 4 --layers 1 --d-model 16 --heads 1 --batch 8 --steps 1 --init-from tiny-6x6
holds "found 8, 128" err # the shipped one, which is of another shape
check_end
