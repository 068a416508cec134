/* probes/edits/edit_network.c - changing rows of a running forward pass. See
 * probes/edits/edit_network.h. */
#include "probes/edits/edit_network.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "datasets/vocab.h"
#include "model/prefix.h"
#include "num/vectors.h"
#include "probes/edits/edit_internal.h"

typedef struct EditWorker {
    Prefix *prefix;                /* of the cases with the tokens below */
    Prefix *edited;                /* of a plan for all positions; made on first use */
    Prefix *last;                  /* that of the two which answered last */
    float *scratch, *row, *change; /* EDIT_ROW_SCRATCH(d_model), (d_model), (d_model) */
    float scores[BOARD_SQUARES * TASK_MAX_CLASSES];
    size_t n; /* cases in `prefix`; 0: none yet */
    uint8_t lengths[EDIT_CHUNK_CASES];
    uint8_t tokens[EDIT_CHUNK_CASES * GAME_MAX_MOVES];
} EditWorker;

struct EditNetwork {
    const Gpt *gpt;
    const BoardDirections *directions;
    const BoardDirections *rival; /* of arm probe; NULL: it cannot be asked for */
    const Probe *reader;
    uint64_t seed;
    size_t n_workers;
    EditWorker *workers;
};

/* One query on its way through the network. */
typedef struct EditPass {
    const EditNetwork *network;
    const EditQuery *query;
    EditWorker *worker;
    bool whole; /* the rows of all positions pass by, not only the last one */
} EditPass;

/* ---- one row ---- */

/* worker->change = the change of row x by a plan along directions, for these squares. Returns its
 * length. */
static double change_of(EditWorker *worker, const float *x, const EditPlan *plan,
                        const BoardDirections *directions, int layer, const EditSquares *squares)
{
    size_t width = directions->width;
    memcpy(worker->row, x, width * sizeof(*x));
    edit_row(worker->row, worker->scratch, plan, directions, layer, squares);
    for (size_t c = 0; c < width; c++) {
        worker->change[c] = worker->row[c] - x[c];
    }
    return sqrt(vector_dot(worker->change, worker->change, width));
}

/* The same by the plan that is asked for. */
static double planned_change(const EditPass *pass, const float *x, int layer,
                             const EditSquares *squares)
{
    return change_of(pass->worker, x, pass->query->plan, pass->network->directions, layer, squares);
}

/* ---- one function an arm ---- */

/* A row that an arm may change: that of a site and layer at the last position of query case i. */
typedef struct ArmRow {
    const EditPass *pass;
    size_t i;
    int layer;
    const float *x;
} ArmRow;

static const EditCase *case_of(const ArmRow *row)
{
    const EditQuery *query = row->pass->query;
    return &query->set->cases[query->order[row->i]];
}

/* Scale worker->change, which has this length, to the length of the change that arm edit made. */
static void as_long_as_the_edit(const ArmRow *row, double length)
{
    const EditPass *pass = row->pass;
    double norm = pass->query->norms[row->i * EDIT_MAX_LAYERS + (size_t)row->layer];
    for (size_t c = 0; c < pass->network->directions->width; c++) {
        pass->worker->change[c] *= (float)(length > 0.0 ? norm / length : 0.0);
    }
}

static void change_nothing(const ArmRow *row)
{
    memset(row->pass->worker->change, 0, row->pass->network->directions->width * sizeof(float));
}

static void change_by_plan(const ArmRow *row)
{
    EditSquares squares = edit_squares(&row->pass->network->directions->terms, case_of(row));
    row->pass->query->norms[row->i * EDIT_MAX_LAYERS + (size_t)row->layer] =
        planned_change(row->pass, row->x, row->layer, &squares);
}

/* Along the random direction of the case. */
static void change_at_random(const ArmRow *row)
{
    const EditNetwork *network = row->pass->network;
    as_long_as_the_edit(row, direction_random(row->pass->worker->change, network->directions->width,
                                              network->seed, row->pass->query->order[row->i]));
}

static void change_wrong_square(const ArmRow *row)
{
    const EditNetwork *network = row->pass->network;
    const EditQuery *query = row->pass->query;
    EditSquares squares =
        edit_wrong_squares(&network->directions->terms, case_of(row), query->set->variant,
                           network->seed, query->order[row->i]);
    as_long_as_the_edit(row, planned_change(row->pass, row->x, row->layer, &squares));
}

static void change_repair(const ArmRow *row)
{
    EditSquares squares = edit_kept_squares(&row->pass->network->directions->terms, case_of(row));
    planned_change(row->pass, row->x, row->layer, &squares);
}

