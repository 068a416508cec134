/* probes/edits/edit_metrics.c - the table of metrics, one function each. See
 * probes/edits/edit_metrics.h. */
#include "probes/edits/edit_metrics.h"

#include <math.h>
#include <string.h>

static double count(uint64_t set)
{
    return __builtin_popcountll(set);
}

double metric_value(Share share)
{
    return share.whole > 0 ? share.part / share.whole : NAN;
}

/* ---- one function a metric ---- */

static Share metric_error(const Observed *seen)
{
    return (Share){seen->judged.error, 1};
}

static Share metric_false_positives(const Observed *seen)
{
    return (Share){seen->judged.false_positives, 1};
}

static Share metric_false_negatives(const Observed *seen)
{
    return (Share){seen->judged.false_negatives, 1};
}

static Share metric_f1(const Observed *seen)
{
    return (Share){seen->judged.f1, 1};
}

static Share metric_kl(const Observed *seen)
{
    return (Share){seen->judged.kl, 1};
}

static Share metric_drift(const Observed *seen)
{
    return (Share){seen->before.error, 1};
}

/* Sum of the ranks of a set of tokens. */
static Share ranks(const Observed *seen, uint64_t tokens)
{
    Share out = {0, count(tokens)};
    for (uint64_t rest = tokens; rest != 0; rest &= rest - 1) {
        out.part += seen->rank[__builtin_ctzll(rest)];
    }
    return out;
}

/* How many tokens of a set rank before `limit`. */
static Share ahead(const Observed *seen, uint64_t tokens, int limit)
{
    Share out = {0, count(tokens)};
    for (uint64_t rest = tokens; rest != 0; rest &= rest - 1) {
        out.part += seen->rank[__builtin_ctzll(rest)] < limit;
    }
    return out;
}

static Share metric_rank_newly_legal(const Observed *seen)
{
    return ranks(seen, seen->newly_legal);
}

static Share metric_rank_newly_illegal(const Observed *seen)
{
    return ranks(seen, seen->newly_illegal);
}

static Share metric_passed(const Observed *seen)
{
    int weakest = 0;
    for (uint64_t rest = seen->still_legal; rest != 0; rest &= rest - 1) {
        int rank = seen->rank[__builtin_ctzll(rest)];
        weakest = rank > weakest ? rank : weakest;
    }
    return seen->still_legal ? ahead(seen, seen->newly_legal, weakest) : (Share){0, 0};
}

static Share metric_entered(const Observed *seen)
{
    return ahead(seen, seen->newly_legal, seen->n_legal + 1);
}

static Share metric_fell_out(const Observed *seen)
{
    Share stayed = ahead(seen, seen->newly_illegal, seen->n_legal + 1);
    return (Share){stayed.whole - stayed.part, stayed.whole};
}

static Share metric_crosstalk(const Observed *seen)
{
    return seen->at_edit.others;
}

static Share metric_crosstalk_final(const Observed *seen)
{
    return seen->at_end.others;
}

static Share metric_turned(const Observed *seen)
{
    return seen->at_edit.turned;
}

static Share metric_turned_final(const Observed *seen)
{
    return seen->at_end.turned;
}

static Share metric_illegal_share(const Observed *seen)
{
    return (Share){seen->played_illegal, seen->tried};
}

static Share metric_legal_plies(const Observed *seen)
{
    return (Share){seen->played_legal, seen->played};
}

