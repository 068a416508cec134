/* cli/study.c - the result of a command, from its tables to stdout, files and the database.
 * Contract in cli/study.h. */
#include "cli/study.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/files.h"
#include "base/ranks/ranks.h"
#include "cli/framework.h"
#include "report/csv.h"
#include "report/html.h"

void study__open(Study *study, Context *context)
{
    memset(study, 0, sizeof(*study));
    study->context = context;
    report_init(&study->report);
    context->study = study;
    context->report = &study->report;
}

void study__close(Study *study)
{
    progress_end(&study->progress);
    report_release(&study->report);
    text_release(&study->hints);
}

/* ---- while the command runs ---- */

int study_begin(Context *context, const char *subject, bool resume)
{
    int rc = (context->command->uses & USES_THREADS) != 0 ? context_pool(context) : 0;
    bool stored = (context->command->uses & USES_STORE) != 0;
    return rc || !stored ? rc : context_run_begin(context, subject, resume);
}

static void work_tick_show(void *owner, const char *stage, double done, double total)
{
    Study *study = owner;
    Progress *bar = &study->progress;
    if (!bar->context) {
        *bar = progress_begin(study->context, study->label, study->unit, total);
    }
    if (strcmp(stage, study->unit) == 0) {
        bar->total = total;
        study->done = done;
        progress_step(bar, done, NULL);
    } else {
        progress_step(bar, study->done, stage);
    }
}

const Work *study_work(Context *context, const char *label, const char *unit)
{
    Study *study = context->study;
    progress_end(&study->progress);
    study->progress = (Progress){0};
    study->done = 0;
    study->label = label;
    study->unit = unit;
    study->work = (Work){
        .pool = context->pool, .seed = context->seed, .tick = work_tick_show, .context = study};
    return &study->work;
}

Table *study_table(Context *context, const TableSpec *spec)
{
    return report_table(context->report, spec);
}

Text *study_text(Context *context)
{
    return report_text(context->report);
}

void study_json(Context *context, const char *key, Js *value)
{
    report_json(context->report, key, value);
}

void study_json_all(Context *context, Js *object)
{
    report_json_all(context->report, object);
}

/* The hint that is added next begins a line. */
static Text *hint_begin(Context *context, const char *start)
{
    Text *hints = &context->study->hints;
    text_add(hints, "%s%s", hints->length > 0 ? "\n" : "", start);
    return hints;
}

void study_next(Context *context, const char *word, ...)
{
    va_list words;
    Text *hint = hint_begin(context, "ogpt");
    va_start(words, word);
    for (; word; word = va_arg(words, const char *)) {
        command__word(hint, word);
    }
    va_end(words);
}

void study_next_again(Context *context, const char *option, const char *value)
{
    if (!context->csv && !context->html && !figures__asked(context)) {
        text_add(hint_begin(context, context->command_line), " %s", option);
        if (value) {
            command__word(&context->study->hints, value);
        }
    }
}

int study_verdict(Context *context, int code)
{
    context->study->verdict = code;
    snprintf(context->study->message, sizeof(context->study->message), "%s", err_message());
    return 0;
}

int study_check_output(const Context *context, const char *path)
{
    const bool folder = context->csv && !study__csv_is_file(context->csv);
    const char *const others[] = {context->csv, context->html, context->figures[0],
                                  context->figures[1], context->figures[2]};
    char table[FILES_PATH_MAX];
    const char *const in_folder[] = {table};
    if (context->store_path && options_one_file(path, context->store_path)) {
        return err_set(OGPT_EUSAGE, "%s: is the results database; give another name", path);
    }
    int rc =
        options_check_input(context->own, path, true, others, sizeof(others) / sizeof(others[0]));
    for (size_t i = 0; rc == 0 && folder && context->command->tables[i]; i++) {
        rc = study__csv_path(table, context, i);
        rc = rc ? rc : options_check_input(context->own, path, true, in_folder, 1);
    }
    return rc ? rc : path_check_writable(path);
}

/* ---- before the work ---- */

/* Whether the database takes the values of a column: a number that it cannot keep must be found out
 * before the work. */
static bool type_is_kept(const Column *column, const char *sql_type)
{
    switch (column->type) {
    case COLUMN_NUMBER: return strcmp(sql_type, "REAL") == 0;
    case COLUMN_COUNT:
    case COLUMN_LAYER: return strcmp(sql_type, "TEXT") != 0;
    case COLUMN_YES_NO: return strcmp(sql_type, "INTEGER") == 0;
    case COLUMN_TEXT:
    case COLUMN_NESTED: return strcmp(sql_type, "TEXT") == 0;
    }
    return false;
}

