/* bench/bench_perft.c - how fast the leaves of the game tree are counted, once, on one thread, in
 * processor time, so that other programs disturb it little. Usage: bench_perft [DEPTH]
 *
 * No table of positions, no symmetry: perft.h. The last ply is counted, not played.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/process.h"
#include "game/perft.h"

#define DEPTH 11
#define DEPTH_MAX 15

int main(int argc, char **argv)
{
    const long depth = argc > 1 ? strtol(argv[1], NULL, 10) : DEPTH;
    if (argc > 2 || depth < 1 || depth > DEPTH_MAX) {
        fprintf(stderr, "usage: bench_perft [DEPTH, 1 to %d]\n", DEPTH_MAX);
        return 2;
    }
    uint64_t leaves = 0;
    const double start = clock_process_seconds();
    const int rc = perft_start(&leaves, game_variant(8), (int)depth, NULL);
    const double seconds = clock_process_seconds() - start;
    if (rc != 0) {
        fprintf(stderr, "bench_perft: %s\n", err_message());
        return err_exit_code(rc, 0);
    }
    printf("ogpt\t%ld\t%" PRIu64 "\t%.6f\n", depth, leaves, seconds);
    return 0;
}
