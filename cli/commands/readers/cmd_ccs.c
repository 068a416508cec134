/* cli/commands/readers/cmd_ccs.c - ogpt ccs: the board found without labels, and the trap beside
 * it. */
#include "base/arena.h"
#include "base/err.h"
#include "cli/commands/common/kept_blocks.h"
#include "cli/commands/common/model_input.h"
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
    OPTION_INT("memory", AT(memory), "MIB", 1, 1e6, "how much memory it may take", .def = "4096"),
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

/* All positions of the games of a split. */
static int draw_split(CcsSession *session, int split, const Work *work)
{
    static const RngPurpose purposes[] = {RNG_FRESH, RNG_HELDOUT, RNG_EVAL};
    static const unsigned splits[] = {SPLIT_TRAIN, SPLIT_VALIDATION, SPLIT_TEST};
    const CcsOptions *given = session->given;
    const GameVariant *variant = session->inputs.subject.variant;
    size_t games = (size_t)(split == 0 ? given->games : given->test_games);
    GameSource *source = NULL;
    int rc = given->corpus ? source_corpus(&source, session->inputs.corpus, 1U << splits[split],
                                           true, work->seed)
                           : source_fresh(&source, variant, work->seed, purposes[split]);
    rc = rc ? rc
            : labelled_draw(&session->sets[split], source, task_find("mine"), LABELS_MOVER, games,
                            0, work);
    source_free(source);
    session->study.sets[split] = &session->sets[split];
    return rc;
}

static int draw(CcsSession *session)
{
    Context *context = session->context;
    const CcsOptions *given = session->given;
    const Work *work = study_work(context, "games", "games");
    int rc = 0;
    session->study.options = (LatentOptions){(size_t)given->starts, (size_t)given->steps};
    for (int split = 0; split < 3 && rc == 0; split++) {
        rc = draw_split(session, split, work);
    }
    int64_t mib = rc ? 0 : (int64_t)(latent_study_bytes(&session->study, work) >> 20) + 1;
    if (mib > given->memory) {
        rc = err_set(OGPT_EUSAGE,
                     "it would take %lld MiB of memory, allowed are %lld: take fewer --games or "
                     "--starts, or a larger --memory",
                     (long long)mib, (long long)given->memory);
    }
    return rc;
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
    int rc = context_inputs_open(context, &session.inputs, context->args[0], session.given->corpus);
    rc = rc ? rc : choose_layers(&session);
    rc = rc ? rc : study_begin(context, session.inputs.subject.model.path, true);
    rc = rc ? rc : draw(&session);
    rc = rc ? rc : compute(&study, &kept, &session);
    if (rc == 0) {
        ccs_report(context->report,
                   &(CcsFindings){.study = &study,
                                  .in = &session.study,
                                  .corpus = session.given->corpus,
                                  .model_hash = session.inputs.subject.model.model_hash,
                                  .seed = context->seed});
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
