/* tests/probes/scrubbing/test_hypothesis.c - hypothesis files: what they mean, what is refused. */
#include <stdio.h>

#include "tests/probes/scrubbing/scrub_fixture.h"

/* 8 layers of 8 heads on 6x6. */
static Graph graph_of_tiny(void)
{
    GptConfig cfg;
    assert_int_equal(gpt_config_preset(&cfg, "tiny"), 0);
    return graph_of(&cfg);
}

static int parse(Hypothesis *out, const char *text, size_t n_bytes)
{
    Graph graph = graph_of_tiny();
    return hypothesis_parse(out, &graph, game_variant(6), text, n_bytes, "x.txt");
}

static Hypothesis read_text(const char *text)
{
    Hypothesis out;
    if (parse(&out, text, strlen(text)) != 0) {
        fail_msg("%s", err_message());
    }
    return out;
}

static bool has(const Hypothesis *hypothesis, size_t node, const char *sender)
{
    Graph graph = graph_of_tiny();
    size_t s;
    assert_int_equal(graph_sender_parse(&s, &graph, sender), 0);
    return hypothesis->nodes[node].senders[s];
}

static void the_example_of_the_contract_is_read(void **state)
{
    char words[200];
    Hypothesis h = read_text("# A comment.\r\n"
                             "board 6x6\n"
                             "metric legal e3 # of one square\r\n"
                             "\tlogits <- late\r\n"
                             "node late  = mlp5 L5H*   carries legal e3 <- early\n\n"
                             "node early = L2H3 at back 1, last-set e3 carries mine e3, mover");
    assert_int_equal(h.metric, SCRUB_LEGAL_SQUARE);
    assert_int_equal(h.metric_sq, 8 * 2 + 4);
    assert_int_equal(h.n_nodes, 2);
    assert_int_equal(h.n_inputs, 1);
    assert_int_equal(h.inputs[0], 0);
    assert_string_equal(h.nodes[0].name, "late");
    assert_int_equal(h.nodes[0].n_senders, 9);
    assert_true(has(&h, 0, "mlp5") && has(&h, 0, "L5H0") && has(&h, 0, "L5H7"));
    assert_false(has(&h, 0, "mlp4") || has(&h, 0, "L4H0") || has(&h, 0, "input"));
    assert_int_equal(h.nodes[0].n_inputs, 1);
    assert_int_equal(h.nodes[0].inputs[0], 1);
    assert_int_equal(h.nodes[1].line, 7);
    assert_int_equal(h.nodes[1].n_senders, 1);
    feature_list_print(words, sizeof(words), &h.nodes[1]);
    assert_string_equal(words, "mine e3, mover");
    place_list_print(words, sizeof(words), &h.nodes[1]);
    assert_string_equal(words, "back 1, last-set e3");
    assert_int_equal(h.nodes[1].groups[0].places[0].back, 1);
    assert_int_equal(h.nodes[1].groups[0].places[1].sq, 8 * 2 + 4);
    assert_false(hypothesis_keeps(&h.nodes[1]) || hypothesis_has_places(&h.nodes[0]));
    assert_true(hypothesis_has_places(&h.nodes[1]));
    hypothesis_release(&h);
    h = read_text("logits <-");
    assert_true(h.n_nodes == 0 && h.n_inputs == 0 && h.metric == SCRUB_LEGAL);
    assert_string_equal(scrub_metric_name(h.metric), "legal");
    hypothesis_release(&h);
    (void)state;
}

