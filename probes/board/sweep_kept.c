/* probes/board/sweep_kept.c - finished controls of a sweep that was interrupted, in PATH.controls.
 *
 * What a control read at the test positions is kept, not its weights: scores and tests need nothing
 * else. A reading is taken only if all settings that decide it are the same, the best layer among
 * them. Folders of another origin under this name are neither read nor removed.
 */
#include "probes/board/sweep_internal.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/manifest.h"
#include "base/ranks/ranks.h"

#define KEPT_FORMAT 2
#define KEPT_STATE "control.json"
#define KEPT_READING "reading.bin" /* (test positions, n_squares) bytes */

/* The folder of one control, or of all if `name` is NULL. */
static int kept_path(char out[FILES_PATH_MAX], const char *path, const char *name)
{
    size_t end = strlen(path);
    while (end > 1 && path[end - 1] == '/') {
        end--;
    }
    int n = snprintf(out, FILES_PATH_MAX, "%.*s.controls%s%s", (int)end, path, name ? "/" : "",
                     name ? name : "");
    return n < FILES_PATH_MAX ? 0 : err_set(OGPT_EUSAGE, "%s: the path is too long", path);
}

/* Everything that decides a reading, as one text. Doubles in full: equal texts, equal settings. */
static void settings_print(char out[1024], const Sweep *sweep)
{
    const Probe *p = sweep->probe;
    const SweepResult *r = sweep->out;
    snprintf(out, 1024,
             "format %d model %s corpus %s divided by %s task %s labels %s solver %s site %s "
             "l2 %.17g hidden %d epochs %d games %" PRId64
             " plies %d positions %zu %zu %zu games %zu "
             "%zu %zu layers %d best %d seed %" PRIu64,
             KEPT_FORMAT, p->model_hash, p->corpus_hash, split_rules_name(p->split_rules), p->task,
             p->labels, p->solver, hook_site_name(p->site), p->l2, p->n_hidden, p->epochs,
             p->n_games, (int)p->plies, r->n_train, r->n_validation, r->n_test, r->n_train_games,
             r->n_validation_games, r->n_test_games, p->n_layers, p->layers[r->best], p->seed);
}

static Js *state_json(const Sweep *sweep, Control control)
{
    const FitReport *fit = &sweep->out->control_fit[control];
    char settings[1024];
    Js *json = js_object();
    settings_print(settings, sweep);
    js_set_str(json, "settings", settings);
    js_set_num(json, "seconds", sweep->out->control_seconds[control]);
    js_set_num(json, "objective", fit->objective);
    js_set_num(json, "gradient", fit->gradient);
    js_set_num(json, "l2", fit->l2);
    js_set_int(json, "rounds", fit->rounds);
    js_set_int(json, "kept", fit->kept);
    js_set_int(json, "absent", (int64_t)fit->n_absent);
    js_set_int(json, "unconverged_squares", (int64_t)fit->n_unconverged);
    js_set_int(json, "unconverged", (int64_t)fit->unconverged);
    return json;
}

static double number_or_nan(const Js *json, const char *key)
{
    return js_num_of(js_member(json, key));
}

static void state_read(FitReport *fit, double *seconds, const Js *json)
{
    *seconds = number_or_nan(json, "seconds");
    *fit = (FitReport){.objective = number_or_nan(json, "objective"),
                       .gradient = number_or_nan(json, "gradient"),
                       .l2 = number_or_nan(json, "l2"),
                       .rounds = (int)js_int_of(js_member(json, "rounds")),
                       .kept = (int)js_int_of(js_member(json, "kept")),
                       .n_absent = (size_t)js_int_of(js_member(json, "absent")),
                       .n_unconverged = (size_t)js_int_of(js_member(json, "unconverged_squares")),
                       .unconverged = (uint64_t)js_int_of(js_member(json, "unconverged"))};
}

/* *out: `path` is a folder that sweep__keep made, whole. OGPT_EIO if that cannot be found out. */
static int is_kept(bool *out, const char *path)
{
    Js *manifest = NULL;
    PathKind kind;
    int rc = path_kind(&kind, path);
    if (rc == 0 && kind == PATH_DIRECTORY) {
        rc = manifest_verify(&manifest, path);
    }
    *out = manifest && manifest_file_sha256(manifest, KEPT_STATE) &&
           manifest_file_sha256(manifest, KEPT_READING);
    js_free(manifest);
    return rc == OGPT_EFORMAT ? 0 : rc;
}

