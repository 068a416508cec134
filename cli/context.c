/* cli/context.c - what a command runs in: common options, worker pool, its row in the store. */
#include "cli/framework.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/files.h"
#include "base/process.h"
#include "base/ranks/ranks.h"
#include "cli/terminal.h"
#include "report/figures/figure.h"

#define SEED_MAX 9007199254740991.0 /* 2^53 - 1: exact in every JSON reader */
#define THREADS_MAX 256             /* of base/pool.h */

typedef struct CommonSpec {
    unsigned uses; /* 0: every command */
    OptionSpec spec;
} CommonSpec;

#define USES_TABLES (1u << 31) /* the command declares tables */

#define AT(field) offsetof(CommonOptions, field)
static const CommonSpec common_specs[] = {
    {USES_SIZE, OPTION_CHOICE("size", AT(size), "4|6|8",
                              "squares a side of the board (default 8, or that of the input)")},
    {USES_SEED,
     OPTION_INT("seed", AT(seed), "N", 0, SEED_MAX, "seed of every random draw", .def = "1")},
    {USES_THREADS, OPTION_INT("threads", AT(threads), "N", 1, THREADS_MAX,
                              "worker threads, never part of the result (default: all cores)")},
    {USES_STORE, OPTION_TEXT("store", AT(store), "FILE",
                             "results database; without it, the one that OGPT_STORE names",
                             .def = STORE_DEFAULT_PATH)},
    {USES_FORCE, OPTION_FLAG("force", AT(force), "replace an existing output")},
    {0, OPTION_FLAG("json", AT(json), "print the result as one JSON document")},
    {USES_TABLES,
     OPTION_TEXT("csv", AT(csv), "FILE",
                 "also write the tables: NAME.csv takes the main one, a name without .csv is a "
                 "folder for all")},
    {USES_TABLES,
     OPTION_TEXT("html", AT(html), "FILE", "also write the tables as one page for a browser")},
    {USES_FIGURES,
     OPTION_TEXT("svg", AT(svg), "FILE", "also draw a figure, for the web or a paper")},
    {USES_FIGURES, OPTION_TEXT("pdf", AT(pdf), "FILE", "the same as PDF")},
    {USES_FIGURES, OPTION_TEXT("png", AT(png), "FILE", "the same as PNG, 300 dots an inch")},
    {USES_FIGURES,
     OPTION_TEXT("width", AT(width), "WIDTH",
                 "of the figure: 84mm is a column of a paper, 174mm are two (default: 84mm)")},
    {USES_FIGURES, OPTION_TEXT("figure", AT(figure), "NAME",
                               "which one (default: the first that has something to show)")},
    {USES_TABLES, OPTION_FLAG("wide", AT(wide), "print tables with all their columns")},
    {USES_BOARDS, OPTION_FLAG("unicode", AT(unicode), "draw boards with discs instead of letters")},
    {0, OPTION_FLAG("quiet", AT(quiet), "no progress and no hints")},
    {0,
     OPTION_CHOICE("color", AT(color), "auto|always|never",
                   "colour on stdout; auto: on a terminal, unless NO_COLOR is set", .def = "auto")},
    {0, OPTION_FLAG("help", AT(help), "print this page")},
};

size_t common__specs(OptionSpec out[OPTIONS_MAX], const Command *command)
{
    static char names[512]; /* of the figures of the command that was asked for last */
    const char *choices = figure_names(names, sizeof(names), command->tables);
    unsigned uses =
        command->uses | (command->tables ? USES_TABLES : 0) | (choices ? USES_FIGURES : 0);
    size_t n = 0;
    for (size_t i = 0; i < sizeof(common_specs) / sizeof(common_specs[0]); i++) {
        if (common_specs[i].uses == 0 || (common_specs[i].uses & uses) != 0) {
            out[n] = common_specs[i].spec;
            if (strcmp(out[n].name, "figure") == 0 && choices) {
                out[n].choices = choices;
                out[n].type = OPT_CHOICE;
            }
            n++;
        }
    }
    return n;
}

