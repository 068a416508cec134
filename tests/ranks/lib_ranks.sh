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

# rows N NAME ARGUMENTS...: the tables of a command in N ranks (0: without mpirun), without what a clock says.
rows() {
    local n=$1 name=$2
    shift 2
    if ((n == 0)); then
        expect 0 "$@" --csv "$name.tables" --store "$name.db" --quiet
    else
        expect_ranks "$n" 0 "$@" --csv "$name.tables" --store "$name.db" --quiet
    fi
    for table in "$name.tables"/*.csv; do
        awk -F, -v table="${table##*/}" 'NR == 1 { for (i = 1; i <= NF; i++) drop[i] = $i ~ /second/ }
            { line = table; for (i = 1; i <= NF; i++) line = line "," (drop[i] ? "" : $i); print line }' "$table"
    done >"$name.rows"
    [ -s "$name.rows" ] || fail "$name has no rows"
}

# ranks_start N ARGUMENTS...: ogpt in N ranks, in the background; $launcher, and $pids once all are there.
ranks_start() {
    local n=$1 j
    shift
    ranks "$n" "$OGPT" "$@" >part.txt 2>part.err &
    launcher=$!
    for ((j = 0; j < 500; j++)); do
        mapfile -t pids < <(pgrep -P "$(pgrep -P $launcher -x mpirun || echo $launcher)" -x ogpt)
        ((${#pids[@]} == n)) && break
        sleep 0.01
    done
}
