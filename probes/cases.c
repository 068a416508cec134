/* probes/cases.c - case files: strict reading, writing, and what the rules say of each case. */
#include "probes/cases.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/files.h"
#include "base/hash.h"
#include "datasets/labels.h"
#include "game/notation.h"
#include "probes/case_keys.h"

enum { MAX_FIELDS = 5, FIELD_BYTES = 512, MESSAGE_BYTES = 512 };
#define CASES_MAX_FILE_BYTES ((size_t)1 << 29) /* a million cases of 500 characters */

static const char header_plain[] = "moves,square,from,to";
static const char header_witness[] = "moves,square,from,to,witness";

const char *case_state_name(int state)
{
    static const char *const names[] = {"empty", "white", "black"};

    return names[state];
}

void cases_release(CaseSet *set)
{
    mem_free(set->cases);
    memset(set, 0, sizeof *set);
}

int cases__add(CaseSet *set, const EditCase *edit)
{
    if (set->n == set->room) {
        size_t room = set->room ? 2 * set->room : 64;
        EditCase *grown = mem_realloc(set->cases, room, sizeof *grown, "cases");

        if (!grown) {
            return OGPT_ENOMEM;
        }
        set->cases = grown;
        set->room = room;
    }
    set->cases[set->n++] = *edit;
    return 0;
}

static int state_of(const Board *board, int sq)
{
    if (board_discs(board, BLACK) >> sq & 1) {
        return LABEL_BLACK;
    }
    return board_discs(board, WHITE) >> sq & 1 ? LABEL_WHITE : LABEL_EMPTY;
}

/* Change the squares of `before` and give the move to the other side where its mover has none. */
static Board edited_board(const GameVariant *variant, const EditCase *edit)
{
    uint64_t discs[2] = {board_discs(&edit->before, BLACK), board_discs(&edit->before, WHITE)};
    Board board, swapped;

    for (int i = 0; i < edit->n_squares; i++) {
        uint64_t bit = 1ULL << edit->squares[i].sq;

        discs[BLACK] &= ~bit;
        discs[WHITE] &= ~bit;
        if (edit->squares[i].to != LABEL_EMPTY) {
            discs[edit->squares[i].to == LABEL_BLACK ? BLACK : WHITE] |= bit;
        }
    }
    board = board_from_discs(discs[BLACK], discs[WHITE], edit->before.to_move);
    swapped = board_swapped(&board);
    return board_moves(variant, &board) == 0 && board_moves(variant, &swapped) != 0 ? swapped
                                                                                    : board;
}

static int check_witness(const EditCase *edit, const GameVariant *variant)
{
    Board after[GAME_MAX_MOVES], reached;
    int n = edit->n_moves;
    int n_legal = game_replay(variant, edit->witness, n, after);

    if (n_legal != n) {
        return err_set(OGPT_EFORMAT, "the witness's move %d is illegal", n_legal + 1);
    }
    reached = after[n - 1];
    if (reached.mine != edit->edited.mine || reached.theirs != edit->edited.theirs ||
        reached.to_move != edit->edited.to_move) {
        return err_set(OGPT_EFORMAT, "the witness does not reach the edited board");
    }
    return 0;
}

int case_derive(EditCase *edit, const char **excluded, const GameVariant *variant)
{
    Board after[GAME_MAX_MOVES];
    int n_legal = game_replay(variant, edit->moves, edit->n_moves, after);
    uint64_t emptied = 0;

    *excluded = NULL;
    if (n_legal != edit->n_moves) {
        return err_set(OGPT_EFORMAT, "move %d is illegal", n_legal + 1);
    }
    edit->before = after[edit->n_moves - 1];
    for (int i = 0; i < edit->n_squares; i++) {
        const CaseSquare *square = &edit->squares[i];
        int state = state_of(&edit->before, square->sq);
        char name[3];

        square_print(name, square->sq);
        if (state != square->from) {
            return err_set(OGPT_EFORMAT, "after %d moves %s is %s, the case says %s", edit->n_moves,
                           name, case_state_name(state), case_state_name(square->from));
        }
        if (square->from == square->to) {
            return err_set(OGPT_EFORMAT, "%s is to become %s, which it is; expected a change", name,
                           case_state_name(square->to));
        }
        emptied |= square->to == LABEL_EMPTY ? 1ULL << square->sq : 0;
    }
    edit->edited = edited_board(variant, edit);
    edit->legal_before = board_moves(variant, &edit->before);
    edit->legal_edited = board_moves(variant, &edit->edited);
    if (emptied & variant->centre) {
        *excluded = "it empties a centre square";
    } else if (edit->legal_before == 0) {
        *excluded = "the game is over before the edit";
    } else if (edit->legal_edited == 0) {
        *excluded = "neither side has a move on the edited board";
    }
    return edit->has_witness ? check_witness(edit, variant) : 0;
}

