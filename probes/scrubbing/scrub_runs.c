/* probes/scrubbing/scrub_runs.c - runs of lending games, with the sites that a hypothesis needs. */
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "probes/graph/outputs.h"
#include "probes/scrubbing/scrub_internal.h"

enum { RUNS_A_PASS = 16 };

struct ScrubRuns {
    const Gpt *gpt;
    const Graph *graph;
    const Vocab *vocab;
    Tape *tape;
    RunSites sites;
    size_t T, C, V;
    size_t a_run;    /* numbers of one run */
    size_t room;     /* numbers in data */
    real *data;      /* (n_runs, a_run): of each kept site rows (T, C), site by site */
    real *logits;    /* (2, V) of the root and the free draw */
    real *of_head;   /* (C) */
    size_t first, n; /* runs of the pass that is under way */
    uint8_t *tokens; /* (RUNS_A_PASS, n_ctx) */
};

RunSites scrub__sites(const Hypothesis *hypothesis, const Graph *graph)
{
    RunSites sites = {.post = hypothesis->n_inputs > 0};
    for (size_t i = 0; i < hypothesis->n_nodes; i++) {
        const HypothesisNode *node = &hypothesis->nodes[i];
        bool computed = node->n_inputs > 0 || hypothesis_has_places(node);
        for (size_t s = node->first; s <= node->last; s++) {
            Sender sender = graph_sender(graph, s);
            if (!node->senders[s]) {
                continue;
            }
            if (sender.kind == SENDER_INPUT) {
                sites.input = true;
            } else if (sender.kind == SENDER_HEAD) {
                sites.z |= 1ULL << sender.layer;
                sites.pre |= computed ? 1ULL << sender.layer : 0;
            } else {
                sites.mlp |= 1ULL << sender.layer;
                sites.mid |= computed ? 1ULL << sender.layer : 0;
            }
        }
    }
    return sites;
}

int scrub__runs_new(ScrubRuns **out, const Gpt *gpt, const Graph *graph, const Vocab *vocab)
{
    ScrubRuns *runs = mem_calloc(1, sizeof(*runs), "runs");
    int rc = runs ? 0 : OGPT_ENOMEM;
    *out = runs;
    if (rc == 0) {
        runs->gpt = gpt;
        runs->graph = graph;
        runs->vocab = vocab;
        runs->C = (size_t)gpt->cfg.d_model;
        runs->V = (size_t)gpt->cfg.d_vocab;
        runs->tokens = mem_calloc(RUNS_A_PASS, (size_t)gpt->cfg.n_ctx, "tokens");
        runs->logits = mem_calloc(2 * runs->V, sizeof(*runs->logits), "logits");
        runs->of_head = mem_calloc(runs->C, sizeof(*runs->of_head), "output of a head");
        rc = runs->tokens && runs->logits && runs->of_head
                 ? tape_new(&runs->tape, &gpt->cfg, RUNS_A_PASS, TAPE_FORWARD, NULL)
                 : OGPT_ENOMEM;
    }
    if (rc != 0) {
        scrub__runs_free(runs);
        *out = NULL;
    }
    return rc;
}

void scrub__runs_free(ScrubRuns *runs)
{
    if (runs) {
        tape_free(runs->tape);
        mem_free(runs->tokens);
        mem_free(runs->logits);
        mem_free(runs->of_head);
        mem_free(runs->data);
        mem_free(runs);
    }
}

/* ---- where a site is kept ---- */

static size_t n_layers_below(uint64_t layers, int layer)
{
    return (size_t)__builtin_popcountll(layers & ((1ULL << layer) - 1));
}

/* The number of a kept site among those of a run: input, post, then pre, mid, z, mlp by layer. */
static size_t site_place(const RunSites *sites, HookSite site, int layer)
{
    const uint64_t masks[] = {sites->pre, sites->mid, sites->z, sites->mlp};
    const HookSite order[] = {HOOK_RESID_PRE, HOOK_RESID_MID, HOOK_Z, HOOK_MLP_OUT};
    size_t place = 2;
    for (int i = 0; i < 4; i++) {
        if (order[i] == site) {
            return place + n_layers_below(masks[i], layer);
        }
        place += (size_t)__builtin_popcountll(masks[i]);
    }
    return site == HOOK_RESID_POST; /* 1 */
}

static real *rows_at(const ScrubRuns *runs, int run, size_t place, int t)
{
    return runs->data + (size_t)run * runs->a_run + (place * runs->T + (size_t)t) * runs->C;
}

static bool site_kept(const RunSites *sites, HookSite site, int layer)
{
    switch (site) {
    case HOOK_RESID_PRE: return sites->pre >> layer & 1;
    case HOOK_RESID_MID: return sites->mid >> layer & 1;
    case HOOK_Z: return sites->z >> layer & 1;
    default: return sites->mlp >> layer & 1;
    }
}

