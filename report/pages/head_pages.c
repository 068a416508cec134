/* report/pages/head_pages.c - contract in report/pages/head_pages.h. */
#include "report/pages/head_pages.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "probes/heads/head_circuits.h"
#include "report/html.h"
#include "report/largest.h"
#include "report/pages/long_list.h"
#include "report/pages/tiny_board.h"
#include "report/readers/heads_result.h"

#define PARTNERS 8 /* heads that are listed on either side */
#define GRID_LARGEST 4

/* What all pages are made from; borrowed. */
typedef struct HeadPages {
    const Report *report;
    const Subject *subject;
    const Probe *probe;
} HeadPages;

/* ---- parts of tables ---- */

static bool row_is(const Js *row, const char *key, const char *name)
{
    const char *text = js_str_of(js_member(row, key));
    return text && strcmp(text, name) == 0;
}

/* What is shown of a table on the page of one head. */
typedef struct HeadPart {
    const TableSpec *spec;
    const char *key; /* column with the name of the head; the first is left out of a record */
    const char *title;
    bool record;
    const char *by; /* rows with the largest values of this column, PARTNERS at most; NULL: all */
} HeadPart;

static double value_of(const Js *row, const char *key)
{
    const Js *value = js_member(row, key);
    return js_type(value) == JS_NULL ? -INFINITY : js_num_of(value);
}

/* The rows of one head, in the order in which they are shown. */
static int part_rows(Table *shown, const Js *own, const HeadPart *part)
{
    const size_t n = js_length(own);
    Largest *order = mem_alloc(n ? n : 1, sizeof(*order), "rows");
    for (size_t i = 0; order && i < n; i++) {
        order[i] = (Largest){part->by ? value_of(js_at(own, i), part->by) : 0, i};
    }
    if (order) {
        largest_sort(order, n);
    }
    for (size_t i = 0; order && i < n && (!part->by || i < PARTNERS); i++) {
        table_add(shown, js_keep(js_at(own, order[i].index)));
    }
    mem_free(order);
    return order ? 0 : OGPT_ENOMEM;
}

static int part_add(Text *body, const HeadPages *pages, const HeadPart *part, const char *name)
{
    static const char *const linked[] = {"from_head", "to_head", NULL};
    const Table *table = report_table_of(pages->report, part->spec);
    TableSpec spec = *part->spec;
    Table shown;
    spec.title = part->title;
    spec.record = part->record;
    spec.columns += part->record ? 1 : 0;
    spec.n_columns -= part->record ? 1 : 0;
    table_init(&shown, &spec);
    Js *own = js_array();
    for (size_t r = 0; table && r < table_rows(table); r++) {
        if (row_is(js_at(table->rows, r), part->key, name)) {
            js_push(own, js_keep(js_at(table->rows, r)));
        }
    }
    const int rc = part_rows(&shown, own, part);
    if (table_rows(&shown) > 0) {
        html_table(body, &shown, &(HtmlTable){.linked = linked});
    }
    js_free(own);
    table_release(&shown);
    return rc;
}

/* ---- circuits ---- */

typedef struct CircuitWords {
    const char *heading, *meaning;
} CircuitWords;
static const CircuitWords circuit_words[N_HEAD_CIRCUITS] = {
    [HEAD_OV_LOGITS] = {"what it writes, as moves",
                        "The little board at a square: what the head adds to the logit of each "
                        "move if it looks at the move on that square."},
    [HEAD_OV_EMPTY] = {"what it writes, as empty squares",
                       "The little board at a square: what the head adds to \"empty\" of each "
                       "square, less the other states, if it looks at the move on that square."},
    [HEAD_OV_MINE] = {"what it writes, as owners",
                      "The little board at a square: what the head adds to mine - theirs of each "
                      "square if it looks at the move on that square."},
    [HEAD_QK_MOVES] = {"where it looks, by moves",
                       "The little board at a square: after a move on that square, the score of "
                       "each earlier move as a place to look at."},
    [HEAD_QK_PLACES] = {"where it looks, by number of the move",
                        "A row for each number of the last move, a column for each earlier one "
                        "that it may look at: the score of that place."},
    [HEAD_QK_PROBE] = {"where it looks, by the probe's owners",
                       "The little board at a square: if the query holds mine - theirs of that "
                       "square, the score of keys that hold it of each square."},
};

static void grid_add(Text *body, const TinyGrid *grid, HeadCircuitKind kind)
{
    Text largest = {0}, label = {0};
    tiny_grid_largest(&largest, grid, GRID_LARGEST);
    TinyGrid drawn = *grid;
    text_add(&label, "%s; largest: %s", circuit_words[kind].heading,
             largest.data ? largest.data : "");
    drawn.label = label.data ? label.data : "";
    text_add(body, "<figure class=\"grid\">\n");
    tiny_grid(body, &drawn);
    text_add(body, "\n<figcaption><b>");
    html_text(body, circuit_words[kind].heading);
    text_add(body, "</b> (%s). ", head_circuit_name(kind));
    html_text(body, circuit_words[kind].meaning);
    text_add(body,
             " Full colour is %.3g, blue is positive, orange negative. Largest, from and to: ",
             tiny_grid_most(grid));
    html_text(body, largest.data ? largest.data : "");
    text_add(body, ".</figcaption>\n</figure>\n");
    body->failed = body->failed || largest.failed || label.failed;
    text_release(&largest);
    text_release(&label);
}