double cases_symmetric_difference(const CaseSet *set)
{
    double sum = 0.0;

    for (size_t i = 0; i < set->n; i++) {
        sum += __builtin_popcountll(set->cases[i].legal_before ^ set->cases[i].legal_edited);
    }
    return sum / (double)set->n;
}

/* ---- writing ---- */

/* A line is at most the moves twice, eight squares, 16 words and the commas. */
enum { LINE_BYTES = 2 * 3 * GAME_MAX_MOVES + CASE_MAX_SQUARES * (3 + 6 + 6) + 8 };

static size_t print_line(char *out, const EditCase *edit, bool with_witness)
{
    char *at = out;

    moves_print(at, edit->moves, edit->n_moves);
    at += strlen(at);
    for (int field = 0; field < 3; field++) {
        for (int i = 0; i < edit->n_squares; i++) {
            const CaseSquare *square = &edit->squares[i];
            char name[3];
            const char *word = name;

            square_print(name, square->sq);
            if (field > 0) {
                word = case_state_name(field == 1 ? square->from : square->to);
            }
            at += snprintf(at, 8, "%c%s", i == 0 ? ',' : ' ', word);
        }
    }
    if (with_witness) {
        *at++ = ',';
        if (edit->has_witness) {
            moves_print(at, edit->witness, edit->n_moves);
            at += strlen(at);
        }
    }
    *at++ = '\n';
    return (size_t)(at - out);
}

int cases_print(char **out, size_t *n_bytes, const CaseSet *set)
{
    bool with_witness = false;
    size_t used;
    char *text = mem_alloc(set->n * LINE_BYTES + sizeof header_witness + 1, 1, "case file");

    *out = text;
    *n_bytes = 0;
    if (!text) {
        return OGPT_ENOMEM;
    }
    for (size_t i = 0; i < set->n; i++) {
        with_witness = with_witness || set->cases[i].has_witness;
    }
    used = (size_t)snprintf(text, sizeof header_witness + 1, "%s\n",
                            with_witness ? header_witness : header_plain);
    for (size_t i = 0; i < set->n; i++) {
        used += print_line(text + used, &set->cases[i], with_witness);
    }
    *n_bytes = used;
    return 0;
}

/* ---- reading ---- */

/* Cut a line at its commas into NUL-terminated fields. Returns their number, or -1 when a field
 * is too long, -2 when there are too many. */
static int split_fields(char fields[MAX_FIELDS][FIELD_BYTES], const char *line, size_t length)
{
    int n = 0;
    size_t used = 0;

    for (size_t i = 0; i <= length; i++) {
        if (i == length || line[i] == ',') {
            if (n == MAX_FIELDS) {
                return -2;
            }
            fields[n++][used] = '\0';
            used = 0;
            continue;
        }
        if (used + 1 == FIELD_BYTES) {
            return -1;
        }
        if (n < MAX_FIELDS) {
            fields[n][used++] = line[i];
        }
    }
    return n;
}

