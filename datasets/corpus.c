/* datasets/corpus.c - reading a corpus file. */
#include "datasets/corpus.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "datasets/corpus_internal.h"

const DbSchema corpus__schema = {
    .application_id = CORPUS_APPLICATION_ID,
    .version = CORPUS_SCHEMA_VERSION,
    .oldest = 1,
    .create_sql = "CREATE TABLE meta ("
                  "  id INTEGER PRIMARY KEY CHECK (id = 1),"
                  "  size INTEGER NOT NULL," /* GameVariant.number: squares a side if classic */
                  "  source TEXT NOT NULL,"
                  "  seed INTEGER NOT NULL," /* 64 bits, read as signed */
                  "  generator TEXT NOT NULL,"
                  "  n_games INTEGER NOT NULL,"
                  "  plies INTEGER NOT NULL,"    /* 0 until complete */
                  "  content_hash TEXT NOT NULL" /* '' until complete */
                  ") STRICT;"
                  "CREATE TABLE blocks ("
                  "  block INTEGER PRIMARY KEY,"
                  "  first_game INTEGER NOT NULL,"
                  "  n_games INTEGER NOT NULL,"
                  "  moves BLOB NOT NULL,"
                  "  checksum INTEGER NOT NULL" /* XXH3 of moves, 64 bits, read as signed */
                  ") STRICT;",
};

int corpus__new(Corpus **out)
{
    *out = mem_calloc(1, sizeof(**out), "a corpus handle");
    if (!*out) {
        return OGPT_ENOMEM;
    }
    (*out)->lock.fd = -1;
    (*out)->cached_block = CORPUS_NO_BLOCK;
    return 0;
}

void corpus_close(Corpus *corpus)
{
    if (!corpus) {
        return;
    }
    db_finalize(corpus->select_block);
    db_finalize(corpus->insert_block);
    if (corpus->lock.fd >= 0 && corpus->info.complete) {
        /* A finished corpus is one plain file that can be copied and read from anywhere. This
         * fails while somebody reads; then the log stays next to the file, without harm. */
        (void)db_exec(corpus->db, "PRAGMA journal_mode=DELETE");
    }
    db_close(corpus->db);
    sha256_free(corpus->running_hash);
    mem_free(corpus->present);
    mem_free(corpus->cache);
    file_unlock(&corpus->lock);
    mem_free(corpus);
}

const CorpusInfo *corpus_info(const Corpus *corpus)
{
    return &corpus->info;
}

void corpus_divide(Corpus *corpus, unsigned rules)
{
    corpus->info.split_rules |= rules;
}

Split corpus_split(const Corpus *corpus, const uint8_t *moves)
{
    return split_of_game(moves, corpus->info.variant, corpus->info.split_rules);
}

uint64_t corpus__block_games(const Corpus *corpus, uint64_t block)
{
    const uint64_t rest = corpus->info.n_games - block * CORPUS_BLOCK_GAMES;
    return rest < CORPUS_BLOCK_GAMES ? rest : CORPUS_BLOCK_GAMES;
}

/* The values of the meta row come from a file: each is checked before it sizes anything. */
static int fill_info(CorpusInfo *info, DbStmt *row, const char *path)
{
    const int64_t size = db_column_int(row, 0);
    const char *source = db_column_text(row, 1);
    const char *generator = db_column_text(row, 3);
    const int64_t n_games = db_column_int(row, 4);
    const int64_t plies = db_column_int(row, 5);
    const char *content_hash = db_column_text(row, 6);
    info->variant = size >= 4 && size <= INT_MAX ? game_variant_numbered((int)size) : NULL;
    if (!info->variant) {
        return err_set(OGPT_EFORMAT,
                       "%s: meta.size: expected 4, 6 or 8, with 100 or 200 added for other rules, "
                       "found %" PRId64,
                       path, size);
    }
    if (strcmp(source, "random") != 0 && strcmp(source, "import") != 0) {
        return err_set(OGPT_EFORMAT, "%s: meta.source: expected random or import, found '%.40s'",
                       path, source);
    }
    if (strlen(generator) >= sizeof(info->generator)) {
        return err_set(OGPT_EFORMAT, "%s: meta.generator: expected at most %zu bytes, found %zu",
                       path, sizeof(info->generator) - 1, strlen(generator));
    }
    if (n_games < 1 || (uint64_t)n_games > CORPUS_MAX_GAMES) {
        return err_set(OGPT_EFORMAT, "%s: meta.n_games: expected 1 to %llu, found %" PRId64, path,
                       CORPUS_MAX_GAMES, n_games);
    }
    if (content_hash[0] != '\0' && strlen(content_hash) != HASH_HEX_SIZE - 1) {
        return err_set(OGPT_EFORMAT, "%s: meta.content_hash: expected %d digits, found %zu", path,
                       HASH_HEX_SIZE - 1, strlen(content_hash));
    }
    snprintf(info->source, sizeof(info->source), "%s", source);
    snprintf(info->generator, sizeof(info->generator), "%s", generator);
    snprintf(info->content_hash, sizeof(info->content_hash), "%s", content_hash);
    info->seed = (uint64_t)db_column_int(row, 2);
    info->n_games = (uint64_t)n_games;
    info->plies = plies > 0 ? (uint64_t)plies : 0;
    info->version = (int)db_column_int(row, 7);
    info->split_rules = info->version == 1 ? SPLIT_BY_GAME : SPLIT_BY_CANONICAL;
    return 0;
}

