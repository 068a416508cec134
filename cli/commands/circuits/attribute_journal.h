/* cli/commands/circuits/attribute_journal.h - finished blocks of ogpt attribute in the results
 * store, which the same command typed again does not compute again. */
#ifndef OGPT_CLI_COMMANDS_CIRCUITS_ATTRIBUTE_JOURNAL_H
#define OGPT_CLI_COMMANDS_CIRCUITS_ATTRIBUTE_JOURNAL_H

#include "cli/commands/circuits/attribute_session.h"
#include "store/journal.h"

typedef struct AttributeJournal {
    StoreJournal kept;
    WorkJournal callbacks;
} AttributeJournal;

/* The journal of this session's work, whose positions are drawn and whose store is open: known by
 * the program's version, the network, the positions with what they ask for, the directions that
 * are read, the options of the computation, and the seed. `journal` must stay where it is while its
 * callbacks are used. Returns 0 or OGPT_ENOMEM. */
int attribute_journal_begin(AttributeJournal *journal, const AttributeSession *session);
/* The results are stored: forget the blocks. Returns 0 or OGPT_E*. */
int attribute_journal_end(const AttributeJournal *journal);

#endif
