/* report/circuits/ablation_result.c - contract in report/circuits/ablation_result.h. */
#include "report/circuits/ablation_result.h"
#include "report/specs/ablation_figures.h"

#include <math.h>

#include "base/arena.h"
#include "probes/graph/graph.h"
#include "report/largest.h"

/* ---- columns ---- */

static const Column whole_columns[] = {
    {"source", "positions of", .type = COLUMN_TEXT},
    {"model_hash", .type = COLUMN_TEXT},
    {"metric", "metric", .type = COLUMN_TEXT},
    {"replaced_at", "replaced at", .type = COLUMN_TEXT},
    {"training", "training games", .type = COLUMN_TEXT, .meaning = "for means and lent values"},
    {"mean_games", "games averaged", .type = COLUMN_COUNT},
    {"lending_games", "games that lend", .type = COLUMN_COUNT},
    {"match", "matched on", .type = COLUMN_TEXT},
    {"games", "games", .type = COLUMN_COUNT},
    {"positions", "positions", .type = COLUMN_COUNT},
    {"left_out", "left out", .type = COLUMN_COUNT,
     .meaning = "no legal move, or no other empty square"},
    {"no_lender", "without a lender", .type = COLUMN_COUNT,
     .meaning = "left out, too: no game can lend to them"},
    {"clean", "metric, clean", .unit = "nats", .digits = 3, .interval = true},
    {"wrong_moves", "wrong moves, clean", .digits = 3, .interval = true,
     .meaning = "of the top N tokens a position, N legal moves"},
    {"strict_error", "strict error, clean", .unit = "%", .digits = 2, .interval = true},
    {"identity_error", "identity error", .digits = -1,
     .meaning = "largest |TE - (DE - R)|, both sides computed apart"},
    {"rescued", "units put back", .type = COLUMN_COUNT},
    {"rescue_error", "rescue error", .digits = -1,
     .meaning = "largest change of a logit by them; 0: the bits of the clean pass"},
};
const TableSpec ablation_table = {"ablation", "ablations", TABLE_COLUMNS(whole_columns),
                                  .record = true};

static const Column unit_columns[] = {
    {"unit", "unit", .type = COLUMN_TEXT},
    {"unit_kind", .type = COLUMN_TEXT},
    {"kind", "kind", .type = COLUMN_TEXT},
    {"layer", .type = COLUMN_LAYER},
    {"number", .type = COLUMN_COUNT},
    {"total", "TE", .digits = 3, .interval = true, .meaning = "total effect, nats"},
    {"direct", "DE", .digits = 3, .interval = true, .meaning = "direct effect, nats"},
    {"repair", "R", .digits = 3, .interval = true, .meaning = "repair, DE - TE, nats"},
    {"share", "R / DE", .digits = 2, .interval = true, .meaning = "sum of R / sum of DE"},
    {"norm", "norm", .digits = 3, .meaning = "part of the LayerNorm in R"},
    {"wrong_more", "wrong", .digits = 3, .interval = true, .meaning = "more wrong moves"},
    {"strict_more", "strict", .unit = "%", .digits = 2, .interval = true,
     .meaning = "more strict errors"},
    {"moved", .digits = 3, .meaning = "mean largest change of a logit"},
    {"repaired_by", "by", .type = COLUMN_TEXT, .meaning = "the largest parts of R"},
};
const TableSpec ablation_units_table = {"units", "ablation_units", TABLE_COLUMNS(unit_columns),
                                        TABLE_FIGURES(unit_figures)};

#define KIND_COLUMN(id, name, text) {"total_" name, name, .digits = 3, .meaning = text},
static const Column side_columns[] = {
    {"unit", "unit", .type = COLUMN_TEXT},
    ABLATION_KINDS(KIND_COLUMN){"direct", "DE", .digits = 3, .meaning = "of the kind named above"},
    {"repair", "R", .digits = 3, .interval = true},
    {"norm", "norm", .digits = 3},
    {"wrong_more", "wrong", .digits = 3},
    {"repaired_by", "by", .type = COLUMN_TEXT},
};
#undef KIND_COLUMN
const TableSpec ablation_side_table = {.name = "side_by_side",
                                       .title = "largest units: TE by each kind; DE, R, norm and "
                                                "wrong by the mean, or the first kind",
                                       TABLE_COLUMNS(side_columns)};

