/* probes/ablation/ablation_replace.c - one pass with units replaced. See
 * probes/ablation/ablation_pass.h. */
#include <math.h>
#include <string.h>

#include "base/err.h"
#include "probes/ablation/ablation_pass.h"
#include "probes/graph/graph.h"
#include "probes/graph/pair_metric.h"
#include "probes/legality/answers.h"

/* A pass under way. */
typedef struct Replacing {
    AblationWorker *w;
    const AblationSet *set;
    Graph graph;
    int first;   /* the first layer that is touched */
    bool behind; /* only the output of that layer is changed: the pass begins there */
} Replacing;

/* ---- values ---- */

static const real *clean_row(const AblationWorker *w, size_t b, size_t t)
{
    return w->clean + (b * w->plies + (w->plies == 1 ? 0 : t)) * w->layout.row;
}

/* The row that lends at position t of sequence b; NULL: zeros. */
static const real *lending_row(const AblationWorker *w, AblationKind kind, size_t b, size_t t)
{
    size_t at = (b * w->plies + (w->plies == 1 ? 0 : t)) * w->layout.row;
    switch (kind) {
    case ABLATION_ZERO: return NULL;
    case ABLATION_RESAMPLE: return w->lent[0] + at;
    case ABLATION_MATCHED: return w->lent[1] + at;
    default: return w->in->means->rows + t * w->layout.row;
    }
}

static const real *tensor_of(const AblationWorker *w, size_t field, int layer)
{
    const Gpt *gpt = w->in->gpt;
    return gpt->params + field + (size_t)layer * gpt->map.block_stride;
}

/* out (C) += what the numbers of one site, from `from` on, write: values (n) times rows of a
 * matrix (., C). lending NULL: zeros. */
static void add_product(real *out, const real *lending, const real *clean, const real *matrix,
                        size_t n, size_t C)
{
    for (size_t j = 0; j < n; j++) {
        real change = (lending ? lending[j] : 0) - clean[j];
        for (size_t c = 0; c < C; c++) {
            out[c] += change * matrix[j * C + c];
        }
    }
}

static void add_difference(real *out, const real *lending, const real *clean, size_t C)
{
    for (size_t c = 0; c < C; c++) {
        out[c] += (lending ? lending[c] : 0) - clean[c];
    }
}

/* Where a site of the unit's layer begins in a row; NULL stays NULL. */
#define AT(row, site) ((row) ? (row) + ablation__place(&w->layout, site, unit.layer) : NULL)

/* out (C) = the change of the stream when a unit's output becomes the lending row's. */
static void change_of(real *out, const AblationWorker *w, AblationUnit unit, const real *lending,
                      const real *clean)
{
    const GptConfig *cfg = &w->in->gpt->cfg;
    size_t C = w->layout.C, HS = (size_t)cfg->d_head, k = (size_t)unit.index;
    memset(out, 0, C * sizeof(*out));
    switch (unit.kind) {
    case ABLATE_INPUT: add_difference(out, lending, clean, C); break;
    case ABLATE_HEAD: {
        const real *z = AT(lending, HOOK_Z), *W_O = tensor_of(w, w->in->gpt->map.W_O, unit.layer);
        add_product(out, z ? z + k * HS : NULL, AT(clean, HOOK_Z) + k * HS, W_O + k * HS * C, HS,
                    C);
        break;
    }
    case ABLATE_NEURON: {
        const real *a = AT(lending, HOOK_POST),
                   *W = tensor_of(w, w->in->gpt->map.W_out, unit.layer);
        add_product(out, a ? a + k : NULL, AT(clean, HOOK_POST) + k, W + k * C, 1, C);
        break;
    }
    default:
        if (unit.kind != ABLATE_MLP) {
            add_difference(out, AT(lending, HOOK_ATTN_OUT), AT(clean, HOOK_ATTN_OUT), C);
        }
        if (unit.kind != ABLATE_ATTN) {
            add_difference(out, AT(lending, HOOK_MLP_OUT), AT(clean, HOOK_MLP_OUT), C);
        }
    }
}

