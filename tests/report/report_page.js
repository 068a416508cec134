/* report_page.js PAGE [AXE]: a report in a headless Chromium. AXE: axe.min.js, or nothing. Pictures go to $OGPT_SHOTS, if it is set. */
'use strict';
const fs = require('node:fs');
const path = require('node:path');
const { Chromium, chromiumFind } = require('../explorer/chromium.js');
const { open, sticksOut, axeFinds } = require('./page_looks.js');
const [file, axe] = process.argv.slice(2);
let failed = 0;

function check(holds, message) {
    if (!holds) {
        console.log(`FAILED: ${message}`);
        failed++;
    }
}

async function looks(browser) {
    for (const [width, dark] of [[1280, false], [320, false], [320, true], [1280, true]]) {
        const page = await browser.page({ width, dark }), name = `${width}${dark ? ' dark' : ''}`;
        await open(page, file);
        check(await page.eval('document.documentElement.scrollWidth') <= width, `${name}: the page is wider than the screen`);
        check(!(await page.eval(`(${sticksOut})(0)`)).length, `${name}: ${await page.eval(`(${sticksOut})(0)`)}`);
        const levels = await page.eval("[...document.querySelectorAll('h1, h2, h3')].map((h) => Number(h.tagName[1]))");
        check(levels[0] === 1 && levels.every((level, i) => !i || level <= levels[i - 1] + 1), `headings: ${levels}`);
        check(await page.eval("[...document.querySelectorAll('table')].every((t) => t.caption && t.caption.textContent && t.querySelector('th[scope]'))"),
            'a table without a caption or a scope');
        check(await page.eval("[...document.querySelectorAll('nav a')].every((a) => document.getElementById(a.getAttribute('href').slice(1)))"), 'a link leads nowhere');
        check(await page.eval("document.querySelectorAll('script, iframe, object, img:not([src^=\"data:\"])').length === 0 && document.title === 'ogpt report'"),
            'a name made an element');
        check(await page.eval("document.body.textContent.includes('<img src=x onerror=document.title=1>')"), 'a hostile name is shown as it is');
        if ((width === 320) === dark) {
            (await axeFinds(page, axe)).forEach((one) => check(false, `axe, ${name}: ${one}`));
        }
        check(!page.errors.length, `messages of the console: ${page.errors.join('; ')}`);
        const outside = page.requests.filter((url) => !/^(file:\/\/\/.*\.html|data:)/s.test(url));
        check(!outside.length && page.requests.length > 0, `requests left the page: ${outside.join(' ')}`);
        if (process.env.OGPT_SHOTS) {
            await page.shot(path.join(process.env.OGPT_SHOTS, `report-${width}${dark ? '-dark' : ''}.png`), false);
        }
    }
    console.log(axe && fs.existsSync(axe) ? 'axe-core looked at 2 views' : 'axe-core is not here (./dev browser fetches it): own checks only');
}

/* Millimetres of a sheet without its margins (report/html_page.c), in pixels of CSS. */
const SHEET = (210 - 2 * 15) / 25.4 * 96, TURNED = (297 - 2 * 15) / 25.4 * 96;

/* On paper: laid out as wide as the sheet, no table and no text is wider, and no cell hides what it holds. */
async function paper(browser, name) {
    const page = await browser.page({});
    await open(page, name);
    await page.send('Emulation.setEmulatedMedia', { media: 'print', features: [] });
    let tables = 0;
    for (const [width, which] of [[SHEET, 'section:not(.sheet)'], [TURNED, 'section.sheet']]) {
        await page.send('Emulation.setDeviceMetricsOverride', { width: Math.floor(width), height: 1000, deviceScaleFactor: 1, mobile: false });
        const found = await page.eval(`[...document.querySelectorAll(${JSON.stringify(which)} + ' table')].map((t) => ({
            right: t.getBoundingClientRect().right, name: t.caption.textContent,
            hidden: [...t.querySelectorAll('th, td')].filter((c) => c.scrollWidth > c.clientWidth + 1).length,
            scrolls: getComputedStyle(t.parentNode).overflowX !== 'visible', head: !t.tHead || getComputedStyle(t.tHead).display === 'table-header-group',
            rows: [...t.rows].every((r) => getComputedStyle(r).breakInside === 'avoid') }))`);
        tables += found.length;
        for (const table of found) {
            check(table.right <= width + 1, `on paper ${table.name} is ${Math.round(table.right)} wide, the sheet ${Math.floor(width)}`);
            check(!table.hidden && !table.scrolls, `on paper ${table.name} hides something`);
            check(table.head && table.rows, `on paper ${table.name}: its head does not repeat, or its rows are cut`);
        }
    }
    check(tables > 20, `${tables} tables on paper`);
    const { data } = await page.send('Page.printToPDF', { preferCSSPageSize: true, printBackground: true });
    const pdf = Buffer.from(data, 'base64').toString('latin1'), pages = (pdf.match(/\/Type\s*\/Page[^s]/g) || []).length;
    check(pages > 1, `the PDF has ${pages} pages`);
    if (process.env.OGPT_SHOTS) {
        fs.writeFileSync(path.join(process.env.OGPT_SHOTS, `${path.basename(name, '.html')}.pdf`), pdf, 'latin1');
    }
    console.log(`${path.basename(name)}: ${tables} tables fit their sheets, ${pages} pages`);
    /* The twin: a table that cannot fit is seen. */
    await page.eval(`document.querySelector('td').style.minWidth = '${2 * TURNED}px'`);
    check(await page.eval(`document.querySelector('table').getBoundingClientRect().right > ${TURNED}`), 'a table that is too wide is not seen');
}

/* The twin of the look at requests and errors: the policy stops both, and the logs see it. */
async function policyHolds(browser) {
    const page = await browser.page({});
    await open(page, file);
    await page.eval("{ const i = new Image(); i.src = 'http://127.0.0.1:9/x.png'; document.body.append(i); const s = document.createElement('script'); s.textContent = 'window.ran = 1'; document.body.append(s); }; 0");
    await new Promise((resolve) => setTimeout(resolve, 200));
    check(await page.eval('window.ran === undefined'), 'a script ran');
    check(page.errors.filter((error) => error.includes('Content Security Policy')).length >= 2, `the policy stops nothing: ${page.errors.join('; ')}`);
}

async function main() {
    const browser = new Chromium(chromiumFind());
    try {
        await looks(browser);
        await paper(browser, file);
        await policyHolds(browser);
    } finally {
        await browser.close();
    }
    process.exit(failed ? 1 : 0);
}

main().catch((error) => {
    console.log(`FAILED: ${error.stack}`);
    process.exit(1);
});
