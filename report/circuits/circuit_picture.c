/* report/circuits/circuit_picture.c - contract in report/circuits/circuit_picture.h. */
#include "report/circuits/circuit_picture.h"

#include <math.h>
#include <stdio.h>

enum {
    ROW_HEIGHT = 84,
    NODE_WIDTH = 58,
    NODE_HEIGHT = 24,
    NODE_GAP = 14,
    MARGIN = 24,
    TITLE_HEIGHT = 34,
    NODES_MAX = 1 + 64 * 65 + 1
};

/* Nodes: the senders, then the logits; rows: input, heads and MLP of each layer, logits. */
typedef struct Picture {
    const CircuitFindings *found;
    const Graph *graph;
    const double *scores;
    double most; /* the largest size of an edge */
    size_t n_nodes;
    bool drawn[NODES_MAX];
    int width, height;
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

/* Centre of a node: heads stand side by side, everything else in the middle. */
static double x_of(const Picture *picture, size_t node)
{
    if (node < picture->n_nodes - 1) {
        Sender sender = graph_sender(picture->graph, node);
        if (sender.kind == SENDER_HEAD) {
            return MARGIN + (NODE_WIDTH + NODE_GAP) * sender.head + NODE_WIDTH / 2.0;
        }
    }
    return picture->width / 2.0;
}

static double y_of(const Picture *picture, size_t node)
{
    int rows = 2 + 2 * picture->graph->n_layers;
    return TITLE_HEIGHT + MARGIN + ROW_HEIGHT * (rows - 1 - row_of(picture, node)) +
           NODE_HEIGHT / 2.0;
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
    Picture picture = {
        .found = found,
        .graph = graph,
        .scores = study->methods[0].scores,
        .n_nodes = graph->n_senders + 1,
        .width = 2 * MARGIN + (NODE_WIDTH + NODE_GAP) * (graph->n_heads > 3 ? graph->n_heads : 3),
        .height = TITLE_HEIGHT + 2 * MARGIN + NODE_HEIGHT + ROW_HEIGHT * (1 + 2 * graph->n_layers)};
    for (size_t i = 0; i < study->top; i++) {
        size_t s, r;
        graph_edge(&s, &r, graph, study->edges[i]);
        picture.drawn[s] = picture.drawn[node_of_receiver(&picture, graph_receiver(graph, r))] =
            true;
        picture.most = fmax(picture.most, fabs(picture.scores[study->edges[i]]));
    }
    return picture;
}

/* Text between tags and in quoted attributes. */
static void add_escaped(Text *out, const char *text)
{
    for (; *text; text++) {
        switch (*text) {
        case '&': text_add(out, "&amp;"); break;
        case '<': text_add(out, "&lt;"); break;
        case '>': text_add(out, "&gt;"); break;
        case '"': text_add(out, "&quot;"); break;
        case '\'': text_add(out, "&#39;"); break;
        default:
            if ((unsigned char)*text >= 0x20) { /* a control character is no XML */
                text_add(out, "%c", *text);
            }
        }
    }
}

/* Width of a line, 0.6 to 7 pixels. */
static double thickness(const Picture *picture, size_t edge)
{
    double size = picture->most > 0 ? fabs(picture->scores[edge]) / picture->most : 0;
    return 0.6 + 6.4 * size;
}

static void svg_edge(Text *out, const Picture *picture, size_t edge)
{
    char name[2 * GRAPH_NAME_MAX];
    size_t s, r;
    graph_edge(&s, &r, picture->graph, edge);
    Receiver to = graph_receiver(picture->graph, r);
    size_t node = node_of_receiver(picture, to);
    double port = to.kind <= RECEIVER_V ? ((int)to.kind - 1) * NODE_WIDTH / 3.0 : 0;
    double x1 = x_of(picture, s), y1 = y_of(picture, s) - NODE_HEIGHT / 2.0;
    double x2 = x_of(picture, node) + port, y2 = y_of(picture, node) + NODE_HEIGHT / 2.0;
    double bend = (y1 - y2) / 2;
    graph_edge_name(name, picture->graph, edge);
    text_add(out,
             "<path class=\"%s\" d=\"M%.1f %.1f C%.1f %.1f %.1f %.1f %.1f %.1f\" "
             "stroke-width=\"%.2f\"><title>",
             picture->scores[edge] < 0 ? "down" : "up", x1, y1, x1, y1 - bend, x2, y2 + bend, x2,
             y2, thickness(picture, edge));
    add_escaped(out, name);
    text_add(out, " %+.2f %%</title></path>\n", 100 * picture->scores[edge]);
}

static void svg_node(Text *out, const Picture *picture, size_t node)
{
    char name[GRAPH_NAME_MAX];
    double x = x_of(picture, node), y = y_of(picture, node);
    name_of(name, picture, node);
    text_add(out,
             "<rect x=\"%.1f\" y=\"%.1f\" width=\"%d\" height=\"%d\" rx=\"5\"/><text x=\"%.1f\" "
             "y=\"%.1f\">",
             x - NODE_WIDTH / 2.0, y - NODE_HEIGHT / 2.0, NODE_WIDTH, NODE_HEIGHT, x, y + 4);
    add_escaped(out, name);
    text_add(out, "</text>\n");
}

void circuit_picture_svg(Text *out, const CircuitFindings *found, const char *title)
{
    const Picture picture = picture_of(found);
    text_add(out,
             "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" role=\"img\">\n"
             "<title>",
             picture.width, picture.height);
    add_escaped(out, title);
    text_add(out,
             "</title>\n<style>rect{fill:#fff;stroke:#333}text{font:12px sans-serif;"
             "text-anchor:middle;fill:#111}.head{text-anchor:start;font-weight:bold}"
             "path{fill:none;stroke-opacity:.75}.up{stroke:#0b6e4f}.down{stroke:#b3261e;"
             "stroke-dasharray:6 3}</style>\n"
             "<rect width=\"100%%\" height=\"100%%\" style=\"stroke:none\"/>\n"
             "<text class=\"head\" x=\"%d\" y=\"%d\">",
             MARGIN, MARGIN);
    add_escaped(out, title);
    text_add(out, "</text>\n");
    for (size_t i = found->study->top; i > 0; i--) { /* the strongest on top */
        svg_edge(out, &picture, found->study->edges[i - 1]);
    }
    for (size_t node = 0; node < picture.n_nodes; node++) {
        if (picture.drawn[node]) {
            svg_node(out, &picture, node);
        }
    }
    text_add(out, "</svg>\n");
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
        text_add(out,
                 "  \"%s\" -> \"%s\" [penwidth=%.2f, style=%s, headlabel=\"%s\", tooltip=\"%+.2f "
                 "%%\"];\n",
                 name, to, thickness(&picture, edge), picture.scores[edge] < 0 ? "dashed" : "solid",
                 receiver.kind == RECEIVER_Q   ? "q"
                 : receiver.kind == RECEIVER_K ? "k"
                 : receiver.kind == RECEIVER_V ? "v"
                                               : "",
                 100 * picture.scores[edge]);
    }
    text_add(out, "}\n");
}
