/* probes/neurons/neuron_tree.c - see probes/neurons/neuron_tree.h. */
#include "probes/neurons/neuron_tree.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"

/* A sum and a count in one number: count * 2^42 + sum, |sum| < 2^41. NEURON_POSITIONS_MAX rows of
 * at most 2^19 each fit. */
#define COUNT_SHIFT 42
#define COUNT_ONE (INT64_C(1) << COUNT_SHIFT)
#define STEPS 524287.0 /* on each side of the middle: 2^19 - 1 */

typedef int64_t Sums[NEURON_FEATURES];

struct NeuronTreeScratch {
    const NeuronDesign *design;
    int32_t *steps;                 /* (n_fit) rounded values */
    uint32_t *rows, *spare;         /* (n_fit) rows of the nodes, and room to part them */
    Sums sums[NEURON_DEPTH_MAX][2]; /* of both children at each depth */
    Sums root;
};

/* What is being grown. */
typedef struct Growth {
    NeuronTree *tree;
    NeuronTreeScratch *scratch;
    const float *values;
    int depth;
    double least; /* gain */
} Growth;

/* What one question parts: rows and rounded sums of "yes" and of all. */
typedef struct Parted {
    int64_t n_yes, yes, n, all;
} Parted;

typedef struct Question {
    int feature; /* -1: none */
    double gain;
} Question;

size_t neuron_tree_scratch_bytes(size_t n_fit)
{
    return sizeof(NeuronTreeScratch) + n_fit * (sizeof(int32_t) + 2 * sizeof(uint32_t));
}

int neuron_tree_scratch_new(NeuronTreeScratch **out, const NeuronDesign *design)
{
    NeuronTreeScratch *scratch = mem_calloc(1, sizeof(*scratch), "trees");
    *out = scratch;
    if (!scratch) {
        return OGPT_ENOMEM;
    }
    scratch->design = design;
    scratch->steps = mem_alloc(design->n_fit, sizeof(*scratch->steps), "trees");
    scratch->rows = mem_alloc(design->n_fit, sizeof(*scratch->rows), "trees");
    scratch->spare = mem_alloc(design->n_fit, sizeof(*scratch->spare), "trees");
    return scratch->steps && scratch->rows && scratch->spare ? 0 : OGPT_ENOMEM;
}

void neuron_tree_scratch_free(NeuronTreeScratch *scratch)
{
    if (scratch) {
        mem_free(scratch->steps);
        mem_free(scratch->rows);
        mem_free(scratch->spare);
        mem_free(scratch);
    }
}

/* ---- what both versions share ---- */

/* Round the values; returns the sum of squares around the mean, in steps. */
static double round_values(NeuronTreeScratch *scratch, const float *values)
{
    size_t n = scratch->design->n_fit;
    double low = (double)values[0], high = low, sum = 0, square = 0;
    for (size_t i = 0; i < n; i++) {
        low = fmin(low, (double)values[i]);
        high = fmax(high, (double)values[i]);
    }
    double middle = (low + high) / 2;
    double scale = high > low ? 2 * STEPS / (high - low) : 0;
    for (size_t i = 0; i < n; i++) {
        scratch->steps[i] = (int32_t)lround(((double)values[i] - middle) * scale);
        scratch->rows[i] = (uint32_t)i;
        sum += scratch->steps[i];
    }
    for (size_t i = 0; i < n; i++) {
        double off = scratch->steps[i] - sum / (double)n;
        square += off * off;
    }
    return square;
}

/* Take this question if it is better. */
static void weigh(Question *best, int feature, Parted parted)
{
    int64_t n_no = parted.n - parted.n_yes;
    if (parted.n_yes < NEURON_LEAST_ROWS || n_no < NEURON_LEAST_ROWS) {
        return;
    }
    double yes = (double)parted.yes, no = (double)(parted.all - parted.yes);
    double all = (double)parted.all;
    double gain =
        yes * yes / (double)parted.n_yes + no * no / (double)n_no - all * all / (double)parted.n;
    if (gain > best->gain) {
        *best = (Question){feature, gain};
    }
}

static int add_node(const Growth *growth, size_t first, size_t end)
{
    NeuronTree *tree = growth->tree;
    double sum = 0;
    for (size_t i = first; i < end; i++) {
        sum += (double)growth->values[growth->scratch->rows[i]];
    }
    tree->nodes[tree->n] =
        (NeuronNode){-1, -1, -1, (uint32_t)(end - first), sum / (double)(end - first)};
    return tree->n++;
}

/* Rows whose answer is yes in front, both parts in their order. Returns where the others begin. */
static size_t part_rows(const Growth *growth, int feature, size_t first, size_t end)
{
    NeuronTreeScratch *scratch = growth->scratch;
    const NeuronFacts *facts = scratch->design->facts;
    size_t n_yes = 0, n_no = 0;
    for (size_t i = first; i < end; i++) {
        uint32_t row = scratch->rows[i];
        size_t yes = neuron_facts_has(facts + row, feature);
        scratch->rows[first + n_yes] = row; /* overwritten if the answer is no */
        scratch->spare[n_no] = row;
        n_yes += yes;
        n_no += 1 - yes;
    }
    memcpy(scratch->rows + first + n_yes, scratch->spare, n_no * sizeof(*scratch->rows));
    return first + n_yes;
}

static bool too_small(size_t n)
{
    return n < 2 * (size_t)NEURON_LEAST_ROWS;
}

int neuron_tree_leaf(const NeuronTree *tree, const NeuronFacts *facts)
{
    int at = 0;
    while (tree->nodes[at].feature >= 0) {
        const NeuronNode *node = &tree->nodes[at];
        at = neuron_facts_has(facts, node->feature) ? node->yes : node->no;
    }
    return at;
}