/* Whether each byte is a class of the task: scoring counts by it. */
static bool are_classes(const uint8_t *reading, size_t n, const Probe *probe)
{
    size_t i = 0;
    while (i < n && reading[i] < probe->n_classes) {
        i++;
    }
    return i == n;
}

int sweep__recall_file(bool *found, Sweep *sweep, Control control)
{
    char path[FILES_PATH_MAX], file[FILES_PATH_MAX], settings[1024];
    Js *json = NULL;
    void *reading = NULL;
    size_t n_bytes = 0;
    size_t wanted = sweep->sets[TEST].set.n_positions * sweep->sets[TEST].n_squares;
    bool kept = false;
    *found = false;
    int rc = sweep->path ? kept_path(path, sweep->path, control_name(control)) : 0;
    rc = rc || !sweep->path ? rc : is_kept(&kept, path);
    if (rc || !kept) {
        return rc;
    }
    rc = path_join(file, path, KEPT_STATE);
    rc = rc ? rc : js_parse_file(&json, file, 1 << 16);
    settings_print(settings, sweep);
    const char *made = js_str_of(js_member(json, "settings"));
    if (rc == 0 && made && strcmp(made, settings) == 0) {
        rc = path_join(file, path, KEPT_READING);
        rc = rc ? rc : file_read_all(&reading, &n_bytes, file, wanted + 1);
        *found = rc == 0 && n_bytes == wanted && are_classes(reading, wanted, sweep->probe);
    }
    if (*found) {
        memcpy(sweep->predicted, reading, wanted);
        state_read(&sweep->out->control_fit[control], &sweep->out->control_seconds[control], json);
    }
    mem_free(reading);
    js_free(json);
    return rc;
}

int sweep__keep(const Sweep *sweep, Control control)
{
    char path[FILES_PATH_MAX];
    Publish *publish = NULL;
    char *text = NULL;
    const LabelledSet *test = &sweep->sets[TEST];
    if (!sweep->path || !ranks_first()) {
        return 0;
    }
    int rc = kept_path(path, sweep->path, NULL);
    PathKind kind;
    rc = rc ? rc : path_kind(&kind, path);
    if (rc == 0 && kind != PATH_MISSING && kind != PATH_DIRECTORY) {
        return 0; /* something of another origin: nothing is kept */
    }
    rc = rc ? rc : dir_create(path);
    rc = rc ? rc : kept_path(path, sweep->path, control_name(control));
    bool kept = false;
    rc = rc ? rc : path_kind(&kind, path);
    rc = rc || kind == PATH_MISSING ? rc : is_kept(&kept, path);
    if (rc || (kind != PATH_MISSING && !kept)) {
        return rc; /* something of another origin: nothing is kept */
    }
    Js *json = state_json(sweep, control), *fields = js_object();
    rc = js_print(&text, json, 2);
    rc = rc ? rc : publish_begin(&publish, path, true);
    rc = rc ? rc : publish_file(publish, KEPT_STATE, text, strlen(text));
    rc = rc ? rc
            : publish_file(publish, KEPT_READING, sweep->predicted,
                           test->set.n_positions * test->n_squares);
    if (rc) {
        publish_abort(publish);
    } else {
        rc = publish_commit(publish, fields);
    }
    mem_free(text);
    js_free(json);
    js_free(fields);
    return rc;
}

int sweep__forget(const Sweep *sweep)
{
    char path[FILES_PATH_MAX];
    size_t n_stale;
    PathKind kind;
    if (!ranks_first()) {
        return 0;
    }
    int rc = kept_path(path, sweep->path, NULL);
    rc = rc ? rc : path_kind(&kind, path);
    if (rc || kind != PATH_DIRECTORY) {
        return rc;
    }
    rc = dir_clean_stale(&n_stale, path);
    for (int control = 0; control < N_CONTROLS && rc == 0; control++) {
        bool kept = false;
        rc = kept_path(path, sweep->path, control_name((Control)control));
        rc = rc ? rc : is_kept(&kept, path);
        if (rc == 0 && kept) {
            rc = dir_discard(path);
        }
    }
    rc = rc ? rc : kept_path(path, sweep->path, NULL);
    if (rc == 0) {
        rmdir(path); /* what somebody else put there stays, and so does the folder */
    }
    return rc;
}
