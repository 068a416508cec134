/* cli/commands/network/train_inputs.c - contract in cli/commands/network/train_inputs.h. */
#include "cli/commands/common/game_input.h"
#include "cli/commands/network/train_inputs.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/files.h"
#include "cli/commands/common/model_input.h"
#include "datasets/vocab.h"
#include "model/lineage.h"

static int fresh_open(TrainInputs *out, Context *context)
{
    const TrainCommand *given = context->options;
    const GameVariant *variant = context_variant(context, given->rules);
    int rc = source_fresh(&out->source, variant, context->seed, RNG_FRESH);
    rc = rc ? rc : source_fresh(&out->held_out, variant, context->seed, RNG_HELDOUT);
    /* 4x4 has only 60,060 games: holding some out of them means nothing there. */
    return rc || variant->size == 4
               ? rc
               : source_exclude(out->source, out->held_out, TRAIN_HELD_OUT_GAMES, context->pool);
}

/* "fresh:NUMBER:SEED", which source_identity gives to random games; *size of that variant. */
static bool fresh_parse(int *size, uint64_t *seed, const char *source)
{
    char *end;
    const GameVariant *variant = NULL;
    if (!source || strncmp(source, "fresh:", 6) != 0) {
        return false;
    }
    variant = game_variant_numbered((int)strtol(source + 6, &end, 10));
    *size = variant ? variant->size : 0;
    *seed = *end == ':' ? strtoull(end + 1, &end, 10) : 0;
    return *end == '\0' && variant;
}

/* --init-from without games: the options of that run, and games as it had them. Fresh games are
 * those of the next seed, because the network has seen those of its own. */
static int take_options(TrainInputs *out, Context *context, TrainCommand *given)
{
    int size = 0;
    uint64_t seed = 0;
    int rc = context_model_load(context, &out->init, given->init_from);
    const Js *about = rc == 0 ? js_member(out->init.manifest, "about") : NULL;
    const Js *options = js_member(about, "options");
    if (rc == 0 && !options) {
        rc = err_set(OGPT_EUSAGE,
                     "%s: does not say how it was trained, so its options cannot be taken; give "
                     "--corpus CORPUS or --fresh",
                     given->init_from);
    }
    if (rc) {
        return rc;
    }
    const char *source = js_str_of(js_member(options, "source"));
    out->taken = js_object();
    void *it = NULL;
    const char *key;
    const Js *value;
    bool length = context_given(context, "steps") || context_given(context, "games") ||
                  context_given(context, "minutes");
    bool rates = !context_given(context, "optimizer");
    while (js_next(options, &it, &key, &value)) {
        bool skip = (length && (strcmp(key, "steps") == 0 || strcmp(key, "minutes") == 0)) ||
                    (!rates && strncmp(key, "lr", 2) == 0) ||
                    strncmp(key, "layers-", 7) == 0; /* its weights use all blocks */
        if (!skip) {
            js_set(out->taken, key, js_keep(value));
        }
    }
    rc = context_options_take(context, out->taken, given->init_from);
    if (rc) {
        return rc;
    }
    given->corpus = js_str_of(js_member(about, "corpus"));
    given->fresh = fresh_parse(&size, &seed, source);
    if (given->fresh) {
        given->corpus = NULL;
        context->size = context->size_given ? context->size : size;
        context->seed = context->seed_given ? context->seed : seed + 1;
    }
    PathKind kind = PATH_MISSING;
    rc = given->corpus ? path_kind(&kind, given->corpus) : 0;
    if (rc != 0) {
        return rc;
    }
    if (!given->fresh && kind != PATH_FILE) {
        return err_set(
            OGPT_EUSAGE,
            "%s: was trained on the corpus %s, which is not here; name it with --corpus, "
            "and the options that matter with it",
            given->init_from, given->corpus ? given->corpus : source);
    }
    context_say(context, "the options of %s are taken, with %s%s", given->init_from,
                given->fresh ? "fresh games of another seed" : "the games of ",
                given->fresh ? "" : given->corpus);
    return 0;
}

static int init_load(TrainInputs *out, const Context *context)
{
    const char *path = ((const TrainCommand *)context->options)->init_from;
    return path && !out->init.gpt ? context_model_load(context, &out->init, path) : 0;
}

int train_inputs_open(TrainInputs *out, Context *context)
{
    TrainCommand *given = (TrainCommand *)context->options; /* the table's own struct */
    if (given->init_from && !given->corpus && !given->fresh) {
        int rc = take_options(out, context, given);
        if (rc) {
            return rc;
        }
    }
    if (!given->corpus != given->fresh) {
        return err_set(OGPT_EUSAGE, "train: give either --corpus CORPUS or --fresh");
    }
    if (given->fresh) {
        return fresh_open(out, context);
    }
    int rc = corpus_open(&out->corpus, given->corpus, false);
    if (rc != 0) {
        return rc;
    }
    const GameVariant *variant = corpus_info(out->corpus)->variant;
    if (context->size_given && context->size != variant->size) {
        return err_set(OGPT_EUSAGE, "%s holds games of size %d, --size asks for %d", given->corpus,
                       variant->size, context->size);
    }
    if (given->rules >= 0 && (GameRules)given->rules != variant->rules) {
        return err_set(OGPT_EUSAGE, "%s holds games by the rules %s, --rules asks for %s",
                       given->corpus, game_rules_name(variant->rules),
                       game_rules_name((GameRules)given->rules));
    }
    /* What the network was trained on before is never held out. */
    rc = init_load(out, context);
    if (rc == 0 && out->init.gpt) {
        context_inputs_divide(context, out->corpus, given->corpus, &out->init);
    }
    rc = rc ? rc : source_corpus(&out->source, out->corpus, 1u << SPLIT_TRAIN, true, context->seed);
    return rc ? rc
              : source_corpus(&out->held_out, out->corpus, 1u << SPLIT_VALIDATION, false,
                              context->seed);
}

