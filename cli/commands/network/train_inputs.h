/* cli/commands/network/train_inputs.h - what a training run starts from: its options, the games,
 * the shape, the weights. */
#ifndef OGPT_CLI_COMMANDS_NETWORK_TRAIN_INPUTS_H
#define OGPT_CLI_COMMANDS_NETWORK_TRAIN_INPUTS_H

#include "cli/study.h"
#include "datasets/corpus.h"
#include "model/train/train.h"

#define TRAIN_HELD_OUT_GAMES 1024 /* scored at every report */

typedef struct TrainCommand {
    const char *corpus, *preset, *init_from, *keep;
    bool fresh;
    int rules; /* GameRules; -1: not given */
    int64_t probe_every, layers, d_model, heads, games;
    TrainOptions train; /* as given; what was not is completed when it is read */
} TrainCommand;

typedef struct TrainInputs {
    GameSource *source, *held_out;
    GameSource *probe_games; /* for the quick probe; NULL: not asked for */
    Corpus *corpus;          /* NULL: fresh games */
    ModelFile init;          /* weights to start from; gpt NULL: drawn */
    Js *taken;               /* options of the run that --init-from names; NULL: typed ones only */
} TrainInputs;

/* Games for training, fresh or from a corpus, and held-out ones of the same kind. With --init-from
 * and neither --corpus nor --fresh, options that were not typed become those of that run first. */
int train_inputs_open(TrainInputs *out, Context *context);
/* Games to fit the quick probe on: of the same kind, and not among the training games if those are
 * fresh. */
int train_inputs_probe(TrainInputs *inputs, uint64_t seed);
/* The shape that the options name, for the board of the games. */
int train_inputs_shape(GptConfig *out, const Context *context, const GameSource *source);
/* The training options of the command line, complete; every inconsistency is a usage error. */
int train_inputs_options(TrainOptions *out, const GptConfig *cfg, const Context *context);
/* --init-from, if given: its eps is part of the function that it computes, and goes into cfg. */
int train_inputs_init(TrainInputs *inputs, GptConfig *cfg, const Context *context);
/* {0} may be released, and so may what one of the above left after an error. */
void train_inputs_release(TrainInputs *inputs);

#endif
