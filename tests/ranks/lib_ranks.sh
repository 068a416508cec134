# tests/ranks/lib_ranks.sh - sourced by the scripts of this folder, behind tests/cli/lib_check.sh: the
# program started by mpirun as several ranks of one thread each, more than there are cores.
command -v mpirun >/dev/null || {
    echo "skipped: no mpirun here (Debian package openmpi-bin)"
    exit 77
}
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
export OMPI_MCA_btl_base_warn_component_unused=0

# ranks N COMMAND...: without the lines that mpirun itself says when a rank fails.
ranks() {
    local n=$1
    shift
    mpirun --quiet --oversubscribe --bind-to none -n "$n" "$@"
}

# expect_ranks N CODE ARGUMENTS...: as expect, in N ranks.
expect_ranks() {
    local n=$1 wanted=$2 code=0
    shift 2
    ranks "$n" "$OGPT" "$@" >"$work/out" 2>"$work/err" || code=$?
    [ "$code" = "$wanted" ] || fail "$n ranks of ogpt $*: exit code $wanted expected, found $code"
}

# refuse_ranks N CODE TEXT ARGUMENTS...: as refuse: nothing on stdout, one line on stderr, whatever N.
refuse_ranks() {
    local n=$1 wanted=$2 text=$3
    shift 3
    expect_ranks "$n" "$wanted" "$@"
    [ -s "$work/out" ] && fail "ogpt $*: nothing expected on stdout"
    [ "$(wc -l <"$work/err")" = 1 ] || fail "ogpt $*: one line expected on stderr"
    grep -qF -- "$text" "$work/err" || fail "ogpt $*: '$text' expected on stderr"
}
