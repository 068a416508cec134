/* report/pages/neuron_pages.c - contract in report/pages/neuron_pages.h. */
#include "report/pages/neuron_pages.h"

#include <stdio.h>

#include "base/arena.h"
#include "base/err.h"
#include "game/notation.h"
#include "report/html.h"
#include "report/neurons/neuron_page.h"
#include "report/neurons/neurons_result.h"
#include "report/pages/long_list.h"
#include "report/pages/tiny_board.h"

#define TOP_SHOWN 8
#define LEAVES_SHOWN 12

/* What all pages are made from; borrowed. */
typedef struct NeuronPages {
    const Report *report;
    const NeuronStudy *study;
    const GameVariant *variant;
} NeuronPages;

/* ---- boards ---- */

/* A position with its value; `words` stand in front of it. */
static void sight_add(Text *body, const NeuronPages *pages, const char *words,
                      const NeuronSight *sight)
{
    char last[3], caption[128];
    const uint8_t move = sight->moves[sight->n_moves - 1];
    square_print(last, move);
    snprintf(caption, sizeof(caption), "%s<b>%.3f</b> after move %d, %s; %s to move%s", words,
             sight->value, sight->n_moves, last, sight->board.to_move == BLACK ? "black" : "white",
             sight->held_out ? " (held out)" : "");
    tiny_position(body, pages->variant->size, &sight->board, sight->turned, move, caption);
}

static void sights_add(Text *body, const NeuronPages *pages, const NeuronLook *look)
{
    static const int drawn_of[] = {10, 9, 6, 1}; /* tenths; the middle ones are all alike */
    char words[32];
    text_add(body,
             "<h2>Positions</h2>\n<p>Those that move it most, each of another game. A large dot is "
             "the last move, small ones are discs that it turned.</p>\n<div class=\"boards\">\n");
    for (size_t i = 0; i < look->n_top && i < TOP_SHOWN; i++) {
        sight_add(body, pages, "", &look->top[i]);
    }
    text_add(body, "</div>\n<p>Tenths of the %zu positions, lowest first, end at",
             look->n_positions);
    for (int d = 0; d < NEURON_DECILES; d++) {
        text_add(body, "%s %.3f", d > 0 ? "," : "", look->deciles[d].high);
    }
    text_add(body, ". Positions drawn from some of them:</p>\n<div class=\"boards\">\n");
    for (size_t i = 0; i < sizeof(drawn_of) / sizeof(drawn_of[0]); i++) {
        const NeuronDecile *decile = &look->deciles[drawn_of[i] - 1];
        snprintf(words, sizeof(words), "tenth %d: ", drawn_of[i]);
        if (decile->n > 0) {
            sight_add(body, pages, words, &decile->sights[decile->n / 2]);
        }
    }
    text_add(body, "</div>\n");
}

static void weights_add(Text *body, const NeuronPages *pages, const NeuronWeights *weights)
{
    static const char *const reads[NEURON_STATES] = {"reads empty", "reads theirs", "reads mine"};
    static const char *const writes[NEURON_STATES] = {"writes empty", "writes theirs",
                                                      "writes mine"};
    text_add(body, "<h2>Weights</h2>\n<p>What it adds to the logit of each move while it is 1 "
                   "(LayerNorm's scale 1); cosines of what it reads with the probe in front of "
                   "its block, and of what it writes with the one behind. Blue is positive, orange "
                   "negative; full colour is the largest of a board, which is named.</p>\n"
                   "<div class=\"boards\">\n");
    tiny_values(body, pages->variant->size, "adds to the logit", weights->logits);
    for (int k = NEURON_STATES - 1; k >= 0; k--) {
        tiny_values(body, pages->variant->size, reads[k], weights->reads[k]);
    }
    for (int k = NEURON_STATES - 1; k >= 0; k--) {
        tiny_values(body, pages->variant->size, writes[k], weights->writes[k]);
    }
    text_add(body, "</div>\n");
}

/* ---- pages ---- */

/* A table of the report of one neuron, without its first `skipped` columns, which say what is the
 * same on all pages. */
static void table_add_from(Text *body, const Report *report, const TableSpec *spec,
                           const char *title, size_t skipped, const HtmlTable *how)
{
    const Table *table = report_table_of(report, spec);
    TableSpec shown = *spec;
    shown.columns += skipped;
    shown.n_columns -= skipped;
    shown.title = title;
    if (table && table_rows(table) > 0) {
        Table again = *table;
        again.spec = &shown;
        html_table(body, &again, how);
    }
}

