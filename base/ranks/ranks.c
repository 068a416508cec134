/* base/ranks/ranks.c - ranks by MPI, or one rank without it. Contract in base/ranks/ranks.h. The
 * only file that includes <mpi.h>.
 *
 * Nothing here waits inside MPI: every operation is begun and then asked for, again and again,
 * because a rank that waits must also hear that another one has failed, and must leave the
 * processor to the others where ranks are more than cores.
 */
#define _GNU_SOURCE
#include "base/ranks/ranks.h"

#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/process.h"

typedef struct Peer {
    char host[72];
    int64_t pid;
    char died[320]; /* what is said of it if it dies; "" on another machine */
} Peer;

static struct {
    int own, count, local;
    Peer *peers;      /* (count) */
    atomic_bool over; /* ending, or ended by an error: no more MPI, and no word about who died */
    char host[72];
} ranks = {.count = 1, .local = 1};

void ranks_pretend(int own, int count)
{
    ranks.own = own;
    ranks.count = count;
}

int ranks_own(void)
{
    return ranks.own;
}

int ranks_count(void)
{
    return ranks.count;
}

bool ranks_first(void)
{
    return ranks.own == 0;
}

const char *ranks_host(void)
{
    struct utsname system;
    if (ranks.host[0] == '\0' && uname(&system) == 0) {
        snprintf(ranks.host, sizeof(ranks.host), "%s", system.nodename);
    }
    return ranks.host;
}

/* A launcher that binds its ranks to cores has divided them already. */
size_t ranks_cores(void)
{
    long all = sysconf(_SC_NPROCESSORS_ONLN);
    size_t share = all > ranks.local ? (size_t)(all / ranks.local) : 1;
    return ranks.count == 1 || pool_cores() < share ? pool_cores() : share;
}

/* How many processes the launcher started, as it says in the environment; 1: no launcher. */
static long launched(void)
{
    static const char *const names[] = {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS"};
    /* The first that is set: mpirun inside srun leaves srun's own number to its ranks. */
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const char *text = getenv(names[i]);
        if (text) {
            return strtol(text, NULL, 10);
        }
    }
    return 1;
}

#ifndef OGPT_MPI

int ranks_begin(void)
{
    long n = launched();
    return n <= 1 ? 0
                  : err_set(OGPT_EUSAGE,
                            "started %ld times at once by mpirun or srun, but built without MPI: "
                            "the processes would fight over their files; build with "
                            "-DOGPT_MPI=ON (docs/CLUSTER.md), or start one (srun -n 1)",
                            n);
}

int ranks_finish(int rc)
{
    return rc;
}

int ranks_leave(int rc, int exit_code)
{
    (void)rc;
    return exit_code;
}

const char *ranks_library(void)
{
    return NULL;
}

int ranks_broadcast_parts(const RanksPart *parts, size_t n, int from)
{
    return 0;
}

int ranks_most(int64_t *value)
{
    return 0;
}

int ranks_gather_cut(void *data, const size_t *bounds)
{
    return 0;
}

int ranks_exchange(const RanksPart *sent, size_t n_sent, const RanksPart *received,
                   size_t n_received)
{
    return 0;
}

#else

#include <mpi.h>

#define SPINS 400              /* looks before a wait begins to sleep */
#define PATIENCE 800           /* looks before others are asked whether they have failed */
#define SLEEP_NS 50000         /* between two looks then */
#define PIECE_BYTES (1u << 30) /* MPI counts in int */
#define END_SECONDS 600        /* that a failed rank waits for the first to say it */
#define GATHER_PARTS 256       /* of a broadcast under way at one time */
#define EXCHANGE_FEW 32        /* messages of an exchange */

enum { TAG_FAILED = 1, TAG_END, TAG_HEARD, TAG_PART };

/* What a rank says when it fails. */
typedef struct Failure {
    int rc;
    char message[1024];
} Failure;

