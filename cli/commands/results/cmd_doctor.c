/* cli/commands/results/cmd_doctor.c - ogpt doctor: can this machine do the work, and does it do it
 * right? */
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/files.h"
#include "base/process.h"
#include "cli/framework.h"
#include "game/perft.h"
#include "game/rules_ref.h"
#include "num/blas.h"

#define DISK_WANTED (1ull << 30) /* bytes: a demo and its checkpoints */
#define PERFT_7 55092            /* leaves on 8x8, as published */

static const Column columns[] = {
    {"check", "check", .type = COLUMN_TEXT},
    {"ok", "ok", .type = COLUMN_YES_NO},
    {"detail", "detail", .type = COLUMN_TEXT},
};
static const TableSpec checks_table = {"checks", TABLE_COLUMNS(columns)};

typedef struct Doctor {
    Table *checks;
    Text *text;
    int n_failed;
} Doctor;

/* Note one check. `code` is an OGPT_E* whose message explains a failure, or 0. */
static void check_note(Doctor *doctor, const char *name, int rc, const char *detail)
{
    const char *shown = rc == 0 ? detail : err_message();
    table_row(doctor->checks);
    table_text(doctor->checks, "check", name);
    table_bool(doctor->checks, "ok", rc == 0);
    table_text(doctor->checks, "detail", shown);
    text_add(doctor->text, "%-7s %-16s %s\n", rc == 0 ? "ok" : "FAILED", name, shown);
    doctor->n_failed += rc != 0;
}

/* Perft 7 by the fast rules against the published number, and by the reference at depth 5. */
static int rules_check(Context *context)
{
    uint64_t leaves = 0;
    uint64_t fast_5 = 0;
    RefBoard board;
    int rc = perft_start(&leaves, game_variant(8), 7, context->pool);
    rc = rc ? rc : perft_start(&fast_5, game_variant(8), 5, context->pool);
    if (rc != 0) {
        return rc;
    }
    if (leaves != PERFT_7) {
        return err_set(OGPT_ENEGATIVE, "perft 7: %d expected, found %llu", PERFT_7,
                       (unsigned long long)leaves);
    }
    ref_start(&board, 8);
    uint64_t ref_5 = ref_perft(&board, 5);
    if (ref_5 != fast_5) {
        return err_set(OGPT_ENEGATIVE, "perft 5: reference rules %llu, fast rules %llu",
                       (unsigned long long)ref_5, (unsigned long long)fast_5);
    }
    return 0;
}

/* A matrix product whose entries are small integers, hence exact in float. */
static int blas_check(void)
{
    enum { N = 24 };
    float a[N * N], b[N * N], c[N * N];
    for (int i = 0; i < N * N; i++) {
        a[i] = (float)(i % 7 - 3);
        b[i] = (float)(i % 5 - 2);
    }
    gemm(false, false, N, N, N, 1, a, N, b, N, 0, c, N);
    for (int i = 0; i < N; i++) {
        for (int j = 0; j < N; j++) {
            float sum = 0;
            for (int k = 0; k < N; k++) {
                sum += a[i * N + k] * b[k * N + j];
            }
            if (c[i * N + j] != sum) {
                return err_set(OGPT_ENEGATIVE, "matrix product [%d][%d]: %g expected, found %g", i,
                               j, (double)sum, (double)c[i * N + j]);
            }
        }
    }
    if (blas_threads() != 1) {
        return err_set(OGPT_ENEGATIVE, "1 BLAS thread expected, found %d", blas_threads());
    }
    return 0;
}

/* The folder of the results database: write, fsync, rename, read back. */
static int folder_check(const char *store_path)
{
    static const char words[] = "ogpt doctor was here";
    char folder[FILES_PATH_MAX];
    char scratch[FILES_PATH_MAX];
    char file[FILES_PATH_MAX];
    void *back = NULL;
    size_t n = 0;
    const char *slash = strrchr(store_path, '/');
    snprintf(folder, sizeof(folder), "%.*s", slash ? (int)(slash - store_path) + 1 : 1,
             slash ? store_path : ".");
    int rc = disk_preflight(folder, DISK_WANTED);
    rc = rc ? rc : path_join(scratch, folder, ".ogpt-doctor");
    rc = rc ? rc : dir_create(scratch);
    if (rc != 0) {
        return rc;
    }
    rc = path_join(file, scratch, "probe");
    rc = rc ? rc : file_write_atomic(file, words, sizeof(words), true);
    rc = rc ? rc : file_read_all(&back, &n, file, 4096);
    if (rc == 0 && (n != sizeof(words) || memcmp(back, words, n) != 0)) {
        rc = err_set(OGPT_ENEGATIVE, "%s: other bytes came back than were written", file);
    }
    mem_free(back);
    int removed = dir_remove(scratch);
    return rc != 0 ? rc : removed;
}

static int store_examine(const char *path)
{
    Store *store = NULL;
    int rc = store_open_read(&store, path);
    rc = rc ? rc : store_check(store);
    store_close(store);
    return rc;
}

static int doctor_run(Context *context)
{
    char machine[256];
    char blas[128];
    int rc = context_pool(context);
    if (rc != 0) {
        return rc;
    }
    machine_describe(machine, sizeof(machine));
    study_json(context, "machine", js_str(machine));
    study_json(context, "versions", program__get()->versions());
    Doctor doctor = {.checks = study_table(context, &checks_table)};
    doctor.text = study_text(context);
    doctor.checks->hidden = true; /* the text says it */
    snprintf(blas, sizeof(blas), "%s, core type %s, 1 thread a worker", blas_version(),
             blas_core());
    text_add(doctor.text, "machine  %s\nthreads  %zu\nogpt     %s, SQLite %s\n\n", machine,
             context->threads, OGPT_VERSION, db_library_version());
    check_note(&doctor, "rules", rules_check(context), "perft 7 and the reference rules agree");
    check_note(&doctor, "matrix product", blas_check(), blas);
    check_note(&doctor, "disk", folder_check(context->store_path),
               "at least 1 GiB free; write, fsync and rename work");
    if (file_exists(context->store_path)) {
        check_note(&doctor, "results", store_examine(context->store_path), context->store_path);
    } else {
        check_note(&doctor, "results", 0, "none yet");
    }
    study_json(context, "failed", js_int(doctor.n_failed));
    if (doctor.n_failed > 0) {
        return study_verdict(
            context, err_set(OGPT_ENEGATIVE, "doctor: %d of the checks failed", doctor.n_failed));
    }
    return 0;
}

const Command cmd_doctor = {
    .name = "doctor",
    .arguments = "",
    .summary = "can this machine do the work, and does it do it right?",
    .examples = "ogpt doctor\nogpt doctor --json",
    .uses = USES_THREADS | USES_STORE,
    COMMAND_TABLES(&checks_table),
    .run = doctor_run,
};
