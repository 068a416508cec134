/* link.js - the state of the page as the fragment of a link, and back.
 *
 * #game=f5d6c3&at=2&layer=4&edit=d4b&method=project&scale=1&edited=4&panel=lens&head=3.1
 *     &contrast=mine-theirs&square=c3&neuron=L5N123&move=c4&feature=F17&clamp=F17:0
 * Whatever a link holds, the state read from it is one that a person could have reached by hand:
 * parts that are no such thing are left out, and named in `refused`. */

const LINK_MAX = 4000; /* characters */
const LINK_STATES = ['e', 'b', 'w']; /* EMPTY, BLACK, WHITE */

/* "1,3-5" -> [1, 3, 4, 5]; null: not a list of these layers. */
function layersParse(text, possible) {
    const out = new Set();
    if (!/^\d{1,2}(-\d{1,2})?(,\d{1,2}(-\d{1,2})?)*$/.test(text)) {
        return null;
    }
    for (const part of text.split(',')) {
        const [low, high = low] = part.split('-').map(Number);
        for (let layer = low; layer <= high; layer++) {
            out.add(layer);
        }
        if (high < low) {
            return null;
        }
    }
    return [...out].every((layer) => possible.includes(layer)) ? [...out].sort((a, b) => a - b) : null;
}

function layersPrint(layers) {
    const runs = [];
    for (const layer of layers) {
        const last = runs[runs.length - 1];
        if (last && last[1] === layer - 1) {
            last[1] = layer;
        } else {
            runs.push([layer, layer]);
        }
    }
    return runs.map(([low, high]) => low === high ? `${low}` : `${low}-${high}`).join(',');
}

function layerName(layer) {
    return layer === LAYER_EMBED ? 'embed' : String(layer);
}

function stateStart(about) {
    const layers = about.probe.layers.map((one) => one.layer), middle = about.shape.n_layers >> 1;
    const blocks = layers.filter((layer) => layer !== LAYER_EMBED);
    const shownLayer = layers.includes(middle) ? middle : layers[layers.length - 1];
    return {
        moves: [], at: 0, layer: shownLayer,
        edits: [], method: 'project', scale: '1',
        editLayers: [blocks.includes(middle) ? middle : blocks[blocks.length - 1]],
        panel: 'lens', head: { layer: 0, head: 0 }, square: null, contrast: contrastNames(about.probe.classes)[0],
        neuron: null, move: null, feature: null, clamp: null,
    };
}

function linkPrint(state) {
    const parts = [`game=${movesPrint(state.moves, '')}`];
    if (state.at !== state.moves.length) {
        parts.push(`at=${state.at}`);
    }
    parts.push(`layer=${layerName(state.layer)}`);
    if (state.edits.length) {
        parts.push('edit=' + state.edits.map(({ sq, to }) => squareName(sq) + LINK_STATES[to]).join(','));
    }
    parts.push(`method=${state.method}`, `scale=${state.scale}`, `edited=${layersPrint(state.editLayers)}`);
    parts.push(`panel=${state.panel}`, `head=${state.head.layer}.${state.head.head}`, `contrast=${state.contrast}`);
    if (state.square !== null) {
        parts.push(`square=${squareName(state.square)}`);
    }
    if (state.neuron !== null) {
        parts.push(`neuron=${neuronName(state.neuron)}`);
    }
    if (state.move !== null) {
        parts.push(`move=${squareName(state.move)}`);
    }
    if (state.feature !== null) {
        parts.push(`feature=${featureName(state.feature)}`);
    }
    if (state.clamp !== null) {
        parts.push(`clamp=${clampPrint(state.clamp)}`);
    }
    return '#' + parts.join('&');
}

/* "d4b,c3e" as edits of a board; null: none of it. */
function editsParse(board, text) {
    const edits = [];
    for (const part of text.split(',')) {
        const sq = squareParse(board.size, part.slice(0, 2)), to = LINK_STATES.indexOf(part.slice(2));
        if (sq < 0 || to < 0 || board.cells[sq] === to || edits.some((one) => one.sq === sq)) {
            return null;
        }
        edits.push({ sq, to });
    }
    return edits.length <= EDIT_MAX_SQUARES ? edits : null;
}

