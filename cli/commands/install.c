/* cli/commands/install.c - what the framework gets from this program. Contract in commands.h. */
#include "cli/commands/commands.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/database/db.h"
#include "base/ranks/ranks.h"
#include "num/blas.h"
#include "num/kernels.h"
#include "probes/solvers/solver.h"

/* What this program is made of; stored with every run. Commands that multiply nothing have not
 * loaded the libraries for it. */
static Js *versions(bool all)
{
    char text[32];
    Js *document = js_object();
    const char *const parts[][2] = {{"ogpt", OGPT_VERSION},
                                    {"compiler", "gcc " __VERSION__},
                                    {"kernels", kernels_set()},
                                    {"sqlite", db_library_version()},
                                    {"mpi", ranks_library()}}; /* NULL: built without it */
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        if (parts[i][1]) {
            js_set_str(document, parts[i][0], parts[i][1]);
        }
    }
    if (all || blas_loaded()) {
        js_set_str(document, "blas", blas_version());
        js_set_str(document, "blas_core", blas_core());
        js_set_int(document, "blas_threads", blas_threads());
        int liblinear = fit_liblinear_version();
        snprintf(text, sizeof(text), "%d.%02d", liblinear / 100, liblinear % 100);
        js_set_str(document, "liblinear", liblinear > 0 ? text : "none");
    }
    return document;
}

/* The kernels that the environment names, to compare them or to repeat what another machine did. */
static int choose_kernels(void)
{
    const char *name = getenv("OGPT_KERNELS");
    return name && *name ? kernels_choose(name) : 0;
}

void commands_install(void)
{
    /* Installed: PREFIX/bin and PREFIX/share; built: build/PRESET in the tree. */
    static const char *const model_folders[] = {"../share/ogpt/models", "../../datasets/models",
                                                NULL};
    static const Program program = {
        .version = OGPT_VERSION,
        .commands = commands,
        .start = choose_kernels,
        .versions = versions,
        .model_folders = model_folders,
    };
    cli_set_program(&program);
}
