#!/bin/bash
# The Python of docs/NOTEBOOKS.md, run with PyTorch on a model and a probe made here.
# label: slow
set -euo pipefail
export PYTHONDONTWRITEBYTECODE=1
. "$OGPT_SOURCE/tools/peer_python.sh"
peer_python torch "the document's Python" || exit 77
work=$(mktemp -d "${TMPDIR:-/tmp}/ogpt-notebooks-XXXXXX")
trap 'rm -rf "$work"' EXIT
cd "$work"

# Six layers, because the document reads layer 5; trained until a wrong matrix shows in the logits.
"$OGPT" generate games.ogpc --games 300 --quiet >/dev/null
"$OGPT" train run --corpus games.ogpc --layers 6 --d-model 32 --heads 4 --steps 60 --batch 16 --lr 0.02 \
    --quiet >/dev/null
mv run/step-00000060 model
"$OGPT" probe fit model --corpus games.ogpc --out probe --layers 5 --games 100 --test-games 20 \
    --no-controls --quiet >/dev/null
"$OGPT" sae train model --corpus games.ogpc --out sae --layer 5 --k 8 --activations 8000 --batch 200 --buffer 50 \
    --lr 0.01 --quiet >/dev/null
"$OGPT" convert model tiny-mingpt --to mingpt --check --quiet >/dev/null
"$OGPT" convert model tiny-hf --to hf-gpt2 --check --quiet >/dev/null
"$python" "$OGPT_SOURCE/tests/model/layouts/notebooks.py" "$OGPT" "$OGPT_SOURCE/docs/NOTEBOOKS.md"