static const Column share_columns[] = {
    {"unit_kind", "units", .type = COLUMN_TEXT},
    {"kind", "kind", .type = COLUMN_TEXT},
    {"units", "n", .type = COLUMN_COUNT},
    {"share", "repaired", .unit = "%", .digits = 1, .interval = true,
     .meaning = "sum of sign(DE) R / sum of |DE|"},
    {"norm_share", "by LayerNorm", .unit = "%", .digits = 1, .interval = true},
    {"top_share", "of the top 2 %", .unit = "%", .digits = 1, .interval = true,
     .meaning = "repaired, of the largest |DE|"},
};
const TableSpec ablation_shares_table = {
    "shares", "ablation_shares", "how much of the direct effect is made up for",
    TABLE_COLUMNS(share_columns), TABLE_FIGURES(share_figures)};

#define RANK_COLUMN(id, name, text) {"rank_" name, name, .digits = 3},
static const Column rank_columns[] = {
    {"unit_kind", "units", .type = COLUMN_TEXT},
    {"kind", "kind", .type = COLUMN_TEXT},
    {"units", "n", .type = COLUMN_COUNT},
    ABLATION_KINDS(RANK_COLUMN){"rank_direct", "own DE", .digits = 3,
                                .meaning = "mean TE with mean DE of the same kind"},
};
#undef RANK_COLUMN
const TableSpec ablation_ranks_table = {
    "ranks", "ablation_ranks", "do the kinds agree? rank correlations of mean TE over units",
    TABLE_COLUMNS(rank_columns)};

static const Column control_columns[] = {
    {"control", "what", .type = COLUMN_TEXT}, /* first, so that it is never cut */
    {"unit_kind", "units", .type = COLUMN_TEXT},
    {"kind", "kind", .type = COLUMN_TEXT},
    {"units", "n", .type = COLUMN_COUNT},
    {"total", "TE", .digits = 3, .interval = true, .meaning = "nats"},
    {"wrong_more", "wrong", .digits = 3, .interval = true, .meaning = "more wrong moves"},
    {"strict_more", "strict", .unit = "%", .digits = 2, .interval = true},
    {"names", "which", .type = COLUMN_TEXT},
};
const TableSpec ablation_controls_table = {
    "controls", "ablation_controls",
    "units together, on games that did not choose them; of random "
    "groups: their mean, and the range of 95 % of them",
    TABLE_COLUMNS(control_columns)};

#define PAIR_COLUMNS                                                                               \
    {"a", "A", .type = COLUMN_TEXT}, {"b", "B", .type = COLUMN_TEXT},                              \
        {"b_after_a", "comp(B|A)", .digits = 3, .interval = true,                                  \
         .meaning = "how much more B matters without A"},                                          \
        {"a_after_b", "comp(A|B)", .digits = 3, .interval = true,                                  \
         .meaning = "how much more A matters without B"},                                          \
        {"total", "TE", .digits = 3, .interval = true, .meaning = "of both"},                      \
        {"extra", "extra", .digits = 3, .interval = true, .meaning = "TE - TE(A) - TE(B)"},        \
    {                                                                                              \
        "kind", "kind", .type = COLUMN_TEXT                                                        \
    }
static const Column pair_columns[] = {PAIR_COLUMNS};
const TableSpec ablation_pairs_table = {"pairs", "ablation_pairs", TABLE_COLUMNS(pair_columns)};
static const Column top_pair_columns[] = {PAIR_COLUMNS};
const TableSpec ablation_top_pairs_table = {
    .name = "top_pairs",
    .title = "pairs that stand in for one another: the larger comp decides the order",
    TABLE_COLUMNS(top_pair_columns)};

