/* probes/illusion/illusion_runs.c - see probes/illusion/illusion_runs.h. */
#include "probes/illusion/illusion_runs.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/process.h"
#include "num/vectors.h"
#include "probes/graph/pair_metric.h"
#include "probes/illusion/illusion_pass.h"
#include "probes/legality/answers.h"

/* A part below this share of the squared length of v is rounding: it has no direction. */
#define NO_PART 1e-10

static const char *const method_names[N_ILLUSION_METHODS] = {
#define METHOD_NAME(id, name) [id] = name,
    ILLUSION_METHODS(METHOD_NAME)};

const char *illusion_method_name(IllusionMethod method)
{
    return method_names[method];
}

/* ---- vectors ---- */

/* Nothing in place of a part that is rounding. */
static void drop_rounding(float *part, size_t width)
{
    if (vector_dot(part, part, width) < NO_PART) {
        memset(part, 0, width * sizeof(*part));
    }
}

static void split_group(IllusionVectors *out, const IllusionSpace *space, int layer, size_t group,
                        float *scratch, uint64_t seed)
{
    const size_t width = space->width, G = out->of[ILLUSION_FULL].n_groups;
    float *part[N_ILLUSION_PARTS];
    Rng rng = rng_at(seed, RNG_STEER, 1ULL << 60 | (uint64_t)layer << 8 | group);
    for (int p = 0; p < N_ILLUSION_PARTS; p++) {
        part[p] = steer_bank_at(&out->of[p], layer, group);
    }
    if (vector_unit(part[ILLUSION_FULL], width) == 0) {
        return;
    }
    illusion_split(part[ILLUSION_ROW], part[ILLUSION_NULL], space, part[ILLUSION_FULL]);
    drop_rounding(part[ILLUSION_ROW], width);
    drop_rounding(part[ILLUSION_NULL], width);
    const double share = vector_dot(part[ILLUSION_NULL], part[ILLUSION_NULL], width);
    out->null_share[(size_t)layer * G + group] = share;
    memcpy(part[ILLUSION_ROW_LONG], part[ILLUSION_ROW], width * sizeof(float));
    vector_unit(part[ILLUSION_ROW_LONG], width);
    illusion_random(part[ILLUSION_RANDOM], scratch, space, fmin(share, 1), &rng);
    illusion_split(part[ILLUSION_RANDOM_ROW], scratch, space, part[ILLUSION_RANDOM]);
    drop_rounding(part[ILLUSION_RANDOM_ROW], width);
}

int illusion_vectors_of(IllusionVectors *out, SteerBank *full, const IllusionSpace *spaces,
                        uint64_t seed)
{
    *out = (IllusionVectors){.of = {*full}};
    *full = (SteerBank){0};
    const SteerBank *own = &out->of[ILLUSION_FULL];
    float *scratch = mem_alloc(2 * own->width, sizeof(*scratch), "parts of a direction");
    int rc = scratch ? 0 : OGPT_ENOMEM;
    for (int p = ILLUSION_ROW; p < N_ILLUSION_PARTS && rc == 0; p++) {
        rc = steer_bank_copy(&out->of[p], own);
    }
    out->null_share =
        mem_calloc(own->n_layers * own->n_groups, sizeof(double), "shares of a direction");
    rc = rc || out->null_share ? rc : OGPT_ENOMEM;
    for (size_t l = 0; l < own->n_layers && rc == 0; l++) {
        for (size_t g = 0; g < own->n_groups; g++) {
            split_group(out, &spaces[l], (int)l, g, scratch, seed);
        }
    }
    mem_free(scratch);
    return rc;
}

void illusion_vectors_release(IllusionVectors *vectors)
{
    for (int p = 0; p < N_ILLUSION_PARTS; p++) {
        steer_bank_release(&vectors->of[p]);
    }
    mem_free(vectors->null_share);
    *vectors = (IllusionVectors){0};
}

/* ---- one changed row ---- */

typedef struct Trying {
    IllusionPass pass;
    const IllusionInputs *in;
    const IllusionSetting *setting;
    int descended;  /* the layer whose descents are held, or NOT_DESCENDED */
    float *changes; /* (ILLUSION_CHUNK, width) what they change in the rows of that layer */
    float *scratch; /* 2 * width + EDIT_ROW_SCRATCH(width) */
} Trying;
enum { NOT_DESCENDED = -2 };

