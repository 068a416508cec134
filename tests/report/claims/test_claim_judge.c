/* tests/report/claims/test_claim_judge.c - verdicts over planted rows: every question of every
 * claim holds, fails and is not decided; what is missing is named.
 */
#include "tests/base/base_test.h"

#include <math.h>
#include <stdio.h>

#include "report/claims/claim_result.h"

static const ClaimSubject subject = {
    .network = "net", .typed = "net", .size = 8, .late = 30, .model_hash = "aa"};

/* Rows by kind. */
typedef struct PlantedRows {
    Js *kinds; /* object of kind -> array */
} PlantedRows;

static int planted_read(void *context, Js **rows, int64_t *number, const ClaimRun *run,
                        const ClaimNumber *wanted)
{
    const PlantedRows *planted = context;
    const Js *there = js_member(planted->kinds, wanted->kind);
    (void)run;
    *rows = there ? js_keep(there) : NULL;
    *number = there ? 7 : 0;
    return 0;
}

/* A row of a kind with the first of each alternative of `where`. */
static void plant(PlantedRows *planted, const ClaimNumber *number, double low, double high)
{
    char where[256] = "", key[80], *rest = NULL;
    Text filled = {0};
    Js *row = js_object();
    Js *list = js_keep(js_member(planted->kinds, number->kind));
    claim_fill(&filled, number->where ? number->where : "", &subject);
    snprintf(where, sizeof(where), "%s", filled.data ? filled.data : "");
    text_release(&filled);
    for (char *word = strtok_r(where, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
        char *value = strchr(word, '='), *end = NULL;
        *value++ = '\0';
        word[strcspn(word, ">")] = '\0';
        value[strcspn(value, "|")] = '\0';
        double as_number = strtod(value, &end);
        js_set(row, word, *end == '\0' ? js_num(as_number) : js_str(value));
    }
    if (number->beside) { /* counts: of a thousand */
        js_set_num(row, number->key, round(500 * (low + high)));
        js_set_num(row, number->beside, 1000 - round(500 * (low + high)));
    } else {
        double from = number->from ? 1 : 0, to = number->from ? 3 : 1;
        if (number->from) {
            js_set_num(row, number->from, from);
            js_set_num(row, number->to, to);
        }
        js_set_num(row, number->key, from + (low + high) / 2 * (to - from));
        snprintf(key, sizeof(key), "%s_low", number->key);
        js_set_num(row, key, from + low * (to - from));
        snprintf(key, sizeof(key), "%s_high", number->key);
        js_set_num(row, key, from + high * (to - from));
    }
    if (!list) {
        list = js_array();
    }
    js_push(list, row);
    js_set(planted->kinds, number->kind, list);
}

static ClaimFinding judged(const FieldClaim *claim, PlantedRows *planted)
{
    ClaimFinding finding;
    const ClaimRows rows = {planted_read, planted};
    assert_int_equal(claim_judge(&finding, claim, &subject, &rows), 0);
    return finding;
}

/* Two numbers of one row are planted as two rows: the claim's own judging must not mind. */
static bool same_row(const ClaimNumber *a, const ClaimNumber *b)
{
    return b->kind && strcmp(a->kind, b->kind) == 0 && a->where && b->where &&
           strcmp(a->where, b->where) == 0;
}

/* A claim of one question alone, its control in a row of its own. */
static ClaimVerdict asked(const ClaimAsk *ask, double low, double high)
{
    FieldClaim claim = {.number = 1, .statement = "s", .source = "s", .asks = {*ask}};
    PlantedRows planted = {js_object()};
    claim.asks[0].premise = false;
    if (same_row(&ask->number, &ask->control)) {
        claim.asks[0].control.where = "control=1";
    }
    plant(&planted, &claim.asks[0].number, low, high);
    if (ask->control.kind) {
        plant(&planted, &claim.asks[0].control, ask->line - .02, ask->line + .02);
    }
    ClaimVerdict verdict = judged(&claim, &planted).verdict;
    js_free(planted.kinds);
    return verdict;
}

static void every_question_has_three_answers(void **state)
{
    size_t n_asks = 0;
    (void)state;
    for (size_t c = 0; c < CLAIM_MAX; c++) {
        for (int k = 0; k < CLAIM_ASKS_MAX && claim_table[c].asks[k].what; k++) {
            ClaimAsk ask = claim_table[c].asks[k];
            assert_true(!ask.control.kind || strcmp(ask.control.kind, ask.number.kind) == 0);
            bool above = ask.side == CLAIM_ABOVE;
            ask.line = ask.control.kind ? .5 : ask.line;
            ClaimVerdict over = asked(&ask, ask.line + .07, ask.line + .09);
            ClaimVerdict under = asked(&ask, ask.line - .09, ask.line - .07);
            assert_int_equal(over, above ? VERDICT_HOLDS : VERDICT_FAILS);
            assert_int_equal(under, above ? VERDICT_FAILS : VERDICT_HOLDS);
            if (!ask.number.beside) {
                assert_int_equal(asked(&ask, ask.line - .05, ask.line + .2), VERDICT_OPEN);
            } else {
                assert_int_equal(asked(&ask, ask.line, ask.line), VERDICT_OPEN);
            }
            /* Beyond the value of the control, and still within its interval. */
            if (ask.control.kind) {
                assert_int_equal(asked(&ask, ask.line + .01, ask.line + .03), VERDICT_OPEN);
            }
            n_asks++;
        }
    }
    assert_true(n_asks >= 12);
}

static void every_claim_is_whole(void **state)
{
    (void)state;
    for (int c = 0; c < CLAIM_MAX; c++) {
        const FieldClaim *claim = &claim_table[c];
        PlantedRows nothing = {js_object()};
        assert_int_equal(claim->number, c + 1);
        assert_true(claim->statement && claim->source && claim->rule);
        assert_non_null(claim->asks[0].what);
        assert_int_equal(judged(claim, &nothing).verdict, VERDICT_NEEDS);
        js_free(nothing.kinds);
    }
}

static Js *parsed(const char *text)
{
    Js *value = NULL;
    assert_int_equal(js_parse(&value, text, strlen(text), "rows"), 0);
    return value;
}

static ClaimFinding judged_text(int number, const char *kinds)
{
    PlantedRows planted = {parsed(kinds)};
    ClaimFinding finding = judged(&claim_table[number - 1], &planted);
    js_free(planted.kinds);
    return finding;
}

/* Rows as commands store them, by hand. */
static void stored_rows_are_judged(void **state)
{
    (void)state;
    /* One control of several is as large. */
    const char *rules =
        "{\"neuron_layers\":["
        "{\"layer\":5,\"arm\":\"trained\",\"rules\":0.4,\"rules_low\":0.38,"
        "\"rules_high\":0.42,\"linear\":0.1,\"linear_low\":0.09,\"linear_high\":0.11},"
        "{\"layer\":5,\"arm\":\"random\",\"rules\":0.0},"
        "{\"layer\":5,\"arm\":\"%s\",\"rules\":0.41,\"rules_low\":0.4,"
        "\"rules_high\":0.43},"
        "{\"layer\":4,\"arm\":\"rotated\",\"rules\":0.9}]}";
    char text[800];
    snprintf(text, sizeof(text), rules, "shuffled");
    ClaimFinding finding = judged_text(1, text);
    assert_int_equal(finding.verdict, VERDICT_OPEN);
    assert_int_equal(finding.deciding, 0);
    assert_true(finding.parts[0].control.value == .41);
    snprintf(text, sizeof(text), rules, "another");
    assert_int_equal(judged_text(1, text).verdict, VERDICT_HOLDS);
    /* Layer 5 is not there: not decided, and not "no run". */
    assert_int_equal(judged_text(1, "{\"neuron_layers\":[{\"layer\":3,\"arm\":\"trained\","
                                    "\"rules\":0.4}]}")
                         .verdict,
                     VERDICT_OPEN);
    /* Rows that disagree decide nothing; rows of earlier moves do not count. */
    const char *order =
        "{\"lens_order\":["
        "{\"board_criterion\":\"board\",\"move_criterion\":\"tuned\",\"ply_from\":30,"
        "\"lead\":0.4,\"lead_low\":0.3,\"lead_high\":0.5},"
        "{\"board_criterion\":\"board_moves\",\"move_criterion\":\"tuned\","
        "\"ply_from\":%d,\"lead\":-0.3,\"lead_low\":-0.4,\"lead_high\":-0.2},"
        "{\"board_criterion\":\"board_moves\",\"move_criterion\":\"tuned\","
        "\"ply_from\":50,\"lead\":%g,\"lead_low\":%g,\"lead_high\":%g}]}";
    snprintf(text, sizeof(text), order, 30, .3, .2, .4);
    finding = judged_text(8, text);
    assert_int_equal(finding.verdict, VERDICT_OPEN);
    assert_true(finding.parts[0].verdict == VERDICT_HOLDS && !finding.parts[0].disagree);
    assert_true(finding.parts[1].disagree && finding.parts[1].value.value == -.3);
    snprintf(text, sizeof(text), order, 30, .3, -.2, .8); /* the move leads by none */
    finding = judged_text(8, text);
    assert_int_equal(finding.verdict, VERDICT_FAILS);
    assert_false(finding.parts[1].disagree);
    assert_true(finding.deciding == 1 && finding.parts[1].value.value == -.3);
    assert_string_equal(finding.parts[1].row, "tuned null 30 null");
    snprintf(text, sizeof(text), order, 20, .3, .2, .4);
    assert_int_equal(judged_text(8, text).verdict, VERDICT_HOLDS);
    /* Where rows need not agree, one that fails is enough. */
    assert_int_equal(judged_text(7, "{\"heads\":[{\"knowing\":19,\"counting\":1},"
                                    "{\"knowing\":1,\"counting\":19}]}")
                         .verdict,
                     VERDICT_FAILS);
    /* Heads: 9 of 10 count. 3 that know and 2 that count decide nothing. */
    assert_int_equal(judged_text(7, "{\"heads\":[{\"knowing\":1,\"counting\":9}]}").verdict,
                     VERDICT_FAILS);
    assert_int_equal(judged_text(7, "{\"heads\":[{\"knowing\":9,\"counting\":1}]}").verdict,
                     VERDICT_HOLDS);
    assert_int_equal(judged_text(7, "{\"heads\":[{\"knowing\":3,\"counting\":2}]}").verdict,
                     VERDICT_OPEN);
    assert_int_equal(judged_text(7, "{\"heads\":[{\"knowing\":0,\"counting\":0}]}").verdict,
                     VERDICT_OPEN);
}

static void printed(Text *text, const ClaimFinding findings[CLAIM_MAX])
{
    Report report;
    report_init(&report);
    claim_report(&report, &(ClaimsFound){&subject, findings, 1, "", true});
    assert_int_equal(report_check(&report), 0);
    report_print(text, &report, (TextStyle){.width = 200});
    const Js *row = js_at(report_table_at(&report, 0)->rows, 2);
    const char *lacking = js_str_of(js_member(row, "lacking"));
    assert_int_equal(!lacking, !strstr(text->data, "run 7 has no "));
    report_release(&report);
}

/* FieldClaim 3: autoencoders, and twins, of too few rows decide nothing, and that is said. */
static void toys_decide_nothing(void **state)
{
    static const int64_t trained[][3] = {
        {900000, 200000, 1}, {899999, 200000, 0}, {2000000, 199999, 0}, {0, 0, 0}};
    (void)state;
    for (int i = 0; i < 4; i++) {
        char text[600];
        Text text_out = {0};
        ClaimFinding findings[CLAIM_MAX];
        PlantedRows nothing = {js_object()};
        for (size_t c = 0; c < CLAIM_MAX; c++) {
            findings[c] = judged(&claim_table[c], &nothing);
        }
        snprintf(text, sizeof(text),
                 "{\"sae_differences\":["
                 "{\"group_l0\":8,\"twin\":\"neurons\",\"coverage\":0.2,\"coverage_low\":0.1,"
                 "\"coverage_high\":0.3,\"activations\":%lld},"
                 "{\"group_l0\":8,\"twin\":\"random_weights\",\"coverage\":0.2,"
                 "\"coverage_low\":0.1,\"coverage_high\":0.3,\"activations\":%lld,"
                 "\"twin_activations\":%lld}]}",
                 (long long)trained[i][0], (long long)trained[i][0], (long long)trained[i][1]);
        findings[2] = judged_text(3, text);
        assert_int_equal(findings[2].verdict, trained[i][2] ? VERDICT_HOLDS : VERDICT_OPEN);
        printed(&text_out, findings);
        bool said = strstr(text_out.data, "run 7 has no autoencoder that was trained on 900,000");
        assert_int_equal(said, !trained[i][2]);
        /* And what to type, once. */
        const char *typed = strstr(text_out.data, "needs  ogpt sae eval net");
        assert_int_equal(!typed, trained[i][2]);
        assert_true(!typed || !strstr(typed + 1, "needs  ogpt sae eval net"));
        text_release(&text_out);
        js_free(nothing.kinds);
    }
}

/* FieldClaim 11: little is left, or as much with older positions. */
static void the_answer_has_to_be_left_and_by_the_last_positions(void **state)
{
    static const struct {
        double score, elsewhere;
        ClaimVerdict verdict;
    } rows[] = {{.97, .5, VERDICT_HOLDS},
                {.79, .5, VERDICT_FAILS},
                {.97, .99, VERDICT_FAILS},
                {.9, .5, VERDICT_OPEN}};
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        char text[400];
        snprintf(text, sizeof(text),
                 "{\"scrub_rows\":[{\"kind\":\"full\",\"score\":1},{\"kind\":\"hypothesis\","
                 "\"score\":%g,\"score_low\":%g,\"score_high\":%g},{\"kind\":\"elsewhere\","
                 "\"score\":%g}]}",
                 rows[i].score, rows[i].score - .005, rows[i].score + .005, rows[i].elsewhere);
        assert_int_equal(judged_text(11, text).verdict, rows[i].verdict);
    }
}

