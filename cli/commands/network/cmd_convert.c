/* cli/commands/network/cmd_convert.c - ogpt convert: models and probes in the layouts that
 * notebooks use. */
#include "cli/commands/network/convert.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/formats/pickle_sniff.h"
#include "base/formats/safetensors.h"
#include "model/checkpoint.h"
#include "probes/board/probe_layout.h"

static const OptionSpec options[] = {
    OPTION_CHOICE("from", offsetof(ConvertOptions, from), LAYOUT_NAMES,
                  "SRC is in this layout, DST becomes a model of ours (tl)"),
    OPTION_CHOICE("to", offsetof(ConvertOptions, to), LAYOUT_NAMES,
                  "SRC is a model of ours, DST gets this layout"),
    OPTION_CHOICE("notation", offsetof(ConvertOptions, notation), "standard|othello_world",
                  "how the other side names squares; othello_world: the letter is the row",
                  .def = "standard"),
    OPTION_FLAG("check", offsetof(ConvertOptions, check),
                "forward 100 positions in both layouts and compare before anything is published"),
    OPTION_INT(
        "heads", offsetof(ConvertOptions, heads), "N", 1, 65535,
        "attention heads of a bare mingpt file, whose shapes do not tell (8 when not given)"),
    OPTION_TEXT("layer", offsetof(ConvertOptions, layer), "L",
                "layer (or 'embed') of a probe in the published layout, which holds only one"),
    OPTION_TEXT(
        "model", offsetof(ConvertOptions, model), "MODEL",
        "the model that a converted probe belongs to (needed when SRC does not name it, and "
        "with othello_world)"),
};

/* Three lines to be copied, and the error behind them. */
static int refuse_pickle(const Context *context, const char *path)
{
    context_say(context, "%s", PICKLE_RECIPE_1);
    context_say(context, "%s", PICKLE_RECIPE_2);
    context_say(context, "%s", PICKLE_RECIPE_3);
    return err_set(OGPT_EFORMAT,
                   "%s: expected safetensors, found a pickle or a zip archive (.pt, .pth, .ckpt), "
                   "which is never read because it can run code; turn it into safetensors with "
                   "three lines of Python (docs/NOTEBOOKS.md) and convert out.safetensors",
                   path);
}

/* Whether what is being published equals what is there already, by its hashes. */
static int same_as_published(bool *out, const char *dst, const Publish *publish,
                             const char *const *names, size_t n)
{
    Js *old = NULL;
    int rc = 0;
    *out = dir_exists(dst) && manifest_verify(&old, dst) == 0;
    for (size_t i = 0; rc == 0 && *out && i < n; i++) {
        char path[FILES_PATH_MAX], hash[HASH_HEX_SIZE];
        const char *listed = manifest_file_sha256(old, names[i]);
        rc = publish_path(path, publish, names[i]);
        rc = rc ? rc : sha256_file(hash, path);
        *out = rc == 0 && listed && strcmp(listed, hash) == 0;
    }
    js_free(old);
    return rc;
}

int conversion_publish(Conversion *c, Publish *publish, const Js *fields, const char *tensors,
                       const char *config)
{
    const char *const names[] = {tensors, config};
    int rc = same_as_published(&c->already, c->dst, publish, names, config ? 2 : 1);
    c->already = c->already && !c->context->force;
    if (rc == 0 && !c->already && dir_exists(c->dst) && !c->context->force) {
        rc = err_set(OGPT_EUSAGE,
                     "%s: holds something else than this conversion makes; name another "
                     "directory, or replace it with --force",
                     c->dst);
    }
    if (rc == 0 && !c->already) {
        return publish_commit(publish, fields);
    }
    publish_abort(publish);
    return rc;
}

static int conversion_report(const Conversion *c)
{
    Js *document = js_object();
    Text text = {0};
    js_set_str(document, "source", c->src);
    js_set_str(document, "path", c->dst);
    js_set_str(document, "kind", c->probe ? "probe" : "model");
    js_set_str(document, "from_layout", layout_name(c->from));
    js_set_str(document, "to_layout", layout_name(c->to));
    js_set_str(document, "notation", c->options->notation);
    js_set_int(document, "tensors", (int64_t)c->n_tensors);
    js_set_int(document, "parameters", c->parameters);
    js_set_str(document, "tensors_hash", c->model_hash);
    if (!isnan(c->largest)) {
        js_set_int(document, "check_positions", CHECK_POSITIONS);
        js_set_num(document, "largest_difference", c->largest);
        js_set_num(document, "tolerance", c->tolerance);
    }
    text_add(&text, "%s (%s) to %s (%s)%s\n", c->src, layout_name(c->from), c->dst,
             layout_name(c->to), c->already ? ": was there already, unchanged" : "");
    text_add(&text, "tensors             %zu\n", c->n_tensors);
    text_add(&text, "parameters          %lld\n", (long long)c->parameters);
    if (!isnan(c->largest)) {
        text_add(&text, "largest difference  %.2g over %d positions (%.2g allowed)\n", c->largest,
                 CHECK_POSITIONS, c->tolerance);
    }
    int rc = context_add(c->context, "conversions", js_keep(document));
    rc = rc ? rc : context_result(c->context, js_keep(document), text.data);
    js_free(document);
    text_release(&text);
    return rc;
}

/* ---- what is given ---- */

