/* tests/report/pages/test_page_set.c - a folder of pages: whole or not there, hostile names as
 * text, and what is not replaced. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/formats/base64.h"
#include "base/err.h"
#include "base/files.h"
#include "base/process.h"
#include "report/pages/page_set.h"
#include "tests/folder.h"
#include "tests/there.h"

static char folder[FOLDER_MAX];
static char goal[FILES_PATH_MAX];
#define HOSTILE "<img src=x onerror=alert(1)>\"'&\x01\x7f\n\xe2\x80\xae</title><script>"

static int work_create(void **state)
{
    return folder_make(folder) == 0 ? path_join(goal, folder, "set") : -1;
}

static int work_remove(void **state)
{
    return dir_remove(folder);
}

static PageSetAbout about_of(const char *command_line, bool replace)
{
    return (PageSetAbout){.path = goal,
                          .command = "heads",
                          .command_line = command_line,
                          .model = HOSTILE,
                          .model_hash = "0123456789abcdef",
                          .replace = replace};
}

/* pages: those that the report counts. */
static int set_make(const PageSetAbout *about, int64_t *pages)
{
    Report report;
    PageSet *set = NULL;
    Text body = {0};
    int rc = page_set_begin(&set, about);
    text_add(&body, "<p>the body</p>\n");
    rc = rc ? rc : page_set_index(set, "lead <1>", &body);
    rc = rc ? rc : page_set_add(set, &(PageOne){"L0H0", NULL, "L0H1", "first & only", &body});
    rc = rc ? rc : page_set_add(set, &(PageOne){"L0H1", "L0H0", NULL, "second", &body});
    text_release(&body);
    report_init(&report);
    rc = rc ? rc : page_set_commit(set, &report);
    Js *document = report_document(&report);
    *pages = js_has(document, "page_count") ? js_int_of(js_member(document, "page_count")) : 0;
    js_free(document);
    report_release(&report);
    return rc;
}

static char *page_of(const char *name)
{
    static char path[FILES_PATH_MAX];
    void *text = NULL;
    size_t n = 0;
    assert_int_equal(path_join(path, goal, name), 0);
    assert_int_equal(file_read_all(&text, &n, path, 1 << 20), 0);
    assert_int_equal(strlen(text), n);
    return text;
}

static size_t count_of(const char *text, const char *word)
{
    size_t n = 0;
    for (const char *at = text; (at = strstr(at, word)); at++) {
        n++;
    }
    return n;
}

static void made_afresh(void)
{
    int64_t made = 0;
    if (dir_exists(goal)) {
        assert_int_equal(dir_remove(goal), 0);
    }
    PageSetAbout about = about_of("ogpt heads a", false);
    assert_int_equal(set_make(&about, &made), 0);
    assert_int_equal(made, 3);
}

static void names_are_text_on_every_page(void **state)
{
    static const char *const pages[] = {"index.html", "L0H0.html", "L0H1.html"};
    made_afresh();
    for (size_t i = 0; i < 3; i++) {
        char *text = page_of(pages[i]);
        assert_int_equal(count_of(text, "<img"), 0);
        assert_int_equal(count_of(text, "</title>"), 1);
        assert_int_equal(count_of(text, "<script>"), i == 0);
        assert_int_equal(count_of(text, "\x01") + count_of(text, "\x7f"), 0);
        assert_int_equal(count_of(text, "&lt;img src=x onerror=alert(1)&gt;&quot;&#39;&amp;??\n"),
                         2);
        assert_int_equal(count_of(text, "the body"), 1);
        assert_int_equal(count_of(text, "default-src 'none'"), 1);
        assert_int_equal(count_of(text, "http:") + count_of(text, "https:"), 0);
        mem_free(text);
    }
}

static void a_page_leads_to_its_neighbours(void **state)
{
    made_afresh();
    char *first = page_of("L0H0.html"), *second = page_of("L0H1.html");
    assert_int_equal(count_of(first, "<a rel=\"next\" href=\"L0H1.html\">"), 1);
    assert_int_equal(count_of(first, "rel=\"prev\""), 0);
    assert_int_equal(count_of(second, "<a rel=\"prev\" href=\"L0H0.html\">"), 1);
    assert_int_equal(count_of(second, "rel=\"next\""), 0);
    assert_int_equal(count_of(second, "href=\"index.html\""), 1);
    assert_int_equal(count_of(first, "first &amp; only"), 1);
    mem_free(first);
    mem_free(second);
}

/* The policy names the one script that there is, and no other. */
static void the_index_runs_its_own_script(void **state)
{
    char hash[BASE64_HASH_SIZE], policy[120];
    made_afresh();
    char *text = page_of("index.html"), *script = strstr(text, "<script>") + 8;
    const size_t length = (size_t)(strstr(script, "</script>") - script);
    base64_hash(hash, script, length);
    snprintf(policy, sizeof(policy), "; script-src '%s'\"", hash);
    assert_int_equal(count_of(text, policy), 1);
    base64_hash(hash, script, length - 1);
    snprintf(policy, sizeof(policy), "; script-src '%s'\"", hash);
    assert_int_equal(count_of(text, policy), 0);
    mem_free(text);
    text = page_of("L0H0.html");
    assert_int_equal(count_of(text, "script-src"), 0);
    mem_free(text);
}

