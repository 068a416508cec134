/* probes/heads/head_follow.c - see probes/heads/head_follow.h. */
#include "probes/heads/head_follow.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "probes/activations/passes.h"
#include "probes/heads/head_following.h"
#include "probes/heads/head_tally.h"

const char *head_verdict_name(HeadVerdict verdict)
{
    static const char *const names[] = {"none", "parity", "mover", "neither", "undecided"};
    return names[verdict];
}

/* Whether the keys of a query are compared: enough ordinary positions at its ply, and a key that is
 * compared. */
static bool compared(const HeadPatterns *patterns, const HeadKeys *keys, size_t t)
{
    bool any = false;
    for (size_t s = 1; s + 2 <= t && !any; s++) {
        any = head_dispute_sign(keys, (int)t, (int)s) != 0;
    }
    return any && patterns->ordinary_at[t] >= HEAD_ORDINARY_MIN;
}

/* What both hypotheses expect of a head at the disputed keys of a query. */
static void expect_query(double *parity, double *mover, const HeadPatterns *patterns, size_t head,
                         const HeadKeys *keys, size_t t)
{
    const float *mean = patterns->ordinary + head * head_triangle(patterns->T) + head_triangle(t);
    for (size_t s = 1; s + 2 <= t; s++) {
        double sign = head_dispute_sign(keys, (int)t, (int)s);
        *parity += sign * (double)mean[s];
        *mover += sign * 0.5 * ((double)mean[s - 1] + (double)mean[s + 1]);
    }
}

/* ---- attention in the disputed games ---- */

void head_following_add(HeadFollowing *f, size_t g, size_t layer, const float *attention)
{
    size_t NH = f->patterns->NH, n = f->disputed->n, T = f->patterns->T;
    for (size_t t = 0; t < f->disputed->n_queries[g]; t++) {
        const HeadKeys *keys = head_games_keys(f->disputed, g) + t;
        if (!compared(f->patterns, keys, t)) {
            continue;
        }
        for (size_t s = 1; s + 2 <= t; s++) {
            double sign = head_dispute_sign(keys, (int)t, (int)s);
            for (size_t h = 0; h < NH && sign != 0; h++) {
                size_t head = layer * NH + h;
                f->seen[head * n + g] += sign * (double)attention[(t * NH + h) * T + s];
            }
        }
    }
}

static int see(void *context, const PassBatch *pass, const HookPoint *point)
{
    HeadFollowing *f = context;
    for (size_t b = 0; b < pass->B; b++) {
        head_following_add(f, pass->game + b, (size_t)point->layer,
                           point->value + b * point->T * point->width);
    }
    return 0;
}

/* ---- what is expected ---- */

static void expect_disputed(HeadFollowing *f)
{
    HeadFollows *out = f->out;
    for (size_t g = 0; g < f->disputed->n; g++) {
        for (size_t t = 0; t < f->disputed->n_queries[g]; t++) {
            const HeadKeys *keys = head_games_keys(f->disputed, g) + t;
            if (!compared(f->patterns, keys, t)) {
                continue;
            }
            f->queries[g] += 1;
            out->n_queries++;
            out->mean_ply += (double)t;
            for (size_t h = 0; h < f->patterns->H; h++) {
                size_t i = h * f->disputed->n + g;
                expect_query(&f->parity[i], &f->mover[i], f->patterns, h, keys, t);
            }
        }
        out->n_games += f->queries[g] > 0;
    }
    out->mean_ply /= out->n_queries > 0 ? (double)out->n_queries : NAN;
}

/* The same keys in game g of the patterns, where they are not disputed: those of LANE_TWIN. */
static void expect_twins(HeadFollowing *f)
{
    for (size_t g = 0; g < f->games->n; g++) {
        size_t twin = g % f->disputed->n;
        for (size_t t = 1; t < f->games->n_queries[g] && t < f->disputed->n_queries[twin]; t++) {
            const HeadKeys *keys = head_games_keys(f->disputed, twin) + t;
            if (head_games_keys(f->games, g)[t].disputed != 0) {
                continue;
            }
            bool any = false;
            for (size_t s = 1; s + 2 <= t && !any; s++) {
                any = head_dispute_sign(keys, (int)t, (int)s) != 0;
            }
            f->out->n_twin_queries += any;
            for (size_t h = 0; h < f->patterns->H && any; h++) {
                size_t i = h * f->games->n + g;
                expect_query(&f->twin_parity[i], &f->twin_mover[i], f->patterns, h, keys, t);
            }
        }
    }
}

/* ---- verdicts ---- */

