/* tests/probes/scrubbing/test_scrub_planted.c - networks whose circuit is known: the true
 * hypothesis scores 1, a wrong one 0. label: slow links: model/planted */
#include <math.h>
#include <stdio.h>

#include "model/planted/planted.h"
#include "tests/probes/scrubbing/scrub_fixture.h"

static size_t n_of(size_t n)
{
    return fixture_sanitized() ? n / 4 : n;
}

static ScrubFixture planted(PlantedKind kind, bool twin, size_t n_pool, int *head)
{
    ScrubFixture f = {0};
    const PlantedOptions options = {.kind = kind, .size = 4, .seed = 4, .twin = twin};
    PlantedTruth truth;
    assert_int_equal(planted_make(&f.gpt, &options), 0);
    assert_int_equal(planted_truth(&truth, &options), 0);
    *head = -1;
    for (size_t i = 0; i < truth.n_parts && *head < 0; i++) {
        *head = truth.parts[i].node == PLANTED_HEAD ? truth.parts[i].index : -1;
    }
    f.graph = graph_of(&f.gpt->cfg);
    fixture_games(&f, 4, 2000, n_pool);
    return f;
}

/* One head lowers the logit of every square that was played, and nothing else writes to the logits:
 * "it carries whether b1 is empty" is the truth about the logit of b1. That it carries the same of
 * d2 is wrong. */
static void planted_emptiness_is_found(void **state)
{
    int head;
    ScrubFixture f = planted(PLANTED_EMPTINESS, false, 2000, &head);
    char text[200];
    snprintf(text, sizeof(text), "metric empty b1\nlogits <- h\nnode h = L0H%d carries empty b1\n",
             head);
    ScrubResult r = fixture_scrub(&f, text, n_of(400));
    assert_true(r.full - r.shuffled > 0.1); /* there is something to explain */
    /* Squares are played equally often at one ply, so each root is restored, not just their mean.
     * What remains is float rounding of logits near 10. */
    assert_true(fabs(r.rows[2].score.value - 1.0) < 1e-3);
    assert_true(r.rows[2].score.high - r.rows[2].score.low < 1e-3);
    assert_int_equal(r.rows[3].kind, SCRUB_ELSEWHERE);
    assert_true(r.rows[3].score.low < 0.0 && r.rows[3].score.high > 0.0);
    assert_true(fabs(r.rows[3].score.value) < 0.25);
    assert_int_equal(r.rows[4].kind, SCRUB_UNBOUND);
    assert_true(fabs(r.rows[4].score.value) < 0.25);
    /* Wrong: another square, another head. */
    snprintf(text, sizeof(text), "metric empty b1\nlogits <- h\nnode h = L0H%d carries empty d2\n",
             head);
    r = fixture_scrub(&f, text, n_of(400));
    assert_true(fabs(r.rows[2].score.value) < 0.25);
    snprintf(text, sizeof(text), "metric empty b1\nlogits <- h\nnode h = L0H%d carries empty b1\n",
             (head + 1) % 4);
    r = fixture_scrub(&f, text, n_of(400));
    assert_true(fabs(r.rows[2].score.value) < 0.01); /* its writes reach no logit: as shuffled */
    fixture_release(&f);
    /* The twin without the circuit: full is shuffled, there is nothing to explain. */
    f = planted(PLANTED_EMPTINESS, true, 2000, &head);
    r = fixture_scrub(&f, text, n_of(400));
    assert_true(fabs(r.full - r.shuffled) < 1e-3);
    fixture_release(&f);
    (void)state;
}

/* Two equal heads: one of them carries half of it. */
static void planted_duplicate_is_shared(void **state)
{
    int head, second = -1;
    ScrubFixture f = planted(PLANTED_DUPLICATE, false, 2000, &head);
    const PlantedOptions options = {.kind = PLANTED_DUPLICATE, .size = 4, .seed = 4};
    PlantedTruth truth;
    char text[240];
    assert_int_equal(planted_truth(&truth, &options), 0);
    for (size_t i = 0; i < truth.n_parts; i++) {
        second = truth.parts[i].node == PLANTED_HEAD ? truth.parts[i].index : second;
    }
    snprintf(text, sizeof(text),
             "metric empty b1\nlogits <- h\nnode h = L0H%d L1H%d carries empty b1\n", head, second);
    ScrubResult r = fixture_scrub(&f, text, n_of(400));
    assert_true(fabs(r.rows[2].score.value - 1.0) < 1e-3);
    snprintf(text, sizeof(text), "metric empty b1\nlogits <- h\nnode h = L0H%d carries empty b1\n",
             head);
    r = fixture_scrub(&f, text, n_of(400));
    assert_true(fabs(r.rows[2].score.value - 0.5) < 0.13);
    fixture_release(&f);
    (void)state;
}

/* What the heads of the planted circuit read is the positions' tokens: at the position where b1 was
 * played, or nowhere. A position class of another square says nothing. */
static void positions_restrict_what_heads_read(void **state)
{
    int head;
    ScrubFixture f = planted(PLANTED_EMPTINESS, false, 2000, &head);
    char text[240];
    snprintf(text, sizeof(text),
             "metric empty b1\nlogits <- h\nnode h = L0H%d at placed b1 carries everything\n",
             head);
    ScrubResult r = fixture_scrub(&f, text, n_of(400));
    /* Roots where b1 was played keep that. Elsewhere the other games play it with probability p at
     * one ply, for roots of both kinds: full, +-c/2; shuffled, nothing on average; scrubbed, c of
     * the one kind, and -+cp of both, which cancel. So the score is 1 on average, and a root is not
     * restored exactly. */
    assert_true(fabs(r.rows[2].score.value - 1.0) < 0.25);
    assert_true(r.rows[2].score.high - r.rows[2].score.low > 0.01);
    assert_true(r.rows[3].kind == SCRUB_ELSEWHERE && fabs(r.rows[3].score.value) < 0.25);
    fixture_release(&f);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(planted_emptiness_is_found),
        cmocka_unit_test(planted_duplicate_is_shared),
        cmocka_unit_test(positions_restrict_what_heads_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
