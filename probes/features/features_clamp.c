/* probes/features/features_clamp.c - see probes/features/features_clamp.h. */
#include "probes/features/features_clamp.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "probes/board/direction_set.h"
#include "probes/legality/answers.h"
#include "probes/steering/steer_run.h"

/* Scores and answers of the cases: unchanged, clamped to 0, the same along a random direction,
 * clamped to the mean. */
enum { RUN_CLEAN, RUN_ZERO, RUN_RANDOM, RUN_MEAN, N_CLAMP_RUNS };
typedef struct FeaturesRuns {
    const FeaturesClamping *clamping;
    SteerCases cases;
    SteerScore *scores[N_CLAMP_RUNS]; /* (n) */
    float *logits[N_CLAMP_RUNS];      /* (n, d_vocab) */
    float *random;                    /* (width) a direction as long as the column */
} FeaturesRuns;

/* Shortest histories first; of equal ones in the order of the positions. */
static int compare_sights(const void *left, const void *right)
{
    const FeaturesSight *a = left, *b = right;
    return a->n_moves != b->n_moves ? (a->n_moves > b->n_moves) - (a->n_moves < b->n_moves)
                                    : (a->position > b->position) - (a->position < b->position);
}

/* A case a position, whose direction is its own group. */
static int make_cases(FeaturesRuns *runs)
{
    const FeaturesClamping *clamping = runs->clamping;
    const Vocab *vocab = clamping->set->vocab;
    const size_t n = clamping->n, n_moves = (size_t)vocab->variant->n_moves;
    SteerCases *out = &runs->cases;
    *out = (SteerCases){.vocab = vocab, .n = n, .n_games = clamping->set->n_games};
    out->at = mem_calloc(n, sizeof(*out->at), "clamped positions");
    out->moves = mem_alloc(n * n_moves, 1, "clamped positions");
    out->read = mem_alloc(n, 1, "clamped positions");
    out->weights = mem_calloc(n * (size_t)vocab->d_vocab, sizeof(real), "clamped positions");
    if (!out->at || !out->moves || !out->read || !out->weights) {
        return OGPT_ENOMEM;
    }
    for (size_t i = 0; i < n; i++) {
        const FeaturesSight *sight = &clamping->sights[i];
        const uint64_t legal = answer_tokens(vocab, board_moves(vocab->variant, &sight->board));
        out->at[i] = (SteerCase){
            .group = i, .wrong = i, .game = sight->game, .before = legal, .edited = legal};
        out->read[i] = (uint8_t)sight->n_moves;
        memset(out->moves + i * n_moves, SQ_NONE, n_moves);
        memcpy(out->moves + i * n_moves, clamping->set->moves + sight->game * n_moves,
               (size_t)sight->n_moves);
    }
    return 0;
}

static int draw_direction(FeaturesRuns *runs, uint64_t seed)
{
    const FeaturesClamping *clamping = runs->clamping;
    const size_t width = hook_width(&clamping->gpt->cfg, clamping->site, 0);
    double own = 0;
    runs->random = mem_alloc(width, sizeof(float), "a random direction");
    if (!runs->random) {
        return OGPT_ENOMEM;
    }
    const double length = direction_random(runs->random, width, seed, clamping->feature);
    for (size_t c = 0; c < width; c++) {
        own += (double)clamping->column[c] * (double)clamping->column[c];
    }
    for (size_t c = 0; c < width; c++) {
        runs->random[c] = (float)(runs->random[c] * (sqrt(own) / length));
    }
    return 0;
}

/* One pass over all cases; the bank holds (value - f) times the column. */
static int run_one(FeaturesRuns *runs, int run, const Work *work)
{
    const FeaturesClamping *clamping = runs->clamping;
    const size_t V = (size_t)runs->cases.vocab->d_vocab;
    const bool embed = clamping->layer == LAYER_EMBED;
    const int layer = embed ? 0 : clamping->layer;
    const double value = run == RUN_MEAN ? clamping->mean : 0;
    const float *direction = run == RUN_RANDOM ? runs->random : clamping->column;
    SteerBank bank = {0};
    SteerChange change = {
        .kind = STEER_ADD, .bank = &bank, .group = -1, .layers = UINT64_C(1) << layer, .alpha = 1};
    runs->scores[run] = mem_alloc(clamping->n, sizeof(SteerScore), "scores of positions");
    runs->logits[run] = mem_alloc(clamping->n * V, sizeof(float), "answers");
    int rc = runs->scores[run] && runs->logits[run] ? 0 : OGPT_ENOMEM;
    rc = rc ? rc
            : steer_bank_new(&bank, embed ? HOOK_RESID_PRE : clamping->site, &clamping->gpt->cfg,
                             clamping->n);
    for (size_t i = 0; i < clamping->n && rc == 0; i++) {
        float *v = steer_bank_at(&bank, layer, i);
        for (size_t c = 0; c < bank.width; c++) {
            v[c] = (float)((value - clamping->sights[i].value) * (double)direction[c]);
        }
    }
    if (run == RUN_CLEAN) {
        change = STEER_NO_CHANGE;
    }
    rc = rc ? rc
            : steer_run(runs->scores[run], runs->logits[run], clamping->gpt, &runs->cases, &change,
                        run == RUN_CLEAN ? NULL : runs->logits[RUN_CLEAN], work);
    steer_bank_release(&bank);
    return rc;
}

