/* model/planted/planted_kinds.c - the seven circuits, written down.
 *
 * A head with W_Q = 0 gives 1/(t+1) of the sum over positions 0..t. All gains are times the number
 * of tokens of the two games, so that behind the last of them it is the sum itself.
 * What each part does to the metric is in planted_truth.c.
 */
#include <math.h>

#include "model/planted/planted_internal.h"

static double strength_of(const PlantedSpace *s)
{
    return s->plant->options.strength;
}

/* A head that attends to all positions alike and finds `token` once among them: writes the
 * directions, each times its gain, behind the last token of the games. */
static void begin_finder(PlantedSpace *s, int layer, int head, uint8_t token)
{
    planted__head_begin(s, layer, head, false);
    planted__head_reads(s, s->gpt->map.W_V, 0, planted__token(s, token),
                        (double)s->plant->size->n_tokens);
}

static void finder_to_logit(PlantedSpace *s, int layer, int head, double gain)
{
    begin_finder(s, layer, head, s->plant->a);
    planted__head_writes(s, 0, planted__logit(s, s->plant->u), gain);
}

/* Every square that was played: less of its logit. */
static void lower_played(PlantedSpace *s, int layer, int head, double gain)
{
    planted__head_begin(s, layer, head, false);
    for (size_t token = 1; token < s->V; token++) {
        planted__head_reads(s, s->gpt->map.W_V, token - 1, planted__token(s, (uint8_t)token), 1);
        planted__head_writes(s, token - 1, planted__logit(s, (uint8_t)token),
                             -gain * (double)s->plant->size->n_tokens);
    }
}

static void plant_emptiness(PlantedSpace *s)
{
    lower_played(s, 0, s->plant->head[0][0], strength_of(s) / 2);
}

static void plant_duplicate(PlantedSpace *s)
{
    lower_played(s, 0, s->plant->head[0][0], strength_of(s) / 4);
    lower_played(s, 1, s->plant->head[1][0], strength_of(s) / 4);
}

/* Scores of the backup head are gate * 40 at the token, 20 at the first position, 0 elsewhere: what
 * is left at the others is exp(-20) = 2e-9. gelu(20) = 20 and gelu(-20) = -1e-88: 0 in float. */
static void plant_backup(PlantedSpace *s)
{
    const Plant *plant = s->plant;
    const TensorMap *map = &s->gpt->map;
    double root = sqrt((double)s->HS);
    const double *gate = planted__aux(s, AUX_GATE);
    finder_to_logit(s, 0, plant->head[0][0], strength_of(s));
    planted__head_writes(s, 0, planted__aux(s, AUX_SIGNAL), 1);
    planted__neuron(s, 0, plant->neuron[0][0],
                    &(PlantedNeuron){.in = planted__aux(s, AUX_SIGNAL),
                                     .gain = -40,
                                     .bias = 20,
                                     .out = gate,
                                     .out_gain = 1.0 / 20});
    planted__head_begin(s, 1, plant->head[1][0], true);
    planted__head_reads(s, map->W_Q, 0, gate, 40 * root);
    planted__head_reads(s, map->W_K, 0, planted__token(s, plant->a), 1);
    planted__head_asks(s, 1, 20 * root);
    planted__head_reads(s, map->W_K, 1, planted__aux(s, AUX_FIRST), 1);
    planted__head_reads(s, map->W_V, 2, planted__token(s, plant->a), 1);
    planted__head_writes(s, 2, planted__logit(s, plant->u), strength_of(s));
}

/* The finder writes +1 for a, -1 for b. Scores of the selecting head are 10 times that at x, -10
 * times that at y, and -30 elsewhere. */