int corpus__read_meta(Corpus *corpus)
{
    DbStmt *row = NULL;
    int rc = db_prepare(&row, corpus->db,
                        "SELECT size, source, seed, generator, n_games, plies, content_hash,"
                        " user_version FROM meta, pragma_user_version WHERE id = 1");
    rc = rc ? rc : db_step(row);
    if (rc == 1) {
        const int bad = fill_info(&corpus->info, row, db_path(corpus->db));
        rc = bad ? bad : 1;
    }
    db_finalize(row);
    return rc;
}

int corpus__prepare(Corpus *corpus)
{
    const CorpusInfo *info = &corpus->info;
    corpus->n_blocks = (info->n_games + CORPUS_BLOCK_GAMES - 1) / CORPUS_BLOCK_GAMES;
    corpus->present = mem_calloc(corpus->n_blocks, 1, "the list of blocks of a corpus");
    corpus->cache = mem_alloc((size_t)CORPUS_BLOCK_GAMES * (size_t)info->variant->n_moves, 1,
                              "a block of a corpus");
    return !corpus->present || !corpus->cache ? OGPT_ENOMEM : 0;
}

int corpus__resize(Corpus *corpus, uint64_t n_games)
{
    const uint64_t n_blocks = (n_games + CORPUS_BLOCK_GAMES - 1) / CORPUS_BLOCK_GAMES;
    uint8_t *present = mem_calloc(n_blocks, 1, "the list of blocks of a corpus");
    if (!present) {
        return OGPT_ENOMEM;
    }
    memcpy(present, corpus->present, n_blocks < corpus->n_blocks ? n_blocks : corpus->n_blocks);
    mem_free(corpus->present);
    corpus->present = present;
    corpus->n_blocks = n_blocks;
    corpus->info.n_games = n_games;
    return 0;
}

/* Compare one row of the table of blocks with the meta row. */
static int check_row(const Corpus *corpus, DbStmt *row)
{
    const int64_t block = db_column_int(row, 0);
    const int64_t first_game = db_column_int(row, 1);
    const int64_t n_games = db_column_int(row, 2);
    const int64_t n_bytes = db_column_int(row, 3);
    const char *path = db_path(corpus->db);
    if (block < 0 || (uint64_t)block >= corpus->n_blocks) {
        return err_set(OGPT_EFORMAT,
                       "%s: block %" PRId64 ": expected blocks 0 to %" PRIu64 " for %" PRIu64
                       " games",
                       path, block, corpus->n_blocks - 1, corpus->info.n_games);
    }
    if (first_game != block * CORPUS_BLOCK_GAMES) {
        return err_set(OGPT_EFORMAT,
                       "%s: block %" PRId64 ": expected first game %" PRId64 ", found %" PRId64,
                       path, block, block * CORPUS_BLOCK_GAMES, first_game);
    }
    const int64_t games = (int64_t)corpus__block_games(corpus, (uint64_t)block);
    if (n_games != games) {
        return err_set(OGPT_EFORMAT,
                       "%s: block %" PRId64 ": expected %" PRId64 " games, found %" PRId64, path,
                       block, games, n_games);
    }
    if (n_bytes != games * corpus->info.variant->n_moves) {
        return err_set(OGPT_EFORMAT,
                       "%s: block %" PRId64 ": expected %" PRId64 " bytes of moves, found %" PRId64,
                       path, block, games * corpus->info.variant->n_moves, n_bytes);
    }
    return 0;
}

