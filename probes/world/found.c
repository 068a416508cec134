/* probes/world/found.c - contract in probes/world/found.h. */
#include "probes/world/found.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

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

/* Remove the corpus that is there; nothing else is touched. */
static int make_way(const char *path, bool force)
{
    PathKind kind;
    Corpus *old = NULL;
    int rc = path_kind(&kind, path);
    if (rc || kind == PATH_MISSING || !force) {
        return rc;
    }
    rc = corpus_open(&old, path, true);
    corpus_close(old);
    if (rc == 0 && unlink(path) != 0) {
        rc = err_set_errno(OGPT_EIO, "%s: cannot be replaced", path);
    }
    return rc;
}

static int write_games(const char *path, const CorpusInfo *meta, const uint8_t *moves)
{
    Corpus *corpus = NULL;
    uint64_t n_blocks = (meta->n_games + CORPUS_BLOCK_GAMES - 1) / CORPUS_BLOCK_GAMES;
    int rc = corpus_create(&corpus, path, meta);
    if (rc == 0 && !corpus_has_block(corpus, n_blocks - 1)) {
        rc = corpus_write_blocks(corpus, 0, n_blocks, moves);
        rc = rc ? rc : corpus_finish(corpus);
    }
    corpus_close(corpus);
    return rc;
}

int world_found_save(size_t *n_saved, const char *path, const GameVariant *variant,
                     const AdversaryGame *games, size_t n, bool force)
{
    size_t stride = (size_t)variant->n_moves;
    CorpusInfo meta = {.variant = variant};
    uint8_t *moves = mem_alloc(n * stride, 1, "games that were lost");
    *n_saved = 0;
    if (!moves) {
        return OGPT_ENOMEM;
    }
    for (size_t i = 0; i < n; i++) {
        if (games[i].lost) {
            memcpy(moves + meta.n_games++ * stride, games[i].moves, stride);
        }
    }
    snprintf(meta.source, sizeof(meta.source), "import");
    snprintf(meta.generator, sizeof(meta.generator), "adversary-1");
    int rc = meta.n_games > 0 ? make_way(path, force) : 0;
    rc = rc || meta.n_games == 0 ? rc : write_games(path, &meta, moves);
    *n_saved = rc ? 0 : (size_t)meta.n_games;
    mem_free(moves);
    return rc;
}
