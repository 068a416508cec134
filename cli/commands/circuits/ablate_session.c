/* cli/commands/circuits/ablate_session.c - contract in ablate_session.h. */
#include "cli/commands/circuits/ablate_session.h"

#include <stdio.h>

#include "base/err.h"
#include "cli/study.h"

/* ---- what is asked ---- */

static int read_options(AblateSession *session)
{
    const AblateOptions *given = session->given;
    const Subject *subject = &session->inputs.subject;
    AblationStudyOptions *options = &session->options;
    *options = (AblationStudyOptions){.draws = (size_t)given->draws,
                                      .heads = (size_t)given->group_heads,
                                      .neurons = (size_t)given->group_neurons,
                                      .pair_positions = (size_t)given->pairs,
                                      .curves = !given->no_curves};
    int rc = ablation_units_parse(&options->units, given->units, "--units");
    rc = rc ? rc : ablation_kinds_parse(&options->kinds, given->kinds, "--kinds");
    session->matched = options->kinds >> ABLATION_MATCHED & 1 ? given->match : NULL;
    return rc ? rc
              : ablation_match_parse(&session->match, subject->variant, given->match, "--match");
}

int ablate_load(AblateSession *session)
{
    Context *context = session->context;
    const AblateOptions *given = session->given;
    int rc = context_inputs_open(context, &session->inputs, context->args[0], given->corpus);
    if (rc == 0 && given->cases &&
        (context_given(context, "games") || context_given(context, "plies"))) {
        rc = err_set(OGPT_EUSAGE, "--cases says all positions; leave out --games and --plies");
    }
    rc = rc ? rc : read_options(session);
    if (rc == 0 && given->cases) {
        rc = pairs_read(&session->pairs, session->inputs.subject.variant, given->cases);
        if (rc == 0 && session->pairs.left_out > 0) {
            context_warn(context, "%s: %llu cases with a pass in a history are left out",
                         given->cases, (unsigned long long)session->pairs.left_out);
        }
    }
    return rc;
}

/* ---- games ---- */

/* Training games for means and lending; positions from the test split, or from games that no
 * training by this seed has seen. */
static int open_sources(AblateSession *session)
{
    const AblateOptions *given = session->given;
    const Context *context = session->context;
    const GameVariant *variant = session->inputs.subject.variant;
    Corpus *corpus = session->inputs.corpus;
    context_games_words(session->trained, context, given->corpus, "training");
    context_games_words(session->source, context, given->corpus, "test");
    if (!corpus) {
        snprintf(session->source, sizeof(session->source), "other fresh games of seed %llu",
                 (unsigned long long)context->seed);
    }
    int rc = source_of(&session->training, corpus, SPLIT_TRAIN, false, variant, context->seed,
                       RNG_FRESH);
    rc = rc || given->cases ? rc
                            : source_of(&session->games, corpus, SPLIT_TEST, false, variant,
                                        context->seed, RNG_EVAL);
    if (given->cases) {
        snprintf(session->source, sizeof(session->source), "%s", given->cases);
    }
    return rc;
}

static bool needs(const AblateSession *session, unsigned kinds)
{
    return (session->options.kinds & kinds) != 0;
}

int ablate_check_memory(const AblateSession *session, size_t bytes)
{
    return context_check_memory(bytes, session->given->memory,
                                "fewer --games, --lending-games, --mean-games or --kinds, smaller "
                                "--draws or --pairs");
}

/* A kind that is not asked for leaves no position out. */
static int make_positions(AblateSession *session, const Work *work)
{
    const AblateOptions *given = session->given;
    int rc = given->cases ? ablation_positions_of_pairs(&session->positions, &session->pairs, work)
                          : ablation_positions_draw(&session->positions, session->games,
                                                    (size_t)given->games, (int)given->plies, work);
    if (rc != 0 || !needs(session, ABLATION_NEED_DONORS)) {
        return rc;
    }
    session->ablation.donors = &session->donors;
    rc = ablate_check_memory(session, ablation_donors_bytes(session->inputs.subject.variant,
                                                            (size_t)given->lending_games));
    rc = rc ? rc
            : ablation_donors_open(&session->donors, session->training,
                                   (size_t)given->lending_games, work);
    return rc ? rc
              : ablation_donors_assign(&session->positions, &session->donors,
                                       session->matched ? &session->match : NULL, work);
}

/* ---- the journal ---- */

static int begin_journal(AblateSession *session)
{
    const Context *context = session->context;
    const Corpus *corpus = session->inputs.corpus;
    Sha256 *hash;
    int rc = kept_blocks_key(&hash, context, session->inputs.subject.model.model_hash);
    rc = rc ? rc : kept_blocks_options(hash, context);
    if (rc == 0) {
        kept_blocks_text(hash, corpus ? corpus_info(corpus)->content_hash : "");
        pairs_hash(hash, &session->pairs);
    }
    return kept_blocks_begin(&session->blocks, context, hash, rc);
}

int ablate_prepare(AblateSession *session)
{
    const Gpt *gpt = session->inputs.subject.model.gpt;
    const AblateOptions *given = session->given;
    const Work *work = study_work(session->context, "means of training games", "games");
    session->ablation = (AblationInputs){.gpt = gpt,
                                         .positions = &session->positions,
                                         .all = given->at == 1,
                                         .seed = session->context->seed};
    int rc = open_sources(session);
    rc = rc ? rc : make_positions(session, work);
    if (rc == 0 && needs(session, ABLATION_NEED_MEANS)) {
        session->ablation.means = &session->means;
        rc = ablate_check_memory(session,
                                 ablation_means_bytes(&gpt->cfg, (size_t)given->mean_games, work));
        rc = rc ? rc
                : ablation_means_fit(&session->means, gpt, session->training,
                                     (size_t)given->mean_games, work);
    }
    return rc ? rc : begin_journal(session);
}

void ablate_free(AblateSession *session)
{
    ablation_positions_release(&session->positions);
    ablation_means_release(&session->means);
    ablation_donors_release(&session->donors);
    pairs_release(&session->pairs);
    source_free(session->training);
    source_free(session->games);
    context_inputs_release(&session->inputs);
}
