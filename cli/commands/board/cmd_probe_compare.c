/* cli/commands/board/cmd_probe_compare.c - ogpt probe compare: which differences between layers,
 * sites, tasks and networks are real, by paired tests on the same test games. */
#include "cli/command.h"
#include "cli/commands/common/model_input.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "report/csv.h"
#include "report/intervals.h"
#include "cli/commands/board/probe_view.h"
#include "probes/compare/compare.h"

#define PAIRS_MAX (COMPARE_MAX * (COMPARE_MAX - 1) / 2)
#define TESTS_MAX (PAIRS_MAX > LAYERS_MAX ? PAIRS_MAX : LAYERS_MAX)

typedef struct CompareGiven {
    const char *corpus, *layer, *score, *csv;
    int64_t test_games, plies, memory;
} CompareGiven;

#define AT(field) offsetof(CompareGiven, field)
static const OptionSpec options[] = {
    {"corpus", OPT_TEXT, AT(corpus), .argument = "FILE",
     .help = "games to read positions from; needed"},
    {"layer", OPT_TEXT, AT(layer), .def = "best", .argument = "L",
     .help =
         "the layer of every probe: a number, 'embed', or each probe's best on validation games"},
    {"score", OPT_CHOICE, AT(score), .def = "cells", .choices = "cells|boards|nonempty|flipped",
     .argument = "NAME", .help = "what is compared: see ogpt probe fit"},
    {"test-games", OPT_INT, AT(test_games), 2, 1e7, .def = "1000", .argument = "N",
     .help = "test games; half as many validation games choose the best layer"},
    {"plies", OPT_INT, AT(plies), 0, 60, .def = "8", .argument = "N",
     .help = "positions drawn of each game; 0 takes all"},
    {"memory", OPT_INT, AT(memory), 1, 1e6, .def = "1024", .argument = "MIB",
     .help = "for activations: layers are captured in groups that fit"},
    {"csv", OPT_TEXT, AT(csv), .argument = "DIR",
     .help = "also write the tables as CSV files into this directory"},
};

typedef struct Match {
    size_t n;
    Subject subject[COMPARE_MAX];
    Probe probe[COMPARE_MAX];
    Contender contender[COMPARE_MAX];
    CompareOptions options;
    PairedTest test[TESTS_MAX];
    Interval score[TESTS_MAX]; /* of layers, or of contenders */
} Match;

static int read_options(CompareOptions *out, const Context *context)
{
    static const char *const scores[N_SCORES] = {"cells", "boards", "nonempty", "flipped"};
    const CompareGiven *given = context->options;
    *out = (CompareOptions){.n_test_games = (size_t)given->test_games,
                            .plies = (int)given->plies,
                            .layer = COMPARE_BEST};
    for (int score = 0; score < N_SCORES; score++) {
        out->score = strcmp(scores[score], given->score) == 0 ? (ScoreKind)score : out->score;
    }
    if (strcmp(given->layer, "embed") == 0) {
        out->layer = LAYER_EMBED;
    } else if (strcmp(given->layer, "best") != 0) {
        char *end;
        long layer = strtol(given->layer, &end, 10);
        if (given->layer[0] < '0' || given->layer[0] > '9' || *end != '\0' || layer >= LAYERS_MAX) {
            return err_set(OGPT_EUSAGE, "--layer \"%s\": expected best, embed or a number",
                           given->layer);
        }
        out->layer = (int)layer;
    }
    return given->corpus ? 0
                         : err_set(OGPT_EUSAGE, "probe compare: --corpus FILE is needed; see 'ogpt "
                                                "probe compare --help'");
}

static int load_contender(Match *match, size_t i, Context *context)
{
    const char *path = context->args[2 * i + 1];
    int rc = context_subject_open(context, &match->subject[i], context->args[2 * i]);
    rc = rc ? rc : probe_load(&match->probe[i], path);
    match->contender[i] =
        (Contender){.subject = &match->subject[i], .probe = &match->probe[i], .path = path};
    return rc;
}

