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

#define DEMO_STORE "results.db"
#define DEMO_REPORT "report.txt"
#define MAX_WORDS 32

/* 6x6: small enough to learn in minutes, large enough that guessing fails. 80 % of the corpus, some
 * 288,000 games, are for training, which takes 2200 batches of 128 of them, 281,600; the rest are
 * the validation and test games. The number of steps is fixed, so every machine makes the same
 * model of its kind. */
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
             context->quiet || context->json ? " --quiet" : "");
    context_say(context, "%s%s\n$ ogpt %s", steps[index].what[0] != '\0' ? "\n# " : "",
                steps[index].what, line);
    int n = split_words(line, words);
    /* With --json, the demo's document is the only one on stdout. */
    results__mute(context->json ? 1 : 0);
    int code = cli_run(n, words);
    results__mute(context->json ? -1 : 0);
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

static int run_demo(Context *context)
{
    DemoReport report = {0};
    double start = clock_seconds();
    int code = report_is_ours(context);
    for (size_t i = 0; code == 0 && i < sizeof steps / sizeof steps[0]; i++) {
        code = take_step(context, i);
    }
    if (code != 0) {
        return code;
    }
    int verdict = demo_verdict(&report, DEMO_STORE);
    code = verdict == OGPT_ENEGATIVE ? 0 : verdict;
    code = code != 0 ? code
                     : file_write_atomic(DEMO_REPORT, report.text.data, report.text.length, true);
    if (code == 0) {
        js_set_num(report.document, "seconds", clock_seconds() - start);
        code = context_result(context, js_keep(report.document), report.text.data);
        context_say(context,
                    "the demo took %.0f s; this table is in " DEMO_REPORT
                    ", every number in " DEMO_STORE,
                    clock_seconds() - start);
    }
    demo_report_release(&report);
    return code != 0 ? code : verdict;
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
    .uses = USES_FORCE,
    .run = run_demo,
};
