/* cli/commands/install.c - what the framework gets from this program. Contract in commands.h. */
#include "cli/commands/commands.h"

#include <stdio.h>

#include "base/db.h"
#include "num/blas.h"
#include "probes/solvers/solver.h"

/* What this program is made of; stored with every run. */
static Js *versions(void)
{
    char text[32];
    Js *document = js_object();
    js_set_str(document, "ogpt", OGPT_VERSION);
    js_set_str(document, "compiler", "gcc " __VERSION__);
    js_set_str(document, "blas", blas_version());
    js_set_str(document, "blas_core", blas_core());
    js_set_int(document, "blas_threads", blas_threads());
    js_set_str(document, "sqlite", db_library_version());
    int liblinear = fit_liblinear_version();
    snprintf(text, sizeof(text), "%d.%02d", liblinear / 100, liblinear % 100);
    js_set_str(document, "liblinear", text);
    return document;
}

void commands_install(void)
{
    static const Program program = {
        .commands = commands,
        .start = blas_init,
        .versions = versions,
    };
    cli_set_program(&program);
}
