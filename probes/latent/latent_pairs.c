/* probes/latent/latent_pairs.c - see probes/latent/latent_pairs.h. */
#include "probes/latent/latent_pairs.h"

#include "base/arena.h"
#include "base/err.h"

/* The side to move at each position. */
static void note_viewer(void *context, const TaskPosition *position, size_t index)
{
    uint8_t *viewer = context;
    viewer[index] = (uint8_t)task_viewer(position);
}

static void add_pair(LatentPairs *out, const LabelledSet *set, size_t position, size_t game)
{
    const uint8_t *a = set->labels + position * set->n_squares, *b = a + set->n_squares;
    uint64_t kept = 0, mine = 0;
    for (size_t s = 0; s < set->n_squares; s++) {
        bool turns = a[s] != LABEL_EMPTY && b[s] != LABEL_EMPTY && a[s] != b[s];
        kept |= (uint64_t)turns << s;
        mine |= (uint64_t)(turns && a[s] == LABEL_MINE) << s;
        out->of_square[s] += turns;
    }
    out->first[out->n] = (uint32_t)position;
    out->game[out->n] = (uint32_t)game;
    out->ply[out->n] = set->set.t[position];
    out->kept[out->n] = kept;
    out->mine[out->n++] = mine;
}

int latent_pairs_make(LatentPairs *out, const LabelledSet *set, const Work *work)
{
    size_t n = set->set.n_positions;
    uint8_t *viewer = mem_alloc(n, 1, "sides to move");
    *out = (LatentPairs){.n_squares = set->n_squares, .n_games = set->set.n_games};
    out->first = mem_alloc(n, sizeof(*out->first), "contrast pairs");
    out->game = mem_alloc(n, sizeof(*out->game), "contrast pairs");
    out->ply = mem_alloc(n, sizeof(*out->ply), "contrast pairs");
    out->kept = mem_alloc(n, sizeof(*out->kept), "contrast pairs");
    out->mine = mem_alloc(n, sizeof(*out->mine), "contrast pairs");
    out->of_square = mem_calloc(set->n_squares, sizeof(*out->of_square), "contrast pairs");
    int rc =
        viewer && out->first && out->game && out->ply && out->kept && out->mine && out->of_square
            ? 0
            : OGPT_ENOMEM;
    rc = rc ? rc : positions_visit(&set->set, LABELS_MOVER, note_viewer, viewer, work);
    for (size_t g = 0; g < set->set.n_games && rc == 0; g++) {
        for (size_t i = set->set.first[g]; i + 1 < set->set.first[g + 1]; i++) {
            bool next = set->set.t[i + 1] == set->set.t[i] + 1;
            if (next && viewer[i] != viewer[i + 1]) {
                add_pair(out, set, i, g);
            }
            out->n_passes += next && viewer[i] == viewer[i + 1];
        }
    }
    if (rc == 0 && out->n == 0) {
        rc = err_set(OGPT_EFORMAT, "%zu games without two positions one move apart",
                     set->set.n_games);
    }
    mem_free(viewer);
    if (rc != 0) {
        latent_pairs_release(out);
    }
    return rc;
}

void latent_pairs_release(LatentPairs *pairs)
{
    mem_free(pairs->first);
    mem_free(pairs->game);
    mem_free(pairs->ply);
    mem_free(pairs->kept);
    mem_free(pairs->mine);
    mem_free(pairs->of_square);
    *pairs = (LatentPairs){0};
}
