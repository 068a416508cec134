/* tests/model/test_prefix.c - sequences kept once and edited at their end, against the whole
 * forward pass: every hook site, tokens appended behind an edit, no trace of earlier calls. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "model/prefix.h"

/* More sequences than one pass of prefix_fill takes; lengths 1 to N_CTX among them. */
enum { N = PREFIX_FILL + 5, N_CTX = 31, V = 33, LAYERS = 3, C = 64 };

/* Both ways do the same products, in matrices of other shapes: rounding of a few additions of up
 * to 256 terms, through three blocks, relative to the largest logit (some tens here). */
#define TOL 5e-5

typedef struct Fixture {
    Gpt *gpt;
    Prefix *prefix;
    Tape *tape;
    uint8_t tokens[N * N_CTX], lengths[N];
} Fixture;

static Fixture fixture_make(void)
{
    Fixture out = {0};
    GptConfig cfg;
    Rng rng = rng_at(7, RNG_TEST, 0);
    assert_int_equal(gpt_config_preset(&cfg, "nano"), 0);
    cfg.n_layers = LAYERS;
    cfg.n_ctx = N_CTX;
    cfg.d_vocab = V;
    cfg.seed = 1;
    assert_int_equal(gpt_new(&out.gpt, &cfg), 0);
    /* Large weights, so that an edit of the stream and a change of a token move the answer. */
    for (size_t i = 0; i < out.gpt->n_numbers; i++) {
        out.gpt->params[i] = (float)(0.2 * rng_normal(&rng));
    }
    assert_int_equal(prefix_new(&out.prefix, &cfg, N + 3, TAPE_FORWARD, NULL), 0);
    assert_int_equal(tape_new(&out.tape, &cfg, 1, TAPE_FORWARD, NULL), 0);
    for (size_t b = 0; b < N; b++) {
        out.lengths[b] = (uint8_t)(b == 0 ? 1 : b == 1 ? N_CTX : 1 + rng_below(&rng, N_CTX));
        for (size_t t = 0; t < out.lengths[b]; t++) {
            out.tokens[b * N_CTX + t] = (uint8_t)(1 + rng_below(&rng, V - 1));
        }
    }
    prefix_fill(out.prefix, out.gpt, out.tokens, N_CTX, out.lengths, N, NULL);
    return out;
}

static void fixture_release(Fixture *fixture)
{
    prefix_free(fixture->prefix);
    tape_free(fixture->tape);
    gpt_free(fixture->gpt);
}

/* ---- one edit, made in both ways ---- */

typedef struct Edit {
    const Fixture *fixture;
    size_t only; /* the sequence of a whole forward pass; N: rows are those of a Prefix */
    bool everywhere;
} Edit;

/* Changes a row by something of its own sequence and site. Scores and patterns are changed at
 * their first key alone, because the rows of a Prefix have room for more keys; a scale stays
 * positive. */
static void change_row(real *row, const HookPoint *point, size_t sequence)
{
    Rng rng =
        rng_at(8, RNG_TEST, sequence * 1000 + (size_t)point->site * 10 + (size_t)point->layer);
    size_t n_keys = point->width / 4;
    switch (point->site) {
    case HOOK_PATTERN:
        for (size_t i = 0; i < point->width; i++) {
            row[i] = i % n_keys == 0 ? 1 : 0;
        }
        break;
    case HOOK_SCORES:
        for (size_t i = 0; i < point->width; i += n_keys) {
            row[i] += (real)(3 * rng_normal(&rng));
        }
        break;
    case HOOK_LN1_SCALE:
    case HOOK_LN2_SCALE:
    case HOOK_FINAL_SCALE: *row *= (real)(1 + rng_uniform(&rng)); break;
    default: /* queries and keys reach the answer through the scores alone: more of it for them */
        for (size_t c = 0; c < point->width; c++) {
            double by = point->site == HOOK_Q || point->site == HOOK_K ? 6 : 1;
            row[c] += (real)(by * rng_normal(&rng));
        }
    }
}