static int circuits_add(Text *body, const HeadPages *pages, size_t head)
{
    int squares[BOARD_SQUARES], rc = 0;
    double *values = mem_alloc(BOARD_SQUARES * BOARD_SQUARES, sizeof(*values), "a circuit");
    if (!values) {
        return OGPT_ENOMEM;
    }
    for (int i = 0; i + 1 < pages->subject->vocab->d_vocab; i++) {
        squares[i] = pages->subject->vocab->sq_of_tok[i + 1];
    }
    for (int kind = 0; kind < N_HEAD_CIRCUITS && rc == 0; kind++) {
        const HeadCircuitKind circuit = (HeadCircuitKind)kind;
        TinyGrid grid = {.size = pages->subject->vocab->variant->size,
                         .n = head_circuit_size(pages->subject->vocab, circuit),
                         .values = values,
                         .sq = circuit == HEAD_QK_PLACES ? NULL : squares};
        rc = head_circuit_matrix(values, pages->subject->model.gpt, pages->subject->vocab,
                                 pages->probe, head, circuit);
        if (rc == 0 && tiny_grid_most(&grid) > 0) {
            grid_add(body, &grid, circuit);
        }
    }
    mem_free(values);
    return rc;
}

/* ---- pages ---- */

static int page_fill(Text *body, const HeadPages *pages, size_t head, const char *name)
{
    static const HeadPart parts[] = {
        {&heads_list_table, "head", "what it is", .record = true},
        {&heads_patterns_table, "head", "what it looks at, beyond chance", .record = false},
        {&heads_follow_table, "head", "after a forced pass: the owner of a move, or every second?",
         .record = true},
        {&heads_circuits_table, "head", "what its weights do", .record = true},
        {&heads_composition_table, "to_head", "heads that it reads most, by weights", .by = "z"},
        {&heads_composition_table, "from_head", "heads that read it most, by weights", .by = "z"},
    };
    int rc = 0;
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]) && rc == 0; i++) {
        rc = part_add(body, pages, &parts[i], name);
    }
    text_add(body,
             "<h2>Circuits</h2>\n<p>By the weights alone, of embeddings: behind layer 0 the stream "
             "holds more. All numbers: the command at the foot of this page with <code>--head %s "
             "--csv FOLDER</code> in the place of <code>--pages DIR</code>.</p>\n"
             "<div class=\"grids\">\n",
             name);
    rc = rc ? rc : circuits_add(body, pages, head);
    text_add(body, "</div>\n");
    return rc;
}

/* "L1H3", or "" where there is no such head. */
static void name_of(char out[HEADS_NAME_MAX], const GptConfig *cfg, size_t head)
{
    out[0] = '\0';
    if (head < (size_t)cfg->n_layers * (size_t)cfg->n_heads) {
        heads_name(out, (size_t)cfg->n_heads, head);
    }
}

static int head_add(PageSet *set, const HeadPages *pages, size_t head)
{
    const GptConfig *cfg = &pages->subject->model.gpt->cfg;
    char name[HEADS_NAME_MAX], before[HEADS_NAME_MAX], next[HEADS_NAME_MAX], lead[128];
    Text body = {0};
    name_of(name, cfg, head);
    name_of(before, cfg, head - 1); /* of the first head no name: the number is too large */
    name_of(next, cfg, head + 1);
    snprintf(lead, sizeof(lead), "Attention head %zu of layer %zu; both are counted from 0.",
             head % (size_t)cfg->n_heads, head / (size_t)cfg->n_heads);
    int rc = page_fill(&body, pages, head, name);
    rc = rc ? rc
            : page_set_add(set, &(PageOne){name, before[0] ? before : NULL, next[0] ? next : NULL,
                                           lead, &body});
    text_release(&body);
    return rc;
}

static int index_add(PageSet *set, const HeadPages *pages)
{
    const Table *list = report_table_of(pages->report, &heads_list_table);
    const Table *controls = report_table_of(pages->report, &heads_controls_table);
    const Table *whole = report_table_of(pages->report, &heads_table);
    Text body = {0};
    if (list) {
        long_list(&body, list);
    }
    if (controls && whole) {
        html_table(&body, controls, &(HtmlTable){0});
        html_table(&body, whole, &(HtmlTable){0});
    }
    int rc = page_set_index(set,
                            "What each attention head looks at, beyond chance, and what it does "
                            "with it: a page for each.",
                            &body);
    text_release(&body);
    return rc;
}

int head_pages_write(Report *report, const PageSetAbout *about, const Subject *subject,
                     const Probe *probe, const Work *work)
{
    const HeadPages all = {report, subject, probe}, *pages = &all;
    const GptConfig *cfg = &subject->model.gpt->cfg;
    const size_t n = (size_t)cfg->n_layers * (size_t)cfg->n_heads;
    PageSet *set = NULL;
    int rc = page_set_begin(&set, about);
    rc = rc ? rc : index_add(set, pages);
    for (size_t head = 0; head < n && rc == 0; head++) {
        rc = head_add(set, pages, head);
        work_tick(work, "pages", (double)head + 1, (double)n);
    }
    if (rc != 0) {
        page_set_abort(set);
        return rc;
    }
    return page_set_commit(set, report);
}
