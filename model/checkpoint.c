/* model/checkpoint.c - model directories: tensors in TransformerLens's names and shapes. */
#include "model/checkpoint.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/formats/safetensors.h"

/* W_Q, W_K and W_V are (C, NH*HS) in memory and [NH, C, HS] on file; the rest is the same. */
static bool heads_on_file(const TensorSpec *spec)
{
    return spec->rank == 3 && spec->shape[1] == spec->rows;
}

static void to_file_layout(float *out, const float *in, const TensorSpec *spec)
{
    size_t NH = spec->shape[0], C = spec->shape[1], HS = spec->shape[2];
    for (size_t h = 0; h < NH; h++) {
        for (size_t c = 0; c < C; c++) {
            memcpy(out + (h * C + c) * HS, in + c * NH * HS + h * HS, HS * sizeof(float));
        }
    }
}

static void from_file_layout(float *out, const float *in, const TensorSpec *spec)
{
    size_t NH = spec->shape[0], C = spec->shape[1], HS = spec->shape[2];
    for (size_t h = 0; h < NH; h++) {
        for (size_t c = 0; c < C; c++) {
            memcpy(out + c * NH * HS + h * HS, in + (h * C + c) * HS, HS * sizeof(float));
        }
    }
}

static int write_tensors(const char *path, const Gpt *gpt, bool half)
{
    static const char *const metadata[][2] = {{"format", "pt"}};
    int rc = OGPT_ENOMEM;
    StEntry *entries = mem_calloc(gpt->n_specs, sizeof(*entries), "tensor entries");
    float *permuted = mem_alloc(gpt->n_numbers, sizeof(*permuted), "tensors in file layout");
    if (!entries || !permuted) {
        goto done;
    }
    for (size_t i = 0; i < gpt->n_specs; i++) {
        const TensorSpec *spec = &gpt->specs[i];
        entries[i].name = spec->name;
        entries[i].half = half;
        entries[i].rank = spec->rank;
        memcpy(entries[i].shape, spec->shape, spec->rank * sizeof(uint64_t));
        entries[i].data = gpt->params + spec->offset;
        if (heads_on_file(spec)) {
            to_file_layout(permuted + spec->offset, gpt->params + spec->offset, spec);
            entries[i].data = permuted + spec->offset;
        }
    }
    rc = st_write(path, entries, gpt->n_specs, metadata, 1);
done:
    mem_free(permuted);
    mem_free(entries);
    return rc;
}

int model_round_halves(Gpt *gpt, double *change)
{
    *change = 0;
    for (size_t t = 0; t < gpt->n_specs; t++) {
        real *values = gpt->params + gpt->specs[t].offset;
        for (size_t i = 0; i < gpt->specs[t].count; i++) {
            real rounded = float16_widen(float16_narrow((float)values[i]));
            double difference = fabs((double)rounded - (double)values[i]);
            if (!isfinite(difference)) {
                return err_set(OGPT_EFORMAT, "%s, number %zu is %g; float16 holds at most 65504",
                               gpt->specs[t].name, i, (double)values[i]);
            }
            *change = fmax(*change, difference);
            values[i] = rounded;
        }
    }
    return 0;
}

int model_save(Publish *publish, char model_hash[HASH_HEX_SIZE], const Gpt *gpt, const Js *about,
               bool half)
{
    char path[FILES_PATH_MAX];
    char *text = NULL;
    int rc = publish_path(path, publish, "model.safetensors");
    rc = rc ? rc : write_tensors(path, gpt, half);
    rc = rc ? rc : publish_adopt(publish, "model.safetensors");
    rc = rc ? rc : sha256_file(model_hash, path);
    if (rc) {
        return rc;
    }
    Js *config = gpt_config_write(&gpt->cfg);
    js_set(config, "ogpt", about ? js_keep(about) : js_object());
    rc = js_print(&text, config, 2);
    rc = rc ? rc : publish_file(publish, "config.json", text, strlen(text));
    mem_free(text);
    js_free(config);
    return rc;
}

static bool has_suffix(const char *text, const char *suffix)
{
    size_t n = strlen(text), m = strlen(suffix);
    return n >= m && strcmp(text + n - m, suffix) == 0;
}

/* Refuse tensors that are neither ours nor a buffer that TransformerLens saves. */
static int check_no_extra(const Gpt *gpt, const StFile *file, const char *path)
{
    for (size_t i = 0; i < st_count(file); i++) {
        const char *name = st_tensor(file, i)->name;
        if (gpt_tensor_index(gpt, name) < 0 && !has_suffix(name, ".mask") &&
            !has_suffix(name, ".IGNORE")) {
            return err_set(OGPT_EFORMAT,
                           "%s: unexpected tensor '%s' for a network of %d layers, d_model %d; "
                           "check that config.json belongs to this file",
                           path, name, gpt->cfg.n_layers, gpt->cfg.d_model);
        }
    }
    return 0;
}

