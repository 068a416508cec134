# tests/explorer/lib_page.sh - sourced by the scripts of this folder: a folder of their own, Node, the program that
# says what is right, and pages.
# shellcheck shell=bash
set -uo pipefail
command -v node >/dev/null || { echo "skipped: no node is installed (package nodejs)"; exit 77; }
work=$(mktemp -d "${TMPDIR:-/tmp}/ogpt-page-XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
oracle=$(dirname "$OGPT")/tests/page_oracle

# page_for MODEL [SAE]: `page` is a new page of this network, with the features of an autoencoder of its own or of SAE.
page_for() {
    page=$work/$(basename "$1")${2:+-$(basename "$2")}.html
    "$OGPT" explore "$1" ${2:+--sae "$2"} --out "$page" --quiet >explore.txt || { echo "FAILED: ogpt explore $1"; exit 1; }
}

# rounded NAME: a network whose weights are float16 numbers, as a page holds them, and its page.
rounded() {
    local from=$OGPT_SOURCE/datasets/models/$1
    [ "$1" = random ] && from=random
    "$oracle" round "$from" "$from/probe" "$work/$1" || exit 1
    page_for "$work/$1"
}

# times FULL USUAL SANITIZED: how often, by ./dev faults, by ./dev test, and there under the sanitizers, which look at
# the program and not at the page.
times() {
    if [ -n "${OGPT_FAULTS_FULL:-}" ]; then echo "$1"; elif [ "$OGPT_SANITIZED" = 1 ]; then echo "$3"; else echo "$2"; fi
}

run_node() {
    node "$OGPT_SOURCE/tests/explorer/$1" "${@:2}" || exit 1
}
