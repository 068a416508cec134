/* probes/lens/lens_study.c - see probes/lens/lens_study.h. */
#include "probes/lens/lens_study.h"

#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/rng.h"
#include "probes/activations/passes.h"

/* One network's rows and everything fitted on them. */
typedef struct Fitted {
    LensRows train, test;
    LensDesign designs[LENS_PLACES_MAX];
    LensBank ridge, tuned;
    LensFit reports[LENS_PLACES_MAX];
} Fitted;

typedef struct LensStudyRun {
    LensStudy *out;
    const LensStudyInputs *in;
    const Work *work; /* quiet, with the journal */
    const Work *loud;
    double done, total; /* parts */
    Fitted own, random, other;
    Gpt *random_gpt;
    LensTarget target, other_target;
} LensStudyRun;

static void advance(LensStudyRun *run)
{
    run->done += 1;
    work_tick(run->loud, "parts", run->done < run->total ? run->done : run->total, run->total);
}

/* ---- fits ---- */

static void fitted_release(Fitted *fitted)
{
    lens_rows_release(&fitted->train);
    lens_rows_release(&fitted->test);
    for (int place = 0; place < LENS_PLACES_MAX; place++) {
        lens_design_release(&fitted->designs[place]);
    }
    lens_bank_release(&fitted->ridge);
    lens_bank_release(&fitted->tuned);
}

/* A finished place as numbers, for the journal: both translators, then the report. */
enum { REPORT_NUMBERS = 8 };

static void place_numbers(double *block, Fitted *fitted, int place, bool take)
{
    size_t C = fitted->tuned.d_model, at = 0;
    const struct {
        float *numbers;
        size_t n;
    } parts[] = {{fitted->tuned.matrix[place], C * C},
                 {fitted->tuned.bias[place], C},
                 {fitted->ridge.matrix[place], C * C},
                 {fitted->ridge.bias[place], C}};
    for (size_t part = 0; part < 4; part++) {
        for (size_t i = 0; i < parts[part].n; i++, at++) {
            if (take) {
                parts[part].numbers[i] = (float)block[at];
            } else {
                block[at] = (double)parts[part].numbers[i];
            }
        }
    }
    LensFit *fit = &fitted->reports[place];
    double *report = block + at;
    if (take) {
        *fit = (LensFit){report[0], report[1],      report[2],      report[3],
                         report[4], (int)report[5], (int)report[6], report[7] != 0};
    } else {
        const double now[REPORT_NUMBERS] = {
            fit->kl_logit, fit->kl_ridge, fit->kl,      fit->objective,
            fit->gap,      fit->rounds,   fit->arrived, (double)fit->from_ridge};
        memcpy(report, now, sizeof(now));
    }
}

static int fit_place(LensStudyRun *run, Fitted *fitted, const LensTarget *target, const char *stage,
                     int place)
{
    size_t C = fitted->tuned.d_model, numbers = 2 * (C + 1) * C + REPORT_NUMBERS;
    double *block = mem_alloc(numbers, sizeof(double), "a translator");
    int rc = block ? lens_bank_add(&fitted->ridge, place) : OGPT_ENOMEM;
    rc = rc ? rc : lens_bank_add(&fitted->tuned, place);
    int known = rc ? rc : work_recall(block, run->work, numbers, stage, (size_t)place);
    if (known == 1) {
        place_numbers(block, fitted, place, true);
    } else if (known == 0) {
        const LensFitted to = {fitted->tuned.matrix[place], fitted->tuned.bias[place],
                               fitted->ridge.matrix[place], fitted->ridge.bias[place]};
        rc = lens_fit(&to, &fitted->reports[place], target, &fitted->designs[place], &run->in->fit,
                      run->work);
        if (rc == 0) {
            place_numbers(block, fitted, place, false);
            rc = work_keep(run->work, block, numbers, stage, (size_t)place);
        }
    }
    mem_free(block);
    return known < 0 ? known : rc;
}

