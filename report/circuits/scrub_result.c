/* report/circuits/scrub_result.c - contract in report/circuits/scrub_result.h. */
#include "report/circuits/scrub_result.h"

#include <stdio.h>
#include <string.h>

#include "game/notation.h"

static const Column whole_columns[] = {
    {"model_hash", .type = COLUMN_TEXT},
    {"hypothesis_file", "hypothesis", .type = COLUMN_TEXT},
    {"source", "games", .type = COLUMN_TEXT},
    {"metric", "metric", .type = COLUMN_TEXT},
    {"square", "square", .type = COLUMN_TEXT, .meaning = "of the metric"},
    {"roots", "roots", .type = COLUMN_COUNT, .meaning = "positions, one from a game"},
    {"lenders", "lending games", .type = COLUMN_COUNT},
    {"unmatched", "without a match", .type = COLUMN_COUNT, .meaning = "roots left out"},
    {"score", "score", .digits = 3, .interval = true,
     .meaning = "1: as good as the network; 0: as good as any game at the ply"},
    {"scrubbed", "metric, scrubbed", .unit = "nats", .digits = 3, .meaning = "mean over roots"},
    {"full", "full", .unit = "nats", .digits = 3, .meaning = "nothing exchanged"},
    {"shuffled", "shuffled", .unit = "nats", .digits = 3, .meaning = "everything exchanged"},
    {"seconds", "seconds", .digits = 1, .flags = COLUMN_TIME},
};
const TableSpec scrub_table = {"scrub", "scrubs", TABLE_COLUMNS(whole_columns), .record = true};

static const Column row_columns[] = {
    {"kind", "row", .type = COLUMN_TEXT},
    {"node", "node", .type = COLUMN_TEXT, .meaning = "that keeps everything"},
    {"score", "score", .digits = 3, .interval = true, .meaning = "see above"},
    {"mean_metric", "metric", .unit = "nats", .digits = 3, .interval = true, .flags = COLUMN_BRIEF},
    {"strict_error", "strict error", .unit = "%", .digits = 2, .interval = true,
     .flags = COLUMN_BRIEF, .meaning = "first choice illegal on the board of the root"},
    {"wrong_moves", "wrong moves", .digits = 2, .interval = true, .flags = COLUMN_BRIEF,
     .meaning = "a root, top-N rule"},
    {"roots", "roots", .type = COLUMN_COUNT},
    {"unmatched", "left out", .type = COLUMN_COUNT, .meaning = "a node found no match"},
    {"candidates", "candidates", .digits = 0, .meaning = "games that agreed, mean over draws"},
    {"runs", "runs", .digits = 1, .meaning = "lent to a root, mean"},
    {"hypothesis_file", .type = COLUMN_TEXT},
    {"model_hash", .type = COLUMN_TEXT},
};
const TableSpec scrub_rows_table = {"rows", "scrub_rows", "the hypothesis and its controls",
                                    TABLE_COLUMNS(row_columns), .file = "scrub_rows"};

static const Column node_columns[] = {
    {"name", "node", .type = COLUMN_TEXT},        {"senders", "parts", .type = COLUMN_COUNT},
    {"members", "are", .type = COLUMN_TEXT},      {"reads_at", "read at", .type = COLUMN_TEXT},
    {"features", "carries", .type = COLUMN_TEXT}, {"inputs", "reads", .type = COLUMN_TEXT},
};
const TableSpec scrub_nodes_table = {"nodes", NULL, "what the hypothesis says",
                                     TABLE_COLUMNS(node_columns), .file = "scrub_nodes"};

/* The names of some nodes, with blanks. */
static void names_join(char *out, size_t n_bytes, const Hypothesis *h, const int *nodes, size_t n)
{
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < n && used < n_bytes; i++) {
        used += (size_t)snprintf(out + used, n_bytes - used, "%s%s", i > 0 ? " " : "",
                                 h->nodes[nodes[i]].name);
    }
}

