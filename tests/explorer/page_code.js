/* page_code.js - a page as `ogpt explore` wrote it, opened in Node: its JSON, its numbers, and the
 * functions of its first script, the very text that a browser runs. And checks that count. */
'use strict';
const fs = require('node:fs');
const { spawnSync } = require('node:child_process');

const NAMES = ['Engine', 'Judge', 'Probes', 'boardSquares', 'boardStart', 'boardMoves', 'boardFlips', 'boardPlay', 'boardHash', 'boardReplay',
    'boardEdited', 'boardIsOver', 'otherSide', 'movesParse', 'movesPrint', 'squareParse', 'squareName', 'linkParse', 'linkPrint',
    'stateStart', 'commandPrint', 'contrastNames', 'layersParse', 'layersPrint', 'scaleParse', 'shellWord', 'normalCdf', 'halfTable',
    'numbersDecode', 'engineAnswer', 'neuronName', 'neuronParse', 'neuronsNow', 'featureName', 'featureParse', 'featureRow', 'featuresOn', 'clampPrint', 'clampParse', 'BLACK', 'WHITE', 'EMPTY'];

function element(html, id) {
    const begin = html.indexOf('>', html.indexOf(`id="${id}"`)) + 1;
    return html.slice(begin, html.indexOf('</script>', begin));
}

function pageOpen(file) {
    const html = fs.readFileSync(file, 'utf8');
    const code = element(html, 'core');
    return { html, about: JSON.parse(element(html, 'about')), text: element(html, 'numbers').trim(),
        core: new Function(`${code}\nreturn { ${NAMES.join(', ')} };`)() };
}

/* Run a program and return its lines. */
function lines(program, ...args) {
    const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', maxBuffer: 1 << 30 });
    if (status !== 0) {
        throw new Error(`${program} ${args.join(' ')}: ${status} ${stderr}`);
    }
    return stdout.split('\n').slice(0, -1);
}

let failed = 0;

function check(condition, what) {
    if (!condition) {
        failed++;
        console.log(`FAILED: ${what}`);
    }
}

/* The exit code that says whether all checks held. */
function checksEnd() {
    console.log(failed ? `${failed} checks failed` : 'all checks hold');
    process.exitCode = failed ? 1 : 0;
}

module.exports = { pageOpen, lines, check, checksEnd };
