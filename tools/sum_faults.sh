#!/bin/bash
# Add up what several fault drivers printed that shared the loops out among them.
#
# Usage: tools/sum_faults.sh FILE...
# Prints the lines of the files as those of one driver: for each loop the sums of what was tried,
# survived and lost, the longest time, and the negative twin; before them what was lost, and what
# was skipped, once. Exit: 0, or 2 when the files hold no loop.
set -euo pipefail
export LC_ALL=C
cat "$@" | awk '
/ tried +[0-9]+  survived +[0-9]+  lost +[0-9]+/ {
    match($0, / tried +[0-9]/)
    loop = substr($0, 1, RSTART - 1)
    rest = substr($0, RSTART)
    n = split(rest, word, " +") # "", tried, N, survived, N, lost, N, seconds, s, ...
    if (!(loop in tried)) {
        order[++n_loops] = loop
    }
    tried[loop] += word[3]
    survived[loop] += word[5]
    lost[loop] += word[7]
    if (n >= 9 && word[9] == "s" && word[8] > seconds[loop]) {
        seconds[loop] = word[8]
    }
    if (match(rest, /   twin: .*/)) {
        twin[loop] = substr(rest, RSTART)
    }
    if (rest ~ /stopped$/) {
        stopped[loop] = "   stopped"
    }
    next
}
!seen[$0]++ {
    print
}
END {
    for (i = 1; i <= n_loops; i++) {
        loop = order[i]
        if (loop ~ /^all /) {
            continue
        }
        printf "%s tried %5d  survived %5d  lost %3d %5d s%s%s\n", loop, tried[loop],
            survived[loop], lost[loop], seconds[loop], twin[loop], stopped[loop]
    }
    for (i = 1; i <= n_loops; i++) {
        loop = order[i]
        if (loop ~ /^all /) {
            printf "%s tried %5d  survived %5d  lost %3d\n", loop, tried[loop], survived[loop],
                lost[loop]
        }
    }
    exit n_loops == 0 ? 2 : 0
}'
