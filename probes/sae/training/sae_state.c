/* probes/sae/training/sae_state.c - contract in probes/sae/training/sae_trainer.h: a training on
 * disk. */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/files.h"
#include "base/formats/safetensors.h"
#include "base/process.h"
#include "probes/sae/training/sae_trainer.h"

#define STATE_TENSORS "state.safetensors"
#define N_STATE_TENSORS 6

static size_t state_tensors(StEntry out[N_STATE_TENSORS], const SaeTrainer *trainer)
{
    const SaeNet *net = &trainer->net;
    const StEntry entries[N_STATE_TENSORS] = {
        {.name = "params", .rank = 1, .shape = {net->n}, .data = net->params},
        {.name = "moment", .rank = 1, .shape = {net->n}, .data = trainer->moment},
        {.name = "second", .rank = 1, .shape = {net->n}, .data = trainer->second},
        {.name = "silent", .rank = 1, .shape = {net->m}, .data = trainer->silent},
        {.name = "mean", .rank = 1, .shape = {net->d_in}, .data = trainer->mean},
        {.name = "mean_out", .rank = 1, .shape = {net->d_out}, .data = trainer->mean_out}};
    memcpy(out, entries, sizeof(entries));
    return trainer->stream->has_target ? N_STATE_TENSORS : N_STATE_TENSORS - 1;
}

size_t sae__state_carve(SaeTrainer *trainer, Arena *arena, const SaeStream *stream)
{
    SaeNet *net = &trainer->net;
    size_t bytes = 0;
#define PIECE(count, size)                                                                         \
    (bytes += arena_piece_bytes(count, size), arena ? arena_take(arena, count, size) : NULL)
    net->params = PIECE(net->n, sizeof(float));
    trainer->moment = PIECE(net->n, sizeof(float));
    trainer->second = PIECE(net->n, sizeof(float));
    trainer->silent = PIECE(net->m, sizeof(float));
    trainer->dead = PIECE(net->m, 1);
    trainer->mean = PIECE(net->d_in, sizeof(float));
    trainer->mean_out = trainer->mean;
    if (stream->has_target) {
        trainer->mean_out = PIECE(net->d_out, sizeof(float));
    }
#undef PIECE
    return bytes;
}

void sae__state_mark_dead(SaeTrainer *trainer)
{
    const int64_t after = trainer->options->dead_after;
    for (size_t j = 0; j < trainer->net.m; j++) {
        trainer->dead[j] = after > 0 && trainer->silent[j] >= (float)after;
    }
}

/* The numbers of the counters, under their names. */
typedef struct NamedNumber {
    const char *name;
    double *value;
} NamedNumber;

#define N_NUMBERS 11

static void name_numbers(NamedNumber out[N_NUMBERS], SaeTrainer *trainer)
{
    SaeCounters *at = &trainer->at;
    const NamedNumber numbers[N_NUMBERS] = {{"threshold", &at->threshold},
                                            {"l1", &at->l1},
                                            {"error", &at->error},
                                            {"power", &at->power},
                                            {"active", &at->active},
                                            {"rows", &at->rows},
                                            {"loss", &at->loss},
                                            {"l0", &at->l0},
                                            {"explained", &at->explained},
                                            {"scale", &trainer->scale},
                                            {"scale_out", &trainer->scale_out}};
    memcpy(out, numbers, sizeof(numbers));
}

/* What the training is made from: another one is not gone on with. */
static Js *inputs_json(const SaeTrainer *trainer)
{
    const SaeTrainOptions *options = trainer->options;
    Js *json = js_object();
    js_set_str(json, "kind", sae_kind_name(options->kind));
    js_set_int(json, "features", (int64_t)options->features);
    js_set_int(json, "k", (int64_t)options->k);
    js_set_num(json, "l1", options->l1);
    js_set_num(json, "l0", options->l0);
    js_set_int(json, "activations", options->activations);
    js_set_int(json, "batch", options->batch);
    js_set_num(json, "lr", options->lr);
    js_set_int(json, "warmup", options->warmup);
    js_set_int(json, "dead_after", options->dead_after);
    js_set_int(json, "report_every", options->report_every);
    js_set_int(json, "seed", (int64_t)options->seed);
    js_set_int(json, "block_rows", (int64_t)trainer->stream->block_rows);
    js_set_str(json, "rows", trainer->job->inputs ? trainer->job->inputs : "");
    return json;
}

