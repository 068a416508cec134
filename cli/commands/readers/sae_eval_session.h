/* cli/commands/readers/sae_eval_session.h - what ogpt sae eval and ogpt sae compare measure of
 * autoencoders and of their twins. */
#ifndef OGPT_CLI_COMMANDS_READERS_SAE_EVAL_SESSION_H
#define OGPT_CLI_COMMANDS_READERS_SAE_EVAL_SESSION_H

#include "cli/commands/common/model_input.h"
#include "cli/commands/common/probe_input.h"
#include "cli/commands/common/sae_input.h"
#include "cli/commands/common/shared_options.h"
#include "probes/dictionaries/codebook_inputs.h"
#include "report/dictionaries/dictionaries_result.h"

typedef struct SaeEvalOptions {
    const char *corpus, *probe;
    int64_t fit_games, validation_games, test_games, plies, twin_activations, memory;
} SaeEvalOptions;

/* Rows of an option table for a SaeEvalOptions, but for the corpus and memory. AT(field): its
 * offset. */
#define OPTIONS_SAE_EVAL(AT)                                                                       \
    OPTION_PROBE(AT(probe),                                                                        \
                 "probe of mine, theirs and empty squares whose directions are a twin"),           \
        OPTION_INT("fit-games", AT(fit_games), "N", 1, 1e6,                                        \
                   "games for largest values, for who votes and for twins", .def = "1000"),        \
        OPTION_INT("validation-games", AT(validation_games), "N", 1, 1e6,                          \
                   "games that choose features and thresholds", .def = "1000"),                    \
        OPTION_INT("test-games", AT(test_games), "N", 2, 1e6, "games for all numbers",             \
                   .def = "1000"),                                                                 \
        OPTION_INT("plies", AT(plies), "N", 0, 60, "positions of each game; 0 takes all",          \
                   .def = "0"),                                                                    \
        OPTION_INT("twin-activations", AT(twin_activations), "N", 0, 1e9,                          \
                   "rows for the autoencoders of random weights and of normal rows; 0: without "   \
                   "them",                                                                         \
                   .def = "1000000")

/* The tables of these commands. */
#define SAE_EVAL_TABLES                                                                            \
    &dictionaries_table, &dictionaries_methods_table, &dictionaries_verdicts_table,                \
        &dictionaries_rows_table, &dictionaries_differences_table, &dictionaries_densities_table,  \
        &dictionaries_pairs_table, &dictionaries_cosines_table

typedef struct SaeEvalSession {
    Context *context;
    SaeEvalOptions given;
    const StudyInputs *inputs; /* borrowed: subject, and the corpus or NULL */
    Probe probe;
    char probe_path[FILES_PATH_MAX]; /* "": none */
    CodebookSets sets;
    CodebookStudyInputs study;
} SaeEvalSession;

/* Where it is measured, and a probe that reads there. *session holds context, given and inputs.
 * Returns 0 or OGPT_E*; sae_eval_session_release in both cases. */
int sae_eval_session_open(SaeEvalSession *session, HookSite site, int layer);
/* Draw the positions, and say what measuring so many autoencoders of so many features will take;
 * too much is refused. Behind study_begin. */
int sae_eval_session_draw(SaeEvalSession *session, size_t n, size_t features);
/* Measure these and their twins, and fill the tables. The set is borrowed. */
int sae_eval_session_run(SaeEvalSession *session, const SaeSet *set);
void sae_eval_session_release(SaeEvalSession *session);

#endif
