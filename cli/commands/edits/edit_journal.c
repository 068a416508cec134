/* cli/commands/edits/edit_journal.c - finished blocks of an intervention. See
 * cli/commands/edits/edit_journal.h. */
#include "cli/commands/edits/edit_journal.h"

#include <string.h>

#include "base/arena.h"

static void add_text(Sha256 *hash, const char *text)
{
    sha256_add(hash, text, strlen(text) + 1);
}

/* The numbers of a probe. */
static void add_probe(Sha256 *hash, const Probe *probe)
{
    size_t cells = (size_t)probe->n_squares * (size_t)probe->n_classes;
    add_text(hash, probe->task);
    add_text(hash, probe->labels);
    for (int i = 0; i < probe->n_layers; i++) {
        sha256_add(hash, &probe->layers[i], sizeof(probe->layers[i]));
        sha256_add(hash, probe->weight[i], probe_inputs(probe) * cells * sizeof(float));
        sha256_add(hash, probe->bias[i], cells * sizeof(float));
        if (probe->n_hidden > 0) {
            size_t hidden = (size_t)probe->n_hidden;
            sha256_add(hash, probe->hidden_weight[i],
                       (size_t)probe->d_model * hidden * sizeof(float));
            sha256_add(hash, probe->hidden_bias[i], hidden * sizeof(float));
        }
    }
}

/* Class means; none, if mean-difference is not asked for. */
static void add_means(Sha256 *hash, const BoardDirections *means)
{
    for (int i = 0; i < means->n_layers; i++) {
        const DirectionSet *set = &means->sets[i];
        sha256_add(hash, set->unit, set->n * set->width * sizeof(*set->unit));
        sha256_add(hash, set->length, set->n * sizeof(*set->length));
    }
}

static int add_cases(Sha256 *hash, const CaseSet *set)
{
    char *text = NULL;
    size_t n_bytes = 0;
    int rc = set->n > 0 ? cases_print(&text, &n_bytes, set) : 0;
    if (rc == 0) {
        sha256_add(hash, &n_bytes, sizeof(n_bytes));
        sha256_add(hash, text ? text : "", n_bytes);
    }
    mem_free(text);
    return rc;
}

int session_journal_begin(EditJournal *journal, const EditSession *session)
{
    Context *context = session->context;
    char *options = NULL;
    Sha256 *hash = NULL;
    int rc = js_print(&options, context->options_json, 0);
    *journal = (EditJournal){.kept = {.store = context->store}};
    journal->callbacks = store_journal_work(&journal->kept);
    rc = rc ? rc : sha256_new(&hash);
    if (rc == 0) {
        add_text(hash, OGPT_VERSION);
        add_text(hash, options);
        sha256_add(hash, &context->seed, sizeof(context->seed));
        add_text(hash, session->subject.model.model_hash);
        add_probe(hash, &session->probe);
        add_means(hash, &session->directions[1]);
        for (size_t f = 0; f < session->n_files && rc == 0; f++) {
            rc = add_cases(hash, &session->files[f].cases);
            rc = rc ? rc : add_cases(hash, &session->files[f].tuning);
        }
    }
    if (rc == 0) {
        sha256_finish(hash, journal->kept.key);
    } else {
        sha256_free(hash);
    }
    mem_free(options);
    return rc;
}

int session_journal_end(const EditJournal *journal)
{
    return store_journal_drop(journal->kept.store, journal->kept.key);
}
