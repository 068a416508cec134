/* datasets/repeats.c - see datasets/repeats.h. A part is a chain of full pages in the spill, each
 * with the place of the page before it, and one page in memory that is being filled. */
#include "datasets/repeats.h"

#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/process.h"
#include "base/spill/spill.h"

#define PAGE_ENTRIES 127 /* with its link, a page has 2,048 bytes */
#define NO_PAGE UINT64_MAX

typedef struct HashEntry {
    uint64_t hash, index;
} HashEntry;

typedef struct HashPage {
    uint64_t before; /* page number, NO_PAGE: this is the first */
    uint64_t n;
    HashEntry entries[PAGE_ENTRIES];
} HashPage;

struct Repeats {
    Spill *spill;
    HashPage *filling; /* (REPEATS_PARTS) */
    uint64_t n_pages;  /* in the spill */
    uint64_t n;
};

int repeats_new(Repeats **out, const char *folder)
{
    Repeats *repeats = mem_calloc(1, sizeof(*repeats), "the hashes of all games");
    int rc = repeats ? spill_new(&repeats->spill, folder, "the hashes of all games") : OGPT_ENOMEM;
    if (rc == 0) {
        repeats->filling =
            mem_alloc(REPEATS_PARTS, sizeof(*repeats->filling), "the hashes of all games");
        rc = repeats->filling ? 0 : OGPT_ENOMEM;
    }
    for (size_t p = 0; rc == 0 && p < REPEATS_PARTS; p++) {
        repeats->filling[p].before = NO_PAGE;
        repeats->filling[p].n = 0;
    }
    if (rc != 0) {
        repeats_free(repeats);
        repeats = NULL;
    }
    *out = repeats;
    return rc;
}

void repeats_free(Repeats *repeats)
{
    if (repeats) {
        spill_free(repeats->spill);
        mem_free(repeats->filling);
        mem_free(repeats);
    }
}

uint64_t repeats_count(const Repeats *repeats)
{
    return repeats->n;
}

int repeats_add(Repeats *repeats, uint64_t hash)
{
    HashPage *page = &repeats->filling[hash / (UINT64_MAX / REPEATS_PARTS + 1)];
    if (page->n == PAGE_ENTRIES) {
        const int rc =
            spill_write(repeats->spill, page, sizeof(*page), repeats->n_pages * sizeof(*page));
        if (rc != 0) {
            return rc;
        }
        page->before = repeats->n_pages++;
        page->n = 0;
    }
    page->entries[page->n++] = (HashEntry){hash, repeats->n++};
    return 0;
}

/* The entries of one part, read from the back, so that the last page comes first. */
typedef struct HashPart {
    HashEntry *entries; /* (room) */
    uint32_t *table;    /* (n_places) 1 + the place of an entry; 0 is free */
    size_t n, room, n_places;
} HashPart;

static int part_reserve(HashPart *part, size_t n)
{
    size_t room = part->room ? part->room : 4 * PAGE_ENTRIES;
    while (room < n) {
        room *= 2;
    }
    if (room == part->room) {
        return 0;
    }
    HashEntry *larger = mem_realloc(part->entries, room, sizeof(*larger), "hashes of a part");
    if (larger) {
        part->entries = larger;
        part->room = room;
    }
    return larger ? 0 : OGPT_ENOMEM;
}

static int part_read(HashPart *part, const Repeats *repeats, const HashPage *last)
{
    HashPage page = *last;
    int rc = 0;
    part->n = 0;
    while (rc == 0) {
        rc = part_reserve(part, part->n + page.n);
        for (size_t i = 0; rc == 0 && i < page.n; i++) { /* of this page, too, the last first */
            part->entries[part->n++] = page.entries[page.n - 1 - i];
        }
        if (page.before == NO_PAGE) {
            break;
        }
        rc = rc ? rc : spill_read(repeats->spill, &page, sizeof(page), page.before * sizeof(page));
    }
    return rc;
}

/* A table of more than twice the entries, empty. */
static int part_table(HashPart *part)
{
    size_t places = 64;
    while (places < 2 * part->n) {
        places *= 2;
    }
    if (places > part->n_places) {
        mem_free(part->table);
        part->table = mem_alloc(places, sizeof(*part->table), "hashes of a part");
        part->n_places = part->table ? places : 0;
    }
    if (!part->table) {
        return OGPT_ENOMEM;
    }
    memset(part->table, 0, part->n_places * sizeof(*part->table));
    return 0;
}

/* Hashes are uniform: their low bits say where to begin. */
static bool part_has(HashPart *part, size_t i)
{
    const uint64_t hash = part->entries[i].hash;
    size_t at = (size_t)hash & (part->n_places - 1);
    while (part->table[at] != 0) {
        if (part->entries[part->table[at] - 1].hash == hash) {
            return true;
        }
        at = (at + 1) & (part->n_places - 1);
    }
    part->table[at] = (uint32_t)(i + 1);
    return false;
}

int repeats_find(Repeats *repeats, void (*found)(void *context, uint64_t index), void *context)
{
    HashPart part = {0};
    int rc = 0;
    for (size_t p = 0; rc == 0 && p < REPEATS_PARTS; p++) {
        rc = interrupt_pending() ? err_set(OGPT_EINTR, "interrupted while comparing games") : 0;
        rc = rc ? rc : part_read(&part, repeats, &repeats->filling[p]);
        rc = rc ? rc : part_table(&part);
        for (size_t i = part.n; rc == 0 && i-- > 0;) {
            if (part_has(&part, i)) {
                found(context, part.entries[i].index);
            }
        }
    }
    mem_free(part.entries);
    mem_free(part.table);
    return rc;
}
