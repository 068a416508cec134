/* panel_features.js - features of a sparse autoencoder: which are on here, what one of them stands for, and the network with
 * one of them held at a value. */

const FEATURES_LISTED = 100; /* a dictionary that is not sparse has thousands on */

/* A share in 1/10000. */
function featureShare(value) {
    return value === null ? '–' : (value / 1e4).toFixed(3);
}

/* "h4 is mine"; here: whether it is so. */
function featureSays(app, row) {
    const { cells, mover } = app.board, state = row && (cells[row.sq] === EMPTY ? 0 : cells[row.sq] === mover ? 2 : 1);
    return row && row.sq >= 0 ? { text: `${squareName(row.sq)} is ${FEATURE_STATES[row.state]}`, here: state === row.state } : { text: 'no square' };
}

function featureTable(app, found) {
    const most = Math.max(...found.on.map((one) => Math.max(one.before, one.after))), changed = app.edit !== null;
    const bar = (value) => el('td', { class: 'bar' }, el('span', { class: 'chosen', style: { width: `${(92 * value / most).toFixed(1)}%` } }), el('b', { text: value.toFixed(2) }));
    const listed = found.on.slice(0, FEATURES_LISTED), stop = listed.some((one) => one.feature === found.one) ? found.one : listed[0]?.feature;
    const body = el('tbody', {}, ...listed.map(({ feature, before, after }) => {
        const row = featureRow(app.about, feature), { text, here } = featureSays(app, row), chosen = feature === found.one;
        const button = el('button', { type: 'button', class: 'plain', text: featureName(feature), 'aria-current': chosen ? 'true' : null,
            tabindex: feature === stop ? '0' : '-1', on: { click: () => app.setPanel({ feature }, '.features [aria-current]') } });
        return el('tr', { class: chosen ? 'chosen' : '' }, el('th', { scope: 'row' }, button), bar(before), changed ? bar(after) : null,
            el('td', { text: `${text}${here === undefined ? '' : here ? ' ✓' : ' ✗'}` }), el('td', { text: featureShare(row && row.f1) }), el('td', { text: featureShare(row && row.twin) }));
    }));
    rovingFocus(body, 1);
    return panelScroll('Features that are on', el('table', {}, panelHeads(['feature', ...(changed ? ['before', 'after'] : ['value']), 'tells best', 'F1', 'twin']), body));
}

/* What came out of holding a feature: the verdict, and the moves that changed most. */
function clampWords(app) {
    const { clamp } = app.state;
    if (!clamp) {
        return 'Hold it at a value, and the network goes on from there: the boards above show what it plays.';
    }
    const [before, after] = [app.view.before, app.view.after].map((view) => app.judge.probabilities(view.logits)), change = (sq) => Math.abs(after.get(sq) - before.get(sq));
    const moved = [...app.judge.tokOfSq.keys()].sort((a, b) => change(b) - change(a)).slice(0, 3);
    return `${featureName(clamp.feature)} is held at ${clampValue(app.about, clamp).toFixed(2)}. ${byId('verdict').textContent} ` +
        `Moves that change most: ${moved.map((sq) => `${squareName(sq)} ${percent(before.get(sq), 1)} → ${percent(after.get(sq), 1)}`).join(', ')}.`;
}

/* As it is, 0, its mean, or what the slider says. While that is dragged the boards follow, one answer after another; the
 * panel when it is let go. */
