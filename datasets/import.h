/* datasets/import.h - other people's games into a corpus file, in parallel.
 *
 * One import makes one corpus, complete or not at all: it is written under a temporary name and
 * put in place when every file has been read. docs/GAMES.md defines the counts.
 */
#ifndef OGPT_DATASETS_IMPORT_H
#define OGPT_DATASETS_IMPORT_H

#include "base/pool.h"
#include "datasets/corpus.h"
#include "datasets/import_check.h"

#define IMPORT_VERSION "import-2" /* changes when the same file gives other games */

/* Which games are left out: none, those equal to an earlier one, or also its mirror images. */
typedef enum ImportDedupe { DEDUPE_NONE, DEDUPE_EXACT, DEDUPE_SYMMETRIC } ImportDedupe;

typedef struct ImportOptions {
    CheckOptions check;
    ReadOptions read; /* board size and tokens are filled in by import_games */
    ImportDedupe dedupe;
    bool skip_bad; /* keep the other games of a file that holds a bad one */
    bool force;    /* replace a corpus that holds other games */
} ImportOptions;

typedef struct ImportCounts {
    uint64_t read;                 /* games found, kept or not */
    uint64_t games;                /* kept; 0 in the total if no corpus was made */
    uint64_t rejected;             /* not legal, or not readable */
    uint64_t no_moves;             /* tags or records without a move, left out */
    uint64_t duplicates;           /* legal games equal to an earlier one */
    uint64_t duplicates_symmetric; /* equal to an earlier one or to a mirror image of it */
    uint64_t found;                /* games found inside prose, kept or not */
    /* counted among the legal games, duplicates included: */
    uint64_t unfinished, score_mismatches, unknown_results;
    uint64_t turned, renamed; /* READ_TURNED, READ_RENAMED of datasets/readers/game_reader.h */
} ImportCounts;

/* A rejected game, borrowed during the call. */
typedef struct ImportReject {
    const char *path;
    const char *counts; /* what `place` counts: "line", "game" or "row" */
    uint64_t place;     /* from 1 */
    int ply;            /* of the fault, from 1 */
    const char *reason; /* printable, one line */
    const Board *board; /* before that ply */
} ImportReject;

/* One file of an import, complete. */
typedef struct ImportFile {
    const char *path;
    const char *format;
    ImportCounts counts;
} ImportFile;

/* Callbacks, each may be NULL. Called on the calling thread, in the order of the files; `file`
 * after all of them were read, since only then is it known which games repeat others. */
typedef struct ImportWatch {
    void (*reject)(void *context, const ImportReject *reject);
    void (*file)(void *context, const ImportFile *file);
    void (*progress)(void *context, uint64_t bytes_done, uint64_t bytes_total);
    void *context;
} ImportWatch;

typedef struct ImportResult {
    ImportCounts counts;
    uint64_t plies;
    double seconds;
    bool refused;   /* games were rejected and skip_bad was off: no corpus was made */
    bool unchanged; /* the corpus existed with exactly these games */
    char content_hash[HASH_HEX_SIZE]; /* "" when refused */
} ImportResult;

/* Import the files, in their order, into a new corpus at `path`. Games keep the order of the
 * files; the content hash does not depend on the number of workers. Memory: about 60 MB, however
 * many games (a bit for each where some are to be left out, up to a twentieth of a byte for
 * comparing). Beside the corpus the disk holds 32 bytes a game on the way, and where games are left
 * out a corpus with all of them. Returns 0, also if `refused`; OGPT_EFORMAT (a file as a whole, or
 * no game at all); OGPT_EUSAGE (`path` is another corpus); OGPT_ELOCKED; OGPT_EINTR (nothing was
 * made); OGPT_EIO; OGPT_ENOMEM. */
int import_games(ImportResult *out, const char *path, const char *const *files, size_t n_files,
                 const ImportOptions *options, Pool *pool, const ImportWatch *watch);

#endif
