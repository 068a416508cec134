/* panels.js - the panels below the boards. One is {id, title, draw}: draw(app, current) returns what
 * it shows as a list of elements, or a promise of it; current() says whether it is still wanted.
 * README.md says how to add one. */

function explorerPanels(app) {
    return [panelLens(), panelAttention(), panelAttribution(), panelSaliency(), panelNeurons(), ...(app.about.sae ? [panelFeatures()] : [])];
}

/* A board with its words below: what a panel of boards is made of. */
function panelFigure(app, drawing, lines) {
    return el('figure', {}, el('div', { class: 'picture' }, drawBoard({ size: app.size, ...drawing })),
        el('figcaption', {}, ...lines.map((line) => el('span', { text: line }))));
}

function panelIntro(text) {
    return el('p', { class: 'small', text });
}

function panelScroll(label, table) {
    return el('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': label }, table);
}

function panelHeads(names) {
    return el('thead', {}, el('tr', {}, ...names.map((text) => el(text ? 'th' : 'td', { scope: text ? 'col' : null, text }))));
}

/* A field for the name of a thing; `id` is its member of the state. parse: null where there is no such thing. */
function panelField(app, { id, title, value, parse, last }) {
    return el('label', {}, `${title} `, el('input', { id, type: 'text', size: 8, value, autocomplete: 'off', spellcheck: 'false', on: { change: (event) => {
        const found = parse(event.target.value);
        app.say(found === null ? `${title} ${shown(event.target.value)}: expected one of ${last}.` : '');
        if (found !== null) {
            app.setPanel({ [id]: found }, `#${id}`);
        }
    } } }));
}

/* ---- the logit lens: what each layer would play ---- */

function panelLens() {
    const draw = (app) => {
        const board = app.editedBoard;
        const figures = app.now.lens.map(({ layer, logits }) => {
            const answer = app.judge.answer(logits, board), p = app.judge.probabilities(logits);
            const best = app.judge.sqOfTok[app.judge.first(logits, 1)[0]];
            const cells = new Map(boardSquares(app.size).map((sq) => [sq, { disc: board.cells[sq], strength: 0.22,
                heat: 0.95 * Math.sqrt(p.get(sq) || 0), mark: sq === best && !answer.legal.includes(sq) ? 'wrong' : '' }]));
            const name = best < 0 ? 'no move' : squareName(best);
            return panelFigure(app, { cells }, [layer === LAYER_EMBED ? 'embed' : `layer ${layer}`,
                `${name} ${percent(p.get(best))}${answer.legal.includes(best) ? '' : ' ✗'}`,
                answer.error ? `${answer.error} mistakes` : 'no mistake']);
        });
        return [panelIntro('What the network would play if it stopped after a layer: its last LayerNorm and its head, applied to that layer. ' +
            'Darker is likelier. The last board is the network itself.'), el('div', { class: 'many' }, ...figures)];
    };
    return { id: 'lens', title: 'Layer by layer', draw };
}

/* ---- attention of a head, on the board ---- */

function panelAttention() {
    const draw = (app) => {
        const { n_layers: L, n_heads: NH } = app.about.shape, n = app.state.at, { layer, head } = app.state.head;
        const weights = (l, h) => app.now.pattern.subarray((l * NH + h) * n, (l * NH + h + 1) * n);
        const chosen = weights(layer, head), query = app.state.moves[n - 1];
        const choose = (l, h) => {
            app.setPanel({ head: { layer: l, head: h } }, '.heads [aria-checked="true"]');
        };
        const grid = el('div', { class: 'heads', role: 'radiogroup', 'aria-label': 'Head', style: { 'grid-template-columns': `repeat(${NH}, 1fr)` } });
        for (let l = 0; l < L; l++) {
            for (let h = 0; h < NH; h++) {
                const top = Math.max(...weights(l, h)), on = l === layer && h === head;
                grid.append(el('button', { type: 'button', role: 'radio', 'aria-checked': on, tabindex: on ? '0' : '-1', text: `${l}.${h}`,
                    'aria-label': `Layer ${l}, head ${h}, largest weight ${percent(top)}`, style: { '--share': `${(45 * top).toFixed(0)}%` },
                    on: { click: () => choose(l, h) } }));
            }
        }
        rovingFocus(grid, NH);
        const order = [...chosen.keys()].sort((a, b) => chosen[b] - chosen[a]);
        const cells = new Map(boardSquares(app.size).map((sq) => [sq, { disc: app.editedBoard.cells[sq], strength: 0.45, last: sq === query }]));
        const arrows = order.filter((s) => chosen[s] >= 0.02).reverse().map((s) => ({ from: app.state.moves[s], to: query, weight: chosen[s] }));
        const { boards } = app, who = (s) => boards[s].mover === boards[n - 1].mover ? 'same side' : 'other side';
        const list = order.slice(0, 8).map((s) => el('li', {}, el('b', { text: squareName(app.state.moves[s]) }),
            el('span', { text: ` move ${s + 1}, ${who(s)} ` }), el('em', { text: percent(chosen[s], 1) })));
        return [panelIntro('From which earlier moves a head copies to the last one: arrows begin at the squares it attends to, as wide as the weight. ' +
            'Darker heads look at few moves.'), el('div', { class: 'attention' }, grid,
            panelFigure(app, { cells, arrows, labels: true }, [`layer ${layer}, head ${head}, from move ${n} (${squareName(query)})`]),
            el('ol', { class: 'list', 'aria-label': 'Largest weights' }, ...list))];
    };
    return { id: 'attention', title: 'Attention', draw };
}
