/* library/ogpt.h - ogpt for other programs: a network, the probe that reads it, and a game.
 *
 * This header stands alone, and is the only one that stays as it is from version to version
 * (docs/LIBRARY.md). Link with what `pkg-config --libs ogpt` says.
 *
 * Functions that return int return 0, or a negative code after which ogpt_error() says in one line
 * what was expected and found. Squares are row-major: index size*row + column, a1 first. A reader
 * is used by one thread at a time; different readers are independent.
 */
#ifndef OGPT_LIBRARY_OGPT_H
#define OGPT_LIBRARY_OGPT_H

#ifdef __cplusplus
extern "C" {
#endif

typedef struct OgptReader OgptReader;

/* Open a network (a model or a run directory) and its probe (NULL: the directory `probe` in it).
 * The game has no move yet. *out is NULL after an error; else close it. */
int ogpt_reader_open(OgptReader **out, const char *model, const char *probe);
void ogpt_reader_close(OgptReader *reader); /* NULL is allowed */

int ogpt_reader_size(const OgptReader *reader); /* squares a side: 4, 6 or 8 */
/* Layers that the probe reads. Their places run from 0; the number of a layer is that of the
 * network's block, -1 for the embedding. */
int ogpt_reader_layers(const OgptReader *reader);
int ogpt_reader_layer(const OgptReader *reader, int place);

/* Begin again, and play "f5 d6 c3" (letters and digits, blanks may be missing, at least one move).
 * Each move is checked by the rules; passes are made by themselves. After an error the game is as
 * it was. */
int ogpt_reader_play(OgptReader *reader, const char *moves);

/* The true board: size*size characters and a final zero, 'X' black, 'O' white, '.' empty. */
void ogpt_reader_board(const OgptReader *reader, char *out);
/* The same as the probe reads it in the network after the last move, at the layer at `place`.
 * Before the first move there is nothing to read: an error. */
int ogpt_reader_read(const OgptReader *reader, char *out, int place);
/* Probability that the network gives to each square as the next move (size*size numbers; the four
 * squares of the start are 0). Before the first move: an error. */
int ogpt_reader_next(const OgptReader *reader, float *out);

/* What went wrong last in this thread; "" if nothing. */
const char *ogpt_error(void);
/* "0.2.0" */
const char *ogpt_version(void);

#ifdef __cplusplus
}
#endif

#endif
