/* probes/steering/steer_study.c - see probes/steering/steer_study.h. */
#include "probes/steering/steer_study.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "probes/activations/passes.h"

enum { IDENTITY_CASES = 64, IDENTITY_DIRECTIONS = 4 };

static const struct {
    const char *name, *meaning;
} arms[N_STEER_ARMS] = {
#define STEER_WORDS(id, name, meaning) [id] = {name, meaning},
    STEER_ARMS(STEER_WORDS)};

const char *steer_arm_name(SteerArm arm)
{
    return arms[arm].name;
}

const char *steer_arm_meaning(SteerArm arm)
{
    return arms[arm].meaning;
}

int steer_alphas_parse(SteerOptions *out, const char *text)
{
    const char *at = text;
    while (out->n_alphas < STEER_ALPHAS_MAX) {
        char *end = NULL;
        const double value = strtod(at, &end);
        if (end == at || !isfinite(value) || value < 0 || value > 1000 ||
            (*end != ',' && *end != '\0')) {
            break;
        }
        out->alphas[out->n_alphas++] = value;
        if (*end == '\0') {
            return 0;
        }
        at = end + 1;
    }
    return err_set(OGPT_EUSAGE,
                   "--alpha \"%s\": expected 1 to %d numbers from 0 to 1000, separated by commas",
                   text, STEER_ALPHAS_MAX);
}

bool steer_arm_is_asked(SteerArm arm, const SteerOptions *options)
{
    return arm != STEER_ARM_PROBE || (options->origin == STEER_SAE && options->probe);
}

void steer_study_hash(Sha256 *hash, const SteerInputs *in)
{
    const Probe *probe = in->options.probe;
    const SteerBank *features = in->options.features;
    steer_cases_hash(hash, in->tuning);
    steer_cases_hash(hash, in->test);
    positions_hash(hash, &in->fit->set);
    for (int i = 0; probe && i < probe->n_layers; i++) {
        const size_t n = probe_inputs(probe) * (size_t)(probe->n_squares * probe->n_classes);
        sha256_add(hash, probe->weight[i], n * sizeof(float));
    }
    if (features) {
        sha256_add(hash, features->vectors,
                   features->n_layers * features->n_groups * features->width * sizeof(float));
    }
}

typedef struct Studying {
    SteerStudy *out;
    const SteerInputs *in;
    const Work *work;
    SteerBank means, shuffled;          /* differences of means; by lent labels */
    SteerBank random, permuted, rival;  /* controls of the bank, and the probe's as long */
    SteerScore *tuning, *test, *scores; /* of the unchanged network, and of the run at work */
    SteerScore *steered;                /* of the vector itself, on the test cases */
    float *tuning_answers, *test_answers;
    size_t done, total; /* runs */
} Studying;

static void tick_run(Studying *s)
{
    work_tick(s->work, "runs", (double)++s->done, (double)s->total);
}

/* ---- vectors ---- */

/* Rank the heads on the tuning cases, and add up the outputs of the first. */
static int fit_function(Studying *s)
{
    const SteerOptions *options = &s->in->options;
    const Gpt *gpt = s->in->gpt;
    const Work quiet = work_quiet(s->work);
    SteerBank from = {0}, to = {0};
    s->out->n_ranked = (size_t)(gpt->cfg.n_layers * gpt->cfg.n_heads);
    s->out->heads = mem_calloc(s->out->n_ranked, sizeof(*s->out->heads), "ranks of heads");
    int rc = s->out->heads ? 0 : OGPT_ENOMEM;
    rc = rc ? rc : steer_bank_means(&from, &to, gpt, s->in->fit, HOOK_Z, &quiet);
    rc = rc ? rc
            : steer_heads_rank(s->out->heads, gpt, s->in->tuning, &to, s->tuning, s->tuning_answers,
                               s->work);
    const size_t n = options->n_heads < s->out->n_ranked ? options->n_heads : s->out->n_ranked;
    rc = rc ? rc
            : steer_heads_bank(&s->out->bank, options->site, gpt, &to,
                               options->origin == STEER_CONTRAST ? &from : NULL, s->out->heads, n);
    steer_bank_release(&from);
    steer_bank_release(&to);
    return rc;
}

