/* explorer/explorer_page.c - contract in explorer/explorer_page.h. */
#include "explorer/explorer_page.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/formats/base64.h"
#include "base/err.h"
#include "base/files.h"
#include "base/hash.h"
#include "base/stream.h"
#include "explorer/internal.h"

/* ---- what can be shown ---- */

static int check_numbers(const ExplorerPage *page, uint64_t n)
{
    return n <= EXPLORER_MAX_NUMBERS
               ? 0
               : err_set(OGPT_EUSAGE,
                         "the network has %zu parameters, all that a page shows has %" PRIu64
                         " numbers; a page holds at most %d",
                         page->subject->model.gpt->n_numbers, n, EXPLORER_MAX_NUMBERS);
}

int explorer_check(const ExplorerPage *page, const char *path)
{
    const Probe *probe = page->probe;
    if (page->subject->variant->rules != RULES_CLASSIC) {
        return err_set(OGPT_EUSAGE, "%s: plays by the rules %s, a page knows classic alone",
                       page->subject->model.path, game_rules_name(page->subject->variant->rules));
    }
    if (strcmp(probe->task, "mine") != 0 && strcmp(probe->task, "colour") != 0) {
        return err_set(OGPT_EUSAGE,
                       "%s: expected a probe of task mine or colour, found task %s; fit one with "
                       "ogpt probe fit --task mine",
                       path, probe->task);
    }
    if (probe->site != HOOK_RESID_PRE && probe->site != HOOK_RESID_MID &&
        probe->site != HOOK_RESID_POST) {
        return err_set(OGPT_EUSAGE,
                       "%s: expected a probe of the residual stream (" HOOK_NAMES_STREAM
                       "), found site %s",
                       path, hook_site_name(probe->site));
    }
    int rc = probe_check_linear(probe, path);
    rc = rc ? rc : probe_check_finished(probe, path);
    return rc ? rc : check_numbers(page, explorer__n_numbers_read(page));
}

int explorer_check_sae(const ExplorerPage *page, const char *path)
{
    const ModelFile *model = &page->subject->model;
    const SaeConfig *cfg = &page->sae->cfg;
    if (cfg->kind == SAE_TRANSCODER) {
        return err_set(OGPT_EUSAGE,
                       "%s: a transcoder, which rebuilds other rows than it reads; a page shows "
                       "autoencoders of the residual stream",
                       path);
    }
    int rc = sae_check(page->sae, path, &model->gpt->cfg, model->model_hash, model->path, -1, 0);
    if (rc == 0 && !hook_site_serves(cfg->site, HOOK_USE_STREAM)) {
        rc = err_set(OGPT_EUSAGE,
                     "%s: expected an autoencoder of the residual stream (" HOOK_NAMES_STREAM
                     "), found site %s",
                     path, hook_site_name(cfg->site));
    }
    return rc ? rc : check_numbers(page, explorer__n_numbers(page));
}

/* ---- sources ---- */

void explorer_join(Text *text, const char *folder)
{
    for (const ExplorerSource *file = explorer_sources; file->name; file++) {
        if (strncmp(file->name, folder, strlen(folder)) == 0) {
            text_add(text, "%s", file->text);
        }
    }
}

static const ExplorerSource *source_find(const char *name)
{
    const ExplorerSource *file = explorer_sources;
    while (file->name && strcmp(file->name, name) != 0) {
        file++;
    }
    return file;
}

/* 'sha256-...' of a text, as a policy names it. */
static void add_hash(Text *text, const Text *source)
{
    char hash[BASE64_HASH_SIZE];
    base64_hash(hash, source->data, source->length);
    text_add(text, "'%s'", hash);
}

/* ---- the page ---- */

/* The parts that the template names as {{NAME}}. */
typedef struct PageParts {
    Text policy, style, about, core, page;
} PageParts;

