/* report/runs/run_stored.c - contract in report/runs/run_stored.h. */
#include "report/runs/run_stored.h"

size_t run_stored_tables(Table out[RUN_STORED_MAX], const TableSpec *const *specs,
                         const Js *results)
{
    size_t n = 0;
    for (size_t i = 0; specs && specs[i] && n < RUN_STORED_MAX; i++) {
        const Js *rows = specs[i]->kind ? js_member(results, specs[i]->kind) : NULL;
        if (js_length(rows) == 0) {
            continue;
        }
        table_restore(&out[n++], specs[i], rows);
    }
    return n;
}
