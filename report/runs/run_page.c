/* report/runs/run_page.c - contract in report/runs/run_page.h. */
#include "report/runs/run_page.h"

#include <stdio.h>
#include <string.h>

#include "base/files.h"
#include "report/figures/figure.h"
#include "report/runs/run_facts.h"
#include "report/runs/run_links.h"

#define COLUMNS_OF_A_KIND 128
#define TABLES_OF_A_RUN 32
#define FIGURE_MM 150.0 /* within a sheet of A4 */

static const Column run_columns[] = {
    {"run", "run", .type = COLUMN_COUNT},
    {"command", "command", .type = COLUMN_TEXT},
    {"about", "about", .type = COLUMN_TEXT},
    {"result", "result", .type = COLUMN_TEXT},
    {"status", "status", .type = COLUMN_TEXT},
    {"seconds", "time", .unit = "s", .type = COLUMN_COUNT, .flags = COLUMN_TIME},
};
const TableSpec run_page_runs = {"runs", TABLE_COLUMNS(run_columns), .title = "All runs"};

void run_page_init(RunPage *out, size_t rows_max)
{
    *out = (RunPage){.rows_max = rows_max};
    table_init(&out->runs, &run_page_runs);
}

void run_page_release(RunPage *page)
{
    text_release(&page->body);
    text_release(&page->contents);
    text_release(&page->commands);
    text_release(&page->store_words);
    text_release(&page->programs);
    text_release(&page->machines);
    run_words_release(&page->words);
    table_release(&page->runs);
}

/* ---- parts ---- */

static void part_end(RunPage *page)
{
    if (page->in_part) {
        text_add(&page->contents, "</ol></li>\n");
    }
    page->in_part = false;
}

void run_page_part(RunPage *page, const char *heading)
{
    part_end(page);
    page->n_parts++;
    text_add(&page->body, "<h2 id=\"part-%d\">", page->n_parts);
    html_text(&page->body, heading);
    text_add(&page->body, "</h2>\n");
    text_add(&page->contents, "<li><a href=\"#part-%d\">", page->n_parts);
    html_text(&page->contents, heading);
    text_add(&page->contents, "</a>\n<ol>\n");
    page->in_part = true;
}

static void line_add(RunPage *page, const char *text)
{
    text_add(&page->body, "<p>");
    html_text(&page->body, text);
    text_add(&page->body, "</p>\n");
    run_words_see(&page->words, text);
}

static bool is_used(const Table *table, const Column *column)
{
    bool used = false;
    for (size_t r = 0; !used && r < table_rows(table); r++) {
        used = js_type(js_member(js_at(table->rows, r), column->key)) != JS_NULL;
    }
    return used && column->heading && column->type != COLUMN_NESTED;
}

/* The one place where a table comes into the page. */
static void table_place(RunPage *page, const char *command, const HtmlTable *how,
                        const Table *table)
{
    html_table(&page->body, table, how);
    page->n_tables++;
    run_words_see(&page->words, table->spec->title ? table->spec->title : "");
    for (size_t c = 0; command && c < table->spec->n_columns; c++) {
        if (is_used(table, &table->spec->columns[c])) {
            run_words_column(&page->words, command, &table->spec->columns[c]);
        }
    }
}

/* The one place where a figure does. A build without cairo has none. */
static void figure_place(RunPage *page, const FigureSpec *figure, const FigureSource *source)
{
    char prefix[24];
    Text drawing = {0};
    snprintf(prefix, sizeof(prefix), "f%d-", page->n_figures + 1);
    if (figure_svg(&drawing, figure, source, 1,
                   (FigureStyle){.width_mm = FIGURE_MM, .prefix = prefix}) == 0) {
        text_add(&page->body, "<figure>\n%s\n</figure>\n", drawing.data ? drawing.data : "");
        page->n_figures++;
        run_words_see(&page->words, figure->title);
    }
    text_release(&drawing);
}

void run_page_table(RunPage *page, const char *place, const Table *table)
{
    table_place(page, NULL, &(HtmlTable){.place = place}, table);
}

/* ---- one run ---- */

static const char *member_text(const Js *object, const char *key)
{
    const char *text = js_str_of(js_member(object, key));
    return text ? text : "";
}

/* The rows to show: of a record the last, since a command that is typed again stores the same once
 * more; and layers, of which the database has the list "[3,4]", as people read them. Owned. */