int sae__state_save(SaeTrainer *trainer)
{
    Publish *publish = NULL;
    StEntry entries[N_STATE_TENSORS];
    NamedNumber numbers[N_NUMBERS];
    char file[FILES_PATH_MAX];
    Js *fields = js_object();
    js_set_str(fields, "kind", SAE_STATE_KIND);
    js_set(fields, "inputs", inputs_json(trainer));
    js_set_int(fields, "step", trainer->at.step);
    js_set_int(fields, "block", (int64_t)trainer->at.block);
    js_set_int(fields, "offset", trainer->at.offset);
    name_numbers(numbers, trainer);
    for (size_t i = 0; i < N_NUMBERS; i++) {
        js_set_num(fields, numbers[i].name, *numbers[i].value);
    }
    const size_t n = state_tensors(entries, trainer);
    int rc = publish_begin(&publish, trainer->job->checkpoint, true);
    rc = rc ? rc : publish_path(file, publish, STATE_TENSORS);
    rc = rc ? rc : st_write(file, entries, n, NULL, 0);
    rc = rc ? rc : publish_adopt(publish, STATE_TENSORS);
    if (rc == 0) {
        rc = publish_commit(publish, fields);
        publish = NULL; /* the commit freed it, also after an error */
    }
    publish_abort(publish);
    js_free(fields);
    return rc;
}

static int compare_inputs(const Js *now, const Js *then, const char *path)
{
    JsDifference other;
    int rc = js_difference(&other, now, then);
    if (rc == 0 && other.key) {
        rc = err_set(OGPT_EUSAGE,
                     "%s: was begun with %s %s, now it is %s: type the same options to go on, or "
                     "remove that directory to begin again",
                     path, other.key, other.other ? other.other : "(none)", other.own);
    }
    js_difference_release(&other);
    return rc;
}

static int read_counters(SaeTrainer *trainer, const Js *manifest, const char *path)
{
    NamedNumber numbers[N_NUMBERS];
    int64_t block = 0;
    const Js *inputs = NULL;
    Js *own = inputs_json(trainer);
    int rc = js_get_object(&inputs, manifest, "inputs", path);
    rc = rc ? rc : compare_inputs(own, inputs, path);
    rc = rc ? rc : js_get_int(&trainer->at.step, manifest, "step", 1, trainer->steps, path);
    rc = rc ? rc : js_get_int(&block, manifest, "block", 0, INT64_MAX, path);
    rc = rc ? rc
            : js_get_int(&trainer->at.offset, manifest, "offset", 0,
                         (int64_t)trainer->stream->block_rows, path);
    trainer->at.block = (uint64_t)block;
    name_numbers(numbers, trainer);
    for (size_t i = 0; i < N_NUMBERS && rc == 0; i++) {
        rc = js_get_num(numbers[i].value, manifest, numbers[i].name, path);
    }
    js_free(own);
    return rc;
}

int sae__state_load(bool *found, SaeTrainer *trainer)
{
    const char *path = trainer->job->checkpoint;
    Js *manifest = NULL;
    StFile *file = NULL;
    StEntry entries[N_STATE_TENSORS];
    char tensors[FILES_PATH_MAX];
    PathKind kind = PATH_MISSING;
    int rc = path_kind(&kind, path);
    *found = kind != PATH_MISSING;
    if (rc || !*found) {
        return rc;
    }
    rc = manifest_verify(&manifest, path);
    rc = rc ? rc : read_counters(trainer, manifest, path);
    rc = rc ? rc : path_join(tensors, path, STATE_TENSORS);
    rc = rc ? rc : st_open_listed(&file, tensors, manifest_file_sha256(manifest, STATE_TENSORS));
    const size_t n = state_tensors(entries, trainer);
    for (size_t t = 0; t < n && rc == 0; t++) {
        rc = st_read_f32((float *)entries[t].data, file, entries[t].name, 1, entries[t].shape,
                         false);
    }
    st_close(file);
    js_free(manifest);
    if (rc == 0) {
        sae__state_mark_dead(trainer);
    }
    return rc;
}
