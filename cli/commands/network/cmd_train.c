/* cli/commands/network/cmd_train.c - ogpt train: games in, a network out, with everything it needs
 * to go on. */
#include <math.h>
#include <string.h>

#include "base/err.h"
#include "cli/commands/common/shared_options.h"
#include "cli/commands/network/train_inputs.h"
#include "cli/commands/network/train_watch.h"
#include "num/blas.h"

#define AT(field) offsetof(TrainCommand, field)
static const OptionSpec options[] = {
    OPTION_TEXT("corpus", AT(corpus), "CORPUS",
                "train on the games of this file (its validation split is held out)"),
    OPTION_FLAG(
        "fresh", AT(fresh),
        "train on random games made as they are needed; only the shortest repeat now and then "
        "(docs/METHODS.md)"),
    OPTION_RULES(AT(rules), "rules of the --fresh games: classic unless told (docs/GAMES.md)"),
    OPTION_CHOICE("preset", AT(preset), GPT_PRESETS,
                  "shape: nano 4x64, tiny 8x128, small 8x256, paper 8x512 (layers x width)",
                  .def = "tiny"),
    OPTION_INT("layers", AT(layers), "N", 1, 64, "blocks, instead of the preset's"),
    OPTION_INT("d-model", AT(d_model), "N", 1, 4096, "width, instead of the preset's"),
    OPTION_INT("heads", AT(heads), "N", 1, 256,
               "attention heads, instead of the preset's; must divide the width"),
    OPTION_INT("steps", AT(train.steps), "N", 1, TRAIN_MAX_STEPS,
               "length of the run in updates (4000 when no length is given)"),
    OPTION_INT("games", AT(games), "N", 1, 1e12, "length of the run in games"),
    OPTION_NUM(
        "minutes", AT(train.minutes), "M", 0.01, 1e6,
        "length of the run in minutes: fixes the steps once, from the speed of the first batches"),
    OPTION_INT("batch", AT(train.batch), "N", 1, 65536, "games an update", .def = "64"),
    OPTION_INT("batch-from", AT(train.batch_from), "N", 1, 65536,
               "games of the first update, rising to --batch on a straight line"),
    OPTION_NUM("batch-ramp", AT(train.batch_ramp), "X", 1e-6, 1,
               "share of the steps over which --batch-from rises (0.5)"),
    OPTION_INT("layers-from", AT(train.layers_from), "N", 1, 64,
               "blocks of the first updates, doubled until all are in use; a block joins without "
               "changing what the network computes (half of them; all with --init-from or "
               "a constant rate)"),
    OPTION_NUM("layers-until", AT(train.layers_until), "X", 1e-6, 1,
               "share of the steps after which all blocks are in use (0.9)"),
    OPTION_INT("lanes", AT(train.lanes), "N", 1, 256,
               "pieces a batch is cut into; fixes the order of sums, not --threads", .def = "8"),
    OPTION_CHOICE("optimizer", AT(train.optimizer), "adamw|muon",
                  "muon: for the matrices of the blocks, with AdamW for the rest", .def = "muon"),
    OPTION_NUM("lr", AT(train.lr), "X", 1e-9, 100,
               "peak rate of the blocks' matrices (0.02 for muon, 0.0015 for adamw)"),
    OPTION_NUM("lr-rest", AT(train.lr_vector), "X", 1e-9, 100,
               "peak AdamW rate of embeddings, positions, head and vectors (0.002 with muon, else "
               "--lr)"),
    OPTION_NUM("lr-embed", AT(train.lr_embed), "X", 1e-9, 100,
               "of the token embedding alone (--lr-rest)"),
    OPTION_NUM("lr-position", AT(train.lr_position), "X", 1e-9, 100,
               "of the positions alone (--lr-rest)"),
    OPTION_NUM("lr-head", AT(train.lr_head), "X", 1e-9, 100,
               "of the unembedding alone (--lr-rest)"),
    OPTION_CHOICE("schedule", AT(train.schedule), "constant|cosine|trapezoid", "rate over the run",
                  .def = "trapezoid"),
    OPTION_NUM("warmup", AT(train.warmup), "X", 0, 1, "share of the steps", .def = "0.02"),
    OPTION_NUM("cooldown", AT(train.cooldown), "X", 0, 1,
               "share of the steps at the end of trapezoid in which the rate falls to 0",
               .def = "0.5"),
    OPTION_NUM("weight-decay", AT(train.weight_decay), "X", 0, 10, "on matrices only",
               .def = "0.01"),
    OPTION_NUM("momentum", AT(train.momentum), "X", 0, 0.9999, "of muon", .def = "0.95"),
    OPTION_NUM("clip", AT(train.clip), "X", 0, 1e9, "largest gradient norm; 0: none", .def = "1"),
    OPTION_NUM("average", AT(train.average), "X", 0, 0.99999,
               "decay of the running average of the weights that is saved as the model; 0: none",
               .def = "0"),
    OPTION_CHOICE(
        "precision", AT(train.precision), "auto|f32|bf16",
        "factors of matrix products: bf16 where the processor multiplies them faster, sums in "
        "f32",
        .def = "auto"),
    OPTION_TEXT("init-from", AT(init_from), "MODEL",
                "start a new run from these weights; without --corpus and --fresh the options are "
                "those of that run, with new games if they were fresh"),
    OPTION_INT("checkpoint-every", AT(train.checkpoint_every), "N", 1, 1e9, "steps", .def = "200"),
    OPTION_TEXT(
        "keep", AT(keep), "WHICH",
        "checkpoints that stay: all, the newest N, or the newest 2 and those after 1, 2, 4, 8, "
        "... steps (ogpt probe fit RUN --all-steps reads them); without it as the run did so far, "
        "at "
        "first 2"),
    OPTION_INT("report-every", AT(train.report_every), "N", 1, 1e9,
               "steps between lines with the held-out error (--probe-every, else a twentieth of "
               "the run, at least 200)"),
    OPTION_INT(
        "probe-every", AT(probe_every), "N", 1, 1e9,
        "steps between quick probes of the board, shown and stored as a curve; a multiple of "
        "--report-every"),
    OPTION_FLAG(
        "profile", AT(train.profile),
        "print seconds, FLOP/s and shares of the machine's two peaks for each kernel at the end"),
};

