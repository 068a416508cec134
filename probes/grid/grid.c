/* probes/grid/grid.c - training and scoring one cell; contract in probes/grid/grid.h. */
#include "probes/grid/grid.h"

#include <math.h>

#include "base/arena.h"
#include "base/err.h"
#include "probes/board/quick_probe.h"

/* ---- training ---- */

static void show_step(void *context, const TrainReport *report)
{
    work_tick(context, "steps", (double)report->step, (double)report->steps);
}

int grid_train(Gpt **gpt, const char *folder, const GridPlan *plan, const GridCell *cell,
               const Work *work)
{
    char run[FILES_PATH_MAX], games[FILES_PATH_MAX];
    TrainOptions train = plan->train;
    GptConfig cfg = plan->shape;
    Work listener = *work;
    const TrainObserver observer = {.context = &listener, .stepped = show_step};
    TrainJob job = {.run_path = run,
                    .cfg = &cfg,
                    .options = &train,
                    .corpus_path = games,
                    .observer = &observer};
    TrainResult result;
    ModelFile model = {0};
    Corpus *corpus = NULL;
    GameSource *source = NULL;
    Js *about = NULL;
    *gpt = NULL;
    train.seed = cfg.seed = cell->seed;
    cfg.n_layers = cell->layers;
    int rc = grid_run_path(run, folder, cell);
    rc = rc ? rc : grid_games_path(games, folder, cell->games);
    rc = rc ? rc : corpus_open(&corpus, games, false);
    rc = rc ? rc : source_corpus(&source, corpus, SPLIT_ALL, true, cell->seed);
    if (rc == 0) {
        job.source = source;
        job.about = about = train_about(&job, NULL, plan->command_line);
        rc = train_run(&result, &job, work);
    }
    rc = rc ? rc : model_load(&model, result.path, NULL);
    if (rc == 0) {
        *gpt = model.gpt;
        model.gpt = NULL;
    }
    model_release(&model);
    js_free(about);
    source_free(source);
    corpus_close(corpus);
    return rc;
}

/* ---- scores ---- */

double grid_memorisation(const LegalityScore *held, const LegalityScore *seen)
{
    double sum = 0, weight = 0;
    for (int t = 0; t < GAME_MAX_MOVES; t++) {
        const LegalitySums *h = &held->by_ply[t], *s = &seen->by_ply[t];
        if (h->positions > 0 && s->positions > 0) {
            sum += h->loss - h->floor - h->positions * (s->loss - s->floor) / s->positions;
            weight += h->positions;
        }
    }
    return sum / weight;
}

double grid_exposure(double excess, const double *others, size_t n)
{
    size_t rank = 1;
    for (size_t i = 0; i < n; i++) {
        rank += others[i] < excess;
    }
    return log2((double)(n + 1) / (double)rank);
}

/* What a network scores on some games, game by game. */
typedef struct GridPart {
    LegalityScore score;
    double *excess, *positions; /* (n_games) sums */
    double *strict;
    double *mean; /* excess a position */
} GridPart;

static void part_release(GridPart *part)
{
    legality_release(&part->score);
    mem_free(part->excess);
}

static int part_score(GridPart *out, const Gpt *gpt, Corpus *corpus, size_t first, size_t n,
                      const Work *work)
{
    GameSource *source = NULL;
    const Work quiet = work_quiet(work);
    *out = (GridPart){0};
    out->excess = mem_calloc(4 * n, sizeof(double), "sums of games");
    int rc =
        out->excess ? source_corpus(&source, corpus, SPLIT_ALL, false, work->seed) : OGPT_ENOMEM;
    rc = rc ? rc : legality_score(&out->score, gpt, source, first, n, &quiet);
    source_free(source);
    out->positions = out->excess + n;
    out->strict = out->positions + n;
    out->mean = out->strict + n;
    for (size_t g = 0; rc == 0 && g < n; g++) {
        const LegalitySums *game = &out->score.games[g];
        out->excess[g] = game->loss - game->floor;
        out->positions[g] = game->positions;
        out->strict[g] = game->strict_errors;
        out->mean[g] = out->excess[g] / game->positions;
    }
    return rc;
}

