/* probes/world/adversary.c - contract in probes/world/adversary.h.
 *
 * A block of games goes on in rounds. In a round each line of each game moves once: the opponent's
 * moves are tried together, as branches of one pass, and where the player is to move behind one,
 * its answer is in that pass already. Lines of one game compete at the end of a round. With one
 * line a game, the seat keeps the games from round to round; with more, it is filled anew.
 */
#include "probes/world/adversary.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/hash.h"
#include "probes/legality/answers.h"

enum { A_LOST, A_PLY, A_TOKEN, A_FIRST_MOVE, N_ADVERSARY = A_FIRST_MOVE + GAME_MAX_MOVES };

typedef struct AdversaryLine {
    PlayerLine line;
    double score;
    int illegal; /* the token that the player plays there, if that is not legal; else -1 */
    bool over;   /* the game has ended */
} AdversaryLine;

typedef struct AdversaryRun {
    const AdversaryOptions *options;
    AdversaryGoal goal;
    uint64_t seed;
    size_t beam; /* lines of a game */
} AdversaryRun;

/* A block at work: the games of a job. */
typedef struct AdversaryBlock {
    const AdversaryRun *run;
    const Player *player;
    PlayerSeat *seat;
    double *values; /* (n_games, N_ADVERSARY) */
    size_t n_games;
    bool begun;                  /* the seat keeps the games */
    Colour colour[PLAYER_LINES]; /* of the player, in each game */
    Rng rng[PLAYER_LINES];
    AdversaryLine *lines; /* (n_games, beam); a game that is over keeps its last, for the seat */
    size_t n_lines[PLAYER_LINES];
    AdversaryLine *children; /* (n_games, beam * BOARD_MAX_MOVES) */
    size_t n_children[PLAYER_LINES];
    float *p;      /* (PLAYER_LINES, V) answers after lines */
    float *behind; /* (PLAYER_LINES * BOARD_MAX_MOVES, V) answers behind branches */
} AdversaryBlock;

const char *world_goal_name(AdversaryGoal goal)
{
    static const char *const names[N_ADVERSARY_GOALS] = {ADVERSARY_GOALS(ENUM_NAME)};
    return names[goal];
}

static bool looks_ahead(AdversaryGoal goal)
{
    return goal == GOAL_ILLEGAL || goal == GOAL_MISREAD;
}

/* ---- one game ---- */

static void lose(double *out, const PlayerLine *line, int token)
{
    if (out[A_LOST] > 0 && out[A_PLY] <= line->n + 1) {
        return; /* a shorter line of this round has lost already */
    }
    out[A_LOST] = 1;
    out[A_PLY] = line->n + 1;
    out[A_TOKEN] = token;
    for (int t = 0; t < GAME_MAX_MOVES; t++) {
        out[A_FIRST_MOVE + t] = line->moves[t];
    }
}

/* The player answers p on a line where it is to move: it goes on, ends, or is lost. */
static void answer(AdversaryLine *at, const Vocab *vocab, const float *p)
{
    int top = answer_top(p, vocab->d_vocab);
    if ((world_legal(vocab, &at->line.board) >> top & 1) == 0) {
        at->illegal = top;
        return;
    }
    player_line_play(&at->line, vocab->variant, vocab->sq_of_tok[top]);
    at->over = board_is_over(vocab->variant, &at->line.board);
}

static AdversaryLine *children_of(const AdversaryBlock *block, size_t game)
{
    return block->children + game * block->run->beam * BOARD_MAX_MOVES;
}

/* The largest probability of one token that is not legal. */
static double worst_illegal(const float *p, const Vocab *vocab, const Board *board)
{
    uint64_t legal = world_legal(vocab, board);
    double worst = 0;
    for (int tok = 0; tok < vocab->d_vocab; tok++) {
        if ((legal >> tok & 1) == 0 && p[tok] > worst) {
            worst = p[tok];
        }
    }
    return worst;
}

/* The opponent plays sq on a line: another child of the game. */
static AdversaryLine *opponent_plays(AdversaryBlock *block, size_t game, const PlayerLine *from,
                                     int sq, double score)
{
    const GameVariant *variant = block->player->vocab->variant;
    AdversaryLine *child = children_of(block, game) + block->n_children[game]++;
    *child = (AdversaryLine){*from, score, -1, false};
    player_line_play(&child->line, variant, sq);
    child->over = board_is_over(variant, &child->line.board);
    return child;
}

