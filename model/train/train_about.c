/* model/train/train_about.c - training options made complete, and what must be equal to resume a
 * run. See model/train/train.h. */
#include <string.h>

#include "base/err.h"
#include "model/lineage.h"
#include "model/train/train.h"
#include "num/blas.h"
#include "num/gemm_bf16.h"

static void rate_complete(double *rate, double otherwise)
{
    *rate = *rate > 0 ? *rate : otherwise;
}

void train_options_complete(TrainOptions *options)
{
    bool muon = strcmp(options->optimizer, "muon") == 0;
    rate_complete(&options->lr, muon ? 0.02 : 0.0015);
    rate_complete(&options->lr_vector, muon ? 0.002 : options->lr);
    rate_complete(&options->lr_embed, options->lr_vector);
    rate_complete(&options->lr_position, options->lr_vector);
    rate_complete(&options->lr_head, options->lr_vector);
    rate_complete(&options->batch_ramp, 0.5);
    if (strcmp(options->precision, "auto") == 0) {
        options->precision = bf16_available() ? "bf16" : "f32";
    }
}

int train_layers_complete(TrainOptions *o, const GptConfig *cfg, bool from_weights)
{
    bool until = o->layers_until > 0;
    if (from_weights && o->layers_from > 0 && o->layers_from != cfg->n_layers) {
        return err_set(OGPT_EUSAGE,
                       "--layers-from: the weights of --init-from use all blocks; leave it out");
    }
    if (o->layers_from == 0 && !from_weights && strcmp(o->schedule, "constant") != 0) {
        o->layers_from = cfg->n_layers / 2;
    } else if (o->layers_from == cfg->n_layers) {
        o->layers_from = 0;
    }
    rate_complete(&o->layers_until, 0.9);
    return o->layers_from > 0 || !until
               ? 0
               : err_set(OGPT_EUSAGE, "--layers-until means nothing where all blocks are in use "
                                      "from the first step");
}

/* The first step behind `step` that uses other blocks, or `steps`. */
static int64_t growth_after(const TrainOptions *o, const GptConfig *cfg, int64_t step,
                            int64_t steps)
{
    int64_t low = step + 1, high = steps;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (train_layers(o, cfg, middle, steps) != train_layers(o, cfg, step, steps)) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return low;
}

double train_flops(const TrainOptions *o, const GptConfig *cfg, int64_t step, int64_t steps)
{
    GptConfig now = *cfg;
    double sum = 0;
    while (step < steps) {
        int64_t end = growth_after(o, cfg, step, steps);
        int64_t games = train_games_until(o, end, steps) - train_games_until(o, step, steps);
        now.n_layers = train_layers(o, cfg, step, steps);
        sum += (double)games * now.n_ctx * gpt_config_flops(&now);
        step = end;
    }
    return sum;
}

static void set_unless(Js *object, const char *key, double value, double plain)
{
    if (value != plain) {
        js_set_num(object, key, value);
    }
}

Js *train_about(const TrainJob *job, const ModelFile *init, const char *command_line)
{
    const TrainOptions *o = job->options;
    Js *same = js_object(), *about = js_object();
    js_set_str(same, "source", source_identity(job->source));
    js_set_int(same, "layers", job->cfg->n_layers);
    js_set_int(same, "d-model", job->cfg->d_model);
    js_set_int(same, "heads", job->cfg->n_heads);
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
    /* Options that earlier programs did not have are stored only if they are used, so that the runs
     * of those programs can be resumed. */
    if (source_split_rules(job->source) & SPLIT_BY_CANONICAL) {
        js_set_str(same, "split_rule", split_rules_name(source_split_rules(job->source)));
    }
    if (source_variant(job->source)->rules != RULES_CLASSIC) {
        js_set_str(same, "rules", game_rules_name(source_variant(job->source)->rules));
    }
    set_unless(same, "lr-embed", o->lr_embed, o->lr_vector);
    set_unless(same, "lr-position", o->lr_position, o->lr_vector);
    set_unless(same, "lr-head", o->lr_head, o->lr_vector);
    set_unless(same, "batch-from", (double)o->batch_from, 0);
    if (o->batch_from > 0) {
        js_set_num(same, "batch-ramp", o->batch_ramp);
    }
    set_unless(same, "layers-from", (double)o->layers_from, 0);
    if (o->layers_from > 0) {
        js_set_num(same, "layers-until", o->layers_until);
    }
    js_set_num(same, "warmup", o->warmup);
    js_set_num(same, "cooldown", o->cooldown);
    js_set_num(same, "weight-decay", o->weight_decay);
    js_set_num(same, "momentum", o->momentum);
    js_set_num(same, "clip", o->clip);
    js_set_num(same, "average", o->average);
    js_set_str(same, "init-from", init ? init->model_hash : "");
    js_set(about, "options", same);
    if (init) {
        js_set(about, "earlier", lineage_write(init->manifest));
    }
    if (job->corpus_path) {
        js_set_str(about, "corpus", job->corpus_path);
    }
    js_set_str(about, "command_line", command_line);
    js_set_str(about, "blas_core", blas_core());
    return about;
}

/* Shares of the speed of square products that steps reach. With bf16 their products are faster than
 * the measured ones. */
#define SHARE_F32 0.6
#define SHARE_BF16 1.0

void train_estimate(char out[SPEED_TEXT], const GptConfig *cfg, const TrainOptions *options,
                    Pool *pool)
{
    if (options->steps == 0) {
        speed_print(out, 60 * options->minutes);
        return;
    }
    bool bf16 = strcmp(options->precision, "bf16") == 0;
    speed_estimate(out, train_flops(options, cfg, 0, options->steps), bf16 ? SHARE_BF16 : SHARE_F32,
                   pool);
}