/* FieldClaim 10: without its premise nothing follows from the drift. */
static void a_premise_decides_whether_there_is_a_question(void **state)
{
    const char *edit = "{\"edit_results\":[{\"closed\":%g,\"closed_low\":%g,\"closed_high\":%g,"
                       "\"self_error\":0.1,\"null_error\":2.1,\"drift\":%g,\"drift_low\":%g,"
                       "\"drift_high\":%g}]}";
    char text[400];
    (void)state;
    snprintf(text, sizeof(text), edit, .9, .85, .95, 2., 1.9, 2.1);
    ClaimFinding finding = judged_text(10, text);
    assert_int_equal(finding.verdict, VERDICT_FAILS);
    assert_true(finding.deciding == 1 && fabs(finding.parts[1].value.value - .95) < 1e-12);
    assert_true(fabs(finding.parts[1].value.low - .9) < 1e-12);
    snprintf(text, sizeof(text), edit, .9, .85, .95, .4, .3, .5);
    assert_int_equal(judged_text(10, text).verdict, VERDICT_HOLDS);
    snprintf(text, sizeof(text), edit, .5, .4, .6, .4, .3, .5);
    finding = judged_text(10, text);
    assert_int_equal(finding.verdict, VERDICT_OPEN);
    assert_int_equal(finding.deciding, 0);
    snprintf(text, sizeof(text), edit, .2, .1, .3, 2., 1.9, 2.1);
    assert_int_equal(judged_text(10, text).verdict, VERDICT_OPEN);
}

