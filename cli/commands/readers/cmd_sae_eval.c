/* cli/commands/readers/cmd_sae_eval.c - ogpt sae eval: what dictionaries say of the board, and what
 * their twins say. */
#include "cli/commands/readers/sae_eval_session.h"
#include "cli/study.h"

#define AT(field) offsetof(SaeEvalOptions, field)
static const OptionSpec options[] = {
    OPTION_TEXT("corpus", AT(corpus), "CORPUS",
                "games of its three splits (default: fresh random games, by the seed)"),
    OPTIONS_SAE_EVAL(AT),
    OPTION_MEMORY(AT(memory)),
};

static size_t most_features(const SaeSet *set)
{
    size_t most = 0;
    for (size_t i = 0; i < set->n; i++) {
        most = set->saes[i]->cfg.features > most ? set->saes[i]->cfg.features : most;
    }
    return most;
}

static int sae_eval_run(Context *context)
{
    const SaeEvalOptions *given = context->options;
    StudyInputs inputs = {0};
    SaeSet set = {0};
    SaeEvalSession session = {.context = context, .given = *given, .inputs = &inputs};
    int rc = context_inputs_open(context, &inputs, context->args[0], given->corpus);
    rc = rc ? rc
            : context_sae_set_open(&set, context, &inputs.subject, context->args + 1,
                                   (size_t)context->n_args - 1);
    rc = rc ? rc : sae_eval_session_open(&session, set.saes[0]->cfg.site, set.saes[0]->cfg.layer);
    rc = rc ? rc : study_begin(context, inputs.subject.model.path, true);
    rc = rc ? rc : sae_eval_session_draw(&session, set.n, most_features(&set));
    rc = rc ? rc : sae_eval_session_run(&session, &set);
    sae_eval_session_release(&session);
    context_sae_set_release(&set);
    context_inputs_release(&inputs);
    return rc;
}

const Command cmd_sae_eval = {
    .name = "sae eval",
    .arguments = "MODEL [SAE...] [--corpus CORPUS] [--probe PROBE]",
    .summary = "what autoencoders (default: MODEL/" SAE_FOLDER
               ") say of the board, beside twins of equal sparsity",
    .examples = "ogpt sae eval tiny-6x6 --twin-activations 200000\n"
                "ogpt sae eval runs/tiny saes/l0-8 saes/l0-16 saes/l0-32 --corpus games.ogpc",
    COMMAND_OPTIONS(options, SaeEvalOptions),
    .min_args = 1,
    .max_args = -1,
    .model_args = 1,
    .uses = USES_SEED | USES_THREADS | USES_STORE | USES_FORCE,
    COMMAND_TABLES(SAE_EVAL_TABLES),
    .run = sae_eval_run,
};
