/* datasets/generate.c - random games into a corpus file, in parallel.
 *
 * A chunk of up to CHUNK_BLOCKS blocks is made in memory, one job a block, while one more job
 * commits the chunk before it: all workers make games and the disk never waits for them. Only the
 * order of the work depends on the workers, never a game.
 */
#include "datasets/generate.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/files.h"
#include "base/process.h"
#include "base/ranks/ranks.h"
#include "game/play.h"

#define CHUNK_BLOCKS 64 /* blocks committed in one transaction: 3.9 MB on 8x8 */

/* A run of missing blocks and its games. */
typedef struct GameRun {
    uint64_t first_block;
    uint64_t n_blocks; /* 0: nothing to write */
    uint8_t *moves;
} GameRun;

typedef struct Generator {
    Corpus *corpus; /* NULL on ranks other than the first */
    const GameVariant *variant;
    uint64_t seed;
    uint64_t n_games, n_blocks;
    GameRun making, writing;
    size_t share_first, share_end; /* blocks of `making` that this rank makes */
} Generator;

static size_t stride_of(const Generator *generator)
{
    return (size_t)generator->variant->n_moves;
}

static void make_block(const Generator *generator, uint64_t i)
{
    const uint64_t first = (generator->making.first_block + i) * CORPUS_BLOCK_GAMES;
    const uint64_t rest = generator->n_games - first;
    const uint64_t n = rest < CORPUS_BLOCK_GAMES ? rest : CORPUS_BLOCK_GAMES;
    uint8_t *moves = generator->making.moves + i * CORPUS_BLOCK_GAMES * stride_of(generator);
    play_random_games(moves, generator->variant, generator->seed, RNG_GENERATE, first, n);
}

static int write_chunk(Generator *generator)
{
    GameRun *chunk = &generator->writing;
    const int rc = chunk->n_blocks == 0 ? 0
                                        : corpus_write_blocks(generator->corpus, chunk->first_block,
                                                              chunk->n_blocks, chunk->moves);
    chunk->n_blocks = 0;
    return rc;
}

/* Job 0 writes the chunk made before, on the rank that has the file; the others make one block each
 * of this rank's share of the next. */
static int run_job(void *context, size_t job, size_t worker)
{
    (void)worker;
    Generator *generator = context;
    if (job == 0 && generator->corpus) {
        return write_chunk(generator);
    }
    make_block(generator, generator->share_first + job - (generator->corpus ? 1 : 0));
    return 0;
}

/* The next run of missing blocks from `block` on; n_blocks 0 when none is left. */
static void find_missing(Generator *generator, uint64_t block)
{
    GameRun *chunk = &generator->making;
    while (block < generator->n_blocks && corpus_has_block(generator->corpus, block)) {
        block++;
    }
    chunk->first_block = block;
    chunk->n_blocks = 0;
    while (chunk->n_blocks < CHUNK_BLOCKS && block < generator->n_blocks &&
           !corpus_has_block(generator->corpus, block)) {
        block++;
        chunk->n_blocks++;
    }
}

static int allocate_chunks(Generator *generator)
{
    const uint64_t most = generator->n_blocks < CHUNK_BLOCKS ? generator->n_blocks : CHUNK_BLOCKS;
    const size_t n = (size_t)most * CORPUS_BLOCK_GAMES;
    generator->making.moves = mem_alloc(n, stride_of(generator), "a chunk of games");
    generator->writing.moves = mem_alloc(n, stride_of(generator), "a chunk of games");
    return !generator->making.moves || !generator->writing.moves ? OGPT_ENOMEM : 0;
}

/* The first rank, which has the file, says which blocks come next. */
static int next_chunk(Generator *generator, uint64_t block)
{
    GameRun *making = &generator->making;
    uint64_t run[2] = {0};
    if (generator->corpus) {
        find_missing(generator, block);
        run[0] = making->first_block;
        run[1] = making->n_blocks;
    }
    const int rc = ranks_broadcast(run, sizeof(run), 0);
    making->first_block = run[0];
    making->n_blocks = run[1];
    ranks_share(&generator->share_first, &generator->share_end, making->n_blocks, ranks_own());
    return rc;
}

/* Each rank's share of a chunk to the first rank, block by block. */
static int collect_chunk(const Generator *generator)
{
    const size_t n_bytes = CORPUS_BLOCK_GAMES * stride_of(generator);
    RanksPart parts[CHUNK_BLOCKS];
    size_t n = 0;
    for (int rank = 1; rank < ranks_count(); rank++) {
        size_t first, end;
        ranks_share(&first, &end, generator->making.n_blocks, rank);
        for (size_t i = first; i < end && (generator->corpus || rank == ranks_own()); i++) {
            parts[n++] = (RanksPart){.data = generator->making.moves + i * n_bytes,
                                     .n_bytes = n_bytes,
                                     .rank = generator->corpus ? rank : 0};
        }
    }
    return ranks_first() ? ranks_exchange(NULL, 0, parts, n) : ranks_exchange(parts, n, NULL, 0);
}

static int make_chunk(Generator *generator, const Work *work)
{
    const size_t n_own = generator->share_end - generator->share_first;
    int rc = pool_run(work->pool, n_own + (generator->corpus ? 1 : 0), run_job, generator);
    rc = rc ? rc : collect_chunk(generator);
    const GameRun made = generator->making;
    generator->making.moves = generator->writing.moves;
    generator->writing = made;
    return rc;
}

