/* cli/commands/readers/cmd_sae_eval.c - ogpt sae eval: what dictionaries say of the board, and what
 * their twins say. */
#include "base/arena.h"
#include "base/err.h"
#include "cli/commands/common/game_input.h"
#include "cli/commands/common/kept_blocks.h"
#include "cli/commands/common/model_input.h"
#include "cli/commands/common/probe_input.h"
#include "cli/commands/common/shared_options.h"
#include "cli/study.h"
#include "probes/dictionaries/codebook_inputs.h"
#include "report/dictionaries/dictionaries_result.h"

typedef struct SaeEvalOptions {
    const char *corpus, *probe;
    int64_t fit_games, validation_games, test_games, plies, twin_activations, memory;
} SaeEvalOptions;

typedef struct SaeEvalSession {
    Context *context;
    const SaeEvalOptions *given;
    StudyInputs inputs; /* subject, and the corpus or NULL */
    Sae **saes;         /* (n_args - 1) owned */
    Probe probe;
    char probe_path[FILES_PATH_MAX]; /* "": none */
    CodebookSets sets;
    CodebookStudyInputs study;
} SaeEvalSession;

#define AT(field) offsetof(SaeEvalOptions, field)
static const OptionSpec options[] = {
    OPTION_TEXT("corpus", AT(corpus), "CORPUS",
                "games of its three splits (default: fresh random games, by the seed)"),
    OPTION_PROBE(AT(probe), "probe of mine, theirs and empty squares whose directions are a twin"),
    OPTION_INT("fit-games", AT(fit_games), "N", 1, 1e6,
               "games for largest values, for who votes and for twins", .def = "1000"),
    OPTION_INT("validation-games", AT(validation_games), "N", 1, 1e6,
               "games that choose features and thresholds", .def = "1000"),
    OPTION_INT("test-games", AT(test_games), "N", 2, 1e6, "games for all numbers", .def = "1000"),
    OPTION_INT("plies", AT(plies), "N", 0, 60, "positions of each game; 0 takes all", .def = "0"),
    OPTION_INT("twin-activations", AT(twin_activations), "N", 0, 1e9,
               "rows for the autoencoders of random weights and of normal rows; 0: without them",
               .def = "1000000"),
    OPTION_MEMORY(AT(memory)),
};

static int open_saes(SaeEvalSession *session)
{
    const Context *context = session->context;
    const Subject *subject = &session->inputs.subject;
    const size_t n = (size_t)context->n_args - 1;
    session->saes = mem_calloc(n, sizeof(*session->saes), "autoencoders");
    int rc = session->saes ? 0 : OGPT_ENOMEM;
    for (size_t i = 0; i < n && rc == 0; i++) {
        const char *path = context->args[i + 1];
        rc = sae_open(&session->saes[i], path);
        rc = rc ? rc : codebook_inputs_check_sae(session->saes[i], path, session->saes[0], subject);
    }
    session->study.saes = (const Sae *const *)session->saes;
    session->study.names = context->args + 1;
    session->study.n_saes = n;
    return rc;
}

/* The probe has to read where the autoencoders do. */
static int open_probe(SaeEvalSession *session)
{
    Context *context = session->context;
    const char *given = session->given->probe;
    int rc = context_probe_fitting(context, &session->probe, session->probe_path,
                                   &session->inputs.subject, given, codebook_inputs_check_probe,
                                   "twin of its directions");
    if (rc == 0 && session->probe_path[0]) {
        int place =
            codebook_inputs_check_place(&session->probe, session->probe_path, &session->study);
        session->study.probe = place ? NULL : &session->probe;
        rc = given ? place : 0;
        if (place && !given) {
            context_say(context, "%s does not read there: no twin of its directions",
                        session->probe_path);
            session->probe_path[0] = '\0';
        }
    }
    return rc;
}

static int load(SaeEvalSession *session)
{
    Context *context = session->context;
    CodebookStudyInputs *study = &session->study;
    int rc =
        context_inputs_open(context, &session->inputs, context->args[0], session->given->corpus);
    rc = rc ? rc : open_saes(session);
    if (rc == 0) {
        study->gpt = session->inputs.subject.model.gpt;
        study->site = session->saes[0]->cfg.site;
        study->layer = session->saes[0]->cfg.layer;
        study->twin_activations = session->given->twin_activations;
        rc = open_probe(session);
    }
    return rc;
}

