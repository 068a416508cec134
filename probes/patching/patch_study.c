/* probes/patching/patch_study.c - rows with intervals and controls. See
 * probes/patching/patch_study.h. */
#include "probes/patching/patch_study.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/rng.h"

const char *patch_mode_name(PatchMode mode)
{
    static const char *const names[] = {"noising", "denoising", "noise"};
    return names[mode];
}

/* ---- effects ---- */

/* Answers of one set of pairs to the same patch. */
typedef struct Answered {
    const PatchScore *patched, *base, *other; /* (n) */
    size_t n;
    bool judged; /* wrong moves and strict errors are there */
} Answered;

/* Mean |patched - base| and mean |other - base| over the pairs that count. */
static void mean_moves(double *patched, double *other, const Answered *answers)
{
    size_t n = 0;
    *patched = *other = 0.0;
    for (size_t i = 0; i < answers->n; i++) {
        if (!isnan(answers->patched[i].delta)) {
            *patched += fabs(answers->patched[i].delta - answers->base[i].delta);
            *other += fabs(answers->other[i].delta - answers->base[i].delta);
            n++;
        }
    }
    *patched /= (double)n;
    *other /= (double)n;
}

static int effect_of(PatchEffect *out, const Answered *pairs, const Answered *control,
                     uint64_t seed)
{
    double *numbers = mem_alloc(2 * pairs->n, sizeof(*numbers), "effects of pairs");
    double patched, other, unused;
    size_t n = 0;
    if (!numbers) {
        return OGPT_ENOMEM;
    }
    *out = (PatchEffect){.control = NAN};
    for (size_t i = 0; i < pairs->n; i++) {
        const PatchScore *score = &pairs->patched[i];
        if (isnan(score->delta)) {
            continue;
        }
        numbers[n] = score->delta - pairs->base[i].delta;
        numbers[pairs->n + n++] = pairs->other[i].delta - pairs->base[i].delta;
        for (size_t b = 0; b < 2; b++) {
            out->wrong[b] += pairs->judged ? score->wrong[b] : NAN;
            out->strict[b] += pairs->judged ? score->strict[b] : NAN;
        }
    }
    out->n = n;
    out->effect = bootstrap_ratio(numbers, numbers + pairs->n, n, seed);
    for (size_t b = 0; b < 2; b++) {
        out->wrong[b] /= (double)n;
        out->strict[b] /= (double)n;
    }
    mean_moves(&patched, &other, pairs);
    out->moved = patched / other;
    if (control->n > 0) {
        mean_moves(&patched, &unused, control);
        out->control = patched / other;
    }
    mem_free(numbers);
    return 0;
}

static int add_row(PatchStudy *study, const PatchRow *row)
{
    if (study->n_rows == study->room) {
        size_t room = study->room > 0 ? 2 * study->room : 256;
        PatchRow *rows = mem_realloc(study->rows, room, sizeof(*rows), "rows of patches");
        if (!rows) {
            return OGPT_ENOMEM;
        }
        study->rows = rows;
        study->room = room;
    }
    study->rows[study->n_rows++] = *row;
    return 0;
}

/* Mean Delta(base) - Delta(other): what effects are shares of. */
static int add_total(PatchStudy *study, PatchMode mode, const Answered *pairs, uint64_t seed)
{
    double *moved = mem_alloc(pairs->n, sizeof(*moved), "differences of runs");
    if (!moved) {
        return OGPT_ENOMEM;
    }
    for (size_t i = 0; i < pairs->n; i++) {
        moved[i] = pairs->base[i].delta - pairs->other[i].delta;
    }
    study->total[mode] = bootstrap_ratio(moved, NULL, pairs->n, seed);
    mem_free(moved);
    return 0;
}

