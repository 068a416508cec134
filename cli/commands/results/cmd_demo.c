/* cli/commands/results/cmd_demo.c - ogpt demo: the whole experiment, by the very commands a user
 * would type.
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
#include "cli/commands/results/demo_report.h"
#include "cli/framework.h"
#include "datasets/vocab.h"
#include "model/checkpoint.h"

#define DEMO_STORE "results.db"
#define GIVEN_STORE "given.db" /* of the networks that were given */
#define DEMO_REPORT "report.txt"
#define MAX_WORDS 32

/* 6x6: small enough to learn in minutes, large enough that guessing fails. 80 % of the corpus, some
 * 288,000 games, are for training, which takes 2200 batches of 128 of them, 281,600; the rest are
 * the validation and test games. The number of steps is fixed, so every machine makes the same
 * model of its kind. */
typedef struct DemoStep {
    const char *what, *line;
} DemoStep;

static const DemoStep train_steps[] = {
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

/* The same questions to a network that was trained for longer; MODEL stands for its path, PROBE
 * for a name of its own: another network in the same folder has another one. */
static const DemoStep given_6x6_steps[] = {
    {"The same questions to a network that saw more games: does it play by the rules?",
     "eval MODEL --corpus games.ogpc --games 5000"},
    {"Can its board be read?", "probe fit MODEL --corpus games.ogpc --out PROBE --games 4000"},
    {"Does it play on an edited board?",
     "intervene MODEL --probe PROBE --cases cases.csv --tune tune.csv"},
    {"One position to look at; the tables are the evidence.",
     "show MODEL --probe PROBE --flip d4 "
     "--moves 'e4 e5 b3 e3 f6 a3 f4 d5 e2 f5 e6 f3 a2 b4 b2 c6'"},
};

static const DemoStep given_8x8_steps[] = {
    {"Games of the full board, only to ask by.", "generate games8.ogpc --games 40000"},
    {"The same questions to a network of that size: does it play by the rules?",
     "eval MODEL --corpus games8.ogpc --games 4000"},
    {"Can its board be read?", "probe fit MODEL --corpus games8.ogpc --out PROBE --games 4000"},
    {"Cases for tuning an edit, and other cases for reporting it.",
     "cases make tune8.csv --kind natural --n 400 --purpose tune"},
    {"", "cases make cases8.csv --kind natural --n 1000"},
    {"Does it play on an edited board?",
     "intervene MODEL --probe PROBE --cases cases8.csv --tune tune8.csv"},
    {"One position to look at; the tables are the evidence.",
     "show MODEL --probe PROBE --flip d4 --moves 'c4 e3 f3 g3 g2 g1 e6 c5 c3 c6 f4 d3 h3'"},
};

#define COUNT(list) (sizeof(list) / sizeof(list)[0])

typedef struct DemoPart {
    const char *key;   /* of its results in the JSON document */
    int size;          /* of the boards */
    const char *store; /* results database of its steps */
    const DemoStep *steps;
    size_t n_steps;
    DemoClaims claims;
} DemoPart;

static const DemoPart train_part = {"trained", 6, DEMO_STORE, train_steps, COUNT(train_steps), {0}};

static const DemoPart given_parts[] = {
    {"given_6x6", 6, GIVEN_STORE, given_6x6_steps, COUNT(given_6x6_steps), {true, 0.6}},
    {"given_8x8", 8, GIVEN_STORE, given_8x8_steps, COUNT(given_8x8_steps), {true, 0.6}},
};

typedef struct GivenModel {
    const char *path; /* NULL: none */
    char probe[32];   /* probe-<start of its hash> */
} GivenModel;

/* The networks that were given, by part. */
typedef struct GivenModels {
    GivenModel of[COUNT(given_parts)];
} GivenModels;

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

static int take_step(const Context *context, const DemoStep *step, const GivenModel *model,
                     const char *store)
{
    char line[256], *words[MAX_WORDS + 4] = {NULL};
    snprintf(line, sizeof(line), "%s", step->line);
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
        if (model && strcmp(words[i], "MODEL") == 0) {
            words[i] = (char *)model->path;
        }
        if (model && strcmp(words[i], "PROBE") == 0) {
            words[i] = (char *)model->probe;
        }
        text_add(&shown, strchr(words[i], ' ') != NULL ? " '%s'" : " %s", words[i]);
    }
    context_say(context, "%s%s\n$ ogpt%s", step->what[0] != '\0' ? "\n# " : "", step->what,
                shown.failed ? "" : shown.data);
    text_release(&shown);
    /* With --json, the demo's document is the only one on stdout. */
    results__mute(context->json ? 1 : 0);
    int rc = cli_run(n, words);
    results__mute(context->json ? -1 : 0);
    return rc;
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

static int write_report(const DemoReport *report)
{
    return file_write_atomic(DEMO_REPORT, report->text.data, report->text.length, true);
}

/* Add tables and claim of one part, and write what there is: a later part may fail. *verdict
 * becomes OGPT_ENEGATIVE when the claim fails. */
static int add_part(DemoReport *whole, int *verdict, const DemoPart *part, const GivenModel *model)
{
    DemoReport report = {0};
    int rc = demo_verdict(&report, part->store, &part->claims);
    if (rc == OGPT_ENEGATIVE) {
        *verdict = rc;
        rc = 0;
    }
    if (rc == 0) {
        text_add(&whole->text, "\n==== %s, %dx%d ====\n%s",
                 model ? model->path : "The network trained just now", part->size, part->size,
                 report.text.data);
        js_set(whole->document, part->key, js_keep(report.document));
        rc = whole->text.failed ? OGPT_ENOMEM : write_report(whole);
    }
    demo_report_release(&report);
    return rc;
}

static int take_part(DemoReport *whole, int *verdict, const Context *context, const DemoPart *part,
                     const GivenModel *model)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < part->n_steps; i++) {
        rc = take_step(context, &part->steps[i], model, part->store);
    }
    return rc != 0 ? rc : add_part(whole, verdict, part, model);
}

