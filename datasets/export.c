/* datasets/export.c - games out of a corpus, a block at a time. */
#include "datasets/export.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/files.h"
#include "base/formats/npy.h"
#include "base/process.h"
#include "base/stream.h"
#include "datasets/readers/game_reader.h"
#include "datasets/import_check.h"
#include "datasets/vocab.h"
#include "game/notation.h"

#define GAME_TEXT_MAX 1024 /* bytes; a PGN game has 30 lines of at most 10, and its tags */

typedef struct Exporter {
    const CorpusInfo *info;
    const ExportOptions *options;
    const char *path;
    uint64_t game; /* being written */
    StreamWriter *text;
    NpyWriter *npy;
    char beside[FILES_PATH_MAX]; /* the temporary file, until it is complete */
} Exporter;

static void game_transpose(uint8_t *moves, int n, const GameVariant *variant)
{
    for (int t = 0; t < n; t++) {
        moves[t] = (uint8_t)symmetry_sq(variant, SYMMETRY_TRANSPOSE, moves[t]);
    }
}

static int goal_check(const char *path);

/* ---- forms ---- */

static int npy_game(Exporter *exporter, uint8_t *moves, int n)
{
    const GameVariant *variant = exporter->info->variant;
    if (exporter->options->tokens) {
        const Vocab *vocab = vocab_of(variant);
        for (int t = 0; t < variant->n_moves; t++) {
            moves[t] = t < n ? vocab->tok_of_sq[moves[t]] : TOK_PAD;
        }
    }
    return npy_writer_add(exporter->npy, moves, (size_t)variant->n_moves);
}

static int text_game(Exporter *exporter, const uint8_t *moves, int n)
{
    char line[3 * GAME_MAX_MOVES + 1];
    moves_print(line, moves, n);
    const size_t length = strlen(line);
    line[length] = '\n';
    return stream_writer_add(exporter->text, line, length + 1);
}

/* One game as PGN into out[GAME_TEXT_MAX]; tags: whole lines. Returns its length. */
static size_t pgn_print(char *out, const char *tags, const char *result, const uint8_t *moves,
                        int n)
{
    size_t at = (size_t)snprintf(out, GAME_TEXT_MAX, "%s[Result \"%s\"]\n", tags, result);
    for (int t = 0; t < n; t++) {
        char name[3];
        square_print(name, moves[t]);
        at += t % 2 == 0 ? (size_t)snprintf(out + at, GAME_TEXT_MAX - at, "%d. %s", t / 2 + 1, name)
                         : (size_t)snprintf(out + at, GAME_TEXT_MAX - at, " %s\n", name);
    }
    return at + (size_t)snprintf(out + at, GAME_TEXT_MAX - at, n % 2 == 0 ? "%s\n\n" : "\n%s\n\n",
                                 result);
}

/* `moves` in the notation to be written, `result` from the corpus. */
static int pgn_game(Exporter *exporter, const uint8_t *moves, int n, const char *result)
{
    char out[GAME_TEXT_MAX], tags[128];
    snprintf(tags, sizeof(tags), "[Event \"%.16s\"]\n[Site \"?\"]\n[Round \"%" PRIu64 "\"]\n",
             exporter->info->content_hash, exporter->game);
    return stream_writer_add(exporter->text, out, pgn_print(out, tags, result, moves, n));
}

/* `result` as in PGN. Source of the form: datasets/readers/read_ggf.c. */
static int ggf_game(Exporter *exporter, const uint8_t *moves, int n, const char *result)
{
    const GameVariant *variant = exporter->info->variant;
    char out[GAME_TEXT_MAX];
    char start[BOARD_SQUARES + 3];
    char difference[8] = "?";
    int black = 0, white = 0;
    Board board = variant->start;
    board_print(start, variant, &board);
    for (char *c = start; *c != '\0'; c++) {
        *c = *c == 'b' ? '*' : *c == 'w' ? 'O' : *c == '.' ? '-' : *c;
    }
    if (sscanf(result, "%d-%d", &black, &white) == 2) {
        snprintf(difference, sizeof(difference), "%+d", black - white);
    }
    size_t at =
        (size_t)snprintf(out, sizeof(out), "(;GM[Othello]PC[ogpt]PB[?]PW[?]RE[%s]TY[%d]BO[%d %s]",
                         difference, variant->size, variant->size, start);
    for (int t = 0; t < n; t++) {
        static const char colours[] = "BW";
        const int mover = board.to_move == WHITE;
        char name[3];
        square_print(name, moves[t]);
        at += (size_t)snprintf(out + at, sizeof(out) - at, "%c[%s]", colours[mover], name);
        if (board_play(variant, &board, moves[t]) == PLAY_OPPONENT_PASSES) {
            at += (size_t)snprintf(out + at, sizeof(out) - at, "%c[PA]", colours[!mover]);
        }
    }
    at += (size_t)snprintf(out + at, sizeof(out) - at, ";)\n");
    return stream_writer_add(exporter->text, out, at);
}

