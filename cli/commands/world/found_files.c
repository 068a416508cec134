/* cli/commands/world/found_files.c - contract in cli/commands/world/found_files.h. */
#include "cli/commands/world/found_files.h"

#include "base/arena.h"
#include "base/files.h"
#include "cli/commands/common/hint_words.h"
#include "cli/commands/edits/case_file.h"

int found_files_check(const FoundFiles *files, const Context *context, const GameVariant *variant)
{
    char path[FILES_PATH_MAX];
    int rc = files->corpus ? corpus_check_goal(files->corpus, variant, context->force) : 0;
    if (rc || !files->folder) {
        return rc;
    }
    rc = path_join(path, files->folder, FOUND_GAMES);
    rc = rc ? rc : path_check_writable(files->folder);
    return rc ? rc : corpus_check_goal(path, variant, context->force);
}

static int publish_cases(const Context *context, const char *folder, const char *name,
                         const CaseSet *set)
{
    char path[FILES_PATH_MAX], *text = NULL;
    size_t n_bytes = 0;
    int rc = path_join(path, folder, name);
    rc = rc ? rc : cases_print(&text, &n_bytes, set);
    rc = rc ? rc : casefile_publish(context, path, text, n_bytes, "cases");
    mem_free(text);
    return rc;
}

/* The games, the edits of their ends, and as many edits elsewhere. */
static int save_folder(FoundFiles *files, Context *context, const GameVariant *variant,
                       const AdversaryGame *games, size_t n)
{
    CaseSet found = {0}, random = {0};
    char path[FILES_PATH_MAX];
    const Work *work = study_work(context, "edits", "cases");
    int rc = world_found_cases(&found, variant, games, n, work);
    rc = rc ? rc : cases_like(&random, &found, work);
    rc = rc ? rc : path_join(path, files->folder, FOUND_GAMES);
    rc = rc ? rc : dir_create(files->folder);
    rc = rc ? rc : world_found_save(&files->n_games, path, variant, games, n, context->force);
    if (rc == 0 && found.n > 0) {
        rc = publish_cases(context, files->folder, FOUND_CASES, &found);
        rc = rc ? rc : publish_cases(context, files->folder, FOUND_RANDOM, &random);
        files->n_cases = rc ? 0 : found.n;
    }
    if (rc == 0) {
        context_say(context,
                    "%zu games that the network lost are saved in %s, with a flip at each of "
                    "%zu different positions",
                    files->n_games, files->folder, found.n);
    }
    cases_release(&found);
    cases_release(&random);
    return rc;
}

int found_files_save(FoundFiles *files, Context *context, const GameVariant *variant,
                     const AdversaryGame *games, size_t n)
{
    size_t n_lost = 0;
    int rc = 0;
    files->variant = variant;
    for (size_t i = 0; i < n; i++) {
        n_lost += games[i].lost;
    }
    if (n_lost == 0) {
        context_say(context, "the network lost no game: nothing is saved at %s",
                    files->corpus ? files->corpus : files->folder);
        return 0;
    }
    if (files->corpus) {
        rc = world_found_save(&files->n_games, files->corpus, variant, games, n, context->force);
        if (rc == 0) {
            context_say(context, "%zu games that the network lost are saved", files->n_games);
        }
    }
    return rc || !files->folder ? rc : save_folder(files, context, variant, games, n);
}

void found_files_next(const FoundFiles *files, Context *context)
{
    char cases[FILES_PATH_MAX], tune[FILES_PATH_MAX];
    if (files->corpus && files->n_games > 0) {
        study_next(context, "eval", context->args[0], "--corpus", files->corpus, "--by-ply", NULL);
    }
    if (files->n_cases > 0 && path_join(cases, files->folder, FOUND_CASES) == 0) {
        context_name_free(tune, "tune", ".csv");
        study_next(context, "cases", "make", tune, "--n", "300", "--purpose", "tune",
                   VARIANT_WORDS(files->variant), NULL);
        study_next(context, "intervene", context->args[0], "--cases", cases, "--tune", tune, NULL);
    }
}
