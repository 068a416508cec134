/* cli/commands/common/model_input.c - contract in model_input.h. */
#include "cli/commands/common/model_input.h"

#include <string.h>

#include "base/arena.h"
#include "base/files.h"
#include "num/blas.h"
#include "probes/legality/seen_games.h"

const char *context_model_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    char shipped[FILES_PATH_MAX];
    return slash && context_shipped_model(shipped, slash + 1) && strcmp(shipped, path) == 0
               ? slash + 1
               : path;
}

PageSetAbout context_pages_about(const Context *context, const char *path, const char *model_hash)
{
    return (PageSetAbout){.path = path,
                          .command = context->command->name,
                          .command_line = context->command_line,
                          .model = context_model_name(context->args[0]),
                          .model_hash = model_hash,
                          .replace = context->force};
}

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
    char shipped[FILES_PATH_MAX];
    path = context_shipped_model(shipped, path) ? shipped : path;
    int rc = products_ready(context);
    rc = rc ? rc : subject_open(out, path, &warning);
    return warn(context, warning, rc);
}

int context_inputs_open(const Context *context, StudyInputs *out, const char *model,
                        const char *corpus)
{
    *out = (StudyInputs){0};
    int rc = context_subject_open(context, &out->subject, model);
    if (rc != 0 || !corpus) {
        return rc;
    }
    rc = corpus_open(&out->corpus, corpus, false);
    return rc ? rc : context_inputs_match(context, &out->subject, out->corpus, corpus);
}

void context_inputs_divide(const Context *context, Corpus *corpus, const char *path,
                           const ModelFile *model)
{
    const unsigned rules = training_split_rules(model->manifest);
    const unsigned own = corpus_info(corpus)->split_rules;
    if ((rules & ~own) != 0) {
        corpus_divide(corpus, rules);
        context_say(context,
                    "%s divides its games by the rule %s, the corpora that %s was trained on by "
                    "%s: only games that lie in the same split by both are used",
                    path, split_rules_name(own), model->path, split_rules_name(rules));
    }
}

int context_inputs_match(const Context *context, const Subject *subject, Corpus *corpus,
                         const char *path)
{
    int rc = subject_check_corpus(subject, path, corpus);
    if (rc == 0) {
        context_inputs_divide(context, corpus, path, &subject->model);
    }
    return rc;
}

void context_inputs_release(StudyInputs *inputs)
{
    corpus_close(inputs->corpus);
    subject_release(&inputs->subject);
}
