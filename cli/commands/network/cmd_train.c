/* cli/commands/network/cmd_train.c - ogpt train: games in, a network out, with everything it needs
 * to go on. */
#include <math.h>
#include <string.h>

#include "base/err.h"
#include "cli/commands/network/train_watch.h"
#include "cli/commands/common/model_input.h"
#include "model/lineage.h"
#include "num/blas.h"
#include "num/gemm_bf16.h"

typedef struct TrainCommand {
    const char *corpus, *preset, *optimizer, *schedule, *init_from, *precision;
    bool fresh, profile;
    int64_t probe_every;
    int64_t layers, d_model, heads, batch, batch_from, lanes, steps, games, checkpoint_every,
        report_every;
    double lr, lr_rest, lr_embed, lr_position, lr_head, batch_ramp, minutes, warmup, cooldown,
        weight_decay, momentum, clip, average;
} TrainCommand;

#define AT(field) offsetof(TrainCommand, field)
static const OptionSpec options[] = {
    OPTION_TEXT("corpus", AT(corpus), "CORPUS",
                "train on the games of this file (its validation split is held out)"),
    OPTION_FLAG("fresh", AT(fresh),
                "train on random games made as they are needed, never twice the same"),
    OPTION_CHOICE("preset", AT(preset), GPT_PRESETS,
                  "shape: nano 4x64, tiny 8x128, small 8x256, paper 8x512 (layers x width)",
                  .def = "tiny"),
    OPTION_INT("layers", AT(layers), "N", 1, 64, "blocks, instead of the preset's"),
    OPTION_INT("d-model", AT(d_model), "N", 1, 4096, "width, instead of the preset's"),
    OPTION_INT("heads", AT(heads), "N", 1, 256,
               "attention heads, instead of the preset's; must divide the width"),
    OPTION_INT("steps", AT(steps), "N", 1, TRAIN_MAX_STEPS,
               "length of the run in updates (2000 when no length is given)"),
    OPTION_INT("games", AT(games), "N", 1, 1e12, "length of the run in games"),
    OPTION_NUM(
        "minutes", AT(minutes), "M", 0.01, 1e6,
        "length of the run in minutes: fixes the steps once, from the speed of the first batches"),
    OPTION_INT("batch", AT(batch), "N", 1, 65536, "games an update", .def = "128"),
    OPTION_INT("batch-from", AT(batch_from), "N", 1, 65536,
               "games of the first update, rising to --batch on a straight line"),
    OPTION_NUM("batch-ramp", AT(batch_ramp), "X", 1e-6, 1,
               "share of the steps over which --batch-from rises (0.5)"),
    OPTION_INT("lanes", AT(lanes), "N", 1, 256,
               "pieces a batch is cut into; fixes the order of sums, whatever --threads says",
               .def = "8"),
    OPTION_CHOICE("optimizer", AT(optimizer), "adamw|muon",
                  "muon: for the matrices of the blocks, with AdamW for the rest", .def = "muon"),
    OPTION_NUM("lr", AT(lr), "X", 1e-9, 100,
               "peak rate of the blocks' matrices (0.02 for muon, 0.0015 for adamw)"),
    OPTION_NUM(
        "lr-rest", AT(lr_rest), "X", 1e-9, 100,
        "peak AdamW rate of embeddings, positions, head and vectors (0.002 beside muon, else "
        "--lr)"),
    OPTION_NUM("lr-embed", AT(lr_embed), "X", 1e-9, 100,
               "of the token embedding alone (--lr-rest)"),
    OPTION_NUM("lr-position", AT(lr_position), "X", 1e-9, 100,
               "of the positions alone (--lr-rest)"),
    OPTION_NUM("lr-head", AT(lr_head), "X", 1e-9, 100, "of the unembedding alone (--lr-rest)"),
    OPTION_CHOICE("schedule", AT(schedule), "constant|cosine|trapezoid", "rate over the run",
                  .def = "trapezoid"),
    OPTION_NUM("warmup", AT(warmup), "X", 0, 1, "share of the steps", .def = "0.02"),
    OPTION_NUM("cooldown", AT(cooldown), "X", 0, 1,
               "share of the steps at the end of trapezoid in which the rate falls to 0",
               .def = "0.5"),
    OPTION_NUM("weight-decay", AT(weight_decay), "X", 0, 10, "on matrices only", .def = "0.01"),
    OPTION_NUM("momentum", AT(momentum), "X", 0, 0.9999, "of muon", .def = "0.95"),
    OPTION_NUM("clip", AT(clip), "X", 0, 1e9, "largest gradient norm; 0: none", .def = "1"),
    OPTION_NUM("average", AT(average), "X", 0, 0.99999,
               "decay of the running average of the weights that is saved as the model; 0: none",
               .def = "0"),
    OPTION_CHOICE(
        "precision", AT(precision), "auto|f32|bf16",
        "factors of matrix products: bf16 where the processor multiplies them faster, sums in "
        "f32",
        .def = "auto"),
    OPTION_TEXT("init-from", AT(init_from), "MODEL", "start a new run from these weights"),
    OPTION_INT("checkpoint-every", AT(checkpoint_every), "N", 1, 1e9, "steps", .def = "200"),
    OPTION_INT("report-every", AT(report_every), "N", 1, 1e9,
               "steps between lines with the held-out error", .def = "100"),
    OPTION_INT(
        "probe-every", AT(probe_every), "N", 1, 1e9,
        "steps between quick probes of the board, shown and stored as a curve; a multiple of "
        "--report-every"),
    OPTION_FLAG("profile", AT(profile),
                "measure seconds, FLOP/s and share of each kernel, and print the table at the end"),
};

