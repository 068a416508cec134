/* probes/latent/latent_study.c - see probes/latent/latent_study.h. */
#include "probes/latent/latent_study.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/rng.h"
#include "probes/activations/activations.h"

const char *latent_subject_name(LatentSubject subject)
{
    static const char *const names[N_LATENT_SUBJECTS] = {"this", "random", "planted"};
    return names[subject];
}

const char *latent_method_name(LatentMethod method)
{
    static const char *const names[N_LATENT_METHODS] = {"ccs", "crc-tpc", "labels"};
    return names[method];
}

typedef struct LatentStudyRun {
    LatentStudy *out;
    const LatentInputs *in;
    const Work *work;
    Work quiet;
    Gpt *random;
    double done, total; /* fits */
} LatentStudyRun;

/* The place whose rows are asked. */
typedef struct LatentPlace {
    LatentSubject subject;
    int layer;
    size_t width;
    float *x[3]; /* of the splits: (n_positions, width) */
} LatentPlace;

/* ---- fits, kept ---- */

static int fit_now(LatentFit *out, LatentMethod method, const LatentRows *rows, LatentStudyRun *run)
{
    const LatentPairs *pairs = &run->out->pairs[0];
    return method == LATENT_CCS ? latent_ccs(out, rows, pairs, &run->in->options, &run->quiet)
           : method == LATENT_CRC
               ? latent_crc(out, rows, pairs, &run->quiet)
               : latent_supervised(out, rows, pairs, &run->in->options, &run->quiet);
}

/* A fit as numbers, for the journal: weights; bias, loss and stopped. */
static void fit_numbers(double *block, LatentFit *fit, bool take)
{
    size_t n = fit->n_squares * fit->width, S = fit->n_squares;
    for (size_t i = 0; i < n; i++) {
        if (take) {
            fit->w[i] = (float)block[i];
        } else {
            block[i] = (double)fit->w[i];
        }
    }
    if (take) {
        memcpy(fit->bias, block + n, 3 * S * sizeof(double));
    } else {
        memcpy(block + n, fit->bias, 3 * S * sizeof(double));
    }
}

static int fit_kept(LatentFit *out, const LatentRow *row, const LatentRows *rows,
                    LatentStudyRun *run)
{
    size_t S = run->out->pairs[0].n_squares, place = (size_t)(row->layer + 1);
    size_t numbers = S * (rows->width + 3);
    char stage[64];
    snprintf(stage, sizeof(stage), "ccs %s %d %s", latent_subject_name(row->subject), row->by_ply,
             latent_method_name(row->method));
    double *block = mem_alloc(numbers, sizeof(*block), "a kept fit");
    int known = block ? work_recall(block, run->work, numbers, stage, place) : OGPT_ENOMEM;
    int rc = known < 0 ? known : 0;
    if (known == 1) {
        rc = latent_fit_allocate(out, rows->width, S);
        if (rc == 0) {
            fit_numbers(block, out, true);
        }
    } else if (rc == 0) {
        rc = fit_now(out, row->method, rows, run);
        if (rc == 0) {
            fit_numbers(block, out, false);
            rc = work_keep(run->work, block, numbers, stage, place);
            if (rc != 0) {
                latent_fit_release(out);
            }
        }
    }
    mem_free(block);
    return rc;
}

/* ---- one place ---- */

static int read_rows(LatentStudyRun *run, const LatentPlace *place, const LatentRows rows[3],
                     bool by_ply)
{
    int rc = 0;
    for (int method = 0; method < N_LATENT_METHODS && rc == 0; method++) {
        LatentRow *row = &run->out->rows[run->out->n_rows];
        LatentFit fit = {0};
        *row = (LatentRow){.subject = place->subject,
                           .layer = place->layer,
                           .by_ply = by_ply,
                           .method = (LatentMethod)method};
        rc = fit_kept(&fit, row, &rows[0], run);
        const LatentSplit valid = {&run->out->pairs[1], &rows[1]};
        const LatentSplit test = {&run->out->pairs[2], &rows[2]};
        rc = rc ? rc : latent_score(&row->score, &fit, &valid, &test, &run->quiet);
        run->out->n_rows += rc == 0;
        latent_fit_release(&fit);
        run->done += 1;
        work_tick(run->work, "fits", run->done, run->total);
    }
    return rc;
}

static int read_place(LatentStudyRun *run, const LatentPlace *place)
{
    const LatentInputs *in = run->in;
    int rc = 0;
    for (int by_ply = 0; by_ply < 2 && rc == 0; by_ply++) {
        LatentScale scale;
        LatentRows rows[3] = {{0}};
        rc = latent_scale_fit(&scale, &run->out->pairs[0], in->sets[0], place->x[0], place->width,
                              by_ply == 1);
        for (int split = 0; split < 3 && rc == 0; split++) {
            rc = latent_rows_make(&rows[split], &scale, &run->out->pairs[split], in->sets[split],
                                  place->x[split]);
        }
        rc = rc ? rc : read_rows(run, place, rows, by_ply == 1);
        for (int split = 0; split < 3; split++) {
            latent_rows_release(&rows[split]);
        }
        latent_scale_release(&scale);
    }
    return rc;
}

