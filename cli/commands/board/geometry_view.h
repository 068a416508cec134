/* cli/commands/board/geometry_view.h - what ogpt probe geometry has measured, and how it is written
 * out. */
#ifndef OGPT_CLI_COMMANDS_BOARD_GEOMETRY_VIEW_H
#define OGPT_CLI_COMMANDS_BOARD_GEOMETRY_VIEW_H

#include "cli/command.h"
#include "probes/activations/subject.h"
#include "probes/compare/stability.h"

#define GEOMETRY_MAX 8 /* probes at once */

typedef struct GeometryProbe {
    const char *path;
    Probe probe;
    DirectionSet directions[LAYERS_MAX];
    double rank[LAYERS_MAX];           /* effective */
    BetweenCosines halves[LAYERS_MAX]; /* of fits on disjoint halves */
    Explained explained[LAYERS_MAX];
    bool has_halves, has_explained;
} GeometryProbe;

typedef struct Geometry {
    Subject subject;
    size_t n;
    GeometryProbe probe[GEOMETRY_MAX];
} Geometry;

/* The page for people, the JSON document, and the rows of kind probe_geometry. */
void geometry_print(Text *text, const Geometry *geometry);
Js *geometry_document(const Geometry *geometry);
Js *geometry_rows(const Geometry *geometry);

#endif
