/* probes/artefacts/convert_model.c - conversion of models: read, rename tokens, write, check,
 * publish. */
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/files.h"
#include "base/manifest.h"
#include "base/process.h"
#include "probes/artefacts/convert.h"
#include "datasets/vocab.h"
#include "model/checkpoint.h"
#include "model/lineage.h"
#include "probes/activations/subject.h"
#include "probes/legality/layout_check.h"

/* A model as it was read, and what its files say of it. */
typedef struct Source {
    Gpt *gpt;
    GameRules rules; /* by which it was trained */
    LayoutFiles files;
    Js *manifest, *config; /* NULL when there is none */
} Source;

static void source_release(Source *source)
{
    gpt_free(source->gpt);
    js_free(source->manifest);
    js_free(source->config);
}

/* A directory that was published here, model or run; others have no manifest. */
static int is_published(bool *out, const char *path)
{
    PathKind kind = PATH_OTHER, listed = PATH_OTHER, there = PATH_OTHER;
    int rc = path_kind(&kind, path);
    rc = rc ? rc : path_kind_in(&listed, path, MANIFEST_NAME);
    rc = rc ? rc : path_kind_in(&there, path, "model.safetensors");
    *out = rc == 0 && kind == PATH_DIRECTORY && (listed == PATH_FILE || there != PATH_FILE);
    return rc;
}

static int ours_read(Source *out, const Conversion *c)
{
    ModelFile model;
    int rc = conversion_load(c, &model, c->src);
    if (rc != 0) {
        return rc;
    }
    rc = layout_files_find(&out->files, model.path);
    out->gpt = model.gpt;
    out->manifest = js_keep(model.manifest);
    model.gpt = NULL;
    model_release(&model);
    return rc;
}

/* Files of other programs; with a manifest of ours they must be as they were published, and in the
 * layout that was named. */
static int theirs_read(Source *out, const Conversion *c)
{
    bool published = false;
    int rc = layout_files_find(&out->files, c->src);
    rc = rc ? rc : is_published(&published, c->src);
    if (rc == 0 && published) {
        rc = manifest_verify(&out->manifest, c->src);
    }
    const char *layout = js_str_of(js_member(out->manifest, "layout"));
    if (rc == 0 && layout && strcmp(layout, layout_name(c->from)) != 0) {
        rc = err_set(OGPT_EFORMAT, "%s: was written in layout %s; convert it with --from %s",
                     c->src, layout, layout);
    }
    rc = rc ? rc : layout_read(&out->gpt, c->from, &out->files, c->heads);
    if (rc == 0 && c->from == LAYOUT_MINGPT && out->files.config[0] == '\0' && c->heads == 0) {
        char line[FILES_PATH_MAX + 80];
        snprintf(line, sizeof(line),
                 "%s: 8 heads assumed, which no shape shows; --heads N names "
                 "others",
                 c->src);
        c->say(c->context, line);
    }
    return rc;
}

/* The notation that a conversion wrote down must be the one named now. */
static int notation_check(const Conversion *c, const Source *source)
{
    const char *found = js_str_of(js_member(js_member(source->config, "ogpt"), "notation"));
    const char *wanted = c->to_ours ? c->notation : "standard";
    if (found && strcmp(found, wanted) != 0) {
        return err_set(OGPT_EUSAGE,
                       "%s: is in notation %s by its config.json, --notation says %s; convert it "
                       "with --from %s --notation %s",
                       c->src, found, wanted, layout_name(c->from), found);
    }
    return 0;
}

/* By the manifest, or, where other programs left none, by config.json. */
static int rules_read(Source *out, const char *path)
{
    const Js *ours = js_member(out->config, "ogpt");
    ours = js_member(ours, "rules") ? ours : js_member(ours, "options"); /* of its training */
    return subject_rules(&out->rules, out->manifest ? out->manifest : ours, path);
}

