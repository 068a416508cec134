/* cli/commands/circuits/cmd_scrub.c - ogpt scrub: is what a hypothesis says about parts of the
 * network all that they do? */
#include "base/process.h"
#include "cli/commands/circuits/scrub_session.h"

#define AT(field) offsetof(ScrubGiven, field)
static const OptionSpec options[] = {
    OPTION_TEXT("hypothesis", AT(hypothesis), "FILE", "the same as the second argument"),
    OPTION_TEXT("corpus", AT(corpus), "CORPUS",
                "roots are games of its test split, its other games lend (default: fresh random "
                "games, by the seed)"),
    OPTION_INT("n", AT(n), "N", 2, SCRUB_ROOTS_MAX, "roots: positions, one from a game",
               .def = "500"),
    OPTION_INT("lenders", AT(lenders), "N", 1, 10000000, "games that lend", .def = "20000"),
    OPTION_INT("min-moves", AT(min_moves), "N", 1, 59, "moves in front of a root, at least",
               .def = "5"),
    OPTION_INT("before-end", AT(before_end), "N", 2, 59,
               "moves that its game still had to go, at least", .def = "5"),
    OPTION_FLAG("by-node", AT(by_node),
                "a row more for every node: the hypothesis, but this node keeps everything"),
    OPTION_INT("memory", AT(memory), "MIB", 1, 1e6, "how much memory the index of games may take",
               .def = "4096"),
};

static int run(ScrubSession *session)
{
    Context *context = session->context;
    ScrubResult result;
    double began = clock_seconds();
    int rc = study_begin(context, session->inputs.subject.model.path, true);
    rc = rc ? rc : scrub_session_begin(session);
    if (rc == 0) {
        Work work = *study_work(context, "scrubbing", "roots");
        work.journal = &session->blocks.callbacks;
        work.memory_bytes = (size_t)session->given->memory << 20;
        rc = scrub_run(&result, &session->question, &work);
    }
    if (rc == 0) {
        scrub_report(context->report,
                     &(ScrubFindings){.result = &result,
                                      .question = &session->question,
                                      .model_hash = session->inputs.subject.model.model_hash,
                                      .hypothesis_file = session->path,
                                      .source = session->source,
                                      .seconds = clock_seconds() - began});
        if (!session->given->by_node && session->hypothesis.n_nodes > 1) {
            study_next_again(context, "--by-node", NULL);
        }
        rc = kept_blocks_end(&session->blocks);
    }
    return rc;
}

static int scrub_command(Context *context)
{
    ScrubSession session = {0};
    int rc = scrub_session_load(&session, context);
    rc = rc ? rc : run(&session);
    scrub_session_release(&session);
    return rc;
}

const Command cmd_scrub = {
    .name = "scrub",
    .arguments = "MODEL HYPOTHESIS [--corpus CORPUS] [--n ROOTS]",
    .summary = "exchange all that a hypothesis says parts of the network do not carry",
    .examples = "ogpt scrub tiny-6x6 mine-theirs-6x6 --n 200\n"
                "ogpt scrub tiny-6x6 previous-colour-6x6 --n 200 --by-node\n"
                "# HYPOTHESIS is a text file, or the name of a shipped one;\n"
                "# docs/METHODS.md says how one is written",
    COMMAND_OPTIONS(options, ScrubGiven),
    .min_args = 1,
    .max_args = 2,
    .model_args = 1,
    .uses = USES_SEED | USES_THREADS | USES_STORE | USES_FORCE,
    COMMAND_TABLES(&scrub_table, &scrub_rows_table, &scrub_nodes_table),
    .run = scrub_command,
};