static double dot(const real *a, const real *b, size_t n)
{
    double sum = 0.0;
    for (size_t i = 0; i < n; i++) {
        sum += (double)a[i] * (double)b[i];
    }
    return sum;
}

/* w->direction = a random direction, as long as the unit's change by the mean. */
static void random_change(AblationWorker *w, AblationUnit unit, size_t b, size_t t)
{
    size_t C = w->layout.C;
    uint64_t place = (uint64_t)(w->first + b) << 28 | (uint64_t)t << 22 |
                     (uint64_t)unit.layer << 16 | (uint64_t)unit.kind << 13 | (uint64_t)unit.index;
    Rng rng = ablation__rng(w->in->seed, ABLATION_DRAW_DIRECTION, place);
    change_of(w->direction, w, unit, lending_row(w, ABLATION_MEAN, b, t), clean_row(w, b, t));
    double length = sqrt(dot(w->direction, w->direction, C)), norm;
    for (size_t c = 0; c < C; c++) {
        w->direction[c] = (real)rng_normal(&rng);
    }
    norm = sqrt(dot(w->direction, w->direction, C));
    for (size_t c = 0; c < C; c++) {
        w->direction[c] *= (real)(length / norm);
    }
}

/* ---- changing rows ---- */

/* The numbers of a row of `site` that a unit owns: *from, and how many; 0: none. */
static size_t owned(size_t *from, const GptConfig *cfg, AblationUnit unit, HookSite site)
{
    bool attn = unit.kind == ABLATE_ATTN || unit.kind == ABLATE_BLOCK;
    bool mlp = unit.kind == ABLATE_MLP || unit.kind == ABLATE_BLOCK;
    *from = 0;
    if (site == HOOK_Z && unit.kind == ABLATE_HEAD) {
        *from = (size_t)unit.index * (size_t)cfg->d_head;
        return (size_t)cfg->d_head;
    }
    if (site == HOOK_POST && unit.kind == ABLATE_NEURON) {
        *from = (size_t)unit.index;
        return 1;
    }
    return (site == HOOK_ATTN_OUT && attn) || (site == HOOK_MLP_OUT && mlp) ||
                   (site == HOOK_RESID_PRE && unit.kind == ABLATE_INPUT)
               ? (size_t)cfg->d_model
               : 0;
}

/* Where the stream takes the random change of a unit. */
static HookSite random_site(AblationUnit unit)
{
    return unit.kind == ABLATE_INPUT                              ? HOOK_RESID_PRE
           : unit.kind == ABLATE_HEAD || unit.kind == ABLATE_ATTN ? HOOK_RESID_MID
                                                                  : HOOK_RESID_POST;
}

/* The clean stream at a place of AblationWorker.streams. */
static const real *clean_stream(const AblationWorker *w, size_t place, size_t b, size_t t)
{
    size_t at = (place * w->room + b) * w->plies + (w->plies == 1 ? 0 : t);
    return w->streams + at * w->layout.C;
}

/* The whole row of resid_post of the layer, from the clean stream: with the unit replaced. */
static void replace_behind(const Replacing *p, real *row, size_t b, size_t t)
{
    AblationWorker *w = p->w;
    AblationUnit unit = p->set->units[0];
    size_t C = w->layout.C, L = w->layout.L, layer = (size_t)unit.layer;
    const real *lending = lending_row(w, p->set->kind, b, t);
    const real *before = clean_stream(w, layer, b, t);
    const real *after = clean_stream(w, layer + 1, b, t);
    const real *mid = clean_stream(w, L + 1 + layer, b, t);
    const real *mlp = AT(lending, HOOK_MLP_OUT), *attn = AT(lending, HOOK_ATTN_OUT);
    if (p->set->kind == ABLATION_RANDOM || unit.kind == ABLATE_NEURON) {
        if (p->set->kind == ABLATION_RANDOM) {
            random_change(w, unit, b, t);
            w->direct[b] = -dot(w->gradient + b * C, w->direction, C);
        } else {
            change_of(w->direction, w, unit, lending, clean_row(w, b, t));
        }
        for (size_t c = 0; c < C; c++) {
            row[c] = after[c] + w->direction[c];
        }
        return;
    }
    for (size_t c = 0; c < C; c++) {
        real base = unit.kind == ABLATE_MLP ? mid[c] : before[c] + (attn ? attn[c] : 0);
        row[c] = base + (mlp ? mlp[c] : 0);
    }
}