/* FieldClaim 4: where the network errs on both boards `closed` is far from 0 by chance, and decides
 * nothing; what an edit removes beside a random direction does. */
static void what_was_chosen_for_its_errors_is_not_asked_for_its_gap(void **state)
{
    const char *rows =
        "{\"world_adversaries\":["
        "{\"player\":\"network\",\"opponent\":\"illegal\",\"success\":0.6,\"success_low\":0.5,"
        "\"success_high\":0.7},"
        "{\"player\":\"network\",\"opponent\":\"misread\",\"success\":0.3,\"success_low\":0.2,"
        "\"success_high\":0.4}],\"edit_results\":[{\"cases\":%d,\"closed\":1.57,"
        "\"closed_low\":1.24,\"closed_high\":2.18,\"removed\":%g,\"removed_low\":%g,"
        "\"removed_high\":%g,\"random_removed\":0.01,\"random_removed_low\":-0.02,"
        "\"random_removed_high\":0.04}]}";
    char text[700];
    (void)state;
    snprintf(text, sizeof(text), rows, 500, .22, .2, .24);
    ClaimFinding finding = judged_text(4, text);
    assert_true(finding.verdict == VERDICT_FAILS && finding.deciding == 1);
    assert_true(finding.parts[1].value.value == .22 && finding.parts[1].control.value == .01);
    snprintf(text, sizeof(text), rows, 500, .02, -.01, .05);
    assert_int_equal(judged_text(4, text).verdict, VERDICT_OPEN);
    snprintf(text, sizeof(text), rows, 500, -.1, -.2, -.05);
    assert_int_equal(judged_text(4, text).verdict, VERDICT_HOLDS);
    snprintf(text, sizeof(text), rows, 19, .22, .2, .24); /* too few cases */
    assert_int_equal(judged_text(4, text).verdict, VERDICT_OPEN);
}

