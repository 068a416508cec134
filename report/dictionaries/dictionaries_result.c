/* report/dictionaries/dictionaries_result.c - contract in
 * report/dictionaries/dictionaries_result.h. */
#include "report/dictionaries/dictionaries_result.h"

#include <math.h>
#include <stdio.h>

/* ---- columns ---- */

static const Column whole_columns[] = {
    {"source", "games", .type = COLUMN_TEXT},
    {"model_hash", .type = COLUMN_TEXT},
    {"site", "site", .type = COLUMN_TEXT},
    {"layer", "layer", .type = COLUMN_LAYER},
    {"probe", "probe", .type = COLUMN_TEXT},
    {"fit_games", "fit games", .type = COLUMN_COUNT,
     .meaning = "largest values, who votes, decoders of twins"},
    {"validation_games", "validation games", .type = COLUMN_COUNT,
     .meaning = "which feature and which threshold"},
    {"test_games", "test games", .type = COLUMN_COUNT},
    {"positions", "test positions", .type = COLUMN_COUNT},
    {"twin_activations", "rows of trained twins", .type = COLUMN_COUNT},
    {"clean_loss", "loss of the network", .unit = "nats", .digits = 4},
    {"floor", "least loss", .unit = "nats", .digits = 4},
    {"zero_loss", "loss with zeros", .unit = "nats", .digits = 4},
    {"clean_strict", "strict error of the network", .unit = "%", .digits = 3},
};
const TableSpec dictionaries_table = {"dictionaries", "sae_eval", TABLE_COLUMNS(whole_columns),
                                      .record = true};

