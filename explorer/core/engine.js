/* engine.js - what the page asks, answered: in a worker, or in the page itself where none starts.
 *
 * A question is {id, type, ...}; its answer {id, result} or {id, error}. */

class Engine {
    constructor(about, text) {
        const numbers = numbersDecode(text, about.n_numbers);
        this.about = about;
        this.network = new Network(about, numbers);
        this.probes = new Probes(about, numbers);
        this.judge = new Judge(about);
        this.features = about.sae ? new Features(about, numbers) : null;
        this.trace = this.network.newTrace();
        this.branch = { key: '', trace: null }; /* the last edit of the trace */
        this.seen = { key: '', view: null };    /* the last game without an edit */
    }

    board(moves) {
        const { boards } = boardReplay(this.about.size, moves);
        return boards[boards.length - 1];
    }

    readGame(moves) {
        if (moves.length < 1 || moves.length > this.about.shape.n_ctx) {
            throw new Error(`${moves.length} moves, expected 1 to ${this.about.shape.n_ctx}`);
        }
        this.network.read(this.trace, this.judge.tokens(moves));
    }

    /* The trace under a change {squares: [{sq, to}], method, layers, scale, clamp}: first squares are edited, then a
     * feature is held, {feature, value}. Either may be missing. */
    editedTrace(moves, edit) {
        const key = JSON.stringify([moves, edit]);
        if (this.branch.key !== key) {
            const board = this.board(moves), viewer = this.probes.viewer(board.mover, moves.length - 1);
            const hooks = [], blocks = [];
            if (edit.squares.length) {
                hooks.push(this.probes.editor(edit, this.probes.editSquares(board, viewer, edit.squares)));
                blocks.push(...edit.layers);
            }
            if (edit.clamp) {
                hooks.push(this.features.clamper(edit.clamp));
                blocks.push(this.features.hook.layer);
            }
            const change = (site, layer, row) => hooks.filter((hook) => hook(site, layer, row)).length > 0;
            this.branch = { key, trace: this.network.edited(this.trace, Math.min(...blocks), change) };
        }
        return this.branch.trace;
    }

    /* Everything that is shown of the last row of a trace. */
    view(trace) {
        const { n_layers: L, n_heads: NH, n_ctx: T } = this.about.shape, t = trace.tokens.length - 1;
        const pattern = new Float64Array(L * NH * (t + 1));
        for (let l = 0; l < L; l++) {
            for (let head = 0; head < NH; head++) {
                const at = (head * T + t) * T;
                pattern.set(trace.pattern[l].subarray(at, at + t + 1), (l * NH + head) * (t + 1));
            }
        }
        const lens = Array.from({ length: L + 1 }, (_, l) => ({
            layer: l - 1, logits: this.network.logitsOf(this.network.stream(trace, l, t)),
        }));
        return {
            logits: lens[L].logits, lens, pattern,
            layers: this.probes.layers.map(({ layer }) => this.probes.read(this.network, trace, layer, t)),
        };
    }

    look({ moves, edit }) {
        this.readGame(moves);
        const key = moves.join();
        this.seen = this.seen.key === key ? this.seen : { key, view: this.view(this.trace) };
        return {
            before: this.seen.view,
            after: edit ? this.view(this.editedTrace(moves, edit)) : null,
        };
    }

    attribute({ moves, edit, question }) {
        this.readGame(moves);
        const trace = edit ? this.editedTrace(moves, edit) : this.trace;
        return boardAttribution(this.network, this.probes, trace, moves.length - 1, question);
    }

    saliency({ moves, plan, move }) {
        this.readGame(moves);
        return saliencyMap(this.network, this.probes, this.judge, this.trace, this.board(moves), plan, move);
    }

    neurons({ moves, edit, move, neuron }) {
        this.readGame(moves);
        const trace = edit ? this.editedTrace(moves, edit) : this.trace;
        return neuronsLook(this.network, this.probes, this.judge, trace, { move, neuron });
    }

    featuresOf({ moves, edit, feature }) {
        this.readGame(moves);
        const traces = [this.trace, edit ? this.editedTrace(moves, edit) : this.trace];
        return featuresLook(this.features, this.network, this.probes, this.judge, traces, feature);
    }

    /* From the edited position the network plays its first choices, at most `plies` of them. The
     * line ends with the first that is illegal on the edited board, or with the game. */
    playOn({ moves, edit, plies }) {
        this.readGame(moves);
        const start = edit ? this.editedTrace(moves, edit) : this.trace;
        const trace = start.copy(this.about.shape);
        let board = edit ? boardEdited(this.board(moves), edit.squares) : this.board(moves), over = boardIsOver(board);
        const line = [];
        while (line.length < plies && !over) {
            const logits = this.network.logits(trace), tok = this.judge.first(logits, 1)[0];
            const sq = this.judge.sqOfTok[tok], p = softmax(logits)[tok];
            const legal = sq >= 0 && boardMoves(board).includes(sq);
            line.push({ sq, p, legal, side: board.mover });
            if (!legal || trace.tokens.length === this.about.shape.n_ctx) {
                break;
            }
            const step = boardPlay(board, sq);
            board = step.board;
            over = step.over;
            trace.tokens.push(tok);
            this.network.run(trace, trace.tokens.length - 1);
        }
        return { line, cells: board.cells, over };
    }
}

const ENGINE_QUESTIONS = ['look', 'attribute', 'saliency', 'neurons', 'featuresOf', 'playOn'];

/* One question of a page to its engine. state.engine is made by the question "open". */
function engineAnswer(state, question) {
    const { id, type } = question;
    try {
        if (type === 'open') {
            state.engine = new Engine(question.about, question.text);
            return { id, result: true };
        }
        if (!state.engine || !ENGINE_QUESTIONS.includes(type)) {
            throw new Error(`no question ${type}`);
        }
        return { id, result: state.engine[type](question) };
    } catch (error) {
        return { id, error: String(error && error.message || error) };
    }
}

if (typeof WorkerGlobalScope !== 'undefined' && self instanceof WorkerGlobalScope) {
    const state = { engine: null };
    self.onmessage = (event) => self.postMessage(engineAnswer(state, event.data));
}
