/* datasets/corpus_write.c - making a corpus file. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "datasets/corpus_internal.h"

static int insert_meta(Corpus *corpus, const CorpusInfo *meta)
{
    DbStmt *stmt = NULL;
    int rc = db_prepare(&stmt, corpus->db,
                        "INSERT INTO meta (id, size, source, seed, generator, n_games, plies,"
                        " content_hash) VALUES (1, ?1, ?2, ?3, ?4, ?5, 0, '')");
    if (rc == 0) {
        db_bind_int(stmt, 1, meta->variant->number);
        db_bind_text(stmt, 2, meta->source);
        db_bind_int(stmt, 3, (int64_t)meta->seed);
        db_bind_text(stmt, 4, meta->generator);
        db_bind_int(stmt, 5, (int64_t)meta->n_games);
        rc = db_step(stmt);
    }
    db_finalize(stmt);
    return rc;
}

/* The file was begun before: the same games must be asked for now. */
static int check_same(const CorpusInfo *found, const CorpusInfo *asked, const char *path)
{
    if (found->variant->rules != asked->variant->rules) {
        return err_set(
            OGPT_EUSAGE, "%s: holds games by the rules %s, asked for %s; choose another file", path,
            game_rules_name(found->variant->rules), game_rules_name(asked->variant->rules));
    }
    if (found->variant != asked->variant) {
        return err_set(OGPT_EUSAGE,
                       "%s: holds games of size %d, asked for size %d; choose another file", path,
                       found->variant->size, asked->variant->size);
    }
    if (strcmp(found->source, asked->source) != 0) {
        return err_set(OGPT_EUSAGE,
                       "%s: holds games of source %s, asked for source %s; choose another file",
                       path, found->source, asked->source);
    }
    if (found->seed != asked->seed) {
        return err_set(OGPT_EUSAGE,
                       "%s: made with seed %" PRIu64 ", asked for seed %" PRIu64
                       "; choose another file",
                       path, found->seed, asked->seed);
    }
    if (strcmp(found->generator, asked->generator) != 0) {
        return err_set(OGPT_EUSAGE,
                       "%s: made by generator %s, this program has %s; choose another file", path,
                       found->generator, asked->generator);
    }
    if (found->n_games > asked->n_games ||
        (found->n_games < asked->n_games && strcmp(found->source, "random") != 0)) {
        return err_set(OGPT_EUSAGE,
                       "%s: begun for %" PRIu64 " games, asked for %" PRIu64
                       "; a corpus is never cut%s: choose another file",
                       path, found->n_games, asked->n_games,
                       found->n_games > asked->n_games ? "" : ", and other games never added");
    }
    return 0;
}

/* Refuse to go on with another corpus before the file is opened for writing, which can change bytes
 * of it. A file without a meta row, or a damaged one, is no concern of this check. */
static int check_before_writing(const char *path, const CorpusInfo *meta)
{
    Corpus *corpus = NULL;
    uint64_t n_bytes = 0;
    PathKind kind;
    int rc = path_kind(&kind, path);
    if (rc == 0 && kind == PATH_FILE) {
        rc = file_size(&n_bytes, path);
    }
    if (rc != 0 || n_bytes == 0) {
        return rc;
    }
    rc = corpus__open_meta(&corpus, path);
    if (rc != 0) {
        return rc == OGPT_EFORMAT ? 0 : rc;
    }
    rc = check_same(&corpus->info, meta, path);
    corpus_close(corpus);
    return rc;
}

/* Find the meta row, or write it when the file is new. Two processes cannot be here at once:
 * the lock file is held. */
static int begin_or_go_on(Corpus *corpus, const CorpusInfo *meta)
{
    int rc = corpus__read_meta(corpus);
    if (rc == 0) {
        rc = insert_meta(corpus, meta);
        rc = rc ? rc : corpus__read_meta(corpus);
    } else if (rc == 1) {
        const int different = check_same(&corpus->info, meta, db_path(corpus->db));
        rc = different ? different : 1;
    }
    if (rc != 1) {
        return rc;
    }
    rc = corpus__prepare(corpus);
    return rc ? rc : corpus__load_present(corpus, NULL, NULL);
}

