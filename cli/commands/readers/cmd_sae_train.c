/* cli/commands/readers/cmd_sae_train.c - ogpt sae train: sparse autoencoders of a layer, one or a
 * sweep, that go on where they stopped. */
#include "cli/commands/readers/sae_session.h"
#include "num/blas.h"
#include "report/readers/sae_result.h"

#define AT(field) offsetof(SaeCommand, field)
static const OptionSpec options[] = {
    OPTIONS_SAE_TRAIN(AT, "batchtopk", "32", "1"),
    OPTION_TEXT("corpus", AT(corpus), "CORPUS",
                "games of its training split (default: fresh random games, by the seed)"),
    OPTION_MEMORY(AT(memory)),
};

static int sae_train_run(Context *context)
{
    SaeSession session = {.context = context};
    int rc = blas_reserve(context->threads);
    rc = rc ? rc : sae_session_open(&session, context, context->options, "32");
    rc = rc ? rc : context_pool(context);
    rc = rc ? rc : sae_session_announce(&session);
    rc = rc ? rc : study_begin(context, session.inputs.subject.model.path, true);
    rc = rc ? rc : sae_session_run(&session);
    rc = rc ? rc : sae_session_report(study_table(context, &sae_train_table), &session);
    sae_session_release(&session);
    return rc;
}

const Command cmd_sae_train = {
    .name = "sae train",
    .arguments = "MODEL --out DIR [--kind LIST] [--layers L] [--k LIST|--l0 LIST|--l1 LIST]",
    .summary = "sparse autoencoders of a layer; goes on where it stopped",
    .examples =
        "ogpt sae train tiny-6x6 --layers 4 --k 16 --out sae\n"
        "ogpt sae train runs/tiny --kind jumprelu --l0 8,16,32 --activations 20000000 --out saes\n"
        "ogpt sae train tiny-6x6 --kind all --k 8,16,32,64 --seeds 3 --features 512 --out saes\n"
        "ogpt sae train tiny-6x6 --kind transcoder --layers 3 --out coder",
    COMMAND_OPTIONS(options, SaeCommand),
    .min_args = 1,
    .max_args = 1,
    .model_args = 1,
    .uses = USES_SEED | USES_THREADS | USES_STORE | USES_FORCE | USES_RANKS,
    COMMAND_TABLES(&sae_train_table),
    .run = sae_train_run,
};
