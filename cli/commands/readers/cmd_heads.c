/* cli/commands/readers/cmd_heads.c - ogpt heads: what each attention head looks at, and what it
 * does with it. */
#include <stdio.h>

#include "base/arena.h"
#include "base/err.h"
#include "cli/commands/common/model_input.h"
#include "cli/commands/common/probe_input.h"
#include "cli/study.h"
#include "game/notation.h"
#include "probes/heads/head_look.h"
#include "report/readers/heads_result.h"
#include "report/readers/look_result.h"

typedef struct HeadsOptions {
    const char *corpus, *probe, *head, *moves;
    int64_t games, pass_games, hard_games, random_games, rotations, top, memory;
} HeadsOptions;

typedef struct HeadsSession {
    Context *context;
    StudyInputs inputs; /* subject, and the corpus or NULL */
    Probe probe;
    char probe_path[FILES_PATH_MAX];
    bool probed; /* there is a probe that can be used */
    int head;    /* whose circuits are asked for whole, -1: none */
    char source[FILES_PATH_MAX + 32];
    HeadStudy study;
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
    OPTION_INT("top", AT(top), "N", 1, 100000, "rows of a list that are printed", .def = "12"),
    OPTION_INT("memory", AT(memory), "MIB", 1, 1e6, "how much memory it may take", .def = "4096"),
};

/* The network and the corpus; a probe that was named must fit, the one beside the network is used
 * if it does. */
static int load(HeadsSession *session)
{
    Context *context = session->context;
    const HeadsOptions *given = context->options;
    const Subject *subject = &session->inputs.subject;
    char path[FILES_PATH_MAX];
    int rc = context_inputs_open(context, &session->inputs, context->args[0], given->corpus);
    if (rc == 0 && given->head) {
        rc = heads_parse(&session->head, &subject->model.gpt->cfg, given->head, "--head");
    }
    int found = rc || given->probe ? rc : context_probe_find(context, path, NULL);
    rc = found == OGPT_EUSAGE && !given->probe ? rc : found; /* there is none */
    if (rc == 0 && found == 0) {
        rc = context_probe_open(context, &session->probe, session->probe_path, subject,
                                given->probe);
        int fits = rc ? rc : head_circuits_check_probe(&session->probe, session->probe_path);
        session->probed = fits == 0;
        rc = given->probe ? fits : rc;
    }
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
    snprintf(session->source, sizeof(session->source), "%s%s",
             given->corpus ? "test split of " : "",
             given->corpus ? given->corpus : "fresh random games");
    int rc = given->corpus ? source_corpus(&source, session->inputs.corpus, 1U << SPLIT_TEST, false,
                                           context->seed)
                           : source_fresh(&source, subject->variant, context->seed, RNG_EVAL);
    const size_t there = rc == 0 ? (size_t)source_games(source) : 0; /* 0: it never ends */
    if (there > 0) {
        wanted.games = wanted.games < there ? wanted.games : there;
        wanted.pass_games = wanted.pass_games < there ? wanted.pass_games : there;
    }
    int64_t mib = (int64_t)(head_study_bytes(&wanted, &subject->model.gpt->cfg, work) >> 20) + 1;
    if (rc == 0 && mib > given->memory) {
        rc = err_set(OGPT_EUSAGE,
                     "it would take %lld MiB of memory, allowed are %lld: take fewer --games, or a "
                     "larger --memory",
                     (long long)mib, (long long)given->memory);
    }
    rc = rc ? rc : head_study_draw(study, subject->vocab, source, &wanted, work);
    source_free(source);
    if (rc == 0) {
        context_say(context, "%zu games, %zu with a forced pass (of %zu looked at), %lld MiB",
                    study->games.n, study->disputed.n, study->disputed.n_scanned, (long long)mib);
    }
    return rc;
}

/* Where heads look in the one game that was typed. */
static int look(HeadsSession *session)
{
    Context *context = session->context;
    const HeadsOptions *given = context->options;
    const Subject *subject = &session->inputs.subject;
    const GptConfig *cfg = &subject->model.gpt->cfg;
    uint8_t moves[GAME_MAX_MOVES];
    int n = 0;
    int rc = moves_parse(moves, &n, subject->variant, given->moves);
    if (rc != 0) {
        return err_set(rc, "--moves: %s", err_message());
    }
    size_t n_heads = (size_t)cfg->n_layers * (size_t)cfg->n_heads;
    double *shares = mem_alloc(n_heads * GAME_MAX_MOVES, sizeof(*shares), "attention");
    rc = shares ? head_look(shares, subject->model.gpt, subject->vocab, moves, n) : OGPT_ENOMEM;
    if (rc == 0) {
        LookFindings found = {subject->variant,     moves,        n, shares, (size_t)cfg->n_layers,
                              (size_t)cfg->n_heads, session->head};
        heads_look_report(context->report, &found);
    }
    mem_free(shares);
    return rc;
}

static int study(HeadsSession *session)
{
    Context *context = session->context;
    const ModelFile *model = &session->inputs.subject.model;
    int rc = draw(session);
    rc = rc ? rc
            : head_study_run(&session->study, model->gpt, session->probed ? &session->probe : NULL,
                             study_work(context, "heads", "games"));
    if (rc == 0) {
        HeadsFindings findings = {&session->study, session->source, model->model_hash,
                                  session->probed ? session->probe_path : NULL,
                                  (int)((const HeadsOptions *)context->options)->top};
        heads_report(context->report, &findings);
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
    if (rc == 0) {
        rc = ((const HeadsOptions *)context->options)->moves ? look(session) : study(session);
    }
    head_study_release(&session->study);
    probe_release(&session->probe);
    context_inputs_release(&session->inputs);
    mem_free(session);
    return rc;
}

const Command cmd_heads = {
    .name = "heads",
    .arguments = "MODEL [--corpus CORPUS] [--games N] [--head HEAD] [--moves MOVES]",
    .summary = "what each attention head looks at, beyond chance, and what it does with it",
    .examples = "ogpt heads tiny-6x6 --games 200\n"
                "ogpt heads tiny-6x6 --games 200 --head L1H3 --json\n"
                "ogpt heads runs/tiny --corpus games.ogpc --games 200\n"
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