static const struct {
    const char *name, *unit, *text;
    Share (*of)(const Observed *seen);
} metrics[N_EDIT_METRICS] = {
#define EDIT_METRIC_ROW(constant, name, unit, digits, meaning)                                     \
    {#name, unit, meaning, metric_##name},
    EDIT_METRICS(EDIT_METRIC_ROW)};

const char *edit_metric_name(EditMetric metric)
{
    return metrics[metric].name;
}

const char *edit_metric_unit(EditMetric metric)
{
    return metrics[metric].unit;
}

const char *edit_metric_text(EditMetric metric)
{
    return metrics[metric].text;
}

/* ---- one answer ---- */

void edit_observe(Observed *out, const EditCase *edit, const Vocab *vocab, Arm arm,
                  const float *logits, AnswerRule rule)
{
    uint64_t before = answer_tokens(vocab, edit->legal_before);
    uint64_t edited = answer_tokens(vocab, edit->legal_edited);
    memset(out, 0, sizeof(*out));
    out->before = answer_score(logits, vocab->d_vocab, before, rule);
    if (arm_is_own(arm)) {
        out->judged = out->before;
        return;
    }
    out->judged = answer_score(logits, vocab->d_vocab, edited, rule);
    out->newly_legal = edited & ~before;
    out->newly_illegal = before & ~edited;
    out->still_legal = before & edited;
    out->n_legal = __builtin_popcountll(edited);
    for (uint64_t rest = before | edited; rest != 0; rest &= rest - 1) {
        int tok = __builtin_ctzll(rest);
        out->rank[tok] = (uint8_t)answer_rank(logits, vocab->d_vocab, tok);
    }
}

void edit_metrics_of(Share of[N_EDIT_METRICS], const Observed *seen)
{
    for (int m = 0; m < N_EDIT_METRICS; m++) {
        Share share = metrics[m].of(seen);
        of[m] = share.whole != 0 ? share : (Share){0, 0}; /* no part of nothing */
    }
}

/* ---- the ideal null ---- */

double ideal_null_error(const EditCase *edit, int d_vocab, AnswerRule rule)
{
    double n_before = count(edit->legal_before), n_edited = count(edit->legal_edited);
    double n_both = count(edit->legal_before & edit->legal_edited);
    double hits;
    if (rule == RULE_THRESHOLD) {
        /* p is 1 / n_before on the moves of the board before the edit, and 0 elsewhere. */
        return 1.0 / n_before > 1.0 / (2.0 * n_edited) ? n_before + n_edited - 2.0 * n_both
                                                       : n_edited;
    }
    if (n_edited <= n_before) {
        /* n_edited drawn without replacement from the moves of the board before the edit. */
        hits = n_edited * n_both / n_before;
    } else {
        /* All moves of the board before the edit, and the rest drawn from all other tokens. */
        hits = n_both + (n_edited - n_before) * (n_edited - n_both) / (d_vocab - n_before);
    }
    return 2.0 * (n_edited - hits);
}

void ideal_null_metrics(Share of[N_EDIT_METRICS], const EditCase *edit, int d_vocab,
                        AnswerRule rule)
{
    double before = count(edit->legal_before), after = count(edit->legal_edited);
    double n_new = count(edit->legal_edited & ~edit->legal_before);
    double n_gone = count(edit->legal_before & ~edit->legal_edited);
    double error = ideal_null_error(edit, d_vocab, rule);
    bool empty = rule == RULE_THRESHOLD && before >= 2 * after; /* 1/before is not above 1/(2N) */
    /* Rule topn predicts `after` tokens, so both kinds of mistake occur equally often; the
     * threshold predicts all moves of the board before the edit or none. */
    double n_set = rule == RULE_TOPN ? after : empty ? 0 : before;
    double positives = (error + n_set - after) / 2;
    memset(of, 0, N_EDIT_METRICS * sizeof(of[0]));
    of[METRIC_ERROR] = (Share){error, 1};
    of[METRIC_FALSE_POSITIVES] = (Share){positives, 1};
    of[METRIC_FALSE_NEGATIVES] = (Share){error - positives, 1};
    of[METRIC_F1] = (Share){1.0 - error / (n_set + after), 1};
    of[METRIC_DRIFT] = (Share){0, 1}; /* its own board: the rule's set is that of its moves */
    /* The moves of the board before the edit hold the ranks 1..before in random order, the other
     * tokens the rest. */
    of[METRIC_RANK_NEWLY_LEGAL] = (Share){n_new * (before + d_vocab + 1) / 2, n_new};
    of[METRIC_RANK_NEWLY_ILLEGAL] = (Share){n_gone * (before + 1) / 2, n_gone};
    of[METRIC_PASSED] = (Share){0, edit->legal_before & edit->legal_edited ? n_new : 0};
    of[METRIC_ENTERED] =
        (Share){after > before ? n_new * (after - before) / (d_vocab - before) : 0, n_new};
    of[METRIC_FELL_OUT] = (Share){before > after ? n_gone * (before - after) / before : 0, n_gone};
}
