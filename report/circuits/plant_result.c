/* report/circuits/plant_result.c - what was planted: the network, its truth, in words too. */
#include "report/circuits/plant_result.h"

#include <stdio.h>

#include "datasets/vocab.h"
#include "game/notation.h"
#include "probes/graph/graph.h"

static const Column columns[] = {
    {"kind", "kind", .type = COLUMN_TEXT},
    {"meaning", "circuit", .type = COLUMN_TEXT, .flags = COLUMN_UNSTORED},
    {"path", "written to", .type = COLUMN_TEXT},
    {"size", "board", .type = COLUMN_COUNT, .meaning = "squares a side"},
    {"network_seed", .type = COLUMN_COUNT},
    {"twin", "twin", .type = COLUMN_YES_NO, .meaning = "without its circuit"},
    {"parameters", "parameters", .type = COLUMN_COUNT},
    {"model_hash", "model hash", .type = COLUMN_TEXT, .flags = COLUMN_HASH},
    {"clean", "clean game", .type = COLUMN_TEXT},
    {"corrupt", "corrupt game", .type = COLUMN_TEXT},
    {"target", "target", .type = COLUMN_TEXT,
     .meaning = "the metric is its logit behind the last move ..."},
    {"other", "other", .type = COLUMN_TEXT, .meaning = "... minus the logit of this move"},
    {"strength", "strength", .digits = 2, .unit = "nats", .flags = COLUMN_WIDE},
    {"difference", "difference", .digits = 2, .unit = "nats",
     .meaning = "metric of the clean game minus that of the corrupt one"},
};
const TableSpec plant_table = {"plant", "plants", TABLE_COLUMNS(columns), .record = true};

static const Column truth_columns[] = {
    {"what", "what", .type = COLUMN_TEXT},
    {"name", "name", .type = COLUMN_TEXT},
    {"total", "total", .digits = 2, .unit = "nats", .meaning = "lost if the output is zero"},
    {"direct", "direct", .digits = 2, .unit = "nats",
     .meaning = "the same, on the way to the logits alone"},
    {"effect", "effect", .digits = 2, .unit = "nats",
     .meaning = "lost if the output, or the edge alone, is that of the corrupt game"},
    {"estimate", "gradient", .digits = 2, .unit = "nats",
     .meaning = "what the gradient of the clean game says the effect is"},
    {"minimal", "minimal", .type = COLUMN_YES_NO,
     .meaning = "in the smallest set of edges that gives the whole difference"},
    {"neurons", .type = COLUMN_NESTED, .flags = COLUMN_UNSTORED},
    {"role", "what it does", .type = COLUMN_TEXT, .flags = COLUMN_WIDE},
};
const TableSpec plant_truth_table = {"truth", "plant_truth", TABLE_COLUMNS(truth_columns),
                                     .title = "the truth"};

enum { NAME_MAX_BYTES = 2 * GRAPH_NAME_MAX + 8 };

static void part_name(char out[GRAPH_NAME_MAX], const PlantedPart *part)
{
    static const SenderKind kinds[] = {
        [PLANTED_INPUT] = SENDER_INPUT, [PLANTED_HEAD] = SENDER_HEAD, [PLANTED_MLP] = SENDER_MLP};
    if (part->node == PLANTED_NEURON) {
        snprintf(out, GRAPH_NAME_MAX, "L%dN%d", part->layer, part->index);
    } else if (part->node == PLANTED_LOGITS) {
        snprintf(out, GRAPH_NAME_MAX, "logits");
    } else {
        graph_sender_name(out, (Sender){kinds[part->node], part->layer, part->index});
    }
}

static void edge_name(char out[NAME_MAX_BYTES], const PlantedTruth *truth, const PlantedEdge *edge)
{
    char from[GRAPH_NAME_MAX], to[GRAPH_NAME_MAX];
    bool whole = edge->channel == PLANTED_WHOLE;
    part_name(from, &truth->parts[edge->from]);
    part_name(to, &truth->parts[edge->to]);
    snprintf(out, NAME_MAX_BYTES, "%s->%s%s%s", from, to, whole ? "" : ".",
             whole ? "" : planted_channel_name(edge->channel));
}

