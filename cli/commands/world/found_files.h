/* cli/commands/world/found_files.h - the positions at which a network was made to err, as files:
 * games to read it on, edits of them, and edits of random positions to compare with. */
#ifndef OGPT_CLI_COMMANDS_WORLD_FOUND_FILES_H
#define OGPT_CLI_COMMANDS_WORLD_FOUND_FILES_H

#include "cli/study.h"
#include "probes/world/found.h"

#define FOUND_GAMES "games.ogpc"  /* in the folder: games up to each illegal move */
#define FOUND_CASES "cases.csv"   /* a flip at the end of each, where the rules allow one */
#define FOUND_RANDOM "random.csv" /* flips after as many moves of random games */

typedef struct FoundFiles {
    const char *corpus, *folder; /* NULL: not asked for */
    size_t n_games;              /* that were saved */
    size_t n_cases;
    const GameVariant *variant;
} FoundFiles;

/* Before anything is computed: what is there may be replaced. Returns 0 or OGPT_E*. */
int found_files_check(const FoundFiles *files, const Context *context, const GameVariant *variant);
/* Save the games that were lost, of n. What holds the same already stays. Says what was saved; of
 * no game lost nothing is. Returns 0 or OGPT_E*. */
int found_files_save(FoundFiles *files, Context *context, const GameVariant *variant,
                     const AdversaryGame *games, size_t n);
/* What to type next with them. */
void found_files_next(const FoundFiles *files, Context *context);

#endif
