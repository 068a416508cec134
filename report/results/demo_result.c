/* report/results/demo_result.c - contract in report/results/demo_result.h.
 *
 * Only the difference between no edit and a random direction is no row of the demo's database: it
 * is made here from the errors of the single cases.
 */
#include "report/results/demo_result.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "num/statistics/stats.h"

#define REPORT_SEED 1 /* of the interval made here; the steps use their own default */

double demo_number(const Js *row, const char *key)
{
    return js_num_of(js_member(row, key));
}

bool demo_text_is(const Js *row, const char *key, const char *expected)
{
    const char *text = js_str_of(js_member(row, key));
    return text && strcmp(text, expected) == 0;
}

/* Paired difference null - random over the cases, with its interval. The same for the edit is in
 * its own row. */
static int random_gain(Interval *out, const Js *cases)
{
    size_t n = js_length(cases);
    double *errors = mem_alloc(2 * n, sizeof(*errors), "errors of the cases");
    if (!errors) {
        return OGPT_ENOMEM;
    }
    for (size_t i = 0; i < n; i++) {
        errors[i] = demo_number(js_at(cases, i), "null_error");
        errors[n + i] = demo_number(js_at(cases, i), "random_error");
    }
    *out = bootstrap_difference(errors, NULL, errors + n, NULL, n, REPORT_SEED);
    mem_free(errors);
    return 0;
}

static const char *layer_name(char out[16], const Js *row)
{
    int64_t layer = js_int_of(js_member(row, "layer"));
    snprintf(out, 16, layer < 0 ? "embed" : "%lld", (long long)layer);
    return out;
}

/* Whether a control is known to have learned nothing; rows of earlier programs do not say. */
static bool is_untrained(const Js *row)
{
    const Js *trained = js_member(row, "trained");
    return (js_type(trained) == JS_INT && js_int_of(trained) == 0) ||
           (js_type(trained) == JS_BOOL && !js_bool_of(trained));
}

static void print_board_rows(Text *text, const Js *rows, bool controls)
{
    for (size_t i = 0; i < js_length(rows); i++) {
        const Js *row = js_at(rows, i);
        char layer[16];
        text_add(text, "  %-16s %6.2f  [%.2f, %.2f]   %7.2f%s\n",
                 controls ? js_str_of(js_member(row, "control")) : layer_name(layer, row),
                 100 * demo_number(row, "accuracy"), 100 * demo_number(row, "accuracy_low"),
                 100 * demo_number(row, "accuracy_high"), 100 * demo_number(row, "board_exact"),
                 is_untrained(row) ? "   learned nothing" : "");
    }
}

/* The claim, line by line. What a network that was trained for minutes is not asked for is printed
 * too; it decides nothing. */
typedef struct Claim {
    Text *text;
    Js *lines;
    bool trained_long;
    bool holds;       /* every line that is asked for */
    bool spared_once; /* a line fails that is not asked for */
} Claim;

typedef enum ClaimState { CLAIM_HOLDS, CLAIM_FAILS, CLAIM_OPEN } ClaimState;

/* for_long: asked only of a network that was trained for long. */
static void claim_line(Claim *claim, ClaimState state, bool for_long, const char *what)
{
    bool asked = claim->trained_long || !for_long, fails = state == CLAIM_FAILS;
    Js *line = js_object();
    text_add(claim->text, "  %s  %s\n",
             state == CLAIM_OPEN ? "-----"
             : !fails            ? "holds"
             : asked             ? "FAILS"
                                 : "fails",
             what);
    js_set_str(line, "claim", what);
    js_set(line, "holds", state == CLAIM_OPEN ? js_null() : js_bool(!fails));
    js_set_bool(line, "asked", asked);
    js_push(claim->lines, line);
    claim->holds = claim->holds && (!fails || !asked);
    claim->spared_once = claim->spared_once || (fails && !asked);
}

