/* probes/illusion/illusion_study.c - see probes/illusion/illusion_study.h. */
#include "probes/illusion/illusion_study.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/hash.h"
#include "probes/cases/case_keys.h"
#include "probes/illusion/illusion_fit.h"
#include "probes/illusion/illusion_pass.h"

const char *illusion_origin_name(IllusionOrigin origin)
{
    static const char *const names[N_ILLUSION_ORIGINS] = {"means", "trained", "probe"};
    return names[origin];
}

/* Take the pairs out of `training` one of whose histories is one of a pair that is reported. */
static int leave_out(PairSet *training, const PairSet *test)
{
    CaseKeys keys;
    size_t kept = 0;
    int rc = case_keys_init(&keys, 2 * test->n);
    for (size_t i = 0; i < test->n && rc == 0; i++) {
        const GamePair *pair = &test->pairs[i];
        case_keys_add(&keys, xxh3(pair->clean, (size_t)pair->n_moves));
        case_keys_add(&keys, xxh3(pair->corrupt, (size_t)pair->n_moves));
    }
    for (size_t i = 0; i < training->n && rc == 0; i++) {
        const GamePair *pair = &training->pairs[i];
        if (!case_keys_has(&keys, xxh3(pair->clean, (size_t)pair->n_moves)) &&
            !case_keys_has(&keys, xxh3(pair->corrupt, (size_t)pair->n_moves))) {
            training->pairs[kept++] = *pair;
        }
    }
    case_keys_release(&keys);
    training->n = kept;
    return rc || kept > 0 ? rc
                          : err_set(OGPT_EUSAGE, "every training pair is reported too; take fewer "
                                                 "--pairs or more --training-pairs");
}

int illusion_pairs(PairSet *training, PairSet *test, const GameVariant *variant, size_t n_training,
                   size_t n_test, const Work *work)
{
    Work other = *work;
    PairMakeOptions wanted = PAIR_MAKE_OPTIONS_DEFAULT;
    wanted.before_end = case_before_end(variant);
    wanted.n = n_test;
    int rc = pairs_make(test, variant, &wanted, work);
    other.seed = ~work->seed;
    wanted.n = n_training;
    rc = rc ? rc : pairs_make(training, variant, &wanted, &other);
    return rc ? rc : leave_out(training, test);
}

typedef struct Illuding {
    IllusionStudy *out;
    const IllusionStudyInputs *in;
    const Work *work;
    IllusionSpace spaces[LAYERS_MAX];
    SteerBank theirs, mine, means;
    IllusionVectors vectors[N_ILLUSION_ORIGINS];
    bool has[N_ILLUSION_ORIGINS];
    uint8_t *dormant[N_ILLUSION_ORIGINS]; /* (n_layers, n_groups) */
    BoardDirections directions;
    IllusionSetting *settings; /* (n_rows, N_ILLUSION_PARTS) */
    IllusionRuns runs;
    double *columns; /* (4, n) for the bootstrap */
} Illuding;

/* ---- spaces and vectors ---- */

static int fit_spaces(Illuding *s)
{
    const Gpt *gpt = s->in->gpt;
    const size_t L = (size_t)gpt->cfg.n_layers, C = (size_t)gpt->cfg.d_model;
    double *gram = NULL;
    int rc = 0;
    if (s->in->site != HOOK_POST) {
        gram = mem_alloc(L * C * C, sizeof(*gram), "products of gradients");
        rc = gram ? illusion_gram(gram, gpt, s->in->training, s->in->gram_pairs, s->in->site,
                                  s->work)
                  : OGPT_ENOMEM;
    }
    for (size_t l = 0; l < L && rc == 0; l++) {
        rc = gram ? illusion_space_of_gram(&s->spaces[l], gram + l * C * C, C, s->in->kept)
                  : illusion_space_of_weights(&s->spaces[l], gpt, (int)l);
    }
    mem_free(gram);
    return rc;
}

static int add_origin(Illuding *s, IllusionOrigin origin, SteerBank *full)
{
    const size_t n = s->means.n_layers * s->means.n_groups;
    int rc = illusion_vectors_of(&s->vectors[origin], full, s->spaces, s->work->seed);
    s->has[origin] = true;
    s->dormant[origin] = mem_calloc(n, 1, "dormant directions");
    return rc || s->dormant[origin] ? rc : OGPT_ENOMEM;
}