/* Refuse a file of another kind before anything is put next to it. Another process may be creating
 * a file that has no mark yet; the lock decides that. */
static int check_kind(const char *path)
{
    uint32_t application_id = 0;
    uint64_t n_bytes = 0;
    PathKind kind;
    int rc = path_kind(&kind, path);
    if (rc == 0 && kind == PATH_DIRECTORY) {
        return err_set(OGPT_EFORMAT,
                       "%s: expected a corpus file, found a directory; check the path", path);
    }
    if (rc == 0 && kind == PATH_FILE) {
        rc = file_size(&n_bytes, path);
    }
    if (rc != 0 || n_bytes == 0) {
        return rc;
    }
    rc = db_application_id(&application_id, path);
    if (rc == 0 && application_id != 0 && application_id != CORPUS_APPLICATION_ID) {
        rc = err_set(OGPT_EFORMAT,
                     "%s: application id 0x%08x expected, found 0x%08x: this is another kind of "
                     "file; check the path",
                     path, CORPUS_APPLICATION_ID, (unsigned)application_id);
    }
    return rc;
}

int corpus_create(Corpus **out, const char *path, const CorpusInfo *meta)
{
    *out = NULL;
    if (meta->n_games < 1 || meta->n_games > CORPUS_MAX_GAMES) {
        return err_set(OGPT_EUSAGE, "%s: expected 1 to %llu games, found %" PRIu64, path,
                       CORPUS_MAX_GAMES, meta->n_games);
    }
    Corpus *corpus = NULL;
    int rc = check_kind(path);
    rc = rc ? rc : corpus__new(&corpus);
    rc = rc ? rc : file_lock_beside(&corpus->lock, path);
    rc = rc ? rc : check_before_writing(path, meta);
    rc = rc ? rc : db_open(&corpus->db, path, DB_CREATE, &corpus__schema);
    rc = rc ? rc : begin_or_go_on(corpus, meta);
    if (rc == 0 && corpus->n_blocks_present == 0) {
        rc = sha256_new(&corpus->running_hash);
    }
    if (rc != 0) {
        corpus_close(corpus);
        return rc;
    }
    *out = corpus;
    return 0;
}

bool corpus_has_block(const Corpus *corpus, uint64_t block)
{
    return block < corpus->n_blocks && corpus->present[block];
}

static int insert_block(Corpus *corpus, uint64_t block, const uint8_t *moves)
{
    const uint64_t n_games = corpus__block_games(corpus, block);
    const size_t n_bytes = (size_t)n_games * (size_t)corpus->info.variant->n_moves;
    if (corpus->present[block]) {
        return err_set(OGPT_EUSAGE, "%s: block %" PRIu64 " is there already", db_path(corpus->db),
                       block);
    }
    DbStmt *stmt = corpus->insert_block;
    db_bind_int(stmt, 1, (int64_t)block);
    db_bind_int(stmt, 2, (int64_t)(block * CORPUS_BLOCK_GAMES));
    db_bind_int(stmt, 3, (int64_t)n_games);
    db_bind_blob(stmt, 4, moves, n_bytes);
    db_bind_int(stmt, 5, (int64_t)xxh3(moves, n_bytes));
    const int rc = db_step(stmt);
    db_reset(stmt);
    return rc;
}

/* Record that a block is committed. */
static void note_written(Corpus *corpus, uint64_t block, const uint8_t *moves)
{
    const uint64_t n_games = corpus__block_games(corpus, block);
    const size_t n_bytes = (size_t)n_games * (size_t)corpus->info.variant->n_moves;
    corpus->present[block] = 1;
    corpus->n_blocks_present++;
    corpus->info.n_games_present += n_games;
    if (corpus->running_hash && corpus->n_hashed == block) {
        sha256_add(corpus->running_hash, moves, n_bytes);
        corpus->running_plies += corpus__count_plies(moves, n_bytes);
        corpus->n_hashed++;
    }
}

