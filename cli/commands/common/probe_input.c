/* cli/commands/common/probe_input.c - contract in probe_input.h. */
#include "cli/commands/common/probe_input.h"

#include <stdio.h>

#include "base/err.h"

/* Where a thing is: as given, or `folder` beside the network. `make` words say how to make one. */
static int find_beside(const Context *context, char *out, const char *given, const char *folder,
                       const char *const make[3])
{
    const char *model = context->args[0];
    PathKind kind = PATH_DIRECTORY;
    if (given) {
        snprintf(out, FILES_PATH_MAX, "%s", given);
        return 0;
    }
    int rc = path_join(out, model, folder);
    rc = rc ? rc : path_kind(&kind, out);
    if (rc == 0 && kind != PATH_DIRECTORY) {
        rc = err_set(OGPT_EUSAGE,
                     "no %s is named, and there is no %s; name one (%s --help), or %s %s%s "
                     "--out %s",
                     make[0], out, context->command->name, make[1], model, make[2], out);
    }
    return rc;
}

int context_probe_find(const Context *context, char *out, const char *given)
{
    static const char *const make[] = {"probe", "fit one: ogpt probe fit", " --corpus CORPUS"};
    return find_beside(context, out, given, PROBE_FOLDER, make);
}

int context_sae_find(const Context *context, char *out, const char *given)
{
    static const char *const make[] = {"autoencoder", "train one: ogpt sae train", ""};
    return find_beside(context, out, given, SAE_FOLDER, make);
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