/* A run of one layer, method or scale is another question than that of a claim. */
static void a_narrower_edit_is_not_the_claims(void **state)
{
    static const char *const narrower[][2] = {{"layers", "1"},       {"scale", "3"},
                                              {"method", "project"}, {"preset", "nanda"},
                                              {"rule", "threshold"}, {"positions", "all"}};
    static const int claims[] = {4, 10};
    static const char *const files[] = {
        "claims-found-aa/cases.csv\",\"tune\":\"claims-any-tune-8x8",
        "claims-cases-8x8.csv\",\"tune\":\"claims-tune-8x8"};
    (void)state;
    for (int c = 0; c < 2; c++) {
        const ClaimRun *run = claim_table[claims[c] - 1].asks[1].run;
        char text[600];
        snprintf(text, sizeof(text),
                 "{\"cases\":\"%s.csv\",\"method\":null,\"preset\":null,\"probe\":null,"
                 "\"layers\":null,\"scale\":null,\"site\":null,\"direction\":\"difference\","
                 "\"positions\":\"last\",\"probe-layer\":-1,\"ignore-bias\":false,"
                 "\"rule\":\"topn\",\"no-by-layer\":true}",
                 files[c]);
        Js *options = parsed(text);
        assert_true(claim_run_fits(run, options, &subject));
        for (size_t i = 0; i < sizeof(narrower) / sizeof(*narrower); i++) {
            Js *changed = parsed(text);
            js_set_str(changed, narrower[i][0], narrower[i][1]);
            assert_false(claim_run_fits(run, changed, &subject));
            js_free(changed);
        }
        js_free(options);
    }
}

