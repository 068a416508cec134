/* probes/world/player.h - whoever can be asked for the next move: a network, or a control.
 *
 * A player gives a probability to every token after a history, that is, after at least one legal
 * move. The tests of this room ask nothing else, so every test can be put to every player. What a
 * control answers is known from the rules, and says what a test can and cannot see:
 *
 *   network          the network under test
 *   random_model     random weights of its shape
 *   engine           uniform over the legal moves: the world model itself
 *   empties          uniform over the empty squares: knows where discs are, not whose
 *   either_side      uniform over the squares where either side could move
 *   random_mistakes  makes as many mistakes as the network, at random. Its answer is the network's
 *                    after another game of the same length, dealt out again: the probabilities of
 *                    legal moves to the moves that are legal here, those of all others to the
 *                    others, in random order. The strict error is that of the network at each ply;
 *                    where it errs depends on the history alone, not on the board. As the engine
 *                    where no game of the network was that long
 *   history_mlp      a hidden layer on the squares that each side has played, in no order, trained
 *                    on the next moves of random games (history_mlp.h): no attention, no state
 *
 * A player may have a plant: one board after which it answers something else. A PlayerSeat is one
 * worker's place: it keeps up to PLAYER_LINES games that are asked about together. What it answers
 * depends on the calls since the last player_start, never on earlier ones.
 */
#ifndef OGPT_PROBES_WORLD_PLAYER_H
#define OGPT_PROBES_WORLD_PLAYER_H

#include "base/enums.h"
#include "base/work.h"
#include "datasets/vocab.h"
#include "model/gpt.h"
#include "probes/board/probe.h"
#include "probes/world/history_mlp.h"
#include "probes/world/mistakes.h"

#define PLAYER_KINDS(X)                                                                            \
    X(PLAYER_NETWORK, "network")                                                                   \
    X(PLAYER_RANDOM_MODEL, "random_model")                                                         \
    X(PLAYER_ENGINE, "engine")                                                                     \
    X(PLAYER_EMPTIES, "empties")                                                                   \
    X(PLAYER_EITHER_SIDE, "either_side")                                                           \
    X(PLAYER_RANDOM_MISTAKES, "random_mistakes")                                                   \
    X(PLAYER_HISTORY_MLP, "history_mlp")
typedef enum PlayerKind { PLAYER_KINDS(ENUM_ID) N_PLAYER_KINDS } PlayerKind;
const char *player_name(PlayerKind kind); /* static */

/* One board, and the token that gets all of the probability there. */
typedef struct PlayerPlant {
    Board board;
    uint8_t token;
} PlayerPlant;

/* All borrowed. */
typedef struct Player {
    PlayerKind kind;
    const Vocab *vocab;
    const Gpt *gpt;           /* network, random_model; else NULL */
    const Mistakes *answers;  /* random_mistakes; else NULL */
    const HistoryMlp *mlp;    /* history_mlp; else NULL */
    uint64_t seed;            /* of what random_mistakes deals */
    const Probe *probe;       /* network: read where branches end; NULL: nothing is read */
    int probe_layer;          /* index in probe->layers */
    const PlayerPlant *plant; /* NULL: none */
} Player;

/* A game so far: at least one move when it is asked about, and not over. */
typedef struct PlayerLine {
    uint8_t moves[GAME_MAX_MOVES];
    int n;
    Board board; /* after them */
} PlayerLine;
/* No moves. */
PlayerLine player_line(const GameVariant *variant);
/* Play a legal move. */
void player_line_play(PlayerLine *line, const GameVariant *variant, int sq);
/* The game of these n legal moves. */
PlayerLine player_line_of(const GameVariant *variant, const uint8_t *moves, int n);

#define PLAYER_LINES 32 /* games that a seat keeps */
typedef struct PlayerSeat PlayerSeat;
/* One move that is tried behind a line of the seat. */
typedef struct PlayerBranch {
    uint16_t line;
    uint8_t sq; /* legal there */
} PlayerBranch;

/* Returns 0 or OGPT_ENOMEM. The player is borrowed. */
int player_seat_new(PlayerSeat **out, const Player *player);
void player_seat_free(PlayerSeat *seat);
const Player *player_of_seat(const PlayerSeat *seat);

/* Answers p (rows, d_vocab); p may be NULL where only branches are asked for. Each returns 0 or
 * OGPT_ENUM (the network's logits are not finite).
 * Keep n <= PLAYER_LINES lines, 1 <= moves <= n_ctx, and answer after each. */
int player_start(float *p, PlayerSeat *seat, const PlayerLine *lines, size_t n);
/* Play squares[i] behind line i, SQ_NONE: nothing, and answer after each; the answer after a line
 * that had no move, or whose game is over, means nothing. */
int player_go_on(float *p, PlayerSeat *seat, const uint8_t *squares);
/* The same until the lines are these, each of which goes on where the seat's line is. */
int player_follow(float *p, PlayerSeat *seat, const PlayerLine *lines);
/* Answer after each branch, which ends in a game that is not over. Nothing is kept. */
int player_branches(float *p, PlayerSeat *seat, const PlayerBranch *branches, size_t n);
/* The share of squares that the probe read wrongly after the last branches (n); NULL without one.
 * Borrowed. */
const float *player_misread(const PlayerSeat *seat);

/* ---- all players ---- */

/* A network and its controls; owned: player_set_release. */
typedef struct PlayerSet {
    Player players[N_PLAYER_KINDS];
    Gpt *random;
    Mistakes answers;
    HistoryMlp mlp;
} PlayerSet;
/* gpt is borrowed. mistake_games, history_steps: what mistakes_learn and history_mlp_learn see.
 * work: pool, seed. Returns 0 or as mistakes_learn and history_mlp_learn; release in any case. */
int player_set_make(PlayerSet *out, const Gpt *gpt, const Vocab *vocab, size_t mistake_games,
                    size_t history_steps, const Work *work);
void player_set_release(PlayerSet *set);

/* The answer of a player that is no network, after a history; d_vocab of them. */
void player_answer_alone(float *p, const Player *player, const PlayerLine *line);

#endif