static int find_dormant(const Illuding *s)
{
    const Work quiet = work_quiet(s->work);
    const SteerBank *banks[N_ILLUSION_ORIGINS];
    uint8_t *dormant[N_ILLUSION_ORIGINS];
    size_t n = 0;
    for (int origin = 0; origin < N_ILLUSION_ORIGINS; origin++) {
        if (s->has[origin]) {
            banks[n] = &s->vectors[origin].of[ILLUSION_ROW];
            dormant[n++] = s->dormant[origin];
        }
    }
    return illusion_dormant(dormant, banks, n, s->spaces, s->in->gpt, s->in->fit, &quiet);
}

static int fit_trained(Illuding *s)
{
    IllusionRows rows = {0};
    SteerBank full = {0};
    int rc = illusion_rows(&rows, s->in->gpt, s->in->training, s->in->site, s->work);
    rc = rc ? rc : illusion_trained(&full, &rows, s->in->training, &s->means, s->work);
    rc = rc ? rc : add_origin(s, ILLUSION_TRAINED, &full);
    steer_bank_release(&full);
    illusion_rows_release(&rows);
    return rc;
}

static int fit_vectors(Illuding *s)
{
    const IllusionStudyInputs *in = s->in;
    const Work quiet = work_quiet(s->work);
    SteerBank full = {0};
    int rc = steer_bank_means(&s->theirs, &s->mine, in->gpt, in->fit, in->site, &quiet);
    rc = rc ? rc : steer_bank_difference(&s->means, &s->mine, &s->theirs);
    rc = rc ? rc : steer_bank_copy(&full, &s->means);
    rc = rc ? rc : add_origin(s, ILLUSION_MEANS, &full);
    rc = rc ? rc : fit_trained(s);
    if (rc == 0 && in->probe) {
        rc = direction_board_of_probe(&s->directions, in->probe);
        rc = rc ? rc
                : steer_bank_probe(&full, in->probe, &s->means, STEER_MINE,
                                   in->fit->set.vocab->variant);
        rc = rc ? rc : add_origin(s, ILLUSION_PROBE, &full);
    }
    steer_bank_release(&full);
    return rc;
}

/* ---- settings ---- */

/* A probe may lack layers; the descent needs a probe. */
static bool is_tried(const Illuding *s, int origin, int method, int layer)
{
    const int at = s->in->probe ? probe_layer_index(s->in->probe, layer) : -1;
    return s->has[origin] && (method != ILLUSION_GRADIENT || origin == ILLUSION_PROBE) &&
           (origin != ILLUSION_PROBE || (at >= 0 && s->in->probe->fitted[at]));
}

static int list_settings(Illuding *s)
{
    const int L = s->in->gpt->cfg.n_layers;
    const size_t most = (size_t)N_ILLUSION_ORIGINS * N_ILLUSION_METHODS * (size_t)L;
    IllusionStudy *out = s->out;
    out->rows = mem_calloc(most, sizeof(*out->rows), "rows of a study");
    s->settings = mem_calloc(most * N_ILLUSION_PARTS, sizeof(*s->settings), "settings");
    if (!out->rows || !s->settings) {
        return OGPT_ENOMEM;
    }
    for (int i = 0; i < N_ILLUSION_ORIGINS * N_ILLUSION_METHODS * L; i++) {
        const int origin = i / (N_ILLUSION_METHODS * L), method = i / L % N_ILLUSION_METHODS;
        if (!is_tried(s, origin, method, i % L)) {
            continue;
        }
        for (int part = 0; part < N_ILLUSION_PARTS; part++) {
            s->settings[out->n_rows * N_ILLUSION_PARTS + (size_t)part] = (IllusionSetting){
                &s->vectors[origin], (IllusionMethod)method, (IllusionPart)part, i % L};
        }
        out->rows[out->n_rows++] = (IllusionRow){.origin = (IllusionOrigin)origin,
                                                 .method = (IllusionMethod)method,
                                                 .layer = i % L,
                                                 .rank = s->spaces[i % L].rank};
    }
    return 0;
}

/* ---- intervals ---- */

static const IllusionAnswer *answer_at(const Illuding *s, size_t pair, size_t row,
                                       IllusionPart part)
{
    return &s->runs.changed[pair * s->runs.n_settings + row * N_ILLUSION_PARTS + (size_t)part];
}

/* out (n) = how far m moves; the way from the first history to the second is in column 3. */
static void take_moves(double *out, const Illuding *s, size_t row, IllusionPart part)
{
    for (size_t i = 0; i < s->runs.n; i++) {
        out[i] = answer_at(s, i, row, part)->delta - s->runs.base[i].delta;
    }
}

