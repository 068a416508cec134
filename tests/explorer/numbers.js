/* numbers.js ORACLE PAGE MODEL GAMES...: logits and decoded boards of the page against the program's, at
 * every position of random games. PAGE is that of MODEL, whose weights are float16 numbers on both sides. */
'use strict';
const { pageOpen, lines, check, checksEnd } = require('./page_code.js');
const [oracle, ...rest] = process.argv.slice(2);

/* The program computes in single precision, the page in double: what they differ by is rounding of the
 * first, about 1e-6 of logits of size 10 here. A board may differ where two scores of a square are equal to
 * that precision; such squares are counted, and none is known. */
const TOLERANCE = 1e-4;

function compare(page, model, nGames) {
    const { about, text, core } = pageOpen(page), engine = new core.Engine(about, text);
    const { d_vocab: V } = about.shape;
    let worst = 0, largest = 0, squares = 0, wrong = 0, close = 0, positions = 0, twins = 0, t = 0, games = 0;
    const began = Date.now();
    for (const line of lines(oracle, 'read', model, nGames)) {
        if (line.startsWith('game')) {
            const { moves, error } = core.movesParse(about.size, line.slice(5));
            check(!error && moves.length === line.slice(5).split(' ').length, `${line}: ${error}`);
            engine.readGame(moves);
            t = 0;
            games++;
            continue;
        }
        const [numbers, ...boards] = line.split('|'), expected = numbers.split(' ').map(Number);
        const logits = engine.network.logits(engine.trace, t);
        expected.forEach((value, v) => {
            worst = Math.max(worst, Math.abs(value - logits[v]));
            largest = Math.max(largest, Math.abs(value));
            twins += Math.abs(value - logits[(v + 1) % V]) <= TOLERANCE;
        });
        about.probe.layers.forEach(({ layer }, i) => {
            const { classes, margins } = engine.probes.read(engine.network, engine.trace, layer, t);
            classes.forEach((k, s) => {
                const differs = k !== Number(boards[i][s]);
                wrong += differs && margins[s] > TOLERANCE;
                close += differs && margins[s] <= TOLERANCE;
                squares++;
            });
        });
        check(expected.length === V && boards.length === about.probe.layers.length, 'a line of the program');
        positions++;
        t++;
    }
    const size = `${about.size}x${about.size}`;
    check(games === Number(nGames) && positions > games, `${size}: ${games} games, ${positions} positions`);
    check(worst <= TOLERANCE, `${size}: a logit differs by ${worst}`);
    check(wrong === 0, `${size}: ${wrong} squares are read as another state`);
    check(largest > 1, `${size}: all logits are below 1`);
    check(twins < positions, `${size}: logits of neighbouring tokens agree ${twins} times, so the comparison sees nothing`);
    console.log(`${size}: ${games} games, ${positions} positions, largest difference of a logit ${worst.toExponential(1)} ` +
        `of ${largest.toFixed(1)}; ${squares} squares, ${wrong} differ, ${close} with equal scores; ${Date.now() - began} ms`);

    /* Twins: one weight changed, and one number missing. */
    const { moves } = core.movesParse(about.size, about.size === 4 ? 'b1a1' : about.size === 6 ? 'c2b2' : 'f5d6');
    const before = (engine.readGame(moves), engine.network.logits(engine.trace));
    engine.network.blocks[0].o[5] += 0.5;
    engine.trace = engine.network.newTrace();
    const after = (engine.readGame(moves), engine.network.logits(engine.trace));
    check(before.some((value, v) => Math.abs(value - after[v]) > TOLERANCE), `${size}: a changed weight is not seen`);
    for (const [cut, words] of [[text.slice(0, -8), 'cut short'], [`${text}\nAAAA`, 'holds more than']]) {
        const { error } = core.engineAnswer({ engine: null }, { id: 1, type: 'open', about, text: cut });
        check(error && error.includes(words), `${size}: numbers that are ${words}: ${error}`);
    }
}

for (let i = 0; i < rest.length; i += 3) {
    compare(rest[i], rest[i + 1], rest[i + 2]);
}
checksEnd();