int corpus_write_blocks(Corpus *corpus, uint64_t first_block, uint64_t n_blocks,
                        const uint8_t *moves)
{
    const size_t block_bytes = (size_t)CORPUS_BLOCK_GAMES * (size_t)corpus->info.variant->n_moves;
    if (first_block > corpus->n_blocks || n_blocks > corpus->n_blocks - first_block) {
        return err_set(
            OGPT_EUSAGE, "%s: blocks %" PRIu64 " to %" PRIu64 " are beyond the last, %" PRIu64,
            db_path(corpus->db), first_block, first_block + n_blocks - 1, corpus->n_blocks - 1);
    }
    int rc = 0;
    if (!corpus->insert_block) {
        rc = db_prepare(&corpus->insert_block, corpus->db,
                        "INSERT INTO blocks (block, first_game, n_games, moves, checksum)"
                        " VALUES (?1, ?2, ?3, ?4, ?5)");
    }
    rc = rc ? rc : db_begin(corpus->db);
    if (rc != 0) {
        return rc;
    }
    for (uint64_t i = 0; i < n_blocks && rc == 0; i++) {
        rc = insert_block(corpus, first_block + i, moves + i * block_bytes);
    }
    rc = rc ? rc : db_commit(corpus->db);
    if (rc != 0) {
        db_rollback(corpus->db);
        return rc;
    }
    for (uint64_t i = 0; i < n_blocks; i++) {
        note_written(corpus, first_block + i, moves + i * block_bytes);
    }
    return 0;
}

/* Write the longer last block and the new number of games, in the transaction of the caller. */
static int write_extension(Corpus *corpus, uint64_t n_games, const uint8_t *last, uint64_t n_last)
{
    const uint64_t block = corpus->n_blocks - 1;
    const size_t n_bytes = (size_t)n_last * (size_t)corpus->info.variant->n_moves;
    DbStmt *meta = NULL, *longer = NULL;
    int rc = db_prepare(&meta, corpus->db,
                        "UPDATE meta SET n_games = ?1, plies = 0, content_hash = '' WHERE id = 1");
    if (rc == 0) {
        db_bind_int(meta, 1, (int64_t)n_games);
        rc = db_step(meta);
    }
    if (rc == 0 && n_last > 0) {
        rc = db_prepare(&longer, corpus->db,
                        "UPDATE blocks SET n_games = ?1, moves = ?2, checksum = ?3"
                        " WHERE block = ?4");
    }
    if (longer) {
        db_bind_int(longer, 1, (int64_t)n_last);
        db_bind_blob(longer, 2, last, n_bytes);
        db_bind_int(longer, 3, (int64_t)xxh3(last, n_bytes));
        db_bind_int(longer, 4, (int64_t)block);
        rc = db_step(longer);
    }
    db_finalize(meta);
    db_finalize(longer);
    return rc;
}

int corpus_extend(Corpus *corpus, uint64_t n_games, const uint8_t *last)
{
    CorpusInfo *info = &corpus->info;
    const uint64_t block = corpus->n_blocks - 1, first = block * CORPUS_BLOCK_GAMES;
    const uint64_t had = corpus__block_games(corpus, block);
    const uint64_t rest = n_games - first;
    if (strcmp(info->source, "random") != 0 || n_games <= info->n_games ||
        n_games > CORPUS_MAX_GAMES) {
        return err_set(OGPT_EUSAGE,
                       "%s: expected more than %" PRIu64 " random games, found %" PRIu64,
                       db_path(corpus->db), info->n_games, n_games);
    }
    uint64_t n_last = 0; /* games of the longer last block; 0: it stays */
    if (corpus->present[block] && had < CORPUS_BLOCK_GAMES) {
        n_last = rest < CORPUS_BLOCK_GAMES ? rest : CORPUS_BLOCK_GAMES;
        const int rc = corpus__load_block(corpus, block);
        if (rc != 0) {
            return rc;
        }
        if (memcmp(corpus->cache, last, had * (size_t)info->variant->n_moves) != 0) {
            return err_set(OGPT_EFORMAT,
                           "%s: block %" PRIu64
                           ": holds other games than its seed gives; choose another file",
                           db_path(corpus->db), block);
        }
    }
    int rc = db_begin(corpus->db);
    if (rc != 0) {
        return rc;
    }
    rc = write_extension(corpus, n_games, last, n_last);
    rc = rc ? rc : corpus__resize(corpus, n_games);
    rc = rc ? rc : db_commit(corpus->db);
    if (rc != 0) {
        db_rollback(corpus->db); /* the caller closes the handle */
        return rc;
    }
    corpus->cached_block = CORPUS_NO_BLOCK;
    info->n_games_present += n_last > 0 ? n_last - had : 0;
    info->complete = false;
    info->content_hash[0] = '\0';
    info->plies = 0;
    return 0;
}

