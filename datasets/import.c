/* datasets/import.c - other people's games into a corpus file.
 *
 * Three things happen at once in each round: one job reads the next batch of games from the file,
 * one commits the chunk of blocks that is full, and the others replay the batch read before, 1,024
 * games each. Then, on the calling thread and in order, games are counted and kept. Only the order
 * of the work depends on the workers, never a game.
 *
 * Which games repeat an earlier one is known at the end (datasets/repeats.h), so that memory does
 * not grow with the games. Until then every legal game is kept; where some are to be left out, the
 * corpus is written once more without them.
 */
#include "datasets/import.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/files.h"
#include "base/process.h"
#include "datasets/repeats.h"
#include "datasets/vocab.h"

#define BATCH_GAMES 16384 /* read and replayed in one round */
#define JOB_GAMES 1024
#define CHUNK_BLOCKS 64 /* blocks committed in one transaction */
#define CHUNK_GAMES ((size_t)CHUNK_BLOCKS * CORPUS_BLOCK_GAMES)
#define N_SERVICE_JOBS 2 /* reading and writing, beside replaying */

/* Kept games; at most one batch is added before a full chunk is written. */
typedef struct KeptGames {
    size_t n_games;
    uint8_t *moves; /* [CHUNK_GAMES * n_moves] */
} KeptGames;

typedef struct GameBatch {
    size_t n;
    RawGame *games; /* [BATCH_GAMES] */
} GameBatch;

/* One of the files: the number of its first legal game among those of all files. */
typedef struct FileRead {
    ImportFile file;
    uint64_t first;
} FileRead;

/* Which legal games equal an earlier one: by all moves, or up to the symmetries of the board. */
typedef enum Sameness { SAME_MOVES, SAME_UP_TO_SYMMETRY, N_SAMENESSES } Sameness;

typedef struct Importer {
    const ImportOptions *options;
    ReadOptions read;
    CheckOptions check; /* of the file being read */
    const ImportWatch *watch;
    Pool *pool;
    GameReader *reader; /* of the file being read */
    FileRead *files;    /* (n_files) */
    size_t n_files;
    ImportFile *file; /* of those, the one being read */
    GameBatch reading, checking;
    CheckedGame *checked; /* [BATCH_GAMES], of `checking` */
    KeptGames filling, writing;
    Repeats *repeats[N_SAMENESSES]; /* of all legal games */
    uint8_t *left_out;              /* a bit for each legal game; NULL: none is left out */
    uint64_t n_left_out;
    Corpus *corpus;              /* made when the first games are written */
    char inside[FILES_PATH_MAX]; /* its file, until it is finished */
    uint64_t n_blocks;           /* written */
    uint64_t bytes_done, bytes_total;
    ImportResult *out;
} Importer;

static size_t stride_of(const Importer *importer)
{
    return (size_t)importer->options->check.variant->n_moves;
}

/* ---- the jobs of a round ---- */

/* The number of games is not known yet, so the largest possible one is announced. */
static int begin_corpus(Importer *importer)
{
    CorpusInfo meta = {.variant = importer->options->check.variant, .n_games = CORPUS_MAX_GAMES};
    if (importer->corpus) {
        return 0;
    }
    snprintf(meta.source, sizeof(meta.source), "import");
    snprintf(meta.generator, sizeof(meta.generator), "%s", IMPORT_VERSION);
    return corpus_create(&importer->corpus, importer->inside, &meta);
}

static int write_chunk(Importer *importer, KeptGames *chunk)
{
    const uint64_t n_blocks = (chunk->n_games + CORPUS_BLOCK_GAMES - 1) / CORPUS_BLOCK_GAMES;
    if (n_blocks == 0) {
        return 0;
    }
    int rc = begin_corpus(importer);
    rc =
        rc ? rc : corpus_write_blocks(importer->corpus, importer->n_blocks, n_blocks, chunk->moves);
    importer->n_blocks += n_blocks;
    chunk->n_games = 0;
    return rc;
}

