/* report/circuits/circuit_picture.c - contract in report/circuits/circuit_picture.h. */
#include "report/circuits/circuit_picture.h"

#include <math.h>
#include <stdio.h>

enum { NODES_MAX = 1 + 64 * 65 + 1 };

/* Nodes: the senders, then the logits; rows: input, heads and MLP of each layer, logits. */
typedef struct Picture {
    const CircuitFindings *found;
    const Graph *graph;
    const double *scores;
    bool no_sign; /* scores are sizes */
    double most;  /* the largest size of an edge */
    size_t n_nodes;
    bool drawn[NODES_MAX];
} Picture;

static size_t node_of_receiver(const Picture *picture, Receiver to)
{
    if (to.kind == RECEIVER_LOGITS) {
        return picture->n_nodes - 1;
    }
    SenderKind kind = to.kind == RECEIVER_MLP ? SENDER_MLP : SENDER_HEAD;
    return graph_sender_index(picture->graph, (Sender){kind, to.layer, to.head});
}

static int row_of(const Picture *picture, size_t node)
{
    if (node == picture->n_nodes - 1) {
        return 1 + 2 * picture->graph->n_layers;
    }
    Sender sender = graph_sender(picture->graph, node);
    return sender.kind == SENDER_INPUT ? 0 : 1 + 2 * sender.layer + (sender.kind == SENDER_MLP);
}

static void name_of(char out[GRAPH_NAME_MAX], const Picture *picture, size_t node)
{
    snprintf(out, GRAPH_NAME_MAX, "logits");
    if (node < picture->n_nodes - 1) {
        graph_sender_name(out, graph_sender(picture->graph, node));
    }
}

static Picture picture_of(const CircuitFindings *found)
{
    const CircuitStudy *study = found->study;
    const Graph *graph = found->question->graph;
    Picture picture = {.found = found,
                       .graph = graph,
                       .scores = study->methods[0].scores,
                       .no_sign = study->methods[0].no_sign,
                       .n_nodes = graph->n_senders + 1};
    for (size_t i = 0; i < study->top; i++) {
        size_t s, r;
        graph_edge(&s, &r, graph, study->edges[i]);
        picture.drawn[s] = picture.drawn[node_of_receiver(&picture, graph_receiver(graph, r))] =
            true;
        picture.most = fmax(picture.most, fabs(picture.scores[study->edges[i]]));
    }
    return picture;
}

/* Width of a line, 0.6 to 7. */
static double thickness(const Picture *picture, size_t edge)
{
    double size = picture->most > 0 ? fabs(picture->scores[edge]) / picture->most : 0;
    return 0.6 + 6.4 * size;
}

static void add_score(Text *out, const Picture *picture, size_t edge)
{
    text_add(out, picture->no_sign ? "%.2f %%" : "%+.2f %%", 100 * picture->scores[edge]);
}

/* Text in double quotes of graphviz. */
static void add_quoted(Text *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '"' || *text == '\\') {
            text_add(out, "\\");
        }
        text_add(out, "%c", (unsigned char)*text < 0x20 ? ' ' : *text);
    }
}

void circuit_picture_dot(Text *out, const CircuitFindings *found, const char *title)
{
    const Picture picture = picture_of(found);
    char name[GRAPH_NAME_MAX], to[GRAPH_NAME_MAX];
    text_add(out,
             "digraph circuit {\n  rankdir=BT;\n  node [shape=box, style=rounded];\n  label=\"");
    add_quoted(out, title);
    text_add(out, "\";\n");
    for (int row = 0; row < 2 + 2 * picture.graph->n_layers; row++) {
        bool any = false;
        for (size_t node = 0; node < picture.n_nodes; node++) {
            if (picture.drawn[node] && row_of(&picture, node) == row) {
                name_of(name, &picture, node);
                text_add(out, "%s\"%s\";", any ? " " : "  { rank=same; ", name);
                any = true;
            }
        }
        text_add(out, "%s", any ? " }\n" : "");
    }
    for (size_t i = 0; i < found->study->top; i++) {
        size_t edge = found->study->edges[i], s, r;
        graph_edge(&s, &r, picture.graph, edge);
        Receiver receiver = graph_receiver(picture.graph, r);
        name_of(name, &picture, s);
        name_of(to, &picture, node_of_receiver(&picture, receiver));
        text_add(out, "  \"%s\" -> \"%s\" [penwidth=%.2f, style=%s, headlabel=\"%s\", tooltip=\"",
                 name, to, thickness(&picture, edge), picture.scores[edge] < 0 ? "dashed" : "solid",
                 receiver.kind == RECEIVER_Q   ? "q"
                 : receiver.kind == RECEIVER_K ? "k"
                 : receiver.kind == RECEIVER_V ? "v"
                                               : "");
        add_score(out, &picture, edge);
        text_add(out, "\"];\n");
    }
    text_add(out, "}\n");
}
