/* cli/commands/results/demo_report.c - contract in cli/commands/results/demo_report.h.
 *
 * The steps left their rows in the demo's own results database; tables and verdict are read from
 * there. Only the difference between no edit and a random direction is not kept as a row: it is
 * made here from the errors of the single cases.
 */
#include "cli/commands/results/demo_report.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "num/stats.h"

#define REPORT_SEED 1 /* of the interval made here; the steps use their own default */

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

static void print_board_rows(Text *text, const Js *rows, bool controls)
{
    for (size_t i = 0; i < js_length(rows); i++) {
        const Js *row = js_at(rows, i);
        char layer[16];
        text_add(text, "  %-16s %6.2f  [%.2f, %.2f]   %7.2f\n",
                 controls ? js_str_of(js_member(row, "control")) : layer_name(layer, row),
                 100 * demo_number(row, "accuracy"), 100 * demo_number(row, "accuracy_low"),
                 100 * demo_number(row, "accuracy_high"), 100 * demo_number(row, "board_exact"));
    }
}

/* The claim, line by line; false when a line fails. */
typedef struct Claim {
    Text *text;
    bool holds;
} Claim;

static void claim_line(Claim *claim, bool holds, const char *what)
{
    text_add(claim->text, "  %s  %s\n", holds ? "holds" : "FAILS", what);
    claim->holds = claim->holds && holds;
}

/* The best layer against one control; without its row nothing is shown to be better. */
static void check_control(Claim *claim, const DemoFindings *f, const char *control,
                          const char *name)
{
    const Js *row = NULL;
    char line[160];
    for (size_t i = 0; i < js_length(f->controls); i++) {
        const Js *candidate = js_at(f->controls, i);
        row = demo_text_is(candidate, "control", control) ? candidate : row;
    }
    snprintf(line, sizeof(line), "the best layer reads the board better than %s: %.2f > %.2f %%",
             name, 100 * demo_number(f->best, "accuracy"), 100 * demo_number(row, "accuracy"));
    claim_line(claim, demo_number(f->best, "accuracy_low") > demo_number(row, "accuracy_high"),
               line);
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
}

/* Writes the tables and the claim; *holds: every line of the claim does. */
static int print_report(Text *text, bool *holds, const DemoFindings *f, const DemoClaims *claims)
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
    Claim claim = {.text = text, .holds = true};
    check_control(&claim, f, "majority", "the majority");
    check_control(&claim, f, "random_model", "random weights");
    if (claims->history) {
        check_control(&claim, f, "history", "the raw move history");
        check_control(&claim, f, "history_mlp", "an MLP on that history");
    }
    snprintf(line, sizeof(line), "the edit lowers the error: null - edit = %.3f [%.3f, %.3f]",
             demo_number(edit, "gain"), demo_number(edit, "gain_low"),
             demo_number(edit, "gain_high"));
    claim_line(&claim, demo_number(edit, "gain_low") > 0, line);
    snprintf(line, sizeof(line), "a random direction does not: null - random = %.3f [%.3f, %.3f]",
             random.value, random.low, random.high);
    claim_line(&claim, random.low <= 0, line);
    if (claims->closed > 0) {
        snprintf(line, sizeof(line), "the edit closes at least %.0f %%: %.1f %%",
                 100 * claims->closed, 100 * demo_number(edit, "closed"));
        claim_line(&claim, demo_number(edit, "closed") >= claims->closed, line);
    }
    *holds = claim.holds;
    return 0;
}

int demo_verdict(DemoReport *out, const char *store_path, const DemoClaims *claims)
{
    DemoFindings f = {0};
    bool holds = false;
    *out = (DemoReport){0};
    int rc = demo_findings_read(&f, store_path);
    rc = rc ? rc : print_report(&out->text, &holds, &f, claims);
    if (rc != 0) {
        goto done;
    }
    if (out->text.failed) {
        rc = OGPT_ENOMEM;
        goto done;
    }
    out->document = js_object();
    js_set_bool(out->document, "holds", holds);
    js_set(out->document, "eval", js_keep(f.eval));
    js_set(out->document, "layers", js_keep(f.layers));
    js_set(out->document, "controls", js_keep(f.controls));
    js_set(out->document, "edit", js_keep(f.edit));
    if (!holds) {
        rc = err_set(OGPT_ENEGATIVE, "demo: the claim fails: see the lines above");
    }
done:
    demo_findings_release(&f);
    return rc;
}

void demo_report_release(DemoReport *report)
{
    text_release(&report->text);
    js_free(report->document);
    report->document = NULL;
}
