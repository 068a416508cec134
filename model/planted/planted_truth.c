/* model/planted/planted_truth.c - what was planted, as numbers.
 *
 * Every number is a share of the strength, derived by hand from planted_kinds.c and held against
 * passes of the network in tests/model/planted/. The network is not looked at.
 */
#include <math.h>
#include <string.h>

#include "model/planted/planted_internal.h"

/* Parts of a kind in the order of the pass; the input is part 0 before them, the logits follow.
 * place: which of the block's two heads or three neurons; of an MLP which neurons it consists of.
 */
enum { ALONE, PAIR, THREE }; /* the first neuron; the first and its partner; all three */
typedef struct PartRow {
    PlantedKind kind;
    PlantedNode node;
    int layer, place;
    double total, direct, effect, estimate;
    const char *role;
} PartRow;

static const PartRow part_rows[] = {
    {PLANTED_EMPTINESS, PLANTED_HEAD, 0, 0, .5, .5, 1, 1,
     "lowers the logit of every played square"},

    {PLANTED_DUPLICATE, PLANTED_HEAD, 0, 0, .25, .25, .5, .5, "half of the lowering"},
    {PLANTED_DUPLICATE, PLANTED_HEAD, 1, 0, .25, .25, .5, .5, "the other half"},

    {PLANTED_BACKUP, PLANTED_HEAD, 0, 0, 0, 1, 0, 1, "writes the target if the move was played"},
    {PLANTED_BACKUP, PLANTED_MLP, 0, ALONE, 0, 0, -1, 0, "the gate: on if that write is absent"},
    {PLANTED_BACKUP, PLANTED_HEAD, 1, 0, 0, 0, 0, 0, "the backup: does the same if the gate is on"},

    {PLANTED_SATURATED, PLANTED_HEAD, 0, 0, .5, 0, 1, 0, "tells which of two moves was played"},
    {PLANTED_SATURATED, PLANTED_HEAD, 1, 0, .5, .5, 1, 1, "looks where that points, and writes"},

    {PLANTED_CANCEL, PLANTED_HEAD, 0, 0, 0, 1, 0, 0, "writes the target, and a signal"},
    {PLANTED_CANCEL, PLANTED_HEAD, 0, 1, 1, 1, 1, 1, "writes the target; nobody cancels it"},
    {PLANTED_CANCEL, PLANTED_MLP, 1, PAIR, -1, -1, -1, -1,
     "reads the signal, takes the write away"},

    {PLANTED_LINEAR, PLANTED_HEAD, 0, 0, .7, .4, .7, .7, "writes the target, and a signal"},
    {PLANTED_LINEAR, PLANTED_MLP, 0, PAIR, .1, 0, .1, .1, "marks the move at its own position"},
    {PLANTED_LINEAR, PLANTED_HEAD, 1, 0, .2, .2, .2, .2, "writes the target"},
    {PLANTED_LINEAR, PLANTED_MLP, 1, PAIR, .3, .3, .3, .3, "reads the signal, writes the target"},
    {PLANTED_LINEAR, PLANTED_HEAD, 2, 0, .1, .1, .1, .1, "reads the mark, writes the target"},

    {PLANTED_DORMANT, PLANTED_HEAD, 0, 0, 1, 0, 1, 1, "brings whether the move was played"},
    {PLANTED_DORMANT, PLANTED_NEURON, 1, 0, 0, 0, 0, 0, "varies with it; nobody reads it"},
    {PLANTED_DORMANT, PLANTED_NEURON, 1, 1, 1, 1, 0, 0, "never varies; writes the target"},
    {PLANTED_DORMANT, PLANTED_NEURON, 1, 2, 1, 1, 1, 1, "varies with it, and writes"},
    {PLANTED_DORMANT, PLANTED_MLP, 1, THREE, 2, 2, 1, 1, "the three neurons together"},
};

/* from, to: as parts are numbered above; LAST is the logits. */
enum { LAST = -1 };
typedef struct EdgeRow {
    PlantedKind kind;
    int from, to;
    PlantedChannel channel;
    double effect, estimate;
    bool minimal;
} EdgeRow;

