#!/bin/bash
# tests/faults/parts.sh - label: slow - the parts of a fault loop, added up, are the whole loop: no
# trial is left out, none is made twice. The shim has a short name: the driver works elsewhere.
set -euo pipefail
if [ "${OGPT_SANITIZED:-0}" = 1 ]; then
    echo "not beside the sanitizers, which replace the calls that fail"
    exit 77
fi
build=$(dirname "$OGPT")/tests/faults
work=$(mktemp -d "${TMPDIR:-/tmp}/ogpt-parts-XXXXXX")
trap 'rm -rf "$work"' EXIT
driver() { # counts: what it printed of kill-calls/export, without times
    (cd "$build" && ./fault_driver "$OGPT" libfault_shim.so "$1" kill-calls/export 2>/dev/null)
}
plain() {
    sed 's/ *[0-9]* s / /'
}

driver full >"$work/full"
for part in 1 2 3; do
    driver $part/3 >"$work/part-$part"
done
"$OGPT_SOURCE/tools/sum_faults.sh" "$work"/part-* | plain >"$work/sum"
diff -u <(plain <"$work/full") "$work/sum"
# A part is not the whole: without it the sums differ.
"$OGPT_SOURCE/tools/sum_faults.sh" "$work"/part-[12] | plain >"$work/two"
if diff -q <(plain <"$work/full") "$work/two" >/dev/null; then
    echo "two parts of three are the whole"
    exit 1
fi
for wrong in 0/3 4/3 1/ /3 1/3x 2; do
    if driver $wrong >/dev/null; then
        echo "part '$wrong' was taken"
        exit 1
    fi
done
# What is lost in one part is lost in the sum; files without a loop are no success.
sed 's/survived *[0-9]*  lost *0/survived     0  lost   1/' "$work/part-2" >"$work/part-4"
"$OGPT_SOURCE/tools/sum_faults.sh" "$work"/part-* | grep -q '  lost   [1-9]'
if "$OGPT_SOURCE/tools/sum_faults.sh" /dev/null; then
    echo "no loop at all was added up"
    exit 1
fi