static void ranges_and_stars_name_senders(void **state)
{
    Hypothesis h = read_text("logits <- a b c d\nnode a = mlp2-4 carries everything\n"
                             "node b = L*H7 carries nothing\n"
                             "node c = L0-1H2-3 input carries mover, last, played\n"
                             "node d = mlp0-1 carries mine\n");
    Graph graph = graph_of_tiny();
    char words[200];
    assert_int_equal(h.nodes[0].n_senders, 3);
    assert_true(has(&h, 0, "mlp2") && has(&h, 0, "mlp3") && has(&h, 0, "mlp4"));
    assert_true(hypothesis_keeps(&h.nodes[0]) && !hypothesis_keeps(&h.nodes[1]));
    assert_int_equal(h.nodes[1].n_senders, 8);
    assert_true(has(&h, 1, "L0H7") && has(&h, 1, "L7H7") && !has(&h, 1, "L7H6"));
    assert_int_equal(h.nodes[2].n_senders, 5);
    feature_list_print(words, sizeof(words), &h.nodes[2]);
    assert_string_equal(words, "mover, last, played");
    assert_true(hypothesis_is_open(&h, &graph, -1));
    assert_false(hypothesis_elsewhere(&h, &h, 1)); /* no square is named */
    hypothesis_release(&h);
    h = read_text("logits <- all\nnode all = * carries everything\n");
    assert_int_equal(h.nodes[0].n_senders, graph.n_senders);
    assert_false(hypothesis_is_open(&h, &graph, -1));
    hypothesis_release(&h);
    /* A node hears itself: with all of layer 0 named, nothing of what mlp0 reads is left. */
    h = read_text("logits <- b\nnode b = L0H* mlp0 carries everything <- a\n"
                  "node a = input carries nothing\n");
    assert_false(hypothesis_is_open(&h, &graph, 0));
    hypothesis_release(&h);
    h = read_text("logits <- b\nnode b = L0H0-6 mlp0 carries everything <- a\n"
                  "node a = input carries nothing\n");
    assert_true(hypothesis_is_open(&h, &graph, 0)); /* L0H7 */
    hypothesis_release(&h);
    h = read_text(
        "logits <- n\nnode n = input mlp* and L0H0 L1H1-2 at mine and L2H0 at theirs, back 3 "
        "carries everything\n");
    assert_int_equal(h.nodes[0].n_groups, 3);
    assert_int_equal(h.nodes[0].n_senders, 13);
    assert_int_equal(h.nodes[0].groups[0].n_places, 0);
    assert_int_equal(h.nodes[0].groups[2].n_places, 2);
    assert_int_equal(h.nodes[0].senders[0], 1);
    assert_int_equal(h.nodes[0].senders[1], 2); /* L0H0 */
    place_list_print(words, sizeof(words), &h.nodes[0]);
    assert_string_equal(words, "mine and theirs, back 3");
    hypothesis_release(&h);
    (void)state;
}

static void other_squares_are_all_moved(void **state)
{
    bool differ = false;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        Hypothesis h = read_text("metric empty a1\nlogits <- a\n"
                                 "node a = L1H1 at placed a1, last-set c3 carries mine b3, mover "
                                 "<- b\nnode b = input carries flipped a1\n");
        Hypothesis other;
        assert_true(hypothesis_elsewhere(&other, &h, seed));
        assert_int_equal(other.metric_sq, 0);
        assert_true(other.nodes[0].groups[0].places[0].sq != 0);
        assert_true(other.nodes[0].groups[0].places[1].sq != 18);
        assert_true(other.nodes[0].features[0].sq != 17);
        assert_int_equal(other.nodes[0].features[1].sq, -1);
        /* One symmetry: equal squares stay equal, corners are corners, the centre is the centre. */
        assert_int_equal(other.nodes[1].features[0].sq, other.nodes[0].groups[0].places[0].sq);
        int corner = other.nodes[0].groups[0].places[0].sq;
        assert_true(corner == 5 || corner == 40 || corner == 45);
        assert_true(h.variant->centre >> other.nodes[0].groups[0].places[1].sq & 1);
        differ = differ || corner != 5;
        hypothesis_release(&h);
    }
    assert_true(differ);
    Hypothesis h = read_text("logits <- a\nnode a = L1H1 at mine, back 3, self and L2H* at theirs "
                             "carries everything\n");
    Hypothesis other;
    char words[100];
    assert_true(hypothesis_elsewhere(&other, &h, 1));
    place_list_print(words, sizeof(words), &other.nodes[0]);
    assert_string_equal(words, "theirs, back 5, self and mine");
    hypothesis_release(&h);
    h = read_text("logits <- a\nnode a = L1H1 at self carries mover\n");
    assert_false(hypothesis_elsewhere(&other, &h, 1));
    hypothesis_release(&h);
    (void)state;
}

