/* cli/commands/circuits/circuit_session.h - the inputs of ogpt circuit, its journal, and the files
 * that it writes besides tables. */
#ifndef OGPT_CLI_COMMANDS_CIRCUITS_CIRCUIT_SESSION_H
#define OGPT_CLI_COMMANDS_CIRCUITS_CIRCUIT_SESSION_H

#include "cli/commands/circuits/pair_session.h"
#include "report/circuits/circuit_result.h"

enum { CIRCUIT_NODES_PARTS, CIRCUIT_NODES_SAE };
#define CIRCUIT_NODES_NAMES "parts|sae"

typedef struct CircuitGiven {
    const char *pairs, *control, *methods, *out, *dot, *sae;
    int nodes, direction, positions, norm, distance;
    int64_t points, top;
    double tau;
    bool no_curves;
} CircuitGiven;

typedef struct CircuitSession {
    PairSession in;
    const CircuitGiven *given;
    EdgeQuestion question;
    CircuitOptions options;
} CircuitSession;

/* Model, pairs and control pairs, opened and checked; before study_begin. The control pairs are
 * drawn later if no file is named. */
int circuit_session_load(CircuitSession *session, Context *context);
/* Draw the control pairs, begin the journal; after study_begin. */
int circuit_session_begin(CircuitSession *session);

/* --out, --dot. A file that holds the same already stays; another one is replaced with
 * --force alone, and refused before the work where another command line made it (OptionSpec.kept).
 */
int circuit_files_write(const CircuitSession *session, const CircuitFindings *found);

/* With --nodes sae: features of an autoencoder in place of parts. Refuse what only one kind of
 * nodes has: 0 or OGPT_EUSAGE. */
int feature_circuit_session_check(const Context *context);
/* The whole command, from its inputs to its tables. Returns 0 or OGPT_E*. */
int feature_circuit_session_run(Context *context);

#endif
