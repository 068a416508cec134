/* datasets/readers/read_pgn.c - PGN, as the servers and federations of the game write it: tags in
 * brackets, moves in either case, with move numbers (of any counting) or without, passes written or
 * not, results "black-white". Comments in braces (which do not nest) and to the end of a line,
 * variations in parentheses and glyphs ("$3", "!") are skipped.
 *
 * A game ends at its termination ("36-28", "*") or where the tags of the next begin. Bytes outside
 * the moves mean nothing, in any encoding. What is left open (a tag, a comment, a variation) ends
 * where the next tags begin, so that no game is lost in it: the game in which it was opened is
 * rejected if moves may have been swallowed.
 * After: S. Edwards, Portable Game Notation Specification and Implementation Guide, 1994.
 */
#include <string.h>

#include "datasets/readers/game_reader_internal.h"
#include "game/notation.h"

#define DEPTH_MAX 32 /* variations in one another */
#define TAG_BREAKS 3 /* line ends that a tag may hold */

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

static bool is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

/* PGN begins with tags, numbered moves or comments. */
static bool pgn_recognise(const uint8_t *head, size_t n, uint64_t size, const ReadOptions *options)
{
    size_t i = n >= 3 && memcmp(head, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    while (i < n && is_blank((char)head[i])) {
        i++;
    }
    if (i < n && strchr("[{;%", head[i]) && head[i] != '\0') {
        return true;
    }
    size_t digits = 0;
    while (i + digits < n && is_digit((char)head[i + digits])) {
        digits++;
    }
    return digits > 0 && i + digits < n && head[i + digits] == '.';
}

static int pgn_begin(GameReader *reader)
{
    reader->pgn = (PgnState){.at_line_start = true};
    return text__begin(reader);
}

static RawGame *pgn_game(GameReader *reader, uint64_t line)
{
    if (!reader->open) {
        RawGame *game = reader__game(reader, line);
        game->result = RESULT_UNKNOWN;
        reader->pgn.has_tags = reader->pgn.has_moves = reader->pgn.ended = false;
    }
    return &reader->game;
}

/* The game to which a fault at this line belongs: not one that has ended. */
static RawGame *faulty_game(GameReader *reader, uint64_t line)
{
    if (reader->open && reader->pgn.ended) {
        reader__game_done(reader);
    }
    return pgn_game(reader, line);
}

/* ---- results ---- */

/* One or two digits, at most 64 discs; -1 for anything else. */
static int count_take(const char **at)
{
    int count = 0;
    int digits = 0;
    while (is_digit(**at) && digits < 3) {
        count = 10 * count + (**at - '0');
        digits++;
        (*at)++;
    }
    return digits > 0 && count <= BOARD_SQUARES ? count : -1;
}

/* The first stated result is kept: that of the tag, if there is one. */
static void result_take(RawGame *game, const char *text)
{
    if (game->result != RESULT_UNKNOWN) {
        return;
    }
    if (strcmp(text, "1/2") == 0 || strcmp(text, "1/2-1/2") == 0) {
        game->result = RESULT_WINNER;
        game->black = game->white = 1;
        return;
    }
    const int black = count_take(&text);
    const bool dash = *text == '-';
    text += dash;
    const int white = count_take(&text);
    if (black < 0 || !dash || white < 0 || *text != '\0' || black + white == 0) {
        return; /* "0-0" is written for a game that was not finished */
    }
    /* No board ends with a single disc, so 1-0 names the winner. */
    game->result = black + white == 1 ? RESULT_WINNER : RESULT_DISCS;
    game->black = black;
    game->white = white;
}

/* ---- words ---- */

static void moves_word(GameReader *reader, const char *word, size_t n)
{
    if (reader->open && reader->pgn.ended) {
        reader__game_done(reader);
    }
    RawGame *game = pgn_game(reader, reader->text.word_line);
    reader->pgn.has_moves = true;
    text__moves_take(reader, game, word, n);
}

static void termination_word(GameReader *reader, const char *word)
{
    RawGame *game = pgn_game(reader, reader->text.word_line);
    result_take(game, word);
    reader->pgn.ended = true;
}

/* A move number with its dots, a termination, a glyph, or moves. */
static void word_end(GameReader *reader)
{
    TextState *text = &reader->text;
    char *word = text->word;
    const size_t n = text->n_word;
    size_t i = 0;
    text->n_word = 0;
    if (n == 0 || word[0] == '$') {
        return;
    }
    word[n] = '\0';
    const bool letter = (word[0] >= 'a' && word[0] <= 'z') || (word[0] >= 'A' && word[0] <= 'Z');
    if (letter || pass_length(word, n) > 0) {
        moves_word(reader, word, n);
        return;
    }
    if (n == 1 && word[0] == '*') {
        termination_word(reader, word);
        return;
    }
    while (is_digit(word[i])) {
        i++;
    }
    if (i > 0 && (word[i] == '-' || word[i] == '/')) {
        termination_word(reader, word);
        return;
    }
    if (i == 0 || word[i] == '.') {
        i += strspn(word + i, ".");
    }
    if (i < n) {
        moves_word(reader, word + i, n - i);
    }
}

/* ---- tags ---- */

static void tag_begin(GameReader *reader)
{
    PgnState *pgn = &reader->pgn;
    word_end(reader);
    if (reader->open && (pgn->has_moves || pgn->ended)) {
        reader__game_done(reader);
    }
    pgn->where = PGN_TAG;
    pgn->opened = reader->text.line;
    pgn->has_name = pgn->has_quotes = pgn->has_text = false;
    pgn->n_breaks = 0;
    pgn->n_name = pgn->n_text = 0;
}

/* The game has this tag. The name of its first one tells where the tags of another game begin. */
static void tag_name(PgnState *pgn)
{
    pgn->name[pgn->n_name] = '\0';
    if (!pgn->has_tags) {
        memcpy(pgn->first_name, pgn->name, sizeof(pgn->name));
        pgn->has_tags = true;
    }
}

static void tag_end(GameReader *reader)
{
    PgnState *pgn = &reader->pgn;
    pgn->where = PGN_MOVES;
    pgn->name[pgn->n_name] = '\0';
    pgn->text[pgn->n_text] = '\0';
    /* Two sets of tags without a move between them: a game without moves. */
    if (reader->open && pgn->has_tags && strcmp(pgn->name, pgn->first_name) == 0) {
        reader__game_done(reader);
    }
    RawGame *game = pgn_game(reader, pgn->opened);
    tag_name(pgn);
    if (strcmp(pgn->name, "Result") == 0) {
        result_take(game, pgn->text);
    }
}

/* The tag has no end, as `byte` shows. Lines below its own may have been moves. */
static void tag_cut(GameReader *reader, char byte)
{
    PgnState *pgn = &reader->pgn;
    RawGame *game = pgn_game(reader, pgn->opened);
    if (pgn->n_breaks > 1) {
        raw_game_fault(game, pgn->opened, "expected ] at the end of the tag of line %llu, found %s",
                       (unsigned long long)pgn->opened,
                       pgn->n_breaks > TAG_BREAKS ? "other lines" : "the end of its lines");
    }
    tag_name(pgn);
    /* An empty line, or a bracket without quotes: the moves were swallowed, not the next tag. */
    pgn->has_moves = pgn->has_moves || (pgn->n_breaks > 1 && (byte == '\n' || !pgn->has_quotes));
    pgn->where = PGN_MOVES;
}

/* A byte between the brackets of a tag. */
static void tag_byte(GameReader *reader, char byte)
{
    PgnState *pgn = &reader->pgn;
    if (pgn->at_line_start && pgn->n_breaks > 0 && (byte == '[' || byte == '\n' || byte == '\r')) {
        tag_cut(reader, byte == '[' ? '[' : '\n');
        if (byte == '[') {
            tag_begin(reader);
        }
    } else if (byte == '\n') {
        pgn->has_name = pgn->has_name || pgn->n_name > 0;
        if (++pgn->n_breaks > TAG_BREAKS) {
            tag_cut(reader, byte);
        } else if (pgn->has_text) { /* only the bracket is missing */
            tag_end(reader);
        }
    } else if (pgn->where == PGN_TAG_TEXT) {
        if (byte == '"' && !pgn->escaped) {
            pgn->where = PGN_TAG;
            pgn->has_text = true;
        } else if (byte == '\\' && !pgn->escaped) {
            pgn->escaped = true;
            return;
        } else if (pgn->n_text < PGN_TAG_MAX - 1) {
            pgn->text[pgn->n_text++] = byte;
        }
        pgn->escaped = false;
    } else if (byte == '"') {
        pgn->where = PGN_TAG_TEXT;
        pgn->has_quotes = true;
        pgn->escaped = false;
    } else if (byte == ']') {
        tag_end(reader);
    } else if (is_blank(byte)) {
        pgn->has_name = pgn->has_name || pgn->n_name > 0;
    } else if (!pgn->has_name && !pgn->has_text && pgn->n_name < PGN_TAG_MAX - 1) {
        pgn->name[pgn->n_name++] = byte;
    }
}

/* ---- moves ---- */

static void variation_byte(GameReader *reader, char byte)
{
    PgnState *pgn = &reader->pgn;
    const uint64_t line = reader->text.line;
    word_end(reader);
    if (byte == ')' && pgn->depth == 0) {
        raw_game_fault(faulty_game(reader, line), line, "expected a move, found ) without its (");
        return;
    }
    if (byte == '(' && pgn->depth == 0) {
        pgn->opened = line;
    }
    pgn->depth = byte == '(' ? pgn->depth + 1 : pgn->depth - 1;
    if (pgn->depth > DEPTH_MAX) {
        raw_game_fault(faulty_game(reader, line), line,
                       "expected variations at most %d deep, found more", DEPTH_MAX);
    }
}

static void move_byte(GameReader *reader, char byte)
{
    PgnState *pgn = &reader->pgn;
    const uint64_t line = reader->text.line;
    if (byte == '[' && pgn->depth > 0 && pgn->at_line_start && reader->open && pgn->ended) {
        pgn->depth = 0; /* nothing of the game is lost */
    } else if (byte == '[' && pgn->depth > 0 && pgn->at_line_start) {
        raw_game_fault(pgn_game(reader, line), line,
                       "expected ) for the ( of line %llu, found the tags of the next game",
                       (unsigned long long)pgn->opened);
        pgn->depth = 0;
    }
    if (is_blank(byte) || byte == '!' || byte == '?') {
        word_end(reader);
    } else if (byte == '[' && pgn->depth == 0 && reader->text.n_word == 0) {
        tag_begin(reader);
    } else if (byte == '(' || byte == ')') {
        variation_byte(reader, byte);
    } else if (byte == '{') {
        word_end(reader);
        pgn->where = PGN_BRACES;
        pgn->opened = pgn->depth == 0 ? line : pgn->opened;
    } else if (byte == ';' || (byte == '%' && pgn->at_line_start)) {
        word_end(reader);
        pgn->where = PGN_LINE;
    } else if (pgn->depth == 0 && !text__word_add(&reader->text, (uint8_t)byte)) {
        raw_game_fault(faulty_game(reader, line), line,
                       "expected moves, found a word of more than %d characters", WORD_MAX);
    }
}

/* A byte of a comment. At the beginning of a line, `[Name "` is the first tag of the next game: the
 * comment was never closed. */
static void brace_byte(GameReader *reader, char byte)
{
    PgnState *pgn = &reader->pgn;
    enum { LEAD_NONE, LEAD_BRACKET, LEAD_NAME, LEAD_BLANK };
    const int lead = pgn->lead;
    const bool letter = (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z');
    pgn->lead = LEAD_NONE;
    if (byte == '}') {
        pgn->where = PGN_MOVES;
    } else if (pgn->at_line_start && byte == '[') {
        pgn->lead = LEAD_BRACKET;
        pgn->n_name = 0;
    } else if ((lead == LEAD_BRACKET || lead == LEAD_NAME) && letter &&
               pgn->n_name < PGN_TAG_MAX - 1) {
        pgn->name[pgn->n_name++] = byte;
        pgn->lead = LEAD_NAME;
    } else if ((lead == LEAD_NAME || lead == LEAD_BLANK) && (byte == ' ' || byte == '\t')) {
        pgn->lead = LEAD_BLANK;
    } else if (lead == LEAD_BLANK && byte == '"') {
        const size_t n_name = pgn->n_name;
        if (reader->open && !pgn->ended) {
            raw_game_fault(&reader->game, pgn->opened,
                           "expected } for the { of line %llu, found the tags of the next game",
                           (unsigned long long)pgn->opened);
            pgn->has_moves = pgn->has_moves || !pgn->has_tags;
        }
        pgn->depth = 0;
        tag_begin(reader);
        pgn->n_name = n_name;
        pgn->where = PGN_TAG_TEXT;
        pgn->has_quotes = true;
        pgn->escaped = false;
    }
}

static size_t pgn_feed(GameReader *reader, const uint8_t *bytes, size_t n)
{
    TextState *text = &reader->text;
    PgnState *pgn = &reader->pgn;
    for (size_t i = 0; i < n; i++) {
        if (reader__is_full(reader)) {
            return i;
        }
        const char byte = (char)bytes[i];
        switch (pgn->where) {
        case PGN_MOVES: move_byte(reader, byte); break;
        case PGN_TAG:
        case PGN_TAG_TEXT: tag_byte(reader, byte); break;
        case PGN_BRACES: brace_byte(reader, byte); break;
        case PGN_LINE: pgn->where = byte == '\n' ? PGN_MOVES : PGN_LINE; break;
        }
        pgn->at_line_start = byte == '\n';
        text->line += byte == '\n';
        text->offset++;
    }
    return n;
}

static void pgn_end(GameReader *reader)
{
    PgnState *pgn = &reader->pgn;
    const uint64_t line = reader->text.line;
    word_end(reader);
    const char *open = pgn->where == PGN_BRACES                              ? "comment"
                       : pgn->where == PGN_TAG || pgn->where == PGN_TAG_TEXT ? "tag"
                       : pgn->depth > 0                                      ? "variation"
                                                                             : NULL;
    if (open) {
        raw_game_fault(faulty_game(reader, line), line,
                       "expected the end of the %s of line %llu, found the end of the file", open,
                       (unsigned long long)pgn->opened);
    }
    if (reader->open) {
        reader__game_done(reader);
    }
}

const GameFormat format__pgn = {.name = "pgn",
                                .place = "line",
                                .recognise = pgn_recognise,
                                .begin = pgn_begin,
                                .feed = pgn_feed,
                                .end = pgn_end};
