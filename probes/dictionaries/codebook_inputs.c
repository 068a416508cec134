/* probes/dictionaries/codebook_inputs.c - see probes/dictionaries/codebook_inputs.h. */
#include "probes/dictionaries/codebook_inputs.h"

#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "probes/board/controls.h"

int codebook_inputs_draw_set(LabelledSet *out, const GameVariant *variant, Corpus *corpus,
                             Split split, size_t games, int plies, const Work *work)
{
    static const RngPurpose fresh[] = {
        [SPLIT_TRAIN] = RNG_FRESH, [SPLIT_VALIDATION] = RNG_HELDOUT, [SPLIT_TEST] = RNG_EVAL};
    GameSource *source = NULL;
    int rc = corpus ? source_corpus(&source, corpus, 1U << split, true, work->seed)
                    : source_fresh(&source, variant, work->seed, fresh[split]);
    rc = rc ? rc : labelled_draw(out, source, task_find("mine"), LABELS_MOVER, games, plies, work);
    source_free(source);
    return rc;
}

int codebook_inputs_draw(CodebookSets *out, CodebookStudyInputs *study, const GameVariant *variant,
                         Corpus *corpus, const CodebookSample *sample, const Work *work)
{
    study->fit = &out->fit;
    study->valid = &out->valid;
    study->test = &out->test;
    int rc = codebook_inputs_draw_set(&out->fit, variant, corpus, SPLIT_TRAIN, sample->fit_games,
                                      sample->plies, work);
    rc = rc ? rc
            : codebook_inputs_draw_set(&out->valid, variant, corpus, SPLIT_VALIDATION,
                                       sample->valid_games, sample->plies, work);
    return rc ? rc
              : codebook_inputs_draw_set(&out->test, variant, corpus, SPLIT_TEST,
                                         sample->test_games, sample->plies, work);
}

void codebook_sets_release(CodebookSets *sets)
{
    labelled_release(&sets->fit);
    labelled_release(&sets->valid);
    labelled_release(&sets->test);
}

/* Labels with a place for each of 64 squares. */
static uint8_t *padded(const uint8_t *labels, size_t n, size_t n_squares)
{
    uint8_t *out = mem_alloc(n, COVERAGE_SQUARES, "labels of positions");
    if (out) {
        memset(out, COVERAGE_ABSENT, n * COVERAGE_SQUARES);
        for (size_t i = 0; i < n; i++) {
            memcpy(out + i * COVERAGE_SQUARES, labels + i * n_squares, n_squares);
        }
    }
    return out;
}

int codebook_inputs_labels(uint8_t **own, uint8_t **other, const LabelledSet *set, const Work *work)
{
    const size_t n = set->set.n_positions;
    uint8_t *shuffled = mem_alloc(n, set->n_squares, "labels of other games");
    int rc = shuffled ? shuffled_labels(shuffled, &set->set, task_find("mine"), LABELS_MOVER, work)
                      : OGPT_ENOMEM;
    if (rc == 0) {
        *own = padded(set->labels, n, set->n_squares);
        *other = padded(shuffled, n, set->n_squares);
        rc = *own && *other ? 0 : OGPT_ENOMEM;
    }
    mem_free(shuffled);
    return rc;
}

int codebook_inputs_check_sae(const Sae *sae, const char *path, const Sae *first,
                              const Subject *subject)
{
    if (sae->cfg.kind == SAE_TRANSCODER) {
        return err_set(OGPT_EUSAGE,
                       "%s: a transcoder, which rebuilds other rows than it reads; expected an "
                       "autoencoder of one site",
                       path);
    }
    return sae_check(sae, path, &subject->model.gpt->cfg, subject->model.model_hash,
                     subject->model.path, (int)first->cfg.site, first->cfg.layer);
}

int codebook_inputs_check_changed(const Sae *sae, const char *path, const Subject *subject,
                                  int site, uint64_t layers)
{
    const ModelFile *model = &subject->model;
    const SaeConfig *cfg = &sae->cfg;
    int rc = 0;
    if (cfg->layer == LAYER_EMBED) {
        return err_set(
            OGPT_EUSAGE,
            "%s: an autoencoder of the embedding; expected one of a block's layer, whose "
            "rows can be changed",
            path);
    }
    for (int l = 0; l < 64 && rc == 0; l++) {
        if (layers >> l & 1 || (layers == 0 && l == cfg->layer)) {
            rc = sae_check(sae, path, &model->gpt->cfg, model->model_hash, model->path,
                           site < 0 ? (int)cfg->site : site, l);
        }
    }
    return rc;
}

int codebook_inputs_check_probe(const Probe *probe, const char *path)
{
    return probe_check_mine_at(probe, path, probe->site, true);
}

int codebook_inputs_check_place(const Probe *probe, const char *path,
                                const CodebookStudyInputs *study)
{
    const int index = probe_layer_index(probe, study->layer);
    if (index < 0 || !probe->fitted[index] ||
        (probe->site != study->site && study->layer != LAYER_EMBED)) {
        return err_set(OGPT_EUSAGE,
                       "%s: it does not read %s of layer %d, where the autoencoders are: name "
                       "another --probe, or none",
                       path, hook_site_name(study->site), study->layer);
    }
    return 0;
}

void codebook_inputs_hash(Sha256 *hash, const CodebookStudyInputs *in)
{
    const int64_t numbers[] = {in->site, in->layer, (int64_t)in->n_saes, in->twin_activations};
    sha256_add(hash, numbers, sizeof(numbers));
    positions_hash(hash, &in->fit->set);
    positions_hash(hash, &in->valid->set);
    positions_hash(hash, &in->test->set);
    for (size_t i = 0; i < in->n_saes; i++) {
        sae_hash(hash, in->saes[i]);
    }
    if (in->probe) {
        probe_hash(hash, in->probe);
    }
}
