/* probes/edits/edit_metrics.h - what an edit does beside its error, and the same for every control.
 *
 * For a case: N = number of legal moves on the edited board; newly legal moves are legal on the
 * edited board alone, newly illegal ones on the original alone, still legal ones on both. The
 * rank of a move is 1 + the number of tokens of higher logit (ties: of lower id).
 *   error, false positives, false negatives, F1, KL   as in probes/edits/intervene.h
 *   drift      error of the same answer against the original board
 *   rank of newly legal, of newly illegal moves        mean over the moves of all cases
 *   passed     share of newly legal moves that rank above the weakest still legal move, over the
 *              cases that have one
 *   entered    share of newly legal moves among the top N
 *   fell out   share of newly illegal moves not among the top N
 *   crosstalk  other squares than the edited ones that the probe reads differently than without
 *              the edit: where it first reads the residual stream after all edits, and in its last
 *              layer. A probe of a site before the edited one reads the last edited block too early
 *   turned     share of the edited squares that the probe reads in their new state there
 *   play-on    the edit stays at its position, the network's own top-1 moves are played on the
 *              edited board (forced passes made), at most EDIT_PLAY_ON_PLIES of them; the first
 *              illegal one ends the line, as do the end of the game and of the context.
 *              illegal share: illegal moves / moves tried. legal plies: mean over the cases
 * Rows of every metric:
 *   null, edit, random, wrong square   the versions of probes/edits/intervene.h, on the edited
 * board self                               not edited, judged and playing on the original board;
 *                                      nothing of moves that are new
 *   ideal null                         the exact expectation for a perfect model of the original
 *                                      board that breaks ties at random, by rule topn; error by
 *                                      the rule asked for; nothing of KL (infinite) and play-on
 * For the wrong square the square that it changes on purpose counts as crosstalk.
 * A metric is a ratio of sums over the cases, with a bootstrap interval over cases; differences
 * of two rows are paired. What no case has is NaN.
 * Ref: Li et al., ICLR 2023 and its critics (ranks, play-on); Nanda, Lee, Wattenberg 2023.
 */
#ifndef OGPT_PROBES_EDITS_EDIT_METRICS_H
#define OGPT_PROBES_EDITS_EDIT_METRICS_H

#include "datasets/vocab.h"
#include "probes/edits/intervene.h"

#define EDIT_PLAY_ON_PLIES 10

/* METRIC(constant, name, what it is) */
#define EDIT_METRICS(METRIC)                                                                       \
    METRIC(ERROR, "error", "wrong moves a case")                                                   \
    METRIC(FALSE_POSITIVES, "false_positives", "predicted, not legal")                             \
    METRIC(FALSE_NEGATIVES, "false_negatives", "legal, not predicted")                             \
    METRIC(F1, "f1", "of the predicted set")                                                       \
    METRIC(KL, "kl", "nats from uniform over the legal moves")                                     \
    METRIC(DRIFT, "drift", "wrong moves a case by the board before the edit")                      \
    METRIC(RANK_NEWLY_LEGAL, "rank_newly_legal", "mean rank of newly legal moves")                 \
    METRIC(RANK_NEWLY_ILLEGAL, "rank_newly_illegal", "mean rank of newly illegal moves")           \
    METRIC(PASSED, "passed", "newly legal above the weakest still legal move")                     \
    METRIC(ENTERED, "entered", "newly legal among the top N")                                      \
    METRIC(FELL_OUT, "fell_out", "newly illegal not among the top N")                              \
    METRIC(CROSSTALK, "crosstalk", "other squares read differently, after the last edit")          \
    METRIC(CROSSTALK_FINAL, "crosstalk_final", "other squares read differently, last layer")       \
    METRIC(TURNED, "turned", "edited squares read as asked, after the last edit")                  \
    METRIC(TURNED_FINAL, "turned_final", "edited squares read as asked, last layer")               \
    METRIC(ILLEGAL_SHARE, "illegal_share", "play-on: illegal moves of those tried")                \
    METRIC(LEGAL_PLIES, "legal_plies", "play-on: legal plies a case")

typedef enum EditMetric {
#define EDIT_METRIC_CONSTANT(constant, name, text) METRIC_##constant,
    EDIT_METRICS(EDIT_METRIC_CONSTANT)
#undef EDIT_METRIC_CONSTANT
        N_EDIT_METRICS
} EditMetric;

typedef enum MetricRow {
    ROW_NULL,
    ROW_SELF,
    ROW_EDIT,
    ROW_RANDOM,
    ROW_WRONG_SQUARE,
    ROW_IDEAL_NULL,
    N_EDIT_ROWS
} MetricRow;

/* Borrowed, static. */
const char *edit_metric_name(EditMetric metric); /* "rank_newly_legal" */
const char *edit_metric_text(EditMetric metric); /* in words */
const char *metric_row_name(MetricRow row);      /* "wrong_square" */

/* What one case gives to a ratio of sums. whole 0: nothing. */
typedef struct Share {
    double part, whole;
} Share;

typedef struct CaseMetrics {
    Share of[N_EDIT_ROWS][N_EDIT_METRICS];
} CaseMetrics;

/* Crosstalk in one layer of the reading probe. */
typedef struct LayerCrosstalk {
    int layer;
    Interval others[N_EDIT_ROWS]; /* squares a case; rows edit, random, wrong square */
    Interval turned[N_EDIT_ROWS]; /* share of the edited squares; these rows and null */
} LayerCrosstalk;

typedef struct EditMetrics {
    size_t n;
    CaseMetrics *cases; /* (n) in the order of the set; owned */
    Interval value[N_EDIT_ROWS][N_EDIT_METRICS];
    /* Paired: the row edit less null, less random. */
    Interval edit_less_null[N_EDIT_METRICS], edit_less_random[N_EDIT_METRICS];
    int n_layers; /* layers that are read after the first edit */
    LayerCrosstalk layers[LAYERS_MAX];
} EditMetrics;

typedef struct EditMetricsOptions {
    const Probe *reader; /* answers EditQuery.classes; NULL: no crosstalk */
    bool play_on;        /* needs predictor->append */
    int n_ctx;           /* most moves that the predictor reads; of play-on */
} EditMetricsOptions;

/* Measure every case with every version. The same numbers for any number of workers.
 * Returns 0, OGPT_EUSAGE (play-on asked of a predictor that cannot), OGPT_EINTR, OGPT_ENUM,
 * OGPT_ENOMEM, or what the journal returned. */
int edit_metrics_score(EditMetrics *out, const EditPredictor *predictor, const CaseSet *set,
                       const EditPlan *plan, const EditMetricsOptions *options,
                       const EditSettings *settings);
void edit_metrics_release(EditMetrics *metrics);

/* What a case came to in the terms of probes/edits/intervene.h; version repair is not measured:
 * NaN. */
CaseScore edit_metrics_case_score(const CaseMetrics *metrics);
/* Whether neither the random direction nor the wrong square closes a share of null - self: both
 * intervals reach down to 0. */
bool edit_controls_close_nothing(const EditReport *report);
/* What one answer says of one case: the set and rank metrics of a row. `of` is zero before. */
void edit_measure_answer(Share of[N_EDIT_METRICS], const EditCase *edit, const Vocab *vocab,
                         MetricRow row, const float *logits, AnswerRule rule);
/* The expectations of row ideal null for one case. */
void ideal_null_metrics(Share of[N_EDIT_METRICS], const EditCase *edit, int d_vocab,
                        AnswerRule rule);

#endif
