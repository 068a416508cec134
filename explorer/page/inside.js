/* inside.js - the board that a probe reads at a layer, the strip of all layers, and the tools that
 * change it. */

function insideHint(app) {
    const begins = movesPrint(app.played, '') === FIRST_GAMES[app.size] && !app.state.edits.length;
    return `Press a disc here to turn it over inside the network${begins ? `: try ${FIRST_DISCS[app.size]}` : ''}.`;
}

/* What a view holds at a layer: cells of a drawing, wrong squares. */
function insideReading(app, reading) {
    const K = app.probes.classes.length, viewer = app.viewer, edited = new Set(app.state.edits.map((one) => one.sq));
    const cells = new Map(), wrong = [];
    app.probes.squares.forEach((sq, i) => {
        const k = reading.classes[i], state = app.probes.stateOf(k, viewer), p = reading.p[i * K + k];
        const isWrong = state !== app.editedBoard.cells[sq];
        if (isWrong) {
            wrong.push(sq);
        }
        cells.set(sq, { disc: state, strength: 0.3 + 0.7 * p, mark: isWrong ? 'wrong' : '', edited: edited.has(sq),
            chosen: app.state.panel === 'attribution' && app.state.square === sq });
    });
    return { cells, wrong };
}

/* Words for each square of a reading. */
function insideWords(app, reading, cells) {
    const K = app.probes.classes.length;
    return new Map(app.probes.squares.map((sq, i) => {
        const { disc, mark, edited } = cells.get(sq);
        const shares = app.probes.classes.map((name, j) => `${name} ${percent(reading.p[i * K + j], 1)}`).join(', ');
        return [sq, `${stateWord(disc)}${mark ? `, wrong, it is ${stateWord(app.editedBoard.cells[sq])}` : ''}` +
            `${edited ? ', changed' : ''}; ${shares}`];
    }));
}

function buildInside(app) {
    app.insideView = new BoardView(byId('inside-board'), app.size, 'The board inside the network: press a square to change it there',
        (sq) => app.changeSquare(sq), (sq) => {
            byId('inside-look').textContent = sq === null || !app.insideWords ? insideHint(app)
                : `${squareName(sq)}: ${app.insideWords.get(sq)}`;
        });
    byId('tools').append(...TOOLS.map((tool, i) => el('button', { type: 'button', role: 'radio', text: tool.label,
        tabindex: i ? '-1' : '0', 'aria-checked': i === 0, on: { click: () => {
            app.tool = tool;
            byId('tools').querySelectorAll('button').forEach((button, j) => button.setAttribute('aria-checked', i === j));
        } } })));
    rovingFocus(byId('tools'), TOOLS.length);
    byId('layers').append(...app.about.probe.layers.map(({ layer }) => el('button', { type: 'button', role: 'radio',
        'data-layer': layer, on: { click: () => app.set({ layer }) } })));
    rovingFocus(byId('layers'), app.about.probe.layers.length);
    const save = (view, name) => [['SVG', saveSvg], ['PNG', savePng]].map(([kind, run]) => el('button', { type: 'button',
        class: 'plain', text: kind, 'aria-label': `Save ${name} as ${kind}`,
        on: { click: () => view.drawing && run(view.drawing, name.replace(/ /g, '-')) } }));
    byId('save').append(el('span', { text: 'Save this board' }), ...save(app.insideView, 'the board inside'),
        el('span', { text: ' game' }), ...save(app.gameView, 'the game'));
}

function drawInside(app) {
    const { state, now } = app;
    if (!byId('inside-board').querySelector('button:hover, button:focus')) {
        byId('inside-look').textContent = insideHint(app);
    }
    byId('method').value = state.method;
    byId('scale').value = state.scale;
    byId('edit-layers').value = layersPrint(state.editLayers);
    byId('how-now').textContent = `${state.method}, scale ${state.scale}, at layer ${layersPrint(state.editLayers)}`;
    if (!now) {
        const cells = new Map();
        app.insideWords = null;
        app.insideView.show({ cells, title: 'Nothing is read here' }, () => 'nothing is read');
        byId('inside-line').textContent = state.at ? 'It reads no more moves than this.' : 'It has read no move yet.';
        byId('layers').querySelectorAll('button').forEach((button) => button.replaceChildren());
        return;
    }
    const reading = now.layers.find((one) => one.layer === state.layer);
    const { cells, wrong } = insideReading(app, reading), words = insideWords(app, reading, cells);
    const early = state.edits.length && state.layer < Math.min(...state.editLayers);
    app.insideWords = words;
    app.insideView.show({ cells, title: `Layer ${layerName(state.layer)}, ${wrong.length} wrong` }, (sq) => words.get(sq));
    byId('inside-line').textContent = `${state.layer === LAYER_EMBED ? 'The embedding' : `Layer ${state.layer}`}: ` +
        (wrong.length ? `${wrong.length} of ${app.size ** 2} squares differ from the ${state.edits.length ? 'changed' : 'true'} board` :
            `every square as on the ${state.edits.length ? 'changed' : 'true'} board`) +
        (early ? `; your change comes later, at layer ${layersPrint(state.editLayers)}.` : '.');
    byId('layers').querySelectorAll('button').forEach((button) => {
        const layer = Number(button.dataset.layer), read = insideReading(app, now.layers.find((one) => one.layer === layer));
        const on = layer === state.layer, chosen = on && button.getAttribute('aria-checked') !== 'true', edited = state.edits.length && state.editLayers.includes(layer) || state.clamp && layer === app.about.sae.layer;
        button.replaceChildren(drawBoard({ size: app.size, cells: read.cells }),
            el('span', { class: 'name', text: layerName(layer) + (edited ? ' ✎' : '') }),
            el('span', { class: 'count', text: read.wrong.length ? `${read.wrong.length} ✗` : '✓' }));
        button.setAttribute('aria-checked', on);
        button.setAttribute('tabindex', on ? '0' : '-1');
        button.setAttribute('aria-label', `Layer ${layerName(layer)}, ${read.wrong.length} squares wrong${edited ? ', changed here' : ''}`);
        if (chosen) { /* on a narrow screen the strip is wider than its place; to measure takes a layout of the page */
            const strip = byId('layers'), at = button.offsetLeft - strip.offsetLeft;
            strip.scrollLeft = at < strip.scrollLeft ? at : Math.max(strip.scrollLeft, at + button.offsetWidth - strip.clientWidth);
        }
    });
}
