/* model/train/trainer_state.c - saving a run and resuming it, bit for bit.
 *
 * A checkpoint step-%08d/ is a model directory. Its subdirectory train/ holds the optimiser's
 * arrays and state.json; it has a manifest of its own, so that it can be deleted and the model
 * stays valid. Doubles are written with 17 digits and are read back exactly.
 */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/formats/safetensors.h"
#include "model/train/trainer.h"

/* The arrays of train/optim.safetensors, in memory layout: no other program reads them. */
static size_t state_arrays(StEntry entries[4], const Trainer *t)
{
    const struct {
        const char *name;
        const float *data;
    } arrays[] = {{"weights", t->gpt->params},
                  {"momentum", t->momentum},
                  {"second_moment", t->second},
                  {"average", t->average}};
    size_t n = 0;
    for (size_t i = 0; i < 4; i++) {
        if (arrays[i].data) {
            entries[n++] = (StEntry){.name = arrays[i].name,
                                     .rank = 1,
                                     .shape = {t->gpt->n_numbers},
                                     .data = arrays[i].data};
        }
    }
    return n;
}

/* One row per number of state.json. */
#define COUNTERS(INTEGER, NUMBER)                                                                  \
    INTEGER(step)                                                                                  \
    INTEGER(steps)                                                                                 \
    INTEGER(games)                                                                                 \
    INTEGER(tokens)                                                                                \
    INTEGER(collisions)                                                                            \
    INTEGER(report_due)                                                                            \
    NUMBER(loss_sum)                                                                               \
    NUMBER(floor_sum)                                                                              \
    NUMBER(position_sum)                                                                           \
    NUMBER(last_loss)                                                                              \
    NUMBER(last_floor)                                                                             \
    NUMBER(seconds)

static Js *counters_write(const TrainCounters *at)
{
    Js *json = js_object();
#define INTEGER(name) js_set_int(json, #name, (int64_t)at->name);
#define NUMBER(name) js_set_num(json, #name, at->name);
    COUNTERS(INTEGER, NUMBER)
#undef INTEGER
#undef NUMBER
    js_set_num(json, "gradient_norm", at->gradient_norm);
    return json;
}