static size_t group_of(const Trying *trying, const GamePair *pair)
{
    return steer_group_of_square(trying->in->pairs->variant, __builtin_ctzll(pair->turned));
}

static void add_scaled(float *x, const float *w, double amount, size_t n)
{
    for (size_t c = 0; c < n; c++) {
        x[c] = (float)(x[c] + amount * w[c]);
    }
}

/* change (width) = what descent through the probe changes in a row x. */
static void descend(float *change, const Trying *trying, const float *x, const GamePair *pair)
{
    const size_t width = trying->pass.width;
    EditPlan plan = EDIT_PLAN_DEFAULT;
    EditCase edit = {.n_moves = pair->n_moves, .n_squares = 1};
    CaseVerdict verdict;
    const int sq = __builtin_ctzll(pair->turned);
    const bool black = board_discs(&pair->clean_board, BLACK) >> sq & 1;
    memset(change, 0, width * sizeof(*change));
    memcpy(edit.moves, pair->clean, sizeof(edit.moves));
    edit.squares[0] = (CaseSquare){(uint8_t)sq, black ? LABEL_BLACK : LABEL_WHITE,
                                   black ? LABEL_WHITE : LABEL_BLACK};
    if (case_derive(&edit, &verdict, trying->in->pairs->variant) != 0) {
        return; /* pairs are legal */
    }
    const EditSquares squares = edit_squares(&trying->in->directions->terms, &edit);
    plan.method = METHOD_GRADIENT;
    plan.site = trying->in->site;
    memcpy(change, x, width * sizeof(*x));
    edit_row(change, trying->scratch, &plan, trying->in->directions, trying->setting->layer,
             &squares);
    for (size_t c = 0; c < width; c++) {
        change[c] -= x[c];
    }
}

/* The rows of a layer are the same for every part, so one descent serves all parts. */
static void descend_all(Trying *trying, const HookPoint *point)
{
    const size_t width = trying->pass.width;
    if (trying->descended == trying->setting->layer) {
        return;
    }
    for (size_t i = 0; i < trying->pass.n; i++) {
        descend(trying->changes + i * width, trying, point->value + i * width,
                &trying->pass.pairs[i]);
    }
    trying->descended = trying->setting->layer;
}

/* The change of the descent, projected as the part asks. */
static void change_by_gradient(const Trying *trying, float *x, const float *change,
                               const float *random)
{
    const size_t width = trying->pass.width;
    const IllusionSetting *setting = trying->setting;
    float *row = trying->scratch, *null = row + width;
    const double length = sqrt(vector_dot(change, change, width));
    illusion_split(row, null, &trying->in->spaces[setting->layer], change);
    if (setting->part == ILLUSION_RANDOM || setting->part == ILLUSION_RANDOM_ROW) {
        add_scaled(x, random, length, width);
    } else if (setting->part == ILLUSION_ROW_LONG) {
        add_scaled(x, row, vector_unit(row, width) > 0 ? length : 0, width);
    } else {
        add_scaled(x,
                   setting->part == ILLUSION_FULL  ? change
                   : setting->part == ILLUSION_ROW ? row
                                                   : null,
                   1, width);
    }
}

/* How much of w a row gets, before the division by |w|^2. */
static double amount_of(const Trying *trying, const float *x, const float *w, size_t i)
{
    const IllusionSetting *setting = trying->setting;
    const GamePair *pair = &trying->pass.pairs[i];
    const size_t width = trying->pass.width, group = group_of(trying, pair);
    const bool theirs = (pair->clean_board.theirs & pair->turned) != 0;
    const SteerBank *from = theirs ? trying->in->theirs : trying->in->mine;
    const SteerBank *to = theirs ? trying->in->mine : trying->in->theirs;
    const float *a = steer_bank_at(from, setting->layer, group);
    const float *b = steer_bank_at(to, setting->layer, group);
    const float *other = illusion_pass_row(&trying->pass, trying->pass.other, setting->layer, i);
    const float *v = steer_bank_at(&setting->vectors->of[ILLUSION_FULL], setting->layer, group);
    switch (setting->method) {
    case ILLUSION_PATCH: return vector_dot(other, w, width) - vector_dot(x, w, width);
    case ILLUSION_SET: return vector_dot(b, w, width) - vector_dot(x, w, width);
    case ILLUSION_PROJECT:
        return vector_dot(a, w, width) + vector_dot(b, w, width) - 2 * vector_dot(x, w, width);
    default: return vector_dot(b, v, width) - vector_dot(a, v, width);
    }
}

