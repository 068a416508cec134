#!/bin/bash
# tests/explorer/chromium_page.sh - label: slow - the page in a headless Chromium: a game by clicks and keys, an edit, links,
# hostile names, narrow and dark, pictures, accessibility; no request leaves it. Node and Chromium: ./dev browser.
. "$OGPT_SOURCE/tests/explorer/lib_page.sh" || exit 1
[ "$OGPT_SANITIZED" = 1 ] && { echo "skipped: the build as shipped writes the same page"; exit 77; }
node -e 'process.exit(require(process.argv[1]).chromiumFind() ? 0 : 1)' "$OGPT_SOURCE/tests/explorer/chromium.js" ||
    { echo "skipped: no chromium is installed (package chromium)"; exit 77; }
name=$'<img src=x onerror=window.pwned=1>\'"&lt; {{core}} \xe2\x80\xa8\xe2\x80\xaeabc'
cp -r "$OGPT_SOURCE/datasets/models/tiny-6x6" "$work/$name" || exit 1
page_for "$work/$name"
hostile=$page
page_for tiny-8x8
axe=$OGPT_SOURCE/build/axe/node_modules/axe-core/axe.min.js
run_node chromium_page.js "$page" "$hostile" "$axe"
