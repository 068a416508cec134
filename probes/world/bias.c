/* probes/world/bias.c - contract in probes/world/bias.h. */
#include "probes/world/bias_states.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/process.h"
#include "num/optimisers/optim.h"

#define STRETCH 4   /* functions between two looks at the journal and at signals */
#define BATCH 128   /* histories that are asked about together */
#define BIT_TOKEN 1 /* this token says 0, the next one 1: any two but the pad */
#define BETAS .9F, .999F, 1e-8F

const char *world_bias_learner_name(BiasLearner learner)
{
    static const char *const names[N_BIAS_LEARNERS] = {BIAS_LEARNERS(ENUM_NAME)};
    return names[learner];
}

/* What a function counts. */
typedef enum BiasCount {
    SAME_PAIRS,
    SAME_DIFFER,
    APART_PAIRS,
    APART_DIFFER,
    EQUAL_PAIRS,
    EQUAL_DIFFER,
    UNEQUAL_PAIRS,
    UNEQUAL_DIFFER,
    TRAINED,
    LEARNED,
    CARRIED,
    N_BIAS_COUNTS
} BiasCount;

typedef struct BiasStudy {
    BiasLearner learner;
    const Gpt *gpt;
    const BiasOptions *options;
    uint64_t seed;
    BiasStates states;
    size_t first;   /* function of the stretch */
    double *values; /* (functions of the stretch, N_BIAS_COUNTS) */
} BiasStudy;

/* One function while it is learned. */
typedef struct BiasFunction {
    uint8_t *bits; /* (n) of states; those of pairs with one state are equal */
    bool *trained; /* (n) whether the state is learned from */
    size_t *learn; /* (options->trained) pairs whose first history is learned from */
    uint8_t *said; /* (n_histories) */
    Rng rng;
} BiasFunction;

/* ---- a copy learns ---- */

static void last_tokens(uint8_t *tokens, uint8_t *targets, const BiasStudy *study,
                        const BiasFunction *function)
{
    const BiasStates *states = &study->states;
    size_t T = states->T;
    memset(targets, TOK_PAD, study->options->trained * T);
    for (size_t i = 0; i < study->options->trained; i++) {
        size_t p = function->learn[i];
        memcpy(tokens + i * T, states->tokens + 2 * p * T, T);
        targets[i * T + states->lengths[2 * p] - 1] = (uint8_t)(BIT_TOKEN + function->bits[p]);
    }
}

static int copy_learns(Gpt *copy, Tape *tape, const BiasStudy *study, const BiasFunction *function)
{
    size_t n = copy->n_numbers, B = study->options->trained, T = study->states.T;
    float *memory = mem_calloc(3 * n, sizeof(*memory), "gradient of a copy");
    uint8_t *tokens = mem_alloc(2 * B * T, 1, "histories that are learned from");
    int rc = memory && tokens ? 0 : OGPT_ENOMEM;
    if (rc == 0) {
        last_tokens(tokens, tokens + B * T, study, function);
    }
    for (int step = 1; rc == 0 && step <= study->options->steps; step++) {
        const AdamWStep adam = {(float)study->options->rate, BETAS, 0, step};
        gpt_forward(copy, tape, tokens, B, T, NULL);
        double loss = gpt_loss(tape, tokens + B * T, (real)1 / (real)B);
        gpt_backward(copy, tape, tokens, 0, memory);
        adamw_step(copy->params, memory + n, memory + 2 * n, memory, n, 1, &adam);
        if (!isfinite(loss)) {
            rc = err_set(OGPT_ENUM,
                         "inductive bias: the loss of a copy is not finite after %d steps; give a "
                         "smaller --rate",
                         step);
        }
    }
    mem_free(memory);
    mem_free(tokens);
    return rc;
}

static void copy_says(const Gpt *copy, Tape *tape, const BiasStudy *study, uint8_t *said)
{
    const BiasStates *states = &study->states;
    size_t n = states->n_histories, T = states->T, V = (size_t)copy->cfg.d_vocab;
    for (size_t first = 0; first < n; first += BATCH) {
        size_t B = n - first < BATCH ? n - first : BATCH;
        const real *logits = gpt_forward(copy, tape, states->tokens + first * T, B, T, NULL);
        for (size_t i = 0; i < B; i++) {
            size_t last = states->lengths[first + i] - (size_t)1;
            const real *at = logits + (i * T + last) * V;
            said[first + i] = at[BIT_TOKEN + 1] > at[BIT_TOKEN];
        }
    }
}

/* A copy whose answer begins at nothing, so that no bit is preferred. */
static int copy_make(Gpt **out, const BiasStudy *study)
{
    const Gpt *gpt = study->gpt;
    size_t V = (size_t)gpt->cfg.d_vocab;
    int rc = gpt_new(out, &gpt->cfg);
    if (rc == 0 && study->learner == BIAS_RANDOM_MODEL) {
        gpt_init(*out, study->seed, RNG_CONTROL);
    } else if (rc == 0) {
        memcpy((*out)->params, gpt->params, gpt->n_numbers * sizeof(*gpt->params));
    }
    if (rc == 0) {
        memset((*out)->params + gpt->map.W_U, 0, (size_t)gpt->cfg.d_model * V * sizeof(real));
        memset((*out)->params + gpt->map.b_U, 0, V * sizeof(real));
    }
    return rc;
}

