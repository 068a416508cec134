/* network.js - the forward pass of model/gpt.h, one position after another.
 *
 * A Trace holds everything that was computed of a game: attention is causal, so a longer game only
 * adds rows, and an edit of the last position computes that one row again. */

/* (rows, columns) -> (columns, rows), so that a product reads its weights in order. */
function transposed(numbers, offset, rows, columns) {
    const out = new Float64Array(rows * columns);
    for (let r = 0; r < rows; r++) {
        for (let c = 0; c < columns; c++) {
            out[c * rows + r] = numbers[offset + r * columns + c];
        }
    }
    return out;
}

class Trace {
    constructor(shape) {
        const { n_layers: L, n_ctx: T, d_model: C, n_heads: NH } = shape;
        const rows = (n) => Array.from({ length: n }, () => new Float64Array(T * C));
        this.tokens = [];
        this.pre = rows(L + 1); /* [l] enters block l; [L] is what the last block leaves */
        this.mid = rows(L);
        this.z = rows(L);
        this.k = rows(L);
        this.v = rows(L);
        this.pattern = Array.from({ length: L }, () => new Float64Array(NH * T * T));
        this.edit = null; /* {at, changes: [{site, layer, change}]}, of the row that was edited */
    }

    copy(shape) {
        const out = new Trace(shape);
        out.tokens = this.tokens.slice();
        for (const name of ['pre', 'mid', 'z', 'k', 'v', 'pattern']) {
            this[name].forEach((values, l) => out[name][l].set(values));
        }
        return out;
    }
}

class Network {
    /* about: the JSON of the page; numbers: all of its numbers. */
    constructor(about, numbers) {
        const { n_layers: L, d_model: C, d_mlp: M, n_ctx: T, d_vocab: V } = about.shape;
        const at = about.tensors;
        const vector = (offset, n) => Float64Array.from(numbers.subarray(offset, offset + n));
        this.shape = about.shape;
        this.embed = vector(at.W_E, V * C);
        this.places = vector(at.W_pos, T * C);
        this.finalW = vector(at.lnf_w, C);
        this.finalB = vector(at.lnf_b, C);
        this.unembed = transposed(numbers, at.W_U, C, V);
        this.unembedB = vector(at.b_U, V);
        this.blocks = Array.from({ length: L }, (_, l) => {
            const skip = l * at.block_stride;
            return {
                ln1w: vector(at.ln1_w + skip, C), ln1b: vector(at.ln1_b + skip, C),
                q: transposed(numbers, at.W_Q + skip, C, C), qb: vector(at.b_Q + skip, C),
                k: transposed(numbers, at.W_K + skip, C, C), kb: vector(at.b_K + skip, C),
                v: transposed(numbers, at.W_V + skip, C, C), vb: vector(at.b_V + skip, C),
                o: transposed(numbers, at.W_O + skip, C, C), ob: vector(at.b_O + skip, C),
                ln2w: vector(at.ln2_w + skip, C), ln2b: vector(at.ln2_b + skip, C),
                win: transposed(numbers, at.W_in + skip, C, M), winb: vector(at.b_in + skip, M),
                wout: transposed(numbers, at.W_out + skip, M, C), woutb: vector(at.b_out + skip, C),
            };
        });
    }

    newTrace() {
        return new Trace(this.shape);
    }

    /* Rows x (N,C) through block l. attend(z, q, k, v) fills z (N,C). edit(site, layer, row, n), or
     * null, may change rows of the residual stream. Returns {mid, post, z, k, v}. */
    block(l, x, N, attend, edit) {
        const { d_model: C, d_mlp: M, eps } = this.shape;
        const b = this.blocks[l];
        const rows = (width) => new Float64Array(N * width);
        const h = rows(C), q = rows(C), k = rows(C), v = rows(C), z = rows(C);
        const mid = rows(C), post = rows(C);
        const visit = (site, values) => {
            for (let n = 0; edit && n < N; n++) {
                edit(site, l, values.subarray(n * C, (n + 1) * C), n);
            }
        };
        visit('resid_pre', x);
        layerNorm(h, x, b.ln1w, b.ln1b, N, C, eps);
        linear(q, h, b.q, b.qb, N, C, C);
        linear(k, h, b.k, b.kb, N, C, C);
        linear(v, h, b.v, b.vb, N, C, C);
        attend(z, q, k, v);
        linear(mid, z, b.o, b.ob, N, C, C);
        for (let i = 0; i < N * C; i++) {
            mid[i] += x[i];
        }
        visit('resid_mid', mid);
        linear(post, this.neurons(l, mid, N), b.wout, b.woutb, N, M, C);
        for (let i = 0; i < N * C; i++) {
            post[i] += mid[i];
        }
        visit('resid_post', post);
        return { mid, post, z, k, v };
    }

    /* Activations (N,M) of the neurons of block l, whose MLP reads rows mid (N,C): mlp_post of model/sites.h. */
    neurons(l, mid, N) {
        const { d_model: C, d_mlp: M, eps } = this.shape, b = this.blocks[l];
        const h = new Float64Array(N * C), act = new Float64Array(N * M);
        layerNorm(h, mid, b.ln2w, b.ln2b, N, C, eps);
        linear(act, h, b.win, b.winb, N, C, M);
        for (let i = 0; i < N * M; i++) {
            act[i] *= normalCdf(act[i]);
        }
        return act;
    }

