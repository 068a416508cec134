/* probes/scrubbing/hypothesis.h - what a part of a network is said to carry, as a small text file.
 *
 *     # A comment. One statement a line; blanks separate words.
 *     board 8x8
 *     metric legal c3
 *     logits <- late
 *     node late  = mlp5 L5H*                    carries legal c3          <- early
 *     node early = L2H3 at back 1, last-set c3 and mlp0-1  carries mine c3, mover
 *
 *   file      at most one board and one metric line, exactly one logits line, up to 16 node lines,
 *             in any order
 *   board     board 6x6: the board of the network that it is written for, and of no other
 *   metric    legal         mean logit of the legal moves - mean logit of all other moves (the
 *                           default)
 *             legal SQUARE  +-(logit of the square - mean logit of all other moves): + where a move
 *                           there is legal, - where it is an illegal move to an empty square
 *             empty SQUARE  the same: + where the square is empty, - where a move was made there
 *   logits    "logits <-" and the nodes that the logits read; none: the empty hypothesis
 *   node      node NAME = SENDERS [at POSITIONS] [and SENDERS [at POSITIONS]]...
 *             carries FEATURES [<- NODES]
 *
 *   SENDERS   input, mlpL, LlHh (probes/graph/graph.h), or *: all of them. A number may be a range
 *             or a star: mlp2-5, L*H0, L3H*
 *   POSITIONS what these heads read, several with commas: any of them. Only heads have positions
 *             self             the last position
 *             back K           K positions before it
 *             placed SQUARE    the move that filled it
 *             last-set SQUARE  the last move that filled or flipped it
 *             mine, theirs     moves of the side that moves now, of the other one
 *   FEATURES  several with commas: all of them
 *             everything       nothing is exchanged
 *             nothing          any game at the same ply
 *             mover            which side moves
 *             last             the square of the last move
 *             TASK SQUARE      what the task says about the square; TASK: about all squares. The
 *                              tasks are those of probes (probes/activations/tasks.h): mine,
 *                              colour, empty, flipped, legal, played, previous
 *
 * Every file is read strictly: an unknown word, a sender or a square that does not exist, a node
 * that is read before it writes (so no circle can be written), that nobody reads, or that is
 * written twice into one reader, is OGPT_EFORMAT ("origin:line: ...").
 */
#ifndef OGPT_PROBES_SCRUBBING_HYPOTHESIS_H
#define OGPT_PROBES_SCRUBBING_HYPOTHESIS_H

#include <stdbool.h>

#include "probes/activations/tasks.h"
#include "probes/graph/graph.h"

enum {
    HYPOTHESIS_MAX_NODES = 16,
    HYPOTHESIS_MAX_FEATURES = 8, /* of a node */
    HYPOTHESIS_MAX_GROUPS = 8,   /* of a node: senders with their own positions */
    HYPOTHESIS_MAX_PLACES = 8,   /* of a group */
    HYPOTHESIS_NAME_MAX = 24,
    HYPOTHESIS_LINE_MAX = 1000 /* bytes */
};

typedef enum FeatureKind {
    FEATURE_EVERYTHING,
    FEATURE_NOTHING,
    FEATURE_MOVER,
    FEATURE_LAST,
    FEATURE_TASK
} FeatureKind;

typedef struct Feature {
    FeatureKind kind;
    const Task *task; /* of FEATURE_TASK */
    int sq;           /* -1: all squares */
} Feature;

typedef enum PlaceKind {
    PLACE_SELF,
    PLACE_BACK,
    PLACE_PLACED,
    PLACE_LAST_SET,
    PLACE_MINE,
    PLACE_THEIRS
} PlaceKind;

typedef struct ReadPlace {
    PlaceKind kind;
    int back; /* of PLACE_BACK */
    int sq;   /* of PLACE_PLACED and PLACE_LAST_SET; else -1 */
} ReadPlace;

typedef struct NodeGroup {
    ReadPlace places[HYPOTHESIS_MAX_PLACES];
    size_t n_places; /* 0: its heads read every position */
} NodeGroup;

typedef struct HypothesisNode {
    char name[HYPOTHESIS_NAME_MAX];
    size_t line;      /* of the file */
    uint8_t *senders; /* (n_senders) 0: not of this node; else 1 + its group. Within `block` */
    size_t n_senders;
    size_t first, last; /* of its senders, by number */
    NodeGroup groups[HYPOTHESIS_MAX_GROUPS];
    size_t n_groups; /* at least 1 */
    Feature features[HYPOTHESIS_MAX_FEATURES];
    size_t n_features;
    int inputs[HYPOTHESIS_MAX_NODES]; /* nodes that it reads */
    size_t n_inputs;
} HypothesisNode;

typedef enum ScrubMetric { SCRUB_LEGAL, SCRUB_LEGAL_SQUARE, SCRUB_EMPTY_SQUARE } ScrubMetric;

typedef struct Hypothesis {
    const GameVariant *variant;
    ScrubMetric metric;
    int metric_sq; /* -1: SCRUB_LEGAL */
    HypothesisNode nodes[HYPOTHESIS_MAX_NODES];
    size_t n_nodes;
    int inputs[HYPOTHESIS_MAX_NODES]; /* nodes that the logits read */
    size_t n_inputs;
    uint8_t *block; /* owned: the senders of all nodes */
} Hypothesis;

/* Read a file for one network and board. Returns 0, OGPT_EFORMAT, OGPT_EIO, OGPT_ENOMEM; released
 * after an error. */
int hypothesis_read(Hypothesis *out, const Graph *graph, const GameVariant *variant,
                    const char *path);
int hypothesis_parse(Hypothesis *out, const Graph *graph, const GameVariant *variant,
                     const char *text, size_t n_bytes, const char *origin);
void hypothesis_release(Hypothesis *hypothesis);

/* Whether a node keeps everything: one of its features says so. */
bool hypothesis_keeps(const HypothesisNode *node);
/* Whether a node has inputs that are not named: some sender that its senders read is in none of its
 * inputs, nor in the node itself. node -1: the logits. */
bool hypothesis_is_open(const Hypothesis *hypothesis, const Graph *graph, int node);
/* The same hypothesis about something else: every square of a feature or a place becomes its image
 * under one symmetry of the board, which moves all of them and is drawn by `seed`; mine and theirs
 * change places; back K becomes back K + 2, the same side's move before. The metric stays. False if
 * there is nothing to change. The copy borrows the senders of `from`: it is not released, and goes
 * with it. */
bool hypothesis_elsewhere(Hypothesis *out, const Hypothesis *from, uint64_t seed);
/* Whether some of a node's heads read named positions only. */
bool hypothesis_has_places(const HypothesisNode *node);
/* "mine c3, mover" and "back 1, last-set c3" as the file says them, groups apart by "and", cut to
 * the room. */
void feature_list_print(char *out, size_t n_bytes, const HypothesisNode *node);
void place_list_print(char *out, size_t n_bytes, const HypothesisNode *node);
const char *scrub_metric_name(ScrubMetric metric); /* "legal", "legal square", "empty square" */

#endif
