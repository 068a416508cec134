/* probes/edits/edit_predictor.h - whatever answers for the last position of a case, under an arm.
 *
 * The predictor is a parameter of every measurement: a network (probes/edits/edit_network.h), or in
 * tests the rules themselves.
 */
#ifndef OGPT_PROBES_EDITS_EDIT_PREDICTOR_H
#define OGPT_PROBES_EDITS_EDIT_PREDICTOR_H

#include "probes/cases/cases.h"
#include "probes/edits/arms.h"
#include "probes/legality/answers.h"

#define EDIT_CHUNK_CASES 64
#define EDIT_MAX_VOCAB 64

/* The last position of n <= EDIT_CHUNK_CASES cases of a set. */
typedef struct EditQuery {
    const CaseSet *set;
    const size_t
        *order; /* (n) indices into the set; the random draws of a case depend on its index */
    size_t n;
    Arm arm;
    const EditPlan *plan; /* NULL if the arm is plain */
    /* (n, EDIT_MAX_LAYERS) lengths of change by layer: ARM_EDIT writes them, the arms that change a
     * row by the same length read them. */
    double *norms;
    /* NULL, or (n, layers of the reading probe, its squares): what that probe reads at the last
     * position in each of its layers, after the edits of that layer. */
    uint8_t *classes;
} EditQuery;

typedef struct EditPredictor {
    void *context;
    int d_vocab;
    /* logits (n, d_vocab). `worker` as in PoolJob. Returns 0, OGPT_EUSAGE (an arm that this
     * predictor does not know), or another OGPT_E*. */
    int (*predict)(void *context, float *logits, const EditQuery *query, size_t worker);
    /* One more move for each case of the query that this worker answered last: the edit stays at
     * its position, nothing else is edited. tokens (n): TOK_PAD ends the line of a case, and the
     * logits of that case then mean nothing. logits (n, d_vocab) after the move. NULL: cannot play
     * on. Returns 0 or OGPT_E*. */
    int (*append)(void *context, float *logits, const EditQuery *query, const uint8_t *tokens,
                  size_t worker);
} EditPredictor;

/* How answers are judged, and the name of a scoring of many cases. */
typedef struct EditScoring {
    AnswerRule rule;
    const char *stage; /* "tuning": the stage of its first tick, and of its blocks in the journal */
    const char *name;  /* "add of file 0": a prefix of the stage in the journal; may be NULL */
} EditScoring;

/* Ask about the cases of a query for one arm. logits (query->n, d_vocab), all finite. Returns 0,
 * OGPT_EINTR, OGPT_ENUM (naming case and token), or what the predictor returned. */
int edit_ask(float *logits, const EditPredictor *predictor, EditQuery *query, Arm arm,
             const EditPlan *plan, size_t worker);
/* OGPT_ENUM naming case and token if a logit is not finite. */
int edit_check_logits(const float *logits, int d_vocab, const EditQuery *query);

/* Predicted set of one case as a mask of tokens: to be shown, not to be judged. N is the number of
 * legal moves on the board before the edit if the arm is plain (null, self), else on the edited
 * board. A measurement judges arm null with the N of the edited board (edit_observe). Returns as
 * edit_ask. */
int edit_predict(uint64_t *tokens, const EditPredictor *predictor, const CaseSet *set, size_t index,
                 Arm arm, const EditPlan *plan, AnswerRule rule);

#endif