static void replace_in_row(const Replacing *p, const HookPoint *point, real *row, size_t b,
                           size_t t)
{
    AblationWorker *w = p->w;
    const AblationSet *set = p->set;
    const real *lending = lending_row(w, set->kind, b, t);
    size_t C = w->layout.C, place = ablation__place(&w->layout, point->site, point->layer), from;
    if (set->kind == ABLATION_RANDOM) {
        random_change(w, set->units[0], b, t);
        for (size_t c = 0; c < C; c++) {
            row[c] += w->direction[c];
        }
        if (t + 1 == w->lengths[b]) {
            w->direct[b] = -dot(w->gradient + b * C, w->direction, C);
        }
        return;
    }
    for (size_t u = 0; u < set->n; u++) {
        if (set->units[u].layer != point->layer) {
            continue;
        }
        size_t n = owned(&from, &w->in->gpt->cfg, set->units[u], point->site);
        for (size_t i = from; i < from + n; i++) {
            row[i] = lending ? lending[place + i] : 0;
        }
    }
}

/* The site at which a rescue puts the clean value back. */
static HookSite rescue_site(AblationUnit unit)
{
    switch (unit.kind) {
    case ABLATE_INPUT: return HOOK_RESID_PRE;
    case ABLATE_HEAD: return HOOK_ATTN_OUT;
    case ABLATE_NEURON: return HOOK_MLP_OUT;
    case ABLATE_ATTN: return HOOK_RESID_MID;
    default: return HOOK_RESID_POST;
    }
}

/* Put the clean value back if a unit of the set is rescued here. */
static void put_back(const Replacing *p, const HookPoint *point, real *row, size_t b, size_t t)
{
    AblationWorker *w = p->w;
    size_t C = w->layout.C;
    const real *clean = clean_row(w, b, t);
    for (size_t u = 0; u < p->set->n; u++) {
        AblationUnit unit = p->set->units[u];
        if (unit.layer != point->layer || rescue_site(unit) != point->site) {
            continue;
        }
        if (point->site == HOOK_RESID_MID || point->site == HOOK_RESID_POST) {
            size_t slot = point->site == HOOK_RESID_MID ? w->layout.L + 1 + (size_t)unit.layer
                                                        : (size_t)unit.layer + 1;
            memcpy(row, clean_stream(w, slot, b, t), C * sizeof(*row));
        } else {
            size_t place = ablation__place(&w->layout, point->site, point->layer);
            memcpy(row, clean + place, C * sizeof(*row));
        }
    }
}

/* Whether something is replaced at this site and layer. */
static bool replaces_at(const Replacing *p, HookSite site, int layer)
{
    const AblationSet *set = p->set;
    size_t from;
    for (size_t u = 0; u < set->n; u++) {
        if (set->units[u].layer == layer &&
            (set->kind == ABLATION_RANDOM
                 ? random_site(set->units[u]) == site
                 : owned(&from, &p->w->in->gpt->cfg, set->units[u], site) > 0)) {
            return true;
        }
    }
    return false;
}

/* ---- parts of the repair ---- */

