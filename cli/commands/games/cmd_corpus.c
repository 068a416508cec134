/* cli/commands/games/cmd_corpus.c - ogpt corpus info|show: what a corpus holds, and one game. */
#include "cli/command.h"

#include <string.h>

#include "base/err.h"
#include "report/draw.h"
#include "datasets/corpus.h"
#include "game/notation.h"

/* What every document about a corpus says of it; unknown while it is unfinished: null. */
static void counts_set(Js *document, const CorpusInfo *info, uint64_t duplicates)
{
    js_set_int(document, "games", (int64_t)info->n_games);
    js_set(document, "plies", info->complete ? js_int((int64_t)info->plies) : js_null());
    js_set_int(document, "duplicates", (int64_t)duplicates);
    js_set(document, "content_hash", info->complete ? js_str(info->content_hash) : js_null());
}

static int info_run(Context *context)
{
    Corpus *corpus = NULL;
    uint64_t duplicates = 0;
    Text text = {0};
    int rc = corpus_open(&corpus, context->args[0], true);
    rc = rc ? rc : corpus_count_duplicates(&duplicates, corpus);
    if (rc != 0) {
        corpus_close(corpus);
        return rc;
    }
    const CorpusInfo *info = corpus_info(corpus);
    int size = info->variant->size;
    Js *document = js_object();
    js_set_str(document, "path", context->args[0]);
    js_set_int(document, "size", size);
    js_set_str(document, "source", info->source);
    js_set_int(document, "corpus_seed", (int64_t)info->seed);
    js_set_str(document, "generator", info->generator);
    js_set_int(document, "games_present", (int64_t)info->n_games_present);
    js_set_bool(document, "complete", info->complete);
    counts_set(document, info, duplicates);
    text_add(&text, "corpus        %s\nboard         %dx%d\n", context->args[0], size, size);
    if (strcmp(info->source, "random") == 0) {
        text_add(&text, "source        random, seed %llu, generator %s\n",
                 (unsigned long long)info->seed, info->generator);
    } else {
        text_add(&text, "source        %s, by %s\n", info->source, info->generator);
    }
    text_add(&text, "games         %llu\n", (unsigned long long)info->n_games);
    if (info->complete) {
        text_add(&text, "plies         %llu\n", (unsigned long long)info->plies);
    }
    text_add(&text, "duplicates    %llu\n", (unsigned long long)duplicates);
    if (info->complete) {
        text_add(&text, "content hash  %s\n", info->content_hash);
    } else {
        text_add(&text, "unfinished: %llu games are there; type the same generate command again\n",
                 (unsigned long long)info->n_games_present);
    }
    corpus_close(corpus);
    int result = context_result(context, document, text.data);
    text_release(&text);
    return result;
}

const Command cmd_corpus_info = {
    .name = "corpus info",
    .arguments = "CORPUS",
    .summary = "what a corpus holds",
    .examples = "ogpt corpus info games.ogpc",
    .min_args = 1,
    .max_args = 1,
    .run = info_run,
};

typedef struct ShowOptions {
    int64_t ply;
} ShowOptions;

static const OptionSpec show_options[] = {
    {"ply", OPT_INT, offsetof(ShowOptions, ply), -1, GAME_MAX_MOVES, "-1", .argument = "K",
     .help = "board after K moves; -1: after the last"},
};

/* The game so far and the board, as text for people and as a document. */
static void game_describe(Text *text, Js *document, const GameVariant *variant,
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
    js_set_int(document, "size", variant->size);
    js_set_str(document, "moves", line);
    js_set_int(document, "ply", ply);
    js_set_str(document, "board", cells);
    js_set(document, "to_move", over ? js_null() : js_str(to_move));
    js_set(document, "legal", legal);
    js_set_int(document, "black", n_black);
    js_set_int(document, "white", n_white);
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
    draw_board(text, variant, board, ply > 0 ? 1ull << moves[ply - 1] : 0);
    text_add(text, "\n");
    draw_legend(text);
}

static int show_run(Context *context)
{
    const ShowOptions *given = context->options;
    const char *path = context->args[0];
    uint8_t moves[GAME_MAX_MOVES];
    Board after[GAME_MAX_MOVES];
    Corpus *corpus = NULL;
    Text text = {0};
    int64_t game = 0;
    uint64_t duplicates = 0;
    int rc = corpus_open(&corpus, path, true);
    if (rc != 0) {
        return rc;
    }
    const GameVariant *variant = corpus_info(corpus)->variant;
    rc = context_arg_int(&game, context, 1, "N", 0, (int64_t)corpus_info(corpus)->n_games - 1);
    rc = rc ? rc : corpus_read(corpus, moves, (uint64_t)game, 1);
    if (rc == 0 && context->json) { /* costs a pass over all games */
        rc = corpus_count_duplicates(&duplicates, corpus);
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
    Js *document = js_object();
    counts_set(document, &info, duplicates);
    js_set_int(document, "game", game);
    text_add(&text, "game %lld: ", (long long)game);
    game_describe(&text, document, variant, moves, n_moves,
                  ply > 0 ? &after[ply - 1] : &variant->start, ply);
    rc = context_result(context, document, text.data);
    text_release(&text);
    return rc;
}

const Command cmd_corpus_show = {
    .name = "corpus show",
    .arguments = "CORPUS N",
    .summary = "one game, and its board after any move",
    .examples = "ogpt corpus show games.ogpc 0\nogpt corpus show games.ogpc 17 --ply 20",
    .options = show_options,
    .n_options = sizeof(show_options) / sizeof(show_options[0]),
    .options_bytes = sizeof(ShowOptions),
    .min_args = 2,
    .max_args = 2,
    .run = show_run,
};
