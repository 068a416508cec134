/* report/results/conversion_result.c - contract in report/results/conversion_result.h. */
#include "report/results/conversion_result.h"

#include <math.h>

static const Column columns[] = {
    {"source", "from", .type = COLUMN_TEXT},
    {"path", "to", .type = COLUMN_TEXT},
    {"kind", "kind", .type = COLUMN_TEXT},
    {"from_layout", "from layout", .type = COLUMN_TEXT},
    {"to_layout", "to layout", .type = COLUMN_TEXT},
    {"notation", "notation", .type = COLUMN_TEXT},
    {"rules", "moves named by", .type = COLUMN_TEXT, .meaning = "rules"},
    {"tensors", "tensors", .type = COLUMN_COUNT},
    {"parameters", "parameters", .type = COLUMN_COUNT},
    {"tensors_hash", .type = COLUMN_TEXT},
    {"check_positions", "checked", .type = COLUMN_COUNT, .meaning = "positions",
     .flags = COLUMN_UNSTORED},
    {"largest_difference", "largest difference", .digits = -1, .meaning = "of any logit or score"},
    {"tolerance", "allowed", .digits = -1, .flags = COLUMN_UNSTORED},
    {"weight_change", "changed by rounding", .digits = -1,
     .meaning = "largest change of a number by float16"},
    {"logit_change", "change of a logit", .digits = -1,
     .meaning = "the largest by that, over the positions checked"},
};
const TableSpec conversion_table = {"conversion", "conversions", TABLE_COLUMNS(columns),
                                    .record = true};

void conversion_report(Report *report, const Conversion *c)
{
    Table *table = report_table(report, &conversion_table);
    table_text(table, "source", c->src);
    table_text(table, "path", c->dst);
    table_text(table, "kind", c->probe ? "probe" : "model");
    table_text(table, "from_layout", layout_name(c->from));
    table_text(table, "to_layout", layout_name(c->to));
    table_text(table, "notation", c->notation);
    table_text(table, "rules", c->plays);
    table_int(table, "tensors", (int64_t)c->n_tensors);
    table_int(table, "parameters", c->parameters);
    table_text(table, "tensors_hash", c->tensors_hash);
    if (!isnan(c->largest)) {
        table_int(table, "check_positions", CHECK_POSITIONS);
        table_num(table, "largest_difference", c->largest);
        table_num(table, "tolerance", c->tolerance);
    }
    if (c->half) {
        table_num(table, "weight_change", c->weight_change);
        table_num(table, "logit_change", c->logit_change);
    }
    if (c->already) {
        text_add(report_text(report), "%s was there already, unchanged\n", c->dst);
    }
}
