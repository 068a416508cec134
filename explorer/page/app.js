/* app.js - the page: its state, what changes it, and what is drawn of it. */

const TOOLS = [
    { name: 'flip', label: 'Turn over', to: (state) => state === EMPTY ? null : otherSide(state) },
    { name: 'erase', label: 'Take away', to: (state) => state === EMPTY ? null : EMPTY },
    { name: 'black', label: 'Black', to: (state) => state === BLACK ? null : BLACK },
    { name: 'white', label: 'White', to: (state) => state === WHITE ? null : WHITE },
    { name: 'ask', label: 'Who wrote it?', to: () => null },
];
/* Where the page begins, so that there is something to see, and a disc to begin with. It is chosen: on the changed board
 * the shipped 8x8 network makes eight mistakes before the change and none after, the 6x6 network six and none. */
const FIRST_GAMES = { 8: 'f5d6c3d3c4f4f6f3e6e7', 6: 'd5e3c2d6e6b4e4c1', 4: 'b1a1' };
const FIRST_DISCS = { 8: 'd3', 6: 'c3', 4: 'b2' };

const GAME_HINT = 'Press a dotted square to play there.';

class Explorer {
    constructor(about, client) {
        this.about = about;
        this.size = about.size;
        this.client = client;
        this.judge = new Judge(about);
        this.probes = new Probes(about, new Float32Array(0)); /* its words, not its weights */
        this.panels = explorerPanels(this);
        this.tool = TOOLS[0];
        this.view = null;
        this.asked = 0;
        this.state = stateStart(about);
    }

    /* ---- what is so now ---- */

    get readable() {
        return this.state.at >= 1 && this.state.at <= this.about.shape.n_ctx;
    }

    get played() {
        return this.state.moves.slice(0, this.state.at);
    }

    get viewer() {
        return this.probes.viewer(this.board.mover, this.state.at - 1);
    }

    get edit() {
        const { edits, method, editLayers, scale, clamp } = this.state;
        const held = clamp && { feature: clamp.feature, value: clampValue(this.about, clamp) };
        return (edits.length || held) && this.readable
            ? { squares: edits, method, layers: editLayers, scale: scaleParse(scale, method), clamp: held } : null;
    }

    /* The view under the edit, if there is one. */
    get now() {
        return this.view && (this.view.after || this.view.before);
    }

    /* The move that panels ask about, of the `empty` squares: the chosen one, else the network's first choice. None
     * (undefined) where no square is empty. */
    get moveAsked() {
        const empty = this.probes.squares.filter((sq) => this.judge.tokOfSq.has(sq) && this.board.cells[sq] === EMPTY);
        const first = this.view ? this.judge.first(this.view.before.logits, this.about.shape.d_vocab) : [];
        const best = first.map((tok) => this.judge.sqOfTok[tok]).find((sq) => empty.includes(sq));
        return { empty, move: empty.includes(this.state.move) ? this.state.move : best };
    }

    setBoards() {
        const { boards, passed } = boardReplay(this.size, this.state.moves);
        this.boards = boards;
        this.passed = passed;
        this.board = boards[this.state.at];
        this.editedBoard = this.state.edits.length ? boardEdited(this.board, this.state.edits) : this.board;
    }

    /* ---- changes ---- */

    /* Take some members of the state, draw, and ask the network again; panel false: all but the panel. */
    async set(change, panel = true) {
        const moved = 'moves' in change || 'at' in change;
        Object.assign(this.state, change);
        if (moved && !('edits' in change)) {
            this.state.edits = [];
        }
        if ('moves' in change && !('clamp' in change)) { /* while one steps through a game a feature stays held */
            this.state.clamp = null;
        }
        this.setBoards();
        this.showState();
        if (moved) {
            this.drawGame();
        }
        byId('play-on-line').textContent = '';
        await this.look(panel);
    }

    /* The state as a link, and as a command. */
    showState() {
        this.showCommand();
        this.link = linkPrint(this.state);
        try {
            history.replaceState(null, '', this.link);
        } catch {
            location.hash = this.link;
        }
    }

    showCommand() {
        byId('command').value = commandPrint(this.about, { ...this.state, move: this.moveAsked.move ?? null,
            feature: this.state.feature ?? this.featureShown ?? null }, this.board);
    }

