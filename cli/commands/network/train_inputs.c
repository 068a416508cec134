/* cli/commands/network/train_inputs.c - contract in cli/commands/network/train_inputs.h. */
#include "cli/commands/network/train_inputs.h"

#include "base/err.h"
#include "cli/commands/common/model_input.h"
#include "datasets/vocab.h"
#include "model/lineage.h"

static int fresh_open(TrainInputs *out, Context *context)
{
    const GameVariant *variant = game_variant(context->size > 0 ? context->size : 8);
    int rc = source_fresh(&out->source, variant, context->seed, RNG_FRESH);
    rc = rc ? rc : source_fresh(&out->held_out, variant, context->seed, RNG_HELDOUT);
    /* 4x4 has only 60,060 games: holding some out of them means nothing there. */
    return rc || variant->size == 4
               ? rc
               : source_exclude(out->source, out->held_out, TRAIN_HELD_OUT_GAMES, context->pool);
}

int train_inputs_open(TrainInputs *out, Context *context)
{
    const TrainCommand *given = context->options;
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
    int size = corpus_info(out->corpus)->variant->size;
    if (context->size_given && context->size != size) {
        return err_set(OGPT_EUSAGE, "%s holds games of size %d, --size asks for %d", given->corpus,
                       size, context->size);
    }
    rc = source_corpus(&out->source, out->corpus, 1u << SPLIT_TRAIN, true, context->seed);
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

int train_inputs_init(TrainInputs *inputs, GptConfig *cfg, const Context *context)
{
    const TrainCommand *given = context->options;
    ModelFile *init = &inputs->init;
    int rc = given->init_from ? context_model_load(context, init, given->init_from) : 0;
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
    source_free(inputs->probe_games);
    source_free(inputs->held_out);
    source_free(inputs->source);
    corpus_close(inputs->corpus);
}
