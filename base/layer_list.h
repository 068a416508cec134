/* base/layer_list.h - lists of layers as text: "0,2-5", "all", "auto". */
#ifndef OGPT_BASE_LAYER_LIST_H
#define OGPT_BASE_LAYER_LIST_H

#include <stdbool.h>

/* What an option reads: distinct layers in ascending order, -1 is the embedding. `max` of its
 * spec is the largest number of layers that may be named, 0 any; 1 makes its help say LAYER. */
typedef enum LayersWord { LAYERS_UNSET, LAYERS_LISTED, LAYERS_ALL, LAYERS_AUTO } LayersWord;
enum { LAYERS_LISTED_MAX = 65, LAYERS_EMBED = -1 };
typedef struct LayerList {
    LayersWord word;
    int n; /* of `layers`; 0 unless LAYERS_LISTED */
    int layers[LAYERS_LISTED_MAX];
    const char *text; /* as typed; borrowed */
} LayerList;

/* Read a list of layers; `words` and `most` as `choices` and `max` of OPT_LAYERS. Returns NULL, or
 * what is wrong, for a message. */
const char *layers_read(LayerList *out, const char *text, const char *words, int most);
/* Refuse layers that a network of n_layers blocks lacks; `all` becomes the list of all, the
 * embedding first if `embed`. `what` names the network. Returns 0 or OGPT_EUSAGE. */
int layers_resolve(LayerList *layers, int n_layers, bool embed, const char *what);

#endif