int corpus__load_present(Corpus *corpus, void (*finding)(void *context, const char *line),
                         void *context)
{
    DbStmt *row = NULL;
    int rc = db_prepare(&row, corpus->db,
                        "SELECT block, first_game, n_games, length(moves) FROM blocks"
                        " ORDER BY block");
    while (rc == 0 && (rc = db_step(row)) == 1) {
        rc = check_row(corpus, row);
        if (rc == 0) {
            const uint64_t block = (uint64_t)db_column_int(row, 0);
            corpus->present[block] = 1;
            corpus->n_blocks_present++;
            corpus->info.n_games_present += corpus__block_games(corpus, block);
        } else if (finding) {
            finding(context, err_message());
            rc = 0;
        }
    }
    db_finalize(row);
    corpus->info.complete =
        corpus->n_blocks_present == corpus->n_blocks && corpus->info.content_hash[0] != '\0';
    return rc;
}

int corpus__open_meta(Corpus **out, const char *path)
{
    Corpus *corpus = NULL;
    int rc = corpus__new(&corpus);
    if (rc == 0) {
        rc = db_open(&corpus->db, path, DB_READ, &corpus__schema);
    }
    if (rc == 0) {
        rc = corpus__read_meta(corpus);
        if (rc == 0) {
            rc = err_set(OGPT_EFORMAT,
                         "%s: the corpus was never begun (no meta row); generate it again", path);
        }
        rc = rc == 1 ? corpus__prepare(corpus) : rc;
    }
    if (rc != 0) {
        corpus_close(corpus);
        corpus = NULL;
    }
    *out = corpus;
    return rc;
}

int corpus_open(Corpus **out, const char *path, bool allow_incomplete)
{
    *out = NULL;
    Corpus *corpus = NULL;
    int rc = corpus__open_meta(&corpus, path);
    if (rc != 0) {
        return rc;
    }
    rc = corpus__load_present(corpus, NULL, NULL);
    const CorpusInfo *info = &corpus->info;
    if (rc == 0 && !info->complete && !allow_incomplete) {
        rc = err_set(OGPT_EFORMAT,
                     "%s: unfinished: expected %" PRIu64 " games, found %" PRIu64
                     "; the command that made it goes on where it stopped",
                     path, info->n_games, info->n_games_present);
    }
    if (rc == 0 && corpus->present[corpus->n_blocks - 1]) {
        rc = corpus__load_block(corpus, corpus->n_blocks - 1);
    }
    if (rc == 0 && corpus->present[0]) {
        rc = corpus__load_block(corpus, 0);
    }
    if (rc != 0) {
        corpus_close(corpus);
        return rc;
    }
    *out = corpus;
    return 0;
}

/* Without branches: the compiler makes vector instructions of it, and reading a corpus spends no
 * time here. */
bool corpus__playable(const uint8_t *moves, size_t n_bytes, const GameVariant *variant)
{
    const uint8_t size = (uint8_t)variant->size;
    const uint8_t centre = (uint8_t)__builtin_ctzll(variant->centre); /* and 1, 8, 9 behind it */
    uint8_t bad = 0;
    for (size_t i = 0; i < n_bytes; i++) {
        const uint8_t sq = moves[i];
        const uint8_t outside = (uint8_t)((sq >> 3) >= size) | (uint8_t)((sq & 7) >= size);
        const uint8_t middle = (uint8_t)((uint8_t)((sq - centre) & ~9) == 0);
        bad |= (uint8_t)((outside | middle) & (sq != SQ_NONE));
    }
    return bad == 0;
}

/* Another program may have made a block with a correct checksum. So each byte must be a playable
 * square or SQ_NONE, and no later reader need check that again. */
static int check_squares(const Corpus *corpus, uint64_t block, size_t n_bytes)
{
    const GameVariant *variant = corpus->info.variant;
    const size_t stride = (size_t)variant->n_moves;
    size_t i = 0;
    if (corpus__playable(corpus->cache, n_bytes, variant)) {
        return 0;
    }
    while (corpus__playable(corpus->cache + i, 1, variant)) {
        i++;
    }
    return err_set(
        OGPT_EFORMAT,
        "%s: block %" PRIu64 ": game %" PRIu64 ": expected a playable square or 255, found %d",
        db_path(corpus->db), block, block * CORPUS_BLOCK_GAMES + i / stride, corpus->cache[i]);
}

/* Read the current row into the cache, checked. */
static int take_block(Corpus *corpus, uint64_t block, DbStmt *row)
{
    const char *path = db_path(corpus->db);
    size_t n_bytes = 0;
    const void *data = db_column_blob(row, 0, &n_bytes);
    const size_t stride = (size_t)corpus->info.variant->n_moves;
    const size_t expected_bytes = (size_t)corpus__block_games(corpus, block) * stride;
    /* The last block can have become longer since the corpus was opened (corpus_extend). */
    const bool longer = n_bytes > expected_bytes && block + 1 == corpus->n_blocks &&
                        n_bytes <= CORPUS_BLOCK_GAMES * stride && n_bytes % stride == 0;
    if ((n_bytes != expected_bytes && !longer) || !data) {
        return err_set(OGPT_EFORMAT,
                       "%s: block %" PRIu64 ": expected %zu bytes of moves, found %zu", path, block,
                       expected_bytes, n_bytes);
    }
    const uint64_t expected = (uint64_t)db_column_int(row, 1);
    const uint64_t found = xxh3(data, n_bytes);
    if (expected != found) {
        return err_set(OGPT_EFORMAT,
                       "%s: block %" PRIu64 ": damaged: expected checksum %016" PRIx64
                       ", found %016" PRIx64 "; generate the corpus again into another file",
                       path, block, expected, found);
    }
    memcpy(corpus->cache, data, expected_bytes);
    return check_squares(corpus, block, expected_bytes);
}

