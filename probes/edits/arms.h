/* probes/edits/arms.h - the arms of an experiment: what is done to a forward pass, and which board
 * judges its answer.
 *
 * The edited board judges every arm but self. The arms are asked for in the order of the table: the
 * arm edit leaves the lengths of its changes, and the arms below it make changes of these lengths.
 *   repair      a descent that is told the true board before the edit. It mends what the predictor
 *               had wrong: what it closes is closed by mending, not by editing
 *   probe       the rival of an edit by features: add along the directions of a linear probe, as
 *               far as the features moved the row
 *   ideal null  a perfect model of the board before the edit that breaks ties at random: its exact
 *               expectation
 *
 * To add an arm: a row in EDIT_ARMS (below EDIT if it uses the edit's length) and, if it changes
 * rows of a network, its function change_NAME in probes/edits/edit_network.c. Measuring, intervals,
 * JSON of the metrics, the table of arms and database rows of kind edit_metrics follow the row.
 * Columns by name, such as random_error of edit_results and edit_cases, do not: they are in
 * report/results/edit_tables.c and store/results.def. An arm that no plan of an edit asks for needs
 * an ArmKind of its own and a line in arm_is_asked that leaves this kind out.
 */
#ifndef OGPT_PROBES_EDITS_ARMS_H
#define OGPT_PROBES_EDITS_ARMS_H

#include "probes/edits/edit_plan.h"

typedef enum ArmKind {
    PASS_PLAIN,   /* the pass runs as it is */
    PASS_OWN,     /* the pass runs as it is; judged by the board before the edit, and plays on it */
    PASS_CHANGED, /* rows of the pass are changed */
    PASS_DESCENT, /* the same, only for plans of method gradient. Its errors have columns of their
                   * own (repair_error, ...): it is not listed among the arms of every metric */
    PASS_RIVAL,   /* the same, only for plans of method sae: what a probe does at equal length */
    PASS_NONE     /* no pass: the exact expectation, computed from the rules */
} ArmKind;

/* ARM(constant, name, kind, change_NAME of edit_network.c, what it is) */
#define EDIT_ARMS(ARM)                                                                             \
    ARM(NULL, "null", PLAIN, nothing, "not edited")                                                \
    ARM(SELF, "self", OWN, nothing, "not edited, judged by its own board")                         \
    ARM(EDIT, "edit", CHANGED, by_plan, "edited by the plan")                                      \
    ARM(RANDOM, "random", CHANGED, at_random, "random direction of equal length")                  \
    ARM(WRONG_SQUARE, "wrong_square", CHANGED, wrong_square, "the edit of another square")         \
    ARM(REPAIR, "repair", DESCENT, repair, "the same descent, no square changed")                  \
    ARM(PROBE, "probe", RIVAL, along_probe, "the probe's direction of equal length")               \
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
