/* model/planted/planted.c - options, sizes, the two games, and making the network. */
#include "model/planted/planted.h"

#include <string.h>

#include "base/err.h"
#include "base/suggest.h"
#include "model/planted/planted_internal.h"

/* Legal games both, also with `instead`; the two free squares are legal moves behind either
 * (tests/model/planted/test_planted.c asks the rules). */
static const PlantedSize sizes[] = {
    {4, 13, 11, 64, 6, {5, 3, 4, 7, 9, 10}, 2, 8, {2, 11}}, /* a2 c1 d1|d3 a3 a4 b4 */
    {6, 33, 31, 128, 12, {9, 18, 25, 10, 4, 19, 21, 3, 8, 15, 5, 6}, 5, 11, {16, 20}},
    {8,
     61,
     59,
     256,
     20,
     {27, 21, 22, 19, 20, 23, 13, 33, 10, 14, 40, 28, 32, 5, 34, 41, 15, 12, 4, 18},
     9,
     11,
     {24, 35}},
};

static const char *const names[] = {PLANTED(ENUM_NAME)};
static const char *const meanings[] = {PLANTED(ENUM_MEANING)};

#define PLANTED_WORD(id, name, meaning) " " name
int planted_kind_parse(PlantedKind *out, const char *name)
{
    Suggestion near = {.word = name};
    for (int kind = 0; kind < N_PLANTED; kind++) {
        if (strcmp(names[kind], name) == 0) {
            *out = (PlantedKind)kind;
            return 0;
        }
        suggestion_offer(&near, names[kind]);
    }
    return err_set(OGPT_EUSAGE, "kind \"%.40s\": expected one of" PLANTED(PLANTED_WORD) "%s%s%s",
                   name, near.best ? "; did you mean " : "", near.best ? near.best : "",
                   near.best ? "?" : "");
}
#undef PLANTED_WORD

const char *planted_kind_name(PlantedKind kind)
{
    return names[kind];
}

const char *planted_kind_meaning(PlantedKind kind)
{
    return meanings[kind];
}

/* Which heads and neurons: by seed, the same for all kinds. */
static void choose_places(Plant *plant, uint32_t n_pairs)
{
    for (int layer = 0; layer < PLANTED_LAYERS; layer++) {
        Rng rng = rng_at(plant->options.seed, RNG_PLANT, (uint64_t)layer);
        int *head = plant->head[layer], *neuron = plant->neuron[layer];
        head[0] = (int)rng_below(&rng, PLANTED_HEADS);
        head[1] = (head[0] + 1 + (int)rng_below(&rng, PLANTED_HEADS - 1)) % PLANTED_HEADS;
        /* Three different ones: each from a third of its own. */
        for (int i = 0; i < 3; i++) {
            neuron[i] = (int)(n_pairs / 3) * i + (int)rng_below(&rng, n_pairs / 3);
        }
    }
}

int planted__plan(Plant *out, const PlantedOptions *options)
{
    Plant plant = {.options = *options};
    if ((int)options->kind < 0 || options->kind >= N_PLANTED) {
        return err_set(OGPT_EUSAGE, "planted network: expected a kind in 0..%d, found %d",
                       N_PLANTED - 1, (int)options->kind);
    }
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        if (sizes[i].size == options->size) {
            plant.size = &sizes[i];
        }
    }
    if (!plant.size) {
        return err_set(OGPT_EUSAGE, "planted network: expected a board of 4, 6 or 8, found %d",
                       options->size);
    }
    if (plant.options.strength == 0) {
        plant.options.strength = PLANTED_STRENGTH;
    }
    if (!(plant.options.strength >= 1 && plant.options.strength <= 12)) {
        return err_set(OGPT_EUSAGE, "planted network: expected a strength in 1..12 nats, found %g",
                       options->strength);
    }
    plant.a = plant.size->clean[plant.size->differs_at];
    plant.b = plant.size->instead;
    plant.x = plant.size->clean[0];
    plant.y = plant.size->clean[1];
    plant.u = plant.size->free[0];
    plant.w = plant.size->free[1];
    choose_places(&plant, (uint32_t)(2 * plant.size->d_model));
    *out = plant;
    return 0;
}

int planted_make(Gpt **out, const PlantedOptions *options)
{
    Plant plant;
    PlantedSpace space = {.plant = NULL};
    Gpt *gpt = NULL;
    *out = NULL;
    int rc = planted__plan(&plant, options);
    if (rc) {
        return rc;
    }
    GptConfig cfg = {.n_layers = PLANTED_LAYERS,
                     .d_model = plant.size->d_model,
                     .n_heads = PLANTED_HEADS,
                     .d_head = plant.size->d_model / PLANTED_HEADS,
                     .d_mlp = 4 * plant.size->d_model,
                     .n_ctx = plant.size->n_ctx,
                     .d_vocab = plant.size->d_vocab,
                     .eps = 0.25f, /* sqrt(eps) is a power of two */
                     .seed = plant.options.seed};
    rc = gpt_new(&gpt, &cfg);
    rc = rc ? rc : planted__space(&space, &plant, gpt);
    if (rc == 0) {
        planted__fill(&space);
        if (!plant.options.twin) {
            planted__circuit(&space);
        }
        *out = gpt;
        gpt = NULL;
    }
    planted__space_release(&space);
    gpt_free(gpt);
    return rc;
}
