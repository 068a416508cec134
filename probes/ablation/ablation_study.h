/* probes/ablation/ablation_study.h - all that is asked about the units of a network. */
#ifndef OGPT_PROBES_ABLATION_ABLATION_STUDY_H
#define OGPT_PROBES_ABLATION_ABLATION_STUDY_H

#include "probes/ablation/ablation_summary.h"

typedef struct AblationStudyOptions {
    unsigned units, kinds; /* as bits; both not empty */
    size_t draws;          /* random groups of equal size; 0: no groups */
    size_t heads, neurons; /* units of a group; cut where the network has too few */
    size_t pair_positions; /* pairs of heads at so many positions; 0: no pairs */
    bool curves;           /* blocks left out and exchanged */
} AblationStudyOptions;

/* A share of repair; a rank correlation of mean effects over units. */
typedef struct AblationStudyShare {
    AblationUnitKind unit;
    AblationKind kind;
    AblationShare share;
} AblationStudyShare;
typedef struct AblationStudyRank {
    AblationUnitKind unit;
    AblationKind kind, other; /* mean TE by the one and by the other; equal: mean TE and mean DE */
    size_t n;
    double spearman;
} AblationStudyRank;
typedef struct AblationStudyGroups {
    AblationUnitKind unit;
    AblationKind kind;
    AblationGroups groups;
} AblationStudyGroups;

enum { ABLATION_SHARES_MAX = N_ABLATION_UNITS * N_ABLATION_KINDS };
enum { ABLATION_RANKS_MAX = N_ABLATION_UNITS * N_ABLATION_KINDS * N_ABLATION_KINDS };

typedef struct AblationStudy {
    AblationUnit *units; /* (n_units) in the order of ablation_units_list; owned */
    size_t n_units, n_kinds;
    AblationKind kinds[N_ABLATION_KINDS];
    size_t first[N_ABLATION_UNITS], count[N_ABLATION_UNITS]; /* units of each kind */
    AblationResult result; /* set u * n_kinds + k: unit u by kinds[k] */
    AblationRow *rows;     /* of those sets; owned */
    size_t n_rescued;      /* units that were put back: all, but of neurons every 32nd */
    double rescue_error;   /* the largest change of a logit by that */
    double identity_error; /* of everything that ran */
    Interval clean, clean_wrong, clean_strict; /* metric and judgement of the network as it is */
    size_t n_shares, n_ranks, n_groups;
    AblationStudyShare shares[ABLATION_SHARES_MAX];
    AblationStudyRank ranks[ABLATION_RANKS_MAX];
    AblationStudyGroups groups[2]; /* heads, neurons: by the first kind that is no control */
    AblationKind joint_kind;       /* of groups and pairs */
    AblationPairs pairs;           /* n = 0: not asked for */
    AblationCurves curves;         /* n_points = 0: not asked for */
    AblationRow *curve_rows;       /* (n_points); owned */
} AblationStudy;

/* Work's ticks: "passes" behind the name of each part ("units", "rescue", "groups of head", "heads
 * of pairs", "pairs"), and "blocks". Returns as ablation_run. */
int ablation_study_run(AblationStudy *out, const AblationInputs *in,
                       const AblationStudyOptions *options, const Work *work);
void ablation_study_release(AblationStudy *study);
/* Bytes and floating-point operations, known before the work. */
size_t ablation_study_bytes(const AblationInputs *in, const AblationStudyOptions *options,
                            const Work *work);
double ablation_study_flops(const AblationInputs *in, const AblationStudyOptions *options);

#endif
