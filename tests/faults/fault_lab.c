/* tests/faults/fault_lab.c - see fault_lab.h: directory, inputs, processes. */
#include "tests/faults/fault_lab.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/files.h"
#include "base/process.h"

#define HANG_SECONDS 300.0 /* a job of a tenth of a second, beside a dozen busy processes */
#define WORDS_MAX 64
#define TELL_SECONDS 60.0 /* between two lines of progress */
#define LOSSES_PRINTED 5
#define ROOM_BYTES (256u << 20) /* that a memory file system must have to be worked on */

FaultPage *lab_page;
int lab_stdout = -1;
const char *lab_limit;
char lab_message[512];
int lab_part, lab_parts = 1;

static char root[256], program_path[FILES_PATH_MAX], shim_setting[FILES_PATH_MAX + 64];
static uint32_t random_state = 20260;

uint32_t lab_random(uint32_t below)
{
    static int part; /* that the state belongs to; 0 begins as it stands */
    if (part != lab_part) {
        part = lab_part;
        random_state += (uint32_t)part * 2654435769u;
    }
    random_state = random_state * 1664525u + 1013904223u;
    return (uint32_t)(((uint64_t)random_state * below) >> 32);
}

int lab_share(int n)
{
    return (n + lab_parts - 1 - lab_part) / lab_parts;
}

bool lab_against(const char *what, const End *end)
{
    snprintf(lab_message, sizeof(lab_message), "%s: exit code %d, signal %d, %.2f s%s: %.300s",
             what, end->code, end->signal, end->seconds, end->hung ? " (hung)" : "", end->err);
    return false;
}

/* ---- processes ---- */

extern char **environ;

/* The environment, with the shim or without. Entries are borrowed. */
static void environment_fill(char **out, size_t room, bool with_shim)
{
    static char page_setting[] = FAULT_PAGE_VARIABLE "=page";
    size_t n = 0;
    for (char **entry = environ; *entry && n + 3 < room; entry++) {
        if (strncmp(*entry, "LD_PRELOAD=", 11) != 0) {
            out[n++] = *entry;
        }
    }
    if (with_shim) {
        out[n++] = shim_setting;
        out[n++] = page_setting;
    }
    out[n] = NULL;
}

static bool begins(const char *text, const char *word)
{
    return strncmp(text, word, strlen(word)) == 0;
}

/* The words of a command, cut out of `text`, behind those that set its limit. */
static void words_fill(char **words, char *text, size_t room, const char *command, int threads)
{
    static char limit[64], nobody[] = "--reuid=65534", alone[] = "--clear-groups";
    const bool plain = begins(command, "export ") || begins(command, "runs table ");
    const bool as_nobody = lab_limit && begins(lab_limit, "nobody ");
    char *rest = NULL;
    size_t n = 0;
    int length = snprintf(text, room, "%s", command);
    if (threads > 0) { /* a job, and not any command */
        length += snprintf(text + length, room - (size_t)length, " --quiet --json%s",
                           plain ? "" : " --store " RESULTS);
    }
    if (threads > 0 && !plain && !begins(command, "convert ")) { /* which has one thread only */
        snprintf(text + length, room - (size_t)length, " --threads %d", threads);
    }
    if (as_nobody) {
        words[n++] = (char *)"setpriv";
        words[n++] = nobody;
        words[n++] = alone;
    }
    if (lab_limit) {
        snprintf(limit, sizeof(limit), "%s", lab_limit + (as_nobody ? strlen("nobody ") : 0));
        words[n++] = (char *)"prlimit";
        words[n++] = limit;
    }
    words[n++] = lab_limit ? program_path : (char *)"ogpt";
    for (char *word = strtok_r(text, " ", &rest); word && n + 1 < WORDS_MAX;
         word = strtok_r(NULL, " ", &rest)) {
        words[n++] = word;
    }
    words[n] = NULL;
}

