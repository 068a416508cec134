// tools/gpu/games.cu - random games of Othello on the GPU, one thread a game: game i of a seed as
// `ogpt train --fresh --seed` makes it. A C++ compiler makes the same for the CPU, one game after
// another. Boards and squares as in game/board.h, draws as in base/rng.h.
#include <stdint.h>
#ifdef __CUDACC__
#define DEV static __device__ __forceinline__
#else
#include <math.h>
#define DEV static inline
#endif
typedef uint64_t u64;
typedef uint32_t u32;

DEV u64 move_by(u64 x, int d) { return d > 0 ? x << d : x >> -d; }
#define LEFT 0xFEFEFEFEFEFEFEFEull  // without column a
#define RIGHT 0x7F7F7F7F7F7F7F7Full // without column h
#define DIRECTIONS(DO) \
    DO(1, LEFT) DO(-1, RIGHT) DO(8, ~0ull) DO(-8, ~0ull) \
    DO(9, LEFT) DO(-9, RIGHT) DO(7, RIGHT) DO(-7, LEFT)

DEV u64 legal(u64 mine, u64 theirs, u64 mask)
{
    u64 out = 0, empty = ~(mine | theirs) & mask;
#define ONE(d, keep)                             \
    {                                            \
        const u64 m = keep & mask;               \
        u64 x = move_by(mine, d) & m & theirs;   \
        for (int k = 0; k < 5; k++) {            \
            x |= move_by(x, d) & m & theirs;     \
        }                                        \
        out |= move_by(x, d) & m & empty;        \
    }
    DIRECTIONS(ONE)
#undef ONE
    return out;
}

DEV u64 flips(u64 mine, u64 theirs, u64 move, u64 mask)
{
    u64 out = 0;
#define ONE(d, keep)                             \
    {                                            \
        const u64 m = keep & mask;               \
        u64 x = move_by(move, d) & m & theirs;   \
        for (int k = 0; k < 5; k++) {            \
            x |= move_by(x, d) & m & theirs;     \
        }                                        \
        if (move_by(x, d) & m & mine) {          \
            out |= x;                            \
        }                                        \
    }
    DIRECTIONS(ONE)
#undef ONE
    return out;
}

DEV int bits(u64 x)
{
#ifdef __CUDACC__
    return __popcll(x);
#else
    return __builtin_popcountll(x);
#endif
}

// The set bit of rank r (0 = lowest), by binary search.
DEV int select_bit(u64 mask, int r)
{
    int at = 0;
    for (int w = 32; w > 0; w >>= 1) {
        const int n = bits((mask >> at) & ((1ull << w) - 1));
        if (r >= n) {
            r -= n;
            at += w;
        }
    }
    return at;
}

// Philox4x32-10: block `block` of the stream (seed, purpose, index).
DEV void philox(u64 seed, u64 index, u32 purpose, u32 block, u32 out[4])
{
    u32 k0 = (u32)seed, k1 = (u32)(seed >> 32);
    u32 c0 = (u32)index, c1 = (u32)(index >> 32), c2 = purpose, c3 = block;
    for (int i = 0; i < 10; i++) {
        const u64 a = (u64)0xD2511F53u * c0, b = (u64)0xCD9E8D57u * c2;
        const u32 n0 = (u32)(b >> 32) ^ c1 ^ k0, n2 = (u32)(a >> 32) ^ c3 ^ k1;
        c1 = (u32)b;
        c3 = (u32)a;
        c0 = n0;
        c2 = n2;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    out[0] = c0;
    out[1] = c1;
    out[2] = c2;
    out[3] = c3;
}

// One game: size * size - 4 tokens (0 after the end), *floors = sum of ln(number of legal moves)
// from the second move on, *counts = how many those moves are.
DEV void one_game(u64 seed, u32 purpose, u64 index, int size, unsigned char *tokens, float *floors,
                  float *counts)
{
    u64 mask = 0;
    for (int r = 0; r < size; r++) {
        mask |= ((1ull << size) - 1) << (8 * r);
    }
    const int a = size / 2 - 1;
    const u64 white = (1ull << (8 * a + a)) | (1ull << (8 * (a + 1) + a + 1));
    const u64 black = (1ull << (8 * a + a + 1)) | (1ull << (8 * (a + 1) + a));
    const u64 playable = mask & ~(white | black);
    const int width = size * size - 4;
    u64 mine = black, theirs = white;
    u32 word[4];
    int used = 0, ply = 0;
    float floor_sum = 0, count = 0;
    for (; ply < width; ply++) {
        u64 m = legal(mine, theirs, mask);
        if (m == 0) {
            const u64 other = mine;
            mine = theirs;
            theirs = other;
            m = legal(mine, theirs, mask);
            if (m == 0) {
                break;
            }
        }
        const u32 n = (u32)bits(m);
        u64 product;
        for (;;) { // uniform below n, by Lemire 2019
            if ((used & 3) == 0) {
                philox(seed, index, purpose, (u32)(used >> 2), word);
            }
            const int j = used++ & 3; // an index that is not constant would put word in memory
            const u32 w = j == 0 ? word[0] : j == 1 ? word[1] : j == 2 ? word[2] : word[3];
            product = (u64)w * n;
            if ((u32)product >= n || (u32)product >= (0u - n) % n) {
                break;
            }
        }
        const u64 move = 1ull << select_bit(m, (int)(product >> 32));
        const u64 turned = flips(mine, theirs, move, mask), next = theirs & ~turned;
        theirs = mine | turned | move;
        mine = next;
        tokens[ply] = (unsigned char)(1 + bits((move - 1) & playable));
        if (ply > 0) {
            floor_sum += logf((float)n);
            count += 1;
        }
    }
    for (; ply < width; ply++) {
        tokens[ply] = 0;
    }
    *floors = floor_sum;
    *counts = count;
}

// Games first..first+n-1: tokens (n, size * size - 4), floors (n), counts (n). 0, or CUDA's error.
#ifdef __CUDACC__
__global__ void make(u64 seed, u32 purpose, u64 first, int n, int size, unsigned char *tokens,
                     float *floors, float *counts)
{
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) {
        one_game(seed, purpose, first + i, size, tokens + (u64)i * (size * size - 4), floors + i,
                 counts + i);
    }
}

extern "C" int make_games(u64 seed, u32 purpose, u64 first, int n, int size, void *tokens,
                          void *floors, void *counts, void *stream)
{
    make<<<(n + 127) / 128, 128, 0, (cudaStream_t)stream>>>(
        seed, purpose, first, n, size, (unsigned char *)tokens, (float *)floors, (float *)counts);
    return (int)cudaGetLastError();
}
#else
extern "C" int make_games(u64 seed, u32 purpose, u64 first, int n, int size, void *tokens,
                          void *floors, void *counts, void *stream)
{
    (void)stream;
    for (int i = 0; i < n; i++) {
        one_game(seed, purpose, first + i, size,
                 (unsigned char *)tokens + (u64)i * (size * size - 4), (float *)floors + i,
                 (float *)counts + i);
    }
    return 0;
}
#endif
