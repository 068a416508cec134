/* probes/edits/edit_metrics.c - what one answer of a predictor says of one case. */
#include "probes/edits/edit_metrics.h"

#include <math.h>
#include <string.h>

#include "probes/edits/edit_chunks.h"
#include "probes/legality/answers.h"

static const struct {
    const char *name, *text;
} metric_table[N_EDIT_METRICS] = {
#define EDIT_METRIC_ROW(constant, name, text) {name, text},
    EDIT_METRICS(EDIT_METRIC_ROW)};

const char *edit_metric_name(EditMetric metric)
{
    return metric_table[metric].name;
}

const char *edit_metric_text(EditMetric metric)
{
    return metric_table[metric].text;
}

const char *metric_row_name(MetricRow row)
{
    static const char *const names[N_EDIT_ROWS] = {"null",   "self",         "edit",
                                                   "random", "wrong_square", "ideal_null"};

    return names[row];
}

CaseScore edit_metrics_case_score(const CaseMetrics *metrics)
{
    const Share *edit = metrics->of[ROW_EDIT];
    return (CaseScore){.self_error = metrics->of[ROW_SELF][METRIC_ERROR].part,
                       .null_error = metrics->of[ROW_NULL][METRIC_ERROR].part,
                       .edit_error = edit[METRIC_ERROR].part,
                       .drift = edit[METRIC_DRIFT].part,
                       .random_error = metrics->of[ROW_RANDOM][METRIC_ERROR].part,
                       .wrong_square_error = metrics->of[ROW_WRONG_SQUARE][METRIC_ERROR].part,
                       .repair_error = NAN,
                       .repair_self_error = NAN,
                       .ideal_null = metrics->of[ROW_IDEAL_NULL][METRIC_ERROR].part,
                       .false_positives = edit[METRIC_FALSE_POSITIVES].part,
                       .false_negatives = edit[METRIC_FALSE_NEGATIVES].part,
                       .f1 = edit[METRIC_F1].part,
                       .kl = edit[METRIC_KL].part};
}

bool edit_controls_close_nothing(const EditReport *report)
{
    return report->random_closed.low <= 0 && report->wrong_square_closed.low <= 0;
}

static double count(uint64_t set)
{
    return __builtin_popcountll(set);
}

/* ---- one answer ---- */

/* Tokens that are legal on the two boards of a case. */
typedef struct Legal {
    uint64_t original, edited;
} Legal;

static void measure_set(Share of[N_EDIT_METRICS], uint64_t legal, const float *logits, int d_vocab,
                        AnswerRule rule)
{
    SetScore score = answer_score(logits, d_vocab, legal, rule);
    of[METRIC_ERROR] = (Share){score.error, 1};
    of[METRIC_FALSE_POSITIVES] = (Share){score.false_positives, 1};
    of[METRIC_FALSE_NEGATIVES] = (Share){score.false_negatives, 1};
    of[METRIC_F1] = (Share){score.f1, 1};
    of[METRIC_KL] = (Share){score.kl, 1};
}

static void measure_ranks(Share of[N_EDIT_METRICS], Legal legal, const float *logits, int d_vocab)
{
    uint64_t newly_legal = legal.edited & ~legal.original;
    uint64_t newly_illegal = legal.original & ~legal.edited, still = legal.original & legal.edited;
    int n = __builtin_popcountll(legal.edited), weakest = 0;
    Share *passed = &of[METRIC_PASSED], *entered = &of[METRIC_ENTERED];
    for (uint64_t rest = still; rest != 0; rest &= rest - 1) {
        int rank = answer_rank(logits, d_vocab, __builtin_ctzll(rest));
        weakest = rank > weakest ? rank : weakest;
    }
    of[METRIC_RANK_NEWLY_LEGAL].whole = entered->whole = count(newly_legal);
    of[METRIC_RANK_NEWLY_ILLEGAL].whole = of[METRIC_FELL_OUT].whole = count(newly_illegal);
    passed->whole = still ? count(newly_legal) : 0;
    for (uint64_t rest = newly_legal; rest != 0; rest &= rest - 1) {
        int rank = answer_rank(logits, d_vocab, __builtin_ctzll(rest));
        of[METRIC_RANK_NEWLY_LEGAL].part += rank;
        passed->part += rank < weakest;
        entered->part += rank <= n;
    }
    for (uint64_t rest = newly_illegal; rest != 0; rest &= rest - 1) {
        int rank = answer_rank(logits, d_vocab, __builtin_ctzll(rest));
        of[METRIC_RANK_NEWLY_ILLEGAL].part += rank;
        of[METRIC_FELL_OUT].part += rank > n;
    }
}

void edit_measure_answer(Share of[N_EDIT_METRICS], const EditCase *edit, const Vocab *vocab,
                         MetricRow row, const float *logits, AnswerRule rule)
{
    Legal legal = {answer_tokens(vocab, edit->legal_before),
                   answer_tokens(vocab, edit->legal_edited)};
    measure_set(of, row == ROW_SELF ? legal.original : legal.edited, logits, vocab->d_vocab, rule);
    of[METRIC_DRIFT] = (Share){answer_score(logits, vocab->d_vocab, legal.original, rule).error, 1};
    if (row != ROW_SELF) {
        measure_ranks(of, legal, logits, vocab->d_vocab);
    }
}

void ideal_null_metrics(Share of[N_EDIT_METRICS], const EditCase *edit, int d_vocab,
                        AnswerRule rule)
{
    double before = count(edit->legal_before), after = count(edit->legal_edited);
    double n_new = count(edit->legal_edited & ~edit->legal_before);
    double n_gone = count(edit->legal_before & ~edit->legal_edited);
    double error = ideal_null_error(edit, d_vocab, rule);
    bool empty = rule == RULE_THRESHOLD && before >= 2 * after; /* 1/before is not above 1/(2N) */
    /* Rule topn predicts `after` tokens, so that both kinds of mistake are equally many; the
     * threshold predicts all of the original's moves or nothing. */
    double n_set = rule == RULE_TOPN ? after : empty ? 0 : before;
    double positives = (error + n_set - after) / 2;
    memset(of, 0, N_EDIT_METRICS * sizeof(of[0]));
    of[METRIC_ERROR] = (Share){error, 1};
    of[METRIC_FALSE_POSITIVES] = (Share){positives, 1};
    of[METRIC_FALSE_NEGATIVES] = (Share){error - positives, 1};
    of[METRIC_F1] = (Share){1.0 - error / (n_set + after), 1};
    of[METRIC_DRIFT] = (Share){0, 1}; /* its own board: the rule's set is that of its moves */
    /* The original's moves hold the ranks 1..before in random order, the other tokens the rest. */
    of[METRIC_RANK_NEWLY_LEGAL] = (Share){n_new * (before + d_vocab + 1) / 2, n_new};
    of[METRIC_RANK_NEWLY_ILLEGAL] = (Share){n_gone * (before + 1) / 2, n_gone};
    of[METRIC_PASSED] = (Share){0, edit->legal_before & edit->legal_edited ? n_new : 0};
    of[METRIC_ENTERED] =
        (Share){after > before ? n_new * (after - before) / (d_vocab - before) : 0, n_new};
    of[METRIC_FELL_OUT] = (Share){before > after ? n_gone * (before - after) / before : 0, n_gone};
}
