/* report/figures/figure_graph.c - edges between parts of a network, from the input below to the
 * logits above. Contract in report/figures/page.h; names of parts as in probes/graph/graph.h. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "report/ink/letters.h"
#include "report/figures/page.h"

enum { GRAPH_NODES_MAX = 512, NODE_NAME_MAX = 32, HEADS_MAX = 64, ROWS_MAX = 256 };
#define NODE_HEIGHT 4.2
#define ROW_HEIGHT 11.0

/* A part of the network: its row counts from the input, 0; the logits lie above all others. */
typedef struct GraphNode {
    char name[NODE_NAME_MAX];
    int row, head; /* head -1: stands in the middle */
} GraphNode;

typedef struct GraphPlan {
    Page *page;
    GraphNode nodes[GRAPH_NODES_MAX];
    size_t n;
    int n_heads;
    int rows[ROWS_MAX]; /* the rows that are used, ascending */
    int n_rows;
    double top, left, width; /* width of a head's place */
    double most;             /* the largest size of a score */
} GraphPlan;

#define ROW_LOGITS 1000

static GraphNode node_read(const char *name, size_t length)
{
    GraphNode node = {.row = 0, .head = -1};
    int layer = 0, head = 0;
    snprintf(node.name, sizeof(node.name), "%.*s", (int)length, name);
    if (sscanf(node.name, "L%dH%d", &layer, &head) == 2) {
        node.row = 1 + 2 * layer;
        node.head = head < HEADS_MAX ? head : HEADS_MAX - 1;
    } else if (sscanf(node.name, "mlp%d", &layer) == 1) {
        node.row = 2 + 2 * layer;
    } else if (strcmp(node.name, "logits") == 0) {
        node.row = ROW_LOGITS;
    }
    return node;
}

/* The nodes of an edge "FROM->TO.q", and where its end is: -1 q, 0 k or the middle, 1 v. */
static bool edge_read(GraphNode *from, GraphNode *to, int *port, const char *edge)
{
    const char *arrow = strstr(edge, "->");
    if (!arrow) {
        return false;
    }
    const char *end = arrow + 2, *dot = strrchr(end, '.');
    size_t length = dot ? (size_t)(dot - end) : strlen(end);
    *from = node_read(edge, (size_t)(arrow - edge));
    *to = node_read(end, length);
    *port = !dot ? 0 : dot[1] == 'q' ? -1 : dot[1] == 'v' ? 1 : 0;
    return true;
}

static void node_add(GraphPlan *plan, const GraphNode *node)
{
    for (size_t i = 0; i < plan->n; i++) {
        if (strcmp(plan->nodes[i].name, node->name) == 0) {
            return;
        }
    }
    if (plan->n < GRAPH_NODES_MAX) {
        plan->nodes[plan->n++] = *node;
        plan->n_heads = node->head + 1 > plan->n_heads ? node->head + 1 : plan->n_heads;
    }
}

static void rows_find(GraphPlan *plan)
{
    for (;;) {
        int last = plan->n_rows > 0 ? plan->rows[plan->n_rows - 1] : -1, next = ROW_LOGITS + 1;
        for (size_t i = 0; i < plan->n; i++) {
            int row = plan->nodes[i].row;
            next = row > last && row < next ? row : next;
        }
        if (next > ROW_LOGITS || plan->n_rows == ROWS_MAX) {
            return;
        }
        plan->rows[plan->n_rows++] = next;
    }
}

static MarkPoint centre_of(const GraphPlan *plan, const GraphNode *node)
{
    int row = 0;
    while (row + 1 < plan->n_rows && plan->rows[row] < node->row) {
        row++;
    }
    double x = node->head < 0 ? plan->left + plan->width * plan->n_heads / 2
                              : plan->left + plan->width * (node->head + 0.5);
    return (MarkPoint){x, plan->top + NODE_HEIGHT / 2 + ROW_HEIGHT * (plan->n_rows - 1 - row)};
}

static void edge_place(const GraphPlan *plan, const char *edge, const FigurePoint *point)
{
    GraphNode from, to;
    int port;
    if (!edge_read(&from, &to, &port, edge) || isnan(point->y)) {
        return;
    }
    double size = plan->most > 0 ? fabs(point->y) / plan->most : 0;
    MarkPoint a = centre_of(plan, &from), b = centre_of(plan, &to);
    a.y -= NODE_HEIGHT / 2;
    b.y += NODE_HEIGHT / 2;
    b.x += port * fmin(2.2, plan->width * 0.28);
    double bend = (a.y - b.y) / 2;
    const bool down = point->y < 0;
    Mark mark = {.shape = MARK_CURVE,
                 .role = "edge",
                 .fill = MARK_NONE,
                 .stroke = down ? 0xd55e00u : 0x0072b2u,
                 .width = 0.15 + 1.35 * size,
                 .dash = down ? 1 : 0,
                 .x = NAN,
                 .y = point->y,
                 .text = edge};
    mark_add(plan->page->marks, &mark, (MarkPoint[]){a, {a.x, a.y - bend}, {b.x, b.y + bend}, b},
             4);
}

