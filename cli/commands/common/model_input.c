/* cli/commands/common/model_input.c - contract in model_input.h. */
#include "cli/commands/common/model_input.h"

#include "base/arena.h"
#include "num/blas.h"

/* Whoever loads a network multiplies: here, before any thread is started. */
static int products_ready(const Context *context)
{
    return blas_reserve(context->command->uses & USES_THREADS ? context->threads : 1);
}

static int warn(const Context *context, char *warning, int rc)
{
    if (warning) {
        context_warn(context, "%s", warning);
        mem_free(warning);
    }
    return rc;
}

int context_model_load(const Context *context, ModelFile *out, const char *path)
{
    char *warning = NULL;
    char shipped[FILES_PATH_MAX];
    path = context_shipped_model(shipped, path) ? shipped : path;
    int rc = products_ready(context);
    rc = rc ? rc : model_load(out, path, &warning);
    return warn(context, warning, rc);
}

int context_subject_open(const Context *context, Subject *out, const char *path)
{
    char *warning = NULL;
    int rc = products_ready(context);
    rc = rc ? rc : subject_open(out, path, &warning);
    return warn(context, warning, rc);
}

int context_inputs_open(const Context *context, StudyInputs *out, const char *model,
                        const char *corpus)
{
    *out = (StudyInputs){0};
    int rc = context_subject_open(context, &out->subject, model);
    rc = rc ? rc : corpus_open(&out->corpus, corpus, false);
    return rc ? rc : subject_check_corpus(&out->subject, corpus, out->corpus);
}

void context_inputs_release(StudyInputs *inputs)
{
    corpus_close(inputs->corpus);
    subject_release(&inputs->subject);
}