static int add_run(PatchStudy *study, PatchMode mode, const PatchScore *scores, size_t n,
                   unsigned which, uint64_t seed)
{
    PatchRun *run = &study->runs[study->n_runs];
    double *delta = mem_alloc(n, sizeof(*delta), "Deltas of a run");
    if (!delta || n == 0) {
        mem_free(delta);
        return n == 0 ? 0 : OGPT_ENOMEM;
    }
    *run = (PatchRun){.mode = mode, .other = (which & 1) != 0, .control = (which & 2) != 0, .n = n};
    for (size_t i = 0; i < n; i++) {
        delta[i] = scores[i].delta;
        for (size_t b = 0; b < 2; b++) {
            run->wrong[b] += scores[i].wrong[b] / (double)n;
            run->strict[b] += scores[i].strict[b] / (double)n;
        }
    }
    run->delta = bootstrap_ratio(delta, NULL, n, seed);
    study->n_runs++;
    mem_free(delta);
    return 0;
}

/* Base and other run of pairs and of transpositions. */
static int add_runs(PatchStudy *study, PatchMode mode, const Answered *pairs,
                    const Answered *control, uint64_t seed)
{
    int rc = add_total(study, mode, pairs, seed);
    rc = rc ? rc : add_run(study, mode, pairs->base, pairs->n, 0, seed);
    rc = rc ? rc : add_run(study, mode, pairs->other, pairs->n, 1, seed);
    rc = rc ? rc : add_run(study, mode, control->base, control->n, 2, seed);
    return rc ? rc : add_run(study, mode, control->other, control->n, 3, seed);
}

/* ---- sites ---- */

static int rows_of_sites(PatchStudy *study, PatchMode mode, const SiteEffects *pairs,
                         const SiteEffects *control, uint64_t seed)
{
    int rc = 0;
    Answered here = {
        .base = pairs->base, .other = pairs->other, .n = pairs->n_pairs, .judged = true};
    Answered there = {.base = control->base, .other = control->other, .n = control->n_pairs};
    study->self_changed += pairs->self_changed;
    rc = add_runs(study, mode, &here, &there, seed);
    for (size_t i = 0; i < pairs->n_cells && rc == 0; i++) {
        PatchRow row = {.mode = mode, .cell = pairs->cells[i], .edge = SIZE_MAX};
        here.patched = pairs->scores + i * pairs->n_pairs;
        there.patched = control->n_pairs > 0 ? control->scores + i * control->n_pairs : NULL;
        rc = effect_of(&row.effect, &here, &there, seed);
        rc = rc ? rc : add_row(study, &row);
    }
    return rc;
}

/* A journal whose stages have a name in front: transpositions, or a direction, have stages of their
 * own. */
typedef struct NamedJournal {
    const char *name;
    const WorkJournal *journal;
} NamedJournal;

static int named_recall(void *context, double *values, size_t n, const char *stage, size_t block)
{
    const NamedJournal *named = context;
    char name[64];
    snprintf(name, sizeof(name), "%s %.40s", named->name, stage);
    return named->journal->recall(named->journal->context, values, n, name, block);
}

static int named_keep(void *context, const double *values, size_t n, const char *stage,
                      size_t block)
{
    const NamedJournal *named = context;
    char name[64];
    snprintf(name, sizeof(name), "%s %.40s", named->name, stage);
    return named->journal->keep(named->journal->context, values, n, name, block);
}

/* The same work with such a journal; `named` and `journal` live as long as it is used. */
static Work named_work(NamedJournal *named, WorkJournal *journal, const char *name,
                       const Work *work)
{
    Work out = *work;
    *named = (NamedJournal){name, work->journal};
    *journal = (WorkJournal){named, named_recall, named_keep};
    out.journal = work->journal ? journal : NULL;
    return out;
}

static int study_sites(PatchStudy *study, const PatchAsked *asked, PatchMode mode, const Work *work)
{
    SiteQuestion question = {.gpt = asked->gpt,
                             .vocab = asked->vocab,
                             .pairs = asked->pairs,
                             .n_pairs = asked->n_pairs,
                             .direction = mode == MODE_NOISING ? PATCH_NOISING : PATCH_DENOISING,
                             .noise = mode == MODE_NOISE,
                             .sites = asked->sites,
                             .layers = asked->layers,
                             .back = asked->back,
                             .self = true};
    NamedJournal named;
    WorkJournal journal;
    const Work control_work = named_work(&named, &journal, "control:", work);
    SiteEffects pairs = {0}, control = {0};
    int rc = patch_sites(&pairs, &question, work);
    if (rc == 0 && asked->n_control > 0 && mode != MODE_NOISE) {
        question.pairs = asked->control;
        question.n_pairs = asked->n_control;
        question.self = false;
        rc = patch_sites(&control, &question, &control_work);
    }
    rc = rc ? rc : rows_of_sites(study, mode, &pairs, &control, work->seed);
    patch_sites_release(&pairs);
    patch_sites_release(&control);
    return rc;
}