static MPI_Comm control; /* of failures and the end; data go over MPI_COMM_WORLD */
static int end_code;     /* on the others: the exit code that the first rank named */
static bool joined;      /* MPI is there */
static bool told;        /* this rank has ended the job, or has heard that it ended */
/* (count) of the ranks of this machine, in memory that they share: this one goes by intention, and
 * what is to be said is said. NULL: no such memory. Read in a signal handler. */
static atomic_uchar *gone;
static MPI_Comm machine;
static MPI_Win gone_window;

/* This rank knows how the job ended: it says no word about who is missed, nor does another one of
 * this machine about it. */
static void job_is_over(void)
{
    atomic_store(&ranks.over, true);
    if (gone) {
        atomic_store(&gone[ranks.own], 1);
    }
}

static void nap(unsigned turn)
{
    if (turn < SPINS) {
        sched_yield();
    } else {
        nanosleep(&(struct timespec){.tv_nsec = SLEEP_NS}, NULL);
    }
}

/* Take one message of this tag, if there is one. Returns its sender, or -1. */
static int control_take(void *data, int n_bytes, int from, int tag)
{
    int there = 0;
    MPI_Status status;
    if (MPI_Iprobe(from, tag, control, &there, &status) != MPI_SUCCESS || !there) {
        return -1;
    }
    MPI_Recv(data, n_bytes, MPI_BYTE, status.MPI_SOURCE, tag, control, MPI_STATUS_IGNORE);
    return status.MPI_SOURCE;
}

static void control_send(const void *data, int n_bytes, int to, int tag)
{
    MPI_Request request;
    int sent = 0;
    MPI_Isend(data, n_bytes, MPI_BYTE, to, tag, control, &request);
    for (unsigned turn = 0; !sent && turn < 20000; turn++) { /* a second: the other may be gone */
        MPI_Test(&request, &sent, MPI_STATUS_IGNORE);
        nap(turn);
    }
}

/* The first rank ends the job: the others are told, and heard, so that they say nothing when they
 * miss this one. Those that compute too long to answer are left to the launcher. */
static void end_job(int exit_code, int failed)
{
    static char answers[sizeof(Failure)];
    int left = ranks.count - 1 - (failed > 0);
    told = true;
    job_is_over();
    for (int rank = 1; rank < ranks.count; rank++) {
        control_send(&exit_code, sizeof(exit_code), rank, TAG_END);
    }
    double start = clock_seconds();
    for (unsigned turn = 0; left > 0 && clock_seconds() - start < 3; turn++) {
        left -= control_take(answers, sizeof(Failure), MPI_ANY_SOURCE, TAG_FAILED) >= 0;
        left -= control_take(answers, 1, MPI_ANY_SOURCE, TAG_HEARD) >= 0;
        nap(turn);
    }
}

/* Has another rank failed (seen by the first), or has the job ended (by the others)? */
static int control_look(void)
{
    static Failure failure;
    if (ranks.own == 0) {
        int from = control_take(&failure, sizeof(failure), MPI_ANY_SOURCE, TAG_FAILED);
        if (from < 0) {
            return 0;
        }
        end_job(err_exit_code(failure.rc, interrupt_pending()), from);
        return failure.rc == OGPT_EINTR
                   ? err_set(failure.rc, "%s", failure.message)
                   : err_set(failure.rc, "rank %d of %d on %s: %s", from, ranks.count,
                             ranks.peers[from].host, failure.message);
    }
    if (control_take(&end_code, sizeof(end_code), 0, TAG_END) < 0) {
        return 0;
    }
    told = true;
    job_is_over();
    control_send("", 1, 0, TAG_HEARD);
    return err_set(OGPT_EIO, "the first rank ended the job");
}

/* Whether this process has others to talk to; *rc: 0, or that the job has ended. */
static bool takes_part(int *rc)
{
    bool over = joined && atomic_load(&ranks.over);
    *rc = over ? err_set(OGPT_EIO, "rank %d of %d: the job has ended", ranks.own, ranks.count) : 0;
    return joined && !over;
}

static int lost(void)
{
    atomic_store(&ranks.over, true);
    return err_set(OGPT_EIO,
                   "rank %d of %d on %s: the connection to another rank broke; what was saved "
                   "stays, type the same command to go on",
                   ranks.own, ranks.count, ranks_host());
}