/* Mean exposure of games first .. first + n - 1 of a part; in place of their mean excess. */
static Interval exposure_of(GridPart *part, size_t first, size_t n, const GridPart *others,
                            size_t n_others, uint64_t seed)
{
    for (size_t i = first; i < first + n; i++) {
        part->mean[i] = grid_exposure(part->mean[i], others->mean, n_others);
    }
    return bootstrap_ratio(part->mean + first, NULL, n, seed);
}

static int board_read(GridScore *out, const Gpt *gpt, const GridPlan *plan, Corpus *held,
                      const Work *work)
{
    GameSource *fit = NULL, *test = NULL;
    QuickProbe *probe = NULL;
    QuickScore score = {0};
    const Work quiet = work_quiet(work);
    int rc = source_fresh(&fit, plan->variant, plan->seed, RNG_PROBE_GAMES);
    rc = rc ? rc : source_corpus(&test, held, SPLIT_ALL, false, work->seed);
    rc = rc ? rc : quick_probe_new(&probe, fit, test, &quiet);
    rc = rc ? rc : quick_probe_score(&score, probe, gpt, &quiet);
    out->probe = score.accuracy;
    out->probe_boards = score.board;
    quick_probe_free(probe);
    source_free(fit);
    source_free(test);
    return rc;
}

/* All numbers of games that were seen and others. */
static void parts_compare(GridScore *out, GridPart *seen, GridPart *held, GridPart *planted,
                          uint64_t seed)
{
    size_t n = seen->score.n_games, n_held = held->score.n_games, half = n_held / 2;
    size_t n_planted = planted->score.n_games;
    out->train_excess = bootstrap_ratio(seen->excess, seen->positions, n, seed);
    out->held_excess = bootstrap_ratio(held->excess, held->positions, n_held, seed);
    out->train_strict = bootstrap_ratio(seen->strict, seen->positions, n, seed);
    out->held_strict = bootstrap_ratio(held->strict, held->positions, n_held, seed);
    out->memorisation = grid_memorisation(&held->score, &seen->score);
    out->exposure_planted = exposure_of(planted, 0, n_planted, held, half, seed);
    out->exposure_once = exposure_of(seen, 0, n, held, half, seed);
    out->exposure_none = exposure_of(held, half, n_held - half, held, half, seed);
}

int grid_score(GridScore *out, const Gpt *gpt, const char *folder, const GridPlan *plan,
               const GridCell *cell, const Work *work)
{
    char path[FILES_PATH_MAX];
    Corpus *corpus = NULL, *held_out = NULL;
    GridPart seen = {0}, held = {0}, planted = {0};
    size_t repeated = plan->planted * plan->copies, once = cell->games - repeated;
    *out = (GridScore){.parameters = (double)gpt_config_parameters(&gpt->cfg)};
    out->epochs = (double)train_games(&plan->train, plan->train.steps) / (double)cell->games;
    int rc = grid_games_path(path, folder, cell->games);
    rc = rc ? rc : corpus_open(&corpus, path, false);
    rc = rc ? rc : grid_games_path(path, folder, 0);
    rc = rc ? rc : corpus_open(&held_out, path, false);
    rc = rc ? rc : part_score(&held, gpt, held_out, 0, plan->score_games, work);
    rc = rc ? rc
            : part_score(&seen, gpt, corpus, repeated,
                         once < plan->score_games ? once : plan->score_games, work);
    rc = rc || plan->planted == 0 ? rc : part_score(&planted, gpt, corpus, 0, plan->planted, work);
    rc = rc ? rc : board_read(out, gpt, plan, held_out, work);
    if (rc == 0) {
        parts_compare(out, &seen, &held, &planted, work->seed);
    }
    part_release(&seen);
    part_release(&held);
    part_release(&planted);
    corpus_close(corpus);
    corpus_close(held_out);
    return rc;
}
