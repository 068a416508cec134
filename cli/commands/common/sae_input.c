/* cli/commands/common/sae_input.c - contract in cli/commands/common/sae_input.h. */
#include "cli/commands/common/sae_input.h"

#include "base/arena.h"
#include "base/err.h"
#include "cli/commands/common/model_input.h"
#include "cli/commands/common/probe_input.h"
#include "cli/study.h"
#include "probes/dictionaries/codebook_inputs.h"

int context_sae_open(Sae **out, char path[FILES_PATH_MAX], const Context *context,
                     const Subject *subject, const char *given)
{
    int rc = context_sae_find(context, path, given);
    rc = rc ? rc : sae_open(out, path);
    return rc ? rc : codebook_inputs_check_sae(*out, path, *out, subject);
}

int context_sae_set_open(SaeSet *out, const Context *context, const Subject *subject,
                         const char *const *paths, size_t n)
{
    char path[FILES_PATH_MAX];
    *out = (SaeSet){.n = n > 0 ? n : 1, .names = n > 0 ? paths : out->one};
    out->saes = mem_calloc(out->n, sizeof(*out->saes), "autoencoders");
    int rc = out->saes ? 0 : OGPT_ENOMEM;
    for (size_t i = 0; i < out->n && rc == 0; i++) {
        rc = context_sae_open(&out->saes[i], path, context, subject, n > 0 ? paths[i] : NULL);
        rc = rc ? rc : codebook_inputs_check_sae(out->saes[i], path, out->saes[0], subject);
    }
    if (rc == 0 && n == 0) {
        out->one[0] = out->name;
        rc = path_join(out->name, context_model_name(context->args[0]), SAE_FOLDER);
    }
    return rc;
}

void context_sae_set_release(SaeSet *set)
{
    for (size_t i = 0; set->saes && i < set->n; i++) {
        sae_free(set->saes[i]);
    }
    mem_free(set->saes);
    *set = (SaeSet){0};
}

int context_sae_probe(Probe *out, char path[FILES_PATH_MAX], const Context *context,
                      const Subject *subject, const SaePlace *place, const char *given)
{
    const CodebookStudyInputs at = {.site = place->site, .layer = place->layer};
    int rc = context_probe_fitting(context, out, path, subject, given, codebook_inputs_check_probe,
                                   place->without);
    if (rc == 0 && path[0]) {
        const int other = codebook_inputs_check_place(out, path, &at);
        rc = given ? other : 0;
        if (other && !given) {
            context_say(context, "%s does not read there: no %s", path, place->without);
            path[0] = '\0';
        }
    }
    return rc;
}

int context_sae_handles(FeaturesHandles *out, Context *context, const Sae *sae,
                        const FeaturesGames *games)
{
    context_say(context, "choosing among %zu features on %zu games: up to %zu MiB of memory",
                sae->cfg.features, games->n, (features_handles_choose_bytes(sae, games) >> 20) + 1);
    return features_handles_choose(out, sae, games, study_work(context, "features", "games"));
}