static int column_check(const Command *command, const TableSpec *spec, const Column *column)
{
    static const char *const ends[] = {"", "_low", "_high"};
    for (size_t e = 0; e < (column->interval ? 3 : 1); e++) {
        char key[80];
        snprintf(key, sizeof(key), "%s%s", column->key, ends[e]);
        const char *sql_type = store_column_type(spec->kind, key);
        if (!sql_type || !type_is_kept(column, sql_type)) {
            return err_set(OGPT_EUSAGE,
                           "%s: table %s: the database has no column '%s' %sin %s; add it at the "
                           "end of its kind in store/results.def",
                           command->name, spec->name, key, sql_type ? "of this type " : "",
                           spec->kind);
        }
    }
    return 0;
}

static int kinds_check(const Command *command)
{
    int rc = 0;
    for (size_t i = 0; command->tables && command->tables[i]; i++) {
        const TableSpec *spec = command->tables[i];
        for (size_t c = 0; rc == 0 && spec->kind && c < spec->n_columns; c++) {
            bool stored = (spec->columns[c].flags & COLUMN_UNSTORED) == 0;
            rc = stored ? column_check(command, spec, &spec->columns[c]) : 0;
        }
    }
    return rc;
}

/* --csv NAME.csv is a file with the main table, unless there is a directory of that name; anything
 * else is a directory with a file for each table. */
bool study__csv_is_file(const char *path)
{
    size_t length = strlen(path);
    PathKind kind;
    /* What cannot be looked at was refused by places_check. */
    return length > 4 && strcmp(path + length - 4, ".csv") == 0 &&
           (path_kind(&kind, path) != 0 || kind != PATH_DIRECTORY);
}

static const char *csv_name(const TableSpec *spec)
{
    return spec->file ? spec->file : spec->name;
}

int study__csv_path(char *out, const Context *context, size_t table)
{
    char name[80];
    snprintf(name, sizeof(name), "%s.csv", csv_name(context->command->tables[table]));
    return path_join(out, context->csv, name);
}

int study__exists_error(const Context *context, const char *option, const char *path)
{
    bool force = (context->command->uses & USES_FORCE) != 0;
    return err_set(OGPT_EUSAGE, "%s: exists; give --%s another name%s", path, option,
                   force ? ", or --force to replace it" : "");
}

/* Refuse what can be made nowhere or is of the wrong kind: a page needs a file, tables a folder or
 * a file. */
static int places_check(const Context *context)
{
    PathKind csv = PATH_MISSING, html = PATH_MISSING;
    int rc = context->csv ? path_check_writable(context->csv) : 0;
    rc = rc || !context->html ? rc : path_check_writable(context->html);
    rc = rc || !context->csv ? rc : path_kind(&csv, context->csv);
    rc = rc || !context->html ? rc : path_kind(&html, context->html);
    if (rc != 0) {
        return rc;
    }
    if (context->csv && !study__csv_is_file(context->csv) && csv != PATH_MISSING &&
        csv != PATH_DIRECTORY) {
        return err_set(OGPT_EUSAGE,
                       "%s: --csv makes a folder of this name, and something else is there; give "
                       "another name, or one that ends in .csv for one file",
                       context->csv);
    }
    if (context->csv && study__csv_is_file(context->csv) && csv != PATH_MISSING &&
        csv != PATH_FILE) {
        return err_set(OGPT_EUSAGE, "%s: is no regular file; give --csv another name",
                       context->csv);
    }
    if (context->html) {
        size_t length = strlen(context->html);
        if (context->html[length - 1] == '/' || (html != PATH_MISSING && html != PATH_FILE)) {
            return err_set(OGPT_EUSAGE, "%s: is no regular file; give --html another name",
                           context->html);
        }
    }
    return 0;
}

static void page_title(char out[80], const Context *context)
{
    snprintf(out, 80, "ogpt %s", context->command->name);
}

/* Whether the file of --html is a page of this command; with `this_line`, of this very command
 * line. Any other file is somebody's own. */
static bool page_is_ours(const Context *context, bool this_line)
{
    char title[80];
    page_title(title, context);
    return html_page_is(context->html, title, this_line ? context->command_line : NULL);
}

