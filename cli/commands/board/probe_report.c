/* cli/commands/board/probe_report.c - the result of a probe sweep as JSON, as rows of the store,
 * and as a table. See cli/commands/board/probe_report.h. */
#include "cli/commands/board/probe_report.h"

#include <math.h>

#include "report/intervals.h"

/* ---- the result as JSON and as rows of the store ---- */

static void score_json(Js *object, const ProbeScore *score, const Probe *probe)
{
    js_set_interval(object, "accuracy", score->accuracy);
    js_set_interval(object, "board_exact", score->board);
    js_set_interval(object, "nonempty_accuracy", score->nonempty);
    js_set_interval(object, "flipped_accuracy", score->flipped);
    probe_class_json(object, score, probe);
}

/* Whether a control reads the network at one layer, the best. */
static bool at_best(int control)
{
    return control == CONTROL_RANDOM_MODEL || control == CONTROL_SHUFFLED;
}

/* Accuracies of the controls beside one layer; those fitted at the best layer only are null
 * elsewhere. */
static Js *layer_controls(const SweepResult *result, int index)
{
    Js *controls = js_object();
    for (int control = 0; control < N_CONTROLS; control++) {
        bool there = result->has_control[control] && (!at_best(control) || index == result->best);
        js_set(controls, control_name((Control)control),
               there ? js_num(result->control[control].accuracy.value) : js_null());
    }
    return controls;
}

/* A count of the fit, null where the probe's file does not tell it. */
static void set_count(Js *object, const char *key, const LayerScore *score, int64_t count)
{
    js_set(object, key, isnan(score->seconds) ? js_null() : js_int(count));
}

/* newton against liblinear on the same binary problems. */
static Js *check_json(const FitCheck *check)
{
    Js *object = js_object();
    js_set_str(object, "against", "liblinear");
    js_set_num(object, "objective", check->newton);
    js_set_num(object, "liblinear_objective", check->liblinear);
    js_set_num(object, "difference", check->difference);
    js_set_num(object, "worst_difference", check->worst);
    js_set_num(object, "argmax_agreement", check->agreement);
    js_set_num(object, "seconds", check->seconds[0]);
    js_set_num(object, "liblinear_seconds", check->seconds[1]);
    return object;
}

Js *probe_layers_json(const SweepResult *result, const Probe *probe)
{
    Js *layers = js_array();
    for (int i = 0; i < result->n_layers; i++) {
        const LayerScore *score = &result->layers[i];
        Js *layer = js_object();
        js_set_int(layer, "layer", score->layer);
        js_set_str(layer, "task", probe->task);
        js_set_str(layer, "site", hook_site_name(probe->site));
        js_set_str(layer, "solver", probe->solver);
        score_json(layer, &score->test, probe);
        js_set_num(layer, "validation_accuracy", score->validation);
        js_set_num(layer, "objective", score->fit.objective);
        js_set_num(layer, "l2", score->fit.l2);
        js_set_num(layer, "seconds", score->seconds);
        set_count(layer, "rounds", score, score->fit.rounds);
        js_set(layer, "kept_epoch", probe->n_hidden > 0 ? js_int(score->fit.kept) : js_null());
        set_count(layer, "unconverged_squares", score, (int64_t)score->fit.n_unconverged);
        set_count(layer, "absent_classes", score, (int64_t)score->fit.n_absent);
        js_set_str(layer, "model_hash", probe->model_hash);
        js_set_str(layer, "corpus_hash", probe->corpus_hash);
        js_set(layer, "controls", layer_controls(result, i));
        if (score->has_check) {
            js_set_num(layer, "check_difference", score->check.difference);
            js_set(layer, "check", check_json(&score->check));
        }
        js_push(layers, layer);
    }
    return layers;
}

/* Whether the solver finds what is there, also at the low end of the interval. */
static bool planted_reached(const SweepResult *result)
{
    return result->control[CONTROL_PLANTED].accuracy.low >= PLANTED_ACCURACY - PLANTED_SLACK;
}

