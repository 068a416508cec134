/* probes/world/units.c - contract in probes/world/units.h. */
#include "probes/world/units.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/process.h"
#include "game/play.h"
#include "probes/legality/answers.h"

#define STRETCH_BLOCKS 16 /* between two looks at the journal and at signals */

typedef struct UnitsRun {
    const WorldUnits *units;
    PlayerSeat **seats; /* of the workers */
    double *values;     /* of the stretch */
    size_t first, n;    /* units of the stretch */
} UnitsRun;

static int run_block(void *context, size_t job, size_t worker)
{
    const UnitsRun *run = context;
    const WorldUnits *units = run->units;
    size_t first = job * units->block,
           n = run->n - first < units->block ? run->n - first : units->block;
    return units->compute(units->context, run->seats[worker], run->values + first * units->n_values,
                          run->first + first, n);
}

static int run_stretches(UnitsRun *run, double *values, const Work *work)
{
    const WorldUnits *units = run->units;
    size_t stretch = STRETCH_BLOCKS * units->block;
    int rc = 0;
    for (run->first = 0; run->first < units->n && rc == 0; run->first += stretch) {
        char stage[96];
        size_t block = run->first / stretch;
        run->n = units->n - run->first < stretch ? units->n - run->first : stretch;
        run->values = values + run->first * units->n_values;
        snprintf(stage, sizeof(stage), "%s %s", units->stage, player_name(units->player->kind));
        if (interrupt_pending()) {
            return err_set(OGPT_EINTR, "interrupted in %s after %zu of %zu", stage, run->first,
                           units->n);
        }
        int kept = work_recall(run->values, work, run->n * units->n_values, stage, block);
        rc = kept < 0 ? kept : 0;
        if (kept == 0) {
            rc = pool_run(work->pool, (run->n + units->block - 1) / units->block, run_block, run);
            rc = rc ? rc : work_keep(work, run->values, run->n * units->n_values, stage, block);
        }
        work_tick(work, "units", (double)(run->first + run->n), (double)units->n);
    }
    return rc;
}

int world_units_run(double *values, const WorldUnits *units, const Work *work)
{
    size_t n_workers = work_workers(work);
    UnitsRun run = {.units = units};
    int rc = 0;
    run.seats = mem_calloc(n_workers, sizeof(*run.seats), "seats of players");
    if (!run.seats) {
        return OGPT_ENOMEM;
    }
    for (size_t w = 0; w < n_workers && rc == 0; w++) {
        rc = player_seat_new(&run.seats[w], units->player);
    }
    rc = rc ? rc : run_stretches(&run, values, work);
    for (size_t w = 0; w < n_workers; w++) {
        player_seat_free(run.seats[w]);
    }
    mem_free(run.seats);
    return rc;
}

int world_values_new(UnitValues *out, size_t n, size_t n_values, const Work *work)
{
    *out = (UnitValues){.n = n, .n_values = n_values, .seed = work->seed};
    out->values = mem_calloc(n * n_values, sizeof(*out->values), "numbers of units");
    out->columns = mem_alloc(2 * n, sizeof(*out->columns), "columns of a ratio");
    return out->values && out->columns ? 0 : OGPT_ENOMEM;
}

void world_values_release(UnitValues *values)
{
    mem_free(values->values);
    mem_free(values->columns);
    *values = (UnitValues){0};
}

Interval world_ratio(const UnitValues *values, int a, int b)
{
    double *above = values->columns, *below = above + values->n;
    for (size_t i = 0; i < values->n; i++) {
        const double *of = values->values + i * values->n_values;
        above[i] = of[a];
        below[i] = b < 0 ? 1 : of[b];
    }
    return bootstrap_ratio(above, below, values->n, values->seed);
}

Rng world_rng(uint64_t seed, WorldDraw draw, uint64_t unit)
{
    return rng_at(seed, RNG_WORLD, (uint64_t)draw << 48 | unit);
}

int world_random_move(Rng *rng, const GameVariant *variant, const Board *board)
{
    uint64_t legal = board_moves(variant, board);
    return mask_select(legal, (int)rng_below(rng, (uint32_t)__builtin_popcountll(legal)));
}

