/* probes/neurons/neuron_study.c - see probes/neurons/neuron_study.h. */
#include "probes/neurons/neuron_study.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "probes/activations/passes.h"

static const char *const arm_names[] = {NEURON_ARMS(ENUM_NAME)};
static const char *const arm_meanings[] = {NEURON_ARMS(ENUM_MEANING)};

const char *neuron_arm_name(NeuronArm arm)
{
    return arm_names[arm];
}

const char *neuron_arm_meaning(NeuronArm arm)
{
    return arm_meanings[arm];
}

/* What all layers share: of the boards as they are, and of those of twins. */
typedef struct BoardSide {
    NeuronDesign design;
    NeuronLinear linear;
    NeuronFlanks *flanks;
} BoardSide;

typedef struct NeuronStudyRun {
    NeuronStudy *study;
    const Gpt *gpt;
    Gpt *random;
    BoardSide sides[2];
    float *values, *other;       /* (M, n) of the layer; of a control */
    NeuronDetection *detections; /* (M, N_NEURON_DEMANDS) */
    /* Flanks that an arm covers, by demand: all, and by neurons that hold. */
    uint64_t covered[N_NEURON_ARMS][N_NEURON_DEMANDS][2][NEURON_FLANK_WORDS];
    double *rules;    /* (N_NEURON_ARMS, BOOTSTRAP_REPLICATES) shares, summed over the layers */
    double **scratch; /* a worker: (d_model) */
    size_t done;
} NeuronStudyRun;

/* ---- making and releasing ---- */

int neuron_study_open(NeuronStudy *out, const Vocab *vocab, Corpus *corpus,
                      const NeuronStudyOptions *options, uint64_t seed)
{
    *out = (NeuronStudy){
        .options = *options, .vocab = vocab, .n_arms = options->controls ? N_NEURON_ARMS : 1};
    int rc = neuron_sources_open(&out->sources, vocab->variant, corpus, seed);
    if (rc == 0) {
        size_t there = (size_t)source_games(out->sources.used); /* 0: it never ends */
        neuron_sample_limit(&out->options.sample, out->sources.rules);
        if (there > 0 && out->options.use.games > there) {
            out->options.use.games = there;
        }
    }
    return rc;
}

int neuron_study_draw(NeuronStudy *study, const Work *work)
{
    return neuron_games_draw(&study->games, study->vocab, study->sources.rules,
                             &study->options.sample, work);
}

void neuron_study_release(NeuronStudy *study)
{
    neuron_sources_release(&study->sources);
    neuron_games_release(&study->games);
    neuron_use_release(&study->use);
    mem_free(study->layers);
    mem_free(study->flanks);
    mem_free(study->rows);
    *study = (NeuronStudy){0};
}

size_t neuron_study_bytes(const NeuronStudy *study, const Gpt *gpt, bool rules, bool looks,
                          const Work *work)
{
    const NeuronSample *sample = &study->options.sample;
    size_t n = neuron_sample_positions(study->vocab, sample), M = (size_t)gpt->cfg.d_mlp;
    size_t L = (size_t)gpt->cfg.n_layers, sides = study->n_arms > 1 ? 2 : 1;
    size_t rows = L * M * sizeof(NeuronRow);
    size_t most = sides * (neuron_design_bytes(n) + neuron_flanks_bytes(n)) +
                  sides * M * n * sizeof(float) + M * M * sizeof(double) +
                  neuron_fit_bytes(M, sample->test_games, n, work) + rows;
    size_t looker =
        neuron_looker_bytes(&gpt->cfg, n, sample->test_games, work) + (rules ? rows : 0);
    most = !rules || (looks && looker > most) ? looker : most;
    most += passes_bytes(&gpt->cfg, TAPE_FORWARD, 0, work);
    size_t use = neuron_use_bytes(gpt, study->vocab, &study->options.use, work);
    return neuron_games_bytes(study->vocab, sample) + (most > use ? most : use);
}

