#!/bin/bash
# What ./dev test adds up: a test that crashed, timed out or could not start is never "skipped".
set -euo pipefail
sum=$OGPT_SOURCE/tools/sum_junit.sh
work=$(mktemp -d "${TMPDIR:-/tmp}/ogpt-junit-XXXXXX")
trap 'rm -rf "$work"' EXIT

bash "$sum" asan "$OGPT_SOURCE/tests/tools/fixture_junit/report.xml" >"$work/found"
diff -u - "$work/found" <<'END'
1 4 3
FAILED: asan a/bad
skipped: asan a/skip: no <torch> here
skipped: asan a/skip2: no reason given
skipped: asan a/multi: first line
FAILED: asan a/missing
FAILED: asan a/slow
FAILED: asan a/crash
END

# No tests, or no file, is not a success.
echo '<testsuite tests="0"></testsuite>' >"$work/none.xml"
for file in "$work/none.xml" "$work/missing.xml"; do
    if bash "$sum" asan "$file" >"$work/found" 2>&1; then
        echo "$file was accepted"
        exit 1
    fi
done