/* Enter a network at the part of its size. */
static int place_model(GivenModels *given, const char *path)
{
    ModelFile model;
    int rc = model_load(&model, path, NULL);
    if (rc != 0) {
        return rc;
    }
    int d_vocab = model.gpt->cfg.d_vocab;
    GivenModel entry = {.path = path};
    snprintf(entry.probe, sizeof(entry.probe), "probe-%.8s", model.model_hash);
    model_release(&model);
    for (size_t i = 0; i < COUNT(given_parts); i++) {
        const DemoPart *part = &given_parts[i];
        if (vocab_of(game_variant(part->size))->d_vocab != d_vocab) {
            continue;
        }
        if (given->of[i].path) {
            return err_set(OGPT_EUSAGE, "demo: %s and %s are both of %dx%d; give one of each size",
                           given->of[i].path, path, part->size, part->size);
        }
        given->of[i] = entry;
        return 0;
    }
    return err_set(OGPT_EUSAGE,
                   "demo: %s: d_vocab is %d; the demo knows networks of 6x6 (33) and 8x8 (61)",
                   path, d_vocab);
}

/* Before minutes are spent. */
static int place_models(GivenModels *given, const Context *context)
{
    int rc = 0;
    for (int i = 0; rc == 0 && i < context->n_args; i++) {
        rc = place_model(given, context->args[i]);
    }
    return rc;
}

static int run_demo(Context *context)
{
    GivenModels given = {0};
    DemoReport report = {.document = js_object()};
    double start = clock_seconds();
    int verdict = 0, code = report_is_ours(context);
    code = code != 0 ? code : place_models(&given, context);
    code = code != 0 ? code : take_part(&report, &verdict, context, &train_part, NULL);
    for (size_t i = 0; code == 0 && i < COUNT(given_parts); i++) {
        if (given.of[i].path) {
            code = take_part(&report, &verdict, context, &given_parts[i], &given.of[i]);
        }
    }
    js_set_bool(report.document, "holds", verdict == 0);
    if (code == 0) {
        js_set_num(report.document, "seconds", clock_seconds() - start);
        code = context_result(context, js_keep(report.document), report.text.data);
        context_say(context,
                    "the demo took %.0f s; this table is in " DEMO_REPORT
                    ", every number in " DEMO_STORE "%s",
                    clock_seconds() - start, context->n_args > 0 ? " and " GIVEN_STORE : "");
    }
    demo_report_release(&report);
    if (code == 0 && verdict != 0) {
        code = err_set(verdict, "demo: the claim fails: see the lines above");
    }
    return code;
}

const Command cmd_demo = {
    .name = "demo",
    .arguments = "[MODEL [MODEL]]",
    .summary =
        "the whole experiment on 6x6, then the same questions to trained networks of 6x6 and 8x8",
    .examples = "mkdir demo && cd demo && ogpt demo\n"
                "ogpt demo ../datasets/models/tiny-6x6 ../datasets/models/tiny-8x8",
    .min_args = 0,
    .max_args = (int)COUNT(given_parts),
    .uses = USES_FORCE,
    .run = run_demo,
};
