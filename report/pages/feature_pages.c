/* report/pages/feature_pages.c - contract in report/pages/feature_pages.h. */
#include "report/pages/feature_pages.h"

#include <stdio.h>

#include "game/notation.h"
#include "report/html.h"
#include "report/pages/long_list.h"
#include "report/pages/tiny_board.h"

/* ---- boards ---- */

static void sights_add(Text *body, const FeaturesFindings *findings, const FeaturesSight *sights,
                       size_t n, const char *words)
{
    char caption[96], last[3];
    text_add(body, "<p>%s</p>\n<div class=\"boards\">\n", words);
    for (size_t i = 0; i < n; i++) {
        const FeaturesSight *sight = &sights[i];
        square_print(last, sight->last);
        snprintf(caption, sizeof(caption), "<b>%.3f</b> after move %d, %s; %s to move",
                 sight->value, sight->n_moves, last,
                 sight->board.to_move == BLACK ? "black" : "white");
        tiny_position(body, findings->in->test.set.set.vocab->variant->size, &sight->board,
                      sight->turned, sight->last, caption);
    }
    text_add(body, "</div>\n");
}

static void positions_add(Text *body, const FeaturesFindings *findings, const FeaturesLook *look)
{
    text_add(body, "<h2>Positions</h2>\n");
    if (look->n_top == 0) {
        text_add(body, "<p>It is on at none of the %zu test positions.</p>\n",
                 findings->in->test.set.set.n_positions);
        return;
    }
    sights_add(body, findings, look->top, look->n_top,
               "Those where it is largest, each of another game. A large dot is the last move, "
               "small ones are discs that it turned.");
    sights_add(body, findings, look->drawn, look->n_drawn,
               "Positions drawn from all where it is on.");
}

static void column_add(Text *body, const FeaturesFindings *findings, const FeaturesLook *look)
{
    static const char *const titles[] = {"empty", "theirs", "mine"};
    const int size = findings->in->test.set.set.vocab->variant->size;
    const float *column = findings->in->sae->w_dec + look->feature * findings->in->sae->cfg.d_out;
    double values[BOARD_SQUARES];
    text_add(body, "<h2>Its column</h2>\n<p>Cosines with the column of each move in the "
                   "unembedding, and with the directions of the probe. Blue is positive, orange "
                   "negative; full colour is the largest of a board, which is named. Compare with "
                   "what random directions reach, on the <a href=\"index.html\">list</a>.</p>\n"
                   "<div class=\"boards\">\n");
    features_cosines(values, &findings->study->directions, column, -1);
    tiny_values(body, size, "moves", values);
    for (int class = 2; class >= 0; class --) {
        features_cosines(values, &findings->study->directions, column, class);
        tiny_values(body, size, titles[class], values);
    }
    text_add(body, "</div>\n");
}

static void clamps_add(Text *body, const FeaturesFindings *findings, const FeaturesLook *look)
{
    Table table;
    char title[64];
    table_init(&table, &dictionaries_clamps_table);
    dictionaries_clamp_rows(&table, look);
    if (table_rows(&table) > 0) {
        TableSpec shown = dictionaries_clamps_table; /* without the name */
        shown.columns++;
        shown.n_columns--;
        table.spec = &shown;
        html_table(body, &table, &(HtmlTable){0});
        table.spec = &dictionaries_clamps_table;
        text_add(body, "<p>Mean change of ln p of each move:</p>\n<div class=\"boards\">\n");
    }
    for (FeaturesClampKind kind = 0; kind < N_FEATURES_CLAMPS; kind++) {
        if (look->clamps[kind].n > 0) {
            snprintf(title, sizeof(title), "where %s, clamped to %s:", features_clamp_where(kind),
                     features_clamp_value(kind));
            tiny_values(body, findings->in->test.set.set.vocab->variant->size, title,
                        look->clamps[kind].change);
        }
    }
    text_add(body, "%s", table_rows(&table) > 0 ? "</div>\n" : "");
    body->failed = body->failed || table_check(&table) != 0;
    table_release(&table);
}

