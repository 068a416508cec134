/* tests/faults/fault_jobs.c - the jobs, and what must be true of one that was disturbed. */
#include "tests/faults/fault_lab.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/files.h"
#include "base/js.h"
#include "base/process.h"
#include "datasets/corpus.h"
#include "store/runs.h"
#include "tests/there.h"

/* The long ones run for about a tenth of a second, so that a kill at a random time finds work. */
static const FaultJob jobs[] = {
    {"generate", "generate games.ogpc --games 300 --size 4", "games.ogpc", NULL, "generate", true,
     NULL},
    {"train",
     "train model --corpus base/games.ogpc --layers 1 --d-model 8 --heads 1 --batch 8 --steps 6"
     " --checkpoint-every 2 --report-every 2",
     "model", "model/step-00000006/model.safetensors", "train", false, NULL},
    {"fit",
     "probe fit base/model --corpus base/games.ogpc --out probe --games 40 --test-games 20"
     " --no-controls",
     "probe", "probe/probe.safetensors", "probe fit", false, NULL},
    {"activations", "activations base/model acts --corpus base/games.ogpc --games 20 --layers 0",
     "acts", "acts/index.json", "activations", true, NULL},
    {"eval", "eval base/model --corpus base/games.ogpc --games 20", NULL, NULL, "eval", true, NULL},
    {"intervene",
     "intervene base/model --probe base/probe --cases base/cases.csv --layers 0 --scale 1", NULL,
     NULL, "intervene", true, NULL},
    {"generate-long", "generate games.ogpc --games 100000 --size 4", "games.ogpc", NULL, "generate",
     true, NULL},
    {"train-long",
     "train model --corpus base/games.ogpc --layers 2 --d-model 32 --heads 2 --batch 16"
     " --steps 160 --checkpoint-every 20 --report-every 40",
     "model", "model/step-00000160/model.safetensors", "train", false, NULL},
    {"train-stopped", /* a checkpoint more where it was stopped */
     "train model --corpus base/games.ogpc --layers 2 --d-model 32 --heads 2 --batch 16"
     " --steps 160 --checkpoint-every 20 --report-every 40",
     "model", "model/step-00000160/model.safetensors", "train", false, "checkpoints"},
    {"fit-long",
     "probe fit base/model --corpus base/games.ogpc --out probe --games 80 --test-games 30",
     "probe", "probe/probe.safetensors", "probe fit", false, NULL},
    {"intervene-long",
     "intervene base/model --probe base/probe --cases base/many.csv --tune base/tune.csv --layers "
     "0 --scale auto",
     NULL, NULL, "intervene", true, NULL},
    {"cases", "cases make cases.csv --n 8 --size 4 --min-moves 2 --before-end 2", "cases.csv",
     "cases.csv", "cases make", true, NULL},
    {"import", "import games.ogpc base/games.txt --size 4", "games.ogpc", NULL, "import", true,
     NULL},
    {"convert", "convert base/model model --to tl", "model", "model/model.safetensors", "convert",
     true, NULL},
    {"perft", "perft 5", NULL, NULL, "perft", true, NULL},
    {"export", "export base/games.ogpc games.pgn --format pgn", "games.pgn", "games.pgn", "export",
     true, NULL},
    {"table", "runs table probes_by_layer --csv tables --store base/made.db", "tables",
     "tables/probes_by_layer.csv", "runs table", true, NULL},
    {"activations-long",
     "activations base/model acts --corpus base/games.ogpc --games 400 --layers all", "acts",
     "acts/index.json", "activations", true, NULL},
    {"train-cpu", /* more than a second of processor time */
     "train model --corpus base/games.ogpc --layers 2 --d-model 32 --heads 2 --batch 16"
     " --steps 4000 --checkpoint-every 2000 --report-every 2000",
     "model", "model/step-00004000/model.safetensors", "train", false, "checkpoints"},
    {"eval-swap", "eval swap/one --corpus base/games.ogpc --games 60", NULL, NULL, "eval", true,
     NULL},
    {"intervene-swap",
     "intervene base/model --probe swap/one --cases base/cases.csv --layers 0 --scale 1", NULL,
     NULL, "intervene", true, NULL},
    {"generate-disk", "generate disk/games.ogpc --games 3000 --size 4", "disk/games.ogpc", NULL,
     "generate", true, NULL},
    {"train-disk",
     "train disk/model --corpus base/games.ogpc --layers 1 --d-model 32 --heads 2 --batch 8"
     " --steps 6 --checkpoint-every 2 --report-every 2",
     "disk/model", "disk/model/step-00000006/model.safetensors", "train", false, NULL},
    {"fit-disk",
     "probe fit base/model --corpus base/games.ogpc --out disk/probe --games 40 --test-games 20"
     " --no-controls",
     "disk/probe", "disk/probe/probe.safetensors", "probe fit", false, NULL},
    {"cases-disk", "cases make disk/cases.csv --n 40 --size 6", "disk/cases.csv", "disk/cases.csv",
     "cases make", true, NULL},
    {"eval-copy", "eval copy/model/step-00000020 --corpus copy.ogpc --games 400", NULL, NULL,
     "eval", true, NULL},
    {"train-copy",
     "train model --corpus copy.ogpc --layers 1 --d-model 16 --heads 1 --batch 64 --steps 200",
     "model", "model/step-00000200/model.safetensors", "train", false, NULL},
};

