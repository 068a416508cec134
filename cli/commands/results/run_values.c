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
