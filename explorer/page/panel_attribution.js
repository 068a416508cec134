/* panel_attribution.js - two panels that ask the engine: who wrote a square, and which squares a move
 * rests on. */

/* A cell of the table, coloured by its share of the largest. */
function shareCell(value, most, props = {}) {
    const share = most > 0 ? Math.abs(value) / most : 0;
    return el('td', { class: value === undefined ? '' : value < 0 ? 'share minus' : 'share plus', text: value === undefined ? '' : signed(value),
        style: { '--share': `${(45 * share).toFixed(0)}%` }, ...props });
}

function attributionTable(app, found) {
    const { n_layers: L, n_heads: NH } = app.about.shape, { parts } = found;
    const most = Math.max(...parts.map((part) => Math.abs(part.value)));
    const sum = (some) => some.reduce((all, part) => all + part.value, 0);
    const edits = parts.some((part) => part.kind === 'edit');
    const rows = [], row = (name, cells, own, running) => rows.push(el('tr', {}, el('th', { scope: 'row', text: name }), ...cells,
        el('td', { class: 'sum', text: signed(own) }), el('td', { class: 'sum', text: signed(running) })));
    const blank = (n) => Array.from({ length: n }, () => el('td'));
    let running = 0;
    const wide = NH + 2 + (edits ? 1 : 0);
    for (const part of parts.filter((one) => one.kind === 'token' || one.kind === 'position')) {
        running += part.value;
        row(part.name, [shareCell(part.value, most), ...blank(wide - 1)], part.value, running);
    }
    for (let l = 0; l < L; l++) {
        const here = parts.filter((part) => part.layer === l), of = (kind) => here.filter((part) => part.kind === kind);
        if (here.length) {
            running += sum(here);
            row(`layer ${l}`, [...Array.from({ length: NH }, (_, h) => shareCell(of('head').find((part) => part.head === h)?.value, most)),
                shareCell(of('bias').length ? sum(of('bias')) : undefined, most), shareCell(of('mlp').length ? sum(of('mlp')) : undefined, most),
                ...(edits ? [shareCell(of('edit').length ? sum(of('edit')) : undefined, most)] : [])], sum(here), running);
        }
    }
    const bias = parts.find((part) => part.name === 'probe bias').value;
    row('probe bias', [shareCell(bias, most), ...blank(wide - 1)], bias, running + bias);
    return el('table', { class: 'shares' }, el('caption', { class: 'hidden', text: 'Shares of the difference by part of the network' }),
        panelHeads(['', ...Array.from({ length: NH }, (_, h) => `head ${h}`), 'bias', 'MLP', ...(edits ? ['your edit'] : []), 'sum', 'so far']), el('tbody', {}, ...rows));
}

function panelAttribution() {
    const words = (contrast) => contrast.replace('-', ' against ');
    const draw = async (app) => {
        const square = squareAsked(app.state), { contrast, layer } = app.state;
        const [of, less] = contrast.split('-').map((name) => app.probes.classes.indexOf(name));
        const question = { square: app.probes.squares.indexOf(square), layer, of, less };
        const found = await app.client.ask('attribute', { moves: app.played, edit: app.edit, question });
        const pick = (label, options, value, run) => {
            const select = el('select', { on: { change: (event) => run(event.target.value) } }, ...options.map(([name, text]) => el('option', { value: name, text })));
            select.value = value;
            return el('label', {}, `${label} `, select);
        };
        const top = found.parts.slice().sort((a, b) => Math.abs(b.value) - Math.abs(a.value)).slice(0, 3).map((part) => `${part.name} ${signed(part.value)}`);
        return [el('div', { class: 'row' },
            pick('Square', app.probes.squares.map((sq) => [squareName(sq), squareName(sq)]), squareName(square), (name) => {
                app.set({ square: squareParse(app.size, name) });
            }),
            pick('Question', contrastNames(app.probes.classes).map((name) => [name, words(name)]), contrast, (name) => {
                app.setPanel({ contrast: name });
            }),
            el('span', { class: 'small', text: `at layer ${layerName(layer)}, chosen above` })),
        el('p', { class: 'line', text: `${squareName(square)}: the probe’s difference is ${signed(found.score)}, ${found.score >= 0 ? 'for' : 'against'} “${words(contrast)}”. Largest: ${top.join(', ')}. ` +
            `All parts add up to ${signed(found.total)}.` }),
        panelScroll('Shares by part of the network', attributionTable(app, found))];
    };
    return { id: 'attribution', title: 'Who wrote this square', draw };
}

/* ---- saliency ---- */

/* The choice of a move to ask about. */
function movePick(app, empty, move) {
    const legal = boardMoves(app.board), select = el('select', { id: 'move', on: { change: (event) => {
        app.setPanel({ move: squareParse(app.size, event.target.value) }, '#move');
    } } }, ...empty.map((sq) => el('option', { value: squareName(sq), text: squareName(sq) + (legal.includes(sq) ? '' : ' (illegal)') })));
    select.value = squareName(move);
    return el('label', {}, 'Move ', select);
}

function panelSaliency() {
    const draw = async (app) => {
        const legal = boardMoves(app.board), { empty, move } = app.moveAsked, { method, scale, editLayers } = app.state;
        if (move === undefined) {
            return [panelIntro('No square is empty.')];
        }
        const plan = { method, scale: scaleParse(scale, method), layers: editLayers };
        const found = await app.client.ask('saliency', { moves: app.played, plan, move });
        const most = Math.max(...found.squares.map((one) => Math.abs(one.effect)), 1e-9), isLegal = legal.includes(move);
        const cells = new Map(found.squares.map(({ sq, effect, legal: after }) => [sq, { disc: app.board.cells[sq], strength: 0.35,
            heat: 0.9 * effect / most, chosen: sq === move, dot: after !== isLegal }]));
        const list = found.squares.slice().sort((a, b) => Math.abs(b.effect) - Math.abs(a.effect)).slice(0, 8).map(({ sq, to, effect, legal: after }) =>
            el('li', {}, el('b', { text: squareName(sq) }), el('span', { text: ` made ${stateWord(to)}${after !== isLegal ? `, move becomes ${after ? 'legal' : 'illegal'}` : ''} ` }),
                el('em', { text: signed(effect) })));
        return [panelIntro(`On which squares a move rests: each square is changed inside, one at a time (${method}, scale ${scale}, layer ${layersPrint(editLayers)}). ` +
            'Orange lowers the log-odds of the move, blue raises it. Dots: by the rules this change decides whether the move is legal.'),
        el('div', { class: 'row' }, movePick(app, empty, move)),
        el('div', { class: 'attention' }, panelFigure(app, { cells, labels: true }, [`log-odds of ${squareName(move)}: ${signed(found.odds)}, ${isLegal ? 'legal' : 'illegal'}`]),
            el('ol', { class: 'list', 'aria-label': 'Largest effects' }, ...list))];
    };
    return { id: 'saliency', title: 'What a move rests on', draw };
}
