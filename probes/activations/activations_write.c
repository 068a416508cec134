/* probes/activations/activations_write.c - shards of activations. See
 * probes/activations/activations_write.h. */
#include "probes/activations/activations_write.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/js.h"
#include "base/manifest.h"
#include "base/formats/npy.h"
#include "base/process.h"
#include "probes/activations/activations_verify.h"

#define INDEX_FORMAT 1
#define SHARD_STEP 16 /* games: those of a whole pass (PASS_GAMES) */

typedef struct Job {
    ActivationsReport *out;
    const char *path;
    const ModelFile *model;
    const Work *work;
    const ActivationsOptions *options;
    const Task *task;
    LabelConvention convention;
    PositionSet set;
    uint64_t *number;     /* (n_games) of each game in the corpus */
    unsigned split_rules; /* of the corpus */
    size_t width;
    float *rows[LAYERS_MAX]; /* of one shard */
    uint8_t *labels;
    int64_t *game;
    uint8_t *ply;
} Job;

static int check_options(const ActivationsOptions *options, const GptConfig *cfg)
{
    const char *reason = NULL;
    bool embed = options->n_layers > 0 && options->layers[0] == LAYER_EMBED;
    if (!task_find(options->task)) {
        reason = "unknown task; expected one of " TASK_NAMES;
    } else if (!hook_site_serves(options->site, HOOK_USE_CAPTURE)) {
        reason = "rows of the site cannot be written; expected one of " HOOK_NAMES_CAPTURE;
    } else if (options->n_layers < 1 || options->n_layers > LAYERS_MAX) {
        reason = "give at least one layer";
    } else if (embed && options->site != HOOK_RESID_POST) {
        reason = "the embedding layer belongs to site resid_post only";
    } else if (options->plies != 0 && options->ply_mask != 0) {
        reason = "either plies drawn of each game or a list of plies, not both";
    } else if (options->n_games < 1) {
        reason = "give at least one game";
    }
    for (int i = 0; i < options->n_layers && !reason; i++) {
        bool inside = options->layers[i] >= LAYER_EMBED && options->layers[i] < cfg->n_layers;
        if (!inside || (i > 0 && options->layers[i] <= options->layers[i - 1])) {
            reason = "layers must be in the model, ascending and different";
        }
    }
    return reason ? err_set(OGPT_EUSAGE, "activations: %s", reason) : 0;
}

/* ---- which games and positions ---- */

/* The number in the corpus of each game of the set. The set holds the games of the chosen splits in
 * file order. */
static int number_games(Job *job, Corpus *corpus)
{
    const CorpusInfo *info = corpus_info(corpus);
    size_t stride = (size_t)info->variant->n_moves, found = 0;
    uint8_t *moves = mem_alloc(CORPUS_BLOCK_GAMES, stride, "a block of games");
    job->number = mem_alloc(job->set.n_games, sizeof(uint64_t), "numbers of games");
    int rc = moves && job->number ? 0 : OGPT_ENOMEM;
    for (uint64_t first = 0; first < info->n_games_present && found < job->set.n_games && rc == 0;
         first += CORPUS_BLOCK_GAMES) {
        uint64_t left = info->n_games_present - first;
        uint64_t n = left < CORPUS_BLOCK_GAMES ? left : CORPUS_BLOCK_GAMES;
        rc = corpus_read(corpus, moves, first, n);
        for (uint64_t g = 0; g < n && found < job->set.n_games && rc == 0; g++) {
            Split split = corpus_split(corpus, moves + g * stride);
            if (job->options->split_mask >> split & 1) {
                job->number[found++] = first + g;
            }
        }
    }
    mem_free(moves);
    return rc;
}

/* Keep only the positions at these plies. */
static int keep_plies(PositionSet *set, uint64_t mask)
{
    size_t kept = 0;
    for (size_t g = 0; g < set->n_games; g++) {
        size_t first = set->first[g], end = set->first[g + 1];
        set->first[g] = (uint32_t)kept;
        for (size_t i = first; i < end; i++) {
            if (mask >> set->t[i] & 1) {
                set->t[kept++] = set->t[i];
            }
        }
    }
    set->first[set->n_games] = (uint32_t)kept;
    set->n_positions = kept;
    return kept > 0 ? 0
                    : err_set(OGPT_EUSAGE, "activations: no game has a position at these plies");
}