static Js *rows_shown(const Js *rows, bool record)
{
    Js *shown = js_array();
    for (size_t i = record ? js_length(rows) - 1 : 0; i < js_length(rows); i++) {
        Js *row = js_object();
        void *it = NULL;
        const char *key = NULL, *layers = js_str_of(js_member(js_at(rows, i), "layers"));
        const Js *value = NULL;
        while (js_next(js_at(rows, i), &it, &key, &value)) {
            js_set(row, key, js_keep(value));
        }
        if (layers && layers[0] == '[') {
            Text list = {0};
            text_add(&list, "%.*s", (int)strcspn(layers + 1, "]"), layers + 1);
            js_set_str(row, "layer_range", list.data ? list.data : "");
            text_release(&list);
        }
        js_push(shown, row);
    }
    return shown;
}

/* The table of a command for a kind: of two, the record is for one row. NULL: none. */
static const TableSpec *spec_of(const RunPageRun *run, const char *kind, size_t n_rows)
{
    const TableSpec *found = NULL;
    for (size_t i = 0; run->tables && run->tables[i]; i++) {
        const TableSpec *spec = run->tables[i];
        if (spec->kind && strcmp(spec->kind, kind) == 0 &&
            (!found || (found->record && n_rows > 1))) {
            found = spec;
        }
    }
    return found;
}

/* The tables of a run. */
typedef struct RunTables {
    Table list[TABLES_OF_A_RUN];
    const Table *pointers[TABLES_OF_A_RUN];
    size_t n;
} RunTables;

static void rows_take(RunTables *out, const TableSpec *spec, const Js *rows)
{
    Js *shown = rows_shown(rows, spec->record);
    table_restore(&out->list[out->n], spec, shown);
    out->pointers[out->n] = &out->list[out->n];
    out->n++;
    js_free(shown);
}

/* All rows: first the tables of the command, in its order, then what else the run has, under the
 * columns of the database. */
static void results_add(RunPage *page, const RunPageRun *run, const HtmlTable *how)
{
    static TableSpec specs[TABLES_OF_A_RUN];
    static Column columns[TABLES_OF_A_RUN][COLUMNS_OF_A_KIND];
    const FigureSpec *figures[FIGURES_MAX];
    const Js *results = js_member(run->run, "results"), *rows = NULL;
    Js *done = js_object();
    RunTables tables = {.n = 0};
    void *it = NULL;
    const char *kind = NULL;
    js_set_bool(done, "warnings", true); /* shown above */
    for (size_t i = 0; run->tables && run->tables[i] && tables.n < TABLES_OF_A_RUN; i++) {
        kind = run->tables[i]->kind;
        rows = kind ? js_member(results, kind) : NULL;
        if (rows && !js_has(done, kind)) {
            rows_take(&tables, spec_of(run, kind, js_length(rows)), rows);
            js_set_bool(done, kind, true);
        }
    }
    const size_t n_own = tables.n;
    while (js_next(results, &it, &kind, &rows) && tables.n < TABLES_OF_A_RUN) {
        if (!js_has(done, kind)) {
            TableSpec *spec = &specs[tables.n];
            *spec = (TableSpec){.name = kind, .columns = columns[tables.n]};
            spec->n_columns = table_columns_of(columns[tables.n], COLUMNS_OF_A_KIND, rows);
            rows_take(&tables, spec, rows);
        }
    }
    const FigureSource source = {tables.pointers, tables.n, NULL};
    const size_t n_figures = figure_list(figures, FIGURES_MAX, &source, 1);
    for (size_t t = 0; t < tables.n; t++) {
        const TableSpec *spec = tables.list[t].spec;
        for (size_t f = 0; f < n_figures; f++) {
            if (figures[f] >= spec->figures && figures[f] < spec->figures + spec->n_figures) {
                figure_place(page, figures[f], &source);
            }
        }
        table_place(page, t < n_own ? member_text(run->run, "command") : NULL, how,
                    &tables.list[t]);
    }
    for (size_t t = 0; t < tables.n; t++) {
        table_release(&tables.list[t]);
    }
    js_free(done);
}

