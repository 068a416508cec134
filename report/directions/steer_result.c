/* report/directions/steer_result.c - contract in report/directions/steer_result.h. */
#include "report/directions/steer_result.h"

#include <stdio.h>
#include <string.h>

/* ---- columns ---- */

static const Column whole_columns[] = {
    {"identity_error", "max |ablated pass - ablated weights|", .digits = -1,
     .meaning = "of a logit, as a share of the largest: rounding"},
    {"identity_cases", NULL, .type = COLUMN_COUNT},
    {"source", "games from", .type = COLUMN_TEXT},
    {"model_hash", NULL, .type = COLUMN_TEXT},
    {"target", "target", .type = COLUMN_TEXT},
    {"meaning", "which means", .type = COLUMN_TEXT},
    {"square", "square", .type = COLUMN_TEXT},
    {"origin", "vectors from", .type = COLUMN_TEXT},
    {"probe", "probe", .type = COLUMN_TEXT},
    {"heads", "heads", .type = COLUMN_TEXT},
    {"sae", "autoencoder", .type = COLUMN_TEXT},
    {"features", "features", .type = COLUMN_TEXT},
    {"per_state", "features a state", .type = COLUMN_COUNT, .meaning = "of each state of a square"},
    {"features_positions", "chosen on", .type = COLUMN_COUNT,
     .meaning = "positions of other games"},
    {"site", "site", .type = COLUMN_TEXT},
    {"layers", "layers", .type = COLUMN_TEXT, .meaning = "best of those tried, on tuning games"},
    {"alpha", "alpha", .digits = 2, .meaning = "times the vector; chosen with the layers"},
    {"norm", "length", .digits = 2, .meaning = "of the vector, mean over squares"},
    {"positions", "steered at", .type = COLUMN_TEXT},
    {"fit_positions", "positions to fit on", .type = COLUMN_COUNT},
    {"least", "of the rarest class", .type = COLUMN_COUNT},
    {"tuning_cases", "tuning positions", .type = COLUMN_COUNT},
    {"games", "games", .type = COLUMN_COUNT},
    {"cases", "positions", .type = COLUMN_COUNT},
    {"caring", "that care", .type = COLUMN_COUNT,
     .meaning = "the edited board has other legal moves"},
    {"left_out", "left out", .type = COLUMN_COUNT,
     .meaning = "positions without a square to edit, or where the game could not go on"},
    {"repeated", "repeated", .type = COLUMN_COUNT,
     .meaning = "positions whose history an earlier one has: left out too"},
    {"null_error", "null error", .digits = 3, .interval = true,
     .meaning = "wrong moves, not steered, by the edited board"},
    {"self_error", "self error", .digits = 3, .interval = true,
     .meaning = "wrong moves, not steered, by its own board"},
    {"out", "network written", .type = COLUMN_TEXT},
    {"out_hash", NULL, .type = COLUMN_TEXT},
};
const TableSpec steer_table = {
    .name = "steer_run", .kind = "steer", TABLE_COLUMNS(whole_columns), .record = true};

static const Column arm_columns[] = {
    {"arm", "arm", .type = COLUMN_TEXT},
    {"meaning", "what is added", .type = COLUMN_TEXT, .flags = COLUMN_MINOR},
    {"error", "error", .digits = 3, .interval = true,
     .meaning = "wrong moves by the edited board, where it cares"},
    {"closed", "closed", .digits = 3, .interval = true,
     .meaning = "share of the gap from null to self"},
    {"gain", "gain", .digits = 3, .interval = true, .flags = COLUMN_BRIEF,
     .meaning = "wrong moves of null minus those of the arm, paired"},
    {"behind", "behind", .digits = 3, .interval = true, .flags = COLUMN_BRIEF,
     .meaning = "wrong moves of the arm minus those of steer, paired"},
    {"drift", "drift", .digits = 3, .interval = true, .flags = COLUMN_BRIEF,
     .meaning = "wrong moves by the board before the edit"},
    {"strict_error", "strict", .unit = "%", .digits = 1, .interval = true, .flags = COLUMN_BRIEF},
    {"shift", "shift", .unit = "nats", .digits = 3, .interval = true, .flags = COLUMN_BRIEF,
     .meaning = "of newly legal against newly illegal moves, more than null"},
    {"kl_caring", "KL", .unit = "nats", .digits = 4, .interval = true, .flags = COLUMN_BRIEF,
     .meaning = "from null, where the board cares"},
    {"kl_others", "KL elsewhere", .unit = "nats", .digits = 4, .interval = true,
     .meaning = "where the edit changes no legal move: damage"},
    {"error_others", "error there", .digits = 3, .interval = true, .flags = COLUMN_BRIEF},
};
static const FigurePart arm_parts[] = {{.x = "arm", .y = {"closed"}}};
static const FigureSpec arm_figures[] = {{.name = "steer",
                                          .title = "share of the gap that an arm closes",
                                          .kind = FIGURE_DOTS,
                                          FIGURE_PARTS(arm_parts)}};
