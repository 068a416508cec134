/* cli/commands/world/forget_session.c - contract in cli/commands/world/forget_session.h. */
#include "cli/commands/world/forget_session.h"

#include "base/err.h"
#include "model/lineage.h"

/* Random games of a seed that the network has not learned from. */
static int unseen_open(GameSource **out, const ForgetSession *session, const GameVariant *variant,
                       uint64_t seed)
{
    int rc = source_fresh(out, variant, seed, RNG_FRESH);
    while (rc == 0 && lineage_names(session->before.model.manifest, source_identity(*out))) {
        source_reseed(*out, ++seed);
    }
    return rc;
}

static int corpus_sources(ForgetSession *session)
{
    ForgetSources *new = &session->sources[FORGET_NEW];
    const uint64_t seed = session->context->seed;
    int rc = source_corpus(&session->learn[FORGET_THERE], session->corpus, 1U << SPLIT_TRAIN, true,
                           seed);
    rc = rc ? rc : source_corpus(&new->fit, session->corpus, 1U << SPLIT_TRAIN, false, seed);
    return rc ? rc : source_corpus(&new->test, session->corpus, 1U << SPLIT_TEST, false, seed);
}

static int sources_open(ForgetSession *session)
{
    const GameVariant *old = session->before.variant;
    const uint64_t seed = session->context->seed;
    ForgetSources *kinds = session->sources;
    int rc = source_fresh(&kinds[FORGET_OLD].fit, old, seed, RNG_PROBE_GAMES);
    rc = rc ? rc : source_fresh(&kinds[FORGET_OLD].test, old, seed, RNG_EVAL);
    rc = rc ? rc : unseen_open(&session->learn[FORGET_BACK], session, old, seed);
    rc = rc ? rc : unseen_open(&session->learn[FORGET_SAME], session, old, seed);
    if (rc != 0 || session->corpus) {
        return rc ? rc : corpus_sources(session);
    }
    rc = source_fresh(&kinds[FORGET_NEW].fit, session->other, seed, RNG_PROBE_GAMES);
    rc = rc ? rc : source_fresh(&kinds[FORGET_NEW].test, session->other, seed, RNG_EVAL);
    return rc ? rc : unseen_open(&session->learn[FORGET_THERE], session, session->other, seed);
}

/* The rules of the new games: those named, those of --to, or others than the network's. */
static int other_find(ForgetSession *session)
{
    const ForgetCommand *given = session->context->options;
    const GameVariant *old = session->before.variant;
    int rc = given->to ? corpus_open(&session->corpus, given->to, false) : 0;
    if (rc != 0) {
        return rc;
    }
    if (given->to && given->rules >= 0) {
        return err_set(OGPT_EUSAGE, "world forget: --to and --rules exclude each other: give one");
    }
    session->other = given->to           ? corpus_info(session->corpus)->variant
                     : given->rules >= 0 ? game_variant_with(old->size, (GameRules)given->rules)
                                         : game_variant_with(old->size, old->rules == RULES_CLASSIC
                                                                            ? RULES_NO_MID_FLIP
                                                                            : RULES_CLASSIC);
    return session->other->size == old->size
               ? 0
               : err_set(OGPT_EFORMAT, "%s: holds games of %dx%d, the model %s plays %dx%d",
                         given->to, session->other->size, session->other->size,
                         session->before.model.path, old->size, old->size);
}

static int options_make(ForgetSession *session)
{
    const ForgetCommand *given = session->context->options;
    TrainOptions *o = &session->train;
    *o = TRAIN_OPTIONS_DEFAULT;
    o->precision = "auto";
    o->batch = given->batch;
    o->steps = given->games > 0 ? train_steps(o, given->games) : 1;
    o->lr = given->lr;
    o->lr_embed = o->lr_position = o->lr_head = o->lr_vector = given->lr / 10;
    o->seed = session->context->seed;
    train_options_complete(o);
    const char *reason = train_options_check(o);
    return reason ? err_set(OGPT_EUSAGE, "world forget: %s", reason) : 0;
}

int forget_session_open(ForgetSession *session, Context *context)
{
    session->context = context;
    int rc = context_subject_open(context, &session->before, context->args[0]);
    rc = rc ? rc : other_find(session);
    rc = rc ? rc : options_make(session);
    return rc ? rc : sources_open(session);
}

int forget_session_train(ForgetSession *session)
{
    Context *context = session->context;
    const ForgetCommand *given = context->options;
    const ForgetPlan plan = {.before = &session->before.model,
                             .learn = session->learn,
                             .corpus = given->to,
                             .folder = given->out,
                             .options = given->games > 0 ? &session->train : NULL,
                             .command_line = context->command_line};
    return forget_train(&session->runs, &plan, study_work(context, "learning", "steps"));
}

void forget_session_release(ForgetSession *session)
{
    for (int i = 0; i < N_FORGET_NETWORKS; i++) {
        source_free(session->learn[i]);
    }
    for (int k = 0; k < N_FORGET_KINDS; k++) {
        source_free(session->sources[k].fit);
        source_free(session->sources[k].test);
    }
    corpus_close(session->corpus);
    subject_release(&session->before);
}
