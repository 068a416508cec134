/* tests/probes/scrubbing/test_scrub_values.c - the value of every exchanged part against passes of
 * the whole network with hooks, and who may lend, by the rules. */
#include <math.h>
#include <stdio.h>

#include "probes/graph/outputs.h"
#include "probes/scrubbing/scrub_internal.h"
#include "tests/probes/scrubbing/scrub_fixture.h"

enum { C = 32, MOST_T = 31, LAYERS = 3 };

typedef struct PlainPasses {
    const ScrubFixture *f;
    const ScrubPlan *plan;
    const Hypothesis *hypothesis;
    Tape *tape;
} PlainPasses;

/* A pass of one run: what is added to a site, what replaces rows of K and V, what is taken. */
typedef struct EditedPass {
    HookSite site; /* where `change` (T, C) is added, of `layer` */
    int layer;
    const double *change;
    bool replaces; /* rows of keys and values of `layer` at positions that are not in `inside` */
    uint64_t inside;
    const real *k, *v; /* (T, C) */
    HookSite taken;
    int taken_layer;
    real *out; /* (T, C); NULL: nothing is taken */
    int T;
} EditedPass;

static void edit_hook(void *context, const HookPoint *point)
{
    const EditedPass *edit = context;
    if (edit->change && point->site == edit->site && point->layer == edit->layer) {
        for (int i = 0; i < edit->T * C; i++) {
            point->value[i] += (real)edit->change[i];
        }
    }
    if (edit->replaces && point->layer == edit->layer &&
        (point->site == HOOK_K || point->site == HOOK_V)) {
        const real *from = point->site == HOOK_K ? edit->k : edit->v;
        for (int s = 0; s < edit->T; s++) {
            if (!(edit->inside >> s & 1)) {
                memcpy(point->value + (size_t)s * C, from + (size_t)s * C, C * sizeof(real));
            }
        }
    }
    if (edit->out && point->site == edit->taken && point->layer == edit->taken_layer) {
        memcpy(edit->out, point->value, (size_t)edit->T * C * sizeof(real));
    }
}

/* Logits at the last of T positions, borrowed. */
static const real *pass(const PlainPasses *r, int run, EditedPass edit)
{
    uint8_t tokens[MOST_T];
    Hooks hooks = {.fn = edit_hook, .context = &edit};
    for (int s = 0; s < N_HOOK_SITES; s++) {
        hooks.sites[s] = s == HOOK_SCORES || s == HOOK_PATTERN || s == HOOK_LN1_SCALE ||
                                 s == HOOK_LN2_SCALE || s == HOOK_FINAL_SCALE
                             ? 0
                             : ~0ULL;
    }
    for (int t = 0; t < edit.T; t++) {
        uint8_t sq = r->plan->games[run][t];
        tokens[t] = sq == SQ_NONE ? TOK_PAD : r->f->vocab->tok_of_sq[sq];
    }
    return gpt_forward(r->f->gpt, r->tape, tokens, 1, (size_t)edit.T, &hooks) +
           (size_t)(edit.T - 1) * (size_t)r->f->gpt->cfg.d_vocab;
}

static void add_write(double *out, const PlainPasses *r, Sender sender, const real *row,
                      double factor)
{
    real written[C];
    if (sender.kind == SENDER_HEAD) {
        outputs_of_head(written, r->f->gpt, sender.layer, sender.head, row, 1);
    } else {
        memcpy(written, row, sizeof(written));
    }
    for (int c = 0; c < C; c++) {
        out[c] += factor * (double)written[c];
    }
}

static HookSite site_of(Sender sender)
{
    return sender.kind == SENDER_INPUT  ? HOOK_RESID_PRE
           : sender.kind == SENDER_HEAD ? HOOK_Z
                                        : HOOK_MLP_OUT;
}

/* out (C) += factor * what the sender writes at t in a plain pass. */
static void add_plain(double *out, const PlainPasses *r, int run, Sender sender, int t,
                      double factor)
{
    real rows[MOST_T * C];
    pass(r, run,
         (EditedPass){.taken = site_of(sender),
                      .taken_layer = sender.layer < 0 ? 0 : sender.layer,
                      .out = rows,
                      .T = t + 1});
    add_write(out, r, sender, rows + (size_t)t * C, factor);
}

static void part_reference(double *out, const PlainPasses *r, const ScrubPart *part);

/* change (T, C) of a part's inputs. */
static void change_reference(double *change, const PlainPasses *r, const ScrubPart *part)
{
    memset(change, 0, MOST_T * C * sizeof(*change));
    for (int i = 0; i < part->n_children; i++) {
        const ScrubPart *child = &r->plan->parts[r->plan->children[part->first_child + i]];
        const HypothesisNode *node = &r->hypothesis->nodes[child->node];
        double *at = change + (size_t)child->t * C, value[C];
        part_reference(value, r, child);
        for (int c = 0; c < C; c++) {
            at[c] += value[c];
        }
        for (size_t s = 0; s < r->f->graph.n_senders; s++) {
            if (node->senders[s]) {
                add_plain(at, r, part->base, graph_sender(&r->f->graph, s), child->t, -1);
            }
        }
    }
}

