/* probes/circuits/circuit_control.c - contract in probes/circuits/circuit_control.h. */
#include "probes/circuits/circuit_control.h"

#include <math.h>

#include "base/arena.h"
#include "base/err.h"

const char *circuit_control_name(ControlPairs pairs)
{
    static const char *const names[] = {"flip", "swapped", "transposition"};
    return names[pairs];
}

void circuit_control_swap(GamePair *swapped, const GamePair *pairs, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const GamePair *from = &pairs[(i + 1) % n];
        swapped[i] = pairs[i];
        swapped[i].clean_board = from->clean_board;
        swapped[i].corrupt_board = from->corrupt_board;
        swapped[i].legal_clean = from->legal_clean;
        swapped[i].legal_corrupt = from->legal_corrupt;
        swapped[i].turned = from->turned;
        swapped[i].target = from->target;
        swapped[i].other = from->other;
    }
}

int circuit_control_draw(PairSet *out, const PairSet *pairs, const Work *work)
{
    PairMakeOptions options = PAIR_MAKE_OPTIONS_DEFAULT;
    int shortest = GAME_MAX_MOVES, longest = 1;
    for (size_t i = 0; i < pairs->n; i++) {
        int moves = pairs->pairs[i].n_moves;
        shortest = moves < shortest ? moves : shortest;
        longest = moves > longest ? moves : longest;
    }
    options.n = pairs->n;
    options.kind = PAIR_TRANSPOSITION;
    options.min_moves = shortest;
    options.max_moves = longest;
    options.before_end = 1;
    return pairs_make(out, pairs->variant, &options, work);
}

typedef struct ControlRoom {
    const EdgeQuestion *question;
    const uint32_t *edges; /* (n) */
    double *direction;     /* (n) */
    size_t n;
    uint8_t *patched; /* (n_edges) */
    double *delta;    /* (n_pairs), then what is lost of it */
    double *moved;    /* (n_pairs) sum over edges */
} ControlRoom;

static int patch_each(CircuitControl *out, ControlRoom *room, EdgeRuns *runs, const Work *work)
{
    size_t n = room->n, n_pairs = room->question->n_pairs;
    const Work quiet = work_quiet(work);
    const double *base = edges_delta(runs, false);
    int rc = 0;
    for (size_t i = 0; i < n && rc == 0; i++) {
        double sum = 0;
        room->patched[room->edges[i]] = 1;
        rc = edges_patched(room->delta, NULL, runs, room->patched, &quiet);
        room->patched[room->edges[i]] = 0;
        for (size_t p = 0; p < n_pairs && rc == 0; p++) {
            room->delta[p] = base[p] - room->delta[p];
            sum += room->delta[p];
        }
        if (isnan(room->direction[i])) {
            room->direction[i] = sum;
        }
        for (size_t p = 0; p < n_pairs && rc == 0; p++) {
            double lost = room->delta[p];
            room->moved[p] += (room->direction[i] < 0 ? -lost : lost) / (double)n;
        }
        out->edges_size += fabs(sum) / (double)n_pairs / (double)n;
        work_tick(work, "edges", (double)i + 1, (double)n);
    }
    return rc;
}

int circuit_control_measure(CircuitControl *out, const EdgeQuestion *question, EdgeRuns *runs,
                            const uint32_t *edges, double *direction, size_t n, const Work *work)
{
    EdgeRuns *made = NULL;
    const Work quiet = work_quiet(work);
    ControlRoom room = {.question = question,
                        .edges = edges,
                        .direction = direction,
                        .n = n,
                        .patched = mem_calloc(question->graph->n_edges, 1, "edges of a circuit"),
                        .delta = mem_calloc(question->n_pairs, sizeof(double), "effects of pairs"),
                        .moved = mem_calloc(question->n_pairs, sizeof(double), "effects of pairs")};
    *out = (CircuitControl){.n_pairs = question->n_pairs};
    int rc = room.patched && room.delta && room.moved ? 0 : OGPT_ENOMEM;
    if (rc == 0 && !runs) {
        rc = edges_new(&made, question, &quiet);
        runs = made;
    }
    rc = rc ? rc : patch_each(out, &room, runs, work);
    if (rc == 0) {
        const double *base = edges_delta(runs, false), *other = edges_delta(runs, true);
        out->edges = bootstrap_ratio(room.moved, NULL, question->n_pairs, work->seed);
        for (size_t p = 0; p < question->n_pairs; p++) {
            room.moved[p] = base[p] - other[p];
        }
        out->total = bootstrap_ratio(room.moved, NULL, question->n_pairs, work->seed);
    }
    edges_free(made);
    mem_free(room.patched);
    mem_free(room.delta);
    mem_free(room.moved);
    return rc;
}
