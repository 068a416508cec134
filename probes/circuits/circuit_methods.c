/* probes/circuits/circuit_methods.c - the words for methods. Contract in
 * probes/circuits/circuit_study.h. */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "probes/circuits/circuit_study.h"

static int method_parse(CircuitOptions *out, const char *word)
{
    bool all = strcmp(word, "all") == 0;
    if (strcmp(word, "eap") == 0) {
        word = estimate_name(ESTIMATE_ATP);
    }
    bool known = all || strcmp(word, "exact") == 0 || strcmp(word, "acdc") == 0;
    out->exact |= all || strcmp(word, "exact") == 0;
    out->acdc |= all || strcmp(word, "acdc") == 0;
    for (int e = 0; e < N_ESTIMATES; e++) {
        if (all || strcmp(word, estimate_name((Estimate)e)) == 0) {
            out->estimates.wanted |= 1U << e;
            known = true;
        }
    }
    return known ? 0
                 : err_set(OGPT_EUSAGE,
                           "method \"%s\": expected exact, atp (or eap), atp-qk, atp-drop, atp*, "
                           "eap-ig, clean-corrupted, acdc or all, separated by commas",
                           word);
}

int circuit_methods_parse(CircuitOptions *out, const char *text)
{
    char word[32];
    int rc = 0;
    for (const char *at = text; rc == 0; at++) {
        size_t length = strcspn(at, ",");
        snprintf(word, sizeof(word), "%.*s", (int)(length < 31 ? length : 31), at);
        rc = method_parse(out, word);
        at += length;
        if (!*at) {
            break;
        }
    }
    if (rc == 0 && !out->exact && out->estimates.wanted == 0) {
        rc = err_set(OGPT_EUSAGE,
                     "method %s: ranks no edges; add exact or an estimate, as in exact,acdc", text);
    }
    return rc;
}
