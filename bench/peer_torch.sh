# Sourced by comparisons with PyTorch: a folder for their files, rows of a table, and whether PyTorch is
# there. Without it (Debian package python3-torch) a line says so, and its rows are left out.
# shellcheck shell=bash
threads=2
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT

. "$(dirname "${BASH_SOURCE[0]}")/../tools/peer_python.sh"
have_torch=yes
peer_python torch PyTorch || have_torch=no

row() { # FORMAT VALUE...: one line of a table
    # shellcheck disable=SC2059
    printf "$1\n" "${@:2}"
}

in_torch() { # PROGRAM ARGUMENT...
    OPENBLAS_NUM_THREADS=$threads OMP_NUM_THREADS=$threads "$python" "$@"
}