static void change_along_probe(const ArmRow *row)
{
    const BoardDirections *probe = row->pass->network->rival;
    const EditPlan plan = {
        .method = METHOD_ADD, .scale = {1, false}, .probe_layer = PROBE_LAYER_OWN};
    EditSquares squares = edit_squares(&probe->terms, case_of(row));
    as_long_as_the_edit(row,
                        change_of(row->pass->worker, row->x, &plan, probe, row->layer, &squares));
}

/* worker->change for a row, under each arm. */
static void (*const changes[N_ARMS])(const ArmRow *row) = {
#define ARM_CHANGE(constant, name, kind, change, meaning) change_##change,
    EDIT_ARMS(ARM_CHANGE)};

/* ---- hooks ---- */

static void edit_rows(const EditPass *pass, const HookPoint *point)
{
    const EditQuery *query = pass->query;
    for (size_t b = 0; b < point->B; b++) {
        size_t i = point->first + b;
        size_t n = pass->whole ? (size_t)query->set->cases[query->order[i]].n_moves : 1;
        float *rows = point->value + b * point->T * point->width;
        ArmRow row = {pass, i, point->layer, rows + (n - 1) * point->width};
        changes[query->arm](&row);
        for (size_t t = 0; t < n; t++) {
            edit__add(rows + t * point->width, pass->worker->change, 1.0, point->width);
        }
    }
}

static void read_rows(const EditPass *pass, const HookPoint *point, int at)
{
    const EditQuery *query = pass->query;
    const Probe *reader = pass->network->reader;
    for (size_t b = 0; b < point->B; b++) {
        size_t i = point->first + b;
        size_t n = pass->whole ? (size_t)query->set->cases[query->order[i]].n_moves : 1;
        size_t layers = (size_t)reader->n_layers, squares = (size_t)reader->n_squares;
        probe_classify(query->classes + (i * layers + (size_t)at) * squares, pass->worker->scores,
                       reader, at, point->value + (b * point->T + n - 1) * point->width, 1);
    }
}

/* The edit comes first, so that the probe reads the edited row. */
static void pass_hook(void *context, const HookPoint *point)
{
    const EditPass *pass = context;
    const EditQuery *query = pass->query;
    const Probe *reader = pass->network->reader;
    if (!arm_is_plain(query->arm) && point->site == query->plan->site &&
        query->plan->layers >> point->layer & 1) {
        edit_rows(pass, point);
    }
    for (int i = 0; query->classes && i < reader->n_layers; i++) {
        int block;
        HookSite site = probe_hook(&block, reader, reader->layers[i]);
        if (reader->fitted[i] && point->site == site && point->layer == block) {
            read_rows(pass, point, i);
        }
    }
}

static Hooks pass_hooks(EditPass *pass)
{
    const EditQuery *query = pass->query;
    const Probe *reader = pass->network->reader;
    Hooks hooks = {.fn = pass_hook, .context = pass};
    if (!arm_is_plain(query->arm)) {
        hooks.sites[query->plan->site] = query->plan->layers;
    }
    for (int i = 0; query->classes && i < reader->n_layers; i++) {
        int block;
        HookSite site = probe_hook(&block, reader, reader->layers[i]);
        hooks.sites[site] |= reader->fitted[i] ? 1ULL << block : 0;
    }
    return hooks;
}

/* ---- answering ---- */

/* Put the sequences of the query into worker->tokens, and their prefixes into worker->prefix. If
 * they are there already nothing is computed: the many plans of a sweep ask about the same cases
 * one after another. */
static int hold_sequences(const EditNetwork *network, EditWorker *worker, const EditQuery *query)
{
    const Vocab *vocab = vocab_of(query->set->variant);
    uint8_t tokens[sizeof(worker->tokens)] = {0}, lengths[EDIT_CHUNK_CASES] = {0};
    for (size_t i = 0; i < query->n; i++) {
        const EditCase *edit = &query->set->cases[query->order[i]];
        if (edit->n_moves > network->gpt->cfg.n_ctx) {
            return err_set(OGPT_EFORMAT, "case %zu has %d moves, the model reads at most %d",
                           query->order[i], edit->n_moves, network->gpt->cfg.n_ctx);
        }
        lengths[i] = (uint8_t)edit->n_moves;
        for (int t = 0; t < edit->n_moves; t++) {
            tokens[i * GAME_MAX_MOVES + (size_t)t] = vocab->tok_of_sq[edit->moves[t]];
        }
    }
    if (worker->n == query->n && memcmp(worker->lengths, lengths, sizeof(lengths)) == 0 &&
        memcmp(worker->tokens, tokens, sizeof(tokens)) == 0) {
        return 0;
    }
    worker->n = query->n;
    memcpy(worker->lengths, lengths, sizeof(lengths));
    memcpy(worker->tokens, tokens, sizeof(tokens));
    prefix_fill(worker->prefix, network->gpt, tokens, GAME_MAX_MOVES, lengths, query->n, NULL);
    return 0;
}

