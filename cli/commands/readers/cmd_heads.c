/* cli/commands/readers/cmd_heads.c - ogpt heads: what each attention head looks at, and what it
 * does with it. */
#include "base/arena.h"
#include "base/err.h"
#include "cli/commands/common/game_input.h"
#include "cli/commands/common/model_input.h"
#include "cli/commands/common/probe_input.h"
#include "cli/commands/common/shared_options.h"
#include "cli/study.h"
#include "probes/heads/head_look.h"
#include "report/pages/head_pages.h"
#include "report/readers/heads_result.h"
#include "report/readers/look_result.h"

typedef struct HeadsOptions {
    const char *corpus, *probe, *head, *moves, *pages;
    int64_t games, pass_games, hard_games, random_games, rotations, top, memory;
} HeadsOptions;

typedef struct HeadsSession {
    Context *context;
    StudyInputs inputs; /* subject, and the corpus or NULL */
    Probe probe;
    char probe_path[FILES_PATH_MAX]; /* "": none */
    int head;                        /* whose circuits are asked for whole, -1: none */
    char source[GAME_WORDS_MAX];
    HeadStudy study;
    PageSetAbout pages; /* path NULL: none */
} HeadsSession;

#define AT(field) offsetof(HeadsOptions, field)
static const OptionSpec options[] = {
    OPTION_TEXT("corpus", AT(corpus), "CORPUS",
                "games of its test split (default: fresh random games, by the seed)"),
    OPTION_INT("games", AT(games), "N", 2, 1e6, "games whose attention is scored", .def = "2000"),
    OPTION_INT("pass-games", AT(pass_games), "N", 1, 1e6,
               "games with a forced pass that tell mover from parity", .def = "400"),
    OPTION_INT("hard-games", AT(hard_games), "N", 0, 1e5,
               "games played with the attention of one head replaced; 0: none", .def = "32"),
    OPTION_INT("random-games", AT(random_games), "N", 0, 1e6,
               "games through a network with random weights, as a control; 0: none", .def = "300"),
    OPTION_INT("rotations", AT(rotations), "N", 2, HEAD_ROTATIONS,
               "random rotations that compositions are compared with", .def = "100"),
    OPTION_PROBE(AT(probe), "probe of mine, theirs and empty squares that the circuits write to"),
    OPTION_TEXT("head", AT(head), "HEAD",
                "report the whole circuits of this head, such as L1H3, in --json and --csv"),
    OPTION_TEXT("moves", AT(moves), "MOVES",
                "only show where heads (--head: this one) look behind the last of these moves"),
    OPTION_PAGES(AT(pages), "head"),
    OPTION_INT("top", AT(top), "N", 1, 100000, "rows of a list that are printed", .def = "12"),
    OPTION_MEMORY(AT(memory)),
};

/* A probe that was named must fit, the one beside the network is used if it does. */
static int load(HeadsSession *session)
{
    Context *context = session->context;
    const HeadsOptions *given = context->options;
    const Subject *subject = &session->inputs.subject;
    int rc = context_inputs_open(context, &session->inputs, context->args[0], given->corpus);
    if (rc == 0 && given->head) {
        rc = heads_parse(&session->head, &subject->model.gpt->cfg, given->head, "--head");
    }
    if (rc == 0 && given->pages) {
        session->pages = context_pages_about(context, given->pages, subject->model.model_hash);
        rc = given->moves ? err_set(OGPT_EUSAGE, "--pages: not with --moves")
                          : page_set_check(&session->pages);
    }
    rc = rc ? rc
            : context_probe_fitting(context, &session->probe, session->probe_path, subject,
                                    given->probe, probe_check_mine,
                                    given->moves ? NULL : "directions of squares for circuits");
    return rc;
}

