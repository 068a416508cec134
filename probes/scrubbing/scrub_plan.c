/* probes/scrubbing/scrub_plan.c - which game lends what: the recursion of causal scrubbing without
 * the network. */
#include <string.h>

#include "base/err.h"
#include "probes/scrubbing/scrub_internal.h"

/* Streams of one root: two a part, the draw that must match and the free one. */
#define ROOT_STREAM (1ULL << 63)
enum { STREAMS_A_ROOT_LOG2 = 16 };

typedef struct Planner {
    ScrubPlan *out;
    const ScrubSetting *setting;
    const Hypothesis *hypothesis;
    size_t root_number;
    uint64_t n_begun; /* parts so far: the number of the next one's streams */
} Planner;

/* Room for one more part: it and two runs. */
static int draws_check(const Planner *p)
{
    if (p->out->n_runs + 2 <= SCRUB_MAX_RUNS && p->n_begun < SCRUB_MAX_PARTS) {
        return 0;
    }
    return err_set(OGPT_EUSAGE,
                   "hypothesis: one root needs more than %d runs; name fewer positions of heads "
                   "that have inputs (at back 1, at last-set SQUARE)",
                   SCRUB_MAX_RUNS);
}

/* A run of this game: the one there is, or a new one. */
static int run_of(ScrubPlan *plan, const uint8_t *game)
{
    for (size_t i = 0; i < plan->n_runs; i++) {
        if (plan->games[i] == game) {
            return (int)i;
        }
    }
    plan->games[plan->n_runs] = game;
    return (int)plan->n_runs++;
}

/* A game at ply t that agrees with run `seen` in the node's features (node NULL: any game). Returns
 * the run, or -1 and marks the plan: there is none. */
static int draw(Planner *p, const HypothesisNode *node, int seen, int t, uint64_t stream)
{
    const SamplePool *pool = p->setting->pool;
    const GameVariant *variant = pool->games->variant;
    Rng rng = rng_at(p->setting->seed, RNG_SCRUB,
                     ROOT_STREAM | (uint64_t)p->root_number << STREAMS_A_ROOT_LOG2 | stream);
    size_t set = samples_set(pool, node), game, n;
    uint64_t key = 0;
    if (set > 0) {
        Board boards[GAME_MAX_MOVES];
        game_replay(variant, p->out->games[seen], t + 1, boards);
        key = feature_key(node, variant, p->out->games[seen], boards, t);
    }
    n = samples_draw(&game, pool, set, t, key, &rng);
    if (set > 0) {
        p->out->candidates += (double)n;
        p->out->n_matched += 1.0;
    }
    if (n == 0) {
        p->out->unmatched = true;
        return -1;
    }
    return run_of(p->out, scrub_game(pool->games, game));
}

static bool has_heads(const HypothesisNode *node, size_t group, const Graph *graph)
{
    for (size_t s = node->first; s <= node->last; s++) {
        if (node->senders[s] == group + 1 && graph_sender(graph, s).kind == SENDER_HEAD) {
            return true;
        }
    }
    return false;
}

/* The positions that each group of a part reads; returns those at which its inputs are read. */
static uint64_t positions_read(ScrubPart *part, const Planner *p, const HypothesisNode *node)
{
    const GameVariant *variant = p->setting->pool->games->variant;
    const uint8_t *moves = p->out->games[part->source];
    uint64_t all = 1ULL << part->t;
    Board boards[GAME_MAX_MOVES];
    if (!node) {
        return all;
    }
    game_replay(variant, moves, part->t + 1, boards);
    for (size_t g = 0; g < node->n_groups; g++) {
        if (has_heads(node, g, p->setting->question->graph)) {
            part->positions[g] = place_positions(&node->groups[g], variant, moves, boards, part->t);
            all |= part->positions[g];
        }
    }
    return all;
}

/* Whether the part is nothing but the activations of its base. */
static bool all_plain(const ScrubPlan *plan, const ScrubPart *part)
{
    bool plain = part->outside == part->base;
    for (int i = 0; i < part->n_children; i++) {
        const ScrubPart *child = &plan->parts[plan->children[part->first_child + i]];
        plain = plain && child->plain == part->base;
    }
    return plain;
}

