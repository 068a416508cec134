/* cli/commands/results/demo_findings.c - the rows that the demo's tables show, read from its
 * database. Contract in cli/commands/results/demo_report.h. */
#include "cli/commands/results/demo_report.h"

#include <math.h>
#include <string.h>

#include "base/err.h"

void demo_findings_release(DemoFindings *f)
{
    js_free(f->eval);
    js_free(f->layers);
    js_free(f->controls);
    js_free(f->edit);
    js_free(f->cases);
}

/* Rows of one kind of the newest run of a command that is done and has any. */
static int newest_rows(Js **out, Store *store, const Js *runs, const char *command,
                       const char *kind, const char *store_path)
{
    for (size_t i = 0; i < js_length(runs); i++) {
        const Js *run = js_at(runs, i);
        if (demo_text_is(run, "command", command) && demo_text_is(run, "status", "done")) {
            int rc = store_rows(out, store, kind, js_int_of(js_member(run, "run")));
            if (rc != 0 || js_length(*out) > 0) {
                return rc;
            }
            js_free(*out);
            *out = NULL;
        }
    }
    return err_set(OGPT_EFORMAT,
                   "%s: no %s rows of a finished 'ogpt %s'; remove the demo folder and start again",
                   store_path, kind, command);
}

/* The layer is chosen by the validation games, and reported on the test games. Files of earlier
 * programs hold no validation accuracy. */
static double chosen_by(const Js *row)
{
    double validation = demo_number(row, "validation_accuracy");
    return isnan(validation) ? demo_number(row, "accuracy") : validation;
}

int demo_findings_read(DemoFindings *f, const char *path)
{
    const struct {
        Js **rows;
        const char *command, *kind;
    } wanted[] = {
        {&f->eval, "eval", "eval"},
        {&f->layers, "probe fit", "probe_layers"},
        {&f->controls, "probe fit", "probe_controls"},
        {&f->edit, "intervene", "edit_results"},
        {&f->cases, "intervene", "edit_cases"},
    };
    Store *store = NULL;
    Js *runs = NULL;
    int rc = store_open_read(&store, path);
    rc = rc ? rc : store_list(&runs, store, 0);
    for (size_t i = 0; rc == 0 && i < sizeof(wanted) / sizeof(wanted[0]); i++) {
        rc = newest_rows(wanted[i].rows, store, runs, wanted[i].command, wanted[i].kind, path);
    }
    for (size_t i = 0; i < js_length(f->layers); i++) {
        const Js *row = js_at(f->layers, i);
        if (!f->best || chosen_by(row) > chosen_by(f->best)) {
            f->best = row;
        }
    }
    js_free(runs);
    store_close(store);
    return rc;
}

int demo_verdict(DemoReport *out, const char *store_path, bool trained_long)
{
    DemoFindings f = {0};
    Js *lines = js_array();
    bool holds = false;
    *out = (DemoReport){0};
    int rc = demo_findings_read(&f, store_path);
    rc = rc ? rc : demo_findings_print(&out->text, lines, &holds, &f, trained_long);
    rc = rc ? rc : out->text.failed ? OGPT_ENOMEM : 0;
    if (rc == 0) {
        out->document = js_object();
        js_set_bool(out->document, "holds", holds);
        js_set(out->document, "claims", js_keep(lines));
        js_set(out->document, "eval", js_keep(f.eval));
        js_set(out->document, "layers", js_keep(f.layers));
        js_set(out->document, "controls", js_keep(f.controls));
        js_set(out->document, "edit", js_keep(f.edit));
        rc = holds ? 0 : err_set(OGPT_ENEGATIVE, "demo: the claim fails: see the lines above");
    }
    js_free(lines);
    demo_findings_release(&f);
    return rc;
}

void demo_report_release(DemoReport *report)
{
    text_release(&report->text);
    js_free(report->document);
    report->document = NULL;
}
