/* panel_neurons.js - one neuron of an MLP: its activation along the game, what its weights read and write, what it adds
 * to a move now. */

/* The activation at each move as a line; the last one is the position that is shown. */
function activationLine(plies, edited) {
    const W = 300, H = 78, low = Math.min(0, ...plies), high = Math.max(0, ...plies), range = Math.max(high - low, 1e-9);
    const x = (i) => plies.length > 1 ? 4 + (W - 8) * i / (plies.length - 1) : W / 2, y = (value) => 4 + (H - 8) * (high - value) / range;
    const at = (i) => `${x(i).toFixed(1)} ${y(plies[i]).toFixed(1)}`, last = plies.length - 1;
    return svg('svg', { viewBox: `0 0 ${W} ${H}`, 'aria-hidden': 'true', focusable: 'false' },
        svg('line', { x1: 0, x2: W, y1: y(0), y2: y(0), stroke: palette.line, 'stroke-width': 1 }),
        svg('path', { d: `M${plies.map((_, i) => at(i)).join('L')}`, fill: 'none', stroke: palette.hit, 'stroke-width': 1.6, 'stroke-linejoin': 'round' }),
        svg('circle', { cx: x(last), cy: y(plies[last]), r: 3.6, fill: edited ? palette.edit : palette.hit, stroke: palette.ink, 'stroke-width': 0.8 }));
}

/* Values of squares as a board, and its largest in words. most: what has the full colour. */
function neuronBoard(app, values, lines, move = null, most = Math.max(...values.map((one) => Math.abs(one.value)), 1e-12)) {
    const cells = new Map(boardSquares(app.size).map((sq) => [sq, { disc: app.editedBoard.cells[sq], strength: 0.22, chosen: sq === move }]));
    values.forEach(({ sq, value }) => Object.assign(cells.get(sq), { heat: 0.95 * value / most }));
    const top = values.slice().sort((a, b) => Math.abs(b.value) - Math.abs(a.value)).slice(0, 3).map(({ sq, value }) => `${squareName(sq)} ${signed(value)}`);
    return panelFigure(app, { cells }, [...lines, top.join(', ')]);
}

function neuronList(app, title, list, key) {
    return el('div', {}, el('h3', { text: title }), el('ol', { class: 'list', 'aria-label': title }, ...list.map((one) => el('li', {},
        el('button', { type: 'button', class: 'plain', text: neuronName(one), 'data-list': key, on: { click: () => {
            app.setPanel({ neuron: { layer: one.layer, neuron: one.neuron } }, `[data-list="${key}"]`);
        } } }), el('em', { text: signed(one[key], 3) })))));
}

function neuronTable(app, found) {
    return el('details', { class: 'how', 'aria-label': 'Activation after every move, as a table' }, el('summary', { text: 'Activation after every move, as a table' }),
        panelScroll('Activation after every move', el('table', {}, panelHeads(['after', 'move', 'activation']),
            el('tbody', {}, ...found.plies.map((value, i) => el('tr', {}, el('th', { scope: 'row', text: i + 1 }),
                el('td', { text: squareName(app.played[i]) }), el('td', { text: signed(value, 3) })))))));
}

function panelNeurons() {
    const draw = async (app) => {
        const { empty, move } = app.moveAsked, { shape } = app.about;
        if (move === undefined) {
            return [panelIntro('No square is empty.')];
        }
        const found = await app.client.ask('neurons', { moves: app.played, edit: app.edit, move, neuron: app.state.neuron }), { one } = found, name = neuronName(one);
        const typed = panelField(app, { id: 'neuron', title: 'Neuron', value: name, parse: (text) => neuronParse(shape, text),
            last: `L0N0 to ${neuronName({ layer: shape.n_layers - 1, neuron: shape.d_mlp - 1 })}` });
        const bySquare = (values) => values.map((value, s) => ({ sq: app.probes.squares[s], value }));
        const reads = found.reads.map(({ contrast, values }) => neuronBoard(app, bySquare(values), [`reads ${contrast.replace('-', ' against ')}`]));
        return [el('div', { class: 'row' }, typed, movePick(app, empty, move)),
            el('p', { class: 'line', text: `${name} is at ${signed(one.activation, 3)} and adds ${signed(one.value, 3)} to the logit of ${squareName(move)}: ` +
                `number ${found.rank} of ${found.n} neurons by size.` }),
            el('div', { class: 'attention' },
                el('div', {}, el('figure', { class: 'plot' }, activationLine(found.plies, app.edit !== null),
                    el('figcaption', { text: `Activation of ${name} after moves 1 to ${found.plies.length}: ${signed(Math.min(...found.plies))} to ${signed(Math.max(...found.plies))}` })),
                neuronTable(app, found)),
                neuronList(app, 'Most active now', found.active, 'activation'), neuronList(app, `Adds most to ${squareName(move)}`, found.adds, 'value')),
            el('div', { class: 'many wide' }, ...reads, neuronBoard(app, found.writes, ['writes for a move'], move), neuronBoard(app, found.now, ['adds now to each move'], move)),
            panelIntro(`Reads: cosine of what the neuron takes from the stream with the probe’s directions at ${found.probeLayer === LAYER_EMBED ? 'the embedding' : `layer ${found.probeLayer}`}, ` +
                'the last that the probe reads before it. Writes: cosine of what it adds to the stream with the direction of each move. Both are weights alone. ' +
                'Adds now: activation times what it writes, in logits, with the scale of the last LayerNorm as it is here. Blue is positive, orange negative.')];
    };
    return { id: 'neurons', title: 'Neurons', draw };
}