static int source_read(Source *out, const Conversion *c)
{
    *out = (Source){0};
    bool published = false;
    int rc = is_published(&published, c->src);
    if (rc == 0) {
        rc = c->from == LAYOUT_TL && published ? ours_read(out, c) : theirs_read(out, c);
    }
    if (rc == 0 && out->files.config[0] != '\0') {
        rc = js_parse_file(&out->config, out->files.config, 1 << 20);
    }
    rc = rc ? rc : notation_check(c, out);
    rc = rc ? rc : rules_read(out, c->src);
    const Vocab *vocab = rc == 0 ? vocab_by_size(out->gpt->cfg.d_vocab, out->rules) : NULL;
    if (rc == 0 && (!vocab || vocab->n_ctx != out->gpt->cfg.n_ctx)) {
        rc = err_set(OGPT_EFORMAT,
                     "%s: d_vocab %d and n_ctx %d are of no board; expected 61 and 59 (8x8), 33 "
                     "and 31 (6x6), or 13 and 11 (4x4)",
                     c->src, out->gpt->cfg.d_vocab, out->gpt->cfg.n_ctx);
    }
    return rc;
}

/* Write the tokens of classic play as iago does, or back. The other rules play other games. */
static int tokens_rename(Source *source, const Conversion *c)
{
    uint8_t order[BOARD_SQUARES];
    const int d_vocab = source->gpt->cfg.d_vocab;
    if (!c->rules || *c->rules == source->rules) {
        return 0;
    }
    const Vocab *from = vocab_by_size(d_vocab, source->rules);
    const Vocab *to = vocab_by_size(d_vocab, *c->rules);
    if (game_variant_played(from->variant) != game_variant_played(to->variant)) {
        return err_set(OGPT_EUSAGE,
                       "%s: plays by the rules %s, --rules asks for %s: their games differ, and "
                       "other names of the moves change none; train one (ogpt train --rules %s)",
                       c->src, game_rules_name(source->rules), game_rules_name(*c->rules),
                       game_rules_name(*c->rules));
    }
    vocab_translate(order, to, from);
    source->rules = *c->rules;
    return gpt_permute_tokens(source->gpt, order);
}

/* Members of config.json's "ogpt": those of the source, and where the tensors came from. */
static Js *about_build(const Conversion *c, const Source *source, const char *source_hash)
{
    Js *about = js_object(), *origin = js_object();
    const Js *old = js_member(source->config, "ogpt"), *value;
    const char *key;
    void *it = NULL;
    while (js_type(old) == JS_OBJECT && js_next(old, &it, &key, &value)) {
        if (strcmp(key, "seed") != 0 && strcmp(key, "notation") != 0 &&
            strcmp(key, "converted") != 0) {
            js_set(about, key, js_keep(value));
        }
    }
    if (c->to != LAYOUT_TL) {
        js_set_int(about, "seed", (int64_t)source->gpt->cfg.seed);
    }
    if (!c->to_ours) {
        js_set_str(about, "notation", c->notation);
    }
    if (c->rules || source->rules != RULES_CLASSIC) {
        js_set_str(about, "rules", game_rules_name(source->rules));
    }
    js_set_str(origin, "layout", layout_name(c->from));
    js_set_str(origin, "notation", c->to_ours ? c->notation : "standard");
    js_set_str(origin, "sha256", source_hash);
    js_set(about, "converted", origin);
    return about;
}

/* Manifest: what the source's one says of the training, and the layout when it is not ours. A
 * network of ours in the other notation was trained on turned games, which have no name. */
static Js *fields_build(const Conversion *c, const Source *source)
{
    static const char *const kept[] = {"step", "games", "corpus_hash", "split_rule"};
    Js *fields = js_object(), *about = js_object();
    bool turned = c->transposed && c->from == LAYOUT_TL && c->to == LAYOUT_TL;
    for (size_t i = 0; !turned && i < sizeof(kept) / sizeof(kept[0]); i++) {
        if (js_has(source->manifest, kept[i])) {
            js_set(fields, kept[i], js_keep(js_member(source->manifest, kept[i])));
        }
    }
    if (c->to != LAYOUT_TL) {
        js_set_str(fields, "layout", layout_name(c->to));
    }
    if (source->rules != RULES_CLASSIC) {
        js_set_str(fields, "rules", game_rules_name(source->rules));
    }
    js_set_str(about, "command_line", c->command_line);
    if (!turned) {
        js_set(about, "earlier", lineage_earlier(source->manifest));
    }
    js_set(fields, "about", about);
    return fields;
}

/* The file at `files`, computed as its own library does, against gpt. */
static int difference_from(LayoutDifference *out, const Conversion *c, const Gpt *gpt,
                           Layout layout, const LayoutFiles *files, const uint8_t *order)
{
    LayoutConfig config;
    PlainNet *net = NULL;
    int rc = layout_config_read(&config, layout, files, gpt->cfg.n_heads);
    rc = rc ? rc : plain_net_open(&net, layout, files->tensors, &config);
    rc = rc ? rc : layout_difference(out, gpt, net, order, CHECK_POSITIONS, c->work);
    plain_net_free(net);
    return rc;
}

