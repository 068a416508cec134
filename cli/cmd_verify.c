/* cli/cmd_verify.c - ogpt verify: is what lies on the disk still what was written? */
#include "cli/command.h"

#include <string.h>

#include "base/err.h"
#include "base/files.h"
#include "base/manifest.h"
#include "base/process.h"
#include "datasets/corpus.h"
#include "model/checkpoint.h"
#include "probes/probe.h"

typedef struct Verdict {
    const char *path; /* under examination */
    Js *findings;
    Js *rows; /* the same for the store */
    Text text;
    uint64_t games, bad_blocks, illegal_games;
} Verdict;

static void finding_add(void *context, const char *line)
{
    Verdict *verdict = context;
    Js *row = js_object();
    js_set_str(row, "path", verdict->path);
    js_set_str(row, "finding", line);
    js_push(verdict->rows, row);
    js_push(verdict->findings, js_str(line));
    text_add(&verdict->text, "%s\n", line);
}

/* Damage is a finding; what says nothing about the file (memory, permissions) ends the run. */
static int finding_of(Verdict *verdict, int code)
{
    if (code != OGPT_EFORMAT && code != OGPT_EVERSION) {
        return code;
    }
    finding_add(verdict, err_message());
    return 0;
}

static int corpus_examine(Verdict *verdict)
{
    CorpusReport report;
    int code = corpus_verify(&report, verdict->path, finding_add, verdict);
    verdict->games += report.games;
    verdict->bad_blocks += report.bad_blocks;
    verdict->illegal_games += report.illegal_games;
    return code;
}

/* Results that belong to a run in progress are read as they stand. */
static int results_examine(const Verdict *verdict)
{
    Store *store = NULL;
    Js *runs = NULL;
    int code = store_open_read(&store, verdict->path);
    code = code != 0 ? code : store_check(store);
    code = code != 0 ? code : store_list(&runs, store, 0);
    for (size_t i = 0; code == 0 && i < js_length(runs); i++) {
        Js *run = NULL;
        code = store_show(&run, store, js_int_of(js_member(js_at(runs, i), "run")));
        js_free(run);
    }
    js_free(runs);
    store_close(store);
    return code;
}

/* A published directory: its manifest first, then what kind it is by the files listed. */
static int publication_examine(const char *path)
{
    Js *manifest = NULL;
    int code = manifest_verify(&manifest, path);
    if (code == 0 && manifest_file_sha256(manifest, "model.safetensors") != NULL) {
        ModelFile model = {0};
        char *warning = NULL;
        code = model_load(&model, path, &warning);
        model_release(&model);
        mem_free(warning);
    } else if (code == 0 && manifest_file_sha256(manifest, "probe.safetensors") != NULL) {
        Probe probe = {0};
        code = probe_load(&probe, path);
        probe_release(&probe);
    }
    js_free(manifest);
    return code;
}

/* A run directory: each step and its training state. */
static int run_directory_examine(Verdict *verdict)
{
    char **names = NULL;
    size_t n = 0;
    size_t n_steps = 0;
    int code = dir_list(&names, &n, verdict->path);
    for (size_t i = 0; code == 0 && i < n; i++) {
        char step[FILES_PATH_MAX];
        char state[FILES_PATH_MAX];
        if (strncmp(names[i], "step-", 5) != 0) {
            continue;
        }
        n_steps++;
        code = path_join(step, verdict->path, names[i]);
        code = code != 0 ? code : finding_of(verdict, publication_examine(step));
        code = code != 0 ? code : path_join(state, step, "train");
        if (code == 0 && dir_exists(state)) {
            char manifest[FILES_PATH_MAX];
            code = path_join(manifest, state, "MANIFEST.json");
            if (code == 0 && file_exists(manifest)) {
                code = finding_of(verdict, manifest_verify(NULL, state));
            }
        }
    }
    names_free(names, n);
    if (code == 0 && n_steps == 0) {
        code =
            err_set(OGPT_EFORMAT,
                    "%s: neither a model, a probe nor a run: no MANIFEST.json and no step-* in it",
                    verdict->path);
    }
    return code;
}

static int path_examine(Verdict *verdict)
{
    const char *path = verdict->path;
    char manifest[FILES_PATH_MAX];
    uint32_t id = 0;
    if (dir_exists(path)) {
        int code = path_join(manifest, path, "MANIFEST.json");
        if (code != 0) {
            return code;
        }
        return file_exists(manifest) ? publication_examine(path) : run_directory_examine(verdict);
    }
    int code = db_application_id(&id, path);
    if (code != 0) {
        return code;
    }
    if (id == CORPUS_APPLICATION_ID) {
        return corpus_examine(verdict);
    }
    if (id == STORE_APPLICATION_ID) {
        return results_examine(verdict);
    }
    return err_set(OGPT_EFORMAT,
                   "%s: application id 0x%08x: neither a corpus nor a results database", path,
                   (unsigned)id);
}

/* Rows, result and exit code. */
static int verdict_report(Context *context, Verdict *verdict)
{
    size_t n = js_length(verdict->findings);
    int code = store_add_all(context->store, context->run, "findings", verdict->rows);
    if (code != 0) {
        return code;
    }
    Js *document = js_object();
    js_set(document, "findings", js_keep(verdict->findings));
    js_set_int(document, "paths", context->n_args);
    js_set_int(document, "games", (int64_t)verdict->games);
    js_set_int(document, "bad_blocks", (int64_t)verdict->bad_blocks);
    js_set_int(document, "illegal_games", (int64_t)verdict->illegal_games);
    text_add(&verdict->text, "%d path%s, %llu games: %s", context->n_args,
             context->n_args == 1 ? "" : "s", (unsigned long long)verdict->games,
             n == 0 ? "clean\n" : "");
    if (n > 0) {
        text_add(&verdict->text, "%zu finding%s\n", n, n == 1 ? "" : "s");
    }
    code = context_result(context, document, verdict->text.data);
    if (code == 0 && n > 0) {
        code = err_set(OGPT_EFORMAT, "verify: %zu finding%s; make the damaged files again", n,
                       n == 1 ? "" : "s");
    }
    return code;
}

static int verify_run(Context *context)
{
    int code = context_run_begin(context, context->n_args == 1 ? context->args[0] : NULL, false);
    if (code != 0) {
        return code;
    }
    Verdict verdict = {.findings = js_array(), .rows = js_array()};
    for (int i = 0; code == 0 && i < context->n_args; i++) {
        verdict.path = context->args[i];
        code = finding_of(&verdict, path_examine(&verdict));
        if (code == 0 && interrupt_pending() != 0) {
            code = err_set(OGPT_EINTR, "verify: interrupted after %d paths", i + 1);
        }
    }
    code = code != 0 ? code : verdict_report(context, &verdict);
    js_free(verdict.findings);
    js_free(verdict.rows);
    text_release(&verdict.text);
    return code;
}

const Command cmd_verify = {
    .name = "verify",
    .arguments = "PATH...",
    .summary = "check files completely: corpus, model, probe, run, results",
    .examples = "ogpt verify games.ogpc\nogpt verify runs/tiny ogpt-results.db",
    .min_args = 1,
    .max_args = -1,
    .uses = USES_STORE,
    .run = verify_run,
};
