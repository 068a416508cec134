/* cli/commands/world/cmd_world_transposition.c - ogpt world transposition: two histories of one
 * board, and whether the answer is one, too. */
#include "base/err.h"
#include "cli/commands/world/world_session.h"

typedef struct TranspositionOptions {
    int64_t n;
    WorldCommonOptions common;
    const char *pairs;
} TranspositionOptions;

#define AT(field) offsetof(TranspositionOptions, field)
static const OptionSpec options[] = {
    OPTION_INT("n", AT(n), "N", 1, CASES_MAX, "number of pairs", .def = "1000"),
    OPTION_TEXT("pairs", AT(pairs), "FILE",
                "pairs of ogpt cases pairs --kind transposition (default: drawn, by the seed)"),
    OPTIONS_WORLD,
};

typedef struct TranspositionTest {
    WorldSession session;
    PairSet pairs;
    TranspositionScore scores[N_PLAYER_KINDS];
} TranspositionTest;

static int load(TranspositionTest *test, Context *context)
{
    const TranspositionOptions *given = context->options;
    int rc = world_session_open(&test->session, context, &given->common);
    if (rc == 0 && given->pairs) {
        rc = pairs_read_transpositions(&test->pairs, test->session.subject.variant, given->pairs);
    }
    return rc;
}

static int test_player(void *context, int kind, const Player *player, const Work *work)
{
    TranspositionTest *test = context;
    return world_transposition(&test->scores[kind], player, &test->pairs, work);
}

static int transposition_run(Context *context)
{
    const TranspositionOptions *given = context->options;
    TranspositionTest test = {0};
    int rc = load(&test, context);
    rc = rc ? rc : world_session_begin(&test.session, NULL, &test.pairs);
    if (rc == 0 && !given->pairs) {
        rc = world_session_pairs(&test.pairs, &test.session, PAIR_TRANSPOSITION, (size_t)given->n);
    }
    rc = rc ? rc : world_session_each(&test.session, test_player, &test);
    if (rc == 0) {
        test.session.findings.units = test.pairs.n;
        world_report_transposition(context->report, &test.session.findings, test.scores);
        rc = world_session_done(&test.session);
    }
    pairs_release(&test.pairs);
    world_session_release(&test.session);
    return rc;
}

const Command cmd_world_transposition = {
    .name = "world transposition",
    .arguments = "MODEL [--n N] [--pairs FILE]",
    .summary = "whether two histories of one board get one answer",
    .examples = "ogpt world transposition tiny-6x6\n"
                "ogpt world transposition runs/tiny --n 300 --pairs transpositions.csv",
    COMMAND_OPTIONS(options, TranspositionOptions),
    .min_args = 1,
    .max_args = 1,
    .model_args = 1,
    .uses = USES_SEED | USES_THREADS | USES_STORE | USES_FORCE,
    COMMAND_TABLES(&world_table, &world_transposition_table),
    .run = transposition_run,
};
