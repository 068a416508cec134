/* game/play_lanes.c - random games, two vectors of eight side by side.
 *
 * A lane that ends its game takes the next one, so all lanes stay busy until the last few games.
 * Which lane plays a game changes nothing: game i is a function of (seed, purpose, i). The two
 * vectors take turns: while a move is drawn in one, the processor still works on the other.
 */
#include <string.h>

#include "game/board_lanes.h"
#include "game/play.h"

/* The games that are still to be begun, and where the lanes write. */
typedef struct Queue {
    const GameVariant *variant;
    uint64_t seed, first;
    RngPurpose purpose;
    uint8_t *moves;
    size_t n, begun;
    uint64_t start_moves; /* legal at the start */
} Queue;

/* What a lane knows of its game beside the board. */
typedef struct Seat {
    uint64_t game;
    uint8_t *moves; /* NULL: no game left for this lane */
    int n_moves;
    uint32_t run; /* which words of the game's stream `words` holds */
    int used;
    uint32_t words[RNG_RUN];
} Seat;

typedef struct SideBySide {
    BoardLanes mine, theirs, legal;
    uint64_t move[BOARD_LANES]; /* drawn; none: 0 */
    Seat seats[BOARD_LANES];
    int busy;
} SideBySide;

enum { VECTORS = 2 };

static uint32_t seat_below(Seat *seat, const Queue *queue, uint32_t n)
{
    uint32_t below;
    do {
        if (seat->used == RNG_RUN) {
            rng_words(seat->words, queue->seed, queue->purpose, seat->game, ++seat->run);
            seat->used = 0;
        }
    } while (!rng_word_below(&below, seat->words[seat->used++], n));
    return below;
}

/* The next game for lane i; an empty board where none is left. */
static void lane_begin(SideBySide *lanes, int i, Queue *queue)
{
    const bool left = queue->begun < queue->n;
    Seat *seat = &lanes->seats[i];
    lanes->mine[i] = left ? queue->variant->start.mine : 0;
    lanes->theirs[i] = left ? queue->variant->start.theirs : 0;
    lanes->legal[i] = left ? queue->start_moves : 0;
    seat->moves = NULL;
    if (left) {
        seat->game = queue->first + queue->begun;
        seat->moves = queue->moves + queue->begun++ * (size_t)queue->variant->n_moves;
        seat->n_moves = seat->used = 0;
        seat->run = 0;
        rng_words(seat->words, queue->seed, queue->purpose, seat->game, 0);
        lanes->busy++;
    }
}

static void lane_end(SideBySide *lanes, int i, Queue *queue)
{
    Seat *seat = &lanes->seats[i];
    memset(seat->moves + seat->n_moves, SQ_NONE, (size_t)(queue->variant->n_moves - seat->n_moves));
    lanes->busy--;
    lane_begin(lanes, i, queue);
}

/* A lane without a move passes; one whose opponent has none either has ended its game. */
static void lanes_pass(SideBySide *lanes, Queue *queue)
{
    BoardLanes other;
    lanes_moves(&other, queue->variant->squares, &lanes->theirs, &lanes->mine);
    for (int i = 0; i < BOARD_LANES; i++) {
        if (lanes->legal[i] != 0 || !lanes->seats[i].moves) {
            continue;
        }
        if (other[i] == 0) {
            lane_end(lanes, i, queue);
            continue;
        }
        const uint64_t mine = lanes->mine[i];
        lanes->mine[i] = lanes->theirs[i];
        lanes->theirs[i] = mine;
        lanes->legal[i] = other[i];
    }
}

/* Draw a move in every lane. */
static void lanes_draw(SideBySide *lanes, const Queue *queue)
{
    uint64_t legal[BOARD_LANES];
    memcpy(legal, &lanes->legal, sizeof(legal));
    for (int i = 0; i < BOARD_LANES; i++) {
        Seat *seat = &lanes->seats[i];
        lanes->move[i] = 0;
        if (seat->moves) {
            const uint32_t count = (uint32_t)__builtin_popcountll(legal[i]);
            const int sq = mask_select(legal[i], (int)seat_below(seat, queue, count));
            seat->moves[seat->n_moves++] = (uint8_t)sq;
            lanes->move[i] = 1ULL << sq;
        }
    }
}

/* Play the moves drawn; then each lane has a move again, or no game. */
static void lanes_advance(SideBySide *lanes, Queue *queue)
{
    BoardLanes moves;
    memcpy(&moves, lanes->move, sizeof(moves));
    if (queue->variant->rules == RULES_NO_MID_FLIP) {
        lanes_play(&lanes->mine, &lanes->theirs, &moves, true);
    } else {
        lanes_play(&lanes->mine, &lanes->theirs, &moves, false);
    }
    lanes_moves(&lanes->legal, queue->variant->squares, &lanes->mine, &lanes->theirs);
    if (lanes_any_zero(&lanes->legal)) {
        lanes_pass(lanes, queue);
    }
}

void play_random_games(uint8_t *moves, const GameVariant *variant, uint64_t seed,
                       RngPurpose purpose, uint64_t first, size_t n)
{
    Queue queue = {.variant = variant,
                   .seed = seed,
                   .first = first,
                   .purpose = purpose,
                   .moves = moves,
                   .n = n,
                   .start_moves = board_moves(variant, &variant->start)};
    SideBySide lanes[VECTORS];
    int busy = 0;
    for (int v = 0; v < VECTORS; v++) {
        lanes[v].busy = 0;
        for (int i = 0; i < BOARD_LANES; i++) {
            lane_begin(&lanes[v], i, &queue);
        }
        busy += lanes[v].busy;
    }
    while (busy > 0) {
        busy = 0;
        for (int v = 0; v < VECTORS; v++) {
            lanes_draw(&lanes[v], &queue);
        }
        for (int v = 0; v < VECTORS; v++) {
            lanes_advance(&lanes[v], &queue);
            busy += lanes[v].busy;
        }
    }
}
