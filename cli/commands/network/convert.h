/* cli/commands/network/convert.h - what the parts of ogpt convert share: its options, and one
 * conversion. */
#ifndef OGPT_CLI_COMMANDS_NETWORK_CONVERT_H
#define OGPT_CLI_COMMANDS_NETWORK_CONVERT_H

#include "base/manifest.h"
#include "cli/study.h"
#include "model/layouts/layouts.h"

typedef struct ConvertOptions {
    int from, to; /* Layout; -1: not given */
    const char *notation, *model;
    LayerList layer; /* one, or LAYERS_UNSET */
    int64_t heads;   /* 0: not given */
    bool check;
} ConvertOptions;

#define CHECK_POSITIONS 100

typedef struct Conversion {
    Context *context;
    const ConvertOptions *options;
    const char *src, *dst;
    Layout from, to;
    bool transposed;  /* --notation othello_world */
    bool probe;       /* else a model */
    bool already;     /* dst held exactly this before */
    size_t n_tensors; /* written */
    int64_t parameters;
    char model_hash[HASH_HEX_SIZE]; /* of the tensors written */
    double largest, tolerance;      /* of --check; largest NaN without */
} Conversion;

/* Whether `path` is a probe of ours, or a file in the published probe's layout. */
int conversion_is_probe(bool *out, const char *path);
/* Refuse to put something in a place where it would destroy another thing, with --force or without.
 * Returns 0 or OGPT_EUSAGE. */
int conversion_check_goal(const Conversion *conversion);
/* Publish what `publish` holds in place of dst, unless dst holds the same: then nothing is
 * replaced. Something else at dst is replaced with --force only, and only if it is a published
 * directory. Takes over `publish`. `tensors` and `config` are the files that are compared. */
int conversion_publish(Conversion *conversion, Publish *publish, const Js *fields,
                       const char *tensors, const char *config);
/* The two kinds. */
int convert_model(Conversion *conversion);
int convert_probe(Conversion *conversion);

#endif