Js *probe_controls_json(const SweepResult *result, const Probe *probe)
{
    Js *controls = js_array();
    for (int control = 0; control < N_CONTROLS; control++) {
        if (result->has_control[control]) {
            Js *row = js_object();
            js_set_str(row, "task", probe->task);
            js_set_str(row, "control", control_name((Control)control));
            js_set(row, "layer",
                   at_best(control) ? js_int(result->layers[result->best].layer) : js_null());
            score_json(row, &result->control[control], probe);
            js_set(row, "kept_epoch",
                   control == CONTROL_HISTORY_MLP ? js_int(result->control_fit[control].kept)
                                                  : js_null());
            js_set(row, "planted_reached",
                   control == CONTROL_PLANTED ? js_bool(planted_reached(result)) : js_null());
            js_set_num(row, "seconds", result->control_seconds[control]);
            js_push(controls, row);
        }
    }
    return controls;
}

Js *probe_document(const SweepResult *result, const Probe *probe, const ProbeView *view,
                   const char *path, const char *corpus_hash)
{
    Js *document = js_object();
    js_set_str(document, "probe", path);
    js_set_str(document, "task", probe->task);
    js_set_str(document, "labels", probe->labels);
    js_set_str(document, "solver", probe->solver);
    js_set_str(document, "site", hook_site_name(probe->site));
    js_set(document, "l2", probe->l2 == FIT_L2_AUTO ? js_str("auto") : js_num(probe->l2));
    js_set_int(document, "hidden", probe->n_hidden);
    js_set_str(document, "model_hash", probe->model_hash);
    js_set_str(document, "corpus_hash", corpus_hash);
    js_set_int(document, "probe_games", probe->n_games);
    js_set_int(document, "probe_positions", probe->n_positions);
    js_set_int(document, "training_games", (int64_t)result->n_train_games);
    js_set_int(document, "training_positions", (int64_t)result->n_train);
    js_set_int(document, "validation_positions", (int64_t)result->n_validation);
    js_set_int(document, "test_positions", (int64_t)result->n_test);
    js_set_int(document, "best_layer", result->layers[result->best].layer);
    js_set(document, "layers", probe_layers_json(result, probe));
    js_set(document, "controls", probe_controls_json(result, probe));
    js_set(document, "planted_reached",
           result->has_control[CONTROL_PLANTED] ? js_bool(planted_reached(result)) : js_null());
    probe_view_json(document, view);
    return document;
}

/* ---- the result as a table ---- */

static void print_percent(Text *text, double share)
{
    if (isnan(share)) {
        text_add(text, "%10s", "-");
    } else {
        text_add(text, "%8.2f %%", 100 * share);
    }
}

static void print_score(Text *text, const ProbeScore *score)
{
    print_percent(text, score->accuracy.value);
    text_add(text, "  [%6.2f, %6.2f]", 100 * score->accuracy.low, 100 * score->accuracy.high);
    print_percent(text, score->board.value);
    print_percent(text, score->nonempty.value);
    print_percent(text, score->flipped.value);
}

static void print_controls(Text *text, const SweepResult *result)
{
    static const char *const names[N_CONTROLS] = {
        [CONTROL_MAJORITY] = "majority",       [CONTROL_HISTORY] = "move history",
        [CONTROL_HISTORY_MLP] = "history MLP", [CONTROL_RANDOM_MODEL] = "random net *",
        [CONTROL_SHUFFLED] = "shuffled *",     [CONTROL_PLANTED] = "planted",
    };
    text_add(text, "controls, fitted on %zu positions of %zu games\n", result->n_train,
             result->n_train_games);
    for (int control = 0; control < N_CONTROLS; control++) {
        if (result->has_control[control]) {
            text_add(text, "%-14s", names[control]);
            print_score(text, &result->control[control]);
            text_add(text, "\n");
        }
    }
    if (result->has_control[CONTROL_HISTORY_MLP]) {
        text_add(text, "  the history MLP of epoch %d was kept (0: the linear fit it began as)\n",
                 result->control_fit[CONTROL_HISTORY_MLP].kept);
    }
    if (result->has_control[CONTROL_PLANTED]) {
        text_add(text, "  the best reader of the planted board gets %.1f %%: %s\n",
                 100 * PLANTED_ACCURACY,
                 planted_reached(result) ? "the solver finds what is there"
                                         : "the solver falls short; give it more games");
    }
}