const TableSpec steer_arms_table = {"arms", "steer_arms", "steered, judged by the edited board",
                                    TABLE_COLUMNS(arm_columns), TABLE_FIGURES(arm_figures)};

static const Column ablation_columns[] = {
    {"arm", "arm", .type = COLUMN_TEXT},
    {"layer", "of layer", .type = COLUMN_LAYER},
    {"error", "error", .digits = 3, .interval = true,
     .meaning = "wrong moves by its own board, where the property matters"},
    {"more", "more than null", .digits = 3, .interval = true, .meaning = "paired"},
    {"strict_error", "strict", .unit = "%", .digits = 1, .interval = true, .flags = COLUMN_BRIEF},
    {"kl_caring", "KL", .unit = "nats", .digits = 4, .interval = true, .flags = COLUMN_BRIEF},
    {"error_others", "error elsewhere", .digits = 3, .interval = true, .flags = COLUMN_BRIEF,
     .meaning = "where it changes no legal move"},
    {"more_others", "more", .digits = 3, .interval = true},
    {"strict_others", "strict there", .unit = "%", .digits = 1, .interval = true,
     .flags = COLUMN_BRIEF},
    {"kl_others", "KL elsewhere", .unit = "nats", .digits = 4, .interval = true},
};
const TableSpec steer_ablation_table = {"ablation", "steer_ablation",
                                        "the direction taken out of all that is written",
                                        TABLE_COLUMNS(ablation_columns)};

static const Column trial_columns[] = {
    {"layers", "layers", .type = COLUMN_TEXT},
    {"alpha", "alpha", .digits = 2},
    {"error", "error", .digits = 3, .interval = true},
    {"kl_others", "KL elsewhere", .unit = "nats", .digits = 4, .interval = true},
};
static const FigurePart trial_parts[] = {{.x = "alpha", .y = {"error"}, .series = "layers"}};
static const FigureSpec trial_figures[] = {{.name = "trials",
                                            .title = "wrong moves by layer and scale",
                                            .kind = FIGURE_LINES,
                                            FIGURE_PARTS(trial_parts)}};
const TableSpec steer_trials_table = {"trials", "steer_trials", "layers and scales, tuning games",
                                      TABLE_COLUMNS(trial_columns), TABLE_FIGURES(trial_figures)};

static const Column head_columns[] = {
    {"head", "head", .type = COLUMN_TEXT},
    {"layer", NULL, .type = COLUMN_LAYER},
    {"number", NULL, .type = COLUMN_COUNT},
    {"taken", "taken", .type = COLUMN_YES_NO},
    {"effect", "effect", .unit = "nats", .digits = 3, .interval = true,
     .meaning = "rise of newly legal over newly illegal moves"},
};
const TableSpec steer_heads_table = {"heads", "steer_heads",
                                     "heads by what their mean output does, tuning games",
                                     TABLE_COLUMNS(head_columns)};

/* ---- rows ---- */

static void layers_text(char out[192], uint64_t layers)
{
    size_t n = 0;
    out[0] = '\0';
    for (int l = 0; l < 64 && n + 8 < 192; l++) {
        if (layers >> l & 1) {
            n += (size_t)snprintf(out + n, 192 - n, "%s%d", n > 0 ? "," : "", l);
        }
    }
}

static bool of_heads(const SteerFindings *f)
{
    return f->study->n_ranked > 0;
}

static size_t n_taken(const SteerFindings *f)
{
    const size_t n = f->in->options.n_heads;
    return n < f->study->n_ranked ? n : f->study->n_ranked;
}

static void heads_text(char *out, size_t room, const SteerFindings *f)
{
    size_t used = 0;
    for (size_t h = 0; h < n_taken(f) && used + 16 < room; h++) {
        used += (size_t)snprintf(out + used, room - used, "%sL%dH%d", h > 0 ? " " : "",
                                 f->study->heads[h].layer, f->study->heads[h].head);
    }
}

