/* cli/commands/edits/edit_journal.c - finished blocks of an intervention. See
 * cli/commands/edits/edit_journal.h. */
#include "cli/commands/edits/edit_journal.h"

#include "base/arena.h"

/* The numbers of a probe. */
static void add_probe(Sha256 *hash, const Probe *probe)
{
    size_t cells = (size_t)probe->n_squares * (size_t)probe->n_classes;
    kept_blocks_text(hash, probe->task);
    kept_blocks_text(hash, probe->labels);
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

int session_journal_begin(KeptBlocks *blocks, const EditSession *session)
{
    const Context *context = session->context;
    Sha256 *hash;
    int rc = kept_blocks_key(&hash, context, session->subject.model.model_hash);
    rc = rc ? rc : kept_blocks_options(hash, context);
    if (rc == 0) {
        add_probe(hash, &session->probe);
        add_means(hash, &session->directions[1]);
    }
    for (size_t f = 0; f < session->n_files && rc == 0; f++) {
        rc = add_cases(hash, &session->files[f].cases);
        rc = rc ? rc : add_cases(hash, &session->files[f].tuning);
    }
    return kept_blocks_begin(blocks, context, hash, rc);
}
