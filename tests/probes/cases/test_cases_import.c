/* tests/probes/cases/test_cases_import.c - cases made by others: the same table in every form that
 * is read comes out as the same bytes, and what is wrong is named with its line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/files.h"
#include "game/notation.h"
#include "probes/cases/cases.h"
#include "tests/folder.h"

typedef struct Folder {
    char path[FOLDER_MAX], file[FOLDER_MAX + 32];
} Folder;

static int make_folder(void **state)
{
    static Folder folder;
    if (folder_make(folder.path) != 0) {
        return -1;
    }
    snprintf(folder.file, sizeof(folder.file), "%s/theirs.csv", folder.path);
    *state = &folder;
    return 0;
}

static int remove_folder(void **state)
{
    Folder *folder = *state;
    return dir_remove(folder->path);
}

static void put(const Folder *folder, const char *text)
{
    FILE *file = fopen(folder->file, "wb");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

/* Import what stands in the file and print it in our form; the caller frees. */
static char *imported(const Folder *folder, int size, bool othello_world)
{
    CaseSet set;
    size_t n_bytes;
    char *text;
    if (cases_import(&set, game_variant(size), folder->file, othello_world) != 0) {
        fail_msg("%s", err_message());
    }
    assert_int_equal(cases_print(&text, &n_bytes, &set), 0);
    cases_release(&set);
    return text;
}

/* ---- the forms in which others may write a set ---- */

/* Append to a text whose room the caller has counted generously. */
typedef struct Out {
    char *text;
    size_t length, room;
} Out;

static void add(Out *out, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add(Out *out, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    out->length +=
        (size_t)vsnprintf(out->text + out->length, out->room - out->length, format, args);
    va_end(args);
    assert_true(out->length < out->room);
}

typedef struct Form {
    bool header, turned_columns, indices, transposed, quoted;
} Form;

static void add_square(Out *out, const Form *form, uint8_t sq)
{
    int shown = form->transposed ? sq % 8 * 8 + sq / 8 : sq;
    char name[3];
    square_print(name, sq); /* names mean the same in both notations */
    if (form->indices) {
        add(out, "%d ", shown);
    } else {
        add(out, "%s ", name);
    }
}

static void add_column(Out *out, const Form *form, const EditCase *edit, int column)
{
    static const char *const states[] = {"empty", "white", "black"};
    const char *quote = form->quoted ? "\"" : "";
    add(out, "%s", quote);
    for (int t = 0; column % 4 == 0 && t < edit->n_moves; t++) {
        add_square(out, form, column == 0 ? edit->moves[t] : edit->witness[t]);
    }
    for (int s = 0; column % 4 != 0 && s < edit->n_squares; s++) {
        const CaseSquare *square = &edit->squares[s];
        if (column == 1) {
            add_square(out, form, square->sq);
        } else {
            add(out, "%s ", states[column == 2 ? square->from : square->to]);
        }
    }
    add(out, "%s", quote);
}

/* The set as others might write it; the caller frees. */
static char *foreign(const CaseSet *set, Form form)
{
    static const char *const names[] = {"moves", "square", "from", "to", "witness"};
    static const int turned[] = {3, 4, 1, 0, 2};
    Out out = {.room = set->n * 1024 + 64};
    int n_columns = set->cases[0].has_witness ? 5 : 4;
    out.text = mem_alloc(out.room, 1, "text");
    assert_non_null(out.text);
    for (size_t row = form.header ? 0 : 1; row <= set->n; row++) {
        int n = 0;
        for (int c = 0; c < 5; c++) {
            int column = form.turned_columns ? turned[c] : c;
            if (column >= n_columns) {
                continue;
            }
            add(&out, "%s", n++ > 0 ? "," : "");
            if (row == 0) {
                add(&out, "%s", names[column]);
            } else {
                add_column(&out, &form, &set->cases[row - 1], column);
            }
        }
        add(&out, "\r\n");
    }
    return out.text;
}

static void every_form_gives_the_same_bytes(void **state)
{
    const Folder *folder = *state;
    const CaseMakeOptions kinds[] = {
        CASE_MAKE_OPTIONS_DEFAULT,
        {.n_squares = 2, .edit = CASE_PLACE, .min_moves = 5, .before_end = 10},
        {.n_squares = 3, .edit = CASE_ERASE, .min_moves = 5, .before_end = 10}};
    for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
        for (int size = 6; size <= 8; size += 2) {
            CaseMakeOptions options = kinds[k];
            CaseSet set;
            char *ours, *theirs, *back;
            size_t n_bytes;
            options.n = 40;
            assert_int_equal(cases_make(&set, game_variant(size), &options, &(Work){.seed = k + 1}),
                             0);
            assert_int_equal(cases_print(&ours, &n_bytes, &set), 0);
            put(folder, ours); /* our own form is one of theirs */
            back = imported(folder, size, false);
            assert_string_equal(back, ours);
            mem_free(back);
            for (int bits = 0; bits < 32; bits++) {
                Form form = {bits & 1, bits & 2 && bits & 1, bits & 4, bits & 8, bits & 16};
                theirs = foreign(&set, form);
                put(folder, theirs);
                back = imported(folder, size, form.transposed);
                assert_string_equal(back, ours);
                mem_free(back);
                /* Negative twin: in the other notation indices are another set (the start position
                 * is the same when transposed, so the rules raise no objection); names are not. */
                back = imported(folder, size, !form.transposed);
                assert_int_equal(strcmp(back, ours) == 0, !form.indices);
                mem_free(back);
                mem_free(theirs);
            }
            mem_free(ours);
            cases_release(&set);
        }
    }
}

