/* probes/world/bias_states.c - contract in probes/world/bias_states.h. */
#include "probes/world/bias_states.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"

#define DRAWS 30000 /* histories among which triples are looked for */

/* One of the histories that triples are made of. */
typedef struct BiasDraw {
    PlayerLine line;
    uint64_t legal;
    size_t number;
    bool used;
} BiasDraw;

/* Squares whose content differs. */
static int board_distance(const Board *a, const Board *b)
{
    return __builtin_popcountll((a->mine ^ b->mine) | (a->theirs ^ b->theirs));
}

static bool alike(const BiasDraw *a, const BiasDraw *b)
{
    return a->line.n == b->line.n && a->line.board.to_move == b->line.board.to_move;
}

/* By length, mover and legal moves; then in the order of drawing. */
static int draw_order(const void *a, const void *b)
{
    const BiasDraw *x = a, *y = b;
    if (x->line.n != y->line.n) {
        return x->line.n < y->line.n ? -1 : 1;
    }
    if (x->line.board.to_move != y->line.board.to_move) {
        return x->line.board.to_move < y->line.board.to_move ? -1 : 1;
    }
    if (x->legal != y->legal) {
        return x->legal < y->legal ? -1 : 1;
    }
    return x->number < y->number ? -1 : x->number > y->number;
}

static BiasDraw *draws_make(const Vocab *vocab, const PairSet *pairs, const BiasOptions *options,
                            uint64_t seed)
{
    BiasDraw *draws = mem_calloc(DRAWS, sizeof(*draws), "histories that triples are made of");
    int lengths = options->max_moves - options->min_moves + 1;
    for (size_t i = 0; draws && i < DRAWS; i++) {
        Rng rng = world_rng(seed, WORLD_TRIPLES, i);
        int n = options->min_moves + (int)rng_below(&rng, (uint32_t)lengths);
        draws[i].number = i;
        draws[i].line = world_random_line(&rng, vocab->variant, n);
        draws[i].legal = board_moves(vocab->variant, &draws[i].line.board);
        for (size_t p = 0; p < pairs->n && !draws[i].used; p++) { /* it may be learned from */
            draws[i].used = board_same(&pairs->pairs[p].clean_board, &draws[i].line.board);
        }
    }
    if (draws) {
        qsort(draws, DRAWS, sizeof(*draws), draw_order);
    }
    return draws;
}

/* The draw that differs from a in as many squares as b does, and in its legal moves; the search
 * begins somewhere else for every triple. NULL: none. */
static BiasDraw *third_find(BiasDraw *draws, const BiasDraw *a, const BiasDraw *b, size_t begin)
{
    int wanted = board_distance(&a->line.board, &b->line.board);
    for (size_t k = 0; k < DRAWS; k++) {
        BiasDraw *c = &draws[(begin + k) % DRAWS];
        if (!c->used && alike(a, c) && c->legal != a->legal &&
            board_distance(&a->line.board, &c->line.board) == wanted) {
            return c;
        }
    }
    return NULL;
}

static void history_add(BiasStates *states, const Vocab *vocab, const uint8_t *moves, int n,
                        const Board *board)
{
    size_t h = states->n_histories++;
    states->lengths[h] = (uint8_t)n;
    states->boards[h] = *board;
    for (int t = 0; t < n; t++) {
        states->tokens[h * states->T + (size_t)t] = vocab->tok_of_sq[moves[t]];
    }
}

/* Neighbours in the order of legal moves that are different states, and a third for each. Pairs are
 * taken from all over the list: it is sorted. */
static void triples_add(BiasStates *states, const Vocab *vocab, BiasDraw *draws, size_t wanted)
{
    const size_t stride = 7919; /* a prime that does not divide DRAWS: every place comes once */
    for (size_t k = 0; k < DRAWS && states->n_triples < wanted; k++) {
        size_t i = k * stride % DRAWS;
        BiasDraw *a = &draws[i], *b = i + 1 < DRAWS ? &draws[i + 1] : a;
        if (a->used || b->used || !alike(a, b) || a->legal != b->legal ||
            board_same(&a->line.board, &b->line.board)) {
            continue;
        }
        BiasDraw *c = third_find(draws, a, b, (i + k) % DRAWS);
        if (c) {
            BiasDraw *const triple[] = {a, b, c};
            for (int m = 0; m < 3; m++) {
                triple[m]->used = true;
                history_add(states, vocab, triple[m]->line.moves, triple[m]->line.n,
                            &triple[m]->line.board);
            }
            states->n_triples++;
        }
    }
}

static void pairs_add(BiasStates *states, const Vocab *vocab, const PairSet *pairs)
{
    for (size_t p = 0; p < pairs->n; p++) {
        const GamePair *pair = &pairs->pairs[p];
        history_add(states, vocab, pair->clean, pair->n_moves, &pair->clean_board);
        history_add(states, vocab, pair->corrupt, pair->n_moves, &pair->corrupt_board);
        states->state[p] = states->legal_set[p] = states->empty_set[p] = p;
        for (size_t q = p; q-- > 0;) {
            if (board_same(&pairs->pairs[q].clean_board, &pair->clean_board)) {
                states->state[p] = q;
            }
            if (pairs->pairs[q].legal_clean == pair->legal_clean) {
                states->legal_set[p] = q;
            }
            if (bias_same_empty(&pairs->pairs[q].clean_board, &pair->clean_board)) {
                states->empty_set[p] = q;
            }
        }
        states->n_states += states->state[p] == p;
    }
}

int bias_states_make(BiasStates *out, const Vocab *vocab, const PairSet *pairs,
                     const BiasOptions *options, uint64_t seed)
{
    size_t most = 2 * pairs->n + 3 * options->triples;
    *out = (BiasStates){.n = pairs->n, .T = (size_t)options->max_moves};
    for (size_t p = 0; p < pairs->n; p++) {
        size_t moves = (size_t)pairs->pairs[p].n_moves;
        out->T = moves > out->T ? moves : out->T;
    }
    out->tokens = mem_calloc(most * out->T, 1, "histories of states");
    out->lengths = mem_calloc(most, 1, "their lengths");
    out->boards = mem_calloc(most, sizeof(*out->boards), "their boards");
    out->state = mem_alloc(3 * pairs->n, sizeof(*out->state), "states of histories");
    if (!out->tokens || !out->lengths || !out->boards || !out->state) {
        return OGPT_ENOMEM;
    }
    out->legal_set = out->state + pairs->n;
    out->empty_set = out->legal_set + pairs->n;
    pairs_add(out, vocab, pairs);
    if (options->triples > 0) {
        BiasDraw *draws = draws_make(vocab, pairs, options, seed);
        if (!draws) {
            return OGPT_ENOMEM;
        }
        triples_add(out, vocab, draws, options->triples);
        mem_free(draws);
    }
    return 0;
}

void bias_states_release(BiasStates *states)
{
    mem_free(states->tokens);
    mem_free(states->lengths);
    mem_free(states->boards);
    mem_free(states->state);
    *states = (BiasStates){0};
}
