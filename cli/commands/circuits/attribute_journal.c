/* cli/commands/circuits/attribute_journal.c - contract in attribute_journal.h. */
#include "cli/commands/circuits/attribute_journal.h"

#include <string.h>

static void add_floats(Sha256 *hash, const float *values, size_t n)
{
    sha256_add(hash, &n, sizeof(n));
    if (values) {
        sha256_add(hash, values, n * sizeof(*values));
    }
}

/* Games, positions, and the weights of what they ask for. */
static void add_positions(Sha256 *hash, const AttributionPositions *positions, size_t K)
{
    const PositionSet *set = &positions->set;
    sha256_add(hash, set->moves, set->n_games * (size_t)set->vocab->variant->n_moves);
    sha256_add(hash, set->first, (set->n_games + 1) * sizeof(*set->first));
    sha256_add(hash, set->t, set->n_positions);
    add_floats(hash, positions->weights, set->n_positions * K);
    add_floats(hash, positions->shuffled, positions->shuffled ? set->n_positions * K : 0);
}

int attribute_journal_begin(AttributeJournal *journal, const AttributeSession *session)
{
    const Readout *readout = &session->target.readout;
    const int words[] = {(int)session->options.grain, session->options.recomputed,
                         session->options.back,       readout->normed,
                         (int)readout->site,          readout->layer};
    const char *model = session->inputs.subject.model.model_hash;
    size_t K = readout->n_columns;
    Sha256 *hash = NULL;
    *journal = (AttributeJournal){.kept = {.store = session->context->store}};
    journal->callbacks = store_journal_work(&journal->kept);
    int rc = sha256_new(&hash);
    if (rc == 0) {
        sha256_add(hash, OGPT_VERSION, sizeof(OGPT_VERSION));
        sha256_add(hash, model, strlen(model) + 1);
        sha256_add(hash, words, sizeof(words));
        sha256_add(hash, &session->context->seed, sizeof(session->context->seed));
        add_floats(hash, readout->direction, readout->width * K);
        add_floats(hash, readout->random, readout->width * K);
        add_floats(hash, readout->constant, K);
        add_positions(hash, &session->positions, K);
        sha256_finish(hash, journal->kept.key);
    }
    return rc;
}

int attribute_journal_end(const AttributeJournal *journal)
{
    return store_journal_drop(journal->kept.store, journal->kept.key);
}
