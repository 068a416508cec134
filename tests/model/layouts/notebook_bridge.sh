#!/bin/bash
# label: slow - A network class with TransformerLens's names opens our model directories (requires PyTorch).
set -euo pipefail
export PYTHONDONTWRITEBYTECODE=1
. "$OGPT_SOURCE/tools/peer_python.sh"
peer_python torch "the notebook's network" || exit 77
work=$(mktemp -d "${TMPDIR:-/tmp}/ogpt-bridge-XXXXXX")
trap 'rm -rf "$work"' EXIT

# A model that ogpt itself wrote, beside the golden one.
"$OGPT" train "$work/run" --fresh --size 4 --preset nano --steps 2 --batch 8 --seed 1 --quiet \
    --store "$work/store.db" >"$work/train.txt"
model=$(find "$work/run" -maxdepth 1 -type d -name 'step-*' | sort | tail -n 1)
"$python" "$OGPT_SOURCE/tests/model/layouts/notebook_bridge.py" "$OGPT_SOURCE/tests/model/golden" "$model"
