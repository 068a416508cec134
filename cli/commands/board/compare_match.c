/* cli/commands/board/compare_match.c - opening and reading the probes of a comparison. Contract in
 * cli/commands/board/compare_match.h. */
#include "cli/commands/board/compare_match.h"

#include "base/err.h"
#include "cli/commands/common/model_input.h"
#include "cli/commands/common/probe_input.h"
#include "cli/study.h"

int match_open(Match *match, Context *context, const char *corpus)
{
    bool alone = context->n_args == 1;
    if ((context->n_args % 2 != 0 && !alone) || context->n_args > 2 * COMPARE_MAX) {
        return err_set(
            OGPT_EUSAGE,
            "probe compare: %d arguments, expected MODEL, or pairs MODEL PROBE, at most %d of them",
            context->n_args, COMPARE_MAX);
    }
    int rc;
    match->n = alone ? 1 : (size_t)context->n_args / 2;
    rc = alone ? context_probe_find(context, match->own, NULL) : 0;
    for (size_t i = 0; i < match->n && rc == 0; i++) {
        const char *path = alone ? match->own : context->args[2 * i + 1];
        Subject *subject = &match->subject[i];
        Probe *probe = &match->probe[i];
        rc = context_subject_open(context, subject, context->args[2 * i]);
        rc = rc ? rc : probe_load(probe, path);
        rc = rc ? rc : subject_check_probe(subject, path, probe);
        match->contender[i] = (Contender){.subject = subject, .probe = probe, .path = path};
    }
    rc = rc ? rc : corpus_open(&match->corpus, corpus, false);
    for (size_t i = 0; i < match->n && rc == 0; i++) {
        rc = context_inputs_match(context, &match->subject[i], match->corpus, corpus);
        corpus_divide(match->corpus, match->probe[i].split_rules);
    }
    return rc;
}

int match_play(Match *match, Context *context, size_t memory_bytes)
{
    const CompareOptions *asked = &match->options;
    Work work = *study_work(context, "comparing", "layers");
    size_t most = 0;
    int rc = 0;
    work.memory_bytes = memory_bytes;
    for (size_t i = 0; i < match->n; i++) {
        size_t bytes = contender_bytes(&match->contender[i], asked, &work);
        most = bytes > most ? bytes : most;
    }
    context_say(context, "up to %.0f MiB of memory", (double)most / 1048576);
    for (size_t i = 0; i < match->n && rc == 0; i++) {
        rc = contender_read(&match->contender[i], match->corpus, asked, &work);
    }
    if (match->n == 1) {
        return rc ? rc : compare_layers(match->test, &match->contender[0], asked, &work);
    }
    return rc ? rc : compare_contenders(match->test, match->contender, match->n, asked, &work);
}

void match_release(Match *match)
{
    for (size_t i = 0; i < match->n; i++) {
        contender_release(&match->contender[i]);
        probe_release(&match->probe[i]);
        subject_release(&match->subject[i]);
    }
    corpus_close(match->corpus);
}