static int draw_positions(Job *job, Corpus *corpus)
{
    const ActivationsOptions *options = job->options;
    GameSource *source = NULL;
    int rc = source_corpus(&source, corpus, options->split_mask, false, job->work->seed);
    rc = rc ? rc : positions_draw(&job->set, source, options->n_games, options->plies, job->work);
    source_free(source);
    if (rc == 0 && options->ply_mask != 0) {
        rc = keep_plies(&job->set, options->ply_mask);
    }
    return rc ? rc : number_games(job, corpus);
}

/* ---- sizes ---- */

static size_t row_bytes(const Job *job)
{
    int size = job->set.vocab->variant->size;
    return (size_t)job->options->n_layers * job->width * sizeof(float) + (size_t)(size * size) +
           sizeof(int64_t) + 1;
}

static size_t games_of_shard(const Job *job, size_t shard)
{
    size_t left = job->set.n_games - shard * job->out->shard_games;
    return left < job->out->shard_games ? left : job->out->shard_games;
}

static void plan_shards(Job *job)
{
    ActivationsReport *out = job->out;
    const PositionSet *set = &job->set;
    size_t most = 1, rows = 1;
    for (size_t g = 0; g < set->n_games; g++) {
        size_t n = set->first[g + 1] - set->first[g];
        most = n > most ? n : most;
    }
    size_t room = job->work->memory_bytes > 0 ? job->work->memory_bytes : ACTIVATIONS_MEMORY;
    size_t fits = room / (most * row_bytes(job)) / SHARD_STEP * SHARD_STEP;
    out->shard_games = fits < SHARD_STEP ? SHARD_STEP : fits;
    out->n_games = set->n_games;
    out->n_rows = set->n_positions;
    out->n_shards = (set->n_games + out->shard_games - 1) / out->shard_games;
    for (size_t shard = 0; shard < out->n_shards; shard++) {
        size_t first = shard * out->shard_games;
        size_t n = set->first[first + games_of_shard(job, shard)] - set->first[first];
        rows = n > rows ? n : rows;
    }
    out->bytes = (uint64_t)set->n_positions * row_bytes(job);
    const GptConfig *cfg = &job->model->gpt->cfg;
    out->flops = gpt_config_flops(cfg) / 3 * (double)set->n_games * cfg->n_ctx;
    out->memory_bytes = rows * row_bytes(job) +
                        activations_scratch_bytes(&job->model->gpt->cfg, job->work) +
                        set->n_games * ((size_t)set->vocab->variant->n_moves + sizeof(uint64_t));
}

static int allocate_shard(Job *job)
{
    size_t rows = 1, S = (size_t)(job->set.vocab->variant->size * job->set.vocab->variant->size);
    for (size_t shard = 0; shard < job->out->n_shards; shard++) {
        size_t first = shard * job->out->shard_games;
        size_t n = job->set.first[first + games_of_shard(job, shard)] - job->set.first[first];
        rows = n > rows ? n : rows;
    }
    for (int i = 0; i < job->options->n_layers; i++) {
        job->rows[i] = mem_alloc(rows * job->width, sizeof(float), "activations of a shard");
        if (!job->rows[i]) {
            return OGPT_ENOMEM;
        }
    }
    job->labels = mem_alloc(rows, S, "labels of a shard");
    job->game = mem_alloc(rows, sizeof(int64_t), "games of a shard");
    job->ply = mem_alloc(rows, 1, "plies of a shard");
    return job->labels && job->game && job->ply ? 0 : OGPT_ENOMEM;
}

/* ---- the index ---- */

static void layer_file(char out[80], const Job *job, int i)
{
    char hook[64];
    int layer = job->options->layers[i];
    bool embed = layer == LAYER_EMBED;
    hook_full_name(hook, embed ? HOOK_RESID_PRE : job->options->site, embed ? 0 : layer);
    snprintf(out, 80, "%s.npy", hook);
}

static Js *shards_json(const Job *job)
{
    Js *shards = js_array();
    char name[32];
    for (size_t shard = 0; shard < job->out->n_shards; shard++) {
        size_t first = shard * job->out->shard_games, n = games_of_shard(job, shard);
        Js *row = js_object();
        snprintf(name, sizeof(name), "shard-%05zu", shard);
        js_set_str(row, "name", name);
        js_set_int(row, "games", (int64_t)n);
        js_set_int(row, "first_row", job->set.first[first]);
        js_set_int(row, "rows", (int64_t)job->set.first[first + n] - job->set.first[first]);
        js_push(shards, row);
    }
    return shards;
}

