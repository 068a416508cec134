/* probes/board/direction_set.h - named unit vectors of one site and layer, whatever they come from.
 *
 * Whoever moves rows along directions, or measures angles between them, takes a DirectionSet. Its
 * fillers: the weights of a linear probe and class means laid out like them
 * (direction_set_of_weights), one pair of states a square (probes/compare/directions.h), and a
 * random draw (direction_set_random). All functions are thread-safe.
 *
 * A set of direction_set_of_weights has a direction for each square and each two of its states,
 * so that an edit can move a square from any state to any other. To measure the angles of a probe,
 * take the sets of probes/compare/directions.h: they have one direction a square.
 */
#ifndef OGPT_PROBES_BOARD_DIRECTION_SET_H
#define OGPT_PROBES_BOARD_DIRECTION_SET_H

#include "base/hash.h"
#include "probes/board/probe.h"

#define DIRECTION_NAME_BYTES 40

typedef struct DirectionSet {
    HookSite site; /* of the rows that they live in */
    int layer;
    size_t n, width;
    size_t n_present; /* directions that exist */
    float *unit;      /* (n, width); zero where there is none; owned */
    double *length;   /* (n) before the vector was scaled to 1; 0: there is no direction; owned */
    double *offset;   /* (n) unit . x + offset is 0 on the boundary that the owner draws; owned */
    char (*name)[DIRECTION_NAME_BYTES]; /* (n) "d4 theirs to mine", "random 17"; owned */
    int size;                           /* of the board whose squares they belong to; 0: of none */
    int n_classes;                      /* states of a square; see direction_of_square */
} DirectionSet;

/* Room for n directions, all absent and without a name; the other members are kept. Returns 0 or
 * OGPT_ENOMEM. */
int direction_set_allocate(DirectionSet *out, size_t n, size_t width);
void direction_set_release(DirectionSet *set);

/* out (width) = a draw of independent normal coordinates by (seed, RNG_DIRECTION, index), not yet
 * scaled. Returns its length. */
double direction_random(float *out, size_t width, uint64_t seed, uint64_t index);
/* Draws 0..n-1 of a seed, scaled to 1: directions that mean nothing. Returns 0 or OGPT_ENOMEM. */
int direction_set_random(DirectionSet *out, size_t n, size_t width, uint64_t seed);

/* ---- the directions of a board ---- */

/* The words for the states of a square. */
typedef struct BoardTerms {
    char task[16], labels[16];          /* "mine", "mover" (probes/activations/tasks.h) */
    char classes[TASK_MAX_CLASSES][16]; /* names in order: "empty", "theirs", "mine" */
    int n_classes;
    int size, n_squares; /* of the board */
} BoardTerms;
BoardTerms direction_terms(const Probe *probe);
/* Terms of the task "mine", by labels "mover" or "parity". */
BoardTerms direction_terms_mine(const GameVariant *variant, const char *labels);
/* Class number by name, or -1. */
int direction_class(const BoardTerms *terms, const char *name);

/* For each square and two states the direction between them, of weights (width, squares, classes)
 * and bias (squares, classes; NULL: 0): unit(w_to - w_from), with offset (b_to - b_from) /
 * ||w_to - w_from||. The "direction" from a state to itself is unit(w_state), without an offset.
 * Returns 0 or OGPT_ENOMEM. */
int direction_set_of_weights(DirectionSet *out, const BoardTerms *terms, size_t width,
                             const float *weight, const float *bias);
/* Index in such a set. */
size_t direction_of_square(const DirectionSet *set, int square, int from, int to);

/* Squares of a board, each from one state to another; borrowed. */
typedef struct BoardMoves {
    int n;
    const int *squares, *from, *to; /* (n) */
} BoardMoves;

/* What changes a row where no vector does: features of an autoencoder
 * (probes/features/features_handles.h). */
typedef struct BoardMover {
    const void *self;
    size_t scratch; /* numbers that move needs */
    int most;       /* features of a state that it knows, at most */
    /* change (width) = what is added to row x, with so many features of a state. Thread-safe. */
    void (*move)(const void *self, float *change, float *scratch, const float *x,
                 const BoardMoves *moves, int features);
} BoardMover;

/* The directions of a board at every layer of their owner. */
typedef struct BoardDirections {
    const Probe *probe; /* the owner, borrowed; NULL: class means (probes/edits/edit_means.h) */
    const BoardMover *mover; /* the owner, borrowed, if it has no vectors: the sets are empty */
    BoardTerms terms;
    HookSite site;
    size_t width;
    int n_layers;
    int layers[LAYERS_MAX];
    bool fitted[LAYERS_MAX];       /* false: the layer has no directions */
    DirectionSet sets[LAYERS_MAX]; /* as direction_set_of_weights; owned. Empty for a probe with a
                                    * hidden layer, which has no directions */
} BoardDirections;
int direction_board_of_probe(BoardDirections *out, const Probe *probe);
void direction_board_release(BoardDirections *directions);
/* Their numbers, into the key of a journal; nothing of directions that were not made. */
void direction_board_hash(Sha256 *hash, const BoardDirections *directions);
/* Position of `layer` in directions->layers, or -1. */
int direction_layer_index(const BoardDirections *directions, int layer);

#endif