/* Shape and training options from the command line; every inconsistency is a usage error. */
static int read_options(GptConfig *cfg, TrainOptions *o, const Context *context,
                        const GameVariant *variant)
{
    const TrainCommand *c = context->options;
    bool muon = strcmp(c->optimizer, "muon") == 0;
    int rc = gpt_config_preset(cfg, c->preset);
    if (rc != 0) {
        return rc;
    }
    cfg->n_layers = c->layers > 0 ? (int)c->layers : cfg->n_layers;
    cfg->d_model = c->d_model > 0 ? (int)c->d_model : cfg->d_model;
    cfg->n_heads = c->heads > 0 ? (int)c->heads : cfg->n_heads;
    if (cfg->d_model % cfg->n_heads != 0) {
        return err_set(OGPT_EUSAGE, "--heads %d does not divide the width %d; choose a divisor",
                       cfg->n_heads, cfg->d_model);
    }
    cfg->d_head = cfg->d_model / cfg->n_heads;
    cfg->d_mlp = 4 * cfg->d_model;
    cfg->n_ctx = vocab_of(variant)->n_ctx;
    cfg->d_vocab = vocab_of(variant)->d_vocab;
    cfg->seed = context->seed;
    const char *reason = gpt_config_check(cfg);
    if (reason) {
        return err_set(OGPT_EUSAGE, "train: %s; make --layers or --d-model smaller", reason);
    }

    if ((c->steps > 0) + (c->games > 0) + (c->minutes > 0) > 1) {
        return err_set(OGPT_EUSAGE, "--steps, --games and --minutes exclude each other: give one");
    }
    if (c->batch_ramp > 0 && c->batch_from == 0) {
        return err_set(OGPT_EUSAGE, "--batch-ramp means nothing without --batch-from");
    }
    *o = TRAIN_OPTIONS_DEFAULT;
    o->optimizer = c->optimizer;
    o->schedule = c->schedule;
    o->precision = c->precision;
    if (strcmp(c->precision, "auto") == 0) {
        o->precision = bf16_available() ? "bf16" : "f32";
    }
    o->batch = c->batch;
    o->lanes = c->lanes;
    o->batch_from = c->batch_from;
    o->batch_ramp = c->batch_ramp > 0 ? c->batch_ramp : 0.5;
    o->steps = c->steps > 0 ? c->steps : 2000;
    if (c->minutes > 0) {
        o->steps = 0;
        o->minutes = c->minutes;
    }
    o->lr = c->lr > 0 ? c->lr : muon ? 0.02 : 0.0015;
    double rest = c->lr_rest > 0 ? c->lr_rest : muon ? 0.002 : o->lr;
    o->lr_vector = rest;
    o->lr_embed = c->lr_embed > 0 ? c->lr_embed : rest;
    o->lr_position = c->lr_position > 0 ? c->lr_position : rest;
    o->lr_head = c->lr_head > 0 ? c->lr_head : rest;
    o->warmup = c->warmup;
    o->cooldown = c->cooldown;
    o->weight_decay = c->weight_decay;
    o->momentum = c->momentum;
    o->clip = c->clip;
    o->average = c->average;
    o->checkpoint_every = c->checkpoint_every;
    o->report_every = c->report_every;
    o->profile = c->profile;
    o->seed = context->seed;
    if (c->probe_every % o->report_every != 0) {
        return err_set(OGPT_EUSAGE, "--probe-every %lld is no multiple of --report-every %lld",
                       (long long)c->probe_every, (long long)o->report_every);
    }
    reason = train_options_check(o);
    if (!reason && c->games > 0) {
        o->steps = train_steps(o, c->games);
        reason = train_options_check(o);
    }
    return !reason ? 0 : err_set(OGPT_EUSAGE, "train: %s", reason);
}

