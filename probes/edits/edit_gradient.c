/* probes/edits/edit_gradient.c - the edit found by descent through the probe.
 *
 *   min_y  sum_s weight_s * -ln softmax(scores of square s at y)[target_s],  y = x at the start
 *   target  the true board with the edited squares changed
 *   weight  1 for the edited squares, 0.2 for all others
 * by Adam (Kingma & Ba 2015; beta 0.9 and 0.999, eps 1e-8, no decay), a fixed number of steps: a
 * coordinate moves by about steps * rate at most. Then x += scale * (y - x).
 * Ref: Li et al., ICLR 2023, section 4.1 and appendix (1,000 steps, rate 1e-3).
 */
#include <math.h>
#include <string.h>

#include "num/optimisers/optim.h"
#include "num/vectors.h"
#include "probes/edits/edit_internal.h"

#define OTHER_SQUARES_WEIGHT 0.2f
void edit_row_gradient(const EditRow *row)
{
    const EditPlan *plan = row->plan;
    size_t width = row->directions->width;
    float *y = row->scratch, *gradient = y + width, *first = y + 2 * width, *second = y + 3 * width;
    float weight[BOARD_SQUARES];
    double rms = sqrt(vector_dot(row->x, row->x, width) / (double)width);
    double rate = plan->rate.value * (plan->rate.relative ? rms : 1.0);
    AdamWStep adam = {.lr = (float)rate, .beta1 = 0.9f, .beta2 = 0.999f, .eps = 1e-8f};
    for (int s = 0; s < BOARD_SQUARES; s++) {
        weight[s] = OTHER_SQUARES_WEIGHT;
    }
    for (int i = 0; i < row->squares->n; i++) {
        weight[row->squares->squares[i]] = 1.0f;
    }
    memcpy(y, row->x, width * sizeof(*y));
    memset(first, 0, 2 * width * sizeof(*first));
    for (adam.step = 1; adam.step <= plan->steps; adam.step++) {
        probe_input_gradient(gradient, row->directions->probe, row->at, y, row->squares->target,
                             weight);
        adamw_step(y, first, second, gradient, width, 1.0f, &adam);
    }
    for (size_t c = 0; c < width; c++) {
        row->x[c] += (float)plan->scale.value * (y[c] - row->x[c]);
    }
}
