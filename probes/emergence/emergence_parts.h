/* probes/emergence/emergence_parts.h - room-private: curves that ask for more than a probe.
 *
 * Each has as many units as there are test games, and two numbers a unit, as all curves:
 *   lens           F1 of the logit lens behind the middle block: its N largest tokens against the N
 *                  legal moves; by test game
 *   edit           of a case (a random disc turned over; the same cases for all checkpoints) the
 *                  wrong moves by the edited board that an edit takes away: null - edit, and null.
 *                  Method project, behind the middle block, along the probe of that checkpoint. Not
 *                  (null - edit) / (null - self): an untrained network is as wrong on both boards
 *   transposition  of a pair of histories of one board: KL, and KL to another board
 *   head           attention of one head on the moves of one side, minus that of uniform attention;
 *                  by test game. The head and the side (the one now to move, or the other) are
 *                  those with the largest score on the fit games, chosen anew at each checkpoint
 *   head_beyond    control: the same head and side, minus its mean attention at the same plies of
 *                  other games. 0 for a head that counts plies, since the moves of one side are
 *                  every second move but after a pass
 */
#ifndef OGPT_PROBES_EMERGENCE_EMERGENCE_PARTS_H
#define OGPT_PROBES_EMERGENCE_EMERGENCE_PARTS_H

#include "probes/activations/positions.h"
#include "probes/board/probe.h"
#include "probes/cases/cases.h"
#include "probes/cases/pairs.h"
#include "probes/heads/head_patterns.h"

typedef struct EmergenceAnswers {
    const Vocab *vocab;
    size_t n;        /* cases, pairs */
    uint64_t *legal; /* (test positions) tokens */
    CaseSet edits;
    PairSet pairs;
} EmergenceAnswers;

/* By the seed of the work. Returns as cases_make; release in any case. */
int emergence_answers_new(EmergenceAnswers *out, const PositionSet *test, size_t n,
                          const Work *work);
void emergence_answers_release(EmergenceAnswers *answers);

/* values (n, 2) of one network. rows (test positions, d_model), probe (task mine, one layer): of
 * the stream behind the middle block. Each returns 0 or OGPT_E*. */
int emergence_lens(double *values, const EmergenceAnswers *answers, const PositionSet *test,
                   const Gpt *gpt, const float *rows);
int emergence_edits(double *values, const EmergenceAnswers *answers, const Gpt *gpt,
                    const Probe *probe, const Work *work);
int emergence_transposition(double *values, const EmergenceAnswers *answers, const Gpt *gpt,
                            const Work *work);

/* head, beyond (test->n, 2). Games as head_games_read; errors as head_patterns_run. */
int emergence_heads(double *head, double *beyond, const HeadGames *fit, const HeadGames *test,
                    const Gpt *gpt, const Work *work);

#endif
