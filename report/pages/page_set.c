/* report/pages/page_set.c - contract in report/pages/page_set.h. */
#include "report/pages/page_set.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/files.h"
#include "base/manifest.h"
#include "base/process.h"
#include "report/html.h"

struct PageSet {
    PageSetAbout about;
    Publish *publish;
    size_t n_pages, n_bytes;
};

/* ---- what is there ---- */

static bool says(const Js *manifest, const char *key, const char *value)
{
    const char *text = js_str_of(js_member(manifest, key));
    return text && strcmp(text, value) == 0;
}

/* Whether the folder holds its manifest, the pages that this names, and nothing else. */
static int is_whole(bool *whole, const Js *manifest, const char *path)
{
    char **names = NULL;
    size_t n = 0;
    int rc = dir_list(&names, &n, path);
    *whole = rc == 0;
    for (size_t i = 0; *whole && i < n; i++) {
        *whole = strcmp(names[i], MANIFEST_NAME) == 0 || manifest_file_sha256(manifest, names[i]);
    }
    names_free(names, n);
    return rc;
}

/* Whether a directory is a folder of pages of this command that nobody changed; `same`: of the same
 * command line. What cannot be read is an error, no answer. */
static int folder_look(bool *ours, bool *same, const PageSetAbout *about)
{
    Js *manifest = NULL;
    int rc = manifest_verify(&manifest, about->path);
    *ours = rc == 0 && says(manifest, "kind", "pages") && says(manifest, "command", about->command);
    *same = *ours && says(manifest, "command_line", about->command_line);
    rc = *ours ? is_whole(ours, manifest, about->path) : rc == OGPT_EFORMAT ? 0 : rc;
    js_free(manifest);
    return rc;
}

int page_set_check(const PageSetAbout *about)
{
    PathKind kind = PATH_MISSING;
    bool ours = false, same = false;
    int rc = path_kind(&kind, about->path);
    if (rc == 0 && kind == PATH_DIRECTORY) {
        rc = folder_look(&ours, &same, about);
    }
    if (rc != 0 || kind == PATH_MISSING) {
        return rc;
    }
    if (!ours) {
        return err_set(OGPT_EUSAGE,
                       "%s: expected nothing, or a folder that 'ogpt %s --pages' made and nobody "
                       "changed; give --pages another name",
                       about->path, about->command);
    }
    return same || about->replace
               ? 0
               : err_set(OGPT_EUSAGE,
                         "%s: exists; give --pages another name, or --force to replace it",
                         about->path);
}

/* ---- pages ---- */

int page_set_begin(PageSet **out, const PageSetAbout *about)
{
    size_t n_stale = 0;
    PageSet *set = mem_calloc(1, sizeof(*set), "pages");
    *out = NULL;
    int rc = set ? page_set_check(about) : OGPT_ENOMEM;
    rc = rc ? rc : path_clean_stale(&n_stale, about->path);
    rc = rc ? rc : publish_begin(&set->publish, about->path, true);
    if (rc != 0) {
        mem_free(set);
        return rc;
    }
    set->about = *about;
    *out = set;
    return 0;
}

void page_set_abort(PageSet *set)
{
    if (set) {
        publish_abort(set->publish);
        mem_free(set);
    }
}

static const char *source_of(const char *name)
{
    const PageSource *source = page_sources;
    while (source->name && strcmp(source->name, name) != 0) {
        source++;
    }
    return source->text;
}

static void link_add(Text *page, const char *name, const char *relation, const char *sign)
{
    if (name) {
        text_add(page, "<a rel=\"%s\" href=\"", relation);
        html_text(page, name);
        text_add(page, ".html\">%s", sign);
        html_text(page, name);
        text_add(page, "</a>\n");
    }
}

