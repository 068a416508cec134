/* cli/cmd_demo.c - ogpt demo: the whole experiment, by the very commands a user would type.
 *
 * The steps are a table of command lines. Each runs in this process and leaves its rows in the
 * demo's own results database; the closing tables and the verdict (demo_report.c) are read from
 * there.
 */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/files.h"
#include "base/process.h"
#include "cli/demo_report.h"
#include "cli/framework.h"
#include "datasets/vocab.h"
#include "model/checkpoint.h"

#define DEMO_STORE "results.db"
#define SHIPPED_STORE "shipped.db" /* of the steps with --model */
#define DEMO_SIZE 6
#define DEMO_REPORT "report.txt"
#define MAX_WORDS 32

/* 6x6: small enough to learn in minutes, large enough that guessing fails. 80 % of the corpus, some
 * 288,000 games, are for training, which takes 2200 batches of 128 of them, 281,600; the rest are
 * the validation and test games. The number of steps is fixed, so every machine makes the same
 * model of its kind. */
typedef struct DemoStep {
    const char *what, *line;
} DemoStep;

static const DemoStep steps[] = {
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
    {"One position to look at; the tables are the evidence.",
     "show six --probe probe --layer 1 --flip e2 "
     "--moves 'd5 e3 b2 b3 e2 e5 f6 b1 f3 e6 b4 d2 d6 a4 e1 f1'"},
};

/* The same questions to a network that was trained for longer; MODEL stands for its path. */
static const DemoStep shipped_steps[] = {
    {"The same questions to a network that saw more games: does it play by the rules?",
     "eval MODEL --corpus games.ogpc --games 5000"},
    {"Can its board be read?",
     "probe fit MODEL --corpus games.ogpc --out shipped-probe --games 4000"},
    {"Does it play on an edited board?",
     "intervene MODEL --probe shipped-probe --cases cases.csv --tune tune.csv"},
    {"One position to look at; the tables are the evidence.",
     "show MODEL --probe shipped-probe --layer 4 --flip d4 "
     "--moves 'e4 e5 b3 e3 f6 a3 f4 d5 e2 f5 e6 f3 a2 b4 b2 c6'"},
};

typedef struct DemoOptions {
    const char *model;
} DemoOptions;