/* The result of a PGN game, by replaying its moves. Returns the number of legal moves. */
static int result_print(char out[16], const GameVariant *variant, const uint8_t *moves, int n)
{
    Board after[GAME_MAX_MOVES];
    int black = 0;
    int white = 0;
    const int legal = game_replay(variant, moves, n, after);
    const Board *last = n > 0 ? &after[n - 1] : &variant->start;
    snprintf(out, 16, "*");
    if (legal == n && board_is_over(variant, last)) {
        board_count(&black, &white, variant, last, false);
        snprintf(out, 16, "%d-%d", black, white);
    }
    return legal;
}

static int find_result(char out[16], const Exporter *exporter, const uint8_t *moves, int n)
{
    const int legal = result_print(out, exporter->info->variant, moves, n);
    return legal == n
               ? 0
               : err_set(OGPT_EFORMAT,
                         "corpus %.16s: game %" PRIu64
                         ": ply %d: expected a legal move, found none; run 'ogpt verify' on it",
                         exporter->info->content_hash, exporter->game, legal + 1);
}

int export_one(const char *path, const GameVariant *variant, const uint8_t *moves, int n,
               const char *const players[2], bool force)
{
    char out[GAME_TEXT_MAX], tags[256], result[16];
    result_print(result, variant, moves, n);
    snprintf(tags, sizeof(tags),
             "[Event \"ogpt play\"]\n[Site \"?\"]\n[Round \"0\"]\n[Black \"%.40s\"]\n"
             "[White \"%.40s\"]\n",
             players[BLACK], players[WHITE]);
    const size_t n_bytes = pgn_print(out, tags, result, moves, n);
    const int rc = force ? goal_check(path) : 0;
    return rc ? rc : file_write_atomic(path, out, n_bytes, force);
}

static int write_game(Exporter *exporter, uint8_t *moves)
{
    const GameVariant *variant = exporter->info->variant;
    const int n = game_length(moves, variant->n_moves);
    char result[16] = "*";
    int rc = 0;
    if (exporter->options->format == EXPORT_PGN || exporter->options->format == EXPORT_GGF) {
        rc = find_result(result, exporter, moves, n);
    }
    if (exporter->options->transposed && exporter->options->format == EXPORT_NPY) {
        game_transpose(moves, n, variant);
    }
    if (rc == 0) {
        switch (exporter->options->format) {
        case EXPORT_NPY: rc = npy_game(exporter, moves, n); break;
        case EXPORT_TEXT: rc = text_game(exporter, moves, n); break;
        case EXPORT_PGN: rc = pgn_game(exporter, moves, n, result); break;
        case EXPORT_GGF: rc = ggf_game(exporter, moves, n, result); break;
        }
    }
    exporter->game++;
    return rc;
}

/* ---- the file ---- */

/* --force replaces only an older export: the file must be readable as games. The first game
 * decides, read as 8x8, a board that has the squares of all. */
static bool is_games(const char *path)
{
    GameReader *reader = NULL;
    RawGame games[2];
    size_t n = 0;
    const ReadOptions options = {.variant = game_variant(8), .format = "auto", .npy = NPY_SQUARES};
    if (game_reader_open(&reader, path, &options) != 0) {
        return false;
    }
    const char *format = game_reader_format(reader);
    bool is = strcmp(format, "npy") == 0 || strcmp(format, "ggf") == 0 ||
              ((strcmp(format, "text") == 0 || strcmp(format, "pgn") == 0) &&
               game_reader_next(reader, games, 2, &n) == 0 && n > 0 && games[0].fault[0] == '\0');
    game_reader_close(reader);
    return is;
}

static int goal_check(const char *path)
{
    PathKind kind;
    uint64_t n_bytes = 0;
    int rc = path_kind(&kind, path);
    if (rc == 0 && kind == PATH_DIRECTORY) {
        return err_set(OGPT_EUSAGE, "%s: expected a file, found a directory; name another", path);
    }
    if (rc == 0 && kind == PATH_FILE) {
        rc = file_size(&n_bytes, path);
    }
    if (rc != 0) {
        return rc;
    }
    if (n_bytes > 0 && !is_games(path)) {
        return err_set(
            OGPT_EUSAGE,
            "%s: exists and holds no games as npy, text, PGN or GGF, so it is not replaced; "
            "name another file",
            path);
    }
    return 0;
}