static int parse_moves(uint8_t *moves, int *n, const GameVariant *variant, const char *field,
                       const char *what)
{
    char reason[MESSAGE_BYTES];
    int code = moves_parse(moves, n, variant, field);

    if (code != 0) {
        snprintf(reason, sizeof reason, "%s", err_message());
        return err_set(code, "%s: %s", what, reason);
    }
    if (*n == 0) {
        return err_set(OGPT_EFORMAT, "%s: no move, expected at least one", what);
    }
    return 0;
}

/* The next blank-separated word of *text into word[16]; false at the end. */
static bool next_word(char word[16], const char **text)
{
    size_t length;

    *text += strspn(*text, " ");
    length = strcspn(*text, " ");
    if (length == 0) {
        return false;
    }
    snprintf(word, 16, "%.*s", (int)(length < 15 ? length : 15), *text);
    *text += length;
    return true;
}

static int parse_squares(EditCase *edit, const GameVariant *variant, const char *text)
{
    uint64_t seen = 0;
    char word[16];

    while (next_word(word, &text)) {
        int sq = strlen(word) == 2 ? square_parse(variant, word) : -1;

        if (sq < 0) {
            return err_set(OGPT_EFORMAT, "square \"%s\", expected one of the %dx%d board", word,
                           variant->size, variant->size);
        }
        if (seen >> sq & 1) {
            return err_set(OGPT_EFORMAT, "square %s is named twice", word);
        }
        if (edit->n_squares == CASE_MAX_SQUARES) {
            return err_set(OGPT_EFORMAT, "more than %d squares in one case", CASE_MAX_SQUARES);
        }
        seen |= 1ULL << sq;
        edit->squares[edit->n_squares++].sq = (uint8_t)sq;
    }
    if (edit->n_squares == 0) {
        return err_set(OGPT_EFORMAT, "no square, expected at least one");
    }
    return 0;
}

/* One state a square, from `text` into the member chosen by `is_to`. */
static int parse_states(EditCase *edit, const char *text, bool is_to)
{
    const char *column = is_to ? "to" : "from";
    char word[16];
    int n = 0;

    while (next_word(word, &text)) {
        int state = 0;

        while (state < 3 && strcmp(word, case_state_name(state)) != 0) {
            state++;
        }
        if (state == 3) {
            return err_set(OGPT_EFORMAT, "%s: \"%s\", expected black, white or empty", column,
                           word);
        }
        if (n < edit->n_squares) {
            *(is_to ? &edit->squares[n].to : &edit->squares[n].from) = (uint8_t)state;
        }
        n++;
    }
    if (n != edit->n_squares) {
        return err_set(OGPT_EFORMAT, "%s: %d states for %d squares, expected one a square", column,
                       n, edit->n_squares);
    }
    return 0;
}

static void sort_squares(EditCase *edit)
{
    for (int i = 1; i < edit->n_squares; i++) {
        CaseSquare square = edit->squares[i];
        int at = i;

        for (; at > 0 && edit->squares[at - 1].sq > square.sq; at--) {
            edit->squares[at] = edit->squares[at - 1];
        }
        edit->squares[at] = square;
    }
}

/* One line without its end into *edit; `n_columns` is 4 or 5. Messages lack the line number. */
static int parse_line(EditCase *edit, const GameVariant *variant, const char *line, size_t length,
                      int n_columns)
{
    char fields[MAX_FIELDS][FIELD_BYTES];
    int n = split_fields(fields, line, length), n_witness = 0, code;

    memset(edit, 0, sizeof *edit);
    if (n == -1) {
        return err_set(OGPT_EFORMAT, "a field of more than %d bytes", FIELD_BYTES - 1);
    }
    if (n != n_columns || memchr(line, '\0', length)) {
        return err_set(OGPT_EFORMAT, "%s%d fields, expected %d as in the header",
                       n == -2 ? "more than " : "", n == -2 ? MAX_FIELDS : n, n_columns);
    }
    code = parse_moves(edit->moves, &edit->n_moves, variant, fields[0], "moves");
    if (code == 0) {
        code = parse_squares(edit, variant, fields[1]);
    }
    if (code == 0) {
        code = parse_states(edit, fields[2], false);
    }
    if (code == 0) {
        code = parse_states(edit, fields[3], true);
    }
    if (code != 0 || n_columns < MAX_FIELDS || fields[4][0] == '\0') {
        return code;
    }
    code = parse_moves(edit->witness, &n_witness, variant, fields[4], "witness");
    if (code == 0 && n_witness != edit->n_moves) {
        code = err_set(OGPT_EFORMAT, "witness of %d moves, expected %d as in moves", n_witness,
                       edit->n_moves);
    }
    edit->has_witness = true;
    return code;
}

