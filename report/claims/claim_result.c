/* report/claims/claim_result.c - contract in report/claims/claim_result.h. */
#include "report/claims/claim_result.h"

#include <math.h>

static const Column claim_columns[] = {
    {"claim", "no", .type = COLUMN_COUNT},
    {"statement", "claim", .type = COLUMN_TEXT},
    {"network", "network", .type = COLUMN_TEXT},
    {"verdict", "verdict", .type = COLUMN_TEXT},
    {"asked", "asked", .type = COLUMN_TEXT},
    {"which_row", "row", .type = COLUMN_TEXT},
    {"measured", "measured here", .type = COLUMN_TEXT},
    {"compared_with", "compared with", .type = COLUMN_TEXT},
    {"value", .interval = true, .digits = -1},
    {"control", .interval = true, .digits = -1},
    {"source", "source", .type = COLUMN_TEXT},
    {"published", "published", .type = COLUMN_TEXT},
    {"rule", "rule", .type = COLUMN_TEXT},
    {"lacking", "what the run lacks", .type = COLUMN_TEXT},
    {"from_runs", "runs", .type = COLUMN_TEXT},
    {"typed", "command", .type = COLUMN_TEXT},
    {"model_hash", .type = COLUMN_TEXT},
};
const TableSpec claims_table = {"claims", "claims", "claims of the field, judged by stored results",
                                TABLE_COLUMNS(claim_columns)};

static const Column part_columns[] = {
    {"claim", "no", .type = COLUMN_COUNT},
    {"network", "network", .type = COLUMN_TEXT},
    {"asked", "asked", .type = COLUMN_TEXT},
    {"which_row", "row", .type = COLUMN_TEXT},
    {"premise", "premise", .type = COLUMN_YES_NO},
    {"verdict", "verdict", .type = COLUMN_TEXT},
    {"measured", "measured here", .type = COLUMN_TEXT},
    {"compared_with", "compared with", .type = COLUMN_TEXT},
    {"value", .interval = true, .digits = -1},
    {"control", .interval = true, .digits = -1},
    {"from_run", "run", .type = COLUMN_COUNT},
    {"typed", "command", .type = COLUMN_TEXT},
};
const TableSpec claim_parts_table = {"parts", "claim_parts", "the questions of each claim",
                                     TABLE_COLUMNS(part_columns)};

void claim_commands(Text *out, const ClaimRun *run, const ClaimSubject *subject,
                    const char *command_end)
{
    for (int i = 0; i < CLAIM_LINES_MAX && run->lines[i]; i++) {
        text_add(out, "%sogpt ", i > 0 ? " && " : "");
        claim_fill(out, run->lines[i], subject);
        text_add(out, "%s", command_end);
    }
}

/* "46.1 % [44.3, 48.6]"; nothing if there is no number. */
static void number_add(Text *out, const ClaimAsk *ask, Interval value)
{
    double factor = ask->percent ? 100 : 1;
    if (isnan(value.value)) {
        return;
    }
    text_add(out, "%.*f%s", ask->digits, factor * value.value, ask->percent ? " %" : "");
    if (value.low != value.high) {
        text_add(out, " [%.*f, %.*f]", ask->digits, factor * value.low, ask->digits,
                 factor * value.high);
    }
}

static void control_add(Text *out, const ClaimAsk *ask, const ClaimPart *part)
{
    text_add(out, "%s", ask->beyond);
    if (!part->line && !isnan(part->control.value)) {
        text_add(out, ": ");
        number_add(out, ask, part->control);
    }
}

static void text_set(Table *table, const char *key, Text *text)
{
    table_text(table, key, text->length > 0 ? text->data : NULL);
    text_release(text);
}

/* Whether there is a run, and it has no row that answers. */
static bool part_lacks(const ClaimPart *part)
{
    return part->run > 0 && isnan(part->value.value);
}

/* Numbers of a question, into the row of either table. */
static void part_set(Table *table, const ClaimAsk *ask, const ClaimPart *part)
{
    Text measured = {0}, control = {0};
    table_text(table, "asked", ask->what);
    table_text(table, "which_row", part->row[0] != '\0' ? part->row : NULL);
    number_add(&measured, ask, part->value);
    control_add(&control, ask, part);
    text_set(table, "measured", &measured);
    text_set(table, "compared_with", &control);
    table_interval(table, "value", part->value);
    table_interval(table, "control", part->control);
}

/* The runs and command lines of all questions, each once. */
static void sources_set(Table *table, const ClaimFinding *finding, const ClaimSubject *subject,
                        const char *command_end)
{
    Text runs = {0}, lines = {0};
    for (int i = 0; i < finding->n; i++) {
        const ClaimRun *run = finding->claim->asks[i].run;
        bool again = false;
        for (int k = 0; k < i; k++) {
            again = again || finding->claim->asks[k].run == run;
        }
        if (!again) {
            text_add(&lines, "%s", lines.length > 0 ? " && " : "");
            claim_commands(&lines, run, subject, command_end);
            if (finding->parts[i].run > 0) {
                text_add(&runs, "%s%lld", runs.length > 0 ? ", " : "",
                         (long long)finding->parts[i].run);
            }
        }
    }
    text_set(table, "from_runs", &runs);
    text_set(table, "typed", &lines);
}

