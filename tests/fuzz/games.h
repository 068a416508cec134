/* tests/fuzz/games.h - any bytes as a file of games, in one format: what the targets of
 * readers share. First byte: the board's size, whether squares are transposed, whether
 * games are turned to one first move, and whether the file is read again in other portions, which
 * must give the same games. Every game that passes the check is legal by the rules. */
#ifndef OGPT_TESTS_FUZZ_GAMES_H
#define OGPT_TESTS_FUZZ_GAMES_H

#include <string.h>

#include "base/arena.h"
#include "datasets/corpus.h"
#include "datasets/import_check.h"
#include "datasets/vocab.h"
#include "tests/fuzz/fuzz.h"

#define GAMES_MAX 64 /* compared between portions */

static inline void game_is_sound(RawGame *raw, const CheckOptions *options)
{
    const GameVariant *variant = options->variant;
    CheckedGame game;
    Board after[GAME_MAX_MOVES];
    fuzz_require(raw->n >= 0 && raw->n <= RAW_ENTRIES && raw->place >= 1,
                 "a game lies within its bounds");
    game_check(&game, raw, options);
    if (game.verdict == CHECK_REJECTED) {
        fuzz_require(raw->fault[0] != '\0' && raw->fault_place >= 1 && raw->fault_ply >= 1 &&
                         memchr(raw->fault, '\0', sizeof(raw->fault)) && !strchr(raw->fault, '\n'),
                     "a rejected game has a reason, a place and a ply");
    }
    if (game.verdict != CHECK_LEGAL) {
        return;
    }
    const int n = game_length(game.moves, variant->n_moves);
    fuzz_require(n >= 1 && game_replay(variant, game.moves, n, after) == n,
                 "a game that passed is legal");
    fuzz_require(game.hash == game_hash(game.moves, variant), "and has the hash of its moves");
    fuzz_require(game.unfinished == !board_is_over(variant, &after[n - 1]),
                 "and is finished when it says so");
    fuzz_require(options->first_move == SQ_NONE || game.moves[0] == options->first_move,
                 "and begins as asked for");
}

/* All games of the file, `room` at a time; the first GAMES_MAX are kept. */
static inline uint64_t games_read(RawGame *kept, const char *path, const char *format,
                                  NpyContent content, const CheckOptions *options, size_t room)
{
    RawGame games[8];
    GameReader *reader = NULL;
    uint64_t n_all = 0;
    size_t n = 0;
    const Vocab *vocab = vocab_of(options->variant);
    const ReadOptions how = {.variant = options->variant,
                             .format = format,
                             .npy = content,
                             .sq_of_tok = vocab->sq_of_tok,
                             .n_tokens = vocab->d_vocab};
    int rc = game_reader_open(&reader, path, &how);
    while (rc == 0 && (rc = game_reader_next(reader, games, room, &n)) == 0 && n > 0) {
        fuzz_require(n <= room, "no more games than there is room");
        for (size_t i = 0; i < n; i++, n_all++) {
            if (n_all < GAMES_MAX) {
                kept[n_all] = games[i];
            }
            game_is_sound(&games[i], options);
        }
    }
    if (rc == 0) {
        fuzz_require(game_reader_bytes_read(reader) == game_reader_bytes(reader),
                     "the file was read to its end");
    }
    game_reader_close(reader);
    return n_all;
}

static inline bool raw_games_equal(const RawGame *a, const RawGame *b)
{
    return a->place == b->place && a->result == b->result && a->black == b->black &&
           a->white == b->white && a->n == b->n && memcmp(a->entry, b->entry, (size_t)a->n) == 0 &&
           strcmp(a->fault, b->fault) == 0;
}

/* `way` is the first byte of the input, `bytes` the file. */
static inline void games_fuzz(const char *format, uint8_t way, const uint8_t *bytes, size_t n_bytes)
{
    static RawGame once[GAMES_MAX];
    static RawGame again[GAMES_MAX];
    const GameVariant *variant = game_variant(8 - 2 * (way % 4 % 3));
    const CheckOptions options = {
        .variant = variant,
        .transposed = (way & 4) != 0,
        .first_move =
            (way & 8) != 0 ? __builtin_ctzll(board_moves(variant, &variant->start)) : SQ_NONE,
    };
    const NpyContent content = (NpyContent)(way >> 5 & 3) % 3;
    const char *path = fuzz_file("games", bytes, n_bytes);
    const uint64_t n = games_read(once, path, format, content, &options, 8);
    if ((way & 16) == 0) {
        return;
    }
    fuzz_require(games_read(again, path, format, content, &options, 3) == n,
                 "other portions give as many games");
    fuzz_plant(&again[0].place, n > 0 ? sizeof(again[0].place) : 0);
    for (uint64_t i = 0; i < n && i < GAMES_MAX; i++) {
        fuzz_require(raw_games_equal(&once[i], &again[i]), "and the same ones");
    }
}

#endif