static void body_fill(Text *body, const NeuronPages *pages, const NeuronLook *look,
                      const char *name)
{
    enum { SAME_COLUMNS = 4 }; /* name, source, model_hash, probe */
    Report report;
    Text whole = {0}; /* the option that prints all */
    const NeuronPage page = {.look = look,
                             .variant = pages->variant,
                             .use = &pages->study->use,
                             .n_neurons = pages->study->M};
    report_init(&report);
    neurons_page_report(&report, &page);
    tiny_board_shared(body, pages->variant->size);
    table_add_from(body, &report, &neuron_look_table, "what it is", SAME_COLUMNS, &(HtmlTable){0});
    sights_add(body, pages, look);
    weights_add(body, pages, &look->weights);
    text_add(&whole, "--neuron %s", name);
    table_add_from(body, &report, &neuron_leaves_table, "its tree, leaf by leaf", 0,
                   &(HtmlTable){.rows_max = LEAVES_SHOWN, .rest = whole.data ? whole.data : NULL});
    text_add(body,
             "<p>All positions and numbers: the command at the foot of this page with <code>"
             "--neuron %s</code> in the place of <code>--pages DIR</code>.</p>\n",
             name);
    body->failed = body->failed || whole.failed;
    text_release(&whole);
    body->failed = body->failed || report_check(&report) != 0;
    report_release(&report);
}

/* The name of neuron i, counted layer by layer; "" if there is none. */
static void name_of(char out[NEURONS_NAME_MAX], const NeuronStudy *study, size_t i)
{
    out[0] = '\0';
    if (i < study->L * study->M) {
        neurons_name(out, (int)(i / study->M), (int)(i % study->M));
    }
}

static int neuron_add(PageSet *set, const NeuronPages *pages, const NeuronLook *look)
{
    const NeuronStudy *study = pages->study;
    const size_t i = (size_t)look->layer * study->M + (size_t)look->neuron;
    char name[NEURONS_NAME_MAX], before[NEURONS_NAME_MAX], next[NEURONS_NAME_MAX];
    char lead[NEURON_RULE_TEXT + 160];
    Text body = {0};
    name_of(name, study, i);
    name_of(before, study, i - 1); /* of the first neuron no name: the number is too large */
    name_of(next, study, i + 1);
    snprintf(lead, sizeof(lead), "Neuron %d of the MLP of layer %d. On most where: %s.",
             look->neuron, look->layer, look->rule.text);
    body_fill(&body, pages, look, name);
    const int rc = page_set_add(
        set, &(PageOne){name, before[0] ? before : NULL, next[0] ? next : NULL, lead, &body});
    text_release(&body);
    return rc;
}

static int index_add(PageSet *set, const NeuronPages *pages)
{
    static const TableSpec *const others[] = {&neurons_layers_table, &neurons_cover_table,
                                              &neurons_table};
    const Table *list = report_table_of(pages->report, &neurons_list_table);
    Text body = {0};
    if (list) {
        long_list(&body, list);
    }
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        const Table *table = report_table_of(pages->report, others[i]);
        if (table) {
            html_table(&body, table, &(HtmlTable){0});
        }
    }
    const int rc = page_set_index(
        set, "What each neuron of the MLPs stands for, and what chance gives: a page for each.",
        &body);
    text_release(&body);
    return rc;
}

/* A layer: all its looks, then its pages. */
static int layer_add(PageSet *set, const NeuronPages *pages, NeuronLook *looks,
                     const NeuronLooker *looker, int layer, const Work *work)
{
    const size_t M = pages->study->M, n = pages->study->L * M;
    const Work quiet = work_quiet(work);
    int *neurons = mem_alloc(M, sizeof(*neurons), "neurons of a layer");
    for (size_t k = 0; neurons && k < M; k++) {
        neurons[k] = (int)k;
    }
    int rc = neurons ? neuron_looks_make(looks, looker, layer, neurons, M, &quiet) : OGPT_ENOMEM;
    for (size_t k = 0; k < M && rc == 0; k++) {
        rc = neuron_add(set, pages, &looks[k]);
        work_tick(work, "pages", (double)((size_t)layer * M + k + 1), (double)n);
    }
    mem_free(neurons);
    return rc;
}

int neuron_pages_write(Report *report, const PageSetAbout *about, const NeuronStudy *study,
                       const Gpt *gpt, const Probe *probe, const Work *work)
{
    const NeuronPages pages = {report, study, study->games.vocab->variant};
    NeuronLooker *looker = NULL;
    PageSet *set = NULL;
    NeuronLook *looks = mem_alloc(study->M, sizeof(*looks), "looks at a layer");
    int rc = looks ? page_set_begin(&set, about) : OGPT_ENOMEM;
    rc = rc ? rc : index_add(set, &pages);
    rc = rc ? rc : neuron_looker_open(&looker, gpt, &study->games, probe, &study->options.look);
    for (size_t layer = 0; layer < study->L && rc == 0; layer++) {
        rc = layer_add(set, &pages, looks, looker, (int)layer, work);
    }
    neuron_looker_free(looker);
    mem_free(looks);
    if (rc != 0) {
        page_set_abort(set);
        return rc;
    }
    return page_set_commit(set, report);
}