/* Rows of a network and its translators; target NULL: made here, of its own answers. */
static int fit_network(LensStudyRun *run, Fitted *fitted, LensTarget *own_target,
                       const LensTarget *target, const Gpt *gpt, const char *stage)
{
    const LensStudyInputs *in = run->in;
    fitted->ridge = fitted->tuned = lens_bank_empty(&gpt->cfg);
    int rc = lens_rows_capture(&fitted->train, gpt, &in->train->set, run->work);
    rc = rc ? rc : lens_rows_capture(&fitted->test, gpt, &in->test->set, run->work);
    advance(run);
    if (rc == 0 && !target) {
        rc = lens_target_make(own_target, gpt, fitted->train.x[fitted->train.n_places - 1],
                              fitted->train.n, run->work);
        target = own_target;
    }
    for (int place = 0; place < fitted->train.n_places && rc == 0; place++) {
        rc = lens_design_make(&fitted->designs[place], fitted->train.x[place], fitted->train.n,
                              fitted->train.d_model, LENS_RIDGE, run->work);
        rc = rc ? rc : fit_place(run, fitted, target, stage, place);
        advance(run);
    }
    return rc;
}

/* ---- controls ---- */

static int make_random(LensStudyRun *run)
{
    int rc = gpt_new(&run->random_gpt, &run->in->gpt->cfg);
    if (rc == 0) {
        gpt_init(run->random_gpt, run->loud->seed, RNG_CONTROL);
    }
    return rc;
}

/* The tuned lens of another network: fitted to it, or this one's in other coordinates. */
static int other_bank(LensBank *out, LensStudyRun *run)
{
    const LensStudyInputs *in = run->in;
    size_t C = (size_t)in->gpt->cfg.d_model;
    if (in->other) {
        if (!gpt_config_same_shape(&in->other->cfg, &in->gpt->cfg)) {
            return err_set(OGPT_EFORMAT,
                           "the other network has another shape; its lens cannot be tried here");
        }
        int rc = fit_network(run, &run->other, &run->other_target, NULL, in->other, "lens other");
        *out = run->other.tuned;
        run->other.tuned = (LensBank){0};
        return rc;
    }
    uint32_t *order = mem_alloc(C, sizeof(*order), "an order of coordinates");
    if (!order) {
        return OGPT_ENOMEM;
    }
    for (size_t c = 0; c < C; c++) {
        order[c] = (uint32_t)rng_permute(run->loud->seed, RNG_CONTROL, 1, c, C);
    }
    int rc = lens_bank_permuted(out, &run->own.tuned, order);
    mem_free(order);
    return rc;
}

static int measure_all(LensStudyRun *run)
{
    const LensStudyInputs *in = run->in;
    LensBank other = {0};
    int rc = other_bank(&other, run);
    const LensReading readings[] = {
        {.gpt = in->gpt,
         .head = in->gpt,
         .set = &in->test->set,
         .banks = {NULL, &run->own.ridge, &run->own.tuned, &other},
         .first = LENS_LOGIT,
         .n = 4},
        {.gpt = run->random_gpt,
         .head = run->random_gpt,
         .set = &in->test->set,
         .first = LENS_RANDOM,
         .n = 1,
         .keep_finals = true},
        {.gpt = run->random_gpt,
         .head = in->gpt,
         .set = &in->test->set,
         .banks = {&run->random.tuned},
         .first = LENS_RANDOM_TUNED,
         .n = 1,
         .keep_finals = true},
    };
    for (size_t i = 0; i < 3 && rc == 0; i++) {
        rc = lens_measure(&run->out->measured, &readings[i], run->work);
        advance(run);
    }
    lens_bank_release(&other);
    return rc;
}

/* ---- blocks left out and exchanged ---- */

