/* report/claims/claim_table.h - claims of the field that results of this program can judge: the one
 * table.
 *
 * A claim asks one or more questions. Each compares a number of a stored row, with its 95 %
 * interval, with a control or with a line (claim_judge.h). Texts hold {net}, {hash} (the first 8
 * characters of its model_hash: two networks of one size write two files), {size} ("6x6"), {n} (6)
 * {late} (half of the longest game) and {shape} (options of ogpt train) where those of the network
 * are put in.
 */
#ifndef OGPT_REPORT_CLAIMS_CLAIM_TABLE_H
#define OGPT_REPORT_CLAIMS_CLAIM_TABLE_H

#include <stdbool.h>
#include <stddef.h>

enum { CLAIM_ASKS_MAX = 4, CLAIM_LINES_MAX = 3, CLAIM_MAX = 12 };

/* A command whose rows are read. */
typedef struct ClaimRun {
    const char *command; /* "circuit" */
    /* "pairs=claims-{size}.csv states>=100": options that a run must have had; NULL: any */
    const char *needs;
    const char *lines[CLAIM_LINES_MAX]; /* what to type, without "ogpt"; the last makes the rows */
} ClaimRun;

/* A number in rows of one kind (store/results.def). */
typedef struct ClaimNumber {
    const char *kind;
    const char *where; /* "layer=5 arm=random|rotated", "ply_from>=30": of the row; NULL: any row */
    const char *key;   /* its column; KEY_low and KEY_high are its interval */
    /* (key - from) / (to - from), both columns of the row; NULL: the number itself. */
    const char *from, *to;
    const char *beside; /* key and this are counts: key / (key + beside), by Wilson's interval */
} ClaimNumber;

typedef enum ClaimSide { CLAIM_ABOVE, CLAIM_BELOW } ClaimSide;

typedef struct ClaimAsk {
    const char *what; /* "neurons of layer 5 that are rules" */
    const ClaimRun *run;
    ClaimNumber number;
    ClaimSide side;      /* where the claim wants the number */
    ClaimNumber control; /* of the same run and kind as the number; kind NULL: `line` */
    const char *beyond;  /* what the control or the line is, in words */
    double line;
    int digits;
    bool percent; /* a share: shown times 100 */
    bool premise; /* without it the claim cannot be decided */
    bool agree;   /* rows that hold and rows that fail leave it open; else one failure decides */
    /* Columns whose values say which of several rows it is, behind blanks; NULL: there is one. */
    const char *tell;
    /* What `where` demands of a row beyond which one it is, in words; NULL: nothing. A run without
     * such a row lacks it. */
    const char *demand;
} ClaimAsk;

typedef struct FieldClaim {
    int number;
    const char *statement;
    const char *source;
    const char *published;         /* NULL: no figure whose text was read */
    const char *rule;              /* when it holds and when it fails */
    ClaimAsk asks[CLAIM_ASKS_MAX]; /* up to the first without `what` */
} FieldClaim;

/* All of them (CLAIM_MAX), by number. */
extern const FieldClaim claim_table[CLAIM_MAX];

#endif
