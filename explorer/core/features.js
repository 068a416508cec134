/* features.js - a sparse autoencoder of the residual stream (probes/sae/sae.h): the code of a row, what its features stand
 * for, and a feature that is held at a value (probes/features/features_look.h). */

/* A feature's row in the JSON of the page (probes/features/features_table.h); shares are in 1/10000. */
const FEATURE_ROW = ['sq', 'state', 'density', 'precision', 'recall', 'f1', 'low', 'high', 'twin', 'twinLow', 'twinHigh', 'mean', 'largest'];
const FEATURE_STATES = ['empty', 'theirs', 'mine'];
const CLAMP_MAX = 1000;

function featureName(feature) {
    return `F${feature}`;
}

/* "F17", as people type it; null: there is no such feature. */
function featureParse(about, text) {
    const found = /^f?(\d{1,6})$/i.exec(text.trim());
    return found && about.sae && Number(found[1]) < about.sae.features ? Number(found[1]) : null;
}

/* null: it is on at no position of the games that were asked. */
function featureRow(about, feature) {
    const row = about.sae.rows[feature];
    return row && Object.fromEntries(FEATURE_ROW.map((name, i) => [name, row[i]]));
}

/* A clamp is {feature, to}: to is a value, or 'mean', that of the positions where the feature is on. */
function clampValue(about, { feature, to }) {
    return to === 'mean' ? featureRow(about, feature).mean : to;
}

function clampPrint({ feature, to }) {
    return `${featureName(feature)}:${to}`;
}

function clampParse(about, text) {
    const [name, to, ...more] = text.split(':'), feature = featureParse(about, name);
    if (feature === null || more.length || to === 'mean' && !(featureRow(about, feature)?.mean > 0)) {
        return null;
    }
    const sound = to === 'mean' || /^\d{1,4}(\.\d{1,4})?$/.test(to) && Number(to) <= CLAMP_MAX;
    return sound ? { feature, to: to === 'mean' ? to : Number(to) } : null;
}

class Features {
    constructor(about, numbers) {
        const { kind, k, site, layer, features: m, begin } = about.sae, C = about.shape.d_model;
        const take = (name, n) => name in begin ? numbers.subarray(begin[name], begin[name] + n) : null;
        Object.assign(this, { C, m, kind, k, site, layer, encoder: take('w_enc', m * C), bias: take('b_enc', m), decoder: take('w_dec', m * C),
            offset: take('b_dec', C), theta: take('theta', m), gain: take('r_mag', m), gainBias: take('b_mag', m) });
        /* Where its rows are changed. */
        this.hook = layer === LAYER_EMBED ? { site: 'resid_pre', layer: 0 } : { site, layer };
    }

    row(network, trace) {
        return streamRow(network, trace, this.site, this.layer, trace.tokens.length - 1);
    }

    column(feature) {
        return this.decoder.subarray(feature * this.C, (feature + 1) * this.C);
    }

    /* Values of all features of a row; 0 where one is silent. */
    encode(row) {
        const { C, m, k } = this, u = new Float64Array(C), out = new Float64Array(m);
        for (let c = 0; c < C; c++) {
            u[c] = row[c] - this.offset[c];
        }
        for (let j = 0; j < m; j++) {
            const product = dotAt(u, this.encoder, j * C), pre = product + this.bias[j];
            const value = this.gain ? Math.exp(this.gain[j]) * product + this.gainBias[j] : pre;
            out[j] = pre > (this.theta ? Math.max(this.theta[j], 0) : 0) && value > 0 ? value : 0;
        }
        if (this.kind === 'topk') { /* of equal ones the first are kept */
            featuresOn(out).slice(k).forEach((j) => {
                out[j] = 0;
            });
        }
        return out;
    }

    /* The hook of Network.edited that holds a feature: the row moves by what its value lacks, along its column. */
    clamper({ feature, value }) {
        const column = this.column(feature);
        return (site, layer, row) => {
            if (site !== this.hook.site || layer !== this.hook.layer) {
                return false;
            }
            const amount = value - this.encode(row)[feature];
            for (let c = 0; c < this.C; c++) {
                row[c] += amount * column[c];
            }
            return true;
        };
    }
}

/* Features of a code that are on, largest first. */
function featuresOn(code) {
    return [...code.keys()].filter((j) => code[j] > 0).sort((a, b) => code[b] - code[a] || a - b);
}

/* For each class of the probe that reads where the autoencoder does, the cosine of a column with the class's weights less
 * their mean over the classes, of every square (probes/features/features_directions.h); none: no probe reads there. */
function featureReads(features, probes, column) {
    const one = probes.layerOf(features.layer), K = probes.classes.length, C = probes.width;
    if (!one || probes.site !== features.site && features.layer !== LAYER_EMBED) {
        return [];
    }
    return probes.classes.map((name, k) => ({ name, values: probes.squares.map((_, s) => {
        const at = (c, other) => one.weight[c * probes.step + s * K + other], own = Float64Array.from({ length: C }, (_, c) => at(c, k));
        const less = own.map((x, c) => x - probes.classes.reduce((sum, _, other) => sum + at(c, other), 0) / K);
        return own.some((x) => x !== 0) ? cosine(column, less) : 0; /* a class that never occurs has no direction */
    }) }));
}

/* Features that are on at the last position, before a change and after it; and all about one of them, or, where none is
 * given, about the largest. writes: cosine of its column with the direction of every move. */
function featuresLook(features, network, probes, judge, traces, feature) {
    const [before, after] = traces.map((trace) => features.encode(features.row(network, trace))), all = before.map((x, j) => Math.max(x, after[j]));
    const on = featuresOn(all).sort((a, b) => before[b] - before[a]), one = feature ?? on[0] ?? 0, column = features.column(one);
    return {
        one, before: before[one], after: after[one], n: featuresOn(before).length,
        on: on.map((j) => ({ feature: j, before: before[j], after: after[j] })),
        reads: featureReads(features, probes, column),
        writes: moveCosines(network, judge, column),
    };
}
