/* cli/commands/readers/steer_file.c - contract in steer_file.h. */
#include "cli/commands/readers/steer_file.h"

#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/files.h"
#include "base/js.h"
#include "base/manifest.h"

/* The "orthogonalised" object in config.json of a directory, owned; NULL if there is none. */
static Js *written_before(const char *path)
{
    char config[FILES_PATH_MAX];
    Js *json = NULL, *found = NULL;
    if (path_join(config, path, "config.json") == 0 && js_parse_file(&json, config, 1 << 20) == 0) {
        const Js *what = js_member(js_member(json, "ogpt"), "orthogonalised");
        found = js_type(what) == JS_OBJECT ? js_keep(what) : NULL;
        js_free(json);
    }
    return found;
}

int steering_file_check(const char *path)
{
    PathKind kind = PATH_MISSING;
    int rc = path_kind(&kind, path);
    if (rc || kind == PATH_MISSING) {
        return rc;
    }
    Js *what = written_before(path);
    const bool ours = what;
    js_free(what);
    return ours ? 0
                : err_set(OGPT_EUSAGE,
                          "--out %s: something is there that ogpt steer did not write; choose "
                          "another name",
                          path);
}

/* *already: the same tensors are there. Else 0 only if what is there may be replaced. */
static int compare_written(bool *already, const char *path, const char *model_hash, bool force)
{
    char probe[FILES_PATH_MAX];
    PathKind kind = PATH_MISSING;
    Js *manifest = NULL;
    int rc = path_kind(&kind, path);
    if (rc || kind == PATH_MISSING) {
        return rc;
    }
    rc = manifest_verify(&manifest, path);
    const char *there = rc ? NULL : manifest_file_sha256(manifest, "model.safetensors");
    *already = there && strcmp(there, model_hash) == 0;
    js_free(manifest);
    if (*already) {
        return 0;
    }
    if (!force) {
        return err_set(OGPT_EUSAGE,
                       "--out %s: another network is there; give --force to replace "
                       "it, or another name",
                       path);
    }
    rc = path_join(probe, path, PROBE_FOLDER);
    rc = rc ? rc : path_kind(&kind, probe);
    return rc || kind == PATH_MISSING
               ? rc
               : err_set(OGPT_EUSAGE,
                         "--out %s: a probe lies there, and replacing the network would "
                         "remove it; choose another name",
                         path);
}

static int publish_network(SteerSession *session, const Gpt *gpt, const Js *about, const Js *fields)
{
    const char *path = session->given->out;
    Publish *publish = NULL;
    bool already = false;
    int rc = disk_preflight(path, gpt->n_numbers * sizeof(float));
    rc = rc ? rc : publish_begin(&publish, path, true);
    if (rc) {
        return rc;
    }
    rc = model_save(publish, session->out_hash, gpt, about, false);
    rc = rc ? rc : compare_written(&already, path, session->out_hash, session->context->force);
    if (rc || already) {
        publish_abort(publish);
        return rc;
    }
    return publish_commit(publish, fields);
}

int steering_file_write(SteerSession *session)
{
    const SteerStudy *study = &session->study;
    const size_t group = session->group < 0 ? 0 : (size_t)session->group;
    Gpt *gpt = NULL;
    float *r = mem_alloc(study->bank.width, sizeof(*r), "a direction");
    Js *about = js_object(), *fields = js_object(), *what = js_object();
    js_set(what, "of", js_str(session->inputs.subject.model.model_hash));
    js_set(what, "target", js_str(steer_target_name(session->steer.options.target)));
    js_set(what, "square", js_str(session->given->square ? session->given->square : "corners"));
    js_set(what, "layer", js_int(study->ablation_layer));
    js_set(about, "orthogonalised", js_keep(what));
    js_set(fields, "orthogonalised", what);
    int rc = r ? 0 : OGPT_ENOMEM;
    if (rc == 0) {
        steer_bank_unit(r, &study->bank, study->ablation_layer, group);
        rc = steer_orthogonalise(&gpt, session->steer.gpt, r);
    }
    rc = rc ? rc : publish_network(session, gpt, about, fields);
    js_free(about);
    js_free(fields);
    gpt_free(gpt);
    mem_free(r);
    return rc;
}
