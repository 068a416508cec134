/* cli/commands/edits/case_file.c - contract in cli/commands/edits/case_file.h. */
#include "cli/commands/edits/case_file.h"

#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/files.h"

/* Number of the first line in which two texts differ. */
static size_t differing_line(const char *a, size_t n_a, const char *b, size_t n_b)
{
    size_t line = 1;
    for (size_t i = 0; i < n_a && i < n_b && a[i] == b[i]; i++) {
        line += a[i] == '\n';
    }
    return line;
}

int casefile_publish(const Context *context, const char *path, const char *text, size_t n_bytes,
                     const char *what)
{
    void *old = NULL;
    size_t n_old = 0, n_stale = 0;
    PathKind kind;
    int rc = path_clean_stale(&n_stale, path);
    rc = rc ? rc : path_kind(&kind, path);
    if (rc == 0 && kind == PATH_FILE) {
        rc = file_read_all(&old, &n_old, path, (size_t)1 << 30);
        if (rc != 0) {
            return rc;
        }
        if (n_old == n_bytes && memcmp(old, text, n_bytes) == 0) {
            context_say(context, "%s already holds these %s", path, what);
            mem_free(old);
            return 0;
        }
        if (!context->force) {
            rc = err_set(OGPT_EUSAGE,
                         "%s:%zu: holds other %s than these options make; name another file, "
                         "or replace it with --force",
                         path, differing_line(old, n_old, text, n_bytes), what);
        }
        mem_free(old);
    }
    return rc ? rc : file_write_atomic(path, text, n_bytes, context->force);
}
