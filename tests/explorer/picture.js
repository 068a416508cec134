/* picture.js PAGE OUT.png [FRAGMENT [WIDTH [HEIGHT [dark]]]]: a picture of the page, as docs/figures/explorer.png was made:
 *
 *   build/release/ogpt explore tiny-6x6 --out six.html
 *   node tests/explorer/picture.js $PWD/six.html docs/figures/explorer.png '#game=d5e3c2d6e6b4e4c1&edit=c3b' 1280 800 */
'use strict';
const { Chromium, chromiumFind } = require('./chromium.js');
const [file, out, fragment = '', width = '1280', height = '800', dark = ''] = process.argv.slice(2);

async function main() {
    const browser = new Chromium(chromiumFind());
    try {
        const page = await browser.page({ width: Number(width), height: Number(height), dark: dark === 'dark' });
        await page.open(file, fragment);
        await page.shot(out);
    } finally {
        await browser.close();
    }
}

main();
