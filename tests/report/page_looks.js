/* page_looks.js - a page of report/html.h in Chromium: opened, and looked at. */
'use strict';
const fs = require('node:fs');

async function open(page, name) {
    await page.send('Page.navigate', { url: `file://${encodeURI(name)}` });
    await page.until("document.readyState === 'complete' && location.protocol === 'file:'");
}

/* Elements that stick out of their box: of the page, or on paper of the sheet. Runs in the page. */
function sticksOut(width) {
    return [...document.querySelectorAll('main *')].filter((e) => !e.closest('div.scroll') || width)
        .filter((e) => e.getBoundingClientRect().right > (width || document.documentElement.clientWidth) + 1)
        .map((e) => `${e.tagName} ${Math.round(e.getBoundingClientRect().right)} ${e.textContent.slice(0, 30)}`).slice(0, 5);
}

/* What axe-core finds, one line each; nothing where it is not installed. */
async function axeFinds(page, axe) {
    if (!axe || !fs.existsSync(axe)) {
        return [];
    }
    await page.eval(fs.readFileSync(axe, 'utf8') + '; 0');
    return page.eval("axe.run(document, { resultTypes: ['violations'] }).then((r) => r.violations.map((v) => v.id + ': ' + v.nodes.slice(0, 3).map((n) => n.html.slice(0, 90)).join(' | ')))");
}

module.exports = { open, sticksOut, axeFinds };
