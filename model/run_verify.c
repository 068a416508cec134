/* model/run_verify.c - see model/run_verify.h. */
#include "model/run_verify.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"

/* Damage becomes a finding; any other error is passed up. */
static int finding_of(const RunVerify *verify, int rc)
{
    if (rc != OGPT_EFORMAT && rc != OGPT_EVERSION) {
        return rc;
    }
    verify->finding(verify->context, err_message());
    return 0;
}

int model_verify(const char *path, const RunVerify *verify)
{
    ModelFile model;
    int rc = model_load(&model, path, NULL);
    if (rc != 0) {
        return finding_of(verify, rc);
    }
    if (verify->sound) {
        verify->sound(verify->context, &model);
    }
    model_release(&model);
    return 0;
}

/* Check that every F32 tensor of a file holds finite numbers. */
static int tensors_check(const char *path)
{
    StFile *file = NULL;
    int rc = st_open(&file, path);
    for (size_t i = 0; rc == 0 && i < st_count(file); i++) {
        const StTensor *tensor = st_tensor(file, i);
        if (strcmp(tensor->dtype, "F32") != 0) {
            continue;
        }
        float *numbers = mem_alloc((size_t)(tensor->end - tensor->begin), 1, tensor->name);
        rc = !numbers
                 ? OGPT_ENOMEM
                 : st_read_f32(numbers, file, tensor->name, tensor->rank, tensor->shape, false);
        mem_free(numbers);
    }
    st_close(file);
    return rc;
}

/* Check the training state of a checkpoint. The last one of a finished run may have none. */
static int state_verify(const char *step_path, const RunVerify *verify)
{
    char state[FILES_PATH_MAX], arrays[FILES_PATH_MAX];
    PathKind kind;
    int rc = path_join(state, step_path, "train");
    rc = rc ? rc : path_kind(&kind, state);
    if (rc != 0 || kind != PATH_DIRECTORY) {
        return rc;
    }
    rc = manifest_verify(NULL, state);
    rc = rc ? rc : path_join(arrays, state, "optim.safetensors");
    rc = rc ? rc : path_kind(&kind, arrays);
    if (rc == 0 && kind == PATH_FILE) {
        rc = tensors_check(arrays);
    }
    return finding_of(verify, rc);
}

/* Compare the step in a checkpoint's name with the step in its manifest. */
static int step_check(const char *step_path, const char *name)
{
    Js *manifest = NULL;
    int64_t step = 0;
    int rc = manifest_verify(&manifest, step_path);
    if (rc != 0) {
        return 0; /* model_verify has reported it */
    }
    if (js_has(manifest, "step")) {
        rc = js_get_int(&step, manifest, "step", 0, INT64_MAX, step_path);
        if (rc == 0 && step != run_step_of_name(name)) {
            rc = err_set(OGPT_EFORMAT,
                         "%s: expected step %lld by its name, found %lld in its "
                         "MANIFEST.json; give it back its name",
                         step_path, (long long)run_step_of_name(name), (long long)step);
        }
    }
    js_free(manifest);
    return rc;
}

static int stale_verify(const char *run_path, const RunVerify *verify)
{
    char **names = NULL;
    size_t n = 0;
    int rc = dir_list_stale(&names, &n, run_path);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        rc = finding_of(verify, err_set(OGPT_EFORMAT,
                                        "%s/%s: left by a process that is over; going on with "
                                        "the run removes it",
                                        run_path, names[i]));
    }
    names_free(names, n);
    return rc;
}

int run_verify(size_t *n_steps, const char *run_path, const RunVerify *verify)
{
    char **names = NULL;
    size_t n = 0;
    *n_steps = 0;
    int rc = dir_list(&names, &n, run_path);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        char step[FILES_PATH_MAX];
        if (run_step_of_name(names[i]) < 0) {
            continue;
        }
        ++*n_steps;
        rc = path_join(step, run_path, names[i]);
        rc = rc ? rc : model_verify(step, verify);
        rc = rc ? rc : finding_of(verify, step_check(step, names[i]));
        rc = rc ? rc : state_verify(step, verify);
    }
    names_free(names, n);
    if (rc == 0 && *n_steps == 0) {
        return err_set(OGPT_EFORMAT,
                       "%s: neither a model, a probe, activations nor a run: no MANIFEST.json, no "
                       "index.json and no step-* in it; name what lies in it",
                       run_path);
    }
    return rc ? rc : stale_verify(run_path, verify);
}