/* ---- pages ---- */

static void row_add(Text *body, const FeaturesFindings *findings, size_t feature)
{
    enum { SAME_COLUMNS = 2 }; /* name and number */
    TableSpec shown = dictionaries_features_list_table;
    Table table;
    table_init(&table, &dictionaries_features_list_table);
    dictionaries_feature_row(&table, findings, feature);
    body->failed = body->failed || table_check(&table) != 0;
    shown.columns += SAME_COLUMNS;
    shown.n_columns -= SAME_COLUMNS;
    shown.title = "what it is";
    table.spec = &shown;
    html_table(body, &table, &(HtmlTable){0});
    table.spec = &dictionaries_features_list_table;
    table_release(&table);
}

static int feature_add(PageSet *set, const FeaturesFindings *findings, size_t i)
{
    const FeaturesLook *look = &findings->study->looks[i];
    const FeaturesRow *row = &findings->study->table.rows[look->feature];
    char name[FEATURES_NAME_MAX], before[FEATURES_NAME_MAX], next[FEATURES_NAME_MAX];
    char property[FEATURES_NAME_MAX], lead[256];
    Text body = {0};
    dictionaries_feature_name(name, look->feature);
    dictionaries_property_name(property, findings->in->test.set.set.vocab->variant, row->own.pair);
    if (i > 0) {
        dictionaries_feature_name(before, findings->study->looks[i - 1].feature);
    }
    if (i + 1 < findings->study->n_looks) {
        dictionaries_feature_name(next, findings->study->looks[i + 1].feature);
    }
    if (!row->alive) {
        snprintf(lead, sizeof(lead), "Feature %zu is dead: it is on at no position.",
                 look->feature);
    } else {
        snprintf(
            lead, sizeof(lead),
            "Feature %zu. What it tells best of all squares: %s, with F1 %.3f; on boards of other "
            "games it reaches %.3f.",
            look->feature, property, row->own.f1.value, row->shuffled.f1.value);
    }
    tiny_board_shared(&body, findings->in->test.set.set.vocab->variant->size);
    row_add(&body, findings, look->feature);
    positions_add(&body, findings, look);
    column_add(&body, findings, look);
    clamps_add(&body, findings, look);
    const int rc =
        page_set_add(set, &(PageOne){name, i > 0 ? before : NULL,
                                     i + 1 < findings->study->n_looks ? next : NULL, lead, &body});
    text_release(&body);
    return rc;
}

static int index_add(PageSet *set, const Report *report, const FeaturesFindings *findings)
{
    const Table *whole = report_table_of(report, &dictionaries_features_table);
    Table list;
    Text body = {0};
    table_init(&list, &dictionaries_features_list_table);
    for (size_t i = 0; i < findings->study->n_looks; i++) {
        dictionaries_feature_row(&list, findings, findings->study->looks[i].feature);
    }
    long_list(&body, &list);
    if (whole) {
        html_table(&body, whole, &(HtmlTable){0});
    }
    body.failed = body.failed || table_check(&list) != 0;
    const int rc = page_set_index(
        set,
        "What each feature of an autoencoder stands for, and what chance gives: a page for "
        "each.",
        &body);
    table_release(&list);
    text_release(&body);
    return rc;
}

int feature_pages_write(Report *report, const PageSetAbout *about, const FeaturesFindings *findings,
                        const Work *work)
{
    PageSet *set = NULL;
    int rc = page_set_begin(&set, about);
    rc = rc ? rc : index_add(set, report, findings);
    for (size_t i = 0; i < findings->study->n_looks && rc == 0; i++) {
        rc = feature_add(set, findings, i);
        work_tick(work, "pages", (double)(i + 1), (double)findings->study->n_looks);
    }
    if (rc != 0) {
        page_set_abort(set);
        return rc;
    }
    return page_set_commit(set, report);
}