int train_inputs_probe(TrainInputs *inputs, uint64_t seed)
{
    return inputs->corpus
               ? source_corpus(&inputs->probe_games, inputs->corpus, 1u << SPLIT_TRAIN, false, seed)
               : source_fresh(&inputs->probe_games, source_variant(inputs->source), seed,
                              RNG_PROBE_GAMES);
}

int train_inputs_shape(GptConfig *out, const Context *context, const GameSource *source)
{
    const TrainCommand *given = context->options;
    const Vocab *vocab = vocab_of(source_variant(source));
    int rc = gpt_config_preset(out, given->preset);
    if (rc != 0) {
        return rc;
    }
    out->n_layers = given->layers > 0 ? (int)given->layers : out->n_layers;
    out->d_model = given->d_model > 0 ? (int)given->d_model : out->d_model;
    out->n_heads = given->heads > 0 ? (int)given->heads : out->n_heads;
    if (out->d_model % out->n_heads != 0) {
        return err_set(OGPT_EUSAGE, "--heads %d does not divide the width %d; choose a divisor",
                       out->n_heads, out->d_model);
    }
    out->d_head = out->d_model / out->n_heads;
    out->d_mlp = 4 * out->d_model;
    out->n_ctx = vocab->n_ctx;
    out->d_vocab = vocab->d_vocab;
    out->seed = context->seed;
    const char *reason = gpt_config_check(out);
    return !reason ? 0
                   : err_set(OGPT_EUSAGE, "train: %s; make --layers or --d-model smaller", reason);
}

/* Whether the lengths and rhythms of the run go together. */
static int lengths_check(const TrainCommand *given)
{
    const TrainOptions *train = &given->train;
    if ((train->steps > 0) + (given->games > 0) + (train->minutes > 0) > 1) {
        return err_set(OGPT_EUSAGE, "--steps, --games and --minutes exclude each other: give one");
    }
    if (train->batch_ramp > 0 && train->batch_from == 0) {
        return err_set(OGPT_EUSAGE, "--batch-ramp means nothing without --batch-from");
    }
    if (train->report_every > 0 && given->probe_every % train->report_every != 0) {
        return err_set(OGPT_EUSAGE, "--probe-every %lld is no multiple of --report-every %lld",
                       (long long)given->probe_every, (long long)train->report_every);
    }
    return 0;
}

int train_inputs_options(TrainOptions *out, const GptConfig *cfg, const Context *context)
{
    const TrainCommand *given = context->options;
    int rc = lengths_check(given);
    *out = given->train;
    rc = rc || !given->keep ? rc : train_keep_parse(&out->keep, given->keep);
    out->beta1 = TRAIN_OPTIONS_DEFAULT.beta1;
    out->beta2 = TRAIN_OPTIONS_DEFAULT.beta2;
    out->seed = context->seed;
    out->report_every = out->report_every > 0 ? out->report_every : given->probe_every;
    bool timed = out->minutes > 0;
    out->minutes = timed ? out->minutes : 0;
    out->steps = timed ? 0 : out->steps > 0 ? out->steps : TRAIN_OPTIONS_DEFAULT.steps;
    train_options_complete(out);
    rc = rc ? rc : train_layers_complete(out, cfg, given->init_from);
    const char *reason = train_options_check(out);
    if (!reason && given->games > 0) {
        out->steps = train_steps(out, given->games);
        reason = train_options_check(out);
    }
    rc = rc || !reason ? rc : err_set(OGPT_EUSAGE, "train: %s", reason);
    return rc ? rc : train_check_ranks(out);
}

int train_inputs_init(TrainInputs *inputs, GptConfig *cfg, const Context *context)
{
    const TrainCommand *given = context->options;
    ModelFile *init = &inputs->init;
    int rc = init_load(inputs, context);
    rc = rc || !init->gpt
             ? rc
             : subject_check_start(init, given->init_from, source_variant(inputs->source));
    if (rc != 0 || !init->gpt) {
        return rc;
    }
    cfg->eps = init->gpt->cfg.eps;
    /* A network that cannot be the start is refused in one line of its own. */
    if (given->fresh && gpt_config_same_shape(cfg, &init->gpt->cfg) &&
        lineage_names(init->manifest, source_identity(inputs->source))) {
        context_warn(context,
                     "%s was trained on the games of --seed %llu; another seed makes new ones",
                     given->init_from, (unsigned long long)context->seed);
    }
    return 0;
}

void train_inputs_release(TrainInputs *inputs)
{
    if (inputs->init.gpt) {
        model_release(&inputs->init);
    }
    js_free(inputs->taken);
    source_free(inputs->probe_games);
    source_free(inputs->held_out);
    source_free(inputs->source);
    corpus_close(inputs->corpus);
}
