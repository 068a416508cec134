/* report/readers/sae_result.c - contract in report/readers/sae_result.h. */
#include "report/readers/sae_result.h"

#include <math.h>

static const Column columns[] = {
    {"path", "autoencoder", .type = COLUMN_TEXT},
    {"architecture", "kind", .type = COLUMN_TEXT},
    {"site", "site", .type = COLUMN_TEXT},
    {"layer", "layer", .type = COLUMN_LAYER},
    {"width", "width", .type = COLUMN_COUNT, .meaning = "of a row"},
    {"features", "features", .type = COLUMN_COUNT},
    {"k", "k", .type = COLUMN_COUNT, .meaning = "features kept, a row on average"},
    {"l0_goal", "goal of L0", .digits = 1},
    {"l1", "penalty", .digits = 4, .meaning = "at the end"},
    {"activations", "rows", .type = COLUMN_COUNT},
    {"batch", .type = COLUMN_COUNT},
    {"lr", .digits = -1},
    {"loss", "loss", .digits = 4, .meaning = "error a row over the width, of scaled rows"},
    {"mean_l0", "L0", .digits = 1, .meaning = "features a row, over the last batches"},
    {"explained_variance", "explained", .unit = "%", .digits = 2,
     .meaning = "of the variance of the last batches"},
    {"dead_share", "dead", .unit = "%", .digits = 1, .meaning = "of the features"},
    {"games", .type = COLUMN_TEXT},
    {"model_hash", .type = COLUMN_TEXT},
    {"seconds", "time", .unit = "s", .flags = COLUMN_TIME},
};
const TableSpec sae_train_table = {"autoencoders", "sae_train", "trained autoencoders",
                                   TABLE_COLUMNS(columns)};

void sae_train_report(Table *table, const Sae *sae, const char *path, double seconds)
{
    const SaeConfig *cfg = &sae->cfg;
    table_row(table);
    table_text(table, "path", path);
    table_text(table, "architecture", sae_kind_name(cfg->kind));
    table_text(table, "site", hook_site_name(cfg->site));
    table_int(table, "layer", cfg->layer);
    table_int(table, "width", (int64_t)cfg->d_in);
    table_int(table, "features", (int64_t)cfg->features);
    if (cfg->k > 0) {
        table_int(table, "k", (int64_t)cfg->k);
    }
    if (cfg->l0 > 0) {
        table_num(table, "l0_goal", cfg->l0);
    }
    if (cfg->l1 > 0) {
        table_num(table, "l1", cfg->l1);
    }
    table_int(table, "activations", cfg->activations);
    table_int(table, "batch", cfg->batch);
    table_num(table, "lr", cfg->lr);
    table_num(table, "loss", cfg->loss);
    table_num(table, "mean_l0", cfg->mean_l0);
    table_num(table, "explained_variance", cfg->explained);
    table_num(table, "dead_share", cfg->dead);
    table_text(table, "games", cfg->games);
    table_text(table, "model_hash", cfg->model_hash);
    table_num(table, "seconds", seconds);
}
