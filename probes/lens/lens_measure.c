/* probes/lens/lens_measure.c - see probes/lens/lens_measure.h. */
#include "probes/lens/lens_measure.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "probes/activations/passes.h"
#include "probes/legality/answers.h"

static const char *const reader_names[N_LENS_READERS] = {LENS_READERS(ENUM_NAME)};

const char *lens_reader_name(LensReader reader)
{
    return reader_names[reader];
}

/* ---- the result ---- */

int lens_measured_make(LensMeasured *out, const PositionSet *set, const GptConfig *cfg,
                       size_t n_readers)
{
    size_t places = (size_t)lens_places(cfg->n_layers), n = set->n_positions;
    *out = (LensMeasured){
        .n_places = (int)places, .n_games = set->n_games, .n_positions = n, .n_readers = n_readers};
    out->sums = mem_calloc(n_readers * places * N_LENS_SCORES * set->n_games, sizeof(double),
                           "scores of lenses");
    out->count = mem_calloc(set->n_games, sizeof(double), "scores of lenses");
    out->exact = mem_calloc(n_readers * places * n, 1, "scores of lenses");
    out->finals = mem_calloc(n * (size_t)cfg->d_vocab, sizeof(float), "answers of the network");
    if (!out->sums || !out->count || !out->exact || !out->finals) {
        lens_measured_release(out);
        return OGPT_ENOMEM;
    }
    for (size_t g = 0; g < set->n_games; g++) {
        out->count[g] = (double)(set->first[g + 1] - set->first[g]);
    }
    return 0;
}

void lens_measured_release(LensMeasured *measured)
{
    mem_free(measured->sums);
    mem_free(measured->count);
    mem_free(measured->exact);
    mem_free(measured->finals);
    *measured = (LensMeasured){0};
}

double *lens_measured_at(const LensMeasured *measured, size_t reader, int place, LensScore score)
{
    size_t row = (reader * (size_t)measured->n_places + (size_t)place) * N_LENS_SCORES + score;
    return measured->sums + row * measured->n_games;
}

Interval lens_measured_score(const LensMeasured *measured, const AblationDraws *draws,
                             size_t reader, int place, LensScore score)
{
    return ablation_draws_ratio(draws, lens_measured_at(measured, reader, place, score),
                                measured->count);
}

Interval lens_measured_change(const LensMeasured *measured, const AblationDraws *draws,
                              const size_t readers[2], int place, LensScore score)
{
    const double *a = lens_measured_at(measured, readers[0], place, score);
    const double *b = lens_measured_at(measured, readers[1], place, score);
    double *change = mem_alloc(measured->n_games, sizeof(double), "differences of games");
    Interval out = {NAN, NAN, NAN};
    for (size_t g = 0; change && g < measured->n_games; g++) {
        change[g] = a[g] - b[g];
    }
    out = change ? ablation_draws_ratio(draws, change, measured->count) : out;
    mem_free(change);
    return out;
}

/* ---- the passes ---- */

typedef struct LensWorker {
    Tape *tape;   /* of the head */
    float *moved; /* (B*T, C) translated rows */
    void *scratch;
    float *kept;       /* (readers, places, most, V) logits at the positions of the pass */
    double last_error; /* of this worker */
} LensWorker;

typedef struct LensRun {
    LensMeasured *out;
    const LensReading *reading;
    LensWorker *workers;
    size_t most; /* positions of a pass */
    size_t C, V;
} LensRun;

static float *kept_at(const LensRun *run, const LensWorker *worker, size_t reader, int place)
{
    size_t places = (size_t)run->out->n_places;
    return worker->kept + (reader * places + (size_t)place) * run->most * run->V;
}

static void *aligned(void *block)
{
    return (unsigned char *)block + (64 - (uintptr_t)block % 64) % 64;
}

static int place_of(const HookPoint *point)
{
    return point->site == HOOK_RESID_PRE   ? 0
           : point->site == HOOK_RESID_MID ? 1 + 2 * point->layer
                                           : 2 + 2 * point->layer;
}