/* Options as stored with the run: what decides the result, so neither threads nor output. */
static Js *options_collect(const Context *context, const OptionTable *own)
{
    Js *document = js_object();
    Js *arguments = js_array();
    for (int i = 0; i < context->n_args; i++) {
        js_push(arguments, js_str(context->args[i]));
    }
    js_set(document, "arguments", arguments);
    if (context->command->uses & USES_SIZE) {
        js_set(document, "size", context->size_given ? js_int(context->size) : js_null());
    }
    if (context->command->uses & USES_SEED) {
        js_set_int(document, "seed", (int64_t)context->seed);
    }
    options_document(document, own);
    /* Only if given: a command goes on in the row of one that had no such options yet. */
    if (context->csv) {
        js_set_str(document, "csv", context->csv);
    }
    if (context->html) {
        js_set_str(document, "html", context->html);
    }
    const char *const figures[][2] = {{"svg", context->figures[0]},
                                      {"pdf", context->figures[1]},
                                      {"png", context->figures[2]},
                                      {"width", context->width},
                                      {"figure", context->figure}};
    for (size_t i = 0; i < sizeof(figures) / sizeof(figures[0]); i++) {
        if (figures[i][1]) {
            js_set_str(document, figures[i][0], figures[i][1]);
        }
    }
    return document;
}

void context__fill(Context *context, const CommonOptions *common, OptionTable tables[2])
{
    const char *locale = NULL;
    context->options = tables[1].base;
    context->own = &tables[1];
    context->json = common->json;
    context->quiet = common->quiet;
    context->force = common->force;
    context->style = (TextStyle){
        .width = terminal_width(STDOUT_FILENO),
        .wraps = terminal_is(STDOUT_FILENO),
        .colour = terminal_colour(STDOUT_FILENO, common->color),
        .unicode = common->unicode && terminal_utf8(&locale),
        .wide = common->wide,
    };
    if (common->unicode && !context->style.unicode && !context->json) {
        context_warn(context,
                     "--unicode: the locale is %s, not one of UTF-8, so boards are drawn with "
                     "letters; type LC_ALL=C.UTF-8 before the command",
                     locale);
    }
    context->seed = (uint64_t)common->seed;
    context->size = common->size ? common->size[0] - '0' : 0;
    context->size_given = common->size;
    context->seed_given = option_given(&tables[0], "seed");
    context->threads_given = option_given(&tables[0], "threads");
    context->threads = context->threads_given ? (size_t)common->threads : ranks_cores();
    context->threads = context->threads > THREADS_MAX ? THREADS_MAX : context->threads;
    const char *named = getenv("OGPT_STORE");
    context->store_given = option_given(&tables[0], "store") || (named && named[0] != '\0');
    context->store_path =
        context->store_given && !option_given(&tables[0], "store") ? named : common->store;
    context->csv = common->csv;
    context->html = common->html;
    context->figures[0] = common->svg;
    context->figures[1] = common->pdf;
    context->figures[2] = common->png;
    context->figure = common->figure;
    context->width = common->width;
    context->options_json = options_collect(context, &tables[1]);
}

int context__ranks(Context *context)
{
    Text same = {0};
    char *versions = NULL;
    if (ranks_count() > 1 && !(context->command->uses & USES_RANKS)) {
        return err_set(OGPT_EUSAGE,
                       "%s: works in one process, and mpirun started %d; type it without mpirun "
                       "(docs/CLUSTER.md lists the commands that many can do)",
                       context->command->name, ranks_count());
    }
    Js *json = program__get()->versions(ranks_count() > 1); /* loads BLAS: its sums differ */
    int rc = js_print(&versions, json, 0);
    text_add(&same, "%s %s", context->command_line, rc ? "" : versions);
    rc = rc || !same.failed ? rc : OGPT_ENOMEM;
    rc = rc ? rc : ranks_same(same.data, same.length, "the words of the command, or its versions");
    js_free(json);
    mem_free(versions);
    text_release(&same);
    return rc ? rc : ranks_broadcast(&context->threads, sizeof(context->threads), 0);
}