static int fill_split(LatentPlace *place, LatentStudyRun *run, int split)
{
    const LabelledSet *set = run->in->sets[split];
    place->x[split] = mem_alloc(set->set.n_positions * place->width, sizeof(float), "rows");
    if (!place->x[split]) {
        return OGPT_ENOMEM;
    }
    if (place->subject == LATENT_PLANTED) {
        const LatentPlant plant = {
            .board = true, .parity = true, .square = -1, .stream = (uint64_t)split};
        return latent_planted_rows(place->x[split], set, &plant, run->work->seed);
    }
    const Gpt *gpt = place->subject == LATENT_OWN ? run->in->gpt : run->random;
    const SiteLayers where = {HOOK_RESID_POST, &place->layer, 1};
    return activations_capture(&place->x[split], &set->set, gpt, &where, &run->quiet);
}

static int study_place(LatentStudyRun *run, LatentSubject subject, int layer)
{
    LatentPlace place = {.subject = subject,
                         .layer = layer,
                         .width = subject == LATENT_PLANTED ? latent_planted_width(run->in->sets[0])
                                                            : (size_t)run->in->gpt->cfg.d_model};
    int rc = 0;
    for (int split = 0; split < 3 && rc == 0; split++) {
        rc = fill_split(&place, run, split);
    }
    rc = rc ? rc : read_place(run, &place);
    for (int split = 0; split < 3; split++) {
        mem_free(place.x[split]);
    }
    return rc;
}

/* ---- the study ---- */

int latent_study_run(LatentStudy *out, const LatentInputs *in, const Work *work)
{
    LatentStudyRun run = {.out = out, .in = in, .work = work, .quiet = work_quiet(work)};
    size_t places = 2 * (size_t)in->n_layers + 1;
    *out = (LatentStudy){0};
    run.total = (double)(places * 2 * N_LATENT_METHODS);
    out->rows = mem_calloc(places * 2 * N_LATENT_METHODS, sizeof(*out->rows), "readings");
    int rc = out->rows ? gpt_new(&run.random, &in->gpt->cfg) : OGPT_ENOMEM;
    if (rc == 0) {
        gpt_init(run.random, work->seed, RNG_CONTROL);
    }
    for (int split = 0; split < 3 && rc == 0; split++) {
        rc = latent_pairs_make(&out->pairs[split], in->sets[split], &run.quiet);
    }
    rc = rc ? rc : latent_majority(&out->majority, &out->pairs[0], &out->pairs[2], &run.quiet);
    for (int i = 0; i < in->n_layers && rc == 0; i++) {
        rc = study_place(&run, LATENT_OWN, in->layers[i]);
    }
    for (int i = 0; i < in->n_layers && rc == 0; i++) {
        rc = study_place(&run, LATENT_RANDOM, in->layers[i]);
    }
    rc = rc ? rc : study_place(&run, LATENT_PLANTED, LAYER_EMBED);
    gpt_free(run.random);
    if (rc != 0) {
        latent_study_release(out);
    }
    return rc;
}

void latent_study_release(LatentStudy *study)
{
    for (int split = 0; split < 3; split++) {
        latent_pairs_release(&study->pairs[split]);
    }
    for (size_t i = 0; i < study->n_rows && study->rows; i++) {
        latent_score_release(&study->rows[i].score);
    }
    mem_free(study->rows);
    *study = (LatentStudy){0};
}

const LatentRow *latent_study_check(const LatentStudy *study)
{
    for (size_t i = 0; i < study->n_rows; i++) {
        const LatentRow *row = &study->rows[i];
        if (row->subject == LATENT_PLANTED && row->by_ply && row->method == LATENT_CCS) {
            return row;
        }
    }
    return NULL;
}

/* ---- memory ---- */

/* A position of the labelled games, and the pair that begins there. */
static size_t position_bytes(size_t n_squares)
{
    return n_squares + 1 + 2 * sizeof(uint32_t) + 1 + 2 * sizeof(uint64_t);
}

size_t latent_study_bytes(const size_t games[3], const GameVariant *variant, const Gpt *gpt,
                          const LatentOptions *options, const Work *work)
{
    size_t S = (size_t)(variant->size * variant->size), moves = (size_t)variant->n_moves;
    size_t planted = 2 * S, width = (size_t)gpt->cfg.d_model, n[3], all = 0, held = 0;
    width = width > planted ? width : planted;
    for (int split = 0; split < 3; split++) {
        n[split] = games[split] * moves;
        all += n[split];
        held += games[split] * (moves + sizeof(uint32_t));
    }
    /* Rows of positions; or of both members, while one fit or score is made, and its kept copy. */
    size_t capture = activations_scratch_bytes(&gpt->cfg, work);
    size_t rotation = planted * planted * (sizeof(float) + sizeof(double));
    size_t fit = latent_fit_bytes(n[0], width, S, options, work);
    size_t score = latent_score_bytes(n[1], n[2], games[2], width, S, work);
    size_t read = activations_bytes(2 * all, width) +
                  (GAME_MAX_MOVES + 4) * width * sizeof(double) + S * (width + 3) * sizeof(double) +
                  (fit > score ? fit : score);
    read = capture > read ? capture : read;
    read = rotation > read ? rotation : read;
    return held + all * position_bytes(S) + activations_bytes(all, width) + read +
           gpt->n_numbers * sizeof(real);
}

void latent_study_hash(Sha256 *hash, const LatentInputs *in)
{
    sha256_add(hash, &in->options.starts, sizeof(in->options.starts));
    sha256_add(hash, &in->options.steps, sizeof(in->options.steps));
    sha256_add(hash, &in->options.rounds, sizeof(in->options.rounds));
    for (int split = 0; split < 3; split++) {
        positions_hash(hash, &in->sets[split]->set);
    }
}
