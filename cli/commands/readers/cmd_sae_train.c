/* cli/commands/readers/cmd_sae_train.c - ogpt sae train: sparse autoencoders of a layer, one or a
 * sweep, that go on where they stopped. */
#include "cli/commands/common/shared_options.h"
#include "cli/commands/readers/sae_session.h"
#include "num/blas.h"
#include "report/readers/sae_result.h"

#define AT(field) offsetof(SaeCommand, field)
static const OptionSpec options[] = {
    OPTION_TEXT("kind", AT(kind), "LIST",
                "standard, gated, topk, batchtopk, jumprelu, matryoshka, transcoder; several "
                "(topk,gated): one autoencoder each; all: all but the transcoder",
                .def = "batchtopk"),
    OPTION_SITE(AT(site), HOOK_NAMES_VECTOR, "whose rows it rebuilds"),
    OPTION_ROW("layers", OPT_LAYERS, AT(layers), "of that site; without it that in the middle",
               .max = 1, .alias = "layer"),
    OPTION_INT("features", AT(features), "N", 1, SAE_FEATURES_MAX,
               "directions (8 times the width of a row)"),
    OPTION_TEXT(
        "k", AT(k), "LIST",
        "features that are kept, a row on average; several (8,16,32): one autoencoder each in "
        "DIR/k-8, ... (32)"),
    OPTION_TEXT("l0", AT(l0), "LIST",
                "the same of jumprelu, standard and gated, as a goal of training (32); of several "
                "kinds, --k or --l0 serves all"),
    OPTION_TEXT("l1", AT(l1), "LIST",
                "weight of the penalty of standard and gated, instead of --l0"),
    OPTION_INT("seeds", AT(seeds), "N", 1, 1000,
               "train each so often, from seed, seed + 1, ..., on the same games", .def = "1"),
    OPTION_INT("activations", AT(activations), "N", 1, 1e12, "rows to train on", .def = "10000000"),
    OPTION_INT("batch", AT(batch), "N", 1, 1e6, "rows a step", .def = "4096"),
    OPTION_NUM("lr", AT(lr), "X", 1e-9, 100, "peak rate of Adam (2e-4 / sqrt(features / 16384))"),
    OPTION_INT("buffer", AT(buffer), "N", 1, 1e7,
               "games whose rows are in memory at once, and shuffled", .def = "4096"),
    OPTION_INT(
        "dead-after", AT(dead_after), "N", 0, 16e6,
        "rows without activity after which a feature is taught what the others leave; 0: never",
        .def = "1000000"),
    OPTION_INT(
        "checkpoint-every", AT(checkpoint_every), "N", 1, 1e9,
        "steps between states in DIR.training, from which the same command goes on (every 20 "
        "seconds)"),
    OPTION_TEXT("corpus", AT(corpus), "CORPUS",
                "games of its training split (default: fresh random games, by the seed)"),
    OPTION_OUT("out", AT(out), "DIR", "the autoencoder; of several, the folder that holds them",
               .required = true),
    OPTION_MEMORY(AT(memory)),
};

static int train_all(SaeSession *session, Table *table)
{
    int rc = 0;
    session->progress = progress_begin(session->context, session->label, "rows",
                                       (double)session->given->activations * session->sweep.n);
    for (int i = 0; rc == 0 && i < session->sweep.n; i++) {
        char path[FILES_PATH_MAX];
        Sae *sae = NULL;
        rc = sae_session_train(&sae, path, session, i);
        if (rc == 0) {
            sae_train_report(table, sae, path, session->seconds);
        }
        sae_free(sae);
    }
    progress_end(&session->progress);
    return rc;
}

static int sae_train_run(Context *context)
{
    SaeSession session = {.context = context};
    int rc = blas_reserve(context->threads);
    rc = rc ? rc : sae_session_open(&session, context);
    rc = rc ? rc : context_pool(context);
    rc = rc ? rc : sae_session_announce(&session);
    rc = rc ? rc : study_begin(context, session.inputs.subject.model.path, true);
    rc = rc ? rc : train_all(&session, study_table(context, &sae_train_table));
    sae_session_release(&session);
    return rc;
}

const Command cmd_sae_train = {
    .name = "sae train",
    .arguments = "MODEL --out DIR [--kind LIST] [--layer L] [--k LIST|--l0 LIST|--l1 LIST]",
    .summary = "sparse autoencoders of a layer; goes on where it stopped",
    .examples =
        "ogpt sae train tiny-6x6 --layer 4 --k 16 --out sae\n"
        "ogpt sae train runs/tiny --kind jumprelu --l0 8,16,32 --activations 20000000 --out saes\n"
        "ogpt sae train tiny-6x6 --kind all --k 8,16,32,64 --seeds 3 --features 512 --out saes\n"
        "ogpt sae train tiny-6x6 --kind transcoder --layer 3 --out coder",
    COMMAND_OPTIONS(options, SaeCommand),
    .min_args = 1,
    .max_args = 1,
    .model_args = 1,
    .uses = USES_SEED | USES_THREADS | USES_STORE | USES_FORCE,
    COMMAND_TABLES(&sae_train_table),
    .run = sae_train_run,
};
