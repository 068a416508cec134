/* report/dictionaries/codebook_methods.c - see report/dictionaries/codebook_methods.h. */
#include "report/dictionaries/codebook_methods.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"

typedef struct MeasureFact {
    const char *name;
    bool more; /* is better */
} MeasureFact;
#define METHOD_FACT(id, name, more) {name, more},
static const MeasureFact facts[N_METHOD_MEASURES] = {METHOD_MEASURES(METHOD_FACT)};
#undef METHOD_FACT

const char *codebook_measure_name(MethodMeasure measure)
{
    return facts[measure].name;
}

static const char *name_of(const CodebookStudyRow *row, const CodebookStudyInputs *in)
{
    return row->role == STUDY_TRAINED ? sae_kind_name(in->saes[row->sae]->cfg.kind) : row->name;
}

/* A number of a row, and its draws. */
static double measure_of(const double **draws, const CodebookStudyRow *row, MethodMeasure measure)
{
    const CodebookScore *score = row->score;
    const int mask = measure == METHOD_COVERAGE_MASKED || measure == METHOD_BOARDS_MASKED
                         ? BOARD_MASKED
                         : BOARD_ALL;
    if (measure == METHOD_EXCESS) {
        *draws = row->excess_draws;
        return row->excess.value;
    }
    const bool board = measure == METHOD_BOARDS || measure == METHOD_BOARDS_MASKED;
    *draws = board ? score->board_draws[mask] : score->coverage_draws[mask];
    return board ? score->board[mask].value : score->coverage[mask].value;
}

static Interval interval_of(double value, const double *draws)
{
    double sorted[BOOTSTRAP_REPLICATES];
    Interval out = {value, NAN, NAN};
    bool whole = true;
    for (size_t r = 0; r < BOOTSTRAP_REPLICATES; r++) {
        sorted[r] = draws[r];
        whole = whole && !isnan(draws[r]);
    }
    if (whole) {
        bootstrap_quantiles(&out, sorted, BOOTSTRAP_REPLICATES);
    }
    return out;
}

/* ---- means ---- */

static bool belongs(const CodebookMethod *method, const CodebookStudyRow *row, const char *name)
{
    return method->group == row->group && method->group_features == row->group_features &&
           method->role == row->role && strcmp(method->name, name) == 0;
}

static void add_row(CodebookMethod *method, const CodebookStudyRow *row)
{
    const bool first = method->n++ == 0;
    const double explained = row->score->explained;
    method->l0 += row->score->l0;
    method->explained += explained;
    method->explained_least = first ? explained : fmin(method->explained_least, explained);
    method->explained_most = first ? explained : fmax(method->explained_most, explained);
    for (MethodMeasure i = 0; i < N_METHOD_MEASURES; i++) {
        MethodEstimate *estimate = &method->estimates[i];
        const double *draws, value = measure_of(&draws, row, i);
        estimate->mean.value += value;
        estimate->least = first ? value : fmin(estimate->least, value);
        estimate->most = first ? value : fmax(estimate->most, value);
        for (size_t r = 0; r < BOOTSTRAP_REPLICATES; r++) {
            method->draws[i][r] += draws[r];
        }
    }
}

static void take_means(CodebookMethod *method)
{
    const double n = (double)method->n;
    method->l0 /= n;
    method->explained /= n;
    for (MethodMeasure i = 0; i < N_METHOD_MEASURES; i++) {
        for (size_t r = 0; r < BOOTSTRAP_REPLICATES; r++) {
            method->draws[i][r] /= n;
        }
        method->estimates[i].mean =
            interval_of(method->estimates[i].mean.value / n, method->draws[i]);
    }
}

static const CodebookStudyRow *row_of(const CodebookStudy *study, size_t sae)
{
    const CodebookStudyRow *row = study->rows;
    while (row->role != STUDY_TRAINED || row->sae != sae) {
        row++;
    }
    return row;
}

static void take_cosines(CodebookMethod *method, const CodebookStudy *study,
                         const CodebookStudyInputs *in)
{
    double sum = 0, n = 0;
    for (size_t i = 0; i < study->n_pairs; i++) {
        const CodebookPair *pair = &study->pairs[i];
        const CodebookStudyRow *a = row_of(study, pair->from), *b = row_of(study, pair->to);
        if (belongs(method, a, name_of(a, in)) && belongs(method, b, name_of(b, in))) {
            sum += pair->mmcs.mean;
            n++;
        }
    }
    method->mmcs = sum / n;
}

