/* probes/dictionaries/trained_twins.c - see probes/dictionaries/trained_twins.h. */
#include "probes/dictionaries/trained_twins.h"

#include <stdio.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/rng.h"
#include "probes/sae/training/sae_train.h"

enum { TWIN_BLOCK_GAMES = 500, TWIN_BLOCK_ROWS = 16384, TWIN_BATCH = 4096, TWIN_DEAD = 10 };

int twin_trained_network(Gpt **out, const Gpt *like, uint64_t seed)
{
    int rc = gpt_new(out, &like->cfg);
    if (rc == 0) {
        gpt_init(*out, seed, RNG_CONTROL);
    }
    return rc;
}

static int train(Sae **out, const CodebookStudyInputs *in, const SaeStream *stream, TwinShape shape,
                 const Work *work)
{
    SaeTrainOptions options = SAE_TRAIN_DEFAULT;
    SaeConfig about = {.site = in->site, .site_out = in->site, .layer = in->layer};
    options.kind = SAE_TOPK; /* of which every row has k features: the L0 is the same */
    options.features = shape.features;
    options.k = shape.k;
    options.activations = in->twin_activations;
    options.batch = in->saes[0]->cfg.batch > 0 ? in->saes[0]->cfg.batch : TWIN_BATCH;
    options.batch = in->twin_activations < options.batch ? in->twin_activations : options.batch;
    options.seed = work->seed;
    /* a short training ends early */
    options.dead_after = in->twin_activations / TWIN_DEAD;
    sae_train_complete(&options);
    const char *wrong = sae_train_check(&options);
    if (wrong) {
        return err_set(OGPT_EUSAGE, "an autoencoder of %zu features and k %zu as a twin: %s",
                       shape.features, shape.k, wrong);
    }
    SaeTrainJob job = {.stream = stream, .options = &options, .about = &about};
    Work own = *work;
    own.journal = NULL;
    return sae_train(out, &job, &own);
}

int twin_trained_on_network(Sae **out, const CodebookStudyInputs *in, const Gpt *gpt,
                            TwinShape shape, const Work *work)
{
    const Vocab *vocab = in->test->set.vocab;
    SaeNetworkRows rows = {.gpt = gpt,
                           .vocab = vocab,
                           .site = in->site,
                           .site_out = in->site,
                           .layer = in->layer,
                           .block_games = TWIN_BLOCK_GAMES};
    int rc = source_fresh(&rows.source, vocab->variant, work->seed, RNG_SAE);
    if (rc == 0) {
        SaeStream stream = sae_stream_network(&rows);
        rc = train(out, in, &stream, shape, work);
    }
    source_free(rows.source);
    return rc;
}

int twin_trained_on_gaussian(Sae **out, const CodebookStudyInputs *in, const CodebookRows *fit,
                             TwinShape shape, const Work *work)
{
    const size_t width = shape.width;
    double *mean = mem_alloc(width, sizeof(double), "mean of rows");
    double *factor = mem_alloc(width * width, sizeof(double), "covariance of rows");
    int rc =
        mean && factor ? sae_gaussian_fit(mean, factor, fit->x, fit->board.n, width) : OGPT_ENOMEM;
    if (rc == 0) {
        SaeGaussianRows rows = {width, TWIN_BLOCK_ROWS, work->seed, mean, factor};
        SaeStream stream = sae_stream_gaussian(&rows);
        rc = train(out, in, &stream, shape, work);
    }
    mem_free(mean);
    mem_free(factor);
    return rc;
}
