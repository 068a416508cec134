/* probes/compare/breakdown.c - see probes/compare/breakdown.h. */
#include "probes/compare/breakdown.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"

const char *breakdown_name(BreakdownKind kind)
{
    static const char *const names[N_BREAKDOWNS] = {
        [BY_CLASS] = "class", [BY_SQUARE] = "square", [BY_PLY] = "ply",
        [BY_AGE] = "age",     [BY_PASSES] = "passes",
    };
    return names[kind];
}

/* ---- ages and passes ---- */

typedef struct TraitVisit {
    PositionTraits *traits;
    size_t n_squares;
} TraitVisit;

static void visit_traits(void *context, const TaskPosition *position, size_t index)
{
    const TraitVisit *visit = context;
    const GameVariant *variant = position->variant;
    const Board *last = &position->after[position->t];
    uint8_t *age = visit->traits->age + index * visit->n_squares;
    uint8_t passes = 0;
    for (size_t i = 0; i < visit->n_squares; i++) {
        uint64_t bit = UINT64_C(1) << task_square(variant, (int)i);
        age[i] = (last->mine | last->theirs) & bit ? (uint8_t)(position->t + 1) : AGE_NONE;
    }
    const Board *before = &variant->start;
    for (int t = 0; t <= position->t; t++) {
        const Board *after = &position->after[t];
        uint64_t changed = (board_discs(before, BLACK) ^ board_discs(after, BLACK)) |
                           (board_discs(before, WHITE) ^ board_discs(after, WHITE));
        for (size_t i = 0; i < visit->n_squares; i++) {
            if (changed >> task_square(variant, (int)i) & 1) {
                age[i] = (uint8_t)(position->t - t);
            }
        }
        passes += after->to_move == before->to_move;
        before = after;
    }
    visit->traits->passes[index] = passes;
}

int traits_read(PositionTraits *out, const PositionSet *set, const Work *work)
{
    int size = set->vocab->variant->size;
    TraitVisit visit = {out, (size_t)(size * size)};
    out->age = mem_alloc(set->n_positions, visit.n_squares, "ages of discs");
    out->passes = mem_alloc(set->n_positions, 1, "numbers of passes");
    int rc = OGPT_ENOMEM;
    if (out->age && out->passes) {
        rc = positions_visit(set, LABELS_MOVER, visit_traits, &visit, work);
    }
    if (rc) {
        traits_release(out);
    }
    return rc;
}

void traits_release(PositionTraits *traits)
{
    mem_free(traits->age);
    mem_free(traits->passes);
    *traits = (PositionTraits){0};
}

/* ---- counting ---- */

static void count_cell(CellCounts *counts, uint8_t there, uint8_t said)
{
    counts->cells++;
    counts->there[there]++;
    counts->said[said]++;
    counts->hits[there] += there == said;
}

static void count_board(CellCounts *counts, bool right)
{
    counts->boards++;
    counts->boards_right += right;
}

void breakdown_count(Breakdown *out, const LabelledSet *truth, const PositionTraits *traits,
                     const uint8_t *predicted)
{
    size_t S = truth->n_squares;
    memset(out, 0, sizeof(*out));
    out->n_classes = truth->n_classes;
    for (size_t i = 0; i < truth->set.n_positions; i++) {
        const uint8_t *there = truth->labels + i * S, *said = predicted + i * S;
        const uint8_t *age = traits->age + i * S;
        CellCounts *ply = &out->count[BY_PLY][truth->set.t[i] + 1];
        CellCounts *passes = &out->count[BY_PASSES][traits->passes[i]];
        for (size_t s = 0; s < S; s++) {
            count_cell(&out->count[BY_CLASS][0], there[s], said[s]);
            count_cell(&out->count[BY_SQUARE][s], there[s], said[s]);
            count_cell(ply, there[s], said[s]);
            count_cell(passes, there[s], said[s]);
            if (age[s] != AGE_NONE) {
                count_cell(&out->count[BY_AGE][age[s]], there[s], said[s]);
            }
        }
        bool right = memcmp(there, said, S) == 0;
        count_board(ply, right);
        count_board(passes, right);
    }
}

static double class_f1(const CellCounts *counts, size_t k)
{
    return f1_of_counts((double)counts->hits[k], (double)counts->said[k], (double)counts->there[k]);
}

static BreakdownRow class_row(const CellCounts *counts, size_t k)
{
    double hits = (double)counts->hits[k];
    double said = (double)counts->said[k], there = (double)counts->there[k];
    return (BreakdownRow){.cells = counts->there[k],
                          .accuracy = there > 0 ? hits / there : NAN,
                          .precision = said > 0 ? hits / said : NAN,
                          .f1 = class_f1(counts, k),
                          .board_exact = NAN};
}

static double task_f1(const CellCounts *counts, size_t n_classes)
{
    double f1[TASK_MAX_CLASSES];
    for (size_t k = 0; k < n_classes; k++) {
        f1[k] = class_f1(counts, k);
    }
    return f1_of_task(f1, n_classes);
}

bool breakdown_row(BreakdownRow *out, const Breakdown *breakdown, BreakdownKind kind, int key)
{
    if (kind == BY_CLASS) {
        if (key < 0 || (size_t)key >= breakdown->n_classes) {
            return false;
        }
        *out = class_row(&breakdown->count[BY_CLASS][0], (size_t)key);
        return true;
    }
    if (key < 0 || key >= BREAKDOWN_KEYS || breakdown->count[kind][key].cells == 0) {
        return false;
    }
    const CellCounts *counts = &breakdown->count[kind][key];
    uint64_t right = 0;
    for (size_t k = 0; k < breakdown->n_classes; k++) {
        right += counts->hits[k];
    }
    *out = (BreakdownRow){.cells = counts->cells,
                          .accuracy = (double)right / (double)counts->cells,
                          .precision = NAN,
                          .f1 = task_f1(counts, breakdown->n_classes),
                          .board_exact = counts->boards > 0
                                             ? (double)counts->boards_right / (double)counts->boards
                                             : NAN};
    return true;
}
