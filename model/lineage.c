/* model/lineage.c - contract in model/lineage.h. */
#include "model/lineage.h"

static const Js *earlier_runs(const Js *manifest)
{
    return js_member(js_member(manifest, "about"), "earlier");
}

/* A network that started from weights of which nothing is told has a run without a name. */
static bool start_unknown(const Js *manifest)
{
    const Js *options = js_member(js_member(manifest, "about"), "options");
    const char *init = js_str_of(js_member(options, "init-from"));
    return earlier_runs(manifest) == NULL && init != NULL && init[0] != '\0';
}

size_t lineage_length(const Js *manifest)
{
    return start_unknown(manifest) ? 2 : js_length(earlier_runs(manifest)) + 1;
}

static TrainedOn run_of(const Js *name, const Js *games)
{
    const char *games_of = js_str_of(name);
    if (games_of == NULL || games_of[0] == '\0' || js_type(games) != JS_INT ||
        js_int_of(games) < 0) {
        return (TrainedOn){NULL, 0};
    }
    return (TrainedOn){games_of, js_int_of(games)};
}

TrainedOn lineage_at(const Js *manifest, size_t index)
{
    if (index + 1 == lineage_length(manifest)) {
        return run_of(js_member(manifest, "corpus_hash"), js_member(manifest, "games"));
    }
    const Js *run = js_at(earlier_runs(manifest), index);
    return run_of(js_member(run, "games_of"), js_member(run, "games"));
}

static Js *first_runs(const Js *manifest, size_t n)
{
    Js *runs = js_array();
    for (size_t i = 0; i < n; i++) {
        const TrainedOn run = lineage_at(manifest, i);
        Js *row = js_object();
        js_set_str(row, "games_of", run.games_of != NULL ? run.games_of : "");
        js_set_int(row, "games", run.games);
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