static Interval closed_by(const Illuding *s, size_t row, IllusionPart part)
{
    const size_t n = s->runs.n;
    double *null = s->columns, *changed = null + n;
    for (size_t i = 0; i < n; i++) {
        null[i] = s->runs.base[i].wrong;
        changed[i] = answer_at(s, i, row, part)->wrong;
    }
    return bootstrap_closed(null, s->runs.self, changed, n, s->work->seed);
}

static Interval index_of(const Illuding *s, size_t row, IllusionPart full, IllusionPart part)
{
    const size_t n = s->runs.n;
    double *a = s->columns, *b = a + n, *way = a + 3 * n;
    take_moves(a, s, row, full);
    take_moves(b, s, row, part);
    return bootstrap_difference(a, way, b, way, n, s->work->seed);
}

/* Index minus that of the control, pair by pair. */
static Interval beyond_control(const Illuding *s, size_t row)
{
    const size_t n = s->runs.n;
    double *a = s->columns, *b = a + n, *way = a + 3 * n;
    for (size_t i = 0; i < n; i++) {
        a[i] =
            answer_at(s, i, row, ILLUSION_FULL)->delta - answer_at(s, i, row, ILLUSION_ROW)->delta;
        b[i] = answer_at(s, i, row, ILLUSION_RANDOM)->delta -
               answer_at(s, i, row, ILLUSION_RANDOM_ROW)->delta;
    }
    return bootstrap_difference(a, way, b, way, n, s->work->seed);
}

static void describe(IllusionRow *row, const Illuding *s)
{
    for (size_t i = 0; i < s->runs.n; i++) {
        const int sq = __builtin_ctzll(s->in->test->pairs[i].turned);
        const size_t at = (size_t)row->layer * s->means.n_groups +
                          steer_group_of_square(s->in->test->variant, sq);
        row->disconnected += s->vectors[row->origin].null_share[at] / (double)s->runs.n;
        row->dormant += (double)s->dormant[row->origin][at] / (double)s->runs.n;
    }
}

static void summarise(Illuding *s)
{
    const size_t n = s->runs.n;
    const uint64_t seed = s->work->seed;
    double *moves = s->columns, *way = moves + 3 * n;
    for (size_t i = 0; i < n; i++) {
        way[i] = s->runs.source[i].delta - s->runs.base[i].delta;
        moves[i] = s->runs.base[i].wrong;
    }
    s->out->delta = bootstrap_ratio(way, NULL, n, seed);
    s->out->null = bootstrap_ratio(moves, NULL, n, seed);
    s->out->self = bootstrap_ratio(s->runs.self, NULL, n, seed);
    for (size_t r = 0; r < s->out->n_rows; r++) {
        IllusionRow *row = &s->out->rows[r];
        describe(row, s);
        for (int part = 0; part < N_ILLUSION_PARTS; part++) {
            take_moves(moves, s, r, (IllusionPart)part);
            row->effect[part] = bootstrap_ratio(moves, way, n, seed);
        }
        row->index = index_of(s, r, ILLUSION_FULL, ILLUSION_ROW);
        row->random_index = index_of(s, r, ILLUSION_RANDOM, ILLUSION_RANDOM_ROW);
        row->beyond = beyond_control(s, r);
        row->closed = closed_by(s, r, ILLUSION_FULL);
        row->closed_row = closed_by(s, r, ILLUSION_ROW);
    }
}

static void count_untrained(Illuding *s)
{
    uint64_t trained = 0, asked = 0;
    for (size_t i = 0; i < s->in->training->n; i++) {
        trained |= s->in->training->pairs[i].turned;
    }
    for (size_t i = 0; i < s->in->test->n; i++) {
        asked |= s->in->test->pairs[i].turned;
    }
    s->out->n_untrained = (size_t)__builtin_popcountll(asked & ~trained);
}