int study__check_files(const Context *context, bool same_command)
{
    char path[FILES_PATH_MAX];
    PathKind csv = PATH_MISSING, html = PATH_MISSING;
    int rc = places_check(context);
    rc = rc ? rc : figures__check(context, same_command);
    rc = rc || !context->csv ? rc : path_kind(&csv, context->csv);
    rc = rc || !context->html ? rc : path_kind(&html, context->html);
    if (rc != 0 || context->force) {
        return rc;
    }
    if (html == PATH_FILE && !(same_command && page_is_ours(context, false))) {
        return study__exists_error(context, "html", context->html);
    }
    if (same_command) {
        return 0;
    }
    if (csv == PATH_FILE && study__csv_is_file(context->csv)) {
        return study__exists_error(context, "csv", context->csv);
    }
    const TableSpec *const *tables = context->command->tables;
    for (size_t i = 0; context->csv && !study__csv_is_file(context->csv) && tables[i] && rc == 0;
         i++) {
        rc = study__csv_path(path, context, i);
        rc = rc ? rc : path_kind(&csv, path);
        if (rc == 0 && csv == PATH_FILE) {
            rc = study__exists_error(context, "csv", path);
        }
    }
    return rc;
}

int study_check_files(const Context *context)
{
    return study__check_files(context, false);
}

/* Refuse a file that is there in the place of an output that is kept. */
static int kept_check(const Context *context)
{
    int rc = 0;
    for (size_t i = 0; i < context->command->n_options && rc == 0; i++) {
        const OptionSpec *spec = &context->command->options[i];
        const char *path = NULL;
        PathKind kind = PATH_MISSING;
        if (spec->kept && context->options) {
            memcpy(&path, (const char *)context->options + spec->offset, sizeof(path));
        }
        rc = path ? path_kind(&kind, path) : 0;
        rc = rc || kind == PATH_MISSING ? rc : study__exists_error(context, spec->name, path);
    }
    return rc;
}

int study__check(const Context *context, const char *options_json)
{
    const char *name = context->command->name;
    bool before = false, computed = false;
    int rc = kinds_check(context->command);
    if (rc == 0 && context->store) {
        rc = store_has_run(&before, context->store, name, options_json);
        rc = rc ? rc : store_has_result(&computed, context->store, name, options_json);
    }
    if (rc == 0 && (context->csv || context->html || figures__asked(context))) {
        rc = study__check_files(context, before);
    }
    return rc || computed || context->force ? rc : kept_check(context);
}

/* ---- after the work ---- */

/* The table of --csv FILE.csv: the first of those that the command declares which it also made, or
 * NULL. */
static const Table *main_table(const Study *study)
{
    const TableSpec *const *tables = study->context->command->tables;
    for (size_t t = 0; tables[t]; t++) {
        for (size_t i = 0; i < study->report.n_items; i++) {
            const Table *table = report_table_at(&study->report, i);
            if (table && table->spec == tables[t]) {
                return table;
            }
        }
    }
    return NULL;
}

/* How many tables have rows. */
static size_t tables_full(const Study *study)
{
    size_t n = 0;
    for (size_t i = 0; i < study->report.n_items; i++) {
        const Table *table = report_table_at(&study->report, i);
        n += table && table_rows(table) > 0;
    }
    return n;
}

int study__force_error(const Context *context, int rc)
{
    bool force = (context->command->uses & USES_FORCE) != 0;
    return rc == OGPT_EUSAGE && force ? err_set(rc, "%s, or --force to replace it", err_message())
                                      : rc;
}

/* The tables as files. Another table in their place is an error; the result was printed before. */
static int csv_save(const Study *study)
{
    const Context *context = study->context;
    CsvTable files[REPORT_ITEMS_MAX];
    size_t n = 0;
    if (study__csv_is_file(context->csv)) {
        const Table *table = main_table(study);
        if (!table || table_rows(table) == 0) {
            context_warn(context, "%s: not written: this result has no table with rows",
                         context->csv);
            return 0;
        }
        const int rc = csv_write_file(context->csv, table, context->force);
        if (rc == 0 && tables_full(study) > 1) {
            context_next(context,
                         "%s holds the main table; --csv with a name without .csv writes "
                         "all %zu into a folder",
                         context->csv, tables_full(study));
        }
        return study__force_error(context, rc);
    }
    for (size_t i = 0; i < study->report.n_items; i++) {
        const Table *table = report_table_at(&study->report, i);
        if (table) {
            files[n++] = (CsvTable){csv_name(table->spec), table};
        }
    }
    return study__force_error(context, csv_write(context->csv, files, n, context->force));
}