/* Whether nothing below the node is exchanged: it is the plain activation of what it sees. */
static bool whole_below(const Planner *p, const HypothesisNode *node)
{
    bool whole =
        !hypothesis_has_places(node) &&
        (node->n_inputs == 0 || !hypothesis_is_open(p->hypothesis, p->setting->question->graph,
                                                    (int)(node - p->hypothesis->nodes)));
    for (size_t i = 0; i < node->n_inputs && whole; i++) {
        const HypothesisNode *input = &p->hypothesis->nodes[node->inputs[i]];
        whole = hypothesis_keeps(input) && whole_below(p, input);
    }
    return whole;
}

static int plan_part(int *out, Planner *p, int index, int seen, int t);

/* The inputs of a part, at every position at which they are read; the numbers go behind one another
 * into plan->children once all are known, because theirs come first. */
static int plan_children(Planner *p, ScrubPart *part, const int *inputs, size_t n_inputs,
                         uint64_t positions)
{
    ScrubPlan *plan = p->out;
    int found[GAME_MAX_MOVES * HYPOTHESIS_MAX_NODES];
    int n = 0, rc = 0;
    for (size_t i = 0; i < n_inputs && rc == 0 && !plan->unmatched; i++) {
        for (uint64_t rest = positions; rest != 0 && rc == 0 && !plan->unmatched;
             rest &= rest - 1) {
            rc = plan_part(&found[n], p, inputs[i], part->source, __builtin_ctzll(rest));
            n++;
        }
    }
    if (rc != 0 || plan->unmatched) {
        return rc;
    }
    part->first_child = (int)plan->n_children;
    part->n_children = n;
    memcpy(plan->children + plan->n_children, found, (size_t)n * sizeof(*found));
    plan->n_children += (size_t)n;
    return 0;
}

/* The part of a node (index -1: the logits) that run `seen` shows at position t. */
static int plan_part(int *out, Planner *p, int index, int seen, int t)
{
    const Graph *graph = p->setting->question->graph;
    const HypothesisNode *node = index < 0 ? NULL : &p->hypothesis->nodes[index];
    const int *inputs = node ? node->inputs : p->hypothesis->inputs;
    size_t n_inputs = node ? node->n_inputs : p->hypothesis->n_inputs;
    ScrubPart part = {.node = index, .t = t, .source = seen, .plain = -1};
    bool open = (!node || n_inputs > 0) && hypothesis_is_open(p->hypothesis, graph, index);
    bool places = node && hypothesis_has_places(node);
    uint64_t positions;
    int rc = draws_check(p);
    uint64_t stream = 2 * p->n_begun++;
    if (rc == 0 && node && !hypothesis_keeps(node)) {
        part.source = draw(p, node, seen, t, stream);
    }
    part.base = part.outside = part.source;
    if (rc == 0 && !p->out->unmatched && (open || places)) {
        int lent = draw(p, NULL, part.source, t, stream + 1);
        part.base = open ? lent : part.source;
        part.outside = places ? lent : part.base;
    }
    if (rc != 0 || p->out->unmatched) {
        return rc;
    }
    positions = positions_read(&part, p, node);
    if (n_inputs > 0 && !(node && whole_below(p, node))) {
        rc = plan_children(p, &part, inputs, n_inputs, positions);
    }
    if (rc != 0 || p->out->unmatched) {
        return rc;
    }
    part.plain = all_plain(p->out, &part) ? part.base : -1;
    *out = (int)p->out->n_parts;
    p->out->parts[p->out->n_parts++] = part;
    return 0;
}

int scrub__plan(ScrubPlan *out, const ScrubSetting *setting, const Hypothesis *hypothesis,
                const ScrubRoot *root, size_t root_number)
{
    Planner planner = {
        .out = out, .setting = setting, .hypothesis = hypothesis, .root_number = root_number};
    size_t game = 0;
    int last;
    Rng rng = rng_at(setting->seed, RNG_SCRUB,
                     ROOT_STREAM | (uint64_t)root_number << STREAMS_A_ROOT_LOG2 | 1);
    out->n_runs = out->n_parts = out->n_children = 0;
    out->unmatched = false;
    out->candidates = out->n_matched = 0.0;
    out->games[RUN_ROOT] = scrub_game(setting->question->roots, root->game);
    out->n_runs = 1;
    /* The free draw of the logits comes first, whether or not this hypothesis needs it. */
    if (samples_draw(&game, setting->pool, 0, root->t, 0, &rng) == 0) {
        out->unmatched = true;
        return 0;
    }
    out->games[RUN_FREE] = scrub_game(setting->pool->games, game);
    out->n_runs = 2;
    return plan_part(&last, &planner, -1, RUN_ROOT, root->t);
}
