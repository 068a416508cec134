/* num/profile/profile.c - each wrapper notes its thread's clock, calls the kernel, and adds up. */
#include "num/profile/profile.h"

#include <stdatomic.h>
#include <stddef.h>

#include "base/process.h"

static const char *const names[N_PROFILE_KINDS] = {
    "linear forward",
    "linear backward, inputs",
    "linear backward, weights",
    "attention forward",
    "attention backward",
    "layer norm",
    "gelu",
    "cross-entropy",
    "games, tokens, floor",
    "sums of gradients",
    "optimiser",
};

static const Kernels *inner;
static _Atomic uint64_t nanoseconds[N_PROFILE_KINDS], flop_count[N_PROFILE_KINDS],
    call_count[N_PROFILE_KINDS];

void profile_add(ProfileKind kind, double seconds, double flops)
{
    atomic_fetch_add(&nanoseconds[kind], (uint64_t)(seconds * 1e9));
    atomic_fetch_add(&flop_count[kind], (uint64_t)flops);
    atomic_fetch_add(&call_count[kind], 1);
}

void profile_read(ProfileRow rows[N_PROFILE_KINDS])
{
    for (size_t i = 0; i < N_PROFILE_KINDS; i++) {
        rows[i] = (ProfileRow){.name = names[i],
                               .seconds = (double)nanoseconds[i] * 1e-9,
                               .flops = (double)flop_count[i],
                               .calls = call_count[i]};
    }
}

static double product(size_t N, size_t C, size_t OC)
{
    return 2.0 * (double)N * (double)C * (double)OC;
}

/* Multiplications and additions of one T x T x HS product of every head, causal half. */
static double scores(size_t B, size_t T, size_t NH, size_t HS)
{
    return (double)(B * NH * HS) * (double)(T * (T + 1));
}

static size_t scratch_bytes(size_t N, size_t C, size_t OC)
{
    return inner->scratch_bytes(N, C, OC);
}

static void linear_fwd(real *out, const real *inp, const real *w, const real *bias, size_t N,
                       size_t C, size_t OC, void *scratch)
{
    double start = clock_thread_seconds();
    inner->linear_fwd(out, inp, w, bias, N, C, OC, scratch);
    profile_add(PROFILE_LINEAR_FWD, clock_thread_seconds() - start, product(N, C, OC));
}

static void linear_residual(real *out, const real *base, const real *inp, const real *w,
                            const real *bias, size_t N, size_t C, size_t OC, void *scratch)
{
    double start = clock_thread_seconds();
    inner->linear_residual(out, base, inp, w, bias, N, C, OC, scratch);
    profile_add(PROFILE_LINEAR_FWD, clock_thread_seconds() - start, product(N, C, OC));
}

static void timed_bwd_inp(bool factor, real *dinp, const real *dout, const real *w, int keep,
                          size_t N, size_t C, size_t OC, void *scratch)
{
    double start = clock_thread_seconds();
    (factor ? inner->linear_bwd_inp_factor : inner->linear_bwd_inp)(dinp, dout, w, keep, N, C, OC,
                                                                    scratch);
    profile_add(PROFILE_LINEAR_BWD_INP, clock_thread_seconds() - start, product(N, C, OC));
}

static void linear_bwd_inp(real *dinp, const real *dout, const real *w, int keep, size_t N,
                           size_t C, size_t OC, void *scratch)
{
    timed_bwd_inp(false, dinp, dout, w, keep, N, C, OC, scratch);
}

static void linear_bwd_inp_factor(real *dinp, const real *dout, const real *w, int keep, size_t N,
                                  size_t C, size_t OC, void *scratch)
{
    timed_bwd_inp(true, dinp, dout, w, keep, N, C, OC, scratch);
}

static void timed_bwd_w(bool factor, real *dw, real *dbias, const real *inp, const real *dout,
                        int keep, size_t N, size_t C, size_t OC, void *scratch)
{
    double start = clock_thread_seconds();
    (factor ? inner->linear_bwd_w_factor : inner->linear_bwd_w)(dw, dbias, inp, dout, keep, N, C,
                                                                OC, scratch);
    profile_add(PROFILE_LINEAR_BWD_W, clock_thread_seconds() - start, product(N, C, OC));
}

static void linear_bwd_w(real *dw, real *dbias, const real *inp, const real *dout, int keep,
                         size_t N, size_t C, size_t OC, void *scratch)
{
    timed_bwd_w(false, dw, dbias, inp, dout, keep, N, C, OC, scratch);
}

