/* cli/commands/common/sae_input.c - contract in cli/commands/common/sae_input.h. */
#include "cli/commands/common/sae_input.h"

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

int context_sae_probe(Probe *out, char path[FILES_PATH_MAX], const Context *context,
                      const Subject *subject, const Sae *sae, const char *given)
{
    const CodebookStudyInputs place = {.site = sae->cfg.site, .layer = sae->cfg.layer};
    int rc = context_probe_fitting(context, out, path, subject, given, codebook_inputs_check_probe,
                                   "comparison with its directions");
    if (rc == 0 && path[0]) {
        const int other = codebook_inputs_check_place(out, path, &place);
        rc = given ? other : 0;
        if (other && !given) {
            context_say(context, "%s does not read there: no comparison with its directions", path);
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