static void part_row(Table *table, const PlantedPart *part)
{
    char name[GRAPH_NAME_MAX];
    part_name(name, part);
    table_row(table);
    table_text(table, "what", planted_node_name(part->node));
    table_text(table, "name", name);
    table_num(table, "total", part->total);
    table_num(table, "direct", part->direct);
    table_num(table, "effect", part->effect);
    table_num(table, "estimate", part->estimate);
    if (part->node == PLANTED_MLP) {
        Js *neurons = js_array();
        for (size_t i = 0; i < part->n_neurons; i++) {
            js_push(neurons, js_int(part->neurons[i]));
        }
        table_set(table, "neurons", neurons);
    }
    table_text(table, "role", part->role);
}

/* In words, below the table. */
static void print_roles(Report *report, const PlantedTruth *truth)
{
    char name[GRAPH_NAME_MAX];
    Text *text = report_text(report);
    text_add(text, "\n");
    for (size_t i = 1; i + 1 < truth->n_parts; i++) {
        part_name(name, &truth->parts[i]);
        text_add(text, "%-7s %s\n", name, truth->parts[i].role);
    }
}

static void truth_report(Report *report, const PlantedTruth *truth)
{
    Table *table = report_table(report, &plant_truth_table);
    char name[NAME_MAX_BYTES], first[GRAPH_NAME_MAX], second[GRAPH_NAME_MAX];
    for (size_t i = 0; i + 1 < truth->n_parts; i++) {
        part_row(table, &truth->parts[i]);
    }
    for (size_t i = 0; i < truth->n_joints; i++) {
        part_name(first, &truth->parts[truth->joints[i].parts[0]]);
        part_name(second, &truth->parts[truth->joints[i].parts[1]]);
        snprintf(name, sizeof(name), "%s+%s", first, second);
        table_row(table);
        table_text(table, "what", "together");
        table_text(table, "name", name);
        table_num(table, "total", truth->joints[i].total);
    }
    for (size_t i = 0; i < truth->n_edges; i++) {
        const PlantedEdge *edge = &truth->edges[i];
        edge_name(name, truth, edge);
        table_row(table);
        table_text(table, "what", "edge");
        table_text(table, "name", name);
        table_num(table, "effect", edge->effect);
        table_num(table, "estimate", edge->estimate);
        table_bool(table, "minimal", edge->minimal);
    }
    print_roles(report, truth);
}

/* Tokens as "a2 c1 d1". */
static void table_moves(Table *table, const char *key, const Vocab *vocab, const uint8_t *tokens,
                        size_t n)
{
    char text[3 * GAME_MAX_MOVES + 1];
    uint8_t moves[GAME_MAX_MOVES];
    for (size_t i = 0; i < n; i++) {
        moves[i] = vocab->sq_of_tok[tokens[i]];
    }
    moves_print(text, moves, (int)n);
    table_text(table, key, text);
}

void plant_report(Report *report, const PlantFindings *found)
{
    const PlantedOptions *asked = found->asked;
    const PlantedTruth *truth = found->truth;
    const Vocab *vocab = vocab_by_size(found->gpt->cfg.d_vocab, RULES_CLASSIC);
    Table *table = report_table(report, &plant_table);
    table_text(table, "kind", planted_kind_name(asked->kind));
    table_text(table, "meaning", planted_kind_meaning(asked->kind));
    table_text(table, "path", found->path);
    table_int(table, "size", asked->size);
    table_int(table, "network_seed", (int64_t)asked->seed);
    table_bool(table, "twin", asked->twin);
    table_int(table, "parameters", gpt_config_parameters(&found->gpt->cfg));
    table_text(table, "model_hash", found->model_hash);
    table_moves(table, "clean", vocab, truth->clean, truth->n_tokens);
    table_moves(table, "corrupt", vocab, truth->corrupt, truth->n_tokens);
    table_moves(table, "target", vocab, &truth->target, 1);
    table_moves(table, "other", vocab, &truth->other, 1);
    table_num(table, "strength", asked->strength);
    table_num(table, "difference", asked->twin ? 0 : truth->difference);
    if (asked->twin) {
        report_table(report, &plant_truth_table)->hidden = true;
        text_add(
            report_text(report),
            "a twin: the filling of ogpt plant %s, and nothing planted; what finds this circuit "
            "here is wrong\n",
            planted_kind_name(asked->kind));
    } else {
        truth_report(report, truth);
    }
    if (found->already) {
        text_add(report_text(report), "%s was there already, unchanged\n", found->path);
    }
}