static void keep(void *context, const HookPoint *point)
{
    ScrubRuns *runs = context;
    size_t bytes = runs->T * runs->C * sizeof(*runs->data);
    for (size_t b = 0; b < point->B; b++) {
        const real *rows = point->value + b * runs->T * runs->C;
        int run = (int)(runs->first + point->first + b);
        if (point->site == HOOK_RESID_POST) {
            memcpy(rows_at(runs, run, 1, 0), rows, bytes);
            continue;
        }
        if (point->site == HOOK_RESID_PRE && point->layer == 0 && runs->sites.input) {
            memcpy(rows_at(runs, run, 0, 0), rows, bytes);
        }
        if (site_kept(&runs->sites, point->site, point->layer)) {
            size_t place = site_place(&runs->sites, point->site, point->layer);
            memcpy(rows_at(runs, run, place, 0), rows, bytes);
        }
    }
}

static size_t n_places(const RunSites *sites)
{
    return 2 + (size_t)(__builtin_popcountll(sites->pre) + __builtin_popcountll(sites->mid) +
                        __builtin_popcountll(sites->z) + __builtin_popcountll(sites->mlp));
}

static int room_make(ScrubRuns *runs, size_t n_runs)
{
    size_t needed = n_runs * runs->a_run;
    if (needed > runs->room) {
        real *grown = mem_realloc(runs->data, needed, sizeof(*grown), "runs of lending games");
        if (!grown) {
            return OGPT_ENOMEM;
        }
        runs->data = grown;
        runs->room = needed;
    }
    return 0;
}

static void pass_run(ScrubRuns *runs, const ScrubPlan *plan, size_t first, size_t n)
{
    const RunSites *sites = &runs->sites;
    size_t T = runs->T;
    Hooks hooks = {.fn = keep, .context = runs};
    const real *logits;
    hooks.sites[HOOK_RESID_PRE] = sites->pre | (sites->input ? 1 : 0);
    hooks.sites[HOOK_RESID_MID] = sites->mid;
    hooks.sites[HOOK_Z] = sites->z;
    hooks.sites[HOOK_MLP_OUT] = sites->mlp;
    hooks.sites[HOOK_RESID_POST] = sites->post ? 1ULL << (runs->gpt->cfg.n_layers - 1) : 0;
    for (size_t b = 0; b < n; b++) {
        for (size_t t = 0; t < T; t++) {
            /* A game that lends at an earlier ply may end before t. */
            uint8_t sq = plan->games[first + b][t];
            runs->tokens[b * T + t] = sq == SQ_NONE ? TOK_PAD : runs->vocab->tok_of_sq[sq];
        }
    }
    runs->first = first;
    logits = gpt_forward(runs->gpt, runs->tape, runs->tokens, n, T, &hooks);
    for (size_t b = 0; b < n && first + b <= RUN_FREE; b++) {
        memcpy(runs->logits + (first + b) * runs->V, logits + (b * T + T - 1) * runs->V,
               runs->V * sizeof(*logits));
    }
}

int scrub__runs_do(ScrubRuns *runs, const ScrubPlan *plan, size_t first, const RunSites *sites,
                   size_t T)
{
    int rc = 0;
    runs->sites = *sites;
    runs->T = T;
    runs->a_run = n_places(sites) * T * runs->C;
    rc = room_make(runs, plan->n_runs);
    for (size_t at = first; at < plan->n_runs && rc == 0; at += RUNS_A_PASS) {
        size_t left = plan->n_runs - at;
        pass_run(runs, plan, at, left < RUNS_A_PASS ? left : RUNS_A_PASS);
    }
    return rc;
}

const real *scrub__pre(const ScrubRuns *runs, int run, int layer, int t)
{
    return rows_at(runs, run, site_place(&runs->sites, HOOK_RESID_PRE, layer), t);
}

const real *scrub__mid(const ScrubRuns *runs, int run, int layer, int t)
{
    return rows_at(runs, run, site_place(&runs->sites, HOOK_RESID_MID, layer), t);
}

const real *scrub__post(const ScrubRuns *runs, int run, int t)
{
    return rows_at(runs, run, 1, t);
}

const real *scrub__logits(const ScrubRuns *runs, int run)
{
    return runs->logits + (size_t)run * runs->V;
}

void scrub__add_sender(real *out, const ScrubRuns *runs, int run, size_t sender, int t, real factor)
{
    Sender s = graph_sender(runs->graph, sender);
    const real *row = runs->of_head;
    if (s.kind == SENDER_INPUT) {
        row = rows_at(runs, run, 0, t);
    } else if (s.kind == SENDER_MLP) {
        row = rows_at(runs, run, site_place(&runs->sites, HOOK_MLP_OUT, s.layer), t);
    } else {
        outputs_of_head(runs->of_head, runs->gpt, s.layer, s.head,
                        rows_at(runs, run, site_place(&runs->sites, HOOK_Z, s.layer), t), 1);
    }
    for (size_t c = 0; c < runs->C; c++) {
        out[c] += factor * row[c];
    }
}
