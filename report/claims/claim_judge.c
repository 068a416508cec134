/* report/claims/claim_judge.c - contract in report/claims/claim_judge.h. */
#include "report/claims/claim_judge.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

#define FILLED_MAX 320 /* bytes of `where` and `needs` with the network put in */

const char *claim_verdict_name(ClaimVerdict verdict)
{
    static const char *const names[N_CLAIM_VERDICTS] = {"holds", "fails", "not decided here",
                                                        "no run yet"};
    return names[verdict];
}

void claim_fill(Text *out, const char *text, const ClaimSubject *subject)
{
    const char *open = NULL;
    for (; (open = strchr(text, '{')); text = strchr(open, '}') + 1) {
        text_add(out, "%.*s", (int)(open - text), text);
        if (strncmp(open, "{net}", 5) == 0) {
            text_add(out, "%s", subject->typed);
        } else if (strncmp(open, "{hash}", 6) == 0) {
            text_add(out, "%.8s", subject->model_hash);
        } else if (strncmp(open, "{size}", 6) == 0) {
            text_add(out, "%dx%d", subject->size, subject->size);
        } else if (strncmp(open, "{shape}", 7) == 0) {
            text_add(out, "--layers %d --d-model %d --heads %d", subject->n_layers,
                     subject->d_model, subject->n_heads);
        } else {
            text_add(out, "%d", strncmp(open, "{n}", 3) == 0 ? subject->size : subject->late);
        }
    }
    text_add(out, "%s", text);
}

/* A value as it is written in `where`. */
static void value_write(char found[FILLED_MAX], const Js *value)
{
    switch (js_type(value)) {
    case JS_BOOL: snprintf(found, FILLED_MAX, "%s", js_bool_of(value) ? "true" : "false"); break;
    case JS_INT:
    case JS_NUM: snprintf(found, FILLED_MAX, "%.10g", js_num_of(value)); break;
    case JS_STR: snprintf(found, FILLED_MAX, "%s", js_str_of(value)); break;
    default: snprintf(found, FILLED_MAX, "null"); break;
    }
}

/* Whether it is one of the words "a|b". */
static bool value_is(const Js *value, const char *wanted)
{
    char found[FILLED_MAX];
    size_t length = 0;
    value_write(found, value);
    for (; *wanted != '\0'; wanted += length + (wanted[length] == '|')) {
        length = strcspn(wanted, "|");
        if (strlen(found) == length && strncmp(found, wanted, length) == 0) {
            return true;
        }
    }
    return false;
}

/* Whether an object has all values of "key=value key>=number ..."; NULL: nothing is asked. None has
 * those of a filter that is too long. */
