/* probes/world/detour.c - contract in probes/world/detour.h. */
#include "probes/world/detour.h"

#include <stdio.h>
#include <string.h>

#include "probes/legality/answers.h"

enum { D_FINISHED, D_FAILED, D_ILLEGAL_PLY, D_MOVES, N_DETOUR };

typedef struct DetourRun {
    const DetourOptions *options;
    uint64_t seed;
    DetourKind kind;
    double share;
} DetourRun;

const char *world_detour_name(DetourKind kind)
{
    static const char *const names[N_DETOUR_KINDS] = {DETOUR_KINDS(ENUM_NAME)};
    return names[kind];
}

static int least_likely(const Vocab *vocab, const float *p, uint64_t legal)
{
    int least = __builtin_ctzll(legal);
    for (uint64_t rest = legal; rest != 0; rest &= rest - 1) {
        int tok = __builtin_ctzll(rest);
        least = p[tok] < p[least] ? tok : least;
    }
    return vocab->sq_of_tok[least];
}

/* The move of one ply, SQ_NONE if it is not legal. Two numbers are drawn at every ply, so that a
 * game sees the same detours whatever its player answers. */
static int detour_move(const DetourRun *run, Rng *rng, const Vocab *vocab, const float *p,
                       const Board *board, double *values)
{
    uint64_t legal = world_legal(vocab, board);
    bool leave = rng_uniform(rng) < run->share;
    int random = world_random_move(rng, vocab->variant, board), top;
    if (leave) {
        return run->kind == DETOUR_RANDOM ? random : least_likely(vocab, p, legal);
    }
    top = answer_top(p, vocab->d_vocab);
    values[D_MOVES]++;
    return (legal >> top & 1) ? vocab->sq_of_tok[top] : SQ_NONE;
}

static int detour_block(void *context, PlayerSeat *seat, double *values, size_t first, size_t n)
{
    const DetourRun *run = context;
    const Vocab *vocab = player_of_seat(seat)->vocab;
    PlayerLine lines[PLAYER_LINES];
    Rng rng[PLAYER_LINES];
    uint8_t next[PLAYER_LINES];
    float p[PLAYER_LINES * BOARD_SQUARES];
    size_t going = n;
    memset(values, 0, n * N_DETOUR * sizeof(*values));
    for (size_t i = 0; i < n; i++) {
        lines[i] = world_opening(vocab->variant, run->seed, first + i, run->options->opening);
        rng[i] = world_rng(run->seed, WORLD_DETOUR, first + i);
    }
    int rc = player_start(p, seat, lines, n);
    while (rc == 0 && going > 0) {
        for (size_t i = 0; i < n; i++) {
            double *out = values + i * N_DETOUR;
            next[i] = SQ_NONE;
            if (out[D_FINISHED] + out[D_FAILED] > 0) {
                continue;
            }
            next[i] = (uint8_t)detour_move(run, &rng[i], vocab, p + i * (size_t)vocab->d_vocab,
                                           &lines[i].board, out);
            if (next[i] == SQ_NONE) {
                out[D_FAILED] = 1;
                out[D_ILLEGAL_PLY] = lines[i].n + 1;
                going--;
                continue;
            }
            player_line_play(&lines[i], vocab->variant, next[i]);
            if (board_is_over(vocab->variant, &lines[i].board)) {
                out[D_FINISHED] = 1;
                going--;
            }
        }
        rc = going > 0 ? player_go_on(p, seat, next) : 0;
    }
    return rc;
}

int world_detours(DetourScore *out, const Player *player, const DetourOptions *options,
                  const Work *work)
{
    static const double shares[N_DETOUR_SHARES] = DETOUR_SHARES;
    size_t n = options->games;
    UnitValues values;
    int rc = world_values_new(&values, n, N_DETOUR, work);
    for (int i = 0; i < N_DETOUR_KINDS * N_DETOUR_SHARES && rc == 0; i++) {
        DetourRun run = {options, work->seed, (DetourKind)(i / N_DETOUR_SHARES),
                         shares[i % N_DETOUR_SHARES]};
        char stage[64];
        snprintf(stage, sizeof(stage), "detour %d %g", (int)run.kind, run.share);
        if (run.kind > 0 && run.share == 0) { /* nothing is replaced */
            out[i] = out[0];
            out[i].kind = run.kind;
            continue;
        }
        const WorldUnits units = {player, stage, n, N_DETOUR, PLAYER_LINES, detour_block, &run};
        rc = world_units_run(values.values, &units, work);
        if (rc == 0) {
            out[i] = (DetourScore){run.kind,
                                   run.share,
                                   world_ratio(&values, D_FINISHED, -1),
                                   world_ratio(&values, D_ILLEGAL_PLY, D_FAILED),
                                   world_ratio(&values, D_MOVES, -1),
                                   world_ratio(&values, D_FAILED, D_MOVES)};
        }
    }
    world_values_release(&values);
    return rc;
}
