/* cli/commands/readers/cmd_illusion.c - ogpt illusion: does an edit work through what its layer
 * reads? */
#include "cli/commands/common/game_input.h"
#include "cli/commands/common/model_input.h"
#include "cli/commands/common/probe_input.h"
#include "cli/commands/common/shared_options.h"
#include "cli/study.h"
#include "datasets/batch.h"
#include "report/directions/illusion_result.h"

typedef struct IllusionOptions {
    const char *corpus, *probe;
    int site;
    double kept;
    int64_t pairs, training_pairs, fit_games, plies, gram_pairs, memory;
} IllusionOptions;

#define AT(field) offsetof(IllusionOptions, field)
static const OptionSpec options[] = {
    OPTION_ENUM("site", AT(site), "mlp_post|resid_post",
                "whose directions: mlp_post, which W_out reads, or the residual stream",
                .def = "mlp_post"),
    OPTION_PROBE(AT(probe), "a probe of the site, for its directions and for descent through it"),
    OPTION_NUM("kept", AT(kept), "SHARE", 0.01, 1,
               "of the residual stream: the space that is read holds this share of E[J^T J]",
               .def = "0.99"),
    OPTION_TEXT("corpus", AT(corpus), "CORPUS",
                "games whose training split gives the class means (default: fresh random games, by "
                "the seed); pairs are of fresh random games always"),
    OPTION_INT("pairs", AT(pairs), "N", 1, 1e5,
               "pairs of histories whose boards differ in a square", .def = "300"),
    OPTION_INT("training-pairs", AT(training_pairs), "N", 1, 1e5,
               "other pairs that directions are trained on", .def = "1000"),
    OPTION_INT("fit-games", AT(fit_games), "N", 2, 1e6, "games for class means", .def = "2000"),
    OPTION_INT("plies", AT(plies), "N", 0, 60, "positions drawn from each; 0 takes all",
               .def = "8"),
    OPTION_INT("gram-pairs", AT(gram_pairs), "N", 1, 1e5,
               "positions for E[J^T J], of the training pairs", .def = "192"),
    OPTION_MEMORY(AT(memory)),
};

typedef struct IllusionSession {
    Context *context;
    const IllusionOptions *given;
    StudyInputs inputs;
    Probe probe;
    char probe_path[FILES_PATH_MAX]; /* "": none */
    char means_source[GAME_WORDS_MAX], pairs_source[GAME_WORDS_MAX];
    SteerFit fit;
    PairSet training, test;
    IllusionStudyInputs study;
} IllusionSession;

static int check_neurons(const Probe *probe, const char *path)
{
    return steer_bank_check_probe(probe, path, HOOK_POST);
}

static int check_stream(const Probe *probe, const char *path)
{
    return steer_bank_check_probe(probe, path, HOOK_RESID_POST);
}

static int prepare(IllusionSession *session)
{
    const IllusionOptions *given = session->given;
    Context *context = session->context;
    GameSource *source = NULL;
    const GameVariant *variant = session->inputs.subject.variant;
    context_games_words(session->means_source, context, given->corpus, "training");
    context_games_words(session->pairs_source, context, NULL, NULL);
    int rc = source_of(&source, session->inputs.corpus, SPLIT_TRAIN, true, variant, context->seed,
                       RNG_FRESH);
    rc = rc ? rc
            : steer_fit_draw(&session->fit, source, STEER_MINE, (size_t)given->fit_games,
                             (int)given->plies, study_work(context, "positions", "games"));
    source_free(source);
    return rc ? rc
              : illusion_pairs(&session->training, &session->test, variant,
                               (size_t)given->training_pairs, (size_t)given->pairs,
                               study_work(context, "pairs", "pairs"));
}

/* Too much memory is refused; what is left of it may hold rows of games. */
static int compute(IllusionStudy *study, const IllusionSession *session)
{
    Work work = *study_work(session->context, "directions", "pairs");
    const size_t bytes = illusion_study_bytes(&session->study, &work);
    const size_t allowed = (size_t)session->given->memory << 20;
    int rc = context_check_memory(bytes, session->given->memory,
                                  "fewer --pairs, --training-pairs or --fit-games");
    work.memory_bytes = allowed - bytes + 1;
    return rc ? rc : illusion_study_run(study, &session->study, &work);
}

static int illusion_run(Context *context)
{
    IllusionSession session = {.context = context, .given = context->options};
    IllusionStudy study = {0};
    session.study = (IllusionStudyInputs){.fit = &session.fit,
                                          .training = &session.training,
                                          .test = &session.test,
                                          .site = session.given->site ? HOOK_RESID_POST : HOOK_POST,
                                          .kept = session.given->kept,
                                          .gram_pairs = (size_t)session.given->gram_pairs};
    int rc = context_inputs_open(context, &session.inputs, context->args[0], session.given->corpus);
    rc = rc ? rc
            : context_probe_fitting(context, &session.probe, session.probe_path,
                                    &session.inputs.subject, session.given->probe,
                                    session.given->site ? check_stream : check_neurons,
                                    "directions of a probe");
    session.study.probe = session.probe_path[0] ? &session.probe : NULL;
    rc = rc ? rc : study_begin(context, session.inputs.subject.model.path, false);
    rc = rc ? rc : prepare(&session);
    session.study.gpt = rc ? NULL : session.inputs.subject.model.gpt;
    rc = rc ? rc : compute(&study, &session);
    if (rc == 0) {
        const char *probe = session.study.probe ? session.probe_path : NULL;
        illusion_report(context->report,
                        &(IllusionFindings){.study = &study,
                                            .in = &session.study,
                                            .means_source = session.means_source,
                                            .pairs_source = session.pairs_source,
                                            .model_hash = session.inputs.subject.model.model_hash,
                                            .probe = probe});
    }
    illusion_study_release(&study);
    steer_fit_release(&session.fit);
    pairs_release(&session.training);
    pairs_release(&session.test);
    probe_release(&session.probe);
    context_inputs_release(&session.inputs);
    return rc;
}

const Command cmd_illusion = {
    .name = "illusion",
    .arguments = "MODEL [--site SITE] [--probe PROBE] [--corpus CORPUS]",
    .summary = "does an edit work through what its layer reads, or through what nothing reads?",
    .examples = "ogpt illusion tiny-6x6 --pairs 100 --training-pairs 300 --fit-games 500\n"
                "ogpt illusion tiny-6x6 --site resid_post --pairs 100 --fit-games 500",
    COMMAND_OPTIONS(options, IllusionOptions),
    .min_args = 1,
    .max_args = 1,
    .model_args = 1,
    .uses = USES_SEED | USES_THREADS | USES_STORE | USES_FORCE,
    COMMAND_TABLES(&illusion_table, &illusion_best_table, &illusion_layers_table),
    .run = illusion_run,
};
