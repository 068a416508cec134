/* base/database/db_look.c - a database and what lies beside it, before SQLite opens it. See
 * db_internal.h.
 */
#define _GNU_SOURCE
#include "base/database/db_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/files_new.h"

#define HEADER_BYTES 100
#define MAGIC_BYTES 8
#define JOURNAL_HEADER_BYTES 28
#define WAL_HEADER_BYTES 32
#define WAL_INDEX_VERSION 3007000
#define PAGES_UNASKED (1 << 20) /* so many take 128 KiB to check */
#define PAGES_CLAIMED 16        /* times as many as there are */
#define NAME_SHOWN 120          /* bytes of the name of a super-journal in a message */

static const char words[] = "SQLite format 3"; /* with its NUL, the first 16 bytes of a database */
static const unsigned char magic[MAGIC_BYTES] = {0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7};

/* ---- the databases that this process has open ---- */

static pthread_mutex_t list_lock = PTHREAD_MUTEX_INITIALIZER;
static Db *list;

void db__enlist(Db *db)
{
    pthread_mutex_lock(&list_lock);
    db->next = list;
    list = db;
    pthread_mutex_unlock(&list_lock);
}

void db__delist(Db *db)
{
    pthread_mutex_lock(&list_lock);
    for (Db **at = &list; *at; at = &(*at)->next) {
        if (*at == db) {
            *at = db->next;
            break;
        }
    }
    pthread_mutex_unlock(&list_lock);
}

/* Closing any descriptor of a file drops all locks that this process has on it. So a file that is
 * open here is not opened again to look at it. */
static bool is_open_here(DbLook *look)
{
    pthread_mutex_lock(&list_lock);
    for (const Db *db = list; db && !look->open_here; db = db->next) {
        if (db->inode == look->inode && db->device == look->device && look->inode != 0) {
            look->open_here = true;
            look->application_id = db->application_id;
        }
    }
    pthread_mutex_unlock(&list_lock);
    return look->open_here;
}

/* ---- SQLite's deletions ---- */

static sqlite3_vfs guarded;
/* SQLite's own. */
static int (*delete_file)(sqlite3_vfs *, const char *, int);
static int (*check_access)(sqlite3_vfs *, const char *, int, int *);

static bool is_beside(const char *name, const char *real)
{
    const size_t length = strlen(real);
    return length > 0 && strncmp(name, real, length) == 0 &&
           (strcmp(name + length, "-journal") == 0 || strcmp(name + length, "-wal") == 0);
}

static int guarded_delete(sqlite3_vfs *vfs, const char *name, int sync_folder)
{
    bool ours = false;
    pthread_mutex_lock(&list_lock);
    for (const Db *db = list; db && !ours; db = db->next) {
        ours = is_beside(name, db->real);
    }
    pthread_mutex_unlock(&list_lock);
    return ours ? delete_file(vfs, name, sync_folder) : SQLITE_IOERR_DELETE;
}

/* SQLite takes a file that cannot be looked at for a missing one, and so a hot journal for none. */
static int guarded_access(sqlite3_vfs *vfs, const char *name, int flags, int *out)
{
    struct stat info;
    if (flags != SQLITE_ACCESS_EXISTS) {
        return check_access(vfs, name, flags, out);
    }
    const bool found = stat(name, &info) == 0;
    *out = found && (!S_ISREG(info.st_mode) || info.st_size > 0);
    return found || errno == ENOENT || errno == ENOTDIR ? SQLITE_OK : SQLITE_IOERR_ACCESS;
}

static void guard_register(void)
{
    sqlite3_vfs *plain = sqlite3_vfs_find(NULL); /* also starts SQLite */
    if (plain) {
        guarded = *plain;
        guarded.zName = "ogpt";
        guarded.pNext = NULL;
        delete_file = plain->xDelete;
        guarded.xDelete = guarded_delete;
        check_access = plain->xAccess;
        guarded.xAccess = guarded_access;
        if (sqlite3_vfs_register(&guarded, 0) != SQLITE_OK) {
            delete_file = NULL;
        }
    }
}

const char *db__vfs(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, guard_register);
    return delete_file ? guarded.zName : NULL;
}

/* ---- looking ---- */