/* White must pass after e1; the pass may be written, in any spelling or as index 64. */
static void forced_passes_may_be_written(void **state)
{
#define BEFORE_PASS                                                                                \
    "f5d6c4d3c3f4f3e3e6c5f6g5h4e7c6f7g8f2g1e2f8h6f1d1d2d8d7c8c7b8g4c1c2h3g6h5g3h2g2b5a5h1b6h7b7a8" \
    "a7a6g7e8"
    static const char *const passes[] = {"", "--", " pa ", "ps", "PASS", "@@", " 0000 ", " 64 "};
    const Folder *folder = *state;
    char *first = NULL;
    for (size_t i = 0; i < sizeof(passes) / sizeof(passes[0]); i++) {
        char line[1024];
        CaseSet set;
        snprintf(line, sizeof(line), "%s%sh8%sa4,d4,%s,empty\n", BEFORE_PASS, passes[i], passes[i],
                 "black");
        put(folder, line);
        int rc = cases_import(&set, game_variant(8), folder->file, false);
        if (rc != 0 && strstr(err_message(), "d4 is white")) {
            snprintf(line, sizeof(line), "%s%sh8%sa4,d4,%s,empty\n", BEFORE_PASS, passes[i],
                     passes[i], "white");
            put(folder, line);
            rc = cases_import(&set, game_variant(8), folder->file, false);
        }
        if (rc != 0) {
            fail_msg("pass \"%s\": %s", passes[i], err_message());
        }
        assert_int_equal(set.cases[0].n_moves, 52);
        cases_release(&set);
        char *text = imported(folder, 8, false);
        first = first ? first : text;
        assert_string_equal(text, first);
        if (text != first) {
            mem_free(text);
        }
    }
    mem_free(first);
}