/* Every direction on the pairs that directions were trained on. */
static int try_training(Illuding *s, const IllusionInputs *inputs)
{
    const Work quiet = work_quiet(s->work);
    const size_t n_rows = s->out->n_rows;
    IllusionInputs in = *inputs;
    IllusionRuns runs = {0};
    IllusionSetting *settings = mem_alloc(n_rows, sizeof(*settings), "settings");
    int rc = settings ? 0 : OGPT_ENOMEM;
    in.pairs = s->in->training;
    for (size_t r = 0; r < n_rows && rc == 0; r++) {
        settings[r] = s->settings[r * N_ILLUSION_PARTS + ILLUSION_FULL];
    }
    rc = rc ? rc : illusion_runs(&runs, &in, settings, n_rows, &quiet);
    for (size_t r = 0; r < n_rows && rc == 0; r++) {
        double moved = 0, way = 0;
        for (size_t i = 0; i < runs.n; i++) {
            moved += runs.changed[i * n_rows + r].delta - runs.base[i].delta;
            way += runs.source[i].delta - runs.base[i].delta;
        }
        s->out->rows[r].training = moved / way;
    }
    illusion_runs_release(&runs);
    mem_free(settings);
    return rc;
}

/* ---- all of it ---- */

static int illude(Illuding *s)
{
    const IllusionInputs inputs = {.gpt = s->in->gpt,
                                   .pairs = s->in->test,
                                   .site = s->in->site,
                                   .theirs = &s->theirs,
                                   .mine = &s->mine,
                                   .spaces = s->spaces,
                                   .directions = s->in->probe ? &s->directions : NULL};
    int rc = fit_spaces(s);
    rc = rc ? rc : fit_vectors(s);
    rc = rc ? rc : find_dormant(s);
    rc = rc ? rc : list_settings(s);
    rc = rc ? rc : try_training(s, &inputs);
    rc = rc ? rc
            : illusion_runs(&s->runs, &inputs, s->settings, s->out->n_rows * N_ILLUSION_PARTS,
                            s->work);
    if (rc == 0) {
        s->columns = mem_alloc(4 * s->runs.n, sizeof(double), "columns of the bootstrap");
        rc = s->columns ? 0 : OGPT_ENOMEM;
    }
    if (rc == 0) {
        summarise(s);
        count_untrained(s);
    }
    return rc;
}

int illusion_study_run(IllusionStudy *out, const IllusionStudyInputs *in, const Work *work)
{
    Illuding *s = mem_calloc(1, sizeof(*s), "a study of directions");
    *out = (IllusionStudy){0};
    if (!s) {
        return OGPT_ENOMEM;
    }
    *s = (Illuding){.out = out, .in = in, .work = work};
    int rc = illude(s);
    for (int l = 0; l < LAYERS_MAX; l++) {
        illusion_space_release(&s->spaces[l]);
    }
    for (int o = 0; o < N_ILLUSION_ORIGINS; o++) {
        illusion_vectors_release(&s->vectors[o]);
        mem_free(s->dormant[o]);
    }
    direction_board_release(&s->directions);
    steer_bank_release(&s->theirs);
    steer_bank_release(&s->mine);
    steer_bank_release(&s->means);
    illusion_runs_release(&s->runs);
    mem_free(s->settings);
    mem_free(s->columns);
    mem_free(s);
    if (rc) {
        illusion_study_release(out);
    }
    return rc;
}

void illusion_study_release(IllusionStudy *study)
{
    mem_free(study->rows);
    *study = (IllusionStudy){0};
}

size_t illusion_study_bytes(const IllusionStudyInputs *in, const Work *work)
{
    const GptConfig *cfg = &in->gpt->cfg;
    const size_t L = (size_t)cfg->n_layers, V = (size_t)cfg->d_vocab, workers = work_workers(work);
    const size_t width = hook_width(cfg, in->site, (size_t)cfg->n_ctx);
    const size_t vectors = L * in->fit->n_groups * width * sizeof(float);
    const size_t n_rows = (size_t)N_ILLUSION_ORIGINS * N_ILLUSION_METHODS * L;
    const size_t chunks = (in->gram_pairs + ILLUSION_CHUNK - 1) / ILLUSION_CHUNK;
    const bool gram = in->site != HOOK_POST;
    const size_t pass = 2 * prefix_bytes(cfg, ILLUSION_CHUNK, TAPE_GRADIENT) +
                        ILLUSION_CHUNK * ((2 * L + 1) * width + 3 * V) * sizeof(float);
    return workers * pass +
           (gram ? (chunks + 2) * L * width * width : L * width * (size_t)cfg->d_model) *
               sizeof(double) +
           2 * in->training->n * L * width * sizeof(float) +
           2 * in->fit->set.n_positions * width * sizeof(float) + width * width * sizeof(float) +
           (N_ILLUSION_ORIGINS * N_ILLUSION_PARTS + 4) * vectors +
           n_rows * (in->test->n * N_ILLUSION_PARTS + in->training->n) * sizeof(IllusionAnswer);
}
