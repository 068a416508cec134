/* report/pages/page_set.h - a folder of pages for a browser, of which each is whole in itself.
 *
 * The folder appears complete or not at all (base/manifest.h); its manifest says which command line
 * made it, and has the hash of each page. A folder that is there is replaced only if it is such a
 * folder of the same command, with nothing in it that is not in its manifest, and if it was made by
 * the same command line, or `replace` is set. So no file of anybody else gets lost.
 */
#ifndef OGPT_REPORT_PAGES_PAGE_SET_H
#define OGPT_REPORT_PAGES_PAGE_SET_H

#include "report/report.h"

typedef struct PageSet PageSet;

/* What all pages say. Borrowed as long as the set is. */
typedef struct PageSetAbout {
    const char *path;               /* of the folder */
    const char *command;            /* and what has a page each: "heads" */
    const char *command_line;       /* as typed */
    const char *model, *model_hash; /* as typed; or NULL */
    bool replace;
} PageSetAbout;

/* Whether a folder may be made there: 0, OGPT_EUSAGE (something else is there), OGPT_EIO or
 * OGPT_ENOMEM (what is there could not be read). */
int page_set_check(const PageSetAbout *about);

/* Begin the folder beside its place. Errors as page_set_check; OGPT_ENOMEM. */
int page_set_begin(PageSet **out, const PageSetAbout *about);
/* The page NAME.html about one thing, with the names of those in front of it and behind it, or
 * NULL. `body` is what stands below its heading. Returns 0, OGPT_EIO, OGPT_ENOMEM, OGPT_EINTR. */
typedef struct PageOne {
    const char *name, *before, *next;
    const char *lead; /* one sentence below the heading, in plain text */
    const Text *body;
} PageOne;
int page_set_add(PageSet *set, const PageOne *page);
/* The page index.html, whose lists can be sorted and filtered. Errors as page_set_add. */
int page_set_index(PageSet *set, const char *lead, const Text *body);

/* Put the folder into its place, and say so in the report: `pages`, `page_count`, `page_bytes`, the
 * index included. What lies there is looked at once more: it may have come while pages were made.
 * Always frees the set. Errors as page_set_check and publish_commit. */
int page_set_commit(PageSet *set, Report *report);
void page_set_abort(PageSet *set); /* NULL is fine */

/* A style sheet and a script of this folder, as C text. */
typedef struct PageSource {
    const char *name; /* "pages.css" */
    const char *text; /* ends with a NUL that `n_bytes` does not count */
    size_t n_bytes;
} PageSource;
extern const PageSource page_sources[]; /* the last has no name */

#endif
