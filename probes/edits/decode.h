/* probes/edits/decode.h - one typed game: what the probes read at every layer, and what the network
 * would play, before and after one square is edited.
 */
#ifndef OGPT_PROBES_EDITS_DECODE_H
#define OGPT_PROBES_EDITS_DECODE_H

#include "datasets/labels.h"
#include "probes/edits/edit_plan.h"
#include "probes/activations/tasks.h"

/* One square turned from one class of the probe to another, by a plan. */
typedef struct DecodeEdit {
    EditPlan plan;                     /* must pass edit_plan_check */
    const BoardDirections *directions; /* of the plan */
    int square;                        /* index, row-major over the board */
    int from_class, to_class;
} DecodeEdit;

typedef struct Decoded {
    uint8_t classes[LAYERS_MAX][BOARD_SQUARES]; /* [layer index of the probe][square] */
    float p[LAYERS_MAX][BOARD_SQUARES];         /* its probability, by the probe's softmax */
    float logits[BOARD_SQUARES];                /* (d_vocab) of the next move */
} Decoded;

/* The network reads moves 0..n-1 (1 <= n <= n_ctx), and the probes its last position. edit may
 * be NULL. Returns 0, OGPT_EUSAGE (n out of range), OGPT_EFORMAT (the network is of no board),
 * OGPT_ENUM (not finite), OGPT_ENOMEM. */
int decode_game(Decoded *out, const Subject *subject, const Probe *probe, const uint8_t *moves,
                int n, const DecodeEdit *edit);

/* Classes of a board task ("mine", "colour", "previous") as discs, bit 8*row+column, seen from
 * `viewer`. Returns false for a task without colours: `black` then holds the squares of every class
 * but 0. */
bool decode_discs(uint64_t *black, uint64_t *white, const Probe *probe, Colour viewer,
                  const uint8_t *classes);

#endif
