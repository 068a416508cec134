/* bench/bench_perft.c - how fast the leaves of the game tree are counted, on one thread, best of
 * several: processor time, so that other programs disturb it little. Usage: bench_perft [DEPTH
 * [REPEATS]]
 *
 * No table of positions, no symmetry: perft.h. The last ply is counted, not played.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/err.h"
#include "game/perft.h"

#define DEPTH 11
#define DEPTH_MAX 15
#define REPEATS 5

static double processor_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

int main(int argc, char **argv)
{
    const long depth = argc > 1 ? strtol(argv[1], NULL, 10) : DEPTH;
    const long repeats = argc > 2 ? strtol(argv[2], NULL, 10) : REPEATS;
    if (argc > 3 || depth < 1 || depth > DEPTH_MAX || repeats < 1) {
        fprintf(stderr, "usage: bench_perft [DEPTH, 1 to %d [REPEATS]]\n", DEPTH_MAX);
        return 2;
    }
    uint64_t leaves = 0;
    double best = 0;
    for (long i = 0; i < repeats; i++) {
        const double start = processor_seconds();
        const int rc = perft_start(&leaves, game_variant(8), (int)depth, NULL);
        const double seconds = processor_seconds() - start;
        if (rc != 0) {
            fprintf(stderr, "bench_perft: %s\n", err_message());
            return err_exit_code(rc, 0);
        }
        best = i == 0 || seconds < best ? seconds : best;
    }
    printf("ogpt\t%ld\t%" PRIu64 "\t%.6f\n", depth, leaves, best);
    return 0;
}
