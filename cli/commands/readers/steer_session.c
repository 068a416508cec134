/* cli/commands/readers/steer_session.c - contract in steer_session.h. */
#include "cli/commands/readers/steer_session.h"

#include "base/arena.h"
#include "base/err.h"
#include "cli/commands/common/sae_input.h"
#include "cli/study.h"
#include "datasets/batch.h"
#include "probes/dictionaries/codebook_inputs.h"
#include "probes/features/features_table.h"

/* ---- options ---- */

static int parse_layers(SteerSession *session)
{
    const SteerCommand *given = session->given;
    LayerList layers = given->layers;
    int rc = 0;
    if (layers.word != LAYERS_AUTO) {
        rc = layers_resolve(&layers, session->inputs.subject.model.gpt->cfg.n_layers, false,
                            session->inputs.subject.model.path);
        for (int i = 0; i < layers.n && rc == 0; i++) {
            session->steer.options.layers |= 1ULL << layers.layers[i];
        }
    }
    return rc;
}

/* What only some origins and sites can do. */
static int check_site(const SteerSession *session)
{
    const SteerCommand *given = session->given;
    const HookSite site = (HookSite)given->site;
    const bool heads = given->origin == STEER_FUNCTION || given->origin == STEER_CONTRAST;
    if (heads && !steer_in_stream(site)) {
        return err_set(OGPT_EUSAGE,
                       "--site %s: heads write into the residual stream; a function "
                       "vector is added at resid_pre, resid_mid, resid_post, attn_out "
                       "or mlp_out",
                       hook_site_name(site));
    }
    if (given->out && session->group < 0 && given->target != STEER_NO_CORNER) {
        return err_set(OGPT_EUSAGE,
                       "--out %s: weights are made orthogonal to one direction; name "
                       "its --square",
                       given->out);
    }
    if (given->out && !steer_in_stream(site)) {
        return err_set(OGPT_EUSAGE,
                       "--out %s: rows of --site %s are no rows of the residual stream; "
                       "name another site",
                       given->out, hook_site_name(site));
    }
    return 0;
}

/* The autoencoder, whose site and layer are asked for; its rival is the probe, if there is one. */
static int load_sae(SteerSession *session)
{
    const SteerCommand *given = session->given;
    const Subject *subject = &session->inputs.subject;
    SteerOptions *steer = &session->steer.options;
    const bool other = context_given(session->context, "site");
    int rc =
        context_sae_open(&session->sae, session->sae_path, session->context, subject, given->sae);
    rc = rc ? rc
            : codebook_inputs_check_changed(session->sae, session->sae_path, subject,
                                            other ? given->site : -1, steer->layers);
    rc = rc ? rc
            : features_list_parse(&session->chosen, session->sae->cfg.features, given->features);
    if (rc) {
        return rc;
    }
    steer->site = session->sae->cfg.site;
    steer->layers = 1ULL << session->sae->cfg.layer;
    const SaePlace place = {steer->site, session->sae->cfg.layer, "comparison with its directions"};
    rc = context_sae_probe(&session->probe, session->probe_path, session->context, subject, &place,
                           given->probe);
    steer->probe = rc == 0 && session->probe_path[0] ? &session->probe : NULL;
    return rc;
}

/* The vectors of the features, and the squares that have one. */
static int make_features(SteerSession *session)
{
    const Subject *subject = &session->inputs.subject;
    const SteerCommand *given = session->given;
    const FeaturesGames games = {subject->model.gpt, subject->variant, session->inputs.corpus,
                                 (size_t)given->features_games};
    const FeaturesSteering steering = {session->steer.options.target, games.variant,
                                       session->groups.steered, (size_t)given->per_state,
                                       session->chosen};
    int rc = context_sae_handles(&session->handles, session->context, session->sae, &games);
    rc = rc ? rc
            : features_handles_bank(&session->features, &session->groups.wrong, &session->handles,
                                    &games.gpt->cfg, &steering);
    session->groups.steered &= session->groups.wrong;
    session->steer.options.features = &session->features;
    return rc;
}