static bool object_fits(const Js *object, const char *wanted, const ClaimSubject *subject)
{
    char filled[FILLED_MAX], *rest = NULL;
    Text text = {0};
    if (wanted) {
        claim_fill(&text, wanted, subject);
    }
    /* Half a filter would let too many rows fit. */
    bool fits = !text.failed && text.length < sizeof(filled);
    snprintf(filled, sizeof(filled), "%s", text.data ? text.data : "");
    text_release(&text);
    for (char *word = strtok_r(filled, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
        char *sign = strchr(word, '=');
        bool least = sign > word && sign[-1] == '>';
        sign[least ? -1 : 0] = '\0';
        const Js *value = js_member(object, word);
        fits = fits &&
               (least ? js_num_of(value) >= strtod(sign + 1, NULL) : value_is(value, sign + 1));
    }
    return fits;
}

bool claim_run_fits(const ClaimRun *run, const Js *options, const ClaimSubject *subject)
{
    return object_fits(options, run->needs, subject);
}

bool claim_rows_fit(const ClaimNumber *number, const Js *rows, const ClaimSubject *subject)
{
    bool fits = false;
    for (size_t i = 0; !fits && i < js_length(rows); i++) {
        fits = object_fits(js_at(rows, i), number->where, subject);
    }
    return fits;
}

/* ---- one number ---- */

static double row_number(const Js *row, const char *key, const char *ending)
{
    char name[64];
    snprintf(name, sizeof(name), "%s%s", key, ending);
    return js_num_of(js_member(row, name));
}

Interval claim_counted(double k, double n)
{
    const double z = 1.959963984540054; /* of 95 % */
    if (!(n > 0) || !(k >= 0) || k > n) {
        return (Interval){NAN, NAN, NAN};
    }
    double p = k / n, scale = 1 + z * z / n, middle = (p + z * z / (2 * n)) / scale;
    double half = z / scale * sqrt(p * (1 - p) / n + z * z / (4 * n * n));
    return (Interval){p, k > 0 ? middle - half : 0, k < n ? middle + half : 1};
}

static Interval number_of(const Js *row, const ClaimNumber *number)
{
    Interval out = {row_number(row, number->key, ""), row_number(row, number->key, "_low"),
                    row_number(row, number->key, "_high")};
    if (number->beside) {
        return claim_counted(out.value, out.value + row_number(row, number->beside, ""));
    }
    if (isnan(out.low) || isnan(out.high)) {
        out.low = out.high = out.value;
    }
    if (number->from) {
        double from = row_number(row, number->from, ""), to = row_number(row, number->to, "");
        if (!(to > from)) {
            return (Interval){NAN, NAN, NAN};
        }
        out = (Interval){(out.value - from) / (to - from), (out.low - from) / (to - from),
                         (out.high - from) / (to - from)};
    }
    return out;
}

/* What the claim has to beat: the control that is hardest to beat. false: there is none. */
static bool control_of(Interval *out, const ClaimAsk *ask, const Js *rows,
                       const ClaimSubject *subject)
{
    Interval worst = {NAN, NAN, NAN};
    double sign = ask->side == CLAIM_ABOVE ? 1 : -1;
    if (!ask->control.kind) {
        *out = (Interval){ask->line, ask->line, ask->line};
        return true;
    }
    for (size_t i = 0; i < js_length(rows); i++) {
        if (object_fits(js_at(rows, i), ask->control.where, subject)) {
            Interval control = number_of(js_at(rows, i), &ask->control);
            bool worse = isnan(worst.value) || sign * control.value > sign * worst.value;
            worst = worse && !isnan(control.value) ? control : worst;
        }
    }
    *out = worst;
    return !isnan(worst.value);
}

static ClaimVerdict verdict_of(Interval value, Interval control, ClaimSide side)
{
    bool above = value.low > control.high, below = value.high < control.low;
    if (isnan(value.value) || isnan(control.value)) {
        return VERDICT_OPEN;
    }
    return (side == CLAIM_ABOVE ? above : below)   ? VERDICT_HOLDS
           : (side == CLAIM_ABOVE ? below : above) ? VERDICT_FAILS
                                                   : VERDICT_OPEN;
}

/* A failure decides, then what is open. */
static bool weighs_more(ClaimVerdict a, ClaimVerdict b)
{
    static const int weight[N_CLAIM_VERDICTS] = {0, 2, 1, 3};
    return weight[a] > weight[b];
}

/* ---- a question, a claim ---- */

/* The row, by the columns of ask->tell. */
static void row_tell(ClaimPart *part, const ClaimAsk *ask, const Js *row)
{
    char columns[FILLED_MAX], found[FILLED_MAX], *rest = NULL;
    size_t at = 0;
    snprintf(columns, sizeof(columns), "%s", ask->tell ? ask->tell : "");
    for (char *word = strtok_r(columns, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
        value_write(found, js_member(row, word));
        int n = snprintf(part->row + at, sizeof(part->row) - at, "%s%s", at > 0 ? " " : "", found);
        at += n > 0 && at + (size_t)n < sizeof(part->row) ? (size_t)n : 0;
    }
}

static int part_judge(ClaimPart *part, const ClaimAsk *ask, const ClaimSubject *subject,
                      const ClaimRows *source)
{
    Js *rows = NULL;
    bool any = false, held = false;
    *part = (ClaimPart){.verdict = VERDICT_NEEDS,
                        .value = {NAN, NAN, NAN},
                        .control = {NAN, NAN, NAN},
                        .line = !ask->control.kind};
    int rc = source->read(source->context, &rows, &part->run, ask->run, &ask->number);
    if (rc == 0 && rows) {
        part->verdict = VERDICT_OPEN;
        control_of(&part->control, ask, rows, subject);
    }
    for (size_t i = 0; rc == 0 && i < js_length(rows); i++) {
        if (object_fits(js_at(rows, i), ask->number.where, subject)) {
            Interval value = number_of(js_at(rows, i), &ask->number);
            ClaimVerdict verdict = verdict_of(value, part->control, ask->side);
            if (!any || weighs_more(verdict, part->verdict)) {
                part->value = value;
                part->verdict = verdict;
                row_tell(part, ask, js_at(rows, i));
            }
            any = true;
            held = held || verdict == VERDICT_HOLDS;
        }
    }
    part->disagree = ask->agree && held && part->verdict == VERDICT_FAILS;
    part->verdict = part->disagree ? VERDICT_OPEN : part->verdict;
    js_free(rows);
    return rc;
}

int claim_judge(ClaimFinding *out, const FieldClaim *claim, const ClaimSubject *subject,
                const ClaimRows *rows)
{
    int rc = 0, premise = -1;
    *out = (ClaimFinding){.claim = claim, .verdict = VERDICT_HOLDS};
    for (; rc == 0 && out->n < CLAIM_ASKS_MAX && claim->asks[out->n].what; out->n++) {
        const ClaimAsk *ask = &claim->asks[out->n];
        ClaimPart *part = &out->parts[out->n];
        rc = part_judge(part, ask, subject, rows);
        if (ask->premise && part->verdict != VERDICT_NEEDS) {
            premise = part->verdict == VERDICT_HOLDS ? premise : out->n;
        } else if (weighs_more(part->verdict, out->verdict)) {
            out->verdict = part->verdict;
            out->deciding = out->n;
        }
    }
    if (premise >= 0 && out->verdict != VERDICT_NEEDS) {
        out->verdict = VERDICT_OPEN;
        out->deciding = premise;
    } else if (out->verdict == VERDICT_HOLDS && out->n > 0 && claim->asks[0].premise) {
        out->deciding = out->n - 1;
    }
    return rc;
}

bool claim_lacks(const ClaimFinding *findings, size_t c, int k)
{
    const ClaimRun *run = claim_table[c].asks[k].run;
    for (size_t before = 0; before <= c; before++) {
        for (int part = 0; (before < c || part < k) && part < findings[before].n; part++) {
            if (claim_table[before].asks[part].run == run &&
                findings[before].parts[part].verdict == VERDICT_NEEDS) {
                return false;
            }
        }
    }
    return findings[c].parts[k].verdict == VERDICT_NEEDS;
}
