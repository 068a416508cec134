/* neurons.js OGPT ORACLE PAGE MODEL...: neurons of the page against the program's: activations after every move, what
 * weights read and write over the board (page_oracle), and what every neuron adds to the logit of a move
 * (`ogpt attribute --by neuron`, by the command that the page prints). PAGE is that of MODEL, whose weights are float16
 * numbers on both sides. */
'use strict';
const { pageOpen, lines, check, checksEnd } = require('./page_code.js');
const [ogpt, oracle, ...rest] = process.argv.slice(2);

/* The program computes activations and attributions in single precision, the page in double: the two differ by the rounding of the
 * first, 1e-6 of the largest number at most here. Cosines are of weights alone, in double on both sides. */
const TOLERANCE = 1e-5, COSINE = 1e-7;
const NEURONS = 12;

function game(core, about) {
    const moves = [];
    let board = core.boardStart(about.size);
    for (let t = 0; t < Math.min(about.shape.n_ctx - 1, 14) && !core.boardIsOver(board); t++) {
        const legal = core.boardMoves(board);
        moves.push(legal[(3 * t + 1) % legal.length]);
        board = core.boardPlay(board, moves[t]).board;
    }
    return { moves, board };
}

/* Values that should agree, and do not where they are paired with their neighbours. */
function alike(own, told, tolerance, what) {
    const most = Math.max(...told.map(Math.abs)), close = (a, b) => Math.abs(a - b) <= tolerance * Math.max(1, most);
    check(own.length === told.length && own.every((x, i) => close(x, told[i])), `${what}: ${own.slice(0, 5)}, not ${told.slice(0, 5)}`);
    check(own.filter((x, i) => close(x, told[(i + 1) % told.length])).length <= told.length / 2, `${what}: neighbours are alike, so the comparison sees nothing`);
}

