/* report/results/probe_tables.c - columns and rows of a probe's result. Contract in
 * report/results/probe_result.h. */
#include <math.h>
#include <stdio.h>

#include "report/specs/probe_figures.h"
#include "report/results/probe_result.h"
#include "game/notation.h"
#include "report/intervals.h"

/* ---- columns ---- */

#define TEXT(key_, heading_) .key = key_, .heading = heading_, .type = COLUMN_TEXT
#define DETAIL(key_, type_) .key = key_, .heading = key_, .type = type_, .flags = COLUMN_WIDE
#define COUNT(key_, heading_) .key = key_, .heading = heading_, .type = COLUMN_COUNT
#define LAYER(key_, heading_) .key = key_, .heading = heading_, .type = COLUMN_LAYER
#define YES_NO(key_, heading_) .key = key_, .heading = heading_, .type = COLUMN_YES_NO
#define SHARE(key_, heading_) .key = key_, .heading = heading_, .unit = "%", .digits = 2
#define OTHER(key_, type_) .key = key_, .type = type_, .flags = COLUMN_UNSTORED
#define SCORE(key_, heading_, flags_, meaning_)                                                    \
    {                                                                                              \
        SHARE(key_, heading_), .interval = true, .meaning = meaning_, .flags = flags_              \
    }
/* Scores of test games, of a layer and of a control alike. */
#define SCORES                                                                                     \
    SCORE("accuracy", "accuracy", 0, "right cells (positions x squares)"),                         \
        SCORE("board_exact", "exact boards", COLUMN_BRIEF, "positions with every square right"),   \
        SCORE("nonempty_accuracy", "non-empty", COLUMN_BRIEF, "accuracy over discs"),              \
        SCORE("flipped_accuracy", "flipped", COLUMN_BRIEF, "over discs that were turned over"),    \
        SCORE("f1", "F1", COLUMN_WIDE, "of class 1; the mean of three classes or more"),           \
    {                                                                                              \
        OTHER("classes", COLUMN_NESTED)                                                            \
    }

static const Column layer_columns[] = {
    {LAYER("layer", "layer")},
    {TEXT("standing", "standing"), .flags = COLUMN_UNSTORED,
     .meaning = "best: on validation games; level: not told apart from the best"},
    {DETAIL("task", COLUMN_TEXT)},
    {DETAIL("site", COLUMN_TEXT)},
    {DETAIL("solver", COLUMN_TEXT)},
    SCORES,
    {SHARE("validation_accuracy", "validation"), .flags = COLUMN_WIDE,
     .meaning = "accuracy on validation games, which choose the best layer"},
    {.key = "objective",
     .heading = "objective",
     .digits = 4,
     .meaning = "what the solver minimised, summed over squares"},
    {DETAIL("l2", COLUMN_NUMBER), .digits = -1},
    {.key = "seconds", .heading = "time", .unit = "s", .flags = COLUMN_TIME | COLUMN_WIDE},
    {OTHER("rounds", COLUMN_COUNT)},
    {OTHER("kept_epoch", COLUMN_COUNT)},
    {OTHER("unconverged_squares", COLUMN_COUNT)},
    {OTHER("unconverged", COLUMN_NESTED)},
    {OTHER("absent_classes", COLUMN_COUNT)},
    {TEXT("model_hash", NULL)},
    {TEXT("corpus_hash", NULL)},
    {OTHER("controls", COLUMN_NESTED)},
    {.key = "check_difference"},
    {OTHER("check", COLUMN_NESTED)},
};
const TableSpec probe_layers_table = {"layers", "probe_layers", TABLE_COLUMNS(layer_columns),
                                      TABLE_FIGURES(layer_figures)};

static const Column step_columns[] = {
    {COUNT("step", "step")},
    {COUNT("games", "games")},
    {DETAIL("task", COLUMN_TEXT)},
    {LAYER("layer", "layer")},
    SCORE("accuracy", "accuracy", 0, "right cells (positions x squares)"),
    SCORE("board_exact", "exact boards", COLUMN_BRIEF, "positions with every square right"),
    {SHARE("validation_accuracy", "validation"), .flags = COLUMN_WIDE,
     .meaning = "accuracy on validation games"},
    {TEXT("model_hash", NULL)},
    {TEXT("corpus_hash", NULL)},
};
const TableSpec probe_steps_table = {"steps", "probe_steps", TABLE_COLUMNS(step_columns),
                                     TABLE_FIGURES(step_figures)};