static void check_games(Importer *importer, size_t first)
{
    const GameBatch *batch = &importer->checking;
    const size_t end = first + JOB_GAMES < batch->n ? first + JOB_GAMES : batch->n;
    for (size_t i = first; i < end; i++) {
        game_check(&importer->checked[i], &batch->games[i], &importer->check);
    }
}

static int run_job(void *context, size_t job, size_t worker)
{
    (void)worker;
    Importer *importer = context;
    switch (job) {
    case 0:
        return game_reader_next(importer->reader, importer->reading.games, BATCH_GAMES,
                                &importer->reading.n);
    case 1: return write_chunk(importer, &importer->writing);
    default: check_games(importer, (job - N_SERVICE_JOBS) * JOB_GAMES); return 0;
    }
}

/* ---- counting and keeping ---- */

static void reject(Importer *importer, const RawGame *raw, const CheckedGame *checked)
{
    const ImportWatch *watch = importer->watch;
    importer->file->counts.rejected++;
    if (watch->reject) {
        const ImportReject what = {.path = importer->file->path,
                                   .counts = game_reader_place(importer->reader),
                                   .place = raw->fault_place,
                                   .ply = raw->fault_ply,
                                   .reason = raw->fault,
                                   .board = &checked->last};
        watch->reject(watch->context, &what);
    }
}

static void keep(Importer *importer, const uint8_t *moves)
{
    KeptGames *chunk = &importer->filling;
    if (chunk->n_games == CHUNK_GAMES) {
        const KeptGames full = *chunk; /* the other one was written during the last round */
        importer->filling = importer->writing;
        importer->writing = full;
    }
    memcpy(chunk->moves + chunk->n_games * stride_of(importer), moves, stride_of(importer));
    chunk->n_games++;
}

static int count_game(Importer *importer, const CheckedGame *checked)
{
    ImportCounts *counts = &importer->file->counts;
    counts->unfinished += checked->unfinished;
    counts->score_mismatches += checked->score_mismatch;
    counts->unknown_results += checked->unknown_result;
    counts->turned += (checked->way & READ_TURNED) != 0;
    counts->renamed += (checked->way & READ_RENAMED) != 0;
    counts->games++; /* less those that are left out in the end */
    int rc = repeats_add(importer->repeats[SAME_MOVES], checked->hash);
    rc = rc ? rc : repeats_add(importer->repeats[SAME_UP_TO_SYMMETRY], checked->canonical_hash);
    if (rc == 0 && !importer->out->refused) {
        keep(importer, checked->moves);
    }
    return rc;
}

/* Count and keep the games of the batch, in the order of the file. */
static int collect(Importer *importer)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < importer->checking.n; i++) {
        const CheckedGame *checked = &importer->checked[i];
        importer->file->counts.read++;
        switch (checked->verdict) {
        case CHECK_LEGAL: rc = count_game(importer, checked); break;
        case CHECK_NO_MOVES: importer->file->counts.no_moves++; break;
        case CHECK_REJECTED:
            reject(importer, &importer->checking.games[i], checked);
            importer->out->refused |= !importer->options->skip_bad;
            break;
        }
    }
    return rc;
}

/* ---- files ---- */

static int play_rounds(Importer *importer)
{
    const ImportWatch *watch = importer->watch;
    int rc = game_reader_next(importer->reader, importer->checking.games, BATCH_GAMES,
                              &importer->checking.n);
    while (rc == 0 && importer->checking.n > 0) {
        const size_t n_jobs = (importer->checking.n + JOB_GAMES - 1) / JOB_GAMES;
        rc = pool_run(importer->pool, N_SERVICE_JOBS + n_jobs, run_job, importer);
        rc = rc ? rc : collect(importer);
        const GameBatch checked = importer->checking;
        importer->checking = importer->reading;
        importer->reading = checked;
        if (rc == 0 && watch->progress) {
            watch->progress(watch->context,
                            importer->bytes_done + game_reader_bytes_read(importer->reader),
                            importer->bytes_total);
        }
        if (rc == 0 && interrupt_pending()) {
            rc = err_set(OGPT_EINTR, "%s: interrupted after %" PRIu64 " games, no corpus made",
                         importer->file->path, importer->file->counts.read);
        }
    }
    return rc;
}

