/* tests/faults/fault_shim.c - preloaded into ogpt (LD_PRELOAD): lets the n-th call of a class fail,
 * or kills the process right after it, as the shared page says (fault_page.h).
 *
 * Only calls after main has started count, and of the allocations only those that our own code,
 * the JSON library, SQLite or the C library ask for: OpenBLAS and liblinear cannot survive theirs,
 * and none of our code could catch it. Each function here stands for the one of the C library.
 */
#include "tests/faults/fault_page.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define RANGES_MAX 32

typedef struct Range {
    uintptr_t start, end;
} Range;

static FaultPage *page; /* NULL until main starts, and without a page */
static Range ranges[RANGES_MAX];
static size_t n_ranges;

/* The next definition of a function, found on first use. ISO C knows no cast from data to code
 * pointers; POSIX promises that the copy works. */
#define NEXT(name)                                                                                 \
    static __typeof__(&(name)) next;                                                               \
    if (!next) {                                                                                   \
        void *found = dlsym(RTLD_NEXT, #name);                                                     \
        memcpy(&next, &found, sizeof(next));                                                       \
    }

/* ---- what is to happen ---- */

static bool call_counts(FaultClass class)
{
    return page && page->class == (int)class;
}

/* Count a call; the action that it is due. */
static FaultAction fault_next(const char *call)
{
    const uint64_t number = atomic_fetch_add(&page->n_calls, 1) + 1;
    if (page->action == FAULT_NONE || page->at == 0 || number < page->at ||
        (number > page->at && !page->sticky)) {
        return FAULT_NONE;
    }
    if (atomic_fetch_add(&page->n_fired, 1) == 0) {
        strncpy(page->call, call, sizeof(page->call) - 1);
    }
    if (page->action == FAULT_ABORT) {
        abort();
    }
    if (page->action == FAULT_FAIL) {
        errno = page->error;
    }
    return (FaultAction)page->action;
}

static FaultAction file_fault(const char *call)
{
    return call_counts(FAULT_CALLS) ? fault_next(call) : FAULT_NONE;
}

/* After a call was made: the end, when it is due. */
static void file_done(FaultAction action)
{
    if (action == FAULT_KILL || action == FAULT_TORN) {
        kill(getpid(), SIGKILL);
    }
}

static bool memory_fault(const char *call, const void *caller)
{
    if (!call_counts(FAULT_MEMORY)) {
        return false;
    }
    const uintptr_t address = (uintptr_t)caller;
    for (size_t i = 0; i < n_ranges; i++) {
        if (address >= ranges[i].start && address < ranges[i].end) {
            const int before = errno;
            if (fault_next(call) == FAULT_FAIL) {
                errno = ENOMEM;
                return true;
            }
            errno = before;
            return false;
        }
    }
    return false;
}

/* ---- start and end ---- */

static int range_add(struct dl_phdr_info *info, size_t size, void *context)
{
    (void)size;
    (void)context;
    static const char *const libraries[] = {"libjansson", "libsqlite3", "libc.so", "libmd"};
    bool wanted = info->dlpi_name[0] == '\0'; /* the program itself */
    for (size_t i = 0; i < sizeof(libraries) / sizeof(libraries[0]); i++) {
        wanted = wanted || strstr(info->dlpi_name, libraries[i]);
    }
    for (int i = 0; wanted && i < info->dlpi_phnum && n_ranges < RANGES_MAX; i++) {
        if (info->dlpi_phdr[i].p_type == PT_LOAD && (info->dlpi_phdr[i].p_flags & PF_X) != 0) {
            const uintptr_t start = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
            ranges[n_ranges++] = (Range){start, start + info->dlpi_phdr[i].p_memsz};
        }
    }
    return 0;
}

static FaultPage *page_map(void)
{
    const char *path = getenv(FAULT_PAGE_VARIABLE);
    const int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    if (fd < 0) {
        return NULL;
    }
    void *mapped = mmap(NULL, sizeof(FaultPage), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    return mapped != MAP_FAILED ? mapped : NULL;
}

static int (*real_main)(int argc, char **argv, char **environment);

static int counted_main(int argc, char **argv, char **environment)
{
    dl_iterate_phdr(range_add, NULL);
    page = page_map();
    const int rc = real_main(argc, argv, environment);
    page = NULL;
    return rc;
}

/* The C library's start of every program; its declaration is in no header. */
int __libc_start_main(int (*main)(int, char **, char **), int argc, char **argv, void (*init)(void),
                      void (*fini)(void), void (*unload)(void), void *stack);

int __libc_start_main(int (*main)(int, char **, char **), int argc, char **argv, void (*init)(void),
                      void (*fini)(void), void (*unload)(void), void *stack)
{
    NEXT(__libc_start_main);
    real_main = main;
    return next(counted_main, argc, argv, init, fini, unload, stack);
}

/* ---- files ---- */

ssize_t write(int fd, const void *data, size_t n_bytes)
{
    NEXT(write);
    const FaultAction action = file_fault("write");
    if (action == FAULT_FAIL || action == FAULT_LIE) {
        return action == FAULT_LIE ? (ssize_t)n_bytes : -1;
    }
    const ssize_t n = next(fd, data, action == FAULT_TORN ? n_bytes / 2 : n_bytes);
    file_done(action);
    return n;
}

ssize_t pwrite(int fd, const void *data, size_t n_bytes, off_t offset)
{
    NEXT(pwrite);
    const FaultAction action = file_fault("pwrite");
    if (action == FAULT_FAIL || action == FAULT_LIE) {
        return action == FAULT_LIE ? (ssize_t)n_bytes : -1;
    }
    const ssize_t n = next(fd, data, action == FAULT_TORN ? n_bytes / 2 : n_bytes, offset);
    file_done(action);
    return n;
}

ssize_t pwrite64(int fd, const void *data, size_t n_bytes, off64_t offset)
{
    return pwrite(fd, data, n_bytes, offset); /* one function on 64-bit machines */
}

/* A call that is made whole or not at all, and answers 0 or -1. */
#define WHOLE_CALL(name, parameters, ...)                                                          \
    int name parameters                                                                            \
    {                                                                                              \
        NEXT(name);                                                                                \
        const FaultAction action = file_fault(#name);                                              \
        if (action == FAULT_FAIL || action == FAULT_LIE) {                                         \
            return action == FAULT_LIE ? 0 : -1;                                                   \
        }                                                                                          \
        const int status = next(__VA_ARGS__);                                                      \
        file_done(action);                                                                         \
        return status;                                                                             \
    }

WHOLE_CALL(fsync, (int fd), fd)
WHOLE_CALL(fdatasync, (int fd), fd)
WHOLE_CALL(ftruncate, (int fd, off_t size), fd, size)
WHOLE_CALL(ftruncate64, (int fd, off64_t size), fd, size)
WHOLE_CALL(rename, (const char *from, const char *to), from, to)
WHOLE_CALL(mkdir, (const char *path, mode_t mode), path, mode)
WHOLE_CALL(unlink, (const char *path), path)
WHOLE_CALL(rmdir, (const char *path), path)
WHOLE_CALL(remove, (const char *path), path)
WHOLE_CALL(renameat2, (int fd, const char *from, int fd2, const char *to, unsigned flags), fd, from,
           fd2, to, flags)

/* The descriptor is gone even where close fails: so it is on Linux. */
int close(int fd)
{
    NEXT(close);
    const FaultAction action = file_fault("close");
    const int status = next(fd);
    if (action == FAULT_FAIL) {
        errno = page->error;
        return -1;
    }
    file_done(action);
    return status;
}

/* The permission bits of a variadic open, where there are any. */
#define MODE_OF(flags)                                                                             \
    mode_t mode = 0;                                                                               \
    if (((flags) & (O_CREAT | O_TMPFILE)) != 0) {                                                  \
        va_list list;                                                                              \
        va_start(list, flags);                                                                     \
        mode = va_arg(list, mode_t);                                                               \
        va_end(list);                                                                              \
    }

int open(const char *path, int flags, ...)
{
    MODE_OF(flags)
    NEXT(open);
    const FaultAction action = file_fault("open");
    if (action == FAULT_FAIL) {
        return -1;
    }
    const int fd = next(path, flags, mode);
    file_done(action);
    return fd;
}

int open64(const char *path, int flags, ...)
{
    MODE_OF(flags)
    return open(path, flags, mode); /* one function on 64-bit machines */
}

void *mmap(void *address, size_t n_bytes, int protection, int flags, int fd, off_t offset)
{
    NEXT(mmap);
    const FaultAction action = fd >= 0 ? file_fault("mmap") : FAULT_NONE;
    if (action == FAULT_FAIL) {
        return MAP_FAILED;
    }
    void *mapped = next(address, n_bytes, protection, flags, fd, offset);
    file_done(action);
    return mapped;
}

void *mmap64(void *address, size_t n_bytes, int protection, int flags, int fd, off64_t offset)
{
    return mmap(address, n_bytes, protection, flags, fd, offset);
}

/* ---- looking and reading ---- */

/* Whether a look is to fail. */
static bool look_fails(const char *call)
{
    const int before = errno;
    const FaultAction action = call_counts(FAULT_LOOKS) ? fault_next(call) : FAULT_NONE;
    errno = action == FAULT_FAIL ? page->error : before;
    return action == FAULT_FAIL;
}

#define LOOK_CALL(name, parameters, ...)                                                           \
    int name parameters                                                                            \
    {                                                                                              \
        NEXT(name);                                                                                \
        return look_fails(#name) ? -1 : next(__VA_ARGS__);                                         \
    }

LOOK_CALL(stat, (const char *path, struct stat *info), path, info)
LOOK_CALL(lstat, (const char *path, struct stat *info), path, info)
LOOK_CALL(fstat, (int fd, struct stat *info), fd, info)
LOOK_CALL(stat64, (const char *path, struct stat64 *info), path, info)
LOOK_CALL(lstat64, (const char *path, struct stat64 *info), path, info)
LOOK_CALL(fstat64, (int fd, struct stat64 *info), fd, info)
LOOK_CALL(access, (const char *path, int mode), path, mode)

struct dirent *readdir(DIR *dir)
{
    NEXT(readdir);
    return look_fails("readdir") ? NULL : next(dir);
}

ssize_t read(int fd, void *out, size_t n_bytes)
{
    NEXT(read);
    return look_fails("read") ? -1 : next(fd, out, n_bytes);
}

ssize_t pread(int fd, void *out, size_t n_bytes, off_t offset)
{
    NEXT(pread);
    return look_fails("pread") ? -1 : next(fd, out, n_bytes, offset);
}

ssize_t pread64(int fd, void *out, size_t n_bytes, off64_t offset)
{
    return pread(fd, out, n_bytes, offset); /* one function on 64-bit machines */
}

/* ---- memory: the C library's own other names, so that dlsym need not allocate ---- */

void *__libc_malloc(size_t n_bytes);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *old, size_t n_bytes);
void *__libc_memalign(size_t alignment, size_t n_bytes);

void *malloc(size_t n_bytes)
{
    return memory_fault("malloc", __builtin_return_address(0)) ? NULL : __libc_malloc(n_bytes);
}

void *calloc(size_t n, size_t size)
{
    return memory_fault("calloc", __builtin_return_address(0)) ? NULL : __libc_calloc(n, size);
}

void *realloc(void *old, size_t n_bytes)
{
    return memory_fault("realloc", __builtin_return_address(0)) ? NULL
                                                                : __libc_realloc(old, n_bytes);
}

void *aligned_alloc(size_t alignment, size_t n_bytes)
{
    return memory_fault("aligned_alloc", __builtin_return_address(0))
               ? NULL
               : __libc_memalign(alignment, n_bytes);
}

int posix_memalign(void **out, size_t alignment, size_t n_bytes)
{
    if (memory_fault("posix_memalign", __builtin_return_address(0))) {
        return ENOMEM;
    }
    *out = __libc_memalign(alignment, n_bytes);
    return *out ? 0 : ENOMEM;
}
