/* cli/commands/readers/cmd_world_transposition.c - ogpt world transposition: two histories of one
 * board, and whether the answer is one, too. */
#include "base/err.h"
#include "cli/commands/readers/world_session.h"

typedef struct TranspositionOptions {
    int64_t n, min_moves, strict_games;
    const char *pairs;
} TranspositionOptions;

#define AT(field) offsetof(TranspositionOptions, field)
static const OptionSpec options[] = {
    OPTION_INT("n", AT(n), "N", 1, CASES_MAX, "number of pairs", .def = "1000"),
    OPTION_INT("min-moves", AT(min_moves), "N", 0, 59, "shortest history; 0: 5, on 4x4 3",
               .def = "0"),
    OPTION_TEXT("pairs", AT(pairs), "FILE",
                "pairs of ogpt cases pairs --kind transposition (default: drawn, by the seed)"),
    OPTION_STRICT_GAMES(AT(strict_games)),
};

typedef struct TranspositionTest {
    WorldSession session;
    PairSet pairs;
    TranspositionScore scores[N_PLAYER_KINDS];
} TranspositionTest;

static int load(TranspositionTest *test, Context *context)
{
    const TranspositionOptions *given = context->options;
    int rc = world_session_open(&test->session, context, given->strict_games);
    if (rc == 0 && given->pairs) {
        rc = pairs_read_transpositions(&test->pairs, test->session.subject.variant, given->pairs);
    }
    return rc;
}

static int draw(TranspositionTest *test, Context *context)
{
    const TranspositionOptions *given = context->options;
    const GameVariant *variant = test->session.subject.variant;
    PairMakeOptions wanted = PAIR_MAKE_OPTIONS_DEFAULT;
    wanted.n = (size_t)given->n;
    wanted.kind = PAIR_TRANSPOSITION;
    wanted.before_end = variant->size == 4 ? 1 : case_before_end(variant);
    wanted.min_moves = given->min_moves > 0 ? (int)given->min_moves : variant->size == 4 ? 3 : 5;
    return given->pairs
               ? 0
               : pairs_make(&test->pairs, variant, &wanted, study_work(context, "pairs", "pairs"));
}

static int test_player(void *context, int kind, const Player *player, const Work *work)
{
    TranspositionTest *test = context;
    return world_transposition(&test->scores[kind], player, &test->pairs, work);
}

static int transposition_run(Context *context)
{
    TranspositionTest test = {0};
    int rc = load(&test, context);
    rc = rc ? rc : world_session_begin(&test.session, NULL, &test.pairs);
    rc = rc ? rc : draw(&test, context);
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