/* {state, refused}: refused is a list of lines for a person. panels: the names that there are. */
function linkParse(about, fragment, panels) {
    const state = stateStart(about), refused = [];
    const { n_layers: L, n_heads: NH } = about.shape, size = about.size;
    const layers = about.probe.layers.map((one) => one.layer);
    const text = fragment.replace(/^#/, '');
    if (text.length > LINK_MAX) {
        return { state, refused: [`a link of ${text.length} characters, expected at most ${LINK_MAX}`] };
    }
    const given = new Map();
    for (const part of text.split('&').filter(Boolean)) {
        const cut = part.indexOf('=');
        given.set(cut < 0 ? part : part.slice(0, cut), cut < 0 ? '' : part.slice(cut + 1));
    }
    const take = (name, read) => {
        if (given.has(name) && !read(given.get(name))) {
            refused.push(`${name}: ${shown(given.get(name))} is not possible here`);
        }
        given.delete(name);
    };
    const whole = (value, least, most) => /^\d{1,3}$/.test(value) && value >= least && value <= most;
    take('game', (value) => {
        const { moves, error } = movesParse(size, value.replace(/%20|\+/g, ' '));
        state.moves = moves;
        state.at = moves.length;
        if (error) {
            refused.push(`game: ${error}`);
        }
        return true;
    });
    take('at', (value) => whole(value, 0, state.moves.length) && ((state.at = Number(value)), true));
    take('layer', (value) => {
        const layer = layers.find((one) => layerName(one) === value);
        state.layer = layer ?? state.layer;
        return layer !== undefined;
    });
    take('method', (value) => EDIT_METHODS.includes(value) && ((state.method = value), true));
    take('scale', (value) => scaleParse(value, state.method) && ((state.scale = value), true));
    take('edited', (value) => {
        const list = layersParse(value, layers.filter((layer) => layer !== LAYER_EMBED));
        state.editLayers = list || state.editLayers;
        return list;
    });
    take('edit', (value) => {
        const { boards } = boardReplay(size, state.moves.slice(0, state.at));
        const readable = state.at >= 1 && state.at <= about.shape.n_ctx;
        const edits = readable ? editsParse(boards[boards.length - 1], value) : null;
        state.edits = edits || [];
        return edits;
    });
    take('panel', (value) => panels.includes(value) && ((state.panel = value), true));
    take('head', (value) => {
        const [layer, head] = value.split('.');
        const sound = whole(layer || '', 0, L - 1) && whole(head || '', 0, NH - 1);
        state.head = sound ? { layer: Number(layer), head: Number(head) } : state.head;
        return sound;
    });
    take('square', (value) => {
        const sq = squareParse(size, value);
        state.square = sq < 0 ? null : sq;
        return sq >= 0;
    });
    take('neuron', (value) => {
        state.neuron = neuronParse(about.shape, value);
        return state.neuron;
    });
    take('move', (value) => {
        const sq = squareParse(size, value), known = sq >= 0 && about.sq_of_tok.includes(sq);
        state.move = known ? sq : null;
        return known;
    });
    take('feature', (value) => {
        state.feature = featureParse(about, value);
        return state.feature !== null;
    });
    take('clamp', (value) => {
        state.clamp = clampParse(about, value);
        return state.clamp;
    });
    take('contrast', (value) => contrastNames(about.probe.classes).includes(value) && ((state.contrast = value), true));
    for (const name of given.keys()) {
        refused.push(`${shown(name)} is no part of a link`);
    }
    return { state, refused };
}

/* ---- the command that prints the same numbers ---- */

function shellWord(text) {
    return /^[A-Za-z0-9_./,=-]+$/.test(text) ? text : "'" + text.replace(/'/g, "'\\''") + "'";
}

/* The square whose writers are asked for: until one is chosen, that of the last move. */
function squareAsked(state) {
    return state.square ?? state.moves[state.at - 1];
}

/* Who wrote a square, and which neurons add to a move: `ogpt attribute`, which knows no edits; what a feature stands for
 * and what clamping it does: `ogpt sae features`. With one square,
 * one layer and method project `ogpt show` makes the edit; else `ogpt intervene` on a file of this one case. Before
 * the first move there is nothing to ask. */
function commandPrint(about, state, board) {
    const probe = about.probe_path === null ? '' : ` --probe ${shellWord(about.probe_path)}`;
    const model = shellWord(about.model) + probe, moves = movesPrint(state.moves.slice(0, state.at));
    const word = (value) => ['empty', 'black', 'white'][value];
    const scale = scaleParse(state.scale, state.method);
    if (state.at < 1 || state.at > about.shape.n_ctx) {
        return `ogpt play ${model}`;
    }
    const show = `ogpt show ${model} --moves '${moves}'`;
    if (!state.edits.length && state.panel === 'attribution') {
        return `ogpt attribute ${model} --moves '${moves}' --square ${squareName(squareAsked(state))} ` +
            `--layers ${layerName(state.layer)} --contrast ${state.contrast}`;
    }
    if (!state.edits.length && state.panel === 'neurons' && state.move !== null) {
        return `ogpt attribute ${shellWord(about.model)} --moves '${moves}' --move ${squareName(state.move)} --metric move --by neuron`;
    }
    const feature = state.clamp ? state.clamp.feature : state.panel === 'features' ? state.feature : null;
    if (!state.edits.length && feature !== null) {
        const sae = about.sae.path === null ? '' : ` ${shellWord(about.sae.path)}`;
        return `ogpt sae features ${shellWord(about.model)}${sae}${probe} --features ${feature} --pages feature-${feature}`;
    }
    if (!state.edits.length) {
        return `${show} --layers ${layerName(state.layer)} --probabilities`;
    }
    if (state.edits.length === 1 && state.editLayers.length === 1 && state.method === 'project') {
        const { sq, to } = state.edits[0], from = board.cells[sq], name = squareName(sq);
        const edit = to === EMPTY ? `--erase ${name}` : from === EMPTY ? `--place ${name}=${word(to)}`
            : `--flip ${name}`;
        return `${show} --layers ${state.editLayers[0]} ${edit}` + (scale.value === 1 ? '' : ` --scale ${scale.value}`);
    }
    const edits = state.edits.slice().sort((a, b) => a.sq - b.sq), row = [moves,
        edits.map((one) => squareName(one.sq)).join(' '),
        edits.map((one) => word(board.cells[one.sq])).join(' '),
        edits.map((one) => word(one.to)).join(' ')].join(',');
    return `printf 'moves,square,from,to\\n${row}\\n' >case.csv && ogpt intervene ${model} --cases case.csv ` +
        `--method ${state.method} --layers ${layersPrint(state.editLayers)} --scale ${scalePrint(scale)} --show 0`;
}