    async look(panel) {
        const asked = ++this.asked;
        if (!this.readable) {
            this.view = null;
            this.drawAll();
            return;
        }
        document.documentElement.dataset.busy = 'yes';
        try {
            const view = await this.client.ask('look', { moves: this.played, edit: this.edit });
            if (asked === this.asked) {
                this.view = view;
                this.showCommand(); /* it may name the network's first choice */
                this.drawAll();
                await (panel ? this.drawPanel() : null);
            }
        } catch (error) {
            this.say(`The network could not be asked: ${error.message}`);
        } finally {
            if (asked === this.asked) {
                delete document.documentElement.dataset.busy;
            }
        }
    }

    say(text) {
        byId('notice').textContent = text;
        byId('notice').hidden = !text;
    }

    play(sq) {
        const { board } = this;
        if (boardIsOver(board)) {
            return this.say('The game is over. Step back, or begin a new one.');
        }
        if (!boardFlips(board, sq, board.mover).length) {
            return this.say(refuseMove(board, sq)[0].toUpperCase() + refuseMove(board, sq).slice(1) + '.');
        }
        this.say('');
        const moves = [...this.played, sq];
        return this.set({ moves, at: moves.length });
    }

    step(at) {
        const goal = Math.max(0, Math.min(this.state.moves.length, at));
        return goal === this.state.at ? null : this.set({ at: goal });
    }

    networkMoves() {
        const legal = boardMoves(this.board);
        if (!legal.length) {
            return this.say('The game is over.');
        }
        if (!this.view) {
            return this.state.at ? this.say('The network reads no more moves than this.') : this.play(legal[0]);
        }
        const best = this.judge.first(this.view.before.logits, this.about.shape.d_vocab)
            .map((tok) => this.judge.sqOfTok[tok]);
        if (!legal.includes(best[0])) {
            this.say(`Its first choice, ${best[0] < 0 ? 'no move' : squareName(best[0])}, is illegal here. It plays its best legal move.`);
            const moves = [...this.played, best.find((sq) => legal.includes(sq))];
            return this.set({ moves, at: moves.length });
        }
        return this.play(best[0]);
    }

    changeSquare(sq) {
        if (this.tool.name === 'ask') {
            return this.set({ square: sq, panel: 'attribution' });
        }
        if (!this.readable) {
            return this.say('The network has read no move yet, so it holds no board that could be changed.');
        }
        const has = this.state.edits.find((one) => one.sq === sq), from = this.board.cells[sq];
        const to = this.tool.to(has ? has.to : from);
        let edits = this.state.edits.filter((one) => one !== has);
        if (to === null) {
            return this.say(`${squareName(sq)} is ${stateWord(has ? has.to : from)}: “${this.tool.label}” changes nothing there.`);
        }
        if (to !== from) {
            edits = [...edits, { sq, to }];
        }
        if (edits.length > EDIT_MAX_SQUARES) {
            return this.say(`At most ${EDIT_MAX_SQUARES} squares are changed at once.`);
        }
        this.say('');
        return this.set({ edits });
    }

    readGame(text) {
        const { moves, error } = movesParse(this.size, text);
        this.say(error ? `Read up to there, then ${error}.` : '');
        return this.set({ moves, at: moves.length });
    }

    readLink(fragment) {
        const { state, refused } = linkParse(this.about, fragment, this.panels.map((panel) => panel.id));
        this.say(refused.length ? `In the link, ${refused.join('; ')}.` : '');
        return this.set(state);
    }

    async playOn() {
        const { line, over } = await this.client.ask('playOn', { moves: this.played, edit: this.edit, plies: 10 });
        const text = line.map(({ sq, p, legal, side }) =>
            `${sideName(side)} ${sq < 0 ? 'no move' : squareName(sq)} ${percent(p)}${legal ? '' : ' ✗ illegal'}`).join(', ');
        const legal = line.filter((one) => one.legal).length;
        byId('play-on-line').textContent = `${text}. ${legal} of ${line.length} legal by the ` +
            `${this.state.edits.length ? 'changed' : 'true'} board${over ? '; the game is over' : ''}.`;
    }

    /* ---- drawing ---- */

    drawAll() {
        drawInside(this);
        drawAnswer(this);
        byId('undo-edits').disabled = !this.state.edits.length && !this.state.clamp;
        byId('play-on').disabled = !this.view;
        if (!this.view) {
            this.drawPanel();
        }
    }