static const OptionSpec options[] = {
    {"model", OPT_TEXT, offsetof(DemoOptions, model), .argument = "MODEL",
     .help = "a trained 6x6 network, asked the same questions after the one that is trained here"},
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

static int take_step(const Context *context, const DemoStep *step, const char *model,
                     const char *store)
{
    char line[256], *words[MAX_WORDS + 4] = {NULL};
    snprintf(line, sizeof line, "%s", step->line);
    int n = split_words(line, words);
    /* show computes nothing that is kept, so it knows no store. */
    if (strncmp(step->line, "show ", 5) != 0) {
        words[n++] = (char *)"--store";
        words[n++] = (char *)store;
    }
    if (context->quiet || context->json) {
        words[n++] = (char *)"--quiet";
    }
    Text shown = {0};
    for (int i = 0; i < n; i++) {
        if (model != NULL && strcmp(words[i], "MODEL") == 0) {
            words[i] = (char *)model;
        }
        text_add(&shown, strchr(words[i], ' ') != NULL ? " '%s'" : " %s", words[i]);
    }
    context_say(context, "%s%s\n$ ogpt%s", step->what[0] != '\0' ? "\n# " : "", step->what,
                shown.failed ? "" : shown.data);
    text_release(&shown);
    /* With --json, the demo's document is the only one on stdout. */
    results__mute(context->json ? 1 : 0);
    int code = cli_run(n, words);
    results__mute(context->json ? -1 : 0);
    return code;
}

static int take_steps(const Context *context, const DemoStep *list, size_t n, const char *model,
                      const char *store)
{
    int code = 0;
    for (size_t i = 0; code == 0 && i < n; i++) {
        code = take_step(context, &list[i], model, store);
    }
    return code;
}

/* A report.txt without the demo's results beside it was written by someone else. */
static int report_is_ours(const Context *context)
{
    if (context->force || !file_exists(DEMO_REPORT) || file_exists(DEMO_STORE)) {
        return 0;
    }
    return err_set(OGPT_EUSAGE, "demo: " DEMO_REPORT " is here without " DEMO_STORE ", so it is of "
                                "no demo; start in an empty folder, or replace it with --force");
}

#define COUNT(list) (sizeof(list) / sizeof(list)[0])

static int write_report(const DemoReport *report)
{
    return file_write_atomic(DEMO_REPORT, report->text.data, report->text.length, true);
}

/* Add tables and claim of one part, and write what there is: a later part may fail. *verdict
 * becomes OGPT_ENEGATIVE when the claim fails. */
static int add_part(DemoReport *whole, int *verdict, const char *key, const char *title,
                    const char *store, const DemoClaims *claims)
{
    DemoReport part = {0};
    int code = demo_verdict(&part, store, claims);
    if (code == OGPT_ENEGATIVE) {
        *verdict = code;
        code = 0;
    }
    if (code == 0) {
        text_add(&whole->text, "\n==== %s ====\n%s", title, part.text.data);
        js_set(whole->document, key, js_keep(part.document));
        code = whole->text.failed ? OGPT_ENOMEM : write_report(whole);
    }
    demo_report_release(&part);
    return code;
}

/* Before minutes are spent. */
static int check_model(const char *path)
{
    ModelFile model;
    int code = model_load(&model, path, NULL);
    if (code != 0) {
        return code;
    }
    int found = model.gpt->cfg.d_vocab, expected = vocab_of(game_variant(DEMO_SIZE))->d_vocab;
    model_release(&model);
    return found == expected ? 0
                             : err_set(OGPT_EUSAGE,
                                       "demo: --model %s: d_vocab is %d, games of 6x6 need %d; "
                                       "give a network for --size 6",
                                       path, found, expected);
}

static int run_demo(Context *context)
{
    const DemoOptions *given = context->options;
    const DemoClaims shipped = {.history = true, .closed = 0.6};
    DemoReport report = {.document = js_object()};
    double start = clock_seconds();
    int verdict = 0, code = report_is_ours(context);
    code = code != 0 || given->model == NULL ? code : check_model(given->model);
    code = code != 0 ? code : take_steps(context, steps, COUNT(steps), NULL, DEMO_STORE);
    code = code != 0 ? code
                     : add_part(&report, &verdict, "trained", "The network trained just now",
                                DEMO_STORE, &(DemoClaims){0});
    if (code == 0 && given->model != NULL) {
        code =
            take_steps(context, shipped_steps, COUNT(shipped_steps), given->model, SHIPPED_STORE);
        code = code != 0 ? code
                         : add_part(&report, &verdict, "shipped", "The shipped network",
                                    SHIPPED_STORE, &shipped);
    }
    js_set_bool(report.document, "holds", verdict == 0);
    if (code == 0) {
        js_set_num(report.document, "seconds", clock_seconds() - start);
        code = context_result(context, js_keep(report.document), report.text.data);
        context_say(context,
                    "the demo took %.0f s; this table is in " DEMO_REPORT
                    ", every number in " DEMO_STORE "%s",
                    clock_seconds() - start, given->model != NULL ? " and " SHIPPED_STORE : "");
    }
    demo_report_release(&report);
    if (code == 0 && verdict != 0) {
        code = err_set(verdict, "demo: the claim fails: see the lines above");
    }
    return code;
}

const Command cmd_demo = {
    .name = "demo",
    .arguments = "[--model MODEL]",
    .summary = "the whole experiment on 6x6: games, network, probes, edits, verdict",
    .examples = "mkdir demo && cd demo && ogpt demo\n"
                "ogpt demo --model ../datasets/models/tiny-6x6",
    .options = options,
    .n_options = COUNT(options),
    .options_bytes = sizeof(DemoOptions),
    .min_args = 0,
    .max_args = 0,
    .uses = USES_FORCE,
    .run = run_demo,
};
