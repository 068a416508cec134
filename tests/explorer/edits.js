/* edits.js OGPT PAGE MODEL CASES...: edits of the page against `ogpt show --flip|--erase|--place --json`: boards,
 * legal moves, what is predicted, mistakes; saliency against `ogpt saliency`; who wrote a square against
 * `ogpt attribute`. PAGE is that of MODEL, whose weights are float16 numbers on both sides. The commands are
 * those that the page itself prints. */
'use strict';
const { pageOpen, lines, check, checksEnd } = require('./page_code.js');
const [ogpt, ...rest] = process.argv.slice(2);

const TOLERANCE = 1e-5; /* of a probability: logits differ by less than 5e-5 (numbers.js), p(1-p) <= 1/4 */

/* A small generator with a seed: the same cases everywhere. */
function drawer(seed) {
    let state = seed;
    return (n) => {
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
        return Math.floor(state / 2 ** 32 * n);
    };
}

/* A random position and a change of one square; other: after it the other side moves, which is rare. */
function drawCase(core, about, draw, other = false) {
    const { n_ctx: T } = about.shape;
    for (let tries = 0; ; tries++) {
        const length = other ? T - draw(T >> 2) : 1 + draw(T), moves = [];
        let board = core.boardStart(about.size);
        while (moves.length < length && !core.boardIsOver(board)) {
            const legal = core.boardMoves(board), sq = legal[draw(legal.length)];
            moves.push(sq);
            board = core.boardPlay(board, sq).board;
        }
        const squares = [...board.cells.keys()].filter((sq) => sq % 8 < about.size && sq >> 3 < about.size);
        const sq = squares[draw(squares.length)], to = (board.cells[sq] + 1 + draw(2)) % 3;
        const turns = !core.boardIsOver(board) && core.boardEdited(board, [{ sq, to }]).mover !== board.mover;
        if (!core.boardIsOver(board) && (turns || !other || tries > 5000)) {
            return { moves, board, edit: { sq, to } };
        }
    }
}

const names = (core, squares) => squares.map(core.squareName).sort().join(' ');

/* The words of a command as the page prints it, without its first. */
function words(command) {
    return command.match(/'[^']*'|\S+/g).slice(1).map((word) => word.replace(/'/g, ''));
}

/* What `ogpt attribute` prints for the command of a state, part for part. The program sums in single precision:
 * 1e-5 of the largest part is ten times the rounding of the shipped networks. */
function compareWriters(about, engine, core, state) {
    const command = core.commandPrint(about, state, null), told = JSON.parse(lines(ogpt, ...words(command), '--json').join('\n'));
    const [of, less] = state.contrast.split('-').map((name) => about.probe.classes.indexOf(name));
    const question = { square: engine.probes.squares.indexOf(state.square), layer: state.layer, of, less };
    const { parts, score } = engine.attribute({ moves: state.moves, edit: null, question });
    const close = (a, b) => Math.abs(a - b) <= 1e-5 * (1 + Math.max(...parts.map((part) => Math.abs(part.value))));
    const names = { token: () => 'tok', position: () => 'pos', mlp: (l) => `mlp${l}`, head: (l, head) => `L${l}H${head}`,
        bias: (l) => l === undefined ? 'bias' : `attn${l}.bias` };
    const own = new Map(parts.map((part) => [names[part.kind](part.layer, part.head), part.value]));
    check(command.startsWith('ogpt attribute ') && told.components.length === own.size, `${command}: ${told.components.length} parts, not ${own.size}`);
    check(close(told.number, score), `${command}: ${score}, not ${told.number}`);
    let twins = 0;
    for (const { name, value } of told.components) {
        check(close(own.get(name), value), `${command}: ${name} is ${own.get(name)}, not ${value}`);
        twins += close(own.get(name), told.components[0].value);
    }
    check(twins < own.size / 4, `${command}: ${twins} of ${own.size} parts are alike, so the comparison sees nothing`);
}

