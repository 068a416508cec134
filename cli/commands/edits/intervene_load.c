/* cli/commands/edits/intervene_load.c - the options of ogpt intervene as plans, and the files they
 * name. */
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "cli/commands/edits/intervene_session.h"
#include "cli/commands/common/model_input.h"
#include "cli/commands/common/probe_input.h"
#include "cli/commands/common/sae_input.h"
#include "probes/dictionaries/codebook_inputs.h"

#define AUTO "auto"

/* ---- plans ---- */

static bool is_auto(const char *text)
{
    return text && strcmp(text, AUTO) == 0;
}

bool session_is_all(const EditSession *session)
{
    return session->given->method == INTERVENE_ALL;
}

static int check_tuning(const EditSession *session)
{
    const InterveneOptions *given = session->given;
    if ((session->any_layers || session->any_scale) && !given->tune) {
        return err_set(OGPT_EUSAGE, "intervene: auto needs --tune FILE: layers and scale are never "
                                    "chosen on the reported cases; make tuning cases with ogpt "
                                    "cases make FILE --purpose tune");
    }
    const bool any_features = given->method == METHOD_SAE && given->per_state == 0;
    if (given->tune && !session->any_layers && !session->any_scale && !any_features) {
        return err_set(OGPT_EUSAGE,
                       "intervene: --tune has nothing to choose: %s are both given; "
                       "leave one out or drop --tune",
                       given->method == METHOD_SAE ? "--per-state and scale" : "layers and scale");
    }
    return 0;
}

static int layers_given(uint64_t *out, const EditSession *session)
{
    LayerList layers = session->given->layers;
    *out = 0;
    if (layers.word == LAYERS_UNSET) {
        return err_set(OGPT_EUSAGE, "intervene: --layers is missing: give layers such as 3 or "
                                    "2-5, or --tune FILE to choose them");
    }
    int rc = layers_resolve(&layers, session->subject.model.gpt->cfg.n_layers, false,
                            session->subject.model.path);
    for (int i = 0; i < layers.n && rc == 0; i++) {
        *out |= 1ULL << layers.layers[i];
    }
    return rc;
}

/* What every plan of a run has in common. */
static int common_plan(EditPlan *plan, const EditSession *session)
{
    const InterveneOptions *given = session->given;
    *plan = EDIT_PLAN_DEFAULT;
    plan->site = given->site < 0 ? HOOK_RESID_POST : (HookSite)given->site;
    plan->probe_layer = given->probe_layer < 0 ? PROBE_LAYER_OWN : (int)given->probe_layer;
    plan->ignore_bias = given->ignore_bias;
    plan->steps = (int)given->steps;
    plan->direction = (EditDirection)given->direction;
    plan->positions = (EditPositions)given->positions;
    int rc = edit_rate_parse(&plan->rate, given->rate);
    if (rc == 0 && !session->any_layers && given->method != METHOD_SAE) {
        rc = layers_given(&plan->layers, session);
    }
    if (rc == 0 && given->scale && !session->any_scale) {
        rc = edit_scale_parse(&plan->scale, given->scale);
    }
    return rc;
}

static int preset_plan(EditSession *session)
{
    /* Everything that a plan is made of, and --tune, which would choose part of it. */
    static const char *const said[] = {"method",    "site",      "layers",      "scale",
                                       "direction", "positions", "probe-layer", "ignore-bias",
                                       "steps",     "rate",      "tune"};
    const InterveneOptions *given = session->given;
    for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++) {
        if (context_given(session->context, said[i])) {
            return err_set(OGPT_EUSAGE,
                           "intervene: --preset %s says method, site, layers, scale and the rest; "
                           "leave --%s out, or leave --preset out",
                           given->preset, said[i]);
        }
    }
    session->any_layers = session->any_scale = false;
    session->n_plans = 1;
    return edit_preset_parse(&session->plans[0], given->preset);
}