static int wait_all(MPI_Request *requests, int n)
{
    for (unsigned turn = 0;; turn++) {
        int done = 0;
        if (MPI_Testall(n, requests, &done, MPI_STATUSES_IGNORE) != MPI_SUCCESS) {
            return lost();
        }
        if (done) {
            return 0;
        }
        /* Not at once: where all fail alike, the first rank does so by itself a moment later. */
        int rc = turn < PATIENCE ? 0 : control_look();
        if (rc) {
            return rc;
        }
        nap(turn);
    }
}

/* In a signal handler: who of this machine is missed? The lowest rank left here says it, but no
 * word of those that went by intention: why was said. */
static void signal_seen(int signal_number)
{
    int lowest = ranks.own, dead = -1;
    bool left = false;
    if (signal_number != SIGTERM || atomic_load(&ranks.over)) {
        return;
    }
    for (int rank = ranks.count - 1; rank >= 0; rank--) {
        const Peer *peer = &ranks.peers[rank];
        if (rank == ranks.own || peer->died[0] == '\0') {
            continue;
        }
        if (kill((pid_t)peer->pid, 0) != 0 && errno == ESRCH) {
            bool meant = gone && atomic_load(&gone[rank]);
            left = left || meant;
            dead = meant ? dead : rank;
        } else if (rank < lowest) {
            lowest = rank;
        }
    }
    const char *line = dead >= 0 ? ranks.peers[dead].died : "";
    if (lowest == ranks.own && write(STDERR_FILENO, line, strlen(line)) < 0) {
        _exit(err_exit_code(OGPT_EIO, 0));
    }
    if (dead >= 0 || left) {
        _exit(err_exit_code(OGPT_EIO, 0));
    }
}

/* Who else is there, and where. */
static int meet(void)
{
    Peer own = {.pid = getpid()};
    snprintf(own.host, sizeof(own.host), "%s", ranks_host());
    ranks.peers = mem_calloc((size_t)ranks.count, sizeof(Peer), "the table of ranks");
    if (!ranks.peers) {
        return OGPT_ENOMEM;
    }
    MPI_Request request;
    ranks.peers[ranks.own] = own;
    MPI_Iallgather(&own, sizeof(own), MPI_BYTE, ranks.peers, sizeof(Peer), MPI_BYTE, MPI_COMM_WORLD,
                   &request);
    int rc = wait_all(&request, 1);
    ranks.local = 0;
    for (int rank = 0; rank < ranks.count && rc == 0; rank++) {
        Peer *peer = &ranks.peers[rank];
        peer->died[0] = '\0';
        if (strcmp(peer->host, own.host) == 0) {
            ranks.local++;
            snprintf(peer->died, sizeof(peer->died),
                     "ogpt: rank %d of %d died (process %lld on %s), so the job is over; what was "
                     "saved stays: type the same command to go on\n",
                     rank, ranks.count, (long long)peer->pid, peer->host);
        }
    }
    return rc;
}

/* Memory that the ranks of this machine share: all of them have it, or none. Without it the job
 * runs as well. */
static void share_memory(void)
{
    atomic_uchar *own = NULL, *base = NULL;
    MPI_Aint n_bytes = 0;
    enum { MADE, FOUND };
    int unit = 1, local = 0, own_steps[2] = {0}, all_steps[2] = {0};
    MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &machine);
    MPI_Comm_set_errhandler(machine, MPI_ERRORS_RETURN);
    MPI_Comm_rank(machine, &local);
    n_bytes = local == 0 ? ranks.count : 0;
    own_steps[MADE] = MPI_Win_allocate_shared(n_bytes, 1, MPI_INFO_NULL, machine, &own,
                                              &gone_window) == MPI_SUCCESS;
    own_steps[FOUND] = own_steps[MADE] &&
                       MPI_Win_shared_query(gone_window, 0, &n_bytes, &unit, &base) == MPI_SUCCESS;
    if (own_steps[FOUND]) {
        atomic_store(&base[ranks.own], 0);
    }
    MPI_Allreduce(own_steps, all_steps, 2, MPI_INT, MPI_MIN, machine);
    if (all_steps[FOUND]) {
        gone = base; /* behind the reduction the byte of every rank is 0 */
    } else if (all_steps[MADE]) {
        MPI_Win_free(&gone_window); /* all of them together */
    }
}