/* The rows of one place through every reader; logits at the chosen positions are kept. */
static int read_place(void *context, const PassBatch *pass, const HookPoint *point)
{
    const LensRun *run = context;
    const LensReading *reading = run->reading;
    const PositionSet *set = reading->set;
    LensWorker *worker = &run->workers[pass->worker];
    int place = place_of(point);
    size_t rows = point->B * point->T, C = run->C, V = run->V;
    for (size_t r = 0; r < reading->n; r++) {
        const LensBank *bank = reading->banks[r];
        const float *stream = point->value;
        if (bank && bank->matrix[place]) {
            kernels_fast()->linear_residual(worker->moved, stream, stream, bank->matrix[place],
                                            bank->bias[place], rows, C, C,
                                            aligned(worker->scratch));
            stream = worker->moved;
        }
        const PassPart behind = {.first = reading->head->cfg.n_layers};
        const float *logits = gpt_forward_part(reading->head, worker->tape, &behind, stream,
                                               point->B, point->T, NULL);
        float *kept = kept_at(run, worker, r, place);
        for (size_t b = 0; b < pass->B; b++) {
            size_t game = pass->game + b;
            for (size_t i = set->first[game]; i < set->first[game + 1]; i++, kept += V) {
                memcpy(kept, logits + (b * point->T + set->t[i]) * V, V * sizeof(float));
                int bad = answer_bad_token(kept, (int)V);
                if (bad >= 0) {
                    return err_set(OGPT_ENUM,
                                   "the lens at %s of layer %d, game %zu of the sample: logit %g "
                                   "of token %d, expected a finite number; check the model "
                                   "(ogpt verify)",
                                   hook_site_name(point->site), point->layer, game,
                                   (double)kept[bad], bad);
                }
            }
        }
    }
    return 0;
}

/* What an answer is judged by. */
typedef struct LensJudge {
    uint64_t legal;
    int played; /* token */
    const float *final;
    double final_total; /* ln of the sum of exp of its logits */
} LensJudge;

static void judge(double scores[N_LENS_SCORES], uint8_t *exact, const LensJudge *by,
                  const float *logits, size_t V)
{
    int n_legal = __builtin_popcountll(by->legal), first = answer_top(logits, (int)V);
    double total = answer_log_total(logits, (int)V);
    uint64_t set = answer_top_set(logits, (int)V, n_legal);
    scores[LENS_KL] = answer_kl(by->final, by->final_total, logits, total, (int)V);
    scores[LENS_EXCESS] = total - (double)logits[by->played] - log(n_legal);
    scores[LENS_KL_LEGAL] = answer_uniform_kl(logits, (int)V, by->legal);
    scores[LENS_STRICT] = by->legal >> first & 1 ? 0 : 1;
    scores[LENS_F1] = (double)__builtin_popcountll(set & by->legal) / n_legal;
    *exact = set == by->legal;
}

static void judge_position(const LensRun *run, const LensWorker *worker, const LensJudge *by,
                           size_t game, const size_t at[2])
{
    LensMeasured *out = run->out;
    double scores[N_LENS_SCORES];
    for (size_t r = 0; r < run->reading->n; r++) {
        size_t reader = run->reading->first + r;
        for (int place = run->reading->first_place; place < out->n_places; place++) {
            size_t row = reader * (size_t)out->n_places + (size_t)place;
            judge(scores, &out->exact[row * out->n_positions + at[0]], by,
                  kept_at(run, worker, r, place) + at[1] * run->V, run->V);
            for (int score = 0; score < N_LENS_SCORES; score++) {
                lens_measured_at(out, reader, place, score)[game] += scores[score];
            }
        }
    }
}

static void compare_last(const LensRun *run, LensWorker *worker, const float *logits, size_t kept)
{
    const LensReading *reading = run->reading;
    for (size_t r = 0; r < reading->n && reading->head == reading->gpt; r++) {
        const float *lens = kept_at(run, worker, r, run->out->n_places - 1) + kept * run->V;
        for (size_t v = 0; v < run->V && !reading->banks[r]; v++) {
            double gap = fabs((double)lens[v] - (double)logits[v]);
            worker->last_error = gap > worker->last_error ? gap : worker->last_error;
        }
    }
}

