/* cli/cmd_eval.c - ogpt eval: does the network play legally, and how near is its loss to the
 * lowest possible one? */
#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "cli/command.h"
#include "datasets/batch.h"
#include "datasets/corpus.h"
#include "model/checkpoint.h"
#include "probes/legality.h"
#include "probes/positions.h"

typedef struct EvalOptions {
    const char *corpus;
    int64_t games;
    bool by_ply;
} EvalOptions;

static const OptionSpec eval_options[] = {
    {"corpus", OPT_TEXT, offsetof(EvalOptions, corpus), 0, 0, NULL, NULL, "CORPUS",
     "games to be scored; of the corpus the model was trained on, only the test split"},
    {"games", OPT_INT, offsetof(EvalOptions, games), 1, 1e9, "10000", NULL, "N",
     "number of games, from the first one on"},
    {"by-ply", OPT_FLAG, offsetof(EvalOptions, by_ply), 0, 0, NULL, NULL, NULL,
     "also print the scores ply by ply (--json always has them)"},
};

/* Means of one row of sums under the names that cli.md and store/results.def use. Floor and
 * excess mean something only where every legal move was equally likely. */
static void set_means(Js *row, const LegalitySums *sums, bool generated)
{
    double n = sums->positions;

    js_set_int(row, "positions", (int64_t)n);
    js_set_num(row, "loss", sums->loss / n);
    if (generated) {
        js_set_num(row, "floor", sums->floor / n);
        js_set_num(row, "excess", (sums->loss - sums->floor) / n);
    }
    js_set_num(row, "kl", sums->kl / n);
    js_set_num(row, "strict_error", sums->strict_errors / n);
    js_set_num(row, "lenient_error", sums->lenient_errors / n);
    js_set_num(row, "legal_mass", sums->legal_mass / n);
    js_set_num(row, "set_f1", sums->set_f1 / n);
}

static int strict_interval(Interval *out, const LegalityScore *score, uint64_t seed)
{
    size_t n = score->n_games;
    double *errors = mem_alloc(2 * n, sizeof *errors, "errors by game");

    if (!errors) {
        return OGPT_ENOMEM;
    }
    for (size_t i = 0; i < n; i++) {
        errors[i] = score->games[i].strict_errors;
        errors[n + i] = score->games[i].positions;
    }
    *out = bootstrap_ratio(errors, errors + n, n, seed);
    mem_free(errors);
    return 0;
}

static Js *rows_by_ply(const LegalityScore *score, bool generated)
{
    Js *rows = js_array();

    for (int t = 0; t < GAME_MAX_MOVES; t++) {
        if (score->by_ply[t].positions > 0) {
            Js *row = js_object();

            js_set_int(row, "ply", t + 1);
            set_means(row, &score->by_ply[t], generated);
            js_push(rows, row);
        }
    }
    return rows;
}

static void print_score(Text *text, const LegalityScore *score, const Interval *strict,
                        bool generated, bool test_only)
{
    const LegalitySums *sums = &score->total;
    double n = sums->positions;

    text_add(text, "games           %zu%s\n", score->n_games,
             test_only ? " (test split of the training corpus)" : "");
    text_add(text, "positions       %.0f\n", n);
    text_add(text, "loss            %.4f nats a token\n", sums->loss / n);
    if (generated) {
        text_add(text, "floor           %.4f   lowest loss any predictor can reach\n",
                 sums->floor / n);
        text_add(text, "excess          %.4f   loss - floor\n", (sums->loss - sums->floor) / n);
    }
    text_add(text, "kl              %.4f   uniform over legal moves to network\n", sums->kl / n);
    text_add(text, "strict error    %.3f %%  [%.3f, %.3f]  top-1 is no legal move of the mover\n",
             100 * strict->value, 100 * strict->low, 100 * strict->high);
    text_add(text, "lenient error   %.3f %%  published rule: legal for either side passes\n",
             100 * sums->lenient_errors / n);
    text_add(text, "legal mass      %.4f   mean probability on legal moves\n",
             sums->legal_mass / n);
    text_add(text, "set F1          %.4f   top-N tokens against the N legal moves\n",
             sums->set_f1 / n);
}

/* One line a ply: the ply is the number of moves that the network has seen. */
static void print_by_ply(Text *text, const LegalityScore *score)
{
    text_add(text, "\n%5s %10s %8s %8s %9s %9s %8s %8s\n", "ply", "positions", "loss", "kl",
             "strict %", "lenient %", "legal", "set F1");
    for (int t = 0; t < GAME_MAX_MOVES; t++) {
        const LegalitySums *sums = &score->by_ply[t];
        double n = sums->positions;

        if (n > 0) {
            text_add(text, "%5d %10.0f %8.4f %8.4f %9.3f %9.3f %8.4f %8.4f\n", t + 1, n,
                     sums->loss / n, sums->kl / n, 100 * sums->strict_errors / n,
                     100 * sums->lenient_errors / n, sums->legal_mass / n, sums->set_f1 / n);
        }
    }
}

