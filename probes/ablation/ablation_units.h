/* probes/ablation/ablation_units.h - what can be taken out of a network, and what takes its place.
 *
 * A unit is one part that writes into the residual stream. A kind says which value its output gets
 * instead of the one that the pass computed. Both are one table each: names, help texts and lists
 * follow from it.
 *
 * Values at position t (the ply):
 *   zero      zeros. Nothing ever wrote them: off-distribution, kept because others report it
 *   mean      the mean over training games at the same ply. A plain mean over all plies would mix
 *             the two sides to move
 *   resample  the value of another training game at the same ply
 *   matched   the same, but that game's board agrees with this board on the matched squares
 *             (probes/ablation/ablation_donors.h), so that what the unit says of them is right
 *   random    a control: the clean value plus a random direction, as long as the change by `mean`
 */
#ifndef OGPT_PROBES_ABLATION_ABLATION_UNITS_H
#define OGPT_PROBES_ABLATION_ABLATION_UNITS_H

#include "base/enums.h"
#include "model/config.h"

/* X(enumerator, name, meaning) */
#define ABLATION_UNITS(X)                                                                          \
    X(ABLATE_INPUT, "input", "token and position embeddings")                                      \
    X(ABLATE_HEAD, "head", "output of one attention head (its slice of z)")                        \
    X(ABLATE_NEURON, "neuron", "one neuron behind its activation (entry of mlp_post)")             \
    X(ABLATE_ATTN, "attn", "attn_out of a layer")                                                  \
    X(ABLATE_MLP, "mlp", "mlp_out of a layer")                                                     \
    X(ABLATE_BLOCK, "block", "attn_out and mlp_out of a layer; zero passes the stream through")
#define ABLATION_KINDS(X)                                                                          \
    X(ABLATION_ZERO, "zero", "zeros")                                                              \
    X(ABLATION_MEAN, "mean", "mean over training games at the same ply")                           \
    X(ABLATION_RESAMPLE, "resample", "value of another game at the same ply")                      \
    X(ABLATION_MATCHED, "matched", "value of another game whose board agrees on some squares")     \
    X(ABLATION_RANDOM, "random", "control: a random direction as long as the change by mean")

typedef enum AblationUnitKind { ABLATION_UNITS(ENUM_ID) N_ABLATION_UNITS } AblationUnitKind;
typedef enum AblationKind { ABLATION_KINDS(ENUM_ID) N_ABLATION_KINDS } AblationKind;

/* Kinds, as bits, that need means of training games, and games that lend. */
#define ABLATION_NEED_MEANS (1U << ABLATION_MEAN | 1U << ABLATION_RANDOM)
#define ABLATION_NEED_DONORS (1U << ABLATION_RESAMPLE | 1U << ABLATION_MATCHED)

typedef struct AblationUnit {
    AblationUnitKind kind;
    int layer; /* 0 for the input */
    int index; /* head or neuron; 0 elsewhere */
} AblationUnit;

/* Units that are replaced together, all by values of one kind. */
typedef struct AblationSet {
    const AblationUnit *units; /* (n), borrowed; ABLATION_RANDOM takes one unit */
    size_t n;
    AblationKind kind;
    bool rescue; /* behind each unit the clean value is put back: attn_out behind a head, mlp_out
                  * behind a neuron, the stream behind attn, mlp and block */
} AblationSet;

#define ABLATION_NAME_MAX 32

/* Names (static). */
const char *ablation_unit_kind_name(AblationUnitKind kind);
const char *ablation_kind_name(AblationKind kind);
/* "input", "L3H5", "L3N120", "attn3", "mlp3", "block3". */
void ablation_unit_name(char out[ABLATION_NAME_MAX], AblationUnit unit);
/* A list of names separated by commas as a set of bits. `what` names the option. Returns 0 or
 * OGPT_EUSAGE: an unknown or repeated name, an empty list. */
int ablation_units_parse(unsigned *out, const char *text, const char *what);
int ablation_kinds_parse(unsigned *out, const char *text, const char *what);
/* How many units of the kinds of a set of bits a network has, and all of them, in the order of the
 * table, then of the layers; out has room for them. */
size_t ablation_units_count(const GptConfig *cfg, unsigned kinds);
void ablation_units_list(AblationUnit *out, const GptConfig *cfg, unsigned kinds);

#endif