/* The autoencoder, with --method all only if it is named; a site or layer must be its own. */
static int load_sae(EditSession *session)
{
    const InterveneOptions *given = session->given;
    const bool only = given->method == METHOD_SAE;
    uint64_t layers = 0;
    if (given->sae && !only && !session_is_all(session)) {
        return err_set(OGPT_EUSAGE, "--sae: asked for with --method sae or all only");
    }
    const bool listed = given->layers.word == LAYERS_LISTED || given->layers.word == LAYERS_ALL;
    int rc = only && listed ? layers_given(&layers, session) : 0;
    if (rc == 0 && (only || given->sae)) {
        rc = context_sae_open(&session->sae, session->sae_path, session->context, &session->subject,
                              given->sae);
        rc = rc ? rc
                : codebook_inputs_check_changed(session->sae, session->sae_path, &session->subject,
                                                only ? given->site : -1, layers);
    }
    return rc;
}

/* Features are where the autoencoder is, whatever was said to the other methods. */
static void place_features(EditPlan *plan, const EditSession *session)
{
    const int n = (int)session->given->per_state;
    if (plan->method == METHOD_SAE) {
        edit_plan_place(plan, session->sae->cfg.site, session->sae->cfg.layer,
                        n > 0 || session->given->tune ? n : EDIT_FEATURES);
    }
}

/* One plan for every method that has what it needs. */
static int all_plans(EditSession *session, const EditPlan *common)
{
    if (!session->any_scale) {
        return err_set(OGPT_EUSAGE,
                       "intervene: --method all chooses the scale of each method; drop "
                       "--scale");
    }
    for (int m = 0; m < N_EDIT_METHODS; m++) {
        EditPlan *plan = &session->plans[session->n_plans];
        const char *lacks = m == METHOD_MEAN_DIFFERENCE && !session->given->means_from
                                ? "--means-from CORPUS"
                            : m == METHOD_SAE && !session->sae ? "--sae SAE"
                                                               : NULL;
        if (lacks) {
            context_say(session->context, "%s is left out: it needs %s",
                        edit_method_name((EditMethod)m), lacks);
            continue;
        }
        *plan = *common;
        plan->method = (EditMethod)m;
        place_features(plan, session);
        session->n_plans++;
    }
    return 0;
}

/* Options -> plans. Layers and scale that are not given are tuned where there are tuning cases. */
static int plans_parse(EditSession *session)
{
    const InterveneOptions *given = session->given;
    EditPlan *plan = &session->plans[0], common;
    int rc;
    session->any_layers =
        given->method != METHOD_SAE &&
        (given->layers.word == LAYERS_AUTO || (given->layers.word == LAYERS_UNSET && given->tune));
    session->any_scale =
        is_auto(given->scale) || (!given->scale && (given->tune || session_is_all(session)));
    if (given->preset) {
        return preset_plan(session);
    }
    rc = check_tuning(session);
    rc = rc ? rc : common_plan(&common, session);
    if (rc == 0 && session_is_all(session)) {
        return all_plans(session, &common);
    }
    *plan = common;
    session->n_plans = 1;
    plan->method = given->method < 0 ? METHOD_ADD : (EditMethod)given->method;
    place_features(plan, session);
    if (rc == 0 && (plan->method == METHOD_ADD || plan->method == METHOD_SET) && !given->scale &&
        !session->any_scale) {
        rc = err_set(OGPT_EUSAGE, "intervene: --scale is missing: give a length such as 2.3 or "
                                  "0.5r, or --tune FILE to choose it");
    }
    if (rc == 0 && plan->method == METHOD_MEAN_DIFFERENCE && !given->means_from) {
        rc = err_set(OGPT_EUSAGE, "intervene: --means-from is missing: make games with ogpt "
                                  "generate CORPUS");
    }
    return rc;
}

/* ---- cases ---- */

/* Part `index` of a list of paths; a path that exists as it stands is no list. Returns its
 * length, 0 behind the last. */
