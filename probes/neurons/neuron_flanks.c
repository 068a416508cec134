/* probes/neurons/neuron_flanks.c - see probes/neurons/neuron_flanks.h. */
#include "probes/neurons/neuron_flanks.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"

const double neuron_demands[N_NEURON_DEMANDS] = {0.99, 0.95};

enum { N_DIRECTIONS = 8, LONGEST = 6, FLANKS_A_POSITION = 160 };

static const struct {
    int rows, columns;
    const char *name;
} directions[N_DIRECTIONS] = {
    {0, 1, "right"}, {1, 1, "down right"}, {1, 0, "down"}, {1, -1, "down left"},
    {0, -1, "left"}, {-1, -1, "up left"},  {-1, 0, "up"},  {-1, 1, "up right"},
};

const char *neuron_direction_name(int direction)
{
    return directions[direction].name;
}

size_t neuron_flanks_list(NeuronFlank *out, const GameVariant *variant)
{
    size_t n = 0;
    for (int sq = 0; sq < BOARD_SQUARES; sq++) {
        for (int d = 0; d < N_DIRECTIONS && (variant->squares >> sq & 1) != 0; d++) {
            NeuronFlank flank = {.sq = sq, .direction = d};
            for (int step = 1;; step++) {
                int row = sq / 8 + step * directions[d].rows;
                int column = sq % 8 + step * directions[d].columns;
                if (row < 0 || column < 0 || row >= variant->size || column >= variant->size) {
                    break;
                }
                flank.length = step - 1;
                flank.mine = 8 * row + column;
                if (flank.length > 0) {
                    out[n++] = flank;
                }
                flank.theirs |= UINT64_C(1) << flank.mine;
            }
        }
    }
    return n;
}

size_t neuron_flanks_bytes(size_t n)
{
    return sizeof(NeuronFlanks) + n * (sizeof(uint32_t) + 24 * sizeof(uint16_t));
}

void neuron_flanks_release(NeuronFlanks *flanks)
{
    mem_free(flanks->first);
    mem_free(flanks->there);
    flanks->first = NULL;
    flanks->there = NULL;
}

/* The flanks of a board into out, all of which begin at legal moves; returns how many. */
static size_t find_flanks(uint16_t *out, const NeuronFlanks *flanks, const NeuronFacts *facts,
                          const uint16_t *begin)
{
    size_t n = 0;
    for (uint64_t left = facts->squares[FACT_LEGAL]; left; left &= left - 1) {
        int sq = __builtin_ctzll(left);
        for (size_t f = begin[sq]; f < begin[sq + 1]; f++) {
            const NeuronFlank *flank = &flanks->flanks[f];
            if ((facts->squares[FACT_THEIRS] & flank->theirs) == flank->theirs &&
                (facts->squares[FACT_MINE] >> flank->mine & 1) != 0) {
                out[n++] = (uint16_t)f;
            }
        }
    }
    return n;
}

int neuron_flanks_find(NeuronFlanks *out, const NeuronGames *games, bool shuffled)
{
    const GameVariant *variant = games->vocab->variant;
    uint16_t begin[BOARD_SQUARES + 1] = {0}, found[FLANKS_A_POSITION];
    size_t room = games->n * 16, at = 0;
    *out = (NeuronFlanks){.games = games};
    out->n_flanks = neuron_flanks_list(out->flanks, variant);
    for (size_t f = 0; f < out->n_flanks; f++) {
        out->n_playable += (variant->centre >> out->flanks[f].sq & 1) == 0;
        begin[out->flanks[f].sq + 1] = (uint16_t)(f + 1);
    }
    for (int sq = 0; sq < BOARD_SQUARES; sq++) {
        begin[sq + 1] = begin[sq + 1] > begin[sq] ? begin[sq + 1] : begin[sq];
    }
    out->first = mem_alloc(games->n + 1, sizeof(*out->first), "flanks");
    out->there = mem_alloc(room, sizeof(*out->there), "flanks");
    if (!out->first || !out->there) {
        return OGPT_ENOMEM;
    }
    for (size_t i = 0; i < games->n; i++) {
        const NeuronFacts *facts = games->facts + (shuffled ? games->twin[i] : i);
        size_t n = find_flanks(found, out, facts, begin);
        if (at + n > room) {
            room = 2 * (at + n);
            uint16_t *grown = mem_realloc(out->there, room, sizeof(*grown), "flanks");
            if (!grown) {
                return OGPT_ENOMEM;
            }
            out->there = grown;
        }
        out->first[i] = (uint32_t)at;
        memcpy(out->there + at, found, n * sizeof(*found));
        at += n;
        for (size_t k = 0; k < n; k++) {
            out->seen[found[k]] += i < games->n_fit;
            out->seen_test[found[k]] += i >= games->n_fit;
        }
    }
    out->first[games->n] = (uint32_t)at;
    return 0;
}

/* ---- one neuron ---- */

/* How often a neuron is on: at how many thresholds a position is, 0 to NEURON_THRESHOLDS. */
static int level_of(double value, double largest)
{
    int level = 0;
    while (level < NEURON_THRESHOLDS && value > level * 0.1 * largest) {
        level++;
    }
    return level;
}

typedef struct FlankTally {
    const NeuronFlanks *flanks;
    const float *values;
    double largest;
    uint32_t hits[NEURON_FLANKS_MAX][NEURON_THRESHOLDS]; /* on at a threshold, flank there */
} FlankTally;