static void edit_hook(void *context, const HookPoint *point)
{
    const Edit *edit = context;
    for (size_t b = 0; b < point->B; b++) {
        size_t sequence = edit->only < N ? edit->only : point->first + b;
        size_t last = point->T == 1 ? 0 : (size_t)edit->fixture->lengths[sequence] - 1;
        for (size_t t = edit->everywhere ? 0 : last; t <= last; t++) {
            change_row(point->value + (b * point->T + t) * point->width, point, sequence);
        }
    }
}

static Hooks hooks_of(Edit *edit, HookSite site, uint64_t layers)
{
    Hooks hooks = {.fn = edit_hook, .context = edit};
    hooks.sites[site] = layers;
    return hooks;
}

/* Logits of one sequence of n tokens by the whole forward pass, edited at a site and layers. */
typedef struct SiteEdit {
    HookSite site;
    uint64_t layers; /* 0: not edited */
    bool everywhere; /* at all positions */
} SiteEdit;

static void answer_whole(real out[V], const Fixture *fixture, const uint8_t *tokens, size_t n,
                         size_t sequence, SiteEdit where)
{
    Edit edit = {fixture, sequence, where.everywhere};
    Hooks hooks = hooks_of(&edit, where.site, where.layers);
    const real *all = gpt_forward(fixture->gpt, fixture->tape, tokens, 1, n, &hooks);
    memcpy(out, all + (n - 1) * V, V * sizeof(*out));
}

/* Largest difference of two rows (n), relative to the largest of the second. */
static double rows_gap(const real *a, const real *b, size_t n)
{
    double largest = 0, difference = 0;
    for (size_t i = 0; i < n; i++) {
        largest = fmax(largest, fabs((double)b[i]));
        difference = fmax(difference, fabs((double)a[i] - (double)b[i]));
    }
    return difference / largest;
}

/* The same for logits. */
static double gap(const real *a, const real *b)
{
    return rows_gap(a, b, V);
}

static void every_site_answers_as_the_whole_pass(void **state)
{
    static const uint64_t layers[] = {1, 2, 4, 6, 7, 5};
    Fixture f = fixture_make();
    real none[N * V], whole[V];
    memcpy(none, prefix_last(f.prefix, f.gpt, NULL), sizeof(none));
    for (size_t b = 0; b < N; b++) {
        answer_whole(whole, &f, f.tokens + b * N_CTX, f.lengths[b], b, (SiteEdit){0, 0, false});
        assert_true(gap(none + b * V, whole) < TOL);
    }
    for (int site = 0; site < N_HOOK_SITES; site++) {
        size_t n = hook_site_outside((HookSite)site) ? 1 : sizeof(layers) / sizeof(layers[0]);
        for (size_t i = 0; i < n; i++) {
            Edit edit = {&f, N, false};
            Hooks hooks = hooks_of(&edit, (HookSite)site, layers[i]);
            const real *all = prefix_last(f.prefix, f.gpt, &hooks);
            double moved = 0;
            for (size_t b = 0; b < N; b++) {
                answer_whole(whole, &f, f.tokens + b * N_CTX, f.lengths[b], b,
                             (SiteEdit){(HookSite)site, layers[i], false});
                assert_true(gap(all + b * V, whole) < TOL);
                moved = fmax(moved, gap(none + b * V, whole));
            }
            assert_true(moved > 100 * TOL); /* without the edit the answer is another one */
        }
    }
    fixture_release(&f);
}

/* Rows of one sequence, the edit of each its own. */
static void edit_row_by_number(void *context, const HookPoint *point)
{
    const size_t *first = context;
    assert_int_equal(point->T, 1);
    for (size_t r = 0; r < point->B; r++) {
        change_row(point->value + r * point->width, point, *first + r);
    }
}