static const Column control_columns[] = {
    {DETAIL("task", COLUMN_TEXT)},
    {TEXT("control", "control")},
    {LAYER("layer", "layer")},
    SCORES,
    {COUNT("kept_epoch", "kept epoch"), .meaning = "0: the linear fit that it began as"},
    {YES_NO("trained", "trained"),
     .meaning = "no: it reads less than a simpler control, so nothing is compared with it"},
    {YES_NO("planted_reached", "reached"), .meaning = "whether the solver finds what is there"},
    {.key = "seconds", .flags = COLUMN_TIME | COLUMN_UNSTORED},
};
const TableSpec probe_controls_table = {"controls", "probe_controls",
                                        TABLE_COLUMNS(control_columns)};

static const Column breakdown_columns[] = {
    {DETAIL("task", COLUMN_TEXT)},
    {LAYER("layer", "layer")},
    {TEXT("control", "control")},
    {TEXT("kind", "by")},
    {COUNT("key", "key")},
    {TEXT("name", "name")},
    {COUNT("cells", "cells")},
    {SHARE("accuracy", "accuracy")},
    {SHARE("precision", "precision")},
    {SHARE("f1", "F1")},
    {SHARE("board_exact", "exact boards")},
};
const TableSpec probe_breakdown_table = {"breakdown", "probe_breakdown",
                                         TABLE_COLUMNS(breakdown_columns),
                                         TABLE_FIGURES(breakdown_figures)};

static const Column test_columns[] = {
    {TEXT("probe", "probe")},
    {DETAIL("task", COLUMN_TEXT)},
    {LAYER("layer", "layer")},
    {TEXT("control", "control")},
    {TEXT("against", "minus")},
    {DETAIL("score", COLUMN_TEXT)},
    {SHARE("difference", "difference"), .interval = true},
    {DETAIL("p", COLUMN_NUMBER), .digits = 4},
    {.key = "p_holm",
     .heading = "p (Holm)",
     .digits = 4,
     .meaning = "paired bootstrap over games, corrected for all tests made together"},
    {YES_NO("differs", "differs")},
};
const TableSpec probe_tests_table = {"tests", "probe_tests", "differences on the same games",
                                     TABLE_COLUMNS(test_columns), TABLE_FIGURES(test_figures)};

static const Column summary_columns[] = {
    {TEXT("probe", "probe")},
    {TEXT("task", "task")},
    {TEXT("labels", "labels")},
    {TEXT("solver", "solver")},
    {TEXT("site", "site")},
    {COUNT("hidden", "hidden units")},
    {TEXT("model_hash", NULL)},
    {TEXT("corpus_hash", NULL)},
    {COUNT("probe_games", "games of the fit")},
    {COUNT("probe_positions", "positions of the fit")},
    {COUNT("training_games", "training games")},
    {COUNT("training_positions", "training positions")},
    {COUNT("validation_positions", "validation positions")},
    {COUNT("test_positions", "test positions")},
    {LAYER("best_layer", "best layer")},
    {YES_NO("planted_reached", "planted board reached")},
};
const TableSpec probe_summary_table = {
    .name = "summary", .record = true, TABLE_COLUMNS(summary_columns)};

/* ---- rows ---- */

static void scores_add(Table *table, const ProbeScore *score, const Probe *probe)
{
    Js *classes = js_array();
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
    table_interval(table, "accuracy", score->accuracy);
    table_interval(table, "board_exact", score->board);
    table_interval(table, "nonempty_accuracy", score->nonempty);
    table_interval(table, "flipped_accuracy", score->flipped);
    table_interval(table, "f1", score->f1);
    table_set(table, "classes", classes);
}

/* Whether a control reads the network at one layer, the best. */
static bool at_best(int control)
{
    return control == CONTROL_RANDOM_MODEL || control == CONTROL_SHUFFLED;
}

/* Accuracies of the controls, for one layer: null where a control was fitted at the best only. */
static Js *controls_at(const SweepResult *result, int index)
{
    Js *controls = js_object();
    for (int control = 0; control < N_CONTROLS; control++) {
        bool there = result->has_control[control] && (!at_best(control) || index == result->best);
        js_set(controls, control_name((Control)control),
               there ? js_num(result->control[control].accuracy.value) : js_null());
    }
    return controls;
}

static Js *check_of(const FitCheck *check)
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

static const char *standing_of(const Swept *swept, int index)
{
    double p = swept->layer[index].p_holm;
    return index == swept->result.best ? "best"
           : isnan(p)                  ? NULL
           : p < DIFFERS_BELOW         ? "differs"
                                       : "level";
}

static Js *int_if(bool known, int64_t value)
{
    return known ? js_int(value) : js_null();
}

/* Names of the squares whose fit met its bound of rounds. */
static Js *unconverged_names(const Probe *probe, uint64_t squares)
{
    Js *names = js_array();
    for (int s = 0; s < probe->n_squares; s++) {
        char name[3];
        if (squares >> s & 1) {
            square_print(name, task_square(game_variant(probe->size), s));
            js_push(names, js_str(name));
        }
    }
    return names;
}