    drawGame() {
        const { board, state } = this, legal = boardMoves(board), last = state.moves[state.at - 1];
        const cells = new Map(boardSquares(this.size).map((sq) => [sq,
            { disc: board.cells[sq], last: sq === last, dot: legal.includes(sq) }]));
        this.gameView.show({ cells, title: `The game after ${state.at} moves` }, (sq) =>
            `${stateWord(board.cells[sq])}${legal.includes(sq) ? ', legal move' : ''}${sq === last ? ', last move' : ''}`);
        const count = (side) => board.cells.filter((cell) => cell === side).length;
        const over = !legal.length, pass = this.passed[state.at] ? ` ${sideWord(otherSide(board.mover))} had to pass.` : '';
        byId('game-line').textContent = (over ? `The game is over, ${count(BLACK)} to ${count(WHITE)}.`
            : `${sideWord(board.mover)} to move.`) + pass + ` Move ${state.at} of ${state.moves.length}.`;
        byId('moves').replaceChildren(...state.moves.map((sq, i) => el('li', {}, el('button', {
            type: 'button', text: squareName(sq) + (this.passed[i + 1] ? ' pass' : ''), tabindex: i === Math.max(0, state.at - 1) ? '0' : '-1',
            'aria-current': i === state.at - 1 ? 'step' : null, 'aria-label': `Go to move ${i + 1}, ${squareName(sq)}`,
            on: { click: () => this.step(i + 1) } }))));
        byId('back').disabled = byId('to-start').disabled = state.at === 0;
        byId('forth').disabled = byId('to-end').disabled = state.at === state.moves.length;
        byId('network-move').disabled = over;
    }

    /* Everything again, in the colours that the style sheet has now. */
    drawInColours() {
        paletteRead();
        this.drawGame();
        this.drawAll();
        this.drawPanel();
    }

    async drawPanel() {
        const panel = this.panels.find((one) => one.id === this.state.panel), asked = this.asked;
        byId('tabs').querySelectorAll('button').forEach((tab) => {
            const on = tab.dataset.panel === panel.id;
            tab.setAttribute('aria-selected', on);
            tab.setAttribute('tabindex', on ? '0' : '-1');
        });
        byId('panel').setAttribute('aria-labelledby', `tab-${panel.id}`);
        delete byId('panel').dataset.shown;
        if (!this.view) {
            byId('panel').replaceChildren(el('p', { class: 'small', text: this.state.at
                ? 'The network reads no more moves than this.' : 'Play a move: the network reads moves, so before the first there is nothing to see.' }));
            return;
        }
        try {
            const content = await panel.draw(this, () => asked === this.asked && this.state.panel === panel.id);
            if (content && asked === this.asked && this.state.panel === panel.id) {
                byId('panel').replaceChildren(...content);
                byId('panel').dataset.shown = panel.id;
            }
        } catch (error) {
            this.say(`${panel.title}: ${error.message}`);
        }
    }

    /* Members of the state that change nothing but the panel; `focus`: where the focus was, in the new panel. */
    async setPanel(change, focus = '') {
        Object.assign(this.state, change);
        this.showState();
        await this.drawPanel();
        this.focusPanel(focus);
    }

    focusPanel(selector) {
        if (selector) {
            byId('panel').querySelector(selector)?.focus();
        }
    }
}

function stateWord(state) {
    return ['empty', 'black', 'white'][state];
}

function sideWord(side) {
    return side === BLACK ? 'Black' : 'White';
}

/* ---- once, when the page opens ---- */

