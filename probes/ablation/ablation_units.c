/* probes/ablation/ablation_units.c - names and lists of units and kinds. */
#include "probes/ablation/ablation_units.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"

static const char *const unit_names[N_ABLATION_UNITS] = {ABLATION_UNITS(ENUM_NAME)};
static const char *const kind_names[N_ABLATION_KINDS] = {ABLATION_KINDS(ENUM_NAME)};

const char *ablation_unit_kind_name(AblationUnitKind kind)
{
    return unit_names[kind];
}

const char *ablation_kind_name(AblationKind kind)
{
    return kind_names[kind];
}

void ablation_unit_name(char out[ABLATION_NAME_MAX], AblationUnit unit)
{
    switch (unit.kind) {
    case ABLATE_HEAD: snprintf(out, ABLATION_NAME_MAX, "L%dH%d", unit.layer, unit.index); break;
    case ABLATE_NEURON: snprintf(out, ABLATION_NAME_MAX, "L%dN%d", unit.layer, unit.index); break;
    case ABLATE_INPUT: snprintf(out, ABLATION_NAME_MAX, "input"); break;
    default: snprintf(out, ABLATION_NAME_MAX, "%s%d", unit_names[unit.kind], unit.layer);
    }
}

static int list_parse(unsigned *out, const char *text, const char *what, const char *const *names,
                      int n)
{
    *out = 0;
    for (const char *word = text;; word++) {
        size_t length = strcspn(word, ",");
        int found = 0;
        while (found < n &&
               (strlen(names[found]) != length || strncmp(names[found], word, length) != 0)) {
            found++;
        }
        if (found == n || *out >> found & 1) {
            char all[128] = "";
            for (int i = 0; i < n; i++) {
                snprintf(all + strlen(all), sizeof(all) - strlen(all), "%s%s", i ? ", " : "",
                         names[i]);
            }
            return err_set(OGPT_EUSAGE, "%s: \"%.*s\" %s, expected a list of: %s", what,
                           (int)length, word, found == n ? "is no name" : "is named twice", all);
        }
        *out |= 1U << found;
        word += length;
        if (*word == '\0') {
            return 0;
        }
    }
}

int ablation_units_parse(unsigned *out, const char *text, const char *what)
{
    return list_parse(out, text, what, unit_names, N_ABLATION_UNITS);
}

int ablation_kinds_parse(unsigned *out, const char *text, const char *what)
{
    return list_parse(out, text, what, kind_names, N_ABLATION_KINDS);
}

/* Units of one kind in a layer. */
static int in_layer(const GptConfig *cfg, AblationUnitKind kind)
{
    return kind == ABLATE_HEAD ? cfg->n_heads : kind == ABLATE_NEURON ? cfg->d_mlp : 1;
}

size_t ablation_units_count(const GptConfig *cfg, unsigned kinds)
{
    size_t n = 0;
    for (int kind = 0; kind < N_ABLATION_UNITS; kind++) {
        size_t layers = kind == ABLATE_INPUT ? 1 : (size_t)cfg->n_layers;
        n += kinds >> kind & 1 ? layers * (size_t)in_layer(cfg, (AblationUnitKind)kind) : 0;
    }
    return n;
}

void ablation_units_list(AblationUnit *out, const GptConfig *cfg, unsigned kinds)
{
    for (int kind = 0; kind < N_ABLATION_UNITS; kind++) {
        int layers = (kinds >> kind & 1) == 0 ? 0 : kind == ABLATE_INPUT ? 1 : cfg->n_layers;
        for (int layer = 0; layer < layers; layer++) {
            for (int i = 0; i < in_layer(cfg, (AblationUnitKind)kind); i++) {
                *out++ = (AblationUnit){(AblationUnitKind)kind, layer, i};
            }
        }
    }
}
