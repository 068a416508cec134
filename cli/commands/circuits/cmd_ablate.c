/* cli/commands/circuits/cmd_ablate.c - ogpt ablate: what a network loses without some of its parts,
 * and which other parts make up for it. */
#include "base/arena.h"
#include "base/err.h"
#include "cli/commands/circuits/ablate_session.h"
#include "cli/commands/common/shared_options.h"
#include "cli/study.h"
#include "model/speed.h"
#include "report/circuits/ablation_result.h"
#include "report/circuits/metric_note.h"

#define AT(field) offsetof(AblateOptions, field)
static const OptionSpec options[] = {
    OPTION_TEXT("cases", AT(cases), "FILE",
                "pairs or natural cases: the end of each clean history, judged by the moves that "
                "are legal on one of the two boards only"),
    OPTION_TEXT("corpus", AT(corpus), "CORPUS",
                "games: positions of its test split, means of its training split (default: fresh "
                "random games, by the seed)"),
    OPTION_INT("games", AT(games), "N", 1, 1e6, "games that positions are drawn from",
               .def = "1000"),
    OPTION_INT("plies", AT(plies), "N", 0, 60, "positions drawn from each game; 0 takes all",
               .def = "1"),
    OPTION_TEXT("units", AT(units), "LIST",
                "what is taken out: input, head, neuron, attn, mlp, block",
                .def = "input,head,attn,mlp,block"),
    OPTION_TEXT("kinds", AT(kinds), "LIST",
                "what takes its place: zero, mean (by ply), resample (another game), matched "
                "(another game that agrees on --match), random (a control)",
                .def = "zero,mean,resample,matched,random"),
    OPTION_ENUM("at", AT(at), "last|all", "at the last position of a history, or at all positions",
                .def = "last", .argument = "WHERE"),
    OPTION_TEXT("match", AT(match), "WHAT",
                "squares on which a matched game agrees: a named SQUARE, own (the turned square, "
                "else a legal move), local (that one and its neighbours)",
                .def = "local"),
    OPTION_INT("mean-games", AT(mean_games), "N", 1, 1e6, "training games that are averaged",
               .def = "512"),
    OPTION_INT("lending-games", AT(lending_games), "N", 2, 1e6,
               "training games among which lending ones are looked for", .def = "20000"),
    OPTION_INT("group-heads", AT(group_heads), "N", 0, 1e4,
               "heads that are taken out together, against random groups; 0: none", .def = "4"),
    OPTION_INT("group-neurons", AT(group_neurons), "N", 0, 1e5, "the same of neurons", .def = "20"),
    OPTION_INT("draws", AT(draws), "N", 0, 1e5, "random groups of equal size", .def = "100"),
    OPTION_INT("pairs", AT(pairs), "N", 0, 1e6,
               "take out all pairs of heads, at N of the positions; 0: none", .def = "0"),
    OPTION_FLAG("no-curves", AT(no_curves), "do not leave out and exchange whole blocks"),
    OPTION_INT("top", AT(top), "N", 1, 100000, "units and pairs that are printed", .def = "15"),
    OPTION_MEMORY(AT(memory)),
};

/* Means are made before the study, games that lend stay. */
static size_t bytes_of(const AblateSession *session)
{
    const AblationInputs *in = &session->ablation;
    const Work work = {.pool = session->context->pool};
    size_t study = ablation_study_bytes(in, &session->options, &work);
    size_t means = in->means ? ablation_means_bytes(&in->gpt->cfg, in->means->n_games, &work) : 0;
    return (study > means ? study : means) +
           (in->donors ? ablation_donors_bytes(in->donors->variant, in->donors->n) : 0);
}

/* Say what it takes, and refuse what is more than allowed. */
static int announce(const AblateSession *session)
{
    const Context *context = session->context;
    int64_t mib = (int64_t)(bytes_of(session) >> 20) + 1;
    char time[SPEED_TEXT];
    int rc = ablate_check_memory(session, bytes_of(session));
    if (rc != 0) {
        return rc;
    }
    speed_estimate(time, ablation_study_flops(&session->ablation, &session->options),
                   FORWARD_SHARE_OF_SPEED / 2, context->pool);
    context_say(context, "%zu positions of %zu games: %s (estimated), %lld MiB of memory",
                session->positions.n, session->positions.n_games, time, (long long)mib);
    return 0;
}

static int run(AblateSession *session)
{
    Context *context = session->context;
    AblationStudy *study = mem_calloc(1, sizeof(*study), "ablations");
    int rc = study ? ablate_load(session) : OGPT_ENOMEM;
    rc = rc ? rc : study_begin(context, session->inputs.subject.model.path, false);
    rc = rc ? rc : ablate_prepare(session);
    rc = rc ? rc : announce(session);
    if (rc == 0) {
        Work work = *study_work(context, "ablation", "passes");
        work.journal = &session->blocks.callbacks;
        rc = ablation_study_run(study, &session->ablation, &session->options, &work);
    }
    if (rc == 0) {
        ablation_report(context->report,
                        &(AblationFindings){.study = study,
                                            .in = &session->ablation,
                                            .source = session->source,
                                            .training = session->trained,
                                            .match = session->matched,
                                            .model_hash = session->inputs.subject.model.model_hash,
                                            .top = (int)session->given->top});
        if (session->given->cases) {
            metric_report(context->report, session->given->cases, session->pairs.pairs,
                          session->pairs.n);
        }
        ablation_study_release(study);
        rc = kept_blocks_end(&session->blocks);
    }
    mem_free(study);
    return rc;
}

static int ablate_run(Context *context)
{
    AblateSession session = {.context = context, .given = context->options};
    int rc = run(&session);
    ablate_free(&session);
    return rc;
}

const Command cmd_ablate = {
    .name = "ablate",
    .arguments = "MODEL [--corpus CORPUS] [--cases FILE] [--units LIST] [--kinds LIST]",
    .summary = "what a network loses without a part, and which parts make up for it",
    .examples = "ogpt ablate tiny-6x6 --games 200\n"
                "ogpt ablate tiny-6x6 --games 200 --units head --kinds mean,random --pairs 50\n"
                "ogpt ablate tiny-6x6 --games 64 --units mlp --at all --kinds zero,mean\n"
                "ogpt ablate runs/tiny --corpus games.ogpc --units neuron --kinds mean --games 50",
    COMMAND_OPTIONS(options, AblateOptions),
    .min_args = 1,
    .max_args = 1,
    .model_args = 1,
    .uses = USES_SEED | USES_THREADS | USES_STORE | USES_FORCE,
    COMMAND_TABLES(&ablation_table, &ablation_units_table, &ablation_side_table,
                   &ablation_shares_table, &ablation_ranks_table, &ablation_controls_table,
                   &ablation_pairs_table, &ablation_top_pairs_table, &ablation_curves_table),
    .run = ablate_run,
};