/* What the set changes in the output of a neuron's MLP directly, as attribution. */
static double direct_in_mlp(const Replacing *p, int layer, size_t b)
{
    const AblationWorker *w = p->w;
    size_t C = w->layout.C, t = (size_t)w->lengths[b] - 1;
    const real *lending = lending_row(w, p->set->kind, b, t), *clean = clean_row(w, b, t);
    const real *W = tensor_of(w, w->in->gpt->map.W_out, layer);
    size_t place = ablation__place(&w->layout, HOOK_POST, layer);
    double sum = 0.0;
    for (size_t u = 0; u < p->set->n; u++) {
        const AblationUnit *unit = &p->set->units[u];
        size_t k = (size_t)unit->index;
        if (unit->kind == ABLATE_NEURON && unit->layer == layer) {
            double change = (lending ? (double)lending[place + k] : 0.0) - (double)clean[place + k];
            sum += change * dot(W + k * C, w->gradient + b * C, C);
        }
    }
    return sum;
}

static void read_parts(const Replacing *p, const HookPoint *point)
{
    AblationWorker *w = p->w;
    size_t C = w->layout.C, HS = (size_t)w->in->gpt->cfg.d_head;
    size_t place = ablation__place(&w->layout, point->site, point->layer);
    bool heads = point->site == HOOK_Z;
    bool neurons = !heads && p->set->kind != ABLATION_RANDOM;
    for (size_t b = 0; b < point->B; b++) {
        size_t last = (size_t)w->lengths[b] - 1;
        const real *row = point->value + (b * point->T + (point->T == 1 ? 0 : last)) * C;
        const real *clean = clean_row(w, b, last) + place;
        const real *g =
            heads ? w->gradient_z + ((size_t)point->layer * w->room + b) * C : w->gradient + b * C;
        for (int h = 0; h < (heads ? p->graph.n_heads : 1); h++) {
            Sender sender = {heads ? SENDER_HEAD : SENDER_MLP, point->layer, heads ? h : -1};
            size_t s = graph_sender_index(&p->graph, sender), from = (size_t)h * HS;
            double sum = 0.0;
            for (size_t c = from; !w->skip[s] && c < (heads ? from + HS : C); c++) {
                sum += (double)g[c] * ((double)row[c] - (double)clean[c]);
            }
            w->part[s * w->room + b] =
                sum - (neurons && !w->skip[s] ? direct_in_mlp(p, point->layer, b) : 0.0);
        }
    }
}

/* ---- the hook ---- */

static void keep_end(AblationWorker *w, const HookPoint *point)
{
    size_t C = w->layout.C;
    for (size_t b = 0; b < point->B; b++) {
        size_t t = point->T == 1 ? 0 : (size_t)w->lengths[b] - 1;
        memcpy(w->end + b * C, point->value + (b * point->T + t) * C, C * sizeof(real));
    }
}

static void replace_hook(void *context, const HookPoint *point)
{
    const Replacing *p = context;
    AblationWorker *w = p->w;
    size_t width = point->width;
    bool begins =
        !w->in->all && !p->behind && point->site == HOOK_RESID_PRE && point->layer == p->first;
    bool behind = p->behind && point->site == HOOK_RESID_POST && point->layer == p->first;
    bool here = !p->behind && replaces_at(p, point->site, point->layer);
    for (size_t b = 0; b < point->B; b++) {
        size_t n = w->in->all ? w->lengths[b] : 1;
        for (size_t i = 0; i < n; i++) {
            size_t t = w->in->all ? i : (size_t)w->lengths[b] - 1;
            real *row = point->value + (b * point->T + i) * width;
            if (begins) {
                memcpy(row, clean_stream(w, (size_t)p->first, b, t), width * sizeof(*row));
            }
            if (behind) {
                replace_behind(p, row, b, t);
            }
            if (here) {
                replace_in_row(p, point, row, b, t);
            }
            if (p->set->rescue) {
                put_back(p, point, row, b, t);
            }
        }
    }
    if (point->site == HOOK_Z || point->site == HOOK_MLP_OUT) {
        read_parts(p, point);
    }
    if (point->site == HOOK_RESID_POST && point->layer == (int)w->layout.L - 1) {
        keep_end(w, point);
    }
}

