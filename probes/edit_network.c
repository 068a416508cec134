/* probes/edit_network.c - changing rows of a running forward pass. */
#include "probes/edit_network.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/rng.h"
#include "datasets/labels.h"
#include "datasets/vocab.h"
#include "game/play.h"

/* The square of a wrong-square control is drawn from another stream than the direction. */
#define SQUARE_STREAM (1ULL << 63)

typedef struct Worker {
    Tape *tape;
    float *row, *direction, *sum; /* (d_model) each */
    uint8_t *tokens;              /* (EDIT_CHUNK_CASES, n_ctx) */
} Worker;

struct EditNetwork {
    const Gpt *gpt;
    const Probe *probe;
    uint64_t seed;
    size_t n_workers;
    Worker *workers;
};

/* One query on its way through the forward pass. */
typedef struct Pass {
    const EditNetwork *network;
    const EditQuery *query;
    Worker *worker;
} Pass;

/* The squares of a case in the probe's terms. */
typedef struct ProbeEdit {
    int n;
    int squares[CASE_MAX_SQUARES], from[CASE_MAX_SQUARES], to[CASE_MAX_SQUARES];
} ProbeEdit;

static double dot(const float *a, const float *b, size_t n)
{
    double sum = 0.0;

    for (size_t i = 0; i < n; i++) {
        sum += (double)a[i] * b[i];
    }
    return sum;
}

static void add_scaled(float *x, const float *direction, double amount, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        x[i] += (float)(amount * direction[i]);
    }
}

void edit_row(float *x, float *direction, const EditPlan *plan, const Probe *probe, int layer,
              const int *squares, const int *from_class, const int *to_class, int n_squares)
{
    size_t width = (size_t)probe->d_model;
    int at =
        probe_layer_index(probe, plan->probe_layer == PROBE_LAYER_OWN ? layer : plan->probe_layer);

    for (int i = 0; i < n_squares; i++) {
        int square = squares[i];
        double norm = probe_direction(direction, probe, at, square, from_class[i], to_class[i]);
        double amount = plan->scale.value;

        if (norm == 0.0) {
            continue; /* the probe knows no difference between the two states: nothing to do */
        }
        if (plan->method == METHOD_ADD) {
            amount *= plan->scale.relative ? sqrt(dot(x, x, width)) : 1.0;
        } else {
            const float *bias = probe->bias[at] + square * probe->n_classes;
            double offset = (double)bias[to_class[i]] - bias[from_class[i]];
            double coordinate = dot(x, direction, width);

            coordinate += plan->ignore_bias ? 0.0 : offset / norm;
            amount = -(plan->scale.value + 1.0) * coordinate;
        }
        add_scaled(x, direction, amount, width);
    }
}

/* Class number of a LABEL_* colour state in the probe's task. */
static int probe_state(const Probe *probe, const EditCase *edit, int state)
{
    Colour viewer = edit->before.to_move;

    if (state == LABEL_EMPTY) {
        return probe_class(probe, "empty");
    }
    if (strcmp(probe->task, "colour") == 0) {
        return probe_class(probe, case_state_name(state));
    }
    if (strcmp(probe->labels, "parity") == 0) {
        viewer = edit->n_moves % 2 == 0 ? BLACK : WHITE;
    }
    return probe_class(probe, (state == LABEL_BLACK) == (viewer == BLACK) ? "mine" : "theirs");
}

static ProbeEdit probe_edit(const Probe *probe, const EditCase *edit)
{
    ProbeEdit out = {.n = edit->n_squares};

    for (int i = 0; i < edit->n_squares; i++) {
        int sq = edit->squares[i].sq;

        out.squares[i] = sq / 8 * probe->size + sq % 8;
        out.from[i] = probe_state(probe, edit, edit->squares[i].from);
        out.to[i] = probe_state(probe, edit, edit->squares[i].to);
    }
    return out;
}

