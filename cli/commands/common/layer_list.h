/* cli/commands/common/layer_list.h - "--layers all" or "--layers embed,0,5". */
#ifndef OGPT_CLI_COMMANDS_COMMON_LAYER_LIST_H
#define OGPT_CLI_COMMANDS_COMMON_LAYER_LIST_H

#include "model/checkpoint.h"
#include "probes/board/probe.h"

#define ALL_LAYERS "all"

/* layers (LAYERS_MAX) ascending; "all" gives *n = 0. A layer that stands there twice stays
 * twice: the user of the list refuses it. Returns 0 or OGPT_EUSAGE naming the character. */
int layer_list_parse(int *layers, int *n, const char *text);
/* Refuse a layer that the model lacks: OGPT_EUSAGE naming both. */
int layer_list_check(const int *layers, int n, const ModelFile *model);

#endif