static int play(Match *match, Context *context, Corpus *corpus)
{
    const CompareGiven *given = context->options;
    const CompareOptions *asked = &match->options;
    Work work = context_work(context, NULL);
    Progress progress = progress_begin(context, "comparing", "probes", (double)match->n);
    size_t most = 0;
    int rc = 0;
    work.memory_bytes = (size_t)given->memory << 20;
    for (size_t i = 0; i < match->n; i++) {
        size_t bytes = contender_bytes(&match->contender[i], asked, &work);
        most = bytes > most ? bytes : most;
    }
    context_say(context, "up to %.0f MiB of memory", (double)most / 1048576);
    for (size_t i = 0; i < match->n && rc == 0; i++) {
        rc = contender_read(&match->contender[i], corpus, asked, &work);
        progress_step(&progress, (double)i + 1, match->contender[i].path);
    }
    if (rc == 0 && match->n == 1) {
        rc = compare_layers(match->test, &match->contender[0], asked, &work);
        for (int i = 0; i < match->probe[0].n_layers && rc == 0; i++) {
            match->score[i] = compare_score(&match->contender[0], i, asked->score, work.seed);
        }
    } else if (rc == 0) {
        rc = compare_contenders(match->test, match->contender, match->n, asked, &work);
        for (size_t i = 0; i < match->n && rc == 0; i++) {
            match->score[i] = compare_score(&match->contender[i], match->contender[i].best,
                                            asked->score, work.seed);
        }
    }
    progress_end(&progress);
    return rc;
}

/* ---- the result ---- */

static int compared_layer(const Contender *contender)
{
    return contender->probe->layers[contender->best];
}

static Js *test_row(const Match *match, const Contender *a, int layer, const char *against,
                    const PairedTest *test, const char *score)
{
    Js *row = js_object();
    js_set_str(row, "probe", a->path);
    js_set_str(row, "task", a->probe->task);
    js_set_int(row, "layer", layer);
    js_set_str(row, "against", against);
    js_set_str(row, "score", score);
    probe_test_json(row, test);
    return row;
}

static Js *tests_json(const Match *match, const char *score)
{
    Js *rows = js_array();
    char name[16], against[FILES_PATH_MAX + 32];
    if (match->n == 1) {
        const Contender *one = &match->contender[0];
        probe_layer_name(name, compared_layer(one));
        for (int i = 0; i < one->probe->n_layers; i++) {
            if (i != one->best) {
                js_push(rows,
                        test_row(match, one, one->probe->layers[i], name, &match->test[i], score));
            }
        }
        return rows;
    }
    size_t test = 0;
    for (size_t j = 1; j < match->n; j++) {
        for (size_t i = 0; i < j; i++) {
            const Contender *a = &match->contender[i], *b = &match->contender[j];
            probe_layer_name(name, compared_layer(b));
            snprintf(against, sizeof(against), "%s %s", b->path, name);
            js_push(rows,
                    test_row(match, a, compared_layer(a), against, &match->test[test++], score));
        }
    }
    return rows;
}

static Js *contenders_json(const Match *match)
{
    Js *rows = js_array();
    for (size_t i = 0; i < match->n; i++) {
        const Contender *contender = &match->contender[i];
        bool layers = match->n == 1;
        for (int l = 0; l < (layers ? contender->probe->n_layers : 1); l++) {
            int index = layers ? l : contender->best;
            Js *row = js_object();
            js_set_str(row, "probe", contender->path);
            js_set_str(row, "model_hash", contender->subject->model.model_hash);
            js_set_str(row, "task", contender->probe->task);
            js_set_str(row, "site", hook_site_name(contender->probe->site));
            js_set_str(row, "solver", contender->probe->solver);
            js_set_int(row, "layer", contender->probe->layers[index]);
            js_set_num(row, "validation_accuracy", contender->validation[index]);
            js_set_interval(row, "value", match->score[layers ? (size_t)l : i]);
            js_push(rows, row);
        }
    }
    return rows;
}

static void print_test(Text *text, const PairedTest *test)
{
    text_add(text, "%+8.2f  [%+6.2f, %+6.2f]  %7.4f  %7.4f%s\n", 100 * test->difference.value,
             100 * test->difference.low, 100 * test->difference.high, test->p, test->p_holm,
             test->p_holm < DIFFERS_BELOW ? "" : "  not told apart");
}

static size_t games_tested(const Match *match)
{
    const Reading *first = match->contender[0].readings.list[0];
    return first ? first->sums.n_games : 0;
}

static void print_layers(Text *text, const Match *match, const char *score)
{
    const Contender *one = &match->contender[0];
    char name[16];
    text_add(text, "%s, task %s; %s of %zu test games, percent\n\n", one->path, one->probe->task,
             score, games_tested(match));
    text_add(text, "%-10s%8s  %-16s%8s  %-16s  %7s  %7s\n", "", score, "95 % interval", "- best",
             "95 % interval", "p", "Holm");
    for (int i = 0; i < one->probe->n_layers; i++) {
        const Interval *value = &match->score[i];
        probe_layer_name(name, one->probe->layers[i]);
        text_add(text, "%-8s%c %8.2f  [%6.2f, %6.2f]", name, i == one->best ? '*' : ' ',
                 100 * value->value, 100 * value->low, 100 * value->high);
        if (i == one->best) {
            text_add(text, "\n");
        } else {
            print_test(text, &match->test[i]);
        }
    }
    text_add(text, "* the best layer on validation games\n");
}