/* Replace the squares of an edit by others, drawn among those that hold the same state (any
 * other square, where there is none), each used once. */
static void move_to_wrong_squares(ProbeEdit *out, const EditCase *edit, const GameVariant *variant,
                                  uint64_t seed, size_t index)
{
    Rng rng = rng_at(seed, RNG_DIRECTION, index | SQUARE_STREAM);
    uint64_t free_squares = variant->squares;

    for (int i = 0; i < edit->n_squares; i++) {
        free_squares &= ~(1ULL << edit->squares[i].sq);
    }
    for (int i = 0; i < edit->n_squares; i++) {
        uint64_t discs[3], alike;
        int sq;

        discs[LABEL_BLACK] = board_discs(&edit->before, BLACK);
        discs[LABEL_WHITE] = board_discs(&edit->before, WHITE);
        discs[LABEL_EMPTY] = ~(discs[LABEL_BLACK] | discs[LABEL_WHITE]);
        alike = discs[edit->squares[i].from] & free_squares;
        alike = alike ? alike : free_squares;
        sq = mask_select(alike, (int)rng_below(&rng, (uint32_t)__builtin_popcountll(alike)));
        free_squares &= ~(1ULL << sq);
        out->squares[i] = sq / 8 * variant->size + sq % 8;
    }
}

/* Unit vector: a random one, or the sum of the probe directions of wrong squares. */
static void control_direction(float *out, const Pass *pass, const EditCase *edit, size_t index,
                              int layer)
{
    const EditNetwork *network = pass->network;
    const EditPlan *plan = pass->query->plan;
    size_t width = (size_t)network->probe->d_model;
    double norm;

    memset(out, 0, width * sizeof *out);
    if (pass->query->version == VERSION_RANDOM) {
        Rng rng = rng_at(network->seed, RNG_DIRECTION, index);

        for (size_t i = 0; i < width; i++) {
            out[i] = (float)rng_normal(&rng);
        }
    } else {
        ProbeEdit wrong = probe_edit(network->probe, edit);
        int at = probe_layer_index(
            network->probe, plan->probe_layer == PROBE_LAYER_OWN ? layer : plan->probe_layer);

        move_to_wrong_squares(&wrong, edit, pass->query->set->variant, network->seed, index);
        for (int i = 0; i < wrong.n; i++) {
            probe_direction(pass->worker->direction, network->probe, at, wrong.squares[i],
                            wrong.from[i], wrong.to[i]);
            add_scaled(out, pass->worker->direction, 1.0, width);
        }
    }
    norm = sqrt(dot(out, out, width));
    for (size_t i = 0; i < width && norm > 0.0; i++) {
        out[i] = (float)(out[i] / norm);
    }
}

static void edit_hook(void *context, const HookPoint *point)
{
    Pass *pass = context;
    const EditQuery *query = pass->query;
    const Probe *probe = pass->network->probe;
    Worker *worker = pass->worker;

    for (size_t i = 0; i < query->n; i++) {
        size_t index = query->order[i], width = point->width;
        const EditCase *edit = &query->set->cases[index];
        float *x = point->value + (i * point->T + (size_t)edit->n_moves - 1) * width;
        double *norm = &query->norms[i * EDIT_MAX_LAYERS + (size_t)point->layer];

        if (query->version == VERSION_EDIT) {
            ProbeEdit squares = probe_edit(probe, edit);

            memcpy(worker->row, x, width * sizeof *x);
            edit_row(x, worker->direction, query->plan, probe, point->layer, squares.squares,
                     squares.from, squares.to, squares.n);
            add_scaled(worker->row, x, -1.0, width);
            *norm = sqrt(dot(worker->row, worker->row, width));
        } else {
            control_direction(worker->sum, pass, edit, index, point->layer);
            add_scaled(x, worker->sum, *norm, width);
        }
    }
}

