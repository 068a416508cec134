#!/bin/bash
# tests/report/report_page.sh - label: slow - a report in a headless Chromium: no request leaves it, no error, axe-core finds
# nothing, it fits narrow screens, and on paper no table is cut. Node and Chromium: ./dev browser.
[ "$OGPT_SANITIZED" = 1 ] && { echo "skipped: the build as shipped writes the same page"; exit 77; }
. "$OGPT_SOURCE/tests/explorer/lib_page.sh" || exit 1
node -e 'process.exit(require(process.argv[1]).chromiumFind() ? 0 : 1)' "$OGPT_SOURCE/tests/explorer/chromium.js" ||
    { echo "skipped: no chromium is installed (package chromium)"; exit 77; }
made() {
    "$OGPT" "$@" --quiet >out 2>err || { echo "FAILED: ogpt $*: $(cat err)"; exit 1; }
}
name=$'<img src=x onerror=document.title=1>\'"&lt; \xe2\x80\xa8\xe2\x80\xae abc'
made generate g.ogpc --games 1500 --size 6
made train "$name" --corpus g.ogpc --layers 2 --d-model 16 --heads 2 --steps 6 --batch 16 --report-every 2
made eval "$name" --corpus g.ogpc --games 20 --by-ply
made probe fit "$name" --corpus g.ogpc --games 60 --test-games 20 --plies 4 --out p
made cases make cases.csv --n 40 --size 6
made cases make tune.csv --n 20 --size 6 --purpose tune
made intervene "$name" --probe p --cases cases.csv --tune tune.csv
made intervene "$name" --probe p --cases cases.csv --layers 1 --scale 0.5r
made report --html page.html
run_node ../report/report_page.js "$work/page.html" "$OGPT_SOURCE/build/axe/node_modules/axe-core/axe.min.js"
