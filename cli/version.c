/* cli/version.c - what this program is made of; stored with every run. */
#include "cli/framework.h"

#include <stdio.h>

#include "num/blas.h"
#include "probes/solver.h"
#include "store/db.h"

Js *version__document(void)
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
    snprintf(text, sizeof text, "%d.%02d", liblinear / 100, liblinear % 100);
    js_set_str(document, "liblinear", text);
    return document;
}
