/* probes/board/sweep_resume.c - continuing a probe that is on file, or refusing to mix two. */
#include "probes/board/sweep_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/ranks/ranks.h"

static int refuse(const char *path, const char *what, const char *there, const char *asked)
{
    return err_set(OGPT_EUSAGE,
                   "%s: fitted with %s %s, asked for %s; use another --out, or --force to begin "
                   "again",
                   path, what, there, asked);
}

static int refuse_number(const char *path, const char *what, double there, double asked)
{
    char a[32], b[32];
    snprintf(a, sizeof(a), "%.12g", there);
    snprintf(b, sizeof(b), "%.12g", asked);
    return refuse(path, what, a, b);
}

static int same_settings(const Probe *there, const Probe *asked, const char *path)
{
    const char *const text[][3] = {
        {"model", there->model_hash, asked->model_hash},
        {"corpus", there->corpus_hash, asked->corpus_hash},
        {"a corpus divided by", split_rules_name(there->split_rules),
         split_rules_name(asked->split_rules)},
        {"--task", there->task, asked->task},
        {"--labels", there->labels, asked->labels},
        {"--solver", there->solver, asked->solver},
        {"--site", hook_site_name(there->site), hook_site_name(asked->site)},
    };
    const struct {
        const char *what;
        double there, asked;
    } number[] = {
        {"--l2", there->l2, asked->l2},
        {"--hidden", there->n_hidden, asked->n_hidden},
        {"--epochs", there->epochs, asked->epochs},
        {"--games", (double)there->n_games, (double)asked->n_games},
        {"--plies", (double)there->plies, (double)asked->plies},
        {"number of layers", there->n_layers, asked->n_layers},
        {"width", there->d_model, asked->d_model},
    };
    for (size_t i = 0; i < sizeof(text) / sizeof(text[0]); i++) {
        if (strcmp(text[i][1], text[i][2]) != 0) {
            return refuse(path, text[i][0], text[i][1], text[i][2]);
        }
    }
    for (size_t i = 0; i < sizeof(number) / sizeof(number[0]); i++) {
        if (number[i].there != number[i].asked) {
            return refuse_number(path, number[i].what, number[i].there, number[i].asked);
        }
    }
    if (there->n_valid_games > 0 && there->n_valid_games != asked->n_valid_games) {
        return refuse_number(path, "validation games (half of --test-games)",
                             (double)there->n_valid_games, (double)asked->n_valid_games);
    }
    if (there->seed != asked->seed) {
        char a[32], b[32]; /* not as doubles: two seeds above 2^53 can be the same double */
        snprintf(a, sizeof(a), "%" PRIu64, there->seed);
        snprintf(b, sizeof(b), "%" PRIu64, asked->seed);
        return refuse(path, "--seed", a, b);
    }
    for (int i = 0; i < asked->n_layers; i++) {
        if (there->layers[i] != asked->layers[i]) {
            return refuse_number(path, "--layers", there->layers[i], asked->layers[i]);
        }
    }
    return 0;
}

static void copy_text(char *out, size_t room, const char *text)
{
    snprintf(out, room, "%s", text);
}

/* The empty probe that the options describe. */
static int probe_of_options(Probe *out, const Sweep *sweep, Corpus *corpus)
{
    const SweepOptions *options = sweep->options;
    const GptConfig *cfg = &sweep->subject->model.gpt->cfg;
    *out = (Probe){.site = options->site,
                   .l2 = options->l2,
                   .n_hidden = options->n_hidden,
                   .epochs = options->epochs,
                   .seed = sweep->work->seed};
    copy_text(out->task, sizeof(out->task), options->task);
    copy_text(out->labels, sizeof(out->labels), options->labels);
    copy_text(out->solver, sizeof(out->solver), options->solver);
    copy_text(out->model_hash, sizeof(out->model_hash), sweep->subject->model.model_hash);
    copy_text(out->corpus_hash, sizeof(out->corpus_hash), corpus_info(corpus)->content_hash);
    out->split_rules = corpus_info(corpus)->split_rules;
    out->size = corpus_info(corpus)->variant->size;
    out->n_squares = out->size * out->size;
    out->d_model = (int)hook_width(cfg, options->site, (size_t)cfg->n_ctx);
    out->n_classes = sweep->task->n_classes;
    for (int k = 0; k < out->n_classes; k++) {
        copy_text(out->classes[k], sizeof(out->classes[k]), sweep->task->classes[k]);
    }
    out->n_layers = options->n_layers;
    memcpy(out->layers, options->layers, sizeof(out->layers));
    if (options->n_layers == 0) {
        int first = options->site == HOOK_RESID_POST ? LAYER_EMBED : 0;
        for (int layer = first; layer < cfg->n_layers; layer++) {
            out->layers[out->n_layers++] = layer;
        }
    }
    out->n_games = (int64_t)sweep->sets[TRAIN].set.n_games;
    out->plies = options->plies;
    out->n_positions = (int64_t)sweep->sets[TRAIN].set.n_positions;
    if (options->l2 == FIT_L2_AUTO || options->n_hidden > 0) {
        out->n_valid_games = (int64_t)sweep->sets[VALIDATION].set.n_games;
    }
    return probe_allocate(out);
}

int sweep__take_probe(Sweep *sweep, Corpus *corpus)
{
    Probe there = {0}, asked;
    PathKind kind = PATH_MISSING; /* for ranks that read no file: the first shares what it has */
    int rc = ranks_first() ? path_kind(&kind, sweep->path) : 0;
    if (rc) {
        return rc;
    }
    rc = probe_of_options(&asked, sweep, corpus);
    if (rc || sweep->options->replace || kind == PATH_MISSING) {
        *sweep->probe = asked;
        return rc;
    }
    rc = probe_load(&there, sweep->path);
    rc = rc ? rc : same_settings(&there, &asked, sweep->path);
    probe_release(&asked);
    if (rc) {
        probe_release(&there);
        return rc;
    }
    *sweep->probe = there;
    return 0;
}