static void what_is_wrong_is_named_with_its_line(void **state)
{
    static const struct {
        const char *text, *message;
    } bad[] = {
        {"", "empty file"},
        {"moves,square,from,to\n", "no case below it"},
        {"moves,square,from\nf5,d4,white\n", "3 columns, expected moves,square,from,to"},
        {"moves,square,from,to,moves\n", "column \"moves\" again"},
        {"moves,square,from,to,colour\n", "column \"colour\", expected"},
        {"f5 -- d6 c3 d3 c4,d6,white,black\n", "white, who has 3 legal ones, found a pass"},
        {"f5,d4,white\n", "1: 3 fields, expected the columns"},
        {"f5 d6 c3 d3 c4,d6,white,black\nf5 d6 c3 d3 c4,d6,black,white\n",
         "2: after 5 moves d6 is white, the case says black"},
        {"square,moves,from,to\nd6,f5 d6 c3 d3 a1,white,black\n", "2: moves: "},
        {"37 43 18 19 26,64,white,black\n", "1: square: \"64\", expected a square of the 8x8"},
        {"37 43 18 19 26,4x,white,black\n", "1: square: \"4x\""},
        {"37 43 18 19 26,999999999999999999999,white,black\n", "1: square: \"99999"},
        {"37 43 18 19 f,43,white,black\n", "1: moves: \"f\""},
        {"\"f5 d6,d4,white,empty\n", "1: an open quote in field 1"},
        {"f5 d6 c3 d3 c4,d6,white,black\nf5 d6 c3 d3 c4,d6,white,black,x\n",
         "2: 5 fields, expected 4 as in the first line"},
        {"f5 d6 c3 d3 c4,d6,white,black,f5 d6 c3 d3 c4\n", "1: the witness does not reach"},
    };
    const Folder *folder = *state;
    CaseSet set;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        put(folder, bad[i].text);
        if (cases_import(&set, game_variant(8), folder->file, false) != OGPT_EFORMAT) {
            fail_msg("\"%s\" is not refused", bad[i].text);
        }
        if (!strstr(err_message(), bad[i].message)) {
            fail_msg("\"%s\": message \"%s\" lacks \"%s\"", bad[i].text, err_message(),
                     bad[i].message);
        }
        assert_null(set.cases);
    }
    /* The same rows without their faults are read. */
    put(folder, "37 43 18 19 26,43,white,black\n\"f5,d6,c3,d3,c4\",d6,white,black\n");
    assert_int_equal(cases_import(&set, game_variant(8), folder->file, false), 0);
    assert_int_equal(set.n, 2);
    cases_release(&set);
}

/* Impossible cases keep their places in the written file, and are counted by reason when that is
 * read. f5 leaves white only d4; without it no one can move. */
static void impossible_cases_are_counted_by_reason(void **state)
{
    const Folder *folder = *state;
    CaseSet set;
    char *text;
    put(folder, "f5 d6,d4,white,empty\nf5 d6 c3 d3 c4,d6,white,black\nf5,d4,white,black\n");
    text = imported(folder, 8, false);
    assert_int_equal(cases_parse(&set, game_variant(8), text, strlen(text), "x.csv"), 0);
    assert_int_equal(set.n, 1);
    assert_int_equal(set.excluded, 2);
    assert_int_equal(set.excluded_by[CASE_CENTRE_EMPTIED], 1);
    assert_int_equal(set.excluded_line[CASE_CENTRE_EMPTIED], 2);
    assert_int_equal(set.excluded_by[CASE_NO_MOVE], 1);
    assert_int_equal(set.excluded_line[CASE_NO_MOVE], 4);
    assert_int_equal(set.excluded_by[CASE_GAME_OVER], 0);
    mem_free(text);
    cases_release(&set);
}

/* One byte changed anywhere: refused with a message, or a set of cases that the rules admit. */
static void flipped_bytes_are_refused_or_harmless(void **state)
{
    const Folder *folder = *state;
    char good[] = "to,moves,square,from\nblack,37 43 18 19 26,43,white\n"
                  "black,\"f5,d6,c3,d3,c4\",d6,white\n";
    size_t n_refused = 0, n_tried = 0;
    for (size_t i = 0; good[i] != '\0'; i++) {
        for (int bit = 0; bit < 7; bit++) {
            CaseSet set;
            good[i] ^= (char)(1 << bit);
            put(folder, good);
            n_tried++;
            if (cases_import(&set, game_variant(8), folder->file, false) == 0) {
                for (size_t c = 0; c < set.n; c++) {
                    CaseVerdict verdict;
                    assert_int_equal(case_derive(&set.cases[c], &verdict, set.variant), 0);
                }
                cases_release(&set);
            } else {
                n_refused++;
            }
            good[i] ^= (char)(1 << bit);
        }
    }
    assert_true(n_refused > n_tried / 2); /* most changes spoil a word, a square or a name */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form_gives_the_same_bytes),
        cmocka_unit_test(forced_passes_may_be_written),
        cmocka_unit_test(what_is_wrong_is_named_with_its_line),
        cmocka_unit_test(impossible_cases_are_counted_by_reason),
        cmocka_unit_test(flipped_bytes_are_refused_or_harmless),
    };
    return cmocka_run_group_tests_name("cases import", tests, make_folder, remove_folder);
}
