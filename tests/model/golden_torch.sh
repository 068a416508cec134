#!/bin/bash
# label: slow - The stored reference logits are what PyTorch computes today, and a damaged one is noticed.
set -euo pipefail
export PYTHONDONTWRITEBYTECODE=1
. "$OGPT_SOURCE/tools/peer_python.sh"
script=$OGPT_SOURCE/tools/make_golden_logits.py
golden=$OGPT_SOURCE/tests/model/golden
peer_python torch "comparing the stored logits with PyTorch's" || exit 77
work=$(mktemp -d "${TMPDIR:-/tmp}/ogpt-golden-XXXXXX")
trap 'rm -rf "$work"' EXIT

"$python" "$script" --check "$golden"

# Negative twin: the last byte of the last logit (sign and exponent) turned over.
cp -r "$golden" "$work/damaged"
size=$(stat -c %s "$golden/logits.npy")
byte=$(tail -c 1 "$golden/logits.npy" | od -An -tu1)
printf "\\x$(printf %x $((byte ^ 128)))" |
    dd of="$work/damaged/logits.npy" bs=1 seek=$((size - 1)) conv=notrunc status=none
if "$python" "$script" --check "$work/damaged" >"$work/report"; then
    echo "a damaged logit was not noticed"
    exit 1
fi
grep -q '^logits.npy: DIFFERS' "$work/report"
