/* probes/steering/steer_target.h - properties of a board that a network is steered to, and what the
 * rules of the game say of them.
 *
 * A target asks one question of a group of squares, and the answer is one of two classes, FROM and
 * TO, or neither. Steering moves a position from FROM to TO, so there is one edit of the board that
 * does the same, and the rules say which moves are legal then:
 *   mine       group: a square. FROM: a disc of the other side, TO: a disc of the side to move. The
 *              edit turns the disc over
 *   occupied   group: a square but the centre. FROM: a disc, TO: empty. Being occupied is taken
 *              away, because putting a disc would leave open whose it is. The edit removes the disc
 *   no-corner  one group, the four corners. FROM: at least one has a disc, TO: none has. The edit
 *              removes all of them. A second group serves as the wrong squares: those next to a
 *              corner in its rank
 */
#ifndef OGPT_PROBES_STEERING_STEER_TARGET_H
#define OGPT_PROBES_STEERING_STEER_TARGET_H

#include "base/enums.h"
#include "probes/cases/cases.h"

/* X(enumerator, name, meaning) */
#define STEER_TARGETS(X)                                                                           \
    X(STEER_MINE, "mine", "a disc of the other side becomes one of the side to move")              \
    X(STEER_OCCUPIED, "occupied", "a square with a disc becomes empty")                            \
    X(STEER_NO_CORNER, "no-corner", "all corners become empty")

typedef enum SteerTarget { STEER_TARGETS(ENUM_ID) N_STEER_TARGETS } SteerTarget;
/* "mine|occupied|...", for option tables. */
#define STEER_TARGET_BAR(id, name, meaning) "|" name
#define STEER_TARGET_NAMES (&(STEER_TARGETS(STEER_TARGET_BAR))[1])

typedef enum SteerClass { STEER_NEITHER, STEER_FROM, STEER_TO } SteerClass;

/* Names (static). */
const char *steer_target_name(SteerTarget target);
const char *steer_target_meaning(SteerTarget target);

/* Groups of a target: the squares of the board in row-major order, or 2. */
size_t steer_groups(SteerTarget target, const GameVariant *variant);
/* The square's place in row-major order: its group, where groups are squares. sq: 8*row+column. */
static inline size_t steer_group_of_square(const GameVariant *variant, int sq)
{
    return (size_t)(sq / 8 * variant->size + sq % 8);
}
/* Squares of a group; 0 for one that is never asked about. */
uint64_t steer_group(SteerTarget target, const GameVariant *variant, size_t group);
/* Whether positions are steered along the group; the others are wrong squares only. */
bool steer_group_steered(SteerTarget target, const GameVariant *variant, size_t group);
/* The group as text: "d4", "corners", "beside corners". */
#define STEER_GROUP_NAME 16
void steer_group_name(char out[STEER_GROUP_NAME], SteerTarget target, const GameVariant *variant,
                      size_t group);
/* The group of a square that a user named; NULL: -1, any. Returns 0 or OGPT_EUSAGE, naming
 * --square. */
int steer_group_parse(int *out, SteerTarget target, const GameVariant *variant, const char *square);
/* The class of a board, seen by the side to move. */
SteerClass steer_class(SteerTarget target, const GameVariant *variant, size_t group,
                       const Board *board);
/* What TO adds and FROM takes away on a square of a group: shares (static) of the classes empty,
 * theirs, mine; several classes on one side share it evenly. */
const double *steer_shares(SteerTarget target);
/* Fill squares of a case whose moves lead to `board`, of class FROM. */
void steer_edit(EditCase *edit, SteerTarget target, const GameVariant *variant, size_t group,
                const Board *board);

#endif
