/* base/spill/spill.c - see base/spill/spill.h. */
#define _GNU_SOURCE
#include "base/spill/spill.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/files.h"

struct Spill {
    const char *what;
    char folder[FILES_PATH_MAX]; /* "": the usual one */
    int fd;                      /* -1: not needed so far */
    uint64_t n_bytes;
    unsigned char *memory; /* (SPILL_MEMORY) */
};

int spill_new(Spill **out, const char *folder, const char *what)
{
    int rc = 0;
    *out = NULL;
    Spill *spill = mem_calloc(1, sizeof(*spill), what);
    if (!spill) {
        return OGPT_ENOMEM;
    }
    *spill = (Spill){.what = what, .fd = -1};
    if (folder && snprintf(spill->folder, FILES_PATH_MAX, "%s", folder) >= FILES_PATH_MAX) {
        rc = err_set(OGPT_EUSAGE, "path of more than %d bytes", FILES_PATH_MAX - 1);
    }
    spill->memory = rc ? NULL : mem_calloc(SPILL_MEMORY, 1, what);
    rc = rc || spill->memory ? rc : OGPT_ENOMEM;
    if (rc != 0) {
        spill_free(spill);
        return rc;
    }
    *out = spill;
    return 0;
}

void spill_free(Spill *spill)
{
    if (!spill) {
        return;
    }
    if (spill->fd >= 0) {
        close(spill->fd);
    }
    mem_free(spill->memory);
    mem_free(spill);
}

/* Where temporary files are made that nobody placed: not where memory is the disk, if possible. */
static const char *usual_folder(void)
{
    const char *given = getenv("TMPDIR");
    if (given && *given != '\0') {
        return given;
    }
    return access("/var/tmp", W_OK | X_OK) == 0 ? "/var/tmp" : "/tmp";
}

/* Make the file, and take its name away at once. */
static int make_file(Spill *spill)
{
    char path[FILES_PATH_MAX];
    if (spill->folder[0] == '\0') {
        snprintf(spill->folder, FILES_PATH_MAX, "%s", usual_folder());
    }
    int rc = path_join(path, spill->folder, "ogpt-spill-XXXXXX");
    if (rc != 0) {
        return rc;
    }
    spill->fd = mkostemp(path, O_CLOEXEC);
    if (spill->fd < 0) {
        return err_set_errno(OGPT_EIO, "%s: no temporary file can be made for %s", spill->folder,
                             spill->what);
    }
    return unlink(path) == 0
               ? 0
               : err_set_errno(OGPT_EIO, "%s: a temporary file cannot be removed", path);
}

/* How many of n bytes at an offset lie in memory. */
static size_t in_memory(size_t n_bytes, uint64_t offset)
{
    const uint64_t left = offset < SPILL_MEMORY ? SPILL_MEMORY - offset : 0;
    return n_bytes < left ? n_bytes : (size_t)left;
}

int spill_write(Spill *spill, const void *data, size_t n_bytes, uint64_t offset)
{
    const size_t here = in_memory(n_bytes, offset);
    size_t done = here;
    if (here > 0) {
        memcpy(spill->memory + offset, data, here);
    }
    if (done < n_bytes && spill->fd < 0) {
        const int rc = make_file(spill);
        if (rc != 0) {
            return rc;
        }
    }
    while (done < n_bytes) {
        const ssize_t n = pwrite(spill->fd, (const char *)data + done, n_bytes - done,
                                 (off_t)(offset + done - SPILL_MEMORY));
        if (n < 0 && errno != EINTR) {
            return err_set_errno(
                OGPT_EIO, "%s: a temporary file for %s cannot be written at MiB %llu",
                spill->folder, spill->what, (unsigned long long)((offset + done) >> 20));
        }
        done += n > 0 ? (size_t)n : 0;
    }
    spill->n_bytes = offset + n_bytes > spill->n_bytes ? offset + n_bytes : spill->n_bytes;
    return 0;
}

int spill_read(const Spill *spill, void *out, size_t n_bytes, uint64_t offset)
{
    const size_t here = in_memory(n_bytes, offset);
    if (offset > spill->n_bytes || n_bytes > spill->n_bytes - offset) {
        return err_set(OGPT_EIO, "%s: expected %zu bytes from byte %llu on, found %llu in all",
                       spill->what, n_bytes, (unsigned long long)offset,
                       (unsigned long long)spill->n_bytes);
    }
    if (here > 0) {
        memcpy(out, spill->memory + offset, here);
    }
    if (here == n_bytes) {
        return 0;
    }
    const int rc = file_pread(spill->fd, (char *)out + here, n_bytes - here,
                              offset + here - SPILL_MEMORY, spill->folder);
    return rc ? err_set(OGPT_EIO, "a temporary file for %s: %s", spill->what, err_message()) : 0;
}

uint64_t spill_bytes(const Spill *spill)
{
    return spill->n_bytes;
}
