/* probes/edits/intervene.h - edit the board inside a predictor and let the rules judge its answer.
 *
 * For a case: N = number of legal moves on the edited board. Rule topn: the predicted set is the
 * top N tokens; rule threshold: the tokens with p > 1/(2N). error = false positives + false
 * negatives against a board's legal moves.
 *   null    unedited predictor, edited board          self   unedited, original board
 *   edit    edited predictor, edited board            drift  edited, original board
 *   random, wrong square: the same lengths of change along a random direction, and along the
 *           direction of another square, against the edited board
 *   repair  method gradient alone: the same descent with no square changed, its target the true
 *           original board. Against the edited board (closes what mending misread squares
 *           closes), and against the original one (repair self): the descent is told the whole
 *           true board, and mends what the predictor knew wrong
 *   ideal null: the expected error, against the edited board, of a perfect model of the original
 *           board that breaks ties at random
 *   closed  (null - edit) / (null - self): 1 is a perfect edit for this predictor
 *   closed, repaired: (repair - edit) / (repair - repair self): the same where both boards are
 *           descended to, so that mending counts for neither side
 * The predictor is a parameter: a network (probes/edits/edit_network.h), or in tests the rules
 * themselves. Work is cut into fixed chunks of cases, so the number of workers changes nothing; a
 * chunk is asked about every plan before the next chunk, so that a network computes what its
 * plans share once.
 */
#ifndef OGPT_PROBES_EDITS_INTERVENE_H
#define OGPT_PROBES_EDITS_INTERVENE_H

#include "base/pool.h"
#include "num/stats.h"
#include "probes/cases/cases.h"
#include "probes/edits/edit_plan.h"
#include "probes/legality/answers.h"

#define EDIT_CHUNK_CASES 64

typedef enum EditVersion {
    VERSION_NONE,         /* as it stands */
    VERSION_EDIT,         /* edited by the plan; leaves the lengths of its changes in `norms` */
    VERSION_RANDOM,       /* changes of the lengths in `norms` along the case's random direction */
    VERSION_WRONG_SQUARE, /* the same along the direction of another square */
    VERSION_REPAIR        /* the plan with no square changed; of method gradient */
} EditVersion;

/* The last position of n <= EDIT_CHUNK_CASES cases of a set. */
typedef struct EditQuery {
    const CaseSet *set;
    const size_t *order; /* (n) indices into the set; a case's index is that of its streams */
    size_t n;
    EditVersion version;
    const EditPlan *plan; /* NULL for VERSION_NONE */
    double *norms;        /* (n, EDIT_MAX_LAYERS) lengths of change by layer */
    /* NULL, or (n, layers of the reading probe, its squares): what that probe reads at the last
     * position in each of its layers, after the edits of that layer. */
    uint8_t *classes;
} EditQuery;

typedef struct EditPredictor {
    void *context;
    int d_vocab;
    /* logits (n, d_vocab). `worker` as in PoolJob. Returns 0 or OGPT_E*. */
    int (*predict)(void *context, float *logits, const EditQuery *query, size_t worker);
    /* One more move for each case of the query that this worker answered last: the edit stays at
     * its position, nothing else is edited. tokens (n): TOK_PAD ends the line of a case, whose
     * logits then mean nothing. logits (n, d_vocab) after the move. NULL: cannot play on. Returns
     * 0 or OGPT_E*. */
    int (*append)(void *context, float *logits, const EditQuery *query, const uint8_t *tokens,
                  size_t worker);
} EditPredictor;

typedef struct CaseScore {
    double self_error, null_error, edit_error, drift, random_error, wrong_square_error;
    double repair_error, repair_self_error; /* NaN but for method gradient */
    double ideal_null;
    double false_positives, false_negatives, f1; /* of the edit */
    double kl; /* from uniform over the edited board's legal moves to the edited predictor */
} CaseScore;

typedef struct EditReport {
    size_t n;
    CaseScore *cases; /* (n) in the order of the set; owned */
    CaseScore mean;
    /* Bootstrap over cases. */
    Interval edit_error, closed, random_error, random_closed;
    Interval wrong_square_error, wrong_square_closed;
    Interval gain; /* null - edit, paired */
    /* NaN but for method gradient. */
    Interval repair_error, repair_self_error, repair_closed, closed_repaired;
} EditReport;

/* Keeps what is finished of a long scoring, so that the next call need not do it again. A block
 * is what a chunk of cases came to: n numbers (NaN among them), the same for the same model,
 * probe, cases, plans, seed and rule; whoever keeps them must see to it that all of those are the
 * same. Called on the calling thread. */
typedef struct EditJournal {
    void *context;
    /* 1: the block was kept earlier, values are filled; 0: it was not; or OGPT_E*. */
    int (*recall)(void *context, double *values, size_t n, const char *stage, size_t block);
    /* 0 or OGPT_E*. */
    int (*keep)(void *context, const double *values, size_t n, const char *stage, size_t block);
} EditJournal;

typedef struct EditSettings {
    AnswerRule rule;
    uint64_t seed;              /* of the bootstrap */
    Pool *pool;                 /* may be NULL */
    const EditJournal *journal; /* may be NULL */
    const char *stage;          /* names this scoring in the journal, such as "tuning" */
    /* May be NULL; called on the calling thread: `done` of `total` chunks of cases. */
    void (*progress)(void *context, size_t done, size_t total);
    void *context;
} EditSettings;

/* Score every case with every version: the plain way, beside which intervene_complete is tested.
 * Returns 0, OGPT_EINTR, OGPT_ENUM (non-finite logits), OGPT_ENOMEM, or what the journal gave. */
int intervene_score(EditReport *out, const EditPredictor *predictor, const CaseSet *set,
                    const EditPlan *plan, const EditSettings *settings);
/* The same where the scores are known (n of the set) but for version repair, which alone is asked
 * for here, and only of method gradient: what an experiment does, whose cases are measured before
 * (probes/edits/edit_metrics.h). */
int intervene_complete(EditReport *out, const EditPredictor *predictor, const CaseSet *set,
                       const EditPlan *plan, const CaseScore *known, const EditSettings *settings);
void intervene_release(EditReport *report);

/* One tried plan: means over the cases. */
typedef struct SweepRow {
    EditPlan plan;
    double error, f1, kl, closed;
} SweepRow;

/* Edit error of each plan on a set of cases. rows (n_plans) is the caller's. Errors as above. */
int intervene_sweep(SweepRow *rows, const EditPredictor *predictor, const CaseSet *set,
                    const EditPlan *plans, size_t n_plans, const EditSettings *settings);
/* Index of the row of lowest error, ties to the first. */
size_t sweep_best(const SweepRow *rows, size_t n);

/* Predicted set of one case as a mask of tokens: version NONE with the N of the original board,
 * version EDIT with that of the edited one. */
int intervene_predict(uint64_t *tokens, const EditPredictor *predictor, const CaseSet *set,
                      size_t index, EditVersion version, const EditPlan *plan, AnswerRule rule);
/* Expected error as above, exactly: the mean of a hypergeometric count. */
double ideal_null_error(const EditCase *edit, int d_vocab, AnswerRule rule);

#endif
