/* cli/commands/board/probe_view.c - breakdowns, tests and pictures of a probe's scores. See
 * cli/commands/board/probe_view.h. */
#include "cli/commands/board/probe_view.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "report/heat.h"
#include "report/intervals.h"
#include "game/notation.h"

int probe_view_scored(ProbeView *view, int layer, int control, const LabelledSet *truth,
                      const uint8_t *predicted)
{
    return readings_add(&view->readings, layer, control, truth, predicted, &view->work);
}

static const Reading *best_reading(const ProbeView *view)
{
    const SweepResult *result = view->result;
    return readings_find(&view->readings, result->layers[result->best].layer, READING_PROBE);
}

/* The tests of one family: readings with a sum, in the order asked for. */
static int test_family(PairedTest *out, PairedQuestion *questions, size_t n, const Work *work)
{
    PairedQuestion asked[LAYERS_MAX] = {{0}};
    PairedTest tests[LAYERS_MAX];
    size_t of[LAYERS_MAX], n_asked = 0;
    for (size_t i = 0; i < n; i++) {
        out[i] = (PairedTest){{NAN, NAN, NAN}, NAN, NAN};
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

int probe_view_finish(ProbeView *view, const Probe *probe, const SweepResult *result)
{
    enum { CHANCE = N_CONTROLS, N_QUESTIONS };
    PairedQuestion layers[LAYERS_MAX] = {{0}}, controls[N_QUESTIONS] = {{0}};
    PairedTest tests[N_QUESTIONS];
    view->probe = probe;
    view->result = result;
    const Reading *best = best_reading(view);
    for (int i = 0; i < result->n_layers; i++) {
        const Reading *layer =
            readings_find(&view->readings, result->layers[i].layer, READING_PROBE);
        layers[i] = (PairedQuestion){layer ? &layer->sums : NULL, best ? &best->sums : NULL};
    }
    for (int control = 0; control < N_CONTROLS; control++) {
        const Reading *other = readings_find(&view->readings, 0, control);
        controls[control] =
            (PairedQuestion){best ? &best->sums : NULL, other ? &other->sums : NULL};
    }
    const Reading *shuffled = readings_find(&view->readings, 0, CONTROL_SHUFFLED);
    const Reading *chance = readings_find(&view->readings, 0, CONTROL_CHANCE);
    controls[CHANCE] =
        (PairedQuestion){shuffled ? &shuffled->sums : NULL, chance ? &chance->sums : NULL};
    int rc = test_family(view->layer, layers, (size_t)result->n_layers, &view->work);
    rc = rc ? rc : test_family(tests, controls, N_QUESTIONS, &view->work);
    if (rc == 0) {
        memcpy(view->control, tests, sizeof(view->control));
        view->chance = tests[CHANCE];
    }
    return rc;
}

void probe_view_release(ProbeView *view)
{
    readings_release(&view->readings);
}

/* ---- text ---- */

void probe_layer_name(char out[16], int layer)
{
    if (layer == LAYER_EMBED) {
        snprintf(out, 16, "embed");
    } else {
        snprintf(out, 16, "layer %d", layer);
    }
}

char probe_view_mark(const ProbeView *view, int index)
{
    if (index == view->result->best) {
        return '*';
    }
    return view->layer[index].p_holm >= DIFFERS_BELOW ? '=' : ' ';
}

void probe_view_legend(Text *text)
{
    text_add(text,
             "* best layer on validation games; all scores are of test games\n"
             "= not told apart from the best layer (paired bootstrap over games, Holm, 5 %%)\n");
}

void probe_view_controls(Text *text, const ProbeView *view)
{
    bool first = true;
    for (int control = 0; control < N_CONTROLS; control++) {
        const PairedTest *test = &view->control[control];
        if (!isnan(test->p)) {
            text_add(text, "%s  %-13s %+7.2f  [%+.2f, %+.2f]  p %.4f\n",
                     first ? "best layer less its controls, points of cells (p after Holm)\n" : "",
                     control_name((Control)control), 100 * test->difference.value,
                     100 * test->difference.low, 100 * test->difference.high, test->p_holm);
            first = false;
        }
    }
    if (!isnan(view->chance.p)) {
        bool leaks = view->chance.difference.value > 0 && view->chance.p_holm < DIFFERS_BELOW;
        text_add(text, "  shuffled less majority %+.2f  [%+.2f, %+.2f]  p %.4f: %s\n",
                 100 * view->chance.difference.value, 100 * view->chance.difference.low,
                 100 * view->chance.difference.high, view->chance.p_holm,
                 leaks ? "above chance, so something leaks" : "not above chance, as it must be");
    }
}

void probe_view_heat(Text *text, const ProbeView *view, bool colour)
{
    const SweepResult *result = view->result;
    const Reading *best = best_reading(view);
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
    draw_bars(text, "cells by layer", pointers, accuracy, (size_t)result->n_layers, lowest, 1);
    for (int s = 0; s < view->probe->n_squares; s++) {
        BreakdownRow row = {.accuracy = NAN};
        if (best) {
            breakdown_row(&row, &best->breakdown, BY_SQUARE, s);
        }
        values[s] = row.accuracy;
    }
    snprintf(title, sizeof(title), "\ncells by square, %s, %%", names[result->best]);
    draw_heat(text, game_variant(view->probe->size), title, values, 1, colour);
}

/* ---- JSON ---- */

/* What a key stands for, or null: classes and squares have names. */
static Js *key_name(const Probe *probe, BreakdownKind kind, int key)
{
    char name[3];
    if (kind == BY_CLASS) {
        return js_str(probe->classes[key]);
    }
    if (kind == BY_SQUARE) {
        square_print(name, task_square(game_variant(probe->size), key));
        return js_str(name);
    }
    return js_null();
}

static void row_members(Js *out, const BreakdownRow *row, const Probe *probe, BreakdownKind kind,
                        int key)
{
    js_set_int(out, "key", key);
    js_set(out, "name", key_name(probe, kind, key));
    js_set_int(out, "cells", (int64_t)row->cells);
    js_set_num(out, "accuracy", row->accuracy);
    js_set_num(out, "precision", row->precision);
    js_set_num(out, "f1", row->f1);
    js_set_num(out, "board_exact", row->board_exact);
}

static void reading_rows(Js *rows, const ProbeView *view, const Reading *reading)
{
    BreakdownRow row;
    for (int kind = 0; kind < N_BREAKDOWNS; kind++) {
        for (int key = 0; key < BREAKDOWN_KEYS; key++) {
            if (!breakdown_row(&row, &reading->breakdown, (BreakdownKind)kind, key)) {
                continue;
            }
            Js *object = js_object();
            js_set_str(object, "task", view->probe->task);
            js_set_int(object, "layer", reading->layer);
            js_set(object, "control",
                   reading->control == READING_PROBE
                       ? js_null()
                       : js_str(control_name((Control)reading->control)));
            js_set_str(object, "kind", breakdown_name((BreakdownKind)kind));
            row_members(object, &row, view->probe, (BreakdownKind)kind, key);
            js_push(rows, object);
        }
    }
}

Js *probe_view_rows(const ProbeView *view)
{
    Js *rows = js_array();
    for (size_t i = 0; i < view->readings.n; i++) {
        if (view->readings.list[i]->control != CONTROL_CHANCE) { /* held against `shuffled` only */
            reading_rows(rows, view, view->readings.list[i]);
        }
    }
    return rows;
}

void probe_test_json(Js *object, const PairedTest *test)
{
    js_set_interval(object, "difference", test->difference);
    js_set_num(object, "p", test->p);
    js_set_num(object, "p_holm", test->p_holm);
    js_set_bool(object, "differs", test->p_holm < DIFFERS_BELOW);
}

/* control: what is held against it, NULL: the probe. */
static void push_test(Js *rows, const ProbeView *view, int layer, const char *control,
                      const char *against, const PairedTest *test)
{
    if (isnan(test->p)) {
        return;
    }
    Js *row = js_object();
    js_set_str(row, "task", view->probe->task);
    js_set_int(row, "layer", layer);
    js_set(row, "control", control ? js_str(control) : js_null());
    js_set_str(row, "against", against);
    js_set_str(row, "score", "accuracy");
    probe_test_json(row, test);
    js_push(rows, row);
}

Js *probe_view_tests(const ProbeView *view)
{
    const SweepResult *result = view->result;
    int best = result->layers[result->best].layer;
    char name[16];
    Js *rows = js_array();
    probe_layer_name(name, best);
    for (int i = 0; i < result->n_layers; i++) {
        push_test(rows, view, result->layers[i].layer, NULL, name, &view->layer[i]);
    }
    for (int control = 0; control < N_CONTROLS; control++) {
        push_test(rows, view, best, NULL, control_name((Control)control), &view->control[control]);
    }
    push_test(rows, view, best, control_name(CONTROL_SHUFFLED), control_name(CONTROL_MAJORITY),
              &view->chance);
    return rows;
}

void probe_view_json(Js *document, const ProbeView *view)
{
    const Reading *best = best_reading(view);
    BreakdownRow row;
    char name[32];
    for (int kind = 0; kind < N_BREAKDOWNS && best; kind++) {
        Js *list = js_array();
        for (int key = 0; key < BREAKDOWN_KEYS; key++) {
            if (breakdown_row(&row, &best->breakdown, (BreakdownKind)kind, key)) {
                Js *object = js_object();
                row_members(object, &row, view->probe, (BreakdownKind)kind, key);
                js_push(list, object);
            }
        }
        snprintf(name, sizeof(name), "by_%s", breakdown_name((BreakdownKind)kind));
        js_set(document, name, list);
    }
    js_set(document, "tests", probe_view_tests(view));
}

void probe_class_json(Js *object, const ProbeScore *score, const Probe *probe)
{
    Js *classes = js_array();
    js_set_interval(object, "f1", score->f1);
    for (int k = 0; k < probe->n_classes; k++) {
        const ClassScore *class = &score->of_class[k];
        Js *row = js_object();
        js_set_str(row, "class", probe->classes[k]);
        js_set_int(row, "cells", (int64_t) class->n_true);
        js_set_num(row, "precision", class->precision);
        js_set_num(row, "recall", class->recall);
        js_set_interval(row, "f1", class->f1);
        js_push(classes, row);
    }
    js_set(object, "classes", classes);
}
