/* probes/board/sweep_ranks.c - the fits of a sweep dealt to ranks: each takes a layer, then each a
 * control. What they find is shared, and the sweep goes on as if it had been on file already. */
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/process.h"
#include "base/ranks/ranks.h"
#include "probes/board/sweep_internal.h"

/* Everything that a fit leaves of a layer, from the rank that has it to all. */
static int share_layer(Probe *p, int i, int from)
{
    size_t outputs = (size_t)p->n_squares * (size_t)p->n_classes * sizeof(float);
    size_t hidden = (size_t)p->n_hidden * sizeof(float);
    const RanksPart parts[] = {{p->weight[i], probe_inputs(p) * outputs, 0},
                               {p->bias[i], outputs, 0},
                               {p->hidden_weight[i], (size_t)p->d_model * hidden, 0},
                               {p->hidden_bias[i], hidden, 0},
                               {&p->fit[i], sizeof(p->fit[i]), 0},
                               {&p->seconds[i], sizeof(p->seconds[i]), 0}};
    p->fitted[i] = true;
    return ranks_broadcast_parts(parts, sizeof(parts) / sizeof(parts[0]), from);
}

int sweep__share_probe(Probe *probe)
{
    int rc = ranks_broadcast(probe->fitted, sizeof(probe->fitted), 0);
    for (int i = 0; i < probe->n_layers && rc == 0; i++) {
        rc = probe->fitted[i] ? share_layer(probe, i, 0) : 0;
    }
    return rc;
}

int sweep__fit_round(Sweep *sweep, int index)
{
    Probe *probe = sweep->probe;
    int layers[LAYERS_MAX] = {0}, n = 0, rc = 0;
    for (int i = index; i < sweep->first + sweep->n && n < ranks_count(); i++) {
        if (!probe->fitted[i]) {
            layers[n++] = i;
        }
    }
    if (ranks_own() < n) {
        rc = sweep__fit_layer(sweep, layers[ranks_own()]);
    }
    for (int rank = 0; rank < n && rc == 0; rank++) {
        rc = share_layer(probe, layers[rank], rank);
    }
    return rc || !ranks_first() ? rc : probe_save(probe, sweep->path);
}

/* Reading, report and seconds of a control, from a rank to all. */
static int share_control(Sweep *sweep, Control control, uint8_t *reading, int from)
{
    const LabelledSet *test = &sweep->sets[TEST];
    const RanksPart parts[] = {{reading, test->set.n_positions * test->n_squares, 0},
                               {&sweep->out->control_fit[control], sizeof(FitReport), 0},
                               {&sweep->out->control_seconds[control], sizeof(double), 0}};
    return ranks_broadcast_parts(parts, sizeof(parts) / sizeof(parts[0]), from);
}

int sweep__recall(bool *found, Sweep *sweep, Control control)
{
    const LabelledSet *test = &sweep->sets[TEST];
    const size_t n_bytes = test->set.n_positions * test->n_squares;
    *found = sweep->dealt[control];
    if (*found) {
        memcpy(sweep->predicted, sweep->dealt[control], n_bytes);
        return 0;
    }
    int rc = ranks_first() ? sweep__recall_file(found, sweep, control) : 0;
    rc = rc ? rc : ranks_broadcast(found, sizeof(*found), 0);
    return rc || !*found ? rc : share_control(sweep, control, sweep->predicted, 0);
}

static int deal_control(Sweep *sweep, Control control, int owner, SweepControl fit)
{
    const LabelledSet *test = &sweep->sets[TEST];
    const size_t n_bytes = test->set.n_positions * test->n_squares;
    uint8_t *reading = mem_calloc(n_bytes, 1, "the reading of a control");
    int rc = reading ? 0 : OGPT_ENOMEM;
    if (rc == 0 && owner == ranks_own()) {
        sweep->dealing = true;
        sweep->control_start = clock_seconds();
        rc = fit(sweep);
        sweep->dealing = false;
        memcpy(reading, sweep->predicted, n_bytes);
    }
    sweep->dealt[control] = reading;
    return rc;
}

int sweep__deal_controls(Sweep *sweep, const SweepControl controls[N_CONTROLS])
{
    int owners[N_CONTROLS], n = 0, rc = 0;
    for (int c = 0; c < N_CONTROLS; c++) {
        owners[c] = -1; /* is not dealt */
    }
    for (int c = 0; c < N_CONTROLS && rc == 0 && ranks_count() > 1; c++) {
        bool found = false;
        rc = c == CONTROL_MAJORITY ? 0 : sweep__recall(&found, sweep, (Control)c);
        if (rc == 0 && !found && c != CONTROL_MAJORITY) {
            owners[c] = n++ % ranks_count();
        }
    }
    sweep->recalled = false;
    for (int c = 0; c < N_CONTROLS && rc == 0 && n > 0; c++) {
        rc = owners[c] < 0 ? 0 : deal_control(sweep, (Control)c, owners[c], controls[c]);
    }
    for (int c = 0; c < N_CONTROLS && rc == 0 && n > 0; c++) {
        if (owners[c] >= 0) {
            rc = share_control(sweep, (Control)c, sweep->dealt[c], owners[c]);
            memcpy(sweep->predicted, sweep->dealt[c],
                   sweep->sets[TEST].set.n_positions * sweep->sets[TEST].n_squares);
            rc = rc || owners[c] == 0 ? rc : sweep__keep(sweep, (Control)c);
        }
    }
    return rc;
}