static void set_unless(Js *object, const char *key, double value, double plain)
{
    if (value != plain) {
        js_set_num(object, key, value);
    }
}

/* What must be equal for a run to go on; stored with every checkpoint. */
static Js *identity(const GptConfig *cfg, const TrainOptions *o, const GameSource *source,
                    const Context *context, const ModelFile *init)
{
    Js *same = js_object(), *about = js_object();
    js_set_str(same, "source", source_identity(source));
    js_set_int(same, "layers", cfg->n_layers);
    js_set_int(same, "d-model", cfg->d_model);
    js_set_int(same, "heads", cfg->n_heads);
    js_set_int(same, "seed", (int64_t)o->seed);
    if (o->steps > 0) {
        js_set_int(same, "steps", o->steps);
    } else {
        js_set_num(same, "minutes", o->minutes);
    }
    js_set_int(same, "batch", o->batch);
    js_set_int(same, "lanes", o->lanes);
    js_set_str(same, "optimizer", o->optimizer);
    js_set_str(same, "schedule", o->schedule);
    js_set_str(same, "precision", o->precision);
    js_set_num(same, "lr", o->lr);
    js_set_num(same, "lr-rest", o->lr_vector);
    /* Options that an earlier program did not know are named only where they were used, so that
     * its runs go on. */
    set_unless(same, "lr-embed", o->lr_embed, o->lr_vector);
    set_unless(same, "lr-position", o->lr_position, o->lr_vector);
    set_unless(same, "lr-head", o->lr_head, o->lr_vector);
    set_unless(same, "batch-from", (double)o->batch_from, 0);
    if (o->batch_from > 0) {
        js_set_num(same, "batch-ramp", o->batch_ramp);
    }
    js_set_num(same, "warmup", o->warmup);
    js_set_num(same, "cooldown", o->cooldown);
    js_set_num(same, "weight-decay", o->weight_decay);
    js_set_num(same, "momentum", o->momentum);
    js_set_num(same, "clip", o->clip);
    js_set_num(same, "average", o->average);
    js_set_str(same, "init-from", init->gpt ? init->model_hash : "");
    js_set(about, "options", same);
    if (init->gpt) {
        js_set(about, "earlier", lineage_write(init->manifest));
    }
    js_set_str(about, "command_line", context->command_line);
    js_set_str(about, "blas_core", blas_core());
    return about;
}

/* The games: fresh or from a corpus, and the held-out ones of the same kind. */
static int open_games(GameSource **source, GameSource **held_out, Corpus **corpus, Context *context)
{
    const TrainCommand *c = context->options;
    if (!c->corpus != c->fresh) {
        return err_set(OGPT_EUSAGE, "train: give either --corpus CORPUS or --fresh");
    }
    int rc;
    if (c->fresh) {
        const GameVariant *variant = game_variant(context->size > 0 ? context->size : 8);
        if ((rc = source_fresh(source, variant, context->seed, RNG_FRESH)) != 0 ||
            (rc = source_fresh(held_out, variant, context->seed, RNG_HELDOUT)) != 0) {
            return rc;
        }
        /* 4x4 has only 60,060 games: holding some out of them means nothing there. */
        return variant->size == 4
                   ? 0
                   : source_exclude(*source, *held_out, TRAIN_HELD_OUT_GAMES, context->pool);
    }
    if ((rc = corpus_open(corpus, c->corpus, false)) != 0) {
        return rc;
    }
    int size = corpus_info(*corpus)->variant->size;
    if (context->size_given && context->size != size) {
        return err_set(OGPT_EUSAGE, "%s holds games of size %d, --size asks for %d", c->corpus,
                       size, context->size);
    }
    rc = source_corpus(source, *corpus, 1u << SPLIT_TRAIN, true, context->seed);
    return rc != 0 ? rc
                   : source_corpus(held_out, *corpus, 1u << SPLIT_VALIDATION, false, context->seed);
}