static Js *index_json(const Job *job)
{
    const ActivationsOptions *options = job->options;
    Js *index = js_object(), *layers = js_array(), *files = js_array(), *classes = js_array();
    Js *plies = js_array(), *splits = js_array();
    static const char *const split_names[] = {"train", "validation", "test"};
    char file[80];
    for (int i = 0; i < options->n_layers; i++) {
        layer_file(file, job, i);
        js_push(layers, js_int(options->layers[i]));
        js_push(files, js_str(file));
    }
    for (int k = 0; k < job->task->n_classes; k++) {
        js_push(classes, js_str(job->task->classes[k]));
    }
    for (int t = 0; t < GAME_MAX_MOVES; t++) {
        if (options->ply_mask >> t & 1) {
            js_push(plies, js_int(t + 1));
        }
    }
    for (int split = 0; split < 3; split++) {
        if (options->split_mask >> split & 1) {
            js_push(splits, js_str(split_names[split]));
        }
    }
    js_set_int(index, "format", INDEX_FORMAT);
    js_set_str(index, "kind", "activations");
    js_set_str(index, "model_hash", job->model->model_hash);
    js_set_str(index, "corpus_hash", job->out->corpus_hash);
    js_set_str(index, "site", hook_site_name(options->site));
    js_set(index, "layers", layers);
    js_set(index, "files", files);
    js_set_int(index, "width", (int64_t)job->width);
    js_set_str(index, "task", options->task);
    js_set_str(index, "labels", options->labels);
    js_set(index, "classes", classes);
    js_set_int(index, "size", job->set.vocab->variant->size);
    js_set(index, "split", splits);
    if (job->split_rules & SPLIT_BY_CANONICAL) { /* what earlier programs wrote has no such key */
        js_set_str(index, "split_rule", split_rules_name(job->split_rules));
    }
    js_set_int(index, "games", (int64_t)job->out->n_games);
    js_set_int(index, "plies", options->plies);
    js_set(index, "ply", plies);
    js_set_int(index, "seed", (int64_t)job->work->seed);
    js_set_int(index, "rows", (int64_t)job->out->n_rows);
    js_set(index, "shards", shards_json(job));
    return index;
}

/* Refuse the first member that differs between the options and the index on disk. */
static int same_index(const Js *there, const Js *asked, const char *path)
{
    void *it = NULL;
    const char *key;
    const Js *value;
    int rc = 0;
    while (rc == 0 && js_next(asked, &it, &key, &value)) {
        char *a = NULL, *b = NULL;
        const Js *other = js_member(there, key);
        rc = js_print(&a, value, 0);
        rc = rc || !other ? rc : js_print(&b, other, 0);
        if (rc == 0 && (!b || strcmp(a, b) != 0)) {
            rc = err_set(OGPT_EUSAGE,
                         "%s: made with %s %.80s, asked for %.80s; use another name, or --force to "
                         "begin again",
                         path, key, b ? b : "(none)", a);
        }
        mem_free(a);
        mem_free(b);
    }
    return rc;
}

/* Whether `path` may be written: it does not exist, holds activations, or holds nothing but the
 * lock and what a call left that was killed before its index had its name. */
static int check_folder(const char *path)
{
    char **names = NULL;
    size_t n = 0;
    PathKind kind, inside = PATH_MISSING;
    bool ours = false;
    int rc = path_kind(&kind, path);
    rc = rc ? rc : path_kind_in(&inside, path, "index.json");
    if (rc == 0 && inside == PATH_FILE) {
        rc = activations_is_folder(&ours, path);
    }
    if (rc != 0 || kind == PATH_MISSING || kind == PATH_OTHER || ours) {
        return rc;
    }
    if (inside == PATH_FILE) {
        return err_set(
            OGPT_EUSAGE,
            "%s: its index.json does not describe activations, so the folder is not touched; "
            "choose another name",
            path);
    }
    rc = rc ? rc : dir_list(&names, &n, path);
    for (size_t i = 0; i < n && rc == 0; i++) {
        if (strcmp(names[i], "LOCK") != 0 && !name_is_temporary(names[i])) {
            rc = err_set(
                OGPT_EUSAGE,
                "%s: holds %.80s and no index.json, so it is not a folder of activations and is "
                "not touched; choose another name",
                path, names[i]);
        }
    }
    names_free(names, n);
    return rc;
}

