/* probes/ablation/ablation_donors.h - games that lend their values to a resampled unit.
 *
 * A donor of a position is another game that is at least as long; the unit gets the value that it
 * has there at the same ply. For `resample` it is any, for `matched` one whose board at that ply,
 * seen by the side to move, agrees with the position's board on these squares, as the rules
 * compute both boards:
 *   SQUARE  one named square
 *   own     the position's own square: the one turned in a pair, else one of its legal moves, drawn
 *   local   that square and its neighbours, up to nine squares: the board's local feature
 * When all positions of a history are ablated, the donor is matched at the last position only, and
 * its earlier positions come along.
 */
#ifndef OGPT_PROBES_ABLATION_ABLATION_DONORS_H
#define OGPT_PROBES_ABLATION_ABLATION_DONORS_H

#include "probes/ablation/ablation_positions.h"

typedef struct AblationDonors {
    const GameVariant *variant;
    size_t n;
    uint8_t *moves;   /* (n, n_moves); owned */
    uint8_t *lengths; /* (n); owned */
    Board *after;     /* (n, n_moves) boards after each move; owned */
} AblationDonors;

typedef enum AblationMatchKind { MATCH_LOCAL, MATCH_OWN, MATCH_SQUARE } AblationMatchKind;
typedef struct AblationMatch {
    AblationMatchKind kind;
    int square; /* of MATCH_SQUARE */
} AblationMatch;

/* "local", "own", or a square of the board. Returns 0 or OGPT_EUSAGE. */
int ablation_match_parse(AblationMatch *out, const GameVariant *variant, const char *text,
                         const char *what);
/* The squares that a donor of a position must agree on. */
uint64_t ablation_match_squares(const AblationMatch *match, const GameVariant *variant,
                                const AblationPosition *position);

/* Games 0 .. n_games-1 of a source (fewer if a corpus holds fewer), replayed by the rules. Returns
 * 0, OGPT_EFORMAT (an illegal move), OGPT_EIO, OGPT_EINTR, OGPT_ENOMEM. */
int ablation_donors_open(AblationDonors *out, GameSource *source, size_t n_games, const Work *work);
void ablation_donors_release(AblationDonors *donors);
size_t ablation_donors_bytes(const GameVariant *variant, size_t n);
/* Give every position its two donors: the first that fits, behind a place in the pool drawn by
 * (seed, position). A game that begins with the same moves lends nothing. match NULL: nothing is
 * matched, and the donor of `resample` takes its place. Positions without a donor are left out
 * (no_donor), and games numbered anew. Returns 0, OGPT_EFORMAT if none is left, OGPT_ENOMEM. */
int ablation_donors_assign(AblationPositions *positions, const AblationDonors *donors,
                           const AblationMatch *match, const Work *work);

#endif