function clampControls(app, found, row) {
    const feature = found.one, clamp = app.state.clamp?.feature === feature ? app.state.clamp : null, mean = row && row.mean, to = clamp && clamp.to;
    const value = clamp ? clampValue(app.about, clamp) : found.before, most = Math.ceil(10 * Math.max(row ? row.largest : 0, value, 1)) / 10;
    const set = (to, panel) => app.set({ clamp: to === null ? null : { feature, to }, feature }, panel);
    const choices = [[null, 'As it is'], [0, 'Nothing (0)'], ['mean', `Its mean (${mean ? mean.toFixed(2) : '–'})`]], stop = to === 'mean' ? 2 : to === 0 ? 1 : 0;
    const group = el('div', { class: 'row tools', role: 'radiogroup', 'aria-label': `Hold ${featureName(feature)} at` }, ...choices.map(([choice, text], i) => el('button', {
        type: 'button', role: 'radio', text, 'aria-checked': choice === to, tabindex: i === stop ? '0' : '-1', disabled: choice === 'mean' && !mean,
        on: { click: () => set(choice).then(() => app.focusPanel(`.tools button:nth-child(${i + 1})`)) } })));
    rovingFocus(group, choices.length);
    let next = null, asking = false;
    const said = el('output', { for: 'clamp-value', text: value.toFixed(2) });
    const drag = async () => {
        for (; next !== null && !asking; asking = false) {
            const to = next;
            next = null;
            asking = true;
            await set(to, false);
            byId('clamp-words').textContent = clampWords(app);
        }
    };
    const slider = el('input', { id: 'clamp-value', type: 'range', min: 0, max: most, step: 0.05, on: {
        input: () => {
            next = Number(slider.value);
            said.textContent = next.toFixed(2);
            drag();
        },
        change: () => set(Number(slider.value)).then(() => app.focusPanel('#clamp-value')) } });
    slider.value = value;
    return [group, el('label', { class: 'row' }, 'Value ', slider, said)];
}

function featureWords(app, found, row) {
    const name = featureName(found.one), { test_games: games, fit_games: fit } = app.about.sae;
    if (!row) {
        return `${name} was on at no position of ${fit + games} games: nobody knows what it stands for.`;
    }
    const interval = (value, low, high) => `${featureShare(value)} [${featureShare(low)}, ${featureShare(high)}]`;
    return `${name} is at ${found.before.toFixed(3)} here; it is on at ${percent(row.density / 1e4, 1)} of positions${row.mean ? `, at ${row.mean.toFixed(2)} on the mean` : ''}. ` +
        `It tells best: ${featureSays(app, row).text}, F1 ${interval(row.f1, row.low, row.high)}; its twin ${interval(row.twin, row.twinLow, row.twinHigh)}` +
        (row.low > row.twinHigh ? '.' : ', so this says nothing of the board.');
}

function panelFeatures() {
    const draw = async (app, current) => {
        const { about, state } = app, { sae } = about;
        const found = await app.client.ask('featuresOf', { moves: app.played, edit: app.edit, feature: state.feature });
        if (!current()) {
            return null;
        }
        const row = featureRow(about, found.one), bySquare = (values) => values.map((value, s) => ({ sq: app.probes.squares[s], value }));
        const most = Math.max(...found.reads.flatMap(({ values }) => values.map(Math.abs)), 1e-12);
        app.featureShown = found.one;
        app.showCommand();
        return [el('div', { class: 'row' }, panelField(app, { id: 'feature', title: 'Feature', value: featureName(found.one),
            parse: (text) => featureParse(about, text), last: `F0 to ${featureName(sae.features - 1)}` }),
        el('span', { class: 'small', text: `${found.n} of ${sae.features} are on here (${sae.kind}, ${sae.layer === LAYER_EMBED ? 'embedding' : `layer ${sae.layer}`})` +
            (found.on.length > FEATURES_LISTED ? `; the ${FEATURES_LISTED} largest are listed` : '') })),
        el('div', { class: 'features' }, featureTable(app, found), el('div', {}, el('p', { class: 'line', text: featureWords(app, found, row) }),
            ...clampControls(app, found, row), el('p', { class: 'line', id: 'clamp-words', text: clampWords(app) }))),
        el('div', { class: 'many wide' }, ...found.reads.map(({ name, values }) => neuronBoard(app, bySquare(values), [`its column reads ${name}`], row?.sq, most)).reverse(),
            neuronBoard(app, found.writes, ['its column writes for a move'])),
        panelIntro(`F1: of the state of a square that “value above a threshold” tells best, chosen on ${sae.fit_games} random games, on ${sae.test_games} others. Twin: the same search on boards of ` +
            'other games. Reads: cosine of the decoder column with the probe’s directions; writes: with the directions of moves. Blue is positive, orange negative.')];
    };
    return { id: 'features', title: 'Features', draw };
}
