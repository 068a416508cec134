/* datasets/corpus_internal.h - the inside of a corpus handle, for corpus.c, corpus_write.c and
 * corpus_verify.c. */
#ifndef OGPT_DATASETS_CORPUS_INTERNAL_H
#define OGPT_DATASETS_CORPUS_INTERNAL_H

#include "base/files.h"
#include "base/hash.h"
#include "datasets/corpus.h"
#include "base/database/db.h"

#define CORPUS_NO_BLOCK UINT64_MAX

struct Corpus {
    Db *db;
    DbStmt *select_block; /* prepared on first use */
    DbStmt *insert_block;
    CorpusInfo info;
    uint64_t n_blocks;
    uint8_t *present; /* [n_blocks] 0 or 1 */
    uint64_t n_blocks_present;
    uint8_t *cache; /* games of cached_block */
    uint64_t cached_block;
    FileLock lock; /* of a writer; fd -1 otherwise */
    /* Hash and plies of blocks 0..n_hashed-1, while this handle writes them in that order. */
    Sha256 *running_hash;
    uint64_t n_hashed;
    uint64_t running_plies;
};

extern const DbSchema corpus__schema;

/* Handle without database, everything empty; corpus_close frees it at any stage. */
int corpus__new(Corpus **out);
/* Read the meta row into info. Returns 1 if the file has one, 0 if not, or OGPT_E*. */
int corpus__read_meta(Corpus *corpus);
/* Allocate everything that depends on the meta row. */
int corpus__prepare(Corpus *corpus);
/* The number of games became another one: allocate what depends on it again. */
int corpus__resize(Corpus *corpus, uint64_t n_games);
/* Find out which blocks are present. A row that contradicts the meta row is an error; with
 * `finding` it is reported there and counts as missing. */
int corpus__load_present(Corpus *corpus, void (*finding)(void *context, const char *line),
                         void *context);
/* Open for reading without looking at the blocks. */
int corpus__open_meta(Corpus **out, const char *path);
uint64_t corpus__block_games(const Corpus *corpus, uint64_t block);
/* Read and check one block into the cache. */
int corpus__load_block(Corpus *corpus, uint64_t block);
/* Whether all bytes are playable squares or SQ_NONE. */
bool corpus__playable(const uint8_t *moves, size_t n_bytes, const GameVariant *variant);
/* Number of moves in n strides. */
uint64_t corpus__count_plies(const uint8_t *moves, size_t n_bytes);
/* Order of two uint64_t, for qsort and bsearch. */
int corpus__compare_hashes(const void *a, const void *b);
/* Sort the hashes and count those that equal an earlier one. */
uint64_t corpus__count_repeats(uint64_t *hashes, size_t n);

#endif