static int counters_read(TrainCounters *at, const Js *json, const char *origin)
{
    int rc = 0;
    int64_t whole = 0;
#define INTEGER(name)                                                                              \
    rc = rc ? rc : js_get_int(&whole, json, #name, 0, INT64_MAX, origin);                          \
    at->name = (__typeof__(at->name))whole;
#define NUMBER(name) rc = rc ? rc : js_get_num(&at->name, json, #name, origin);
    COUNTERS(INTEGER, NUMBER)
#undef INTEGER
#undef NUMBER
    if (rc == 0 && js_member(json, "gradient_norm")) { /* earlier programs wrote none */
        rc = js_get_num(&at->gradient_norm, json, "gradient_norm", origin);
    }
    return rc;
}

static int save_train(const Trainer *t, const Publish *outer, const Js *options)
{
    char dir[FILES_PATH_MAX], path[FILES_PATH_MAX];
    StEntry entries[4];
    char *text = NULL;
    Publish *inner = NULL;
    int rc = publish_path(dir, outer, "train");
    rc = rc ? rc : publish_begin(&inner, dir, false);
    if (rc) {
        return rc;
    }
    Js *state = counters_write(&t->at);
    js_set(state, "options", options ? js_keep(options) : js_object());
    if (t->keep != 0) {
        js_set_int(state, "keep", t->keep);
    }
    size_t n = state_arrays(entries, t);
    rc = publish_path(path, inner, "optim.safetensors");
    rc = rc ? rc : st_write(path, entries, n, NULL, 0);
    rc = rc ? rc : publish_adopt(inner, "optim.safetensors");
    rc = rc ? rc : js_print(&text, state, 2);
    rc = rc ? rc : publish_file(inner, "state.json", text, strlen(text));
    if (rc) {
        publish_abort(inner);
    } else {
        Js *fields = js_object();
        js_set_int(fields, "step", t->at.step);
        rc = publish_commit(inner, fields);
        js_free(fields);
    }
    mem_free(text);
    js_free(state);
    return rc;
}

/* Refuse to publish a state that training could not resume from. */
static int check_finite(const Trainer *t)
{
    StEntry arrays[4];
    size_t n = state_arrays(arrays, t);
    for (size_t i = 0; i < n; i++) {
        const char *bad = trainer_bad_tensor(t->gpt, arrays[i].data);
        if (bad) {
            return err_set(OGPT_ENUM,
                           "training diverged at step %lld: %s of '%s' is not finite, and nothing "
                           "was saved; the last checkpoint is intact: lower --lr, or go on from it "
                           "with --init-from",
                           (long long)t->at.step, arrays[i].name, bad);
        }
    }
    return 0;
}

int trainer_save(Trainer *t, char path[FILES_PATH_MAX], char model_hash[HASH_HEX_SIZE],
                 const char *run_path, const Js *about)
{
    char name[64];
    Publish *publish = NULL;
    snprintf(name, sizeof(name), "step-%08lld", (long long)t->at.step);
    /* Two copies of the weights, two moments, perhaps the average; and as much again to spare. */
    int rc = disk_preflight(run_path, 10 * t->gpt->n_numbers * sizeof(float));
    rc = rc ? rc : check_finite(t);
    rc = rc ? rc : path_join(path, run_path, name);
    rc = rc ? rc : publish_begin(&publish, path, true);
    if (rc) {
        return rc;
    }
    rc = save_train(t, publish, js_member(about, "options"));
    if (rc == 0) {
        float *kept = t->gpt->params;
        t->gpt->params = t->average ? t->average : kept;
        rc = model_save(publish, model_hash, t->gpt, about, false);
        t->gpt->params = kept;
    }
    if (rc != 0) {
        publish_abort(publish);
        return rc;
    }
    Js *fields = js_object();
    js_set_int(fields, "step", t->at.step);
    js_set_int(fields, "games", (int64_t)t->at.games);
    js_set_str(fields, "corpus_hash", source_identity(t->source));
    if (source_split_rules(t->source) != 0) {
        js_set_str(fields, "split_rule", split_rules_name(source_split_rules(t->source)));
    }
    if (t->vocab->variant->rules != RULES_CLASSIC) { /* so that older manifests say the same */
        js_set_str(fields, "rules", game_rules_name(t->vocab->variant->rules));
    }
    js_set(fields, "about", about ? js_keep(about) : js_object());
    rc = publish_commit(publish, fields);
    js_free(fields);
    return rc;
}

/* One option's value as a person would type it, or `otherwise` if it is not given. */
static void print_value(char *out, size_t size, const Js *value, const char *otherwise)
{
    switch (js_type(value)) {
    case JS_INT: snprintf(out, size, "%lld", (long long)js_int_of(value)); break;
    case JS_NUM: snprintf(out, size, "%g", js_num_of(value)); break;
    case JS_STR: snprintf(out, size, "%s", js_str_of(value)); break;
    default: snprintf(out, size, "%s", otherwise); break;
    }
}

/* Refuse an option with two different values, `then` and `now`; NULL: not given. They are compared
 * as printed in full; the message shows both as they are typed. */
static int compare_option(const char *key, const Js *then, const Js *now, const char *path)
{
    char *a = NULL, *b = NULL, had[128], asked[128];
    Js *nothing = js_null();
    then = then ? then : nothing;
    now = now ? now : nothing;
    int rc = js_print(&a, then, 0);
    rc = rc ? rc : js_print(&b, now, 0);
    if (rc == 0 && strcmp(a, b) != 0) {
        bool games = strcmp(key, "source") == 0, split = strcmp(key, "split_rule") == 0;
        const char *otherwise = split ? "game" /* as train_about.c stores it */
                                : strcmp(key, "rules") == 0 ? "classic"
                                                            : "none";
        print_value(had, sizeof(had), then, otherwise);
        print_value(asked, sizeof(asked), now, otherwise);
        rc = err_set(OGPT_EUSAGE,
                     "%s was trained %s%s %s, asked for %s; use the same %s to go on, or "
                     "another output",
                     path,
                     games   ? "on games"
                     : split ? "on a corpus divided by rule"
                             : "with --",
                     games || split ? "" : key, had, asked, games || split ? "games" : "options");
    }
    mem_free(a);
    mem_free(b);
    js_free(nothing);
    return rc;
}

/* Whether `now` asks for more steps than `then`; other values of the option are compared. */
static bool is_longer(const char *key, const Js *then, const Js *now)
{
    return strcmp(key, "steps") == 0 && js_type(then) == JS_INT && js_type(now) == JS_INT &&
           js_int_of(now) > js_int_of(then);
}

/* Refuse options other than those of the run: changed, added or left out. *longer: more steps. */
static int compare_options(bool *longer, const Js *then, const Js *now, const char *path)
{
    void *it = NULL;
    const char *key;
    const Js *value;
    int rc = 0;
    *longer = false;
    while (rc == 0 && now && js_next(now, &it, &key, &value)) {
        bool more = is_longer(key, js_member(then, key), value);
        *longer = *longer || more;
        rc = more ? 0 : compare_option(key, js_member(then, key), value, path);
    }
    it = NULL;
    while (rc == 0 && now && then && js_next(then, &it, &key, &value)) {
        bool more = is_longer(key, value, js_member(now, key));
        rc = more ? 0 : compare_option(key, value, js_member(now, key), path);
    }
    return rc;
}

/* Go on to more steps than planned, if every step so far is one of the longer run too. */
static int lengthen(Trainer *t, const char *path)
{
    const TrainOptions *o = t->options;
    Schedule schedule = (Schedule)schedule_parse(o->schedule);
    int64_t then = t->at.steps, now = o->steps;
    for (int64_t step = 0; step < t->at.step; step++) {
        double had = schedule_factor(schedule, step, then, o->warmup, o->cooldown);
        double has = schedule_factor(schedule, step, now, o->warmup, o->cooldown);
        const GptConfig *cfg = &t->gpt->cfg;
        if (had != has || train_batch(o, step, then) != train_batch(o, step, now) ||
            train_layers(o, cfg, step, then) != train_layers(o, cfg, step, now)) {
            return err_set(
                OGPT_EUSAGE,
                "%s was planned for %lld steps: its step %lld had %.3g of the peak rate, "
                "%lld games and %d blocks, in a run of %lld steps it has %.3g, %lld and "
                "%d; start another run from its weights: ogpt train NEW --init-from %s",
                path, (long long)then, (long long)step, had, (long long)train_batch(o, step, then),
                train_layers(o, cfg, step, then), (long long)now, has,
                (long long)train_batch(o, step, now), train_layers(o, cfg, step, now), path);
        }
    }
    t->at.steps = now;
    return 0;
}

static int load_train(Trainer *t, const char *step_path, const char *run_path, const Js *about)
{
    char dir[FILES_PATH_MAX], file[FILES_PATH_MAX];
    Js *state = NULL;
    StFile *arrays = NULL;
    StEntry entries[4];
    bool longer = false;
    int rc = path_join(dir, step_path, "train");
    rc = rc ? rc : manifest_verify(NULL, dir);
    rc = rc ? rc : path_join(file, dir, "state.json");
    rc = rc ? rc : js_parse_file(&state, file, 1 << 20);
    rc = rc ? rc
            : compare_options(&longer, js_member(state, "options"), js_member(about, "options"),
                              run_path);
    rc = rc ? rc : counters_read(&t->at, state, file);
    rc = rc || !longer ? rc : lengthen(t, run_path);
    t->keep = t->keep != 0 ? t->keep : js_int_of(js_member(state, "keep"));
    rc = rc ? rc : path_join(file, dir, "optim.safetensors");
    rc = rc ? rc : st_open(&arrays, file);
    size_t n = rc ? 0 : state_arrays(entries, t);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        /* The entries describe our own writable arrays, so the cast may drop the const. */
        rc = st_read_f32((float *)entries[i].data, arrays, entries[i].name, 1, entries[i].shape,
                         false);
    }
    st_close(arrays);
    js_free(state);
    return rc;
}

