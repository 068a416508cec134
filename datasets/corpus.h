/* datasets/corpus.h - the corpus file: games in checked blocks inside one SQLite file.
 *
 * `meta` holds variant, source, seed, generator version, count and content hash; each row of
 * `blocks` holds up to 1,024 games of fixed stride (n_moves bytes a game, one square a byte,
 * SQ_NONE after the last move) with an XXH3 checksum. A block is committed whole or not at all.
 * content hash = SHA-256 of all games' full strides in order.
 * A handle is used by one thread at a time.
 */
#ifndef OGPT_DATASETS_CORPUS_H
#define OGPT_DATASETS_CORPUS_H

#include <stdbool.h>

#include "base/hash.h"
#include "game/board.h"

#define CORPUS_BLOCK_GAMES 1024
#define CORPUS_APPLICATION_ID 0x6f677063 /* "ogpc" */
#define CORPUS_SCHEMA_VERSION 1

typedef struct Corpus Corpus;

typedef struct CorpusInfo {
    const GameVariant *variant;
    char source[32];            /* "random" or "import" */
    uint64_t seed;              /* of a random corpus */
    uint64_t n_games;           /* declared */
    uint64_t n_games_present;   /* in committed blocks */
    bool complete;              /* all blocks there and the content hash written */
    char content_hash[HASH_HEX_SIZE]; /* "" until complete */
    char generator[32];         /* version of the rules of making */
} CorpusInfo;

/* Open for reading; checks application id, schema version, declared count against the blocks
 * present, checksum of the first and last block. Incomplete corpora are refused unless
 * allow_incomplete. Returns 0, OGPT_EIO, OGPT_EFORMAT, OGPT_EVERSION, OGPT_ENOMEM. */
int corpus_open(Corpus **out, const char *path, bool allow_incomplete);
void corpus_close(Corpus *corpus);
const CorpusInfo *corpus_info(const Corpus *corpus);
/* Read games first .. first+n-1 into moves[n * n_moves]; block checksums are verified
 * (OGPT_EFORMAT names path, block, expected and found). The last block read is cached. */
int corpus_read(Corpus *corpus, uint8_t *moves, uint64_t first, uint64_t n);

/* Create for writing, or reopen an unfinished or finished one made with the same meta (else
 * OGPT_EUSAGE naming the difference). */
int corpus_create(Corpus **out, const char *path, const CorpusInfo *meta);
bool corpus_has_block(const Corpus *corpus, uint64_t block);
/* Store blocks [first_block, first_block+n_blocks) in one transaction. moves holds the games
 * of these blocks one after another. */
int corpus_write_blocks(Corpus *corpus, uint64_t first_block, uint64_t n_blocks,
                        const uint8_t *moves);
/* Hash all games, write the hash, mark complete. */
int corpus_finish(Corpus *corpus);

/* Which share of an 80/10/10 split a whole game belongs to, by the XXH3 of its full stride. */
typedef enum Split { SPLIT_TRAIN = 0, SPLIT_VALIDATION = 1, SPLIT_TEST = 2 } Split;
Split split_of_game(const uint8_t *moves, const GameVariant *variant);
uint64_t game_hash(const uint8_t *moves, const GameVariant *variant);

/* Every check there is: SQLite integrity, block checksums, content hash, every game replayed
 * by the strict rules. Findings are reported one by one through `finding`. */
typedef struct CorpusReport {
    uint64_t games, plies, bad_blocks, illegal_games, duplicates;
} CorpusReport;
int corpus_verify(CorpusReport *out, const char *path,
                  void (*finding)(void *context, const char *line), void *context);

#endif
