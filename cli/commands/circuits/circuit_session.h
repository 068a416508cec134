/* cli/commands/circuits/circuit_session.h - the inputs of ogpt circuit, its journal, and the files
 * that it writes besides tables. */
#ifndef OGPT_CLI_COMMANDS_CIRCUITS_CIRCUIT_SESSION_H
#define OGPT_CLI_COMMANDS_CIRCUITS_CIRCUIT_SESSION_H

#include "cli/commands/common/model_input.h"
#include "cli/study.h"
#include "report/circuits/circuit_result.h"
#include "store/journal.h"

typedef struct CircuitGiven {
    const char *pairs, *control, *methods, *out, *dot;
    int direction, positions, norm, distance;
    int64_t points, top;
    double tau;
    bool no_curves;
} CircuitGiven;

typedef struct CircuitSession {
    Context *context;
    const CircuitGiven *given;
    Subject subject;
    PairSet pairs, control;
    Graph graph;
    EdgeQuestion question;
    CircuitOptions options;
    StoreJournal journal;
    WorkJournal callbacks;
} CircuitSession;

/* Model, pairs and control pairs, opened and checked; before study_begin. The control pairs are
 * drawn later if no file is named. */
int circuit_session_load(CircuitSession *session, Context *context);
/* Draw the control pairs, begin the journal; after study_begin. */
int circuit_session_begin(CircuitSession *session);
void circuit_session_release(CircuitSession *session);

/* Transpositions from a file (path NULL: none); the moves of pairs into the key of a journal.
 * Shared with ogpt patch. */
int circuit_control_read(PairSet *out, const GameVariant *variant, const char *path);
void circuit_hash_pairs(Sha256 *hash, const PairSet *set);

/* Warn of pairs whose metric compares the moves of one board with its other empty squares, because
 * the boards have the same moves. Shared by ogpt ablate and attribute. */
void circuit_same_moves_warn(const Context *context, const char *path, const GamePair *pairs,
                             size_t n);

/* --out, --dot. A file that holds the same already stays; another one is replaced with
 * --force alone, and refused before the work where another command line made it (OptionSpec.kept).
 */
int circuit_files_write(const CircuitSession *session, const CircuitFindings *found);

#endif