static void node_place(const GraphPlan *plan, const GraphNode *node)
{
    MarkPoint at = centre_of(plan, node);
    double half = fmin(node->head < 0 ? 6 : 5, plan->width * 0.47);
    half = node->head < 0 ? fmax(half, 4.5) : half;
    page_rect(plan->page, "node", (MarkPoint){at.x - half, at.y - NODE_HEIGHT / 2},
              (MarkPoint){at.x + half, at.y + NODE_HEIGHT / 2},
              &(Mark){.fill = 0xffffff, .stroke = PAGE_GREY, .width = 0.2, .x = NAN, .y = NAN});
    double size = PAGE_SMALL;
    while (size > 1.2 && letters_width(node->name, size) > 2 * half - 0.6) {
        size -= 0.1;
    }
    page_text(plan->page, &(PageText){.role = "node",
                                      .text = node->name,
                                      .x = at.x,
                                      .y = at.y + 0.36 * size,
                                      .size = size,
                                      .colour = PAGE_BLACK});
}

/* What a reader must know of edges. */
static void legend_place(GraphPlan *plan, const Column *column)
{
    char line[160], most[40];
    figure_data_number(most, column, plan->most);
    snprintf(line, sizeof(line), "widest: %s%s%s; solid: above 0, dashed: below", most,
             column && column->unit ? " " : "", column && column->unit ? column->unit : "");
    page_text(plan->page, &(PageText){.role = "legend",
                                      .text = line,
                                      .x = PAGE_MARGIN,
                                      .y = plan->page->y + PAGE_SMALL,
                                      .size = PAGE_SMALL,
                                      .most = plan->page->width - 2 * PAGE_MARGIN,
                                      .anchor = -1,
                                      .colour = PAGE_GREY});
    plan->page->y += 1.4 * PAGE_SMALL;
    page_text(plan->page, &(PageText){.role = "legend",
                                      .text = "an edge ends at a head's query (left), key or value "
                                              "(right)",
                                      .x = PAGE_MARGIN,
                                      .y = plan->page->y + PAGE_SMALL,
                                      .size = PAGE_SMALL,
                                      .most = plan->page->width - 2 * PAGE_MARGIN,
                                      .anchor = -1,
                                      .colour = PAGE_GREY});
    plan->page->y += 2.2 * PAGE_SMALL;
}

static void panel_place(Page *page, const FigurePanel *panel)
{
    GraphPlan plan = {.page = page, .left = PAGE_MARGIN, .n_heads = 3};
    GraphNode from, to;
    int port;
    const FigureSeries *series = panel->series;
    for (size_t i = 0; panel->n_series > 0 && i < series->n_points; i++) {
        const FigurePoint *point = &series->points[i];
        if (edge_read(&from, &to, &port, panel->categories[(size_t)point->x].name) &&
            isfinite(point->y)) {
            node_add(&plan, &from);
            node_add(&plan, &to);
            plan.most = fmax(plan.most, fabs(point->y));
        }
    }
    rows_find(&plan);
    if (panel->name[0] != '\0') {
        page_panel_name(page, panel->name, PAGE_MARGIN, page->width - 2 * PAGE_MARGIN);
        page->y += 1.5 * PAGE_LETTERS;
    }
    legend_place(&plan, panel->n_series > 0 ? series->column : NULL);
    plan.width = (page->width - 2 * PAGE_MARGIN) / plan.n_heads;
    plan.top = page->y;
    for (size_t i = panel->n_series > 0 ? series->n_points : 0; i > 0; i--) {
        const FigurePoint *point = &series->points[i - 1];
        edge_place(&plan, panel->categories[(size_t)point->x].name, point);
    }
    for (size_t i = 0; i < plan.n; i++) {
        node_place(&plan, &plan.nodes[i]);
    }
    page->y = plan.top + NODE_HEIGHT + ROW_HEIGHT * (plan.n_rows > 0 ? plan.n_rows - 1 : 0) + 2;
}

void page_graph(Page *page)
{
    for (size_t p = 0; p < page->data->n_panels; p++) {
        panel_place(page, &page->data->panels[p]);
    }
}
