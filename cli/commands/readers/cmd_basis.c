/* cli/commands/readers/cmd_basis.c - ogpt basis: is a network's basis special; toys. */
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "cli/commands/common/game_input.h"
#include "cli/commands/common/kept_blocks.h"
#include "cli/commands/common/model_input.h"
#include "cli/commands/common/probe_input.h"
#include "cli/commands/common/shared_options.h"
#include "cli/study.h"
#include "report/readers/basis_result.h"

typedef struct BasisOptions {
    const char *beside, *corpus, *probe;
    int64_t games, plies, rotations, memory, cells, starts, features, dims;
    bool toy;
} BasisOptions;

typedef struct BasisSession {
    Context *context;
    const BasisOptions *given;
    StudyInputs inputs; /* subject, and the corpus or NULL */
    Subject beside;     /* empty: none */
    Probe probe;
    char probe_path[FILES_PATH_MAX]; /* "": none */
    PositionSet set;
    BasisInputs study;
} BasisSession;

#define AT(field) offsetof(BasisOptions, field)
static const OptionSpec options[] = {
    OPTION_TEXT("beside", AT(beside), "MODEL", "a second network, measured on the same positions"),
    OPTION_TEXT("corpus", AT(corpus), "CORPUS",
                "games of its test split (default: fresh random games, by the seed)"),
    OPTION_PROBE(AT(probe), "probe of mine, theirs and empty squares whose angles are measured"),
    OPTION_INT("games", AT(games), "N", 2, 1e6, "games", .def = "500"),
    OPTION_INT("plies", AT(plies), "N", 0, 60, "positions of each game; 0 takes all", .def = "8"),
    OPTION_INT("rotations", AT(rotations), "N", 2, BASIS_ROTATIONS,
               "random rotations that the basis is compared with", .def = "100"),
    OPTION_MEMORY(AT(memory)),
    OPTION_FLAG("toy", AT(toy), "no network: toys with more features than dimensions"),
    OPTION_INT("cells", AT(cells), "N", 2, 100, "values of p and of r of the toys", .def = "20"),
    OPTION_INT("starts", AT(starts), "N", 1, 1000, "searches for a toy's least loss", .def = "16"),
    OPTION_INT("features", AT(features), "N", 1, TOY_FEATURES, "of the larger toy", .def = "5"),
    OPTION_INT("dims", AT(dims), "N", 1, TOY_FEATURES, "of the larger toy", .def = "2"),
};

/* Rows before --toy are for networks, rows behind it for toys. */
static int check_asked(const Context *context, bool toy)
{
    bool of_toys = false;
    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        const char *name = options[i].name;
        of_toys = of_toys || strcmp(name, "toy") == 0;
        if (of_toys != toy && context_given(context, name)) {
            return err_set(OGPT_EUSAGE, "--%s: %s", name,
                           toy ? "--toy takes no network" : "asked for with --toy only");
        }
    }
    return 0;
}

static int toy_run(Context *context)
{
    const BasisOptions *given = context->options;
    const size_t n = (size_t)given->cells, starts = (size_t)given->starts;
    ToyCell *cells = NULL;
    ToyRow rows[TOY_SERIES];
    int rc = context->n_args == 0
                 ? 0
                 : err_set(OGPT_EUSAGE, "%s: --toy takes no network", context->args[0]);
    if (rc == 0 && given->dims > given->features) {
        rc = err_set(OGPT_EUSAGE, "--dims %lld: at most as many as --features, %lld",
                     (long long)given->dims, (long long)given->features);
    }
    rc = rc ? rc : study_begin(context, NULL, false);
    const Work *work = rc ? NULL : study_work(context, "toys", "cells");
    rc = rc ? rc : toy_diagram(&cells, n, starts, work);
    rc = rc ? rc : toy_series(rows, (size_t)given->features, (size_t)given->dims, starts, work);
    if (rc == 0) {
        basis_toy_report(context->report, &(BasisToyFindings){cells, n, rows, starts});
    }
    mem_free(cells);
    return rc;
}

static int open_beside(BasisSession *session)
{
    Context *context = session->context;
    int rc = context_subject_open(context, &session->beside, session->given->beside);
    rc = rc ? rc : subject_check_second(&session->inputs.subject, "--beside", &session->beside);
    session->study.gpt[BASIS_BESIDE] = session->beside.model.gpt;
    return rc;
}

