/* report/results/probe_text.c - what people read of a probe's result besides its tables.
 * Contract in report/results/probe_result.h. */
#include "report/results/probe_result.h"

#include <math.h>
#include <stdio.h>

#include "game/notation.h"
#include "report/heat.h"

void probe_layer_name(char out[16], int layer)
{
    if (layer == LAYER_EMBED) {
        snprintf(out, 16, "embed");
    } else {
        snprintf(out, 16, "layer %d", layer);
    }
}

void probe_text_head(Text *text, const ProbeFindings *found)
{
    const Probe *probe = found->probe;
    text_add(text, "task %s (%s", probe->task, probe->classes[0]);
    for (int k = 1; k < probe->n_classes; k++) {
        text_add(text, ", %s", probe->classes[k]);
    }
    text_add(text, "), solver %s", probe->solver);
    if (probe->n_hidden > 0) {
        text_add(text, " with %d hidden units", probe->n_hidden);
    }
    text_add(text,
             ", fitted on %lld positions of %lld games\n"
             "tested on %zu positions of %zu games; scores in percent\n",
             (long long)probe->n_positions, (long long)probe->n_games, found->swept->result.n_test,
             found->swept->result.n_test_games);
}

/* Names the squares whose fit met its bound of rounds. */
static void unconverged_note(Text *text, const char *name, const FitReport *fit, int size)
{
    char square[3];
    if (fit->n_unconverged == 0) {
        return;
    }
    text_add(text, "%s: %zu squares met the bound of rounds before their optimum:", name,
             fit->n_unconverged);
    for (int s = 0; s < size * size; s++) {
        if (fit->unconverged >> s & 1) {
            square_print(square, task_square(game_variant(size), s));
            text_add(text, " %s", square);
        }
    }
    text_add(text, "\n");
}

static void fit_note(Text *text, const LayerScore *layer, int size, bool chosen_l2)
{
    const FitCheck *check = &layer->check;
    char name[16];
    probe_layer_name(name, layer->layer);
    unconverged_note(text, name, &layer->fit, size);
    if (chosen_l2) {
        text_add(text, "%s: l2 %g, chosen on validation games\n", name, layer->fit.l2);
    }
    if (layer->has_check) {
        text_add(text,
                 "%s: liblinear on the same binary problems: objective %.6f, ours %.6f, relative "
                 "difference %.1e (worst square %.1e); both read %.3f %% of cells alike\n",
                 name, check->liblinear, check->newton, check->difference, check->worst,
                 100 * check->agreement);
    }
}

void probe_text_notes(Text *text, const ProbeFindings *found)
{
    const SweepResult *result = &found->swept->result;
    text_add(
        text,
        "best: the best layer on validation games; level: not told apart from the best (paired "
        "bootstrap over games, Holm, 5 %%)\n");
    for (int i = 0; i < result->n_layers; i++) {
        fit_note(text, &result->layers[i], found->probe->size, found->probe->l2 == FIT_L2_AUTO);
    }
    for (int control = 0; control < N_CONTROLS; control++) {
        unconverged_note(text, control_name((Control)control), &result->control_fit[control],
                         found->probe->size);
    }
    if (result->has_control[CONTROL_MAJORITY]) {
        text_add(text, "\ncontrols, fitted on %zu positions of %zu games\n", result->n_train,
                 result->n_train_games);
    }
}

