/* cli/commands/common/sae_input.h - the autoencoder of --sae, and its features as handles. */
#ifndef OGPT_CLI_COMMANDS_COMMON_SAE_INPUT_H
#define OGPT_CLI_COMMANDS_COMMON_SAE_INPUT_H

#include "cli/command.h"
#include "probes/activations/subject.h"
#include "probes/features/features_handles.h"

#define OPTION_SAE(at_, when_)                                                                     \
    OPTION_TEXT("sae", at_, "SAE",                                                                 \
                when_ ": an autoencoder of this network (default: MODEL/" SAE_FOLDER ")")
#define OPTION_FEATURES_GAMES(at_, when_)                                                          \
    OPTION_INT("features-games", at_, "N", 1, 1e6,                                                 \
               when_ ": games that choose the features of each state", .def = "400")

/* Find (context_sae_find) and open it, and refuse one of another network or width, and a
 * transcoder. path is set as far as it is known. Returns 0 or OGPT_E*; owned: sae_free. */
int context_sae_open(Sae **out, char path[FILES_PATH_MAX], const Context *context,
                     const Subject *subject, const char *given);

/* Autoencoders of one site and layer. {0} may be released. */
typedef struct SaeSet {
    size_t n;
    Sae **saes;               /* (n) owned */
    const char *const *names; /* (n) as typed, borrowed; of the one beside the network, as `one` */
    const char *one[1];
    char name[FILES_PATH_MAX]; /* "tiny-6x6/sae": a shipped network by its name alone */
} SaeSet;
/* Those of these paths (n), or if n is 0 the one beside the network; each as context_sae_open does.
 * Must stay where it is. */
int context_sae_set_open(SaeSet *out, const Context *context, const Subject *subject,
                         const char *const *paths, size_t n);
void context_sae_set_release(SaeSet *set);

/* A linear probe of task mine that reads at a site and layer: the one that was named, or the one
 * beside the network if it does; else path is "", and a line says so, and what there is `without`
 * it: no "comparison with its directions". Returns 0 or OGPT_E*. */
typedef struct SaePlace {
    HookSite site;
    int layer;
    const char *without;
} SaePlace;
int context_sae_probe(Probe *out, char path[FILES_PATH_MAX], const Context *context,
                      const Subject *subject, const SaePlace *place, const char *given);
/* features_handles_choose, with a word on what it takes. */
int context_sae_handles(FeaturesHandles *out, Context *context, const Sae *sae,
                        const FeaturesGames *games);

#endif