const FaultJob *job_find(const char *name)
{
    for (size_t i = 0; i < sizeof(jobs) / sizeof(jobs[0]); i++) {
        if (strcmp(jobs[i].name, name) == 0) {
            return &jobs[i];
        }
    }
    fprintf(stderr, "no job '%s'\n", name);
    exit(2);
}

static bool finding(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Why a trial is lost; returns false. */
static bool finding(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    vsnprintf(lab_message, sizeof(lab_message), format, list);
    va_end(list);
    for (char *c = lab_message; *c != '\0'; c++) {
        *c = *c == '\n' ? '|' : *c;
    }
    return false;
}

/* ---- resetting ---- */

static void file_copy(const char *to, const char *from)
{
    void *data;
    size_t n_bytes;
    if (file_read_all(&data, &n_bytes, from, SIZE_MAX / 2) != 0) {
        fprintf(stderr, "%s\n", err_message());
        exit(2);
    }
    const int fd = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0 || write(fd, data, n_bytes) != (ssize_t)n_bytes || close(fd) != 0) {
        fprintf(stderr, "%s: cannot be written\n", to);
        exit(2);
    }
    mem_free(data);
}

void job_reset(const FaultJob *job)
{
    static const char *const beside[] = {"", ".lock", "-wal", "-shm", "-journal"};
    for (size_t i = 0; i < sizeof(beside) / sizeof(beside[0]); i++) {
        char path[FILES_PATH_MAX];
        snprintf(path, sizeof(path), "%s%s", RESULTS, beside[i]);
        unlink(path);
        if (job->output) {
            snprintf(path, sizeof(path), "%s%s", job->output, beside[i]);
            if (dir_exists(path)) {
                dir_remove(path);
            } else {
                unlink(path);
            }
        }
    }
    char **names;
    size_t n, n_removed;
    if (dir_list(&names, &n, ".") == 0) {
        for (size_t i = 0; i < n; i++) {
            if (strncmp(names[i], ".tmp-", 5) == 0 || strncmp(names[i], ".old-", 5) == 0) {
                dir_remove(names[i]);
            }
        }
        names_free(names, n);
    }
    dir_clean_stale(&n_removed, ".");
    file_copy(RESULTS, "base/results.db");
}

/* ---- the outcome ---- */

/* Lines of a document that depend neither on time nor on what an earlier process did. */
static void timeless(char out[TEXT_MAX], const char *text)
{
    static const char *const passing[] = {"unchanged\":", "seconds\":",     "_per_second\":",
                                          "made_now\":",  "shards_kept\":", "memory_bytes\":"};
    size_t n = 0;
    while (*text != '\0') {
        const size_t length = strcspn(text, "\n") + (text[strcspn(text, "\n")] == '\n');
        char line[512];
        snprintf(line, sizeof(line), "%.*s", (int)length, text);
        bool keep = n + length < TEXT_MAX;
        for (size_t i = 0; i < sizeof(passing) / sizeof(passing[0]); i++) {
            keep = keep && !strstr(line, passing[i]);
        }
        if (keep) {
            memcpy(out + n, text, length);
            n += length;
        }
        text += length;
    }
    out[n] = '\0';
}

