/* probes/heads/head_detectors.c - see probes/heads/head_detectors.h. */
#include "probes/heads/head_detectors.h"

#include <stdlib.h>

static const struct {
    const char *name;
    HeadKind kind;
    const char *meaning;
} detectors[] = {
#define HEAD_ROW(id, name, kind, meaning) {name, kind, meaning},
    HEAD_DETECTORS(HEAD_ROW)
#undef HEAD_ROW
};

const char *head_detector_name(HeadDetector detector)
{
    return detectors[detector].name;
}

const char *head_detector_meaning(HeadDetector detector)
{
    return detectors[detector].meaning;
}

HeadKind head_detector_kind(HeadDetector detector)
{
    return detectors[detector].kind;
}

static Colour mover_of(const GameVariant *variant, const Board *after, int s)
{
    return s == 0 ? variant->start.to_move : after[s - 1].to_move;
}

static bool in_line(int a, int b, int *distance)
{
    int rows = abs(a / 8 - b / 8), columns = abs(a % 8 - b % 8);
    *distance = rows > columns ? rows : columns;
    return rows == 0 || columns == 0 || rows == columns;
}

void head_keys(HeadKeys *out, const GameVariant *variant, const uint8_t *moves, const Board *after,
               int t)
{
    const Board *before = t == 0 ? &variant->start : &after[t - 1];
    uint64_t turned = board_flips(variant, before, moves[t]);
    *out = (HeadKeys){.all = (UINT64_C(2) << t) - 1};
    out->sets[HEAD_SELF] = UINT64_C(1) << t;
    out->sets[HEAD_PREVIOUS] = t > 0 ? UINT64_C(1) << (t - 1) : 0;
    out->sets[HEAD_FIRST] = 1;
    for (int s = 0; s <= t; s++) {
        uint64_t bit = UINT64_C(1) << s;
        int distance;
        bool line = in_line(moves[s], moves[t], &distance);
        out->sets[HEAD_PARITY] |= (t + 1 - s) % 2 == 0 ? bit : 0;
        out->sets[HEAD_MINE] |= mover_of(variant, after, s) == after[t].to_move ? bit : 0;
        out->sets[HEAD_RAY] |= s != t && line ? bit : 0;
        out->sets[HEAD_NEIGHBOUR] |= s != t && distance == 1 ? bit : 0;
        out->sets[HEAD_FLIPPED] |= turned >> moves[s] & 1 ? bit : 0;
    }
    out->sets[HEAD_THEIRS] = out->all & ~out->sets[HEAD_MINE];
    out->disputed = out->sets[HEAD_MINE] ^ out->sets[HEAD_PARITY];
}

unsigned head_deciding(const HeadKeys *keys)
{
    unsigned bits = 0;
    for (int d = 0; d < N_HEAD_SETS && keys->all != 1; d++) {
        bits |= keys->sets[d] != 0 && keys->sets[d] != keys->all ? 1U << d : 0;
    }
    return bits;
}

int head_game_keys(HeadKeys *keys, Board *after, const GameVariant *variant, const uint8_t *moves)
{
    int length = game_length(moves, variant->n_moves);
    int legal = game_replay(variant, moves, length, after);
    if (legal < length) {
        return -1 - legal;
    }
    for (int t = 0; t + 1 < length; t++) {
        head_keys(&keys[t], variant, moves, after, t);
    }
    return length > 0 ? length - 1 : 0;
}