/* FieldClaim 4 has two commands: with one of them run, the other is asked for. */
static void half_of_the_rows_ask_for_the_rest(void **state)
{
    ClaimFinding finding = judged_text(4, "{\"edit_results\":[{\"cases\":99,\"removed\":0.95,"
                                          "\"removed_low\":0.93,\"removed_high\":0.97,"
                                          "\"random_removed\":0.01}]}");
    Text text = {0};
    (void)state;
    assert_int_equal(finding.verdict, VERDICT_NEEDS);
    assert_int_equal(finding.deciding, 0);
    assert_int_equal(finding.parts[1].verdict, VERDICT_FAILS);
    claim_commands(&text, claim_table[3].asks[1].run, &subject, " --store r.db");
    assert_non_null(
        strstr(text.data, " && ogpt cases make claims-any-tune-8x8.csv --n 200 --size 8 "));
    assert_non_null(strstr(text.data, " && ogpt intervene net --cases claims-found-"));
    text_release(&text);
}

/* Wilson's interval: published values (Newcombe 1998, table I: 81 of 263, 15 of 148, 0 of 20). */
static void counts_have_their_published_intervals(void **state)
{
    (void)state;
    const Interval many = claim_counted(81, 263), few = claim_counted(15, 148),
                   none = claim_counted(0, 20), all = claim_counted(20, 20);
    assert_true(fabs(many.low - .2553) < 5e-5 && fabs(many.high - .3662) < 5e-5);
    assert_true(fabs(few.low - .0624) < 5e-5 && fabs(few.high - .1605) < 5e-5);
    assert_true(none.low == 0 && fabs(none.high - .1611) < 5e-5);
    assert_true(all.high == 1 && fabs(all.low - .8389) < 5e-5);
    /* Negative twin: the normal interval would be as long on both sides. */
    assert_true(many.value - many.low < many.high - many.value);
    assert_true(isnan(claim_counted(0, 0).value) && isnan(claim_counted(3, 2).low));
}

/* What a command writes has a name of its own for each of two networks of one size. */
static void two_networks_do_not_write_one_file(void **state)
{
    ClaimSubject one = subject, other = subject;
    Text texts[2] = {{0}};
    (void)state;
    one.model_hash = "0123456789ab";
    other.model_hash = "ba9876543210";
    claim_commands(&texts[0], claim_table[2].asks[0].run, &one, "");
    claim_commands(&texts[1], claim_table[2].asks[0].run, &other, "");
    assert_non_null(strstr(texts[0].data, " --out claims-sae-01234567 && "));
    assert_non_null(strstr(texts[0].data, "sae eval net claims-sae-01234567 "));
    assert_non_null(strstr(texts[1].data, " --out claims-sae-ba987654 && "));
    assert_string_not_equal(texts[0].data, texts[1].data);
    text_release(&texts[0]);
    text_release(&texts[1]);
}