function compare(page, model) {
    const { about, text, core } = pageOpen(page), engine = new core.Engine(about, text), { moves, board } = game(core, about);
    const size = `${about.size}x${about.size}`, began = Date.now(), K = about.probe.classes.length, M = about.shape.d_mlp;
    const empty = [...engine.judge.tokOfSq.keys()].filter((sq) => board.cells[sq] === core.EMPTY), move = empty[empty.length >> 1];
    const ask = (neuron, edit = null) => engine.neurons({ moves, edit, move, neuron });
    let seen = 0;
    for (const line of lines(oracle, 'neurons', model, String(NEURONS), core.movesPrint(moves))) {
        const [id, ...parts] = line.split('|'), [layer, neuron] = id.split(' ').map(Number), [acts, reads, writes] = parts.map((one) => one.split(' ').map(Number));
        const found = ask({ layer, neuron }), name = `${size} ${core.neuronName({ layer, neuron })}`;
        alike(found.plies, acts, TOLERANCE, `${name}, activations`);
        check(found.one.activation === found.plies[moves.length - 1], `${name}: two activations, ${found.one.activation} and ${found.plies[moves.length - 1]}`);
        check(found.reads.length === K * (K - 1) / 2, `${name}: ${found.reads.length} contrasts`);
        for (const { contrast, values } of found.reads) { /* the program's row: class k less class k - 1, class 0 less the last */
            const [of, less] = contrast.split('-').map((word) => about.probe.classes.indexOf(word));
            const sign = of === (less + 1) % K ? 1 : -1, k = sign > 0 ? of : less;
            alike(values, values.map((_, s) => sign * reads[s * K + k]), COSINE, `${name}, reads ${contrast}`);
        }
        alike(found.writes.map((one) => one.value), found.writes.map(({ sq }) => writes[engine.judge.tokOfSq.get(sq) - 1]), COSINE, `${name}, writes`);
        seen++;
    }
    check(seen === NEURONS, `${size}: ${seen} neurons`);

    /* What neurons add to the move, as the page's command prints it. */
    const state = { ...core.stateStart(about), moves, at: moves.length, panel: 'neurons', move };
    const command = core.commandPrint(about, state, board), words = command.match(/'[^']*'|\S+/g).slice(1).map((word) => word.replace(/'/g, ''));
    check(words[0] === 'attribute' && words.includes('neuron'), `the command: ${command}`);
    const told = JSON.parse(lines(ogpt, ...words, '--top', '100000', '--maps', '0', '--json').join('\n')).components.filter((one) => one.kind === 'neuron');
    told.sort((a, b) => a.layer - b.layer || a.neuron - b.neuron);
    const { all } = core.neuronsNow(engine.network, engine.judge, engine.trace, move);
    check(told.length === about.shape.n_layers * M, `${size}: ${told.length} neurons in ${command}`);
    check(all.every((one, i) => one.layer === told[i].layer && one.neuron === told[i].neuron), `${size}: the order of neurons`);
    alike(all.map((one) => one.value), told.map((one) => one.value), TOLERANCE, `${size}, added to ${core.squareName(move)}`);
    const first = ask(null), largest = told.reduce((a, b) => Math.abs(b.value) > Math.abs(a.value) ? b : a);
    check(core.neuronName(first.one) === largest.name && first.rank === 1 && first.adds[0] === first.one, `${size}: first ${core.neuronName(first.one)}, not ${largest.name}`);
    check(first.active[0].activation === Math.max(...all.map((one) => one.activation)), `${size}: the most active is ${first.active[0].activation}`);
    check(Math.abs(first.now.find(({ sq }) => sq === move).value - first.one.value) < 1e-12, `${size}: two values for ${core.squareName(move)}`);

    /* An edit of the board inside changes a neuron behind it now, not before, and none in front of it. */
    const layer = about.shape.n_layers - 1, sq = moves[0], at = engine.probes.editable()[0];
    const edit = { squares: [{ sq, to: core.otherSide(board.cells[sq]) }], method: 'set', layers: [at], scale: { value: 2, relative: false } };
    const plain = ask({ layer, neuron: 1 }), changed = ask({ layer, neuron: 1 }, edit), n = moves.length - 1, same = ask({ layer: 0, neuron: 1 }, edit);
    check(plain.plies.slice(0, n).every((x, i) => x === changed.plies[i]) && plain.plies[n] !== changed.plies[n], `${size}: an edit changes activations ${plain.plies} to ${changed.plies}`);
    check(engine.probes.site !== 'resid_post' || same.one.activation === ask({ layer: 0, neuron: 1 }).one.activation, `${size}: an edit changes what lies before it`);

    /* Names as people type them. */
    const end = core.neuronName({ layer, neuron: M - 1 });
    check(core.neuronName(core.neuronParse(about.shape, ` ${end.toLowerCase()} `)) === end, `${end} is not read`);
    for (const wrong of ['', 'L0', `L${layer + 1}N0`, `L0N${M}`, 'L-1N0', 'L0N1x', 'L0N1e1', '__proto__', 'L١N١']) {
        check(core.neuronParse(about.shape, wrong) === null, `${wrong} is read as a neuron`);
    }
    const fragment = core.linkPrint({ ...state, neuron: { layer, neuron: M - 1 } }), back = core.linkParse(about, fragment, ['lens', 'neurons']);
    check(back.refused.length === 0 && core.neuronName(back.state.neuron) === end && back.state.move === move, `${fragment}: ${back.refused}`);
    for (const wrong of [`neuron=L0N${M}`, 'move=z9', 'move=__proto__', 'neuron=<img>']) {
        const { state: kept, refused } = core.linkParse(about, `#${wrong}`, ['lens']);
        check(refused.length === 1 && kept.neuron === null && kept.move === null, `${wrong}: ${JSON.stringify(kept)}`);
    }
    console.log(`${size}: ${seen} neurons, ${told.length} shares of ${core.squareName(move)}; ${Date.now() - began} ms`);
}

for (let i = 0; i < rest.length; i += 2) {
    compare(rest[i], rest[i + 1]);
}
checksEnd();