static HeadVerdict verdict_of(const HeadFollow *head)
{
    double low = head->follow.low, high = head->follow.high;
    if (!(fabs(head->preference.value) >= HEAD_PREFERENCE_LEAST)) {
        return HEAD_FOLLOWS_NOTHING;
    }
    if (low > -0.5 && high < 0.5) {
        return HEAD_FOLLOWS_PARITY;
    }
    if (low > 0.5 && high < 1.5) {
        return HEAD_FOLLOWS_MOVER;
    }
    return high < -0.5 || low > 1.5 ? HEAD_FOLLOWS_NEITHER : HEAD_FOLLOWS_UNKNOWN;
}

HeadFollow head_follow_of(const double *seen, const double *parity, const double *mover,
                          const double *queries, size_t n, uint64_t seed)
{
    HeadFollow out = {.twin = {NAN, NAN, NAN}};
    double sum = 0;
    double *half = mem_alloc(n, sizeof(*half), "preferences of a head");
    for (size_t i = 0; i < n; i++) {
        out.seen += seen[i];
        out.parity += parity[i];
        out.mover += mover[i];
        sum += queries[i];
        if (half) {
            half[i] = (mover[i] - parity[i]) / 2;
        }
    }
    out.seen /= sum;
    out.parity /= sum;
    out.mover /= sum;
    out.preference = half ? bootstrap_ratio(half, queries, n, seed) : (Interval){NAN, NAN, NAN};
    out.follow = bootstrap_closed(parity, mover, seen, n, seed);
    out.verdict = verdict_of(&out);
    mem_free(half);
    return out;
}

static int judge_head(void *context, size_t head, size_t worker)
{
    const HeadFollowing *f = context;
    size_t n = f->disputed->n, n_twin = f->games->n;
    HeadFollow *out = &f->out->heads[head];
    *out = head_follow_of(f->seen + head * n, f->parity + head * n, f->mover + head * n, f->queries,
                          n, f->seed);
    out->twin = bootstrap_closed(f->twin_parity + head * n_twin, f->twin_mover + head * n_twin,
                                 f->patterns->twin + head * n_twin, n_twin, f->seed);
    return isnan(out->preference.value) ? OGPT_ENOMEM : 0;
}

/* ---- all of it ---- */

int head_following_open(HeadFollowing *f, HeadFollows *out, const HeadPatterns *patterns,
                        const HeadGames *games, const HeadGames *disputed)
{
    size_t H = patterns->H, n = disputed->n, n_twin = games->n;
    *out = (HeadFollows){0};
    *f = (HeadFollowing){.out = out, .patterns = patterns, .games = games, .disputed = disputed};
    f->seen = mem_calloc(H * n, sizeof(double), "attention after passes");
    f->parity = mem_calloc(H * n, sizeof(double), "attention after passes");
    f->mover = mem_calloc(H * n, sizeof(double), "attention after passes");
    f->twin_parity = mem_calloc(H * n_twin, sizeof(double), "attention after passes");
    f->twin_mover = mem_calloc(H * n_twin, sizeof(double), "attention after passes");
    f->queries = mem_calloc(n, sizeof(double), "queries after passes");
    if (!f->seen || !f->parity || !f->mover || !f->twin_parity || !f->twin_mover || !f->queries) {
        return OGPT_ENOMEM;
    }
    expect_disputed(f);
    if (n > 0) {
        expect_twins(f);
    }
    return 0;
}

int head_following_close(HeadFollowing *f, const Work *work)
{
    HeadFollows *out = f->out;
    f->seed = work->seed;
    if (out->n_queries == 0) {
        return 0;
    }
    out->heads = mem_calloc(f->patterns->H, sizeof(*out->heads), "heads after passes");
    return out->heads ? pool_run(work->pool, f->patterns->H, judge_head, f) : OGPT_ENOMEM;
}

void head_following_release(HeadFollowing *f)
{
    mem_free(f->seen);
    mem_free(f->parity);
    mem_free(f->mover);
    mem_free(f->twin_parity);
    mem_free(f->twin_mover);
    mem_free(f->queries);
    *f = (HeadFollowing){0};
}

int head_follow_run(HeadFollows *out, const Gpt *gpt, const HeadPatterns *patterns,
                    const HeadGames *games, const HeadGames *disputed, const Work *work)
{
    HeadFollowing f;
    PassGames given = {.vocab = disputed->vocab, .n = disputed->n, .moves = disputed->moves};
    PassCalls calls = {.context = &f, .hook = see};
    for (int layer = 0; layer < gpt->cfg.n_layers; layer++) {
        passes_hook_layer(&calls, HOOK_PATTERN, layer);
    }
    int rc = head_following_open(&f, out, patterns, games, disputed);
    if (rc == 0 && out->n_queries > 0) {
        rc = passes_run(gpt, &given, &calls, work);
    }
    rc = rc ? rc : head_following_close(&f, work);
    head_following_release(&f);
    if (rc != 0) {
        head_follow_release(out);
    }
    return rc;
}

void head_follow_release(HeadFollows *follows)
{
    mem_free(follows->heads);
    *follows = (HeadFollows){0};
}
