/* probes/world/found.c - contract in probes/world/found.h. */
#include "probes/world/found.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "datasets/corpus.h"

int world_check_probe(const Probe *probe, const char *path)
{
    if (strcmp(probe->task, "mine") != 0) {
        return err_set(OGPT_EUSAGE,
                       "%s: a probe of task %s; errors of the board are counted with task mine: "
                       "name another --probe",
                       path, probe->task);
    }
    return probe_check_finished(probe, path);
}

int world_found_cases(CaseSet *out, const GameVariant *variant, const AdversaryGame *games,
                      size_t n, const Work *work)
{
    uint8_t *moves = mem_alloc(n, GAME_MAX_MOVES, "games that were lost");
    size_t n_lost = 0;
    *out = (CaseSet){.variant = variant};
    if (!moves) {
        return OGPT_ENOMEM;
    }
    for (size_t i = 0; i < n; i++) {
        if (games[i].lost) {
            memcpy(moves + n_lost++ * GAME_MAX_MOVES, games[i].moves, GAME_MAX_MOVES);
        }
    }
    int rc = cases_at(out, variant, moves, n_lost, work);
    mem_free(moves);
    return rc;
}

int world_found_save(size_t *n_saved, const char *path, const GameVariant *variant,
                     const AdversaryGame *games, size_t n, bool force)
{
    size_t stride = (size_t)variant->n_moves, n_lost = 0;
    CorpusInfo meta = {.variant = variant};
    uint8_t *moves = mem_alloc(n * stride, 1, "games that were lost");
    bool unchanged = false;
    *n_saved = 0;
    if (!moves) {
        return OGPT_ENOMEM;
    }
    for (size_t i = 0; i < n; i++) {
        if (games[i].lost) {
            memcpy(moves + n_lost++ * stride, games[i].moves, stride);
        }
    }
    meta.n_games = n_lost;
    snprintf(meta.source, sizeof(meta.source), "import");
    snprintf(meta.generator, sizeof(meta.generator), "adversary-1");
    int rc = n_lost > 0 ? corpus_check_goal(path, variant, force) : 0;
    if (rc == 0 && n_lost > 0) {
        rc = corpus_save(&unchanged, path, &meta, moves, force);
        *n_saved = rc ? 0 : n_lost;
    }
    mem_free(moves);
    return rc;
}