/* Positions, and what they will take; too much is refused. */
static int prepare(SaeEvalSession *session)
{
    const SaeEvalOptions *given = session->given;
    Context *context = session->context;
    const Work *work = study_work(context, "games", "games");
    const CodebookSample sample = {(size_t)given->fit_games, (size_t)given->validation_games,
                                   (size_t)given->test_games, (int)given->plies};
    int rc = codebook_inputs_draw(&session->sets, &session->study, session->inputs.subject.variant,
                                  session->inputs.corpus, &sample, work);
    const size_t bytes = rc ? 0 : codebook_study_bytes(&session->study, work);
    rc = rc ? rc : context_check_memory(bytes, given->memory, "fewer games or --plies");
    if (rc == 0) {
        context_say(context, "%zu positions to fit on, %zu to choose on, %zu to test on; %zu MiB",
                    session->sets.fit.set.n_positions, session->sets.valid.set.n_positions,
                    session->sets.test.set.n_positions, (bytes >> 20) + 1);
    }
    return rc;
}

/* Finished rows are kept until the tables are filled. */
static int compute(CodebookStudy *study, KeptWork *kept, const SaeEvalSession *session)
{
    Context *context = session->context;
    Work work = *study_work(context, "dictionaries", "dictionaries");
    Sha256 *hash;
    int rc = kept_blocks_key(&hash, context, session->inputs.subject.model.model_hash);
    if (rc == 0) {
        codebook_inputs_hash(hash, &session->study);
    }
    rc = kept_blocks_begin(kept, context, hash, rc);
    work.journal = &kept->callbacks;
    return rc ? rc : codebook_study_run(study, &session->study, &work);
}

static int sae_eval_run(Context *context)
{
    SaeEvalSession session = {.context = context, .given = context->options};
    CodebookStudy study = {0};
    CodebookMethods methods = {0};
    KeptWork kept = {0};
    char games[GAME_WORDS_MAX];
    context_games_words(games, context, session.given->corpus, "each");
    int rc = load(&session);
    rc = rc ? rc : study_begin(context, session.inputs.subject.model.path, true);
    rc = rc ? rc : prepare(&session);
    rc = rc ? rc : compute(&study, &kept, &session);
    rc = rc ? rc : codebook_methods_make(&methods, &study, &session.study);
    if (rc == 0) {
        dictionaries_report(
            context->report,
            &(DictionariesFindings){.study = &study,
                                    .in = &session.study,
                                    .methods = &methods,
                                    .source = games,
                                    .model_hash = session.inputs.subject.model.model_hash,
                                    .probe = session.probe_path});
        rc = kept_blocks_end(&kept);
    }
    codebook_methods_release(&methods);
    codebook_study_release(&study);
    codebook_sets_release(&session.sets);
    probe_release(&session.probe);
    for (size_t i = 0; session.saes && i + 1 < (size_t)context->n_args; i++) {
        sae_free(session.saes[i]);
    }
    mem_free(session.saes);
    context_inputs_release(&session.inputs);
    return rc;
}

const Command cmd_sae_eval = {
    .name = "sae eval",
    .arguments = "MODEL SAE... [--corpus CORPUS] [--probe PROBE]",
    .summary = "what autoencoders say of the board, beside twins of equal sparsity",
    .examples = "ogpt sae eval tiny-6x6 sae --twin-activations 200000\n"
                "ogpt sae eval runs/tiny saes/l0-8 saes/l0-16 saes/l0-32 --corpus games.ogpc",
    COMMAND_OPTIONS(options, SaeEvalOptions),
    .min_args = 2,
    .max_args = -1,
    .model_args = 1,
    .uses = USES_SEED | USES_THREADS | USES_STORE | USES_FORCE,
    COMMAND_TABLES(&dictionaries_table, &dictionaries_methods_table, &dictionaries_verdicts_table,
                   &dictionaries_rows_table, &dictionaries_differences_table,
                   &dictionaries_densities_table, &dictionaries_pairs_table,
                   &dictionaries_cosines_table),
    .run = sae_eval_run,
};
