/* rules.js PAGE ORACLE GAMES: the rules of the page on random games of the engine: after each move the
 * discs, the side to move and the legal moves, as one hash a game; games as text; scales and links. */
'use strict';
const { pageOpen, lines, check, checksEnd } = require('./page_code.js');
const [page, oracle, nGames] = process.argv.slice(2);
const { core, about } = pageOpen(page);

for (const size of [4, 6, 8]) {
    let passes = 0, wrong = 0, twins = 0, n = 0;
    const began = Date.now();
    for (const line of lines(oracle, 'rules', String(size), nGames)) {
        const [text, hash] = line.split('|');
        let board = core.boardStart(size), h = core.boardHash(board, 2166136261), passed = 0;
        for (const name of text.split(' ')) {
            const step = core.boardPlay(board, core.squareParse(size, name));
            board = step.board;
            passed += step.passed ? 1 : 0;
            h = core.boardHash(board, h);
        }
        wrong += h.toString(16).padStart(8, '0') !== hash;
        /* The twin: another side to move at the end must give another hash. */
        twins += core.boardHash({ ...board, mover: core.otherSide(board.mover) }, h) === core.boardHash(board, h);
        passes += passed > 0;
        n++;
    }
    check(n === Number(nGames), `${size}x${size}: ${n} games`);
    check(wrong === 0, `${size}x${size}: ${wrong} of ${n} games differ from the engine's`);
    check(twins === 0, `${size}x${size}: ${twins} hashes do not see the side to move`);
    check(passes > n / 20, `${size}x${size}: only ${passes} games with passes`);
    console.log(`${size}x${size}: ${n} games, ${passes} with passes, ${Date.now() - began} ms`);
}

/* ---- games as text ---- */

const same = (text, expected, size = 8) => {
    const { moves, error } = core.movesParse(size, text);
    check(!error && core.movesPrint(moves) === expected, `${JSON.stringify(text)}: ${error || core.movesPrint(moves)}`);
};
const refused = (text, n, words, size = 8) => {
    const { moves, error } = core.movesParse(size, text);
    check(moves.length === n && error.includes(words), `${JSON.stringify(text)}: ${moves.length} moves, “${error}”`);
};
for (const text of ['f5d6c3', 'f5 d6 c3', 'F5D6C3', 'F5, d6-c3', '1. f5 d6 2. c3', '1.f5 2.d6 3.c3', ' f5\n\td6\r\nc3 ', '1... f5 d6 c3']) {
    same(text, 'f5 d6 c3');
}
same('', '');
refused('f5d6a1', 2, 'a1 turns nothing over for black');
refused('f5d6f5', 2, 'f5 is occupied');
refused('f5 --', 1, 'a pass, but white has a legal move');
refused('f5 z9', 1, 'expected a square a1 to h8, found “z9”');
refused('f5 d10', 1, 'found “d10”');
refused('g7', 0, 'a1 to f6', 6);
refused('f5 <script>', 1, '“<scrip”');
refused('f5 \u2028\u202e', 1, '“\\u2028\\u202e”');
refused('f5'.repeat(4000), 0, 'a game of 8000 characters');
const withPass = lines(oracle, 'rules', '8', '400').map((line) => line.split('|')).find(([text, , passes]) => passes === '1' && text.length > 150)[0];
const { passed } = core.boardReplay(8, core.movesParse(8, withPass).moves), at = passed.indexOf(true);
const written = (word, i) => withPass.split(' ').map((name, k) => k === i - 1 ? `${name} ${word}` : name).join(' ');
for (const word of ['pass', '--', 'PA', '@@', '0000']) {
    same(written(word, at), withPass);
    check(core.movesParse(8, written(word, at - 1)).error.includes('a pass, but'), `${word} where none is forced`);
}

/* ---- layers, scales, words of a shell ---- */

const all = [0, 1, 2, 3, 4, 5, 6, 7];
check(String(core.layersParse('1,3-5', all)) === '1,3,4,5' && core.layersPrint([1, 3, 4, 5]) === '1,3-5', 'layers');
for (const bad of ['', '8', '99', '5-3', 'a', '1,', '-1', '1-99', '0x1', '１']) {
    check(core.layersParse(bad, all) === null, `layers ${bad} are taken`);
}
check(core.scaleParse('0.5r', 'add').relative && core.scaleParse('-1e1', 'project').value === -10, 'scales');
for (const [bad, method] of [['', 'add'], ['r', 'add'], ['1r', 'project'], ['1e9', 'add'], ['NaN', 'add'], ['Infinity', 'set'], ['1;2', 'add']]) {
    check(core.scaleParse(bad, method) === null, `scale ${bad} of ${method} is taken`);
}
check(core.shellWord("a'; rm -rf /") === "'a'\\''; rm -rf /'" && core.shellWord('tiny-8x8') === 'tiny-8x8', 'words of a shell');

/* ---- links and commands ---- */

const panels = ['lens', 'attribution'], game = core.movesParse(6, 'd5e3c2d6').moves;
const stateOf = (fragment) => core.linkParse(about, fragment, panels).state;
const link = '#game=d5e3c2d6&at=3&layer=5&edit=e3b&method=add&scale=0.3r&edited=2-4&panel=attribution&head=3.6&contrast=mine-empty&square=c2';
check(core.linkPrint(stateOf(link)) === link, `a link comes back as ${core.linkPrint(stateOf(link))}`);
for (const bad of ['contrast=mine', 'contrast=mine-mine', 'contrast=black-white', 'square=h8', 'layer=8', 'panel=none']) {
    check(core.linkParse(about, `#game=d5&${bad}`, panels).refused.length === 1, `a link with ${bad} is taken`);
}
const commandOf = (fragment) => core.commandPrint(about, stateOf(fragment), core.boardReplay(6, game).boards[stateOf(fragment).at]);
for (const [fragment, command] of [
    ['#game=d5e3&panel=attribution&layer=3', "attribute tiny-6x6 --moves 'd5 e3' --square e3 --layers 3 --contrast mine-theirs"],
    ['#game=d5e3&panel=attribution&layer=embed&square=a1&contrast=theirs-empty', "attribute tiny-6x6 --moves 'd5 e3' --square a1 --layers embed --contrast theirs-empty"],
    ['#game=d5e3&panel=lens&layer=3', "show tiny-6x6 --moves 'd5 e3' --layers 3 --probabilities"],
    ['#game=d5e3&panel=attribution&edit=e3b', "show tiny-6x6 --moves 'd5 e3' --layers 4 --flip e3"],
    ['#panel=attribution', 'play tiny-6x6']]) {
    check(commandOf(fragment) === `ogpt ${command}`, `${fragment}: ${commandOf(fragment)}`);
}

/* The distribution function against values of a table (Abramowitz and Stegun, table 26.1). */
for (const [x, p] of [[0, 0.5], [1, 0.841344746068543], [2, 0.977249868051821], [-1.5, 0.0668072012688581], [3, 0.998650101968370]]) {
    check(Math.abs(core.normalCdf(x) - p) < 1e-9, `normalCdf(${x}) = ${core.normalCdf(x)}`);
}
const table = core.halfTable();
check(table[0x3c00] === 1 && table[0x7bff] === 65504 && table[1] === 2 ** -24 && table[0xc000] === -2 && Number.isNaN(table[0x7e00]), 'halves');
checksEnd();
