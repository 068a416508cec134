/* cli/commands/results/claim_runs.c - contract in cli/commands/results/claim_runs.h. */
#include "cli/commands/results/claim_runs.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "cli/commands/common/model_input.h"
#include "cli/commands/results/typed_line.h"
#include "cli/framework.h"
#include "report/claims/claim_stored.h"

/* texts (2): its name for a shell, its hash. */
static int claim_subject_open(ClaimSubject *out, Text *texts, const Context *context,
                              const char *path)
{
    ModelFile model;
    int rc = context_model_load(context, &model, path);
    if (rc != 0) {
        return rc;
    }
    const Vocab *vocab = NULL;
    rc = subject_vocab(&vocab, &model.gpt->cfg, model.manifest, path);
    command__word(&texts[0], context_model_name(path));
    text_add(&texts[1], "%s", model.model_hash);
    rc = rc ? rc : texts[0].failed || texts[1].failed ? OGPT_ENOMEM : 0;
    if (rc == 0) {
        *out = (ClaimSubject){.network = context_model_name(path),
                              .typed = texts[0].data + 1, /* behind the blank */
                              .model_hash = texts[1].data,
                              .size = vocab->variant->size,
                              .n_layers = model.gpt->cfg.n_layers,
                              .d_model = model.gpt->cfg.d_model,
                              .n_heads = model.gpt->cfg.n_heads,
                              .late = vocab->variant->n_moves / 2};
    }
    model_release(&model);
    return rc;
}

int claim_session_open(ClaimSession *session, Context *context, const char *const *paths, size_t n)
{
    *session = (ClaimSession){.context = context, .n = n};
    session->subjects = mem_calloc(n, sizeof(*session->subjects), "networks");
    session->findings = mem_calloc(n * CLAIM_MAX, sizeof(*session->findings), "verdicts");
    session->texts = mem_calloc(2 * n, sizeof(*session->texts), "names of networks");
    int rc = session->subjects && session->findings && session->texts ? 0 : OGPT_ENOMEM;
    for (size_t i = 0; rc == 0 && i < n; i++) {
        rc = claim_subject_open(&session->subjects[i], session->texts + 2 * i, context, paths[i]);
        for (size_t k = 0; rc == 0 && k < i; k++) {
            if (strcmp(session->subjects[i].model_hash, session->subjects[k].model_hash) == 0) {
                rc = err_set(OGPT_EUSAGE, "claims: %s and %s are one network; give it once",
                             paths[k], paths[i]);
            }
        }
    }
    if (rc == 0 && context->store_given) {
        text_add(&session->command_end, " --store");
        command__word(&session->command_end, context->store_path);
    }
    return rc;
}

void claim_session_release(ClaimSession *session)
{
    for (size_t i = 0; session->texts && i < 2 * session->n; i++) {
        text_release(&session->texts[i]);
    }
    text_release(&session->command_end);
    js_free(session->runs);
    mem_free(session->subjects);
    mem_free(session->findings);
    mem_free(session->texts);
}

int claim_session_judge(ClaimSession *session)
{
    js_free(session->runs);
    int rc = claim_stored_runs(&session->runs, session->context->store);
    for (size_t i = 0; rc == 0 && i < session->n; i++) {
        ClaimStored stored = {session->context->store, session->runs, &session->subjects[i]};
        const ClaimRows rows = {claim_stored_rows, &stored};
        for (size_t c = 0; rc == 0 && c < CLAIM_MAX; c++) {
            rc = claim_judge(&session->findings[i * CLAIM_MAX + c], &claim_table[c],
                             &session->subjects[i], &rows);
        }
    }
    return rc;
}

/* ---- commands ---- */

static int line_take(const ClaimSession *session, const char *line, const ClaimSubject *subject)
{
    const Context *context = session->context;
    char threads[24], *words[TYPED_WORDS_MAX];
    Text text = {0};
    claim_fill(&text, line, subject);
    if (text.failed) {
        return OGPT_ENOMEM;
    }
    context_say(context, "$ ogpt %s%s", text.data,
                session->command_end.data ? session->command_end.data : "");
    int n = typed_words(text.data, words);
    words[n++] = (char *)"--store";
    words[n++] = (char *)context->store_path;
    if (context->quiet) {
        words[n++] = (char *)"--quiet";
    }
    const Command *command = NULL;
    for (int k = 1; k <= 2 && !command; k++) { /* "heads", or "world compression" */
        char name[64];
        snprintf(name, sizeof(name), "%s%s%s", words[0], k == 2 ? " " : "", k == 2 ? words[1] : "");
        command = cli_command(name);
    }
    if (context->threads_given && command && (command->uses & USES_THREADS)) {
        snprintf(threads, sizeof(threads), "%zu", context->threads);
        words[n++] = (char *)"--threads";
        words[n++] = threads;
    }
    int rc = typed_take(context, n, words, true);
    text_release(&text);
    return rc;
}

/* Whether other commands may still work after this error. */
static bool goes_on(int rc)
{
    return rc != OGPT_EINTR && rc != OGPT_ENOMEM && rc != OGPT_EPIPE && rc != OGPT_ELOCKED;
}

/* All lines of what a question lacks. *failed counts those that could not be taken. */
static int run_take(ClaimSession *session, size_t *failed, const ClaimRun *run,
                    const ClaimSubject *subject)
{
    int rc = 0;
    for (int l = 0; rc == 0 && l < CLAIM_LINES_MAX && run->lines[l]; l++) {
        rc = line_take(session, run->lines[l], subject);
    }
    if (rc != 0 && goes_on(rc)) {
        context_warn(session->context, "%s", err_message());
        *failed += 1;
        rc = 0;
    }
    return rc;
}

int claim_session_run(ClaimSession *session, size_t *failed)
{
    int rc = 0;
    *failed = 0;
    for (size_t i = 0; i < session->n; i++) {
        for (size_t c = 0; c < CLAIM_MAX; c++) {
            for (int k = 0; rc == 0 && k < session->findings[i * CLAIM_MAX + c].n; k++) {
                if (claim_lacks(session->findings + i * CLAIM_MAX, c, k)) {
                    rc = run_take(session, failed, claim_table[c].asks[k].run,
                                  &session->subjects[i]);
                }
            }
        }
    }
    return rc;
}