int context_options_take(Context *context, const Js *values, const char *origin)
{
    return options_take(context->own, values, origin);
}

bool context_given(const Context *context, const char *name)
{
    return option_given(context->own, name);
}

Js *context_option(const Context *context, const char *name)
{
    const Js *value = js_member(context->options_json, name);
    return value ? js_keep(value) : js_null();
}

void context__release(Context *context)
{
    pool_free(context->pool);
    store_close(context->store);
    js_free(context->options_json);
    context->pool = NULL;
    context->store = NULL;
    context->options_json = NULL;
}

int context_arg_int(int64_t *out, const Context *context, int index, const char *name, int64_t min,
                    int64_t max)
{
    const char *text = context->args[index];
    if (!int_read(out, text) || *out < min || *out > max) {
        return err_set(OGPT_EUSAGE, "%s: %s: a whole number %lld..%lld expected, found '%s'",
                       context->command->name, name, (long long)min, (long long)max, text);
    }
    return 0;
}

int context_pool(Context *context)
{
    return context->pool ? 0 : pool_new(&context->pool, context->threads);
}

/* *out: the database is there, or to be made for this command. */
static int store_wanted(bool *out, const Context *context)
{
    PathKind kind = PATH_FILE;
    const bool there = (context->command->uses & USES_STORE_THERE) != 0 && !context->store_given;
    int rc = there ? path_kind(&kind, context->store_path) : 0;
    *out = kind != PATH_MISSING && ranks_first();
    return rc;
}

int context_run_begin(Context *context, const char *subject, bool resume)
{
    char machine[256];
    char *options = NULL;
    char *versions = NULL;
    bool wanted = false;
    Js *versions_json = program__get()->versions(false);
    assert(context->command->uses & USES_STORE);
    assert(!context->store);
    machine_describe(machine, sizeof(machine));
    js_set_int(versions_json, "threads", (int64_t)context->threads);
    int rc = js_print(&options, context->options_json, 0);
    rc = rc ? rc : js_print(&versions, versions_json, 0);
    rc = rc ? rc : store_wanted(&wanted, context);
    rc = rc || !wanted ? rc : store_open(&context->store, context->store_path);
    rc = rc || !ranks_first() ? rc : study__check(context, options); /* of what it writes */
    if (rc != 0 || !wanted) {
        goto done;
    }
    RunStart start = {
        .command = context->command->name,
        .command_line = context->command_line,
        .options_json = options,
        .seed = context->seed,
        .versions_json = versions,
        .machine = machine,
        .subject = subject,
    };
    if (resume) {
        rc = store_run_resume(context->store, &context->run, &start);
    }
    if (rc == 0 && context->run == 0) {
        rc = store_run_begin(context->store, &context->run, &start);
    }
    /* Commands that go on (train, generate) name their seed with what they make. */
    context->tell_seed = !resume && (context->command->uses & USES_SEED) != 0;
done:
    js_free(versions_json);
    mem_free(versions);
    mem_free(options);
    return rc;
}

/* The word for a run that ended with this code. */
static const char *status_of(int rc)
{
    return rc == 0                ? "done"
           : rc == OGPT_ENEGATIVE ? "negative"
           : rc == OGPT_EINTR     ? "interrupted"
                                  : "failed";
}

int context_run_end(Context *context, int rc)
{
    const Study *study = context->study;
    char *message = NULL;
    if (context->run == 0) {
        return rc;
    }
    /* Whoever types `| head` has seen enough: the run ends as it would have with a reader. */
    bool unread = rc == OGPT_EPIPE && study->unread;
    int outcome = unread ? study->verdict : rc;
    if (outcome != 0) {
        /* Closing the row may fail too; the first message is the one to be shown. */
        message = mem_strdup(unread ? study->message : err_message(), "an error message");
    }
    int ended = store_run_end(context->store, context->run, status_of(outcome), message);
    if (ended == 0 && outcome == OGPT_ELOCKED) {
        ended = store_run_refused(context->store, context->run);
    }
    if (rc != 0 && message) {
        err_set(rc, "%s", message);
    }
    mem_free(message);
    return rc ? rc : ended;
}