static void layer_add(Table *table, const ProbeFindings *found, int index)
{
    const Probe *probe = found->probe;
    const LayerScore *score = &found->swept->result.layers[index];
    const FitReport *fit = &score->fit;
    bool counted = !isnan(score->seconds); /* else the probe's file does not say */
    table_row(table);
    table_int(table, "layer", score->layer);
    table_text(table, "standing", standing_of(found->swept, index));
    table_text(table, "task", probe->task);
    table_text(table, "site", hook_site_name(probe->site));
    table_text(table, "solver", probe->solver);
    scores_add(table, &score->test, probe);
    table_num(table, "validation_accuracy", score->validation);
    table_num(table, "objective", fit->objective);
    table_num(table, "l2", fit->l2);
    table_num(table, "seconds", score->seconds);
    table_set(table, "rounds", int_if(counted, fit->rounds));
    table_set(table, "kept_epoch", int_if(probe->n_hidden > 0, fit->kept));
    table_set(table, "unconverged_squares", int_if(counted, (int64_t)fit->n_unconverged));
    table_set(table, "unconverged", unconverged_names(probe, fit->unconverged));
    table_set(table, "absent_classes", int_if(counted, (int64_t)fit->n_absent));
    table_text(table, "model_hash", probe->model_hash);
    table_text(table, "corpus_hash", probe->corpus_hash);
    table_set(table, "controls", controls_at(&found->swept->result, index));
    if (score->has_check) {
        table_num(table, "check_difference", score->check.difference);
        table_set(table, "check", check_of(&score->check));
    }
}

void probe_tables_step(Table *table, int64_t step, int64_t games, const Probe *probe,
                       const SweepResult *result)
{
    for (int i = 0; i < result->n_layers; i++) {
        const LayerScore *layer = &result->layers[i];
        table_row(table);
        table_int(table, "step", step);
        table_set(table, "games", int_if(games >= 0, games));
        table_text(table, "task", probe->task);
        table_int(table, "layer", layer->layer);
        table_interval(table, "accuracy", layer->test.accuracy);
        table_interval(table, "board_exact", layer->test.board);
        table_num(table, "validation_accuracy", layer->validation);
        table_text(table, "model_hash", probe->model_hash);
        table_text(table, "corpus_hash", probe->corpus_hash);
    }
}

/* Null if that control was left out. */
static Js *planted_reached(const ProbeFindings *found)
{
    return found->swept->result.has_control[CONTROL_PLANTED] ? js_bool(swept_planted(found->swept))
                                                             : js_null();
}

static void controls_fill(Report *report, const ProbeFindings *found)
{
    const SweepResult *result = &found->swept->result;
    Table *table = report_table(report, &probe_controls_table);
    for (int control = 0; control < N_CONTROLS; control++) {
        if (!result->has_control[control]) {
            continue;
        }
        bool mlp = control == CONTROL_HISTORY_MLP, planted = control == CONTROL_PLANTED;
        Control than;
        table_row(table);
        table_text(table, "task", found->probe->task);
        table_text(table, "control", control_name((Control)control));
        table_set(table, "layer", int_if(at_best(control), result->layers[result->best].layer));
        scores_add(table, &result->control[control], found->probe);
        table_set(table, "kept_epoch", int_if(mlp, result->control_fit[control].kept));
        table_set(table, "trained",
                  mlp ? js_bool(!swept_untrained(&than, found->swept, (Control)control))
                      : js_null());
        table_set(table, "planted_reached", planted ? planted_reached(found) : js_null());
        table_num(table, "seconds", result->control_seconds[control]);
    }
    table->hidden = table_rows(table) == 0;
}

/* What a key of a breakdown means, or null: classes and squares have names. */
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

static Js *breakdown_numbers(const BreakdownRow *row, const Probe *probe, BreakdownKind kind,
                             int key)
{
    Js *out = js_object();
    js_set_int(out, "key", key);
    js_set(out, "name", key_name(probe, kind, key));
    js_set_int(out, "cells", (int64_t)row->cells);
    js_set_num(out, "accuracy", row->accuracy);
    js_set_num(out, "precision", row->precision);
    js_set_num(out, "f1", row->f1);
    js_set_num(out, "board_exact", row->board_exact);
    return out;
}