/* ---- edges ---- */

/* Pairs, or transpositions, and their runs. */
typedef struct EdgeSide {
    EdgeRuns *runs;
    const PatchAsked *asked;
    const GamePair *pairs;
    size_t n;
    PatchScore *base, *other, *patched; /* (n), owned */
    real *logits;                       /* (n, V), owned */
} EdgeSide;

static void side_score(PatchScore *out, const EdgeSide *side, const real *logits)
{
    const Vocab *vocab = side->asked->vocab;
    for (size_t i = 0; i < side->n; i++) {
        out[i] = patch_score(&side->pairs[i], vocab, logits + i * (size_t)vocab->d_vocab);
    }
}

static int side_open(EdgeSide *side, const PatchAsked *asked, PatchMode mode, bool control,
                     const Work *work)
{
    EdgeQuestion question = {.gpt = asked->gpt,
                             .graph = asked->graph,
                             .vocab = asked->vocab,
                             .pairs = control ? asked->control : asked->pairs,
                             .n_pairs = control ? asked->n_control : asked->n_pairs,
                             .direction = mode == MODE_NOISING ? PATCH_NOISING : PATCH_DENOISING,
                             .scope = asked->scope,
                             .norm = asked->norm};
    size_t n = question.n_pairs, V = (size_t)asked->vocab->d_vocab;
    *side = (EdgeSide){.asked = asked, .pairs = question.pairs, .n = n};
    if (control && n == 0) {
        return 0;
    }
    int rc = edges_new(&side->runs, &question, work);
    if (rc != 0) {
        return rc;
    }
    side->base = mem_alloc(n, sizeof(*side->base), "scores of base runs");
    side->other = mem_alloc(n, sizeof(*side->other), "scores of other runs");
    side->patched = mem_alloc(n, sizeof(*side->patched), "scores of patches");
    side->logits = mem_alloc(n * V, sizeof(*side->logits), "answers");
    if (!side->base || !side->other || !side->patched || !side->logits) {
        return OGPT_ENOMEM;
    }
    side_score(side->base, side, edges_logits(side->runs, false));
    side_score(side->other, side, edges_logits(side->runs, true));
    return 0;
}

static void side_close(EdgeSide *side)
{
    edges_free(side->runs);
    mem_free(side->base);
    mem_free(side->other);
    mem_free(side->patched);
    mem_free(side->logits);
}

static Answered side_answers(const EdgeSide *side, bool judged)
{
    return (Answered){.patched = side->patched,
                      .base = side->base,
                      .other = side->other,
                      .n = side->n,
                      .judged = judged};
}

static int side_patch(EdgeSide *side, const uint8_t *patched, const Work *work)
{
    int rc = side->n > 0 ? edges_patched(NULL, side->logits, side->runs, patched, work) : 0;
    if (rc == 0) {
        side_score(side->patched, side, side->logits);
    }
    return rc;
}

static int add_edges(PatchStudy *study, EdgeSide sides[2], PatchRow row, bool judged, uint64_t seed)
{
    Answered pairs = side_answers(&sides[0], judged), control = side_answers(&sides[1], judged);
    int rc = effect_of(&row.effect, &pairs, &control, seed);
    return rc ? rc : add_row(study, &row);
}

static int row_of_set(PatchStudy *study, EdgeSide sides[2], const uint8_t *patched, PatchRow row,
                      const Work *work)
{
    int rc = side_patch(&sides[0], patched, work);
    rc = rc ? rc : side_patch(&sides[1], patched, work);
    return rc ? rc : add_edges(study, sides, row, true, work->seed);
}