/* Chooses by what the player says before the move. */
static void children_now(AdversaryBlock *block, size_t game, const AdversaryLine *from,
                         const float *p)
{
    const Vocab *vocab = block->player->vocab;
    uint64_t legal = board_moves(vocab->variant, &from->line.board);
    if (block->run->goal == GOAL_RANDOM) {
        int sq = world_random_move(&block->rng[game], vocab->variant, &from->line.board);
        opponent_plays(block, game, &from->line, sq, 0);
        return;
    }
    for (; legal != 0; legal &= legal - 1) {
        int sq = __builtin_ctzll(legal);
        double score = p[vocab->tok_of_sq[sq]];
        score = block->run->goal == GOAL_FRIENDLY ? score : 1 - score;
        opponent_plays(block, game, &from->line, sq, score);
    }
}

/* ---- rounds ---- */

static int better_first(const void *a, const void *b)
{
    const AdversaryLine *x = a, *y = b;
    if (x->score != y->score) {
        return x->score > y->score ? -1 : 1;
    }
    return memcmp(x->line.moves, y->line.moves, sizeof(x->line.moves));
}

/* The best children of a game are played. Those that go on are its lines; it is lost if the player
 * errs on one of them, and then it has none. */
static void select_lines(AdversaryBlock *block, size_t game)
{
    size_t beam = block->run->beam, n = block->n_children[game], n_lines = 0;
    double *out = block->values + game * N_ADVERSARY;
    AdversaryLine *children = children_of(block, game);
    qsort(children, n, sizeof(*children), better_first);
    for (size_t i = 0; i < n && i < beam; i++) {
        if (children[i].illegal >= 0) {
            lose(out, &children[i].line, children[i].illegal);
        } else if (!children[i].over) {
            block->lines[game * beam + n_lines++] = children[i];
        }
    }
    block->n_lines[game] = out[A_LOST] > 0 ? 0 : n_lines;
}

/* A line that is asked about in this pass. */
typedef struct AskedLine {
    size_t game;
    AdversaryLine *line;
    bool plays;      /* the player is to move */
    bool over;       /* it only keeps its place in the seat */
    size_t first;    /* of its branches */
    size_t children; /* the first and the last + 1 of those that were made before the pass */
    size_t end;
} AskedLine;

/* All moves of the opponent on a line: children, and branches of the pass from n on. A move that
 * ends the game has no branch: nobody answers there, and nothing is gained by it. Returns how many
 * branches there are now. */
static size_t children_ahead(AdversaryBlock *block, AskedLine *asked, PlayerBranch *branches,
                             size_t n, size_t place)
{
    const PlayerLine *from = &asked->line->line;
    asked->first = n;
    asked->children = block->n_children[asked->game];
    for (uint64_t legal = board_moves(block->player->vocab->variant, &from->board); legal != 0;
         legal &= legal - 1) {
        int sq = __builtin_ctzll(legal);
        if (!opponent_plays(block, asked->game, from, sq, 0)->over) {
            branches[n++] = (PlayerBranch){(uint16_t)place, (uint8_t)sq};
        }
    }
    asked->end = block->n_children[asked->game];
    return n;
}

/* The pass has been made: scores of these children, and the player's answers where it is to move.
 * Whether it errs behind a move decides nothing: moves compete by their score alone. */
static void answer_children(AdversaryBlock *block, const AskedLine *asked)
{
    const Vocab *vocab = block->player->vocab;
    const float *misread = player_misread(block->seat);
    AdversaryLine *children = children_of(block, asked->game);
    size_t r = asked->first;
    for (size_t i = asked->children; i < asked->end; i++) {
        AdversaryLine *child = &children[i];
        const float *p = block->behind + r * (size_t)vocab->d_vocab;
        if (child->over) {
            continue;
        }
        child->score = block->run->goal == GOAL_MISREAD
                           ? misread[r]
                           : worst_illegal(p, vocab, &child->line.board);
        if (child->line.board.to_move == block->colour[asked->game]) {
            answer(child, vocab, p);
        }
        r++;
    }
}

