/* cli/study.c - the result of a command, from its tables to stdout, files and the database.
 * Contract in cli/study.h. */
#include "cli/study.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/err.h"
#include "base/files.h"
#include "cli/framework.h"

void study__open(Study *study, Context *context)
{
    *study = (Study){.context = context, .members = js_object()};
    context->study = study;
}

void study__close(Study *study)
{
    progress_end(&study->progress);
    for (size_t i = 0; i < study->n_items; i++) {
        text_release(&study->items[i].text);
        js_free(study->items[i].members);
        if (study->items[i].is_table) {
            table_release(&study->items[i].table);
        }
    }
    text_release(&study->hints);
    js_free(study->members);
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
        progress_step(bar, done, NULL);
    } else {
        progress_step(bar, bar->total, stage);
    }
}

const Work *study_work(Context *context, const char *label, const char *unit)
{
    Study *study = context->study;
    progress_end(&study->progress);
    study->progress = (Progress){0};
    study->label = label;
    study->unit = unit;
    study->work = (Work){
        .pool = context->pool, .seed = context->seed, .tick = work_tick_show, .context = study};
    return &study->work;
}

static StudyItem *item_add(Study *study)
{
    assert(study->n_items < STUDY_ITEMS_MAX);
    StudyItem *item = &study->items[study->n_items++];
    *item = (StudyItem){0};
    return item;
}

/* JSON that was set before a table stands before it in the document. */
static void members_flush(Study *study)
{
    if (js_length(study->members) > 0) {
        item_add(study)->members = study->members;
        study->members = js_object();
    }
}

Table *study_table(Context *context, const TableSpec *spec)
{
    members_flush(context->study);
    StudyItem *item = item_add(context->study);
    item->is_table = true;
    table_init(&item->table, spec);
    return &item->table;
}

Text *study_text(Context *context)
{
    Study *study = context->study;
    StudyItem *last = study->n_items > 0 ? &study->items[study->n_items - 1] : NULL;
    if (!last || last->is_table) {
        last = item_add(study);
    }
    return &last->text;
}

void study_json(Context *context, const char *key, Js *value)
{
    js_set(context->study->members, key, value);
}

void study_json_all(Context *context, Js *object)
{
    void *it = NULL;
    const char *key;
    const Js *value;
    while (js_next(object, &it, &key, &value)) {
        js_set(context->study->members, key, js_keep(value));
    }
    js_free(object);
}

void study_next(Context *context, const char *format, ...)
{
    char line[1000];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    text_add(&context->study->hints, "%s%s", context->study->hints.length > 0 ? "\n" : "", line);
}

int study_verdict(Context *context, int code)
{
    context->study->verdict = code;
    snprintf(context->study->message, sizeof(context->study->message), "%s", err_message());
    return 0;
}

int study_check_output(const Context *context, const char *path)
{
    return path_check_writable(path);
}

/* ---- before the work ---- */

/* A number without a column in the database would get lost: a mistake of the program. */
static int kinds_check(const Command *command)
{
    static const char *const ends[] = {"", "_low", "_high"};
    for (size_t i = 0; command->tables && command->tables[i]; i++) {
        const TableSpec *spec = command->tables[i];
        for (size_t c = 0; spec->kind && c < spec->n_columns; c++) {
            const Column *column = &spec->columns[c];
            size_t n_ends = column->interval ? 3 : 1;
            for (size_t e = 0; e < n_ends && (column->flags & COLUMN_UNSTORED) == 0; e++) {
                char key[80];
                snprintf(key, sizeof(key), "%s%s", column->key, ends[e]);
                if (!store_has_column(spec->kind, key)) {
                    return err_set(OGPT_EUSAGE,
                                   "%s: table %s: the database has no column '%s' in %s; add it at "
                                   "the end of its kind in store/results.def",
                                   command->name, spec->name, key, spec->kind);
                }
            }
        }
    }
    return 0;
}

/* --csv NAME.csv is a file with the main table, unless there is a directory of that name; anything
 * else is a directory with a file for each table. */
static bool csv_is_file(const char *path)
{
    size_t length = strlen(path);
    return length > 4 && strcmp(path + length - 4, ".csv") == 0 && !dir_exists(path);
}

static const char *csv_name(const TableSpec *spec)
{
    return spec->file ? spec->file : spec->name;
}

static int exists_error(const Context *context, const char *option, const char *path)
{
    bool force = (context->command->uses & USES_FORCE) != 0;
    return err_set(OGPT_EUSAGE, "%s: exists; give --%s another name%s", path, option,
                   force ? ", or --force to replace it" : "");
}

int study__check_files(const Context *context, bool same_command)
{
    char path[FILES_PATH_MAX], name[80];
    int rc = context->csv ? path_check_writable(context->csv) : 0;
    rc = rc || !context->html ? rc : path_check_writable(context->html);
    if (rc != 0 || same_command || context->force) {
        return rc;
    }
    if (context->html && file_exists(context->html)) {
        return exists_error(context, "html", context->html);
    }
    if (context->csv && csv_is_file(context->csv) && file_exists(context->csv)) {
        return exists_error(context, "csv", context->csv);
    }
    const TableSpec *const *tables = context->command->tables;
    for (size_t i = 0; context->csv && !csv_is_file(context->csv) && tables[i] && rc == 0; i++) {
        snprintf(name, sizeof(name), "%s.csv", csv_name(tables[i]));
        rc = path_join(path, context->csv, name);
        if (rc == 0 && file_exists(path)) {
            rc = exists_error(context, "csv", path);
        }
    }
    return rc;
}