static const EdgeRow edge_rows[] = {
    {PLANTED_EMPTINESS, 0, 1, PLANTED_V, 1, 1, true},
    {PLANTED_EMPTINESS, 1, LAST, PLANTED_WHOLE, 1, 1, true},

    {PLANTED_DUPLICATE, 0, 1, PLANTED_V, .5, .5, true},
    {PLANTED_DUPLICATE, 0, 2, PLANTED_V, .5, .5, true},
    {PLANTED_DUPLICATE, 1, LAST, PLANTED_WHOLE, .5, .5, true},
    {PLANTED_DUPLICATE, 2, LAST, PLANTED_WHOLE, .5, .5, true},

    {PLANTED_BACKUP, 0, 1, PLANTED_V, 0, 1, true},
    {PLANTED_BACKUP, 1, 2, PLANTED_WHOLE, -1, 0, false},
    {PLANTED_BACKUP, 2, 3, PLANTED_Q, -1, 0, false},
    {PLANTED_BACKUP, 0, 3, PLANTED_K, 0, 0, false},
    {PLANTED_BACKUP, 0, 3, PLANTED_V, 0, 0, false},
    {PLANTED_BACKUP, 1, LAST, PLANTED_WHOLE, 1, 1, true},
    {PLANTED_BACKUP, 3, LAST, PLANTED_WHOLE, 0, 0, false},

    {PLANTED_SATURATED, 0, 1, PLANTED_V, 1, 0, true},
    {PLANTED_SATURATED, 1, 2, PLANTED_Q, 1, 0, true},
    {PLANTED_SATURATED, 0, 2, PLANTED_K, 0, 0, false},
    {PLANTED_SATURATED, 0, 2, PLANTED_V, 0, 0, false},
    {PLANTED_SATURATED, 2, LAST, PLANTED_WHOLE, 1, 1, true},

    {PLANTED_CANCEL, 0, 1, PLANTED_V, 0, 0, false},
    {PLANTED_CANCEL, 0, 2, PLANTED_V, 1, 1, true},
    {PLANTED_CANCEL, 1, 3, PLANTED_WHOLE, -1, -1, false},
    {PLANTED_CANCEL, 1, LAST, PLANTED_WHOLE, 1, 1, false},
    {PLANTED_CANCEL, 2, LAST, PLANTED_WHOLE, 1, 1, true},
    {PLANTED_CANCEL, 3, LAST, PLANTED_WHOLE, -1, -1, false},

    {PLANTED_LINEAR, 0, 1, PLANTED_V, .7, .7, true},
    {PLANTED_LINEAR, 0, 2, PLANTED_WHOLE, .1, .1, true},
    {PLANTED_LINEAR, 0, 3, PLANTED_V, .2, .2, true},
    {PLANTED_LINEAR, 1, 4, PLANTED_WHOLE, .3, .3, true},
    {PLANTED_LINEAR, 2, 5, PLANTED_V, .1, .1, true},
    {PLANTED_LINEAR, 1, LAST, PLANTED_WHOLE, .4, .4, true},
    {PLANTED_LINEAR, 3, LAST, PLANTED_WHOLE, .2, .2, true},
    {PLANTED_LINEAR, 4, LAST, PLANTED_WHOLE, .3, .3, true},
    {PLANTED_LINEAR, 5, LAST, PLANTED_WHOLE, .1, .1, true},

    {PLANTED_DORMANT, 0, 1, PLANTED_V, 1, 1, true},
    {PLANTED_DORMANT, 1, 5, PLANTED_WHOLE, 1, 1, true},
    {PLANTED_DORMANT, 5, LAST, PLANTED_WHOLE, 1, 1, true},
};

static const struct {
    PlantedKind kind;
    int parts[2];
    double total;
} joint_rows[] = {
    {PLANTED_DUPLICATE, {1, 2}, .5}, {PLANTED_BACKUP, {1, 3}, 1},  {PLANTED_BACKUP, {1, 2}, 1},
    {PLANTED_CANCEL, {1, 2}, 1},     {PLANTED_LINEAR, {1, 4}, .7}, {PLANTED_LINEAR, {1, 3}, .9},
};

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

static int index_of(const Plant *plant, const PartRow *row)
{
    return row->node == PLANTED_HEAD     ? plant->head[row->layer][row->place]
           : row->node == PLANTED_NEURON ? plant->neuron[row->layer][row->place]
                                         : -1;
}

