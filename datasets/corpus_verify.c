/* datasets/corpus_verify.c - every check there is on a corpus file. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/process.h"
#include "datasets/corpus_internal.h"
#include "game/notation.h"

#define LINE_SIZE 1024

typedef struct Verify {
    Corpus *corpus;
    const char *path;
    CorpusReport *report;
    void (*finding)(void *context, const char *line);
    void *context;
    uint64_t *hashes; /* of the games seen so far */
    size_t n_hashes;
    Sha256 *content;
} Verify;

static void add_line(void *context, const char *line)
{
    Verify *verify = context;
    verify->report->findings++;
    if (verify->finding) {
        verify->finding(verify->context, line);
    }
}

static void add_finding(Verify *verify, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void add_finding(Verify *verify, const char *format, ...)
{
    char line[LINE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    add_line(verify, line);
}

static void verify_game(Verify *verify, uint64_t game, const uint8_t *moves)
{
    const GameVariant *variant = verify->corpus->info.variant;
    Board after[GAME_MAX_MOVES];
    const int n = game_length(moves, variant->n_moves);
    const int legal = game_replay(variant, moves, n, after);
    verify->report->plies += (uint64_t)n;
    if (legal < n) {
        char name[3];
        square_print(name, moves[legal]);
        verify->report->illegal_games++;
        add_finding(verify, "%s: game %" PRIu64 ": ply %d: %s is not a legal move", verify->path,
                    game, legal + 1, name);
        return;
    }
    for (int t = n; t < variant->n_moves; t++) {
        if (moves[t] != SQ_NONE) {
            verify->report->illegal_games++;
            add_finding(verify, "%s: game %" PRIu64 ": a move after the end, at place %d",
                        verify->path, game, t + 1);
            return;
        }
    }
    const Board *last = n > 0 ? &after[n - 1] : &variant->start;
    if (strcmp(verify->corpus->info.source, "random") == 0 && !board_is_over(variant, last)) {
        verify->report->illegal_games++;
        add_finding(verify, "%s: game %" PRIu64 ": ends after %d moves though moves are left",
                    verify->path, game, n);
    }
}

static void verify_block(Verify *verify, uint64_t block)
{
    Corpus *corpus = verify->corpus;
    const GameVariant *variant = corpus->info.variant;
    const size_t stride = (size_t)variant->n_moves;
    if (corpus__load_block(corpus, block) != 0) {
        verify->report->bad_blocks++;
        add_line(verify, err_message());
        return;
    }
    const uint64_t n_games = corpus__block_games(corpus, block);
    sha256_add(verify->content, corpus->cache, n_games * stride);
    for (uint64_t i = 0; i < n_games; i++) {
        const uint8_t *moves = corpus->cache + i * stride;
        verify_game(verify, block * CORPUS_BLOCK_GAMES + i, moves);
        verify->hashes[verify->n_hashes++] = game_hash(moves, variant);
    }
    verify->report->games += n_games;
}

/* The first present block after `block`, or the end. The missing ones between are one finding,
 * because a hostile file may declare millions. In an unfinished corpus they are no damage. */
static uint64_t skip_missing(Verify *verify, uint64_t block)
{
    const Corpus *corpus = verify->corpus;
    uint64_t next = block;
    while (next < corpus->n_blocks && !corpus->present[next]) {
        next++;
    }
    if (next > block && corpus->info.content_hash[0] != '\0') {
        verify->report->bad_blocks += next - block;
        if (next == block + 1) {
            add_finding(verify, "%s: block %" PRIu64 ": missing", verify->path, block);
        } else {
            add_finding(verify, "%s: blocks %" PRIu64 " to %" PRIu64 ": missing", verify->path,
                        block, next - 1);
        }
    }
    return next;
}

/* Check the totals of the meta row. Frees the state of the content hash. */
static void verify_totals(Verify *verify)
{
    const CorpusInfo *info = &verify->corpus->info;
    char found[HASH_HEX_SIZE];
    sha256_finish(verify->content, found);
    verify->content = NULL;
    if (info->content_hash[0] == '\0') {
        add_finding(verify,
                    "%s: unfinished: expected %" PRIu64 " games, found %" PRIu64
                    "; the command that made it goes on where it stopped",
                    verify->path, info->n_games, verify->report->games);
        return;
    }
    if (verify->report->bad_blocks > 0) {
        return; /* a hash of the rest would differ, which is no news */
    }
    if (strcmp(found, info->content_hash) != 0) {
        add_finding(verify, "%s: content hash: expected %s, found %s", verify->path,
                    info->content_hash, found);
    }
    if (verify->report->plies != info->plies) {
        add_finding(verify, "%s: expected %" PRIu64 " plies, found %" PRIu64, verify->path,
                    info->plies, verify->report->plies);
    }
}

int corpus_verify(CorpusReport *out, const char *path,
                  void (*finding)(void *context, const char *line), void *context)
{
    memset(out, 0, sizeof(*out));
    Verify verify = {.path = path, .report = out, .finding = finding, .context = context};
    int rc = corpus__open_meta(&verify.corpus, path);
    if (rc != 0) {
        return rc;
    }
    if (db_check(verify.corpus->db) != 0) {
        add_line(&verify, err_message());
    }
    rc = corpus__load_present(verify.corpus, add_line, &verify);
    if (rc != 0) {
        goto done;
    }
    verify.hashes = mem_alloc(verify.corpus->info.n_games_present, sizeof(*verify.hashes),
                              "the hashes of all games");
    if (!verify.hashes) {
        rc = OGPT_ENOMEM;
        goto done;
    }
    rc = sha256_new(&verify.content);
    uint64_t block = skip_missing(&verify, 0);
    while (rc == 0 && block < verify.corpus->n_blocks) {
        verify_block(&verify, block);
        block = skip_missing(&verify, block + 1);
        if (interrupt_pending()) {
            rc = err_set(OGPT_EINTR, "%s: interrupted after %" PRIu64 " of %" PRIu64 " games", path,
                         out->games, verify.corpus->info.n_games);
        }
    }
    if (rc == 0) {
        verify_totals(&verify);
        out->duplicates = corpus__count_repeats(verify.hashes, verify.n_hashes);
    }
done:
    sha256_free(verify.content);
    mem_free(verify.hashes);
    corpus_close(verify.corpus);
    return rc;
}