int study__check(const Context *context, const char *options_json)
{
    bool before = false;
    int rc = kinds_check(context->command);
    if (rc == 0 && (context->csv || context->html)) {
        rc = store_has_run(&before, context->store, context->command->name, options_json);
        rc = rc ? rc : study__check_files(context, before);
    }
    return rc;
}

/* ---- after the work ---- */

static int line_width(void)
{
    struct winsize size;
    return isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

/* Text of all items in order; an empty line before a list that something stands above. */
static void text_make(Text *out, const Study *study)
{
    TableStyle style = {.width = line_width(), .wide = study->context->wide};
    for (size_t i = 0; i < study->n_items; i++) {
        const StudyItem *item = &study->items[i];
        bool list = item->is_table && !item->table.hidden && !item->table.spec->record;
        if (list && out->length > 1 && strcmp(out->data + out->length - 2, "\n\n") != 0) {
            text_add(out, "\n");
        }
        if (item->is_table && !item->table.hidden) {
            table_print(out, &item->table, style);
        } else if (item->text.failed) {
            text_release(out);
            out->failed = true;
        } else if (item->text.data) {
            text_add(out, "%s", item->text.data);
        }
    }
    text_add(out, "%s", ""); /* a result without text is still a text */
}

static Js *document_make(const Study *study)
{
    Js *document = js_object();
    for (size_t i = 0; i < study->n_items; i++) {
        void *it = NULL;
        const char *key;
        const Js *value;
        const StudyItem *item = &study->items[i];
        if (item->is_table && !item->table.undocumented) {
            table_document(document, &item->table);
        }
        while (item->members && js_next(item->members, &it, &key, &value)) {
            js_set(document, key, js_keep(value));
        }
    }
    return document;
}

/* The tables as files. They are refused if another table is there; the printed result stands. */
static int csv_save(const Study *study)
{
    const Context *context = study->context;
    CsvTable files[STUDY_ITEMS_MAX];
    size_t n = 0;
    bool file = csv_is_file(context->csv);
    for (size_t i = 0; i < study->n_items; i++) {
        const StudyItem *item = &study->items[i];
        bool main_table = item->is_table && item->table.spec == context->command->tables[0];
        if (file && main_table) {
            return csv_write_file(context->csv, table_csv(&item->table), context->force);
        }
        if (!file && item->is_table) {
            files[n++] = (CsvTable){csv_name(item->table.spec), table_csv(&item->table)};
        }
    }
    return file ? 0 : csv_write(context->csv, files, n, context->force);
}

static int html_save(const Study *study)
{
    const Context *context = study->context;
    const Table *tables[STUDY_ITEMS_MAX];
    char title[80];
    Text page = {0};
    size_t n = 0;
    for (size_t i = 0; i < study->n_items; i++) {
        if (study->items[i].is_table) {
            tables[n++] = &study->items[i].table;
        }
    }
    snprintf(title, sizeof(title), "ogpt %s", context->command->name);
    table_page(&page, title, context->command_line, tables, n);
    int rc =
        page.failed ? OGPT_ENOMEM : file_write_atomic(context->html, page.data, page.length, true);
    text_release(&page);
    return rc;
}

static void hints_print(const Study *study)
{
    const char *line = study->hints.data;
    while (line && *line != '\0') {
        size_t length = strcspn(line, "\n");
        context_next(study->context, "%.*s", (int)length, line);
        line += length + (line[length] == '\n');
    }
}

static int rows_store(Study *study)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < study->n_items; i++) {
        const Table *table = &study->items[i].table;
        if (study->items[i].is_table && table->spec->kind && !table->unstored) {
            rc = context_add_all(study->context, table->spec->kind, table_stored(table));
        }
    }
    return rc;
}

int study__finish(Study *study)
{
    Context *context = study->context;
    Text text = {0};
    progress_end(&study->progress);
    members_flush(study);
    if (study->n_items == 0) { /* nothing returned: the command printed its own result */
        return 0;
    }
    int rc = rows_store(study);
    text_make(&text, study);
    rc = rc ? rc : context_result(context, document_make(study), text.failed ? NULL : text.data);
    text_release(&text);
    for (size_t i = 0; rc == 0 && i < study->n_items; i++) {
        rc = study->items[i].is_table ? table_check(&study->items[i].table) : 0;
    }
    rc = rc || !context->csv ? rc : csv_save(study);
    rc = rc || !context->html ? rc : html_save(study);
    if (rc != 0) {
        return rc;
    }
    if (study->verdict != 0) {
        return err_set(study->verdict, "%s", study->message);
    }
    hints_print(study);
    return 0;
}
