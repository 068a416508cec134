/* datasets/export.h - games out of a corpus, in forms that other programs read. */
#ifndef OGPT_DATASETS_EXPORT_H
#define OGPT_DATASETS_EXPORT_H

#include "datasets/corpus.h"

typedef enum ExportFormat {
    EXPORT_NPY,  /* (games, n_moves) uint8 */
    EXPORT_TEXT, /* a game a line, "f5 d6 c3" */
    EXPORT_PGN,  /* tags Event, Site, Round (the number of the game, from 0), Result */
    EXPORT_GGF   /* a game a line, with its passes */
} ExportFormat;

typedef struct ExportOptions {
    ExportFormat format;
    bool transposed; /* npy: indices are 8*column + row, as in the published code; names stay */
    bool tokens;     /* npy: tokens of datasets/vocab.h, else squares with 255 for none */
    bool force;      /* replace an existing file of other games */
} ExportOptions;

/* Write all games of a complete corpus, in order, to `path`, whole or not at all. In PGN and GGF a
 * finished game has the disc count of its last board as result, empty squares given to nobody; an
 * unfinished one has "*", in GGF "?". *unchanged: the file existed with exactly these bytes.
 * Returns 0; OGPT_EUSAGE (the file holds something else; even with `force` if that is not games in
 * one of these forms), OGPT_EFORMAT (damaged corpus, or a game that cannot be replayed), OGPT_EIO,
 * OGPT_EINTR (nothing written), OGPT_ENOMEM. `progress` may be NULL. */
int export_games(bool *unchanged, Corpus *corpus, const char *path, const ExportOptions *options,
                 void (*progress)(void *context, uint64_t games_done), void *context);

/* Write one game of n legal moves as PGN to `path`, with these names of the players (by colour),
 * whole or not at all. `force` replaces a file of games. Returns 0, OGPT_EUSAGE (the file exists),
 * OGPT_EIO.
 */
int export_one(const char *path, const GameVariant *variant, const uint8_t *moves, int n,
               const char *const players[2], bool force);

#endif
