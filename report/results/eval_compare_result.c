/* report/results/eval_compare_result.c - contract in report/results/eval_compare_result.h. */
#include "report/results/eval_compare_result.h"

#include <string.h>

static const Column columns[] = {
    {"model_hash", .type = COLUMN_TEXT},
    {"other_model_hash", .type = COLUMN_TEXT},
    {"corpus_hash", .type = COLUMN_TEXT},
    {"games", .type = COLUMN_COUNT},
    {"positions", .type = COLUMN_COUNT},
    {"measure", "measure", .type = COLUMN_TEXT},
    {"value", "a", .digits = 4},
    {"other_value", "b", .digits = 4},
    {"difference", "a - b", .digits = 4, .interval = true},
    {"p", .digits = 4},
    {"p_holm", "p (Holm)", .digits = 4,
     .meaning = "paired bootstrap over games, corrected for all measures"},
    {"differs", "differs", .type = COLUMN_YES_NO},
};
const TableSpec eval_tests_table = {.name = "tests", .kind = "eval_tests", TABLE_COLUMNS(columns)};

/* "strict_error" as a person says it. */
static void measure_add(Text *text, const char *measure)
{
    for (const char *c = measure; *c != '\0'; c++) {
        text_add(text, "%c", *c == '_' ? ' ' : *c);
    }
}

/* The measures that speak for one side, as a list of words. */
static int side_add(Text *text, const EvalCompareFindings *found, LegalitySide side)
{
    int n = 0;
    for (size_t i = 0; i < LEGALITY_MEASURES; i++) {
        if (legality_side(&found->differences[i]) == side) {
            text_add(text, n++ > 0 ? ", " : "");
            measure_add(text, found->differences[i].measure);
        }
    }
    return n;
}

/* Which network is better, in one sentence; returns "a", "b", or NULL. */
static const char *verdict(Text *sentence, const EvalCompareFindings *found)
{
    Text for_a = {0}, for_b = {0};
    const int n_a = side_add(&for_a, found, LEGALITY_A), n_b = side_add(&for_b, found, LEGALITY_B);
    if (n_a > 0 && n_b > 0) {
        text_add(sentence, "a is better by %s, b by %s", for_a.data, for_b.data);
    } else if (n_a + n_b > 0) {
        text_add(sentence, "%s is better by %s", n_a > 0 ? "a" : "b",
                 n_a > 0 ? for_a.data : for_b.data);
    } else {
        text_add(sentence, "the two are not told apart on these games");
    }
    text_release(&for_a);
    text_release(&for_b);
    return n_a > 0 && n_b == 0 ? "a" : n_b > 0 && n_a == 0 ? "b" : NULL;
}

static void head_add(Text *text, const EvalCompareFindings *found)
{
    text_add(text, "a %s\nb %s\n%zu games, %.0f positions, of the %s split\n", found->names[0],
             found->names[1], found->n_games, found->positions, found->split);
    if (found->seen->of.unknown) {
        text_add(text, "whether training had some of these games is not known: %s\n",
                 found->seen->of.unknown);
    } else if (found->seen->left_out > 0) {
        text_add(text, "%llu games that training of either had are left out\n",
                 (unsigned long long)found->seen->left_out);
    }
}

void eval_compare_report(Report *report, const EvalCompareFindings *found)
{
    Text sentence = {0};
    head_add(report_text(report), found);
    Table *table = report_table(report, &eval_tests_table);
    for (size_t i = 0; i < LEGALITY_MEASURES; i++) {
        const LegalityDifference *one = &found->differences[i];
        table_row(table);
        table_text(table, "model_hash", found->model_hashes[0]);
        table_text(table, "other_model_hash", found->model_hashes[1]);
        table_text(table, "corpus_hash", found->corpus_hash);
        table_int(table, "games", (int64_t)found->n_games);
        table_int(table, "positions", (int64_t)found->positions);
        table_text(table, "measure", one->measure);
        table_num(table, "value", one->a);
        table_num(table, "other_value", one->b);
        table_interval(table, "difference", one->test.difference);
        table_num(table, "p", one->test.p);
        table_num(table, "p_holm", one->test.p_holm);
        table_bool(table, "differs", legality_side(one) != LEGALITY_NONE);
    }
    const char *better = verdict(&sentence, found);
    text_add(report_text(report), "\n%s (paired by game, Holm, %.0f %%)\n", sentence.data,
             100 * LEGALITY_DIFFERS_BELOW);
    report_json(report, "a", js_str(found->names[0]));
    report_json(report, "b", js_str(found->names[1]));
    report_json(report, "split", js_str(found->split));
    if (!found->seen->of.unknown) {
        report_json(report, "seen_games", js_int((int64_t)found->seen->left_out));
    }
    report_json(report, "better", better ? js_str(better) : js_null());
    report_json(report, "verdict", js_str(sentence.data ? sentence.data : ""));
    text_release(&sentence);
}