static const Column curve_columns[] = {
    {"change", "change", .type = COLUMN_TEXT},
    {"layer", "block", .type = COLUMN_LAYER},
    {"total", "TE", .digits = 3, .interval = true, .meaning = "nats"},
    {"wrong_more", "wrong", .digits = 3, .interval = true, .meaning = "more wrong moves"},
    {"strict_more", "strict", .unit = "%", .digits = 2, .interval = true},
};
const TableSpec ablation_curves_table = {
    "curves", "ablation_curves", "blocks left out, and exchanged with the next",
    TABLE_COLUMNS(curve_columns), TABLE_FIGURES(curve_figures)};

/* ---- rows ---- */

static void put_by(Table *table, const AblationFindings *findings, const AblationRow *row)
{
    Graph graph = graph_of(&findings->in->gpt->cfg);
    Text text = {0};
    for (int k = 0; k < ABLATION_PARTS_SHOWN; k++) {
        char name[GRAPH_NAME_MAX];
        if (row->parts[k] < graph.n_senders && row->part[k] != 0.0) {
            graph_sender_name(name, graph_sender(&graph, row->parts[k]));
            text_add(&text, "%s%s %+.3f", k ? ", " : "", name, row->part[k]);
        }
    }
    table_text(table, "repaired_by", text.data ? text.data : "");
    text_release(&text);
}

static void whole_fill(Table *table, const AblationFindings *findings)
{
    const AblationStudy *study = findings->study;
    const AblationPositions *positions = findings->in->positions;
    table_text(table, "source", findings->source);
    table_text(table, "model_hash", findings->model_hash);
    table_text(table, "metric", positions->metric);
    table_text(table, "replaced_at", findings->in->all ? "all positions" : "the last position");
    table_text(table, "training",
               findings->in->means || findings->in->donors ? findings->training : NULL);
    table_int(table, "mean_games", findings->in->means ? (int64_t)findings->in->means->n_games : 0);
    table_int(table, "lending_games", findings->in->donors ? (int64_t)findings->in->donors->n : 0);
    table_text(table, "match", findings->match);
    table_int(table, "games", (int64_t)positions->n_games);
    table_int(table, "positions", (int64_t)positions->n);
    table_int(table, "left_out", (int64_t)positions->no_metric);
    table_int(table, "no_lender", (int64_t)positions->no_donor);
    table_estimate(table, "clean", study->clean);
    table_estimate(table, "wrong_moves", study->clean_wrong);
    table_estimate(table, "strict_error", study->clean_strict);
    table_num(table, "identity_error", study->identity_error);
    table_int(table, "rescued", (int64_t)study->n_rescued);
    table_num(table, "rescue_error", study->rescue_error);
}

static void units_fill(Table *table, const AblationFindings *findings)
{
    const AblationStudy *study = findings->study;
    for (size_t i = 0; i < study->n_units * study->n_kinds; i++) {
        AblationUnit unit = study->units[i / study->n_kinds];
        const AblationRow *row = &study->rows[i];
        char name[ABLATION_NAME_MAX];
        ablation_unit_name(name, unit);
        table_row(table);
        table_text(table, "unit", name);
        table_text(table, "unit_kind", ablation_unit_kind_name(unit.kind));
        table_text(table, "kind", ablation_kind_name(study->kinds[i % study->n_kinds]));
        table_int(table, "layer", unit.layer);
        table_int(table, "number", unit.index);
        table_estimate(table, "total", row->total);
        table_estimate(table, "direct", row->direct);
        table_estimate(table, "repair", row->repair);
        table_estimate(table, "share", row->share);
        table_num(table, "norm", row->norm);
        table_estimate(table, "wrong_more", row->wrong);
        table_estimate(table, "strict_more", row->strict);
        table_num(table, "moved", row->moved);
        put_by(table, findings, row);
    }
    table->hidden = true; /* the largest are shown side by side */
}

/* ---- the largest ---- */

/* Place of the kind that groups and pairs use. */
static size_t joint_place(const AblationStudy *study)
{
    size_t k = 0;
    while (study->kinds[k] != study->joint_kind) {
        k++;
    }
    return k;
}

