/* cli/commands/games/cmd_corpus_show.c - ogpt corpus show: one game of a corpus. */
#include "base/err.h"
#include "cli/study.h"
#include "datasets/corpus.h"
#include "game/notation.h"
#include "report/draw.h"

typedef struct CorpusShowOptions {
    int64_t ply;
} CorpusShowOptions;

static const OptionSpec show_options[] = {
    OPTION_INT("ply", offsetof(CorpusShowOptions, ply), "K", -1, GAME_MAX_MOVES,
               "board after K moves; -1: after the last", .def = "-1"),
};

static const Column game_columns[] = {
    {"games", .type = COLUMN_COUNT},          {"plies", .type = COLUMN_COUNT},
    {"duplicates", .type = COLUMN_COUNT},     {"content_hash", .type = COLUMN_TEXT},
    {"game", "game", .type = COLUMN_COUNT},   {"size", "board", .type = COLUMN_COUNT},
    {"moves", "moves", .type = COLUMN_TEXT},  {"ply", "ply", .type = COLUMN_COUNT},
    {"board", .type = COLUMN_TEXT},           {"to_move", "to move", .type = COLUMN_TEXT},
    {"legal", .type = COLUMN_NESTED},         {"black", "black", .type = COLUMN_COUNT},
    {"white", "white", .type = COLUMN_COUNT},
};
static const TableSpec game_table = {"game", TABLE_COLUMNS(game_columns), .record = true};

/* The game so far, in words and as a row. */
static void game_describe(Text *text, Table *table, const GameVariant *variant,
                          const uint8_t *moves, int n_moves, const Board *board, int ply)
{
    char line[3 * GAME_MAX_MOVES + 1];
    char cells[BOARD_SQUARES + 3];
    bool over = board_is_over(variant, board);
    const char *to_move = board->to_move == BLACK ? "black" : "white";
    int n_black = __builtin_popcountll(board_discs(board, BLACK));
    int n_white = __builtin_popcountll(board_discs(board, WHITE));
    Js *legal = js_array();
    moves_print(line, moves, n_moves);
    board_print(cells, variant, board);
    for (uint64_t mask = board_moves(variant, board); mask != 0; mask &= mask - 1) {
        char name[3];
        square_print(name, __builtin_ctzll(mask));
        js_push(legal, js_str(name));
    }
    table_int(table, "size", variant->size);
    table_text(table, "moves", line);
    table_int(table, "ply", ply);
    table_text(table, "board", cells);
    table_text(table, "to_move", over ? NULL : to_move);
    table_set(table, "legal", legal);
    table_int(table, "black", n_black);
    table_int(table, "white", n_white);
    text_add(text, "%s\n\nafter move %d of %d", line, ply, n_moves);
    if (ply > 0) {
        char name[3];
        square_print(name, moves[ply - 1]);
        text_add(text, " (%s)", name);
    }
    if (over) {
        text_add(text, ", the game is over");
    } else {
        text_add(text, ", %s to move", to_move);
    }
    text_add(text, ": black %d, white %d\n\n", n_black, n_white);
}

static int show_run(Context *context)
{
    const CorpusShowOptions *given = context->options;
    const char *path = context->args[0];
    uint8_t moves[GAME_MAX_MOVES];
    Board after[GAME_MAX_MOVES];
    Corpus *corpus = NULL;
    int64_t game = 0;
    CorpusCounts counts = {0};
    int rc = corpus_open(&corpus, path, true);
    if (rc != 0) {
        return rc;
    }
    const GameVariant *variant = corpus_info(corpus)->variant;
    rc = context_arg_int(&game, context, 1, "N", 0, (int64_t)corpus_info(corpus)->n_games - 1);
    rc = rc ? rc : corpus_read(corpus, moves, (uint64_t)game, 1);
    if (rc == 0 && context->json) { /* costs a pass over all games */
        rc = corpus_count(&counts, corpus);
    }
    const CorpusInfo info = *corpus_info(corpus);
    corpus_close(corpus);
    if (rc != 0) {
        return rc;
    }
    int n_moves = game_length(moves, variant->n_moves);
    int ply = given->ply >= 0 ? (int)given->ply : n_moves;
    if (ply > n_moves) {
        return err_set(OGPT_EUSAGE, "corpus show: --ply: game %lld has %d moves, found %d",
                       (long long)game, n_moves, ply);
    }
    int n_legal = game_replay(variant, moves, n_moves, after);
    if (n_legal < ply) {
        return err_set(OGPT_EFORMAT, "%s: game %lld: move %d is illegal; run 'ogpt verify %s'",
                       path, (long long)game, n_legal + 1, path);
    }
    Table *table = study_table(context, &game_table);
    Text *text = study_text(context);
    table->hidden = true; /* the drawing says it */
    table_int(table, "games", (int64_t)info.n_games);
    table_set(table, "plies", info.complete ? js_int((int64_t)info.plies) : js_null());
    table_int(table, "duplicates", (int64_t)counts.duplicates);
    table_text(table, "content_hash", info.complete ? info.content_hash : NULL);
    table_int(table, "game", game);
    text_add(text, "game %lld: ", (long long)game);
    const Board *board = ply > 0 ? &after[ply - 1] : &variant->start;
    DrawBoard drawn = draw_of_board("", variant, board);
    drawn.chosen = ply > 0 ? 1ull << moves[ply - 1] : 0;
    game_describe(text, table, variant, moves, n_moves, board, ply);
    draw_boards(text, variant, &drawn, 1, context->style);
    text_add(text, "\n");
    draw_legend(text, &drawn, 1, context->style);
    return 0;
}

const Command cmd_corpus_show = {
    .name = "corpus show",
    .arguments = "CORPUS N",
    .summary = "one game, and its board after any move",
    .examples = "ogpt corpus show games.ogpc 0\nogpt corpus show games.ogpc 17 --ply 20",
    COMMAND_OPTIONS(show_options, CorpusShowOptions),
    .min_args = 2,
    .max_args = 2,
    .uses = USES_BOARDS,
    COMMAND_TABLES(&game_table),
    .run = show_run,
};