int neuron_study_use(NeuronStudy *study, const Gpt *gpt, const Work *work)
{
    return neuron_use_run(&study->use, gpt, study->sources.used, study->sources.training,
                          &study->options.use, work);
}

int neuron_study_look(NeuronLook *out, const NeuronStudy *study, const Gpt *gpt, const Probe *probe,
                      const Work *work)
{
    int M = gpt->cfg.d_mlp, k = study->options.use.neuron % M;
    NeuronLooker *looker = NULL;
    int rc = neuron_looker_open(&looker, gpt, &study->games, probe, &study->options.look);
    rc = rc ? rc : neuron_looks_make(out, looker, study->options.use.neuron / M, &k, 1, work);
    neuron_looker_free(looker);
    return rc;
}

static int run_open(NeuronStudyRun *run, const Work *work)
{
    NeuronStudy *study = run->study;
    size_t M = study->M, n = study->games.n, n_workers = work_workers(work);
    int rc = 0;
    study->layers = mem_calloc(study->L * N_NEURON_ARMS, sizeof(*study->layers), "layers");
    study->rows = mem_calloc(study->L * M, sizeof(*study->rows), "neurons");
    run->values = mem_alloc(M * n, sizeof(*run->values), "activations");
    run->other = study->n_arms > 1 ? mem_alloc(M * n, sizeof(*run->other), "activations") : NULL;
    run->detections = mem_calloc(M * N_NEURON_DEMANDS, sizeof(*run->detections), "flanks");
    run->scratch = mem_calloc(n_workers, sizeof(*run->scratch), "workers");
    run->rules =
        mem_calloc((size_t)N_NEURON_ARMS * BOOTSTRAP_REPLICATES, sizeof(double), "replicates");
    if (!study->layers || !study->rows || !run->values || (study->n_arms > 1 && !run->other) ||
        !run->detections || !run->scratch || !run->rules) {
        return OGPT_ENOMEM;
    }
    for (size_t w = 0; w < n_workers && rc == 0; w++) {
        run->scratch[w] = mem_alloc((size_t)run->gpt->cfg.d_model, sizeof(double), "a direction");
        rc = run->scratch[w] ? 0 : OGPT_ENOMEM;
    }
    for (int s = 0; s < (study->n_arms > 1 ? 2 : 1) && rc == 0; s++) {
        BoardSide *side = &run->sides[s];
        side->flanks = mem_calloc(1, sizeof(*side->flanks), "flanks");
        rc = side->flanks ? 0 : OGPT_ENOMEM;
        rc = rc ? rc
                : neuron_design_make(&side->design, &study->games, study->options.look.legal,
                                     s == 1);
        rc = rc ? rc : neuron_linear_open(&side->linear, &side->design);
        rc = rc ? rc : neuron_flanks_find(side->flanks, &study->games, s == 1);
    }
    return rc || study->n_arms == 1
               ? rc
               : neuron_values_random_network(&run->random, &run->gpt->cfg, work->seed);
}

static void run_release(NeuronStudyRun *run, const Work *work)
{
    for (int s = 0; s < 2; s++) {
        neuron_design_release(&run->sides[s].design);
        neuron_linear_release(&run->sides[s].linear);
        if (run->sides[s].flanks) {
            neuron_flanks_release(run->sides[s].flanks);
            mem_free(run->sides[s].flanks);
        }
    }
    for (size_t w = 0; w < work_workers(work) && run->scratch; w++) {
        mem_free(run->scratch[w]);
    }
    mem_free(run->scratch);
    mem_free(run->values);
    mem_free(run->other);
    mem_free(run->detections);
    mem_free(run->rules);
    gpt_free(run->random);
}

/* ---- one layer in one arm ---- */

/* Neurons of one layer: jobs of the pool. */
typedef struct LayerJobs {
    const NeuronStudyRun *run;
    const NeuronFlanks *flanks;
    const NeuronFit *fit;
    const float *values;
    int layer;
    bool trained; /* fill the rows too */
} LayerJobs;

