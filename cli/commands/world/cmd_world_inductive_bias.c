/* cli/commands/world/cmd_world_inductive_bias.c - ogpt world inductive-bias: what does a network
 * that learns something new take it to be about? */
#include "base/err.h"
#include "cli/commands/common/kept_blocks.h"
#include "cli/commands/common/model_input.h"
#include "cli/study.h"
#include "report/world/world_result.h"

typedef struct BiasCommandOptions {
    int64_t functions, states, trained, steps, triples, min_moves;
    double rate;
} BiasCommandOptions;

#define AT(field) offsetof(BiasCommandOptions, field)
static const OptionSpec options[] = {
    OPTION_INT("functions", AT(functions), "N", 2, 10000,
               "random functions of states, each learned by a copy of the network", .def = "20"),
    OPTION_INT("states", AT(states), "N", 3, CASES_MAX,
               "states, with two histories each: learned from and asked about", .def = "400"),
    OPTION_INT("trained", AT(trained), "N", 1, 10000,
               "states of each function that are learned from; the others are asked about",
               .def = "100"),
    OPTION_INT("steps", AT(steps), "N", 0, 10000, "steps of AdamW, each on all of these",
               .def = "60"),
    OPTION_INT("triples", AT(triples), "N", 0, 10000,
               "triples of states that tell the board from the legal moves", .def = "300"),
    OPTION_NUM("rate", AT(rate), "X", 0, 1, "learning rate", .def = "0.001"),
    OPTION_INT("min-moves", AT(min_moves), "N", 0, 59,
               "shortest history, the longest has 5 more; 0: 5, on the 4x4 board 3", .def = "0"),
};

/* Moves that a game has to go behind a history, at least. */
static int moves_left(const GameVariant *variant)
{
    return variant->size == 4 ? 1 : case_before_end(variant);
}

/* The options of the test; lengths of histories that the board has. */
static BiasOptions bias_options(const Context *context, const GameVariant *variant)
{
    const BiasCommandOptions *given = context->options;
    int before_end = moves_left(variant);
    BiasOptions out = {.functions = (size_t)given->functions,
                       .trained = (size_t)given->trained,
                       .triples = (size_t)given->triples,
                       .steps = (int)given->steps,
                       .rate = given->rate};
    out.min_moves = given->min_moves > 0 ? (int)given->min_moves : variant->size == 4 ? 3 : 5;
    out.max_moves = out.min_moves + 5;
    if (out.max_moves > variant->n_moves - before_end) {
        out.max_moves = variant->n_moves - before_end;
    }
    return out;
}

/* Pairs of histories, each of one state. */
static int pairs_draw(PairSet *out, Context *context, const GameVariant *variant,
                      const BiasOptions *wanted)
{
    const BiasCommandOptions *given = context->options;
    const PairMakeOptions pairs = {.n = (size_t)given->states,
                                   .kind = PAIR_TRANSPOSITION,
                                   .min_moves = wanted->min_moves,
                                   .max_moves = wanted->max_moves,
                                   .before_end = moves_left(variant)};
    return pairs_make(out, variant, &pairs, study_work(context, "pairs", "pairs"));
}

static int learners_run(BiasScore *scores, Context *context, const Subject *subject,
                        const PairSet *pairs, const BiasOptions *wanted, const WorkJournal *journal)
{
    int rc = 0;
    for (int learner = 0; rc == 0 && learner < N_BIAS_LEARNERS; learner++) {
        Work work =
            *study_work(context, world_bias_learner_name((BiasLearner)learner), "functions");
        work.journal = journal;
        rc = world_bias(&scores[learner], (BiasLearner)learner, subject->model.gpt, subject->vocab,
                        pairs, wanted, &work);
    }
    return rc;
}

static int bias_run(Context *context)
{
    Subject subject = {0};
    PairSet pairs = {0};
    KeptWork kept;
    Sha256 *hash = NULL;
    BiasScore scores[N_BIAS_LEARNERS];
    BiasOptions wanted = {0};
    int rc = context_subject_open(context, &subject, context->args[0]);
    rc = rc ? rc : study_begin(context, subject.model.path, true);
    if (rc == 0) {
        wanted = bias_options(context, subject.variant);
        rc = pairs_draw(&pairs, context, subject.variant, &wanted);
    }
    if (rc == 0) {
        rc = kept_blocks_key(&hash, context, subject.model.model_hash);
        rc = rc ? rc : kept_blocks_options(hash, context);
        rc = kept_blocks_begin(&kept, context, hash, rc);
    }
    rc = rc ? rc : learners_run(scores, context, &subject, &pairs, &wanted, &kept.callbacks);
    if (rc == 0) {
        WorldFindings findings = {.model_hash = subject.model.model_hash, .units = pairs.n};
        world_report_bias(context->report, &findings, scores);
        rc = kept_blocks_end(&kept);
    }
    pairs_release(&pairs);
    subject_release(&subject);
    return rc;
}

const Command cmd_world_inductive_bias = {
    .name = "world inductive-bias",
    .arguments = "MODEL [--functions N] [--states N]",
    .summary = "whether what a network learns anew is about boards",
    .examples = "ogpt world inductive-bias tiny-6x6\n"
                "ogpt world inductive-bias runs/tiny --functions 10 --states 200 --trained 50",
    COMMAND_OPTIONS(options, BiasCommandOptions),
    .min_args = 1,
    .max_args = 1,
    .model_args = 1,
    .uses = USES_SEED | USES_THREADS | USES_STORE | USES_FORCE,
    COMMAND_TABLES(&world_table, &world_bias_table),
    .run = bias_run,
};
