/* model/planted/planted.h - networks whose circuit is known, because it was written by hand.
 *
 * A planted network is a normal Gpt (LayerNorm, exact GELU, learned positions) of LAYERS blocks.
 * Its filling is random and works like that of any network, but writes only into a part of the
 * residual stream that neither the circuit nor the unembedding reads. So every logit is a constant
 * of its position plus what the circuit writes, and the effect of every component is known before
 * it is measured. The twin (PlantedOptions.twin) has the same filling and no circuit: there every
 * effect is zero, and a test that passes on it as well shows nothing.
 *
 * How the effects can be exact in a network with LayerNorm: the residual stream is kept so small
 * (of the order PLANTED_UNIT) that variance + eps rounds to eps. Every LayerNorm is then an affine
 * map, (x - mean) * w / sqrt(eps) + b, to the last bit in float and to 1e-11 in double; its weight
 * w brings the stream back to the order of one. Two neurons of opposite sign are the identity:
 * gelu(x) - gelu(-x) = x. A head with W_Q = 0 attends to all earlier positions alike. The
 * directions of the stream and of the heads are random rotations, so no number of the weights tells
 * which part is planted.
 *
 * Rounding is what remains: effects hold to PLANTED_TOLERANCE times the strength.
 */
#ifndef OGPT_MODEL_PLANTED_PLANTED_H
#define OGPT_MODEL_PLANTED_PLANTED_H

#include "base/enums.h"
#include "model/gpt.h"

/* X(enumerator, name, meaning): the kinds. */
#define PLANTED(X)                                                                                 \
    X(PLANTED_EMPTINESS, "emptiness", "one head lowers the logit of every square that was played") \
    X(PLANTED_DUPLICATE, "duplicate", "two heads do the same, each half of it")                    \
    X(PLANTED_BACKUP, "backup", "a second head writes only if what the first one wrote is absent") \
    X(PLANTED_SATURATED, "saturated", "a head looks wholly at one move, or wholly at another")     \
    X(PLANTED_CANCEL, "cancel", "a later MLP takes away what a head wrote")                        \
    X(PLANTED_LINEAR, "linear", "every path from the moves to the logits is linear")               \
    X(PLANTED_DORMANT, "dormant",                                                                  \
      "a neuron that varies and is not read, and one that is read and "                            \
      "never varies")

typedef enum PlantedKind { PLANTED(ENUM_ID) N_PLANTED } PlantedKind;

#define PLANTED_UNIT 0x1p-20 /* of the residual stream */
#define PLANTED_LAYERS 3
#define PLANTED_HEADS 4
#define PLANTED_STRENGTH 6.0   /* nats of logit, unless told */
#define PLANTED_TOLERANCE 2e-5 /* see above; measured in tests/model/planted/test_planted.c */

typedef struct PlantedOptions {
    PlantedKind kind;
    int size;        /* of the board: 4, 6 or 8, which says d_vocab and n_ctx (datasets/vocab.h) */
    uint64_t seed;   /* of the filling, and of which heads and neurons are planted */
    double strength; /* the difference between the two inputs, in nats of logit, 1 to 12; 0:
                      * PLANTED_STRENGTH */
    bool twin;       /* the same network without its circuit */
} PlantedOptions;

/* Owned: gpt_free. Returns 0, OGPT_EUSAGE (kind, size or strength), OGPT_ENOMEM. */
int planted_make(Gpt **out, const PlantedOptions *options);

/* ---- what was planted ----
 *
 * The metric of all numbers is m = logit[target] - logit[other] behind the last token. Two inputs
 * of equal length, clean and corrupt, legal games both, differ in one token. All numbers are in
 * nats of logit and are those of the network that is not a twin.
 */

typedef enum PlantedNode {
    PLANTED_INPUT,  /* W_E[token] + W_pos, of all positions */
    PLANTED_HEAD,   /* z of one head */
    PLANTED_MLP,    /* the output of one block's MLP */
    PLANTED_NEURON, /* one number of mlp_post */
    PLANTED_LOGITS
} PlantedNode;

/* What a receiver reads it for: an MLP and the logits have one input. */
typedef enum PlantedChannel { PLANTED_Q, PLANTED_K, PLANTED_V, PLANTED_WHOLE } PlantedChannel;

/* A component of the circuit. "Absent" means: its output is zero at every position. */
typedef struct PlantedPart {
    PlantedNode node;
    int layer;      /* -1: PLANTED_INPUT, PLANTED_LOGITS */
    int index;      /* of the head or the neuron; -1 else */
    int neurons[3]; /* PLANTED_MLP: which of its neurons are planted */
    size_t n_neurons;
    const char *role; /* what it does, in words */
    double total;     /* m(clean) - m(clean, the part absent) */
    double direct;    /* the same on the way to the logits alone: all later parts as in clean */
    double effect;    /* m(clean) - m(clean, the part's output from the corrupt run) */
    double estimate;  /* the same by its gradient: (clean - corrupt output) . dm/d(output) */
} PlantedPart;

typedef struct PlantedEdge {
    int from, to;           /* parts[] */
    PlantedChannel channel; /* of the receiver */
    double effect;          /* m(clean) - m(clean, this edge alone carries the corrupt run) */
    double estimate;        /* the same by the gradient of the clean run */
    bool minimal;           /* in the smallest set that, alone clean, gives m(clean) - m(corrupt) */
} PlantedEdge;

/* Two parts that are absent together. */
typedef struct PlantedJoint {
    int parts[2];
    double total;
} PlantedJoint;

enum {
    PLANTED_MAX_PARTS = 12,
    PLANTED_MAX_EDGES = 16,
    PLANTED_MAX_JOINTS = 3,
    PLANTED_MAX_TOKENS = 20
};

typedef struct PlantedTruth {
    PlantedKind kind;
    int size;
    double strength;
    size_t n_tokens; /* of each input */
    uint8_t clean[PLANTED_MAX_TOKENS], corrupt[PLANTED_MAX_TOKENS];
    size_t differs_at;                    /* the position of the one token */
    uint8_t target, other;                /* tokens of the metric */
    double difference;                    /* m(clean) - m(corrupt) */
    PlantedPart parts[PLANTED_MAX_PARTS]; /* [0] the input, [n_parts - 1] the logits */
    size_t n_parts;
    PlantedEdge edges[PLANTED_MAX_EDGES];
    size_t n_edges;
    PlantedJoint joints[PLANTED_MAX_JOINTS];
    size_t n_joints;
    uint8_t attended[2]; /* PLANTED_SATURATED: the tokens that the head looks at, clean and corrupt;
                          * else 0 */
    double score_gap;    /* PLANTED_SATURATED: score of the one minus score of the other; else 0 */
} PlantedTruth;

/* The truth about the network that planted_make makes of the same options (twin is not read). The
 * same errors. */
int planted_truth(PlantedTruth *out, const PlantedOptions *options);

/* The kind of a name. Returns 0 or OGPT_EUSAGE, whose message lists the kinds. */
int planted_kind_parse(PlantedKind *out, const char *name);
/* Static texts. */
const char *planted_kind_name(PlantedKind kind);
const char *planted_kind_meaning(PlantedKind kind);
const char *planted_node_name(PlantedNode node);          /* "head" */
const char *planted_channel_name(PlantedChannel channel); /* "q" */

#endif