static void side_row(Table *table, const AblationFindings *findings, size_t u)
{
    static const char *const keys[] = {
#define KIND_KEY(id, name, text) "total_" name,
        ABLATION_KINDS(KIND_KEY)
#undef KIND_KEY
    };
    const AblationStudy *study = findings->study;
    const AblationRow *rows = study->rows + u * study->n_kinds, *row = rows + joint_place(study);
    char name[ABLATION_NAME_MAX];
    ablation_unit_name(name, study->units[u]);
    table_row(table);
    table_text(table, "unit", name);
    for (size_t k = 0; k < study->n_kinds; k++) {
        table_num(table, keys[study->kinds[k]], rows[k].total.value);
    }
    table_num(table, "direct", row->direct.value);
    table_estimate(table, "repair", row->repair);
    table_num(table, "norm", row->norm);
    table_num(table, "wrong_more", row->wrong.value);
    put_by(table, findings, row);
}

static void side_fill(Report *report, const AblationFindings *findings)
{
    const AblationStudy *study = findings->study;
    Table *table = report_table(report, &ablation_side_table);
    Largest *order = mem_alloc(study->n_units, sizeof(*order), "order of units");
    table->undocumented = true;
    for (size_t u = 0; order && u < study->n_units; u++) {
        const AblationRow *row = &study->rows[u * study->n_kinds + joint_place(study)];
        order[u] = (Largest){fabs(row->total.value), u};
    }
    if (order) {
        largest_sort(order, study->n_units);
    }
    for (size_t i = 0; order && i < study->n_units && i < (size_t)findings->top; i++) {
        side_row(table, findings, order[i].index);
    }
    mem_free(order);
}

static void pair_row(Table *table, const AblationStudy *study, const AblationPair *pair)
{
    char name[ABLATION_NAME_MAX];
    table_row(table);
    ablation_unit_name(name, pair->a);
    table_text(table, "a", name);
    ablation_unit_name(name, pair->b);
    table_text(table, "b", name);
    table_text(table, "kind", ablation_kind_name(study->joint_kind));
    table_estimate(table, "total", pair->total);
    table_estimate(table, "extra", pair->extra);
    table_estimate(table, "b_after_a", pair->b_after_a);
    table_estimate(table, "a_after_b", pair->a_after_b);
}

static void pairs_fill(Report *report, const AblationFindings *findings)
{
    const AblationStudy *study = findings->study;
    const AblationPairs *pairs = &study->pairs;
    Table *all = report_table(report, &ablation_pairs_table);
    Largest *order = mem_alloc(pairs->n, sizeof(*order), "order of pairs");
    for (size_t i = 0; order && i < pairs->n; i++) {
        const AblationPair *pair = &pairs->pairs[i];
        pair_row(all, study, pair);
        order[i] = (Largest){fmax(pair->b_after_a.value, pair->a_after_b.value), i};
    }
    all->hidden = true;
    Table *top = report_table(report, &ablation_top_pairs_table);
    top->undocumented = true;
    if (order) {
        largest_sort(order, pairs->n);
    }
    for (size_t i = 0; order && i < pairs->n && i < (size_t)findings->top; i++) {
        pair_row(top, study, &pairs->pairs[order[i].index]);
    }
    mem_free(order);
}

/* ---- shares, ranks, controls, curves ---- */

static void shares_fill(Table *table, const AblationStudy *study)
{
    for (size_t i = 0; i < study->n_shares; i++) {
        const AblationStudyShare *share = &study->shares[i];
        table_row(table);
        table_text(table, "unit_kind", ablation_unit_kind_name(share->unit));
        table_text(table, "kind", ablation_kind_name(share->kind));
        table_int(table, "units", (int64_t)share->share.n);
        table_estimate(table, "share", share->share.repair);
        table_estimate(table, "norm_share", share->share.norm);
        table_estimate(table, "top_share", share->share.top);
    }
}

