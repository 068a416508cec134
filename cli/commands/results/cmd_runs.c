/* cli/commands/results/cmd_runs.c - ogpt runs list|show|diff: what was done, and what came out. */
#include "cli/command.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "report/draw.h"

#define ROWS_SHOWN 12 /* of one kind in 'runs show'; --json has all */

/* A value as it stands in a table. */
static void value_add(Text *text, const Js *value)
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

static const char *member_text(const Js *object, const char *key)
{
    const Js *value = js_member(object, key);
    return value && js_type(value) == JS_STR ? js_str_of(value) : "-";
}

typedef struct ListOptions {
    int64_t limit;
} ListOptions;

static const OptionSpec list_options[] = {
    {"limit", OPT_INT, offsetof(ListOptions, limit), 0, 1000000, "20", .argument = "N",
     .help = "the newest N runs; 0: all"},
};

static int list_run(Context *context)
{
    const ListOptions *given = context->options;
    Store *store = NULL;
    Js *runs = NULL;
    Text text = {0};
    int rc = store_open_read(&store, context->store_path);
    rc = rc ? rc : store_list(&runs, store, (int)given->limit);
    store_close(store);
    if (rc != 0) {
        return rc;
    }
    text_add(&text, "%6s  %-20s  %-11s  %s\n", "run", "started", "status", "command");
    for (size_t i = 0; i < js_length(runs); i++) {
        const Js *run = js_at(runs, i);
        text_add(&text, "%6lld  %-20s  %-11s  %s\n", (long long)js_int_of(js_member(run, "run")),
                 member_text(run, "started"), member_text(run, "status"),
                 member_text(run, "command_line"));
    }
    Js *document = js_object();
    js_set(document, "runs", runs);
    rc = context_result(context, document, text.data);
    text_release(&text);
    return rc;
}

const Command cmd_runs_list = {
    .name = "runs list",
    .arguments = "",
    .summary = "the runs in the results database, newest first",
    .examples = "ogpt runs list\nogpt runs list --limit 100 --store other.db",
    .options = list_options,
    .n_options = sizeof(list_options) / sizeof(list_options[0]),
    .options_bytes = sizeof(ListOptions),
    .uses = USES_STORE,
    .run = list_run,
};

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
                value_add(text, value);
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
    return rc != 0 ? rc
                   : curve_add(text, rows, "board_accuracy", "board accuracy of the quick probe");
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
        value_add(text, value);
    }
    text_add(text, "\n");
}

static int run_describe(Text *text, const Js *run)
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

/* Read run number `index` of the arguments; the newest when it is not given. */
static int run_read(Js **out, Context *context, Store *store, int index)
{
    int64_t run = 0;
    Js *newest = NULL;
    int rc = 0;
    if (index < context->n_args) {
        rc = context_arg_int(&run, context, index, "RUN", 1, INT64_MAX);
        return rc != 0 ? rc : store_show(out, store, run);
    }
    rc = store_list(&newest, store, 1);
    if (rc == 0 && js_length(newest) == 0) {
        rc = err_set(OGPT_EUSAGE, "%s: no runs in it yet", context->store_path);
    }
    rc = rc ? rc : store_show(out, store, js_int_of(js_member(js_at(newest, 0), "run")));
    js_free(newest);
    return rc;
}

static int show_run(Context *context)
{
    Store *store = NULL;
    Js *run = NULL;
    Text text = {0};
    int rc = store_open_read(&store, context->store_path);
    rc = rc ? rc : run_read(&run, context, store, 0);
    store_close(store);
    rc = rc ? rc : run_describe(&text, run);
    rc = rc ? rc : context_result(context, js_keep(run), text.data);
    js_free(run);
    text_release(&text);
    return rc;
}

const Command cmd_runs_show = {
    .name = "runs show",
    .arguments = "[RUN]",
    .summary = "one run (the newest unless told): options, results, curves",
    .examples = "ogpt runs show\nogpt runs show 3 --json",
    .max_args = 1,
    .uses = USES_STORE,
    .run = show_run,
};