static int measure_blocks(LensStudyRun *run)
{
    const LensStudyInputs *in = run->in;
    LensStudy *out = run->out;
    int L = out->n_layers, rc = 0;
    size_t n_finals = out->measured.n_positions * (size_t)in->gpt->cfg.d_vocab;
    LensMeasured measured = {0};
    Gpt *copy = NULL;
    out->n_blocks = 2 * (size_t)L;
    out->blocks = mem_calloc(out->n_blocks, sizeof(*out->blocks), "blocks left out");
    rc = out->blocks ? gpt_new(&copy, &in->gpt->cfg) : OGPT_ENOMEM;
    rc = rc ? rc : lens_measured_make(&measured, &in->test->set, &in->gpt->cfg, 1);
    if (rc == 0) {
        memcpy(measured.finals, out->measured.finals, n_finals * sizeof(float));
    }
    for (int i = 0; i < 2 * L && rc == 0; i++) {
        LensBlockRow *row = &out->blocks[i];
        row->curve = i == 0 ? CURVE_CLEAN : i <= L ? CURVE_REMOVED : CURVE_SWAPPED;
        row->layer = i == 0 ? -1 : i <= L ? i - 1 : i - L - 1;
        ablation_curve_network(copy, in->gpt, row->curve, row->layer);
        double *sums = lens_measured_at(&measured, 0, out->n_places - 1, LENS_KL);
        memset(sums, 0, N_LENS_SCORES * measured.n_games * sizeof(double));
        const LensReading reading = {.gpt = copy,
                                     .head = copy,
                                     .set = &in->test->set,
                                     .n = 1,
                                     .first_place = out->n_places - 1,
                                     .keep_finals = true};
        rc = lens_measure(&measured, &reading, run->work);
        for (int score = 0; score < N_LENS_SCORES && rc == 0; score++) {
            row->scores[score] =
                lens_measured_score(&measured, &out->draws, 0, out->n_places - 1, (LensScore)score);
        }
        advance(run);
    }
    lens_measured_release(&measured);
    gpt_free(copy);
    return rc;
}

/* ---- places ---- */

static int decode_place(LensStudyRun *run, int place)
{
    LensPlaceRow *row = &run->out->places[place];
    const LensStudyInputs *in = run->in;
    LensDecodeInputs decode = {.train = {&in->train->set, run->target.logits},
                               .test = {&in->test->set, run->out->measured.finals},
                               .design = &run->own.designs[place],
                               .x = run->own.test.x[place],
                               .draws = &run->out->draws};
    int rc = lens_decode(&row->decoded, &decode, run->work);
    decode.design = &run->random.designs[place];
    decode.x = run->random.test.x[place];
    return rc ? rc : lens_decode(&row->random_decoded, &decode, run->work);
}

static int fill_place(void *context, size_t place, size_t worker)
{
    const LensStudyRun *run = context;
    const LensStudy *out = run->out;
    LensPlaceRow *row = &out->places[place];
    row->fit = run->own.reports[place];
    row->random_fit = run->random.reports[place];
    for (size_t reader = 0; reader < N_LENS_READERS; reader++) {
        for (int score = 0; score < N_LENS_SCORES; score++) {
            row->scores[reader][score] = lens_measured_score(&out->measured, &out->draws, reader,
                                                             (int)place, (LensScore)score);
        }
    }
    row->tuned_change = lens_measured_change(
        &out->measured, &out->draws, (const size_t[]){LENS_TUNED, LENS_LOGIT}, (int)place, LENS_KL);
    return 0;
}

/* ---- the study ---- */

static int read_boards(LensStudyRun *run)
{
    const LensStudyInputs *in = run->in;
    LensStudy *out = run->out;
    const LensOrderInputs order = {.train = in->train,
                                   .test = in->test,
                                   .train_rows = &run->own.train,
                                   .test_rows = &run->own.test,
                                   .measured = &out->measured,
                                   .draws = &out->draws};
    int rc = lens_order_read(&out->order, &order, run->work);
    advance(run);
    if (rc || !in->probe) {
        return rc;
    }
    const LensBoardInputs board = {.probe = in->probe,
                                   .train = in->train,
                                   .test = in->test,
                                   .train_rows = &run->own.train,
                                   .test_rows = &run->own.test,
                                   .designs = run->own.designs};
    rc = lens_board_read(&out->board, &board, run->work);
    advance(run);
    return rc;
}

static int study_all(LensStudyRun *run)
{
    const LensStudyInputs *in = run->in;
    LensStudy *out = run->out;
    int rc = lens_measured_make(&out->measured, &in->test->set, &in->gpt->cfg, N_LENS_READERS);
    rc = rc ? rc : ablation_draws_init(&out->draws, in->test->set.n_games, run->loud->seed);
    rc = rc ? rc : make_random(run);
    rc = rc ? rc : fit_network(run, &run->own, &run->target, NULL, in->gpt, "lens tuned");
    rc = rc ? rc
            : fit_network(run, &run->random, NULL, &run->target, run->random_gpt, "lens random");
    rc = rc ? rc : measure_all(run);
    rc = rc ? rc : measure_blocks(run);
    rc = rc ? rc : read_boards(run);
    for (int place = 0; place < out->n_places && rc == 0; place++) {
        rc = decode_place(run, place);
    }
    return rc ? rc : pool_run(run->work->pool, (size_t)out->n_places, fill_place, run);
}