#define LOGITS "logits <- a\n"
#define NODE "node a = mlp3 carries mover\n"

static void wrong_files_are_refused_with_their_line(void **state)
{
    static const struct {
        const char *text, *where, *reason;
    } bad[] = {
        {"", "x.txt: ", "no line logits"},
        {NODE, "x.txt: ", "no line logits"},
        {LOGITS LOGITS NODE, "x.txt:2: ", "a second time"},
        {LOGITS, "x.txt:1: ", "\"a\" is no node of this file"},
        {"logits\n", "x.txt:1: ", "expected <- behind logits"},
        {"logits <- a, b\n", "x.txt:1: ", "\",\", expected the name of a node"},
        {"logit <- a\n", "x.txt:1: ", "\"logit\", expected board, metric, logits"},
        {LOGITS "node a mlp3 carries mover\n", "x.txt:2: ", "expected = behind"},
        {LOGITS "node = mlp3 carries mover\n", "x.txt:2: ", "expected a name"},
        {LOGITS "node logits = mlp3 carries mover\n", "x.txt:2: ", "expected a name"},
        {LOGITS "node abcdefghijklmnopqrstuvwx = mlp3 carries mover\n", "x.txt:2: ", "23 char"},
        {LOGITS NODE NODE, "x.txt:3: ", "there already, in line 2"},
        {LOGITS "node a = carries mover\n", "x.txt:2: ", "expected input, L0H0 to L7H7"},
        {LOGITS "node a = mlp8 carries mover\n", "x.txt:2: ", "\"mlp8\", expected input"},
        {LOGITS "node a = mlp99999999999999999999 carries mover\n", "x.txt:2: ", "expected input"},
        {LOGITS "node a = mlp4-3 carries mover\n", "x.txt:2: ", "\"mlp4-3\", expected input"},
        {LOGITS "node a = L0H8 carries mover\n", "x.txt:2: ", "\"L0H8\", expected input"},
        {LOGITS "node a = L0 carries mover\n", "x.txt:2: ", "\"L0\", expected input"},
        {LOGITS "node a = L0H1.q carries mover\n", "x.txt:2: ", "\"L0H1.q\", expected input"},
        {LOGITS "node a = mlp3\n", "x.txt:2: ", "the line ends, expected input"},
        {LOGITS "node a = mlp3 carries\n", "x.txt:2: ", "the line ends, expected everything"},
        {LOGITS "node a = mlp3 carries colors d4\n",
         "x.txt:2: ", "\"colors\", expected everything"},
        {LOGITS "node a = mlp3 carries mine g1\n", "x.txt:2: ", "a square of the 6x6 board"},
        {LOGITS "node a = mlp3 carries mine a7\n", "x.txt:2: ", "a square of the 6x6 board"},
        {LOGITS "node a = mlp3 carries mine a1 b1\n", "x.txt:2: ", "a comma, <- or the end"},
        {LOGITS "node a = mlp3 carries mover a1\n", "x.txt:2: ", "a comma, <- or the end"},
        {LOGITS "node a = mlp3 carries mover,\n", "x.txt:2: ", "the line ends"},
        {LOGITS "node a = mlp3 at self carries mover\n", "x.txt:2: ", "mlp3 at positions"},
        {LOGITS "node a = L1H1 and mlp3 at self carries mover\n", "x.txt:2: ", "mlp3 at positions"},
        {LOGITS "node a = L1H1 and L1H0-2 at self carries mover\n",
         "x.txt:2: ", "L1H1 is in two groups"},
        {LOGITS "node a = L1H1 at self and * carries mover\n",
         "x.txt:2: ", "L1H1 is in two groups"},
        {LOGITS "node a = L1H1 and carries mover\n", "x.txt:2: ", "\"carries\", expected input"},
        {LOGITS "node a = L3H1 at carries mover\n", "x.txt:2: ", "expected self, back"},
        {LOGITS "node a = L3H1 at back carries mover\n", "x.txt:2: ", "a number of positions"},
        {LOGITS "node a = L3H1 at back 0 carries mover\n", "x.txt:2: ", "a number of positions"},
        {LOGITS "node a = L3H1 at back 32 carries mover\n", "x.txt:2: ", "a number of positions"},
        {LOGITS "node a = L3H1 at back 1x carries mover\n", "x.txt:2: ", "a number of positions"},
        {LOGITS "node a = L3H1 at placed c3 carries mover\n", "x.txt:2: ", "full from the start"},
        {LOGITS "node a = L3H1 at placed carries mover\n", "x.txt:2: ", "behind placed"},
        {LOGITS "node a = L3H1 at self, mine theirs carries mover\n",
         "x.txt:2: ", "a comma, and or carries"},
        {LOGITS NODE "node b = mlp2 carries mover\n", "x.txt:3: ", "nobody reads node b"},
        {LOGITS "node a = mlp3 carries mover <- b\nnode b = mlp3 carries mover\n",
         "x.txt:2: ", "mlp3 reads before mlp3 writes"},
        {LOGITS "node a = mlp3 carries mover <- b\nnode b = L2H1 mlp5 carries mover <- a\n",
         "x.txt:2: ", "mlp3 reads before mlp5 writes"}, /* a circle */
        {LOGITS "node a = mlp3 carries mover <- a\n", "x.txt:2: ", "mlp3 reads before mlp3 writes"},
        {LOGITS "node a = L3H1 carries mover <- b\nnode b = L3H2 carries mover\n",
         "x.txt:2: ", "L3H1 reads before L3H2 writes"},
        {LOGITS "node a = input carries mover <- b\nnode b = L3H2 carries mover\n",
         "x.txt:2: ", "input reads before L3H2 writes"},
        {"logits <- a b\n" NODE "node b = mlp2-3 carries mover\n",
         "x.txt:1: ", "logits reads mlp3 twice, in a and in b"},
        {"logits <- a a\n" NODE, "x.txt:1: ", "twice, in a and in a"},
        {"# x\nboard 8x8\n", "x.txt:2: ", "of the board 8x8, expected 6x6"},
        {"board 7x7\n", "x.txt:1: ", "\"7x7\", expected 4x4, 6x6 or 8x8"},
        {"board\n", "x.txt:1: ", "the line ends, expected 4x4"},
        {"board 6x6 8x8\n", "x.txt:1: ", "\"8x8\", expected the end of the line"},
        {"board 6x6\nboard 6x6\n", "x.txt:2: ", "the first is in line 1"},
        {"metric\n", "x.txt:1: ", "expected legal, legal SQUARE"},
        {"metric loss\n", "x.txt:1: ", "\"loss\", expected legal"},
        {"metric empty\n", "x.txt:1: ", "a square of the 6x6 board behind metric"},
        {"metric legal d3\n", "x.txt:1: ", "no logit of a centre square"},
        {"metric legal a1 b1\n", "x.txt:1: ", "the end of the line"},
        {"metric legal\nmetric legal\n", "x.txt:2: ", "the first is in line 1"},
        {"node a < b\n", "x.txt:1: ", "expected = behind"},
        {"logits <- a\x01\n", "x.txt:1: ", "byte 1 at character 12"},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        Hypothesis h;
        assert_int_equal(parse(&h, bad[i].text, strlen(bad[i].text)), OGPT_EFORMAT);
        if (!strstr(err_message(), bad[i].where) || !strstr(err_message(), bad[i].reason)) {
            fail_msg("\"%s\": message \"%s\" lacks \"%s\" or \"%s\"", bad[i].text, err_message(),
                     bad[i].where, bad[i].reason);
        }
        assert_null(h.block);
    }
    (void)state;
}

