#!/bin/bash
# Add up a JUnit file of ctest.
#
# Usage: tools/sum_junit.sh LABEL FILE
# Prints "PASSED FAILED SKIPPED", then one line for each test that failed or was skipped, with
# the first line that a skipped test printed: its reason. Only a test that exits with
# code 77 is skipped; one that could not be started, crashed or ran out of time has failed.
# Exit: 0, or 2 when the file is missing or holds no test.
set -euo pipefail
export LC_ALL=C
label=$1 file=$2
[[ -r $file ]] || {
    echo "sum_junit: cannot read $file" >&2
    exit 2
}
awk -v label="$label" '
function attribute(line, name) {
    if (!match(line, " " name "=\"[^\"]*\"")) {
        return ""
    }
    return substr(line, RSTART + length(name) + 3, RLENGTH - length(name) - 4)
}
function finish() {
    if (test == "") {
        return
    }
    n_tests++
    if (skipped) {
        gsub(/&lt;/, "<", reason)
        gsub(/&gt;/, ">", reason)
        gsub(/&quot;/, "\"", reason)
        gsub(/&amp;/, "\\&", reason)
        n_skipped++
        lines = lines "skipped: " label " " test ": " reason "\n"
    } else if (status == "run") {
        n_passed++
    } else {
        n_failed++
        lines = lines "FAILED: " label " " test "\n"
    }
}
/<testcase / {
    finish()
    test = attribute($0, "name")
    status = attribute($0, "status")
    skipped = 0
    reason = "no reason given"
}
/<skipped message="SKIP_RETURN_CODE=77"/ {
    skipped = 1
}
/<system-out>/ {
    text = $0
    sub(/.*<system-out>/, "", text)
    sub(/<\/system-out>.*/, "", text)
    if (text != "") {
        reason = text
    }
}
END {
    finish()
    if (n_tests == 0) {
        exit 2
    }
    printf "%d %d %d\n%s", n_passed, n_failed, n_skipped, lines
}' "$file"
