/* datasets/corpus.h - the corpus file: games in checked blocks inside one SQLite file.
 *
 * `meta` holds variant, source, seed, generator version, count and content hash; each row of
 * `blocks` holds up to 1,024 games of fixed stride (n_moves bytes a game, one square a byte,
 * SQ_NONE after the last move) with an XXH3 checksum. A block is committed whole or not at all.
 * content hash = SHA-256 of all games' full strides in order. The version of the file decides how
 * its games are divided (datasets/split.h): 1 by the game, 2 by its canonical form. New files have
 * version 2; a file keeps the version with which it was begun.
 * One thread at a time may use a handle. A writer holds the lock file PATH.lock while it works.
 */
#ifndef OGPT_DATASETS_CORPUS_H
#define OGPT_DATASETS_CORPUS_H

#include <stdbool.h>

#include "base/hash.h"
#include "datasets/split.h"
#include "game/board.h"

#ifndef CORPUS_BLOCK_GAMES /* the fuzz preset sets fewer: small files of several blocks */
#define CORPUS_BLOCK_GAMES 1024
#elif !defined(OGPT_FUZZ)
#error "CORPUS_BLOCK_GAMES is part of the file format: only the fuzz build may set it"
#endif
#define CORPUS_APPLICATION_ID 0x6f677063 /* "ogpc" */
#define CORPUS_SCHEMA_VERSION 2          /* 1: the same tables, games divided by themselves */
#define CORPUS_MAX_GAMES ((1ULL << 22) * CORPUS_BLOCK_GAMES) /* 2^32; a larger count is damage */

typedef struct Corpus Corpus;

typedef struct CorpusInfo {
    const GameVariant *variant;
    char source[32];                  /* "random" or "import" */
    uint64_t seed;                    /* of a random corpus */
    uint64_t n_games;                 /* declared */
    uint64_t n_games_present;         /* in committed blocks */
    bool complete;                    /* all blocks present and the content hash written */
    char content_hash[HASH_HEX_SIZE]; /* "" until complete */
    char generator[32];               /* version of the generator or importer */
    uint64_t plies;                   /* moves of all games; 0 until complete */
    int version;                      /* of the file: 1 or 2 */
    unsigned split_rules;             /* SplitRule: of its version, and of corpus_divide */
} CorpusInfo;

/* Open for reading; checks application id, schema version, declared count against the blocks
 * present, checksum of the first and last block. Incomplete corpora are refused unless
 * allow_incomplete. Returns 0, OGPT_EIO, OGPT_EFORMAT, OGPT_EVERSION, OGPT_ENOMEM. */
int corpus_open(Corpus **out, const char *path, bool allow_incomplete);
void corpus_close(Corpus *corpus);
const CorpusInfo *corpus_info(const Corpus *corpus);
/* Divide its games by these rules (SplitRule, a set), too, as long as it is open: those by which a
 * network or a probe was made. */
void corpus_divide(Corpus *corpus, unsigned rules);
/* The split of one of its games. */
Split corpus_split(const Corpus *corpus, const uint8_t *moves);
/* Read games first .. first+n-1 into moves[n * n_moves]. Verifies block checksums (OGPT_EFORMAT
 * names path, block, expected and found) and that every byte is a playable square or SQ_NONE; only
 * corpus_verify checks that the moves are legal. The last block read is cached. */
int corpus_read(Corpus *corpus, uint8_t *moves, uint64_t first, uint64_t n);
/* What is in a corpus, counted by hashes of whole games. Reads the whole file and needs 16 bytes of
 * memory per game. */
typedef struct CorpusCounts {
    uint64_t duplicates;           /* games equal to an earlier one */
    uint64_t duplicates_symmetric; /* equal to an earlier one or to a mirror image of it */
    uint64_t splits[SPLIT_NONE];   /* by Split */
} CorpusCounts;
int corpus_count(CorpusCounts *out, Corpus *corpus);

/* Create for writing, or reopen an unfinished or finished one made with the same meta (variant,
 * source, seed, n_games, generator; else OGPT_EUSAGE naming the difference, and no byte is
 * changed). A corpus of random games that was begun for fewer of them is opened as it is:
 * corpus_extend. OGPT_ELOCKED when another process writes it. */
int corpus_create(Corpus **out, const char *path, const CorpusInfo *meta);
bool corpus_has_block(const Corpus *corpus, uint64_t block);
/* Store blocks [first_block, first_block+n_blocks) in one transaction. moves holds the games
 * of these blocks one after another. OGPT_EUSAGE if the corpus has one of them already. */
int corpus_write_blocks(Corpus *corpus, uint64_t first_block, uint64_t n_blocks,
                        const uint8_t *moves);
/* Raise the number of games of a random corpus, in one transaction. Afterwards it is unfinished:
 * blocks are missing. last: the games of the block in which it ended so far, as far as n_games
 * reach; it takes the place of the shorter one (not read if that block was full, or is missing).
 * Whoever has the corpus open goes on reading its old games. Returns OGPT_EUSAGE if there are not
 * fewer games now, OGPT_EFORMAT if the block holds other games than those in `last`. */
int corpus_extend(Corpus *corpus, uint64_t n_games, const uint8_t *last);
/* Lower the announced number of games, for makers that learn it at the end (they announce
 * CORPUS_MAX_GAMES). Call it before the last, shorter block is written. OGPT_EUSAGE if fewer games
 * than are present, or none, would be left. */
int corpus_shorten(Corpus *corpus, uint64_t n_games);
/* Write the content hash and the number of plies, mark complete. Games that were
 * written in order were hashed on the way; otherwise all are read again. */
int corpus_finish(Corpus *corpus);

/* For makers of other people's games, which hold a corpus complete or not at all. Only a corpus may
 * be replaced: OGPT_EUSAGE (a directory; without `force`, games of another source than "import" or
 * of another size), OGPT_EFORMAT (another database), or the error of opening what is there. */
int corpus_check_goal(const char *path, const GameVariant *variant, bool force);
/* Put the finished corpus file `from`, which is closed, in the place of `path`. A corpus there that
 * holds the same games stays: *unchanged. Another is replaced with `force`, in one step, and
 * refused without: OGPT_EUSAGE. Call corpus_check_goal before. Returns OGPT_EIO too. */
int corpus_publish(bool *unchanged, const char *from, const char *path, bool force);
/* Let `make` write a finished corpus inside a temporary folder, and publish it. make returns 0, 1:
 * nothing is to be published, or OGPT_E*. Returns the same errors as corpus_publish, or those of
 * make, or OGPT_ELOCKED. */
int corpus_make(bool *unchanged, const char *path, bool force,
                int (*make)(void *context, const char *inside), void *context);
/* The same of meta->n_games games that lie in memory: moves (n_games, n_moves). */
int corpus_save(bool *unchanged, const char *path, const CorpusInfo *meta, const uint8_t *moves,
                bool force);

/* Every check there is: SQLite integrity, block checksums, content hash, every game replayed
 * by the strict rules (games of source "random" must also have been played to the end).
 * Findings are reported one by one through `finding` (NULL: only counted). Returns 0 if the
 * file could be examined, with or without findings; OGPT_E* if it is not a corpus at all. */
typedef struct CorpusReport {
    uint64_t games, plies, bad_blocks, illegal_games, duplicates;
    uint64_t findings; /* lines reported; 0 means clean */
} CorpusReport;
int corpus_verify(CorpusReport *out, const char *path,
                  void (*finding)(void *context, const char *line), void *context);

#endif