/* Another core type of the library sums in another order, so the weights end in other last bits. */
static void core_compare(const Trainer *t, const Js *before, const Js *now, const char *run_path)
{
    const char *was = js_str_of(js_member(before, "blas_core"));
    const char *is = js_str_of(js_member(now, "blas_core"));
    char line[FILES_PATH_MAX + 400];
    if (!was || !is || strcmp(was, is) == 0 || t->at.step >= t->at.steps || !t->observer->warned) {
        return;
    }
    snprintf(line, sizeof(line),
             "%s: was trained with the matrix products of core type %s and goes on with %s: the "
             "weights will not be those of an undisturbed run; OPENBLAS_CORETYPE=%s before the "
             "command keeps the type, where the processor has it",
             run_path, was, is, was);
    t->observer->warned(t->observer->context, line);
}

int trainer_resume(Trainer *t, bool *found, char path[FILES_PATH_MAX],
                   char model_hash[HASH_HEX_SIZE], const char *run_path, const Js *about)
{
    int64_t step = -1;
    Js *manifest = NULL;
    *found = false;
    char *warning = NULL;
    int rc = run_newest_step(&step, path, run_path, true, &warning);
    if (warning && t->observer->warned) {
        t->observer->warned(t->observer->context, warning);
    }
    mem_free(warning);
    if (rc != 0 || step < 0) {
        return rc;
    }
    rc = load_train(t, path, run_path, about);
    if (rc == 0 && (rc = manifest_verify(&manifest, path)) == 0) {
        const char *hash = manifest_file_sha256(manifest, "model.safetensors");
        snprintf(model_hash, HASH_HEX_SIZE, "%s", hash ? hash : "");
        core_compare(t, js_member(manifest, "about"), about, run_path);
        *found = true;
    }
    js_free(manifest);
    return rc;
}

int trainer_prune(const char *run_path, int64_t keep)
{
    char **names = NULL;
    size_t n = 0, kept = 0;
    size_t newest = keep > TRAIN_KEEP_NEWEST ? (size_t)keep : TRAIN_KEEP_NEWEST;
    if (keep == TRAIN_KEEP_ALL) {
        return 0;
    }
    char path[FILES_PATH_MAX];
    int rc = dir_list(&names, &n, run_path);
    for (size_t i = n; rc == 0 && i-- > 0;) {
        int64_t step = run_step_of_name(names[i]);
        bool power = keep == TRAIN_KEEP_LOG2 && (step & (step - 1)) == 0;
        if (step < 0 || kept++ < newest || power) {
            continue;
        }
        rc = path_join(path, run_path, names[i]);
        rc = rc ? rc : dir_discard(path);
    }
    names_free(names, n);
    return rc;
}
