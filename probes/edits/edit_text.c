/* probes/edits/edit_text.c - edit plans as text: names, layers, scales, presets. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "probes/edits/edit_plan.h"

static const char *const method_names[] = {
#define EDIT_METHOD_NAME(constant, name, function, scales) name,
    EDIT_METHODS(EDIT_METHOD_NAME)
#undef EDIT_METHOD_NAME
};
static const char *const direction_names[] = {"difference", "target"};
static const char *const position_names[] = {"last", "all"};

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverride-init" /* a preset is the default and what differs */
static const struct {
    const char *name;
    EditPlan plan;
} presets[] = {
#define EDIT_PRESET_ROW(name, ...) {name, {EDIT_PLAN_FIELDS, __VA_ARGS__}},
    EDIT_PRESETS(EDIT_PRESET_ROW)
#undef EDIT_PRESET_ROW
};
#pragma GCC diagnostic pop

/* ---- names ---- */

int edit_preset_parse(EditPlan *out, const char *name)
{
    for (size_t i = 0; i < sizeof(presets) / sizeof(presets[0]); i++) {
        if (strcmp(name, presets[i].name) == 0) {
            *out = presets[i].plan;
            return 0;
        }
    }
    return err_set(OGPT_EUSAGE, "--preset \"%s\": expected one of %s", name, EDIT_PRESET_NAMES);
}

const char *edit_method_name(EditMethod method)
{
    return method_names[method];
}

const char *edit_direction_name(EditDirection direction)
{
    return direction_names[direction];
}

const char *edit_positions_name(EditPositions positions)
{
    return position_names[positions];
}

/* ---- layers and scales ---- */

void edit_layers_print(char out[192], uint64_t layers)
{
    size_t used = 0;
    out[0] = '\0';
    for (int l = 0; l < EDIT_MAX_LAYERS; l++) {
        int last = l;
        if ((layers >> l & 1) == 0) {
            continue;
        }
        while (last + 1 < EDIT_MAX_LAYERS && (layers >> (last + 1) & 1)) {
            last++;
        }
        used += (size_t)snprintf(out + used, 192 - used, last > l ? "%s%d-%d" : "%s%d",
                                 used ? "," : "", l, last);
        l = last;
    }
}

/* A number from 0 to `most`, followed by r if it is a share of the row. */
static bool scale_read(EditScale *out, const char *text, double most)
{
    char *end;
    double value = strtod(text, &end);
    out->relative = *end == 'r';
    out->value = value;
    return end != text && strcmp(end, out->relative ? "r" : "") == 0 && value >= 0 && value <= most;
}

int edit_scale_parse(EditScale *out, const char *text)
{
    return scale_read(out, text, 1e6)
               ? 0
               : err_set(OGPT_EUSAGE,
                         "--scale \"%s\": expected a number of 0 to 1e6, such as 2.3, or with r "
                         "for shares of the residual's norm, such as 0.5r, or auto",
                         text);
}

int edit_rate_parse(EditScale *out, const char *text)
{
    return scale_read(out, text, 1) && out->value > 0
               ? 0
               : err_set(OGPT_EUSAGE,
                         "--rate \"%s\": expected a number above 0 to 1, such as 0.001, or with r "
                         "for shares of the row's root mean square, such as 0.004r",
                         text);
}

void edit_scale_print(char out[32], EditScale scale)
{
    snprintf(out, 32, "%g%s", scale.value, scale.relative ? "r" : "");
}