static void print_check(Text *text, const LayerScore *layer)
{
    if (layer->has_check) {
        text_add(text,
                 "  liblinear on the same binary problems: objective %.6f, ours %.6f, relative "
                 "difference %.1e (worst square %.1e); %.3f %% of cells read alike\n",
                 layer->check.liblinear, layer->check.newton, layer->check.difference,
                 layer->check.worst, 100 * layer->check.agreement);
    }
}

void probe_print_table(Text *text, const SweepResult *result, const Probe *probe,
                       const ProbeView *view)
{
    char name[16];
    text_add(text, "task %s (%s", probe->task, probe->classes[0]);
    for (int k = 1; k < probe->n_classes; k++) {
        text_add(text, ", %s", probe->classes[k]);
    }
    text_add(text, "), solver %s", probe->solver);
    if (probe->n_hidden > 0) {
        text_add(text, " with %d hidden units", probe->n_hidden);
    }
    text_add(text, ", %lld positions of %lld games; tested on %zu of %zu\n\n",
             (long long)probe->n_positions, (long long)probe->n_games, result->n_test,
             result->n_test_games);
    text_add(text, "%-14s%10s  %-16s%10s%10s%10s%12s\n", "", "cells", "95 % interval", "boards",
             "non-empty", "flipped", "objective");
    for (int i = 0; i < result->n_layers; i++) {
        const LayerScore *layer = &result->layers[i];
        probe_layer_name(name, layer->layer);
        text_add(text, "%-12s%c ", name, probe_view_mark(view, i));
        print_score(text, &layer->test);
        text_add(text, "%12.4f\n", layer->fit.objective);
        if (layer->fit.n_unconverged > 0) {
            text_add(text, "  %zu squares stopped above the gradient tolerance\n",
                     layer->fit.n_unconverged);
        }
        if (probe->l2 == FIT_L2_AUTO) {
            text_add(text, "  l2 %g, chosen on validation games\n", layer->fit.l2);
        }
        print_check(text, layer);
    }
    if (result->has_control[CONTROL_MAJORITY]) {
        print_controls(text, result);
    }
    probe_view_legend(text);
    probe_view_controls(text, view);
}

/* ---- what a reader must not overlook ---- */

void probe_warn(const Context *context, const SweepResult *result, const Probe *probe)
{
    const ProbeScore *line = &result->control[CONTROL_HISTORY];
    const ProbeScore *mlp = &result->control[CONTROL_HISTORY_MLP];
    if (result->has_control[CONTROL_MAJORITY] && (int64_t)result->n_train < probe->n_positions) {
        context_warn(context,
                     "the controls were fitted on %zu positions, the probe on %lld: they are "
                     "weaker than they could be; give --games and --plies of the probe",
                     result->n_train, (long long)probe->n_positions);
    }
    if (result->has_control[CONTROL_HISTORY] && result->has_control[CONTROL_HISTORY_MLP] &&
        mlp->accuracy.value < line->accuracy.low) { /* by more than chance */
        context_warn(context,
                     "the history MLP reads %.2f %% of cells, the linear history %.2f %%: hold the "
                     "probe against the linear one, or give more --games",
                     100 * mlp->accuracy.value, 100 * line->accuracy.value);
    }
    if (result->has_control[CONTROL_HISTORY_MLP] &&
        result->control_fit[CONTROL_HISTORY_MLP].kept == HIDDEN_EPOCHS) {
        context_warn(context,
                     "the history MLP was best after its last epoch, %d: more --games would teach "
                     "it more",
                     HIDDEN_EPOCHS);
    }
}
