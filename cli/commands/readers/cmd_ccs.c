/* cli/commands/readers/cmd_ccs.c - ogpt ccs: the board found without labels, and the trap beside
 * it. */
#include "base/arena.h"
#include "base/err.h"
#include "cli/commands/common/game_input.h"
#include "cli/commands/common/kept_blocks.h"
#include "cli/commands/common/model_input.h"
#include "cli/commands/common/shared_options.h"
#include "cli/study.h"
#include "report/readers/ccs_result.h"

typedef struct CcsOptions {
    const char *corpus;
    int64_t games, test_games, starts, steps, memory;
    LayerList layers;
} CcsOptions;

#define AT(field) offsetof(CcsOptions, field)
static const OptionSpec options[] = {
    OPTION_TEXT("corpus", AT(corpus), "CORPUS",
                "games of its three splits (default: fresh random games, by the seed)"),
    OPTION_INT("games", AT(games), "N", 2, 1e6, "training games, whose labels nobody looks at",
               .def = "200"),
    OPTION_INT("test-games", AT(test_games), "N", 2, 1e6,
               "test games, and as many validation games for the signs", .def = "100"),
    OPTION_ROW("layers", OPT_LAYERS, AT(layers), "layers whose resid_post is asked", .def = "auto",
               .choices = "all|auto"),
    OPTION_INT("starts", AT(starts), "N", 1, 64, "starts of CCS for each square; the best is kept",
               .def = "5"),
    OPTION_INT("steps", AT(steps), "N", 1, 100000, "steps of CCS", .def = "200"),
    OPTION_MEMORY(AT(memory)),
};

typedef struct CcsSession {
    Context *context;
    const CcsOptions *given;
    StudyInputs inputs; /* subject, and the corpus or NULL */
    LayerList layers;
    LabelledSet sets[3];
    LatentInputs study;
} CcsSession;

/* The layers; auto: that in the middle. */
static int choose_layers(CcsSession *session)
{
    const ModelFile *model = &session->inputs.subject.model;
    session->layers = session->given->layers;
    if (session->layers.word == LAYERS_AUTO) {
        session->layers =
            (LayerList){.word = LAYERS_LISTED, .n = 1, .layers = {model->gpt->cfg.n_layers / 2}};
    }
    int rc = layers_resolve(&session->layers, model->gpt->cfg.n_layers, true, model->path);
    session->study.layers = session->layers.layers;
    session->study.n_layers = session->layers.n;
    session->study.gpt = model->gpt;
    return rc;
}

/* The games of a split, and how many of those asked for there are. */
static int open_split(GameSource **source, size_t *games, const CcsSession *session, int split,
                      uint64_t seed)
{
    static const RngPurpose purposes[] = {RNG_FRESH, RNG_HELDOUT, RNG_EVAL};
    static const Split splits[] = {SPLIT_TRAIN, SPLIT_VALIDATION, SPLIT_TEST};
    const CcsOptions *given = session->given;
    int rc = source_of(source, session->inputs.corpus, splits[split], true,
                       session->inputs.subject.variant, seed, purposes[split]);
    size_t asked = (size_t)(split == 0 ? given->games : given->test_games);
    size_t there = rc == 0 ? (size_t)source_games(*source) : 0; /* 0: it never ends */
    *games = there > 0 && there < asked ? there : asked;
    return rc;
}

/* All positions of the games; refused before the first is drawn, if they would take too much. */
static int draw(CcsSession *session)
{
    Context *context = session->context;
    const CcsOptions *given = session->given;
    const Work *work = study_work(context, "games", "games");
    GameSource *sources[3] = {NULL};
    size_t games[3];
    int rc = 0;
    session->study.options = (LatentOptions){(size_t)given->starts, (size_t)given->steps, 0};
    for (int split = 0; split < 3 && rc == 0; split++) {
        rc = open_split(&sources[split], &games[split], session, split, work->seed);
    }
    rc = rc ? rc
            : context_check_memory(latent_study_bytes(games, session->inputs.subject.variant,
                                                      session->study.gpt, &session->study.options,
                                                      work),
                                   given->memory, "fewer --games or --starts");
    for (int split = 0; split < 3; split++) {
        rc = rc ? rc
                : labelled_draw(&session->sets[split], sources[split], task_find("mine"),
                                LABELS_MOVER, games[split], 0, work);
        source_free(sources[split]);
        session->study.sets[split] = &session->sets[split];
    }
    return rc;
}

/* Planted rows hold the board for certain: if CCS does not read it there, it says nothing of the
 * network either. */
static void judge(const Context *context, const LatentStudy *study)
{
    double read = latent_study_check(study)->score.accuracy.value;
    if (read < LATENT_FOUND) {
        context_warn(context,
                     "CCS reads %.1f %% of planted boards, expected %.0f %% or more: the rows of "
                     "networks say little; take more --games, --steps or --starts",
                     100 * read, 100 * LATENT_FOUND);
    }
}

/* Finished fits are kept until the tables are filled. */
static int compute(LatentStudy *study, KeptWork *kept, const CcsSession *session)
{
    Context *context = session->context;
    Work work = *study_work(context, "fits", "fits");
    Sha256 *hash = NULL;
    int rc = kept_blocks_key(&hash, context, session->inputs.subject.model.model_hash);
    if (rc == 0) {
        latent_study_hash(hash, &session->study);
    }
    rc = kept_blocks_begin(kept, context, hash, rc);
    work.journal = &kept->callbacks;
    return rc ? rc : latent_study_run(study, &session->study, &work);
}

static int ccs_run(Context *context)
{
    CcsSession session = {.context = context, .given = context->options};
    LatentStudy study = {0};
    KeptWork kept = {0};
    char source[GAME_WORDS_MAX];
    context_games_words(source, context, session.given->corpus, "training, validation and test");
    int rc = context_inputs_open(context, &session.inputs, context->args[0], session.given->corpus);
    rc = rc ? rc : choose_layers(&session);
    rc = rc ? rc : study_begin(context, session.inputs.subject.model.path, true);
    rc = rc ? rc : draw(&session);
    rc = rc ? rc : compute(&study, &kept, &session);
    if (rc == 0) {
        ccs_report(context->report,
                   &(CcsFindings){.study = &study,
                                  .in = &session.study,
                                  .source = source,
                                  .model_hash = session.inputs.subject.model.model_hash});
        judge(context, &study);
        rc = kept_blocks_end(&kept);
    }
    latent_study_release(&study);
    for (int split = 0; split < 3; split++) {
        labelled_release(&session.sets[split]);
    }
    context_inputs_release(&session.inputs);
    return rc;
}

const Command cmd_ccs = {
    .name = "ccs",
    .arguments = "MODEL [--corpus CORPUS] [--layers LIST]",
    .summary = "the board found without labels, from consecutive plies, and the trap of parity",
    .examples = "ogpt ccs tiny-6x6\n"
                "ogpt ccs runs/tiny --corpus games.ogpc --layers 3,5",
    COMMAND_OPTIONS(options, CcsOptions),
    .min_args = 1,
    .max_args = 1,
    .model_args = 1,
    .uses = USES_SEED | USES_THREADS | USES_STORE | USES_FORCE,
    COMMAND_TABLES(&ccs_table, &ccs_scores_table, &ccs_squares_table),
    .run = ccs_run,
};