/* Add "key a -> b" for each member that differs, and the pair to `out`. */
static void members_diff(Text *text, Js *out, const char *title, const Js *a, const Js *b)
{
    const Js *sides[] = {a, b};
    for (int side = 0; side < 2; side++) {
        void *it = NULL;
        const char *key = NULL;
        const Js *value = NULL;
        while (sides[side] && js_next(sides[side], &it, &key, &value)) {
            const Js *other = sides[1 - side] ? js_member(sides[1 - side], key) : NULL;
            Text mine = {0};
            Text theirs = {0};
            value_add(&mine, value);
            value_add(&theirs, other);
            bool same = mine.data && theirs.data && strcmp(mine.data, theirs.data) == 0;
            /* The second pass only adds what the first side lacks. */
            if (!same && (side == 0 || !other)) {
                const Js *left = side == 0 ? value : other;
                const Js *right = side == 0 ? other : value;
                Js *pair = js_array();
                js_push(pair, left ? js_keep(left) : js_null());
                js_push(pair, right ? js_keep(right) : js_null());
                js_set(out, key, pair);
                text_add(text, "%-12s %-20s %s -> %s\n", title, key,
                         side == 0 ? mine.data : theirs.data, side == 0 ? theirs.data : mine.data);
            }
            text_release(&mine);
            text_release(&theirs);
        }
    }
}

static const Js *last_row(const Js *run, const char *kind)
{
    const Js *rows = js_member(js_member(run, "results"), kind);
    return rows ? js_at(rows, js_length(rows) - 1) : NULL;
}

/* The last row of each kind that both runs, or one of them, have. */
static void results_diff(Text *text, Js *out, const Js *a, const Js *b)
{
    const Js *sides[] = {a, b};
    for (int side = 0; side < 2; side++) {
        void *it = NULL;
        const char *kind = NULL;
        const Js *rows = NULL;
        while (js_next(js_member(sides[side], "results"), &it, &kind, &rows)) {
            if (js_has(out, kind)) {
                continue;
            }
            Js *pairs = js_object();
            members_diff(text, pairs, kind, last_row(a, kind), last_row(b, kind));
            js_set(out, kind, pairs);
        }
    }
}

static int diff_run(Context *context)
{
    static const char *const groups[] = {"options", "versions"};
    Store *store = NULL;
    Js *a = NULL;
    Js *b = NULL;
    Text text = {0};
    int rc = store_open_read(&store, context->store_path);
    rc = rc ? rc : run_read(&a, context, store, 0);
    rc = rc ? rc : run_read(&b, context, store, 1);
    store_close(store);
    if (rc != 0) {
        goto done;
    }
    Js *document = js_object();
    js_set_int(document, "a", js_int_of(js_member(a, "run")));
    js_set_int(document, "b", js_int_of(js_member(b, "run")));
    text_add(&text, "run %s: %s\nrun %s: %s\n", context->args[0], member_text(a, "command_line"),
             context->args[1], member_text(b, "command_line"));
    for (size_t i = 0; i < 2; i++) {
        Js *pairs = js_object();
        members_diff(&text, pairs, groups[i], js_member(a, groups[i]), js_member(b, groups[i]));
        js_set(document, groups[i], pairs);
    }
    Js *results = js_object();
    results_diff(&text, results, a, b);
    js_set(document, "results", results);
    rc = context_result(context, document, text.data);
done:
    js_free(a);
    js_free(b);
    text_release(&text);
    return rc;
}

const Command cmd_runs_diff = {
    .name = "runs diff",
    .arguments = "RUN RUN",
    .summary = "what differs between two runs: options, versions, last results",
    .examples = "ogpt runs diff 3 4",
    .min_args = 2,
    .max_args = 2,
    .uses = USES_STORE,
    .run = diff_run,
};
