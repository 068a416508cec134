/* cli/commands/common/probe_input.c - contract in probe_input.h. */
#include "cli/commands/common/probe_input.h"

#include <stdio.h>

#include "base/err.h"

/* What was given, or what lies beside the network. *there: given, or a directory is there. */
static int find_beside(bool *there, const Context *context, char *out, const char *given,
                       const char *folder)
{
    PathKind kind = PATH_DIRECTORY;
    if (given) {
        snprintf(out, FILES_PATH_MAX, "%s", given);
    }
    int rc = given ? 0 : path_join(out, context->args[0], folder);
    rc = rc || given ? rc : path_kind(&kind, out);
    *there = rc == 0 && kind == PATH_DIRECTORY;
    return rc;
}

int context_probe_find(const Context *context, char *out, const char *given)
{
    bool there = false;
    int rc = find_beside(&there, context, out, given, PROBE_FOLDER);
    if (rc == 0 && !there) {
        rc = err_set(OGPT_EUSAGE,
                     "no probe is named, and there is no %s; name one (%s --help), or fit one: "
                     "ogpt probe fit %s --corpus CORPUS --out %s",
                     out, context->command->name, context->args[0], out);
    }
    return rc;
}

int context_sae_find(const Context *context, char *out, const char *given)
{
    bool there = false;
    int rc = find_beside(&there, context, out, given, SAE_FOLDER);
    if (rc == 0 && !there) {
        rc = err_set(OGPT_EUSAGE,
                     "no autoencoder is named, and there is no %s; name one (%s --help), or train "
                     "one: ogpt sae train %s --out %s",
                     out, context->command->name, context->args[0], out);
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
                          const char *given, int (*check)(const Probe *probe, const char *path),
                          const char *without)
{
    int rc = context_probe_find(context, path, given);
    bool fits = rc == 0;
    if (rc == OGPT_EUSAGE && !given) {
        rc = 0; /* there is none */
    } else if (rc == 0) {
        rc = context_probe_open(context, out, path, subject, given);
        int unfit = rc ? 0 : check(out, path);
        fits = rc == 0 && unfit == 0;
        rc = given && unfit ? unfit : rc;
    }
    if (!fits) {
        path[0] = '\0';
    }
    if (rc == 0 && !fits && without) {
        context_say(context, "no probe is named, and the model has none that fits: no %s", without);
    }
    return rc;
}
