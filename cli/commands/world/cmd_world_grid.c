/* cli/commands/world/cmd_world_grid.c - ogpt world grid: trainings by layers, games and seeds, and
 * what each network knows of games that it saw and of others. */
#include <stdio.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/number_list.h"
#include "cli/commands/common/kept_blocks.h"
#include "cli/commands/common/shared_options.h"
#include "cli/study.h"
#include "num/blas.h"
#include "report/world/grid_result.h"

typedef struct GridCommandOptions {
    const char *size, *games, *layers, *preset;
    int64_t seeds, d_model, heads, steps, batch, planted, copies, score_games;
} GridCommandOptions;

#define AT(field) offsetof(GridCommandOptions, field)
static const OptionSpec options[] = {
    OPTION_CHOICE("size", AT(size), "4|6|8", "squares a side of the board", .def = "6"),
    OPTION_TEXT("games", AT(games), "N[,N]", "games of the corpora", .def = "300,1000,3000,10000"),
    OPTION_TEXT("layers", AT(layers), "N[,N]", "blocks of the networks", .def = "1,2,4"),
    OPTION_INT("seeds", AT(seeds), "N", 1, 100,
               "trainings of each cell: first weights and order of games from --seed on",
               .def = "1"),
    OPTION_CHOICE("preset", AT(preset), GPT_PRESETS, "width and heads", .def = "nano"),
    OPTION_INT("d-model", AT(d_model), "N", 1, 4096, "width, instead of the preset's"),
    OPTION_INT("heads", AT(heads), "N", 1, 256, "heads, instead of the preset's"),
    OPTION_INT("steps", AT(steps), "N", 1, TRAIN_MAX_STEPS, "updates of every training",
               .def = "1000"),
    OPTION_INT("batch", AT(batch), "N", 1, 65536, "games an update; a multiple of 8", .def = "64"),
    OPTION_INT("planted", AT(planted), "N", 0, 10000,
               "games that are in each corpus several times: how well are they known?", .def = "8"),
    OPTION_INT("copies", AT(copies), "N", 2, 10000, "how often", .def = "8"),
    OPTION_INT("score-games", AT(score_games), "N", 4, 100000,
               "held-out games, and at most as many seen ones, that a network is scored on",
               .def = "512"),
};

typedef struct GridSession {
    Context *context;
    const char *folder;
    GridPlan plan;
    GridCell cells[GRID_CELLS_MAX];
    size_t n;
    GridScore scores[GRID_CELLS_MAX];
    KeptWork kept;
} GridSession;

/* Cells in the order of the table: layers, games, seeds. */
static int cells_list(GridSession *session)
{
    const GridCommandOptions *given = session->context->options;
    enum { MOST = 32 };
    double layers[MOST], games[MOST];
    int n_layers = 0, n_games = 0;
    int rc =
        number_list_read(layers, &n_layers, given->layers, &(NumberList){"layers", 64, true, MOST});
    rc = rc ? rc
            : number_list_read(games, &n_games, given->games,
                               &(NumberList){"games", 1e7, true, MOST});
    for (int l = 0; rc == 0 && l < n_layers; l++) {
        for (int g = 0; g < n_games; g++) {
            for (int64_t s = 0; s < given->seeds; s++, session->n++) {
                if (session->n < GRID_CELLS_MAX) {
                    session->cells[session->n] = (GridCell){(int)layers[l], (size_t)games[g],
                                                            session->context->seed + (uint64_t)s};
                }
            }
        }
    }
    return rc;
}

