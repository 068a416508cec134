/* cli/commands/circuits/scrub_session.c - contract in cli/commands/circuits/scrub_session.h. */
#include "cli/commands/circuits/scrub_session.h"

#include <stdio.h>

#include "base/err.h"

/* ---- inputs ---- */

/* The file as it is named, or the shipped hypothesis of that name. */
static int find_hypothesis(ScrubSession *session)
{
    const Context *context = session->context;
    const char *typed = context->n_args > 1 ? context->args[1] : NULL;
    const char *given = session->given->hypothesis;
    if (!typed == !given) {
        return err_set(OGPT_EUSAGE, "scrub: give one hypothesis: a text file, or the name of a "
                                    "shipped one (previous-colour-6x6)");
    }
    given = given ? given : typed;
    if (!context_shipped_file(session->path, "hypotheses", given, ".txt")) {
        snprintf(session->path, sizeof(session->path), "%s", given);
    }
    return 0;
}

static int open_inputs(ScrubSession *session)
{
    Context *context = session->context;
    const char *corpus = session->given->corpus;
    if (corpus) {
        snprintf(session->source, sizeof(session->source), "%s", corpus);
    } else {
        snprintf(session->source, sizeof(session->source), "fresh, seed %llu",
                 (unsigned long long)context->seed);
    }
    return context_inputs_open(context, &session->inputs, context->args[0], corpus);
}

int scrub_session_load(ScrubSession *session, Context *context)
{
    const Subject *subject = &session->inputs.subject;
    int rc;
    session->context = context;
    session->given = context->options;
    rc = find_hypothesis(session);
    rc = rc ? rc : open_inputs(session);
    if (rc == 0) {
        session->graph = graph_of(&subject->model.gpt->cfg);
        rc =
            hypothesis_read(&session->hypothesis, &session->graph, subject->variant, session->path);
    }
    if (rc == 0 &&
        session->given->min_moves + session->given->before_end > subject->variant->n_moves - 1) {
        rc = err_set(OGPT_EUSAGE,
                     "--min-moves %lld and --before-end %lld leave no position of a game of %d "
                     "moves; lower one of them",
                     (long long)session->given->min_moves, (long long)session->given->before_end,
                     subject->variant->n_moves);
    }
    return rc;
}

/* ---- games ---- */

/* Roots that a metric about a square can use are a share of all, so more games are looked at. */
static int get_games(ScrubSession *session)
{
    const ScrubGiven *given = session->given;
    const GameVariant *variant = session->inputs.subject.variant;
    const Work *work = study_work(session->context, "playing", "games");
    size_t n_roots = (size_t)given->n * (session->hypothesis.metric == SCRUB_LEGAL ? 2 : 40) + 100;
    int rc;
    if (session->given->corpus) {
        rc = scrub_games_corpus(&session->roots, session->inputs.corpus, true, n_roots);
        return rc ? rc
                  : scrub_games_corpus(&session->pool, session->inputs.corpus, false,
                                       (size_t)given->lenders);
    }
    rc = scrub_games_fresh(&session->roots, variant, RNG_EVAL, 0, n_roots, work);
    return rc ? rc
              : scrub_games_fresh(&session->pool, variant, RNG_SCRUB, 0, (size_t)given->lenders,
                                  work);
}

/* ---- journal ---- */

static void add_games(Sha256 *hash, const ScrubGames *games)
{
    sha256_add(hash, &games->n, sizeof(games->n));
    sha256_add(hash, games->moves, games->n * (size_t)games->variant->n_moves);
}

/* What the numbers of a root depend on. */
static int begin_journal(ScrubSession *session)
{
    const Context *context = session->context;
    const ScrubGiven *given = session->given;
    const int64_t options[] = {given->n, given->min_moves, given->before_end, given->by_node};
    char file[HASH_HEX_SIZE];
    Sha256 *hash;
    int rc = kept_blocks_key(&hash, context, session->inputs.subject.model.model_hash);
    rc = rc ? rc : sha256_file(file, session->path);
    if (rc == 0) {
        sha256_add(hash, options, sizeof(options));
        kept_blocks_text(hash, file);
        add_games(hash, &session->roots);
        add_games(hash, &session->pool);
    }
    return kept_blocks_begin(&session->blocks, context, hash, rc);
}

int scrub_session_begin(ScrubSession *session)
{
    const ScrubGiven *given = session->given;
    int rc = get_games(session);
    session->question = (ScrubQuestion){.gpt = session->inputs.subject.model.gpt,
                                        .graph = &session->graph,
                                        .vocab = session->inputs.subject.vocab,
                                        .hypothesis = &session->hypothesis,
                                        .roots = &session->roots,
                                        .pool = &session->pool,
                                        .n_roots = (size_t)given->n,
                                        .min_moves = (int)given->min_moves,
                                        .before_end = (int)given->before_end,
                                        .by_node = given->by_node};
    return rc ? rc : begin_journal(session);
}

void scrub_session_release(ScrubSession *session)
{
    scrub_games_release(&session->roots);
    scrub_games_release(&session->pool);
    hypothesis_release(&session->hypothesis);
    context_inputs_release(&session->inputs);
}