int corpus_shorten(Corpus *corpus, uint64_t n_games)
{
    CorpusInfo *info = &corpus->info;
    DbStmt *stmt = NULL;
    if (n_games < 1 || n_games < info->n_games_present || n_games > info->n_games) {
        return err_set(OGPT_EUSAGE, "%s: expected %" PRIu64 " to %" PRIu64 " games, found %" PRIu64,
                       db_path(corpus->db), info->n_games_present, info->n_games, n_games);
    }
    int rc = db_prepare(&stmt, corpus->db, "UPDATE meta SET n_games = ?1 WHERE id = 1");
    if (rc == 0) {
        db_bind_int(stmt, 1, (int64_t)n_games);
        rc = db_step(stmt);
    }
    db_finalize(stmt);
    if (rc == 0) {
        info->n_games = n_games;
        corpus->n_blocks = (n_games + CORPUS_BLOCK_GAMES - 1) / CORPUS_BLOCK_GAMES;
    }
    return rc;
}

/* Hash and count all blocks from the file: some were written by an earlier process. */
static int hash_again(Corpus *corpus)
{
    sha256_free(corpus->running_hash);
    corpus->running_hash = NULL;
    corpus->running_plies = 0;
    int rc = sha256_new(&corpus->running_hash);
    for (uint64_t block = 0; block < corpus->n_blocks && rc == 0; block++) {
        rc = corpus__load_block(corpus, block);
        if (rc == 0) {
            const size_t n_bytes =
                (size_t)corpus__block_games(corpus, block) * (size_t)corpus->info.variant->n_moves;
            sha256_add(corpus->running_hash, corpus->cache, n_bytes);
            corpus->running_plies += corpus__count_plies(corpus->cache, n_bytes);
        }
    }
    return rc;
}

static int update_meta(Corpus *corpus, const char *content_hash)
{
    DbStmt *stmt = NULL;
    int rc =
        db_prepare(&stmt, corpus->db, "UPDATE meta SET plies = ?1, content_hash = ?2 WHERE id = 1");
    if (rc == 0) {
        db_bind_int(stmt, 1, (int64_t)corpus->running_plies);
        db_bind_text(stmt, 2, content_hash);
        rc = db_step(stmt);
    }
    db_finalize(stmt);
    return rc;
}

int corpus_finish(Corpus *corpus)
{
    CorpusInfo *info = &corpus->info;
    if (info->complete) {
        return 0;
    }
    if (corpus->n_blocks_present < corpus->n_blocks) {
        return err_set(OGPT_EUSAGE,
                       "%s: cannot be finished: expected %" PRIu64 " games, found %" PRIu64,
                       db_path(corpus->db), info->n_games, info->n_games_present);
    }
    if (!corpus->running_hash || corpus->n_hashed < corpus->n_blocks) {
        const int rc = hash_again(corpus);
        if (rc != 0) {
            return rc;
        }
    }
    char content_hash[HASH_HEX_SIZE];
    sha256_finish(corpus->running_hash, content_hash);
    corpus->running_hash = NULL;
    const int rc = update_meta(corpus, content_hash);
    if (rc == 0) {
        snprintf(info->content_hash, sizeof(info->content_hash), "%s", content_hash);
        info->plies = corpus->running_plies;
        info->complete = true;
    }
    return rc;
}
