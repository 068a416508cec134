/* cli/commands/edits/edit_journal.h - finished blocks of ogpt intervene in the results store, which
 * the same command typed again does not compute again. */
#ifndef OGPT_CLI_COMMANDS_EDITS_EDIT_JOURNAL_H
#define OGPT_CLI_COMMANDS_EDITS_EDIT_JOURNAL_H

#include "cli/commands/common/kept_blocks.h"
#include "cli/commands/edits/intervene_session.h"

/* The journal of this session's work, whose input is loaded and whose store is open: known by the
 * program's version, the options, the seed, and the contents of model, probe, means and case files.
 * Returns 0 or OGPT_ENOMEM. */
int session_journal_begin(KeptBlocks *blocks, const EditSession *session);

#endif
