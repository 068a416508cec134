/* tests/report/circuits/test_circuit_picture.c - a circuit as text for graphviz, as JSON,
 * and as tables. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "report/circuits/circuit_picture.h"

enum { N_SHOWN = 4 };

/* Three edges of a network of two layers with two heads, one of them negative, and one without any
 * effect. */
typedef struct PictureFixture {
    GptConfig cfg;
    Graph graph;
    EdgeQuestion question;
    CircuitOptions options;
    CircuitStudy study;
    CircuitFindings found;
    double scores[64];
    uint32_t edges[N_SHOWN];
} PictureFixture;

static void fixture_open(PictureFixture *f)
{
    static const char *const names[N_SHOWN] = {"input->L0H1.v", "L0H1->mlp1", "mlp1->logits",
                                               "mlp0->L1H0.q"};
    static const double scores[N_SHOWN] = {0.5, -0.25, 0.125, 0};
    *f = (PictureFixture){.cfg = {.n_layers = 2, .n_heads = 2, .d_model = 4, .d_head = 2}};
    f->graph = graph_of(&f->cfg);
    assert_true(f->graph.n_edges <= 64);
    for (int i = 0; i < N_SHOWN; i++) {
        size_t edge;
        assert_int_equal(graph_edge_parse(&edge, &f->graph, names[i]), 0);
        f->edges[i] = (uint32_t)edge;
        f->scores[edge] = scores[i];
    }
    f->question = (EdgeQuestion){.graph = &f->graph};
    f->study = (CircuitStudy){.n_pairs = 7,
                              .n_edges = f->graph.n_edges,
                              .top = N_SHOWN,
                              .n_wanted = f->graph.n_edges,
                              .total = {2, 1, 3},
                              .n_methods = 1,
                              .edges = f->edges};
    f->study.methods[0] = (CircuitMethod){.name = "exact", .scores = f->scores, .passes = 48};
    f->found = (CircuitFindings){.study = &f->study,
                                 .question = &f->question,
                                 .options = &f->options,
                                 .model_hash = "abc",
                                 .pairs_file = "p.csv"};
}

static size_t count(const char *text, const char *what)
{
    size_t n = 0;
    for (const char *at = strstr(text, what); at; at = strstr(at + 1, what)) {
        n++;
    }
    return n;
}

static void dot_names_channels(void **state)
{
    PictureFixture f;
    Text dot = {0};
    fixture_open(&f);
    circuit_picture_dot(&dot, &f.found, "a\"b\\c\nd");
    assert_non_null(strstr(dot.data, "label=\"a\\\"b\\\\c d\";"));
    assert_int_equal(count(dot.data, " -> "), N_SHOWN);
    assert_non_null(
        strstr(dot.data, "\"input\" -> \"L0H1\" [penwidth=7.00, style=solid, headlabel=\"v\""));
    assert_non_null(
        strstr(dot.data, "\"L0H1\" -> \"mlp1\" [penwidth=3.80, style=dashed, headlabel=\"\""));
    assert_non_null(strstr(dot.data, "headlabel=\"q\""));
    text_release(&dot);
    (void)state;
}

static void json_has_nodes_and_edges(void **state)
{
    PictureFixture f;
    fixture_open(&f);
    Js *json = circuit_json(&f.found);
    const Js *edges = js_member(json, "edges"), *nodes = js_member(json, "nodes");
    assert_int_equal(js_length(edges), N_SHOWN);
    assert_string_equal(js_str_of(js_member(js_at(edges, 1), "from")), "L0H1");
    assert_string_equal(js_str_of(js_member(js_at(edges, 1), "to")), "mlp1");
    assert_true(js_num_of(js_member(js_at(edges, 1), "score")) == -0.25);
    /* Only what an edge with an effect touches: input, L0H1, mlp1, logits. */
    assert_int_equal(js_length(nodes), 4);
    const Js *head = js_at(nodes, 1);
    assert_string_equal(js_str_of(js_member(head, "name")), "L0H1");
    assert_true(js_num_of(js_member(head, "in")) == 0.5);
    assert_true(js_num_of(js_member(head, "out")) == 0.25);
    js_free(json);
    (void)state;
}

/* Warnings come where they must, and only there. */
static void warnings_say_when_nothing_was_found(void **state)
{
    PictureFixture f;
    fixture_open(&f);
    for (int part = 0; part < 2; part++) {
        Report report;
        report_init(&report);
        f.study.controlled[CONTROL_FLIP] = f.study.controlled[CONTROL_TRANSPOSITION] = true;
        f.study.controls[CONTROL_FLIP].edges = (Interval){1, 0.5, 1.5};
        f.study.controls[CONTROL_TRANSPOSITION].edges = (Interval){part ? 0.6 : 0.1, 0, 1};
        f.study.total.low = part ? -1 : 1;
        circuit_report(&report, &f.found);
        assert_int_equal(report_check(&report), 0);
        const char *said = report.warnings.data ? report.warnings.data : "";
        assert_int_equal(count(said, "transposition pairs"), part);
        assert_int_equal(count(said, "shares of it mean nothing"), part);
        report_release(&report);
    }
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dot_names_channels),
        cmocka_unit_test(json_has_nodes_and_edges),
        cmocka_unit_test(warnings_say_when_nothing_was_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