/* A tensor that may be absent: b_U always, LayerNorm's when the file is LNPre. Fills it. */
static bool fill_absent(Gpt *gpt, const TensorSpec *spec, bool allow_lnpre)
{
    bool norm =
        strstr(spec->name, "ln1.") || strstr(spec->name, "ln2.") || strstr(spec->name, "ln_final.");
    if (spec->group != GROUP_FROZEN && !(norm && allow_lnpre)) {
        return false;
    }
    for (size_t j = 0; j < spec->count; j++) {
        gpt->params[spec->offset + j] = spec->init_std < 0 ? 1 : 0;
    }
    return true;
}

/* Tensors that the file lacks stay as they are. */
static int read_tensors(Gpt *gpt, const StFile *file)
{
    float *values = gpt->params;
    float *raw = mem_alloc(gpt->n_numbers, sizeof(*raw), "tensors in file layout");
    if (!raw) {
        return OGPT_ENOMEM;
    }
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < gpt->n_specs; i++) {
        const TensorSpec *spec = &gpt->specs[i];
        if (!st_find(file, spec->name)) {
            continue;
        }
        bool permuted = heads_on_file(spec);
        float *target = permuted ? raw : values + spec->offset;
        rc = st_read_f32(target, file, spec->name, spec->rank, spec->shape, false);
        if (rc == 0 && permuted) {
            from_file_layout(values + spec->offset, raw, spec);
        }
    }
    mem_free(raw);
    return rc;
}

int model_read_tensors(Gpt *gpt, const char *path, const char *sha256, bool allow_lnpre)
{
    StFile *file = NULL;
    int rc = sha256 ? st_open_listed(&file, path, sha256) : st_open(&file, path);
    if (rc != 0) {
        return rc;
    }
    rc = st_drop_wrappers(file);
    rc = rc ? rc : check_no_extra(gpt, file, path);
    for (size_t i = 0; rc == 0 && i < gpt->n_specs; i++) {
        if (!st_find(file, gpt->specs[i].name) && !fill_absent(gpt, &gpt->specs[i], allow_lnpre)) {
            rc = err_set(OGPT_EFORMAT, "%s: tensor '%s' is missing (found %zu tensors)", path,
                         gpt->specs[i].name, st_count(file));
        }
    }
    rc = rc ? rc : read_tensors(gpt, file);
    st_close(file);
    return rc;
}

int64_t run_step_of_name(const char *name)
{
    int64_t step = 0;
    if (strncmp(name, "step-", 5) != 0 || strlen(name) != 13) {
        return -1;
    }
    for (const char *c = name + 5; *c != '\0'; c++) {
        if (*c < '0' || *c > '9') {
            return -1;
        }
        step = step * 10 + (*c - '0');
    }
    return step;
}

/* Whether a step directory verifies, and its train/ too when that is needed. train/ may be deleted:
 * then the step is still a model, but training cannot resume from it. */
static int verify_step(const char *path, bool with_train)
{
    char train[FILES_PATH_MAX];
    int rc = manifest_verify(NULL, path);
    if (rc == 0 && with_train) {
        PathKind kind;
        rc = path_join(train, path, "train");
        rc = rc ? rc : path_kind(&kind, train);
        if (rc == 0 && kind != PATH_DIRECTORY) {
            rc = err_set(OGPT_EFORMAT, "%s: expected the state of the training, found none", train);
        }
        rc = rc ? rc : manifest_verify(NULL, train);
    }
    return rc;
}

int run_newest_step(int64_t *step, char *path_out, const char *run_path, bool with_train,
                    char **warning)
{
    char **names = NULL;
    size_t n = 0;
    char note[2048] = "";
    *step = -1;
    if (warning) {
        *warning = NULL;
    }
    int rc = dir_list(&names, &n, run_path);
    if (rc != 0) {
        return rc;
    }
    /* Names are sorted and all of one length: the newest is the last. */
    for (size_t i = n; i-- > 0 && *step < 0;) {
        int64_t found = run_step_of_name(names[i]);
        if (found < 0) {
            continue;
        }
        rc = path_join(path_out, run_path, names[i]);
        if (rc != 0) {
            break;
        }
        int verified = verify_step(path_out, with_train);
        if (verified == 0) {
            *step = found;
        } else if (verified != OGPT_EFORMAT && verified != OGPT_EVERSION) {
            rc = verified; /* the step may be sound: do not load an older one instead */
            break;
        } else {
            size_t used = strlen(note);
            snprintf(note + used, sizeof(note) - used, "%spassed over a damaged checkpoint: %s",
                     used > 0 ? "; " : "", err_message());
        }
    }
    names_free(names, n);
    if (rc == 0 && note[0] != '\0' && *step < 0) {
        return err_set(OGPT_EFORMAT, "%s: no checkpoint verifies (%s)", run_path, note);
    }
    if (rc == 0 && note[0] != '\0' && warning) {
        *warning = mem_strdup(note, "a warning");
    }
    return rc;
}