/* A probe of ours, or a file in the published probe's layout. */
static int is_probe(bool *out, const char *path)
{
    char json[FILES_PATH_MAX], published[FILES_PATH_MAX];
    StFile *file = NULL;
    int rc = path_join(json, path, "probe.json");
    rc = rc ? rc : path_join(published, path, PROBE_LAYOUT_FILE);
    *out = rc == 0 && (file_exists(json) || file_exists(published));
    if (rc == 0 && file_exists(path)) {
        rc = st_open(&file, path);
        *out = rc == 0 && st_find(file, PROBE_LAYOUT_TENSOR);
        st_close(file);
    }
    return rc;
}

/* An option that changes nothing for this conversion is refused: whoever gives it means something
 * that will not happen. */
static int options_check(const Conversion *c)
{
    const ConvertOptions *given = c->options;
    const bool ours = c->from == LAYOUT_TL && c->to == LAYOUT_TL;
    const char *kind = c->probe ? "a probe" : "a model";
    const char *kept = c->probe && ours ? "a probe that stays in our layout" : kind;
    const struct {
        const char *name;
        bool given, used;
        const char *with;
    } rows[] = {
        {"layer", given->layer, c->probe && !ours, kept},
        {"model", given->model, c->probe, kind},
        {"check", given->check, !c->probe || !ours, kept},
        {"heads", given->heads != 0, !c->probe && c->from == LAYOUT_MINGPT,
         c->probe ? kind : "a model that is not --from mingpt"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].given && !rows[i].used) {
            return err_set(OGPT_EUSAGE, "convert: --%s means nothing with %s; leave it out",
                           rows[i].name, rows[i].with);
        }
    }
    return 0;
}

/* Whether the directory that `path` is to lie in is a run's: every step-* there is a checkpoint. */
static bool is_in_run(const char *path)
{
    char parent[FILES_PATH_MAX];
    char **names = NULL;
    size_t n = 0;
    bool is = false;
    if (path_parent(parent, path) != 0 || dir_list(&names, &n, parent) != 0) {
        return false; /* not there, or found out again where something is put into it */
    }
    for (size_t i = 0; i < n; i++) {
        is = is || run_step_of_name(names[i]) >= 0;
    }
    names_free(names, n);
    return is;
}

/* Why nothing may be put in the place of dst, with --force or without; NULL when it may. */
static const char *goal_fault(const Conversion *c, const char *manifest, const char *train)
{
    bool probe = false;
    if (is_in_run(c->dst)) {
        return "lies in the directory of a run";
    }
    if (path_holds(c->dst, c->src)) {
        return "holds what is to be converted";
    }
    if (!dir_exists(c->dst) && !file_exists(c->dst)) {
        return NULL;
    }
    if (!file_exists(manifest)) {
        return "exists and is no model, probe or conversion of ours (no MANIFEST.json in it)";
    }
    if (dir_exists(train)) {
        return "is a checkpoint with the state of its training";
    }
    if (is_probe(&probe, c->dst) != 0 || probe != c->probe) {
        return probe ? "holds a probe" : "holds a model";
    }
    return NULL;
}

static int goal_check(const Conversion *c)
{
    char manifest[FILES_PATH_MAX], train[FILES_PATH_MAX];
    int rc = path_join(manifest, c->dst, "MANIFEST.json");
    rc = rc ? rc : path_join(train, c->dst, "train");
    const char *fault = rc == 0 ? goal_fault(c, manifest, train) : NULL;
    return !fault ? rc
                  : err_set(OGPT_EUSAGE,
                            "%s: %s, so no %s is put in its place; choose "
                            "another name",
                            c->dst, fault, c->probe ? "probe" : "model");
}

static int convert_run(Context *context)
{
    const ConvertOptions *given = context->options;
    Conversion c = {.context = context,
                    .options = given,
                    .src = context->args[0],
                    .dst = context->args[1],
                    .transposed = strcmp(given->notation, "othello_world") == 0,
                    .largest = NAN};
    size_t n_stale = 0;
    if ((!given->from) == (!given->to)) {
        return err_set(OGPT_EUSAGE,
                       "convert: give either --from LAYOUT or --to LAYOUT (" LAYOUT_NAMES "): the "
                       "other side is always ours, tl");
    }
    c.from = given->from ? (Layout)layout_parse(given->from) : LAYOUT_TL;
    c.to = given->to ? (Layout)layout_parse(given->to) : LAYOUT_TL;
    if (file_is_pickle(c.src)) {
        return refuse_pickle(context, c.src);
    }
    int rc = is_probe(&c.probe, c.src);
    rc = rc ? rc : options_check(&c);
    rc = rc ? rc : goal_check(&c);
    rc = rc ? rc : path_clean_stale(&n_stale, c.dst);
    rc = rc ? rc : context_run_begin(context, c.dst, false);
    if (rc == 0) {
        rc = c.probe ? convert_probe(&c) : convert_model(&c);
    }
    rc = rc ? rc : conversion_report(&c);
    if (rc == 0 && c.from != LAYOUT_TL && !c.probe) {
        context_next(context, "ogpt eval %s --corpus games.ogpc", c.dst);
    }
    return rc;
}

const Command cmd_convert = {
    .name = "convert",
    .arguments = "SRC DST --from LAYOUT | --to LAYOUT",
    .summary = "models and probes to and from the layouts that notebooks use",
    .examples = "ogpt convert runs/tiny tiny-hf --to hf-gpt2 --check\n"
                "ogpt convert published.safetensors published --from mingpt "
                "--notation othello_world --check\n"
                "ogpt convert probes/mine published-probe --to mingpt --layer 5",
    .options = options,
    .n_options = sizeof(options) / sizeof(options[0]),
    .options_bytes = sizeof(ConvertOptions),
    .min_args = 2,
    .max_args = 2,
    .uses = USES_SEED | USES_STORE | USES_FORCE,
    .run = convert_run,
};