static const Column row_columns[] = {
    {"group_l0", "at L0", .type = COLUMN_COUNT, .meaning = "0: twins with all their features"},
    {"dictionary", "dictionary", .type = COLUMN_TEXT},
    {"role", "role", .type = COLUMN_TEXT, .flags = COLUMN_MINOR},
    {"method", "method", .type = COLUMN_TEXT, .flags = COLUMN_WIDE,
     .meaning = "kind of autoencoder, or the twin"},
    {"features", "features", .type = COLUMN_COUNT, .flags = COLUMN_MINOR},
    {"l0", "L0", .digits = 1, .meaning = "features above 0 a row"},
    {"explained", "explained", .digits = 3, .meaning = "variance, all test rows"},
    {"excess_ratio", "excess ratio", .digits = 2, .interval = true, .flags = COLUMN_BRIEF,
     .meaning = "loss above the least, spliced / clean"},
    {"strict_error", "strict error", .unit = "%", .digits = 2, .interval = true,
     .flags = COLUMN_BRIEF, .meaning = "spliced"},
    {"coverage", "coverage", .digits = 3, .interval = true, .flags = COLUMN_BRIEF,
     .meaning = "feature and threshold chosen on validation games"},
    {"coverage_shuffled", "shuffled", .digits = 3, .meaning = "the same on boards of other games"},
    {"reconstruction", "boards", .digits = 3, .interval = true, .flags = COLUMN_BRIEF,
     .meaning = "F1 of the vote; threshold chosen on validation games"},
    {"reconstruction_shuffled", "boards shuffled", .digits = 3, .flags = COLUMN_MINOR},
    {"alive", "alive", .type = COLUMN_COUNT, .flags = COLUMN_MINOR,
     .meaning = "features that fire on test rows"},
    {"dead", "dead", .type = COLUMN_COUNT, .flags = COLUMN_WIDE},
    {"loss", "loss", .unit = "nats", .digits = 4, .flags = COLUMN_WIDE, .meaning = "spliced"},
    {"loss_recovered", "loss recovered", .digits = 4, .flags = COLUMN_WIDE,
     .meaning = "near 1 for nearly everything"},
    {"coverage_masked", "coverage masked", .digits = 3, .interval = true, .flags = COLUMN_WIDE,
     .meaning = "without empty"},
    {"coverage_masked_shuffled", "masked shuffled", .digits = 3, .flags = COLUMN_WIDE},
    {"reconstruction_masked", "boards masked", .digits = 3, .interval = true, .flags = COLUMN_WIDE,
     .meaning = "without empty"},
    {"reconstruction_masked_shuffled", "boards masked shuffled", .digits = 3, .flags = COLUMN_WIDE},
    {"coverage_published", "coverage published", .digits = 3, .interval = true,
     .flags = COLUMN_WIDE, .meaning = "chosen on the test games"},
    {"coverage_published_masked", "published masked", .digits = 3, .interval = true,
     .flags = COLUMN_WIDE},
    {"coverage_one", "one threshold", .digits = 3, .flags = COLUMN_WIDE,
     .meaning = "as the published program: one for all pairs"},
    {"coverage_one_masked", "one threshold masked", .digits = 3, .flags = COLUMN_WIDE},
    {"reconstruction_published", "boards published", .digits = 3, .interval = true,
     .flags = COLUMN_WIDE, .meaning = "threshold chosen on the test games"},
    {"reconstruction_published_masked", "boards published masked", .digits = 3, .interval = true,
     .flags = COLUMN_WIDE},
    {"voters", "voters", .type = COLUMN_COUNT, .flags = COLUMN_WIDE,
     .meaning = "features with a vote"},
    {"pairs", "pairs voted for", .type = COLUMN_COUNT, .flags = COLUMN_WIDE},
    {"splitting", "splitting", .digits = 2, .flags = COLUMN_WIDE,
     .meaning = "voters of a pair that has one"},
    {"absorbed", "absorbed", .digits = 3, .flags = COLUMN_WIDE,
     .meaning = "right votes that the best voter of the pair misses"},
    {"absorption", "absorption", .digits = 3, .flags = COLUMN_WIDE,
     .meaning = "what the probe sees, main features do not say and another holds"},
    {"absorption_shuffled", "absorption shuffled", .digits = 3, .flags = COLUMN_WIDE,
     .meaning = "main features chosen on boards of other games"},
    {"split_pairs", "split pairs", .digits = 3, .flags = COLUMN_WIDE,
     .meaning = "share of pairs with several main features"},
    {"main_features", "main features", .digits = 2, .flags = COLUMN_WIDE, .meaning = "of a pair"},
};
static const FigurePart coverage_parts[] = {{.x = "l0", .y = {"coverage"}, .series = "method"}};
static const FigurePart board_parts[] = {{.x = "l0", .y = {"reconstruction"}, .series = "method"}};
static const FigurePart excess_parts[] = {{.x = "l0", .y = {"excess_ratio"}, .series = "method"}};
static const FigureSpec row_figures[] = {
    {.name = "coverage",
     .title = "Coverage of squares by single features, against L0",
     .kind = FIGURE_LINES,
     FIGURE_PARTS(coverage_parts)},
    {.name = "boards",
     .title = "Boards from features that are nearly always right, against L0",
     .kind = FIGURE_LINES,
     FIGURE_PARTS(board_parts)},
    {.name = "excess",
     .title = "Excess loss with the dictionary spliced in, times that of the network",
     .kind = FIGURE_LINES,
     FIGURE_PARTS(excess_parts)},
};
const TableSpec dictionaries_rows_table = {"rows", "sae_dictionaries",
                                           "dictionaries and their twins, at equal L0",
                                           TABLE_COLUMNS(row_columns), TABLE_FIGURES(row_figures)};

static const Column difference_columns[] = {
    {"group_l0", "at L0", .type = COLUMN_COUNT},
    {"dictionary", "dictionary", .type = COLUMN_TEXT},
    {"twin", "minus", .type = COLUMN_TEXT},
    {"coverage", "coverage", .digits = 3, .interval = true, .meaning = "over the same games"},
    {"reconstruction", "boards", .digits = 3, .interval = true},
    {"coverage_masked", "coverage masked", .digits = 3, .interval = true, .flags = COLUMN_WIDE},
    {"reconstruction_masked", "boards masked", .digits = 3, .interval = true, .flags = COLUMN_WIDE},
    {"activations", "rows trained on", .type = COLUMN_COUNT, .flags = COLUMN_WIDE},
    {"twin_activations", "twin's rows", .type = COLUMN_COUNT, .flags = COLUMN_WIDE,
     .meaning = "of a twin that is trained"},
};
const TableSpec dictionaries_differences_table = {
    "differences", "sae_differences", "trained minus twin", TABLE_COLUMNS(difference_columns)};