    /* One query of all heads: z, and the weights of keys 0..t where `pattern` is given. key(s) is
     * {k, v, at}: where row s begins. */
    attendRow(z, zAt, q, qAt, t, key, pattern) {
        const { n_heads: NH, d_head: HS, n_ctx: T } = this.shape;
        const scale = 1 / Math.sqrt(HS), weights = new Float64Array(t + 1);
        for (let head = 0; head < NH; head++) {
            const skip = head * HS;
            let top = -Infinity, sum = 0;
            for (let s = 0; s <= t; s++) {
                const { k, at } = key(s);
                let score = 0;
                for (let j = 0; j < HS; j++) {
                    score += q[qAt + skip + j] * k[at + skip + j];
                }
                weights[s] = score * scale;
                top = Math.max(top, weights[s]);
            }
            for (let s = 0; s <= t; s++) {
                weights[s] = Math.exp(weights[s] - top);
                sum += weights[s];
            }
            for (let s = 0; s <= t; s++) {
                const { v, at } = key(s), weight = weights[s] / sum;
                for (let j = 0; j < HS; j++) {
                    z[zAt + skip + j] += weight * v[at + skip + j];
                }
                if (pattern) {
                    pattern[(head * T + t) * T + s] = weight;
                }
            }
        }
    }

    /* Compute rows from..tokens.length-1 of a trace whose rows below `from` are there, from block `first` on,
     * if those rows enter it already. */
    run(trace, from, edit = null, first = 0) {
        const { n_layers: L, d_model: C } = this.shape;
        const N = trace.tokens.length - from, begin = from * C, end = trace.tokens.length * C;
        for (let n = 0; n < N && first === 0; n++) {
            const tok = trace.tokens[from + n];
            for (let c = 0; c < C; c++) {
                trace.pre[0][begin + n * C + c] =
                    this.embed[tok * C + c] + this.places[(from + n) * C + c];
            }
        }
        for (let l = first; l < L; l++) {
            const k = trace.k[l], v = trace.v[l], row = { k, v, at: 0 };
            const key = (s) => {
                row.at = s * C;
                return row;
            };
            const attend = (z, q, kNew, vNew) => {
                k.set(kNew, begin);
                v.set(vNew, begin);
                for (let n = 0; n < N; n++) {
                    this.attendRow(z, n * C, q, n * C, from + n, key, trace.pattern[l]);
                }
            };
            const out = this.block(l, trace.pre[l].subarray(begin, end), N, attend, edit);
            trace.mid[l].set(out.mid, begin);
            trace.z[l].set(out.z, begin);
            trace.pre[l + 1].set(out.post, begin);
        }
    }

    /* Make a trace the one of these tokens: only what differs from its game is computed. */
    read(trace, tokens) {
        let same = 0;
        while (same < tokens.length && trace.tokens[same] === tokens[same]) {
            same++;
        }
        trace.tokens = Array.from(tokens);
        if (same < tokens.length) {
            this.run(trace, same);
        }
    }

    /* The trace with row `at`, its last, computed again under an edit of block `first` and others behind it. */
    edited(trace, first, edit) {
        const out = trace.copy(this.shape), at = trace.tokens.length - 1;
        out.edit = { at, changes: [] };
        this.run(out, at, (site, layer, row) => {
            const before = row.slice();
            if (edit(site, layer, row)) {
                out.edit.changes.push({ site, layer, change: row.map((x, c) => x - before[c]) });
            }
        }, first);
        return out;
    }

    /* Logits after the last row of a trace under each of N edits: only that row is computed, from
     * block `first` on. edit(site, layer, row, n). Returns N arrays. */
    manyEdited(trace, N, first, edit) {
        const { n_layers: L, d_model: C } = this.shape, t = trace.tokens.length - 1;
        let x = new Float64Array(N * C);
        for (let n = 0; n < N; n++) {
            x.set(trace.pre[first].subarray(t * C, (t + 1) * C), n * C);
        }
        for (let l = first; l < L; l++) {
            const row = { k: null, v: null, at: 0 };
            const attend = (z, q, k, v) => {
                for (let n = 0; n < N; n++) {
                    this.attendRow(z, n * C, q, n * C, t, (s) => {
                        row.k = s < t ? trace.k[l] : k;
                        row.v = s < t ? trace.v[l] : v;
                        row.at = (s < t ? s : n) * C;
                        return row;
                    }, null);
                }
            };
            x = this.block(l, x, N, attend, edit).post;
        }
        return Array.from({ length: N }, (_, n) => this.logitsOf(x.subarray(n * C, (n + 1) * C)));
    }

    /* What a row of the residual stream would say if it were the last: the logit lens. */
    logitsOf(row) {
        const { d_model: C, d_vocab: V, eps } = this.shape;
        const h = new Float64Array(C), out = new Float64Array(V);
        layerNorm(h, row, this.finalW, this.finalB, 1, C, eps);
        linear(out, h, this.unembed, this.unembedB, 1, C, V);
        return out;
    }

    /* The stream that enters block l, at position t; l = n_layers: what leaves the last. */
    stream(trace, l, t) {
        const C = this.shape.d_model;
        return trace.pre[l].subarray(t * C, (t + 1) * C);
    }

    logits(trace, t = trace.tokens.length - 1) {
        return this.logitsOf(this.stream(trace, this.shape.n_layers, t));
    }
}