/* Games to fit the quick probe on: of the same kind as the training games, not among them when
 * they are fresh. */
static int open_probe_games(GameSource **out, Corpus *corpus, const GameSource *source,
                            uint64_t seed)
{
    if (!corpus) {
        return source_fresh(out, source_variant(source), seed, RNG_PROBE_GAMES);
    }
    return source_corpus(out, corpus, 1u << SPLIT_TRAIN, false, seed);
}

/* The network to start from. Its eps is part of the function that it computes. */
static int load_init(ModelFile *init, GptConfig *cfg, const Context *context,
                     const GameSource *source)
{
    const TrainCommand *c = context->options;
    int rc = context_model_load(context, init, c->init_from);
    if (rc != 0) {
        return rc;
    }
    cfg->eps = init->gpt->cfg.eps;
    /* A network that cannot be the start is refused in one line of its own. */
    if (c->fresh && gpt_config_same_shape(cfg, &init->gpt->cfg) &&
        lineage_names(init->manifest, source_identity(source))) {
        context_warn(context,
                     "%s was trained on the games of --seed %llu; another seed makes new ones",
                     c->init_from, (unsigned long long)context->seed);
    }
    return 0;
}

static int run_train(Context *context)
{
    const TrainCommand *c = context->options;
    const char *run_path = context->args[0];
    GptConfig cfg;
    TrainOptions train;
    GameSource *source = NULL, *held_out = NULL, *probe_games = NULL;
    Corpus *corpus = NULL;
    ModelFile init = {0};
    Js *about = NULL;
    TrainWatch watch = {.context = context, .strict_error = NAN};
    int rc = open_games(&source, &held_out, &corpus, context);
    if (rc != 0 || (rc = read_options(&cfg, &train, context, source_variant(source))) != 0 ||
        (c->init_from && (rc = load_init(&init, &cfg, context, source)) != 0) ||
        (rc = context_pool(context)) != 0) {
        goto done;
    }
    const Work work = context_work(context, NULL);
    if (c->probe_every > 0 &&
        ((rc = open_probe_games(&probe_games, corpus, source, context->seed)) != 0 ||
         (rc = quick_probe_new(&watch.probe, probe_games, held_out, &work)) != 0)) {
        goto done;
    }
    if ((rc = context_run_begin(context, run_path, true)) != 0) {
        goto done;
    }
    watch.held_out = held_out;
    watch.train = &train;
    watch.probe_every = c->probe_every;
    watch.generated = !corpus || strcmp(corpus_info(corpus)->source, "random") == 0;
    about = identity(&cfg, &train, source, context, &init);
    size_t init_bytes = init.gpt ? init.gpt->n_numbers * sizeof(float) : 0;
    context_say(context, "%lld parameters, %zu threads, %s products, %.0f MB of memory, seed %llu",
                (long long)gpt_config_parameters(&cfg), context->threads, train.precision,
                (double)(train_bytes(&cfg, &train, context->threads) + init_bytes) / 1e6,
                (unsigned long long)context->seed);
    rc = train_watched(&watch, run_path, &cfg, &train, source, init.gpt, about);
done:
    js_free(about);
    if (init.gpt) {
        model_release(&init);
    }
    quick_probe_free(watch.probe);
    source_free(probe_games);
    source_free(held_out);
    source_free(source);
    corpus_close(corpus);
    return rc;
}

const Command cmd_train = {
    .name = "train",
    .arguments =
        "MODEL --corpus CORPUS | --fresh [--preset NAME] [--steps N|--games N|--minutes M]",
    .summary = "train a network on move sequences; goes on where it stopped",
    .examples = "ogpt train runs/tiny --fresh --preset tiny --minutes 20\n"
                "ogpt train runs/six --fresh --size 6 --minutes 5\n"
                "ogpt train runs/mine --corpus games.ogpc --games 200000",
    .options = options,
    .n_options = sizeof(options) / sizeof(options[0]),
    .options_bytes = sizeof(TrainCommand),
    .min_args = 1,
    .max_args = 1,
    .uses = USES_SEED | USES_SIZE | USES_THREADS | USES_STORE,
    .run = run_train,
};
