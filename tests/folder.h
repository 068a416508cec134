/* tests/folder.h - a folder of the test's own, below $TMPDIR (./dev test puts it in memory), else
 * below /tmp. */
#ifndef OGPT_TESTS_FOLDER_H
#define OGPT_TESTS_FOLDER_H

#include <stdio.h>
#include <stdlib.h>

enum { FOLDER_MAX = 256 };

/* An empty folder; its path, for dir_remove at the end. 0, or -1: it cannot be made. */
static inline int folder_make(char path[FOLDER_MAX])
{
    const char *base = getenv("TMPDIR");
    const int length = snprintf(path, FOLDER_MAX, "%s/ogpt-test-XXXXXX", !base ? "/tmp" : base);
    return length < FOLDER_MAX && mkdtemp(path) ? 0 : -1;
}

#endif