static const Column method_columns[] = {
    {"group_l0", "at L0", .type = COLUMN_COUNT, .meaning = "0: twins with all their features"},
    {"method", "method", .type = COLUMN_TEXT},
    {"features", "features", .type = COLUMN_COUNT, .flags = COLUMN_WIDE,
     .meaning = "of the autoencoders of the group"},
    {"dictionaries", "seeds", .type = COLUMN_COUNT},
    {"l0", "L0", .digits = 1, .meaning = "mean, as all that follows"},
    {"explained", "explained", .digits = 3},
    {"excess_ratio", "excess ratio", .digits = 2, .interval = true, .flags = COLUMN_BRIEF},
    {"excess_ratio_spread", "+-", .digits = 2, .meaning = "half of what seeds lie apart"},
    {"coverage", "coverage", .digits = 3, .interval = true, .flags = COLUMN_BRIEF},
    {"coverage_spread", "+-", .digits = 3},
    {"reconstruction", "boards", .digits = 3, .interval = true, .flags = COLUMN_BRIEF},
    {"reconstruction_spread", "+-", .digits = 3},
    {"mmcs", "MMCS", .digits = 3, .meaning = "between seeds"},
    {"explained_spread", "explained +-", .digits = 3, .flags = COLUMN_WIDE},
    {"coverage_masked", "coverage masked", .digits = 3, .interval = true, .flags = COLUMN_WIDE},
    {"coverage_masked_spread", "+-", .digits = 3, .flags = COLUMN_WIDE},
    {"reconstruction_masked", "boards masked", .digits = 3, .interval = true, .flags = COLUMN_WIDE},
    {"reconstruction_masked_spread", "+-", .digits = 3, .flags = COLUMN_WIDE},
};
const TableSpec dictionaries_methods_table = {
    "methods", "sae_methods", "kinds and twins: means over seeds", TABLE_COLUMNS(method_columns)};

static const Column verdict_columns[] = {
    {"group_l0", "at L0", .type = COLUMN_COUNT},
    {"features", "features", .type = COLUMN_COUNT, .flags = COLUMN_WIDE},
    {"measure", "by", .type = COLUMN_TEXT},
    {"best", "best", .type = COLUMN_TEXT},
    {"value", "mean", .digits = 3},
    {"second", "second", .type = COLUMN_TEXT},
    {"ahead", "ahead by", .digits = 3, .interval = true, .meaning = "over the same games"},
    {"clear", "clear", .type = COLUMN_YES_NO,
     .meaning = "yes: without 0, and each seed beyond each of the second"},
    {"own", "best autoencoder", .type = COLUMN_TEXT},
    {"minus_neurons", "minus neurons", .digits = 3, .interval = true},
    {"minus_probe", "minus probe", .digits = 3, .interval = true},
};
const TableSpec dictionaries_verdicts_table = {
    "verdicts", "sae_verdicts", "what wins at an equal L0", TABLE_COLUMNS(verdict_columns)};

static const Column density_columns[] = {
    {"group_l0", "at L0", .type = COLUMN_COUNT},
    {"dictionary", "dictionary", .type = COLUMN_TEXT},
    {"above", "density from", .digits = -1,
     .meaning = "share of test rows; the lowest holds all below"},
    {"features", "features", .type = COLUMN_COUNT},
};
const TableSpec dictionaries_densities_table = {
    "densities", "sae_densities", "on how many rows features fire", TABLE_COLUMNS(density_columns)};

static const Column pair_columns[] = {
    {"dictionary", "directions of", .type = COLUMN_TEXT},
    {"other", "in", .type = COLUMN_TEXT},
    {"directions", "directions", .type = COLUMN_COUNT},
    {"mmcs", "MMCS", .digits = 3, .meaning = "mean of their largest cosines"},
    {"above", "above .9", .digits = 3, .meaning = "share of directions"},
};
const TableSpec dictionaries_pairs_table = {
    "pairs", "sae_mmcs", "directions of one dictionary in another", TABLE_COLUMNS(pair_columns)};