/* The best layer against one control; without its row nothing is shown to be better. */
static void check_control(Claim *claim, const DemoFindings *f, const char *control,
                          const char *name, bool for_long)
{
    const Js *row = NULL;
    char line[200];
    for (size_t i = 0; i < js_length(f->controls); i++) {
        const Js *candidate = js_at(f->controls, i);
        row = demo_text_is(candidate, "control", control) ? candidate : row;
    }
    double own = demo_number(f->best, "accuracy"), other = demo_number(row, "accuracy");
    bool holds = demo_number(f->best, "accuracy_low") > demo_number(row, "accuracy_high");
    snprintf(line, sizeof(line), "the best layer reads the board better than %s: %.2f %s %.2f %%%s",
             name, 100 * own, own > other ? ">" : "<", 100 * other,
             is_untrained(row)       ? ", not compared: that control learned nothing"
             : !holds && own > other ? ", but the intervals overlap"
                                     : "");
    claim_line(claim,
               is_untrained(row) ? CLAIM_OPEN
               : holds           ? CLAIM_HOLDS
                                 : CLAIM_FAILS,
               for_long, line);
}

static void print_legality(Text *text, const Js *eval)
{
    text_add(text, "\nDoes it play legally?  %lld held-out positions\n",
             (long long)js_int_of(js_member(eval, "positions")));
    text_add(text, "  strict error     %.2f %%  [%.2f, %.2f]   excess %.4f nats over the floor\n",
             100 * demo_number(eval, "strict_error"), 100 * demo_number(eval, "strict_error_low"),
             100 * demo_number(eval, "strict_error_high"), demo_number(eval, "excess"));
}

static void print_edit(Text *text, const Js *edit)
{
    const char *layers = js_str_of(js_member(edit, "layers")); /* "[3,4]" */
    const char *unit = js_str_of(js_member(edit, "scale_unit"));
    layers = layers && layers[0] == '[' ? layers + 1 : "?";
    text_add(text,
             "\nDoes it play on an edited board?  %lld natural flips; layer %.*s, scale %g%s\n",
             (long long)js_int_of(js_member(edit, "cases")), (int)strcspn(layers, "]"), layers,
             demo_number(edit, "scale"), unit ? unit : "");
    text_add(text, "  edited           %.3f  [%.3f, %.3f]   wrong moves a case, edited board\n",
             demo_number(edit, "edit_error"), demo_number(edit, "edit_error_low"),
             demo_number(edit, "edit_error_high"));
    text_add(text, "  null             %.3f   not edited, edited board\n",
             demo_number(edit, "null_error"));
    text_add(text, "  self             %.3f   not edited, its own board\n",
             demo_number(edit, "self_error"));
    text_add(text, "  random direction %.3f\n", demo_number(edit, "random_error"));
    text_add(text, "  closed           %.1f %%  [%.1f, %.1f]   of null - self\n",
             100 * demo_number(edit, "closed"), 100 * demo_number(edit, "closed_low"),
             100 * demo_number(edit, "closed_high"));
    if (demo_number(edit, "closed") > 1) {
        text_add(text,
                 "                   above 100 %%: edited, it errs less on the edited board (%.3f) "
                 "than\n"
                 "                   unedited on its own (%.3f); the edit also repairs what it "
                 "misread\n",
                 demo_number(edit, "edit_error"), demo_number(edit, "self_error"));
    }
}