static void counts_add(ImportCounts *sum, const ImportCounts *more)
{
    sum->read += more->read;
    sum->games += more->games;
    sum->rejected += more->rejected;
    sum->no_moves += more->no_moves;
    sum->duplicates += more->duplicates;
    sum->duplicates_symmetric += more->duplicates_symmetric;
    sum->unfinished += more->unfinished;
    sum->score_mismatches += more->score_mismatches;
    sum->unknown_results += more->unknown_results;
    sum->turned += more->turned;
    sum->renamed += more->renamed;
    sum->found += more->found;
}

static int import_file(Importer *importer, FileRead *read)
{
    const ImportOptions *options = importer->options;
    const char *path = read->file.path;
    importer->file = &read->file;
    read->first = repeats_count(importer->repeats[SAME_MOVES]);
    int rc = game_reader_open(&importer->reader, path, &importer->read);
    if (rc != 0) {
        return rc;
    }
    importer->file->format = game_reader_format(importer->reader);
    importer->check = options->check;
    importer->check.transposed =
        options->check.transposed && strcmp(importer->file->format, "npy") == 0;
    if (options->check.transposed && strcmp(importer->file->format, "wthor") == 0) {
        rc = err_set(OGPT_EUSAGE, "%s: WTHOR itself says which is the row; leave out --notation",
                     path);
    }
    if (options->read.column && strcmp(importer->file->format, "csv") != 0) {
        rc = err_set(OGPT_EUSAGE,
                     "%s: expected a table with a column '%.40s', found %s; leave out --column, or "
                     "give --format csv",
                     path, options->read.column, importer->file->format);
    }
    rc = rc ? rc : play_rounds(importer);
    importer->file->counts.found =
        strcmp(importer->file->format, "prose") == 0 ? importer->file->counts.read : 0;
    if (rc == 0 && importer->file->counts.read == 0) {
        rc = err_set(OGPT_EFORMAT, "%s: expected games (%s), found none", path,
                     importer->file->format);
    }
    importer->bytes_done += rc ? 0 : game_reader_bytes(importer->reader);
    game_reader_close(importer->reader);
    importer->reader = NULL;
    return rc;
}

/* Count a game that equals an earlier one where it was read, and mark it if it is left out. */
static void repeat_found(Importer *importer, uint64_t game, Sameness sameness)
{
    const ImportDedupe dedupe = importer->options->dedupe;
    size_t f = 0, end = importer->n_files;
    while (f + 1 < end) { /* the last file that begins at or before the game */
        const size_t middle = f + (end - f) / 2;
        *(importer->files[middle].first <= game ? &f : &end) = middle;
    }
    ImportCounts *counts = &importer->files[f].file.counts;
    *(sameness == SAME_MOVES ? &counts->duplicates : &counts->duplicates_symmetric) += 1;
    const uint8_t bit = (uint8_t)(1U << game % 8);
    if ((dedupe == DEDUPE_SYMMETRIC || (dedupe == DEDUPE_EXACT && sameness == SAME_MOVES)) &&
        (importer->left_out[game / 8] & bit) == 0) {
        importer->left_out[game / 8] |= bit;
        importer->n_left_out++;
        counts->games--;
    }
}

static void same_moves_found(void *context, uint64_t game)
{
    repeat_found(context, game, SAME_MOVES);
}

static void same_up_to_symmetry_found(void *context, uint64_t game)
{
    repeat_found(context, game, SAME_UP_TO_SYMMETRY);
}

