/* probes/heads/head_study.h - all that is measured of the heads of one network. */
#ifndef OGPT_PROBES_HEADS_HEAD_STUDY_H
#define OGPT_PROBES_HEADS_HEAD_STUDY_H

#include "probes/heads/head_circuits.h"
#include "probes/heads/head_composition.h"
#include "probes/heads/head_follow.h"
#include "probes/heads/head_hard.h"
#include "probes/heads/head_patterns.h"

typedef struct HeadStudyOptions {
    size_t games;        /* at least 1 */
    size_t pass_games;   /* games with a forced pass, at least 1 */
    size_t hard_games;   /* games whose attention is replaced; 0: none */
    size_t random_games; /* games through a network with random weights; 0: none */
    size_t rotations;    /* 2 to HEAD_ROTATIONS */
    int head;            /* whose circuits are kept whole; -1: none */
} HeadStudyOptions;

typedef struct HeadStudy {
    HeadStudyOptions options;
    HeadGames games, disputed;
    HeadPatterns patterns, random; /* random: of the control; empty if not asked for */
    HeadFollows follows;
    HeadHard hard; /* empty if not asked for */
    HeadCircuit *circuits;
    HeadComposition composition;
    double *matrices[N_HEAD_CIRCUITS]; /* of options.head, or NULL */
} HeadStudy;

/* The games: the first of the source; and those with a forced pass among the first 60 for each that
 * is wanted. Errors as head_games_read; head_study_release in both cases. */
int head_study_draw(HeadStudy *out, const Vocab *vocab, GameSource *source,
                    const HeadStudyOptions *options, const Work *work);
/* Memory in bytes of it all, at most; known before a game is drawn. */
size_t head_study_bytes(const HeadStudyOptions *options, const GptConfig *cfg, const Work *work);
/* Measure. probe as in head_circuits_run. work: pool, seed, tick("games" and "rotations"). Any
 * number of workers gives the same bits. Returns 0 or an error of the parts. */
int head_study_run(HeadStudy *study, const Gpt *gpt, const Probe *probe, const Work *work);
void head_study_release(HeadStudy *study);

#endif
