/* cli/commands/common/kept_blocks.h - finished blocks of a command's work in the results store,
 * which the same command typed again does not compute again.
 *
 *     rc = kept_blocks_key(&hash, context, subject.model.model_hash);
 *     rc = rc ? rc : kept_blocks_options(hash, context);   and what else the numbers depend on
 *     rc = kept_blocks_begin(&blocks, context, hash, rc);
 *     work.journal = &blocks.callbacks;
 *     ... the work, and the tables are filled ...
 *     rc = kept_blocks_end(&blocks);
 */
#ifndef OGPT_CLI_COMMANDS_COMMON_KEPT_BLOCKS_H
#define OGPT_CLI_COMMANDS_COMMON_KEPT_BLOCKS_H

#include "base/hash.h"
#include "cli/command.h"
#include "store/journal.h"

typedef struct KeptWork {
    StoreJournal journal;
    WorkJournal callbacks;
} KeptWork;

/* The beginning of a key: the program's version, the command, the seed, the network. *hash is NULL
 * or belongs to kept_blocks_begin. Returns 0 or OGPT_ENOMEM. */
int kept_blocks_key(Sha256 **hash, const Context *context, const char *model_hash);
/* Add all options of the command line, with their defaults. Returns 0 or OGPT_ENOMEM. */
int kept_blocks_options(Sha256 *hash, const Context *context);
/* Add a text and its end. */
void kept_blocks_text(Sha256 *hash, const char *text);
/* Finish the key, unless making it failed with rc; returns rc. `blocks` must stay where it is while
 * its callbacks are used. */
int kept_blocks_begin(KeptWork *blocks, const Context *context, Sha256 *hash, int rc);
/* The results are complete: forget the blocks. Returns 0 or OGPT_E*. */
int kept_blocks_end(const KeptWork *blocks);

#endif
