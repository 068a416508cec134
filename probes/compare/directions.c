/* probes/compare/directions.c - see probes/compare/directions.h. */
#include "probes/compare/directions.h"

#include <math.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/err.h"
#include "num/matrices/symmetric.h"
#include "num/vectors.h"

int directions_of_weights(DirectionSet *out, const float *weight, int size, size_t d,
                          size_t n_classes)
{
    size_t S = (size_t)(size * size), K = n_classes;
    *out = (DirectionSet){.size = size};
    int rc = direction_set_allocate(out, S, d);
    for (size_t s = 0; s < S && rc == 0; s++) {
        double norm = 0;
        /* The weights of a class that never occurs are zero: no direction. */
        bool absent[2] = {true, true};
        for (size_t c = 0; c < d; c++) {
            const float *w = weight + (c * S + s) * K;
            double difference = (double)w[K - 1] - (double)w[K - 2];
            norm += difference * difference;
            absent[0] = absent[0] && w[K - 1] == 0;
            absent[1] = absent[1] && w[K - 2] == 0;
        }
        out->length[s] = absent[0] || absent[1] ? 0 : sqrt(norm);
        out->n_present += out->length[s] > 0;
        for (size_t c = 0; c < d && out->length[s] > 0; c++) {
            const float *w = weight + (c * S + s) * K;
            out->unit[s * d + c] = (float)(((double)w[K - 1] - (double)w[K - 2]) / sqrt(norm));
        }
    }
    return rc;
}

int directions_init(DirectionSet *out, const Probe *probe, int i, const char *path)
{
    *out = (DirectionSet){0};
    int rc = probe_check_linear(probe, path);
    return rc ? rc
              : directions_of_weights(out, probe->weight[i], probe->size, (size_t)probe->d_model,
                                      (size_t)probe->n_classes);
}

static double cosine(const DirectionSet *a, size_t s, const DirectionSet *b, size_t t)
{
    const float *x = a->unit + s * a->width, *y = b->unit + t * b->width;
    return vector_dot(x, y, a->width);
}

static bool squares_touch(int size, size_t s, size_t t)
{
    int a = (int)s, b = (int)t;
    return abs(a / size - b / size) <= 1 && abs(a % size - b % size) <= 1;
}

WithinCosines directions_within(const DirectionSet *directions)
{
    WithinCosines out = {0};
    for (size_t s = 0; s < directions->n; s++) {
        for (size_t t = 0; t < s; t++) {
            if (!(directions->length[s] > 0) || !(directions->length[t] > 0)) {
                continue;
            }
            double size = fabs(cosine(directions, s, directions, t));
            bool touch = squares_touch(directions->size, s, t);
            *(touch ? &out.neighbours : &out.others) += size;
            *(touch ? &out.n_neighbours : &out.n_others) += 1;
        }
    }
    out.neighbours = out.n_neighbours > 0 ? out.neighbours / (double)out.n_neighbours : NAN;
    out.others = out.n_others > 0 ? out.others / (double)out.n_others : NAN;
    return out;
}

BetweenCosines directions_between(const DirectionSet *a, const DirectionSet *b)
{
    BetweenCosines out = {.same_least = INFINITY};
    size_t n_others = 0;
    for (size_t s = 0; s < a->n; s++) {
        for (size_t t = 0; t < b->n; t++) {
            if (!(a->length[s] > 0) || !(b->length[t] > 0)) {
                continue;
            }
            double value = cosine(a, s, b, t);
            if (s == t) {
                out.same += value;
                out.same_least = fmin(out.same_least, value);
                out.n++;
            } else {
                out.others += fabs(value);
                n_others++;
            }
        }
    }
    out.same = out.n > 0 ? out.same / (double)out.n : NAN;
    out.same_least = out.n > 0 ? out.same_least : NAN;
    out.others = n_others > 0 ? out.others / (double)n_others : NAN;
    return out;
}

int directions_rank(double *out, const DirectionSet *directions)
{
    size_t n = directions->n_present, row = 0;
    *out = NAN;
    double *gram = mem_alloc(n * n + n + 1, sizeof(double), "a Gram matrix");
    if (!gram) {
        return OGPT_ENOMEM;
    }
    for (size_t s = 0; s < directions->n; s++) {
        if (!(directions->length[s] > 0)) {
            continue;
        }
        size_t column = 0;
        for (size_t t = 0; t < directions->n; t++) {
            if ((directions->length[t] > 0)) {
                gram[row * n + column++] = cosine(directions, s, directions, t);
            }
        }
        row++;
    }
    if (n > 0) {
        symmetric_eigenvalues(gram + n * n, gram, n);
        *out = effective_rank(gram + n * n, n);
    }
    mem_free(gram);
    return 0;
}