static void warnings_add(RunPage *page, const Js *run)
{
    const Js *rows = js_member(js_member(run, "results"), "warnings");
    for (size_t i = 0; i < js_length(rows); i++) {
        const char *line = member_text(js_at(rows, i), "warning");
        html_note(&page->body, line, strlen(line));
        run_words_see(&page->words, line);
    }
}

/* What became of a run that has no result, or an answer that is no. */
static void outcome_add(RunPage *page, const Js *run, bool finished)
{
    const char *status = member_text(run, "status"), *message = member_text(run, "message");
    if (strcmp(status, "done") == 0) {
        return;
    }
    text_add(&page->body, "<p class=\"bad\"><strong>");
    html_text(&page->body, finished ? "The check came out negative" : status);
    text_add(&page->body, "</strong>%s", message[0] != '\0' ? ": " : "");
    html_text(&page->body, message);
    if (!finished) {
        text_add(&page->body,
                 "%s It did not come to its end, so it has no result; rows that it "
                 "stored are not shown.",
                 message[0] != '\0' ? "." : ".");
    }
    text_add(&page->body, "</p>\n");
}

/* Its line in the contents and in the table of all runs. */
static void run_list(RunPage *page, const RunPageRun *run, const char *id, bool finished)
{
    const char *status = member_text(run->run, "status");
    const char *command = member_text(run->run, "command");
    text_add(&page->contents, "<li><a href=\"#%s\">%d. ", id,
             (int)js_int_of(js_member(run->run, "run")));
    html_text(&page->contents, command);
    if (!finished) {
        text_add(&page->contents, " <span class=\"bad\">");
        html_text(&page->contents, status);
        text_add(&page->contents, "</span>");
    } else if (run->result) {
        text_add(&page->contents, " <span class=\"found\">");
        html_text(&page->contents, run->result);
        text_add(&page->contents, "</span>");
    }
    text_add(&page->contents, "</a></li>\n");
    table_row(&page->runs);
    table_int(&page->runs, "run", js_int_of(js_member(run->run, "run")));
    table_text(&page->runs, "command", command);
    table_text(&page->runs, "about", js_str_of(js_member(run->run, "subject")));
    table_text(&page->runs, "result", finished ? run->result : NULL);
    table_text(&page->runs, "status", status);
    const int64_t seconds = run_facts_seconds(run->run);
    table_set(&page->runs, "seconds", seconds >= 0 ? js_int(seconds) : js_null());
}

/* A line to a text of lines, once. */
static void line_once(Text *lines, const char *line)
{
    size_t n = strlen(line);
    const char *at = lines->data ? lines->data : "";
    while ((at = strstr(at, line))) {
        if ((at == lines->data || at[-1] == '\n') && at[n] == '\n') {
            return;
        }
        at++;
    }
    if (n > 0) {
        text_add(lines, "%s\n", line);
    }
}

void run_page_run(RunPage *page, const RunPageRun *run)
{
    const bool finished = run_links_finished(run->run);
    const int number = (int)js_int_of(js_member(run->run, "run")), level = page->in_part ? 3 : 2;
    const char *command_line = member_text(run->run, "command_line");
    char id[48], place[40], rest[80 + FILES_PATH_MAX];
    Table facts;
    Text program = {0};
    snprintf(id, sizeof(id), "run-%d-%d", page->n_parts, number);
    page->n_runs++;
    run_list(page, run, id, finished);
    text_add(&page->body, "<h%d id=\"%s\">Run %d: ", level, id, number);
    html_text(&page->body, member_text(run->run, "command"));
    text_add(&page->body, "</h%d>\n", level);
    line_add(page, run->summary ? run->summary : "a command of another version");
    text_add(&page->body, "<pre><code>");
    html_text(&page->body, command_line);
    text_add(&page->body, "</code></pre>\n");
    if (finished && run->result) {
        text_add(&page->body, "<p class=\"result\">");
        html_text(&page->body, run->result);
        text_add(&page->body, "</p>\n");
        run_words_see(&page->words, run->result);
    }
    outcome_add(page, run->run, finished);
    warnings_add(page, run->run);
    snprintf(place, sizeof(place), "run %d", number);
    snprintf(rest, sizeof(rest), "ogpt runs show %d --csv FOLDER%s", number,
             page->store_words.length > 0 ? page->store_words.data : "");
    const HtmlTable how = {.place = place, .rows_max = page->rows_max, .rest = rest};
    if (finished) {
        results_add(page, run, &how);
        text_add(&page->commands, "%s\n", command_line);
    }
    run_facts_fill(&facts, run->run, page->store);
    table_place(page, NULL, &how, &facts);
    table_release(&facts);
    run_facts_program(&program, run->run);
    line_once(&page->programs, program.data ? program.data : "");
    line_once(&page->machines, member_text(run->run, "machine"));
    text_release(&program);
}