/* Remove all shards. A kill halfway leaves the old index with fewer shards, and the next call with
 * the old options makes them again. */
static int empty_folder(const char *path)
{
    char file[FILES_PATH_MAX], **names = NULL;
    size_t n = 0;
    int rc = dir_list(&names, &n, path);
    for (size_t i = 0; i < n && rc == 0; i++) {
        if (strncmp(names[i], "shard-", strlen("shard-")) == 0) {
            rc = path_join(file, path, names[i]);
            rc = rc ? rc : dir_remove(file);
        }
    }
    names_free(names, n);
    return rc;
}

/* With the lock held: write the index, or check that the index on disk asks for the same. */
static int take_folder(const Job *job, const Js *index, bool replace)
{
    char file[FILES_PATH_MAX], *text = NULL;
    Js *there = NULL;
    size_t n_stale;
    int rc = path_join(file, job->path, "index.json");
    PathKind kind;
    rc = rc ? rc : dir_clean_stale(&n_stale, job->path);
    rc = rc ? rc : path_kind(&kind, file);
    if (rc == 0 && kind == PATH_FILE && !replace) {
        rc = js_parse_file(&there, file, ACTIVATIONS_INDEX_MAX_BYTES);
        rc = rc ? rc : same_index(there, index, job->path);
        js_free(there);
        return rc;
    }
    rc = rc ? rc : js_print(&text, index, 2);
    rc = rc ? rc : empty_folder(job->path);
    rc = rc ? rc : disk_preflight(job->path, job->out->bytes);
    rc = rc ? rc : file_write_atomic(file, text, strlen(text), true);
    mem_free(text);
    return rc;
}

/* ---- one shard ---- */

static int write_array(Publish *publish, const char *name, const char *dtype, size_t rank,
                       const uint64_t *shape, const void *data, size_t n_bytes)
{
    char file[FILES_PATH_MAX];
    NpyWriter *writer = NULL;
    int rc = publish_path(file, publish, name);
    rc = rc ? rc : npy_writer_new(&writer, file, dtype, rank, shape);
    if (rc) {
        return rc;
    }
    rc = npy_writer_add(writer, data, n_bytes);
    if (rc) {
        npy_writer_abort(writer);
        return rc;
    }
    rc = npy_writer_finish(writer);
    return rc ? rc : publish_adopt(publish, name);
}

static int publish_shard(const Job *job, const char *goal, size_t n)
{
    uint64_t side = (uint64_t)job->set.vocab->variant->size;
    uint64_t rows[2] = {n, job->width}, board[3] = {n, side, side};
    Publish *publish = NULL;
    char file[80];
    int rc = publish_begin(&publish, goal, true);
    if (rc) {
        return rc;
    }
    for (int i = 0; i < job->options->n_layers && rc == 0; i++) {
        layer_file(file, job, i);
        rc =
            write_array(publish, file, "f4", 2, rows, job->rows[i], n * job->width * sizeof(float));
    }
    rc = rc ? rc : write_array(publish, "labels.npy", "u1", 3, board, job->labels, n * side * side);
    rc = rc ? rc : write_array(publish, "game.npy", "i8", 1, rows, job->game, n * sizeof(int64_t));
    rc = rc ? rc : write_array(publish, "ply.npy", "u1", 1, rows, job->ply, n);
    if (rc) {
        publish_abort(publish);
        return rc;
    }
    Js *fields = js_object();
    js_set_str(fields, "kind", "activations");
    js_set_str(fields, "model_hash", job->model->model_hash);
    js_set_str(fields, "corpus_hash", job->out->corpus_hash);
    rc = publish_commit(publish, fields);
    js_free(fields);
    return rc;
}

/* The games first .. first+n-1 of the set as a set of their own. Only out->first is owned. */
static int slice_games(PositionSet *out, const PositionSet *set, size_t first, size_t n)
{
    uint32_t base = set->first[first];
    *out = (PositionSet){.vocab = set->vocab,
                         .n_games = n,
                         .before = set->before + first,
                         .n_positions = set->first[first + n] - base,
                         .moves = set->moves + first * (size_t)set->vocab->variant->n_moves,
                         .t = set->t + base};
    out->first = mem_alloc(n + 1, sizeof(uint32_t), "positions of a shard");
    for (size_t g = 0; g <= n && out->first; g++) {
        out->first[g] = set->first[first + g] - base;
    }
    return out->first ? 0 : OGPT_ENOMEM;
}

