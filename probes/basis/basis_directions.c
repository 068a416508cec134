/* probes/basis/basis_directions.c - see probes/basis/basis_directions.h. */
#include "probes/basis/basis_directions.h"

#include "base/arena.h"
#include "base/err.h"
#include "num/vectors.h"

const char *basis_kind_name(BasisKind kind)
{
    static const char *const names[N_BASIS_KINDS] = {"turn",        "empty", "board",  "neurons_in",
                                                     "neurons_out", "embed", "unembed"};
    return names[kind];
}

static int allocate(BasisDirections *out, size_t most, size_t d, size_t n_groups)
{
    *out = (BasisDirections){.d = d, .n_groups = n_groups};
    out->unit = mem_alloc(most * d, sizeof(float), "directions");
    out->group = mem_alloc(most, sizeof(uint32_t), "directions");
    if (!out->unit || !out->group) {
        basis_directions_release(out);
        return OGPT_ENOMEM;
    }
    return 0;
}

void basis_directions_release(BasisDirections *directions)
{
    mem_free(directions->unit);
    mem_free(directions->group);
    *directions = (BasisDirections){0};
}

/* The row behind the last one has been filled: scale it to 1 and count it, unless it is zero. */
static void accept(BasisDirections *out, size_t group)
{
    if (vector_unit(out->unit + out->n * out->d, out->d) > 0) {
        out->group[out->n++] = (uint32_t)group;
    }
}

/* Whether a state occurs on the square: a fit gives zero weights to one that does not. */
static bool state_occurs(const Probe *probe, int i, size_t square, size_t state)
{
    for (size_t c = 0; c < (size_t)probe->d_model; c++) {
        if (probe->weight[i][(c * (size_t)probe->n_squares + square) * 3 + state] != 0) {
            return true;
        }
    }
    return false;
}

int basis_directions_of_probe(BasisDirections *out, const Probe *probe, int i, BasisKind kind)
{
    size_t squares = (size_t)probe->n_squares, d = (size_t)probe->d_model;
    size_t empty = (size_t)probe_class(probe, "empty"), mine = (size_t)probe_class(probe, "mine");
    size_t theirs = (size_t)probe_class(probe, "theirs");
    int rc = allocate(out, 2 * squares, d, squares);
    for (size_t turn = 0; turn < 2 && rc == 0; turn++) {
        for (size_t s = 0; s < squares && (turn ? kind != BASIS_EMPTY : kind != BASIS_TURN); s++) {
            for (size_t c = 0; c < d; c++) {
                const float *w = probe->weight[i] + (c * squares + s) * 3;
                out->unit[out->n * d + c] =
                    turn ? w[mine] - w[theirs] : w[empty] - 0.5F * (w[mine] + w[theirs]);
            }
            /* The four squares of the centre are never empty. */
            if (turn || state_occurs(probe, i, s, empty)) {
                accept(out, s);
            }
        }
    }
    return rc;
}

int basis_directions_of_weights(BasisDirections *out, const Gpt *gpt, BasisKind kind, int layer)
{
    const TensorMap *map = &gpt->map;
    size_t C = (size_t)gpt->cfg.d_model, V = (size_t)gpt->cfg.d_vocab, M = (size_t)gpt->cfg.d_mlp;
    const real *block = gpt->params + (size_t)(layer > 0 ? layer : 0) * map->block_stride;
    const struct {
        const real *w;
        size_t n, of_row, of_number; /* strides of a direction and of its numbers */
    } sets[N_BASIS_KINDS] = {
        [BASIS_NEURONS_IN] = {block + map->W_in, M, 1, M},
        [BASIS_NEURONS_OUT] = {block + map->W_out, M, C, 1},
        [BASIS_EMBED] = {gpt->params + map->W_E, V, C, 1},
        [BASIS_UNEMBED] = {gpt->params + map->W_U, V, 1, V},
    };
    int rc = allocate(out, sets[kind].n, C, sets[kind].n);
    /* Token 0 is the pad, which no game holds. */
    size_t first = kind == BASIS_EMBED || kind == BASIS_UNEMBED;
    for (size_t k = first; k < sets[kind].n && rc == 0; k++) {
        for (size_t c = 0; c < C; c++) {
            out->unit[out->n * C + c] =
                (float)sets[kind].w[k * sets[kind].of_row + c * sets[kind].of_number];
        }
        accept(out, k);
    }
    return rc;
}
