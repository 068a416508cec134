/* tests/fuzz/fuzz_options.c - any words as a command line: words are lines of the input. Each is
 * tried with the tables of the command that it names; what parses is in range and has one value
 * an option, what does not is a usage error of one line. No command is run. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "cli/commands/commands.h"
#include "cli/framework.h"
#include "tests/fuzz/fuzz.h"

#define WORDS_MAX 64

/* Cut into words; a word ends at a newline and holds no NUL. */
static int words_cut(char **words, char *text, size_t n_bytes)
{
    int n = 0;
    for (char *at = text; at < text + n_bytes && n < WORDS_MAX; n++) {
        char *end = memchr(at, '\n', (size_t)(text + n_bytes - at));
        words[n] = at;
        if (!end) {
            n++;
            break;
        }
        *end = '\0';
        at = end + 1;
    }
    return n;
}

static const Command *command_named(int *n_words, char **words, int n)
{
    for (size_t i = 0; commands[i]; i++) {
        char name[128] = "";
        const bool two = strchr(commands[i]->name, ' ');
        if (n > (two ? 1 : 0)) {
            snprintf(name, sizeof(name), "%s%s%s", words[0], two ? " " : "", two ? words[1] : "");
        }
        if (strcmp(name, commands[i]->name) == 0) {
            *n_words = two ? 2 : 1;
            return commands[i];
        }
    }
    return NULL;
}

/* Every number that was parsed lies in the range of its row. */
static void ranges_check(const OptionTable *table)
{
    for (size_t i = 0; i < table->n; i++) {
        const OptionSpec *spec = &table->specs[i];
        const void *field = (const char *)table->base + spec->offset;
        if (!table->given[i]) {
            continue;
        }
        if (spec->type == OPT_INT) {
            const double value = (double)*(const int64_t *)field + (fuzz_planted ? 1e300 : 0);
            fuzz_require(value >= spec->min && value <= spec->max, "a whole number is in range");
        } else if (spec->type == OPT_NUM) {
            const double value = *(const double *)field;
            fuzz_require(isfinite(value) && value >= spec->min && value <= spec->max,
                         "a number is finite and in range");
        } else if (spec->type == OPT_ENUM || spec->type == OPT_SITE) {
            fuzz_require(*(const int *)field >= 0, "a word has a value");
        } else if (spec->type == OPT_LAYERS) {
            const LayerList *layers = field;
            fuzz_require(layers->n >= 0 && layers->n <= LAYERS_LISTED_MAX, "layers fit");
        } else if (spec->type != OPT_FLAG) {
            fuzz_require(*(const char *const *)field, "a text is there");
        }
    }
}

static int command_parse(const Command *command, int argc, char **argv)
{
    OptionSpec specs[OPTIONS_MAX];
    CommonOptions common = {0};
    void *own = mem_calloc(1, command->options_bytes + 1, "options");
    const char **args = mem_calloc((size_t)argc + 1, sizeof(*args), "arguments");
    int n_args = 0;
    OptionTable tables[2] = {{.specs = specs, .n = common__specs(specs, command), .base = &common},
                             {.specs = command->options, .n = command->n_options, .base = own}};
    options_default(&tables[0]);
    options_default(&tables[1]);
    const int rc = options_parse(tables, 2, &n_args, args, argc, argv, command->name);
    if (rc == 0) {
        Js *document = js_object();
        char *text = NULL;
        size_t n_stored = command->n_options;
        for (size_t i = 0; i < command->n_options; i++) {
            n_stored += command->options[i].alias ? 1 : 0;
        }
        fuzz_require(n_args >= 0 && n_args <= argc, "arguments are among the words");
        ranges_check(&tables[0]);
        ranges_check(&tables[1]);
        options_document(document, &tables[1]);
        fuzz_require(js_print(&text, document, 0) == 0 && js_length(document) == n_stored,
                     "each name of an option has one value to be stored");
        mem_free(text);
        js_free(document);
    }
    mem_free(args);
    mem_free(own);
    return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char program[] = "ogpt";
    char *words[WORDS_MAX + 1] = {program};
    int n_words = 0;
    char *text = mem_calloc(size + 1, 1, "words");
    memcpy(text, data, size);
    commands_install();
    const int n = words_cut(words + 1, text, size);
    const Command *command = command_named(&n_words, words + 1, n);
    const int rc = command ? command_parse(command, n - n_words, words + 1 + n_words) : 0;
    if (rc != 0 || !command) {
        /* The whole way, which ends before anything is run. */
        results__mute(1);
        const int whole = cli_run(n, words + 1);
        results__mute(-1);
        fuzz_require(rc == 0 || whole == rc, "the same answer by the whole way");
        fuzz_require(whole == 0 || whole == OGPT_EUSAGE, "words can only be a usage error");
        fuzz_require(whole == 0 || (err_message()[0] != '\0' && !strchr(err_message(), '\n')),
                     "told in one line");
    }
    mem_free(text);
    return 0;
}