static int run_train(Context *context)
{
    const TrainCommand *given = context->options;
    GptConfig cfg;
    TrainOptions train;
    TrainInputs inputs = {0};
    TrainWatch watch = {.context = context, .strict_error = NAN};
    int rc = blas_reserve(context->threads);
    rc = rc ? rc : train_inputs_open(&inputs, context);
    rc = rc ? rc : train_inputs_shape(&cfg, context, inputs.source);
    rc = rc ? rc : train_inputs_options(&train, &cfg, context);
    rc = rc ? rc : train_inputs_init(&inputs, &cfg, context);
    rc = rc ? rc : context_pool(context);
    if (rc == 0 && given->probe_every > 0) {
        const Work work = {.pool = context->pool, .seed = context->seed};
        rc = train_inputs_probe(&inputs, context->seed);
        rc = rc ? rc : quick_probe_new(&watch.probe, inputs.probe_games, inputs.held_out, &work);
    }
    rc = rc ? rc : study_begin(context, context->args[0], true);
    if (rc == 0) {
        const Gpt *init = inputs.init.gpt;
        TrainJob job = {.run_path = context->args[0],
                        .cfg = &cfg,
                        .options = &train,
                        .source = inputs.source,
                        .corpus_path = given->corpus,
                        .init = init};
        Js *about = train_about(&job, init ? &inputs.init : NULL, context->command_line);
        size_t init_bytes = init ? init->n_numbers * sizeof(float) : 0;
        job.about = about;
        watch.held_out = inputs.held_out;
        watch.probe_every = given->probe_every;
        watch.corpus = inputs.corpus ? given->corpus : NULL;
        watch.generated =
            !inputs.corpus || strcmp(corpus_info(inputs.corpus)->source, "random") == 0;
        char time[SPEED_TEXT] = "";
        train_estimate(time, &cfg, &train, context->pool);
        context_say(context,
                    "%lld parameters, %zu threads, %s products, %.0f MB of memory, %s (estimated), "
                    "seed %llu",
                    (long long)gpt_config_parameters(&cfg), context->threads, train.precision,
                    (double)(train_bytes(&cfg, &train, context->threads) + init_bytes) / 1e6, time,
                    (unsigned long long)context->seed);
        rc = train_watched(&watch, &job);
        js_free(about);
    }
    quick_probe_free(watch.probe);
    train_inputs_release(&inputs);
    return rc;
}

const Command cmd_train = {
    .name = "train",
    .arguments =
        "MODEL --corpus CORPUS | --fresh [--preset NAME] [--steps N|--games N|--minutes M]",
    .summary = "train a network on move sequences; goes on where it stopped",
    .examples = "ogpt train runs/tiny --fresh --minutes 20\n"
                "ogpt train runs/six --fresh --size 6 --preset tiny --minutes 5\n"
                "ogpt train runs/rule --fresh --size 6 --rules no-mid-flip --minutes 5\n"
                "ogpt train runs/mine --corpus games.ogpc --games 200000",
    COMMAND_OPTIONS(options, TrainCommand),
    .min_args = 1,
    .max_args = 1,
    .uses = USES_SEED | USES_SIZE | USES_THREADS | USES_STORE | USES_RANKS,
    COMMAND_TABLES(&train_table, &train_curve_table, &train_profile_table, &train_peaks_table),
    .run = run_train,
};
