/* cli/commands/results/cmd_plot.c - ogpt plot: stored results drawn again, several in a figure. */
#include <stdio.h>

#include "base/arena.h"
#include "base/err.h"
#include "cli/commands/results/run_values.h"
#include "report/runs/run_stored.h"

enum { PLOT_RUNS_MAX = 16 };

typedef struct PlottedRun {
    Js *run; /* owned */
    Table tables[RUN_STORED_MAX];
    const Table *list[RUN_STORED_MAX];
    size_t n;
    char label[32];
} PlottedRun;

static const Column figure_columns[] = {
    {"figure", "figure", .type = COLUMN_TEXT},
    {"title", "what it shows", .type = COLUMN_TEXT},
};
static const TableSpec figures_table = {"figures", TABLE_COLUMNS(figure_columns)};

static void plotted_release(PlottedRun *run)
{
    for (size_t t = 0; t < run->n; t++) {
        table_release(&run->tables[t]);
    }
    js_free(run->run);
    *run = (PlottedRun){0};
}

static int plotted_read(PlottedRun *out, Store *store, int64_t number)
{
    int rc = store_show(&out->run, store, number);
    const char *name = rc == 0 ? js_str_of(js_member(out->run, "command")) : NULL;
    const Command *command = name ? cli_command(name) : NULL;
    snprintf(out->label, sizeof(out->label), "run %lld", (long long)number);
    out->n = run_stored_tables(out->tables, command ? command->tables : NULL,
                               rc == 0 ? js_member(out->run, "results") : NULL);
    for (size_t i = 0; i < out->n; i++) {
        out->list[i] = &out->tables[i];
    }
    return rc;
}

/* The newest run that has a figure. */
static int newest_read(PlottedRun *out, const Context *context, Store *store)
{
    const FigureSpec *any[1];
    Js *runs = NULL;
    size_t found = 0;
    int rc = store_list(&runs, store, 0);
    for (size_t i = 0; rc == 0 && found == 0 && i < js_length(runs); i++) {
        plotted_release(out);
        rc = plotted_read(out, store, js_int_of(js_member(js_at(runs, i), "run")));
        found = figure_list(any, 1, &(FigureSource){out->list, out->n, NULL}, 1);
    }
    js_free(runs);
    return rc || found > 0
               ? rc
               : err_set(OGPT_EUSAGE, "%s: no run in it has a figure yet", context->store_path);
}

static int plot_runs(Context *context, PlottedRun *runs, size_t n)
{
    const FigureSpec *figures[FIGURES_MAX];
    FigureSource sources[PLOT_RUNS_MAX];
    Store *store = NULL;
    int rc = study_check_files(context);
    rc = rc ? rc : store_open_read(&store, context->store_path);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        int64_t number = 0;
        rc = context->n_args > 0 ? context_arg_int(&number, context, (int)i, "RUN", 1, INT64_MAX)
                                 : newest_read(&runs[i], context, store);
        rc = rc || context->n_args == 0 ? rc : plotted_read(&runs[i], store, number);
        sources[i] = (FigureSource){runs[i].list, runs[i].n, n > 1 ? runs[i].label : NULL};
    }
    store_close(store);
    size_t n_figures = rc == 0 ? figure_list(figures, FIGURES_MAX, sources, n) : 0;
    if (rc == 0 && n_figures == 0) {
        rc = err_set(OGPT_EUSAGE, "%s of %s has no figure: it stored no rows that one is made of",
                     runs[0].label, context->store_path);
    }
    Table *table = rc == 0 ? study_table(context, &figures_table) : NULL;
    for (size_t f = 0; f < n_figures; f++) {
        table_row(table);
        table_text(table, "figure", figures[f]->name);
        table_text(table, "title", figures[f]->title);
    }
    return rc ? rc : study_figures(context, sources, n);
}

static int plot_run(Context *context)
{
    const size_t n = context->n_args > 0 ? (size_t)context->n_args : 1;
    PlottedRun *runs = mem_calloc(n, sizeof(*runs), "runs to be drawn");
    int rc = runs ? plot_runs(context, runs, n) : OGPT_ENOMEM;
    for (size_t i = 0; runs && i < n; i++) {
        plotted_release(&runs[i]);
    }
    mem_free(runs);
    return rc;
}

const Command cmd_plot = {
    .name = "plot",
    .arguments = "[RUN...]",
    .summary = "draw stored results again, several runs in one figure",
    .examples = "ogpt plot\nogpt plot --svg newest.svg\n"
                "ogpt plot --pdf newest.pdf --width 174mm",
    .max_args = PLOT_RUNS_MAX,
    .uses = USES_STORE | USES_FORCE | USES_FIGURES,
    COMMAND_TABLES(&figures_table),
    .run = plot_run,
};