static void claim_row(Table *table, const ClaimFinding *finding, const ClaimSubject *subject,
                      const char *command_end)
{
    const FieldClaim *claim = finding->claim;
    table_row(table);
    table_int(table, "claim", claim->number);
    table_text(table, "statement", claim->statement);
    table_text(table, "network", subject->network);
    table_text(table, "verdict", claim_verdict_name(finding->verdict));
    if (finding->n > 0) {
        part_set(table, &claim->asks[finding->deciding], &finding->parts[finding->deciding]);
    }
    table_text(table, "source", claim->source);
    table_text(table, "published", claim->published);
    table_text(table, "rule", claim->rule);
    if (finding->n > 0 && part_lacks(&finding->parts[finding->deciding])) {
        table_text(table, "lacking", claim->asks[finding->deciding].demand);
    }
    sources_set(table, finding, subject, command_end);
    table_text(table, "model_hash", subject->model_hash);
}

static void part_row(Table *table, const ClaimFinding *finding, int i, const ClaimSubject *subject,
                     const char *command_end)
{
    const ClaimAsk *ask = &finding->claim->asks[i];
    Text line = {0};
    table_row(table);
    table_int(table, "claim", finding->claim->number);
    table_text(table, "network", subject->network);
    part_set(table, ask, &finding->parts[i]);
    table_bool(table, "premise", ask->premise);
    table_text(table, "verdict", claim_verdict_name(finding->parts[i].verdict));
    if (finding->parts[i].run > 0) {
        table_int(table, "from_run", finding->parts[i].run);
    }
    claim_commands(&line, ask->run, subject, command_end);
    text_set(table, "typed", &line);
}

/* ---- for people ---- */

static void answer_print(Text *text, const ClaimAsk *ask, const ClaimPart *part)
{
    text_add(text, "      %s%s%s%s: ", ask->what, part->row[0] ? " (" : "", part->row,
             part->row[0] ? ")" : "");
    if (isnan(part->value.value)) {
        text_add(text, "run %lld has no %s\n", (long long)part->run,
                 ask->demand ? ask->demand : "such row");
        return;
    }
    number_add(text, ask, part->value);
    text_add(text, " against ");
    control_add(text, ask, part);
    text_add(text, "%s", part->disagree ? "; other rows say the opposite" : "");
    text_add(text, "  (run %lld)\n", (long long)part->run);
}

/* The questions of one claim about one network: those that were answered, and what is to be typed
 * for the others. */
static void network_print(Text *text, const ClaimFinding *finding, const ClaimSubject *subject,
                          const char *command_end)
{
    text_add(text, "    %s: %s\n", subject->network, claim_verdict_name(finding->verdict));
    for (int i = 0; i < finding->n; i++) {
        const ClaimAsk *ask = &finding->claim->asks[i];
        const ClaimPart *part = &finding->parts[i];
        bool said = false;
        if (part->verdict != VERDICT_NEEDS) {
            answer_print(text, ask, part);
        }
        if (part->verdict != VERDICT_NEEDS && !(ask->demand && part_lacks(part))) {
            continue;
        }
        for (int k = 0; k < i; k++) { /* said for a question before */
            const ClaimPart *before = &finding->parts[k];
            said = said || (finding->claim->asks[k].run == ask->run &&
                            (before->verdict == VERDICT_NEEDS || part_lacks(before)));
        }
        for (int k = 0; !said && k < CLAIM_LINES_MAX && ask->run->lines[k]; k++) {
            text_add(text, "      needs  ogpt ");
            claim_fill(text, ask->run->lines[k], subject);
            text_add(text, "%s\n", command_end);
        }
    }
}

static void claim_print(Text *text, const ClaimsFound *found, size_t c)
{
    const FieldClaim *claim = &claim_table[c];
    text_add(text, "%s%2d  %s\n    %s%s%s\n", c > 0 ? "\n" : "", claim->number, claim->statement,
             claim->source, claim->published ? ": " : "", claim->published ? claim->published : "");
    if (found->wide) {
        text_add(text, "    %s\n", claim->rule);
    }
    for (size_t i = 0; i < found->n; i++) {
        network_print(text, &found->findings[i * CLAIM_MAX + c], &found->subjects[i],
                      found->command_end);
    }
}

void claim_report(Report *report, const ClaimsFound *found)
{
    Table *claims = report_table(report, &claims_table);
    Table *parts = report_table(report, &claim_parts_table);
    Text *text = report_text(report);
    claims->hidden = parts->hidden = true; /* the text says it */
    for (size_t c = 0; c < CLAIM_MAX; c++) {
        claim_print(text, found, c);
        for (size_t i = 0; i < found->n; i++) {
            const ClaimFinding *finding = &found->findings[i * CLAIM_MAX + c];
            claim_row(claims, finding, &found->subjects[i], found->command_end);
            for (int k = 0; k < finding->n; k++) {
                part_row(parts, finding, k, &found->subjects[i], found->command_end);
            }
        }
    }
}
