/* probes/activations/positions.c - drawing and replaying positions. See
 * probes/activations/positions.h. */
#include "probes/activations/positions.h"

#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/process.h"
#include "base/rng.h"

#define CHUNK_GAMES 64

/* The first steps of a Fisher-Yates shuffle. */
uint64_t positions_draw_plies(int n, int plies, Rng *rng)
{
    uint8_t all[GAME_MAX_MOVES];
    uint64_t chosen = 0;
    int wanted = plies == 0 || plies > n ? n : plies;
    for (int i = 0; i < n; i++) {
        all[i] = (uint8_t)i;
    }
    for (int i = 0; i < wanted; i++) {
        int j = i + (int)rng_below(rng, (uint32_t)(n - i));
        uint8_t taken = all[j];
        all[j] = all[i];
        chosen |= UINT64_C(1) << taken;
    }
    return chosen;
}

int positions_draw(PositionSet *out, GameSource *source, size_t n_games, int plies,
                   const Work *work)
{
    const GameVariant *variant = source_variant(source);
    uint64_t available = source_games(source);
    if (available > 0 && n_games > available) {
        n_games = (size_t)available;
    }
    size_t stride = (size_t)variant->n_moves;
    size_t most = plies > 0 ? (size_t)plies : stride - 1;
    *out = (PositionSet){.vocab = vocab_of(variant), .n_games = n_games};
    out->moves = mem_alloc(n_games, stride, "games of a probe");
    out->first = mem_alloc(n_games + 1, sizeof(uint32_t), "positions of a probe");
    out->t = mem_alloc(n_games, most, "positions of a probe");
    if (!out->moves || !out->first || !out->t) {
        positions_release(out);
        return OGPT_ENOMEM;
    }
    int rc = source_fetch(source, out->moves, 0, n_games, work->pool);
    if (rc) {
        positions_release(out);
        return rc;
    }
    for (size_t g = 0; g < n_games; g++) {
        const uint8_t *moves = out->moves + g * stride;
        Rng rng = rng_at(work->seed, RNG_PROBE, game_hash(moves, variant));
        int scored = game_length(moves, variant->n_moves) - 1;
        out->first[g] = (uint32_t)out->n_positions;
        uint64_t left = scored > 0 ? positions_draw_plies(scored, plies, &rng) : 0;
        for (; left != 0; left &= left - 1) {
            out->t[out->n_positions++] = (uint8_t)__builtin_ctzll(left);
        }
    }
    out->first[n_games] = (uint32_t)out->n_positions;
    if (out->n_positions == 0) {
        positions_release(out);
        return err_set(OGPT_EFORMAT,
                       "%s: %zu games without a single position to probe, expected "
                       "games of at least two moves",
                       source_identity(source), n_games);
    }
    return 0;
}

int positions_ends(PositionSet *out, const GameVariant *variant, const uint8_t *moves, size_t n)
{
    size_t stride = (size_t)variant->n_moves;
    *out = (PositionSet){.vocab = vocab_of(variant), .n_games = n, .n_positions = n, .ends = true};
    out->moves = mem_alloc(n, stride, "games of a probe");
    out->first = mem_alloc(n + 1, sizeof(uint32_t), "positions of a probe");
    out->t = mem_alloc(n, 1, "positions of a probe");
    if (!out->moves || !out->first || !out->t) {
        positions_release(out);
        return OGPT_ENOMEM;
    }
    memcpy(out->moves, moves, n * stride);
    for (size_t g = 0; g < n; g++) {
        out->first[g] = (uint32_t)g;
        out->t[g] = (uint8_t)(game_length(moves + g * stride, variant->n_moves) - 1);
    }
    out->first[n] = (uint32_t)n;
    return 0;
}

void positions_release(PositionSet *set)
{
    mem_free(set->moves);
    mem_free(set->first);
    mem_free(set->t);
    *set = (PositionSet){0};
}

