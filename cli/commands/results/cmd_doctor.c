/* cli/commands/results/cmd_doctor.c - ogpt doctor: can this machine do the work, and does it do it
 * right? */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/files.h"
#include "base/process.h"
#include "base/ranks/ranks.h"
#include "cli/framework.h"
#include "game/perft.h"
#include "num/blas.h"
#include "num/kernels.h"

#define DISK_WANTED (1ull << 30) /* bytes: a demo and its checkpoints */

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

/* The folder of the results database. */
static int folder_check(const char *store_path)
{
    char folder[FILES_PATH_MAX];
    int rc = path_parent(folder, store_path);
    return rc ? rc : dir_self_check(folder, DISK_WANTED);
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
    rc = blas_reserve(context->threads);
    if (rc != 0) {
        return rc;
    }
    machine_describe(machine, sizeof(machine));
    study_json(context, "machine", js_str(machine));
    study_json(context, "versions", program__get()->versions(true));
    Doctor doctor = {.checks = study_table(context, &checks_table)};
    doctor.text = study_text(context);
    doctor.checks->hidden = true; /* the text says it */
    snprintf(blas, sizeof(blas), "%s, core type %s, 1 thread a worker", blas_version(),
             blas_core());
    text_add(doctor.text,
             "machine  %s\nthreads  %zu\nranks    %s\nkernels  %s\nogpt     %s, SQLite %s\n\n",
             machine, context->threads,
             ranks_library() ? ranks_library() : "one: built without MPI", kernels_set(),
             OGPT_VERSION, db_library_version());
    check_note(&doctor, "rules", perft_self_check(context->pool),
               "perft 7 and the reference rules agree");
    check_note(&doctor, "matrix product", blas_self_check(), blas);
    check_note(&doctor, "disk", folder_check(context->store_path),
               "at least 1 GiB free; write, fsync and rename work");
    PathKind kind;
    int seen = path_kind(&kind, context->store_path);
    if (seen != 0 || kind == PATH_FILE) {
        check_note(&doctor, "results", seen ? seen : store_examine(context->store_path),
                   context->store_path);
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
