/* numbers.js - float16 numbers out of base64, and the few functions that JavaScript lacks. */

/* Every value of a binary16 number, by its bits. */
function halfTable() {
    const table = new Float32Array(65536);
    for (let bits = 0; bits < 65536; bits++) {
        const exponent = bits >> 10 & 31, fraction = bits & 1023;
        const size = exponent === 31 ? (fraction ? NaN : Infinity)
            : exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25);
        table[bits] = bits & 32768 ? -size : size;
    }
    return table;
}

/* Lines of base64, each a whole number of halves. Throws if their number is not n. */
function numbersDecode(text, n) {
    const table = halfTable(), out = new Float32Array(n);
    let at = 0;
    for (let begin = 0; begin < text.length;) {
        let end = text.indexOf('\n', begin);
        end = end < 0 ? text.length : end;
        const bytes = atob(text.slice(begin, end).trim());
        for (let i = 0; i + 1 < bytes.length; i += 2) {
            if (at === n) {
                throw new Error(`the page holds more than ${n} numbers`);
            }
            out[at++] = table[bytes.charCodeAt(i) | bytes.charCodeAt(i + 1) << 8];
        }
        begin = end + 1;
    }
    if (at !== n) {
        throw new Error(`the page holds ${at} numbers, expected ${n}: it was cut short`);
    }
    return out;
}

/* The normal distribution function, for the exact GELU: a table and cubic interpolation between
 * values and slopes. Error below 1e-9: h^4/384 times the fourth derivative, which is below 1.4. */
const CDF_STEPS = 64; /* a unit */
const CDF_END = 7;
const CDF_VALUES = new Float64Array(2 * CDF_END * CDF_STEPS + 2);
const CDF_SLOPES = new Float64Array(2 * CDF_END * CDF_STEPS + 2);

/* Abramowitz and Stegun 26.2.11: all terms have one sign, so nothing cancels. */
function normalCdfSeries(x) {
    let term = x, sum = x;
    for (let n = 1; Math.abs(term) > 1e-18 * Math.abs(sum); n++) {
        term *= x * x / (2 * n + 1);
        sum += term;
    }
    return 0.5 + Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI) * sum;
}

for (let i = 0; i < CDF_VALUES.length; i++) {
    const x = i / CDF_STEPS - CDF_END;
    CDF_VALUES[i] = normalCdfSeries(x);
    CDF_SLOPES[i] = Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI) / CDF_STEPS;
}

function normalCdf(x) {
    if (x <= -CDF_END) {
        return 0;
    }
    if (x >= CDF_END) {
        return 1;
    }
    const place = (x + CDF_END) * CDF_STEPS, i = Math.floor(place), t = place - i;
    const a = CDF_VALUES[i], b = CDF_VALUES[i + 1], u = CDF_SLOPES[i], v = CDF_SLOPES[i + 1];
    return a + t * (u + t * (3 * (b - a) - 2 * u - v + t * (2 * (a - b) + u + v)));
}

/* One row of linear, four outputs at a time. Each sum is added in the order of c, as below, so a row
 * has the same bits however many are computed with it. */
function linearRow(out, outAt, inp, inpAt, w, bias, C, OC) {
    let o = 0;
    for (; o + 4 <= OC; o += 4) {
        const a = o * C, b = a + C, c = b + C, d = c + C;
        let s0 = bias ? bias[o] : 0, s1 = bias ? bias[o + 1] : 0;
        let s2 = bias ? bias[o + 2] : 0, s3 = bias ? bias[o + 3] : 0;
        for (let i = 0; i < C; i++) {
            const x = inp[inpAt + i];
            s0 += x * w[a + i];
            s1 += x * w[b + i];
            s2 += x * w[c + i];
            s3 += x * w[d + i];
        }
        out[outAt + o] = s0;
        out[outAt + o + 1] = s1;
        out[outAt + o + 2] = s2;
        out[outAt + o + 3] = s3;
    }
    for (; o < OC; o++) {
        let sum = bias ? bias[o] : 0;
        for (let i = 0; i < C; i++) {
            sum += inp[inpAt + i] * w[o * C + i];
        }
        out[outAt + o] = sum;
    }
}

/* out (N,OC) = inp (N,C) . w (OC,C) transposed + bias (OC; null: none). Four rows and two outputs at a
 * time: eight sums for six numbers read, 1.6 times as fast as four for five. */
function linear(out, inp, w, bias, N, C, OC) {
    let n = 0;
    for (; n + 4 <= N && OC % 2 === 0; n += 4) {
        const a = n * C, b = a + C, c = b + C, d = c + C;
        for (let o = 0; o < OC; o += 2) {
            const at = o * C, next = at + C, to = n * OC + o;
            let s0 = bias ? bias[o] : 0, s1 = s0, s2 = s0, s3 = s0;
            let t0 = bias ? bias[o + 1] : 0, t1 = t0, t2 = t0, t3 = t0;
            for (let i = 0; i < C; i++) {
                const u = w[at + i], v = w[next + i];
                const x0 = inp[a + i], x1 = inp[b + i], x2 = inp[c + i], x3 = inp[d + i];
                s0 += x0 * u;
                s1 += x1 * u;
                s2 += x2 * u;
                s3 += x3 * u;
                t0 += x0 * v;
                t1 += x1 * v;
                t2 += x2 * v;
                t3 += x3 * v;
            }
            out[to] = s0;
            out[to + 1] = t0;
            out[to + OC] = s1;
            out[to + OC + 1] = t1;
            out[to + 2 * OC] = s2;
            out[to + 2 * OC + 1] = t2;
            out[to + 3 * OC] = s3;
            out[to + 3 * OC + 1] = t3;
        }
    }
    for (; n < N; n++) {
        linearRow(out, n * OC, inp, n * C, w, bias, C, OC);
    }
}

/* Mean of a row, and by what a LayerNorm divides it. */
function normOf(x, at, C, eps) {
    let mean = 0, variance = 0;
    for (let c = 0; c < C; c++) {
        mean += x[at + c];
    }
    mean /= C;
    for (let c = 0; c < C; c++) {
        variance += (x[at + c] - mean) ** 2;
    }
    return { mean, scale: Math.sqrt(variance / C + eps) };
}

/* out (N,C) = LayerNorm of x, with weight w and bias b. */
function layerNorm(out, x, w, b, N, C, eps) {
    for (let n = 0; n < N; n++) {
        const at = n * C, { mean, scale } = normOf(x, at, C, eps), factor = 1 / scale;
        for (let c = 0; c < C; c++) {
            out[at + c] = (x[at + c] - mean) * factor * w[c] + b[c];
        }
    }
}

/* out[at..at+n-1] = softmax of the scores there; they may be the same array. */
function softmaxInto(out, scores, at, n) {
    let top = -Infinity, sum = 0;
    for (let i = at; i < at + n; i++) {
        top = Math.max(top, scores[i]);
    }
    for (let i = at; i < at + n; i++) {
        out[i] = Math.exp(scores[i] - top);
        sum += out[i];
    }
    for (let i = at; i < at + n; i++) {
        out[i] /= sum;
    }
}

function softmax(scores) {
    const out = new Float64Array(scores.length);
    softmaxInto(out, scores, 0, scores.length);
    return out;
}