/* What the numbers of a page are of. */
static void source_add(Text *page, const PageSetAbout *about)
{
    text_add(page, "<p class=\"same\">Network <bdi>");
    html_text(page, about->model);
    text_add(page, "</bdi>");
    if (about->model_hash) {
        text_add(page, ", weights <code>%.12s</code>", about->model_hash);
    }
    text_add(page, "; made by <code>");
    html_text(page, about->command_line);
    text_add(page, "</code></p>\n");
}

/* Finish, write and release a page. */
static int page_save(PageSet *set, Text *page, const char *name)
{
    char file[80];
    source_add(page, &set->about);
    html_page_end(page);
    snprintf(file, sizeof(file), "%s.html", name);
    int rc = page->failed          ? OGPT_ENOMEM
             : interrupt_pending() ? OGPT_EINTR
                                   : publish_file(set->publish, file, page->data, page->length);
    set->n_pages++;
    set->n_bytes += page->length;
    text_release(page);
    return rc;
}

static void lead_add(Text *page, const char *lead)
{
    text_add(page, "<p class=\"lead\">");
    html_text(page, lead);
    text_add(page, "</p>\n");
}

/* The head of a page: "NAME of MODEL". */
static void page_open(Text *page, const PageSetAbout *about, const char *name,
                      const HtmlExtras *extras)
{
    Text title = {0};
    text_add(&title, "%s of %s", name, about->model);
    html_page_begin(page, title.data ? title.data : "", about->command_line, extras);
    page->failed = page->failed || title.failed;
    text_release(&title);
}

int page_set_add(PageSet *set, const PageOne *one)
{
    Text page = {0};
    page_open(&page, &set->about, one->name, &(HtmlExtras){.style = source_of("pages.css")});
    text_add(&page, "<nav class=\"between\" aria-label=\"Pages\">\n");
    link_add(&page, one->before, "prev", "← ");
    text_add(&page, "<a href=\"index.html\">all ");
    html_text(&page, set->about.command);
    text_add(&page, "</a>\n");
    link_add(&page, one->next, "next", "→ ");
    text_add(&page, "</nav>\n<h1>");
    html_text(&page, one->name);
    text_add(&page, "</h1>\n");
    lead_add(&page, one->lead);
    text_add(&page, "%s", one->body->data ? one->body->data : "");
    page.failed = page.failed || one->body->failed;
    return page_save(set, &page, one->name);
}

int page_set_index(PageSet *set, const char *lead, const Text *body)
{
    Text page = {0};
    Text style = {0};
    text_add(&style, "%s%s", source_of("pages.css"), source_of("index.css"));
    page_open(&page, &set->about, set->about.command,
              &(HtmlExtras){style.data ? style.data : "", source_of("index.js")});
    page.failed = page.failed || style.failed;
    text_release(&style);
    text_add(&page, "<h1>All ");
    html_text(&page, set->about.command);
    text_add(&page, "</h1>\n");
    lead_add(&page, lead);
    text_add(&page, "%s", body->data ? body->data : "");
    page.failed = page.failed || body->failed;
    return page_save(set, &page, "index");
}

int page_set_commit(PageSet *set, Report *report)
{
    Js *fields = js_object();
    js_set_str(fields, "kind", "pages");
    js_set_str(fields, "command", set->about.command);
    js_set_str(fields, "command_line", set->about.command_line);
    int rc = page_set_check(&set->about); /* pages take minutes: what lies there now? */
    if (rc == 0) {
        rc = publish_commit(set->publish, fields);
    } else {
        publish_abort(set->publish);
    }
    if (rc == 0) {
        report_json(report, "pages", js_str(set->about.path));
        report_json(report, "page_count", js_int((int64_t)set->n_pages));
        report_json(report, "page_bytes", js_int((int64_t)set->n_bytes));
        text_add(report_text(report), "\n%s/index.html: %zu pages, %.1f MB; open it in a browser\n",
                 set->about.path, set->n_pages, (double)set->n_bytes / 1e6);
    }
    js_free(fields);
    mem_free(set);
    return rc;
}