static int move_lines(AdversaryBlock *block, AskedLine *asked, size_t n)
{
    const Vocab *vocab = block->player->vocab;
    PlayerLine lines[PLAYER_LINES];
    PlayerBranch branches[PLAYER_LINES * BOARD_MAX_MOVES];
    size_t n_branches = 0;
    bool ahead = looks_ahead(block->run->goal);
    for (size_t i = 0; i < n; i++) {
        lines[i] = asked[i].line->line;
        asked[i].plays = lines[i].board.to_move == block->colour[asked[i].game];
        if (ahead && !asked[i].over && !asked[i].plays) {
            n_branches = children_ahead(block, &asked[i], branches, n_branches, i);
        }
    }
    int rc = block->begun && block->run->beam == 1 ? player_follow(block->p, block->seat, lines)
                                                   : player_start(block->p, block->seat, lines, n);
    block->begun = true;
    rc = rc || n_branches == 0 ? rc
                               : player_branches(block->behind, block->seat, branches, n_branches);
    for (size_t i = 0; i < n && rc == 0; i++) {
        const float *p = block->p + i * (size_t)vocab->d_vocab;
        if (asked[i].over) {
            continue;
        }
        if (asked[i].plays) {
            size_t game = asked[i].game;
            AdversaryLine *child = children_of(block, game) + block->n_children[game]++;
            *child = *asked[i].line;
            answer(child, vocab, p);
        } else if (ahead) {
            answer_children(block, &asked[i]);
        } else {
            children_now(block, asked[i].game, asked[i].line, p);
        }
    }
    return rc;
}

/* One round of all games. *going: lines that are left. */
static int play_round(size_t *going, AdversaryBlock *block)
{
    AskedLine asked[PLAYER_LINES];
    size_t n = 0, beam = block->run->beam;
    int rc = 0;
    memset(block->n_children, 0, sizeof(block->n_children));
    for (size_t game = 0; game < block->n_games && rc == 0; game++) {
        size_t n_lines = block->n_lines[game];
        bool over = n_lines == 0;
        n_lines = over && beam == 1 ? 1 : n_lines;
        for (size_t i = 0; i < n_lines && rc == 0; i++) {
            asked[n++] =
                (AskedLine){.game = game, .line = block->lines + game * beam + i, .over = over};
            if (n == PLAYER_LINES) {
                rc = move_lines(block, asked, n);
                n = 0;
            }
        }
    }
    rc = rc || n == 0 ? rc : move_lines(block, asked, n);
    *going = 0;
    for (size_t game = 0; game < block->n_games; game++) {
        if (block->n_lines[game] > 0) {
            select_lines(block, game);
        }
        *going += block->n_lines[game];
    }
    return rc;
}

static int adversary_block(void *context, PlayerSeat *seat, double *values, size_t first, size_t n)
{
    const AdversaryRun *run = context;
    const Player *player = player_of_seat(seat);
    size_t V = (size_t)player->vocab->d_vocab, going = n;
    AdversaryBlock block = {
        .run = run, .player = player, .seat = seat, .values = values, .n_games = n};
    block.lines = mem_calloc(n * run->beam, sizeof(*block.lines), "lines of games");
    block.children =
        mem_alloc(n * run->beam * BOARD_MAX_MOVES, sizeof(*block.children), "moves of an opponent");
    block.p = mem_alloc(PLAYER_LINES * V, sizeof(float), "answers");
    block.behind = mem_alloc(PLAYER_LINES * BOARD_MAX_MOVES * V, sizeof(float), "answers");
    int rc = block.lines && block.children && block.p && block.behind ? 0 : OGPT_ENOMEM;
    memset(values, 0, n * N_ADVERSARY * sizeof(*values));
    for (size_t i = 0; i < n && rc == 0; i++) {
        block.lines[i * run->beam].line = world_opening(player->vocab->variant, run->seed,
                                                        (first + i) / 2, run->options->opening);
        block.lines[i * run->beam].illegal = -1;
        block.colour[i] = (first + i) % 2 == 0 ? BLACK : WHITE;
        block.rng[i] = world_rng(run->seed, WORLD_REPLY, first + i);
        block.n_lines[i] = 1;
    }
    while (rc == 0 && going > 0) {
        rc = play_round(&going, &block);
    }
    mem_free(block.lines);
    mem_free(block.children);
    mem_free(block.p);
    mem_free(block.behind);
    return rc;
}

/* ---- all games ---- */

static void game_of(AdversaryGame *out, const double *values)
{
    *out = (AdversaryGame){.lost = values[A_LOST] > 0,
                           .ply = (int)values[A_PLY],
                           .n = values[A_LOST] > 0 ? (int)values[A_PLY] - 1 : 0,
                           .token = (uint8_t)values[A_TOKEN]};
    memset(out->moves, SQ_NONE, sizeof(out->moves));
    for (int t = 0; out->lost && t < out->n; t++) {
        out->moves[t] = (uint8_t)values[A_FIRST_MOVE + t];
    }
}