int ranks_begin(void)
{
    int level = 0;
    if (launched() <= 1) { /* MPI would start a daemon of its own for a process alone */
        return 0;
    }
    /* Shared memory without looking into the other process: Open MPI prints a line of its own when
     * that one has died. */
    setenv("OMPI_MCA_btl_vader_single_copy_mechanism", "none", 0);
    if (MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &level) != MPI_SUCCESS) {
        return err_set(OGPT_EIO, "MPI cannot be started");
    }
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    MPI_Comm_dup(MPI_COMM_WORLD, &control);
    MPI_Comm_set_errhandler(control, MPI_ERRORS_RETURN);
    MPI_Comm_rank(MPI_COMM_WORLD, &ranks.own);
    MPI_Comm_size(MPI_COMM_WORLD, &ranks.count);
    if (ranks.count > RANKS_MAX || ranks.count != launched()) {
        int count = ranks.count;
        ranks.count = count > RANKS_MAX ? count : 1;
        return err_set(OGPT_EUSAGE,
                       "started %ld times, but MPI knows of %d processes (at most %d): start them "
                       "with the mpirun of %s, or with srun --mpi=pmix",
                       launched(), count, RANKS_MAX, ranks_library());
    }
    int rc = meet();
    share_memory();
    joined = true;
    interrupt_watch(signal_seen);
    return rc;
}

int ranks_finish(int rc)
{
    int64_t nothing = 0;
    return rc ? rc : ranks_most(&nothing);
}

/* Wait for the end that the first rank declares. It prints and closes its files meanwhile, so it
 * may leave first. */
