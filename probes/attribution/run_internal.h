/* probes/attribution/run_internal.h - the sums of a run; for attribution_run.c and run_finish.c. */
#ifndef OGPT_PROBES_ATTRIBUTION_RUN_INTERNAL_H
#define OGPT_PROBES_ATTRIBUTION_RUN_INTERNAL_H

#include "probes/activations/passes.h"
#include "probes/attribution/attribution_run.h"

typedef enum SlotField {
    SLOT_OTHER_LN,
    SLOT_RANDOM,
    SLOT_SHUFFLED,
    SLOT_MAGNITUDE,
    SLOT_RANDOM_MAGNITUDE,
    N_SLOT_FIELDS
} SlotField;
enum { ATTRIBUTION_ALL = 2 }; /* shares of all heads, of all MLPs */
enum { N_MOMENTS = 8 };       /* n, x, y, xx, xy, yy, |x - y|, |x|: x frozen, y recomputed */

/* Sums over the positions of one pass, or of all. */
typedef struct RunSlot {
    double *field[N_SLOT_FIELDS]; /* (J) */
    double moments[N_MOMENTS];
    AttributionErasure erasure;
    double identity_error, largest;
} RunSlot;

typedef struct RunWorker {
    Writes writes;
    Attributor *attributor;
    size_t *rows; /* of the pass under way */
    size_t game;  /* its first game; SIZE_MAX: none */
} RunWorker;

typedef struct AttributionRun {
    Attribution *out;
    const Gpt *gpt;
    const AttributionTarget *target;
    const AttributionPositions *positions;
    const AttributionOptions *options;
    ComponentList list;
    size_t n_groups, n_workers, n_slots;
    size_t *group_of; /* (J) */
    RunWorker *workers;
    RunSlot *slots, block, sums;
    size_t first_game; /* of the block under way */
    double *values;    /* (n_games, J) */
    double *groups;    /* (n_games, 3, n_groups): true, random, shuffled; frozen */
    double *numbers;   /* (n_games) */
    double *counts;    /* (n_games) positions */
} AttributionRun;

/* Games that are computed and kept together. */
size_t attribution__block_games(const AttributionRun *run);
/* run_kept.c: the values of n games and the sums of their block, from the journal and into it.
 * recall returns 1, 0 (not kept) or OGPT_E*; keep 0 or OGPT_E*. */
int attribution__recall(AttributionRun *run, const WorkJournal *journal, size_t block, size_t first,
                        size_t n);
int attribution__keep(AttributionRun *run, const WorkJournal *journal, size_t block, size_t first,
                      size_t n);
int attribution__allocate(AttributionRun *run, size_t most_rows);
void attribution__release(AttributionRun *run);
void attribution__slot_clear(RunSlot *slot, const ComponentList *list);
void attribution__slot_add(RunSlot *to, const RunSlot *slot, const ComponentList *list);
/* From the sums to means, intervals and shares. */
int attribution__finish(AttributionRun *run, const Work *work);

#endif