static void rows_of_a_sequence_do_not_see_one_another(void **state)
{
    enum { ROWS = 3 * N };
    static const HookSite sites[] = {HOOK_RESID_PRE, HOOK_K, HOOK_V, HOOK_SCORES, HOOK_FINAL};
    Fixture f = fixture_make();
    Prefix *many = NULL;
    uint16_t owners[ROWS];
    real alone[V];
    assert_int_equal(prefix_new_rows(&many, &f.gpt->cfg, N, ROWS, NULL), 0);
    prefix_fill(many, f.gpt, f.tokens, N_CTX, f.lengths, N, NULL);
    prefix_seal(many);
    for (size_t r = 0; r < ROWS; r++) {
        owners[r] = (uint16_t)(r / 2 % N); /* neighbours share a sequence, and it comes again */
    }
    for (size_t i = 0; i < sizeof(sites) / sizeof(sites[0]); i++) {
        size_t first = 0;
        double twin = 0;
        Hooks hooks = {.fn = edit_row_by_number, .context = &first};
        hooks.sites[sites[i]] = hook_site_outside(sites[i]) ? 1 : 2;
        real *all = malloc(sizeof(real) * ROWS * V);
        assert_non_null(all);
        memcpy(all, prefix_rows(many, f.gpt, owners, ROWS, &hooks), sizeof(real) * ROWS * V);
        for (size_t r = 0; r < ROWS; r += 5) {
            first = r;
            memcpy(alone, prefix_rows(many, f.gpt, &owners[r], 1, &hooks), sizeof(alone));
            assert_true(gap(all + r * V, alone) < TOL);
            twin = fmax(twin, gap(all + (r ^ 1) * V, alone)); /* the row beside it */
        }
        assert_true(twin > 100 * TOL);
        free(all);
    }
    /* Keys and values of the last rows do not stay: without an edit the answer is as ever. */
    real none[N * V];
    memcpy(none, prefix_last(f.prefix, f.gpt, NULL), sizeof(none));
    assert_true(gap(prefix_last(many, f.gpt, NULL), none) < TOL);
    prefix_free(many);
    fixture_release(&f);
}

/* What a hook is shown of the branches of a pass: the stream behind the last block. */
typedef struct SeenRows {
    real rows[3 * N * C];
    size_t n;
} SeenRows;

static void see_rows(void *context, const HookPoint *point)
{
    SeenRows *seen = context;
    assert_int_equal(point->width, C);
    assert_true(seen->n + point->B <= 3 * (size_t)N);
    /* One position: the last of a whole pass, the only one of a branch. */
    for (size_t b = 0; b < point->B; b++) {
        memcpy(seen->rows + seen->n++ * C, point->value + (b * point->T + point->T - 1) * C,
               C * sizeof(real));
    }
}

