/* tests/there.h - what a test expects at a path: a plain yes or no. */
#ifndef OGPT_TESTS_THERE_H
#define OGPT_TESTS_THERE_H

#include <stdbool.h>
#include <sys/stat.h>

static inline bool file_exists(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISREG(info.st_mode);
}

static inline bool dir_exists(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

#endif