static void part_reference(double *out, const PlainPasses *r, const ScrubPart *part)
{
    const HypothesisNode *node = &r->hypothesis->nodes[part->node];
    static _Thread_local double changes[8][MOST_T * C];
    static _Thread_local int depth;
    double *change = changes[depth++], before[MOST_T * C];
    int layer = -1;
    assert_true(depth <= 8);
    memset(out, 0, C * sizeof(*out));
    change_reference(change, r, part);
    for (size_t s = 0; s < r->f->graph.n_senders; s++) {
        Sender sender = graph_sender(&r->f->graph, s);
        double written[C] = {0};
        real k[MOST_T * C], v[MOST_T * C], rows[MOST_T * C];
        int T = part->t + 1;
        if (!node->senders[s]) {
            continue;
        }
        if (sender.kind == SENDER_INPUT) {
            add_plain(written, r, part->source, sender, part->t, 1);
        } else {
            bool head = sender.kind == SENDER_HEAD;
            if (head && sender.layer != layer) { /* heads of one layer do not read one another */
                memcpy(before, change, sizeof(before));
                layer = sender.layer;
            }
            if (head) {
                pass(r, part->outside,
                     (EditedPass){.taken = HOOK_K, .taken_layer = sender.layer, .out = k, .T = T});
                pass(r, part->outside,
                     (EditedPass){.taken = HOOK_V, .taken_layer = sender.layer, .out = v, .T = T});
            }
            pass(r, part->base,
                 (EditedPass){.site = head ? HOOK_RESID_PRE : HOOK_RESID_MID,
                              .layer = sender.layer,
                              .change = head ? before : change,
                              .replaces = head,
                              .inside = part->positions[node->senders[s] - 1],
                              .k = k,
                              .v = v,
                              .taken = site_of(sender),
                              .taken_layer = sender.layer,
                              .out = rows,
                              .T = T});
            add_write(written, r, sender, rows + (size_t)part->t * C, 1);
        }
        for (int c = 0; c < C; c++) {
            out[c] += written[c];
            change[(size_t)part->t * C + (size_t)c] += written[c];
        }
        add_plain(change + (size_t)part->t * C, r, part->base, sender, part->t, -1);
    }
    depth--;
}

/* The largest difference of the logits, and how far the reference is from the base run's. */
static void compare(double *difference, double *effect, const ScrubFixture *f,
                    const Hypothesis *hypothesis, const ScrubPlan *plan, ScrubRuns *runs,
                    ScrubRows *rows)
{
    const ScrubPart *logits = &plan->parts[plan->n_parts - 1];
    double change[MOST_T * C];
    PlainPasses r = {f, plan, hypothesis, NULL};
    const real *ours, *theirs;
    real base[33];
    assert_int_equal(tape_new(&r.tape, &f->gpt->cfg, 1, TAPE_FORWARD, NULL), 0);
    ours = scrub__logits_of(rows, runs, plan, hypothesis);
    memcpy(base, pass(&r, logits->base, (EditedPass){.T = logits->t + 1}), sizeof(base));
    change_reference(change, &r, logits);
    theirs = pass(
        &r, logits->base,
        (EditedPass){
            .site = HOOK_RESID_POST, .layer = LAYERS - 1, .change = change, .T = logits->t + 1});
    for (int v = 0; v < 33; v++) {
        *difference = fmax(*difference, fabs((double)ours[v] - (double)theirs[v]));
        *effect = fmax(*effect, fabs((double)theirs[v] - (double)base[v]));
    }
    tape_free(r.tape);
}

