/* probes/cases/cases_read.c - reading case files: strictly in our own form, or in the forms of
 * others. Both give the same fields, and every case is replayed by the rules. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/files.h"
#include "game/notation.h"
#include "probes/cases/case_keys.h"

enum { COLUMN_MOVES, COLUMN_SQUARE, COLUMN_FROM, COLUMN_TO, COLUMN_WITNESS, N_COLUMNS };
enum { FIELD_BYTES = 512 };
#define CASES_MAX_FILE_BYTES ((size_t)1 << 29) /* a million cases of 500 characters */

static const char *const column_names[N_COLUMNS] = {"moves", "square", "from", "to", "witness"};

/* How a file is written. */
typedef struct CaseForm {
    bool foreign; /* by others: header optional, any order, quotes, indices */
    bool othello_world;
    bool natural;             /* every case has a witness and one square */
    int n_fields;             /* in every line */
    int column_of[N_COLUMNS]; /* field i holds this column */
} CaseForm;

typedef char CaseFields[N_COLUMNS][FIELD_BYTES];

/* Cut a line at its commas into NUL-terminated fields. In a foreign file a field may be enclosed in
 * double quotes, and then it may hold commas. */
static int split_fields(CaseFields fields, int *n, const char *line, size_t length, bool foreign)
{
    size_t used = 0;
    bool quoted = false;
    *n = 0;
    for (size_t i = 0; i <= length; i++) {
        if (i == length ? quoted : line[i] == '\0') {
            return err_set(OGPT_EFORMAT, "%s in field %d, expected %s",
                           quoted ? "an open quote" : "a zero byte", *n + 1,
                           quoted ? "a closing one" : "text");
        }
        if (i == length || (line[i] == ',' && !quoted)) {
            fields[(*n)++][used] = '\0';
            used = 0;
            if (i < length && *n == N_COLUMNS) {
                return err_set(OGPT_EFORMAT, "more than %d fields, expected %d at most", N_COLUMNS,
                               N_COLUMNS);
            }
        } else if (foreign && line[i] == '"') {
            quoted = !quoted;
        } else if (used + 1 == FIELD_BYTES) {
            return err_set(OGPT_EFORMAT, "a field of more than %d bytes", FIELD_BYTES - 1);
        } else {
            fields[*n][used++] = line[i];
        }
    }
    return 0;
}