static void refused(const PageSetAbout *about, const char *words)
{
    assert_int_equal(page_set_check(about), OGPT_EUSAGE);
    assert_non_null(strstr(err_message(), words));
    int64_t made;
    assert_int_equal(set_make(about, &made), OGPT_EUSAGE);
    assert_int_equal(made, 0);
}

static void put(const char *name, const char *text)
{
    char path[FILES_PATH_MAX];
    assert_int_equal(path_join(path, goal, name), 0);
    assert_int_equal(file_write_atomic(path, text, strlen(text), true), 0);
}

static void only_its_own_folder_is_replaced(void **state)
{
    PageSetAbout same = about_of("ogpt heads a", false), other = about_of("ogpt heads b", false);
    PageSetAbout forced = about_of("ogpt heads b", true), lens = forced;
    int64_t made;
    made_afresh();
    assert_int_equal(page_set_check(&same), 0);
    assert_int_equal(set_make(&same, &made), 0);
    refused(&other, "--force to replace it");
    assert_int_equal(set_make(&forced, &made), 0);
    lens.command = "lens";
    refused(&lens, "'ogpt lens --pages' made");

    put("note.txt", "mine"); /* a file of somebody else in it */
    refused(&forced, "nobody changed");
    made_afresh();
    put("L0H0.html", "changed");
    refused(&forced, "nobody changed");
    assert_int_equal(dir_remove(goal), 0);
    assert_int_equal(dir_create(goal), 0); /* an empty folder is somebody's too */
    refused(&forced, "expected nothing, or a folder");
    assert_int_equal(dir_remove(goal), 0);
    assert_int_equal(file_write_atomic(goal, "x", 1, false), 0);
    refused(&forced, "expected nothing, or a folder");
    assert_true(file_exists(goal));
    assert_int_equal(remove(goal), 0);
    assert_int_equal(page_set_check(&other), 0);
}

/* What could not be read is said as it is: nobody is told that the folder is not ours. */
static void what_cannot_be_read_is_no_answer(void **state)
{
    PageSetAbout same = about_of("ogpt heads a", false);
    int n_failed = 0, rc = OGPT_ENOMEM;
    made_afresh();
    for (uint64_t n = 1; rc != 0; n++) {
        mem_fail_at(n, 0);
        rc = page_set_check(&same);
        const bool failed = mem_count() >= n;
        mem_fail_at(0, 0);
        assert_int_equal(rc, failed ? OGPT_ENOMEM : 0);
        n_failed += failed;
    }
    assert_true(n_failed > 10);
}

/* A file that somebody puts into the folder while pages are made is not removed with it. */
static void what_came_meanwhile_is_not_replaced(void **state)
{
    PageSetAbout about = about_of("ogpt heads a", true);
    PageSet *set = NULL;
    Report report;
    Text body = {0};
    char path[FILES_PATH_MAX];
    report_init(&report);
    made_afresh();
    assert_int_equal(page_set_begin(&set, &about), 0);
    assert_int_equal(page_set_index(set, "lead", &body), 0);
    put("note.txt", "mine");
    assert_int_equal(page_set_commit(set, &report), OGPT_EUSAGE);
    assert_int_equal(path_join(path, goal, "note.txt"), 0);
    assert_true(file_exists(path));
    assert_int_equal(remove(path), 0);
    assert_int_equal(page_set_begin(&set, &about), 0); /* the twin: nothing came */
    assert_int_equal(page_set_index(set, "lead", &body), 0);
    assert_int_equal(page_set_commit(set, &report), 0);
    report_release(&report);
}

static void what_is_given_up_leaves_nothing(void **state)
{
    PageSetAbout about = about_of("ogpt heads a", false);
    PageSet *set = NULL;
    Text body = {0};
    char **names = NULL;
    size_t n = 0;
    made_afresh();
    assert_int_equal(page_set_begin(&set, &about), 0);
    assert_int_equal(page_set_index(set, "lead", &body), 0);
    page_set_abort(set);
    assert_int_equal(dir_list(&names, &n, folder), 0);
    assert_int_equal(n, 1); /* the folder that was there, and it is whole */
    names_free(names, n);
    assert_int_equal(page_set_check(&about), 0);
    assert_int_equal(page_set_begin(&set, &about), 0);
    body.failed = true; /* memory ran out */
    assert_int_equal(page_set_index(set, "lead", &body), OGPT_ENOMEM);
    page_set_abort(set);
    page_set_abort(NULL);
    body.failed = false;
    assert_int_equal(page_set_begin(&set, &about), 0);
    interrupt_set(SIGINT);
    assert_int_equal(page_set_index(set, "lead", &body), OGPT_EINTR);
    interrupt_set(0);
    page_set_abort(set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_text_on_every_page),
        cmocka_unit_test(a_page_leads_to_its_neighbours),
        cmocka_unit_test(the_index_runs_its_own_script),
        cmocka_unit_test(only_its_own_folder_is_replaced),
        cmocka_unit_test(what_cannot_be_read_is_no_answer),
        cmocka_unit_test(what_came_meanwhile_is_not_replaced),
        cmocka_unit_test(what_is_given_up_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, work_create, work_remove);
}