static const Column cosine_columns[] = {
    {"dictionary", "directions of", .type = COLUMN_TEXT},
    {"other", "in", .type = COLUMN_TEXT},
    {"above", "largest cosine from", .digits = 2},
    {"directions", "directions", .type = COLUMN_COUNT},
};
const TableSpec dictionaries_cosines_table = {
    "cosines", "sae_cosines", "histogram of the largest cosines", TABLE_COLUMNS(cosine_columns)};

/* ---- rows ---- */

static void whole_fill(Table *table, const DictionariesFindings *f)
{
    const CodebookStudyInputs *in = f->in;
    table_text(table, "source", f->source);
    table_text(table, "model_hash", f->model_hash);
    table_text(table, "site", hook_site_name(in->site));
    table_int(table, "layer", in->layer);
    table_text(table, "probe", f->probe);
    table_int(table, "fit_games", (int64_t)in->fit->set.n_games);
    table_int(table, "validation_games", (int64_t)in->valid->set.n_games);
    table_int(table, "test_games", (int64_t)in->test->set.n_games);
    table_int(table, "positions", (int64_t)in->test->set.n_positions);
    table_int(table, "twin_activations", in->twin_activations);
    table_num(table, "clean_loss", f->study->clean_loss);
    table_num(table, "floor", f->study->floor);
    table_num(table, "zero_loss", f->study->zero_loss);
    table_num(table, "clean_strict", f->study->clean_strict);
}

static const char *role_name(StudyRole role)
{
    static const char *const names[] = {[STUDY_TRAINED] = "trained",
                                        [STUDY_RANDOM_WEIGHTS] = "trained twin",
                                        [STUDY_GAUSSIAN] = "trained twin",
                                        [STUDY_TWIN] = "twin"};
    return names[role];
}

static void board_set(Table *table, const CodebookScore *score)
{
    table_estimate(table, "coverage", score->coverage[BOARD_ALL]);
    table_num(table, "coverage_shuffled", score->coverage_shuffled[BOARD_ALL]);
    table_estimate(table, "reconstruction", score->board[BOARD_ALL]);
    table_num(table, "reconstruction_shuffled", score->board_shuffled[BOARD_ALL]);
    table_estimate(table, "coverage_masked", score->coverage[BOARD_MASKED]);
    table_num(table, "coverage_masked_shuffled", score->coverage_shuffled[BOARD_MASKED]);
    table_estimate(table, "reconstruction_masked", score->board[BOARD_MASKED]);
    table_num(table, "reconstruction_masked_shuffled", score->board_shuffled[BOARD_MASKED]);
    table_estimate(table, "coverage_published", score->coverage_published[BOARD_ALL]);
    table_estimate(table, "coverage_published_masked", score->coverage_published[BOARD_MASKED]);
    table_num(table, "coverage_one", score->coverage_one[BOARD_ALL]);
    table_num(table, "coverage_one_masked", score->coverage_one[BOARD_MASKED]);
    table_estimate(table, "reconstruction_published", score->board_published[BOARD_ALL]);
    table_estimate(table, "reconstruction_published_masked", score->board_published[BOARD_MASKED]);
    table_int(table, "voters", (int64_t)score->voters);
    table_int(table, "pairs", (int64_t)score->pairs);
    table_num(table, "splitting", score->splitting);
    table_num(table, "absorbed", score->absorbed);
    table_num(table, "absorption", score->absorption);
    table_num(table, "absorption_shuffled", score->absorption_shuffled);
    table_num(table, "split_pairs", score->split_pairs);
    table_num(table, "main_features", score->main_features);
}

