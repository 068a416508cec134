/* report/world/world_columns.h - room-private: what every row of a player begins with. */
#ifndef OGPT_REPORT_WORLD_WORLD_COLUMNS_H
#define OGPT_REPORT_WORLD_WORLD_COLUMNS_H

#include "report/world/world_result.h"

#define WORLD_PLAYER_COLUMNS                                                                       \
    {"player", "player", .type = COLUMN_TEXT},                                                     \
    {                                                                                              \
        "strict_error", "strict error", .unit = "%", .digits = 3, .interval = true,                \
                                        .flags = COLUMN_BRIEF,                                     \
                                        .meaning = "top token not legal, random games"             \
    }

static inline void world__player_row(Table *table, const WorldFindings *findings, int kind)
{
    table_row(table);
    table_text(table, "player", player_name((PlayerKind)kind));
    table_interval(table, "strict_error", findings->strict[kind]);
}

#endif
