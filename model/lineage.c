/* model/lineage.c - see model/lineage.h. */
#include "model/lineage.h"

#include <string.h>

static const Js *earlier_runs(const Js *manifest)
{
    return js_member(js_member(manifest, "about"), "earlier");
}

/* Whether the manifest says where the starting weights came from: from other runs, or from random
 * numbers. Older programs wrote no "earlier"; there, an empty init-from means random numbers. */
static bool start_known(const Js *manifest)
{
    const Js *options = js_member(js_member(manifest, "about"), "options");
    const char *init = js_str_of(js_member(options, "init-from"));
    if (js_type(earlier_runs(manifest)) == JS_ARRAY) {
        return js_length(earlier_runs(manifest)) > 0 || !init || init[0] == '\0';
    }
    return !earlier_runs(manifest) && init && init[0] == '\0';
}

/* An unknown start counts as one run without a name. */
size_t lineage_length(const Js *manifest)
{
    return (start_known(manifest) ? js_length(earlier_runs(manifest)) : 1) + 1;
}

static TrainedOn run_of(const Js *name, const Js *games, const Js *split)
{
    const char *games_of = js_str_of(name);
    if (!games_of || games_of[0] == '\0' || js_type(games) != JS_INT || js_int_of(games) < 0) {
        return (TrainedOn){0};
    }
    return (TrainedOn){games_of, js_int_of(games), js_str_of(split)};
}

TrainedOn lineage_at(const Js *manifest, size_t index)
{
    if (index + 1 == lineage_length(manifest)) {
        return run_of(js_member(manifest, "corpus_hash"), js_member(manifest, "games"),
                      js_member(manifest, "split_rule"));
    }
    if (!start_known(manifest)) {
        return (TrainedOn){0};
    }
    const Js *run = js_at(earlier_runs(manifest), index);
    return run_of(js_member(run, "games_of"), js_member(run, "games"),
                  js_member(run, "split_rule"));
}

static Js *first_runs(const Js *manifest, size_t n)
{
    Js *runs = js_array();
    for (size_t i = 0; i < n; i++) {
        const TrainedOn run = lineage_at(manifest, i);
        Js *row = js_object();
        js_set_str(row, "games_of", run.games_of ? run.games_of : "");
        js_set_int(row, "games", run.games);
        if (run.split) {
            js_set_str(row, "split_rule", run.split);
        }
        js_push(runs, row);
    }
    return runs;
}

Js *lineage_write(const Js *manifest)
{
    return first_runs(manifest, lineage_length(manifest));
}

Js *lineage_earlier(const Js *manifest)
{
    return first_runs(manifest, lineage_length(manifest) - 1);
}

bool lineage_names(const Js *manifest, const char *games_of)
{
    for (size_t i = 0; i < lineage_length(manifest); i++) {
        const TrainedOn run = lineage_at(manifest, i);
        if (run.games_of && strcmp(run.games_of, games_of) == 0) {
            return true;
        }
    }
    return false;
}