static void try_row(void *context, const HookPoint *point)
{
    Trying *trying = context;
    const IllusionSetting *setting = trying->setting;
    const size_t width = trying->pass.width;
    if (setting->method == ILLUSION_GRADIENT) {
        descend_all(trying, point);
    }
    for (size_t i = 0; i < trying->pass.n; i++) {
        float *x = point->value + i * width;
        const GamePair *pair = &trying->pass.pairs[i];
        const float *w = steer_bank_at(&setting->vectors->of[setting->part], setting->layer,
                                       group_of(trying, pair));
        const double square = vector_dot(w, w, width);
        if (setting->method == ILLUSION_GRADIENT) {
            change_by_gradient(trying, x, trying->changes + i * width, w);
        } else if (square > 0) {
            const double amount = amount_of(trying, x, w, i);
            add_scaled(x, w, setting->method == ILLUSION_ADD ? amount : amount / square, width);
        }
    }
}

/* ---- all settings on a chunk ---- */

typedef struct IllusionTrial {
    IllusionRuns *out;
    const IllusionInputs *in;
    const IllusionSetting *settings;
    Trying *workers;
    float *logits; /* (n_workers, 2, ILLUSION_CHUNK, d_vocab) */
} IllusionTrial;

static int judge(IllusionAnswer *out, double *self, const IllusionTrial *trial,
                 const GamePair *pair, const float *logits)
{
    const Vocab *vocab = vocab_of(trial->in->pairs->variant);
    const int V = vocab->d_vocab;
    real weights[BOARD_SQUARES];
    if (answer_bad_token(logits, V) >= 0) {
        return err_set(OGPT_ENUM,
                       "a changed pass gives logits that are not finite; check the model "
                       "(ogpt verify)");
    }
    const uint64_t legal = answer_tokens(vocab, pair->legal_corrupt);
    pair_weights(weights, vocab, pair);
    *out = (IllusionAnswer){pair_delta(weights, logits, V),
                            answer_score(logits, V, legal, RULE_TOPN).error};
    if (self) {
        *self = answer_score(logits, V, answer_tokens(vocab, pair->legal_clean), RULE_TOPN).error;
    }
    return 0;
}

/* Whether a setting is its forerunner in other words: of a line only the direction counts, so its
 * length changes nothing. */
static bool same_line(const IllusionSetting *setting, const IllusionSetting *before)
{
    return setting->method < ILLUSION_ADD && setting->part == ILLUSION_ROW_LONG &&
           before->part == ILLUSION_ROW && before->method == setting->method &&
           before->layer == setting->layer && before->vectors == setting->vectors;
}

/* One setting on the pairs that are held; out (n, n_settings). */
static int try_setting(IllusionAnswer *out, const IllusionTrial *trial, Trying *trying, size_t s)
{
    const Gpt *gpt = trial->in->gpt;
    const size_t V = (size_t)gpt->cfg.d_vocab, step = trial->out->n_settings;
    Hooks hooks = {.fn = try_row, .context = trying};
    int rc = 0;
    trying->setting = &trial->settings[s];
    hooks.sites[trial->in->site] = 1ULL << trying->setting->layer;
    if (interrupt_pending()) {
        return err_set(OGPT_EINTR, "interrupted");
    }
    if (s > 0 && same_line(trying->setting, trying->setting - 1)) {
        for (size_t i = 0; i < trying->pass.n; i++) {
            out[i * step + s] = out[i * step + s - 1];
        }
        return 0;
    }
    const real *answer = prefix_last(trying->pass.base, gpt, &hooks);
    for (size_t i = 0; i < trying->pass.n && rc == 0; i++) {
        rc = judge(&out[i * step + s], NULL, trial, &trying->pass.pairs[i], answer + i * V);
    }
    return rc;
}

