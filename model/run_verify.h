/* model/run_verify.h - all checks of a model directory or a run directory.
 *
 * For a model: the manifest and its files, config.json, and that every tensor is there, has its
 * shape and is finite. For a checkpoint also: its step is the one in its name, and its training
 * state (train/) verifies and is finite. For a run also: no directories left by killed processes.
 */
#ifndef OGPT_MODEL_RUN_VERIFY_H
#define OGPT_MODEL_RUN_VERIFY_H

#include "model/checkpoint.h"

typedef struct RunVerify {
    /* Called with one line for each fault; required. */
    void (*finding)(void *context, const char *line);
    /* Called with each sound model, which is borrowed for the call. May be NULL. */
    void (*sound)(void *context, const ModelFile *model);
    void *context;
} RunVerify;

/* Check a run directory; *n_steps counts its checkpoints (step-*), damaged ones included. Returns 0
 * if the directory could be examined, with or without findings; OGPT_EFORMAT if it holds no
 * checkpoint; OGPT_EIO, OGPT_ENOMEM. */
int run_verify(size_t *n_steps, const char *run_path, const RunVerify *verify);
/* Check one model directory. Returns 0, OGPT_EIO, OGPT_ENOMEM. */
int model_verify(const char *path, const RunVerify *verify);

#endif