/* Every kind against every other: a pair of kinds is in the list once. */
static void ranks_fill(Table *table, const AblationStudy *study)
{
    static const char *const keys[] = {
#define KIND_KEY(id, name, text) "rank_" name,
        ABLATION_KINDS(KIND_KEY)
#undef KIND_KEY
    };
    for (size_t own = 0; own < study->n_ranks; own++) {
        const AblationStudyRank *rank = &study->ranks[own];
        if (rank->kind != rank->other) {
            continue;
        }
        table_row(table);
        table_text(table, "unit_kind", ablation_unit_kind_name(rank->unit));
        table_text(table, "kind", ablation_kind_name(rank->kind));
        table_int(table, "units", (int64_t)rank->n);
        table_num(table, keys[rank->kind], 1.0);
        table_num(table, "rank_direct", rank->spearman);
        for (size_t i = 0; i < study->n_ranks; i++) {
            const AblationStudyRank *other = &study->ranks[i];
            bool pair = other->unit == rank->unit && other->kind != other->other;
            if (pair && (other->kind == rank->kind || other->other == rank->kind)) {
                AblationKind with = other->kind == rank->kind ? other->other : other->kind;
                table_num(table, keys[with], other->spearman);
            }
        }
    }
}

/* The beginning of a row of controls. */
static void control_row(Table *table, const AblationStudyGroups *of, const char *control, size_t n)
{
    table_row(table);
    table_text(table, "unit_kind", ablation_unit_kind_name(of->unit));
    table_text(table, "kind", ablation_kind_name(of->kind));
    table_text(table, "control", control);
    table_int(table, "units", (int64_t)n);
}

static void controls_fill(Table *table, const AblationStudy *study)
{
    for (size_t i = 0; i < study->n_groups; i++) {
        const AblationStudyGroups *of = &study->groups[i];
        const AblationGroups *groups = &of->groups;
        char name[ABLATION_NAME_MAX];
        Text names = {0};
        for (size_t k = 0; k < groups->size; k++) {
            ablation_unit_name(name, groups->chosen[k]);
            text_add(&names, "%s%s", k ? " " : "", name);
        }
        control_row(table, of, "the strongest together", groups->size);
        table_estimate(table, "total", groups->total);
        table_estimate(table, "wrong_more", groups->wrong);
        table_estimate(table, "strict_more", groups->strict);
        table_text(table, "names", names.data ? names.data : "");
        text_release(&names);
        control_row(table, of, "random groups (range)", groups->size);
        table_estimate(table, "total", groups->random_total);
        table_estimate(table, "wrong_more", groups->random_wrong);
        table_estimate(table, "strict_more", groups->random_strict);
        control_row(table, of, "least direct effect", 1);
        table_estimate(table, "total", groups->least_total);
        ablation_unit_name(name, groups->least);
        table_text(table, "names", name);
    }
}

static void curves_fill(Table *table, const AblationStudy *study)
{
    for (size_t i = 1; i < study->curves.n_points; i++) {
        const AblationCurvePoint *point = &study->curves.points[i];
        const AblationRow *row = &study->curve_rows[i];
        table_row(table);
        table_text(table, "change", point->curve == CURVE_REMOVED ? "left out" : "exchanged");
        table_int(table, "layer", point->layer);
        table_estimate(table, "total", row->total);
        table_estimate(table, "wrong_more", row->wrong);
        table_estimate(table, "strict_more", row->strict);
    }
}

void ablation_report(Report *report, const AblationFindings *findings)
{
    const AblationStudy *study = findings->study;
    whole_fill(report_table(report, &ablation_table), findings);
    units_fill(report_table(report, &ablation_units_table), findings);
    side_fill(report, findings);
    shares_fill(report_table(report, &ablation_shares_table), study);
    ranks_fill(report_table(report, &ablation_ranks_table), study);
    if (study->n_groups > 0) {
        controls_fill(report_table(report, &ablation_controls_table), study);
    }
    if (study->pairs.n > 0) {
        pairs_fill(report, findings);
    }
    if (study->curves.n_points > 0) {
        curves_fill(report_table(report, &ablation_curves_table), study);
    }
}
