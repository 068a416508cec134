/* cli/commands/results/report_runs.c - contract in cli/commands/results/report_runs.h. */
#include "cli/commands/results/report_runs.h"

#include <string.h>

#include "base/err.h"
#include "cli/framework.h"
#include "report/runs/run_links.h"

static const Command *command_of(const Js *run)
{
    const char *name = js_str_of(js_member(run, "command"));
    return name ? cli_command(name) : NULL;
}

/* The options of a command that name files, by the word that stands for their value in its help. */
static Js *file_options(const Command *command)
{
    static const char *const words[] = {"FILE", "CORPUS", "MODEL", "PROBE"};
    Js *names = js_array();
    for (size_t i = 0; command && i < command->n_options; i++) {
        const OptionSpec *spec = &command->options[i];
        bool is_file = spec->type == OPT_OUT;
        for (size_t w = 0; spec->type == OPT_TEXT && w < sizeof(words) / sizeof(words[0]); w++) {
            is_file = is_file || strncmp(spec->argument, words[w], strlen(words[w])) == 0;
        }
        if (is_file) {
            js_push(names, js_str(spec->name));
        }
    }
    return names;
}

/* Numbers of all runs, or of those that belong together, in the order in which they were made. */
static int runs_choose(Js **out, Text *left_out, Store *store, bool all, const char *about)
{
    Js *list = NULL, *runs = js_array();
    int rc = store_list(&list, store, 0);
    for (size_t i = 0; rc == 0 && i < js_length(list); i++) {
        Js *run = NULL;
        rc = store_about(&run, store, js_int_of(js_member(js_at(list, i), "run")));
        if (rc == 0) {
            run_links_set(run, file_options(command_of(run)));
            js_push(runs, run);
        }
    }
    rc = rc ? rc : run_links_choose(out, left_out, runs, all, about);
    js_free(runs);
    js_free(list);
    return rc;
}

static int run_add(RunPage *page, Store *store, int64_t number)
{
    Js *run = NULL, *results = NULL, *list = js_array();
    int rc = store_show(&run, store, number);
    if (rc == 0) {
        js_push(list, js_keep(run));
        rc = store_main_results(&results, store, list);
    }
    if (rc == 0) {
        const Command *command = command_of(run);
        run_page_run(page,
                     &(RunPageRun){.run = run,
                                   .summary = command ? command->summary : NULL,
                                   .result = js_str_of(js_member(js_at(results, 0), "result")),
                                   .tables = command ? command->tables : NULL});
    }
    js_free(results);
    js_free(list);
    js_free(run);
    return rc;
}

int report_runs_add(RunPage *page, Text *left_out, const char *store_path, const Js *numbers,
                    bool all, const char *about)
{
    Store *store = NULL;
    Js *chosen = NULL;
    page->store = store_path;
    page->store_words.length = 0;
    if (strcmp(store_path, STORE_DEFAULT_PATH) != 0) {
        text_add(&page->store_words, " --store");
        command__word(&page->store_words, store_path);
    }
    int rc = store_open_read(&store, store_path);
    rc = rc || numbers ? rc : runs_choose(&chosen, left_out, store, all, about);
    numbers = numbers ? numbers : chosen;
    if (rc == 0 && js_length(numbers) == 0) {
        rc = err_set(OGPT_EUSAGE, "%s: no runs in it yet", store_path);
    }
    for (size_t i = 0; rc == 0 && i < js_length(numbers); i++) {
        rc = run_add(page, store, js_int_of(js_at(numbers, i)));
    }
    js_free(chosen);
    store_close(store);
    return rc;
}