pid_t lab_start(const char *command, int threads, bool with_shim)
{
    char text[1024], *words[WORDS_MAX], *environment[512];
    words_fill(words, text, sizeof(text), command, threads);
    environment_fill(environment, sizeof(environment) / sizeof(environment[0]), with_shim);

    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, defaults;
    sigemptyset(&none);
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    sigaddset(&defaults, SIGINT); /* what a shell in the background or nohup ignores is inherited */
    sigaddset(&defaults, SIGHUP);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    if (lab_stdout >= 0) {
        posix_spawn_file_actions_adddup2(&actions, lab_stdout, 1);
    } else {
        posix_spawn_file_actions_addopen(&actions, 1, "out", O_WRONLY | O_CREAT | O_TRUNC, 0666);
    }
    posix_spawn_file_actions_addopen(&actions, 2, "err", O_WRONLY | O_CREAT | O_TRUNC, 0666);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    pid_t pid = -1;
    const int status = posix_spawnp(&pid, lab_limit ? words[0] : program_path, &actions,
                                    &attributes, words, environment);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    if (status != 0) {
        fprintf(stderr, "%s: %s\n", program_path, strerror(status));
        exit(2);
    }
    return pid;
}

static void text_read(char *out, size_t room, const char *path)
{
    FILE *file = fopen(path, "r");
    const size_t n = file ? fread(out, 1, room - 1, file) : 0;
    out[n] = '\0';
    if (file) {
        fclose(file);
    }
}

/* Wait at most so long. True when it has ended, its status in *status. SIGCHLD is blocked. */
static bool ended_within(int *status, pid_t pid, double seconds)
{
    const double end = clock_seconds() + seconds;
    sigset_t child;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    for (;;) {
        if (waitpid(pid, status, WNOHANG) == pid) {
            return true;
        }
        const double left = end - clock_seconds();
        if (left <= 0) {
            return false;
        }
        const struct timespec wait = {(time_t)left, (long)((left - (double)(time_t)left) * 1e9)};
        sigtimedwait(&child, NULL, &wait);
    }
}

void lab_wait(End *end, pid_t pid, double seconds, int signal)
{
    memset(end, 0, offsetof(End, out));
    const double start = clock_seconds();
    int status = 0;
    bool over = signal != 0 && ended_within(&status, pid, seconds);
    if (!over && signal != 0) {
        kill(pid, signal);
    }
    if (!over && !ended_within(&status, pid, HANG_SECONDS)) {
        end->hung = true;
        kill(pid, SIGKILL);
        waitpid(pid, &status, 0);
    }
    end->seconds = clock_seconds() - start;
    end->code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    end->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    text_read(end->out, sizeof(end->out), "out");
    text_read(end->err, sizeof(end->err), "err");
}

void lab_shell(const char *script)
{
    char *words[] = {(char *)"sh", (char *)"-c", (char *)script, NULL};
    pid_t pid;
    if (posix_spawn(&pid, "/bin/sh", NULL, NULL, words, environ) == 0) {
        waitpid(pid, NULL, 0);
    }
}

void lab_run(End *end, const char *command, int threads, bool with_shim)
{
    const pid_t pid = lab_start(command, threads, with_shim);
    lab_wait(end, pid, 0, 0);
}

bool lab_limit_works(const char *limit)
{
    static End end;
    lab_limit = limit;
    const pid_t pid = access("/usr/bin/prlimit", X_OK) == 0 ? lab_start("help", 0, false) : -1;
    lab_limit = NULL;
    if (pid > 0) {
        lab_wait(&end, pid, 0, 0);
    }
    return pid > 0 && end.code == 0;
}

bool lab_lock_held(const char *path, pid_t pid)
{
    const double end = clock_seconds() + 20;
    while (clock_seconds() < end) {
        long holder = 0;
        FILE *file = fopen(path, "r");
        const bool read = file && fscanf(file, "ogpt lock of process %ld", &holder) == 1;
        if (file) {
            fclose(file);
        }
        if (read && holder == (long)pid) {
            return true;
        }
        usleep(300);
    }
    return false;
}

void lab_fault(FaultClass class, FaultAction action, uint64_t at, bool sticky, int error)
{
    memset(lab_page, 0, sizeof(*lab_page));
    lab_page->class = (int)class;
    lab_page->action = (int)action;
    lab_page->at = at;
    lab_page->sticky = sticky;
    lab_page->error = error;
}