static int by_hash(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Different boards on which the player erred. hashes has room for n. */
static double count_distinct(uint64_t *hashes, const UnitValues *values, const GameVariant *variant)
{
    size_t n_lost = 0, distinct = 0;
    for (size_t i = 0; i < values->n; i++) {
        AdversaryGame game;
        game_of(&game, values->values + i * N_ADVERSARY);
        if (game.lost) {
            PlayerLine line = player_line_of(variant, game.moves, game.n);
            uint64_t board[3] = {line.board.mine, line.board.theirs, line.board.to_move};
            hashes[n_lost++] = xxh3(board, sizeof(board));
        }
    }
    qsort(hashes, n_lost, sizeof(*hashes), by_hash);
    for (size_t i = 0; i < n_lost; i++) {
        distinct += i == 0 || hashes[i] != hashes[i - 1];
    }
    return (double)distinct;
}

enum { U_LOST, U_PLY, U_GAMES, N_UNIT };

/* hashes (2 n) is room. Returns 0 or OGPT_ENOMEM. */
static int summarise(AdversaryScore *out, uint64_t *hashes, const UnitValues *values,
                     const GameVariant *variant, int opening, const Work *work)
{
    uint64_t *sorted = hashes + values->n;
    UnitValues units;
    for (size_t i = 0; i < values->n; i++) {
        PlayerLine line = world_opening(variant, work->seed, i / 2, opening);
        sorted[i] = hashes[i] = xxh3(line.moves, (size_t)line.n);
    }
    qsort(sorted, values->n, sizeof(*sorted), by_hash);
    for (size_t i = 0; i < values->n; i++) {
        if (i == 0 || sorted[i] != sorted[i - 1]) {
            sorted[out->openings++] = sorted[i];
        }
    }
    int rc = world_values_new(&units, out->openings, N_UNIT, work);
    for (size_t i = 0; i < values->n && rc == 0; i++) {
        const double *game = values->values + i * N_ADVERSARY;
        const uint64_t *at = bsearch(&hashes[i], sorted, out->openings, sizeof(*sorted), by_hash);
        double *unit = units.values + (size_t)(at - sorted) * N_UNIT;
        int ply = (int)game[A_PLY];
        unit[U_LOST] += game[A_LOST];
        unit[U_PLY] += game[A_PLY];
        unit[U_GAMES]++;
        if (ply > 0 && (out->shortest == 0 || ply < out->shortest)) {
            out->shortest = ply;
        }
    }
    if (rc == 0) {
        out->success = world_ratio(&units, U_LOST, U_GAMES);
        out->first_illegal = world_ratio(&units, U_PLY, U_LOST);
    }
    world_values_release(&units);
    return rc;
}

int world_adversary(AdversaryScore *out, AdversaryGame *games, const Player *player,
                    AdversaryGoal goal, const AdversaryOptions *options, const Work *work)
{
    bool one_line = goal == GOAL_RANDOM || goal == GOAL_FRIENDLY;
    AdversaryRun run = {options, goal, work->seed, one_line ? 1 : (size_t)options->beam};
    size_t n = options->games, fit = PLAYER_LINES / run.beam;
    char stage[64];
    snprintf(stage, sizeof(stage), "adversary %s", world_goal_name(goal));
    const WorldUnits units = {player,          stage, n, N_ADVERSARY, fit > 0 ? fit : 1,
                              adversary_block, &run};
    UnitValues values;
    uint64_t *hashes = mem_alloc(2 * n, sizeof(*hashes), "openings, boards of errors");
    int rc = world_values_new(&values, n, N_ADVERSARY, work);
    rc = rc || hashes ? rc : OGPT_ENOMEM;
    rc = rc ? rc : world_units_run(values.values, &units, work);
    *out = (AdversaryScore){.goal = goal};
    rc = rc ? rc : summarise(out, hashes, &values, player->vocab->variant, options->opening, work);
    if (rc == 0) {
        out->distinct = count_distinct(hashes, &values, player->vocab->variant);
        for (size_t i = 0; games && i < n; i++) {
            game_of(&games[i], values.values + i * N_ADVERSARY);
        }
    }
    world_values_release(&values);
    mem_free(hashes);
    return rc;
}
