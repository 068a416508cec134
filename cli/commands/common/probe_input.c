/* cli/commands/common/probe_input.c - contract in probe_input.h. */
#include "cli/commands/common/probe_input.h"

#include <stdio.h>

#include "base/err.h"

int context_probe_find(const Context *context, char *out, const char *given)
{
    const char *model = context->args[0];
    PathKind kind;
    if (given) {
        snprintf(out, FILES_PATH_MAX, "%s", given);
        return 0;
    }
    int rc = path_join(out, model, PROBE_FOLDER);
    rc = rc ? rc : path_kind(&kind, out);
    if (rc == 0 && kind != PATH_DIRECTORY) {
        rc = err_set(OGPT_EUSAGE,
                     "no probe is named, and there is no %s; name one (%s --help), or fit one: "
                     "ogpt probe fit %s --corpus CORPUS --out %s",
                     out, context->command->name, model, out);
    }
    return rc;
}

int context_probe_open(const Context *context, Probe *out, char *path, const Subject *subject,
                       const char *given)
{
    int rc = context_probe_find(context, path, given);
    rc = rc ? rc : probe_load(out, path);
    return rc ? rc : subject_check_probe(subject, path, out);
}

int context_probe_fitting(const Context *context, Probe *out, char *path, const Subject *subject,
                          const char *given, bool *used,
                          int (*check)(const Probe *probe, const char *path))
{
    int rc = context_probe_find(context, path, given);
    *used = false;
    if (rc) {
        return rc == OGPT_EUSAGE && !given ? 0 : rc; /* there is none */
    }
    rc = context_probe_open(context, out, path, subject, given);
    int fits = rc ? rc : check(out, path);
    *used = fits == 0;
    return given ? fits : rc;
}
