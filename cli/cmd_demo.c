/* cli/cmd_demo.c - ogpt demo: the whole experiment, by the very commands a user would type.
 *
 * The steps are a table of command lines. Each runs in this process and leaves its rows in the
 * demo's own results database; the closing table and the verdict are read from there, so no
 * number is computed twice.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/files.h"
#include "base/process.h"
#include "cli/command.h"
#include "num/stats.h"

#define DEMO_STORE "results.db"
#define DEMO_SEED 1 /* of the closing intervals; the steps use their own default */
#define MAX_WORDS 32

/* 6x6: small enough to learn in minutes, large enough that guessing fails. The corpus holds 20 %
 * more games than training takes: those are the validation and test splits. The number of
 * steps is fixed, so every machine makes the same model of its kind. */
static const struct {
    const char *what, *line;
} steps[] = {
    {"Random legal games, nothing else, are all the network will ever see.",
     "generate games.ogpc --size 6 --games 360000"},
    {"A small GPT learns to predict the next move.",
     "train six --corpus games.ogpc --preset tiny --layers 4 --steps 2200 --report-every 200"},
    {"The engine counts how often its first choice breaks the rules.",
     "eval six --corpus games.ogpc --games 5000"},
    {"Linear probes look for the board in its residual stream, beside controls that must fail.",
     "probe fit six --corpus games.ogpc --out probe --games 4000"},
    {"Cases for tuning an edit, and other cases for reporting it.",
     "cases make tune.csv --kind natural --n 400 --size 6 --purpose tune"},
    {"", "cases make cases.csv --kind natural --n 1000 --size 6"},
    {"One disc is turned over inside the network; the engine judges what it plays next.",
     "intervene six --probe probe --cases cases.csv --tune tune.csv"},
    {"One position to look at, chosen because it shows an edit well; the tables are the evidence.",
     "show six --probe probe --layer 1 --flip e2 "
     "--moves 'd5 e3 b2 b3 e2 e5 f6 b1 f3 e6 b4 d2 d6 a4 e1 f1'"},
};

/* Cut a line into words in place; quotes keep blanks together. */
static int split_words(char *line, char *words[MAX_WORDS])
{
    int n = 0;
    while (*line != '\0' && n < MAX_WORDS) {
        while (*line == ' ') {
            line++;
        }
        if (*line == '\0') {
            break;
        }
        char end = *line == '\'' ? '\'' : ' ';
        line += end == '\'' ? 1 : 0;
        words[n++] = line;
        while (*line != '\0' && *line != end) {
            line++;
        }
        if (*line != '\0') {
            *line++ = '\0';
        }
    }
    return n;
}

static int take_step(const Context *context, size_t index)
{
    char line[512], *words[MAX_WORDS];
    /* show computes nothing that is kept, so it knows no store. */
    bool keeps = strncmp(steps[index].line, "show ", 5) != 0;
    snprintf(line, sizeof line, "%s%s%s", steps[index].line, keeps ? " --store " DEMO_STORE : "",
             context->quiet ? " --quiet" : "");
    context_say(context, "%s%s\n$ ogpt %s", steps[index].what[0] != '\0' ? "\n# " : "",
                steps[index].what, line);
    int n = split_words(line, words);
    return cli_run(n, words);
}

/* What the closing table needs, read from the database. */
typedef struct Findings {
    Js *eval, *layers, *controls, *edit, *cases; /* arrays of rows */
    const Js *best;                              /* row of the best layer */
} Findings;

static void findings_release(Findings *f)
{
    js_free(f->eval);
    js_free(f->layers);
    js_free(f->controls);
    js_free(f->edit);
    js_free(f->cases);
}

static double number(const Js *row, const char *key)
{
    return js_num_of(js_member(row, key));
}