int demo_findings_print(Text *text, Js *lines, bool *holds, const DemoFindings *f,
                        bool trained_long)
{
    const Js *edit = js_at(f->edit, js_length(f->edit) - 1);
    Interval random;
    char line[160];
    int rc = random_gain(&random, f->cases);
    if (rc != 0) {
        return rc;
    }
    print_legality(text, js_at(f->eval, js_length(f->eval) - 1));
    text_add(text, "\nCan its board be read?  test games, mine/theirs/empty\n");
    text_add(text, "  layer          accuracy  95 %% interval   exact boards, %%\n");
    print_board_rows(text, f->layers, false);
    text_add(text, "  controls\n");
    print_board_rows(text, f->controls, true);
    print_edit(text, edit);
    text_add(text, "\nThe claim: it built a board, and plays by it\n");
    Claim claim = {.text = text, .lines = lines, .trained_long = trained_long, .holds = true};
    check_control(&claim, f, "majority", "the majority", false);
    check_control(&claim, f, "random_model", "random weights", false);
    check_control(&claim, f, "history", "the raw move history", true);
    check_control(&claim, f, "history_mlp", "an MLP on that history", true);
    snprintf(line, sizeof(line), "the edit lowers the error: null - edit = %.3f [%.3f, %.3f]",
             demo_number(edit, "gain"), demo_number(edit, "gain_low"),
             demo_number(edit, "gain_high"));
    claim_line(&claim, demo_number(edit, "gain_low") > 0 ? CLAIM_HOLDS : CLAIM_FAILS, false, line);
    snprintf(line, sizeof(line), "a random direction does not: null - random = %.3f [%.3f, %.3f]",
             random.value, random.low, random.high);
    claim_line(&claim, random.low <= 0 ? CLAIM_HOLDS : CLAIM_FAILS, false, line);
    snprintf(line, sizeof(line), "the edit closes at least %.0f %%: %.1f %%", 100 * DEMO_CLOSED,
             100 * demo_number(edit, "closed"));
    claim_line(&claim, demo_number(edit, "closed") >= DEMO_CLOSED ? CLAIM_HOLDS : CLAIM_FAILS, true,
               line);
    if (claim.spared_once) {
        text_add(text,
                 "  (fails: asked only of a network that was trained for longer than minutes)\n");
    }
    *holds = claim.holds;
    return 0;
}

/* ---- the boards of all parts ---- */

static const Column board_columns[] = {
    {.key = "part", .heading = "part", .type = COLUMN_TEXT},
    {.key = "layer", .heading = "layer", .type = COLUMN_LAYER},
    {.key = "control", .heading = "control", .type = COLUMN_TEXT},
    {.key = "accuracy", .heading = "accuracy", .unit = "%", .digits = 2, .interval = true},
    {.key = "board_exact", .heading = "exact boards", .unit = "%", .digits = 2},
};
const TableSpec demo_board_table = {"board", TABLE_COLUMNS(board_columns)};

void demo_board_add(Table *table, const char *part, const Js *document)
{
    const Js *const lists[] = {js_member(document, "layers"), js_member(document, "controls")};
    for (size_t list = 0; list < 2; list++) {
        for (size_t i = 0; i < js_length(lists[list]); i++) {
            const Js *row = js_at(lists[list], i);
            table_row(table);
            table_text(table, "part", part);
            table_set(table, "layer", js_keep(js_member(row, "layer")));
            table_text(table, "control", js_str_of(js_member(row, "control")));
            table_interval(table, "accuracy",
                           (Interval){demo_number(row, "accuracy"),
                                      demo_number(row, "accuracy_low"),
                                      demo_number(row, "accuracy_high")});
            table_num(table, "board_exact", demo_number(row, "board_exact"));
        }
    }
}

static const Column claim_columns[] = {
    {"claim", "claim", .type = COLUMN_TEXT},
    {"verdict", "verdict", .type = COLUMN_TEXT},
};
static const TableSpec claims_table = {"claims", TABLE_COLUMNS(claim_columns),
                                       .title = "The claim: it built a board, and plays by it"};

void demo_claims_fill(Table *out, const Js *document)
{
    const Js *claims = js_member(document, "claims");
    table_init(out, &claims_table);
    for (size_t i = 0; i < js_length(claims); i++) {
        const Js *line = js_at(claims, i), *holds = js_member(line, "holds");
        const bool asked = js_bool_of(js_member(line, "asked"));
        table_row(out);
        table_text(out, "claim", js_str_of(js_member(line, "claim")));
        table_text(out, "verdict",
                   js_type(holds) == JS_NULL ? "not compared"
                   : js_bool_of(holds)       ? "holds"
                   : asked                   ? "fails"
                                             : "fails; asked only of a network trained for longer");
    }
}