/* The first of a node's senders, and dots if there are more. */
static void members_join(char *out, size_t n_bytes, const Graph *graph, const HypothesisNode *node)
{
    size_t used = 0, n = 0;
    for (size_t s = node->first; s <= node->last && n < 4; s++) {
        if (node->senders[s]) {
            char name[GRAPH_NAME_MAX];
            graph_sender_name(name, graph_sender(graph, s));
            used += (size_t)snprintf(out + used, n_bytes - used, "%s%s", n > 0 ? " " : "", name);
            n++;
        }
    }
    if (node->n_senders > n) {
        snprintf(out + used, n_bytes - used, " ...");
    }
}

static void nodes_fill(Table *table, const ScrubQuestion *question)
{
    const Hypothesis *h = question->hypothesis;
    char text[640];
    table_row(table);
    table_text(table, "name", "logits");
    names_join(text, sizeof(text), h, h->inputs, h->n_inputs);
    table_text(table, "inputs", text);
    for (size_t i = 0; i < h->n_nodes; i++) {
        const HypothesisNode *node = &h->nodes[i];
        table_row(table);
        table_text(table, "name", node->name);
        table_int(table, "senders", (int64_t)node->n_senders);
        members_join(text, sizeof(text), question->graph, node);
        table_text(table, "members", text);
        place_list_print(text, sizeof(text), node);
        table_text(table, "reads_at", text[0] ? text : NULL);
        feature_list_print(text, sizeof(text), node);
        table_text(table, "features", text);
        names_join(text, sizeof(text), h, node->inputs, node->n_inputs);
        table_text(table, "inputs", text[0] ? text : NULL);
    }
}

static void rows_fill(Table *table, const ScrubFindings *found)
{
    const ScrubResult *result = found->result;
    for (size_t i = 0; i < result->n_rows; i++) {
        const ScrubRow *row = &result->rows[i];
        table_row(table);
        table_text(table, "kind", scrub_row_name(row->kind));
        if (row->node >= 0) {
            table_text(table, "node", found->question->hypothesis->nodes[row->node].name);
        }
        table_interval(table, "score", row->score);
        table_interval(table, "mean_metric", row->metric);
        table_interval(table, "strict_error", row->strict);
        table_interval(table, "wrong_moves", row->wrong);
        table_int(table, "roots", (int64_t)row->n);
        table_int(table, "unmatched", (int64_t)row->unmatched);
        table_num(table, "candidates", row->candidates);
        table_num(table, "runs", row->draws);
        table_text(table, "hypothesis_file", found->hypothesis_file);
        table_text(table, "model_hash", found->model_hash);
    }
}

/* The row of the hypothesis itself. */
enum { OWN_ROW = 2 };

void scrub_report(Report *report, const ScrubFindings *found)
{
    const ScrubQuestion *question = found->question;
    const ScrubRow *own = &found->result->rows[OWN_ROW];
    Table *whole = report_table(report, &scrub_table);
    table_text(whole, "model_hash", found->model_hash);
    table_text(whole, "hypothesis_file", found->hypothesis_file);
    table_text(whole, "source", found->source);
    table_text(whole, "metric", scrub_metric_name(question->hypothesis->metric));
    if (question->hypothesis->metric_sq >= 0) {
        char name[3];
        square_print(name, question->hypothesis->metric_sq);
        table_text(whole, "square", name);
    }
    table_int(whole, "roots", (int64_t)found->result->n_roots);
    table_int(whole, "lenders", (int64_t)question->pool->n);
    table_int(whole, "unmatched", (int64_t)own->unmatched);
    table_interval(whole, "score", own->score);
    table_num(whole, "scrubbed", own->metric.value);
    table_num(whole, "full", found->result->full);
    table_num(whole, "shuffled", found->result->shuffled);
    table_num(whole, "seconds", found->seconds);
    rows_fill(report_table(report, &scrub_rows_table), found);
    nodes_fill(report_table(report, &scrub_nodes_table), question);
}