static int plan_make(GridSession *session)
{
    const Context *context = session->context;
    const GridCommandOptions *given = context->options;
    GridPlan *plan = &session->plan;
    GptConfig *shape = &plan->shape;
    plan->variant = game_variant(given->size[0] - '0');
    const Vocab *vocab = vocab_of(plan->variant);
    int rc = gpt_config_preset(shape, given->preset);
    shape->d_model = given->d_model > 0 ? (int)given->d_model : shape->d_model;
    shape->n_heads = given->heads > 0 ? (int)given->heads : shape->n_heads;
    if (rc == 0 && shape->d_model % shape->n_heads != 0) {
        rc = err_set(OGPT_EUSAGE, "--heads %d does not divide the width %d; choose a divisor",
                     shape->n_heads, shape->d_model);
    }
    shape->d_head = shape->d_model / shape->n_heads;
    shape->d_mlp = 4 * shape->d_model;
    shape->n_ctx = vocab->n_ctx;
    shape->d_vocab = vocab->d_vocab;
    plan->train = TRAIN_OPTIONS_DEFAULT;
    plan->train.steps = given->steps;
    plan->train.minutes = 0;
    plan->train.batch = given->batch;
    train_options_complete(&plan->train);
    plan->planted = (size_t)given->planted;
    plan->copies = (size_t)given->copies;
    plan->score_games = (size_t)given->score_games;
    plan->seed = context->seed;
    plan->command_line = context->command_line;
    rc = rc ? rc : cells_list(session);
    const char *reason = rc ? NULL : grid_check(plan, session->cells, session->n);
    reason = rc || reason ? reason : train_options_check(&plan->train);
    reason = rc || reason ? reason : gpt_config_check(shape);
    return rc || !reason ? rc : err_set(OGPT_EUSAGE, "grid: %s", reason);
}

/* The score of a finished training depends on the folder's corpora, which the options decide. */
static int journal_begin(GridSession *session)
{
    Sha256 *hash = NULL;
    int rc = kept_blocks_key(&hash, session->context, session->folder);
    rc = rc ? rc : kept_blocks_options(hash, session->context);
    return kept_blocks_begin(&session->kept, session->context, hash, rc);
}

static int cell_run(GridSession *session, size_t i)
{
    const WorkJournal *journal = &session->kept.callbacks;
    const GridCell *cell = &session->cells[i];
    double *numbers = (double *)&session->scores[i];
    char label[96];
    Gpt *gpt = NULL;
    int kept = journal->recall(journal->context, numbers, GRID_SCORE_NUMBERS, "cell", i);
    if (kept != 0) {
        return kept < 0 ? kept : 0;
    }
    snprintf(label, sizeof(label), "%zu of %zu: layers %d games %zu", i + 1, session->n,
             cell->layers, cell->games);
    const Work *work = study_work(session->context, label, "steps");
    int rc = grid_train(&gpt, session->folder, &session->plan, cell, work);
    rc =
        rc ? rc : grid_score(&session->scores[i], gpt, session->folder, &session->plan, cell, work);
    gpt_free(gpt);
    return rc ? rc : journal->keep(journal->context, numbers, GRID_SCORE_NUMBERS, "cell", i);
}

static int grid_run(Context *context)
{
    GridSession *session = mem_calloc(1, sizeof(*session), "a grid of trainings");
    if (!session) {
        return OGPT_ENOMEM;
    }
    session->context = context;
    session->folder = context->args[0];
    int rc = blas_reserve(context->threads);
    rc = rc ? rc : plan_make(session);
    rc = rc ? rc : study_begin(context, session->folder, true);
    rc = rc ? rc : journal_begin(session);
    rc = rc ? rc
            : grid_games_make(session->folder, &session->plan, session->cells, session->n,
                              study_work(context, "games", "corpora"));
    for (size_t i = 0; rc == 0 && i < session->n; i++) {
        rc = cell_run(session, i);
    }
    if (rc == 0) {
        world_report_grid(context->report,
                          &(GridReport){session->folder, &session->plan, session->cells,
                                        session->scores, session->n});
        rc = kept_blocks_end(&session->kept);
    }
    mem_free(session);
    return rc;
}

const Command cmd_world_grid = {
    .name = "world grid",
    .arguments = "FOLDER [--layers N,N] [--games N,N] [--seeds N]",
    .summary =
        "trainings by layers and games: what is known of games that were seen, and of others",
    .examples = "ogpt world grid grid --size 4 --layers 1,2 --games 200,1000 --steps 40\n"
                "ogpt world grid depths --games 1000,10000 --layers 1,2,4,8 --seeds 3 --steps 3000",
    COMMAND_OPTIONS(options, GridCommandOptions),
    .min_args = 1,
    .max_args = 1,
    .uses = USES_SEED | USES_THREADS | USES_STORE,
    COMMAND_TABLES(&grid_table, &grid_cells_table),
    .run = grid_run,
};
