/* num/optimisers/optim.h - optimiser steps on plain arrays: AdamW and Muon.
 *
 * The caller owns the state. Each function is pure arithmetic over its range, so callers may cut
 * AdamW's ranges anywhere. Nothing allocates or fails.
 */
#ifndef OGPT_NUM_OPTIMISERS_OPTIM_H
#define OGPT_NUM_OPTIMISERS_OPTIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct AdamWStep {
    float lr, beta1, beta2, eps;
    float weight_decay; /* decoupled: w -= lr * weight_decay * w */
    int64_t step;       /* from 1; for the bias corrections */
} AdamWStep;

/* AdamW (Loshchilov & Hutter 2019) on n numbers:
 *   m = b1 m + (1-b1) g;  v = b2 v + (1-b2) g^2
 *   w -= lr * ( (m / (1-b1^t)) / (sqrt(v / (1-b2^t)) + eps) + weight_decay * w )
 * g is scaled by `gradient_scale` first (clipping). */
void adamw_step(float *w, float *m, float *v, const float *g, size_t n, float gradient_scale,
                const AdamWStep *step);

/* Muon (Jordan et al. 2024) on one matrix w (rows = inputs, cols = outputs):
 *   M = momentum * M + g;  U = NewtonSchulz(g + momentum * M)          (Nesterov)
 *   w -= lr * ( sqrt(max(1, cols / rows)) * U + weight_decay * w )
 * NewtonSchulz brings singular values near 1 by four steps of
 *   X <- a X + (b A + c A^2) X,  A = X X^T
 * from X = G / (||G G^T||_F^(1/2) + 1e-7): those from 0.003 of that norm on end in 0.78 to 1.20,
 * those below grow 287 times. Its (a, b, c) differ in each step (Amsel et al. 2025, Polar Express).
 * Jordan's five steps have one (a, b, c) and begin with G / ||G||_F; what each teaches is in
 * docs/RECIPES.md. Products are in float32, or have factors rounded to bfloat16 as in the paper.
 * scratch: muon_scratch(rows, cols) floats, a multiple of 16, aligned to 64 bytes. */
typedef struct MuonStep {
    float lr, momentum, weight_decay;
    bool bf16; /* products of NewtonSchulz by num/gemm_bf16.h */
} MuonStep;
size_t muon_scratch(size_t rows, size_t cols);
void muon_step(float *w, float *M, const float *g, size_t rows, size_t cols, float gradient_scale,
               const MuonStep *step, float *scratch);
/* X (rows, cols) <- NewtonSchulz(X), as above. scratch as for muon_step. */
void newton_schulz(float *X, size_t rows, size_t cols, bool bf16, float *scratch);

/* Learning-rate factor in 0..1 at step (0-based) of steps. Linear warm-up over the first
 * `warmup` share, then
 *   constant:  1
 *   cosine:    from 1 down to 0.1 (as in the published recipe)
 *   trapezoid: 1, then linearly down to 0 over the last `cooldown` share. */
typedef enum Schedule { SCHEDULE_CONSTANT, SCHEDULE_COSINE, SCHEDULE_TRAPEZOID } Schedule;
int schedule_parse(const char *name); /* -1 if unknown */
double schedule_factor(Schedule schedule, int64_t step, int64_t steps, double warmup,
                       double cooldown);

#endif