static int parse_moves(uint8_t *moves, int *n, const GameVariant *variant, const char *field,
                       const char *what)
{
    int rc = moves_parse(moves, n, variant, field);
    if (rc != 0) {
        return err_set(rc, "%s: %s", what, err_message());
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

/* ---- squares as others write them ---- */

static int transposed(int sq)
{
    return sq % 8 * 8 + sq / 8;
}

/* Append the name of a square to a list of names. Returns 0, or OGPT_EFORMAT if the board has no
 * such square, or if the list is too long. */
static int add_name(char out[FIELD_BYTES], size_t *used, const GameVariant *variant, int sq,
                    const char *word)
{
    if (sq < 0 || sq >= BOARD_SQUARES || (variant->squares >> sq & 1) == 0) {
        return err_set(OGPT_EFORMAT,
                       "\"%.15s\", expected a square of the %dx%d board by name (a1) or by "
                       "index (8*row + column, a1 is 0)",
                       word, variant->size, variant->size);
    }
    if (*used + 4 > FIELD_BYTES) {
        return err_set(OGPT_EFORMAT, "a list of more than %d squares", FIELD_BYTES / 3);
    }
    out[(*used)] = ' ';
    square_print(out + *used + 1, sq);
    *used += 3;
    return 0;
}

/* Bytes of separators before the next square or pass; two hyphens are a pass. */
static size_t separators_skipped(const char *text)
{
    size_t n = 0;
    while (text[n] != '\0' && strchr(" \t,-", text[n]) && strncmp(text + n, "--", 2) != 0) {
        n++;
    }
    return n;
}

/* A pass of a list of moves, as a name or as index 64: its bytes, or 0. */
static size_t pass_bytes(const char *text)
{
    const size_t named = pass_length(text, strlen(text));
    const bool index = strncmp(text, "64", 2) == 0 && (text[2] < '0' || text[2] > '9');
    return named > 0 ? named : index ? 2 : 0;
}

/* A list of squares by name (apart or run together) or by index -> names with blanks. Passes of
 * moves stay: they are checked with them. othello_world: indices are 8*column + row; names are
 * ours. */
static int canonical_squares(char field[FIELD_BYTES], const GameVariant *variant,
                             bool othello_world, bool moves)
{
    static const char separators[] = " \t,-";
    char out[FIELD_BYTES] = "";
    const char *at = field;
    size_t used = 0;
    int rc = 0;
    for (at += separators_skipped(at); *at != '\0' && rc == 0; at += separators_skipped(at)) {
        const char *word = at;
        const size_t pass = moves ? pass_bytes(at) : 0;
        int sq;
        if (pass > 0 && used + 4 <= FIELD_BYTES) {
            memcpy(out + used, " --", 4);
            used += 3;
            at += pass;
            continue;
        }
        if (*at >= '0' && *at <= '9') {
            char *end;
            long value = strtol(at, &end, 10);
            sq = strchr(separators, *end) && value < BOARD_SQUARES ? (int)value : -1;
            sq = othello_world && sq >= 0 ? transposed(sq) : sq;
            at = end;
        } else {
            sq = at[1] != '\0' ? square_parse(variant, at) : -1;
            at += at[1] != '\0' ? 2 : 1;
        }
        rc = add_name(out, &used, variant, sq, word);
    }
    if (rc == 0) {
        memcpy(field, out, sizeof(out));
    }
    return rc;
}

/* ---- lines ---- */

/* One column's text into the case. */
static int parse_column(EditCase *edit, const GameVariant *variant, int column, const char *text,
                        int *n_witness)
{
    switch (column) {
    case COLUMN_MOVES: return parse_moves(edit->moves, &edit->n_moves, variant, text, "moves");
    case COLUMN_SQUARE: return parse_squares(edit, variant, text);
    case COLUMN_FROM: return parse_states(edit, text, false);
    case COLUMN_TO: return parse_states(edit, text, true);
    default:
        if (text[strspn(text, " ")] == '\0') {
            return 0; /* this case has no witness, others of the file have one */
        }
        edit->has_witness = true;
        return parse_moves(edit->witness, n_witness, variant, text, "witness");
    }
}

/* One line without its end into *edit. Messages lack the line number. */
static int parse_line(EditCase *edit, const GameVariant *variant, const char *line, size_t length,
                      const CaseForm *form)
{
    CaseFields fields, column = {{0}};
    int n = 0, n_witness = 0;
    int rc = split_fields(fields, &n, line, length, form->foreign);
    memset(edit, 0, sizeof(*edit));
    if (rc == 0 && n != form->n_fields) {
        rc = err_set(OGPT_EFORMAT, "%d fields, expected %d as in the %s", n, form->n_fields,
                     form->foreign ? "first line" : "header");
    }
    for (int i = 0; i < n && i < N_COLUMNS && rc == 0; i++) {
        memcpy(column[form->column_of[i]], fields[i], FIELD_BYTES);
    }
    for (int c = 0; c < form->n_fields && rc == 0; c++) {
        bool squares = c == COLUMN_MOVES || c == COLUMN_SQUARE || c == COLUMN_WITNESS;
        if (form->foreign && squares) {
            rc = canonical_squares(column[c], variant, form->othello_world, c != COLUMN_SQUARE);
            if (rc != 0) {
                return err_set(rc, "%s: %s", column_names[c], err_message());
            }
        }
        rc = parse_column(edit, variant, c, column[c], &n_witness);
    }
    if (rc == 0 && edit->has_witness && n_witness != edit->n_moves) {
        rc = err_set(OGPT_EFORMAT, "witness of %d moves, expected %d as in moves", n_witness,
                     edit->n_moves);
    }
    return rc;
}

int cases__refuse_line(int rc, const GameVariant *variant, CaseLineReader *reads, void *line)
{
    char reason[512];
    snprintf(reason, sizeof(reason), "%s", err_message());
    for (int r = 0; rc == OGPT_EFORMAT && r < N_GAME_RULES; r++) {
        const GameVariant *other = game_variant_with(variant->size, (GameRules)r);
        const bool differs =
            other == game_variant_played(other) && other != game_variant_played(variant);
        if (differs && reads(line, other) == 0) {
            return err_set(rc,
                           "%s (by the rules %s; it is sound by %s: give --rules %s, or a network "
                           "of these rules)",
                           reason, game_rules_name(variant->rules), game_rules_name(other->rules),
                           game_rules_name(other->rules));
        }
    }
    return err_set(rc, "%s", reason);
}

/* One line of a file, and what it holds once it is read. */
typedef struct CaseLine {
    const char *text;
    size_t length;
    const CaseForm *form;
    EditCase edit;
    CaseVerdict verdict;
} CaseLine;

static int read_line(void *line, const GameVariant *variant)
{
    CaseLine *one = line;
    int rc = parse_line(&one->edit, variant, one->text, one->length, one->form);
    if (rc == 0) {
        sort_squares(&one->edit);
        rc = case_derive(&one->edit, &one->verdict, variant);
    }
    return rc;
}

static int parse_case(CaseSet *out, const char *text, size_t length, size_t line_number,
                      const CaseForm *form, const char *origin)
{
    CaseLine line = {.text = text, .length = length, .form = form};
    int rc = read_line(&line, out->variant);
    rc = rc ? cases__refuse_line(rc, out->variant, read_line, &line) : 0;
    const EditCase *edit = &line.edit;
    if (rc == 0 && form->natural && !edit->has_witness) {
        rc = err_set(OGPT_EFORMAT, "no witness, expected the other history of the pair: natural "
                                   "cases have one (ogpt cases pairs, ogpt cases make)");
    } else if (rc == 0 && form->natural && edit->n_squares != 1) {
        rc = err_set(OGPT_EFORMAT, "%d squares are edited, expected one in each pair",
                     edit->n_squares);
    }
    if (rc != 0) {
        return err_set(rc, "%s:%zu: %s", origin, line_number, err_message());
    }
    if (line.verdict != CASE_SOUND) {
        out->excluded++;
        if (out->excluded_by[line.verdict]++ == 0) {
            out->excluded_line[line.verdict] = line_number;
        }
    }
    return line.verdict == CASE_SOUND || form->foreign ? cases__add(out, edit) : 0;
}

/* ---- headers ---- */

/* Columns in our own order. */
static CaseForm plain_form(const CaseForm *asked, int n_fields)
{
    CaseForm form = *asked;
    form.n_fields = n_fields;
    for (int i = 0; i < n_fields; i++) {
        form.column_of[i] = i;
    }
    return form;
}

/* Exactly our own header. */
static int strict_header(CaseForm *form, const char *line, size_t length)
{
    const char *const headers[] = {cases__header_plain, cases__header_witness};
    for (int i = 0; i < 2; i++) {
        if (length == strlen(headers[i]) && memcmp(line, headers[i], length) == 0) {
            *form = plain_form(form, i == 0 ? COLUMN_WITNESS : N_COLUMNS);
            return 0;
        }
    }
    return err_set(OGPT_EFORMAT,
                   "\"%.*s\", expected the header %s; a file of other form: ogpt "
                   "cases import",
                   (int)(length < 60 ? length : 60), line, cases__header_witness);
}

static int column_by_name(const char *text)
{
    for (int c = 0; c < N_COLUMNS; c++) {
        if (strcmp(text, column_names[c]) == 0) {
            return c;
        }
    }
    return -1;
}

/* The columns of a foreign file, from its first line. *is_header false: that line is a case, and
 * the columns are in our own order. */
static int foreign_header(CaseForm *form, bool *is_header, const char *line, size_t length)
{
    CaseFields fields;
    int n = 0, seen = 0;
    int rc = split_fields(fields, &n, line, length, true);
    *is_header = false;
    for (int i = 0; i < n && rc == 0; i++) {
        *is_header = *is_header || column_by_name(fields[i]) >= 0;
    }
    if (rc != 0 || !*is_header) {
        *form = plain_form(form, n);
        return rc || n >= COLUMN_WITNESS
                   ? rc
                   : err_set(OGPT_EFORMAT, "%d fields, expected the columns %s", n,
                             cases__header_witness);
    }
    form->n_fields = n;
    for (int i = 0; i < n; i++) {
        int c = column_by_name(fields[i]);
        if (c < 0 || seen >> c & 1) {
            return err_set(OGPT_EFORMAT, "column \"%.40s\"%s, expected each of %s once", fields[i],
                           c < 0 ? "" : " again", cases__header_witness);
        }
        seen |= 1 << c;
        form->column_of[i] = c;
    }
    if ((seen | 1 << COLUMN_WITNESS) != (1 << N_COLUMNS) - 1) {
        return err_set(OGPT_EFORMAT, "%d columns, expected %s (the last may be missing)", n,
                       cases__header_witness);
    }
    return 0;
}

/* ---- files ---- */

/* Line 1: the header, or a case of a foreign file that has none. */
static int parse_first(CaseSet *out, CaseForm *form, const char *line, size_t length,
                       const char *origin)
{
    bool is_header = true;
    int rc = form->foreign ? foreign_header(form, &is_header, line, length)
                           : strict_header(form, line, length);
    if (rc != 0) {
        return err_set(rc, "%s:1: %s", origin, err_message());
    }
    return is_header ? 0 : parse_case(out, line, length, 1, form, origin);
}

static int check_not_empty(const CaseSet *set, size_t n_lines, const char *origin)
{
    if (n_lines == 0) {
        return err_set(OGPT_EFORMAT, "%s: empty file, expected the header %s", origin,
                       cases__header_witness);
    }
    for (int v = CASE_SOUND + 1; v < N_CASE_VERDICTS; v++) {
        if (set->n == 0 && set->excluded_by[v] > 0) {
            return err_set(OGPT_EFORMAT,
                           "%s: no case that can be played, %llu left out; line %zu: %s", origin,
                           (unsigned long long)set->excluded, set->excluded_line[v],
                           case_verdict_text((CaseVerdict)v));
        }
    }
    return set->n > 0 ? 0 : err_set(OGPT_EFORMAT, "%s: a header, and no case below it", origin);
}

static int parse_text(CaseSet *out, const GameVariant *variant, const char *text, size_t n_bytes,
                      const char *origin, CaseForm form)
{
    const char *at = text, *end = text + n_bytes;
    size_t n_lines = 0;
    int rc = 0;
    memset(out, 0, sizeof(*out));
    out->variant = variant;
    if (n_bytes >= 3 && memcmp(at, "\xef\xbb\xbf", 3) == 0) {
        at += 3; /* a byte order mark, as spreadsheets write it */
    }
    for (; at < end && rc == 0; n_lines++) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        size_t length = (size_t)((newline ? newline : end) - at);
        size_t shown = length > 0 && at[length - 1] == '\r' ? length - 1 : length;
        if (n_lines == 0) {
            rc = parse_first(out, &form, at, shown, origin);
        } else if (out->n == CASES_MAX) {
            rc =
                err_set(OGPT_EFORMAT, "%s:%zu: more than %d cases", origin, n_lines + 1, CASES_MAX);
        } else {
            rc = parse_case(out, at, shown, n_lines + 1, &form, origin);
        }
        at += length + (newline ? 1 : 0);
    }
    rc = rc ? rc : check_not_empty(out, n_lines, origin);
    if (rc != 0) {
        cases_release(out);
    }
    return rc;
}

int cases_parse(CaseSet *out, const GameVariant *variant, const char *text, size_t n_bytes,
                const char *origin)
{
    return parse_text(out, variant, text, n_bytes, origin, (CaseForm){0});
}

int cases__parse_natural(CaseSet *out, const GameVariant *variant, const char *text, size_t n_bytes,
                         const char *origin)
{
    return parse_text(out, variant, text, n_bytes, origin, (CaseForm){.natural = true});
}

static int read_file(CaseSet *out, const GameVariant *variant, const char *path, CaseForm form)
{
    void *text = NULL;
    size_t n_bytes = 0;
    int rc = file_read_named(&text, &n_bytes, path, CASES_MAX_FILE_BYTES, "a case file (CSV)");
    memset(out, 0, sizeof(*out));
    rc = rc ? rc : parse_text(out, variant, text, n_bytes, path, form);
    mem_free(text);
    return rc;
}

int cases_read(CaseSet *out, const GameVariant *variant, const char *path)
{
    return read_file(out, variant, path, (CaseForm){0});
}

int cases_import(CaseSet *out, const GameVariant *variant, const char *path, bool othello_world)
{
    return read_file(out, variant, path,
                     (CaseForm){.foreign = true, .othello_world = othello_world});
}
