/* cli/commands/readers/cmd_neurons.c - ogpt neurons: what single neurons stand for, and whether
 * that is more than chance gives. */
#include "base/arena.h"
#include "base/err.h"
#include "cli/commands/common/game_input.h"
#include "cli/commands/common/model_input.h"
#include "cli/commands/common/probe_input.h"
#include "cli/commands/common/shared_options.h"
#include "cli/study.h"
#include "report/neurons/neuron_page.h"
#include "report/neurons/neurons_result.h"
#include "report/pages/neuron_pages.h"

typedef struct NeuronsOptions {
    const char *corpus, *probe, *neuron, *pages;
    int64_t games, test_games, plies, depth, use_games, use_plies, ablate, mean_games, top, memory;
    double threshold;
    bool legal, no_controls;
    int replace;
} NeuronsOptions;

typedef struct NeuronsSession {
    Context *context;
    const NeuronsOptions *given;
    StudyInputs inputs; /* subject, and the corpus or NULL */
    Probe probe;
    char probe_path[FILES_PATH_MAX]; /* "": none */
    char source[GAME_WORDS_MAX];
    int layer, neuron; /* the one that was named, -1: none */
    NeuronStudy study;
    PageSetAbout pages; /* path NULL: none */
} NeuronsSession;

#define AT(field) offsetof(NeuronsOptions, field)
static const OptionSpec options[] = {
    OPTION_TEXT("corpus", AT(corpus), "CORPUS",
                "games of its test split (default: fresh random games, by the seed)"),
    OPTION_INT("games", AT(games), "N", 2, 1e6, "games that rules are fitted on", .def = "1000"),
    OPTION_INT("test-games", AT(test_games), "N", 2, 1e6, "other games that they are scored on",
               .def = "400"),
    OPTION_INT("plies", AT(plies), "N", 0, 60, "positions drawn of each game; 0: all", .def = "25"),
    OPTION_INT("depth", AT(depth), "N", 1, NEURON_DEPTH_MAX, "questions of a rule, at most",
               .def = "5"),
    OPTION_NUM("threshold", AT(threshold), "R2", 0, 1, "from which on a neuron counts as a rule",
               .def = "0.7"),
    OPTION_FLAG("legal", AT(legal), "rules may ask for legal moves, as published ones could"),
    OPTION_FLAG("no-controls", AT(no_controls), "leave random weights, rotations and shuffles out"),
    OPTION_INT("use-games", AT(use_games), "N", 0, 1e5,
               "games whose logits are attributed to neurons; 0: none", .def = "50"),
    OPTION_INT("use-plies", AT(use_plies), "N", 0, 60, "positions of each of them; 0: all",
               .def = "10"),
    OPTION_INT("ablate", AT(ablate), "N", 0, 1e6,
               "neurons of largest attribution that are ablated, and as many others; 0: none",
               .def = "24"),
    OPTION_ENUM("replace", AT(replace), "mean|resample",
                "what an ablated neuron says: the mean at its ply, or its value in another game",
                .def = "mean"),
    OPTION_INT("mean-games", AT(mean_games), "N", 1, 1e6, "training games for that", .def = "1000"),
    OPTION_PROBE(AT(probe), "probe of mine, theirs and empty squares that weights are drawn by"),
    OPTION_TEXT("neuron", AT(neuron), "NEURON",
                "only look at this neuron, such as L5N123: positions, rule, weights as boards"),
    OPTION_PAGES(AT(pages), "neuron"),
    OPTION_INT("top", AT(top), "N", 1, 100000, "rows and boards that are printed", .def = "12"),
    OPTION_MEMORY(AT(memory)),
};

static int load(NeuronsSession *session)
{
    Context *context = session->context;
    const NeuronsOptions *given = session->given;
    const Subject *subject = &session->inputs.subject;
    int rc = context_inputs_open(context, &session->inputs, context->args[0], given->corpus);
    if (rc == 0 && given->neuron) {
        rc = neurons_parse(&session->layer, &session->neuron, &subject->model.gpt->cfg,
                           given->neuron, "--neuron");
    }
    if (rc == 0 && given->pages) {
        session->pages = context_pages_about(context, given->pages, subject->model.model_hash);
        rc = given->neuron ? err_set(OGPT_EUSAGE, "--pages: not with --neuron")
                           : page_set_check(&session->pages);
    }
    return rc ? rc
              : context_probe_fitting(context, &session->probe, session->probe_path, subject,
                                      given->probe, probe_check_mine,
                                      given->neuron || given->pages ? "weights by square" : NULL);
}

