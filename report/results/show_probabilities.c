/* report/results/show_probabilities.c - how sure the probes are of every square, and where the
 * network would move, over the board. See report/results/show_result.h. */
#include "report/results/show_result.h"

#include <math.h>
#include <stdio.h>

#include "probes/legality/answers.h"
#include "report/heat.h"
#include "report/results/probe_result.h"

void show_read_probabilities(double *out, const ShowFindings *view, const Decoded *decoded,
                             int index)
{
    for (int s = 0; s < view->game->probe->n_squares; s++) {
        out[s] = (double)decoded->p[index][s];
    }
}

void show_move_probabilities(double *out, const ShowFindings *view, const float *logits)
{
    const Vocab *vocab = view->game->vocab;
    double p[BOARD_SQUARES];
    answer_probabilities(p, logits, vocab->d_vocab);
    for (int s = 0; s < view->game->probe->n_squares; s++) {
        int tok = vocab->tok_of_sq[task_square(view->game->variant, s)];
        out[s] = tok > 0 ? p[tok] : NAN; /* 0: a centre square */
    }
}

void show_print_probabilities(Text *text, const ShowFindings *view, const Decoded *decoded,
                              int first_layer)
{
    double values[BOARD_SQUARES];
    char name[16], title[64];
    bool colour = view->style.colour;
    for (int i = 0; i < view->game->probe->n_layers; i++) {
        int layer = view->game->probe->layers[i];
        if (show_has_layer(view, i) && layer >= first_layer) {
            probe_layer_name(name, layer);
            snprintf(title, sizeof(title), "\n%s: probability of what it reads, %%", name);
            show_read_probabilities(values, view, decoded, i);
            draw_heat(text, view->game->variant, title, values, 1, colour);
        }
    }
    show_move_probabilities(values, view, decoded->logits);
    draw_heat(text, view->game->variant, "\nthe network's next move, %", values, 1, colour);
}