static int neuron_job(void *context, size_t k, size_t worker)
{
    const LayerJobs *jobs = context;
    const NeuronStudyRun *run = jobs->run;
    const NeuronGames *games = &run->study->games;
    const float *values = jobs->values + k * games->n;
    NeuronDetection *detections = run->detections + k * N_NEURON_DEMANDS;
    neuron_flanks_detect(detections, jobs->flanks, values);
    if (!jobs->trained) {
        return 0;
    }
    NeuronRow *row = run->study->rows + (size_t)jobs->layer * run->study->M + k;
    NeuronWeights weights;
    row->layer = jobs->layer;
    row->neuron = (int)k;
    row->rule = jobs->fit->rules[k];
    for (int m = 0; m < N_NEURON_MODELS; m++) {
        row->r2[m] = jobs->fit->r2[m][k];
    }
    memcpy(row->detections, detections, sizeof(row->detections));
    row->shape = neuron_shape_of(values, games->n);
    neuron_weights_of(&weights, run->gpt, games->vocab, NULL, jobs->layer, k, run->scratch[worker]);
    row->write_norm = weights.write_norm;
    row->top = weights.top;
    neuron_look_value(&row->value_legal, &row->value_legal_by_chance, games, values,
                      row->shape.largest, row->top);
    return 0;
}

static size_t count_bits(const uint64_t words[NEURON_FLANK_WORDS])
{
    size_t n = 0;
    for (int i = 0; i < NEURON_FLANK_WORDS; i++) {
        n += (size_t)__builtin_popcountll(words[i]);
    }
    return n;
}

static void count_detections(NeuronStudyRun *run, NeuronLayer *layer, NeuronArm arm)
{
    NeuronCover *cover = &run->study->covers[arm];
    for (size_t k = 0; k < run->study->M; k++) {
        for (int d = 0; d < N_NEURON_DEMANDS; d++) {
            const NeuronDetection *found = &run->detections[k * N_NEURON_DEMANDS + (size_t)d];
            bool holds = neuron_detection_holds(found, neuron_demands[d]);
            layer->detecting[d] += found->n > 0;
            layer->holding[d] += holds;
            for (int i = 0; i < NEURON_FLANK_WORDS; i++) {
                run->covered[arm][d][0][i] |= found->flanks[i];
                run->covered[arm][d][1][i] |= holds ? found->held[i] : 0;
            }
        }
    }
    for (int d = 0; d < N_NEURON_DEMANDS; d++) {
        cover->detecting[d] += layer->detecting[d];
        cover->holding[d] += layer->holding[d];
        cover->covered[d] = count_bits(run->covered[arm][d][0]);
        cover->covered_held[d] = count_bits(run->covered[arm][d][1]);
    }
}

static int measure(NeuronStudyRun *run, int layer, NeuronArm arm, const Work *work)
{
    NeuronStudy *study = run->study;
    const BoardSide *side = &run->sides[arm == NEURONS_SHUFFLED];
    const float *values =
        arm == NEURONS_TRAINED || arm == NEURONS_SHUFFLED ? run->values : run->other;
    NeuronLayer *out = study->layers + (size_t)layer * N_NEURON_ARMS + (size_t)arm;
    NeuronFit fit = {0};
    NeuronFitInputs in = {&study->games, &side->design, &side->linear, study->options.look.depth,
                          false};
    LayerJobs jobs = {run, side->flanks, &fit, values, layer, arm == NEURONS_TRAINED};
    Work quiet = work_quiet(work);
    int rc = arm == NEURONS_TRAINED
                 ? neuron_values_read(run->values, run->gpt, &study->games, layer, &quiet)
             : arm == NEURONS_RANDOM
                 ? neuron_values_read(run->other, run->random, &study->games, layer, &quiet)
             : arm == NEURONS_ROTATED ? neuron_values_rotate(run->other, run->values, study->M,
                                                             study->games.n, layer, &quiet)
                                      : 0;
    rc = rc ? rc : neuron_fit_run(&fit, &in, values, study->M, &quiet);
    rc = rc ? rc : pool_run(work->pool, study->M, neuron_job, &jobs);
    rc = rc ? rc
            : neuron_fit_shares(&out->shares, &fit, study->options.threshold,
                                run->rules + (size_t)arm * BOOTSTRAP_REPLICATES, &quiet);
    for (int m = 0; m < N_NEURON_MODELS && rc == 0; m++) {
        rc = neuron_fit_median(&out->median[m], fit.r2[m], study->M);
    }
    if (rc == 0) {
        count_detections(run, out, arm);
        work_tick(work, "layers", (double)++run->done, (double)(study->L * study->n_arms));
    }
    neuron_fit_release(&fit);
    return rc;
}

