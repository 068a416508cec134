/* datasets/readers/read_ggf.c - GGF, the generic game format of the server GGS and of programs such
 * as NBoard: "(;GM[Othello]PC[...]...BO[8 ---...--- *]B[F5//2.4]W[D6]...;)", any number of games in
 * a file, a count before them (synchronised pairs) or not. A move is a square or a pass, then
 * perhaps "/evaluation/seconds". RE is black's discs minus white's, or "?".
 *
 * Only games of Othello from the start position are read; its mirror is turned later, like those of
 * any format. A result with a komi is counted as unknown, because it is not a count of the board.
 * Property types: TY[s8r18k] = synchronised, 8x8, 18 discs placed at random, komi; a = anti, where
 * the fewer discs win.
 *
 * Source: M. Buro, Generic Game Format, skatgame.net/mburo/ggsa/ggf.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "datasets/readers/game_reader_internal.h"
#include "game/notation.h"

#define GAME_MARK "(;GM[" /* how a game begins */

static bool ggf_recognise(const uint8_t *head, size_t n, uint64_t size, const ReadOptions *options)
{
    const size_t first = text__first_word(head, n);
    size_t i = first;
    while (i < n && (isdigit(head[i]) || isspace(head[i]))) { /* how many games follow */
        i++;
    }
    if (i + 1 >= n || head[i] != '(' || head[i + 1] != ';') {
        return false;
    }
    for (i += 2; i < n && isspace(head[i]); i++) {
    }
    return n - i >= 3 && memcmp(head + i, "GM[", 3) == 0;
}

static int ggf_begin(GameReader *reader)
{
    reader->ggf = (GgfState){.where = GGF_OUTSIDE};
    return text__begin(reader);
}

static RawGame *game_begin(GameReader *reader)
{
    GgfState *ggf = &reader->ggf;
    RawGame *game = reader__game(reader, reader->text.line);
    game->result = RESULT_UNKNOWN;
    ggf->where = GGF_KEY;
    ggf->n_key = ggf->n_value = ggf->n_start = 0;
    ggf->whole_result = true;
    ggf->type[0] = '\0';
    return game;
}

static void game_end(GameReader *reader)
{
    if (!reader->ggf.whole_result) {
        reader->game.result = RESULT_UNKNOWN;
    }
    reader__game_done(reader);
    reader->ggf.where = GGF_OUTSIDE;
    reader->ggf.n_key = 0;
}

/* ---- properties ---- */

/* Which kind of game: TY, letters around the size. */
static void type_take(GgfState *ggf, RawGame *game, uint64_t line)
{
    snprintf(ggf->type, sizeof(ggf->type), "%.15s", ggf->value);
    for (char *c = ggf->type; *c != '\0'; c++) {
        *c = *c > ' ' && *c < 0x7f ? *c : '?';
    }
    ggf->whole_result = ggf->whole_result && !strchr(ggf->type, 'k');
    if (strchr(ggf->type, 'a')) {
        raw_game_fault(game, line,
                       "expected Othello, found a game in which the fewer discs win (TY[%s])",
                       ggf->type);
    }
}

/* BO: size, squares of row 1 first, side to move. */
static void board_take(const GameReader *reader, RawGame *game, uint64_t line)
{
    const GgfState *ggf = &reader->ggf;
    const GameVariant *variant = reader->variant;
    char *squares = NULL;
    const long size = strtol(ggf->value, &squares, 10);
    Board board;
    if (size != variant->size) {
        raw_game_fault(game, line,
                       "expected a board of %dx%d, found %ldx%ld; a corpus holds games of one "
                       "size: give --size",
                       variant->size, variant->size, size, size);
    } else if (board_parse(&board, variant, squares) != 0) {
        raw_game_fault(game, line, "expected the start position, found a damaged board (BO)");
    } else {
        const Board *start = &variant->start;
        const uint64_t discs[2] = {board_discs(&board, BLACK), board_discs(&board, WHITE)};
        const bool plain = discs[0] == start->mine && discs[1] == start->theirs;
        const bool turned = discs[0] == start->theirs && discs[1] == start->mine;
        if (board.to_move != BLACK || (!plain && !turned)) {
            raw_game_fault(game, line,
                           "expected the start position of Othello, found another one with %d "
                           "discs%s%s%s",
                           __builtin_popcountll(discs[0] | discs[1]),
                           ggf->type[0] != '\0' ? " (TY[" : "", ggf->type,
                           ggf->type[0] != '\0' ? "])" : "");
        }
    }
}

/* RE: a difference such as -12.00, perhaps with :r (resigned), :t (time) or :s (agreed). */
static void difference_take(RawGame *game, const char *text)
{
    char *end = NULL;
    const double difference = strtod(text, &end);
    const int whole = difference >= -BOARD_SQUARES && difference <= BOARD_SQUARES
                          ? (int)difference
                          : BOARD_SQUARES + 1;
    if (end != text && (*end == '\0' || *end == ':') && whole == difference) {
        game->result = RESULT_DIFFERENCE;
        game->black = whole;
    }
}

static void move_take(GameReader *reader, RawGame *game, uint64_t line)
{
    GgfState *ggf = &reader->ggf;
    const int n_before = game->n;
    size_t n = strcspn(ggf->value, "/");
    reader->text.word_line = line;
    reader->text.word_offset = ggf->value_offset;
    text__moves_take(reader, game, ggf->value, n);
    if (game->fault[0] == '\0' && game->n != n_before + 1) {
        raw_game_fault(game, line, "expected one move in %s[...], found %d", ggf->key,
                       game->n - n_before);
    }
    if (game->n > n_before) {
        game->mover[n_before] = ggf->key[0] == 'B' ? MOVER_BLACK : MOVER_WHITE;
    }
}