void probe_text_heat(Text *text, const ProbeFindings *found, bool colour)
{
    const SweepResult *result = &found->swept->result;
    const Reading *best = swept_best(found->swept);
    char names[LAYERS_MAX][16], title[64];
    const char *pointers[LAYERS_MAX];
    double values[BOARD_SQUARES], accuracy[LAYERS_MAX], lowest = 1;
    for (int i = 0; i < result->n_layers; i++) {
        probe_layer_name(names[i], result->layers[i].layer);
        pointers[i] = names[i];
        accuracy[i] = result->layers[i].test.accuracy.value;
        lowest = fmin(lowest, accuracy[i]);
    }
    if (result->has_control[CONTROL_MAJORITY]) { /* a bar is what a layer knows beyond it */
        lowest = fmin(lowest, result->control[CONTROL_MAJORITY].accuracy.value);
    }
    text_add(text, "\n");
    draw_bars(text, "accuracy by layer", pointers, accuracy, (size_t)result->n_layers, lowest, 1);
    for (int s = 0; s < found->probe->n_squares; s++) {
        BreakdownRow row = {.accuracy = NAN};
        if (best) {
            breakdown_row(&row, &best->breakdown, BY_SQUARE, s);
        }
        values[s] = row.accuracy;
    }
    snprintf(title, sizeof(title), "\naccuracy by square, %s, %%", names[result->best]);
    draw_heat(text, game_variant(found->probe->size), title, values, 1, colour);
}

void probe_text_history(Text *text, const ProbeFindings *found)
{
    const SweepResult *result = &found->swept->result;
    Control than;
    const bool mlp = result->has_control[CONTROL_HISTORY_MLP];
    if (mlp && result->control_fit[CONTROL_HISTORY_MLP].kept == 0 &&
        !swept_untrained(&than, found->swept, CONTROL_HISTORY_MLP)) {
        text_add(text,
                 "history_mlp stayed at its start, the linear history: no epoch was better on "
                 "validation games; more --games make it the stronger control\n");
    }
    const Control history = mlp ? CONTROL_HISTORY_MLP : CONTROL_HISTORY;
    if (result->best >= 0 && result->has_control[history] &&
        result->control[history].accuracy.value >=
            result->layers[result->best].test.accuracy.value) {
        text_add(text,
                 "the moves alone (%s) say as much as the best layer, or more: this probe is no "
                 "sign of a board inside the network\n",
                 control_name(history));
    }
}

void probe_text_planted(Text *text, const ProbeFindings *found)
{
    const SweepResult *result = &found->swept->result;
    if (result->has_control[CONTROL_PLANTED]) {
        text_add(text, "the best reader of the planted board gets %.1f %%: %s\n",
                 100 * PLANTED_ACCURACY,
                 swept_planted(found->swept) ? "the solver finds what is there"
                                             : "the solver falls short; give it more games");
    }
}

void probe_text_warn(Report *report, const ProbeFindings *found)
{
    const SweepResult *result = &found->swept->result;
    const bool *has = result->has_control;
    Control than;
    if (has[CONTROL_MAJORITY] && (int64_t)result->n_train < found->probe->n_positions) {
        report_warn(report,
                    "the controls were fitted on %zu positions, the probe on %lld: they are "
                    "weaker than they could be; give --games and --plies of the probe",
                    result->n_train, (long long)found->probe->n_positions);
    }
    if (swept_untrained(&than, found->swept, CONTROL_HISTORY_MLP)) {
        const char *name = than == CONTROL_HISTORY ? "linear history" : "majority";
        report_warn(report,
                    "the history MLP learned nothing beyond the %s: %.2f %% of cells, the %s "
                    "%.2f %%; no layer is compared with it; give more --games",
                    name, 100 * result->control[CONTROL_HISTORY_MLP].accuracy.value, name,
                    100 * result->control[than].accuracy.value);
    }
    if (has[CONTROL_HISTORY_MLP] &&
        result->control_fit[CONTROL_HISTORY_MLP].kept == HIDDEN_EPOCHS) {
        report_warn(report,
                    "the history MLP was best after its last epoch, %d: more --games would teach "
                    "it more",
                    HIDDEN_EPOCHS);
    }
    if (found->swept->chance.difference.value > 0 && found->swept->chance.p_holm < DIFFERS_BELOW) {
        report_warn(report,
                    "shuffled labels are read better than the majority (%+.2f points, p %.4f): "
                    "something leaks",
                    100 * found->swept->chance.difference.value, found->swept->chance.p_holm);
    }
}