/* ---- the page ---- */

/* A section of its own behind the runs, also in the contents. */
static void section_begin(Text *out, RunPage *page, const char *id, const char *heading)
{
    text_add(out, "<h2 id=\"%s\">%s</h2>\n", id, heading);
    text_add(&page->contents, "<li><a href=\"#%s\">%s</a></li>\n", id, heading);
}

static void words_add(Text *out, RunPage *page)
{
    Table words, numbers;
    run_words_glossary(&words, &page->words);
    run_words_methods(&numbers, &page->words);
    section_begin(out, page, "words", "What the words and numbers mean");
    text_add(out, "<p>From the pages GLOSSARY and METHODS of this program, which have the sources. "
                  "Numbers in brackets behind a value are its 95 %% interval.</p>\n");
    html_table(out, &words, &(HtmlTable){0});
    html_table(out, &numbers, &(HtmlTable){0});
    table_release(&words);
    table_release(&numbers);
}

static void commands_add(Text *out, RunPage *page)
{
    section_begin(out, page, "repeat", "To repeat it");
    text_add(out, "<p>In a folder with the files that these commands read, in the order in which "
                  "they were made. The same seed gives the same numbers at "
                  "any number of threads, with the same program and core type of the library for "
                  "matrix products (both are named with each run).</p>\n<pre><code>");
    html_text(out, page->commands.data ? page->commands.data : "# no run came to its end\n");
    text_add(out, "</code></pre>\n");
}

/* Lines of a text, as a sentence. */
static void lines_add(Text *out, const Text *lines)
{
    const char *line = lines->data ? lines->data : "";
    while (*line != '\0') {
        size_t length = strcspn(line, "\n");
        html_escape(out, line, length);
        line += length + 1;
        text_add(out, "%s", *line != '\0' ? "; " : "");
    }
}

void run_page_render(Text *out, RunPage *page, const char *heading, const char *command_line,
                     const char *left_out)
{
    Text end = {0};
    part_end(page);
    words_add(&end, page);
    commands_add(&end, page);
    html_heading(out, heading, command_line);
    text_add(out, "<p class=\"lead\">%d run%s, %d table%s. Program: ", page->n_runs,
             page->n_runs == 1 ? "" : "s", page->n_tables, page->n_tables == 1 ? "" : "s");
    lines_add(out, &page->programs);
    text_add(out, ". Machine: ");
    lines_add(out, &page->machines);
    text_add(out, ".</p>\n");
    if (left_out) {
        text_add(out, "<p>");
        html_text(out, left_out);
        text_add(out, "</p>\n");
    }
    text_add(out,
             "<nav aria-labelledby=\"contents\">\n<h2 id=\"contents\">Contents</h2>\n<ol>\n%s"
             "</ol>\n</nav>\n",
             page->contents.data ? page->contents.data : "");
    html_table(out, &page->runs, &(HtmlTable){0});
    text_add(out, "%s%s", page->body.data ? page->body.data : "", end.data ? end.data : "");
    out->failed = out->failed || page->body.failed || page->contents.failed || end.failed ||
                  page->commands.failed;
    text_release(&end);
}

void run_page_tell(Report *report, const RunPage *page, const char *path, size_t n_bytes,
                   const char *left_out)
{
    report_json(report, "path", js_str(path));
    report_json(report, "bytes", js_int((int64_t)n_bytes));
    report_json(report, "tables", js_int(page->n_tables));
    Table *table = report_table(report, &run_page_runs);
    for (size_t i = 0; i < table_rows(&page->runs); i++) {
        table_add(table, js_keep(js_at(page->runs.rows, i)));
    }
    text_add(report_text(report), "\n%s: %d run%s, %d table%s; open it in a browser\n%s%s", path,
             page->n_runs, page->n_runs == 1 ? "" : "s", page->n_tables,
             page->n_tables == 1 ? "" : "s", left_out ? left_out : "", left_out ? "\n" : "");
}
