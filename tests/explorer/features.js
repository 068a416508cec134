/* features.js OGPT ORACLE {PAGE MODEL SAE GAMES CLAMPS}...: features of the page against the program's: codes at every position of
 * random games, clamped features as features_clamp computes them, columns read by probe and unembedding (features_oracle), and the
 * table that the page's own command prints. PAGE is that of MODEL and SAE, whose numbers are float16 numbers on both sides. */
'use strict';
const { pageOpen, lines, check, checksEnd } = require('./page_code.js');
const [ogpt, oracle, ...rest] = process.argv.slice(2);

/* The program computes rows and codes in single precision, the page in double: they differ by the rounding of the first, about 1e-6 of
 * the largest value, which is 44 here. Logits of the two agree to 1e-4 (numbers.js), so do the changes of ln p. Cosines are of
 * weights alone, summed in double on both sides, of directions that the program rounds to single precision.
 * Where a value stands at its threshold one side may have it on and the other off: these are counted, and must lie there. */
const TOLERANCE = 1e-4, COSINE = 1e-6;

/* By how much a feature of a row is over the edge where it goes on or off. */
function edge(features, row, j) {
    const value = (i) => {
        let product = 0;
        for (let c = 0; c < features.C; c++) {
            product += (row[c] - features.offset[c]) * features.encoder[i * features.C + c];
        }
        const pre = product + features.bias[i];
        return { pre, size: features.gain ? Math.exp(features.gain[i]) * product + features.gainBias[i] : pre };
    };
    const { pre, size } = value(j);
    if (features.kind === 'topk') {
        const all = Array.from({ length: features.m }, (_, i) => value(i).pre).sort((a, b) => b - a);
        return pre - (all[features.k] + all[features.k - 1]) / 2;
    }
    const over = pre - (features.theta ? Math.max(features.theta[j], 0) : 0);
    return Math.abs(over) < Math.abs(size) ? over : size;
}

function codes({ about, engine, core, name, model, sae, nGames }) {
    const { features } = engine;
    let t = 0, games = 0, positions = 0, on = 0, close = 0, worst = 0, twins = 0, widest = 0;
    for (const line of lines(oracle, 'codes', model, sae, nGames)) {
        if (line.startsWith('game')) {
            const { moves, error } = core.movesParse(about.size, line.slice(5));
            check(!error && moves.length === line.slice(5).split(' ').length, `${line}: ${error}`);
            engine.readGame(moves);
            t = 0;
            games++;
            continue;
        }
        const told = new Map(line.split(' ').filter(Boolean).map((one) => one.split(':').map(Number)));
        /* The trace of the whole game, cut behind this position. */
        const trace = { ...engine.trace, tokens: engine.trace.tokens.slice(0, t + 1) };
        const row = features.row(engine.network, trace), code = features.encode(row), own = core.featuresOn(code);
        check(own.every((j, i) => !i || code[own[i - 1]] >= code[j]), `${name}: not largest first`);
        for (const j of new Set([...own, ...told.keys()])) {
            if (told.has(j) === code[j] > 0) {
                worst = Math.max(worst, Math.abs(code[j] - told.get(j)));
                twins += Math.abs(code[(j + 1) % features.m] - told.get(j)) <= TOLERANCE;
                on++;
            } else {
                close++;
                check(Math.abs(edge(features, row, j)) <= TOLERANCE, `${name}: ${core.featureName(j)} is ${code[j]}, not ${told.get(j) || 0}, game ${games}, move ${t + 1}`);
            }
            widest = Math.max(widest, code[j]);
        }
        positions++;
        t++;
    }
    check(games === Number(nGames) && positions > games && on > positions, `${name}: ${games} games, ${positions} positions, ${on} features on`);
    check(worst <= TOLERANCE, `${name}: a feature differs by ${worst}`);
    check(close <= on / 1000, `${name}: ${close} of ${on} features are on one side only`);
    check(widest > 0.1 && twins < on / 20, `${name}: neighbours agree ${twins} times of ${on}, so the comparison sees nothing`);
    return `${positions} positions, ${on} on, ${close} at the edge, largest difference ${worst.toExponential(1)} of ${widest.toFixed(1)}`;
}

