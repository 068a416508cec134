/* cli/commands/games/cmd_perft.c - ogpt perft: leaves of the game tree, the proof of the rules. */
#include "cli/command.h"

#include "base/err.h"
#include "base/process.h"
#include "game/perft.h"
#include "game/rules_ref.h"

#define DEPTH_MAX 15 /* 8x8 depth 12 holds 1.9e9 leaves; 15 is days of work */

typedef struct PerftOptions {
    bool ref;
} PerftOptions;

static const OptionSpec options[] = {
    {"ref", OPT_FLAG, offsetof(PerftOptions, ref),
     .help = "count with the reference rules, one thread"},
};

static int perft_run(Context *context)
{
    const PerftOptions *given = context->options;
    const GameVariant *variant = game_variant(context->size_given ? context->size : 8);
    int64_t depth = 0;
    uint64_t nodes = 0;
    Text text = {0};
    int rc = context_arg_int(&depth, context, 0, "DEPTH", 0, DEPTH_MAX);
    rc = rc ? rc : context_pool(context);
    rc = rc ? rc : context_run_begin(context, NULL, false);
    if (rc != 0) {
        return rc;
    }
    double start = clock_seconds();
    if (given->ref) {
        RefBoard board;
        ref_start(&board, variant->size);
        nodes = ref_perft(&board, (int)depth);
    } else {
        rc = perft_start(&nodes, variant, (int)depth, context->pool);
    }
    double seconds = clock_seconds() - start;
    if (rc != 0) {
        return rc;
    }
    Js *document = js_object();
    js_set_int(document, "depth", depth);
    js_set_int(document, "size", variant->size);
    js_set_int(document, "nodes", (int64_t)nodes);
    js_set_num(document, "seconds", seconds);
    rc = context_add(context, "perft", js_keep(document));
    if (rc != 0) {
        js_free(document);
        return rc;
    }
    text_add(&text, "perft %lld on %dx%d: %llu leaves in %.3f s\n", (long long)depth, variant->size,
             variant->size, (unsigned long long)nodes, seconds);
    rc = context_result(context, document, text.data);
    text_release(&text);
    return rc;
}

const Command cmd_perft = {
    .name = "perft",
    .arguments = "DEPTH",
    .summary = "count the leaves of the game tree (proof of the rules)",
    .examples = "ogpt perft 10\nogpt perft 7 --ref\nogpt perft 12 --size 4",
    .options = options,
    .n_options = sizeof(options) / sizeof(options[0]),
    .options_bytes = sizeof(PerftOptions),
    .min_args = 1,
    .max_args = 1,
    .uses = USES_SIZE | USES_THREADS | USES_STORE,
    .run = perft_run,
};