/* Layers have equally many neurons, so the share of all is the mean of theirs. */
static void share_all(NeuronStudyRun *run)
{
    NeuronStudy *study = run->study;
    const double layers = (double)study->L;
    for (size_t arm = 0; arm < study->n_arms; arm++) {
        Interval *all = &study->covers[arm].rules;
        double *replicates = run->rules + arm * BOOTSTRAP_REPLICATES;
        all->value = 0;
        for (size_t layer = 0; layer < study->L; layer++) {
            all->value += study->layers[layer * N_NEURON_ARMS + arm].shares.rules.value / layers;
        }
        for (size_t r = 0; r < BOOTSTRAP_REPLICATES; r++) {
            replicates[r] /= layers;
        }
        bootstrap_quantiles(all, replicates, BOOTSTRAP_REPLICATES);
    }
}

/* ---- flanks ---- */

static int list_flanks(NeuronStudy *study, const NeuronFlanks *flanks)
{
    study->n_flanks = flanks->n_flanks;
    study->n_playable = flanks->n_playable;
    study->flanks = mem_calloc(flanks->n_flanks, sizeof(*study->flanks), "flanks");
    if (!study->flanks) {
        return OGPT_ENOMEM;
    }
    for (size_t f = 0; f < flanks->n_flanks; f++) {
        NeuronFlankRow *row = &study->flanks[f];
        *row = (NeuronFlankRow){.flank = flanks->flanks[f],
                                .seen = flanks->seen[f],
                                .seen_test = flanks->seen_test[f],
                                .best = -1,
                                .f1 = NAN,
                                .test_f1 = NAN};
        study->n_frequent += flanks->seen[f] >= NEURON_HITS;
        for (size_t k = 0; k < study->L * study->M; k++) {
            const NeuronDetection *found = study->rows[k].detections;
            for (int d = 0; d < N_NEURON_DEMANDS; d++) {
                row->detecting[d] += found[d].flanks[f / 64] >> f % 64 & 1;
            }
            const NeuronDetection *last = &found[N_NEURON_DEMANDS - 1];
            if ((last->flanks[f / 64] >> f % 64 & 1) != 0 && !(last->f1 <= row->f1)) {
                row->best = (int)k;
                row->f1 = last->f1;
                row->test_f1 = last->test_f1;
            }
        }
    }
    return 0;
}

int neuron_study_run(NeuronStudy *study, const Gpt *gpt, const Work *work)
{
    NeuronStudyRun run = {.study = study, .gpt = gpt};
    study->L = (size_t)gpt->cfg.n_layers;
    study->M = (size_t)gpt->cfg.d_mlp;
    int rc = run_open(&run, work);
    for (size_t i = 0; i < study->L * study->n_arms && rc == 0; i++) {
        rc = measure(&run, (int)(i / study->n_arms), (NeuronArm)(i % study->n_arms), work);
    }
    if (rc == 0) {
        share_all(&run);
        rc = list_flanks(study, run.sides[0].flanks);
    }
    run_release(&run, work);
    return rc;
}
