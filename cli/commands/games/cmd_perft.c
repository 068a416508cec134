/* cli/commands/games/cmd_perft.c - ogpt perft: leaves of the game tree, the proof of the rules. */
#include "cli/commands/common/game_input.h"
#include "base/process.h"
#include "cli/commands/common/shared_options.h"
#include "cli/study.h"
#include "game/perft.h"
#include "game/rules_ref.h"

#define STRING_OF_(number) #number
#define STRING_OF(number) STRING_OF_(number)
#define DEPTH_MAX 15 /* 8x8 depth 12 holds 1.9e9 leaves; 15 is days of work */

typedef struct PerftOptions {
    bool ref;
    int rules; /* GameRules */
} PerftOptions;

static const OptionSpec options[] = {
    OPTION_FLAG("ref", offsetof(PerftOptions, ref), "count with the reference rules, one thread"),
    OPTION_RULES(offsetof(PerftOptions, rules), "rules of the game (docs/GAMES.md)",
                 .def = "classic"),
};

static const Column columns[] = {
    {"depth", "depth", .type = COLUMN_COUNT, .meaning = "moves, passes included"},
    {"size", "board", .type = COLUMN_COUNT, .meaning = "squares a side"},
    {"rules", "rules", .type = COLUMN_TEXT, .flags = COLUMN_UNSTORED},
    {"nodes", "leaves", .type = COLUMN_COUNT},
    {"seconds", "time", .unit = "s", .digits = 3, .flags = COLUMN_TIME},
};
static const TableSpec perft_table = {"perft", "perft", TABLE_COLUMNS(columns), .record = true};

static int leaves_count(uint64_t *nodes, const Context *context, const GameVariant *variant,
                        int depth)
{
    const PerftOptions *given = context->options;
    RefBoard board;
    if (!given->ref) {
        return perft_start(nodes, variant, depth, context->pool);
    }
    ref_from_board(&board, variant, &variant->start);
    *nodes = ref_perft(&board, depth);
    return 0;
}

static int perft_run(Context *context)
{
    const PerftOptions *given = context->options;
    const GameVariant *variant = context_variant(context, given->rules);
    int64_t depth = 0;
    uint64_t nodes = 0;
    int rc = context_arg_int(&depth, context, 0, "DEPTH", 0, DEPTH_MAX);
    rc = rc ? rc : study_begin(context, NULL, false);
    double start = clock_seconds();
    rc = rc ? rc : leaves_count(&nodes, context, variant, (int)depth);
    if (rc != 0) {
        return rc;
    }
    Table *result = study_table(context, &perft_table);
    table_int(result, "depth", depth);
    table_int(result, "size", variant->size);
    table_text(result, "rules", game_rules_name(variant->rules));
    table_int(result, "nodes", (int64_t)nodes);
    table_num(result, "seconds", clock_seconds() - start);
    return 0;
}

const Command cmd_perft = {
    .name = "perft",
    .arguments = "DEPTH",
    .summary = "count the leaves of the game tree at DEPTH, 0 to " STRING_OF(
        DEPTH_MAX) " moves (proof of the rules)",
    .examples = "ogpt perft 10\nogpt perft 7 --ref\nogpt perft 12 --size 4\nogpt perft 9 --rules "
                "no-mid-flip",
    COMMAND_OPTIONS(options, PerftOptions),
    .min_args = 1,
    .max_args = 1,
    .uses = USES_SIZE | USES_THREADS | USES_STORE | USES_FORCE,
    COMMAND_TABLES(&perft_table),
    .run = perft_run,
};
