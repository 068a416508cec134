/* report/claims/claim_stored.c - contract in report/claims/claim_stored.h. */
#include "report/claims/claim_stored.h"

#include <string.h>

int claim_stored_runs(Js **runs, Store *store)
{
    Js *list = NULL;
    *runs = js_array();
    int rc = store_list(&list, store, 0);
    for (size_t i = 0; rc == 0 && i < js_length(list); i++) {
        Js *about = NULL;
        rc = store_about(&about, store, js_int_of(js_member(js_at(list, i), "run")));
        if (rc == 0) {
            js_push(*runs, about);
        }
    }
    js_free(list);
    return rc;
}

static bool text_is(const Js *object, const char *key, const char *expected)
{
    const char *text = js_str_of(js_member(object, key));
    return text && strcmp(text, expected) == 0;
}

static bool is_about(const Js *run, const char *model_hash)
{
    const Js *hashes = js_member(run, "hashes");
    bool about = false;
    for (size_t i = 0; i < js_length(hashes); i++) {
        about = about || strcmp(js_str_of(js_at(hashes, i)), model_hash) == 0;
    }
    return about;
}

int claim_stored_rows(void *stored, Js **rows, int64_t *number, const ClaimRun *run,
                      const ClaimNumber *wanted)
{
    const ClaimStored *look = stored;
    const Js *runs = look->runs;
    bool fits = false;
    int rc = 0;
    *rows = NULL;
    *number = 0;
    for (size_t i = 0; rc == 0 && !fits && i < js_length(runs); i++) {
        const Js *about = js_at(runs, i);
        int64_t at = js_int_of(js_member(about, "run"));
        Js *found = NULL;
        if (!text_is(about, "command", run->command) || !text_is(about, "status", "done") ||
            !is_about(about, look->subject->model_hash) ||
            !claim_run_fits(run, js_member(about, "options"), look->subject)) {
            continue;
        }
        rc = store_rows(&found, look->store, wanted->kind, at);
        fits = rc == 0 && claim_rows_fit(wanted, found, look->subject);
        if (fits || (rc == 0 && !*rows && js_length(found) > 0)) {
            js_free(*rows);
            *rows = found;
            *number = at;
        } else {
            js_free(found);
        }
    }
    return rc;
}