/* Tokens tried behind sequences answer as if they had been filled in, and leave nothing behind. */
static void branches_are_longer_sequences(void **state)
{
    enum { TRIED = 3 };
    Fixture f = fixture_make(), fresh = fixture_make();
    Prefix *many = NULL;
    uint16_t owners[TRIED * N];
    uint8_t tokens[TRIED * N], more[N] = {0}, longer[N * N_CTX], lengths[N];
    size_t n = 0;
    double twin = 0, seen_twin = 0;
    static SeenRows seen, whole_seen;
    Hooks see = {.fn = see_rows, .context = &seen}, see_whole = see;
    see_whole.context = &whole_seen;
    see.sites[HOOK_RESID_POST] = see_whole.sites[HOOK_RESID_POST] = 1ULL << (LAYERS - 1);
    assert_int_equal(prefix_new_rows(&many, &f.gpt->cfg, N, TRIED * N, NULL), 0);
    prefix_fill(many, f.gpt, f.tokens, N_CTX, f.lengths, N, NULL);
    for (size_t b = 0; b < N; b++) {
        for (size_t i = 0; i < TRIED && f.lengths[b] + 1 < N_CTX; i++, n++) {
            owners[n] = (uint16_t)b;
            tokens[n] = (uint8_t)(1 + (5 * i + b) % (V - 1));
        }
        more[b] = (uint8_t)(1 + b % (V - 1));
        memcpy(longer + b * N_CTX, f.tokens + b * N_CTX, N_CTX);
        lengths[b] = f.lengths[b];
    }
    assert_true(n > N); /* several of one sequence */
    for (int appended = 0; appended < 2; appended++) {
        real branches[TRIED * N * V], whole[V], next[N * V];
        seen.n = 0;
        memcpy(branches, prefix_branches(many, f.gpt, owners, tokens, n, &see),
               n * V * sizeof(real));
        assert_int_equal(seen.n, n);
        for (size_t r = 0; r < n; r++) {
            size_t b = owners[r];
            longer[b * N_CTX + lengths[b]] = tokens[r];
            answer_whole(whole, &f, longer + b * N_CTX, lengths[b] + 1U, b,
                         (SiteEdit){0, 0, false});
            assert_true(gap(branches + r * V, whole) < TOL);
            twin = fmax(twin, gap(branches + (r + 1) % n * V, whole)); /* the row beside it */
            whole_seen.n = 0; /* the hook is shown these rows, in this order */
            gpt_forward(f.gpt, f.tape, longer + b * N_CTX, 1, lengths[b] + 1U, &see_whole);
            assert_true(rows_gap(seen.rows + r * C, whole_seen.rows, C) < TOL);
            seen_twin = fmax(seen_twin, rows_gap(seen.rows + (r + 1) % n * C, whole_seen.rows, C));
        }
        assert_true(twin > 100 * TOL && seen_twin > 100 * TOL);
        /* The next token meets what it would have met without them. */
        memcpy(next, prefix_append(fresh.prefix, fresh.gpt, more), sizeof(next));
        assert_memory_equal(next, prefix_append(many, f.gpt, more), sizeof(next));
        for (size_t b = 0; b < N; b++) {
            if (lengths[b] < N_CTX) {
                longer[b * N_CTX + lengths[b]++] = more[b];
            }
        }
    }
    prefix_free(many);
    fixture_release(&fresh);
    fixture_release(&f);
}

static void earlier_calls_leave_no_trace(void **state)
{
    Fixture f = fixture_make(), fresh = fixture_make();
    Edit edit = {&f, N, false};
    Hooks early = hooks_of(&edit, HOOK_RESID_PRE, 1), late = hooks_of(&edit, HOOK_RESID_POST, 2);
    uint8_t more[N];
    real expected[N * V];
    memset(more, 3, sizeof(more));
    memcpy(expected, prefix_last(fresh.prefix, fresh.gpt, &late), sizeof(expected));
    prefix_last(f.prefix, f.gpt, &early);
    assert_memory_equal(expected, prefix_last(f.prefix, f.gpt, &late), sizeof(expected));
    prefix_last(f.prefix, f.gpt, &early);
    prefix_append(f.prefix, f.gpt, more);
    assert_memory_equal(expected, prefix_last(f.prefix, f.gpt, &late), sizeof(expected));

    /* Blocks below an edit give what they were filled with to the tokens behind it. */
    memcpy(expected, prefix_append(fresh.prefix, fresh.gpt, more), sizeof(expected));
    assert_memory_equal(expected, prefix_append(f.prefix, f.gpt, more), sizeof(expected));
    /* Negative twin: behind another edit they answer otherwise. */
    prefix_last(f.prefix, f.gpt, &early);
    assert_memory_not_equal(expected, prefix_append(f.prefix, f.gpt, more), sizeof(expected));
    fixture_release(&fresh);
    fixture_release(&f);
}