static int fit_bank(Studying *s)
{
    const SteerOptions *options = &s->in->options;
    const GameVariant *variant = s->in->fit->set.vocab->variant;
    SteerBank *bank = &s->out->bank;
    const Work quiet = work_quiet(s->work);
    int rc = steer_bank_differences(&s->means, &s->shuffled, s->in->gpt, s->in->fit, options->site,
                                    &quiet);
    if (rc) {
        return rc;
    }
    switch (options->origin) {
    case STEER_PROBE:
        return steer_bank_probe(bank, options->probe, &s->means, options->target, variant);
    case STEER_FUNCTION:
    case STEER_CONTRAST: return fit_function(s);
    case STEER_RANDOM: /* another draw than that of the control */
        return steer_bank_random(bank, &s->means, ~s->work->seed);
    case STEER_SAE: return steer_bank_copy(bank, options->features);
    default: return steer_bank_copy(bank, &s->means);
    }
}

static int fit_controls(Studying *s)
{
    steer_bank_scale(&s->shuffled, &s->out->bank);
    const SteerOptions *options = &s->in->options;
    int rc = steer_bank_random(&s->random, &s->out->bank, s->work->seed);
    if (rc == 0 && steer_arm_is_asked(STEER_ARM_PROBE, options)) {
        rc = steer_bank_probe(&s->rival, options->probe, &s->means, options->target,
                              s->in->fit->set.vocab->variant);
        steer_bank_scale(&s->rival, &s->out->bank);
    }
    return rc ? rc : steer_bank_permuted(&s->permuted, &s->out->bank, s->work->seed);
}

static const SteerBank *bank_of(const Studying *s, SteerArm arm)
{
    return arm == STEER_ARM_RANDOM     ? &s->random
           : arm == STEER_ARM_PERMUTED ? &s->permuted
           : arm == STEER_ARM_SHUFFLED ? &s->shuffled
           : arm == STEER_ARM_PROBE    ? &s->rival
                                       : &s->out->bank;
}

/* ---- the unchanged network ---- */

static int run_clean(SteerScore **scores, float **answers, const Studying *s,
                     const SteerCases *cases)
{
    const Work quiet = work_quiet(s->work);
    const SteerChange nothing = STEER_NO_CHANGE;
    *scores = mem_alloc(cases->n, sizeof(**scores), "scores");
    *answers = mem_alloc(cases->n * (size_t)cases->vocab->d_vocab, sizeof(float), "answers");
    return *scores && *answers
               ? steer_run(*scores, *answers, s->in->gpt, cases, &nothing, NULL, &quiet)
               : OGPT_ENOMEM;
}

/* ---- layer and scale ---- */

static SteerChange addition(const Studying *s, uint64_t layers, double alpha)
{
    return (SteerChange){.kind = STEER_ADD,
                         .bank = &s->out->bank,
                         .group = -1,
                         .layers = layers,
                         .alpha = alpha,
                         .all = s->in->options.all};
}

static bool has_vectors(const SteerBank *bank, int layer)
{
    double sum = 0;
    for (size_t g = 0; g < bank->n_groups; g++) {
        sum += steer_bank_norm(bank, layer, g);
    }
    return sum > 0;
}

static int try_one(Studying *s, uint64_t layers, double alpha)
{
    const SteerChange change = addition(s, layers, alpha);
    const SteerCases *cases = s->in->tuning;
    SteerTrial *trial = &s->out->trials[s->out->n_trials];
    int rc = steer_run_kept(s->scores, s->in->gpt, cases, &change, s->tuning_answers,
                            (SteerPlace){"tuning", s->out->n_trials}, s->work);
    if (rc == 0) {
        const uint64_t seed = s->work->seed;
        *trial = (SteerTrial){layers, alpha,
                              steer_mean(cases, STEER_OF_EDITED, STEER_CARING, s->scores, seed),
                              steer_mean(cases, STEER_OF_KL, STEER_OTHERS, s->scores, seed)};
        if (s->out->n_trials == 0 || trial->edited.value < s->out->best.edited.value) {
            s->out->best = *trial;
        }
        s->out->n_trials++;
        tick_run(s);
    }
    return rc;
}

/* Layers that were asked for: a probe may lack some. */
static int check_layers(const Studying *s)
{
    for (int l = 0; l < s->in->gpt->cfg.n_layers; l++) {
        if (s->in->options.layers >> l & 1 && !has_vectors(&s->out->bank, l)) {
            return err_set(OGPT_EUSAGE,
                           "layer %d: there is no direction, the probe has none there; "
                           "name other --layers",
                           l);
        }
    }
    return 0;
}

