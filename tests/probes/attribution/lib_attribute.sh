# tests/probes/attribution/lib_attribute.sh - sourced: the shipped networks, and whether the components of
# a document add up.
ln -s "$OGPT_SOURCE/datasets/models/tiny-6x6" net
ln -s "$OGPT_SOURCE/datasets/models/tiny-8x8" big
moves='e4 e5 b3 e3'

# sums: of the values of all components on stdout, and the number.
sums() {
    sed -n '/^  "components"/,/^  \]/s/^ *"value": \(.*\),$/\1/p' "$work/out" |
        awk '{ sum += $1; size += $1 < 0 ? -$1 : $1 } END { printf "%.4f %.2f\n", sum, size }'
}

# adds_up NAME: the components of the last document are the number, and the identity holds.
adds_up() {
    local number error sum size
    number=$(json_value number)
    error=$(json_value identity_error)
    read -r sum size <<<"$(sums)"
    awk -v n="$number" -v s="$sum" -v e="$error" -v z="$size" 'BEGIN {
        d = n - s; d = d < 0 ? -d : d
        exit !(d < 2e-4 && e > 0 && e < 1e-4 && z > 1) }' ||
        fail "$1: number $number, sum $sum of size $size, error $error"
}

