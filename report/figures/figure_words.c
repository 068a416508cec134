/* report/figures/figure_words.c - contract in report/figures/figure_words.h. */
#include "report/figures/figure_words.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

#define WHAT "the names of a figure"

/* Words of the program are written as people write them: "random_model", but no path. */
void figure_word_smooth(char *word)
{
    if (!strpbrk(word, "./")) {
        for (char *c = word; *c != '\0'; c++) {
            *c = *c == '_' ? ' ' : *c;
        }
    }
}

/* A list of layers, or the text that the database has of one ("0 1 2"), as "0-2". */
static void layers_word(Text *out, const Js *value)
{
    int layers[64], n = 0;
    const char *c = js_str_of(value);
    for (size_t i = 0; !c && i < js_length(value) && n < 64; i++) {
        layers[n++] = (int)js_int_of(js_at(value, i));
    }
    for (; c && *c != '\0' && n < 64; c += strcspn(c, "0123456789")) {
        char *end;
        long layer = strtol(c, &end, 10);
        if (end != c) {
            layers[n++] = (int)layer;
        }
        c = end == c ? c + 1 : end;
    }
    for (int i = 0; i < n;) {
        int last = i;
        while (last + 1 < n && layers[last + 1] == layers[last] + 1) {
            last++;
        }
        text_add(out, "%s%d", i > 0 ? "," : "", layers[i]);
        if (last > i) {
            text_add(out, "-%d", layers[last]);
        }
        i = last + 1;
    }
}

/* The word of a value: a number behind the name of its column, unless `bare`. Owned; NULL: out of
 * memory. An absent value is "". */
char *figure_word(const Column *column, const Js *value, bool bare)
{
    Text text = {0};
    if (value && js_type(value) != JS_NULL) {
        bool number = js_type(value) == JS_INT || js_type(value) == JS_NUM;
        if (number && !bare && column->heading) {
            text_add(&text, "%s ", column->heading);
        }
        if (column->type == COLUMN_NESTED) {
            layers_word(&text, value);
        } else {
            column_print(&text, column, value);
        }
    }
    char *word = text.failed ? NULL : mem_strdup(text.data ? text.data : "", WHAT);
    text_release(&text);
    return word;
}

bool figure_word_is_listed(const char *word, const char *list)
{
    size_t length = strlen(word);
    for (const char *c = list;; c++) {
        size_t n = strcspn(c, "|");
        if (n == length && strncmp(c, word, n) == 0) {
            return true;
        }
        c += n;
        if (*c == '\0') {
            return false;
        }
    }
}

/* "LABEL: WORD", one of them if the other is empty; owned. */
char *figure_name_join(const char *label, const char *word, const char *more)
{
    Text text = {0};
    const char *between = "";
    const char *const parts[] = {label ? label : "", word ? word : "", more ? more : ""};
    for (size_t i = 0; i < 3; i++) {
        if (parts[i][0] != '\0') {
            text_add(&text, "%s%s", between, parts[i]);
            between = i == 0 ? ": " : ", ";
        }
    }
    char *name = text.failed ? NULL : mem_strdup(text.data ? text.data : "", WHAT);
    text_release(&text);
    return name;
}