function compare(page, model, nCases) {
    const { about, text, core } = pageOpen(page), engine = new core.Engine(about, text), draw = drawer(about.size);
    const began = Date.now(), size = `${about.size}x${about.size}`, kinds = new Set();
    let unequal = 0, mistakes = 0, movers = 0, twins = 0;
    for (let i = 0; i < nCases; i++) {
        const { moves, board, edit } = drawCase(core, about, draw, i % 20 === 19);
        const layers = engine.probes.editable(), layer = layers[draw(layers.length)], value = [1, 1, 2, 0.5][draw(4)];
        const state = { ...core.stateStart(about), moves, at: moves.length, edits: [edit], editLayers: [layer], scale: String(value) };
        const command = core.commandPrint(about, state, board), told = JSON.parse(lines(ogpt, ...words(command), '--json').join('\n'));
        const plan = { squares: [edit], method: 'project', layers: [layer], scale: { value, relative: false } };
        const { before, after } = engine.look({ moves, edit: plan });
        const edited = core.boardEdited(board, [edit]), own = `${size}: ${command}`;
        const kind = command.match(/--(flip|erase|place)/)[1], toldEdit = told[kind];
        kinds.add(kind);
        movers += edited.mover !== board.mover;
        const shows = (seen, boardTold, judged) => {
            const p = engine.judge.probabilities(seen.logits);
            core.boardSquares(about.size).forEach((sq, s) => {
                const q = boardTold.move_probabilities[s];
                check(q === null ? !p.has(sq) : Math.abs(p.get(sq) - q) <= TOLERANCE, `${own}: p of ${core.squareName(sq)}: ${p.get(sq)}, not ${q}`);
            });
            check(names(core, core.boardMoves(judged)) === boardTold.legal.slice().sort().join(' '), `${own}: legal moves`);
            for (const one of boardTold.layers) {
                const { classes } = seen.layers.find((read) => read.layer === one.layer);
                check([...classes].map((k) => about.probe.classes[k]).join() === one.classes.join(), `${own}: board of layer ${one.layer}`);
            }
        };
        shows(before, told, board);
        shows(after, toldEdit, edited);
        const judged = { before: engine.judge.answer(before.logits, edited), after: engine.judge.answer(after.logits, edited) };
        check(judged.before.error === toldEdit.null_error && judged.after.error === toldEdit.edit_error, `${own}: mistakes ` +
            `${judged.before.error}, ${judged.after.error}, not ${toldEdit.null_error}, ${toldEdit.edit_error}`);
        check(names(core, judged.before.predicted.filter((sq) => sq >= 0)) === toldEdit.predicted_before.slice().sort().join(' '), `${own}: predicted before`);
        check(names(core, judged.after.predicted.filter((sq) => sq >= 0)) === toldEdit.predicted_after.slice().sort().join(' '), `${own}: predicted after`);
        unequal += judged.before.error !== judged.after.error;
        mistakes += judged.after.error;
        /* The twin: the same edit at another scale must give other probabilities. */
        const other = engine.network.logits(engine.editedTrace(moves, { ...plan, scale: { value: value + 1, relative: false } }));
        twins += other.every((x, v) => Math.abs(x - after.logits[v]) < 1e-3);
    }
    check(kinds.size > (nCases > 9 ? 2 : 0) && (nCases < 10 || unequal > 0 && mistakes > 0 && movers > 0),
        `${size}: the cases are all alike: ${[...kinds]}, ${unequal}, ${mistakes}, ${movers}`);
    check(twins < nCases / 20, `${size}: another scale changes nothing in ${twins} cases`);

    /* Saliency, by every method; the parts of a square's difference add up, edited or not. */
    const { moves, board } = drawCase(core, about, draw);
    for (const [method, scale] of [['project', '1'], ['add', '0.3r'], ['set', '0.2r']]) {
        const told = JSON.parse(lines(ogpt, 'saliency', model, '--moves', core.movesPrint(moves), '--method', method, '--scale', scale, '--json').join('\n'));
        const plan = { method, scale: core.scaleParse(scale, method), layers: [about.shape.n_layers >> 1] };
        const found = engine.saliency({ moves, plan, move: core.squareParse(about.size, told.move) });
        const effects = new Map(found.squares.map((one) => [core.squareName(one.sq), one]));
        check(told.squares.length === found.squares.length, `${size} saliency: squares`);
        for (const one of told.squares) {
            const { effect, legal } = effects.get(one.square);
            check(Math.abs(effect - one.effect) <= 1e-3 && legal === one.legal, `${size} saliency of ${one.square} by ${method}: ${effect}, not ${one.effect}`);
        }
        check(told.squares.some((one) => Math.abs(one.effect) > 0.01), `${size} saliency by ${method}: all effects are 0`);
    }
    for (const contrast of core.contrastNames(about.probe.classes)) {
        compareWriters(about, engine, core, { ...core.stateStart(about), moves, at: moves.length, panel: 'attribution', contrast, square: 2 });
    }
    for (const edit of [null, { squares: [{ sq: moves[0], to: core.otherSide(board.cells[moves[0]]) }], method: 'set', layers: engine.probes.editable(), scale: { value: 2, relative: false } }]) {
        for (const { layer } of about.probe.layers) {
            const { parts, total, score } = engine.attribute({ moves, edit, question: { square: 5, layer, of: 2, less: 1 } });
            check(Math.abs(total - score) < 1e-9 * (1 + Math.abs(score)), `${size}: parts of layer ${layer} add up to ${total}, not ${score}`);
            const most = parts.reduce((a, b) => Math.abs(b.value) > Math.abs(a.value) ? b : a).value;
            check(Math.abs(total - most - score) > 1e-6, `${size}: a missing part is not seen`);
        }
    }
    console.log(`${size}: ${nCases} edits, ${[...kinds].join(', ')}; ${movers} with another side to move, ${mistakes} mistakes after; ${Date.now() - began} ms`);
}

for (let i = 0; i < rest.length; i += 3) {
    compare(rest[i], rest[i + 1], Number(rest[i + 2]));
}
checksEnd();
