/* probes/world/distinction.c - contract in probes/world/states.h.
 *
 * A node is a suffix of at most two tokens that is legal after both histories of a pair; a boundary
 * ends one token behind one. Nodes of one length are asked about together, the longest as branches
 * of those before them. What an eps accepts along the way is a bit of `accepted`.
 */
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "probes/world/states.h"

/* Numbers of a pair for one eps. */
enum {
    D_MODEL,  /* the player's boundary */
    D_RIGHT,  /* of it, legal after the first alone */
    D_PAIRS,  /* it has a boundary, or the player has one */
    D_STRICT, /* ... and no mistake */
    D_ENGINE, /* the engine's boundary, of all lengths, then by length */
    D_HIT = D_ENGINE + 1 + DISTINCTION_DEPTH, /* of it, told apart; in the same order */
    N_OF_EPS = D_HIT + 1 + DISTINCTION_DEPTH
};
enum { N_DISTINCTION = N_OF_EPS * N_WORLD_EPS, PAIRS_ASKED = PLAYER_LINES / 2 };

static const double eps_of[N_WORLD_EPS] = WORLD_EPS;

typedef struct DistinctionRun {
    const PairSet *flips;
    StatePairs kind;
    uint64_t seed;
} DistinctionRun;

typedef struct StateNode {
    PlayerLine line[2];   /* behind the first history and the second */
    unsigned accepted[2]; /* bit e: all tokens of the suffix, by eps e */
} StateNode;

const char *world_state_pairs_name(StatePairs kind)
{
    return kind == STATES_ANY ? "any" : "flip";
}

/* Count what ends at a node of a length, by the answers p and q after its two lines; returns the
 * moves that go on, and fills what of them is accepted. */
static uint64_t count_node(double *values, unsigned accepted[2][BOARD_SQUARES], const Vocab *vocab,
                           const StateNode *node, const float *const p[2], int length)
{
    uint64_t legal[2] = {world_legal(vocab, &node->line[0].board),
                         world_legal(vocab, &node->line[1].board)};
    for (int tok = 1; tok < vocab->d_vocab; tok++) {
        bool boundary = (legal[0] >> tok & 1) && !(legal[1] >> tok & 1);
        accepted[0][tok] = accepted[1][tok] = 0;
        for (int e = 0; e < N_WORLD_EPS; e++) {
            double *out = values + e * N_OF_EPS;
            bool way[2], all[2];
            for (int side = 0; side < 2; side++) {
                way[side] = node->accepted[side] >> e & 1;
                all[side] = way[side] && p[side][tok] > eps_of[e];
                accepted[side][tok] |= (unsigned)all[side] << e;
            }
            bool told = all[0] && !all[1], models = told && way[1];
            out[D_MODEL] += models;
            out[D_RIGHT] += models && boundary;
            if (boundary) {
                out[D_ENGINE]++;
                out[D_ENGINE + 1 + length]++;
                out[D_HIT] += told;
                out[D_HIT + 1 + length] += told;
            }
        }
    }
    return legal[0] & legal[1];
}

/* The node one legal token further. */
static StateNode node_behind(const Vocab *vocab, const StateNode *node, int tok,
                             unsigned accepted[2][BOARD_SQUARES])
{
    StateNode next = *node;
    for (int side = 0; side < 2; side++) {
        player_line_play(&next.line[side], vocab->variant, vocab->sq_of_tok[tok]);
        next.accepted[side] = accepted[side][tok];
    }
    return next;
}

static bool node_over(const GameVariant *variant, const StateNode *node)
{
    return board_is_over(variant, &node->line[0].board) ||
           board_is_over(variant, &node->line[1].board);
}

/* Nodes of one length. */
typedef struct NodeLevel {
    StateNode *nodes;
    size_t n;
} NodeLevel;

static void add_children(NodeLevel *next, const Vocab *vocab, const StateNode *node, uint64_t both,
                         unsigned accepted[2][BOARD_SQUARES])
{
    for (; both != 0; both &= both - 1) {
        StateNode child = node_behind(vocab, node, __builtin_ctzll(both), accepted);
        if (!node_over(vocab->variant, &child)) {
            next->nodes[next->n++] = child;
        }
    }
}

/* What a pair at work needs. */
typedef struct DistinctionPair {
    PlayerSeat *seat;
    double *values;
    StateNode *nodes;       /* (BOARD_MAX_MOVES) behind the root */
    StateNode *last;        /* (PAIRS_ASKED * BOARD_MAX_MOVES) behind nodes asked about together */
    PlayerBranch *branches; /* (2 * PAIRS_ASKED * BOARD_MAX_MOVES) that lead to them */
    float *behind;          /* the answers there */
} DistinctionPair;

/* At most PAIRS_ASKED nodes of one length: count them, and list those one token further. */
static int ask_nodes(DistinctionPair *pair, NodeLevel *next, const NodeLevel *level, int length)
{
    const Vocab *vocab = player_of_seat(pair->seat)->vocab;
    size_t V = (size_t)vocab->d_vocab;
    PlayerLine lines[PLAYER_LINES];
    float p[PLAYER_LINES * BOARD_SQUARES];
    for (size_t i = 0; i < 2 * level->n; i++) {
        lines[i] = level->nodes[i / 2].line[i % 2];
    }
    int rc = player_start(p, pair->seat, lines, 2 * level->n);
    for (size_t i = 0; i < level->n && rc == 0; i++) {
        const float *const both[2] = {p + 2 * i * V, p + (2 * i + 1) * V};
        unsigned accepted[2][BOARD_SQUARES];
        size_t first = next->n;
        uint64_t on = count_node(pair->values, accepted, vocab, &level->nodes[i], both, length);
        add_children(next, vocab, &level->nodes[i], on, accepted);
        for (size_t c = first; c < next->n; c++) {
            const PlayerLine *line = &next->nodes[c].line[0];
            for (size_t side = 0; side < 2; side++) {
                pair->branches[2 * c + side] =
                    (PlayerBranch){(uint16_t)(2 * i + side), line->moves[line->n - 1]};
            }
        }
    }
    return rc;
}

