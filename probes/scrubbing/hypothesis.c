/* probes/scrubbing/hypothesis.c - what a hypothesis says, once it is read. */
#include "probes/scrubbing/hypothesis.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/rng.h"
#include "game/notation.h"

const char *scrub_metric_name(ScrubMetric metric)
{
    static const char *const names[] = {"legal", "legal square", "empty square"};
    return names[metric];
}

void hypothesis_release(Hypothesis *hypothesis)
{
    mem_free(hypothesis->block);
    memset(hypothesis, 0, sizeof(*hypothesis));
}

bool hypothesis_has_places(const HypothesisNode *node)
{
    bool found = false;
    for (size_t g = 0; g < node->n_groups; g++) {
        found = found || node->groups[g].n_places > 0;
    }
    return found;
}

bool hypothesis_keeps(const HypothesisNode *node)
{
    for (size_t i = 0; i < node->n_features; i++) {
        if (node->features[i].kind == FEATURE_EVERYTHING) {
            return true;
        }
    }
    return false;
}

/* Whether one of the nodes has this sender. */
static bool named(const Hypothesis *hypothesis, const int *inputs, size_t n_inputs, size_t sender)
{
    for (size_t i = 0; i < n_inputs; i++) {
        if (hypothesis->nodes[inputs[i]].senders[sender]) {
            return true;
        }
    }
    return false;
}

bool hypothesis_is_open(const Hypothesis *hypothesis, const Graph *graph, int node)
{
    const HypothesisNode *reader = node < 0 ? NULL : &hypothesis->nodes[node];
    const int *inputs = reader ? reader->inputs : hypothesis->inputs;
    size_t n_inputs = reader ? reader->n_inputs : hypothesis->n_inputs;
    /* The last of its senders reads most. */
    size_t n_seen = reader ? graph_reads(graph, reader->last) : graph->n_senders;
    for (size_t s = 0; s < n_seen; s++) {
        if (!named(hypothesis, inputs, n_inputs, s) && !(reader && reader->senders[s])) {
            return true;
        }
    }
    return false;
}

/* ---- other squares ---- */

static uint64_t squares_of(const HypothesisNode *node)
{
    uint64_t squares = 0;
    for (size_t i = 0; i < node->n_features; i++) {
        squares |= node->features[i].sq >= 0 ? 1ULL << node->features[i].sq : 0;
    }
    for (size_t g = 0; g < node->n_groups; g++) {
        for (size_t i = 0; i < node->groups[g].n_places; i++) {
            int sq = node->groups[g].places[i].sq;
            squares |= sq >= 0 ? 1ULL << sq : 0;
        }
    }
    return squares;
}

/* A symmetry that moves every one of the squares; a reflection of rows or columns always does. */
static int moving_symmetry(const GameVariant *variant, uint64_t squares, uint64_t seed)
{
    int found[8], n = 0;
    Rng rng = rng_at(seed, RNG_SCRUB, 0);
    for (int s = 1; s < 8; s++) {
        bool moves_all = true;
        for (uint64_t rest = squares; rest != 0; rest &= rest - 1) {
            int sq = __builtin_ctzll(rest);
            moves_all = moves_all && symmetry_sq(variant, s, sq) != sq;
        }
        if (moves_all) {
            found[n++] = s;
        }
    }
    return found[rng_below(&rng, (uint32_t)n)];
}

/* The other place of the same kind; false: it has none. */
static bool place_elsewhere(ReadPlace *place, const GameVariant *variant, int symmetry)
{
    switch (place->kind) {
    case PLACE_SELF: return false;
    case PLACE_BACK: place->back += 2; return true;
    case PLACE_MINE: place->kind = PLACE_THEIRS; return true;
    case PLACE_THEIRS: place->kind = PLACE_MINE; return true;
    default: place->sq = symmetry_sq(variant, symmetry, place->sq); return true;
    }
}

bool hypothesis_elsewhere(Hypothesis *out, const Hypothesis *from, uint64_t seed)
{
    uint64_t squares = 0;
    bool moved = false;
    int symmetry;
    *out = *from;
    for (size_t i = 0; i < from->n_nodes; i++) {
        squares |= squares_of(&from->nodes[i]);
    }
    symmetry = moving_symmetry(from->variant, squares, seed);
    for (size_t i = 0; i < out->n_nodes; i++) {
        HypothesisNode *node = &out->nodes[i];
        for (size_t f = 0; f < node->n_features; f++) {
            int *sq = &node->features[f].sq;
            moved = moved || *sq >= 0;
            *sq = *sq >= 0 ? symmetry_sq(from->variant, symmetry, *sq) : -1;
        }
        for (size_t g = 0; g < node->n_groups; g++) {
            for (size_t p = 0; p < node->groups[g].n_places; p++) {
                bool other = place_elsewhere(&node->groups[g].places[p], from->variant, symmetry);
                moved = moved || other;
            }
        }
    }
    return moved;
}

/* ---- in words ---- */

static void append(char *out, size_t n_bytes, const char *text)
{
    size_t used = strlen(out);
    snprintf(out + used, n_bytes - used, "%s", text);
}

static void append_square(char *out, size_t n_bytes, int sq)
{
    char name[4] = " ";
    if (sq >= 0) {
        square_print(name + 1, sq);
        append(out, n_bytes, name);
    }
}

void feature_list_print(char *out, size_t n_bytes, const HypothesisNode *node)
{
    static const char *const words[] = {"everything", "nothing", "mover", "last"};
    out[0] = '\0';
    for (size_t i = 0; i < node->n_features; i++) {
        const Feature *feature = &node->features[i];
        append(out, n_bytes, i > 0 ? ", " : "");
        append(out, n_bytes, feature->task ? feature->task->name : words[feature->kind]);
        append_square(out, n_bytes, feature->sq);
    }
}

static void place_print(char *out, size_t n_bytes, const ReadPlace *place)
{
    static const char *const words[] = {"self", "back", "placed", "last-set", "mine", "theirs"};
    append(out, n_bytes, words[place->kind]);
    if (place->kind == PLACE_BACK) {
        char number[16];
        snprintf(number, sizeof(number), " %d", place->back);
        append(out, n_bytes, number);
    }
    append_square(out, n_bytes, place->sq);
}

void place_list_print(char *out, size_t n_bytes, const HypothesisNode *node)
{
    bool any = false;
    out[0] = '\0';
    for (size_t g = 0; g < node->n_groups; g++) {
        const NodeGroup *group = &node->groups[g];
        append(out, n_bytes, any && group->n_places > 0 ? " and " : "");
        any = any || group->n_places > 0;
        for (size_t i = 0; i < group->n_places; i++) {
            append(out, n_bytes, i > 0 ? ", " : "");
            place_print(out, n_bytes, &group->places[i]);
        }
    }
}
