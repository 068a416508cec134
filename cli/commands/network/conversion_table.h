/* cli/commands/network/conversion_table.h - what a conversion made, as a table. */
#ifndef OGPT_CLI_COMMANDS_NETWORK_CONVERSION_TABLE_H
#define OGPT_CLI_COMMANDS_NETWORK_CONVERSION_TABLE_H

#include "cli/study.h"
#include "probes/artefacts/convert.h"

extern const TableSpec
    conversion_table; /* a record: dtype's columns only where numbers were rounded */

void converted_report(Context *context, const Conversion *c);

#endif