static void await_end(int rc)
{
    static Failure failure;
    if (!told) {
        failure.rc = rc;
        snprintf(failure.message, sizeof(failure.message), "%s", err_message());
        control_send(&failure, sizeof(failure), 0, TAG_FAILED);
        end_code = err_exit_code(rc, interrupt_pending());
        double start = clock_seconds();
        bool heard = false;
        while (!heard && clock_seconds() - start < END_SECONDS) {
            heard = control_take(&end_code, sizeof(end_code), 0, TAG_END) >= 0;
            nap(SPINS);
        }
        if (!heard && rc != OGPT_EINTR) { /* the first one still computes: then this one says it */
            char line[sizeof(failure.message) + 128];
            int n = snprintf(line, sizeof(line), "ogpt: rank %d of %d on %s: %s\n", ranks.own,
                             ranks.count, ranks_host(), failure.message);
            heard = write(STDERR_FILENO, line, (size_t)n) == n;
        }
        job_is_over();
    }
    for (int i = 0; i < 200 && interrupt_pending() == 0; i++) {
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
}

int ranks_leave(int rc, int exit_code)
{
    if (ranks.count == 1 || !ranks.peers) {
        return exit_code;
    }
    if (rc == 0 && !atomic_load(&ranks.over)) {
        atomic_store(&ranks.over, true); /* before the first process is gone */
        int64_t nothing = 0;
        MPI_Request request;
        MPI_Iallreduce(MPI_IN_PLACE, &nothing, 1, MPI_INT64_T, MPI_MAX, MPI_COMM_WORLD, &request);
        wait_all(&request, 1);
        if (gone) {
            MPI_Win_free(&gone_window);
        }
        MPI_Finalize();
        return exit_code;
    }
    if (ranks.own == 0) {
        if (!told) {
            end_job(exit_code, -1);
        }
        return exit_code;
    }
    await_end(rc);
    _exit(end_code);
}

const char *ranks_library(void)
{
    static char name[MPI_MAX_LIBRARY_VERSION_STRING];
    int length = 0;
    if (name[0] == '\0' && MPI_Get_library_version(name, &length) == MPI_SUCCESS) {
        name[strcspn(name, ",\n")] = '\0'; /* without who packed it, and where it is */
    }
    return name;
}

int ranks_broadcast_parts(const RanksPart *parts, size_t n, int from)
{
    MPI_Request requests[GATHER_PARTS];
    int n_requests = 0, rc = 0;
    if (!takes_part(&rc)) {
        return rc;
    }
    for (size_t i = 0; i < n && rc == 0; i++) {
        for (size_t at = 0; at < parts[i].n_bytes && rc == 0; at += PIECE_BYTES) {
            size_t left = parts[i].n_bytes - at;
            MPI_Ibcast((char *)parts[i].data + at, (int)(left < PIECE_BYTES ? left : PIECE_BYTES),
                       MPI_BYTE, from, MPI_COMM_WORLD, &requests[n_requests++]);
            if (n_requests == GATHER_PARTS) {
                rc = wait_all(requests, n_requests);
                n_requests = 0;
            }
        }
    }
    return rc || n_requests == 0 ? rc : wait_all(requests, n_requests);
}

int ranks_most(int64_t *value)
{
    MPI_Request request;
    int rc;
    if (!takes_part(&rc)) {
        return rc;
    }
    MPI_Iallreduce(MPI_IN_PLACE, value, 1, MPI_INT64_T, MPI_MAX, MPI_COMM_WORLD, &request);
    return wait_all(&request, 1);
}

int ranks_gather_cut(void *data, const size_t *bounds)
{
    int counts[RANKS_MAX], begins[RANKS_MAX];
    bool large = bounds[ranks.count] > INT_MAX; /* too many bytes for one call: rank by rank */
    int rc = 0;
    if (!takes_part(&rc)) {
        return rc;
    }
    for (int rank = 0; rank < ranks.count && rc == 0; rank++) {
        size_t n_bytes = bounds[rank + 1] - bounds[rank];
        if (large) {
            rc = ranks_broadcast((char *)data + bounds[rank], n_bytes, rank);
        } else {
            begins[rank] = (int)bounds[rank];
            counts[rank] = (int)n_bytes;
        }
    }
    if (rc || large) {
        return rc;
    }
    MPI_Request request;
    MPI_Iallgatherv(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, data, counts, begins, MPI_BYTE,
                    MPI_COMM_WORLD, &request);
    return wait_all(&request, 1);
}

int ranks_exchange(const RanksPart *sent, size_t n_sent, const RanksPart *received,
                   size_t n_received)
{
    size_t n = n_sent + n_received;
    int n_requests = 0, rc = 0;
    if (!takes_part(&rc)) {
        return rc;
    }
    for (size_t i = 0; i < n && rc == 0; i++) {
        const RanksPart *part = i < n_received ? &received[i] : &sent[i - n_received];
        rc = part->n_bytes > INT_MAX
                 ? err_set(OGPT_ENOMEM, "%zu bytes for another rank, at most %d", part->n_bytes,
                           INT_MAX)
                 : 0;
    }
    MPI_Request few[EXCHANGE_FEW], *requests = few; /* few need no memory, which may be missing */
    if (rc == 0 && n > EXCHANGE_FEW) {
        requests = mem_alloc(n, sizeof(*requests), "messages");
    }
    if (rc || !requests) {
        return rc ? rc : OGPT_ENOMEM;
    }
    for (size_t i = 0; i < n_received; i++) {
        MPI_Irecv(received[i].data, (int)received[i].n_bytes, MPI_BYTE, received[i].rank, TAG_PART,
                  MPI_COMM_WORLD, &requests[n_requests++]);
    }
    for (size_t i = 0; i < n_sent; i++) {
        MPI_Isend(sent[i].data, (int)sent[i].n_bytes, MPI_BYTE, sent[i].rank, TAG_PART,
                  MPI_COMM_WORLD, &requests[n_requests++]);
    }
    rc = wait_all(requests, n_requests);
    if (requests != few) {
        mem_free(requests);
    }
    return rc;
}

#endif
