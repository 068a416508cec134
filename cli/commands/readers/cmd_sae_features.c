/* cli/commands/readers/cmd_sae_features.c - ogpt sae features: what each feature of an autoencoder
 * stands for, and what clamping it does. */
#include "base/arena.h"
#include "base/err.h"
#include "cli/commands/common/game_input.h"
#include "cli/commands/common/kept_blocks.h"
#include "cli/commands/common/model_input.h"
#include "cli/commands/common/probe_input.h"
#include "cli/commands/common/sae_input.h"
#include "cli/commands/common/shared_options.h"
#include "cli/study.h"
#include "report/pages/feature_pages.h"

typedef struct SaeFeaturesOptions {
    const char *corpus, *probe, *features, *pages;
    int64_t games, test_games, plies, clamp, top, memory;
} SaeFeaturesOptions;

typedef struct SaeFeaturesSession {
    Context *context;
    const SaeFeaturesOptions *given;
    StudyInputs inputs; /* subject, and the corpus or NULL */
    Sae *sae;
    Probe probe;
    char path[FILES_PATH_MAX], probe_path[FILES_PATH_MAX]; /* "": no probe */
    PageSetAbout pages;                                    /* path NULL: none */
    bool *chosen;                                          /* (features) of --features, or NULL */
    FeaturesStudyInput study;
} SaeFeaturesSession;

#define AT(field) offsetof(SaeFeaturesOptions, field)
static const OptionSpec options[] = {
    OPTION_TEXT("corpus", AT(corpus), "CORPUS",
                "games of its training and test split (default: fresh random games, by the seed)"),
    OPTION_INT("games", AT(games), "N", 1, 1e6, "games that choose what a feature stands for",
               .def = "400"),
    OPTION_INT("test-games", AT(test_games), "N", 2, 1e6, "other games for all numbers",
               .def = "200"),
    OPTION_INT("plies", AT(plies), "N", 0, 60, "positions of each game; 0 takes all", .def = "0"),
    OPTION_PROBE(AT(probe), "probe of mine, theirs and empty squares to compare columns with"),
    OPTION_INT("top", AT(top), "N", 1, 100000, "features that are printed", .def = "20"),
    OPTION_TEXT("features", AT(features), "LIST",
                "print these instead, such as 3,17,40-50, and make pages of no others"),
    OPTION_PAGES(AT(pages), "feature"),
    OPTION_INT("clamp", AT(clamp), "N", 0, 10000,
               "positions on which a feature of a page is clamped where it is on, and as many "
               "where it is off; 0: none",
               .def = "16"),
    OPTION_MEMORY(AT(memory)),
};

static int load(SaeFeaturesSession *session)
{
    Context *context = session->context;
    const SaeFeaturesOptions *given = session->given;
    const Subject *subject = &session->inputs.subject;
    int rc = context_inputs_open(context, &session->inputs, context->args[0], given->corpus);
    rc = rc ? rc
            : context_sae_open(&session->sae, session->path, context, subject,
                               context->n_args > 1 ? context->args[1] : NULL);
    rc = rc ? rc
            : features_list_parse(&session->chosen, session->sae->cfg.features, given->features);
    if (rc == 0 && given->pages) {
        session->pages = context_pages_about(context, given->pages, subject->model.model_hash);
        rc = page_set_check(&session->pages);
    }
    if (rc == 0) {
        const SaeConfig *cfg = &session->sae->cfg;
        const SaePlace place = {cfg->site, cfg->layer, "comparison with its directions"};
        rc = context_sae_probe(&session->probe, session->probe_path, context, subject, &place,
                               given->probe);
    }
    return rc;
}

static int draw(FeaturesSet *out, const SaeFeaturesSession *session, Split split, int64_t games)
{
    const Work *work = study_work(session->context, "games", "games");
    return codebook_inputs_draw_set(&out->set, session->inputs.subject.variant,
                                    session->inputs.corpus, split, (size_t)games,
                                    (int)session->given->plies, work);
}