static int predict(void *context, float *logits, const EditQuery *query, size_t worker_index)
{
    EditNetwork *network = context;
    EditWorker *worker = &network->workers[worker_index];
    EditPass pass = {.network = network, .query = query, .worker = worker};
    const Gpt *gpt = network->gpt;
    const real *answer;
    if (!arm_is_plain(query->arm) && changes[query->arm] == change_nothing) {
        return err_set(OGPT_EUSAGE, "a network has no function for arm %s", arm_name(query->arm));
    }
    if (query->arm == ARM_PROBE && !network->rival) {
        return err_set(OGPT_EUSAGE, "arm %s: no probe was named", arm_name(query->arm));
    }
    Hooks hooks = pass_hooks(&pass);
    int rc = hold_sequences(network, worker, query);
    pass.whole = !arm_is_plain(query->arm) && query->plan->positions == POSITIONS_ALL;
    if (rc == 0 && pass.whole && !worker->edited) {
        rc = prefix_new(&worker->edited, &gpt->cfg, EDIT_CHUNK_CASES, TAPE_FORWARD, NULL);
    }
    if (rc != 0) {
        return rc;
    }
    if (query->classes) {
        memset(query->classes, 0,
               query->n * (size_t)(network->reader->n_layers * network->reader->n_squares));
    }
    worker->last = pass.whole ? worker->edited : worker->prefix;
    if (pass.whole) {
        prefix_fill(worker->edited, gpt, worker->tokens, GAME_MAX_MOVES, worker->lengths, query->n,
                    &hooks);
    }
    answer = prefix_last(worker->last, gpt, pass.whole ? NULL : &hooks);
    memcpy(logits, answer, query->n * (size_t)gpt->cfg.d_vocab * sizeof(*logits));
    return 0;
}

static int append(void *context, float *logits, const EditQuery *query, const uint8_t *tokens,
                  size_t worker)
{
    EditNetwork *network = context;
    const Gpt *gpt = network->gpt;
    memcpy(logits, prefix_append(network->workers[worker].last, gpt, tokens),
           query->n * (size_t)gpt->cfg.d_vocab * sizeof(*logits));
    return 0;
}

/* ---- lifecycle ---- */

static int worker_init(EditWorker *out, const Gpt *gpt, const BoardDirections *directions)
{
    const size_t width = directions->width;
    const size_t more = directions->mover ? directions->mover->scratch : 0;
    int rc = prefix_new(&out->prefix, &gpt->cfg, EDIT_CHUNK_CASES, TAPE_FORWARD, NULL);
    if (rc != 0) {
        return rc;
    }
    out->scratch = mem_alloc(EDIT_ROW_SCRATCH(width) + more, sizeof(float), "scratch of an edit");
    out->row = mem_alloc(width, sizeof(*out->row), "an edited row");
    out->change = mem_alloc(width, sizeof(*out->change), "change of a row");
    return out->scratch && out->row && out->change ? 0 : OGPT_ENOMEM;
}

int edit_network_new(EditNetwork **out, const Gpt *gpt, const BoardDirections *directions,
                     size_t n_workers, uint64_t seed)
{
    EditNetwork *network = mem_calloc(1, sizeof(*network), "network to be edited");
    int rc = 0;
    *out = NULL;
    if (!network) {
        return OGPT_ENOMEM;
    }
    *network = (EditNetwork){.gpt = gpt,
                             .directions = directions,
                             .reader = directions->probe,
                             .seed = seed,
                             .n_workers = n_workers};
    network->workers = mem_calloc(n_workers, sizeof(*network->workers), "workers of an edit");
    if (!network->workers) {
        rc = OGPT_ENOMEM;
    }
    for (size_t i = 0; i < n_workers && rc == 0; i++) {
        rc = worker_init(&network->workers[i], gpt, directions);
    }
    if (rc != 0) {
        edit_network_free(network);
        return rc;
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
        prefix_free(network->workers[i].prefix);
        prefix_free(network->workers[i].edited);
        mem_free(network->workers[i].scratch);
        mem_free(network->workers[i].row);
        mem_free(network->workers[i].change);
    }
    mem_free(network->workers);
    mem_free(network);
}

void edit_network_read_with(EditNetwork *network, const Probe *reader)
{
    network->reader = reader;
}

void edit_network_rival(EditNetwork *network, const BoardDirections *probe)
{
    network->rival = probe;
}

size_t edit_network_bytes(const GptConfig *cfg)
{
    return prefix_bytes(cfg, EDIT_CHUNK_CASES, TAPE_FORWARD);
}

EditPredictor edit_network_predictor(EditNetwork *network)
{
    return (EditPredictor){.context = network,
                           .d_vocab = network->gpt->cfg.d_vocab,
                           .predict = predict,
                           .append = append};
}