/* ---- fast ---- */

static inline int64_t packed_count(int64_t packed)
{
    return (packed + COUNT_ONE / 2) >> COUNT_SHIFT;
}

static inline Parted parted_of(int64_t yes, int64_t all)
{
    int64_t n_yes = packed_count(yes), n = packed_count(all);
    return (Parted){n_yes, yes - n_yes * COUNT_ONE, n, all - n * COUNT_ONE};
}

/* Sums of the rows first .. end-1 by feature, those of empty squares left out; returns the sum of
 * all rows. */
static int64_t add_rows(int64_t *sums, const NeuronTreeScratch *scratch, size_t first, size_t end)
{
    const NeuronDesign *design = scratch->design;
    int64_t all = 0;
    memset(sums, 0, sizeof(Sums));
    for (size_t i = first; i < end; i++) {
        uint32_t row = scratch->rows[i];
        int64_t packed = COUNT_ONE + scratch->steps[row];
        const uint16_t *active = design->active + design->first[row];
        size_t n = design->first[row + 1] - design->first[row];
        all += packed;
        for (size_t k = 0; k < n; k++) {
            sums[active[k]] += packed;
        }
    }
    return all;
}

static Question best_question(const NeuronDesign *design, const int64_t *sums, int64_t all,
                              double least)
{
    Question best = {-1, least};
    for (int fact = 0; fact < N_NEURON_FACTS; fact++) {
        for (uint64_t left = design->offered[fact]; left; left &= left - 1) {
            int sq = __builtin_ctzll(left);
            int feature = neuron_feature((NeuronFact)fact, sq);
            int64_t yes = fact == FACT_EMPTY ? all - sums[neuron_feature(FACT_THEIRS, sq)] -
                                                   sums[neuron_feature(FACT_MINE, sq)]
                                             : sums[feature];
            weigh(&best, feature, parted_of(yes, all));
        }
    }
    return best;
}

/* Grow a node of rows first .. end-1 at this depth, whose sums are known. */
static int grow(const Growth *growth, const int64_t *sums, int64_t all, int depth, size_t first,
                size_t end)
{
    NeuronTreeScratch *scratch = growth->scratch;
    int at = add_node(growth, first, end);
    Question best = {-1, 0};
    if (depth < growth->depth && !too_small(end - first)) {
        best = best_question(scratch->design, sums, all, growth->least);
    }
    if (best.feature < 0) {
        return at;
    }
    size_t middle = part_rows(growth, best.feature, first, end);
    int64_t *of_yes = scratch->sums[depth][0], *of_no = scratch->sums[depth][1];
    int64_t all_yes = 0, all_no = 0;
    if (depth + 1 < growth->depth) {
        bool yes_smaller = middle - first <= end - middle;
        int64_t *small = yes_smaller ? of_yes : of_no, *large = yes_smaller ? of_no : of_yes;
        int64_t added = yes_smaller ? add_rows(small, scratch, first, middle)
                                    : add_rows(small, scratch, middle, end);
        for (size_t f = 0; f < NEURON_FEATURES; f++) {
            large[f] = sums[f] - small[f];
        }
        all_yes = yes_smaller ? added : all - added;
        all_no = all - all_yes;
    }
    int yes = grow(growth, of_yes, all_yes, depth + 1, first, middle);
    int no = grow(growth, of_no, all_no, depth + 1, middle, end);
    growth->tree->nodes[at].feature = best.feature;
    growth->tree->nodes[at].yes = yes;
    growth->tree->nodes[at].no = no;
    return at;
}

void neuron_tree_fit(NeuronTree *out, NeuronTreeScratch *scratch, const float *values, int depth)
{
    size_t n = scratch->design->n_fit;
    double square = round_values(scratch, values);
    Growth growth = {out, scratch, values, depth, NEURON_LEAST_GAIN * square};
    out->n = 0;
    int64_t all = add_rows(scratch->root, scratch, 0, n);
    grow(&growth, scratch->root, all, 0, 0, n);
}

/* ---- plain ---- */

static int grow_ref(const Growth *growth, int depth, size_t first, size_t end)
{
    const NeuronTreeScratch *scratch = growth->scratch;
    const NeuronDesign *design = scratch->design;
    int at = add_node(growth, first, end);
    Question best = {-1, growth->least};
    for (int feature = 0; feature < NEURON_FEATURES; feature++) {
        Parted parted = {0};
        if (depth == growth->depth || !neuron_design_offers(design, feature)) {
            continue;
        }
        for (size_t i = first; i < end; i++) {
            uint32_t row = scratch->rows[i];
            bool yes = neuron_facts_has(design->facts + row, feature);
            parted.n++;
            parted.all += scratch->steps[row];
            parted.n_yes += yes;
            parted.yes += yes ? scratch->steps[row] : 0;
        }
        weigh(&best, feature, parted);
    }
    if (best.feature < 0) {
        return at;
    }
    size_t middle = part_rows(growth, best.feature, first, end);
    int yes = grow_ref(growth, depth + 1, first, middle);
    int no = grow_ref(growth, depth + 1, middle, end);
    growth->tree->nodes[at].feature = best.feature;
    growth->tree->nodes[at].yes = yes;
    growth->tree->nodes[at].no = no;
    return at;
}

void neuron_tree_ref(NeuronTree *out, NeuronTreeScratch *scratch, const float *values, int depth)
{
    double square = round_values(scratch, values);
    Growth growth = {out, scratch, values, depth, NEURON_LEAST_GAIN * square};
    out->n = 0;
    grow_ref(&growth, 0, 0, scratch->design->n_fit);
}