static void row_set(Table *table, const CodebookStudyRow *row, const CodebookStudyInputs *in)
{
    const CodebookScore *score = row->score;
    table_row(table);
    table_int(table, "group_l0", (int64_t)row->group);
    table_text(table, "dictionary", row->name);
    table_text(table, "role", role_name(row->role));
    table_text(table, "method",
               row->role == STUDY_TRAINED ? sae_kind_name(in->saes[row->sae]->cfg.kind)
                                          : row->name);
    table_int(table, "features", (int64_t)row->features);
    table_num(table, "l0", score->l0);
    table_num(table, "explained", score->explained);
    table_estimate(table, "excess_ratio", row->excess);
    table_estimate(table, "strict_error", row->strict);
    table_int(table, "alive", (int64_t)score->alive);
    table_int(table, "dead", (int64_t)row->features - (int64_t)score->alive);
    table_num(table, "loss", row->loss);
    table_num(table, "loss_recovered", row->recovered);
    board_set(table, score);
}

static void difference_row(Table *table, const CodebookStudyRow *own, const CodebookStudyRow *twin,
                           const CodebookStudyInputs *in)
{
    table_row(table);
    table_int(table, "group_l0", (int64_t)own->group);
    table_text(table, "dictionary", own->name);
    table_text(table, "twin", twin->name);
    table_estimate(table, "coverage",
                   codebook_difference(own->score, twin->score, false, BOARD_ALL));
    table_estimate(table, "reconstruction",
                   codebook_difference(own->score, twin->score, true, BOARD_ALL));
    table_estimate(table, "coverage_masked",
                   codebook_difference(own->score, twin->score, false, BOARD_MASKED));
    table_estimate(table, "reconstruction_masked",
                   codebook_difference(own->score, twin->score, true, BOARD_MASKED));
    table_int(table, "activations", in->saes[own->sae]->cfg.activations);
    if (twin->role == STUDY_RANDOM_WEIGHTS || twin->role == STUDY_GAUSSIAN) {
        table_int(table, "twin_activations", in->twin_activations);
    }
}

static void estimate_set(Table *table, const CodebookMethod *method, MethodMeasure measure)
{
    const MethodEstimate *estimate = &method->estimates[measure];
    char spread[64];
    snprintf(spread, sizeof(spread), "%s_spread", codebook_measure_name(measure));
    table_estimate(table, codebook_measure_name(measure), estimate->mean);
    if (method->n > 1) {
        table_num(table, spread, (estimate->most - estimate->least) / 2);
    }
}

static void method_row(Table *table, const CodebookMethod *method)
{
    table_row(table);
    table_int(table, "group_l0", (int64_t)method->group);
    table_text(table, "method", method->name);
    table_int(table, "features", (int64_t)method->group_features);
    table_int(table, "dictionaries", (int64_t)method->n);
    table_num(table, "l0", method->l0);
    table_num(table, "explained", method->explained);
    if (method->n > 1) {
        table_num(table, "explained_spread",
                  (method->explained_most - method->explained_least) / 2);
        table_num(table, "mmcs", method->mmcs);
    }
    for (MethodMeasure i = 0; i < N_METHOD_MEASURES; i++) {
        estimate_set(table, method, i);
    }
}

static void verdict_row(Table *table, const CodebookVerdict *verdict)
{
    table_row(table);
    table_int(table, "group_l0", (int64_t)verdict->group);
    table_int(table, "features", (int64_t)verdict->group_features);
    table_text(table, "measure", codebook_measure_name(verdict->measure));
    table_text(table, "best", verdict->best->name);
    table_num(table, "value", verdict->best->estimates[verdict->measure].mean.value);
    if (verdict->second) {
        table_text(table, "second", verdict->second->name);
        table_estimate(table, "ahead", verdict->ahead);
        table_bool(table, "clear", verdict->clear);
    }
    if (verdict->own) {
        table_text(table, "own", verdict->own->name);
        table_estimate(table, "minus_neurons", verdict->neurons);
        table_estimate(table, "minus_probe", verdict->probe);
    }
}

static void methods_report(Report *report, const CodebookMethods *methods)
{
    Table *table = report_table(report, &dictionaries_methods_table);
    table->hidden = !methods->repeated;
    for (size_t i = 0; i < methods->n; i++) {
        method_row(table, &methods->methods[i]);
    }
    table = report_table(report, &dictionaries_verdicts_table);
    for (size_t i = 0; i < methods->n_verdicts; i++) {
        verdict_row(table, &methods->verdicts[i]);
    }
}