/* Make and commit all missing blocks. `present` counts the games that are on file. */
static int fill(Generator *generator, const uint64_t *present, const Work *work)
{
    const double total = (double)generator->n_games;
    int64_t stop = 0;
    int rc = next_chunk(generator, 0);
    rc = rc || generator->making.n_blocks == 0 ? rc : allocate_chunks(generator);
    while (rc == 0 && generator->making.n_blocks > 0) {
        const uint64_t next = generator->making.first_block + generator->making.n_blocks;
        rc = make_chunk(generator, work);
        work_tick(work, "games", (double)*present, total);
        stop = interrupt_pending();
        rc = rc ? rc : ranks_most(&stop);
        if (rc == 0 && stop != 0) {
            rc = generator->corpus ? write_chunk(generator) : 0;
            return rc ? rc
                      : err_set(OGPT_EINTR,
                                "interrupted after %" PRIu64 " of %" PRIu64
                                " games, all saved; the same command goes on",
                                *present, generator->n_games);
        }
        rc = rc ? rc : next_chunk(generator, next);
    }
    rc = rc || !generator->corpus ? rc : write_chunk(generator);
    if (rc == 0) {
        work_tick(work, "games", (double)*present, total);
    }
    return rc;
}

/* Room for the missing blocks, for SQLite's pages around them (blobs fill their last page only
 * in part), and for a write-ahead log of a few transactions. */
static uint64_t bytes_needed(const Generator *generator, uint64_t games_missing)
{
    const uint64_t bytes = games_missing * stride_of(generator);
    return bytes + bytes / 4 + 4 * CHUNK_BLOCKS * CORPUS_BLOCK_GAMES * stride_of(generator);
}

/* Raise the number of games of a corpus that was made for fewer. */
static int extend(Generator *generator)
{
    const CorpusInfo *info = corpus_info(generator->corpus);
    uint8_t *moves = mem_alloc(CORPUS_BLOCK_GAMES, stride_of(generator), "a block of games");
    if (!moves) {
        return OGPT_ENOMEM;
    }
    generator->making =
        (GameRun){.first_block = (info->n_games - 1) / CORPUS_BLOCK_GAMES, .moves = moves};
    make_block(generator, 0);
    const int rc = corpus_extend(generator->corpus, generator->n_games, moves);
    generator->making = (GameRun){0};
    mem_free(moves);
    return rc;
}

/* All games exist already. Before the command says so again, it checks their checksums. */
static int check_blocks(const Generator *generator)
{
    uint8_t *moves = mem_alloc(CORPUS_BLOCK_GAMES, stride_of(generator), "a block of games");
    int rc = !moves ? OGPT_ENOMEM : 0;
    for (uint64_t first = 0; rc == 0 && first < generator->n_games; first += CORPUS_BLOCK_GAMES) {
        const uint64_t left = generator->n_games - first;
        rc = corpus_read(generator->corpus, moves, first,
                         left < CORPUS_BLOCK_GAMES ? left : CORPUS_BLOCK_GAMES);
    }
    mem_free(moves);
    return rc;
}

/* The corpus on file, made ready for the games that it lacks. */
static int open_corpus(Generator *generator, const char *path, uint64_t *before)
{
    CorpusInfo meta = {
        .variant = generator->variant, .seed = generator->seed, .n_games = generator->n_games};
    snprintf(meta.source, sizeof(meta.source), "random");
    snprintf(meta.generator, sizeof(meta.generator), "%s", GENERATOR_VERSION);
    int rc = corpus_create(&generator->corpus, path, &meta);
    if (rc != 0) {
        return rc;
    }
    const CorpusInfo *info = corpus_info(generator->corpus);
    *before = info->n_games_present;
    if (*before < generator->n_games) {
        rc = disk_preflight(path, bytes_needed(generator, generator->n_games - *before));
        rc = rc || info->n_games == generator->n_games ? rc : extend(generator);
    } else if (info->complete) { /* else corpus_finish reads all of them */
        rc = check_blocks(generator);
    }
    return rc;
}

int generate_corpus(GenerateResult *out, const char *path, const GameVariant *variant,
                    uint64_t n_games, const Work *work)
{
    const double start = clock_seconds();
    uint64_t games_before = 0, nothing = 0;
    memset(out, 0, sizeof(*out));
    Generator generator = {.variant = variant, .seed = work->seed, .n_games = n_games};
    generator.n_blocks = (n_games + CORPUS_BLOCK_GAMES - 1) / CORPUS_BLOCK_GAMES;
    int rc = ranks_first() ? open_corpus(&generator, path, &games_before) : 0;
    const CorpusInfo *info = generator.corpus ? corpus_info(generator.corpus) : NULL;
    rc = rc ? rc : fill(&generator, info ? &info->n_games_present : &nothing, work);
    rc = rc || !info ? rc : corpus_finish(generator.corpus);
    if (info) {
        out->games = info->n_games_present;
        out->plies = info->plies;
        out->games_made_now = info->n_games_present - games_before;
        snprintf(out->content_hash, sizeof(out->content_hash), "%s", info->content_hash);
        corpus_close(generator.corpus);
    }
    mem_free(generator.making.moves);
    mem_free(generator.writing.moves);
    out->seconds = clock_seconds() - start;
    return rc ? rc : ranks_broadcast(out, sizeof(*out), 0);
}