/* Rows of one kind of the newest finished run of a command. */
static int newest_rows(Js **out, Store *store, const Js *runs, const char *command,
                       const char *kind)
{
    for (size_t i = 0; i < js_length(runs); i++) {
        const Js *run = js_at(runs, i);
        const char *name = js_str_of(js_member(run, "command"));
        if (name != NULL && strcmp(name, command) == 0) {
            int code = store_rows(out, store, kind, js_int_of(js_member(run, "run")));
            if (code != 0 || js_length(*out) > 0) {
                return code;
            }
            js_free(*out);
            *out = NULL;
        }
    }
    return err_set(OGPT_EFORMAT,
                   DEMO_STORE ": no %s rows of 'ogpt %s'; remove the demo folder "
                              "and start again",
                   kind, command);
}

static int findings_read(Findings *f)
{
    Store *store = NULL;
    Js *runs = NULL;
    int code = store_open_read(&store, DEMO_STORE);
    if (code != 0 || (code = store_list(&runs, store, 0)) != 0 ||
        (code = newest_rows(&f->eval, store, runs, "eval", "eval")) != 0 ||
        (code = newest_rows(&f->layers, store, runs, "probe fit", "probe_layers")) != 0 ||
        (code = newest_rows(&f->controls, store, runs, "probe fit", "probe_controls")) != 0 ||
        (code = newest_rows(&f->edit, store, runs, "intervene", "edit_results")) != 0 ||
        (code = newest_rows(&f->cases, store, runs, "intervene", "edit_cases")) != 0) {
        goto done;
    }
    for (size_t i = 0; i < js_length(f->layers); i++) {
        const Js *row = js_at(f->layers, i);
        if (f->best == NULL || number(row, "accuracy") > number(f->best, "accuracy")) {
            f->best = row;
        }
    }
done:
    js_free(runs);
    store_close(store);
    return code;
}

/* Paired difference null - other over the cases, with its interval. */
static int case_gain(Interval *out, const Js *cases, const char *other)
{
    size_t n = js_length(cases);
    double *errors = mem_alloc(2 * n, sizeof *errors, "errors of the cases");
    if (errors == NULL) {
        return OGPT_ENOMEM;
    }
    for (size_t i = 0; i < n; i++) {
        errors[i] = number(js_at(cases, i), "null_error");
        errors[n + i] = number(js_at(cases, i), other);
    }
    *out = bootstrap_difference(errors, NULL, errors + n, NULL, n, DEMO_SEED);
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
                 100 * number(row, "accuracy"), 100 * number(row, "accuracy_low"),
                 100 * number(row, "accuracy_high"), 100 * number(row, "board_exact"));
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

static void check_probe(Claim *claim, const Findings *f)
{
    char line[160];
    for (size_t i = 0; i < js_length(f->controls); i++) {
        const Js *row = js_at(f->controls, i);
        const char *name = js_str_of(js_member(row, "control"));
        if (strcmp(name, "majority") != 0 && strcmp(name, "random_model") != 0) {
            continue;
        }
        snprintf(line, sizeof line, "the best layer reads the board better than %s: %.2f > %.2f %%",
                 strcmp(name, "majority") == 0 ? "the majority" : "random weights",
                 100 * number(f->best, "accuracy"), 100 * number(row, "accuracy"));
        claim_line(claim, number(f->best, "accuracy_low") > number(row, "accuracy_high"), line);
    }
}

