/* cli/commands/readers/cmd_illusion.c - ogpt illusion: does an edit work through what its layer
 * reads? */
#include <stdio.h>

#include "base/err.h"
#include "cli/commands/common/model_input.h"
#include "cli/commands/common/probe_input.h"
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
    OPTION_INT("memory", AT(memory), "MIB", 1, 1e6, "how much memory it may take", .def = "4096"),
};

typedef struct IllusionSession {
    Context *context;
    const IllusionOptions *given;
    StudyInputs inputs;
    Probe probe;
    char probe_path[FILES_PATH_MAX]; /* "": none */
    char means_source[FILES_PATH_MAX + 32];
    SteerFit fit;
    PairSet training, test;
    IllusionStudyInputs study;
} IllusionSession;

/* The probe that is named must fit; the one beside the network is used if it is of the site. */
static int load_probe(IllusionSession *session)
{
    Context *context = session->context;
    const char *given = session->given->probe;
    int found = given ? 0 : context_probe_find(context, session->probe_path, NULL);
    int rc = found && found != OGPT_EUSAGE ? found : 0;
    if (rc || found) {
        session->probe_path[0] = '\0';
        return rc;
    }
    rc = context_probe_open(context, &session->probe, session->probe_path, &session->inputs.subject,
                            given);
    int fits =
        rc ? rc : steer_bank_check_probe(&session->probe, session->probe_path, session->study.site);
    if (rc == 0 && fits && !given) {
        context_say(context,
                    "the probe of the model has no directions at site %s: no directions of a probe",
                    hook_site_name(session->study.site));
        session->probe_path[0] = '\0';
        return 0;
    }
    session->study.probe = &session->probe;
    return fits;
}

static int prepare(IllusionSession *session)
{
    const IllusionOptions *given = session->given;
    Context *context = session->context;
    GameSource *source = NULL;
    snprintf(session->means_source, sizeof(session->means_source), "%s%s",
             given->corpus ? "training split of " : "",
             given->corpus ? given->corpus : "fresh random games");
    int rc =
        given->corpus
            ? source_corpus(&source, session->inputs.corpus, 1U << SPLIT_TRAIN, true, context->seed)
            : source_fresh(&source, session->inputs.subject.variant, context->seed, RNG_FRESH);
    rc = rc ? rc
            : steer_fit_draw(&session->fit, source, STEER_MINE, (size_t)given->fit_games,
                             (int)given->plies, study_work(context, "positions", "games"));
    source_free(source);
    return rc ? rc
              : illusion_pairs(&session->training, &session->test, session->inputs.subject.variant,
                               (size_t)given->training_pairs, (size_t)given->pairs,
                               study_work(context, "pairs", "pairs"));
}

/* Too much memory is refused; what is left of it may hold rows of games. */
static int compute(IllusionStudy *study, const IllusionSession *session)
{
    Work work = *study_work(session->context, "directions", "pairs");
    const size_t bytes = illusion_study_bytes(&session->study, &work);
    const size_t allowed = (size_t)session->given->memory << 20;
    if (bytes > allowed) {
        return err_set(OGPT_EUSAGE,
                       "it would take %zu MiB of memory, allowed are %lld: take fewer --pairs, "
                       "--training-pairs or --fit-games, or a larger --memory",
                       (bytes >> 20) + 1, (long long)session->given->memory);
    }
    work.memory_bytes = allowed - bytes + 1;
    return illusion_study_run(study, &session->study, &work);
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
    rc = rc ? rc : load_probe(&session);
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
                                            .pairs_source = "fresh random games",
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