/* ---- directory ---- */

/* The inputs of all jobs. Their results go to a database of their own. */
static const char *const inputs[] = {
    "perft 3 --json --quiet --store base/results.db",
    "generate base/games.ogpc --games 400 --size 4 --quiet --store base/results.db",
    "export base/games.ogpc base/games.txt --format text --quiet",
    "train base/model --fresh --size 4 --layers 2 --d-model 16 --heads 2 --batch 16 --steps 20"
    " --quiet --store base/made.db",
    "probe fit base/model --corpus base/games.ogpc --out base/probe --games 60 --test-games 20"
    " --no-controls --quiet --store base/made.db",
    "cases make base/cases.csv --n 8 --size 4 --min-moves 2 --before-end 2 --quiet"
    " --store base/made.db",
    "cases make base/many.csv --n 30 --size 4 --min-moves 2 --before-end 2 --seed 2 --quiet"
    " --store base/made.db",
    "cases make base/tune.csv --n 8 --size 4 --min-moves 2 --before-end 2 --purpose tune --quiet"
    " --store base/made.db",
};

/* Memory where there is some: fsync costs nothing there, and kill -9 shows no more on a disk. */
static const char *place_choose(void)
{
    struct statvfs system;
    const char *given = getenv("TMPDIR");
    if (statvfs("/dev/shm", &system) == 0 && access("/dev/shm", W_OK) == 0 &&
        (uint64_t)system.f_bavail * system.f_frsize > ROOM_BYTES) {
        return "/dev/shm";
    }
    return given ? given : "/tmp";
}

static bool page_open(void)
{
    const int fd = open("page", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || ftruncate(fd, 4096) != 0) {
        return false;
    }
    void *mapped = mmap(NULL, sizeof(*lab_page), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    lab_page = mapped;
    return mapped != MAP_FAILED;
}

bool lab_open(const char *program, const char *shim)
{
    sigset_t child;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    sigprocmask(SIG_BLOCK, &child, NULL);
    char shim_path[FILES_PATH_MAX]; /* whole, for this process works in another folder */
    if (!realpath(program, program_path) || !realpath(shim, shim_path)) {
        fprintf(stderr, "%s or %s: %s\n", program, shim, strerror(errno));
        return false;
    }
    snprintf(shim_setting, sizeof(shim_setting), "LD_PRELOAD=%s", shim_path);
    snprintf(root, sizeof(root), "%s/ogpt-faults-XXXXXX", place_choose());
    if (!mkdtemp(root) || chdir(root) != 0 || !page_open() || dir_create("base") != 0) {
        fprintf(stderr, "%s: %s\n", root, strerror(errno));
        return false;
    }
    static End end;
    for (size_t i = 0; i < sizeof(inputs) / sizeof(inputs[0]); i++) {
        lab_run(&end, inputs[i], 0, false);
        if (end.code != 0) {
            fprintf(stderr, "ogpt %s: exit code %d: %s\n", inputs[i], end.code, end.err);
            return false;
        }
    }
    return true;
}

void lab_close(void)
{
    if (root[0] != '\0' && chdir("/") == 0) {
        dir_remove(root);
    }
}

void tally_add(FaultTally *tally, bool survived, const char *trial)
{
    static double told;
    tally->n_tried++;
    if (interrupt_pending() != 0) { /* what is in memory must not stay there */
        printf("%-4s %-36s tried %5d  survived %5d  lost %3d       %sstopped\n", tally->fault,
               tally->what, tally->n_tried - 1, tally->n_tried - 1 - tally->n_lost, tally->n_lost,
               tally->spoilt ? "twin " : "");
        lab_close();
        exit(128 + interrupt_pending());
    }
    if (clock_seconds() - told > TELL_SECONDS) {
        told = clock_seconds();
        fprintf(stderr, "   %s: %d tried so far, %d lost\n", tally->fault, tally->n_tried,
                tally->n_lost);
    }
    if (!survived && tally->n_lost++ < LOSSES_PRINTED && !tally->spoilt) {
        printf("   lost: %s: %s\n", trial, lab_message);
        fflush(stdout);
    }
}