static void more_than_there_is_room_for_is_refused(void **state)
{
    const size_t long_line = 1 << 20;
    char *text = mem_alloc(long_line + 100, 1, "text");
    Hypothesis h;
    size_t used = 0;
    memset(text, 'x', long_line);
    assert_int_equal(parse(&h, text, long_line), OGPT_EFORMAT);
    assert_non_null(strstr(err_message(), "x.txt:1: a line of 1048576 bytes, expected 1000"));
    memset(text, ' ', long_line);
    assert_int_equal(parse(&h, text, long_line), OGPT_EFORMAT);
    memset(text, '\n', long_line); /* many empty lines are no harm by themselves */
    assert_int_equal(parse(&h, text, long_line), OGPT_EFORMAT);
    assert_non_null(strstr(err_message(), "no line logits"));
    for (int i = 0; i < HYPOTHESIS_MAX_NODES + 1; i++) {
        used +=
            (size_t)snprintf(text + used, long_line - used, "node n%d = mlp3 carries mover\n", i);
    }
    assert_int_equal(parse(&h, text, used), OGPT_EFORMAT);
    assert_non_null(strstr(err_message(), "x.txt:17: more than 16 nodes"));
    used = (size_t)snprintf(text, long_line, "logits <-");
    for (int i = 0; i < HYPOTHESIS_MAX_NODES + 1; i++) {
        used += (size_t)snprintf(text + used, long_line - used, " n%d", i);
    }
    assert_int_equal(parse(&h, text, used), OGPT_EFORMAT);
    assert_non_null(strstr(err_message(), "x.txt:1: more than 16 nodes behind <-"));
    used = (size_t)snprintf(text, long_line, "node a = L1H0");
    for (int i = 1; i <= HYPOTHESIS_MAX_GROUPS; i++) {
        used += (size_t)snprintf(text + used, long_line - used, " and L%dH1", i % 8);
    }
    assert_int_equal(parse(&h, text, used), OGPT_EFORMAT);
    assert_non_null(strstr(err_message(), "more than 8 groups"));
    for (int behind_at = 0; behind_at < 2; behind_at++) {
        used = (size_t)snprintf(text, long_line, "node a = L1H1 %s mine",
                                behind_at ? "at" : "carries");
        for (int i = 0; i < HYPOTHESIS_MAX_FEATURES; i++) {
            used += (size_t)snprintf(text + used, long_line - used, ", mine");
        }
        assert_int_equal(parse(&h, text, used), OGPT_EFORMAT);
        assert_non_null(
            strstr(err_message(), behind_at ? "more than 8 positions" : "more than 8 features"));
    }
    mem_free(text);
    (void)state;
}

