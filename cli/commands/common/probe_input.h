/* cli/commands/common/probe_input.h - the probe that a command names, or the one in the model's
 * directory; and the autoencoder likewise. */
#ifndef OGPT_CLI_COMMANDS_COMMON_PROBE_INPUT_H
#define OGPT_CLI_COMMANDS_COMMON_PROBE_INPUT_H

#include "cli/command.h"
#include "probes/board/probe.h"
#include "probes/sae/sae.h"

/* --probe; left out, the probe in the model's directory. */
#define OPTION_PROBE(at_, help_)                                                                   \
    OPTION_TEXT("probe", at_, "PROBE", help_ " (default: MODEL/" PROBE_FOLDER ")")

/* Where the probe is: `given`, or if that is NULL MODEL/probe, where MODEL is the command's first
 * argument (a model or a run directory). Into out[FILES_PATH_MAX]. OGPT_EUSAGE, saying how to make
 * one, if none was given and none is there. */
int context_probe_find(const Context *context, char *out, const char *given);
/* Where the autoencoder is: the same, with MODEL/sae. */
int context_sae_find(const Context *context, char *out, const char *given);
/* context_probe_find, then loaded and checked to be a probe of this network. path[FILES_PATH_MAX]
 * is set as far as it is known. Returns 0 or OGPT_E*; probe_release in both cases (from {0}). */
int context_probe_open(const Context *context, Probe *out, char *path, const Subject *subject,
                       const char *given);

/* The probe that was named, which must fit; or the one beside the network, if it is there and fits.
 * Else path is "", and a line says that there is no `without` (NULL: no line). `check`: whether a
 * probe serves the command, 0 or OGPT_E*. */
int context_probe_fitting(const Context *context, Probe *out, char *path, const Subject *subject,
                          const char *given, int (*check)(const Probe *probe, const char *path),
                          const char *without);

#endif