function clamps({ about, engine, core, name, model, sae, nClamps }) {
    const logP = (logits) => {
        const top = Math.max(...logits), total = top + Math.log(logits.reduce((sum, x) => sum + Math.exp(x - top), 0));
        return Array.from(logits, (x) => x - total);
    };
    let worst = 0, largest = 0, twins = 0, wrong = 0, changes = 0, off = 0;
    for (const line of lines(oracle, 'clamp', model, sae, nClamps)) {
        const [text, one, judged, ...told] = line.split('|'), [feature, value, other] = one.split(' ').map(Number);
        const { moves } = core.movesParse(about.size, text), mistakes = judged.split(' ').map(Number), board = engine.board(moves);
        const clean = engine.look({ moves, edit: null }).before.logits, before = logP(clean);
        check(engine.judge.answer(clean, board).error === mistakes[0], `${name}: mistakes of ${text}`);
        check(Math.abs(engine.featuresOf({ moves, edit: null, feature }).before - value) <= TOLERANCE, `${name}: the value of ${core.featureName(feature)}`);
        [0, other].forEach((to, i) => {
            const edit = { squares: [], clamp: { feature, value: to } }, logits = engine.look({ moves, edit }).after.logits, after = logP(logits);
            const list = told[i].split(' ').map(Number);
            list.forEach((change, v) => {
                worst = Math.max(worst, Math.abs(after[v + 1] - before[v + 1] - change));
                largest = Math.max(largest, Math.abs(change));
                changes++;
            });
            check(engine.judge.answer(logits, board).error === mistakes[i + 1], `${name}: mistakes of ${text} with ${core.featureName(feature)} at ${to}`);
            off += to === 0 && value === 0;
            check(to !== value || list.every((change) => change === 0) && after.every((x, v) => x === before[v]), `${name}: holding a silent feature at 0 changes something`);
        });
        wrong += mistakes[1] !== mistakes[0] || mistakes[2] !== mistakes[0];
        /* The twin: with the columns of the decoder shuffled the same clamp must do something else. */
        const list = told[1].split(' ').map(Number), { decoder, C } = engine.features;
        engine.features.decoder = Float32Array.from(decoder, (_, i) => decoder[(i + C) % decoder.length]);
        engine.branch = { key: '', trace: null };
        const after = logP(engine.look({ moves, edit: { squares: [], clamp: { feature, value: other } } }).after.logits);
        twins += list.every((change, v) => Math.abs(after[v + 1] - before[v + 1] - change) <= TOLERANCE);
        engine.features.decoder = decoder;
        engine.branch = { key: '', trace: null };
    }
    check(worst <= TOLERANCE, `${name}: a clamp differs by ${worst}`);
    check(changes > 0 && largest > 0.01 && off > 0, `${name}: ${changes} changes up to ${largest}, ${off} silent features`);
    check(twins <= nClamps / 20, `${name}: ${twins} shuffled decoders change nothing`);
    return `${nClamps} clamps, ${wrong} with other mistakes, largest difference ${worst.toExponential(1)} of ${largest.toFixed(2)}`;
}

function columns({ about, engine, core, name, model, sae }) {
    const moves = core.movesParse(about.size, about.size === 4 ? 'b1a1' : about.size === 6 ? 'c2b2' : 'f5d6').moves;
    const alike = (own, told, what) => {
        const close = (a, b) => Math.abs(a - (Number.isNaN(b) ? 0 : b)) <= COSINE;
        check(own.length === told.length && own.every((x, i) => close(x, told[i])), `${name}: ${what}: ${own.slice(0, 4)}, not ${told.slice(0, 4)}`);
        check(own.filter((x, i) => close(x, told[(i + 1) % told.length])).length <= told.length / 2, `${name}: ${what}: neighbours are alike`);
    };
    for (const line of lines(oracle, 'columns', model, sae, 8)) {
        const [id, ...parts] = line.split('|'), feature = Number(id), told = parts.map((one) => one.split(' ').map(Number));
        const { one, reads, writes } = engine.featuresOf({ moves, edit: null, feature });
        check(one === feature && told.length === about.probe.classes.length + 1, `${name}: ${told.length} lists of ${one}`);
        const here = about.probe.site === about.sae.site || about.sae.layer === -1;
        check(reads.length === (here ? about.probe.classes.length : 0), `${name}: read at another site`);
        reads.forEach(({ values }, k) => alike(values, told[k], `column of ${feature} read as ${about.probe.classes[k]}`));
        alike(writes.map((move) => move.value), writes.map(({ sq }) => told[about.probe.classes.length][engine.judge.tokOfSq.get(sq) - 1]), `moves of ${feature}`);
    }
}