void positions_hash(Sha256 *hash, const PositionSet *set)
{
    sha256_add(hash, &set->n_games, sizeof(set->n_games));
    sha256_add(hash, set->moves, set->n_games * (size_t)set->vocab->variant->n_moves);
    sha256_add(hash, set->first, (set->n_games + 1) * sizeof(*set->first));
    sha256_add(hash, set->t, set->n_positions);
}

typedef struct VisitJob {
    const PositionSet *set;
    LabelConvention convention;
    PositionVisit visit;
    void *context;
} VisitJob;

static int visit_chunk(void *context, size_t job, size_t worker)
{
    const VisitJob *visit = context;
    const PositionSet *set = visit->set;
    const GameVariant *variant = set->vocab->variant;
    Board after[GAME_MAX_MOVES];
    if (interrupt_pending()) {
        return err_set(OGPT_EINTR, "interrupted while replaying games");
    }
    size_t end = (job + 1) * CHUNK_GAMES < set->n_games ? (job + 1) * CHUNK_GAMES : set->n_games;
    for (size_t g = job * CHUNK_GAMES; g < end; g++) {
        const uint8_t *moves = set->moves + g * (size_t)variant->n_moves;
        int n = game_length(moves, variant->n_moves);
        int legal = game_replay(variant, moves, n, after);
        if (legal != n) {
            return err_set(OGPT_EFORMAT,
                           "game %zu of the probe's sample: move %d is illegal; "
                           "check the corpus (ogpt verify)",
                           g, legal + 1);
        }
        for (size_t i = set->first[g]; i < set->first[g + 1]; i++) {
            TaskPosition position = {variant, moves, after, set->t[i], visit->convention};
            visit->visit(visit->context, &position, i);
        }
    }
    return 0;
}

int positions_visit(const PositionSet *set, LabelConvention convention, PositionVisit visit,
                    void *context, const Work *work)
{
    VisitJob job = {set, convention, visit, context};
    return pool_run(work->pool, (set->n_games + CHUNK_GAMES - 1) / CHUNK_GAMES, visit_chunk, &job);
}

typedef struct LabelVisit {
    uint8_t *labels;
    const Task *task;
    size_t n_squares;
} LabelVisit;

static void visit_label(void *context, const TaskPosition *position, size_t index)
{
    const LabelVisit *visit = context;
    visit->task->label(visit->labels + index * visit->n_squares, position);
}

int positions_label(uint8_t *labels, const PositionSet *set, const Task *task,
                    LabelConvention convention, const Work *work)
{
    int size = set->vocab->variant->size;
    LabelVisit visit = {labels, task, (size_t)(size * size)};
    return positions_visit(set, convention, visit_label, &visit, work);
}

typedef struct MaskVisit {
    uint64_t *occupied, *flipped;
} MaskVisit;

/* Renumber bits: from 8*row+column to row-major over the board. */
static uint64_t pack_squares(const GameVariant *variant, uint64_t mask)
{
    uint64_t packed = 0;
    for (int i = 0; i < variant->size * variant->size; i++) {
        packed |= (mask >> task_square(variant, i) & 1) << i;
    }
    return packed;
}

static void visit_masks(void *context, const TaskPosition *position, size_t index)
{
    const MaskVisit *visit = context;
    const Board *after = position->after;
    uint64_t flipped = 0;
    uint64_t black_before = board_discs(&position->variant->start, BLACK);
    uint64_t white_before = board_discs(&position->variant->start, WHITE);
    for (int t = 0; t <= position->t; t++) {
        uint64_t black = board_discs(&after[t], BLACK), white = board_discs(&after[t], WHITE);
        flipped |= (black & white_before) | (white & black_before);
        black_before = black;
        white_before = white;
    }
    visit->occupied[index] = pack_squares(position->variant, black_before | white_before);
    visit->flipped[index] = pack_squares(position->variant, flipped);
}

int positions_masks(uint64_t *occupied, uint64_t *flipped, const PositionSet *set, const Work *work)
{
    MaskVisit visit = {occupied, flipped};
    return positions_visit(set, LABELS_MOVER, visit_masks, &visit, work);
}