static int tune(Studying *s)
{
    const SteerOptions *options = &s->in->options;
    const int n_layers = s->in->gpt->cfg.n_layers;
    int rc = check_layers(s);
    for (int l = 0; l < n_layers && rc == 0; l++) {
        const uint64_t layers = options->layers ? options->layers : 1ULL << l;
        if ((options->layers && l > 0) || (!options->layers && !has_vectors(&s->out->bank, l))) {
            continue;
        }
        for (size_t a = 0; a < options->n_alphas && rc == 0; a++) {
            rc = try_one(s, layers, options->alphas[a]);
        }
    }
    if (rc == 0 && s->out->n_trials == 0) {
        rc = err_set(OGPT_EUSAGE, "%s no direction in any block; take another --from or --site",
                     options->origin == STEER_PROBE ? "the probe has" : "there is");
    }
    return rc;
}

/* ---- arms ---- */

static void judge_arm(SteerArmResult *out, const Studying *s)
{
    const SteerCases *cases = s->in->test;
    const SteerScore *scores = s->scores, *null = s->test;
    const uint64_t seed = s->work->seed;
    *out = (SteerArmResult){
        .edited = steer_mean(cases, STEER_OF_EDITED, STEER_CARING, scores, seed),
        .closed = steer_closed(cases, scores, null, seed),
        .gain = steer_paired(cases, STEER_OF_EDITED, STEER_CARING, null, scores, seed),
        .before = steer_mean(cases, STEER_OF_BEFORE, STEER_CARING, scores, seed),
        .strict_edited = steer_mean(cases, STEER_OF_STRICT_EDITED, STEER_CARING, scores, seed),
        .metric = steer_paired(cases, STEER_OF_METRIC, STEER_CARING, scores, null, seed),
        .kl_caring = steer_mean(cases, STEER_OF_KL, STEER_CARING, scores, seed),
        .kl_others = steer_mean(cases, STEER_OF_KL, STEER_OTHERS, scores, seed),
        .wrong_others = steer_mean(cases, STEER_OF_EDITED, STEER_OTHERS, scores, seed)};
}

/* An arm against the one that is steered, case by case. */
static void compare_arm(SteerArmResult *out, SteerArm arm, Studying *s)
{
    const size_t bytes = s->in->test->n * sizeof(*s->scores);
    if (arm == STEER_ARM_STEER) {
        memcpy(s->steered, s->scores, bytes);
    }
    out->behind = steer_paired(s->in->test, STEER_OF_EDITED, STEER_CARING, s->scores, s->steered,
                               s->work->seed);
}

/* The steered one first: the others are compared with it. */
static int run_arms(Studying *s)
{
    static const SteerArm order[N_STEER_ARMS] = {
        STEER_ARM_STEER, STEER_ARM_NULL,     STEER_ARM_RANDOM, STEER_ARM_PERMUTED,
        STEER_ARM_WRONG, STEER_ARM_SHUFFLED, STEER_ARM_PROBE};
    int rc = 0;
    for (int i = 0; i < N_STEER_ARMS && rc == 0; i++) {
        const SteerArm arm = order[i];
        if (!steer_arm_is_asked(arm, &s->in->options)) {
            continue;
        }
        SteerChange change = addition(s, s->out->best.layers, s->out->best.alpha);
        change.bank = bank_of(s, arm);
        change.wrong = arm == STEER_ARM_WRONG;
        if (arm == STEER_ARM_NULL) {
            memcpy(s->scores, s->test, s->in->test->n * sizeof(*s->scores));
        } else {
            rc = steer_run_kept(s->scores, s->in->gpt, s->in->test, &change, s->test_answers,
                                (SteerPlace){"arms", (size_t)arm}, s->work);
        }
        if (rc == 0) {
            judge_arm(&s->out->arms[arm], s);
            compare_arm(&s->out->arms[arm], arm, s);
            tick_run(s);
        }
    }
    s->out->self = steer_mean(s->in->test, STEER_OF_BEFORE, STEER_CARING, s->test, s->work->seed);
    return rc;
}

/* ---- a direction taken out ---- */