static void linear_bwd_w_factor(real *dw, real *dbias, const real *inp, const real *dout, int keep,
                                size_t N, size_t C, size_t OC, void *scratch)
{
    timed_bwd_w(true, dw, dbias, inp, dout, keep, N, C, OC, scratch);
}

static void layernorm_fwd(real *out, real *mean, real *rstd, const real *x, const real *w,
                          const real *b, size_t N, size_t C, real eps)
{
    double start = clock_thread_seconds();
    inner->layernorm_fwd(out, mean, rstd, x, w, b, N, C, eps);
    profile_add(PROFILE_LAYERNORM, clock_thread_seconds() - start, 0);
}

static void layernorm_bwd(real *dx, real *dw, real *db, const real *dout, const real *x,
                          const real *w, const real *mean, const real *rstd, size_t N, size_t C)
{
    double start = clock_thread_seconds();
    inner->layernorm_bwd(dx, dw, db, dout, x, w, mean, rstd, N, C);
    profile_add(PROFILE_LAYERNORM, clock_thread_seconds() - start, 0);
}

static void gelu_fwd(real *act, real *slope, const real *pre, const real *bias, size_t N, size_t C)
{
    double start = clock_thread_seconds();
    inner->gelu_fwd(act, slope, pre, bias, N, C);
    profile_add(PROFILE_GELU, clock_thread_seconds() - start, 0);
}

static void gelu_bwd(real *d, real *dbias, const real *slope, size_t N, size_t C)
{
    double start = clock_thread_seconds();
    inner->gelu_bwd(d, dbias, slope, N, C);
    profile_add(PROFILE_GELU, clock_thread_seconds() - start, 0);
}

static void attention_fwd(real *z, real *lse, const real *q, const real *k, const real *v, size_t B,
                          size_t T, size_t NH, size_t HS)
{
    double start = clock_thread_seconds();
    inner->attention_fwd(z, lse, q, k, v, B, T, NH, HS);
    profile_add(PROFILE_ATTENTION_FWD, clock_thread_seconds() - start, 2 * scores(B, T, NH, HS));
}

static void attention_bwd(real *dq, real *dk, real *dv, const real *dz, const real *z,
                          const real *lse, const real *q, const real *k, const real *v, size_t B,
                          size_t T, size_t NH, size_t HS)
{
    double start = clock_thread_seconds();
    inner->attention_bwd(dq, dk, dv, dz, z, lse, q, k, v, B, T, NH, HS);
    profile_add(PROFILE_ATTENTION_BWD, clock_thread_seconds() - start, 4 * scores(B, T, NH, HS));
}

static double cross_entropy(real *logits, const uint8_t *target, real scale, size_t N, size_t V)
{
    double start = clock_thread_seconds();
    double loss = inner->cross_entropy(logits, target, scale, N, V);
    profile_add(PROFILE_CROSS_ENTROPY, clock_thread_seconds() - start, 0);
    return loss;
}

/* Training calls no kernel of single rows: these go to the inner set uncounted. */
static Kernels profiled = {
    .name = "profiled",
    .scratch_bytes = scratch_bytes,
    .linear_fwd = linear_fwd,
    .linear_residual = linear_residual,
    .linear_bwd_inp = linear_bwd_inp,
    .linear_bwd_w = linear_bwd_w,
    .linear_bwd_inp_factor = linear_bwd_inp_factor,
    .linear_bwd_w_factor = linear_bwd_w_factor,
    .layernorm_fwd = layernorm_fwd,
    .layernorm_bwd = layernorm_bwd,
    .gelu_fwd = gelu_fwd,
    .gelu_bwd = gelu_bwd,
    .attention_fwd = attention_fwd,
    .attention_bwd = attention_bwd,
    .cross_entropy = cross_entropy,
};

void profile_reset(void)
{
    for (size_t i = 0; i < N_PROFILE_KINDS; i++) {
        nanoseconds[i] = 0;
        flop_count[i] = 0;
        call_count[i] = 0;
    }
}

const Kernels *profile_start(const Kernels *measured)
{
    inner = measured;
    profiled.attention_row_scores = measured->attention_row_scores;
    profiled.attention_row_softmax = measured->attention_row_softmax;
    profile_reset();
    return &profiled;
}