/* ---- means ---- */

static void add(FeaturesClamp *out, const FeaturesRuns *runs, int run, size_t i)
{
    const Vocab *vocab = runs->cases.vocab;
    const int V = vocab->d_vocab;
    const uint64_t legal = runs->cases.at[i].before;
    const float *clean = runs->logits[RUN_CLEAN] + i * (size_t)V;
    const float *clamped = runs->logits[run] + i * (size_t)V;
    const int n_legal = __builtin_popcountll(legal);
    const uint64_t came = answer_top_set(clamped, V, n_legal) & ~answer_top_set(clean, V, n_legal);
    const double total = answer_log_total(clamped, V), total_clean = answer_log_total(clean, V);
    out->n++;
    out->wrong += runs->scores[run][i].before;
    out->wrong_clean += runs->scores[RUN_CLEAN][i].before;
    out->strict += runs->scores[run][i].strict_before;
    out->strict_clean += runs->scores[RUN_CLEAN][i].strict_before;
    out->made_legal += __builtin_popcountll(came & legal);
    out->made_wrong += __builtin_popcountll(came & ~legal);
    out->kl += runs->scores[run][i].kl;
    for (int tok = 1; tok < V; tok++) {
        out->change[vocab->sq_of_tok[tok]] +=
            ((double)clamped[tok] - total) - ((double)clean[tok] - total_clean);
    }
}

static void divide(FeaturesClamp *out, const Vocab *vocab)
{
    double *sums[] = {&out->wrong,      &out->wrong_clean, &out->strict, &out->strict_clean,
                      &out->made_legal, &out->made_wrong,  &out->kl};
    const double n = (double)out->n;
    for (size_t k = 0; k < sizeof(sums) / sizeof(sums[0]); k++) {
        *sums[k] = n > 0 ? *sums[k] / n : NAN;
    }
    for (int sq = 0; sq < BOARD_SQUARES; sq++) {
        const bool move = vocab->tok_of_sq[sq] != TOK_PAD;
        out->change[sq] = move && n > 0 ? out->change[sq] / n : NAN;
    }
}

int features_clamp(FeaturesClamp out[N_FEATURES_CLAMPS], FeaturesClamping *clamping,
                   const Work *work)
{
    static const struct {
        bool on;
        int run;
    } kinds[] = {[FEATURES_ON_ZERO] = {true, RUN_ZERO},
                 [FEATURES_ON_RANDOM] = {true, RUN_RANDOM},
                 [FEATURES_ON_MEAN] = {true, RUN_MEAN},
                 [FEATURES_OFF_MEAN] = {false, RUN_MEAN},
                 [FEATURES_OFF_ZERO] = {false, RUN_ZERO}};
    FeaturesRuns runs = {.clamping = clamping};
    qsort(clamping->sights, clamping->n, sizeof(*clamping->sights), compare_sights);
    int rc = make_cases(&runs);
    rc = rc ? rc : draw_direction(&runs, work->seed);
    for (int run = 0; run < N_CLAMP_RUNS && rc == 0; run++) {
        rc = run_one(&runs, run, work);
    }
    for (int kind = 0; kind < N_FEATURES_CLAMPS && rc == 0; kind++) {
        out[kind] = (FeaturesClamp){0};
        for (size_t i = 0; i < clamping->n; i++) {
            if ((clamping->sights[i].value > 0) == kinds[kind].on) {
                add(&out[kind], &runs, kinds[kind].run, i);
            }
        }
        divide(&out[kind], runs.cases.vocab);
    }
    for (int run = 0; run < N_CLAMP_RUNS; run++) {
        mem_free(runs.scores[run]);
        mem_free(runs.logits[run]);
    }
    mem_free(runs.random);
    steer_cases_release(&runs.cases);
    return rc;
}