/* One side of --check. */
static int side_check(Conversion *c, const Gpt *gpt, Layout layout, const LayoutFiles *files,
                      const uint8_t *order)
{
    LayoutDifference difference = {0};
    int rc = difference_from(&difference, c, gpt, layout, files, order);
    if (rc != 0) {
        return rc;
    }
    c->largest = !(c->largest >= difference.largest) ? difference.largest : c->largest;
    c->tolerance = difference.tolerance;
    if (difference.largest > difference.tolerance) {
        rc = err_set(OGPT_ENEGATIVE,
                     "%s: in layout %s its logits differ from ours by %.3g over %d positions, "
                     "%.3g is allowed; nothing was written",
                     c->src, layout_name(layout), difference.largest, CHECK_POSITIONS,
                     difference.tolerance);
    }
    return rc;
}

/* Round the network, and say how much that changes. */
static int source_round(Conversion *c, const Source *source, const uint8_t *order)
{
    LayoutDifference difference = {0};
    int rc = model_round_halves(source->gpt, &c->weight_change);
    if (rc == 0 && c->check) {
        rc = difference_from(&difference, c, source->gpt, c->from, &source->files, order);
        c->logit_change = difference.largest;
    }
    return rc;
}

/* What was written is forwarded in its own layout, and read back. */
static int written_check(Conversion *c, const Gpt *gpt, const Publish *publish)
{
    LayoutFiles written = {0};
    Gpt *back = NULL;
    int rc = publish_path(written.tensors, publish, "model.safetensors");
    rc = rc ? rc : publish_path(written.config, publish, "config.json");
    rc = rc ? rc : side_check(c, gpt, c->to, &written, NULL);
    rc = rc ? rc : layout_read(&back, c->to, &written, gpt->cfg.n_heads);
    for (size_t i = 0; rc == 0 && i < gpt->n_specs; i++) {
        const TensorSpec *spec = &gpt->specs[i];
        if (memcmp(gpt->params + spec->offset, back->params + spec->offset,
                   spec->count * sizeof(*gpt->params)) != 0) {
            rc = err_set(OGPT_ENEGATIVE, "%s: tensor %s is not read back as it was written", c->dst,
                         spec->name);
        }
    }
    gpt_free(back);
    return rc;
}

int convert_model(Conversion *c)
{
    Source source;
    Publish *publish = NULL;
    Js *about = NULL, *fields = NULL;
    char source_hash[HASH_HEX_SIZE];
    uint8_t permutation[BOARD_SQUARES];
    const uint8_t *order = c->transposed ? permutation : NULL;
    int rc = source_read(&source, c);
    rc = rc ? rc : sha256_file(source_hash, source.files.tensors);
    if (rc == 0 && c->transposed) {
        vocab_transpose(permutation, vocab_by_size(source.gpt->cfg.d_vocab, source.rules));
        rc = gpt_permute_tokens(source.gpt, permutation);
    }
    if (rc == 0 && c->check) {
        rc = side_check(c, source.gpt, c->from, &source.files, order);
    }
    rc = rc ? rc : tokens_rename(&source, c);
    c->plays = rc ? NULL : game_rules_name(source.rules);
    if (rc == 0 && c->half) {
        rc = source_round(c, &source, order);
    }
    rc = rc ? rc : disk_preflight(c->dst, 5 * source.gpt->n_numbers);
    rc = rc ? rc : publish_begin(&publish, c->dst, true);
    if (rc != 0) {
        goto done;
    }
    about = about_build(c, &source, source_hash);
    fields = fields_build(c, &source);
    c->parameters = gpt_config_parameters(&source.gpt->cfg);
    rc = layout_write(publish, &c->n_tensors, c->tensors_hash, source.gpt, c->to, about, c->half);
    if (rc == 0 && c->check) {
        rc = written_check(c, source.gpt, publish);
    }
    if (rc == 0 && interrupt_pending() != 0) {
        rc = err_set(OGPT_EINTR, "convert: interrupted; nothing was written");
    }
    if (rc == 0) {
        rc = conversion_publish(c, publish, fields, "model.safetensors", "config.json");
        publish = NULL;
    }
done:
    publish_abort(publish);
    js_free(about);
    js_free(fields);
    source_release(&source);
    return rc;
}