/* The root, the nodes behind it, and, as branches, those behind them. */
static int ask_pair(DistinctionPair *pair, StateNode *root)
{
    const Vocab *vocab = player_of_seat(pair->seat)->vocab;
    size_t V = (size_t)vocab->d_vocab;
    NodeLevel nodes = {pair->nodes, 0};
    int rc = ask_nodes(pair, &nodes, &(NodeLevel){root, 1}, 0);
    for (size_t first = 0; first < nodes.n && rc == 0; first += PAIRS_ASKED) {
        NodeLevel asked = {nodes.nodes + first, nodes.n - first}, last = {pair->last, 0};
        asked.n = asked.n < PAIRS_ASKED ? asked.n : PAIRS_ASKED;
        rc = ask_nodes(pair, &last, &asked, 1);
        rc = rc || last.n == 0
                 ? rc
                 : player_branches(pair->behind, pair->seat, pair->branches, 2 * last.n);
        for (size_t c = 0; c < last.n && rc == 0; c++) {
            const float *const both[2] = {pair->behind + 2 * c * V, pair->behind + (2 * c + 1) * V};
            unsigned accepted[2][BOARD_SQUARES];
            count_node(pair->values, accepted, vocab, &last.nodes[c], both, 2);
        }
    }
    return rc;
}

static void begin_pair(StateNode *out, const DistinctionRun *run, const GameVariant *variant,
                       size_t unit)
{
    const GamePair *pair = &run->flips->pairs[unit];
    Rng rng = world_rng(run->seed, WORLD_STATES, unit);
    *out = (StateNode){.accepted = {(1U << N_WORLD_EPS) - 1, (1U << N_WORLD_EPS) - 1}};
    out->line[0] = player_line_of(variant, pair->clean, pair->n_moves);
    out->line[1] = player_line_of(variant, pair->corrupt, pair->n_moves);
    if (run->kind == STATES_ANY) {
        out->line[1] = world_other_line(&rng, variant, &out->line[0]);
    }
}

static int distinction_block(void *context, PlayerSeat *seat, double *values, size_t first,
                             size_t n)
{
    const Vocab *vocab = player_of_seat(seat)->vocab;
    size_t n_last = (size_t)PAIRS_ASKED * BOARD_MAX_MOVES;
    DistinctionPair pair = {.seat = seat, .values = values};
    StateNode root;
    pair.nodes = mem_alloc(BOARD_MAX_MOVES, sizeof(*pair.nodes), "suffixes of two states");
    pair.last = mem_alloc(n_last, sizeof(*pair.last), "suffixes of two states");
    pair.branches = mem_alloc(2 * n_last, sizeof(*pair.branches), "suffixes of two states");
    pair.behind = mem_alloc(2 * n_last * (size_t)vocab->d_vocab, sizeof(float), "answers");
    int rc = pair.nodes && pair.last && pair.branches && pair.behind ? 0 : OGPT_ENOMEM;
    memset(values, 0, N_DISTINCTION * sizeof(*values));
    if (rc == 0) {
        begin_pair(&root, context, vocab->variant, first);
        rc = ask_pair(&pair, &root);
    }
    for (int e = 0; e < N_WORLD_EPS; e++) {
        double *out = values + (size_t)e * N_OF_EPS;
        out[D_PAIRS] = out[D_ENGINE] + out[D_MODEL] > 0;
        out[D_STRICT] =
            out[D_PAIRS] > 0 && out[D_RIGHT] == out[D_MODEL] && out[D_HIT] == out[D_ENGINE];
    }
    mem_free(pair.nodes);
    mem_free(pair.last);
    mem_free(pair.branches);
    mem_free(pair.behind);
    return rc;
}

static DistinctionScore summary(const UnitValues *values, StatePairs kind, int e)
{
    int at = e * N_OF_EPS;
    DistinctionScore out = {.kind = kind, .eps = eps_of[e]};
    out.precision = world_ratio(values, at + D_RIGHT, at + D_MODEL);
    out.recall = world_ratio(values, at + D_HIT, at + D_ENGINE);
    out.strict = world_ratio(values, at + D_STRICT, at + D_PAIRS);
    out.boundary = world_ratio(values, at + D_ENGINE, -1);
    for (int d = 0; d < DISTINCTION_DEPTH; d++) {
        out.recall_at[d] = world_ratio(values, at + D_HIT + 1 + d, at + D_ENGINE + 1 + d);
    }
    return out;
}

int world_distinction(DistinctionScore *out, const Player *player, StatePairs kind,
                      const PairSet *flips, const Work *work)
{
    DistinctionRun run = {flips, kind, work->seed};
    size_t n = flips->n;
    char stage[64];
    snprintf(stage, sizeof(stage), "distinction %s", world_state_pairs_name(kind));
    const WorldUnits units = {player, stage, n, N_DISTINCTION, 1, distinction_block, &run};
    UnitValues values;
    int rc = world_values_new(&values, n, N_DISTINCTION, work);
    rc = rc ? rc : world_units_run(values.values, &units, work);
    for (int e = 0; e < N_WORLD_EPS && rc == 0; e++) {
        out[e] = summary(&values, kind, e);
    }
    world_values_release(&values);
    return rc;
}