static int parse_case(CaseSet *out, const char *line, size_t length, size_t line_number,
                      int n_columns, const char *origin)
{
    EditCase edit;
    const char *excluded = NULL;
    char reason[MESSAGE_BYTES];
    int code = parse_line(&edit, out->variant, line, length, n_columns);

    if (code == 0) {
        sort_squares(&edit);
        code = case_derive(&edit, &excluded, out->variant);
    }
    if (code != 0) {
        snprintf(reason, sizeof reason, "%s", err_message());
        return err_set(code, "%s:%zu: %s", origin, line_number, reason);
    }
    if (excluded) {
        if (out->excluded++ == 0) {
            snprintf(out->first_excluded, sizeof out->first_excluded, "line %zu: %s", line_number,
                     excluded);
        }
        return 0;
    }
    return cases__add(out, &edit);
}

/* 4 or 5 columns by the header line, 0 when it is none. */
static int columns_of_header(const char *line, size_t length)
{
    if (length == strlen(header_plain) && memcmp(line, header_plain, length) == 0) {
        return 4;
    }
    return length == strlen(header_witness) && memcmp(line, header_witness, length) == 0 ? 5 : 0;
}

int cases_parse(CaseSet *out, const GameVariant *variant, const char *text, size_t n_bytes,
                const char *origin)
{
    const char *at = text, *end = text + n_bytes;
    int n_columns = 0, code = 0;

    memset(out, 0, sizeof *out);
    out->variant = variant;
    if (n_bytes >= 3 && memcmp(at, "\xef\xbb\xbf", 3) == 0) {
        at += 3; /* a byte order mark, as spreadsheets write it */
    }
    for (size_t line_number = 1; at < end && code == 0; line_number++) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        size_t length = (size_t)((newline ? newline : end) - at);
        size_t shown = length > 0 && at[length - 1] == '\r' ? length - 1 : length;

        if (line_number == 1) {
            n_columns = columns_of_header(at, shown);
            if (n_columns == 0) {
                code = err_set(OGPT_EFORMAT, "%s:1: \"%.*s\", expected the header %s", origin,
                               (int)(shown < 60 ? shown : 60), at, header_witness);
            }
        } else if (out->n == CASES_MAX) {
            code =
                err_set(OGPT_EFORMAT, "%s:%zu: more than %d cases", origin, line_number, CASES_MAX);
        } else {
            code = parse_case(out, at, shown, line_number, n_columns, origin);
        }
        at += length + (newline ? 1 : 0);
    }
    if (code == 0 && n_columns == 0) {
        code =
            err_set(OGPT_EFORMAT, "%s: empty file, expected the header %s", origin, header_witness);
    }
    if (code == 0 && out->n == 0) {
        code = err_set(OGPT_EFORMAT, "%s: no case that can be played, %llu left out%s%s", origin,
                       (unsigned long long)out->excluded, out->excluded ? "; " : "",
                       out->first_excluded);
    }
    if (code != 0) {
        cases_release(out);
    }
    return code;
}

int cases_read(CaseSet *out, const GameVariant *variant, const char *path)
{
    void *text = NULL;
    size_t n_bytes = 0;
    int code =
        dir_exists(path)
            ? err_set(OGPT_EFORMAT,
                      "%s: expected a case file (CSV), found a directory; check the path", path)
            : file_read_all(&text, &n_bytes, path, CASES_MAX_FILE_BYTES);

    memset(out, 0, sizeof *out);
    if (code == 0) {
        code = cases_parse(out, variant, text, n_bytes, path);
    }
    mem_free(text);
    return code;
}