static void print_contenders(Text *text, const Match *match, const char *score)
{
    char name[16];
    size_t test = 0;
    for (size_t i = 0; i < match->n; i++) {
        const Contender *contender = &match->contender[i];
        const Interval *value = &match->score[i];
        probe_layer_name(name, compared_layer(contender));
        text_add(text, "%c  %6.2f %%  [%6.2f, %6.2f]  %s: task %s, %s, %s, model %.12s\n",
                 (int)('A' + i), 100 * value->value, 100 * value->low, 100 * value->high,
                 contender->path, contender->probe->task, hook_site_name(contender->probe->site),
                 name, contender->subject->model.model_hash);
    }
    text_add(text, "\n%-8s%8s  %-16s  %7s  %7s   %s of %zu test games, points\n", "", "differ",
             "95 % interval", "p", "Holm", score, games_tested(match));
    for (size_t j = 1; j < match->n; j++) {
        for (size_t i = 0; i < j; i++) {
            text_add(text, "%c - %c   ", (int)('A' + i), (int)('A' + j));
            print_test(text, &match->test[test++]);
        }
    }
}

static int report(Context *context, const Match *match)
{
    const CompareGiven *given = context->options;
    Text text = {0};
    Js *document = js_object(), *tests = tests_json(match, given->score);
    js_set_str(document, "score", given->score);
    js_set_int(document, "test_games", (int64_t)games_tested(match));
    js_set(document, "probes", contenders_json(match));
    js_set(document, "tests", js_keep(tests));
    int rc = context_add_all(context, "probe_tests", js_keep(tests));
    if (rc) {
        js_free(tests);
        js_free(document);
        return rc;
    }
    if (match->n == 1) {
        print_layers(&text, match, given->score);
    } else {
        print_contenders(&text, match, given->score);
    }
    rc = context_result(context, document, text.data);
    if (rc == 0 && given->csv) { /* last: when it is refused, the result stands */
        CsvTable tables[] = {{"probes", contenders_json(match)}, {"tests", js_keep(tests)}};
        rc = csv_write(given->csv, tables, 2, context->force);
    }
    js_free(tests);
    text_release(&text);
    return rc;
}

static int compare_run(Context *context)
{
    const CompareGiven *given = context->options;
    Corpus *corpus = NULL;
    if (context->n_args % 2 != 0 || context->n_args > 2 * COMPARE_MAX) {
        return err_set(
            OGPT_EUSAGE,
            "probe compare: %d arguments, expected pairs MODEL PROBE, at most %d of them",
            context->n_args, COMPARE_MAX);
    }
    Match *match = mem_calloc(1, sizeof(Match), "the probes to be compared");
    if (!match) {
        return OGPT_ENOMEM;
    }
    match->n = (size_t)context->n_args / 2;
    int rc = read_options(&match->options, context);
    for (size_t i = 0; i < match->n && rc == 0; i++) {
        rc = load_contender(match, i, context);
    }
    rc = rc ? rc : corpus_open(&corpus, given->corpus, false);
    for (size_t i = 0; i < match->n && rc == 0; i++) {
        rc = subject_check_corpus(&match->subject[i], given->corpus, corpus);
    }
    rc = rc ? rc : context_pool(context);
    rc = rc ? rc : context_run_begin(context, context->args[1], false);
    rc = rc ? rc : play(match, context, corpus);
    rc = rc ? rc : report(context, match);
    for (size_t i = 0; i < match->n; i++) {
        contender_release(&match->contender[i]);
        probe_release(&match->probe[i]);
        subject_release(&match->subject[i]);
    }
    corpus_close(corpus);
    mem_free(match);
    return rc;
}

const Command cmd_probe_compare = {
    .name = "probe compare",
    .arguments = "MODEL PROBE [MODEL PROBE]... --corpus CORPUS",
    .summary = "paired tests between layers, sites, tasks and networks on the same games",
    .examples =
        "ogpt probe compare runs/tiny probes/mine --corpus games.ogpc\n"
        "ogpt probe compare runs/tiny probes/mine runs/small probes/mine-small --corpus "
        "games.ogpc\n"
        "ogpt probe compare runs/tiny probes/mine runs/tiny probes/mine-attn --corpus games.ogpc "
        "--layer 5 --score boards",
    .options = options,
    .n_options = sizeof(options) / sizeof(options[0]),
    .options_bytes = sizeof(CompareGiven),
    .min_args = 2,
    .max_args = 2 * COMPARE_MAX,
    .uses = USES_SEED | USES_THREADS | USES_STORE | USES_FORCE,
    .run = compare_run,
};
