/* cli/commands/readers/sae_session.h - the autoencoders that ogpt sae train and ogpt sae compare
 * make: one for each item of a sweep, each with its folder and its checkpoint. */
#ifndef OGPT_CLI_COMMANDS_READERS_SAE_SESSION_H
#define OGPT_CLI_COMMANDS_READERS_SAE_SESSION_H

#include "cli/commands/common/model_input.h"
#include "cli/commands/common/shared_options.h"
#include "cli/study.h"
#include "probes/activations/passes.h"
#include "probes/sae/training/sae_kept_rows.h"
#include "probes/sae/training/sae_making.h"

typedef struct SaeCommand {
    const char *corpus, *out, *kind, *k, *l0, *l1;
    int site;
    LayerList layers;
    int64_t seeds, features, activations, batch, buffer, dead_after, checkpoint_every, memory;
    double lr;
} SaeCommand;

/* Rows of an option table for a SaeCommand, but for games and memory. AT(field): its offset. kind_
 * and seeds_: defaults. k_: the values without --k, in words (sae_session_open takes them). */
#define OPTIONS_SAE_TRAIN(AT, kind_, k_, seeds_)                                                   \
    OPTION_TEXT("kind", AT(kind), "LIST",                                                          \
                "standard, gated, topk, batchtopk, jumprelu, matryoshka, transcoder; several "     \
                "(topk,gated): one autoencoder each; all: all but the transcoder",                 \
                .def = kind_),                                                                     \
        OPTION_SITE(AT(site), HOOK_NAMES_VECTOR, "whose rows it rebuilds"),                        \
        OPTION_ONE_LAYER(AT(layers), "of that site; without it that in the middle"),               \
        OPTION_INT("features", AT(features), "N", 1, SAE_FEATURES_MAX,                             \
                   "directions (8 times the width of a row)"),                                     \
        OPTION_TEXT("k", AT(k), "LIST",                                                            \
                    "features that are kept, a row on average; several (8,16,32): one "            \
                    "autoencoder each in DIR/k-8, ... (" k_ ")"),                                  \
        OPTION_TEXT("l0", AT(l0), "LIST",                                                          \
                    "the same of jumprelu, standard and gated, as a goal of training (" k_         \
                    "); of several kinds, --k or --l0 serves all"),                                \
        OPTION_TEXT("l1", AT(l1), "LIST",                                                          \
                    "weight of the penalty of standard and gated, instead of --l0"),               \
        OPTION_INT("seeds", AT(seeds), "N", 1, 1000,                                               \
                   "train each so often, from seed, seed + 1, ..., on the same games",             \
                   .def = seeds_),                                                                 \
        OPTION_INT("activations", AT(activations), "N", 1, 1e12, "rows to train each on",          \
                   .def = "10000000"),                                                             \
        OPTION_INT("batch", AT(batch), "N", 1, 1e6, "rows a step", .def = "4096"),                 \
        OPTION_NUM("lr", AT(lr), "X", 1e-9, 100,                                                   \
                   "peak rate of Adam (2e-4 / sqrt(features / 16384))"),                           \
        OPTION_INT("buffer", AT(buffer), "N", 1, 1e7,                                              \
                   "games whose rows are in memory at once, and shuffled", .def = "4096"),         \
        OPTION_INT("dead-after", AT(dead_after), "N", 0, 16e6,                                     \
                   "rows without activity after which a feature is taught what the others leave; " \
                   "0: never",                                                                     \
                   .def = "1000000"),                                                              \
        OPTION_INT("checkpoint-every", AT(checkpoint_every), "N", 1, 1e9,                          \
                   "steps between states in a folder beside the autoencoder, from which the same " \
                   "command goes on (every 20 seconds)"),                                          \
        OPTION_OUT("out", AT(out), "DIR",                                                          \
                   "the autoencoder; of several, the folder that holds them", .required = true)

typedef struct SaeSession {
    Context *context;
    const SaeCommand *given;
    StudyInputs inputs;
    GameSource *source;
    Gpt *front; /* the blocks up to the layer; NULL: the network itself */
    SaeNetworkRows rows;
    SaeStream stream;
    SaeKeptRows kept; /* of a sweep: all of it learns from the same rows */
    SaeConfig about;
    SaeTrainOptions options; /* what all of the sweep have */
    SaeSweep sweep;
    SaeMaking making;
    SaeMade *made; /* (sweep.n) owned; paths are known from sae_session_open on */
    char label[96];
    Progress progress; /* of all that is trained */
} SaeSession;

/* Open and check all inputs, and what is at the places of the autoencoders: others than those that
 * are asked for are refused, unless --force. Nothing is made yet. values: of --k or --l0 if neither
 * is given, "32". Returns 0 or OGPT_E*. */
int sae_session_open(SaeSession *session, Context *context, const SaeCommand *given,
                     const char *values);
void sae_session_release(SaeSession *session);
/* Refuse what would take more memory than --memory; say how much it takes. */
int sae_session_announce(SaeSession *session);
/* Train all that are not there; the rows that they shared are then forgotten. */
int sae_session_run(SaeSession *session);
/* A row for each of them, from its file; by the first rank alone. Returns 0 or OGPT_E*. */
int sae_session_report(Table *table, const SaeSession *session);

#endif