static void whole_fill(Table *table, const SteerFindings *f)
{
    const SteerOptions *options = &f->in->options;
    const SteerCases *test = f->in->test;
    char text[192];
    table_num(table, "identity_error", f->study->identity_error);
    table_int(table, "identity_cases", (int64_t)f->study->n_identity);
    table_text(table, "source", f->source);
    table_text(table, "model_hash", f->model_hash);
    table_text(table, "target", steer_target_name(options->target));
    table_text(table, "meaning", steer_target_meaning(options->target));
    table_text(table, "square", f->square);
    table_text(table, "origin", steer_origin_name(options->origin));
    table_text(table, "probe", f->probe);
    if (of_heads(f)) {
        heads_text(text, sizeof(text), f);
        table_text(table, "heads", text);
    }
    if (options->origin == STEER_SAE) {
        table_text(table, "sae", f->sae);
        table_text(table, "features", f->features);
        table_int(table, "per_state", f->per_state);
        table_int(table, "features_positions", f->features_positions);
    }
    table_text(table, "site", hook_site_name(options->site));
    layers_text(text, f->study->best.layers);
    table_text(table, "layers", text);
    table_num(table, "alpha", f->study->best.alpha);
    table_num(table, "norm", f->study->norm);
    table_text(table, "positions", options->all ? "all" : "last");
    table_int(table, "fit_positions", (int64_t)f->in->fit->set.n_positions);
    table_int(table, "least", (int64_t)f->in->fit->least);
    table_int(table, "tuning_cases", (int64_t)f->in->tuning->n);
    table_int(table, "games", (int64_t)test->n_games);
    table_int(table, "cases", (int64_t)test->n);
    table_int(table, "caring", (int64_t)test->n_caring);
    table_int(table, "left_out", (int64_t)test->left_out);
    table_int(table, "repeated", (int64_t)test->repeated);
    table_interval(table, "null_error", f->study->arms[STEER_ARM_NULL].edited);
    table_interval(table, "self_error", f->study->self);
    table_text(table, "out", f->out);
    table_text(table, "out_hash", f->out ? f->out_hash : NULL);
}

static void arms_fill(Table *table, const SteerFindings *f)
{
    for (int a = 0; a < N_STEER_ARMS; a++) {
        const SteerArmResult *arm = &f->study->arms[a];
        if (!steer_arm_is_asked((SteerArm)a, &f->in->options)) {
            continue;
        }
        table_row(table);
        table_text(table, "arm", steer_arm_name((SteerArm)a));
        table_text(table, "meaning", steer_arm_meaning((SteerArm)a));
        table_interval(table, "error", arm->edited);
        table_interval(table, "drift", arm->before);
        table_interval(table, "strict_error", arm->strict_edited);
        table_interval(table, "error_others", arm->wrong_others);
        if (a != STEER_ARM_NULL) {
            table_interval(table, "closed", arm->closed);
        }
        if (a != STEER_ARM_STEER) {
            table_interval(table, "behind", arm->behind);
        }
        if (a != STEER_ARM_NULL) {
            table_interval(table, "gain", arm->gain);
            table_interval(table, "shift", arm->metric);
            table_interval(table, "kl_caring", arm->kl_caring);
            table_interval(table, "kl_others", arm->kl_others);
        }
    }
}

static void ablation_fill(Table *table, const SteerFindings *f)
{
    for (int a = 0; a < N_STEER_ARMS; a++) {
        const SteerAblation *arm = &f->study->ablations[a];
        if (!steer_arm_is_asked((SteerArm)a, &f->in->options)) {
            continue;
        }
        table_row(table);
        table_text(table, "arm", steer_arm_name((SteerArm)a));
        table_int(table, "layer", f->study->ablation_layer);
        table_interval(table, "error", arm->caring);
        table_interval(table, "strict_error", arm->strict_caring);
        table_interval(table, "error_others", arm->others);
        table_interval(table, "strict_others", arm->strict_others);
        if (a != STEER_ARM_NULL) {
            table_interval(table, "more", arm->more_caring);
            table_interval(table, "more_others", arm->more_others);
            table_interval(table, "kl_caring", arm->kl_caring);
            table_interval(table, "kl_others", arm->kl_others);
        }
    }
}

static void trials_fill(Table *table, const SteerFindings *f)
{
    for (size_t i = 0; i < f->study->n_trials; i++) {
        const SteerTrial *trial = &f->study->trials[i];
        char text[192];
        layers_text(text, trial->layers);
        table_row(table);
        table_text(table, "layers", text);
        table_num(table, "alpha", trial->alpha);
        table_interval(table, "error", trial->edited);
        table_interval(table, "kl_others", trial->kl);
    }
}

static void heads_fill(Table *table, const SteerFindings *f)
{
    for (size_t h = 0; h < f->study->n_ranked; h++) {
        const SteerHead *head = &f->study->heads[h];
        char name[32];
        snprintf(name, sizeof(name), "L%dH%d", head->layer, head->head);
        table_row(table);
        table_text(table, "head", name);
        table_int(table, "layer", head->layer);
        table_int(table, "number", head->head);
        table_bool(table, "taken", h < n_taken(f));
        table_interval(table, "effect", head->effect);
    }
}

void steer_report(Report *report, const SteerFindings *findings)
{
    whole_fill(report_table(report, &steer_table), findings);
    arms_fill(report_table(report, &steer_arms_table), findings);
    if (findings->study->ablated) {
        ablation_fill(report_table(report, &steer_ablation_table), findings);
    }
    if (of_heads(findings)) {
        heads_fill(report_table(report, &steer_heads_table), findings);
    }
    trials_fill(report_table(report, &steer_trials_table), findings);
}
