/* cli/commands/network/cmd_eval.c - ogpt eval: does the network play legally, and how near is its
 * loss to the lowest possible one? */
#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "cli/command.h"
#include "cli/commands/common/model_input.h"
#include "report/intervals.h"
#include "datasets/batch.h"
#include "datasets/corpus.h"
#include "probes/legality/legality.h"
#include "probes/activations/subject.h"
#include "probes/legality/seen_games.h"

typedef struct EvalOptions {
    const char *corpus;
    int64_t games;
    bool by_ply, all, no_seen;
} EvalOptions;

static const OptionSpec eval_options[] = {
    OPTION_TEXT("corpus", offsetof(EvalOptions, corpus), "CORPUS",
                "games to be scored: its test split, which training on a corpus never uses"),
    OPTION_INT("games", offsetof(EvalOptions, games), "N", 1, 1e9,
               "number of games, from the first one on", .def = "10000"),
    OPTION_FLAG("all", offsetof(EvalOptions, all),
                "score all games, also those that the model may have been trained on"),
    OPTION_FLAG("by-ply", offsetof(EvalOptions, by_ply),
                "also print the scores ply by ply (--json always has them)"),
    OPTION_FLAG("no-seen", offsetof(EvalOptions, no_seen),
                "do not make the training games again to look for scored games among them"),
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

/* Intervals of both error rates; the unit of resampling is the game. */
typedef struct ErrorRates {
    Interval strict, lenient;
} ErrorRates;

static int error_rates(ErrorRates *out, const LegalityScore *score, uint64_t seed)
{
    size_t n = score->n_games;
    double *sums = mem_alloc(3 * n, sizeof(*sums), "errors by game");
    if (!sums) {
        return OGPT_ENOMEM;
    }
    double *strict = sums, *lenient = sums + n, *positions = sums + 2 * n;

    for (size_t i = 0; i < n; i++) {
        strict[i] = score->games[i].strict_errors;
        lenient[i] = score->games[i].lenient_errors;
        positions[i] = score->games[i].positions;
    }
    out->strict = bootstrap_ratio(strict, positions, n, seed);
    out->lenient = bootstrap_ratio(lenient, positions, n, seed);
    mem_free(sums);
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

static void print_rate(Text *text, const char *name, const Interval *rate, const char *meaning)
{
    text_add(text, "%-15s %.3f %%  [%.3f, %.3f]  %s\n", name, 100 * rate->value, 100 * rate->low,
             100 * rate->high, meaning);
}

static void print_score(Text *text, const LegalityScore *score, const ErrorRates *rates,
                        bool generated, bool all)
{
    const LegalitySums *sums = &score->total;
    double n = sums->positions;
    text_add(text, "games           %zu%s\n", score->n_games,
             all ? " (all splits)" : " (test split)");
    text_add(text, "positions       %.0f\n", n);
    text_add(text, "loss            %.4f nats a token\n", sums->loss / n);
    if (generated) {
        text_add(text, "floor           %.4f   lowest loss any predictor can reach\n",
                 sums->floor / n);
        text_add(text, "excess          %.4f   loss - floor\n", (sums->loss - sums->floor) / n);
    }
    text_add(text, "kl              %.4f   uniform over legal moves to network\n", sums->kl / n);
    print_rate(text, "strict error", &rates->strict, "top-1 is no legal move of the mover");
    print_rate(text, "lenient error", &rates->lenient,
               "published rule: legal for either side passes");
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

/* Games among the training games: what the manifest tells, and how many were left out. */
typedef struct Seen {
    TrainingGames of;
    uint64_t left_out;
} Seen;

static void print_seen(Text *text, const Seen *seen)
{
    if (seen->of.unknown) {
        text_add(text, "seen games      not known: %s\n", seen->of.unknown);
        return;
    }
    text_add(text, "seen games      %llu%s ", (unsigned long long)seen->left_out,
             seen->left_out > 0 ? ", left out" : "");
    if (seen->of.fresh > 0) {
        text_add(text, "  %llu fresh training games were made again",
                 (unsigned long long)seen->of.fresh);
    }
    if (seen->of.corpus) {
        text_add(text, "  training games of a corpus are of another split");
    }
    text_add(text, "\n");
}

static int report(Context *context, const LegalityScore *score, const Seen *seen,
                  const ModelFile *model, const CorpusInfo *info)
{
    const EvalOptions *options = context->options;
    bool generated = strcmp(info->source, "random") == 0;
    Js *document = js_object(), *by_ply = rows_by_ply(score, generated);
    ErrorRates rates;
    Text text = {0};
    int rc = error_rates(&rates, score, context->seed);
    if (rc != 0) {
        goto done;
    }
    js_set_str(document, "model_hash", model->model_hash);
    js_set_str(document, "corpus_hash", info->content_hash);
    js_set_str(document, "split", options->all ? "all" : "test");
    js_set_int(document, "games", (int64_t)score->n_games);
    set_means(document, &score->total, generated);
    js_set_interval(document, "strict_error", rates.strict);
    js_set_interval(document, "lenient_error", rates.lenient);
    if (!seen->of.unknown) {
        js_set_int(document, "seen_games", (int64_t)seen->left_out);
        js_set_int(document, "remade_games", (int64_t)seen->of.fresh);
    }
    js_set(document, "by_ply", js_keep(by_ply));
    rc = context_add(context, "eval", js_keep(document));
    rc = rc ? rc : context_add_all(context, "eval_by_ply", js_keep(by_ply));
    if (rc == 0) {
        print_score(&text, score, &rates, generated, options->all);
        print_seen(&text, seen);
        if (options->by_ply) {
            print_by_ply(&text, score);
        }
        rc = context_result(context, js_keep(document), text.data);
    }
done:
    text_release(&text);
    js_free(by_ply);
    js_free(document);
    return rc;
}

/* Games are divided by their hash, whatever file they stand in: a game of the test split is none
 * that training with --corpus saw, also of a smaller corpus of the same seed. Those that training
 * with --fresh saw are left out (leave_out_seen). */
static int open_games(GameSource **out, Corpus *corpus, const EvalOptions *options, uint64_t seed)
{
    const unsigned test = 1U << SPLIT_TEST;
    const unsigned all = 1U << SPLIT_TRAIN | 1U << SPLIT_VALIDATION | test;
    return source_corpus(out, corpus, options->all ? all : test, false, seed);
}

/* Leave games that training had out of the source; *n_games, the games to be scored, becomes less
 * by them. */
static int leave_out_seen(Seen *out, uint64_t *n_games, Context *context, const ModelFile *model,
                          GameSource *source)
{
    const EvalOptions *options = context->options;
    SeenGames seen = {0};
    *out = (Seen){.of = training_games(model->manifest, source_variant(source))};
    if (options->all || options->no_seen) {
        out->of.unknown = options->all ? "--all scores all splits" : "--no-seen";
        return 0;
    }
    Progress progress =
        progress_begin(context, "look for seen games", "games", (double)out->of.fresh);
    const Work work = context_work(context, &progress);
    int rc = seen_games(&seen, model->manifest, source, (size_t)*n_games, &work);
    progress_end(&progress);
    if (rc == 0 && seen.n > 0) {
        rc = source_leave_out(source, seen.hashes, seen.n);
    }
    out->left_out = seen.n;
    seen_games_release(&seen);
    if (rc == 0 && out->left_out >= *n_games) {
        rc = err_set(OGPT_EFORMAT,
                     "%s: training had all %llu games that were to be scored; use other games",
                     options->corpus, (unsigned long long)*n_games);
    }
    *n_games -= out->left_out;
    return rc;
}

static int eval_run(Context *context)
{
    const EvalOptions *options = context->options;
    const char *path = context->args[0];
    Subject subject = {0};
    Corpus *corpus = NULL;
    GameSource *source = NULL;
    LegalityScore score = {0};
    Seen seen;
    uint64_t n_games;
    int rc;
    if (!options->corpus) {
        return err_set(OGPT_EUSAGE,
                       "eval: --corpus is missing: name the games to be scored, for example "
                       "ogpt eval %s --corpus games.ogpc",
                       path);
    }
    rc = context_subject_open(context, &subject, path);
    rc = rc ? rc : corpus_open(&corpus, options->corpus, false);
    rc = rc ? rc : subject_check_corpus(&subject, options->corpus, corpus);
    if (rc != 0) {
        goto done;
    }
    rc = open_games(&source, corpus, options, context->seed);
    rc = rc ? rc : context_pool(context);
    rc = rc ? rc : context_run_begin(context, subject.model.path, false);
    if (rc != 0) {
        goto done;
    }
    n_games = source_games(source);
    if (n_games < (uint64_t)options->games) {
        context_say(context, "%s: %s holds %llu games, %lld were asked for%s", options->corpus,
                    options->all ? "it" : "its test split", (unsigned long long)n_games,
                    (long long)options->games, options->all ? "" : " (--all scores all games)");
    } else {
        n_games = (uint64_t)options->games;
    }
    rc = leave_out_seen(&seen, &n_games, context, &subject.model, source);
    if (rc != 0) {
        goto done;
    }
    Progress progress = progress_begin(context, "eval", "games", (double)n_games);
    const Work work = context_work(context, &progress);
    rc = legality_score(&score, subject.model.gpt, source, 0, (size_t)n_games, &work);
    progress_end(&progress);
    rc = rc ? rc : report(context, &score, &seen, &subject.model, corpus_info(corpus));
    if (rc == 0) {
        context_next(context, "ogpt probe fit %s --corpus %s --out probes/mine", path,
                     options->corpus);
    }
done:
    legality_release(&score);
    source_free(source);
    corpus_close(corpus);
    subject_release(&subject);
    return rc;
}

const Command cmd_eval = {
    .name = "eval",
    .arguments = "MODEL --corpus CORPUS [--games N] [--all]",
    .summary = "score a network's predictions by the rules of the game",
    .examples = "ogpt eval runs/tiny --corpus games.ogpc --by-ply\n"
                "ogpt eval runs/tiny --corpus games.ogpc --games 1000 --json",
    .options = eval_options,
    .n_options = sizeof(eval_options) / sizeof(eval_options[0]),
    .options_bytes = sizeof(EvalOptions),
    .min_args = 1,
    .max_args = 1,
    .uses = USES_SEED | USES_THREADS | USES_STORE,
    .run = eval_run,
};
