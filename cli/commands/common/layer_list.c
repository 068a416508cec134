/* cli/commands/layer_list.c - lists of layers. See cli/commands/common/layer_list.h. */
#include "cli/commands/common/layer_list.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"

static int compare_ints(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

int layer_list_parse(int *layers, int *n, const char *text)
{
    const char *rest = text;
    *n = 0;
    if (strcmp(text, ALL_LAYERS) == 0) {
        return 0;
    }
    for (;;) {
        size_t length = strcspn(rest, ",");
        char *end;
        long layer = LAYER_EMBED;
        if (length != 5 || strncmp(rest, "embed", 5) != 0) {
            layer = rest[0] >= '0' && rest[0] <= '9' ? strtol(rest, &end, 10) : -1;
            if (layer < 0 || layer > INT32_MAX || end != rest + length) {
                return err_set(OGPT_EUSAGE,
                               "--layers \"%s\": expected %s, or numbers and 'embed' "
                               "with commas, at character %d",
                               text, ALL_LAYERS, (int)(rest - text) + 1);
            }
        }
        if (*n == LAYERS_MAX) {
            return err_set(OGPT_EUSAGE, "--layers: more than %d layers", LAYERS_MAX);
        }
        layers[(*n)++] = (int)layer;
        if (rest[length] == '\0') {
            break;
        }
        rest += length + 1;
    }
    qsort(layers, (size_t)*n, sizeof(int), compare_ints);
    return 0;
}

int layer_list_check(const int *layers, int n, const ModelFile *model)
{
    int last = model->gpt->cfg.n_layers - 1;
    for (int i = 0; i < n; i++) {
        if (layers[i] > last) {
            return err_set(OGPT_EUSAGE,
                           "--layers: layer %d asked for, %s has layers 0 to %d and 'embed'",
                           layers[i], model->path, last);
        }
    }
    return 0;
}