static uint32_t big_endian(const unsigned char *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static bool is_power_of_two(uint32_t n, uint32_t min)
{
    return n >= min && n <= 65536 && (n & (n - 1)) == 0;
}

static bool all_zero(const unsigned char *bytes, size_t n)
{
    size_t i = 0;
    while (i < n && bytes[i] == 0) {
        i++;
    }
    return i == n;
}

/* Up to n bytes at an offset; *n_read is less where the file ends. */
static int peek(size_t *n_read, int fd, void *out, size_t n, off_t offset, const char *path)
{
    ssize_t found;
    do {
        found = pread(fd, out, n, offset);
    } while (found < 0 && errno == EINTR);
    *n_read = found > 0 ? (size_t)found : 0;
    return found < 0 ? err_set_errno(OGPT_EIO, "%s: cannot be read", path) : 0;
}

/* A file beside the database, open for reading; fd -1 if it is missing or empty. */
typedef struct Beside {
    char path[FILES_PATH_MAX + 16];
    int fd;
    uint64_t n_bytes;
} Beside;

static int foreign(const Beside *file, const char *what)
{
    return err_set(OGPT_EFORMAT,
                   "%s: not %s, and SQLite would overwrite or remove it; move it away, or choose "
                   "another name for the database",
                   file->path, what);
}

static int beside_open(Beside *out, const char *real, const char *suffix, const char *what)
{
    struct stat info;
    snprintf(out->path, sizeof(out->path), "%s%s", real, suffix);
    out->fd = open(out->path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (out->fd < 0) {
        return errno == ENOENT || errno == ENOTDIR ? 0
               : errno == ELOOP || errno == ENXIO
                   ? foreign(out, what)
                   : err_set_errno(OGPT_EIO, "%s: cannot be opened", out->path);
    }
    int rc = fstat(out->fd, &info) == 0
                 ? 0
                 : err_set_errno(OGPT_EIO, "%s: cannot be examined", out->path);
    if (rc == 0 && !S_ISREG(info.st_mode)) {
        rc = foreign(out, what);
    }
    out->n_bytes = rc == 0 ? (uint64_t)info.st_size : 0;
    if (out->n_bytes == 0) {
        close(out->fd);
        out->fd = -1;
    }
    return rc;
}

/* The end of a journal: the name, its length, its sum, the magic. */
static int super_journal_refuse(const Beside *file, const char *path)
{
    unsigned char end[16];
    char name[NAME_SHOWN + 1] = "";
    size_t n = 0;
    int rc = file->n_bytes < sizeof(end) ? 0
                                         : peek(&n, file->fd, end, sizeof(end),
                                                (off_t)(file->n_bytes - sizeof(end)), file->path);
    if (rc != 0 || n < sizeof(end) || memcmp(end + 8, magic, MAGIC_BYTES) != 0) {
        return rc;
    }
    const uint64_t length = big_endian(end);
    if (length == 0 || length > file->n_bytes - sizeof(end)) {
        return 0; /* SQLite sees no name there */
    }
    rc = peek(&n, file->fd, name, length < NAME_SHOWN ? length : NAME_SHOWN,
              (off_t)(file->n_bytes - sizeof(end) - length), file->path);
    return rc ? rc
              : err_set(OGPT_EFORMAT,
                        "%s: the journal beside it, %s, names another file that SQLite would "
                        "delete, '%s'; ogpt writes no such journal: remove the journal, or use "
                        "another copy of both",
                        path, file->path, name);
}

bool db__pages_claimed(uint64_t n_pages, uint64_t n_bytes, uint64_t page_bytes)
{
    return n_pages > PAGES_UNASKED && n_pages > PAGES_CLAIMED * (n_bytes / page_bytes);
}

/* SQLite brings a file back to as many pages as its journal says that it had: a hostile one makes
 * it terabytes long. What the file had is in it, or in the journal. */
static int journal_claim_refuse(const DbLook *look, const Beside *file, const unsigned char *header,
                                const char *path)
{
    const uint64_t n_pages = big_endian(header + 16);
    struct stat info;
    if (stat(look->real, &info) != 0) { /* nothing to bring back */
        return errno == ENOENT ? 0 : err_set(OGPT_EIO, "%s: %s", path, strerror(errno));
    }
    if (db__pages_claimed(n_pages, (uint64_t)info.st_size + file->n_bytes,
                          big_endian(header + 24))) {
        return err_set(OGPT_EFORMAT,
                       "%s: the journal beside it, %s, would make it %llu pages long, and nearly "
                       "none of them is there: remove the journal, or use another copy of both",
                       path, file->path, (unsigned long long)n_pages);
    }
    return 0;
}

/* A journal that a killed writer left, or that a living one is writing. While it is being written,
 * its magic is zero; a kill may cut it anywhere. */
static int journal_look(DbLook *look, const char *path)
{
    static const char what[] = "a journal of SQLite";
    unsigned char header[JOURNAL_HEADER_BYTES];
    size_t n = 0, same = 0;
    Beside file;
    int rc = beside_open(&file, look->real, "-journal", what);
    if (rc != 0 || file.fd < 0) {
        return rc;
    }
    rc = peek(&n, file.fd, header, sizeof(header), 0, file.path);
    while (same < n && same < MAGIC_BYTES && header[same] == magic[same]) {
        same++;
    }
    const size_t n_magic = n < MAGIC_BYTES ? n : MAGIC_BYTES;
    bool ours = all_zero(header + same, n_magic - same);
    if (ours && n == sizeof(header) && !all_zero(header, n)) {
        ours = is_power_of_two(big_endian(header + 20), 32) &&
               is_power_of_two(big_endian(header + 24), 512);
    }
    if (rc == 0 && !ours) {
        rc = foreign(&file, what);
    }
    if (rc == 0 && n == sizeof(header) && same == MAGIC_BYTES) {
        rc = journal_claim_refuse(look, &file, header, path);
    }
    look->is_unborn = rc == 0 && n >= 20 && same == MAGIC_BYTES && big_endian(header + 16) == 0;
    rc = rc ? rc : super_journal_refuse(&file, path);
    close(file.fd);
    return rc;
}

static int wal_look(DbLook *look)
{
    static const char what[] = "a write-ahead log of SQLite";
    static const unsigned char log_magic[4] = {0x37, 0x7f, 0x06, 0x82};
    unsigned char header[WAL_HEADER_BYTES] = {0};
    size_t n = 0;
    Beside file;
    int rc = beside_open(&file, look->real, "-wal", what);
    if (rc != 0 || file.fd < 0) {
        return rc;
    }
    rc = peek(&n, file.fd, header, sizeof(header), 0, file.path);
    const bool empty = all_zero(header, n);
    header[3] &= 0xfe; /* its last bit is the order of the bytes in sums */
    if (rc == 0 && !empty && memcmp(header, log_magic, n < 4 ? n : 4) != 0) {
        rc = foreign(&file, what);
    }
    look->has_wal = true;
    close(file.fd);
    return rc;
}

static int wal_index_look(const DbLook *look)
{
    static const char what[] = "an index of a write-ahead log of SQLite";
    uint32_t version = 0; /* in the order of this machine's bytes */
    size_t n = 0;
    Beside file;
    int rc = beside_open(&file, look->real, "-shm", what);
    if (rc != 0 || file.fd < 0) {
        return rc;
    }
    rc = peek(&n, file.fd, &version, sizeof(version), 0, file.path);
    if (rc == 0 && version != 0 && version != WAL_INDEX_VERSION) {
        rc = foreign(&file, what);
    }
    close(file.fd);
    return rc;
}

static int header_look(DbLook *look, const char *path)
{
    unsigned char header[HEADER_BYTES] = {0};
    size_t n = 0;
    int fd = open(look->real, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) {
        return err_set_errno(OGPT_EIO, "%s: cannot open", path);
    }
    int rc = peek(&n, fd, header, sizeof(header), 0, path);
    close(fd);
    const size_t n_words = n < sizeof(words) ? n : sizeof(words);
    look->is_database = memcmp(header, words, n_words) == 0 && n == sizeof(header);
    look->is_unborn = look->is_unborn && memcmp(header, words, n_words) == 0;
    look->is_wal = look->is_database && header[18] == 2;
    look->application_id = big_endian(header + 68);
    return rc;
}

int db__look(DbLook *out, const char *path)
{
    struct stat info;
    memset(out, 0, sizeof(*out));
    int rc = path_resolve(out->real, path);
    if (rc != 0) {
        return rc;
    }
    out->missing = stat(out->real, &info) != 0;
    if (out->missing && errno != ENOENT && errno != ENOTDIR) {
        return err_set_errno(OGPT_EIO, "%s: cannot be examined", path);
    }
    if (!out->missing && !S_ISREG(info.st_mode)) {
        return err_set(OGPT_EFORMAT, "%s: a %s, not a database file; check the path", path,
                       path__kind(&info));
    }
    if (!out->missing) {
        out->n_bytes = (uint64_t)info.st_size;
        out->n_names = (uint64_t)info.st_nlink;
        out->device = info.st_dev;
        out->inode = info.st_ino;
    }
    if (is_open_here(out)) {
        return 0;
    }
    rc = journal_look(out, path);
    rc = rc ? rc : wal_look(out);
    rc = rc ? rc : wal_index_look(out);
    return rc || out->n_bytes == 0 ? rc : header_look(out, path);
}
