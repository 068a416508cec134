/* model/speed.h - how long a computation will take: its arithmetic over the speed at which this
 * machine multiplies now, measured for a moment. Rough (within a factor of two in our tests), and
 * said so. */
#ifndef OGPT_MODEL_SPEED_H
#define OGPT_MODEL_SPEED_H

#include "base/pool.h"

#define SPEED_TEXT 48
#define FORWARD_SHARE_OF_SPEED 0.6 /* passes of games through a network, forward only */

/* Floating-point operations a second of matrix products on all workers of the pool (NULL: the
 * calling thread), measured for about SPEED_SECONDS. Not for numbers that are stored: they must not
 * depend on the clock. 0 if memory is short. */
#define SPEED_SECONDS 0.02
double speed_of_products(Pool *pool);

/* The most that products reach here, FLOP/s of one worker while all of them multiply: 1024^3 in
 * float32 (OpenBLAS) and with factors rounded to bfloat16 (num/gemm_bf16.h; 0: this processor has
 * no such product). By processor time, the best of a few: about 0.2 s. */
typedef struct SpeedPeaks {
    double f32, bf16;
} SpeedPeaks;
/* Returns 0 or OGPT_ENOMEM. */
int speed_peaks(SpeedPeaks *out, Pool *pool);

/* "about 40 s", "about 3 min", "about 2.5 h" for so many operations, of which the program makes
 * `share` of the speed above; "a few seconds" below 5 s. */
void speed_estimate(char out[SPEED_TEXT], double flops, double share, Pool *pool);
/* The same for a known number of seconds. */
void speed_print(char out[SPEED_TEXT], double seconds);

#endif
