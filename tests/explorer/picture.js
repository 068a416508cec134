/* picture.js PAGE OUT.png [FRAGMENT [WIDTH [HEIGHT [light|dark [ID]]]]]: a picture of the page, or of what begins with the element ID,
 * as docs/figures/explorer.png and features.png were made:
 *
 *   build/release/ogpt explore tiny-6x6 --out six.html
 *   node tests/explorer/picture.js $PWD/six.html docs/figures/explorer.png '#game=d5e3c2d6e6b4e4c1&edit=c3b' 1280 800
 *   build/release/ogpt explore tiny-8x8 --out eight.html
 *   node tests/explorer/picture.js $PWD/eight.html docs/figures/features.png '#game=f5d6c3d3c4f4f6f3e6e7&panel=features&clamp=F48:0' \
 *       1280 712 light panel */
'use strict';
const { Chromium, chromiumFind } = require('./chromium.js');
const [file, out, fragment = '', width = '1280', height = '800', dark = 'light', id = ''] = process.argv.slice(2);

async function main() {
    const browser = new Chromium(chromiumFind());
    try {
        const page = await browser.page({ width: Number(width), height: Number(height), dark: dark === 'dark' });
        await page.open(file, fragment);
        if (id) {
            await page.until("document.getElementById('panel').dataset.shown");
            await page.eval(`document.getElementById(${JSON.stringify(id)}).scrollIntoView(); 0`);
        }
        await page.shot(out);
    } finally {
        await browser.close();
    }
}

main();
