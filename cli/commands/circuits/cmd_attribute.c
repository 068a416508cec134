/* cli/commands/circuits/cmd_attribute.c - ogpt attribute: which parts of the network wrote what is
 * read from it. */
#include <stdio.h>

#include "base/err.h"
#include "cli/commands/circuits/attribute_session.h"
#include "cli/commands/common/kept_blocks.h"
#include "cli/commands/common/probe_input.h"
#include "cli/commands/common/shared_options.h"
#include "cli/study.h"
#include "report/circuits/attribution_boards.h"
#include "report/circuits/metric_note.h"

#define AT(field) offsetof(AttributeOptions, field)
static const OptionSpec options[] = {
    OPTION_TEXT("moves", AT(moves), "MOVES", "one game, such as \"f5 d6 c3\": its last position"),
    OPTION_TEXT("corpus", AT(corpus), "CORPUS", "games: positions of its test split"),
    OPTION_TEXT("cases", AT(cases), "FILE",
                "cases or pairs: the last position of every (clean) history"),
    OPTION_FLAG("fresh", AT(fresh), "fresh random games, by the seed"),
    OPTION_INT("games", AT(games), "N", 1, 20000, "games of --corpus or --fresh", .def = "1000"),
    OPTION_INT("plies", AT(plies), "N", 0, 60, "positions drawn from each game; 0 takes all",
               .def = "4"),
    OPTION_ENUM("to", AT(to), "board|logit",
                "the number: a probe's score of squares, or logits (default: board, with --move or "
                "--metric logit)"),
    OPTION_TEXT("square", AT(square), "SQUARE", "board: this square (default: all)"),
    OPTION_PROBE(AT(probe), "board: probe fitted on this model"),
    OPTION_ONE_LAYER(AT(layers), "board: layer at which the probe reads (default: the middle one)"),
    OPTION_TEXT("contrast", AT(contrast), "A-B",
                "board: classes whose scores are compared (default: the last minus the one before "
                "it, such as mine-theirs)"),
    OPTION_TEXT("move", AT(move), "SQUARE", "logit: of this move"),
    OPTION_ENUM("metric", AT(metric), "delta|move|centred",
                "logit: mean of the legal moves minus mean of the other empty squares (of cases: "
                "of the moves legal on one board only); of the move; of the move minus the mean",
                .def = "delta", .argument = "METRIC"),
    OPTION_ENUM("by", AT(grain), ATTRIBUTION_GRAIN_NAMES, "how finely the stream is taken apart",
                .def = "head", .argument = "GRAIN"),
    OPTION_ENUM("ln", AT(ln), "frozen|recomputed",
                "logit: the scale of the last LayerNorm is kept, or computed again without the "
                "component",
                .def = "frozen"),
    OPTION_INT("top", AT(top), "N", 1, 100000, "components that are printed", .def = "20"),
    OPTION_INT("maps", AT(maps), "N", 0, ATTRIBUTION_MAPS_MAX,
               "components that are drawn over the board of --moves", .def = "3"),
    OPTION_MEMORY(AT(memory)),
};

/* Say what it takes, and refuse what is more than allowed. */
static int check_memory(const AttributeSession *session)
{
    const Context *context = session->context;
    size_t bytes =
        attribution_bytes(&session->inputs.subject.model.gpt->cfg, &session->target,
                          &session->positions, &session->options, &(Work){.pool = context->pool});
    int rc = context_check_memory(bytes, session->given->memory, "fewer --games");
    if (rc == 0 && !session->given->moves) {
        context_say(context, "%zu positions of %zu games, %zu MiB of memory",
                    session->positions.set.n_positions, session->positions.set.n_games,
                    (bytes >> 20) + 1);
    }
    return rc;
}

static void report(const AttributeSession *session, const Attribution *found)
{
    const AttributeOptions *given = session->given;
    const Subject *subject = &session->inputs.subject;
    attribution_report(session->context->report,
                       &(AttributionFindings){.found = found,
                                              .target = &session->target,
                                              .positions = &session->positions,
                                              .options = &session->options,
                                              .vocab = subject->vocab,
                                              .model_hash = subject->model.model_hash,
                                              .source = session->source,
                                              .typed = given->moves,
                                              .top = (int)given->top,
                                              .maps = (int)given->maps,
                                              .style = session->context->style});
}

/* Finished blocks of a long run are kept until its results are stored. */
static int compute(Attribution *found, const AttributeSession *session)
{
    Context *context = session->context;
    const ModelFile *model = &session->inputs.subject.model;
    KeptWork blocks;
    Work work = *study_work(context, "attribution", "games");
    Sha256 *hash;
    int rc = kept_blocks_key(&hash, context, model->model_hash);
    if (rc == 0) {
        attribution_hash(hash, &session->target, &session->positions, &session->options);
    }
    rc = kept_blocks_begin(&blocks, context, hash, rc);
    work.journal = &blocks.callbacks;
    rc = rc ? rc
            : attribution_run(found, model->gpt, &session->target, &session->positions,
                              &session->options, &work);
    return rc ? rc : kept_blocks_end(&blocks);
}

static int run(AttributeSession *session)
{
    Attribution found = {0};
    int rc = attribute_load(session);
    rc = rc ? rc : study_begin(session->context, session->inputs.subject.model.path, true);
    rc = rc ? rc : attribute_draw(session);
    rc = rc ? rc : check_memory(session);
    rc = rc ? rc : compute(&found, session);
    if (rc == 0) {
        report(session, &found);
        if (session->positions.pairs && session->target.metric == TARGET_DELTA) {
            metric_report(session->context->report, session->given->cases, session->positions.pairs,
                          session->positions.set.n_games);
        }
    }
    attribution_release(&found);
    return rc;
}

static int attribute_run(Context *context)
{
    AttributeSession session = {.context = context, .given = context->options};
    int rc = run(&session);
    attribute_free(&session);
    return rc;
}

const Command cmd_attribute = {
    .name = "attribute",
    .arguments = "MODEL --moves MOVES|--corpus CORPUS|--cases FILE|--fresh",
    .summary = "which parts of the network wrote a square of the board, or a move's logit",
    .examples = "ogpt attribute tiny-8x8 --moves 'f5 d6 c3 d3 c4' --square d4\n"
                "ogpt attribute tiny-8x8 --moves 'f5 d6 c3 d3 c4' --square d4 --by source\n"
                "ogpt attribute tiny-8x8 --moves 'f5 d6 c3' --move d3 --ln recomputed\n"
                "ogpt attribute tiny-8x8 --fresh --games 200 --layers 6\n"
                "ogpt attribute runs/tiny --corpus games.ogpc --to logit --by neuron",
    COMMAND_OPTIONS(options, AttributeOptions),
    .min_args = 1,
    .max_args = 1,
    .model_args = 1,
    .uses = USES_SEED | USES_THREADS | USES_STORE | USES_FORCE | USES_BOARDS,
    COMMAND_TABLES(&attribution_table, &attribution_components_table, &attribution_top_table,
                   &attribution_shares_table),
    .run = attribute_run,
};
