/* report/runs/run_links.c - contract in report/runs/run_links.h. */
#include "report/runs/run_links.h"

#include <string.h>

#include "base/arena.h"
#include "base/err.h"

/* Why a run is in a group or not. */
typedef enum RunLink {
    RUN_APART,   /* it shares nothing with the group */
    RUN_LINKED,  /* it shares a network, a corpus or a file with a run of the group */
    RUN_REPEATED /* the same was asked again later */
} RunLink;

/* A text links runs if it may be a name: it is no number alone. */
static void link_add(Js *links, const Js *value)
{
    const char *text = js_str_of(value);
    if (text && text[strspn(text, "0123456789.")] != '\0') {
        js_push(links, js_keep(value));
    }
}

/* "a.csv,b.csv" names two files. */
static void files_add(Js *links, const char *list)
{
    while (list && *list != '\0') {
        Text name = {0};
        size_t length = strcspn(list, ",");
        text_add(&name, "%.*s", (int)length, list);
        Js *file = js_str(name.data ? name.data : "");
        link_add(links, file);
        js_free(file);
        text_release(&name);
        list += length + (list[length] == ',');
    }
}

void run_links_set(Js *run, Js *file_options)
{
    const Js *options = js_member(run, "options"), *hashes = js_member(run, "hashes");
    const Js *arguments = js_member(options, "arguments");
    Js *links = js_array();
    link_add(links, js_member(run, "subject"));
    for (size_t i = 0; i < js_length(hashes); i++) {
        link_add(links, js_at(hashes, i));
    }
    for (size_t i = 0; i < js_length(arguments); i++) {
        link_add(links, js_at(arguments, i));
    }
    for (size_t i = 0; i < js_length(file_options); i++) {
        files_add(links, js_str_of(js_member(options, js_str_of(js_at(file_options, i)))));
    }
    js_free(file_options);
    js_set(run, "links", links);
}

bool run_links_finished(const Js *run)
{
    const char *status = js_str_of(js_member(run, "status"));
    return status && (strcmp(status, "done") == 0 || strcmp(status, "negative") == 0);
}

static bool same_text(const Js *a, const Js *b, const char *key)
{
    const char *x = js_str_of(js_member(a, key)), *y = js_str_of(js_member(b, key));
    return x && y ? strcmp(x, y) == 0 : !x && !y;
}

/* The options of a run without those that only show a result; owned. */
static Js *question_of(const Js *run)
{
    static const char *const shows[] = {"csv", "html", "svg", "pdf", "png", "width", "figure"};
    Js *question = js_object();
    void *it = NULL;
    const char *key = NULL;
    const Js *value = NULL;
    while (js_next(js_member(run, "options"), &it, &key, &value)) {
        bool asks = true;
        for (size_t i = 0; i < sizeof(shows) / sizeof(shows[0]); i++) {
            asks = asks && strcmp(shows[i], key) != 0;
        }
        if (asks) {
            js_set(question, key, js_keep(value));
        }
    }
    return question;
}

/* Whether two runs were asked the very same. */
static bool same_question(const Js *a, const Js *b)
{
    if (!same_text(a, b, "command") || !same_text(a, b, "subject")) {
        return false;
    }
    char *x = NULL, *y = NULL;
    Js *asked_a = question_of(a), *asked_b = question_of(b);
    bool same = js_print(&x, asked_a, 0) == 0 && js_print(&y, asked_b, 0) == 0 && strcmp(x, y) == 0;
    js_free(asked_a);
    js_free(asked_b);
    mem_free(x);
    mem_free(y);
    return same;
}

/* Whether a later run, one before it in the list, has its answer, or has none either. */
static bool is_repeated(const Js *runs, size_t index)
{
    const bool finished = run_links_finished(js_at(runs, index));
    for (size_t i = 0; i < index; i++) {
        if ((run_links_finished(js_at(runs, i)) || !finished) &&
            same_question(js_at(runs, i), js_at(runs, index))) {
            return true;
        }
    }
    return false;
}

/* Whether one of the links of a run is in the set. */
static bool is_near(const Js *run, const Js *set)
{
    const Js *links = js_member(run, "links");
    for (size_t i = 0; i < js_length(links); i++) {
        const char *text = js_str_of(js_at(links, i));
        if (text && js_has(set, text)) {
            return true;
        }
    }
    return false;
}

static bool is_about(const Js *run, const char *about)
{
    const Js *links = js_member(run, "links");
    bool found = !about && js_length(js_member(run, "hashes")) > 0;
    for (size_t i = 0; about && !found && i < js_length(links); i++) {
        const char *text = js_str_of(js_at(links, i));
        found = text && strcmp(text, about) == 0;
    }
    return found;
}

static void links_add(Js *set, const Js *run)
{
    const Js *links = js_member(run, "links");
    for (size_t i = 0; i < js_length(links); i++) {
        const char *text = js_str_of(js_at(links, i));
        if (text) {
            js_set_bool(set, text, true);
        }
    }
}

static void links_find(RunLink *out, const Js *runs, const char *about)
{
    Js *set = js_object();
    size_t n = js_length(runs), first = 0;
    bool grows = n > 0;
    while (first < n && !is_about(js_at(runs, first), about)) {
        first++;
    }
    first = first < n ? first : 0;
    for (size_t i = 0; i < n; i++) {
        out[i] = i == first ? RUN_LINKED : RUN_APART;
    }
    links_add(set, js_at(runs, first));
    while (grows) {
        grows = false;
        for (size_t i = 0; i < n; i++) {
            if (out[i] == RUN_APART && is_near(js_at(runs, i), set)) {
                out[i] = RUN_LINKED;
                links_add(set, js_at(runs, i));
                grows = true;
            }
        }
    }
    for (size_t i = 0; i < n; i++) {
        if (out[i] == RUN_LINKED && is_repeated(runs, i)) {
            out[i] = RUN_REPEATED;
        }
    }
    js_free(set);
}

/* Numbers of the runs with this link between two texts, or nothing if there is none. */
static void numbers_say(Text *out, const char *before, const Js *runs, const RunLink *links,
                        RunLink wanted)
{
    int n = 0;
    for (size_t i = js_length(runs); i-- > 0;) {
        if (links[i] == wanted) {
            text_add(out, "%s%lld", n++ == 0 ? before : ", ",
                     (long long)js_int_of(js_member(js_at(runs, i), "run")));
        }
    }
    text_add(out, "%s", n > 0 ? ". " : "");
}

int run_links_choose(Js **out, Text *left_out, const Js *runs, bool all, const char *about)
{
    const size_t n = js_length(runs);
    RunLink *links = mem_alloc(n, sizeof(*links), "links of runs");
    *out = js_array();
    if (!links) {
        return OGPT_ENOMEM;
    }
    if (!all) {
        links_find(links, runs, about);
    }
    for (size_t i = n; i-- > 0;) {
        if (all || links[i] == RUN_LINKED) {
            js_push(*out, js_keep(js_member(js_at(runs, i), "run")));
        }
    }
    if (!all) {
        numbers_say(left_out, "Typed again later, so not shown: run ", runs, links, RUN_REPEATED);
        numbers_say(left_out, "In the same database, but about other things: run ", runs, links,
                    RUN_APART);
    }
    mem_free(links);
    return 0;
}
