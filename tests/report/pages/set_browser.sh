#!/bin/bash
# tests/report/pages/set_browser.sh - label: slow - folders of pages in a headless Chromium: no request leaves them, axe-core finds
# nothing, lists are sorted and filtered, hostile names are text. Node and Chromium: ./dev browser.
[ "$OGPT_SANITIZED" = 1 ] && { echo "skipped: the build as shipped writes the same pages"; exit 77; }
. "$OGPT_SOURCE/tests/explorer/lib_page.sh" || exit 1
node -e 'process.exit(require(process.argv[1]).chromiumFind() ? 0 : 1)' "$OGPT_SOURCE/tests/explorer/chromium.js" ||
    { echo "skipped: no chromium is installed (package chromium)"; exit 77; }
made() {
    "$OGPT" "$@" --quiet >out 2>err || { echo "FAILED: ogpt $*: $(cat err)"; exit 1; }
}
name=$'<img src=x onerror=document.title=1>\'"&lt; \xe2\x80\xa8\xe2\x80\xae abc'
cp -r "$OGPT_SOURCE/datasets/models/tiny-6x6" "$name" || exit 1
made heads "$name" --games 24 --pass-games 20 --hard-games 0 --random-games 8 --rotations 3 --pages heads
mkdir small && cd small || exit 1 # a small network of the same name: axe-core takes minutes for thousands of rows
made generate g.ogpc --games 300 --size 4
made train "$name" --corpus g.ogpc --layers 2 --d-model 8 --heads 2 --steps 20 --batch 16
made neurons "$name" --games 20 --test-games 12 --plies 4 --depth 3 --no-controls --use-games 4 --use-plies 2 --ablate 0 --pages neurons
run_node ../report/pages/set_browser.js "$OGPT_SOURCE/build/axe/node_modules/axe-core/axe.min.js" "$name" "$work/heads" "$work/small/neurons"
# ./dev faults: the whole of the shipped network, whose index must load in time.
if [ -n "${OGPT_FAULTS_FULL:-}" ]; then
    made neurons tiny-8x8 --games 40 --test-games 20 --no-controls --use-games 4 --ablate 0 --pages all
    run_node ../report/pages/set_browser.js --load "$work/small/all/index.html"
fi
