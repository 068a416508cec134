/* cli/commands/readers/sae_session.h - what ogpt sae train does between its options and its table:
 * one autoencoder for each item of a sweep, each with its folder and its checkpoint. */
#ifndef OGPT_CLI_COMMANDS_READERS_SAE_SESSION_H
#define OGPT_CLI_COMMANDS_READERS_SAE_SESSION_H

#include "cli/commands/common/model_input.h"
#include "probes/sae/training/sae_sweep.h"
#include "cli/study.h"
#include "probes/activations/passes.h"
#include "probes/sae/training/sae_kept_rows.h"
#include "probes/sae/training/sae_train.h"

typedef struct SaeCommand {
    const char *corpus, *out, *kind, *k, *l0, *l1;
    int site;
    LayerList layers;
    int64_t seeds, features, activations, batch, buffer, dead_after, checkpoint_every, memory;
    double lr;
} SaeCommand;

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
    SaeTrainOptions options; /* of the value under way */
    SaeSweep sweep;
    char label[96];
    Progress progress; /* of all that is trained */
    double rows_done;  /* of the trainings before */
    double seconds;    /* of the value under way */
} SaeSession;

/* Open and check all inputs; nothing is made yet. Returns 0 or OGPT_E*. */
int sae_session_open(SaeSession *session, Context *context);
void sae_session_release(SaeSession *session);
/* Refuse what would take more memory than --memory; say how much it takes. */
int sae_session_announce(SaeSession *session);
/* Train the value with this index, or take what an earlier call made of it. *out: owned. */
int sae_session_train(Sae **out, char path[FILES_PATH_MAX], SaeSession *session, int index);

#endif