static void tally_hits(FlankTally *tally)
{
    const NeuronFlanks *flanks = tally->flanks;
    memset(tally->hits, 0, sizeof(tally->hits));
    for (size_t i = 0; i < flanks->games->n_fit; i++) {
        int level = level_of((double)tally->values[i], tally->largest);
        for (uint32_t k = flanks->first[i]; k < flanks->first[i + 1] && level > 0; k++) {
            tally->hits[flanks->there[k]][level - 1]++;
        }
    }
    for (size_t f = 0; f < flanks->n_flanks; f++) {
        for (int level = NEURON_THRESHOLDS - 1; level > 0; level--) {
            tally->hits[f][level - 1] += tally->hits[f][level];
        }
    }
}

/* Positions first .. end-1: precision and recall of the union. */
static void count_union(double *precision, double *recall, const FlankTally *tally,
                        const NeuronDetection *detection, size_t first, size_t end)
{
    const NeuronFlanks *flanks = tally->flanks;
    size_t n_on = 0, n_there = 0, n_both = 0;
    for (size_t i = first; i < end; i++) {
        bool on = (double)tally->values[i] > detection->threshold * 0.1 * tally->largest;
        bool there = false;
        for (uint32_t k = flanks->first[i]; k < flanks->first[i + 1] && !there; k++) {
            there = (detection->flanks[flanks->there[k] / 64] >> flanks->there[k] % 64 & 1) != 0;
        }
        n_on += on;
        n_there += there;
        n_both += on && there;
    }
    *precision = n_on > 0 ? (double)n_both / (double)n_on : NAN;
    *recall = n_there > 0 ? (double)n_both / (double)n_there : NAN;
}

/* The flanks of a detection that are recalled on held-out games, each by itself. */
static void find_held(NeuronDetection *out, const FlankTally *tally, double demand)
{
    const NeuronFlanks *flanks = tally->flanks;
    uint32_t hits[NEURON_FLANKS_MAX] = {0};
    for (size_t i = flanks->games->n_fit; i < flanks->games->n; i++) {
        if ((double)tally->values[i] > out->threshold * 0.1 * tally->largest) {
            for (uint32_t k = flanks->first[i]; k < flanks->first[i + 1]; k++) {
                hits[flanks->there[k]]++;
            }
        }
    }
    for (size_t f = 0; f < flanks->n_flanks; f++) {
        bool own = (out->flanks[f / 64] >> f % 64 & 1) != 0;
        if (own && hits[f] > 0 && hits[f] > demand * flanks->seen_test[f]) {
            out->held[f / 64] |= UINT64_C(1) << f % 64;
        }
    }
}

static double f1_of(double precision, double recall)
{
    double sum = precision + recall;
    return isnan(sum) ? NAN : sum > 0 ? 2 * precision * recall / sum : 0;
}

/* What a neuron detects at one threshold; n = 0: nothing. */
static NeuronDetection detect_at(const FlankTally *tally, int threshold, double demand)
{
    const NeuronFlanks *flanks = tally->flanks;
    NeuronDetection out = {.move = -1, .threshold = threshold};
    for (size_t f = 0; f < flanks->n_flanks; f++) {
        uint32_t hits = tally->hits[f][threshold];
        if (hits < NEURON_HITS || (double)hits <= demand * flanks->seen[f]) {
            continue;
        }
        if (out.n > 0 && out.move != flanks->flanks[f].sq) {
            return (NeuronDetection){0};
        }
        out.move = flanks->flanks[f].sq;
        out.flanks[f / 64] |= UINT64_C(1) << f % 64;
        out.n++;
    }
    if (out.n > 0) {
        count_union(&out.precision, &out.recall, tally, &out, 0, flanks->games->n_fit);
        out.f1 = f1_of(out.precision, out.recall);
    }
    return out.n > 0 && out.precision > demand ? out : (NeuronDetection){0};
}

void neuron_flanks_detect(NeuronDetection out[N_NEURON_DEMANDS], const NeuronFlanks *flanks,
                          const float *values)
{
    const NeuronGames *games = flanks->games;
    FlankTally tally = {.flanks = flanks, .values = values};
    memset(out, 0, N_NEURON_DEMANDS * sizeof(*out));
    for (size_t i = 0; i < games->n_fit; i++) {
        tally.largest = fmax(tally.largest, (double)values[i]);
    }
    if (!(tally.largest > 0)) {
        return; /* never on */
    }
    tally_hits(&tally);
    for (int d = 0; d < N_NEURON_DEMANDS; d++) {
        for (int threshold = 0; threshold < NEURON_THRESHOLDS; threshold++) {
            NeuronDetection found = detect_at(&tally, threshold, neuron_demands[d]);
            if (found.n > 0 && (out[d].n == 0 || found.f1 > out[d].f1)) {
                out[d] = found;
            }
        }
        if (out[d].n > 0) {
            count_union(&out[d].test_precision, &out[d].test_recall, &tally, &out[d], games->n_fit,
                        games->n);
            out[d].test_f1 = f1_of(out[d].test_precision, out[d].test_recall);
            find_held(&out[d], &tally, neuron_demands[d]);
        }
    }
}

bool neuron_detection_holds(const NeuronDetection *detection, double demand)
{
    return detection->n > 0 && detection->test_precision > demand &&
           detection->test_recall > demand;
}