/* Rows of one reading and kind. Returns their numbers alone, for the document; owned. */
static Js *breakdown_add(Table *table, const Probe *probe, const Reading *reading,
                         BreakdownKind kind)
{
    BreakdownRow row;
    Js *list = js_array();
    bool probed = reading->control == READING_PROBE;
    for (int key = 0; key < BREAKDOWN_KEYS; key++) {
        void *it = NULL;
        const char *member;
        const Js *value;
        if (!breakdown_row(&row, &reading->breakdown, kind, key)) {
            continue;
        }
        Js *numbers = breakdown_numbers(&row, probe, kind, key);
        table_row(table);
        table_text(table, "task", probe->task);
        table_int(table, "layer", reading->layer);
        table_text(table, "control", probed ? NULL : control_name((Control)reading->control));
        table_text(table, "kind", breakdown_name(kind));
        while (js_next(numbers, &it, &member, &value)) {
            table_set(table, member, js_keep(value));
        }
        js_push(list, numbers);
    }
    return list;
}

static void breakdown_fill(Report *report, const ProbeFindings *found)
{
    const Readings *readings = &found->swept->readings;
    Table *table = report_table(report, &probe_breakdown_table);
    table->hidden = table->undocumented = true;
    for (size_t i = 0; i < readings->n; i++) {
        const Reading *reading = readings->list[i];
        if (reading->control == CONTROL_CHANCE) { /* what `shuffled` is compared with, no result */
            continue;
        }
        for (BreakdownKind kind = 0; kind < N_BREAKDOWNS; kind++) {
            Js *list = breakdown_add(table, found->probe, reading, kind);
            char name[32];
            snprintf(name, sizeof(name), "by_%s", breakdown_name(kind));
            if (reading == swept_best(found->swept)) {
                report_json(report, name, js_keep(list));
            }
            js_free(list);
        }
    }
}

void probe_tables_test(Table *table, const PairedTest *test)
{
    table_interval(table, "difference", test->difference);
    table_num(table, "p", test->p);
    table_num(table, "p_holm", test->p_holm);
    table_bool(table, "differs", test->p_holm < DIFFERS_BELOW);
}

/* control: the left side; NULL: the probe. */
static void test_add(Table *table, const char *task, int layer, const char *control,
                     const char *against, const PairedTest *test)
{
    if (!isnan(test->p)) {
        table_row(table);
        table_text(table, "task", task);
        table_int(table, "layer", layer);
        table_text(table, "control", control);
        table_text(table, "against", against);
        table_text(table, "score", "accuracy");
        probe_tables_test(table, test);
    }
}

static void tests_fill(Report *report, const ProbeFindings *found)
{
    const Swept *swept = found->swept;
    const SweepResult *result = &swept->result;
    const char *task = found->probe->task;
    int best = result->layers[result->best].layer;
    char name[16];
    Table *table = report_table(report, &probe_tests_table);
    probe_layer_name(name, best);
    for (int i = 0; i < result->n_layers; i++) {
        test_add(table, task, result->layers[i].layer, NULL, name, &swept->layer[i]);
    }
    for (int control = 0; control < N_CONTROLS; control++) {
        test_add(table, task, best, NULL, control_name((Control)control), &swept->control[control]);
    }
    test_add(table, task, best, control_name(CONTROL_SHUFFLED), control_name(CONTROL_MAJORITY),
             &swept->chance);
    table->hidden = table_rows(table) == 0;
}

static void summary_fill(Report *report, const ProbeFindings *found)
{
    const Probe *probe = found->probe;
    const SweepResult *result = &found->swept->result;
    Table *table = report_table(report, &probe_summary_table);
    table->hidden = true; /* people read probe_text_head */
    table_text(table, "probe", found->path);
    table_text(table, "task", probe->task);
    table_text(table, "labels", probe->labels);
    table_text(table, "solver", probe->solver);
    table_text(table, "site", hook_site_name(probe->site));
    table_int(table, "hidden", probe->n_hidden);
    table_text(table, "model_hash", probe->model_hash);
    table_text(table, "corpus_hash", found->corpus_hash);
    table_int(table, "probe_games", probe->n_games);
    table_int(table, "probe_positions", probe->n_positions);
    table_int(table, "training_games", (int64_t)result->n_train_games);
    table_int(table, "training_positions", (int64_t)result->n_train);
    table_int(table, "validation_positions", (int64_t)result->n_validation);
    table_int(table, "test_positions", (int64_t)result->n_test);
    table_int(table, "best_layer", result->layers[result->best].layer);
    table_set(table, "planted_reached", planted_reached(found));
    report_json(report, "l2", probe->l2 == FIT_L2_AUTO ? js_str("auto") : js_num(probe->l2));
}

void probe_tables_fill(Report *report, const ProbeFindings *found)
{
    summary_fill(report, found);
    probe_text_head(report_text(report), found);
    Table *layers = report_table(report, &probe_layers_table);
    for (int i = 0; i < found->swept->result.n_layers; i++) {
        layer_add(layers, found, i);
    }
    probe_text_notes(report_text(report), found);
    controls_fill(report, found);
    probe_text_planted(report_text(report), found);
    probe_text_history(report_text(report), found);
    breakdown_fill(report, found);
    tests_fill(report, found);
}