/* Random sets of n edges: scores are means over the sets. */
static int row_of_random(PatchStudy *study, EdgeSide sides[2], PatchRow row, const Work *work)
{
    const Graph *graph = sides[0].asked->graph;
    size_t numbers = sizeof(PatchScore) / sizeof(double);
    uint8_t *patched = mem_alloc(graph->n_edges, 1, "a random set of edges");
    double *sums[2];
    int rc = patched ? 0 : OGPT_ENOMEM;
    for (size_t s = 0; s < 2; s++) {
        sums[s] = mem_calloc(sides[s].n * numbers, sizeof(double), "scores of random sets");
        rc = sums[s] ? rc : OGPT_ENOMEM;
    }
    for (size_t set = 0; set < PATCH_RANDOM_SETS && rc == 0; set++) {
        Rng rng = rng_at(work->seed, RNG_PATCH, ((uint64_t)1 << 32) + set);
        memset(patched, 0, graph->n_edges);
        for (size_t left = row.n_edges; left > 0;) {
            size_t e = (size_t)rng_below(&rng, (uint32_t)graph->n_edges);
            left -= !patched[e];
            patched[e] = 1;
        }
        for (size_t s = 0; s < 2 && rc == 0; s++) {
            rc = side_patch(&sides[s], patched, work);
            for (size_t i = 0; i < sides[s].n * numbers && rc == 0; i++) {
                sums[s][i] += ((const double *)sides[s].patched)[i] / PATCH_RANDOM_SETS;
            }
        }
    }
    for (size_t s = 0; s < 2 && rc == 0 && sides[s].n > 0; s++) {
        memcpy(sides[s].patched, sums[s], sides[s].n * sizeof(PatchScore));
    }
    row.random = true;
    rc = rc ? rc : add_edges(study, sides, row, true, work->seed);
    mem_free(patched);
    mem_free(sums[0]);
    mem_free(sums[1]);
    return rc;
}

static int rows_of_set(PatchStudy *study, EdgeSide sides[2], PatchMode mode, const Work *work)
{
    const PatchAsked *asked = sides[0].asked;
    size_t n = 0, n_edges = asked->graph->n_edges, one = SIZE_MAX;
    for (size_t e = 0; e < n_edges; e++) {
        n += asked->edges[e];
        one = asked->edges[e] ? e : one;
    }
    PatchRow row = {.mode = mode, .n_edges = n, .edge = n == 1 ? one : SIZE_MAX};
    int rc = row_of_set(study, sides, asked->edges, row, work);
    uint8_t *single = mem_calloc(n_edges, 1, "one edge");
    rc = single ? rc : OGPT_ENOMEM;
    for (size_t e = 0; e < n_edges && n > 1 && n <= PATCH_SINGLE_MAX && rc == 0; e++) {
        if (asked->edges[e]) {
            single[e] = 1;
            row = (PatchRow){.mode = mode, .n_edges = 1, .edge = e};
            rc = row_of_set(study, sides, single, row, work);
            single[e] = 0;
        }
    }
    mem_free(single);
    row = (PatchRow){.mode = mode, .n_edges = n, .edge = SIZE_MAX};
    return rc ? rc : row_of_random(study, sides, row, work);
}

/* Each edge alone: Deltas only. */
static int rows_of_each(PatchStudy *study, EdgeSide sides[2], PatchMode mode, const Work *work)
{
    size_t n_edges = sides[0].asked->graph->n_edges;
    double *effect[2] = {NULL, NULL}, *denominator = NULL;
    NamedJournal named;
    WorkJournal journal;
    const Work works[2] = {*work, named_work(&named, &journal, "control:", work)};
    int rc = 0;
    for (size_t s = 0; s < 2 && rc == 0 && sides[s].n > 0; s++) {
        effect[s] = mem_alloc(sides[s].n * n_edges, sizeof(double), "effects of edges");
        denominator = mem_realloc(denominator, sides[s].n, sizeof(double), "differences of runs");
        rc = effect[s] && denominator
                 ? edges_exact(effect[s], denominator, sides[s].runs, &works[s])
                 : OGPT_ENOMEM;
    }
    for (size_t e = 0; e < n_edges && rc == 0; e++) {
        for (size_t s = 0; s < 2; s++) {
            for (size_t i = 0; i < sides[s].n; i++) {
                sides[s].patched[i].delta = sides[s].base[i].delta + effect[s][i * n_edges + e];
            }
        }
        PatchRow row = {.mode = mode, .n_edges = 1, .edge = e};
        rc = add_edges(study, sides, row, false, work->seed);
    }
    mem_free(effect[0]);
    mem_free(effect[1]);
    mem_free(denominator);
    return rc;
}