static void densities_set(Table *table, const CodebookStudyRow *row)
{
    for (int bin = 0; bin < DENSITY_BINS; bin++) {
        if (row->score->density[bin] > 0) {
            table_row(table);
            table_int(table, "group_l0", (int64_t)row->group);
            table_text(table, "dictionary", row->name);
            table_num(table, "above", bin > 0 ? pow(10, bin - DENSITY_BINS + 1) : 0);
            table_int(table, "features", (int64_t)row->score->density[bin]);
        }
    }
}

static void pair_set(Table *pairs, Table *cosines, const CodebookPair *pair,
                     const CodebookStudyInputs *in)
{
    table_row(pairs);
    table_text(pairs, "dictionary", in->names[pair->from]);
    table_text(pairs, "other", in->names[pair->to]);
    table_int(pairs, "directions", (int64_t)pair->mmcs.n);
    table_num(pairs, "mmcs", pair->mmcs.mean);
    table_num(pairs, "above", pair->mmcs.above);
    for (int bin = 0; bin < MMCS_BINS; bin++) {
        if (pair->mmcs.histogram[bin] > 0) {
            table_row(cosines);
            table_text(cosines, "dictionary", in->names[pair->from]);
            table_text(cosines, "other", in->names[pair->to]);
            table_num(cosines, "above", (double)bin / MMCS_BINS);
            table_int(cosines, "directions", (int64_t)pair->mmcs.histogram[bin]);
        }
    }
}

/* What two names in the tables stand for. */
static void notes_report(Text *text, const CodebookStudy *study)
{
    bool random = false;
    for (size_t i = 0; i < study->n_rows; i++) {
        random = random || study->rows[i].role == STUDY_RANDOM_WEIGHTS;
    }
    text_add(text, "\nat L0 0: twins with all features that are active in a row, not with as few "
                   "as the autoencoders: no rivals, but what their kind can say at most; mean has "
                   "no feature\n");
    if (random) {
        text_add(text, "random_weights: an autoencoder of another network, of random weights, and "
                       "measured on that. What it rebuilds can hardly play worse than that network "
                       "(excess ratio near 1), so it takes no part in what wins\n");
    }
}

void dictionaries_report(Report *report, const DictionariesFindings *findings)
{
    const CodebookStudy *study = findings->study;
    whole_fill(report_table(report, &dictionaries_table), findings);
    methods_report(report, findings->methods);
    Table *rows = report_table(report, &dictionaries_rows_table);
    rows->hidden = findings->methods->repeated; /* then means over seeds are what to read */
    for (size_t i = 0; i < study->n_rows; i++) {
        row_set(rows, &study->rows[i], findings->in);
    }
    Table *differences = report_table(report, &dictionaries_differences_table);
    differences->hidden = rows->hidden;
    for (size_t i = 0; i < study->n_rows; i++) {
        for (size_t j = 0; j < study->n_rows; j++) {
            const CodebookStudyRow *own = &study->rows[i], *twin = &study->rows[j];
            if (own->role == STUDY_TRAINED && twin->role != STUDY_TRAINED &&
                codebook_study_grouped(own, twin)) {
                difference_row(differences, own, twin, findings->in);
            }
        }
    }
    Table *densities = report_table(report, &dictionaries_densities_table);
    densities->hidden = true;
    for (size_t i = 0; i < study->n_rows; i++) {
        densities_set(densities, &study->rows[i]);
    }
    Table *pairs = report_table(report, &dictionaries_pairs_table);
    Table *cosines = report_table(report, &dictionaries_cosines_table);
    cosines->hidden = true;
    pairs->hidden = study->n_pairs == 0 || rows->hidden;
    for (size_t i = 0; i < study->n_pairs; i++) {
        pair_set(pairs, cosines, &study->pairs[i], findings->in);
    }
    notes_report(report_text(report), study);
}