/* Any prefix and any changed byte of a good file: read, or refused with a message. */
static void damaged_bytes_are_refused_or_harmless(void **state)
{
    char text[] =
        "metric legal e3\nlogits <- late\nnode late = mlp5 L5H* carries legal e3 <- early\n"
        "node early = L2-3H3 at back 1, last-set e3 carries mine e3, mover\n";
    size_t n = strlen(text), n_refused = 0, n_read = 0;
    Hypothesis h;
    for (size_t i = 0; i < n; i++) {
        for (int bit = -1; bit < 8; bit++) {
            size_t n_bytes = bit < 0 ? i : n;
            text[i] ^= bit < 0 ? 0 : (char)(1 << bit);
            if (parse(&h, text, n_bytes) == 0) {
                n_read++;
                hypothesis_release(&h);
            } else {
                assert_true(strncmp(err_message(), "x.txt:", 6) == 0);
                n_refused++;
            }
            text[i] ^= bit < 0 ? 0 : (char)(1 << bit);
        }
    }
    assert_true(n_refused > 4 * n && n_read > 0);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_example_of_the_contract_is_read),
        cmocka_unit_test(ranges_and_stars_name_senders),
        cmocka_unit_test(other_squares_are_all_moved),
        cmocka_unit_test(wrong_files_are_refused_with_their_line),
        cmocka_unit_test(more_than_there_is_room_for_is_refused),
        cmocka_unit_test(damaged_bytes_are_refused_or_harmless),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
