/* attribution.js - who wrote this: every part of the network that wrote into a row, as its share of
 * a difference of two scores of a probe. There is no LayerNorm between the stream and the probe, so
 * the shares add up to the difference exactly. */

/* The differences that can be asked for, as `ogpt attribute --contrast` names them; a page begins with the
 * first. */
function contrastNames(classes) {
    return classes.flatMap((other, k) => classes.slice(k + 1).map((one) => `${one}-${other}`)).reverse();
}

/* The difference that is explained: the score of class `of` less that of class `less`. */
function contrastVector(probes, one, square, of, less) {
    const K = probes.classes.length, out = new Float64Array(probes.width);
    const value = (values, at) => values[at + of] - values[at + less];
    for (let c = 0; c < probes.width; c++) {
        out[c] = value(one.weight, c * probes.step + square * K);
    }
    return { direction: out, bias: value(one.bias, square * K) };
}

function dotAt(direction, values, at) {
    let sum = 0;
    for (let c = 0; c < direction.length; c++) {
        sum += direction[c] * values[at + c];
    }
    return sum;
}

/* Parts [{name, kind, layer, head, value}] of the difference at `layer` of the probe, position t of
 * a trace; total: their sum; score: the difference as the probe computes it. Weights of attention add up
 * to 1, so a layer writes b_V W_O whatever happens: that belongs to its bias, not to a head
 * (probes/attribution/components.h). */
function boardAttribution(network, probes, trace, t, question) {
    const { square, layer, of, less } = question;
    const { d_model: C, n_heads: NH, d_head: HS, n_layers: L } = network.shape;
    const one = probes.layerOf(layer), { direction, bias } = contrastVector(probes, one, square, of, less);
    const parts = [
        { name: 'token', kind: 'token', value: dotAt(direction, network.embed, trace.tokens[t] * C) },
        { name: 'position', kind: 'position', value: dotAt(direction, network.places, t * C) },
    ];
    const changes = trace.edit && trace.edit.at === t ? trace.edit.changes : [];
    const site = layer === LAYER_EMBED ? 'resid_pre' : probes.site;
    const last = layer === LAYER_EMBED ? -1 : layer;
    for (let l = 0; l <= last && l < L; l++) {
        const whole = l < last || site !== 'resid_pre', b = network.blocks[l];
        for (const { change } of changes.filter((one) => one.layer === l && one.site === 'resid_pre')) {
            parts.push({ name: 'your edit', kind: 'edit', layer: l, value: dotAt(direction, change, 0) });
        }
        let constant = dotAt(direction, b.ob, 0);
        for (let head = 0; whole && head < NH; head++) {
            let value = 0;
            for (let j = head * HS; j < (head + 1) * HS; j++) {
                let written = 0; /* direction . W_O[j] */
                for (let c = 0; c < C; c++) {
                    written += direction[c] * b.o[c * C + j];
                }
                value += (trace.z[l][t * C + j] - b.vb[j]) * written;
                constant += b.vb[j] * written;
            }
            parts.push({ name: `head ${l}.${head}`, kind: 'head', layer: l, head, value });
        }
        if (whole) {
            parts.push({ name: `attention bias ${l}`, kind: 'bias', layer: l, value: constant });
        }
        for (const { change } of changes.filter((one) => one.layer === l && one.site === 'resid_mid')) {
            parts.push({ name: 'your edit', kind: 'edit', layer: l, value: dotAt(direction, change, 0) });
        }
        if (l < last || site === 'resid_post') {
            const edits = changes.filter((one) => one.layer === l && one.site === 'resid_post');
            const edited = edits.reduce((sum, { change }) => sum + dotAt(direction, change, 0), 0);
            const value = dotAt(direction, trace.pre[l + 1], t * C) - dotAt(direction, trace.mid[l], t * C);
            parts.push({ name: `MLP ${l}`, kind: 'mlp', layer: l, value: value - edited });
            if (edits.length) {
                parts.push({ name: 'your edit', kind: 'edit', layer: l, value: edited });
            }
        }
    }
    parts.push({ name: 'probe bias', kind: 'bias', value: bias });
    const score = dotAt(direction, probes.row(network, trace, layer, t), 0) + bias;
    return { parts, total: parts.reduce((sum, part) => sum + part.value, 0), score };
}

/* log-odds of one token: ln p - ln(1 - p), without cancellation. */
function logOdds(logits, tok) {
    let top = -Infinity, sum = 0;
    logits.forEach((x, other) => {
        top = other === tok ? top : Math.max(top, x);
    });
    logits.forEach((x, other) => {
        sum += other === tok ? 0 : Math.exp(x - top);
    });
    return logits[tok] - top - Math.log(sum);
}

/* probes/edits/saliency.h: the change of a move's log-odds by an edit of each square, one at a
 * time: discs are turned over, empty squares get a disc of the side to move. */
function saliencyMap(network, probes, judge, trace, board, plan, move) {
    const t = trace.tokens.length - 1, viewer = probes.viewer(board.mover, t);
    const before = network.logits(trace), tok = judge.tokOfSq.get(move);
    const squares = probes.squares.map((sq) => {
        const from = board.cells[sq];
        return { sq, to: from === EMPTY ? board.mover : otherSide(from) };
    });
    const edits = squares.map((one) => probes.editor(plan, probes.editSquares(board, viewer, [one])));
    const first = Math.min(...plan.layers);
    const after = network.manyEdited(trace, squares.length, first,
        (site, layer, row, n) => edits[n](site, layer, row));
    const odds = logOdds(before, tok);
    return {
        move, odds,
        squares: squares.map(({ sq, to }, n) => ({
            sq, to, effect: logOdds(after[n], tok) - odds,
            legal: boardMoves(boardEdited(board, [{ sq, to }])).includes(move),
        })),
    };
}
