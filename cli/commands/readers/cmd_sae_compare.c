/* cli/commands/readers/cmd_sae_compare.c - ogpt sae compare: kinds, sparsities and seeds trained
 * where they are missing, then measured beside their twins: what wins at an equal L0. */
#include "base/arena.h"
#include "base/err.h"
#include "cli/commands/readers/sae_eval_session.h"
#include "cli/commands/readers/sae_session.h"
#include "num/blas.h"
#include "report/readers/sae_result.h"

typedef struct SaeCompareOptions {
    SaeCommand train; /* the corpus and the memory of both */
    SaeEvalOptions eval;
} SaeCompareOptions;

#define TRAIN(field) offsetof(SaeCompareOptions, train.field)
#define EVAL(field) offsetof(SaeCompareOptions, eval.field)
#define VALUES "8,16,32,64"
static const OptionSpec options[] = {
    OPTIONS_SAE_TRAIN(TRAIN, "all", VALUES, "3"),
    OPTION_TEXT("corpus", TRAIN(corpus), "CORPUS",
                "games of its three splits (default: fresh random games, by the seed)"),
    OPTIONS_SAE_EVAL(EVAL),
    OPTION_MEMORY(TRAIN(memory)),
};

/* What is known before anything is trained is refused before. */
static int open_all(SaeSession *train, SaeEvalSession *eval, Context *context)
{
    const SaeCompareOptions *given = context->options;
    int rc = blas_reserve(context->threads);
    rc = rc ? rc : sae_session_open(train, context, &given->train, VALUES);
    if (rc == 0 && train->sweep.kinds[0] == SAE_TRANSCODER) {
        rc = err_set(OGPT_EUSAGE, "--kind transcoder: rebuilds other rows than it reads, so its "
                                  "numbers cannot be compared: name other kinds");
    }
    rc = rc ? rc : sae_sweep_check_folder(&train->sweep, given->train.out);
    *eval = (SaeEvalSession){.context = context, .given = given->eval, .inputs = &train->inputs};
    eval->given.corpus = given->train.corpus;
    eval->given.memory = given->train.memory;
    return rc ? rc : sae_eval_session_open(eval, train->rows.site, train->rows.layer);
}

/* All of the sweep, in its order. */
static int measure(SaeEvalSession *eval, const SaeSession *train)
{
    const size_t n = (size_t)train->sweep.n;
    const char **paths = mem_calloc(n, sizeof(*paths), "paths of autoencoders");
    SaeSet set = {0};
    for (size_t i = 0; paths && i < n; i++) {
        paths[i] = train->made[i].path;
    }
    int rc = paths ? context_sae_set_open(&set, eval->context, &train->inputs.subject, paths, n)
                   : OGPT_ENOMEM;
    rc = rc ? rc : sae_eval_session_run(eval, &set);
    context_sae_set_release(&set);
    mem_free(paths);
    return rc;
}

static int sae_compare_run(Context *context)
{
    SaeSession train = {.context = context};
    SaeEvalSession eval = {.context = context};
    int rc = open_all(&train, &eval, context);
    rc = rc ? rc : context_pool(context);
    rc = rc ? rc : sae_session_announce(&train);
    rc = rc ? rc : study_begin(context, train.inputs.subject.model.path, true);
    rc = rc ? rc : sae_eval_session_draw(&eval, (size_t)train.sweep.n, train.options.features);
    rc = rc ? rc : sae_session_run(&train);
    rc = rc ? rc : measure(&eval, &train);
    if (rc == 0) {
        Table *table = study_table(context, &sae_train_table);
        table->hidden = true;
        rc = sae_session_report(table, &train);
    }
    sae_eval_session_release(&eval);
    sae_session_release(&train);
    return rc;
}

const Command cmd_sae_compare = {
    .name = "sae compare",
    .arguments = "MODEL --out DIR [--kind LIST] [--layers L] [--k LIST] [--seeds N]",
    .summary = "which kind of autoencoder wins at an equal L0, beside twins; trains what is "
               "missing in DIR",
    .examples = "ogpt sae compare tiny-6x6 --layers 4 --activations 300000 --out kinds\n"
                "ogpt sae compare runs/tiny --kind topk,batchtopk --k 16,32 --activations 1000000 "
                "--out two",
    COMMAND_OPTIONS(options, SaeCompareOptions),
    .min_args = 1,
    .max_args = 1,
    .model_args = 1,
    .uses = USES_SEED | USES_THREADS | USES_STORE | USES_FORCE,
    COMMAND_TABLES(SAE_EVAL_TABLES, &sae_train_table),
    .run = sae_compare_run,
};
