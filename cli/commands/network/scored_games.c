/* cli/commands/network/scored_games.c - contract in cli/commands/network/scored_games.h. */
#include "cli/commands/network/scored_games.h"

#include <string.h>

#include "base/err.h"
#include "cli/study.h"
#include "store/journal.h"

/* Whether all splits are scored, and why. */
static bool scores_all(const char **reason, const EvalGames *scored, const StudyInputs *inputs,
                       size_t n, const ScoredAsked *asked)
{
    unsigned rules = 0; /* of the corpora that any network was trained on */
    for (size_t i = 0; i < n; i++) {
        rules |= training_split_rules(inputs[i].subject.model.manifest);
    }
    if (asked->all) {
        *reason = "--all";
        return true;
    }
    if (!asked->test_split && !scored->generated && rules == 0) {
        *reason = "imported, and the network names no corpus that it was trained on";
        return true;
    }
    *reason = asked->test_split   ? "--test-split"
              : scored->generated ? "a generated corpus"
                                  : "the network was trained on a corpus, perhaps on these games";
    return false;
}

int scored_open(EvalGames *out, const Context *context, const StudyInputs *inputs, size_t n,
                const ScoredAsked *asked)
{
    *out = (EvalGames){.generated = strcmp(corpus_info(inputs->corpus)->source, "random") == 0};
    if (asked->all && asked->test_split) {
        return err_set(OGPT_EUSAGE, "eval: give one of --all and --test-split");
    }
    out->all = scores_all(&out->reason, out, inputs, n, asked);
    int rc = source_corpus(&out->source, inputs->corpus, out->all ? SPLIT_ALL : 1U << SPLIT_TEST,
                           false, context->seed);
    if (rc != 0) {
        return rc;
    }
    const uint64_t there = source_games(out->source);
    out->n = there < (uint64_t)asked->games ? there : (uint64_t)asked->games;
    if (out->n < (uint64_t)asked->games) {
        context_say(context, "%s: %s holds %llu games, %lld were asked for%s", asked->corpus,
                    out->all ? "it" : "its test split", (unsigned long long)there,
                    (long long)asked->games, out->all ? "" : " (--all scores all games)");
    }
    return 0;
}

/* Why nobody looks for seen games; NULL: somebody does. */
static const char *no_look(const EvalGames *scored, const ScoredAsked *asked)
{
    return asked->all                         ? "--all scores all splits"
           : asked->no_seen                   ? "--no-seen"
           : scored->generated || asked->seen ? NULL
                                              : "the games were not generated, as its training "
                                                "games were; --seen looks all the same";
}

/* Which games training of one network had; *all becomes the union with them. */
static int look_one(SeenGames *all, EvalSeen *found, const EvalGames *games, Context *context,
                    const Js *manifest, const char *reason)
{
    SeenGames seen = {0}, both = {0};
    *found = (EvalSeen){.of = training_games(manifest, source_variant(games->source))};
    if (reason && found->of.fresh > 0 && !found->of.unknown) {
        found->of.unknown = reason;
    }
    if (found->of.unknown || found->of.fresh == 0) {
        return 0;
    }
    StoreJournal journal = {.store = context->store};
    const WorkJournal callbacks = store_journal_work(&journal);
    Work work = *study_work(context, "look for seen games", "games");
    work.journal = &callbacks;
    int rc = seen_games_key(journal.key, manifest, games->source, (size_t)games->n, &work);
    rc = rc ? rc : seen_games(&seen, manifest, games->source, (size_t)games->n, &work);
    found->recalled = seen.recalled;
    rc = rc ? rc : seen_games_union(&both, all, &seen);
    seen_games_release(&seen);
    if (rc == 0) {
        seen_games_release(all);
        *all = both;
    }
    return rc;
}

int scored_look(EvalGames *out, Context *context, const StudyInputs *inputs, size_t n,
                const ScoredAsked *asked)
{
    const char *reason = no_look(out, asked);
    SeenGames all = {0};
    int rc = 0;
    out->seen = (EvalSeen){.recalled = true};
    for (size_t i = 0; rc == 0 && i < n; i++) {
        EvalSeen found = {0};
        rc = look_one(&all, &found, out, context, inputs[i].subject.model.manifest, reason);
        out->seen.of.unknown = out->seen.of.unknown ? out->seen.of.unknown : found.of.unknown;
        out->seen.of.fresh += found.of.fresh;
        out->seen.of.corpus = out->seen.of.corpus || found.of.corpus;
        out->seen.recalled = out->seen.recalled && found.recalled;
    }
    if (rc == 0 && reason && (asked->all || asked->no_seen) && !out->seen.of.unknown) {
        out->seen.of.unknown = reason;
    }
    if (rc == 0 && all.n > 0) {
        rc = source_leave_out(out->source, all.hashes, all.n);
    }
    out->seen.left_out = all.n;
    seen_games_release(&all);
    if (rc == 0 && out->seen.left_out >= out->n) {
        rc = err_set(OGPT_EFORMAT,
                     "%s: training had all %llu games that were to be scored; use other games",
                     asked->corpus, (unsigned long long)out->n);
    }
    out->n -= out->seen.left_out;
    return rc;
}