static int network_says(const BiasStudy *study, const BiasFunction *function)
{
    size_t most = study->options->trained > BATCH ? study->options->trained : BATCH;
    Gpt *copy = NULL;
    Tape *tape = NULL;
    int rc = copy_make(&copy, study);
    rc = rc ? rc : tape_new(&tape, &study->gpt->cfg, most, TAPE_TRAIN, NULL);
    rc = rc ? rc : copy_learns(copy, tape, study, function);
    if (rc == 0) {
        copy_says(copy, tape, study, function->said);
    }
    tape_free(tape);
    gpt_free(copy);
    return rc;
}

/* ---- tables ---- */

static void table_says(const BiasStudy *study, BiasFunction *function)
{
    const BiasStates *states = &study->states;
    uint8_t *said = function->said;
    for (size_t h = 0; h < states->n_histories; h++) {
        said[h] = (uint8_t)rng_below(&function->rng, 2);
    }
    for (size_t h = 0; h < 2 * states->n; h++) {
        if (study->learner == BIAS_STATE_TABLE) {
            said[h] = function->bits[h / 2];
        } else if (study->learner == BIAS_LEGAL_TABLE) {
            said[h] = said[2 * states->legal_set[h / 2]];
        } else if (study->learner == BIAS_EMPTY_TABLE) {
            said[h] = said[2 * states->empty_set[h / 2]];
        }
    }
    for (size_t k = 0; k < states->n_triples; k++) {
        uint8_t *triple = said + 2 * states->n + 3 * k;
        const Board *boards = states->boards + 2 * states->n + 3 * k;
        for (int m = 1; m < 3; m++) { /* only b has the legal moves of a */
            bool same =
                study->learner == BIAS_LEGAL_TABLE
                    ? m == 1
                    : study->learner == BIAS_EMPTY_TABLE && bias_same_empty(&boards[0], &boards[m]);
            triple[m] = same ? triple[0] : triple[m];
        }
    }
}

/* ---- counting ---- */

static void count_pair(double *counts, bool differ, BiasCount pairs)
{
    counts[pairs]++;
    counts[pairs + 1] += differ;
}

static void function_count(double *counts, const BiasStudy *study, const BiasFunction *function)
{
    const BiasStates *states = &study->states;
    const uint8_t *said = function->said;
    for (size_t p = 0; p < states->n; p++) {
        if (function->trained[p]) {
            continue;
        }
        count_pair(counts, said[2 * p] != said[2 * p + 1], SAME_PAIRS);
        for (size_t q = 0; q < p; q++) {
            if (!function->trained[q] && states->state[q] != states->state[p] &&
                states->lengths[2 * q] == states->lengths[2 * p] &&
                states->boards[2 * q].to_move == states->boards[2 * p].to_move) {
                count_pair(counts, said[2 * p] != said[2 * q], APART_PAIRS);
            }
        }
    }
    for (size_t k = 0; k < states->n_triples; k++) {
        const uint8_t *triple = said + 2 * states->n + 3 * k;
        count_pair(counts, triple[0] != triple[1], EQUAL_PAIRS);
        count_pair(counts, triple[0] != triple[2], UNEQUAL_PAIRS);
    }
    for (size_t i = 0; i < study->options->trained; i++) {
        size_t p = function->learn[i];
        counts[TRAINED]++;
        counts[LEARNED] += said[2 * p] == function->bits[p];
        counts[CARRIED] += said[2 * p + 1] == function->bits[p];
    }
}

/* ---- a function ---- */

/* Bits of all states, and which of them are learned from: exactly options->trained different ones,
 * each as likely as another, in the order of pairs (Knuth's selection sampling); by the first pair.
 */
static void function_draw(BiasFunction *function, const BiasStudy *study, size_t index)
{
    const BiasStates *states = &study->states;
    size_t wanted = study->options->trained, left = states->n_states;
    function->rng = world_rng(study->seed, WORLD_BITS, index);
    for (size_t p = 0; p < states->n; p++) {
        uint8_t bit = (uint8_t)rng_below(&function->rng, 2);
        size_t first = states->state[p];
        function->bits[p] = first < p ? function->bits[first] : bit;
    }
    for (size_t p = 0; p < states->n; p++) {
        size_t first = states->state[p];
        if (first < p) {
            function->trained[p] = function->trained[first];
        } else if (rng_below(&function->rng, (uint32_t)left--) < wanted) {
            function->trained[p] = true;
            function->learn[study->options->trained - wanted--] = p;
        }
    }
}

