/* probes.js - reading the board out of the residual stream, and writing into it: the arithmetic of
 * probes/board/probe.h, probes/board/direction_set.h and probes/edits/edit_methods.c. */

const LAYER_EMBED = -1;
const EDIT_METHODS = ['project', 'add', 'set'];
const EDIT_MAX_SQUARES = 8;
const EDIT_MAX_SCALE = 100;

/* The residual stream of a trace at a site of a layer, position t. */
function streamRow(network, trace, site, layer, t) {
    const C = network.shape.d_model;
    if (layer !== LAYER_EMBED && site === 'resid_mid') {
        return trace.mid[layer].subarray(t * C, (t + 1) * C);
    }
    return network.stream(trace, layer === LAYER_EMBED ? 0 : layer + (site === 'resid_post' ? 1 : 0), t);
}

class Probes {
    constructor(about, numbers) {
        const { n_layers: L, d_model: C } = about.shape;
        this.size = about.size;
        this.width = C;
        this.nLayers = L;
        this.site = about.probe.site;
        this.task = about.probe.task;
        this.parity = about.probe.labels === 'parity';
        this.classes = about.probe.classes;
        this.squares = boardSquares(about.size);
        const K = this.classes.length, step = this.squares.length * K;
        this.step = step;
        this.layers = about.probe.layers.map(({ layer, weight, bias }) => ({
            layer,
            weight: numbers.subarray(weight, weight + C * step),
            bias: numbers.subarray(bias, bias + step),
        }));
    }

    layerOf(layer) {
        return this.layers.find((one) => one.layer === layer);
    }

    /* The row of a trace that the probe of a layer reads. */
    row(network, trace, layer, t) {
        return streamRow(network, trace, this.site, layer, t);
    }

    /* Scores (squares, classes) of a row. */
    scores(one, row) {
        const out = new Float64Array(this.step);
        one.rows ??= transposed(one.weight, 0, this.width, this.step);
        linearRow(out, 0, row, 0, one.rows, one.bias, this.width, this.step);
        return out;
    }

    /* At one layer: class and probabilities of every square, row after row; margins: by how much its
     * score is ahead of the next. */
    read(network, trace, layer, t) {
        const K = this.classes.length, n = this.squares.length;
        const scores = this.scores(this.layerOf(layer), this.row(network, trace, layer, t));
        const classes = new Uint8Array(n), p = new Float64Array(n * K), margins = new Float64Array(n);
        for (let s = 0; s < n; s++) {
            const at = s * K;
            let best = 0, second = -Infinity;
            for (let k = 1; k < K; k++) {
                const ahead = scores[at + k] > scores[at + best];
                second = Math.max(second, ahead ? scores[at + best] : scores[at + k]);
                best = ahead ? k : best;
            }
            classes[s] = best;
            margins[s] = scores[at + best] - second;
            softmaxInto(p, scores, at, K);
        }
        return { layer, classes, p, margins };
    }

    /* Who counts as "mine" after move t, when `mover` moves next. */
    viewer(mover, t) {
        return this.parity ? (t % 2 === 0 ? WHITE : BLACK) : mover;
    }

    /* Class of a state of a square, seen by `viewer`; and the state of a class. */
    classOf(state, viewer) {
        if (state === EMPTY) {
            return this.classes.indexOf('empty');
        }
        const word = this.task === 'colour' ? sideName(state) : state === viewer ? 'mine' : 'theirs';
        return this.classes.indexOf(word);
    }

    stateOf(k, viewer) {
        return [EMPTY, BLACK, WHITE].find((state) => this.classOf(state, viewer) === k) ?? EMPTY;
    }

    /* unit(w_to - w_from) of a square; length 0: there is none. Rounded as the program rounds. */
    direction(layer, square, from, to) {
        const K = this.classes.length, { weight, bias } = this.layerOf(layer);
        const unit = new Float32Array(this.width);
        const at = square * K;
        let sum = 0;
        for (let c = 0; c < this.width; c++) {
            const value = weight[c * this.step + at + to] - weight[c * this.step + at + from];
            unit[c] = value;
            sum += value * value;
        }
        const length = Math.sqrt(sum);
        for (let c = 0; c < this.width && length > 0; c++) {
            unit[c] /= length;
        }
        return { unit, length, offset: length > 0 ? (bias[at + to] - bias[at + from]) / length : 0 };
    }

    /* Change a row in place: plan is {method, scale: {value, relative}}, squares are [{square,
     * from, to}] with numbers of squares and classes. Several squares: one after another. */
    editRow(row, layer, plan, squares) {
        for (const { square, from, to } of squares) {
            const { unit, length, offset } = this.direction(layer, square, from, to);
            let norm = 0, coordinate = offset;
            for (let c = 0; c < this.width; c++) {
                norm += row[c] * row[c];
                coordinate += row[c] * unit[c];
            }
            const size = plan.scale.value * (plan.scale.relative ? Math.sqrt(norm) : 1);
            const amount = plan.method === 'add' ? size
                : plan.method === 'set' ? size - coordinate
                    : -(plan.scale.value + 1) * coordinate;
            for (let c = 0; c < this.width && length > 0; c++) {
                row[c] += amount * unit[c];
            }
        }
    }

    /* Layers that may be edited: blocks that the probe was fitted on. */
    editable() {
        return this.layers.map((one) => one.layer).filter((layer) => layer !== LAYER_EMBED);
    }

    /* The hook of a plan for Network.edited: true where it changed the row. */
    editor(plan, squares) {
        const inLayers = new Set(plan.layers);
        return (site, layer, row) => {
            if (site !== this.site || !inLayers.has(layer)) {
                return false;
            }
            this.editRow(row, layer, plan, squares);
            return true;
        };
    }

    /* The squares of an edit as editRow takes them, ascending: edits are [{sq, to}] with states. */
    editSquares(board, viewer, edits) {
        return edits.slice().sort((a, b) => a.sq - b.sq).map(({ sq, to }) => ({
            square: this.squares.indexOf(sq),
            from: this.classOf(board.cells[sq], viewer),
            to: this.classOf(to, viewer),
        }));
    }
}

/* "1", "0.5r": a scale as ogpt reads it. null: it is none. */
function scaleParse(text, method) {
    if (!/^-?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?r?$/i.test(text) || text.length > 20) {
        return null;
    }
    const relative = text.endsWith('r'), value = Number(relative ? text.slice(0, -1) : text);
    const sound = Math.abs(value) <= EDIT_MAX_SCALE && !(relative && method === 'project');
    return sound ? { value, relative } : null;
}

function scalePrint(scale) {
    return String(scale.value) + (scale.relative ? 'r' : '');
}
