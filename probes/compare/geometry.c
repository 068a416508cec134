/* probes/compare/geometry.c - loading and measuring. Contract in probes/compare/geometry.h. */
#include "probes/compare/geometry.h"

#include <math.h>

#include "num/matrices/symmetric.h"

int geometry_load(Geometry *geometry, const char *path)
{
    GeometryProbe *one = &geometry->probe[geometry->n++];
    one->path = path;
    int rc = probe_load(&one->probe, path);
    rc = rc ? rc : subject_check_probe(&geometry->subject, path, &one->probe);
    rc = rc ? rc : probe_check_finished(&one->probe, path);
    for (int l = 0; l < one->probe.n_layers && rc == 0; l++) {
        rc = directions_init(&one->directions[l], &one->probe, l, path);
        rc = rc ? rc : directions_rank(&one->rank[l], &one->directions[l]);
    }
    return rc;
}

static bool site_is_new(const Geometry *geometry, size_t i)
{
    for (size_t j = 0; j < i; j++) {
        if (geometry->probe[j].probe.site == geometry->probe[i].probe.site) {
            return false;
        }
    }
    return true;
}

int geometry_measure(Geometry *geometry, Corpus *corpus, const ExplainedOptions *options,
                     bool halves, const Work *work)
{
    const Gpt *gpt = geometry->subject.model.gpt;
    int rc = 0;
    for (size_t i = 0; i < geometry->n && rc == 0; i++) {
        GeometryProbe *one = &geometry->probe[i];
        if (site_is_new(geometry, i)) {
            SiteLayers where = {one->probe.site, one->probe.layers, one->probe.n_layers};
            rc = explained_variance(one->explained, gpt, &where, corpus, options, work);
            one->has_explained = rc == 0;
        }
        if (rc == 0 && halves) {
            rc = stability_measure(one->halves, &one->probe, one->path, gpt, corpus, options, work);
            one->has_halves = rc == 0;
        }
    }
    return rc;
}

void geometry_release(Geometry *geometry)
{
    for (size_t i = 0; i < geometry->n; i++) {
        for (int l = 0; l < LAYERS_MAX; l++) {
            direction_set_release(&geometry->probe[i].directions[l]);
        }
        probe_release(&geometry->probe[i].probe);
    }
    subject_release(&geometry->subject);
}

static GeometryNumber number(const char *key, double value, size_t n)
{
    return (GeometryNumber){key, {value, NAN, NAN}, (int64_t)n};
}

size_t geometry_numbers(GeometryNumber out[GEOMETRY_NUMBERS], const GeometryProbe *one, int l)
{
    const DirectionSet *directions = &one->directions[l];
    const Explained *explained = &one->explained[l];
    WithinCosines within = directions_within(directions);
    size_t n = 0;
    out[n++] = number("neighbour_cosine", within.neighbours, within.n_neighbours);
    out[n++] = number("other_cosine", within.others, within.n_others);
    out[n++] = number("random_cosine", random_cosine_mean(directions->width), 0);
    out[n++] = number("effective_rank", one->rank[l], directions->n_present);
    if (one->has_halves) {
        out[n++] = number("halves_cosine", one->halves[l].same, one->halves[l].n);
    }
    if (one->has_explained) {
        out[n++] = (GeometryNumber){"ply_r2", explained->ply, -1};
        out[n++] = (GeometryNumber){"board_r2", explained->board, -1};
        out[n++] = (GeometryNumber){"shuffled_r2", explained->shuffled, -1};
    }
    return n;
}

GeometryNumber geometry_layer_cosine(const GeometryProbe *one, int l, int m)
{
    BetweenCosines between = directions_between(&one->directions[l], &one->directions[m]);
    return number("layer_cosine", between.same, between.n);
}

bool geometry_pair(GeometryNumber out[3], const GeometryProbe *a, const GeometryProbe *b, int l)
{
    int m = probe_layer_index(&b->probe, a->probe.layers[l]);
    if (m < 0 || a->probe.d_model != b->probe.d_model || a->probe.size != b->probe.size) {
        return false;
    }
    BetweenCosines between = directions_between(&a->directions[l], &b->directions[m]);
    out[0] = number("same_square_cosine", between.same, between.n);
    out[1] = number("least_cosine", between.same_least, between.n);
    out[2] = number("other_square_cosine", between.others, between.n);
    return true;
}