static int begin(Exporter *exporter)
{
    const uint64_t n_games = exporter->info->n_games;
    const uint64_t n_moves = (uint64_t)exporter->info->variant->n_moves;
    /* A move takes one byte in npy, three as text and about five with its number. */
    static const uint64_t move_bytes[] = {
        [EXPORT_NPY] = 1, [EXPORT_TEXT] = 3, [EXPORT_PGN] = 5, [EXPORT_GGF] = 5};
    const int rc =
        disk_preflight(exporter->path, n_games * n_moves * move_bytes[exporter->options->format]);
    if (rc != 0) {
        return rc;
    }
    remove(exporter->beside); /* an earlier process with our pid may have left one */
    if (exporter->options->format != EXPORT_NPY) {
        return stream_writer_new(&exporter->text, exporter->beside);
    }
    const uint64_t shape[2] = {n_games, n_moves};
    return npy_writer_new(&exporter->npy, exporter->beside, "u1", 2, shape);
}

/* *same: the existing file has exactly the bytes of the new one. */
static int compare(bool *same, const Exporter *exporter)
{
    char old[HASH_HEX_SIZE];
    char new[HASH_HEX_SIZE];
    int rc = sha256_file(old, exporter->path);
    rc = rc ? rc : sha256_file(new, exporter->beside);
    *same = rc == 0 && strcmp(old, new) == 0;
    if (rc != 0 || *same || exporter->options->force) {
        return rc;
    }
    return err_set(OGPT_EUSAGE,
                   "%s: holds something else than these games in this form; name another file, or "
                   "replace it with --force",
                   exporter->path);
}

/* Finish the file and put it in place. */
static int finish(Exporter *exporter, bool *unchanged)
{
    StreamWriter *text = exporter->text;
    NpyWriter *npy = exporter->npy;
    exporter->text = NULL;
    exporter->npy = NULL;
    int rc = text ? stream_writer_finish(text) : npy_writer_finish(npy);
    PathKind kind = PATH_OTHER;
    rc = rc ? rc : path_kind(&kind, exporter->path);
    if (rc != 0) {
        remove(exporter->beside);
        return rc;
    }
    if (kind == PATH_FILE) {
        rc = compare(unchanged, exporter);
        if (rc != 0 || *unchanged) {
            remove(exporter->beside);
            return rc;
        }
    }
    return file_publish(exporter->beside, exporter->path, exporter->options->force);
}

int export_games(bool *unchanged, Corpus *corpus, const char *path, const ExportOptions *options,
                 void (*progress)(void *context, uint64_t games_done), void *context)
{
    const CorpusInfo *info = corpus_info(corpus);
    const size_t stride = (size_t)info->variant->n_moves;
    Exporter exporter = {.info = info, .options = options, .path = path};
    size_t n_stale = 0;
    *unchanged = false;
    int rc = goal_check(path);
    rc = rc ? rc : path_temporary(exporter.beside, path);
    rc = rc ? rc : path_clean_stale(&n_stale, path);
    if (rc != 0) {
        return rc;
    }
    uint8_t *moves = mem_alloc(CORPUS_BLOCK_GAMES, stride, "a block of games");
    if (!moves) {
        return OGPT_ENOMEM;
    }
    rc = begin(&exporter);
    for (uint64_t first = 0; rc == 0 && first < info->n_games; first += CORPUS_BLOCK_GAMES) {
        const uint64_t left = info->n_games - first;
        const uint64_t n = left < CORPUS_BLOCK_GAMES ? left : CORPUS_BLOCK_GAMES;
        rc = corpus_read(corpus, moves, first, n);
        for (uint64_t i = 0; rc == 0 && i < n; i++) {
            rc = write_game(&exporter, moves + i * stride);
        }
        if (rc == 0 && progress) {
            progress(context, first + n);
        }
        if (rc == 0 && interrupt_pending()) {
            rc = err_set(OGPT_EINTR, "%s: interrupted, nothing written", path);
        }
    }
    rc = rc ? rc : finish(&exporter, unchanged);
    stream_writer_abort(exporter.text);
    npy_writer_abort(exporter.npy);
    mem_free(moves);
    return rc;
}