static int print_report(Text *text, bool *holds, const Findings *f)
{
    const Js *eval = js_at(f->eval, js_length(f->eval) - 1);
    const Js *edit = js_at(f->edit, js_length(f->edit) - 1);
    Interval gain, random;
    char line[160];
    int code = case_gain(&gain, f->cases, "edit_error");
    if (code != 0 || (code = case_gain(&random, f->cases, "random_error")) != 0) {
        return code;
    }
    text_add(text, "\nDoes it play legally?  %lld held-out positions\n",
             (long long)js_int_of(js_member(eval, "positions")));
    text_add(text, "  strict error     %.2f %%  [%.2f, %.2f]   excess %.4f nats over the floor\n",
             100 * number(eval, "strict_error"), 100 * number(eval, "strict_error_low"),
             100 * number(eval, "strict_error_high"), number(eval, "excess"));
    text_add(text, "\nCan its board be read?  test games, mine/theirs/empty\n");
    text_add(text, "  layer             cells  95 %% interval   boards exact, %%\n");
    print_board_rows(text, f->layers, false);
    text_add(text, "  controls\n");
    print_board_rows(text, f->controls, true);
    const char *layers = js_str_of(js_member(edit, "layers")); /* "[3,4]" */
    const char *unit = js_str_of(js_member(edit, "scale_unit"));
    text_add(text,
             "\nDoes it play on an edited board?  %lld natural flips; layer %.*s, scale %g%s\n",
             (long long)js_int_of(js_member(edit, "cases")), (int)strcspn(layers + 1, "]"),
             layers + 1, number(edit, "scale"), unit != NULL ? unit : "");
    text_add(text, "  edited           %.3f  [%.3f, %.3f]   wrong moves a case, edited board\n",
             number(edit, "edit_error"), number(edit, "edit_error_low"),
             number(edit, "edit_error_high"));
    text_add(text, "  null             %.3f   not edited, edited board\n",
             number(edit, "null_error"));
    text_add(text, "  self             %.3f   not edited, its own board\n",
             number(edit, "self_error"));
    text_add(text, "  random direction %.3f\n", number(edit, "random_error"));
    text_add(text, "  closed           %.1f %%  [%.1f, %.1f]   of null - self\n",
             100 * number(edit, "closed"), 100 * number(edit, "closed_low"),
             100 * number(edit, "closed_high"));
    text_add(text, "\nThe claim: it built a board, and plays by it\n");
    Claim claim = {.text = text, .holds = true};
    check_probe(&claim, f);
    snprintf(line, sizeof line, "the edit lowers the error: null - edit = %.3f [%.3f, %.3f]",
             gain.value, gain.low, gain.high);
    claim_line(&claim, gain.low > 0, line);
    snprintf(line, sizeof line, "a random direction does not: null - random = %.3f [%.3f, %.3f]",
             random.value, random.low, random.high);
    claim_line(&claim, random.low <= 0, line);
    *holds = claim.holds;
    return 0;
}

static int run_demo(Context *context)
{
    Findings f = {0};
    Text text = {0};
    Js *document = NULL;
    bool holds = false;
    double start = clock_seconds();
    int code = 0;
    for (size_t i = 0; code == 0 && i < sizeof steps / sizeof steps[0]; i++) {
        code = take_step(context, i);
    }
    if (code != 0 || (code = findings_read(&f)) != 0 ||
        (code = print_report(&text, &holds, &f)) != 0) {
        goto done;
    }
    code = file_write_atomic("report.txt", text.data, text.length, true);
    if (code != 0) {
        goto done;
    }
    document = js_object();
    js_set_bool(document, "holds", holds);
    js_set_num(document, "seconds", clock_seconds() - start);
    js_set(document, "eval", js_keep(f.eval));
    js_set(document, "layers", js_keep(f.layers));
    js_set(document, "controls", js_keep(f.controls));
    js_set(document, "edit", js_keep(f.edit));
    code = context_result(context, js_keep(document), text.data);
    context_say(context,
                "the demo took %.0f s; this table is in report.txt, every number in " DEMO_STORE,
                clock_seconds() - start);
    if (code == 0 && !holds) {
        code = err_set(OGPT_ENEGATIVE, "demo: the claim fails: see the lines above");
    }
done:
    js_free(document);
    text_release(&text);
    findings_release(&f);
    return code;
}

const Command cmd_demo = {
    .name = "demo",
    .arguments = "",
    .summary = "the whole experiment on 6x6: games, network, probes, edits, verdict",
    .examples = "  mkdir demo && cd demo && ogpt demo\n",
    .options = NULL,
    .n_options = 0,
    .options_bytes = 0,
    .min_args = 0,
    .max_args = 0,
    .uses = 0,
    .run = run_demo,
};
