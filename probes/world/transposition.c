/* probes/world/transposition.c - contract in probes/world/transposition.h. */
#include "probes/world/transposition.h"

#include <math.h>

#include "probes/legality/answers.h"

/* Numbers of a pair and, T_NULL later, those of its null. */
enum { T_KL, T_DISTANCE, T_JACCARD, T_SAME_SET, T_SAME_TOP, T_BOTH_LEGAL, N_COMPARED };
enum { T_NULL = N_COMPARED, N_TRANSPOSITION = 2 * N_COMPARED, T_PAIRS_A_BLOCK = PLAYER_LINES / 3 };

typedef struct TranspositionRun {
    const PairSet *pairs;
    uint64_t seed;
} TranspositionRun;

static double floored(float p)
{
    return p > TRANSPOSITION_FLOOR ? p : TRANSPOSITION_FLOOR;
}

static void compare(double *out, const Vocab *vocab, const float *p, const Board *a, const float *q,
                    const Board *b)
{
    uint64_t legal_a = world_legal(vocab, a), legal_b = world_legal(vocab, b);
    uint64_t set_a = world_top_set(p, vocab->d_vocab, __builtin_popcountll(legal_a));
    uint64_t set_b = world_top_set(q, vocab->d_vocab, __builtin_popcountll(legal_b));
    out[T_KL] = out[T_DISTANCE] = 0;
    for (int tok = 0; tok < vocab->d_vocab; tok++) {
        out[T_KL] += p[tok] > 0 ? p[tok] * log(floored(p[tok]) / floored(q[tok])) : 0;
        out[T_DISTANCE] += 0.5 * fabs((double)p[tok] - (double)q[tok]);
    }
    out[T_JACCARD] =
        (double)__builtin_popcountll(set_a & set_b) / __builtin_popcountll(set_a | set_b);
    out[T_SAME_SET] = set_a == set_b;
    out[T_SAME_TOP] = answer_top(p, vocab->d_vocab) == answer_top(q, vocab->d_vocab);
    out[T_BOTH_LEGAL] = set_a == legal_a && set_b == legal_b;
}

static int transposition_block(void *context, PlayerSeat *seat, double *values, size_t first,
                               size_t n)
{
    const TranspositionRun *run = context;
    const Vocab *vocab = player_of_seat(seat)->vocab;
    size_t V = (size_t)vocab->d_vocab;
    PlayerLine lines[PLAYER_LINES];
    float p[PLAYER_LINES * BOARD_SQUARES];
    for (size_t i = 0; i < n; i++) {
        const GamePair *pair = &run->pairs->pairs[first + i];
        lines[3 * i] = player_line_of(vocab->variant, pair->clean, pair->n_moves);
        lines[3 * i + 1] = player_line_of(vocab->variant, pair->corrupt, pair->n_moves);
        Rng rng = world_rng(run->seed, WORLD_OTHER, first + i);
        lines[3 * i + 2] = world_other_line(&rng, vocab->variant, &lines[3 * i]);
    }
    int rc = player_start(p, seat, lines, 3 * n);
    for (size_t i = 0; i < n && rc == 0; i++) {
        const float *row = p + 3 * i * V;
        const Board *board = &lines[3 * i].board;
        double *out = values + i * N_TRANSPOSITION;
        compare(out, vocab, row, board, row + V, &lines[3 * i + 1].board);
        compare(out + T_NULL, vocab, row, board, row + 2 * V, &lines[3 * i + 2].board);
    }
    return rc;
}

/* The numbers of all pairs; world_values_release in any case. */
static int pairs_answer(UnitValues *out, const Player *player, const PairSet *pairs,
                        const Work *work)
{
    TranspositionRun run = {pairs, work->seed};
    const WorldUnits units = {player,          "transposition",     pairs->n, N_TRANSPOSITION,
                              T_PAIRS_A_BLOCK, transposition_block, &run};
    int rc = world_values_new(out, pairs->n, N_TRANSPOSITION, work);
    return rc ? rc : world_units_run(out->values, &units, work);
}

int world_transposition_pairs(double *values, const Player *player, const PairSet *pairs,
                              const Work *work)
{
    UnitValues all;
    int rc = pairs_answer(&all, player, pairs, work);
    for (size_t i = 0; rc == 0 && i < pairs->n; i++) {
        values[2 * i] = all.values[i * N_TRANSPOSITION + T_KL];
        values[2 * i + 1] = all.values[i * N_TRANSPOSITION + T_NULL + T_KL];
    }
    world_values_release(&all);
    return rc;
}

int world_transposition(TranspositionScore *out, const Player *player, const PairSet *pairs,
                        const Work *work)
{
    UnitValues values;
    int rc = pairs_answer(&values, player, pairs, work);
    if (rc == 0) {
        Interval *const fields[N_TRANSPOSITION] = {
            &out->kl,           &out->distance,      &out->jaccard,       &out->same_set,
            &out->same_top,     &out->both_legal,    &out->null_kl,       &out->null_distance,
            &out->null_jaccard, &out->null_same_set, &out->null_same_top, NULL};
        for (int v = 0; v < N_TRANSPOSITION; v++) {
            if (fields[v]) {
                *fields[v] = world_ratio(&values, v, -1);
            }
        }
        out->effect = world_ratio(&values, T_KL, T_NULL + T_KL);
    }
    world_values_release(&values);
    return rc;
}