int lens_study_run(LensStudy *out, const LensStudyInputs *in, const Work *work)
{
    const Work quiet = work_quiet(work);
    LensStudyRun *run = mem_calloc(1, sizeof(*run), "lenses");
    int L = in->gpt->cfg.n_layers, places = lens_places(L);
    *out = (LensStudy){.n_layers = L, .n_places = places};
    out->places = mem_calloc((size_t)places, sizeof(*out->places), "lenses by place");
    int rc =
        run && out->places ? passes_check_board(&in->gpt->cfg, in->train->set.vocab) : OGPT_ENOMEM;
    if (rc == 0) {
        *run = (LensStudyRun){.out = out, .in = in, .work = &quiet, .loud = work};
        run->total = (in->other ? 3 : 2) * (places + 1) + 3 + 2 * L + 1 + (in->probe ? 1 : 0);
        rc = study_all(run);
    }
    if (run) {
        fitted_release(&run->own);
        fitted_release(&run->random);
        fitted_release(&run->other);
        lens_target_release(&run->target);
        lens_target_release(&run->other_target);
        gpt_free(run->random_gpt);
    }
    mem_free(run);
    if (rc) {
        lens_study_release(out);
    }
    return rc;
}

void lens_study_release(LensStudy *study)
{
    lens_measured_release(&study->measured);
    ablation_draws_release(&study->draws);
    lens_board_release(&study->board);
    lens_order_release(&study->order);
    mem_free(study->places);
    mem_free(study->blocks);
    *study = (LensStudy){0};
}

size_t lens_study_bytes(const LensStudyInputs *in, const Work *work)
{
    const GptConfig *cfg = &in->gpt->cfg;
    size_t train = in->train->set.n_positions, test = in->test->set.n_positions;
    size_t C = (size_t)cfg->d_model, V = (size_t)cfg->d_vocab,
           places = (size_t)lens_places(cfg->n_layers);
    size_t networks = in->other ? 3 : 2;
    size_t rows = networks * lens_rows_bytes(cfg, train + test);
    size_t maps = networks * places * (2 * C * C * sizeof(double) + 2 * C * C * sizeof(float));
    size_t kept = 4 * places * PASS_GAMES * GAME_MAX_MOVES * V * sizeof(float);
    size_t fit = LENS_CHUNKS * C * C * sizeof(float) + train * (2 * V + 3 * V + C) * sizeof(float);
    return rows + maps + fit + test * N_LENS_READERS * places + test * V * 4 * sizeof(float) +
           work_workers(work) * (kept + 2 * tape_bytes(cfg, PASS_GAMES, TAPE_FORWARD, NULL)) +
           fit_bytes("newton",
                     &(FitProblem){
                         .n = train, .width = C, .n_squares = in->train->n_squares, .n_classes = 3},
                     work);
}

double lens_study_flops(const LensStudyInputs *in)
{
    const GptConfig *cfg = &in->gpt->cfg;
    double n = (double)in->train->set.n_positions, C = cfg->d_model, V = cfg->d_vocab;
    double places = lens_places(cfg->n_layers), L = cfg->n_layers;
    double rounds = in->fit.rounds > 0 ? in->fit.rounds : LENS_ROUNDS;
    double fits = (in->other ? 3 : 2) * places * rounds * n * 4 * (C * C + C * V);
    double tokens =
        (double)(in->train->set.n_games * 4 + in->test->set.n_games * (size_t)(2 * L + 7)) *
        cfg->n_ctx;
    double passes = tokens * gpt_config_flops(cfg) / 3;
    double heads = (double)in->test->set.n_games * cfg->n_ctx * places * 6 * 2 * (C * C + C * V);
    const FitProblem probe = {.n = in->train->set.n_positions,
                              .width = (size_t)cfg->d_model,
                              .n_squares = in->train->n_squares,
                              .n_classes = 3};
    return fits + passes + heads + 1.7 * (L + 1) * fit_flops("newton", &probe);
}
