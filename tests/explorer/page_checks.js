/* page_checks.js - what must hold of any page for people who do not see it well or use no mouse: names and
 * roles as the browser gives them to a screen reader, contrast, sizes, one id once. Returns findings. */
'use strict';

const NAMED_ROLES = ['button', 'textbox', 'combobox', 'tab', 'radio', 'link', 'radiogroup', 'tablist', 'tabpanel', 'region', 'group'];

/* Runs in the page. Contrast by WCAG 2.1, 1.4.3: at least 4.5, of large text 3; a disabled control is not
 * held to it. Sizes by WCAG 2.2, 2.5.8: 24 pixels, but squares of a board may be smaller: they have a
 * neighbour for each place, and keys. */
function lookAround() {
    const findings = [];
    const parse = (text) => {
        const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
        canvas.fillStyle = text;
        canvas.fillRect(0, 0, 1, 1);
        const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
        return [r, g, b, a / 255];
    };
    const over = ([r, g, b, a], below) => [0, 1, 2].map((i) => [r, g, b][i] * a + below[i] * (1 - a)).concat(1);
    const behind = (element) => {
        const layers = [];
        for (let e = element; e; e = e.parentElement) {
            layers.push(parse(getComputedStyle(e).backgroundColor));
        }
        return layers.reverse().reduce((below, layer) => over(layer, below), [255, 255, 255, 1]);
    };
    const light = (colour) => {
        const [r, g, b] = colour.map((x) => x / 255 <= 0.04045 ? x / 255 / 12.92 : ((x / 255 + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const seen = (e) => e.checkVisibility({ opacityProperty: true, visibilityProperty: true }) && !e.closest('.hidden, .skip, [aria-hidden="true"], :disabled');
    const texts = new Set();
    for (const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT); walk.nextNode();) {
        const element = walk.currentNode.parentElement;
        if (walk.currentNode.textContent.trim() && !element.closest('script') && seen(element)) {
            texts.add(element);
        }
    }
    for (const element of texts) {
        const style = getComputedStyle(element), back = behind(element), front = over(parse(style.color), back);
        const [a, b] = [light(front), light(back)].sort((x, y) => y - x), ratio = (a + 0.05) / (b + 0.05);
        const size = parseFloat(style.fontSize), large = size >= 24 || size >= 18.66 && style.fontWeight >= 700;
        if (ratio < (large ? 3 : 4.5)) {
            findings.push(`contrast ${ratio.toFixed(2)} of “${element.textContent.trim().slice(0, 30)}” (${element.tagName} ${element.className})`);
        }
    }
    for (const element of document.querySelectorAll('button, input, select, summary')) {
        const { width, height } = element.getBoundingClientRect();
        if (seen(element) && !element.closest('.cells') && (width < 23.9 || height < 23.9)) {
            findings.push(`${element.tagName} “${element.textContent.trim() || element.id}” is ${width.toFixed(0)} by ${height.toFixed(0)}`);
        }
    }
    const ids = [...document.querySelectorAll('[id]')].map((element) => element.id);
    ids.filter((id, i) => ids.indexOf(id) !== i).forEach((id) => findings.push(`id ${id} is there twice`));
    for (const element of document.querySelectorAll('[aria-labelledby], [aria-controls], label[for]')) {
        const id = element.getAttribute('aria-labelledby') || element.getAttribute('aria-controls') || element.getAttribute('for');
        if (!document.getElementById(id)) {
            findings.push(`nothing has the id ${id}`);
        }
    }
    let level = 0;
    for (const heading of document.querySelectorAll('h1, h2, h3, h4')) {
        const next = Number(heading.tagName[1]);
        if (next > level + 1) {
            findings.push(`a heading of level ${next} follows one of level ${level}`);
        }
        level = next;
    }
    for (const group of document.querySelectorAll('.cells, .strip, .tools, .heads, [role="tablist"]')) {
        const stops = group.querySelectorAll('button:not([tabindex="-1"])').length;
        if (group.querySelector('button') && stops !== 1) {
            findings.push(`${group.id || group.className} has ${stops} tab stops`);
        }
    }
    return findings;
}

async function pageChecks(page) {
    const findings = await page.eval(`(${lookAround})()`);
    const { nodes } = await page.send('Accessibility.getFullAXTree', {});
    const named = nodes.filter((node) => !node.ignored && NAMED_ROLES.includes(node.role?.value));
    if (named.length < 160) {
        findings.push(`only ${named.length} controls are told to a screen reader`);
    }
    for (const node of named.filter((one) => !one.name?.value?.trim())) {
        findings.push(`a ${node.role.value} has no name`);
    }
    return findings;
}

module.exports = { pageChecks };
