/* probes/artefacts/convert.h - models and probes in the layouts that notebooks use, there and back.
 *
 * One side of a conversion is always ours (LAYOUT_TL). Nothing is edited in place: what is written
 * is made under another name, compared with what is there, and put in its place whole.
 */
#ifndef OGPT_PROBES_ARTEFACTS_CONVERT_H
#define OGPT_PROBES_ARTEFACTS_CONVERT_H

#include "base/hash.h"
#include "base/manifest.h"
#include "base/work.h"
#include "game/board.h"
#include "model/checkpoint.h"
#include "model/layouts/layouts.h"

#define CHECK_POSITIONS 100
enum { CONVERT_LAYER_ANY = -2 }; /* no layer was named */

typedef struct Conversion {
    const char *src, *dst;
    Layout from, to;
    bool to_ours;           /* dst becomes ours; else src is ours */
    const GameRules *rules; /* rename the tokens for these: classic or iago; NULL: as they are */
    const char *notation;   /* of the other side: "standard" or "othello_world" */
    bool transposed;        /* the notation is othello_world */
    const char *model;      /* that a probe belongs to, or NULL */
    const char *task;       /* of a probe whose file does not say it (proj.weight), or NULL */
    int layer;  /* of a probe in the published layout; -1: embedding; CONVERT_LAYER_ANY */
    int heads;  /* of a bare mingpt file; 0: unknown */
    bool check; /* forward positions in both layouts before anything is published */
    bool half;  /* write a model's numbers as float16 */
    bool force; /* replace another conversion */
    const char *command_line;
    const Work *work;                              /* its seed draws the positions of the check */
    void (*say)(void *context, const char *line);  /* for the user to know */
    void (*warn)(void *context, const char *line); /* ... and to worry about */
    void *context;                                 /* of the two */
    /* The result. */
    bool probe;                       /* else a model; set before the conversion is made */
    bool already;                     /* dst held exactly this before */
    size_t n_tensors;                 /* written */
    int64_t parameters;               /* ... in them */
    const char *plays;                /* the rules by whose names a model writes moves; static */
    char tensors_hash[HASH_HEX_SIZE]; /* ... and their hash */
    double largest, tolerance;        /* of the check; largest NaN without */
    /* Largest change by rounding to float16: of a number and, with check, of a logit; else NaN. */
    double weight_change, logit_change;
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
/* model_load with its warning passed on. */
int conversion_load(const Conversion *conversion, ModelFile *out, const char *path);
/* Read, check, write, publish: the two kinds. Returns 0; OGPT_ENEGATIVE (--check found a
 * difference; nothing was written); OGPT_EUSAGE; OGPT_EFORMAT; OGPT_EINTR; OGPT_EIO; OGPT_ENOMEM.
 */
int convert_model(Conversion *conversion);
int convert_probe(Conversion *conversion);

#endif