function bindControls(app) {
    const click = (id, run) => byId(id).addEventListener('click', run);
    click('to-start', () => app.step(0));
    click('back', () => app.step(app.state.at - 1));
    click('forth', () => app.step(app.state.at + 1));
    click('to-end', () => app.step(app.state.moves.length));
    click('network-move', () => app.networkMoves());
    click('new-game', () => app.set({ moves: [], at: 0 }));
    click('undo-edits', () => app.set({ edits: [], clamp: null }));
    click('play-on', () => app.playOn());
    click('copy-link', async () => app.say(await copyText(location.href) ? 'The link is copied: it holds this position.' : 'Copy the address of this page.'));
    click('copy-command', async () => app.say(await copyText(byId('command').value) ? 'The command is copied.' : 'Select the command and copy it.'));
    click('theme', () => {
        const dark = byId('theme').getAttribute('aria-pressed') !== 'true';
        document.documentElement.dataset.theme = dark ? 'dark' : 'light';
        byId('theme').setAttribute('aria-pressed', dark);
        app.drawInColours();
    });
    byId('paste').addEventListener('submit', (event) => {
        event.preventDefault();
        app.readGame(byId('paste-text').value);
    });
    byId('method').append(...EDIT_METHODS.map((name) => el('option', { value: name, text: name })));
    byId('method').addEventListener('change', (event) => {
        const method = event.target.value, scale = method === 'project' ? '1' : '0.5r';
        app.set({ method, scale });
    });
    byId('scale').addEventListener('change', (event) => {
        const text = event.target.value.trim(), sound = scaleParse(text, app.state.method);
        app.say(sound ? '' : `Scale ${shown(text)}: expected a number from −${EDIT_MAX_SCALE} to ${EDIT_MAX_SCALE}` +
            (app.state.method === 'project' ? '.' : ', or with r a share of the row’s length, such as 0.5r.'));
        app.set(sound ? { scale: text } : {});
    });
    byId('edit-layers').addEventListener('change', (event) => {
        const list = layersParse(event.target.value.trim(), app.editable);
        app.say(list ? '' : `Layers ${shown(event.target.value)}: expected some of ${layersPrint(app.editable)}, such as 4 or 3-5.`);
        app.set(list ? { editLayers: list } : {});
    });
    window.addEventListener('hashchange', () => {
        if (location.hash !== app.link) {
            app.readLink(location.hash);
        }
    });
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => app.drawInColours());
    document.addEventListener('keydown', (event) => {
        if (event.target.matches('input, select, textarea') || event.ctrlKey || event.altKey || event.metaKey) {
            return;
        }
        const run = { '[': () => app.step(app.state.at - 1), ']': () => app.step(app.state.at + 1) }[event.key];
        run?.();
    });
}

function buildParts(app) {
    const { about } = app, { n_layers: L, d_model: C, n_heads: NH } = about.shape;
    document.title = `The board inside: ${about.model}`;
    byId('model-name').textContent = about.model;
    byId('model-shape').textContent = `${app.size}×${app.size} · ${L} layers · ${C} wide · ${NH} heads`;
    byId('about-page').textContent = `ogpt ${about.version}. Everything is computed in this file, with the weights in half precision ` +
        `(float16), so the last digits differ from those of the program; they are ${app.megabytes} MB of it. Network ${about.model_hash.slice(0, 12)}. Keys: arrows on a board, [ and ] step.`;
    app.editable = about.probe.layers.map((one) => one.layer).filter((layer) => layer !== LAYER_EMBED);
    paletteRead();
    app.gameView = new BoardView(byId('game-board'), app.size, 'The true board: press a square to play there',
        (sq) => app.play(sq), (sq) => lookGame(app, sq));
    lookGame(app, null);
    buildInside(app);
    buildAnswer(app);
    byId('tabs').append(...app.panels.map((panel) => el('button', { type: 'button', role: 'tab', id: `tab-${panel.id}`,
        'data-panel': panel.id, 'aria-controls': 'panel', text: panel.title, on: { click: () => app.setPanel({ panel: panel.id }) } })));
    rovingFocus(byId('tabs'), app.panels.length);
    rovingFocus(byId('moves'), 10);
    const dark = matchMedia('(prefers-color-scheme: dark)').matches;
    byId('theme').setAttribute('aria-pressed', dark);
}

function lookGame(app, sq) {
    const p = sq === null || !app.view ? null : app.judge.probabilities(app.view.before.logits).get(sq);
    byId('game-look').textContent = sq === null ? GAME_HINT : `${squareName(sq)}: ${stateWord(app.board.cells[sq])}` +
        (p === undefined || p === null ? '' : `, the network would play it with ${percent(p, 1)}`);
}

async function startExplorer() {
    const began = performance.now();
    const about = JSON.parse(byId('about').textContent), numbers = byId('numbers'), text = numbers.textContent.trim();
    const app = new Explorer(about, new EngineClient(about, text));
    app.megabytes = (text.length / 1e6).toFixed(1);
    numbers.remove();
    window.explorer = app; /* for the console */
    buildParts(app);
    bindControls(app);
    await app.readLink(location.hash || `#game=${FIRST_GAMES[app.size]}`);
    document.documentElement.dataset.ready = Math.round(performance.now() - began);
}

document.addEventListener('DOMContentLoaded', startExplorer);