/* What is asked for, what it takes, and a refusal if that is too much; then the games. */
static int draw(NeuronsSession *session)
{
    Context *context = session->context;
    const NeuronsOptions *given = session->given;
    const Subject *subject = &session->inputs.subject;
    const NeuronGames *games = &session->study.games;
    const Work *work = study_work(context, "neurons", "layers");
    bool named = given->neuron;
    NeuronStudyOptions wanted = {
        .sample = {(size_t)given->games, (size_t)given->test_games, (int)given->plies},
        .look = {(int)given->depth, given->legal},
        .threshold = given->threshold,
        .controls = !given->no_controls,
        .use = {(size_t)given->use_games, (int)given->use_plies, (size_t)given->ablate,
                given->replace == 1 ? ABLATION_RESAMPLE : ABLATION_MEAN, (size_t)given->mean_games,
                named ? session->layer * subject->model.gpt->cfg.d_mlp + session->neuron : -1}};
    context_games_words(session->source, context, given->corpus, "test");
    int rc = neuron_study_open(&session->study, subject->vocab, session->inputs.corpus, &wanted,
                               context->seed);
    size_t bytes = rc ? 0
                      : neuron_study_bytes(&session->study, subject->model.gpt, !named,
                                           named || given->pages, work);
    rc = rc ? rc : context_check_memory(bytes, given->memory, "fewer --games or --plies");
    rc = rc ? rc : neuron_study_draw(&session->study, work);
    if (rc == 0) {
        context_say(context,
                    "%zu positions of %zu games to fit on, %zu of %zu held out, %zu MiB of memory",
                    games->n_fit, games->n_fit_games, games->n - games->n_fit,
                    games->n_games - games->n_fit_games, (bytes >> 20) + 1);
    }
    return rc;
}

static int measure(NeuronsSession *session, NeuronLook *look)
{
    Context *context = session->context;
    const ModelFile *model = &session->inputs.subject.model;
    const char *probe = session->probe_path[0] ? session->probe_path : NULL;
    NeuronStudy *study = &session->study;
    const Work *work = study_work(context, "neurons", "layers");
    int rc = look ? neuron_study_look(look, study, model->gpt, probe ? &session->probe : NULL, work)
                  : neuron_study_run(study, model->gpt, work);
    rc = rc ? rc : neuron_study_use(study, model->gpt, study_work(context, "attribution", "games"));
    if (rc == 0 && look) {
        neurons_page_report(context->report,
                            &(NeuronPage){look, session->inputs.subject.variant, &study->use,
                                          (size_t)model->gpt->cfg.d_mlp, session->source,
                                          model->model_hash, probe, (int)session->given->top,
                                          context->style});
    } else if (rc == 0) {
        neurons_report(context->report,
                       &(NeuronsFindings){study, session->source, model->model_hash,
                                          (int)session->given->top});
    }
    if (rc == 0 && session->pages.path) {
        rc = neuron_pages_write(context->report, &session->pages, study, model->gpt,
                                probe ? &session->probe : NULL,
                                study_work(context, "pages", "pages"));
        rc = rc ? study_verdict(context, rc) : 0; /* behind the result */
    }
    return rc;
}

static int neurons_run(Context *context)
{
    NeuronsSession *session = mem_calloc(1, sizeof(*session), "neurons");
    NeuronLook *look = mem_calloc(1, sizeof(*look), "a neuron");
    int rc = session && look ? 0 : OGPT_ENOMEM;
    if (rc == 0) {
        session->context = context;
        session->given = context->options;
        rc = load(session);
        rc = rc ? rc : study_begin(context, session->inputs.subject.model.path, false);
        rc = rc ? rc : draw(session);
        rc = rc ? rc : measure(session, session->given->neuron ? look : NULL);
        neuron_study_release(&session->study);
        probe_release(&session->probe);
        context_inputs_release(&session->inputs);
    }
    mem_free(session);
    mem_free(look);
    return rc;
}

const Command cmd_neurons = {
    .name = "neurons",
    .arguments = "MODEL [--corpus CORPUS] [--games N] [--neuron NEURON] [--pages DIR]",
    .summary = "what single neurons stand for: rules of the board, and what chance gives",
    .examples = "ogpt neurons tiny-6x6 --games 200\n"
                "ogpt neurons tiny-6x6 --games 200 --neuron L5N123\n"
                "ogpt neurons tiny-6x6 --games 200 --neuron L5N123 --json\n"
                "ogpt neurons runs/tiny --corpus games.ogpc --games 200",
    COMMAND_OPTIONS(options, NeuronsOptions),
    .min_args = 1,
    .max_args = 1,
    .model_args = 1,
    .uses = USES_SEED | USES_THREADS | USES_STORE | USES_FORCE,
    COMMAND_TABLES(&neurons_table, &neurons_layers_table, &neurons_cover_table, &neurons_list_table,
                   &neurons_top_table, &neurons_flanks_table, &neuron_look_table,
                   &neuron_leaves_table, &neuron_sights_table, &neuron_weights_table),
    .run = neurons_run,
};
