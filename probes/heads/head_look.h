/* probes/heads/head_look.h - where heads look in one game. */
#ifndef OGPT_PROBES_HEADS_HEAD_LOOK_H
#define OGPT_PROBES_HEADS_HEAD_LOOK_H

#include "datasets/vocab.h"
#include "model/gpt.h"

/* shares (n_layers, n_heads, n): the attention of the position behind `moves` (n of them, legal, 1
 * to n_ctx) on each of them; those of one head add up to 1. Returns 0, OGPT_EUSAGE (n),
 * OGPT_EFORMAT (network and vocabulary are of different boards), OGPT_ENOMEM. */
int head_look(double *shares, const Gpt *gpt, const Vocab *vocab, const uint8_t *moves, int n);

/* The same of a game as people type it. Errors also as moves_parse, behind the name of the option;
 * shares are owned in both cases (mem_free). */
typedef struct HeadLooked {
    uint8_t moves[GAME_MAX_MOVES];
    int n;
    double *shares;
} HeadLooked;
int head_look_typed(HeadLooked *out, const Gpt *gpt, const Vocab *vocab, const char *typed,
                    const char *option);

#endif