static int try_chunk(void *context, size_t job, size_t worker)
{
    const IllusionTrial *trial = context;
    IllusionRuns *out = trial->out;
    Trying *trying = &trial->workers[worker];
    const Gpt *gpt = trial->in->gpt;
    const size_t first = job * ILLUSION_CHUNK, V = (size_t)gpt->cfg.d_vocab;
    const size_t n = out->n - first < ILLUSION_CHUNK ? out->n - first : ILLUSION_CHUNK;
    const GamePair *pairs = trial->in->pairs->pairs + first;
    float *base = trial->logits + worker * 2 * ILLUSION_CHUNK * V;
    float *source = base + ILLUSION_CHUNK * V;
    int rc = illusion_pass_hold(&trying->pass, pairs, n, base, source);
    trying->descended = NOT_DESCENDED;
    for (size_t i = 0; i < n && rc == 0; i++) {
        rc = judge(&out->base[first + i], &out->self[first + i], trial, &pairs[i], base + i * V);
        rc = rc ? rc : judge(&out->source[first + i], NULL, trial, &pairs[i], source + i * V);
    }
    for (size_t s = 0; s < out->n_settings && rc == 0; s++) {
        rc = try_setting(out->changed + first * out->n_settings, trial, trying, s);
    }
    return rc;
}

static int begin_trial(IllusionTrial *trial, const Work *work)
{
    const IllusionInputs *in = trial->in;
    const Vocab *vocab = vocab_of(in->pairs->variant);
    const size_t n_workers = work_workers(work);
    IllusionRuns *out = trial->out;
    out->base = mem_calloc(out->n, sizeof(*out->base), "answers of pairs");
    out->source = mem_calloc(out->n, sizeof(*out->source), "answers of pairs");
    out->self = mem_calloc(out->n, sizeof(*out->self), "answers of pairs");
    out->changed = mem_calloc(out->n * out->n_settings, sizeof(*out->changed), "answers of pairs");
    trial->workers = mem_calloc(n_workers, sizeof(*trial->workers), "workers");
    trial->logits = mem_alloc(n_workers * 2 * ILLUSION_CHUNK * (size_t)vocab->d_vocab,
                              sizeof(float), "answers of pairs");
    int rc =
        out->base && out->source && out->self && out->changed && trial->workers && trial->logits
            ? 0
            : OGPT_ENOMEM;
    for (size_t w = 0; w < n_workers && rc == 0; w++) {
        Trying *trying = &trial->workers[w];
        trying->in = in;
        rc = illusion_pass_init(&trying->pass, in->gpt, vocab, in->site, TAPE_FORWARD);
        const size_t width = trying->pass.width;
        trying->changes = mem_alloc(ILLUSION_CHUNK * width, sizeof(float), "descents");
        trying->scratch =
            mem_alloc(2 * width + EDIT_ROW_SCRATCH(width), sizeof(float), "parts of a change");
        rc = rc || (trying->changes && trying->scratch) ? rc : OGPT_ENOMEM;
    }
    return rc;
}

int illusion_runs(IllusionRuns *out, const IllusionInputs *in, const IllusionSetting *settings,
                  size_t n_settings, const Work *work)
{
    *out = (IllusionRuns){.n = in->pairs->n, .n_settings = n_settings};
    IllusionTrial trial = {.out = out, .in = in, .settings = settings};
    int rc = begin_trial(&trial, work);
    rc = rc ? rc : illusion_pass_chunks(work, "pairs", out->n, try_chunk, &trial);
    for (size_t w = 0; w < work_workers(work) && trial.workers; w++) {
        illusion_pass_release(&trial.workers[w].pass);
        mem_free(trial.workers[w].changes);
        mem_free(trial.workers[w].scratch);
    }
    mem_free(trial.workers);
    mem_free(trial.logits);
    if (rc) {
        illusion_runs_release(out);
    }
    return rc;
}

void illusion_runs_release(IllusionRuns *runs)
{
    mem_free(runs->base);
    mem_free(runs->source);
    mem_free(runs->self);
    mem_free(runs->changed);
    *runs = (IllusionRuns){0};
}