/* The games, what they take, and a refusal if that is too much. */
static int draw(HeadsSession *session)
{
    Context *context = session->context;
    const HeadsOptions *given = context->options;
    const Subject *subject = &session->inputs.subject;
    const Work *work = study_work(context, "games", "games");
    HeadStudyOptions wanted = {(size_t)given->games,      (size_t)given->pass_games,
                               (size_t)given->hard_games, (size_t)given->random_games,
                               (size_t)given->rotations,  session->head};
    HeadStudy *study = &session->study;
    GameSource *source = NULL;
    context_games_words(session->source, context, given->corpus, "test");
    int rc = source_of(&source, session->inputs.corpus, SPLIT_TEST, false, subject->variant,
                       context->seed, RNG_EVAL);
    const size_t there = rc == 0 ? (size_t)source_games(source) : 0; /* 0: it never ends */
    if (there > 0) {
        wanted.games = wanted.games < there ? wanted.games : there;
        wanted.pass_games = wanted.pass_games < there ? wanted.pass_games : there;
    }
    const size_t bytes = head_study_bytes(&wanted, &subject->model.gpt->cfg, work);
    rc = rc ? rc : context_check_memory(bytes, given->memory, "fewer --games");
    rc = rc ? rc : head_study_draw(study, subject->vocab, source, &wanted, work);
    source_free(source);
    if (rc == 0) {
        context_say(context, "%zu games, %zu with a forced pass (of %zu looked at), %zu MiB",
                    study->games.n, study->disputed.n, study->disputed.n_scanned,
                    (bytes >> 20) + 1);
    }
    return rc;
}

/* Where heads look in the one game that was typed. */
static int look(HeadsSession *session)
{
    const HeadsOptions *given = session->context->options;
    const Subject *subject = &session->inputs.subject;
    HeadLooked game;
    int rc = head_look_typed(&game, subject->model.gpt, subject->vocab, given->moves, "--moves");
    if (rc == 0) {
        LookFindings found = {subject->variant, &game, &subject->model.gpt->cfg, session->head};
        heads_look_report(session->context->report, &found);
    }
    mem_free(game.shares);
    return rc;
}

static int study(HeadsSession *session)
{
    Context *context = session->context;
    const ModelFile *model = &session->inputs.subject.model;
    const Probe *probe = session->probe_path[0] ? &session->probe : NULL;
    int rc = draw(session);
    rc = rc ? rc
            : head_study_run(&session->study, model->gpt, probe,
                             study_work(context, "heads", "games"));
    if (rc == 0) {
        HeadsFindings findings = {&session->study, session->source, model->model_hash,
                                  probe ? session->probe_path : NULL,
                                  (int)((const HeadsOptions *)context->options)->top};
        heads_report(context->report, &findings);
    }
    if (rc == 0 && session->pages.path) {
        rc = head_pages_write(context->report, &session->pages, &session->inputs.subject, probe,
                              study_work(context, "pages", "pages"));
        rc = rc ? study_verdict(context, rc) : 0; /* behind the result */
    }
    return rc;
}

static int heads_run(Context *context)
{
    HeadsSession *session = mem_calloc(1, sizeof(*session), "heads");
    if (!session) {
        return OGPT_ENOMEM;
    }
    *session = (HeadsSession){.context = context, .head = -1};
    int rc = load(session);
    rc = rc ? rc : study_begin(context, session->inputs.subject.model.path, false);
    rc = rc ? rc : ((const HeadsOptions *)context->options)->moves ? look(session) : study(session);
    head_study_release(&session->study);
    probe_release(&session->probe);
    context_inputs_release(&session->inputs);
    mem_free(session);
    return rc;
}

const Command cmd_heads = {
    .name = "heads",
    .arguments = "MODEL [--corpus CORPUS] [--games N] [--head HEAD] [--pages DIR]",
    .summary = "what each attention head looks at, beyond chance, and what it does with it",
    .examples = "ogpt heads tiny-6x6 --games 200\n"
                "ogpt heads tiny-6x6 --games 200 --head L1H3 --json\n"
                "ogpt heads runs/tiny --corpus games.ogpc --games 200 --pages head-pages\n"
                "ogpt heads tiny-6x6 --moves 'e4 e5 b3 e3 f6' --head L1H3",
    COMMAND_OPTIONS(options, HeadsOptions),
    .min_args = 1,
    .max_args = 1,
    .model_args = 1,
    .uses = USES_SEED | USES_THREADS | USES_STORE | USES_FORCE,
    COMMAND_TABLES(&heads_table, &heads_controls_table, &heads_list_table, &heads_patterns_table,
                   &heads_follow_table, &heads_follow_top_table, &heads_circuits_table,
                   &heads_composition_table, &heads_composition_top_table, &heads_matrices_table,
                   &heads_attention_table),
    .run = heads_run,
};