static int function_run(void *context, size_t job, size_t worker)
{
    BiasStudy *study = context;
    size_t n = study->states.n;
    BiasFunction function = {.bits = mem_calloc(n + study->states.n_histories, 1, "bits of states"),
                             .trained = mem_calloc(n, sizeof(bool), "states that are learned"),
                             .learn = mem_calloc(study->options->trained, sizeof(size_t),
                                                 "pairs that are learned from")};
    int rc = function.bits && function.trained && function.learn ? 0 : OGPT_ENOMEM;
    (void)worker;
    if (rc == 0) {
        function.said = function.bits + n;
        function_draw(&function, study, study->first + job);
        if (study->learner == BIAS_NETWORK || study->learner == BIAS_RANDOM_MODEL) {
            rc = network_says(study, &function);
        } else {
            table_says(study, &function);
        }
    }
    if (rc == 0) {
        function_count(study->values + job * N_BIAS_COUNTS, study, &function);
    }
    mem_free(function.bits);
    mem_free(function.trained);
    mem_free(function.learn);
    return rc;
}

static int functions_run(BiasStudy *study, double *values, const Work *work)
{
    size_t n = study->options->functions;
    char stage[64];
    int rc = 0;
    snprintf(stage, sizeof(stage), "bias %s", world_bias_learner_name(study->learner));
    for (study->first = 0; rc == 0 && study->first < n; study->first += STRETCH) {
        size_t here = n - study->first < STRETCH ? n - study->first : STRETCH;
        size_t numbers = here * N_BIAS_COUNTS;
        size_t block = study->first / STRETCH;
        study->values = values + study->first * N_BIAS_COUNTS;
        if (interrupt_pending()) {
            return err_set(OGPT_EINTR, "interrupted in %s after %zu of %zu functions", stage,
                           study->first, n);
        }
        int kept = work_recall(study->values, work, numbers, stage, block);
        rc = kept < 0 ? kept : 0;
        if (kept == 0) {
            rc = pool_run(work->pool, here, function_run, study);
            rc = rc ? rc : work_keep(work, study->values, numbers, stage, block);
        }
        work_tick(work, "functions", (double)(study->first + here), (double)n);
    }
    return rc;
}

/* ---- scores ---- */

/* factor * (ratio of two counts) + offset, by function. */
static Interval share_of(const UnitValues *values, BiasCount a, BiasCount b, double offset,
                         double factor)
{
    Interval share = world_ratio(values, (int)a, (int)b);
    double low = factor < 0 ? share.high : share.low, high = factor < 0 ? share.low : share.high;
    return (Interval){offset + factor * share.value, offset + factor * low, offset + factor * high};
}

static int gap_of(Interval *out, const UnitValues *values)
{
    size_t n = values->n;
    static const BiasCount counts[] = {UNEQUAL_DIFFER, UNEQUAL_PAIRS, EQUAL_DIFFER, EQUAL_PAIRS};
    double *columns = mem_alloc(4 * n, sizeof(*columns), "columns of a difference");
    if (!columns) {
        return OGPT_ENOMEM;
    }
    for (size_t i = 0; i < n; i++) {
        for (size_t c = 0; c < 4; c++) {
            columns[c * n + i] =
                (c % 2 == 0 ? 2 : 1) * values->values[i * N_BIAS_COUNTS + (size_t)counts[c]];
        }
    }
    *out = bootstrap_difference(columns, columns + n, columns + 2 * n, columns + 3 * n, n,
                                values->seed);
    mem_free(columns);
    return 0;
}

static int scores_make(BiasScore *out, const UnitValues *values, const BiasStudy *study)
{
    *out = (BiasScore){
        .same = share_of(values, SAME_DIFFER, SAME_PAIRS, 1, -2),
        .apart = share_of(values, APART_DIFFER, APART_PAIRS, 0, 2),
        .apart_equal = share_of(values, EQUAL_DIFFER, EQUAL_PAIRS, 0, 2),
        .apart_unequal = share_of(values, UNEQUAL_DIFFER, UNEQUAL_PAIRS, 0, 2),
        .learned = share_of(values, LEARNED, TRAINED, 0, 1),
        .carried = share_of(values, CARRIED, TRAINED, 0, 1),
        .triples = study->states.n_triples,
    };
    return gap_of(&out->legal_gap, values);
}

int world_bias(BiasScore *out, BiasLearner learner, const Gpt *gpt, const Vocab *vocab,
               const PairSet *pairs, const BiasOptions *options, const Work *work)
{
    BiasStudy study = {.learner = learner, .gpt = gpt, .options = options, .seed = work->seed};
    UnitValues values;
    int rc = world_values_new(&values, options->functions, N_BIAS_COUNTS, work);
    rc = rc ? rc : bias_states_make(&study.states, vocab, pairs, options, work->seed);
    if (rc == 0 && study.states.n_states <= options->trained) {
        rc = err_set(OGPT_EUSAGE,
                     "inductive bias: %zu different states, of which %zu are to be learned: more "
                     "states are required, or fewer of them learned",
                     study.states.n_states, options->trained);
    }
    rc = rc ? rc : functions_run(&study, values.values, work);
    rc = rc ? rc : scores_make(out, &values, &study);
    bias_states_release(&study.states);
    world_values_release(&values);
    return rc;
}