/* The layers from `first` on. */
static uint64_t layers_from(const AblationWorker *w, int first)
{
    uint64_t all = w->layout.L >= 64 ? ~0ULL : (1ULL << w->layout.L) - 1;
    return first >= 64 ? 0 : all & ~0ULL << first;
}

static Hooks hooks_of(Replacing *p)
{
    const AblationWorker *w = p->w;
    const AblationSet *set = p->set;
    Hooks hooks = {.fn = replace_hook, .context = p};
    /* What is read, and made apart as in the clean pass. */
    uint64_t read = layers_from(w, w->in->all ? 0 : p->behind ? p->first + 1 : p->first);
    hooks.sites[HOOK_Z] = hooks.sites[HOOK_ATTN_OUT] = hooks.sites[HOOK_MLP_OUT] = read;
    hooks.sites[HOOK_RESID_POST] = 1ULL << (w->layout.L - 1);
    if (p->behind) {
        hooks.sites[HOOK_RESID_POST] |= 1ULL << p->first;
        return hooks;
    }
    hooks.sites[HOOK_RESID_PRE] = w->in->all ? 0 : 1ULL << p->first;
    for (size_t u = 0; u < set->n; u++) {
        uint64_t bit = 1ULL << set->units[u].layer;
        size_t from;
        for (int site = 0; site < N_HOOK_SITES; site++) {
            bool owns = owned(&from, &w->in->gpt->cfg, set->units[u], (HookSite)site) > 0;
            hooks.sites[site] |= owns ? bit : 0;
        }
        hooks.sites[random_site(set->units[u])] |= set->kind == ABLATION_RANDOM ? bit : 0;
        hooks.sites[rescue_site(set->units[u])] |= set->rescue ? bit : 0;
    }
    return hooks;
}

/* ---- before and behind the pass ---- */

/* DE of the set at each position, and which parts the set itself replaces. */
static void prepare(const Replacing *p)
{
    AblationWorker *w = p->w;
    const AblationSet *set = p->set;
    size_t C = w->layout.C;
    memset(w->skip, 0, p->graph.n_senders);
    memset(w->part, 0, p->graph.n_senders * w->room * sizeof(*w->part));
    memset(w->direct, 0, w->room * sizeof(*w->direct));
    if (set->kind == ABLATION_RANDOM || set->rescue) {
        return;
    }
    for (size_t u = 0; u < set->n; u++) {
        AblationUnit unit = set->units[u];
        bool attn = unit.kind == ABLATE_ATTN || unit.kind == ABLATE_BLOCK;
        bool mlp = unit.kind == ABLATE_MLP || unit.kind == ABLATE_BLOCK;
        for (int h = 0; h < p->graph.n_heads; h++) {
            if (attn || (unit.kind == ABLATE_HEAD && unit.index == h)) {
                w->skip[graph_sender_index(&p->graph, (Sender){SENDER_HEAD, unit.layer, h})] = 1;
            }
        }
        if (mlp) {
            w->skip[graph_sender_index(&p->graph, (Sender){SENDER_MLP, unit.layer, -1})] = 1;
        }
        for (size_t b = 0; b < w->n; b++) {
            size_t t = (size_t)w->lengths[b] - 1;
            change_of(w->direction, w, unit, lending_row(w, set->kind, b, t), clean_row(w, b, t));
            w->direct[b] -= dot(w->gradient + b * C, w->direction, C);
        }
    }
}

void ablation_worker__judge(AblationEffect *out, const AblationPositions *positions, size_t i,
                            const real *logits)
{
    const Vocab *vocab = positions->vocab;
    uint64_t legal = answer_tokens(vocab, positions->at[i].legal);
    int n = __builtin_popcountll(legal);
    uint64_t top = answer_top_set(logits, vocab->d_vocab, n);
    out->wrong = (uint8_t)__builtin_popcountll(top & ~legal);
    out->strict = (legal >> answer_top(logits, vocab->d_vocab) & 1) == 0;
}

