/* probes/forgetting/forget_train.c - contract in probes/forgetting/forget_train.h. */
#include "probes/forgetting/forget_train.h"

#include <stdio.h>

#include "base/arena.h"

/* The listener of one run, and how many runs were before it. */
typedef struct ForgetWatch {
    int64_t runs;
    const Work *work;
} ForgetWatch;

static void stepped(void *context, const TrainReport *report)
{
    const ForgetWatch *watch = context;
    work_tick(watch->work, "steps", (double)(watch->runs * report->steps + report->step),
              (double)((N_FORGET_NETWORKS - 1) * report->steps));
}

/* One network, from the one before it. */
static int network_train(ForgetRuns *out, const ForgetPlan *plan, ForgetNetwork network,
                         const ModelFile *init, const Work *work)
{
    const GptConfig cfg = init->gpt->cfg;
    char run[FILES_PATH_MAX];
    TrainResult result;
    static const int64_t place[N_FORGET_NETWORKS] = {[FORGET_THERE] = 1, [FORGET_BACK] = 2};
    ForgetWatch watch = {place[network], work};
    const TrainObserver observer = {.context = &watch, .stepped = stepped};
    TrainOptions options = *plan->options;
    options.keep = network == FORGET_BACK ? TRAIN_KEEP_LOG2 : TRAIN_KEEP_NEWEST;
    TrainJob job = {.run_path = run,
                    .cfg = &cfg,
                    .options = &options,
                    .source = plan->learn[network],
                    .corpus_path = network == FORGET_THERE ? plan->corpus : NULL,
                    .init = init->gpt,
                    .observer = &observer};
    Js *about = train_about(&job, init, plan->command_line);
    job.about = about;
    int rc = path_join(run, plan->folder, forget_network_name(network));
    rc = rc ? rc : train_run(&result, &job, work);
    if (rc == 0) {
        snprintf(out->path[network], FILES_PATH_MAX, "%s", result.path);
        snprintf(out->hash[network], HASH_HEX_SIZE, "%s", result.model_hash);
    }
    js_free(about);
    return rc;
}

static int points_list(ForgetRuns *out, const ForgetPlan *plan)
{
    char run[FILES_PATH_MAX], **names = NULL;
    size_t n = 0;
    int rc = path_join(run, plan->folder, forget_network_name(FORGET_BACK));
    rc = rc ? rc : dir_list(&names, &n, run);
    for (size_t i = 0; rc == 0 && i < n; i++) { /* names of one length, sorted: by step */
        int64_t step = run_step_of_name(names[i]);
        bool power = step > 0 && (step & (step - 1)) == 0;
        if ((power || step == plan->options->steps) && out->n_points < FORGET_POINTS_MAX) {
            out->steps[out->n_points] = step;
            rc = path_join(out->points[out->n_points++], run, names[i]);
        }
    }
    names_free(names, n);
    return rc;
}

int forget_train(ForgetRuns *out, const ForgetPlan *plan, const Work *work)
{
    char *warning = NULL;
    ModelFile there;
    *out = (ForgetRuns){0};
    for (int i = 0; i < N_FORGET_NETWORKS; i++) { /* until they are trained */
        snprintf(out->path[i], FILES_PATH_MAX, "%s", plan->before->path);
        snprintf(out->hash[i], HASH_HEX_SIZE, "%s", plan->before->model_hash);
    }
    if (!plan->options) {
        return 0;
    }
    int rc = network_train(out, plan, FORGET_SAME, plan->before, work);
    rc = rc ? rc : network_train(out, plan, FORGET_THERE, plan->before, work);
    rc = rc ? rc : model_load(&there, out->path[FORGET_THERE], &warning);
    mem_free(warning); /* this run's own newest checkpoint: nothing is passed over */
    if (rc == 0) {
        rc = network_train(out, plan, FORGET_BACK, &there, work);
        model_release(&there);
    }
    return rc ? rc : points_list(out, plan);
}