static int make_shard(Job *job, size_t shard, const char *goal)
{
    PositionSet slice;
    const SiteLayers where = {job->options->site, job->options->layers, job->options->n_layers};
    const Work quiet = work_quiet(job->work);
    size_t first = shard * job->out->shard_games, n = games_of_shard(job, shard);
    int rc = slice_games(&slice, &job->set, first, n);
    if (rc) {
        return rc;
    }
    double start = clock_seconds();
    rc = activations_capture(job->rows, &slice, job->model->gpt, &where, &quiet);
    job->out->capture_seconds += clock_seconds() - start;
    job->out->n_tokens += n * (uint64_t)slice.vocab->n_ctx;
    rc = rc ? rc : positions_label(job->labels, &slice, job->task, job->convention, &quiet);
    for (size_t g = 0; g < n; g++) {
        for (size_t i = slice.first[g]; i < slice.first[g + 1]; i++) {
            job->game[i] = (int64_t)job->number[first + g];
            job->ply[i] = (uint8_t)(slice.t[i] + 1);
        }
    }
    rc = rc ? rc : publish_shard(job, goal, slice.n_positions);
    mem_free(slice.first);
    return rc;
}

static int make_shards(Job *job)
{
    char name[32], goal[FILES_PATH_MAX];
    int rc = allocate_shard(job);
    for (size_t shard = 0; shard < job->out->n_shards && rc == 0; shard++) {
        snprintf(name, sizeof(name), "shard-%05zu", shard);
        PathKind kind;
        rc = path_join(goal, job->path, name);
        rc = rc ? rc : path_kind(&kind, goal);
        /* A shard is made again only when its bytes are wrong, not when they cannot be read. */
        const int sound = rc || kind != PATH_DIRECTORY ? OGPT_EFORMAT : manifest_verify(NULL, goal);
        if (rc == 0 && sound == 0) {
            job->out->n_kept++;
        } else if (rc == 0 && sound != OGPT_EFORMAT) {
            rc = sound;
        } else if (rc == 0) {
            rc = make_shard(job, shard, goal);
        }
        if (rc == 0) {
            work_tick(job->work, "shards", (double)shard + 1, (double)job->out->n_shards);
        }
    }
    return rc;
}

static void job_release(Job *job)
{
    positions_release(&job->set);
    mem_free(job->number);
    for (int i = 0; i < LAYERS_MAX; i++) {
        mem_free(job->rows[i]);
    }
    mem_free(job->labels);
    mem_free(job->game);
    mem_free(job->ply);
}

int activations_write(ActivationsReport *out, const char *path, const Subject *subject,
                      Corpus *corpus, const ActivationsOptions *options, const Work *work)
{
    const GptConfig *cfg = &subject->model.gpt->cfg;
    char lock_path[FILES_PATH_MAX];
    FileLock lock = {.fd = -1};
    Js *index = NULL;
    *out = (ActivationsReport){0};
    snprintf(out->corpus_hash, sizeof(out->corpus_hash), "%s", corpus_info(corpus)->content_hash);
    Job job = {.out = out,
               .path = path,
               .model = &subject->model,
               .work = work,
               .options = options,
               .split_rules = corpus_info(corpus)->split_rules};
    int rc = check_options(options, cfg);
    if (rc) {
        return rc;
    }
    job.task = task_find(options->task);
    job.width = hook_width(cfg, options->site, (size_t)cfg->n_ctx);
    rc = convention_parse(&job.convention, options->labels);
    rc = rc ? rc : draw_positions(&job, corpus);
    rc = rc ? rc : check_folder(path);
    rc = rc ? rc : dir_create(path);
    rc = rc ? rc : path_join(lock_path, path, "LOCK");
    rc = rc ? rc : file_lock(&lock, lock_path);
    if (rc == 0) {
        plan_shards(&job);
        index = index_json(&job);
        rc = take_folder(&job, index, options->replace);
    }
    if (rc == 0) {
        if (options->announce) {
            options->announce(options->context, out);
        }
        rc = make_shards(&job);
    }
    file_unlock(&lock);
    js_free(index);
    job_release(&job);
    return rc;
}