/* MODEL names a file, which is never right. For a pickle, st_open's message says how to convert. */
static int refuse_file(const char *path)
{
    StFile *file = NULL;
    int rc = st_open(&file, path);
    st_close(file);
    if (rc != 0) {
        return err_set(rc, "%s; a model is a directory that ogpt train makes", err_message());
    }
    return err_set(OGPT_EFORMAT,
                   "%s: expected a model directory or a run directory, found a file; name the "
                   "directory that holds it",
                   path);
}

/* Which directory MODEL means: itself, or its newest step. */
static int resolve(char *out, const char *path, char **warning)
{
    PathKind inside, kind;
    int rc = path_kind_in(&inside, path, "config.json");
    rc = rc ? rc : path_kind(&kind, path);
    if (rc != 0) {
        return rc;
    }
    if (inside == PATH_FILE) {
        snprintf(out, FILES_PATH_MAX, "%s", path);
        return 0;
    }
    if (kind == PATH_FILE) {
        return refuse_file(path);
    }
    if (kind != PATH_DIRECTORY) {
        return err_set(OGPT_EIO,
                       "%s: expected a model directory or a run directory, found nothing; "
                       "ogpt train makes one",
                       path);
    }
    int64_t step = -1;
    rc = run_newest_step(&step, out, path, false, warning);
    if (rc == 0 && step < 0) {
        rc = err_set(OGPT_EFORMAT,
                     "%s: expected config.json or step-* directories, found neither; ogpt train "
                     "makes them",
                     path);
    }
    return rc;
}

/* Refuse a model that ogpt convert --to wrote for other programs. */
static int refuse_layout(const Js *manifest, const char *path)
{
    const char *layout = js_str_of(js_member(manifest, "layout"));
    return !layout ? 0
                   : err_set(OGPT_EFORMAT,
                             "%s: expected a model in layout tl, found %s; bring it back "
                             "with ogpt convert %s MODEL --from %s",
                             path, layout, path, layout);
}

int model_check_room(const GptConfig *cfg, int64_t n_absent, const char *path)
{
    uint64_t n_bytes = 0;
    int rc = file_size(&n_bytes, path);
    int64_t norms = (4 * (int64_t)cfg->n_layers + 2) * cfg->d_model;
    int64_t needed = gpt_config_parameters(cfg) - norms - n_absent;
    uint64_t room = n_bytes / sizeof(uint16_t); /* numbers may be halves */
    if (rc == 0 && (uint64_t)needed > room) {
        rc = err_set(OGPT_EFORMAT,
                     "%s: config.json asks for %lld numbers at least, the file has room for %llu; "
                     "check that both belong together",
                     path, (long long)needed, (unsigned long long)room);
    }
    return rc;
}

int model_load(ModelFile *out, const char *path, char **warning)
{
    char *note = NULL;
    char file[FILES_PATH_MAX];
    Js *config = NULL;
    GptConfig cfg;
    PathPin pin = {.fd = -1};
    *out = (ModelFile){.step = -1};
    int rc = resolve(out->path, path, &note);
    rc = rc ? rc : path_pin(&pin, out->path);
    rc = rc ? rc : manifest_verify(&out->manifest, pin.path);
    rc = rc ? rc : refuse_layout(out->manifest, out->path);
    rc = rc ? rc : path_join(file, pin.path, "config.json");
    rc = rc ? rc : js_parse_file(&config, file, 1 << 20);
    rc = rc ? rc : gpt_config_read(&cfg, config, file);
    rc = rc ? rc : path_join(file, pin.path, "model.safetensors");
    rc = rc ? rc : model_check_room(&cfg, 0, file);
    rc = rc ? rc : gpt_new(&out->gpt, &cfg);
    if (rc) {
        goto done;
    }
    const char *norm = js_str_of(js_member(config, "normalization_type"));
    const char *hash = manifest_file_sha256(out->manifest, "model.safetensors");
    rc = model_read_tensors(out->gpt, file, hash, norm && strcmp(norm, "LNPre") == 0);
    if (rc != 0) {
        goto done;
    }
    const char *corpus = js_str_of(js_member(out->manifest, "corpus_hash"));
    snprintf(out->model_hash, sizeof(out->model_hash), "%s", hash ? hash : "");
    snprintf(out->corpus_hash, sizeof(out->corpus_hash), "%s", corpus ? corpus : "");
    if (js_type(js_member(out->manifest, "step")) == JS_INT) {
        out->step = js_int_of(js_member(out->manifest, "step"));
    }
done:
    js_free(config);
    rc = path_unpin(&pin, out->path, rc);
    if (warning) {
        *warning = note;
    } else {
        mem_free(note);
    }
    if (rc != 0) {
        model_release(out);
    }
    return rc;
}

void model_release(ModelFile *file)
{
    gpt_free(file->gpt);
    js_free(file->manifest);
    *file = (ModelFile){.step = -1};
}
