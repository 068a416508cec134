/* report/runs/run_text.c - contract in report/runs/run_text.h. */
#include "report/runs/run_text.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "report/draw.h"

#define ROWS_SHOWN 12 /* of one kind; JSON has all */

void run_text_value(Text *text, const Js *value)
{
    char *printed = NULL;
    switch (!value ? JS_NULL : js_type(value)) {
    case JS_NULL: text_add(text, "-"); break;
    case JS_BOOL: text_add(text, "%s", js_bool_of(value) ? "yes" : "no"); break;
    case JS_INT: text_add(text, "%lld", (long long)js_int_of(value)); break;
    case JS_NUM: text_add(text, "%.6g", js_num_of(value)); break;
    case JS_STR: text_add(text, "%s", js_str_of(value)); break;
    case JS_ARRAY:
    case JS_OBJECT:
        if (js_print(&printed, value, 0) == 0) {
            text_add(text, "%s", printed);
        }
        mem_free(printed);
        break;
    }
}

/* The rows of one kind as a table; long ones are cut in the middle of the listing. */
static void rows_add(Text *text, const char *kind, const Js *rows)
{
    size_t n = js_length(rows);
    text_add(text, "\n%s, %zu row%s\n", kind, n, n == 1 ? "" : "s");
    for (size_t i = 0; i < n; i++) {
        void *it = NULL;
        const char *key = NULL;
        const Js *value = NULL;
        if (n > ROWS_SHOWN && i == ROWS_SHOWN / 2) {
            i = n - ROWS_SHOWN / 2;
            text_add(text, "  ... (--json has all)\n");
        }
        text_add(text, " ");
        while (js_next(js_at(rows, i), &it, &key, &value)) {
            if (js_type(value) != JS_NULL) {
                text_add(text, " %s=", key);
                run_text_value(text, value);
            }
        }
        text_add(text, "\n");
    }
}

/* Plot one column of the training curve over the games seen. */
static int curve_add(Text *text, const Js *rows, const char *column, const char *title)
{
    size_t n = js_length(rows);
    double *x = mem_alloc(n, sizeof(*x), "a curve");
    double *y = mem_alloc(n, sizeof(*y), "a curve");
    int rc = !x || !y ? OGPT_ENOMEM : 0;
    for (size_t i = 0; rc == 0 && i < n; i++) {
        const Js *value = js_member(js_at(rows, i), column);
        x[i] = js_num_of(js_member(js_at(rows, i), "games"));
        y[i] = value ? js_num_of(value) : NAN;
    }
    if (rc == 0) {
        draw_curve(text, title, "games", x, y, n);
    }
    mem_free(x);
    mem_free(y);
    return rc;
}

/* The loss where there is no floor to measure it from: that of games that were not generated. */
static int curves_add(Text *text, const Js *rows)
{
    bool floored = js_type(js_member(js_at(rows, 0), "excess")) != JS_NULL;
    int rc = floored ? curve_add(text, rows, "excess", "excess over the floor (nats)")
                     : curve_add(text, rows, "loss", "loss (nats)");
    rc = rc ? rc : curve_add(text, rows, "strict_error", "strict error");
    return rc ? rc : curve_add(text, rows, "board_accuracy", "board accuracy of the quick probe");
}

/* Options and versions on one line each. */
static void details_add(Text *text, const Js *run, const char *name)
{
    void *it = NULL;
    const char *key = NULL;
    const Js *value = NULL;
    text_add(text, "%-10s", name);
    while (js_next(js_member(run, name), &it, &key, &value)) {
        text_add(text, " %s=", key);
        run_text_value(text, value);
    }
    text_add(text, "\n");
}

int run_text_describe(Text *text, const Js *run)
{
    static const char *const plain[] = {"command_line", "subject", "status", "message",
                                        "started",      "ended",   "machine"};
    void *it = NULL;
    const char *kind = NULL;
    const Js *rows = NULL;
    int rc = 0;
    text_add(text, "run        %lld\n", (long long)js_int_of(js_member(run, "run")));
    for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
        const Js *value = js_member(run, plain[i]);
        if (value && js_type(value) == JS_STR) {
            const char *label = i == 0 ? "command" : plain[i];
            text_add(text, "%-10s %s\n", label, js_str_of(value));
        }
    }
    text_add(text, "%-10s %lld\n", "sessions", (long long)js_int_of(js_member(run, "sessions")));
    details_add(text, run, "options");
    details_add(text, run, "versions");
    while (rc == 0 && js_next(js_member(run, "results"), &it, &kind, &rows)) {
        rows_add(text, kind, rows);
        if (strcmp(kind, "train_curve") == 0) {
            rc = curves_add(text, rows);
        }
    }
    return rc;
}