static void parts_make(PageParts *parts, const ExplorerPage *page)
{
    explorer_join(&parts->style, "page.css");
    text_add(&parts->core, "'use strict';\n");
    explorer_join(&parts->core, "core/");
    text_add(&parts->page, "'use strict';\n");
    explorer_join(&parts->page, "page/");
    explorer__about(&parts->about, page);
    if (parts->core.failed || parts->page.failed || parts->style.failed) {
        parts->policy.failed = true;
        return;
    }
    text_add(&parts->policy, "default-src 'none'; script-src ");
    add_hash(&parts->policy, &parts->core);
    text_add(&parts->policy, " ");
    add_hash(&parts->policy, &parts->page);
    text_add(&parts->policy, "; style-src ");
    add_hash(&parts->policy, &parts->style);
    text_add(&parts->policy,
             "; img-src data:; worker-src blob:; base-uri 'none'; form-action 'none'");
}

static void parts_release(PageParts *parts)
{
    text_release(&parts->policy);
    text_release(&parts->style);
    text_release(&parts->about);
    text_release(&parts->core);
    text_release(&parts->page);
}

/* The part that `mark`, behind "{{", begins with; *length that of its name. NULL: the numbers. */
static const Text *part_of(size_t *length, const PageParts *parts, const char *mark)
{
    const struct {
        const char *name;
        const Text *text;
    } names[] = {{"policy", &parts->policy}, {"style", &parts->style}, {"about", &parts->about},
                 {"core", &parts->core},     {"page", &parts->page},   {"numbers", NULL}};
    size_t i = 0;
    *length = strcspn(mark, "}");
    while (i < 5 && (strlen(names[i].name) != *length || strncmp(names[i].name, mark, *length))) {
        i++;
    }
    return names[i].text;
}

static int write_parts(StreamWriter *file, ExplorerWritten *out, const ExplorerPage *page,
                       const PageParts *parts)
{
    const char *at = source_find("page.html")->text, *mark;
    int rc = 0;
    while (rc == 0 && (mark = strstr(at, "{{"))) {
        size_t length = 0;
        const Text *text = part_of(&length, parts, mark + 2);
        rc = stream_writer_add(file, at, (size_t)(mark - at));
        if (rc == 0 && text) {
            rc = stream_writer_add(file, text->data, text->length);
        } else if (rc == 0) {
            rc = explorer__write_numbers(file, &out->weight_change, page);
        }
        at = mark + 2 + length + 2;
    }
    return rc ? rc : stream_writer_add(file, at, strlen(at));
}

static int write_file(ExplorerWritten *out, const ExplorerPage *page, const PageParts *parts,
                      const char *path, bool replace)
{
    char temporary[FILES_PATH_MAX];
    StreamWriter *file = NULL;
    int rc = path_temporary(temporary, path);
    rc = rc ? rc : stream_writer_new(&file, temporary);
    if (rc != 0) {
        return rc;
    }
    rc = write_parts(file, out, page, parts);
    if (rc != 0) {
        stream_writer_abort(file);
        return rc;
    }
    rc = stream_writer_finish(file);
    rc = rc ? rc : file_publish(temporary, path, replace);
    return rc ? rc : file_size(&out->page_bytes, path);
}

int explorer_write(ExplorerWritten *out, const ExplorerPage *page, const char *path, bool replace)
{
    PageParts parts = {0};
    *out = (ExplorerWritten){.n_parameters = page->subject->model.gpt->n_numbers,
                             .n_numbers = explorer__n_numbers(page),
                             .feature_change = NAN,
                             .features_turned = NAN};
    for (const ExplorerSource *file = explorer_sources; file->name; file++) {
        out->code_bytes += file->n_bytes;
    }
    parts_make(&parts, page);
    int rc = parts.policy.failed || parts.about.failed
                 ? err_set(OGPT_ENOMEM, "not enough memory for the page")
                 : 0;
    rc = rc ? rc : explorer__logit_change(&out->logit_change, page->subject);
    rc = rc || !page->sae ? rc : explorer__sae_change(out, page);
    rc = rc ? rc : write_file(out, page, &parts, path, replace);
    parts_release(&parts);
    return rc;
}