int steering_load(SteerSession *session)
{
    const SteerCommand *given = session->given;
    Context *context = session->context;
    SteerOptions *steer = &session->steer.options;
    *steer = (SteerOptions){.target = (SteerTarget)given->target,
                            .origin = (SteerOrigin)given->origin,
                            .site = (HookSite)given->site,
                            .all = given->positions == 1,
                            .n_heads = (size_t)given->heads};
    int rc = steer_alphas_parse(steer, given->alpha);
    rc = rc ? rc : context_inputs_open(context, &session->inputs, context->args[0], given->corpus);
    rc = rc ? rc
            : steer_group_parse(&session->group, steer->target, session->inputs.subject.variant,
                                given->square);
    rc = rc ? rc : parse_layers(session);
    rc = rc ? rc : check_site(session);
    if (rc == 0 && given->origin == STEER_PROBE) {
        rc = context_probe_open(context, &session->probe, session->probe_path,
                                &session->inputs.subject, given->probe);
        rc = rc ? rc : steer_bank_check_probe(&session->probe, session->probe_path, steer->site);
        steer->probe = &session->probe;
    } else if (rc == 0 && given->origin == STEER_SAE) {
        rc = load_sae(session);
    }
    if (rc == 0 && given->origin != STEER_SAE &&
        (given->sae || (given->probe && given->origin != STEER_PROBE))) {
        rc = err_set(OGPT_EUSAGE, "--%s: asked for with --from %s only",
                     given->sae ? "sae" : "probe", given->sae ? "sae" : "probe or sae");
    }
    session->groups = STEER_ANY_GROUPS;
    session->groups.steered >>= session->group < 0 ? 0 : 63; /* one bit */
    session->groups.steered <<= session->group < 0 ? 0 : session->group;
    session->steer.gpt = rc ? NULL : session->inputs.subject.model.gpt;
    return rc;
}

/* ---- positions ---- */

static int open_source(GameSource **out, const SteerSession *session, Split split, RngPurpose fresh)
{
    const StudyInputs *inputs = &session->inputs;
    return source_of(out, inputs->corpus, split, true, inputs->subject.variant,
                     session->context->seed, fresh);
}

static int draw_cases(SteerCases *out, const SteerSession *session, Split split, RngPurpose fresh,
                      int64_t games)
{
    const Work *work = study_work(session->context, "positions", "games");
    GameSource *source = NULL;
    int rc = open_source(&source, session, split, fresh);
    rc = rc ? rc
            : steer_cases_draw(out, source, session->steer.options.target, session->groups,
                               (size_t)games, (int)session->given->plies, work);
    source_free(source);
    return rc;
}

int steering_draw(SteerSession *session)
{
    const SteerCommand *given = session->given;
    const Work *work = study_work(session->context, "positions", "games");
    GameSource *source = NULL;
    context_games_words(session->source, session->context, given->corpus, "test");
    int rc = session->sae ? make_features(session) : 0;
    rc = rc ? rc : open_source(&source, session, SPLIT_TRAIN, RNG_FRESH);
    rc = rc ? rc
            : steer_fit_draw(&session->fit, source, session->steer.options.target,
                             (size_t)given->fit_games, (int)given->plies, work);
    source_free(source);
    rc = rc ? rc
            : draw_cases(&session->tuning, session, SPLIT_VALIDATION, RNG_HELDOUT,
                         given->tuning_games);
    rc = rc ? rc : draw_cases(&session->test, session, SPLIT_TEST, RNG_EVAL, given->games);
    rc = rc ? rc : steer_cases_leave_out(&session->tuning, &session->test);
    session->steer.fit = &session->fit;
    session->steer.tuning = &session->tuning;
    session->steer.test = &session->test;
    if (rc == 0) {
        context_say(session->context,
                    "%zu positions to fit on, %zu to choose on, %zu of %zu games to judge (%zu of "
                    "them care)",
                    session->fit.set.n_positions, session->tuning.n, session->test.n,
                    session->test.n_games, session->test.n_caring);
    }
    return rc;
}

/* ---- the work ---- */

int steering_compute(SteerSession *session)
{
    Context *context = session->context;
    Work work = *study_work(context, "steering", "runs");
    Sha256 *hash = NULL;
    const size_t bytes = steer_study_bytes(&session->steer, &work);
    const size_t allowed = (size_t)session->given->memory << 20;
    int rc = context_check_memory(bytes, session->given->memory, "fewer --fit-games or --games");
    if (rc) {
        return rc;
    }
    work.memory_bytes = allowed - bytes + 1;
    rc = kept_blocks_key(&hash, context, session->inputs.subject.model.model_hash);
    rc = rc ? rc : kept_blocks_options(hash, context);
    if (rc == 0) {
        steer_study_hash(hash, &session->steer);
    }
    rc = kept_blocks_begin(&session->kept, context, hash, rc);
    work.journal = &session->kept.callbacks;
    return rc ? rc : steer_study_run(&session->study, &session->steer, &work);
}

void steering_release(SteerSession *session)
{
    steer_study_release(&session->study);
    steer_fit_release(&session->fit);
    steer_cases_release(&session->tuning);
    steer_cases_release(&session->test);
    probe_release(&session->probe);
    steer_bank_release(&session->features);
    features_handles_release(&session->handles);
    sae_free(session->sae);
    mem_free(session->chosen);
    context_inputs_release(&session->inputs);
}