int corpus__load_block(Corpus *corpus, uint64_t block)
{
    if (corpus->cached_block == block) {
        return 0;
    }
    corpus->cached_block = CORPUS_NO_BLOCK;
    if (!corpus->select_block) {
        int rc = db_prepare(&corpus->select_block, corpus->db,
                            "SELECT moves, checksum FROM blocks WHERE block = ?1");
        if (rc != 0) {
            return rc;
        }
    }
    db_bind_int(corpus->select_block, 1, (int64_t)block);
    int rc = db_step(corpus->select_block);
    if (rc == 1) {
        rc = take_block(corpus, block, corpus->select_block);
    } else if (rc == 0) {
        rc = err_set(OGPT_EFORMAT, "%s: block %" PRIu64 ": missing", db_path(corpus->db), block);
    }
    db_reset(corpus->select_block);
    if (rc == 0) {
        corpus->cached_block = block;
    }
    return rc;
}

int corpus_read(Corpus *corpus, uint8_t *moves, uint64_t first, uint64_t n)
{
    const size_t stride = (size_t)corpus->info.variant->n_moves;
    if (first > corpus->info.n_games || n > corpus->info.n_games - first) {
        return err_set(OGPT_EUSAGE,
                       "%s: games %" PRIu64 " to %" PRIu64 " asked for, but it has %" PRIu64,
                       db_path(corpus->db), first, first + n - 1, corpus->info.n_games);
    }
    while (n > 0) {
        const uint64_t block = first / CORPUS_BLOCK_GAMES;
        const uint64_t inside = first % CORPUS_BLOCK_GAMES;
        const uint64_t rest = corpus__block_games(corpus, block) - inside;
        const uint64_t now = rest < n ? rest : n;
        const int rc = corpus__load_block(corpus, block);
        if (rc != 0) {
            return rc;
        }
        memcpy(moves, corpus->cache + inside * stride, now * stride);
        moves += now * stride;
        first += now;
        n -= now;
    }
    return 0;
}

uint64_t corpus__count_plies(const uint8_t *moves, size_t n_bytes)
{
    uint64_t plies = 0;
    for (size_t i = 0; i < n_bytes; i++) {
        plies += moves[i] != SQ_NONE;
    }
    return plies;
}

int corpus__compare_hashes(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a;
    const uint64_t y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

uint64_t corpus__count_repeats(uint64_t *hashes, size_t n)
{
    qsort(hashes, n, sizeof(*hashes), corpus__compare_hashes);
    uint64_t repeats = 0;
    for (size_t i = 1; i < n; i++) {
        repeats += hashes[i] == hashes[i - 1];
    }
    return repeats;
}

int corpus_count(CorpusCounts *out, Corpus *corpus)
{
    const GameVariant *variant = corpus->info.variant;
    const size_t room = corpus->info.n_games_present;
    *out = (CorpusCounts){0};
    uint64_t *hashes = mem_alloc(2 * room, sizeof(*hashes), "the hashes of all games");
    if (!hashes) {
        return OGPT_ENOMEM;
    }
    int rc = 0;
    size_t n = 0;
    for (uint64_t block = 0; block < corpus->n_blocks && rc == 0; block++) {
        if (!corpus->present[block]) {
            continue;
        }
        rc = corpus__load_block(corpus, block);
        for (uint64_t i = 0; rc == 0 && i < corpus__block_games(corpus, block); i++, n++) {
            const uint8_t *moves = corpus->cache + i * (size_t)variant->n_moves;
            const Split split = corpus_split(corpus, moves);
            hashes[n] = game_hash(moves, variant);
            hashes[room + n] = game_hash_canonical(moves, variant);
            if (split != SPLIT_NONE) {
                out->splits[split]++;
            }
        }
    }
    if (rc == 0) {
        out->duplicates = corpus__count_repeats(hashes, n);
        out->duplicates_symmetric = corpus__count_repeats(hashes + room, n);
    }
    mem_free(hashes);
    return rc;
}
