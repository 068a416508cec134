/* cli/commands/board/cmd_probe_geometry.c - ogpt probe geometry: how a probe's directions lie to
 * each other, how firm they are, and how much of a layer the board explains. */
#include "base/arena.h"
#include "base/err.h"
#include "report/csv.h"
#include "cli/commands/board/geometry_view.h"
#include "cli/commands/common/model_input.h"

typedef struct GeometryGiven {
    const char *corpus, *csv;
    int64_t games, test_games, plies, memory;
    bool no_halves;
} GeometryGiven;

#define AT(field) offsetof(GeometryGiven, field)
static const OptionSpec options[] = {
    {"corpus", OPT_TEXT, AT(corpus), .argument = "FILE",
     .help = "games for the explained variance and the fits on halves; needed"},
    {"games", OPT_INT, AT(games), 2, 1e7, .def = "1250", .argument = "N", .help = "training games"},
    {"test-games", OPT_INT, AT(test_games), 2, 1e7, .def = "1000", .argument = "N",
     .help = "test games, for the explained variance"},
    {"plies", OPT_INT, AT(plies), 0, 60, .def = "8", .argument = "N",
     .help = "positions drawn of each game; 0 takes all"},
    {"memory", OPT_INT, AT(memory), 1, 1e6, .def = "1024", .argument = "MIB",
     .help = "for activations: layers are captured in groups that fit"},
    {"no-halves", OPT_FLAG, AT(no_halves),
     .help = "leave out the fits on halves of the training games"},
    {"csv", OPT_TEXT, AT(csv), .argument = "DIR",
     .help = "also write the table as a CSV file into this directory"},
};

static int load(Geometry *geometry, Context *context)
{
    int rc = context_subject_open(context, &geometry->subject, context->args[0]);
    geometry->n = (size_t)context->n_args - 1;
    for (size_t i = 0; i < geometry->n && rc == 0; i++) {
        GeometryProbe *one = &geometry->probe[i];
        one->path = context->args[i + 1];
        rc = probe_load(&one->probe, one->path);
        rc = rc ? rc : subject_check_probe(&geometry->subject, one->path, &one->probe);
        rc = rc ? rc : probe_check_finished(&one->probe, one->path);
        for (int l = 0; l < one->probe.n_layers && rc == 0; l++) {
            rc = directions_init(&one->directions[l], &one->probe, l, one->path);
            rc = rc ? rc : directions_rank(&one->rank[l], &one->directions[l]);
        }
    }
    return rc;
}

typedef struct HalvesShow {
    Progress *progress;
    double before; /* layers of the probes that came first */
    const char *path;
} HalvesShow;

static void show_layer(void *context, const char *stage, double done, double total)
{
    HalvesShow *show = context;
    progress_step(show->progress, show->before + done, show->path);
}

/* The first probe of a site answers for the site: its variance does not depend on the probe. */
static bool site_is_new(const Geometry *geometry, size_t i)
{
    for (size_t j = 0; j < i; j++) {
        if (geometry->probe[j].probe.site == geometry->probe[i].probe.site) {
            return false;
        }
    }
    return true;
}

static int measure(Geometry *geometry, Context *context, Corpus *corpus)
{
    const GeometryGiven *given = context->options;
    ExplainedOptions asked = {.n_games = (size_t)given->games,
                              .n_test_games = (size_t)given->test_games,
                              .plies = (int)given->plies};
    const Gpt *gpt = geometry->subject.model.gpt;
    double total = 0;
    for (size_t i = 0; i < geometry->n; i++) {
        total += geometry->probe[i].probe.n_layers;
    }
    context_say(context, "up to %lld MiB of memory for activations", (long long)given->memory);
    Progress progress = progress_begin(context, "measuring", "layers", total);
    HalvesShow show = {.progress = &progress};
    Work quiet = context_work(context, NULL);
    quiet.memory_bytes = (size_t)given->memory << 20;
    Work shown = quiet;
    shown.tick = show_layer;
    shown.context = &show;
    int rc = 0;
    for (size_t i = 0; i < geometry->n && rc == 0; i++) {
        GeometryProbe *one = &geometry->probe[i];
        show.path = one->path;
        if (site_is_new(geometry, i)) {
            SiteLayers where = {one->probe.site, one->probe.layers, one->probe.n_layers};
            rc = explained_variance(one->explained, gpt, &where, corpus, &asked, &quiet);
            one->has_explained = rc == 0;
        }
        if (rc == 0 && !given->no_halves) {
            rc =
                stability_measure(one->halves, &one->probe, one->path, gpt, corpus, &asked, &shown);
            one->has_halves = rc == 0;
        }
        show.before += one->probe.n_layers;
        progress_step(&progress, show.before, one->path);
    }
    progress_end(&progress);
    return rc;
}

static int report(Context *context, const Geometry *geometry)
{
    const GeometryGiven *given = context->options;
    Text text = {0};
    Js *rows = geometry_rows(geometry);
    int rc = context_add_all(context, "probe_geometry", js_keep(rows));
    if (rc == 0) {
        geometry_print(&text, geometry);
        rc = context_result(context, geometry_document(geometry), text.data);
    }
    if (rc == 0 && given->csv) { /* last: when it is refused, the result stands */
        CsvTable table = {"geometry", js_keep(rows)};
        rc = csv_write(given->csv, &table, 1, context->force);
    }
    js_free(rows);
    text_release(&text);
    return rc;
}

static int geometry_run(Context *context)
{
    const GeometryGiven *given = context->options;
    Corpus *corpus = NULL;
    if (!given->corpus) {
        return err_set(OGPT_EUSAGE, "probe geometry: --corpus FILE is needed; see 'ogpt probe "
                                    "geometry --help'");
    }
    Geometry *geometry = mem_calloc(1, sizeof(Geometry), "the probes to be measured");
    if (!geometry) {
        return OGPT_ENOMEM;
    }
    int rc = load(geometry, context);
    rc = rc ? rc : corpus_open(&corpus, given->corpus, false);
    rc = rc ? rc : subject_check_corpus(&geometry->subject, given->corpus, corpus);
    rc = rc ? rc : context_pool(context);
    rc = rc ? rc : context_run_begin(context, context->args[1], false);
    rc = rc ? rc : measure(geometry, context, corpus);
    rc = rc ? rc : report(context, geometry);
    for (size_t i = 0; i < geometry->n; i++) {
        for (int l = 0; l < LAYERS_MAX; l++) {
            direction_set_release(&geometry->probe[i].directions[l]);
        }
        probe_release(&geometry->probe[i].probe);
    }
    corpus_close(corpus);
    subject_release(&geometry->subject);
    mem_free(geometry);
    return rc;
}

const Command cmd_probe_geometry = {
    .name = "probe geometry",
    .arguments = "MODEL PROBE... --corpus CORPUS",
    .summary = "how a probe's directions lie, how firm they are, and what the board explains",
    .examples = "ogpt probe geometry runs/tiny probes/mine --corpus games.ogpc\n"
                "ogpt probe geometry runs/tiny probes/mine probes/empty --corpus games.ogpc\n"
                "ogpt probe geometry runs/tiny probes/mine probes/mine-seed-2 --corpus games.ogpc "
                "--no-halves",
    .options = options,
    .n_options = sizeof(options) / sizeof(options[0]),
    .options_bytes = sizeof(GeometryGiven),
    .min_args = 2,
    .max_args = 1 + GEOMETRY_MAX,
    .uses = USES_SEED | USES_THREADS | USES_STORE | USES_FORCE,
    .run = geometry_run,
};
