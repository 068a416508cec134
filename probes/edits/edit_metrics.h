/* probes/edits/edit_metrics.h - the metrics of one answer, for one case under one arm.
 *
 * For a case: N = number of legal moves on the edited board; newly legal moves are legal on the
 * edited board alone, newly illegal ones on the board before the edit alone, still legal ones on
 * both. The rank of a move is 1 + the number of tokens of higher logit (ties: of lower id).
 *   error, false positives, false negatives, F1, KL   the predicted set against the legal moves of
 *              the board that judges the arm (probes/edits/arms.h, probes/legality/answers.h)
 *   drift      error of the same answer against the board before the edit
 *   rank of newly legal, of newly illegal moves        mean over the moves of all cases
 *   passed     share of newly legal moves that rank above the weakest still legal move, over the
 *              cases that have one
 *   entered    share of newly legal moves among the top N
 *   fell out   share of newly illegal moves not among the top N
 *   crosstalk  squares other than the edited ones that the probe reads differently than without the
 *              edit: where it first reads the residual stream after all edits, and in its last
 *              layer. A probe of a site before the edited one reads the last edited block too
 *              early. The square that arm wrong square changes on purpose counts as crosstalk
 *   turned     share of the edited squares that the probe reads in their new state there
 *   play-on    the edit stays at its position, the network's own top-1 moves are played on the
 *              judging board (forced passes made), at most EDIT_PLAY_ON_PLIES of them; the first
 *              illegal one ends the line, as do the end of the game and of the context.
 *              illegal share: illegal moves / moves tried. legal plies: mean over the cases
 * An arm that is judged by the board before the edit has no new moves and no crosstalk. The arm
 * ideal null has the exact expectations: of the ranks by rule topn, of the error by the rule asked
 * for, none of KL (infinite) and play-on.
 *
 * A metric is a ratio of sums over the cases. To add one: a row at the end of EDIT_METRICS and its
 * function metric_NAME in probes/edits/edit_metrics.c. Intervals, JSON, CSV, the table of arms and
 * database rows of kind edit_metrics follow. Columns of edit_results and edit_cases do not: see
 * RESULT_COLUMN and CASE_COLUMN in report/results/edit_tables.c, and store/results.def.
 * Ref: Li et al., ICLR 2023 and its critics (ranks, play-on); Nanda, Lee, Wattenberg 2023.
 */
#ifndef OGPT_PROBES_EDITS_EDIT_METRICS_H
#define OGPT_PROBES_EDITS_EDIT_METRICS_H

#include "datasets/vocab.h"
#include "probes/edits/edit_predictor.h"

#define EDIT_PLAY_ON_PLIES 10

/* METRIC(constant, name, unit, digits behind the point in tables, what it is). New ones at the
 * end. */
#define EDIT_METRICS(METRIC)                                                                       \
    METRIC(ERROR, error, "moves", 3, "wrong moves a case")                                         \
    METRIC(FALSE_POSITIVES, false_positives, "moves", 3, "predicted, not legal")                   \
    METRIC(FALSE_NEGATIVES, false_negatives, "moves", 3, "legal, not predicted")                   \
    METRIC(F1, f1, "", 3, "of the predicted set")                                                  \
    METRIC(KL, kl, "nats", 3, "nats from uniform over the legal moves")                            \
    METRIC(DRIFT, drift, "moves", 3, "wrong moves a case by the board before the edit")            \
    METRIC(RANK_NEWLY_LEGAL, rank_newly_legal, "rank", 3, "mean rank of newly legal moves")        \
    METRIC(RANK_NEWLY_ILLEGAL, rank_newly_illegal, "rank", 3, "mean rank of newly illegal moves")  \
    METRIC(PASSED, passed, "share", 3, "newly legal above the weakest still legal move")           \
    METRIC(ENTERED, entered, "share", 3, "newly legal among the top N")                            \
    METRIC(FELL_OUT, fell_out, "share", 3, "newly illegal not among the top N")                    \
    METRIC(CROSSTALK, crosstalk, "squares", 3,                                                     \
           "other squares read differently, after the last edit")                                  \
    METRIC(CROSSTALK_FINAL, crosstalk_final, "squares", 3,                                         \
           "other squares read differently, last layer")                                           \
    METRIC(TURNED, turned, "share", 3, "edited squares read as asked, after the last edit")        \
    METRIC(TURNED_FINAL, turned_final, "share", 3, "edited squares read as asked, last layer")     \
    METRIC(ILLEGAL_SHARE, illegal_share, "share", 3, "play-on: illegal moves of those tried")      \
    METRIC(LEGAL_PLIES, legal_plies, "plies", 3, "play-on: legal plies a case")

typedef enum EditMetric {
#define EDIT_METRIC_CONSTANT(constant, name, unit, digits, meaning) METRIC_##constant,
    EDIT_METRICS(EDIT_METRIC_CONSTANT)
#undef EDIT_METRIC_CONSTANT
        N_EDIT_METRICS
} EditMetric;

/* Borrowed, static. */
const char *edit_metric_name(EditMetric metric); /* "rank_newly_legal" */
const char *edit_metric_unit(EditMetric metric); /* "moves", "" for none */
const char *edit_metric_text(EditMetric metric); /* in words */

/* What one case contributes to a ratio of sums. whole 0: nothing. */
typedef struct Share {
    double part, whole;
} Share;
/* part / whole, NaN if whole is 0. */
double metric_value(Share share);

typedef struct CaseMetrics {
    Share of[N_ARMS][N_EDIT_METRICS];
} CaseMetrics;

/* What the reading probe says of the board: squares other than the edited ones that it reads
 * differently, edited squares that it reads in their new state. */
typedef struct BoardReading {
    Share others, turned;
} BoardReading;

/* Everything that a metric may look at. What was not observed is zero. */
typedef struct Observed {
    SetScore judged;                                  /* by the board of the arm */
    SetScore before;                                  /* by the board before the edit */
    uint64_t newly_legal, newly_illegal, still_legal; /* tokens; empty for an arm judged by its
                                                       * own board */
    int n_legal;                                      /* N */
    uint8_t rank[EDIT_MAX_VOCAB];                     /* of the tokens above */
    BoardReading at_edit, at_end;                     /* first layer after the edits, last layer */
    bool played;                                      /* the predictor played on */
    int tried, played_illegal, played_legal;          /* moves */
} Observed;

/* Fill what the logits (d_vocab) of one answer say: an edit is judged here. The rest is zero. */
void edit_observe(Observed *out, const EditCase *edit, const Vocab *vocab, Arm arm,
                  const float *logits, AnswerRule rule);
/* Every metric of one case under one arm. */
void edit_metrics_of(Share of[N_EDIT_METRICS], const Observed *seen);

/* The expectations of arm ideal null for one case. */
void ideal_null_metrics(Share of[N_EDIT_METRICS], const EditCase *edit, int d_vocab,
                        AnswerRule rule);
/* The expected error of that arm, exactly: the mean of a hypergeometric count. */
double ideal_null_error(const EditCase *edit, int d_vocab, AnswerRule rule);

#endif