static void name_neurons(PlantedPart *part, const Plant *plant, int how)
{
    const int *neuron = plant->neuron[part->layer];
    int pair = neuron[0] + 2 * plant->size->d_model; /* d_mlp / 2 behind the first */
    const int which[][3] = {{neuron[0]}, {neuron[0], pair}, {neuron[0], neuron[1], neuron[2]}};
    part->n_neurons = (size_t)how + 1;
    memcpy(part->neurons, which[how], sizeof(part->neurons));
}

/* Nobody can take the input or the logits away. */
static PlantedPart end_part(PlantedNode node, const char *role)
{
    return (PlantedPart){.node = node,
                         .layer = -1,
                         .index = -1,
                         .role = role,
                         .total = NAN,
                         .direct = NAN,
                         .effect = NAN,
                         .estimate = NAN};
}

static void add_parts(PlantedTruth *truth, const Plant *plant)
{
    double e = truth->strength;
    truth->parts[truth->n_parts++] = end_part(PLANTED_INPUT, "token and position");
    for (size_t i = 0; i < ROWS(part_rows); i++) {
        const PartRow *row = &part_rows[i];
        if (row->kind == truth->kind) {
            PlantedPart *part = &truth->parts[truth->n_parts++];
            *part = (PlantedPart){.node = row->node,
                                  .layer = row->layer,
                                  .index = index_of(plant, row),
                                  .role = row->role,
                                  .total = e * row->total,
                                  .direct = e * row->direct,
                                  .effect = e * row->effect,
                                  .estimate = e * row->estimate};
            if (row->node == PLANTED_MLP) {
                name_neurons(part, plant, row->place);
            }
        }
    }
    truth->parts[truth->n_parts++] = end_part(PLANTED_LOGITS, "unembedding");
}

/* The edges, and from those that leave the input what a gradient says about it. */
static void add_edges(PlantedTruth *truth)
{
    double e = truth->strength;
    truth->parts[0].effect = e;
    truth->parts[0].estimate = 0;
    for (size_t i = 0; i < ROWS(edge_rows); i++) {
        const EdgeRow *row = &edge_rows[i];
        if (row->kind == truth->kind) {
            int to = row->to == LAST ? (int)truth->n_parts - 1 : row->to;
            truth->edges[truth->n_edges++] = (PlantedEdge){.from = row->from,
                                                           .to = to,
                                                           .channel = row->channel,
                                                           .effect = e * row->effect,
                                                           .estimate = e * row->estimate,
                                                           .minimal = row->minimal};
            truth->parts[0].estimate += row->from == 0 ? e * row->estimate : 0;
        }
    }
    for (size_t i = 0; i < ROWS(joint_rows); i++) {
        if (joint_rows[i].kind == truth->kind) {
            PlantedJoint *joint = &truth->joints[truth->n_joints++];
            memcpy(joint->parts, joint_rows[i].parts, sizeof(joint->parts));
            joint->total = e * joint_rows[i].total;
        }
    }
}

int planted_truth(PlantedTruth *out, const PlantedOptions *options)
{
    Plant plant;
    int rc = planted__plan(&plant, options);
    if (rc) {
        return rc;
    }
    /* The emptiness of a square is about the two moves themselves. */
    bool played = options->kind == PLANTED_EMPTINESS || options->kind == PLANTED_DUPLICATE;
    PlantedTruth truth = {.kind = options->kind,
                          .size = options->size,
                          .strength = plant.options.strength,
                          .n_tokens = plant.size->n_tokens,
                          .differs_at = plant.size->differs_at,
                          .target = played ? plant.b : plant.u,
                          .other = played ? plant.a : plant.w,
                          .difference = plant.options.strength};
    memcpy(truth.clean, plant.size->clean, sizeof(truth.clean));
    memcpy(truth.corrupt, plant.size->clean, sizeof(truth.corrupt));
    truth.corrupt[truth.differs_at] = plant.b;
    if (options->kind == PLANTED_SATURATED) {
        truth.attended[0] = plant.x;
        truth.attended[1] = plant.y;
        truth.score_gap = 20;
    }
    add_parts(&truth, &plant);
    add_edges(&truth);
    *out = truth;
    return 0;
}

const char *planted_node_name(PlantedNode node)
{
    static const char *const node_names[] = {"input", "head", "mlp", "neuron", "logits"};
    return node_names[node];
}

const char *planted_channel_name(PlantedChannel channel)
{
    static const char *const channel_names[] = {"q", "k", "v", "whole"};
    return channel_names[channel];
}