static void values_are_those_of_whole_passes(void **state)
{
    static const char *const texts[] = {
        "logits <- m\nnode m = mlp1 carries mine c3 <- h\nnode h = L1H1 L0H2 carries mover\n",
        "logits <- h\nnode h = L1H1 L1H3 at back 1, last-set c4, self carries mover <- e\n"
        "node e = mlp0 input carries flipped c4\n",
        "logits <- late early\nnode late = L1H0 mlp1 L2H2 mlp2 carries mover <- early\n"
        "node early = mlp0 carries mine c3\n",
        "logits <- h\nnode h = L2H* L1H2 at mine carries everything\n",
        "logits <- h m\nnode h = L2H0 at theirs carries mover <- m\n"
        "node m = mlp1 carries empty b2 <- g\nnode g = L1H* at placed b2, back 2 carries last\n",
        "logits <- n\nnode n = input mlp* and L0H0 L1H1-2 L2H0 at mine and L0H1 L1H0 L2H1 at "
        "theirs, "
        "back 3 and L0H2-3 L1H3 carries everything\n",
        "logits <- all\nnode all = L2H* mlp2 carries mine c3 <- rest\n"
        "node rest = input L0-1H* mlp0-1 carries mover\n",
    };
    ScrubFixture f = fixture_random(LAYERS, 40, 400);
    static ScrubPlan plan;
    ScrubRuns *runs;
    ScrubRows *rows;
    assert_int_equal(scrub__runs_new(&runs, f.gpt, &f.graph, f.vocab), 0);
    assert_int_equal(scrub__rows_new(&rows, f.gpt, &f.graph, f.vocab), 0);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        Hypothesis hypothesis = fixture_hypothesis(&f, texts[i]);
        ScrubQuestion question = fixture_question(&f, &hypothesis, 1);
        const HypothesisNode *nodes[HYPOTHESIS_MAX_NODES];
        RunSites sites = scrub__sites(&hypothesis, &f.graph);
        SamplePool pool;
        ScrubSetting setting = {.question = &question, .pool = &pool, .seed = 1};
        double difference = 0.0, effect = 0.0;
        for (size_t n = 0; n < hypothesis.n_nodes; n++) {
            nodes[n] = &hypothesis.nodes[n];
        }
        assert_int_equal(samples_index(&pool, &f.pool, nodes, hypothesis.n_nodes, WORK_ALONE), 0);
        for (size_t root = 0; root < (fixture_sanitized() ? 2 : 4); root++) {
            const ScrubRoot at = {.game = root, .t = 4 + 2 * (int)root, .sign = 1};
            assert_int_equal(scrub__plan(&plan, &setting, &hypothesis, &at, root), 0);
            assert_false(plan.unmatched);
            assert_int_equal(scrub__runs_do(runs, &plan, 0, &sites, (size_t)at.t + 1), 0);
            compare(&difference, &effect, &f, &hypothesis, &plan, runs, rows);
        }
        /* Logits are near 10: float sums of 32 to 64 terms in another order. */
        assert_true(difference < 5e-5);
        assert_true(effect > 0.1);
        samples_release(&pool);
        hypothesis_release(&hypothesis);
    }
    scrub__rows_free(rows);
    scrub__runs_free(runs);
    fixture_release(&f);
    (void)state;
}

static uint64_t key_in(const ScrubFixture *f, const ScrubPlan *plan, const HypothesisNode *node,
                       int run, int t)
{
    Board boards[GAME_MAX_MOVES];
    game_replay(f->vocab->variant, plan->games[run], t + 1, boards);
    return feature_key(node, f->vocab->variant, plan->games[run], boards, t);
}

/* The recursion: what a part is lent agrees with what its reader sees, not with the root; it is
 * read at the positions that the reader's own game names. */
static void lenders_agree_with_their_readers(void **state)
{
    const char *text = "logits <- h\nnode h = L2H0 at last-set c4, back 2 carries mine c4 <- m\n"
                       "node m = mlp1 carries mine e3, mover <- e\nnode e = mlp0 carries last\n";
    ScrubFixture f = fixture_random(LAYERS, 40, 3000);
    Hypothesis h = fixture_hypothesis(&f, text);
    ScrubQuestion question = fixture_question(&f, &h, 1);
    const HypothesisNode *nodes[] = {&h.nodes[0], &h.nodes[1], &h.nodes[2]};
    SamplePool pool;
    ScrubSetting setting = {.question = &question, .pool = &pool, .seed = 1};
    static ScrubPlan plan;
    size_t n_parts = 0, n_unlike_root = 0;
    assert_int_equal(samples_index(&pool, &f.pool, nodes, 3, WORK_ALONE), 0);
    for (size_t root = 0; root < 20; root++) {
        const ScrubRoot at = {.game = root, .t = 6 + (int)root / 2, .sign = 1};
        assert_int_equal(scrub__plan(&plan, &setting, &h, &at, root), 0);
        assert_false(plan.unmatched);
        for (size_t i = 0; i < plan.n_parts; i++) {
            const ScrubPart *part = &plan.parts[i];
            const HypothesisNode *node = part->node < 0 ? NULL : &h.nodes[part->node];
            uint64_t read = 0, expected = 1ULL << part->t;
            Board boards[GAME_MAX_MOVES];
            for (int k = 0; k < part->n_children; k++) {
                const ScrubPart *child = &plan.parts[plan.children[part->first_child + k]];
                const HypothesisNode *of = &h.nodes[child->node];
                uint64_t key = key_in(&f, &plan, of, part->source, child->t);
                assert_true(key_in(&f, &plan, of, child->source, child->t) == key);
                n_unlike_root += key_in(&f, &plan, of, RUN_ROOT, child->t) != key;
                read |= 1ULL << child->t;
                n_parts++;
            }
            if (node && hypothesis_has_places(node)) {
                game_replay(f.vocab->variant, plan.games[part->source], part->t + 1, boards);
                expected |= place_positions(&node->groups[0], f.vocab->variant,
                                            plan.games[part->source], boards, part->t);
            }
            assert_true(part->n_children == 0 || read == expected);
        }
    }
    assert_true(n_parts > 80 && n_unlike_root > 20);
    samples_release(&pool);
    hypothesis_release(&h);
    fixture_release(&f);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_those_of_whole_passes),
        cmocka_unit_test(lenders_agree_with_their_readers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