static size_t path_part(char out[FILES_PATH_MAX], const char *list, size_t index)
{
    const char *at = list;
    PathKind kind;
    const bool whole = path_kind(&kind, list) != 0 || kind == PATH_FILE; /* reading it tells */
    size_t length = whole ? strlen(list) : strcspn(list, ",");
    for (size_t i = 0; i < index; i++) {
        at += length;
        if (*at == '\0') {
            return 0;
        }
        at++;
        length = strcspn(at, ",");
    }
    snprintf(out, FILES_PATH_MAX, "%.*s", (int)length, at);
    return length;
}

static int load_cases(CaseSet *out, const EditSession *session, const char *path)
{
    int rc = cases_read(out, session->subject.variant, path);
    if (rc == 0 && out->excluded > 0) {
        context_warn(session->context, "%s: %llu impossible cases are left out of every mean", path,
                     (unsigned long long)out->excluded);
    }
    return rc;
}

/* What is reported may not have been tuned on, in any file: tuning cases that stand at the position
 * of a reported case are left out. */
static int leave_out_reported(EditSession *session)
{
    int rc = 0;
    for (size_t i = 0; i < session->n_files && rc == 0; i++) {
        CaseFile *file = &session->files[i];
        for (size_t j = 0; j < session->n_files && rc == 0; j++) {
            rc = cases_leave_out(&file->tuning, &session->files[j].cases);
        }
        const unsigned long long n_out = file->tuning.left_out;
        if (rc == 0 && n_out > 0 && file->tuning.n == 0) {
            rc = err_set(OGPT_EUSAGE,
                         "--tune %s: all %llu cases stand at positions of reported cases, and none "
                         "is left to choose layers and scale on; make other cases: ogpt cases make "
                         "FILE --purpose tune",
                         file->tune_path, n_out);
        } else if (rc == 0 && n_out > 0) {
            context_warn(session->context,
                         "%s: %llu tuning cases stand at positions of reported cases and are left "
                         "out; %zu are left",
                         file->tune_path, n_out, file->tuning.n);
        }
    }
    return rc;
}

static int load_files(EditSession *session)
{
    const InterveneOptions *given = session->given;
    char rest[FILES_PATH_MAX];
    int rc = 0;
    for (size_t i = 0; rc == 0; i++) {
        CaseFile *file = &session->files[i];
        if (i == INTERVENE_MAX_FILES || path_part(file->path, given->cases, i) == 0) {
            break;
        }
        session->n_files++;
        rc = load_cases(&file->cases, session, file->path);
        if (rc == 0 && given->tune && path_part(file->tune_path, given->tune, i) == 0) {
            path_part(file->tune_path, given->tune, 0);
        }
        if (rc == 0 && given->tune) {
            rc = load_cases(&file->tuning, session, file->tune_path);
        }
    }
    if (rc == 0 && (path_part(rest, given->cases, session->n_files) > 0 ||
                    (session->n_files != 1 && !session_is_all(session)))) {
        rc = err_set(OGPT_EUSAGE, "--cases %s: expected one file, or with --method all up to %d",
                     given->cases, INTERVENE_MAX_FILES);
    }
    if (rc == 0 && given->tune && path_part(rest, given->tune, session->n_files) > 0) {
        rc = err_set(OGPT_EUSAGE, "--tune %s: more files than --cases", given->tune);
    }
    return rc ? rc : leave_out_reported(session);
}

int session_load(EditSession *session)
{
    const InterveneOptions *given = session->given;
    Context *context = session->context;
    int rc = context_subject_open(context, &session->subject, context->args[0]);
    rc = rc ? rc : load_sae(session);
    rc = rc ? rc : plans_parse(session);
    rc = rc ? rc
            : context_probe_open(context, &session->probe, session->probe_path, &session->subject,
                                 given->probe);
    rc = rc ? rc : load_files(session);
    if (rc == 0 && given->show >= 0 && session_is_all(session)) {
        rc = err_set(OGPT_EUSAGE, "--show is for one method; name it with --method");
    }
    if (rc == 0 && given->show >= 0 && (size_t)given->show >= session->files[0].cases.n) {
        rc = err_set(OGPT_EUSAGE, "--show %lld: %s holds cases 0 to %zu", (long long)given->show,
                     given->cases, session->files[0].cases.n - 1);
    }
    return rc;
}
