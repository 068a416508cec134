/* cli/commands/edits/page_features.c - contract in cli/commands/edits/page_features.h. */
#include "cli/commands/edits/page_features.h"

#include "base/err.h"
#include "base/files.h"
#include "base/manifest.h"
#include "cli/commands/common/game_input.h"
#include "cli/commands/common/probe_input.h"
#include "cli/study.h"

enum { MEMORY_MIB = 4096 };

/* A folder in which nothing was published: empty, or with the autoencoders of a sweep below it. */
static bool holds_none(const char *path)
{
    PathKind kind = PATH_OTHER;
    return path_kind_in(&kind, path, MANIFEST_NAME) == 0 && kind == PATH_MISSING;
}

int page_features_open(PageFeatures *out, const Context *context, ExplorerPage *page,
                       const char *given)
{
    int rc = context_sae_find(context, out->path, given);
    if (!given && (rc == OGPT_EUSAGE || (rc == 0 && holds_none(out->path)))) {
        context_say(context, "no autoencoder is named, and %s is none: a page without features",
                    out->path);
        return 0;
    }
    rc = rc ? rc : sae_open(&out->sae, out->path);
    page->sae = out->sae;
    page->sae_name = given;
    const int unfit = rc ? 0 : explorer_check_sae(page, out->path);
    if (unfit != 0 && !given) {
        context_say(context, "%s: a page without features", err_message());
        page->sae = NULL;
        return 0;
    }
    return rc ? rc : unfit;
}

int page_features_make(PageFeatures *features, Context *context, ExplorerPage *page)
{
    FeaturesStudyInput *study = &features->study;
    const GameVariant *variant = page->subject->variant;
    const Work *work = study_work(context, "features", "features");
    *study = (FeaturesStudyInput){
        .gpt = page->subject->model.gpt, .sae = page->sae, .path = features->path};
    if (!page->sae) {
        return 0;
    }
    int rc = codebook_inputs_draw_set(&study->fit.set, variant, NULL, SPLIT_TRAIN,
                                      FEATURES_FIT_GAMES, 0, work);
    rc = rc ? rc
            : codebook_inputs_draw_set(&study->test.set, variant, NULL, SPLIT_TEST,
                                       FEATURES_TEST_GAMES, 0, work);
    rc = rc ? rc
            : context_check_memory(features_study_bytes(study, work->pool), MEMORY_MIB,
                                   "an autoencoder of fewer features");
    rc = rc ? rc : features_study_run(&features->found, study, work);
    page->features = &features->found.table;
    page->n_fit_games = study->fit.set.set.n_games;
    page->n_test_games = study->test.set.set.n_games;
    return rc;
}

void page_features_release(PageFeatures *features)
{
    features_study_release(&features->found);
    features_set_release(&features->study.fit);
    features_set_release(&features->study.test);
    sae_free(features->sae);
}