void ablation_worker__clean(const AblationWorker *w, AblationEffect *out)
{
    size_t V = (size_t)w->in->gpt->cfg.d_vocab;
    for (size_t b = 0; b < w->n; b++) {
        out[b] = (AblationEffect){.total = (float)w->clean_metric[b]};
        ablation_worker__judge(&out[b], w->in->positions, w->first + b, w->clean_logits + b * V);
    }
}

/* The effect at one position, from its answer. */
static int enter(AblationEffect *out, double *identity, const Replacing *p, size_t b,
                 const real *logits)
{
    const AblationWorker *w = p->w;
    const AblationPositions *positions = w->in->positions;
    size_t V = (size_t)w->in->gpt->cfg.d_vocab, C = w->layout.C;
    double moved = 0.0, parts = 0.0;
    int bad = answer_bad_token(logits, (int)V);
    if (bad >= 0) {
        return err_set(OGPT_ENUM,
                       "an ablated pass gives logit %g for token %d, expected a finite "
                       "number; check the model (ogpt verify)",
                       (double)logits[bad], bad);
    }
    for (size_t v = 0; v < V; v++) {
        moved = fmax(moved, fabs((double)logits[v] - (double)w->clean_logits[b * V + v]));
    }
    double total =
        w->clean_metric[b] - pair_delta(positions->weights + (w->first + b) * V, logits, (int)V);
    const real *end = w->end + b * C;
    double norm = (w->clean_scale[b] / ablation_worker__scale(w, end) - 1.0) *
                  dot(w->gradient + b * C, end, C);
    for (size_t s = 0; s < p->graph.n_senders; s++) {
        parts += w->part[s * w->room + b];
    }
    if (!p->set->rescue) {
        *identity = fmax(*identity, fabs(total - (w->direct[b] - parts - norm)));
    }
    *out = (AblationEffect){.total = (float)total,
                            .direct = (float)w->direct[b],
                            .norm = (float)norm,
                            .moved = (float)moved};
    ablation_worker__judge(out, positions, w->first + b, logits);
    return 0;
}

int ablation_worker__run(AblationWorker *w, AblationEffect *effects, double *parts,
                         double *identity, const AblationSet *set)
{
    const Gpt *gpt = w->in->gpt;
    size_t V = (size_t)gpt->cfg.d_vocab;
    Replacing pass = {
        .w = w, .set = set, .graph = graph_of(&gpt->cfg), .first = set->units[0].layer};
    AblationUnitKind kind = set->units[0].kind;
    int rc = 0;
    for (size_t u = 0; u < set->n; u++) {
        pass.first = set->units[u].layer < pass.first ? set->units[u].layer : pass.first;
    }
    pass.behind = !w->in->all && set->n == 1 && !set->rescue &&
                  (kind == ABLATE_NEURON || kind == ABLATE_MLP || kind == ABLATE_BLOCK);
    if (set->kind == ABLATION_RESAMPLE || set->kind == ABLATION_MATCHED) {
        ablation_worker__hold_lent(w, set->kind == ABLATION_MATCHED);
    }
    prepare(&pass);
    const Hooks hooks = hooks_of(&pass);
    const real *logits = w->in->all ? gpt_forward(gpt, w->tape, w->tokens, w->n, w->T, &hooks)
                                    : prefix_last(w->prefix, gpt, &hooks);
    for (size_t b = 0; b < w->n && rc == 0; b++) {
        size_t row = w->in->all ? b * w->T + w->lengths[b] - 1 : b;
        rc = enter(&effects[b], identity, &pass, b, logits + row * V);
    }
    for (size_t s = 0; s < pass.graph.n_senders && rc == 0; s++) {
        for (size_t b = 0; b < w->n; b++) {
            parts[s] += w->part[s * w->room + b];
        }
    }
    return rc;
}