static void judge_ablation(SteerAblation *out, const Studying *s)
{
    const SteerCases *cases = s->in->test;
    const SteerScore *scores = s->scores, *null = s->test;
    const uint64_t seed = s->work->seed;
    *out = (SteerAblation){
        .caring = steer_mean(cases, STEER_OF_BEFORE, STEER_CARING, scores, seed),
        .others = steer_mean(cases, STEER_OF_BEFORE, STEER_OTHERS, scores, seed),
        .more_caring = steer_paired(cases, STEER_OF_BEFORE, STEER_CARING, scores, null, seed),
        .more_others = steer_paired(cases, STEER_OF_BEFORE, STEER_OTHERS, scores, null, seed),
        .strict_caring = steer_mean(cases, STEER_OF_STRICT_BEFORE, STEER_CARING, scores, seed),
        .strict_others = steer_mean(cases, STEER_OF_STRICT_BEFORE, STEER_OTHERS, scores, seed),
        .kl_caring = steer_mean(cases, STEER_OF_KL, STEER_CARING, scores, seed),
        .kl_others = steer_mean(cases, STEER_OF_KL, STEER_OTHERS, scores, seed)};
}

static int ablate(Studying *s)
{
    int rc = 0;
    for (int arm = 0; arm < N_STEER_ARMS && rc == 0; arm++) {
        if (!steer_arm_is_asked((SteerArm)arm, &s->in->options)) {
            continue;
        }
        const SteerChange change = {.kind = STEER_ABLATE,
                                    .bank = bank_of(s, (SteerArm)arm),
                                    .wrong = arm == STEER_ARM_WRONG,
                                    .group = -1,
                                    .layer = s->out->ablation_layer};
        if (arm == STEER_ARM_NULL) {
            memcpy(s->scores, s->test, s->in->test->n * sizeof(*s->scores));
        } else {
            rc = steer_run_kept(s->scores, s->in->gpt, s->in->test, &change, s->test_answers,
                                (SteerPlace){"ablation", (size_t)arm}, s->work);
        }
        if (rc == 0) {
            judge_ablation(&s->out->ablations[arm], s);
            tick_run(s);
        }
    }
    return rc;
}

/* The largest difference as a share of the largest number. */
static double largest_share(const float *a, const float *b, size_t n)
{
    double difference = 0, number = 0;
    for (size_t i = 0; i < n; i++) {
        difference = fmax(difference, fabs((double)a[i] - (double)b[i]));
        number = fmax(number, fabs((double)a[i]));
    }
    return difference / number;
}

/* A few cases through the network with changed weights, and through a changed pass. */
static int compare_ways(double *error, Studying *s, const SteerCases *few)
{
    const Work quiet = work_quiet(s->work);
    const size_t C = s->out->bank.width, n = few->n * (size_t)few->vocab->d_vocab;
    const int layer = s->out->ablation_layer, group = (int)few->at[0].group;
    const SteerChange nothing = STEER_NO_CHANGE;
    const SteerChange change = {
        .kind = STEER_ABLATE, .bank = &s->out->bank, .group = group, .layer = layer};
    float *r = mem_alloc(C, sizeof(*r), "a direction");
    float *answers = mem_alloc(2 * n, sizeof(*answers), "answers");
    Gpt *gpt = NULL;
    int rc = r && answers ? 0 : OGPT_ENOMEM;
    if (rc == 0) {
        steer_bank_unit(r, &s->out->bank, layer, (size_t)group);
        rc = steer_orthogonalise(&gpt, s->in->gpt, r);
    }
    rc = rc ? rc : steer_run(s->scores, answers, gpt, few, &nothing, NULL, &quiet);
    rc = rc ? rc : steer_run(s->scores, answers + n, s->in->gpt, few, &change, NULL, &quiet);
    *error = rc ? NAN : largest_share(answers, answers + n, n);
    gpt_free(gpt);
    mem_free(r);
    mem_free(answers);
    return rc;
}

/* Cases are in the order of their lengths, so they are taken from the whole list; one share of them
 * for each of some directions, that of its first case. */
static int check_identity(Studying *s)
{
    const SteerCases *test = s->in->test;
    const size_t n = test->n < IDENTITY_CASES ? test->n : IDENTITY_CASES;
    int rc = 0;
    for (size_t d = 0; d < IDENTITY_DIRECTIONS && d < n && rc == 0; d++) {
        size_t indices[IDENTITY_CASES], n_picked = 0;
        SteerCases few = {0};
        double error = NAN;
        for (size_t i = d; i < n; i += IDENTITY_DIRECTIONS) {
            indices[n_picked++] = i * test->n / n;
        }
        rc = steer_cases_pick(&few, test, indices, n_picked);
        rc = rc ? rc : compare_ways(&error, s, &few);
        s->out->identity_error = fmax(s->out->identity_error, error);
        s->out->n_identity += n_picked;
        steer_cases_release(&few);
    }
    return rc;
}