/* The page's command prints what the page says. */
function table({ about, engine, core, name }) {
    const alive = about.sae.rows.map((row, j) => row && row[0] >= 0 ? j : -1).filter((j) => j >= 0), feature = alive[alive.length >> 1];
    const moves = core.movesParse(about.size, about.size === 4 ? 'b1a1' : about.size === 6 ? 'c2b2' : 'f5d6').moves, board = engine.board(moves);
    const state = { ...core.stateStart(about), moves, at: moves.length, panel: 'features', feature }, command = core.commandPrint(about, state, board);
    check(core.commandPrint(about, { ...state, panel: 'lens', clamp: { feature, to: 0 } }, board) === command, `${name}: another command where a feature is held`);
    const words = command.match(/'[^']*'|\S+/g).slice(1).map((word) => word.replace(/'/g, '')), pages = words.indexOf('--pages');
    check(words[0] === 'sae' && words[pages + 1] === `feature-${feature}`, `${name}: the command: ${command}`);
    words.splice(pages, 2);
    const told = JSON.parse(lines(ogpt, ...words, '--store', `features-${about.size}.db`, '--json').join('\n')), one = told.list.find((each) => each.number === feature);
    const row = core.featureRow(about, feature), close = (a, b) => Math.abs(a - b) <= 0.5001e-4; /* shares are rounded to 1/10000 */
    check(one.property === `${core.squareName(row.sq)} ${['empty', 'theirs', 'mine'][row.state]}`, `${name}: ${one.property}`);
    for (const [key, column] of [['f1', 'f1'], ['low', 'f1_low'], ['high', 'f1_high'], ['twin', 'f1_shuffled'], ['twinLow', 'f1_shuffled_low'], ['density', 'density'], ['precision', 'precision'], ['recall', 'recall']]) {
        check(close(row[key] / 1e4, one[column]), `${name}: ${column} of ${feature}: ${row[key]}, not ${one[column]}`);
    }
    check(row.mean === one.mean_on && row.largest === one.largest, `${name}: mean ${row.mean}, largest ${row.largest}`);
    const twin = core.featureRow(about, alive.find((j) => j !== feature && core.featureRow(about, j).f1 !== row.f1));
    check(!close(twin.f1 / 1e4, one.f1), `${name}: another feature is as good`);
    check(told.fit_games === about.sae.fit_games && told.test_games === about.sae.test_games, `${name}: games`);
}

function words({ about, core, name }) {
    const last = about.sae.features - 1, panels = ['lens', 'features'];
    check(core.featureParse(about, ` f${last} `) === last && core.featureParse(about, '0') === 0, `${name}: names of features`);
    for (const wrong of ['', 'F', `F${last + 1}`, 'F-1', 'F1x', 'F1e1', '__proto__', 'F١', 'L0N0']) {
        check(core.featureParse(about, wrong) === null, `${name}: ${wrong} is a feature`);
    }
    const mean = about.sae.rows.findIndex((row) => row && row[11] > 0), dead = about.sae.rows.findIndex((row) => !row);
    for (const clamp of ['F0:0', 'F0:2.5', `F${mean}:mean`]) {
        const fragment = `#feature=F1&clamp=${clamp}`, { state, refused } = core.linkParse(about, fragment, panels);
        check(!refused.length && state.feature === 1 && core.clampPrint(state.clamp) === clamp && core.linkPrint(state).endsWith(fragment.slice(1)), `${name}: ${fragment}: ${refused}`);
    }
    for (const clamp of ['', 'F0', 'F0:', 'F0:-1', 'F0:1e3', 'F0:1001', 'F0:NaN', 'F0:mean:0', `F${last + 1}:0`, 'F0:__proto__', '<img>:0', ...(dead >= 0 ? [`F${dead}:mean`] : [])]) {
        const { state, refused } = core.linkParse(about, `#clamp=${clamp}`, panels);
        check(refused.length === 1 && state.clamp === null, `${name}: clamp=${clamp}: ${JSON.stringify(state.clamp)}`);
    }
    const { refused } = core.linkParse({ ...about, sae: null }, '#feature=F0&clamp=F0:0', panels);
    check(refused.length === 2, `${name}: a page without features takes them: ${refused}`);
}

/* A held feature and an edit of the board together: the board first, then the feature holds. */
function together({ about, engine, core, name }) {
    const moves = core.movesParse(about.size, about.size === 4 ? 'b1a1' : about.size === 6 ? 'c2b2' : 'f5d6').moves, sq = moves[0];
    const layers = engine.probes.editable().slice(-1), squares = [{ sq, to: core.otherSide(engine.board(moves).cells[sq]) }];
    const plan = { squares, method: 'set', layers, scale: { value: 2, relative: false } }, feature = core.featuresOn(engine.features.encode((engine.readGame(moves), engine.features.row(engine.network, engine.trace))))[0];
    const logits = (edit) => Array.from(engine.look({ moves, edit }).after.logits), both = logits({ ...plan, clamp: { feature, value: 3 } });
    for (const alone of [plan, { squares: [], clamp: { feature, value: 3 } }]) {
        check(logits(alone).some((x, v) => Math.abs(x - both[v]) > TOLERANCE), `${name}: one of two changes is not made`);
    }
}

for (let i = 0; i < rest.length; i += 5) {
    const [page, model, sae, nGames, nClamps] = rest.slice(i, i + 5), { about, text, core } = pageOpen(page), engine = new core.Engine(about, text), began = Date.now();
    const one = { about, engine, core, model, sae, nGames, nClamps, name: `${about.size}x${about.size} ${about.sae.kind}, ${about.sae.site} of ${about.sae.layer}` };
    const found = [codes(one), clamps(one)];
    columns(one);
    table(one);
    words(one);
    together(one);
    console.log(`${one.name}: ${found.join('; ')}; ${Date.now() - began} ms`);
}
checksEnd();
