/* cli/commands/board/probe_steps.c - a probe at every checkpoint of a run: how the board emerges
 * over training. Contract in cli/commands/board/probe_run.h. */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/files.h"
#include "base/ranks/ranks.h"
#include "cli/commands/board/probe_run.h"

/* Layers of all steps are the unit of the progress. */
typedef struct StepTicks {
    const Work *work;
    double done, total;
} StepTicks;

static void tick_all(void *context, const char *stage, double done, double total)
{
    const StepTicks *ticks = context;
    if (strcmp(stage, "layers") == 0) {
        work_tick(ticks->work, stage, ticks->done + done, ticks->total);
    } else {
        work_tick(ticks->work, stage, done, total);
    }
}

/* Fit and score one step; its probe lies below run->path. */
static int one_step(ProbeRun *run, Context *context, Table *table, const char *step_path,
                    const Work *work)
{
    char path[FILES_PATH_MAX];
    const char *name = strrchr(step_path, '/') + 1;
    Subject subject = {0};
    SweepResult result;
    Probe probe = {0};
    size_t n_stale;
    int64_t games = -1;
    int rc = context_subject_open(context, &subject, step_path);
    rc = rc ? rc : path_join(path, run->path, name);
    rc = rc || !ranks_first() ? rc : path_clean_stale(&n_stale, path);
    rc = rc ? rc
            : sweep_fit(&result, &probe, path, &subject, run->inputs.corpus, &run->options, work);
    if (rc == 0) {
        const Js *seen = js_member(subject.model.manifest, "games");
        games = js_type(seen) == JS_INT ? js_int_of(seen) : -1;
        probe_tables_step(table, run_step_of_name(name), games, &probe, &result);
        if (table_rows(table) ==
            (size_t)result.n_layers) { /* the sample is the same at each step */
            probe_run__warn_few(context, &result, &run->options);
        }
    }
    probe_release(&probe);
    subject_release(&subject);
    return rc;
}

/* The folder of the probes is none itself. */
static int refuse_probe(const char *path)
{
    PathKind kind;
    int rc = path_kind_in(&kind, path, "probe.json");
    return rc || kind != PATH_FILE
               ? rc
               : err_set(OGPT_EUSAGE,
                         "%s: holds one probe; --all-steps makes a folder of probes: name another "
                         "--out",
                         path);
}

static size_t count_steps(char **names, size_t n)
{
    size_t steps = 0;
    for (size_t i = 0; i < n; i++) {
        steps += run_step_of_name(names[i]) >= 0;
    }
    return steps;
}

int probe_run_steps(ProbeRun *run, Context *context, const char *path)
{
    char **names = NULL, step_path[FILES_PATH_MAX];
    size_t n = 0;
    int rc = ranks_first() ? refuse_probe(run->path) : 0;
    rc = rc ? rc : dir_list(&names, &n, path);
    size_t n_steps = rc == 0 ? count_steps(names, n) : 0;
    if (rc == 0 && n_steps == 0) {
        rc = err_set(OGPT_EUSAGE,
                     "%s: --all-steps reads the checkpoints of a run (step-*), and there are none; "
                     "name the run's folder",
                     path);
    }
    if (rc == 0 && n_steps == 1) {
        context_warn(context, "%s has one checkpoint; ogpt train --keep all or log2 keeps more",
                     path);
    }
    const Work *shown = study_work(context, "probing", "layers");
    StepTicks ticks = {.work = shown};
    Work work = *shown;
    work.memory_bytes = (size_t)run->sample->memory << 20;
    work.tick = tick_all;
    work.context = &ticks;
    run->options.controls = false;
    int n_layers = run->options.n_layers > 0 ? run->options.n_layers
                                             : run->inputs.subject.model.gpt->cfg.n_layers +
                                                   (run->options.site == HOOK_RESID_POST);
    ticks.total = (double)(n_steps * (size_t)n_layers);
    Table *table = study_table(context, &probe_steps_table);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        if (run_step_of_name(names[i]) < 0) {
            continue;
        }
        rc = path_join(step_path, path, names[i]);
        rc = rc ? rc : one_step(run, context, table, step_path, &work);
        ticks.done += n_layers;
    }
    names_free(names, n);
    return rc;
}
