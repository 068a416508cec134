/* probes/world/compression.c - contract in probes/world/states.h. */
#include <stdio.h>
#include <string.h>

#include "probes/world/states.h"

/* A state without a token that is accepted after its first history says nothing: not C_DRAWN. */
enum { C_STRICT, C_DRAWN, C_TOKENS, C_ACCEPTED, N_COMPRESSION };

typedef struct CompressionRun {
    const PairSet *pairs;
    uint64_t seed;
    size_t suffixes;
    double eps;
} CompressionRun;

/* One of the accepted tokens; the pad: there is none. */
static int draw_token(Rng *rng, const float *p, int V, double eps)
{
    double total = 0, at;
    int last = TOK_PAD;
    for (int tok = 1; tok < V; tok++) {
        total += p[tok] > eps ? p[tok] : 0;
    }
    at = rng_uniform(rng) * total;
    for (int tok = 1; tok < V && at >= 0; tok++) {
        if (p[tok] > eps) {
            last = tok;
            at -= p[tok];
        }
    }
    return last;
}

/* Suffix i grows behind line i, the first history, and is judged behind line suffixes + i. */
static int compression_block(void *context, PlayerSeat *seat, double *values, size_t first,
                             size_t n)
{
    const CompressionRun *run = context;
    const Vocab *vocab = player_of_seat(seat)->vocab;
    const GamePair *pair = &run->pairs->pairs[first];
    size_t S = run->suffixes, V = (size_t)vocab->d_vocab, going = S;
    Rng rng = world_rng(run->seed, WORLD_SUFFIX, first);
    PlayerLine lines[PLAYER_LINES];
    uint8_t next[PLAYER_LINES];
    bool over[PLAYER_LINES] = {false};
    float p[PLAYER_LINES * BOARD_SQUARES];
    memset(values, 0, N_COMPRESSION * sizeof(*values));
    for (size_t i = 0; i < S; i++) {
        lines[i] = player_line_of(vocab->variant, pair->clean, pair->n_moves);
        lines[S + i] = player_line_of(vocab->variant, pair->corrupt, pair->n_moves);
    }
    int rc = player_start(p, seat, lines, 2 * S);
    while (rc == 0 && going > 0) {
        memset(next, SQ_NONE, sizeof(next));
        for (size_t i = 0; i < S; i++) {
            int tok = over[i] ? TOK_PAD : draw_token(&rng, p + i * V, (int)V, run->eps);
            if (tok == TOK_PAD) {
                going -= !over[i];
                over[i] = true;
                continue;
            }
            values[C_TOKENS]++;
            values[C_ACCEPTED] += p[(S + i) * V + (size_t)tok] > run->eps;
            over[i] = (world_legal(vocab, &lines[i].board) >> tok & 1) == 0;
            if (!over[i]) {
                next[i] = next[S + i] = vocab->sq_of_tok[tok];
                player_line_play(&lines[i], vocab->variant, next[i]);
                over[i] = board_is_over(vocab->variant, &lines[i].board);
            }
            going -= over[i];
        }
        rc = going > 0 ? player_go_on(p, seat, next) : 0;
    }
    values[C_DRAWN] = values[C_TOKENS] > 0;
    values[C_STRICT] = values[C_DRAWN] > 0 && values[C_ACCEPTED] == values[C_TOKENS];
    return rc;
}

int world_compression(CompressionScore *out, const Player *player, const PairSet *pairs,
                      int suffixes, const Work *work)
{
    static const double eps[N_WORLD_EPS] = WORLD_EPS;
    size_t n = pairs->n;
    UnitValues values;
    int rc = world_values_new(&values, n, N_COMPRESSION, work);
    for (int e = 0; e < N_WORLD_EPS && rc == 0; e++) {
        CompressionRun run = {pairs, work->seed, (size_t)suffixes, eps[e]};
        char stage[64];
        snprintf(stage, sizeof(stage), "compression %g", eps[e]);
        const WorldUnits units = {player, stage, n, N_COMPRESSION, 1, compression_block, &run};
        rc = world_units_run(values.values, &units, work);
        if (rc == 0) {
            out[e] = (CompressionScore){eps[e], world_ratio(&values, C_STRICT, C_DRAWN),
                                        world_ratio(&values, C_ACCEPTED, C_TOKENS),
                                        world_ratio(&values, C_TOKENS, -1)};
        }
    }
    world_values_release(&values);
    return rc;
}
