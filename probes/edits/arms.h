/* probes/edits/arms.h - the arms of an experiment: what is done to a pass, and who judges its
 * answer.
 *
 * N = number of legal moves on the edited board, after which the predicted set is chosen
 * (probes/legality/answers.h). error = false positives + false negatives.
 *
 * To add an arm: a row in EDIT_ARMS and, when it changes rows of a network, its function
 * change_NAME in probes/edits/edit_network.c. Measuring, intervals, JSON, database rows and tables
 * follow the row.
 */
#ifndef OGPT_PROBES_EDITS_ARMS_H
#define OGPT_PROBES_EDITS_ARMS_H

#include "probes/edits/edit_plan.h"

typedef enum ArmKind {
    PASS_PLAIN,   /* the pass runs as it is */
    PASS_OWN,     /* the pass runs as it is; judged by the board before the edit, and plays on it */
    PASS_CHANGED, /* rows of the pass are changed */
    PASS_DESCENT, /* the same; asked for only if the plan's method is gradient. It has columns of
                   * its own (repair_error, ...) and is no version of every metric */
    PASS_NONE     /* no pass: the exact expectation, computed from the rules */
} ArmKind;

/* ARM(constant, name, kind, change_NAME of edit_network.c, what it is). Arms but those of kind
 * PASS_OWN are judged by the edited board. They are asked in this order: the edit leaves the
 * lengths of its changes for the arms below it. repair      the descent is told the true board
 * before the edit, so it mends what the predictor had wrong. What it closes is closed by mending
 * and not by editing ideal null  the expected error of a perfect model of the board before the edit
 * that breaks ties at random */
#define EDIT_ARMS(ARM)                                                                             \
    ARM(NULL, "null", PLAIN, nothing, "not edited")                                                \
    ARM(SELF, "self", OWN, nothing, "not edited, judged by its own board")                         \
    ARM(EDIT, "edit", CHANGED, by_plan, "edited by the plan")                                      \
    ARM(RANDOM, "random", CHANGED, at_random, "random direction of equal length")                  \
    ARM(WRONG_SQUARE, "wrong_square", CHANGED, wrong_square, "the edit of another square")         \
    ARM(REPAIR, "repair", DESCENT, repair, "the same descent, no square changed")                  \
    ARM(IDEAL_NULL, "ideal_null", NONE, nothing, "a perfect model of the board before the edit")

typedef enum Arm {
#define ARM_CONSTANT(constant, name, kind, change, meaning) ARM_##constant,
    EDIT_ARMS(ARM_CONSTANT)
#undef ARM_CONSTANT
        N_ARMS
} Arm;

/* Borrowed, static. */
const char *arm_name(Arm arm);    /* "wrong_square": the key in JSON, the database and CSV */
const char *arm_meaning(Arm arm); /* in words */
/* Whether the pass runs as it is. */
bool arm_is_plain(Arm arm);
/* Whether the board before the edit judges the answer. */
bool arm_is_own(Arm arm);
/* Whether every metric is measured under the arm and published under its name. */
bool arm_is_listed(Arm arm);
/* Whether a predictor is asked for the arm when an edit by this plan is measured. */
bool arm_is_asked(Arm arm, const EditPlan *plan);

#endif
