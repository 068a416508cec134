/* cli/commands/network/convert.h - what the parts of ogpt convert share: its options, and one
 * conversion. */
#ifndef OGPT_CLI_COMMANDS_NETWORK_CONVERT_H
#define OGPT_CLI_COMMANDS_NETWORK_CONVERT_H

#include "base/manifest.h"
#include "cli/command.h"
#include "model/layouts/layouts.h"

typedef struct ConvertOptions {
    const char *from, *to, *notation, *model, *layer;
    int64_t heads; /* 0: not given */
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

/* Publish what `publish` holds in place of dst, unless dst holds the same: then nothing is
 * replaced. Something else at dst is replaced with --force only, and only if it is a published
 * directory. Takes over `publish`. `tensors` and `config` are the files that are compared. */
int conversion_publish(Conversion *conversion, Publish *publish, const Js *fields,
                       const char *tensors, const char *config);
/* The two kinds. */
int convert_model(Conversion *conversion);
int convert_probe(Conversion *conversion);

#endif