static int study_edges(PatchStudy *study, const PatchAsked *asked, PatchMode mode, const Work *work)
{
    NamedJournal named;
    WorkJournal journal;
    const Work mode_work = named_work(&named, &journal, patch_mode_name(mode), work);
    EdgeSide sides[2] = {{0}, {0}};
    int rc = side_open(&sides[0], asked, mode, false, work);
    rc = rc ? rc : side_open(&sides[1], asked, mode, true, work);
    if (rc == 0) {
        Answered pairs = side_answers(&sides[0], true), control = side_answers(&sides[1], true);
        rc = add_runs(study, mode, &pairs, &control, work->seed);
    }
    if (rc == 0) {
        rc = asked->every_edge ? rows_of_each(study, sides, mode, &mode_work)
                               : rows_of_set(study, sides, mode, work);
    }
    side_close(&sides[0]);
    side_close(&sides[1]);
    return rc;
}

/* ---- a study ---- */

int patch_study_run(PatchStudy *out, const PatchAsked *asked, const Work *work)
{
    bool edges = asked->edges || asked->every_edge;
    int rc = 0;
    *out = (PatchStudy){0};
    for (int mode = 0; mode < N_PATCH_MODES && rc == 0; mode++) {
        if ((asked->modes >> mode & 1) != 0) {
            rc = edges ? study_edges(out, asked, (PatchMode)mode, work)
                       : study_sites(out, asked, (PatchMode)mode, work);
        }
    }
    if (rc != 0) {
        patch_study_release(out);
    }
    return rc;
}

void patch_study_release(PatchStudy *study)
{
    mem_free(study->rows);
    *study = (PatchStudy){0};
}

/* ---- names ---- */

/* One name: an edge, or a head as receiver of its three channels. */
static int parse_one(uint8_t *patched, const Graph *graph, const char *name)
{
    static const char *const channels[] = {".q", ".k", ".v"};
    const char *arrow = strstr(name, "->");
    char whole[80];
    size_t edge;
    bool head = arrow && arrow[2] == 'L' && strchr(arrow, 'H') && !strchr(arrow, '.');
    int rc = 0;
    for (size_t i = 0; i < (head ? 3 : 1) && rc == 0; i++) {
        snprintf(whole, sizeof(whole), "%.70s%s", name, head ? channels[i] : "");
        rc = graph_edge_parse(&edge, graph, whole);
        if (rc == 0) {
            patched[edge] = 1;
        }
    }
    return rc;
}

int patch_edges_parse(uint8_t *patched, const Graph *graph, const char *text)
{
    char name[72];
    int rc = 0;
    for (const char *at = text; rc == 0;) {
        size_t length = strcspn(at, ",");
        snprintf(name, sizeof(name), "%.*s", (int)(length < 71 ? length : 71), at);
        rc = parse_one(patched, graph, name);
        if (!at[length]) {
            break;
        }
        at += length + 1;
    }
    return rc;
}

int patch_sites_parse(uint64_t *sites, const char *text)
{
    char word[48];
    bool all = strcmp(text, "all") == 0;
    *sites = all ? (1ULL << N_HOOK_SITES) - 1 : 0;
    for (const char *at = text; !all;) {
        size_t length = strcspn(at, ",");
        snprintf(word, sizeof(word), "%.*s", (int)(length < 47 ? length : 47), at);
        int site = hook_site_parse(word);
        if (site < 0) {
            return err_set(OGPT_EUSAGE, "site \"%s\": expected all, or sites of %s", word,
                           hook_site_names(HOOK_USE_ANY));
        }
        *sites |= 1ULL << site;
        if (!at[length]) {
            break;
        }
        at += length + 1;
    }
    return 0;
}
