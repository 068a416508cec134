#!/bin/bash
# OpenBLAS uses kernels that fit the processor, also on one that it does not know; a core type that the
# user names stays.
set -euo pipefail
fail() { echo "FAIL: $*" >&2; exit 1; }

core() { # "Haswell", "SkylakeX", ...
    "$OGPT" --version --json | sed -n 's/^ *"blas_core": "\(.*\)",*$/\1/p'
}
grep -qw fma /proc/cpuinfo && grep -qw avx2 /proc/cpuinfo || { echo "no AVX2 here"; exit 77; }
if file -L "$OGPT" 2>/dev/null | grep -q 'statically linked'; then
    echo "a static program takes what OpenBLAS chooses"
    exit 77
fi

found=$(env -u OPENBLAS_CORETYPE bash -c "$(declare -f core); OGPT='$OGPT' core")
case $found in
Prescott | Core2 | Penryn | Nehalem | '') fail "core type '$found' on a processor with AVX2" ;;
esac
# The twin: the old type is there, and can be seen.
named=$(OPENBLAS_CORETYPE=Prescott bash -c "$(declare -f core); OGPT='$OGPT' core")
[[ $named == Prescott ]] || fail "OPENBLAS_CORETYPE=Prescott gave '$named'"
echo "core type $found; named: $named"