/* Find the games that repeat an earlier one; then the counts of all files are complete. */
static int compare_games(Importer *importer)
{
    static void (*const found[])(void *context, uint64_t game) = {same_moves_found,
                                                                  same_up_to_symmetry_found};
    const uint64_t n = repeats_count(importer->repeats[SAME_MOVES]);
    int rc = 0;
    if (importer->options->dedupe != DEDUPE_NONE) {
        importer->left_out = mem_calloc((size_t)(n / 8 + 1), 1, "games that are left out");
        rc = importer->left_out ? 0 : OGPT_ENOMEM;
    }
    for (int s = 0; s < N_SAMENESSES && rc == 0; s++) {
        rc = repeats_find(importer->repeats[s], found[s], importer);
        repeats_free(importer->repeats[s]); /* its disk is wanted for games */
        importer->repeats[s] = NULL;
    }
    for (size_t f = 0; f < importer->n_files && rc == 0; f++) {
        const ImportFile *file = &importer->files[f].file;
        counts_add(&importer->out->counts, &file->counts);
        if (importer->watch->file) {
            importer->watch->file(importer->watch->context, file);
        }
    }
    return rc;
}

static int import_files(Importer *importer, const char *const *files)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < importer->n_files; i++) {
        uint64_t n_bytes = 0;
        importer->files[i].file.path = files[i];
        rc = file_size(&n_bytes, files[i]);
        importer->bytes_total += n_bytes;
    }
    for (size_t i = 0; rc == 0 && i < importer->n_files; i++) {
        rc = import_file(importer, &importer->files[i]);
    }
    rc = rc ? rc : compare_games(importer);
    const ImportCounts *counts = &importer->out->counts;
    if (rc == 0 && counts->games == 0 && !importer->out->refused) {
        rc = err_set(OGPT_EFORMAT,
                     "%s: expected a legal game, found none (%" PRIu64 " rejected, %" PRIu64
                     " without moves); no corpus made",
                     files[0], counts->rejected, counts->no_moves);
    }
    return rc;
}

/* ---- the corpus ---- */

static int allocate(Importer *importer)
{
    char folder[FILES_PATH_MAX];
    GameBatch *const batches[] = {&importer->reading, &importer->checking};
    KeptGames *const chunks[] = {&importer->filling, &importer->writing};
    importer->checked = mem_alloc(BATCH_GAMES, sizeof(*importer->checked), "games being replayed");
    importer->files = mem_calloc(importer->n_files, sizeof(*importer->files), "files being read");
    bool whole = importer->checked && importer->files;
    for (int i = 0; i < 2; i++) {
        batches[i]->games = mem_alloc(BATCH_GAMES, sizeof(RawGame), "games being read");
        chunks[i]->moves = mem_alloc(CHUNK_GAMES, stride_of(importer), "a chunk of games");
        whole = whole && batches[i]->games && chunks[i]->moves;
    }
    int rc = whole ? path_parent(folder, importer->inside) : OGPT_ENOMEM;
    for (int s = 0; s < N_SAMENESSES && rc == 0; s++) {
        rc = repeats_new(&importer->repeats[s], folder);
    }
    return rc;
}

static void release(Importer *importer)
{
    corpus_close(importer->corpus);
    for (int s = 0; s < N_SAMENESSES; s++) {
        repeats_free(importer->repeats[s]);
    }
    mem_free(importer->files);
    mem_free(importer->left_out);
    mem_free(importer->checked);
    mem_free(importer->reading.games);
    mem_free(importer->checking.games);
    mem_free(importer->filling.moves);
    mem_free(importer->writing.moves);
}

/* Write what is left of n games, hash, close. */
static int finish(Importer *importer, uint64_t n_games)
{
    ImportResult *result = importer->out;
    int rc = write_chunk(importer, &importer->writing);
    rc = rc ? rc : begin_corpus(importer);
    rc = rc ? rc : corpus_shorten(importer->corpus, n_games);
    rc = rc ? rc : write_chunk(importer, &importer->filling);
    rc = rc ? rc : corpus_finish(importer->corpus);
    if (rc == 0) {
        const CorpusInfo *info = corpus_info(importer->corpus);
        result->plies = info->plies;
        snprintf(result->content_hash, sizeof(result->content_hash), "%s", info->content_hash);
    }
    corpus_close(importer->corpus);
    importer->corpus = NULL;
    importer->n_blocks = 0;
    return rc;
}

/* A corpus that is written again without the games that are left out. */
typedef struct Rewriting {
    Importer *importer;
    Corpus *whole;
    uint64_t first; /* game of `whole` that is read next */
    uint8_t *moves; /* (CHUNK_GAMES, stride) read last */
} Rewriting;