/* Positions, and what they will take; too much is refused. */
static int prepare(SaeFeaturesSession *session)
{
    const SaeFeaturesOptions *given = session->given;
    FeaturesStudyInput *study = &session->study;
    study->gpt = session->inputs.subject.model.gpt;
    study->sae = session->sae;
    study->path = session->path;
    study->probe = session->probe_path[0] ? &session->probe : NULL;
    study->chosen = session->chosen;
    study->looks = given->pages;
    study->clamped = (size_t)given->clamp;
    int rc = draw(&study->fit, session, SPLIT_TRAIN, given->games);
    rc = rc ? rc : draw(&study->test, session, SPLIT_TEST, given->test_games);
    const size_t bytes = rc ? 0 : features_study_bytes(study, session->context->pool);
    rc = rc ? rc : context_check_memory(bytes, given->memory, "fewer games or --plies");
    if (rc == 0) {
        context_say(session->context, "%zu positions to choose on, %zu to test on; %zu MiB",
                    study->fit.set.set.n_positions, study->test.set.set.n_positions,
                    (bytes >> 20) + 1);
    }
    return rc;
}

/* What clamping a feature does is kept until the pages are written. */
static int compute(FeaturesStudy *study, KeptWork *kept, SaeFeaturesSession *session)
{
    Context *context = session->context;
    Work work = *study_work(context, "features", "features");
    Sha256 *hash;
    int rc = kept_blocks_key(&hash, context, session->inputs.subject.model.model_hash);
    if (rc == 0) {
        features_study_hash(hash, &session->study);
    }
    rc = kept_blocks_begin(kept, context, hash, rc);
    work.journal = &kept->callbacks;
    return rc ? rc : features_study_run(study, &session->study, &work);
}

static int report(const SaeFeaturesSession *session, const FeaturesStudy *study)
{
    Context *context = session->context;
    char games[GAME_WORDS_MAX];
    const FeaturesFindings findings = {.study = study,
                                       .in = &session->study,
                                       .top = (size_t)session->given->top,
                                       .source = games,
                                       .model_hash = session->inputs.subject.model.model_hash,
                                       .probe = session->probe_path};
    context_games_words(games, context, session->given->corpus, "training and test");
    dictionaries_features_report(context->report, &findings);
    int rc = session->pages.path ? feature_pages_write(context->report, &session->pages, &findings,
                                                       study_work(context, "pages", "pages"))
                                 : 0;
    return rc ? study_verdict(context, rc) : 0; /* behind the result */
}

static int sae_features_run(Context *context)
{
    SaeFeaturesSession session = {.context = context, .given = context->options};
    FeaturesStudy study = {0};
    KeptWork kept = {0};
    int rc = load(&session);
    rc = rc ? rc : study_begin(context, session.inputs.subject.model.path, true);
    rc = rc ? rc : prepare(&session);
    rc = rc ? rc : compute(&study, &kept, &session);
    rc = rc ? rc : report(&session, &study);
    rc = rc ? rc : kept_blocks_end(&kept);
    features_study_release(&study);
    features_set_release(&session.study.fit);
    features_set_release(&session.study.test);
    probe_release(&session.probe);
    sae_free(session.sae);
    mem_free(session.chosen);
    context_inputs_release(&session.inputs);
    return rc;
}

const Command cmd_sae_features = {
    .name = "sae features",
    .arguments = "MODEL [SAE] [--corpus CORPUS] [--features LIST] [--pages DIR]",
    .summary = "what each feature of an autoencoder (default: MODEL/" SAE_FOLDER
               ") stands for, and what clamping it does",
    .examples =
        "ogpt sae features tiny-6x6 --top 10\n"
        "ogpt sae features runs/tiny saes/l0-16 --corpus games.ogpc --features 3,17 --pages pages",
    COMMAND_OPTIONS(options, SaeFeaturesOptions),
    .min_args = 1,
    .max_args = 2,
    .model_args = 1,
    .uses = USES_SEED | USES_THREADS | USES_STORE | USES_FORCE,
    COMMAND_TABLES(&dictionaries_features_table, &dictionaries_features_list_table,
                   &dictionaries_features_top_table, &dictionaries_clamps_table),
    .run = sae_features_run,
};