static void show_progress(void *context, size_t games_done)
{
    progress_step(context, (double)games_done, NULL);
}

static int report(Context *context, const LegalityScore *score, const ModelFile *model,
                  const CorpusInfo *info, bool test_only)
{
    bool generated = strcmp(info->source, "random") == 0;
    Js *document = js_object(), *interval = js_array(), *by_ply = rows_by_ply(score, generated);
    Interval strict;
    Text text = {0};
    int code = strict_interval(&strict, score, context->seed);

    if (code != 0) {
        goto done;
    }
    js_set_str(document, "model_hash", model->model_hash);
    js_set_str(document, "corpus_hash", info->content_hash);
    js_set_str(document, "split", test_only ? "test" : "all");
    js_set_int(document, "games", (int64_t)score->n_games);
    set_means(document, &score->total, generated);
    js_set_num(document, "strict_error_low", strict.low);
    js_set_num(document, "strict_error_high", strict.high);
    js_push(interval, js_num(strict.low));
    js_push(interval, js_num(strict.high));
    js_set(document, "strict_error_ci", js_keep(interval));
    js_set(document, "by_ply", js_keep(by_ply));
    code = context_add(context, "eval", js_keep(document));
    if (code == 0) {
        code = context_add_all(context, "eval_by_ply", js_keep(by_ply));
    }
    if (code == 0) {
        print_score(&text, score, &strict, generated, test_only);
        if (((const EvalOptions *)context->options)->by_ply) {
            print_by_ply(&text, score);
        }
        code = context_result(context, js_keep(document), text.data);
    }
done:
    text_release(&text);
    js_free(by_ply);
    js_free(interval);
    js_free(document);
    return code;
}

static int eval_run(Context *context)
{
    const EvalOptions *options = context->options;
    const char *path = context->args[0];
    ModelFile model = {0};
    Corpus *corpus = NULL;
    GameSource *source = NULL;
    LegalityScore score = {0};
    char *warning = NULL;
    bool test_only;
    uint64_t n_games;
    int code;

    if (!options->corpus) {
        return err_set(OGPT_EUSAGE,
                       "eval: --corpus is missing: name the games to be scored, for example "
                       "ogpt eval %s --corpus games.ogpc",
                       path);
    }
    code = model_load(&model, path, &warning);
    if (warning) {
        context_warn(context, "%s", warning);
    }
    if (code == 0) {
        code = corpus_open(&corpus, options->corpus, false);
    }
    if (code == 0) {
        code = positions_check_corpus(options->corpus, corpus, &model);
    }
    if (code != 0) {
        goto done;
    }
    test_only = strcmp(model.corpus_hash, corpus_info(corpus)->content_hash) == 0;
    code = source_corpus(&source, corpus,
                         test_only ? 1U << SPLIT_TEST
                                   : 1U << SPLIT_TRAIN | 1U << SPLIT_VALIDATION | 1U << SPLIT_TEST,
                         false, context->seed);
    if (code == 0) {
        code = context_pool(context);
    }
    if (code == 0) {
        code = context_run_begin(context, model.path, false);
    }
    if (code != 0) {
        goto done;
    }
    n_games = source_games(source);
    if (test_only) {
        context_say(context,
                    "%s was trained on this corpus: only its test split of %llu games is "
                    "scored",
                    model.path, (unsigned long long)n_games);
    }
    if (n_games < (uint64_t)options->games) {
        context_say(context, "%s holds %llu such games, %lld were asked for: all are scored",
                    options->corpus, (unsigned long long)n_games, (long long)options->games);
    } else {
        n_games = (uint64_t)options->games;
    }
    Progress progress = progress_begin(context, "eval", "games", (double)n_games);
    code = legality_score(&score, model.gpt, source, 0, (size_t)n_games, context->pool,
                          show_progress, &progress);
    progress_end(&progress);
    if (code == 0) {
        code = report(context, &score, &model, corpus_info(corpus), test_only);
    }
    if (code == 0) {
        context_next(context, "ogpt probe fit %s --corpus %s --out probes/mine", path,
                     options->corpus);
    }
done:
    legality_release(&score);
    source_free(source);
    corpus_close(corpus);
    model_release(&model);
    mem_free(warning);
    return code;
}

const Command cmd_eval = {
    .name = "eval",
    .arguments = "MODEL --corpus CORPUS [--games N]",
    .summary = "score a network's predictions by the rules of the game",
    .examples = "  ogpt eval runs/tiny --corpus games.ogpc --by-ply\n"
                "  ogpt eval runs/tiny --corpus games.ogpc --games 1000 --json\n",
    .options = eval_options,
    .n_options = sizeof eval_options / sizeof eval_options[0],
    .options_bytes = sizeof(EvalOptions),
    .min_args = 1,
    .max_args = 1,
    .uses = USES_SEED | USES_THREADS | USES_STORE,
    .run = eval_run,
};