static void appended_tokens_see_the_edit(void **state)
{
    enum { MORE = 4 };
    Fixture f = fixture_make();
    Edit edit = {&f, N, false};
    Hooks hooks = hooks_of(&edit, HOOK_RESID_MID, 2);
    uint8_t longer[N][N_CTX], more[N];
    size_t lengths[N];
    double unedited = 0;

    for (size_t b = 0; b < N; b++) {
        memcpy(longer[b], f.tokens + b * N_CTX, N_CTX);
        lengths[b] = f.lengths[b];
    }
    prefix_last(f.prefix, f.gpt, &hooks);
    for (size_t step = 0; step < MORE; step++) {
        for (size_t b = 0; b < N; b++) {
            more[b] = b % 3 == 2 && step >= 2 ? 0 : (uint8_t)(1 + (b + step) % (V - 1));
            if (more[b] != 0 && lengths[b] < N_CTX) {
                longer[b][lengths[b]++] = more[b];
            }
        }
        const real *all = prefix_append(f.prefix, f.gpt, more);
        for (size_t b = 0; b < N; b++) {
            real whole[V];
            if (more[b] == 0 || f.lengths[b] + step >= N_CTX) {
                continue; /* a line that is over */
            }
            answer_whole(whole, &f, longer[b], lengths[b], b, (SiteEdit){HOOK_RESID_MID, 2, false});
            assert_true(gap(all + b * V, whole) < TOL);
            answer_whole(whole, &f, longer[b], lengths[b], b, (SiteEdit){0, 0, false});
            unedited = fmax(unedited, gap(all + b * V, whole));
        }
    }
    assert_true(unedited > 100 * TOL); /* negative twin: without the edit it is another answer */
    fixture_release(&f);
}

static void edits_of_all_positions_are_kept_by_filling(void **state)
{
    Fixture f = fixture_make();
    Edit edit = {&f, N, true};
    Hooks hooks = hooks_of(&edit, HOOK_ATTN_OUT, 6);
    real whole[V];
    double last_only = 0;
    prefix_fill(f.prefix, f.gpt, f.tokens, N_CTX, f.lengths, N, &hooks);
    const real *all = prefix_last(f.prefix, f.gpt, NULL);
    for (size_t b = 0; b < N; b++) {
        answer_whole(whole, &f, f.tokens + b * N_CTX, f.lengths[b], b,
                     (SiteEdit){HOOK_ATTN_OUT, 6, true});
        assert_true(gap(all + b * V, whole) < TOL);
        answer_whole(whole, &f, f.tokens + b * N_CTX, f.lengths[b], b,
                     (SiteEdit){HOOK_ATTN_OUT, 6, false});
        last_only = fmax(last_only, gap(all + b * V, whole));
    }
    assert_true(last_only > 100 * TOL);
    fixture_release(&f);
}

/* What hooks of prefix_fill left at the last position holds in blocks that prefix_last does not
 * run. A Prefix for gradients runs all of them: the same hooks make the edit again. */
static void blocks_that_run_are_edited_again(void **state)
{
    Fixture f = fixture_make();
    Prefix *both = NULL;
    Edit edit = {&f, N, true};
    Hooks hooks = hooks_of(&edit, HOOK_ATTN_OUT, 6);
    real kept[N * V], again[N * V];
    assert_int_equal(prefix_new(&both, &f.gpt->cfg, N, TAPE_GRADIENT, NULL), 0);
    prefix_fill(both, f.gpt, f.tokens, N_CTX, f.lengths, N, &hooks);
    prefix_fill(f.prefix, f.gpt, f.tokens, N_CTX, f.lengths, N, &hooks);
    memcpy(kept, prefix_last(f.prefix, f.gpt, NULL), sizeof(kept));
    memcpy(again, prefix_last(both, f.gpt, &hooks), sizeof(again));
    const real *bare = prefix_last(both, f.gpt, NULL);
    double lost = 0;
    for (size_t b = 0; b < N; b++) {
        assert_true(gap(again + b * V, kept + b * V) < TOL);
        lost = fmax(lost, gap(bare + b * V, kept + b * V));
    }
    assert_true(lost > 100 * TOL); /* without hooks the last position is not edited */
    prefix_free(both);
    fixture_release(&f);
}

/* Gradients of a site behind appended tokens, against those of the whole pass. */
typedef struct Gradients {
    real rows[N_CTX * C * N];
} Gradients;

static void keep_gradient(void *context, const HookPoint *point)
{
    Gradients *out = context;
    size_t n = point->B * point->T * point->width;
    assert_true(point->gradient && n <= sizeof(out->rows) / sizeof(out->rows[0]));
    memcpy(out->rows, point->gradient, n * sizeof(*out->rows));
}