static int load(BasisSession *session)
{
    Context *context = session->context;
    const BasisOptions *given = session->given;
    int rc = context_inputs_open(context, &session->inputs, context->args[0], given->corpus);
    rc = rc || !given->beside ? rc : open_beside(session);
    rc = rc ? rc
            : context_probe_fitting(context, &session->probe, session->probe_path,
                                    &session->inputs.subject, given->probe, probe_check_mine,
                                    "angles of squares");
    session->study.probe = session->probe_path[0] ? &session->probe : NULL;
    session->study.gpt[BASIS_OWN] = session->inputs.subject.model.gpt;
    session->study.set = &session->set;
    session->study.rotations = (size_t)given->rotations;
    return rc;
}

static int draw(BasisSession *session)
{
    const BasisOptions *given = session->given;
    const Work *work = study_work(session->context, "games", "games");
    GameSource *source = NULL;
    int rc = source_of(&source, session->inputs.corpus, SPLIT_TEST, true,
                       session->inputs.subject.variant, work->seed, RNG_EVAL);
    rc = rc ? rc
            : positions_draw(&session->set, source, (size_t)given->games, (int)given->plies, work);
    source_free(source);
    return rc ? rc
              : context_check_memory(basis_study_bytes(&session->study, work), given->memory,
                                     "fewer --games or --plies");
}

/* Finished sites are kept until the tables are filled. */
static int compute(BasisStudy *study, KeptWork *kept, const BasisSession *session)
{
    Context *context = session->context;
    Work work = *study_work(context, "basis", "rotations");
    Sha256 *hash;
    int rc = kept_blocks_key(&hash, context, session->inputs.subject.model.model_hash);
    if (rc == 0) {
        kept_blocks_text(hash, session->beside.model.model_hash);
        basis_study_hash(hash, &session->study);
    }
    rc = kept_blocks_begin(kept, context, hash, rc);
    work.journal = &kept->callbacks;
    return rc ? rc : basis_study_run(study, &session->study, &work);
}

static int basis_run(Context *context)
{
    BasisSession session = {.context = context, .given = context->options};
    BasisStudy study = {0};
    KeptWork kept = {0};
    char source[GAME_WORDS_MAX];
    int rc = check_asked(context, session.given->toy);
    if (rc || session.given->toy) {
        return rc ? rc : toy_run(context);
    }
    context_games_words(source, context, session.given->corpus, "test");
    rc = context->n_args == 1 ? load(&session)
                              : err_set(OGPT_EUSAGE, "MODEL or --toy expected: which network?");
    rc = rc ? rc : study_begin(context, session.inputs.subject.model.path, true);
    rc = rc ? rc : draw(&session);
    rc = rc ? rc : compute(&study, &kept, &session);
    if (rc == 0) {
        basis_report(context->report,
                     &(BasisFindings){.study = &study,
                                      .in = &session.study,
                                      .source = source,
                                      .beside = session.given->beside,
                                      .model_hash = session.inputs.subject.model.model_hash,
                                      .beside_hash = session.beside.model.model_hash,
                                      .probe = session.probe_path});
        rc = kept_blocks_end(&kept);
    }
    basis_study_release(&study);
    positions_release(&session.set);
    probe_release(&session.probe);
    subject_release(&session.beside);
    context_inputs_release(&session.inputs);
    return rc;
}

const Command cmd_basis = {
    .name = "basis",
    .arguments = "MODEL [--beside MODEL] [--corpus CORPUS] [--probe PROBE] | --toy",
    .summary = "is the basis of a network special, and do its directions interfere; toys of "
               "superposition",
    .examples = "ogpt basis tiny-6x6 --games 300\n"
                "ogpt basis runs/tiny --beside runs/mine --games 300\n"
                "ogpt basis --toy --cells 12",
    COMMAND_OPTIONS(options, BasisOptions),
    .max_args = 1,
    .model_args = 1,
    .uses = USES_SEED | USES_THREADS | USES_STORE | USES_FORCE,
    COMMAND_TABLES(&basis_table, &basis_places_table, &basis_differences_table, &basis_sets_table,
                   &basis_toy_table, &basis_phases_table, &basis_features_table),
    .run = basis_run,
};
