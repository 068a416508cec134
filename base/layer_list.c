/* base/layer_list.c - contract in base/layer_list.h. */
#include "base/layer_list.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"

#define LAYER_HIGHEST (LAYERS_LISTED_MAX - 2) /* of any network; the embedding is one more */

/* Whether `word` is one of the words between the bars of `words`. */
static bool word_taken(const char *words, const char *word)
{
    size_t length = strlen(word);
    const char *at = words ? strstr(words, word) : NULL;
    return at && (at == words || at[-1] == '|') && (at[length] == '\0' || at[length] == '|');
}

/* A number of at most four digits at *text, which moves behind it; -2: there is none. */
static int layer_take(const char **text)
{
    size_t n = strspn(*text, "0123456789");
    if (n == 0 || n > 4) {
        return -2;
    }
    int layer = (int)strtol(*text, NULL, 10);
    *text += n;
    return layer;
}

/* One item of the list: "embed", "3" or "2-5". False if it is none. */
static bool item_take(const char **text, int *first, int *last)
{
    if (strncmp(*text, "embed", 5) == 0) {
        *text += 5;
        *first = *last = LAYERS_EMBED;
        return true;
    }
    *first = *last = layer_take(text);
    if (*first >= 0 && **text == '-') {
        *text += 1;
        *last = layer_take(text);
    }
    return *first >= 0 && *last >= *first && *last <= LAYER_HIGHEST;
}

static int compare_layers(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

const char *layers_read(LayerList *out, const char *text, const char *words, int most)
{
    const char *expected = most == 1 ? "a layer 0..63 or 'embed' expected"
                                     : "layers 0..63 and 'embed' expected, as embed,0,2-5";
    const char *rest = text;
    *out = (LayerList){.word = LAYERS_LISTED, .text = text};
    if (strcmp(text, "all") == 0 || strcmp(text, "auto") == 0 || strcmp(text, "best") == 0) {
        out->word = strcmp(text, "all") == 0 ? LAYERS_ALL : LAYERS_AUTO;
        return word_taken(words, text) ? NULL : expected;
    }
    do {
        int first = 0, last = 0;
        rest += rest > text; /* the comma */
        if (!item_take(&rest, &first, &last)) {
            return expected;
        }
        for (int layer = first; layer <= last; layer++) {
            if (out->n == LAYERS_LISTED_MAX) {
                return "at most 65 layers expected";
            }
            out->layers[out->n++] = layer;
        }
    } while (*rest == ',');
    if (*rest != '\0') {
        return expected;
    }
    qsort(out->layers, (size_t)out->n, sizeof(out->layers[0]), compare_layers);
    for (int i = 1; i < out->n; i++) {
        if (out->layers[i] == out->layers[i - 1]) {
            return "each layer once expected";
        }
    }
    return most == 1 && out->n != 1 ? "exactly one layer expected" : NULL;
}

int layers_resolve(LayerList *layers, int n_layers, bool embed, const char *what)
{
    if (layers->word == LAYERS_ALL) {
        layers->word = LAYERS_LISTED;
        layers->n = 0;
        for (int l = embed ? LAYERS_EMBED : 0; l < n_layers && layers->n < LAYERS_LISTED_MAX; l++) {
            layers->layers[layers->n++] = l;
        }
    }
    for (int i = 0; i < layers->n; i++) {
        if (layers->layers[i] >= n_layers) {
            return err_set(OGPT_EUSAGE, "--layers %s: %s has layers 0 to %d and 'embed'",
                           layers->text, what, n_layers - 1);
        }
        if (layers->layers[i] == LAYERS_EMBED && !embed) {
            return err_set(OGPT_EUSAGE, "--layers %s: only layers 0 to %d of %s can be used here",
                           layers->text, n_layers - 1, what);
        }
    }
    return 0;
}