/* ---- all of it ---- */

static void mean_norm(SteerStudy *out)
{
    size_t n = 0;
    for (int l = 0; l < (int)out->bank.n_layers; l++) {
        for (size_t g = 0; g < out->bank.n_groups && out->best.layers >> l & 1; g++) {
            const double norm = steer_bank_norm(&out->bank, l, g);
            out->norm += norm;
            n += norm > 0;
        }
    }
    out->norm = n > 0 ? out->norm / (double)n : NAN;
}

static int study(Studying *s)
{
    const SteerCases *tuning = s->in->tuning, *test = s->in->test;
    const size_t most = tuning->n > test->n ? tuning->n : test->n;
    const size_t layers = s->in->options.layers ? 1 : (size_t)s->in->gpt->cfg.n_layers;
    SteerStudy *out = s->out;
    const size_t n_arms = N_STEER_ARMS - !steer_arm_is_asked(STEER_ARM_PROBE, &s->in->options);
    s->total = layers * s->in->options.n_alphas + 2 * n_arms;
    s->scores = mem_alloc(most, sizeof(*s->scores), "scores");
    out->trials = mem_calloc(layers * s->in->options.n_alphas, sizeof(*out->trials), "trials");
    s->steered = mem_alloc(test->n, sizeof(*s->steered), "scores");
    int rc = s->scores && s->steered && out->trials ? 0 : OGPT_ENOMEM;
    rc = rc ? rc : run_clean(&s->tuning, &s->tuning_answers, s, tuning);
    rc = rc ? rc : run_clean(&s->test, &s->test_answers, s, test);
    rc = rc ? rc : fit_bank(s);
    rc = rc ? rc : fit_controls(s);
    rc = rc ? rc : tune(s);
    rc = rc ? rc : run_arms(s);
    if (rc == 0) {
        mean_norm(out);
        out->ablation_layer = 63 - __builtin_clzll(out->best.layers);
        out->ablated = steer_in_stream(out->bank.site);
        out->identity_error = out->ablated ? 0 : NAN;
    }
    rc = rc || !out->ablated ? rc : ablate(s);
    return rc || !out->ablated ? rc : check_identity(s);
}

int steer_study_run(SteerStudy *out, const SteerInputs *in, const Work *work)
{
    Studying s = {.out = out, .in = in, .work = work};
    *out = (SteerStudy){0};
    int rc = study(&s);
    steer_bank_release(&s.means);
    steer_bank_release(&s.shuffled);
    steer_bank_release(&s.random);
    steer_bank_release(&s.permuted);
    steer_bank_release(&s.rival);
    mem_free(s.tuning);
    mem_free(s.test);
    mem_free(s.scores);
    mem_free(s.steered);
    mem_free(s.tuning_answers);
    mem_free(s.test_answers);
    if (rc) {
        steer_study_release(out);
    }
    return rc;
}

void steer_study_release(SteerStudy *study)
{
    mem_free(study->trials);
    mem_free(study->heads);
    steer_bank_release(&study->bank);
    *study = (SteerStudy){0};
}

size_t steer_study_bytes(const SteerInputs *in, const Work *work)
{
    const GptConfig *cfg = &in->gpt->cfg;
    const size_t L = (size_t)cfg->n_layers, V = (size_t)cfg->d_vocab;
    const size_t width = hook_width(cfg, in->options.site, (size_t)cfg->n_ctx);
    const size_t widest = width > (size_t)cfg->d_model ? width : (size_t)cfg->d_model;
    const size_t cases = in->tuning->n + in->test->n;
    const size_t each = sizeof(SteerCase) + 3 * sizeof(SteerScore) + 2 * V * sizeof(float);
    return in->fit->set.n_positions * (widest * sizeof(float) + in->fit->n_groups) +
           7 * L * in->fit->n_groups * widest * sizeof(float) + cases * each +
           in->gpt->n_numbers * sizeof(real) +
           work_workers(work) * tape_bytes(cfg, PASS_GAMES, TAPE_FORWARD, NULL);
}