/* The rows of results of one run, printed. NULL with a finding. */
static char *rows_print(Store *store, int64_t run, const FaultJob *job)
{
    Js *shown = NULL, *kept = js_object();
    char *text = NULL;
    void *it = NULL;
    const char *kind;
    const Js *rows;
    int rc = store_show(&shown, store, run);
    while (rc == 0 && js_next(js_member(shown, "results"), &it, &kind, &rows)) {
        if (!job->more || strcmp(kind, job->more) != 0) {
            js_set(kept, kind, js_keep(rows));
        }
    }
    rc = rc ? rc : js_print(&text, kept, 2);
    if (rc != 0) {
        finding("run %lld: %s", (long long)run, err_message());
    }
    js_free(kept);
    js_free(shown);
    return text;
}

/* Rows of the old run and of the last finished run of the job. Those that did not finish have
 * all rows of it or none, where the job promises that. */
static bool rows_read(char out[TEXT_MAX], const FaultJob *job)
{
    Store *store = NULL;
    Js *list = NULL;
    char *old = NULL, *last = NULL;
    bool good = store_open_read(&store, RESULTS) == 0 && store_check(store) == 0 &&
                store_list(&list, store, 0) == 0;
    if (!good) {
        finding("%s", err_message());
        goto done;
    }
    old = rows_print(store, 1, job);
    good = old;
    for (size_t i = 0; good && i < js_length(list); i++) { /* newest first */
        const Js *run = js_at(list, i);
        const char *status = js_str_of(js_member(run, "status"));
        if (strcmp(js_str_of(js_member(run, "command")), job->run) != 0) {
            continue;
        }
        char *rows = rows_print(store, js_int_of(js_member(run, "run")), job);
        if (rows && !last && strcmp(status, "done") == 0) {
            last = rows;
            continue;
        }
        if (!rows ||
            (job->together && last && strcmp(rows, "{}") != 0 && strlen(rows) < strlen(last) / 2)) {
            good = finding("run %zu of %s (%s) has only a part of its rows: %.200s", i, job->run,
                           status, rows ? rows : "");
        }
        mem_free(rows);
    }
    if (good) {
        static char text[2 * TEXT_MAX];
        snprintf(text, sizeof(text), "%s\n%s\n", old, last ? last : "no finished run");
        timeless(out, text);
    }
done:
    mem_free(old);
    mem_free(last);
    js_free(list);
    store_close(store);
    return good;
}

static Sha256 *tree_hash;

static int tree_add(const char *path, const struct stat *info, int kind, struct FTW *place)
{
    char hex[HASH_HEX_SIZE];
    const char *name = path + place->base;
    /* SQLite makes and removes these next to a database that is only read; a lock is not data. */
    if (kind != FTW_F || strstr(name, "-wal") || strstr(name, "-shm") || strstr(name, "lock") ||
        strcmp(name, "LOCK") == 0) {
        return 0;
    }
    if (sha256_file(hex, path) != 0) {
        return -1;
    }
    sha256_add(tree_hash, path, strlen(path));
    sha256_add(tree_hash, hex, HASH_HEX_SIZE);
    return 0;
}

static void inputs_hash(char hex[HASH_HEX_SIZE])
{
    if (sha256_new(&tree_hash) != 0 || nftw("base", tree_add, 16, FTW_PHYS) != 0) {
        fprintf(stderr, "base: cannot be read\n");
        exit(2);
    }
    sha256_finish(tree_hash, hex);
}

static bool outcome_take(JobOutcome *outcome, const FaultJob *job, const char *out)
{
    timeless(outcome->document, out);
    outcome->hashed[0] = '\0';
    if (job->hashed && sha256_file(outcome->hashed, job->hashed) != 0) {
        return finding("%s", err_message());
    }
    inputs_hash(outcome->inputs);
    return rows_read(outcome->rows, job);
}

bool job_measure(JobOutcome *whole, const FaultJob *job)
{
    static End end;
    double best = 60;
    for (int i = 0; i < 2; i++) { /* the faster of two, should the machine be busy */
        job_reset(job);
        lab_run(&end, job->command, 1, false);
        best = end.seconds < best ? end.seconds : best;
    }
    whole->seconds = best;
    if (end.code != 0) {
        return lab_against("undisturbed", &end);
    }
    return outcome_take(whole, job, end.out) && job_compare(job, whole, end.out);
}