static size_t games_ahead(const Rewriting *rewriting)
{
    const uint64_t left = corpus_info(rewriting->whole)->n_games - rewriting->first;
    return left < CHUNK_GAMES ? (size_t)left : CHUNK_GAMES;
}

static int rewrite_job(void *context, size_t job, size_t worker)
{
    (void)worker;
    const Rewriting *rewriting = context;
    return job == 0 ? corpus_read(rewriting->whole, rewriting->moves, rewriting->first,
                                  games_ahead(rewriting))
                    : write_chunk(rewriting->importer, &rewriting->importer->writing);
}

static int rewrite_games(Rewriting *rewriting)
{
    Importer *importer = rewriting->importer;
    int rc = 0;
    while (rc == 0 && games_ahead(rewriting) > 0) {
        const size_t n = games_ahead(rewriting);
        rc = pool_run(importer->pool, 2, rewrite_job, rewriting);
        for (size_t i = 0; rc == 0 && i < n; i++) {
            const uint64_t game = rewriting->first + i;
            if ((importer->left_out[game / 8] >> game % 8 & 1) == 0) {
                keep(importer, rewriting->moves + i * stride_of(importer));
            }
        }
        rewriting->first += n;
        if (rc == 0 && interrupt_pending()) {
            rc = err_set(OGPT_EINTR, "%s: interrupted, no corpus made", importer->file->path);
        }
    }
    return rc;
}

static int leave_out(Importer *importer)
{
    char folder[FILES_PATH_MAX], whole[FILES_PATH_MAX];
    Rewriting rewriting = {.importer = importer};
    int rc = path_parent(folder, importer->inside);
    rc = rc ? rc : path_join(whole, folder, "whole");
    rc = rc ? rc : file_publish(importer->inside, whole, false);
    rc = rc ? rc : corpus_open(&rewriting.whole, whole, false);
    if (rc == 0) {
        rewriting.moves = mem_alloc(CHUNK_GAMES, stride_of(importer), "a chunk of games");
        rc = rewriting.moves ? rewrite_games(&rewriting) : OGPT_ENOMEM;
    }
    rc = rc ? rc : finish(importer, importer->out->counts.games);
    corpus_close(rewriting.whole);
    mem_free(rewriting.moves);
    return rc;
}

/* What import_games asks for: one read of the files. */
typedef struct ImportTask {
    Importer *importer;
    const char *const *files;
} ImportTask;

static int make_corpus(void *context, const char *inside)
{
    const ImportTask *task = context;
    Importer *importer = task->importer;
    snprintf(importer->inside, sizeof(importer->inside), "%s", inside);
    int rc = allocate(importer);
    rc = rc ? rc : import_files(importer, task->files);
    if (importer->out->refused) {
        importer->out->counts.games = 0; /* of a corpus that is not made */
        rc = rc ? rc : 1;
    }
    rc = rc ? rc : finish(importer, importer->out->counts.games + importer->n_left_out);
    rc = rc || importer->n_left_out == 0 ? rc : leave_out(importer);
    release(importer);
    return rc;
}

int import_games(ImportResult *out, const char *path, const char *const *files, size_t n_files,
                 const ImportOptions *options, Pool *pool, const ImportWatch *watch)
{
    const double start = clock_seconds();
    static const ImportWatch unwatched = {0};
    *out = (ImportResult){0};
    const Vocab *vocab = vocab_of(options->check.variant);
    Importer importer = {.options = options,
                         .read = options->read,
                         .watch = watch ? watch : &unwatched,
                         .pool = pool,
                         .n_files = n_files,
                         .out = out};
    ImportTask task = {&importer, files};
    importer.read.variant = vocab->variant;
    importer.read.sq_of_tok = vocab->sq_of_tok;
    importer.read.n_tokens = vocab->d_vocab;
    int rc = corpus_check_goal(path, options->check.variant, options->force);
    rc = rc ? rc : corpus_make(&out->unchanged, path, options->force, make_corpus, &task);
    out->seconds = clock_seconds() - start;
    return rc;
}
