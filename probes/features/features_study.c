/* probes/features/features_study.c - see probes/features/features_study.h. */
#include "probes/features/features_study.h"

#include "base/arena.h"
#include "base/err.h"

static int make_table(FeaturesStudy *out, const FeaturesStudyInput *in, const Work *work)
{
    Codebook codebook;
    const FeaturesInput input = {.codebook = &codebook,
                                 .columns = in->sae->w_dec,
                                 .fit = &in->fit.rows,
                                 .test = &in->test.rows,
                                 .directions = &out->directions};
    codebook_of_sae(&codebook, in->sae, in->path, 0);
    int rc = features_table_make(&out->table, &input, work);
    out->order = mem_alloc(in->sae->cfg.features, sizeof(*out->order), "order of features");
    rc = rc ? rc : out->order ? 0 : OGPT_ENOMEM;
    return rc ? rc : features_table_order(out->order, &out->table);
}

static int make_looks(FeaturesStudy *out, const FeaturesStudyInput *in, const Work *work)
{
    const SaeConfig *cfg = &in->sae->cfg;
    const FeaturesLookInput input = {.gpt = in->gpt,
                                     .site = cfg->site,
                                     .layer = cfg->layer,
                                     .columns = in->sae->w_dec,
                                     .test = &in->test.set.set,
                                     .table = &out->table,
                                     .clamped = in->clamped};
    size_t *shown = mem_alloc(cfg->features, sizeof(*shown), "features of pages");
    out->looks = mem_calloc(cfg->features, sizeof(*out->looks), "looks at features");
    for (size_t i = 0; shown && i < cfg->features; i++) {
        if (!in->chosen || in->chosen[out->order[i]]) {
            shown[out->n_looks++] = out->order[i];
        }
    }
    int rc = shown && out->looks
                 ? features_looks_make(out->looks, &input, shown, out->n_looks, work)
                 : OGPT_ENOMEM;
    mem_free(shown);
    return rc;
}

void features_study_hash(Sha256 *hash, const FeaturesStudyInput *in)
{
    const int64_t numbers[] = {in->sae->cfg.site, in->sae->cfg.layer, (int64_t)in->clamped};
    sha256_add(hash, numbers, sizeof(numbers));
    sae_hash(hash, in->sae);
    positions_hash(hash, &in->test.set.set);
}

int features_study_run(FeaturesStudy *out, FeaturesStudyInput *in, const Work *work)
{
    const SaeConfig *cfg = &in->sae->cfg;
    const Work quiet = work_quiet(work);
    *out = (FeaturesStudy){0};
    int rc = features_set_read(&in->fit, in->gpt, cfg->site, cfg->layer, &quiet);
    rc = rc ? rc : features_set_read(&in->test, in->gpt, cfg->site, cfg->layer, &quiet);
    rc = rc ? rc
            : features_directions_make(&out->directions, in->gpt, in->test.set.set.vocab, cfg->site,
                                       cfg->layer, in->probe, work->seed);
    rc = rc ? rc : make_table(out, in, work);
    return rc || !in->looks ? rc : make_looks(out, in, work);
}

void features_study_release(FeaturesStudy *study)
{
    features_directions_release(&study->directions);
    features_table_release(&study->table);
    mem_free(study->order);
    mem_free(study->looks);
    *study = (FeaturesStudy){0};
}

size_t features_study_bytes(const FeaturesStudyInput *in, Pool *pool)
{
    const PositionSet *fit = &in->fit.set.set, *test = &in->test.set.set;
    const SaeConfig *cfg = &in->sae->cfg;
    return features_set_bytes(fit->n_positions + test->n_positions, cfg->d_in) +
           features_table_bytes(cfg->features, fit->n_positions, test->n_positions, test->n_games,
                                work_workers(&(Work){.pool = pool})) +
           (in->looks ? cfg->features * sizeof(FeaturesLook) : 0);
}
