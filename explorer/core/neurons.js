/* neurons.js - neurons of the MLPs: how active they are in a game, what they add to a move's logit, and what their weights
 * read and write. A neuron is {layer, neuron}; its name is that of `ogpt attribute`: L5N123. */

const NEURONS_LISTED = 8;

function neuronName({ layer, neuron }) {
    return `L${layer}N${neuron}`;
}

/* The neuron of a name, as people type it; null: there is none of this name. */
function neuronParse(shape, text) {
    const found = /^l(\d{1,3})n(\d{1,5})$/i.exec(text.trim()), [layer, neuron] = found ? [Number(found[1]), Number(found[2])] : [];
    return found && layer < shape.n_layers && neuron < shape.d_mlp ? { layer, neuron } : null;
}

/* What a LayerNorm with these weights lets through of a direction behind it: it takes the mean away. */
function behindNorm(weights, direction) {
    const out = direction.map((x, c) => x * weights[c]), mean = out.reduce((sum, x) => sum + x, 0) / out.length;
    return out.map((x) => x - mean);
}

function cosine(a, b) {
    const product = dotAt(a, b, 0), length = Math.sqrt(dotAt(a, a, 0) * dotAt(b, b, 0));
    return length > 0 ? product / length : 0;
}

/* The layer of the probe whose row is the last before the MLP of a block; where the probe was not fitted there, the
 * nearest before it, or its first. */
function neuronProbeLayer(probes, layer) {
    const before = probes.layers.map((one) => one.layer).filter((one) => one < layer + (probes.site === 'resid_post' ? 0 : 1));
    return before.length ? Math.max(...before) : probes.layers[0].layer;
}

/* The direction of the stream that raises the logit of a token (probes/attribution/readout.h). */
function moveDirection(network, tok) {
    const C = network.shape.d_model;
    return behindNorm(network.finalW, network.unembed.slice(tok * C, (tok + 1) * C));
}

/* Cosine of what is written with the direction of every move. */
function moveCosines(network, judge, written) {
    return [...judge.tokOfSq].map(([sq, tok]) => ({ sq, value: cosine(written, moveDirection(network, tok)) }));
}

/* What a neuron writes when its activation is 1. */
function neuronWrite(network, { layer, neuron }) {
    const { d_model: C, d_mlp: M } = network.shape;
    return Float64Array.from({ length: C }, (_, c) => network.blocks[layer].wout[c * M + neuron]);
}

/* Weights of a neuron over the board. reads: for each contrast of the probe, the cosine of what the neuron reads with
 * w_A - w_B of every square; writes: the cosine of what it writes with the direction of every move, by square. */
function neuronWeights(network, probes, judge, one) {
    const C = network.shape.d_model, block = network.blocks[one.layer], probeLayer = neuronProbeLayer(probes, one.layer);
    const read = behindNorm(block.ln2w, block.win.slice(one.neuron * C, (one.neuron + 1) * C)), write = neuronWrite(network, one);
    const reads = contrastNames(probes.classes).map((contrast) => {
        const [of, less] = contrast.split('-').map((name) => probes.classes.indexOf(name));
        return { contrast, values: probes.squares.map((_, s) =>
            cosine(read, contrastVector(probes, probes.layerOf(probeLayer), s, of, less).direction)) };
    });
    return { probeLayer, reads, writes: moveCosines(network, judge, write) };
}

/* Every neuron at the last position of a trace, in the order of the network: {layer, neuron, activation, value}; value: what it
 * adds to the logit of a move (a square), with the scale of the last LayerNorm as it is
 * (`ogpt attribute --metric move --by neuron`). */
function neuronsNow(network, judge, trace, move) {
    const { n_layers: L, d_model: C, d_mlp: M, eps } = network.shape, t = trace.tokens.length - 1, out = [];
    const { scale } = normOf(network.stream(trace, L, t), 0, C, eps), direction = moveDirection(network, judge.tokOfSq.get(move));
    for (let layer = 0; layer < L; layer++) {
        const { wout } = network.blocks[layer], written = new Float64Array(M);
        for (let c = 0; c < C; c++) {
            for (let k = 0; k < M; k++) {
                written[k] += direction[c] * wout[c * M + k];
            }
        }
        network.neurons(layer, trace.mid[layer].subarray(t * C, (t + 1) * C), 1).forEach((activation, k) => {
            out.push({ layer, neuron: k, activation, value: activation * written[k] / scale });
        });
    }
    return { all: out, scale };
}

/* All about one neuron, or, where none is given, about the one that adds most to the move. active: the most active
 * neurons; adds: those that add most, by size; plies: its activation after every move; now: what it adds to each move. */
function neuronsLook(network, probes, judge, trace, { move, neuron }) {
    const { d_model: C, d_mlp: M } = network.shape, n = trace.tokens.length;
    const { all, scale } = neuronsNow(network, judge, trace, move), list = (size) => all.slice().sort((a, b) => size(b) - size(a));
    const adds = list((one) => Math.abs(one.value)), one = neuron ? all[neuron.layer * M + neuron.neuron] : adds[0];
    const acts = network.neurons(one.layer, trace.mid[one.layer].subarray(0, n * C), n), write = neuronWrite(network, one);
    return {
        one, rank: adds.indexOf(one) + 1, n: all.length,
        active: list((each) => each.activation).slice(0, NEURONS_LISTED), adds: adds.slice(0, NEURONS_LISTED),
        plies: Array.from({ length: n }, (_, ply) => acts[ply * M + one.neuron]),
        now: [...judge.tokOfSq].map(([sq, tok]) => ({ sq, value: one.activation * dotAt(moveDirection(network, tok), write, 0) / scale })),
        ...neuronWeights(network, probes, judge, one),
    };
}
