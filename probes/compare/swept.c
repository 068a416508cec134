/* probes/compare/swept.c - readings of a sweep and the paired tests between them. Contract in
 * probes/compare/swept.h. */
#include "probes/compare/swept.h"

#include <math.h>
#include <string.h>

int swept_scored(Swept *swept, int layer, int control, const LabelledSet *truth,
                 const uint8_t *predicted)
{
    return readings_add(&swept->readings, layer, control, truth, predicted, swept->work);
}

const Reading *swept_best(const Swept *swept)
{
    const SweepResult *result = &swept->result;
    return readings_find(&swept->readings, result->layers[result->best].layer, READING_PROBE);
}

bool swept_planted(const Swept *swept)
{
    return swept->result.control[CONTROL_PLANTED].accuracy.low >= PLANTED_ACCURACY - PLANTED_SLACK;
}

bool swept_untrained(Control *than, const Swept *swept, Control control)
{
    static const Control simpler[] = {CONTROL_HISTORY, CONTROL_MAJORITY};
    const SweepResult *result = &swept->result;
    for (size_t i = 0; i < sizeof(simpler) / sizeof(simpler[0]); i++) {
        *than = simpler[i];
        if (control == CONTROL_HISTORY_MLP && result->has_control[control] &&
            result->has_control[*than] &&
            result->control[control].accuracy.value < result->control[*than].accuracy.value) {
            return true;
        }
    }
    return false;
}

static const GameSums *sums_of(const Reading *reading)
{
    return reading ? &reading->sums : NULL;
}

#define NO_TEST ((PairedTest){{NAN, NAN, NAN}, NAN, NAN})

/* Tests that are corrected together. A question without two different readings is left out: NaN. */
static int family_test(PairedTest *out, const PairedQuestion *questions, size_t n, const Work *work)
{
    PairedQuestion asked[LAYERS_MAX] = {{0}};
    PairedTest tests[LAYERS_MAX];
    size_t of[LAYERS_MAX], n_asked = 0;
    for (size_t i = 0; i < n; i++) {
        out[i] = NO_TEST;
        if (questions[i].a && questions[i].b && questions[i].a != questions[i].b) {
            of[n_asked] = i;
            asked[n_asked++] = questions[i];
        }
    }
    int rc = paired_tests(tests, asked, n_asked, SCORE_CELLS, work);
    for (size_t i = 0; i < n_asked && rc == 0; i++) {
        out[of[i]] = tests[i];
    }
    return rc;
}

int swept_test(Swept *swept)
{
    enum { CHANCE = N_CONTROLS, N_QUESTIONS };
    PairedQuestion layers[LAYERS_MAX] = {{0}}, controls[N_QUESTIONS] = {{0}};
    PairedTest tests[N_QUESTIONS];
    const Readings *readings = &swept->readings;
    const SweepResult *result = &swept->result;
    const GameSums *best = sums_of(swept_best(swept));
    for (int i = 0; i < result->n_layers; i++) {
        int layer = result->layers[i].layer;
        layers[i].a = sums_of(readings_find(readings, layer, READING_PROBE));
        layers[i].b = best;
    }
    for (int control = 0; control < N_CONTROLS; control++) {
        controls[control].a = best;
        controls[control].b = sums_of(readings_find(readings, 0, control));
    }
    controls[CHANCE].a = sums_of(readings_find(readings, 0, CONTROL_SHUFFLED));
    controls[CHANCE].b = sums_of(readings_find(readings, 0, CONTROL_CHANCE));
    int rc = family_test(swept->layer, layers, (size_t)result->n_layers, swept->work);
    rc = rc ? rc : family_test(tests, controls, N_QUESTIONS, swept->work);
    if (rc != 0) {
        return rc;
    }
    memcpy(swept->control, tests, sizeof(swept->control));
    swept->chance = tests[CHANCE];
    for (int control = 0; control < N_CONTROLS; control++) {
        Control than;
        if (swept_untrained(&than, swept, (Control)control)) {
            swept->control[control] = NO_TEST;
        }
    }
    return 0;
}

void swept_release(Swept *swept)
{
    readings_release(&swept->readings);
}