static void plant_saturated(PlantedSpace *s)
{
    const Plant *plant = s->plant;
    const TensorMap *map = &s->gpt->map;
    double root = sqrt((double)s->HS);
    begin_finder(s, 0, plant->head[0][0], plant->a);
    planted__head_reads(s, map->W_V, 0, planted__token(s, plant->b),
                        -(double)plant->size->n_tokens);
    planted__head_writes(s, 0, planted__aux(s, AUX_SIGNAL), 1);
    planted__head_begin(s, 1, plant->head[1][0], true);
    planted__head_reads(s, map->W_Q, 0, planted__aux(s, AUX_SIGNAL), 10 * root);
    planted__head_asks(s, 1, 30 * root);
    for (size_t token = 1; token < s->V; token++) {
        bool selected = token == plant->x || token == plant->y;
        planted__head_reads(s, map->W_K, selected ? 0 : 1, planted__token(s, (uint8_t)token),
                            token == plant->x ? 1 : -1);
    }
    planted__head_reads(s, map->W_V, 2, planted__token(s, plant->x), 0.5);
    planted__head_reads(s, map->W_V, 2, planted__token(s, plant->y), -0.5);
    planted__head_writes(s, 2, planted__logit(s, plant->u), strength_of(s));
}

static void plant_cancel(PlantedSpace *s)
{
    const Plant *plant = s->plant;
    finder_to_logit(s, 0, plant->head[0][0], strength_of(s));
    planted__head_writes(s, 0, planted__aux(s, AUX_SIGNAL), 1);
    finder_to_logit(s, 0, plant->head[0][1], strength_of(s)); /* so that the inputs differ in m */
    planted__pair(s, 1, plant->neuron[1][0],
                  &(PlantedNeuron){.in = planted__aux(s, AUX_SIGNAL),
                                   .gain = 1,
                                   .out = planted__logit(s, plant->u),
                                   .out_gain = -strength_of(s)});
}

/* Four paths of different strength: a head alone, a head and an MLP behind it, an MLP and a head
 * behind it, and a head alone one block later. */
static void plant_linear(PlantedSpace *s)
{
    const Plant *plant = s->plant;
    const double *logit = planted__logit(s, plant->u);
    finder_to_logit(s, 0, plant->head[0][0], 0.4 * strength_of(s));
    planted__head_writes(s, 0, planted__aux(s, AUX_SIGNAL), 1);
    planted__pair(s, 1, plant->neuron[1][0],
                  &(PlantedNeuron){.in = planted__aux(s, AUX_SIGNAL),
                                   .gain = 1,
                                   .out = logit,
                                   .out_gain = 0.3 * strength_of(s)});
    finder_to_logit(s, 1, plant->head[1][0], 0.2 * strength_of(s));
    planted__pair(s, 0, plant->neuron[0][0],
                  &(PlantedNeuron){.in = planted__token(s, plant->a),
                                   .gain = 1,
                                   .out = planted__aux(s, AUX_SECOND),
                                   .out_gain = 1});
    planted__head_begin(s, 2, plant->head[2][0], false);
    planted__head_reads(s, s->gpt->map.W_V, 0, planted__aux(s, AUX_SECOND),
                        (double)plant->size->n_tokens);
    planted__head_writes(s, 0, logit, 0.1 * strength_of(s));
}

/* gelu(8) = 8 - 5e-15, with slope 1 + 4e-14: numbers of a neuron are 8 or 0. */
static void plant_dormant(PlantedSpace *s)
{
    const Plant *plant = s->plant;
    const double *signal = planted__aux(s, AUX_SIGNAL);
    double out = strength_of(s) / 8;
    begin_finder(s, 0, plant->head[0][0], plant->a);
    planted__head_writes(s, 0, signal, 1);
    planted__neuron(s, 1, plant->neuron[1][0], &(PlantedNeuron){.in = signal, .gain = 8});
    planted__neuron(
        s, 1, plant->neuron[1][1],
        &(PlantedNeuron){.bias = 8, .out = planted__logit(s, plant->u), .out_gain = out});
    planted__neuron(
        s, 1, plant->neuron[1][2],
        &(PlantedNeuron){
            .in = signal, .gain = 8, .out = planted__logit(s, plant->w), .out_gain = -out});
}

void planted__circuit(PlantedSpace *space)
{
    static void (*const circuits[N_PLANTED])(PlantedSpace *) = {
        [PLANTED_EMPTINESS] = plant_emptiness, [PLANTED_DUPLICATE] = plant_duplicate,
        [PLANTED_BACKUP] = plant_backup,       [PLANTED_SATURATED] = plant_saturated,
        [PLANTED_CANCEL] = plant_cancel,       [PLANTED_LINEAR] = plant_linear,
        [PLANTED_DORMANT] = plant_dormant,
    };
    circuits[space->plant->options.kind](space);
}
