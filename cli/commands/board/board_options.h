/* cli/commands/board/board_options.h - option rows that the commands about probes share. */
#ifndef OGPT_CLI_COMMANDS_BOARD_BOARD_OPTIONS_H
#define OGPT_CLI_COMMANDS_BOARD_BOARD_OPTIONS_H

#include "cli/commands/common/shared_options.h"

#define GAMES_MOST 1e7
#define OPTION_TEST_GAMES(at_)                                                                     \
    OPTION_INT("test-games", at_, "N", 2, GAMES_MOST,                                              \
               "test games; half as many validation games choose the best layer", .def = "1000")
#define OPTION_PLIES(at_)                                                                          \
    OPTION_INT("plies", at_, "N", 0, 60, "positions drawn from each game; 0 takes all", .def = "8")
#define OPTION_CAPTURED(at_)                                                                       \
    OPTION_INT(                                                                                    \
        "memory", at_, "MIB", 1, 1e6,                                                              \
        "for activations: layers are captured in groups that fit; where one does not, newton "     \
        "reads it from the disk (--no-controls)",                                                  \
        .def = "1024")
/* Rows of `probe fit` and `probe eval`: a ProbeSample `sample` in the option struct `type`. */
#define OPTIONS_OF_SAMPLE(type)                                                                    \
    OPTION_CORPUS(offsetof(type, sample.corpus), "games to read positions from"),                  \
        OPTION_TEST_GAMES(offsetof(type, sample.test_games)),                                      \
        OPTION_CAPTURED(offsetof(type, sample.memory)),                                            \
        OPTION_FLAG("heat", offsetof(type, sample.heat),                                           \
                    "also draw accuracy by layer and, of the best layer, by square"),              \
        OPTION_FLAG("no-controls", offsetof(type, sample.no_controls),                             \
                    "leave out majority, move history, random weights, shuffled labels, planted "  \
                    "board")

#endif