int study_page(size_t *n_bytes, Context *context, const Text *body)
{
    char title[80], parent[FILES_PATH_MAX];
    Text page = {0};
    /* If this is a run, study__check has seen that this command may replace its page. */
    PathKind kind = PATH_MISSING;
    int rc = places_check(context);
    rc = rc ? rc : path_kind(&kind, context->html);
    if (rc == 0 && kind == PATH_FILE && !context->force &&
        !page_is_ours(context, context->run == 0)) {
        return study__exists_error(context, "html", context->html);
    }
    page_title(title, context);
    html_page_begin(&page, title, context->command_line, NULL);
    text_add(&page, "%s", body->data ? body->data : "");
    html_page_end(&page);
    rc = rc ? rc : page.failed || body->failed ? OGPT_ENOMEM : path_parent(parent, context->html);
    rc = rc ? rc : dir_create(parent); /* places_check found that it can be made */
    rc = rc ? rc : path_clean_stale(n_bytes, context->html);
    rc = rc ? rc : file_write_atomic(context->html, page.data, page.length, true);
    *n_bytes = page.length;
    text_release(&page);
    context->study->page_made = rc == 0;
    return rc;
}

static int html_save(const Study *study)
{
    char title[80];
    size_t n_bytes = 0;
    Text body = {0};
    page_title(title, study->context);
    report_page(&body, &study->report, title, study->context->command_line);
    int rc = study_page(&n_bytes, study->context, &body);
    text_release(&body);
    return rc;
}

/* Call `say` with each line. */
static void lines_say(const Context *context, const Text *lines,
                      void (*say)(const Context *context, const char *format, ...))
{
    const char *line = lines->data;
    while (line && *line != '\0') {
        size_t length = strcspn(line, "\n");
        say(context, "%.*s", (int)length, line);
        line += length + (line[length] == '\n');
    }
}

/* A report on its way into the database. */
typedef struct Storing {
    const Report *report;
    size_t part;
} Storing;

static int part_next(void *context, Js **by_kind)
{
    Storing *storing = context;
    return report_stored(by_kind, storing->report, storing->part++);
}

/* The rows of all tables in one transaction, so that a run has all of its rows or none. */
static int rows_store(Study *study)
{
    const Context *context = study->context;
    Storing storing = {.report = &study->report};
    const Table *table = report_to_store(&study->report);
    if (context->run != 0) {
        return store_add_parts(context->store, context->run, part_next, &storing);
    }
    return !table || (context->command->uses & USES_STORE_THERE) != 0
               ? 0
               : err_set(OGPT_EUSAGE, "%s: table %s: its rows need a run of their own in %s",
                         context->command->name, table->spec->name, table->spec->kind);
}

/* One line about what the tables could not show in this width. */
static void omitted_say(const Context *context, TableOmitted omitted)
{
    char columns[80] = "";
    if (omitted.columns > 0) {
        snprintf(columns, sizeof(columns), "%d column%s left out here", omitted.columns,
                 omitted.columns == 1 ? "" : "s");
    } else if (omitted.intervals) {
        snprintf(columns, sizeof(columns), "intervals left out here");
    }
    if (columns[0] != '\0' || omitted.cut) {
        context_next(context, "--wide or --csv FILE shows %s%s%s", columns,
                     columns[0] != '\0' && omitted.cut ? ", and " : "",
                     omitted.cut ? "texts cut at '~'" : "");
    }
}

int study__finish(Study *study)
{
    Context *context = study->context;
    const Report *report = &study->report;
    Text text = {0};
    progress_end(&study->progress);
    if (!ranks_first() || (report->n_items == 0 && js_length(report->members) == 0)) {
        return 0; /* the first rank prints it; or the command printed a result of its own */
    }
    int rc = rows_store(study);
    report_print(&text, report, context->style);
    rc = rc ? rc : context_result(context, report_document(report), text.failed ? NULL : text.data);
    text_release(&text);
    bool unread = rc == OGPT_EPIPE; /* the files are wanted all the same */
    rc = rc && !unread ? rc : report_check(report);
    lines_say(context, &report->warnings, context_warn);
    rc = rc || !context->csv ? rc : csv_save(study);
    rc = rc || !context->html || study->page_made ? rc : html_save(study);
    rc = rc || !figures__asked(context) ? rc : figures__save(context);
    study->unread = rc == 0 && unread;
    if (rc != 0 || unread) {
        return rc ? rc : OGPT_EPIPE;
    }
    if (study->verdict != 0) {
        return err_set(study->verdict, "%s", study->message);
    }
    omitted_say(context, report_omitted(report, context->style));
    lines_say(context, &study->hints, context_next);
    return 0;
}