PlayerLine world_random_line(Rng *rng, const GameVariant *variant, int n)
{
    PlayerLine line = player_line(variant);
    while (line.n < n) {
        player_line_play(&line, variant, world_random_move(rng, variant, &line.board));
        if (board_is_over(variant, &line.board)) {
            line = player_line(variant); /* the stream goes on: another game */
        }
    }
    return line;
}

PlayerLine world_opening(const GameVariant *variant, uint64_t seed, uint64_t game, int n)
{
    Rng rng = world_rng(seed, WORLD_OPENING, game);
    return world_random_line(&rng, variant, n);
}

int world_opening_moves(const GameVariant *variant)
{
    return variant->n_moves / 10;
}

PlayerLine world_other_line(Rng *rng, const GameVariant *variant, const PlayerLine *line)
{
    PlayerLine other;
    do {
        other = world_random_line(rng, variant, line->n);
    } while (other.board.to_move != line->board.to_move || board_same(&other.board, &line->board));
    return other;
}

uint64_t world_top_set(const float *p, int d_vocab, int n)
{
    uint64_t set = 0;
    while (__builtin_popcountll(set) < n) {
        float largest = -1;
        for (int tok = 0; tok < d_vocab; tok++) {
            largest = (set >> tok & 1) == 0 && p[tok] > largest ? p[tok] : largest;
        }
        for (int tok = 0; tok < d_vocab; tok++) {
            set |= p[tok] == largest ? 1ULL << tok : 0;
        }
    }
    return set;
}

uint64_t world_legal(const Vocab *vocab, const Board *board)
{
    return answer_tokens(vocab, board_moves(vocab->variant, board));
}

/* ---- strict error ---- */

enum { STRICT_ERRORS, STRICT_POSITIONS, N_STRICT };

static int strict_block(void *context, PlayerSeat *seat, double *values, size_t first, size_t n)
{
    const Player *player = player_of_seat(seat);
    const Vocab *vocab = player->vocab;
    const GameVariant *variant = vocab->variant;
    uint64_t seed = *(const uint64_t *)context;
    int V = vocab->d_vocab, rc = 0;
    uint8_t games[PLAYER_LINES][GAME_MAX_MOVES], next[PLAYER_LINES];
    PlayerLine lines[PLAYER_LINES];
    float p[PLAYER_LINES * BOARD_SQUARES];
    memset(values, 0, n * N_STRICT * sizeof(*values));
    memset(games, SQ_NONE, sizeof(games));
    for (size_t i = 0; i < n; i++) {
        play_random(games[i], variant, seed, RNG_EVAL, first + i);
        lines[i] = player_line_of(variant, games[i], 1);
    }
    rc = player_start(p, seat, lines, n);
    for (int t = 1; t < variant->n_moves && rc == 0; t++) {
        for (size_t i = 0; i < n; i++) {
            next[i] = games[i][t];
            if (next[i] != SQ_NONE) {
                uint64_t legal = world_legal(vocab, &lines[i].board);
                values[i * N_STRICT + STRICT_ERRORS] +=
                    (legal >> answer_top(p + i * (size_t)V, V) & 1) == 0;
                values[i * N_STRICT + STRICT_POSITIONS]++;
                player_line_play(&lines[i], variant, next[i]);
            }
        }
        rc = t + 1 < variant->n_moves ? player_go_on(p, seat, next) : 0;
    }
    return rc;
}

int world_strict_error(Interval *out, const Player *player, size_t n, const Work *work)
{
    uint64_t seed = work->seed;
    const WorldUnits units = {player,       "strict error", n,    N_STRICT,
                              PLAYER_LINES, strict_block,   &seed};
    UnitValues values;
    int rc = world_values_new(&values, n, N_STRICT, work);
    rc = rc ? rc : world_units_run(values.values, &units, work);
    if (rc == 0) {
        *out = world_ratio(&values, STRICT_ERRORS, STRICT_POSITIONS);
    }
    world_values_release(&values);
    return rc;
}
