/* datasets/corpus_publish.c - putting a finished corpus where another may be. */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "datasets/corpus_internal.h"

int corpus_check_goal(const char *path, const GameVariant *variant, bool force)
{
    uint32_t application_id = 0;
    Corpus *corpus = NULL;
    PathKind kind;
    int rc = path_kind(&kind, path);
    if (rc == 0 && kind == PATH_DIRECTORY) {
        return err_set(OGPT_EUSAGE, "%s: expected a corpus file, found a directory; name another",
                       path);
    }
    if (rc != 0 || kind != PATH_FILE) {
        return rc;
    }
    rc = db_application_id(&application_id, path);
    if (rc == 0 && application_id != CORPUS_APPLICATION_ID) {
        rc = err_set(OGPT_EFORMAT,
                     "%s: expected a corpus, found another kind of database; name another file",
                     path);
    }
    if (rc != 0 || force) {
        return rc;
    }
    rc = corpus_open(&corpus, path, true);
    if (rc == 0 && (strcmp(corpus_info(corpus)->source, "import") != 0 ||
                    corpus_info(corpus)->variant != variant)) {
        rc = err_set(OGPT_EUSAGE,
                     "%s: holds %s games of size %d by the rules %s, asked for imported ones of "
                     "size %d by %s; name another corpus, or replace it with --force",
                     path, corpus_info(corpus)->source, corpus_info(corpus)->variant->size,
                     game_rules_name(corpus_info(corpus)->variant->rules), variant->size,
                     game_rules_name(variant->rules));
    }
    corpus_close(corpus);
    return rc;
}

/* Compare the corpus that is there with the finished one. */
static int compare(bool *same, const char *path, const char *from, bool force)
{
    Corpus *old = NULL, *made = NULL;
    int rc = corpus_open(&made, from, false);
    const int damaged = rc ? 0 : corpus_open(&old, path, true);
    *same = false;
    if (rc == 0 && damaged == 0) {
        const CorpusInfo *a = corpus_info(old), *b = corpus_info(made);
        *same = a->complete && strcmp(a->source, b->source) == 0 &&
                strcmp(a->content_hash, b->content_hash) == 0;
    }
    corpus_close(old);
    corpus_close(made);
    if (rc != 0 || *same || force) {
        return rc; /* a damaged corpus may be replaced */
    }
    return damaged ? damaged
                   : err_set(OGPT_EUSAGE,
                             "%s: holds other games than those made now; name another corpus, or "
                             "replace it with --force",
                             path);
}

/* SQLite's files next to a replaced corpus go with it: they would be applied to the new one. */
int corpus_publish(bool *unchanged, const char *from, const char *path, bool force)
{
    char beside[FILES_PATH_MAX];
    static const char *const suffixes[] = {"-wal", "-shm", "-journal"};
    const size_t n = sizeof(suffixes) / sizeof(suffixes[0]);
    *unchanged = false;
    for (size_t i = 0; i < n; i++) {
        if (snprintf(beside, sizeof(beside), "%s%s", from, suffixes[i]) >= FILES_PATH_MAX) {
            return err_set(OGPT_EUSAGE, "path of more than %d bytes", FILES_PATH_MAX - 1);
        }
        PathKind log;
        const int seen = path_kind(&log, beside);
        if (seen != 0 || log != PATH_MISSING) {
            return seen ? seen
                        : err_set(OGPT_EIO, "%s: SQLite has not finished the file; free some disk",
                                  from);
        }
    }
    PathKind kind;
    int rc = path_kind(&kind, path);
    if (rc == 0 && kind == PATH_FILE) {
        rc = compare(unchanged, path, from, force);
        if (rc != 0 || *unchanged) {
            return rc;
        }
        for (size_t i = 0; i < n; i++) {
            snprintf(beside, sizeof(beside), "%s%s", path, suffixes[i]); /* shorter than `from` */
            remove(beside);
        }
    }
    return rc ? rc : file_publish(from, path, force);
}

int corpus_make(bool *unchanged, const char *path, bool force,
                int (*make)(void *context, const char *inside), void *context)
{
    char folder[FILES_PATH_MAX], inside[FILES_PATH_MAX];
    FileLock lock = {.fd = -1};
    size_t n_stale = 0;
    PathKind kind;
    *unchanged = false;
    int rc = path_temporary(folder, path);
    rc = rc ? rc : path_join(inside, folder, "corpus");
    rc = rc ? rc : file_lock_beside(&lock, path);
    if (rc != 0) {
        return rc;
    }
    rc = path_clean_stale(&n_stale, path);
    rc = rc ? rc : path_kind(&kind, folder);
    if (rc == 0 && kind == PATH_DIRECTORY) {
        rc = dir_remove(folder);
    }
    rc = rc ? rc : dir_create(folder);
    if (rc == 0) {
        rc = make(context, inside);
        if (rc == 0) {
            rc = corpus_publish(unchanged, inside, path, force);
        }
        const int removed = dir_remove(folder);
        rc = rc < 0 ? rc : removed;
    }
    file_unlock(&lock);
    return rc;
}

/* Games on the way into a corpus. */
typedef struct SavedGames {
    const CorpusInfo *meta;
    const uint8_t *moves;
} SavedGames;

static int write_games(void *context, const char *path)
{
    const SavedGames *games = context;
    Corpus *corpus = NULL;
    uint64_t n_blocks = (games->meta->n_games + CORPUS_BLOCK_GAMES - 1) / CORPUS_BLOCK_GAMES;
    int rc = corpus_create(&corpus, path, games->meta);
    rc = rc ? rc : corpus_write_blocks(corpus, 0, n_blocks, games->moves);
    rc = rc ? rc : corpus_finish(corpus);
    corpus_close(corpus);
    return rc;
}

int corpus_save(bool *unchanged, const char *path, const CorpusInfo *meta, const uint8_t *moves,
                bool force)
{
    SavedGames games = {meta, moves};
    return corpus_make(unchanged, path, force, write_games, &games);
}
