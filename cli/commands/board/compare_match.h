/* cli/commands/board/compare_match.h - probes of a comparison: opened, read and tested. */
#ifndef OGPT_CLI_COMMANDS_BOARD_COMPARE_MATCH_H
#define OGPT_CLI_COMMANDS_BOARD_COMPARE_MATCH_H

#include "cli/command.h"
#include "probes/compare/compare.h"

#define PAIRS_MAX (COMPARE_MAX * (COMPARE_MAX - 1) / 2)
#define TESTS_MAX (PAIRS_MAX > LAYERS_MAX ? PAIRS_MAX : LAYERS_MAX)

/* Start from zero, with `options` set. */
typedef struct Match {
    CompareOptions options;
    size_t n;
    Subject subject[COMPARE_MAX];
    Probe probe[COMPARE_MAX];
    Contender contender[COMPARE_MAX];
    Corpus *corpus;
    char own[FILES_PATH_MAX];   /* the probe in the model's directory, where none is named */
    PairedTest test[TESTS_MAX]; /* of compare_layers for one probe, else of compare_contenders */
} Match;

/* Open what the arguments MODEL PROBE [MODEL PROBE]... name (MODEL alone: with the probe in its
 * directory), and the corpus. Returns 0, OGPT_EUSAGE
 * (no pairs, or too many), or an error of a file. */
int match_open(Match *match, Context *context, const char *corpus);
/* Read the games with every probe, and test. Needs the pool (study_begin). */
int match_play(Match *match, Context *context, size_t memory_bytes);
/* After an error too. */
void match_release(Match *match);

#endif