static void gradients_behind_appended_tokens(void **state)
{
    static Gradients last, whole;
    Fixture f = fixture_make();
    Prefix *rows = NULL;
    Tape *tape = NULL;
    real dlogits[N * V], d[N_CTX * V];
    uint8_t more[N], longer[N_CTX];
    size_t n_compared = 0;
    double apart = 0;
    Rng rng = rng_at(9, RNG_TEST, 0);
    Hooks hooks = {.fn = keep_gradient, .context = &last};
    hooks.sites[HOOK_RESID_PRE] = 2;
    assert_int_equal(prefix_new(&rows, &f.gpt->cfg, N, TAPE_GRADIENT, NULL), 0);
    assert_int_equal(tape_new(&tape, &f.gpt->cfg, 1, TAPE_GRADIENT, NULL), 0);
    for (size_t i = 0; i < N * V; i++) {
        dlogits[i] = (real)rng_normal(&rng);
    }
    for (size_t b = 0; b < N; b++) {
        more[b] = b % 4 == 3 ? 0 : (uint8_t)(1 + b);
    }
    prefix_fill(rows, f.gpt, f.tokens, N_CTX, f.lengths, N, NULL);
    prefix_last(rows, f.gpt, NULL);
    prefix_append(rows, f.gpt, more);
    prefix_gradient(rows, f.gpt, dlogits, &hooks);
    hooks.context = &whole;
    for (size_t b = 0; b < N; b++) {
        size_t n = f.lengths[b];
        if (more[b] == 0 || n == N_CTX) {
            continue; /* it did not grow */
        }
        memcpy(longer, f.tokens + b * N_CTX, n);
        longer[n] = more[b];
        memset(d, 0, sizeof(d));
        memcpy(d + n * V, dlogits + b * V, V * sizeof(*d));
        gpt_forward(f.gpt, tape, longer, 1, n + 1, NULL);
        gpt_gradient(f.gpt, tape, NULL, d, &hooks, NULL);
        double largest = 0, worst = 0;
        for (size_t c = 0; c < C; c++) {
            double x = (double)whole.rows[n * C + c];
            largest = fmax(largest, fabs(x));
            worst = fmax(worst, fabs(x - (double)last.rows[b * C + c]));
            apart = fmax(apart, fabs(x - (double)last.rows[(b + 1) % N * C + c]));
        }
        assert_true(worst < 2e-4 * largest);
        n_compared++;
    }
    assert_true(n_compared > N / 2 && apart > 0.1);
    prefix_free(rows);
    tape_free(tape);
    fixture_release(&f);
}

/* NaN everywhere in an earlier pass, longer sequences before shorter ones: nothing of it is read
 * again, forward or back. */
static void spoil(void *context, const HookPoint *point)
{
    (void)context;
    for (size_t i = 0; i < point->B * point->T * point->width; i++) {
        *(point->gradient ? &point->gradient[i] : &point->value[i]) = NAN;
    }
}