/* ---- the judge ---- */

static int n_left;
static char left[128];

static int leftover_find(const char *path, const struct stat *info, int kind, struct FTW *place)
{
    if (strncmp(path + place->base, ".tmp-", 5) == 0 ||
        strncmp(path + place->base, ".old-", 5) == 0) {
        n_left++;
        snprintf(left, sizeof(left), "%s", path);
    }
    return 0;
}

/* The first line in which two texts differ. */
static bool texts_equal(const char *what, const char *found, const char *expected)
{
    if (strcmp(found, expected) == 0) {
        return true;
    }
    while (*found != '\0' && *expected != '\0' && strcspn(found, "\n") == strcspn(expected, "\n") &&
           memcmp(found, expected, strcspn(found, "\n")) == 0) {
        found += strcspn(found, "\n") + (found[strcspn(found, "\n")] != '\0');
        expected += strcspn(expected, "\n") + (expected[strcspn(expected, "\n")] != '\0');
    }
    return finding("%s: expected \"%.*s\", found \"%.*s\"", what, (int)strcspn(expected, "\n"),
                   expected, (int)strcspn(found, "\n"), found);
}

bool job_printed(const JobOutcome *whole, const char *out)
{
    static char text[TEXT_MAX];
    timeless(text, out);
    return texts_equal("document", text, whole->document);
}

bool job_compare(const FaultJob *job, const JobOutcome *whole, const char *out)
{
    static JobOutcome now;
    static End end;
    if (!outcome_take(&now, job, out) || !texts_equal("document", now.document, whole->document) ||
        !texts_equal("rows", now.rows, whole->rows) ||
        !texts_equal("result", now.hashed, whole->hashed) ||
        !texts_equal("inputs", now.inputs, whole->inputs)) {
        return false;
    }
    n_left = 0;
    nftw(".", leftover_find, 16, FTW_PHYS);
    if (n_left > 0) {
        return finding("%d leftovers, one is %s", n_left, left);
    }
    char command[256];
    static const char *const for_others[] = {"cases make", "export", "runs table"};
    bool known = job->output;
    for (int i = 0; i < 3; i++) {
        known = known && strcmp(job->run, for_others[i]) != 0;
    }
    snprintf(command, sizeof(command), "verify %s " RESULTS " --quiet", known ? job->output : "");
    lab_run(&end, command, 0, false);
    return end.code == 0 ||
           finding("verify: exit code %d, signal %d: %s%s", end.code, end.signal, end.out, end.err);
}

/* Negative twin: what was made is not what it should be. One byte in the middle of the result
 * file; the games of one block; one row of results. */
static void result_spoil(const FaultJob *job)
{
    static const DbSchema corpus = {.application_id = CORPUS_APPLICATION_ID,
                                    .version = CORPUS_SCHEMA_VERSION};
    Db *db = NULL;
    if (job->hashed) {
        const int fd = open(job->hashed, O_RDWR | O_CLOEXEC);
        const off_t middle = lseek(fd, 0, SEEK_END) / 2;
        char byte = 0;
        if (pread(fd, &byte, 1, middle) == 1) {
            byte ^= 1;
            (void)!pwrite(fd, &byte, 1, middle);
        }
        close(fd);
    } else if (job->output) {
        if (db_open(&db, job->output, DB_WRITE, &corpus) == 0) {
            db_exec(db, "DELETE FROM blocks WHERE block = (SELECT max(block) FROM blocks)");
        }
    } else if (db_open(&db, RESULTS, DB_WRITE,
                       &(DbSchema){.application_id = STORE_APPLICATION_ID,
                                   .version = STORE_SCHEMA_VERSION,
                                   .create_sql = ""}) == 0) {
        db_exec(db, "DELETE FROM eval_by_ply; DELETE FROM edit_cases WHERE case_index = 3");
    }
    db_close(db);
}

bool job_judge(const FaultJob *job, const JobOutcome *whole, bool spoil)
{
    static End end;
    lab_run(&end, job->command, 1 + (int)lab_random(3), false);
    if (end.code != 0) {
        return lab_against("typed again", &end);
    }
    if (spoil) {
        result_spoil(job);
    }
    return job_compare(job, whole, end.out);
}