static int predict(void *context, float *logits, const EditQuery *query, size_t worker)
{
    EditNetwork *network = context;
    const Vocab *vocab = vocab_of(query->set->variant);
    Pass pass = {.network = network, .query = query, .worker = &network->workers[worker]};
    Hooks hooks = {.fn = edit_hook, .context = &pass};
    size_t T = 0, V = (size_t)vocab->d_vocab;
    const real *all;

    for (size_t i = 0; i < query->n; i++) {
        size_t n_moves = (size_t)query->set->cases[query->order[i]].n_moves;

        if (n_moves > (size_t)network->gpt->cfg.n_ctx) {
            return err_set(OGPT_EFORMAT, "case %zu has %zu moves, the model reads at most %d",
                           query->order[i], n_moves, network->gpt->cfg.n_ctx);
        }
        T = n_moves > T ? n_moves : T;
    }
    memset(pass.worker->tokens, TOK_PAD, query->n * T);
    for (size_t i = 0; i < query->n; i++) {
        const EditCase *edit = &query->set->cases[query->order[i]];

        for (int t = 0; t < edit->n_moves; t++) {
            pass.worker->tokens[i * T + (size_t)t] = vocab->tok_of_sq[edit->moves[t]];
        }
    }
    if (query->version != VERSION_NONE) {
        hooks.sites[query->plan->site] = query->plan->layers;
    }
    all = gpt_forward(network->gpt, pass.worker->tape, pass.worker->tokens, query->n, T, &hooks);
    for (size_t i = 0; i < query->n; i++) {
        size_t last = (size_t)query->set->cases[query->order[i]].n_moves - 1;

        memcpy(logits + i * V, all + (i * T + last) * V, V * sizeof *logits);
    }
    return 0;
}

static int worker_init(Worker *out, const Gpt *gpt, size_t width)
{
    int code = tape_new(&out->tape, &gpt->cfg, EDIT_CHUNK_CASES, TAPE_FORWARD, NULL);

    if (code != 0) {
        return code;
    }
    out->row = mem_alloc(width, sizeof *out->row, "an edited row");
    out->direction = mem_alloc(width, sizeof *out->direction, "an edit direction");
    out->sum = mem_alloc(width, sizeof *out->sum, "an edit direction");
    out->tokens = mem_alloc(EDIT_CHUNK_CASES, (size_t)gpt->cfg.n_ctx, "tokens of cases");
    return out->row && out->direction && out->sum && out->tokens ? 0 : OGPT_ENOMEM;
}

int edit_network_new(EditNetwork **out, const Gpt *gpt, const Probe *probe, size_t n_workers,
                     uint64_t seed)
{
    EditNetwork *network = mem_calloc(1, sizeof *network, "network to be edited");
    int code = 0;

    *out = NULL;
    if (!network) {
        return OGPT_ENOMEM;
    }
    *network = (EditNetwork){.gpt = gpt, .probe = probe, .seed = seed, .n_workers = n_workers};
    network->workers = mem_calloc(n_workers, sizeof *network->workers, "workers of an edit");
    if (!network->workers) {
        code = OGPT_ENOMEM;
    }
    for (size_t i = 0; i < n_workers && code == 0; i++) {
        code = worker_init(&network->workers[i], gpt, (size_t)probe->d_model);
    }
    if (code != 0) {
        edit_network_free(network);
        return code;
    }
    *out = network;
    return 0;
}

void edit_network_free(EditNetwork *network)
{
    if (!network) {
        return;
    }
    for (size_t i = 0; network->workers && i < network->n_workers; i++) {
        tape_free(network->workers[i].tape);
        mem_free(network->workers[i].row);
        mem_free(network->workers[i].direction);
        mem_free(network->workers[i].sum);
        mem_free(network->workers[i].tokens);
    }
    mem_free(network->workers);
    mem_free(network);
}

EditPredictor edit_network_predictor(EditNetwork *network)
{
    return (EditPredictor){
        .context = network, .d_vocab = network->gpt->cfg.d_vocab, .predict = predict};
}
