/* cli/commands/results/run_values.c - contract in cli/commands/results/run_values.h. */
#include "cli/commands/results/run_values.h"

#include "base/arena.h"
#include "base/err.h"

int run_read(Js **out, const Context *context, Store *store, int index)
{
    int64_t run = 0;
    Js *newest = NULL;
    int rc = 0;
    if (index < context->n_args) {
        rc = context_arg_int(&run, context, index, "RUN", 1, INT64_MAX);
        return rc ? rc : store_show(out, store, run);
    }
    rc = store_list(&newest, store, 1);
    if (rc == 0 && js_length(newest) == 0) {
        rc = err_set(OGPT_EUSAGE, "%s: no runs in it yet", context->store_path);
    }
    rc = rc ? rc : store_show(out, store, js_int_of(js_member(js_at(newest, 0), "run")));
    js_free(newest);
    return rc;
}

#define COLUMNS_MAX 128
static Column kind_columns[RUN_KINDS_MAX][COLUMNS_MAX];
TableSpec run_kind_tables[RUN_KINDS_MAX] = {{.name = "rows"}};

void run_tables_add(Context *context, const Js *results)
{
    void *it = NULL;
    const char *kind = NULL;
    const Js *rows = NULL;
    for (size_t k = 0; k < RUN_KINDS_MAX && js_next(results, &it, &kind, &rows); k++) {
        run_kind_tables[k] = (TableSpec){.name = kind, .columns = kind_columns[k]};
        run_kind_tables[k].n_columns = table_columns_of(kind_columns[k], COLUMNS_MAX, rows);
        Table *table = study_table(context, &run_kind_tables[k]);
        table->hidden = table->undocumented = true;
        for (size_t i = 0; i < js_length(rows); i++) {
            table_add(table, js_keep(js_at(rows, i)));
        }
    }
}