static void spoilt_memory_is_not_read(void **state)
{
    static Gradients clean, spoilt;
    Fixture f = fixture_make();
    uint8_t full[N], ones[N * N_CTX], shorter[N];
    real dlogits[N * V], logits[2][N * V];
    Hooks bad = {.fn = spoil}, good = {.fn = keep_gradient};
    memset(full, N_CTX, sizeof(full));
    memset(ones, 1, sizeof(ones));
    for (int site = 0; site < N_HOOK_SITES; site++) {
        bad.sites[site] = ~0ULL;
    }
    for (size_t b = 0; b < N; b++) {
        shorter[b] = (uint8_t)(1 + b % 20);
    }
    for (size_t i = 0; i < N * V; i++) {
        dlogits[i] = (real)(i % 7) - 3;
    }
    good.sites[HOOK_RESID_PRE] = 1;
    const Kernels *const sets[] = {&kernels_ref, kernels_fast()};
    for (size_t set = 0; set < 2; set++) {
        for (int dirty = 0; dirty < 2; dirty++) {
            Prefix *prefix = NULL;
            assert_int_equal(prefix_new(&prefix, &f.gpt->cfg, N + 2, TAPE_GRADIENT, sets[set]), 0);
            if (dirty) {
                prefix_fill(prefix, f.gpt, ones, N_CTX, full, N, &bad);
                prefix_last(prefix, f.gpt, &bad);
                prefix_gradient(prefix, f.gpt, dlogits, &bad);
            }
            good.context = dirty ? &spoilt : &clean;
            prefix_fill(prefix, f.gpt, ones, N_CTX, shorter, N, NULL);
            memcpy(logits[dirty], prefix_last(prefix, f.gpt, NULL), sizeof(logits[0]));
            prefix_gradient(prefix, f.gpt, dlogits, &good);
            prefix_free(prefix);
        }
        assert_memory_equal(logits[0], logits[1], sizeof(logits[0]));
        assert_memory_equal(clean.rows, spoilt.rows, N * C * sizeof(real));
        for (int dirty = 0; dirty < 2; dirty++) {
            Tape *tape = NULL;
            assert_int_equal(tape_new(&tape, &f.gpt->cfg, N + 2, TAPE_GRADIENT, sets[set]), 0);
            if (dirty) {
                gpt_forward(f.gpt, tape, ones, N, N_CTX, &bad);
                gpt_gradient(f.gpt, tape, NULL, NULL, &bad, NULL);
            }
            good.context = dirty ? &spoilt : &clean;
            memcpy(logits[dirty], gpt_forward(f.gpt, tape, ones, N, 1, NULL), sizeof(logits[0]));
            gpt_gradient(f.gpt, tape, NULL, dlogits, &good, NULL);
            tape_free(tape);
        }
        assert_memory_equal(logits[0], logits[1], sizeof(logits[0]));
        assert_memory_equal(clean.rows, spoilt.rows, N * C * sizeof(real));
    }
    fixture_release(&f);
}

/* A cache of other sequences must be seen: one token changed, one position lost. */
static void stale_sequences_are_seen(void **state)
{
    Fixture f = fixture_make();
    real whole[V];
    for (size_t b = 1; b < N; b++) {
        f.lengths[b] = f.lengths[b] < 4 ? 4 : f.lengths[b];
        for (size_t t = 0; t < 4; t++) {
            f.tokens[b * N_CTX + t] = (uint8_t)(1 + (t + b) % (V - 1));
        }
    }
    prefix_fill(f.prefix, f.gpt, f.tokens, N_CTX, f.lengths, N, NULL);
    for (size_t b = 1; b < N; b++) {
        const real *all = prefix_last(f.prefix, f.gpt, NULL);
        uint8_t changed[N_CTX];
        memcpy(changed, f.tokens + b * N_CTX, N_CTX);
        answer_whole(whole, &f, changed, f.lengths[b], b, (SiteEdit){0, 0, false});
        assert_true(gap(all + b * V, whole) < TOL);
        changed[1] = (uint8_t)(changed[1] % (V - 1) + 1);
        answer_whole(whole, &f, changed, f.lengths[b], b, (SiteEdit){0, 0, false});
        assert_false(gap(all + b * V, whole) < TOL);
        answer_whole(whole, &f, f.tokens + b * N_CTX, f.lengths[b] - 1U, b,
                     (SiteEdit){0, 0, false});
        assert_false(gap(all + b * V, whole) < TOL);
    }
    fixture_release(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_site_answers_as_the_whole_pass),
        cmocka_unit_test(rows_of_a_sequence_do_not_see_one_another),
        cmocka_unit_test(branches_are_longer_sequences),
        cmocka_unit_test(earlier_calls_leave_no_trace),
        cmocka_unit_test(appended_tokens_see_the_edit),
        cmocka_unit_test(edits_of_all_positions_are_kept_by_filling),
        cmocka_unit_test(stale_sequences_are_seen),
        cmocka_unit_test(blocks_that_run_are_edited_again),
        cmocka_unit_test(gradients_behind_appended_tokens),
        cmocka_unit_test(spoilt_memory_is_not_read),
    };
    return cmocka_run_group_tests_name("prefix", tests, NULL, NULL);
}
