/* model/planted/planted_internal.h - the inside of the room: sizes, places, directions, and how a
 * planted head or neuron is written. */
#ifndef OGPT_MODEL_PLANTED_INTERNAL_H
#define OGPT_MODEL_PLANTED_INTERNAL_H

#include "base/arena.h"
#include "base/rng.h"
#include "model/planted/planted.h"

/* A board size: its network and the two games. */
typedef struct PlantedSize {
    int size, d_vocab, n_ctx, d_model;
    size_t n_tokens;
    uint8_t clean[PLANTED_MAX_TOKENS];
    size_t differs_at;
    uint8_t instead; /* the corrupt token there */
    uint8_t free[2]; /* squares that are empty and legal behind both games */
} PlantedSize;

/* Options made complete, and everything that follows from them. */
typedef struct Plant {
    PlantedOptions options;
    const PlantedSize *size;
    uint8_t a, b, x, y; /* clean and corrupt token of the one position; two tokens of both games */
    uint8_t u, w;       /* the squares of size->free */
    int head[PLANTED_LAYERS][2];   /* two of each block */
    int neuron[PLANTED_LAYERS][3]; /* three of each block, in the first half; the partner of each
                                    * is d_mlp / 2 numbers later */
} Plant;

int planted__plan(Plant *out, const PlantedOptions *options);

/* Directions of the residual stream, orthonormal and of mean zero. */
enum { AUX_SIGNAL, AUX_SECOND, AUX_GATE, AUX_FIRST, N_AUX };

typedef struct PlantedSpace {
    const Plant *plant;
    Gpt *gpt;
    size_t C, V, HS, M;
    double *basis; /* (C,C), orthonormal rows: all ones; tokens; logits; N_AUX; the filling's */
    double *turn;  /* (HS,HS), orthonormal rows: of the head that was begun last */
    double *row;   /* (C), for sums */
    int layer, head;
    Arena arena;
} PlantedSpace;

int planted__space(PlantedSpace *out, const Plant *plant, Gpt *gpt);
void planted__space_release(PlantedSpace *space);
const double *planted__token(const PlantedSpace *space, uint8_t token);
const double *planted__logit(const PlantedSpace *space, uint8_t token);
const double *planted__aux(const PlantedSpace *space, int aux);

/* Random weights throughout, which write into the filling's directions alone; embeddings, biases
 * and the unembedding. */
void planted__fill(PlantedSpace *space);

/* Writing a head. `begin` takes its weights away: it then attends to all positions alike and writes
 * nothing. Channel: one of the HS rotated directions of the head. With `selects` its keys go too.
 */
void planted__head_begin(PlantedSpace *space, int layer, int head, bool selects);
/* W, at one of map.W_Q, W_K, W_V, reads `direction` into the channel. */
void planted__head_reads(PlantedSpace *space, size_t W, size_t channel, const double *direction,
                         double gain);
/* b_Q: the query has this much of the channel at every position. */
void planted__head_asks(PlantedSpace *space, size_t channel, double gain);
void planted__head_writes(PlantedSpace *space, size_t channel, const double *direction,
                          double gain);

/* A neuron: gelu(gain * (direction . x) + bias), which writes out_gain * out. NULL: nothing. */
typedef struct PlantedNeuron {
    const double *in, *out;
    double gain, bias, out_gain;
} PlantedNeuron;
void planted__neuron(PlantedSpace *space, int layer, int neuron, const PlantedNeuron *n);
/* Two neurons that are out_gain * (in . x), exactly. */
void planted__pair(PlantedSpace *space, int layer, int neuron, const PlantedNeuron *n);

/* The circuit of the plant's kind (planted_kinds.c). */
void planted__circuit(PlantedSpace *space);

#endif
