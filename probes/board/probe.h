/* probes/board/probe.h - a probe: what it is in memory and on disk.
 *
 * Linear: score[square][class] = sum_c x[c] * weight[c][square][class] + bias[square][class].
 * With a hidden layer (the nonlinear probe of Li et al., ICLR 2023: all squares share the hidden
 * units of a layer): h = max(0, x . hidden_weight + hidden_bias), and
 * score[square][class] = sum_j h[j] * weight[j][square][class] + bias[square][class].
 * The predicted class is the argmax (ties to the lowest class). Squares are row-major over the
 * board (rows = ranks). On disk it is a directory: probe.safetensors (for each layer
 * "blocks.3.hook_resid_post.weight" [d_model or hidden, rows, cols, classes] and ".bias"
 * [rows, cols, classes]; with a hidden layer ".hidden.weight" [d_model, hidden] and
 * ".hidden.bias" [hidden] too), probe.json, MANIFEST.json.
 */
#ifndef OGPT_PROBES_BOARD_PROBE_H
#define OGPT_PROBES_BOARD_PROBE_H

#include "base/files.h"
#include "base/hash.h"
#include "base/manifest.h"
#include "model/gpt.h"
#include "probes/activations/subject.h"
#include "probes/activations/tasks.h"
#include "probes/solvers/solver.h"

#define PROBE_MAX_HIDDEN 2048
#define PROBE_FOLDER "probe" /* the probe that lies in a model's or a run's directory */
_Static_assert(TASK_MAX_CLASSES <= FIT_MAX_CLASSES, "every task can be fitted");

typedef struct Probe {
    char task[16];                      /* "mine", "colour", ... (probes/activations/tasks.h) */
    char classes[TASK_MAX_CLASSES][16]; /* names in order: "empty", "theirs", "mine" */
    char solver[16];
    char labels[16]; /* "mover" or "parity" */
    HookSite site;
    int size;      /* of the board: 4, 6, 8 */
    int n_squares; /* size * size */
    int d_model;   /* width of the site's rows */
    int n_hidden;  /* 0: linear; else units of the hidden layer */
    int n_classes;
    int n_layers;           /* fitted layers */
    int layers[LAYERS_MAX]; /* ascending; LAYER_EMBED first when fitted */
    double l2;              /* as asked; 0: chosen for each layer, see fit[].l2 */
    int epochs;             /* adamw: as asked; 0: the recipe's own */
    int64_t n_games, plies; /* training games; positions drawn from each (0: all) */
    int64_t n_valid_games;  /* if the fit depends on them (l2 chosen, hidden layer); else 0 */
    int64_t n_positions;    /* used for fitting */
    uint64_t seed;
    char model_hash[HASH_HEX_SIZE];
    char corpus_hash[HASH_HEX_SIZE + 32];
    unsigned split_rules;      /* SplitRule: how the corpus was divided; 0: no corpus is named */
    float *weight[LAYERS_MAX]; /* (probe_inputs, n_squares, n_classes) */
    float *bias[LAYERS_MAX];   /* (n_squares, n_classes) */
    float *hidden_weight[LAYERS_MAX]; /* (d_model, n_hidden); NULL if linear */
    float *hidden_bias[LAYERS_MAX];   /* (n_hidden); NULL if linear */
    bool fitted[LAYERS_MAX];          /* false while a sweep is unfinished */
    /* Set for fitted layers. A file of an earlier program holds only the objective: then seconds
     * are NaN and the counts are 0; do not show them. */
    FitReport fit[LAYERS_MAX];
    double seconds[LAYERS_MAX]; /* that the fit took */
} Probe;

/* Allocate zero weights by the shape fields of *probe. Returns 0 or OGPT_ENOMEM. */
int probe_allocate(Probe *probe);
/* Rows of the last weight matrix: n_hidden, or d_model if linear. */
size_t probe_inputs(const Probe *probe);
void probe_release(Probe *probe);
/* Check that a probe may be published at `path`: nothing is there, or an older probe, which is
 * known by its MANIFEST.json and probe.json (damaged or not). Replacing removes a directory with
 * all its contents, so anything else is refused by name: OGPT_EUSAGE. */
int probe_check_goal(const char *path);
/* Publish at `path` in place of an older probe (see probe_check_goal). Returns 0 or OGPT_E*. */
int probe_save(const Probe *probe, const char *path);
/* Write probe.safetensors and probe.json into a directory that the caller publishes. The caller
 * owns *fields, the fields of the manifest, also after an error. */
int probe_write(Publish *publish, Js **fields, const Probe *probe);
/* What a probe is fitted for and its numbers, into the key of a journal. */
void probe_hash(Sha256 *hash, const Probe *probe);
/* Read a probe and check it completely. Owned: probe_release. Returns 0, OGPT_EIO, OGPT_EFORMAT,
 * OGPT_ENOMEM. */
int probe_load(Probe *out, const char *path);
/* Refuse a probe of another network, board size or width: OGPT_EFORMAT naming both sides. `path` is
 * the probe's, for the message. */
int subject_check_probe(const Subject *subject, const char *path, const Probe *probe);
/* The same, where only the hash and the configuration are known. */
int probe_check_model(const Probe *probe, const char *path, const char *model_hash,
                      const GptConfig *cfg);
/* Refuse a probe with a layer that is not fitted yet: OGPT_EUSAGE naming the layer. */
int probe_check_finished(const Probe *probe, const char *path);
/* Refuse a probe that does not say mine, theirs and empty of the side to move at resid_post by one
 * direction each: it must be linear, of the task "mine", labels "mover", and finished. OGPT_EUSAGE,
 * naming `path`, what was expected and what was found. */
int probe_check_mine(const Probe *probe, const char *path);
/* The same at another site; a hidden layer is welcome unless `linear`. */
int probe_check_mine_at(const Probe *probe, const char *path, HookSite site, bool linear);
/* The hook site and block where the rows of a layer are read: blocks.0.hook_resid_pre for
 * LAYER_EMBED, else the probe's own site. */
HookSite probe_hook(int *block, const Probe *probe, int layer);
/* Index of `layer` in probe->layers, or -1. */
int probe_layer_index(const Probe *probe, int layer);
/* Class number by name, or -1. */
int probe_class(const Probe *probe, const char *name);
/* scores (n, n_squares, n_classes) of rows x (n, d_model) at layer index i. */
void probe_scores(float *scores, const Probe *probe, int i, const float *x, size_t n);
/* classes (n, n_squares) = argmax of the scores. `scratch` holds n*n_squares*n_classes floats. */
void probe_classify(uint8_t *classes, float *scratch, const Probe *probe, int i, const float *x,
                    size_t n);
/* Refuse a probe with a hidden layer: OGPT_EUSAGE, with what to use instead. */
int probe_check_linear(const Probe *probe, const char *probe_path);
/* loss = sum over squares of square_weight[s] * -ln softmax(scores of s)[target[s]], in nats, at
 * one row x (d_model) of layer index i; the probe may have a hidden layer. Returns the loss;
 * gradient (d_model) = d loss / d x. target[s] must be below n_classes even where the weight is 0.
 * Thread-safe, needs no scratch. */
double probe_input_gradient(float *gradient, const Probe *probe, int i, const float *x,
                            const uint8_t *target, const float *square_weight);

#endif
