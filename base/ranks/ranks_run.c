/* base/ranks/ranks_run.c - work dealt to ranks: who does what, and everybody gets the result.
 * Contract in base/ranks/ranks.h. */
#include <stdio.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/ranks/ranks.h"

void ranks_share(size_t *first, size_t *end, size_t n, int rank)
{
    size_t count = (size_t)ranks_count(), r = (size_t)rank;
    size_t each = n / count, more = n % count; /* the first `more` ranks have one more */
    *first = r * each + (r < more ? r : more);
    *end = *first + each + (r < more ? 1 : 0);
}

int ranks_owner(size_t thing, size_t n)
{
    size_t count = (size_t)ranks_count(), each = n / count, more = n % count;
    size_t with_more = more * (each + 1); /* things of the ranks that have one more */
    return (int)(thing < with_more ? thing / (each + 1) : more + (thing - with_more) / each);
}

int ranks_gather(void *things, size_t n, size_t n_bytes, size_t total)
{
    size_t bounds[RANKS_MAX + 1];
    total = total ? total : n * n_bytes;
    for (int rank = 0; rank < ranks_count(); rank++) {
        size_t first, end;
        ranks_share(&first, &end, n, rank);
        bounds[rank] = first * n_bytes < total ? first * n_bytes : total;
    }
    bounds[ranks_count()] = total;
    return ranks_gather_cut(things, bounds);
}

int ranks_broadcast(void *data, size_t n_bytes, int from)
{
    return ranks_broadcast_parts(&(RanksPart){.data = data, .n_bytes = n_bytes}, 1, from);
}

int ranks_same(const void *data, size_t n_bytes, const char *what)
{
    uint64_t own = xxh3(data, n_bytes), first = own;
    int rc = ranks_broadcast(&first, sizeof(first), 0);
    return rc || own == first ? rc
                              : err_set(OGPT_EUSAGE,
                                        "%s: other than those of the first rank; start the same "
                                        "program with the same words on every machine",
                                        what);
}

typedef struct Dealt {
    PoolJob job;
    void *context;
    size_t first;
} Dealt;

static int dealt_job(void *context, size_t job, size_t worker)
{
    const Dealt *dealt = context;
    return dealt->job(dealt->context, dealt->first + job, worker);
}

int ranks_agree(int rc)
{
    struct {
        int32_t rc;
        char message[1024];
    } told = {.rc = rc};
    if (ranks_count() == 1) {
        return rc;
    }
    int64_t lowest = rc ? ranks_count() - ranks_own() : 0;
    int failed = ranks_most(&lowest);
    if (failed || lowest == 0) {
        return failed;
    }
    if (rc) {
        snprintf(told.message, sizeof(told.message), "%s", err_message());
    }
    failed = ranks_broadcast(&told, sizeof(told), ranks_count() - (int)lowest);
    return failed ? failed : err_set(told.rc, "%s", told.message);
}

int ranks_run(Pool *pool, size_t n_jobs, PoolJob job, void *context, const RanksSlots *slots,
              size_t n_slots)
{
    size_t first, end;
    if (ranks_count() == 1) {
        return pool_run(pool, n_jobs, job, context);
    }
    ranks_share(&first, &end, n_jobs, ranks_own());
    Dealt dealt = {job, context, first};
    int rc = ranks_agree(pool_run(pool, end - first, dealt_job, &dealt));
    for (size_t i = 0; i < n_slots && rc == 0; i++) {
        rc = ranks_gather(slots[i].base, n_jobs, slots[i].n_bytes, slots[i].total);
    }
    return rc;
}