static void value_end(GameReader *reader)
{
    GgfState *ggf = &reader->ggf;
    RawGame *game = &reader->game;
    const char *key = ggf->key;
    const uint64_t line = ggf->opened;
    ggf->value[ggf->n_value] = '\0';
    if (strcmp(key, "B") == 0 || strcmp(key, "W") == 0) {
        move_take(reader, game, line);
    } else if (strcmp(key, "BO") == 0) {
        board_take(reader, game, line);
    } else if (strcmp(key, "RE") == 0) {
        difference_take(game, ggf->value);
    } else if (strcmp(key, "TY") == 0) {
        type_take(ggf, game, line);
    } else if (strcmp(key, "KM") == 0) {
        ggf->whole_result = ggf->whole_result && strtod(ggf->value, NULL) == 0;
    } else if (strcmp(key, "GM") == 0 && (ggf->value[0] | 0x20) != 'o' &&
               (ggf->value[0] | 0x20) != 'r') { /* Othello, Reversi */
        char shown[SHOWN_MAX];
        text__show(shown, ggf->value, ggf->n_value);
        raw_game_fault(game, line, "expected a game of Othello, found one of %s", shown);
    }
    ggf->n_key = 0;
    ggf->where = GGF_KEY;
}

static void value_begin(GameReader *reader)
{
    GgfState *ggf = &reader->ggf;
    ggf->key[ggf->n_key] = '\0';
    ggf->where = GGF_VALUE;
    ggf->n_value = ggf->n_start = 0;
    ggf->opened = reader->text.line;
    ggf->value_offset = reader->text.offset + 1;
}

/* ---- bytes ---- */

/* The game that is open has lost its end: another one begins here. */
static void game_cut(GameReader *reader, const char *expected)
{
    raw_game_fault(&reader->game, reader->text.line, "expected %s, found the next game", expected);
    game_end(reader);
    game_begin(reader);
}

static void outside_byte(GameReader *reader, char byte)
{
    GgfState *ggf = &reader->ggf;
    if (byte == ';' && ggf->last == '(') {
        game_begin(reader);
    } else if (byte >= 'A' && byte <= 'Z' && ggf->n_key < 2) {
        ggf->key[ggf->n_key++] = byte;
    } else if (byte == '[' && ggf->n_key > 0) { /* a property, so the beginning is damaged */
        const size_t n_key = ggf->n_key;
        raw_game_fault(game_begin(reader), reader->text.line,
                       "expected (; at the beginning of a game, found a property");
        ggf->n_key = n_key;
        value_begin(reader);
    } else {
        ggf->n_key = 0;
    }
}

static void key_byte(GameReader *reader, char byte)
{
    GgfState *ggf = &reader->ggf;
    if (byte == '[' && ggf->n_key > 0) {
        value_begin(reader);
    } else if (byte == ')') {
        game_end(reader);
    } else if (byte == ';' && ggf->last == '(') {
        game_cut(reader, ";) at the end of a game");
    } else if (byte >= 'A' && byte <= 'Z' && ggf->n_key < 2) {
        ggf->key[ggf->n_key++] = byte;
    } else if (!isspace((unsigned char)byte) && byte != ';' && byte != '(') {
        char shown[SHOWN_MAX];
        text__show(shown, &byte, 1);
        raw_game_fault(&reader->game, reader->text.line,
                       "expected a property such as B[F5], found %s at byte %llu", shown,
                       (unsigned long long)reader->text.offset);
    }
}

static void value_byte(GameReader *reader, char byte)
{
    GgfState *ggf = &reader->ggf;
    ggf->n_start = byte == GAME_MARK[ggf->n_start] ? ggf->n_start + 1 : byte == '(';
    if (ggf->n_start == strlen(GAME_MARK)) {
        game_cut(reader, "] at the end of a value");
        ggf->n_key = 2;
        memcpy(ggf->key, "GM", 2);
        value_begin(reader);
    } else if (byte == ']') {
        value_end(reader);
    } else if (ggf->n_value < VALUE_MAX) {
        ggf->value[ggf->n_value++] = byte;
    }
}

static size_t ggf_feed(GameReader *reader, const uint8_t *bytes, size_t n)
{
    GgfState *ggf = &reader->ggf;
    for (size_t i = 0; i < n; i++) {
        if (reader__is_full(reader)) {
            return i;
        }
        const char byte = (char)bytes[i];
        switch (ggf->where) {
        case GGF_OUTSIDE: outside_byte(reader, byte); break;
        case GGF_KEY: key_byte(reader, byte); break;
        case GGF_VALUE: value_byte(reader, byte); break;
        }
        ggf->last = byte;
        reader->text.offset++;
        reader->text.line += byte == '\n';
    }
    return n;
}

static void ggf_end(GameReader *reader)
{
    if (reader->open) {
        raw_game_fault(&reader->game, reader->text.line,
                       "expected ;) at the end of a game, found the end of the file");
        game_end(reader);
    }
}

const GameFormat format__ggf = {.name = "ggf",
                                .place = "line",
                                .recognise = ggf_recognise,
                                .begin = ggf_begin,
                                .feed = ggf_feed,
                                .end = ggf_end};