static int judge_pass(void *context, const PassBatch *pass)
{
    const LensRun *run = context;
    const PositionSet *set = run->reading->set;
    const GameVariant *variant = set->vocab->variant;
    LensWorker *worker = &run->workers[pass->worker];
    size_t V = run->V, kept = 0;
    Board after[GAME_MAX_MOVES];
    for (size_t b = 0; b < pass->B; b++) {
        size_t game = pass->game + b;
        const uint8_t *moves = pass->moves + b * (size_t)variant->n_moves;
        int n = game_length(moves, variant->n_moves);
        if (game_replay(variant, moves, n, after) != n) {
            return err_set(OGPT_EFORMAT,
                           "game %zu of the sample has an illegal move; run ogpt verify on the "
                           "corpus",
                           game);
        }
        for (size_t i = set->first[game]; i < set->first[game + 1]; i++, kept++) {
            const float *logits = pass->logits + (b * pass->T + set->t[i]) * V;
            float *final = run->out->finals + i * V;
            if (!run->reading->keep_finals) {
                memcpy(final, logits, V * sizeof(float));
            }
            compare_last(run, worker, logits, kept);
            uint64_t legal = board_moves(variant, &after[set->t[i]]);
            const LensJudge by = {.legal = answer_tokens(set->vocab, legal),
                                  .played = set->vocab->tok_of_sq[moves[set->t[i] + 1]],
                                  .final = final,
                                  .final_total = answer_log_total(final, (int)V)};
            judge_position(run, worker, &by, game, (const size_t[]){i, kept});
        }
    }
    return 0;
}

/* ---- the run ---- */

static size_t most_positions(const PositionSet *set)
{
    size_t most = 0;
    for (size_t g = 0; g < set->n_games; g += PASS_GAMES) {
        size_t end = g + PASS_GAMES < set->n_games ? g + PASS_GAMES : set->n_games;
        size_t n = set->first[end] - set->first[g];
        most = n > most ? n : most;
    }
    return most;
}

static int workers_make(LensRun *run, size_t n_workers)
{
    const LensReading *reading = run->reading;
    size_t rows = PASS_GAMES * (size_t)reading->gpt->cfg.n_ctx;
    size_t numbers = reading->n * (size_t)run->out->n_places * run->most * run->V;
    int rc = 0;
    run->workers = mem_calloc(n_workers, sizeof(*run->workers), "workers of lenses");
    for (size_t i = 0; run->workers && i < n_workers && rc == 0; i++) {
        LensWorker *worker = &run->workers[i];
        rc = tape_new(&worker->tape, &reading->head->cfg, PASS_GAMES, TAPE_FORWARD, NULL);
        worker->moved = mem_alloc(rows * run->C, sizeof(float), "translated rows");
        worker->scratch =
            mem_alloc(kernels_fast()->scratch_bytes(rows, run->C, run->C) + 64, 1, "products");
        worker->kept = mem_alloc(numbers, sizeof(float), "answers of lenses");
        if (rc == 0 && (!worker->moved || !worker->scratch || !worker->kept)) {
            rc = OGPT_ENOMEM;
        }
    }
    return run->workers ? rc : OGPT_ENOMEM;
}

static void workers_release(LensRun *run, size_t n_workers)
{
    for (size_t i = 0; run->workers && i < n_workers; i++) {
        LensWorker *worker = &run->workers[i];
        run->out->last_error =
            worker->last_error > run->out->last_error ? worker->last_error : run->out->last_error;
        tape_free(worker->tape);
        mem_free(worker->moved);
        mem_free(worker->scratch);
        mem_free(worker->kept);
    }
    mem_free(run->workers);
}

int lens_measure(LensMeasured *out, const LensReading *reading, const Work *work)
{
    const PositionSet *set = reading->set;
    LensRun run = {.out = out,
                   .reading = reading,
                   .most = most_positions(set),
                   .C = (size_t)reading->gpt->cfg.d_model,
                   .V = (size_t)reading->gpt->cfg.d_vocab};
    PassGames games = {.vocab = set->vocab, .n = set->n_games, .moves = set->moves};
    PassCalls calls = {.context = &run, .hook = read_place, .visit = judge_pass};
    size_t n_workers = work_workers(work);
    if (!gpt_config_same_shape(&reading->gpt->cfg, &reading->head->cfg)) {
        return err_set(OGPT_EFORMAT, "the lens belongs to a network of another shape");
    }
    for (int place = reading->first_place; place < out->n_places; place++) {
        passes_hook_layer(&calls, lens_site(place), lens_layer(place));
    }
    int rc = workers_make(&run, n_workers);
    rc = rc ? rc : passes_run(reading->gpt, &games, &calls, work);
    workers_release(&run, n_workers);
    return rc;
}