static void options_that_a_claim_needs(void **state)
{
    const ClaimRun run = {.command = "x", .needs = "legal=false pairs=p-{size}.csv threshold=0.7"};
    Js *options = parsed("{\"legal\":false,\"pairs\":\"p-8x8.csv\",\"threshold\":0.7}");
    (void)state;
    assert_true(claim_run_fits(&run, options, &subject));
    js_set_bool(options, "legal", true);
    assert_false(claim_run_fits(&run, options, &subject));
    js_set_bool(options, "legal", false);
    js_set_str(options, "pairs", "p-6x6.csv");
    assert_false(claim_run_fits(&run, options, &subject));
    js_set_str(options, "pairs", "p-8x8.csv");
    js_set_num(options, "threshold", .8);
    assert_false(claim_run_fits(&run, options, &subject));
    js_free(options);
}

/* What is cut off of a filter, here legal=true, is not forgotten. */
static void a_filter_that_is_too_long_fits_nothing(void **state)
{
    char name[316];
    const ClaimRun run = {.command = "x", .needs = "net={net} legal=true"};
    ClaimSubject named = subject;
    Js *options = js_object();
    (void)state;
    for (size_t length = 200; length < sizeof(name); length += sizeof(name) - 1 - 200) {
        memset(name, 'x', length);
        name[length] = '\0';
        named.typed = name;
        js_set_str(options, "net", name);
        js_set_bool(options, "legal", true);
        assert_int_equal(claim_run_fits(&run, options, &named), length == 200);
        js_set_bool(options, "legal", false);
        assert_false(claim_run_fits(&run, options, &named));
    }
    js_free(options);
}

/* The report has a row for each claim and network, and says what to type. */
static void a_report_of_nothing_says_what_to_type(void **state)
{
    ClaimFinding findings[CLAIM_MAX];
    PlantedRows nothing = {js_object()};
    Report report;
    Text text = {0}, markdown = {0};
    (void)state;
    for (size_t c = 0; c < CLAIM_MAX; c++) {
        findings[c] = judged(&claim_table[c], &nothing);
    }
    report_init(&report);
    claim_report(&report, &(ClaimsFound){&subject, findings, 1, "", true});
    assert_int_equal(report_check(&report), 0);
    assert_int_equal(table_rows(report_table_at(&report, 0)), CLAIM_MAX);
    report_print(&text, &report, (TextStyle){.width = 200});
    assert_non_null(strstr(text.data, "needs  ogpt neurons net\n"));
    assert_non_null(strstr(text.data, "needs  ogpt scrub net --hypothesis previous-colour-8x8\n"));
    assert_null(strstr(text.data, "against"));
    table_markdown(&markdown, report_table_at(&report, 0));
    assert_non_null(strstr(markdown.data, "| no | claim |"));
    assert_non_null(strstr(markdown.data, "no run yet"));
    assert_null(strstr(markdown.data, "measured here")); /* a column without a value */
    assert_non_null(strstr(markdown.data, "atp\\*"));    /* and no markup by chance */
    text_release(&text);
    text_release(&markdown);
    report_release(&report);
    js_free(nothing.kinds);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_question_has_three_answers),
        cmocka_unit_test(every_claim_is_whole),
        cmocka_unit_test(stored_rows_are_judged),
        cmocka_unit_test(toys_decide_nothing),
        cmocka_unit_test(the_answer_has_to_be_left_and_by_the_last_positions),
        cmocka_unit_test(a_premise_decides_whether_there_is_a_question),
        cmocka_unit_test(what_was_chosen_for_its_errors_is_not_asked_for_its_gap),
        cmocka_unit_test(a_narrower_edit_is_not_the_claims),
        cmocka_unit_test(half_of_the_rows_ask_for_the_rest),
        cmocka_unit_test(counts_have_their_published_intervals),
        cmocka_unit_test(two_networks_do_not_write_one_file),
        cmocka_unit_test(options_that_a_claim_needs),
        cmocka_unit_test(a_filter_that_is_too_long_fits_nothing),
        cmocka_unit_test(a_report_of_nothing_says_what_to_type),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