static void collect(CodebookMethods *out, const CodebookStudy *study, const CodebookStudyInputs *in)
{
    for (size_t i = 0; i < study->n_rows; i++) {
        const CodebookStudyRow *row = &study->rows[i];
        const char *name = name_of(row, in);
        size_t at = 0;
        while (at < out->n && !belongs(&out->methods[at], row, name)) {
            at++;
        }
        CodebookMethod *method = &out->methods[at];
        if (at == out->n) {
            out->n++;
            *method = (CodebookMethod){.name = name,
                                       .role = row->role,
                                       .group = row->group,
                                       .group_features = row->group_features};
        }
        add_row(method, row);
        out->repeated = out->repeated || method->n > 1;
    }
    for (size_t i = 0; i < out->n; i++) {
        take_means(&out->methods[i]);
        take_cosines(&out->methods[i], study, in);
    }
}

/* ---- verdicts ---- */

static bool better(const CodebookMethod *a, const CodebookMethod *b, MethodMeasure measure)
{
    const double left = a->estimates[measure].mean.value, right = b->estimates[measure].mean.value;
    return facts[measure].more ? left > right : left < right;
}

static Interval difference(const CodebookMethod *a, const CodebookMethod *b, MethodMeasure measure)
{
    double draws[BOOTSTRAP_REPLICATES];
    if (!a || !b) {
        return (Interval){NAN, NAN, NAN};
    }
    for (size_t r = 0; r < BOOTSTRAP_REPLICATES; r++) {
        draws[r] = a->draws[measure][r] - b->draws[measure][r];
    }
    return interval_of(a->estimates[measure].mean.value - b->estimates[measure].mean.value, draws);
}

static bool is_clear(const CodebookVerdict *verdict)
{
    if (!verdict->second) {
        return false;
    }
    const MethodEstimate *best = &verdict->best->estimates[verdict->measure],
                         *second = &verdict->second->estimates[verdict->measure];
    return facts[verdict->measure].more ? verdict->ahead.low > 0 && best->least > second->most
                                        : verdict->ahead.high < 0 && best->most < second->least;
}

/* One group by one measure; false if no method there has the number. */
static bool judge(CodebookVerdict *out, const CodebookMethods *all, const CodebookMethod *group,
                  MethodMeasure measure)
{
    const CodebookMethod *neurons = NULL, *probe = NULL;
    *out = (CodebookVerdict){
        .group = group->group, .group_features = group->group_features, .measure = measure};
    for (size_t i = 0; i < all->n; i++) {
        const CodebookMethod *method = &all->methods[i];
        if (method->group != group->group || method->group_features != group->group_features ||
            method->role == STUDY_RANDOM_WEIGHTS || isnan(method->estimates[measure].mean.value)) {
            continue;
        }
        neurons = strcmp(method->name, "neurons") == 0 ? method : neurons;
        probe = strcmp(method->name, "probe") == 0 ? method : probe;
        if (method->role == STUDY_TRAINED && (!out->own || better(method, out->own, measure))) {
            out->own = method;
        }
        if (!out->best || better(method, out->best, measure)) {
            out->second = out->best;
            out->best = method;
        } else if (!out->second || better(method, out->second, measure)) {
            out->second = method;
        }
    }
    out->ahead = difference(out->best, out->second, measure);
    out->neurons = difference(out->own, neurons, measure);
    out->probe = difference(out->own, probe, measure);
    out->clear = is_clear(out);
    return out->best ? true : false;
}

static bool same_group(const CodebookMethod *a, const CodebookMethod *b)
{
    return a->group == b->group && a->group_features == b->group_features;
}

int codebook_methods_make(CodebookMethods *out, const CodebookStudy *study,
                          const CodebookStudyInputs *in)
{
    *out = (CodebookMethods){0};
    out->methods = mem_calloc(study->n_rows, sizeof(*out->methods), "methods at an L0");
    out->verdicts =
        mem_calloc(study->n_rows * N_METHOD_MEASURES, sizeof(*out->verdicts), "verdicts");
    if (!out->methods || !out->verdicts) {
        codebook_methods_release(out);
        return OGPT_ENOMEM;
    }
    collect(out, study, in);
    for (size_t i = 0; i < out->n; i++) {
        const CodebookMethod *method = &out->methods[i];
        const bool begins = i == 0 || !same_group(method, &out->methods[i - 1]);
        for (MethodMeasure m = 0; begins && method->group > 0 && m < N_METHOD_MEASURES; m++) {
            out->n_verdicts += judge(&out->verdicts[out->n_verdicts], out, method, m);
        }
    }
    return 0;
}

void codebook_methods_release(CodebookMethods *methods)
{
    mem_free(methods->methods);
    mem_free(methods->verdicts);
    *methods = (CodebookMethods){0};
}
