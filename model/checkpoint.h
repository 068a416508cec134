/* model/checkpoint.h - model directories on disk.
 *
 * A model directory holds model.safetensors (TransformerLens names, float32 or float16),
 * config.json (HookedTransformerConfig's fields plus "ogpt") and MANIFEST.json. A run directory
 * holds model directories step-%08d/, each with train/ (optimiser state). Everything is published
 * atomically, and readers trust only what its manifest verifies.
 */
#ifndef OGPT_MODEL_CHECKPOINT_H
#define OGPT_MODEL_CHECKPOINT_H

#include "base/files.h"
#include "base/hash.h"
#include "base/js.h"
#include "base/manifest.h"
#include "base/formats/safetensors.h"
#include "model/gpt.h"

typedef struct ModelFile {
    Gpt *gpt;
    char path[FILES_PATH_MAX];            /* the model directory that was read */
    char model_hash[HASH_HEX_SIZE];       /* SHA-256 of model.safetensors */
    char corpus_hash[HASH_HEX_SIZE + 32]; /* what it was trained on, "" when unknown */
    int64_t step;                         /* -1 when unknown */
    Js *manifest;
} ModelFile;

/* Load MODEL: a model directory, or the newest step-* of a run directory that verifies. Damaged
 * newer steps are skipped and named in *warning (owned, or NULL; warning may be NULL). Returns 0,
 * OGPT_EIO, OGPT_EFORMAT, OGPT_ENOMEM. */
int model_load(ModelFile *out, const char *path, char **warning);
void model_release(ModelFile *file);

/* Round each parameter to the nearest float16 number. *change: the largest change of one. Returns
 * 0; OGPT_EFORMAT (a number that float16 cannot hold: its tensor is named). */
int model_round_halves(Gpt *gpt, double *change);
/* Write model.safetensors and config.json into a directory being published. `about`: members
 * for config.json's "ogpt" object. With `half` the tensors are float16, each number rounded to the
 * nearest (model_round_halves first, where that must not be silent). model_hash is filled with the
 * SHA-256 of the tensors. */
int model_save(Publish *publish, char model_hash[HASH_HEX_SIZE], const Gpt *gpt, const Js *about,
               bool half);

/* Read all tensors of `gpt` from a safetensors file, whose bytes must have the SHA-256 if it is not
 * NULL. b_U may be absent. With allow_lnpre, LayerNorm
 * weights may be absent too and become w = 1, b = 0. Buffers *.mask and *.IGNORE are skipped; any
 * other extra or missing tensor is OGPT_EFORMAT. */
int model_read_tensors(Gpt *gpt, const char *safetensors_path, const char *sha256,
                       bool allow_lnpre);

/* Check, before memory is allocated, that the file at `path` can hold what config.json asks for.
 * Not counted are the head's bias, the LayerNorms (absent in LNPre files) and `n_absent` numbers
 * more. Returns 0, OGPT_EFORMAT, OGPT_EIO. */
int model_check_room(const GptConfig *cfg, int64_t n_absent, const char *path);

/* The step of a directory named "step-" and eight digits; -1 for any other name. */
int64_t run_step_of_name(const char *name);

/* The newest step of a run directory with a manifest that verifies (with_train: and that of its
 * train/ too); *step is -1 if there is none. path_out is FILES_PATH_MAX bytes. Damaged newer steps
 * are skipped and named in *warning (owned, or NULL; warning may be NULL). */
int run_newest_step(int64_t *step, char *path_out, const char *run_path, bool with_train,
                    char **warning);

#endif
