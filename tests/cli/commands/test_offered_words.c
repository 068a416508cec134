/* tests/cli/commands/test_offered_words.c - every word that a help page offers is taken: each
 * choice of each option of each command; and every table of a command fits the results database. */
#include "tests/base/base_test.h"

#include "cli/commands/commands.h"
#include "cli/framework.h"

static int value_try(const Command *command, const OptionSpec *spec, const char *name,
                     const char *value)
{
    char option[80], word[80];
    const char *args[4];
    int n_args = 0;
    void *own = mem_calloc(1, command->options_bytes + 1, "options");
    OptionTable table = {.specs = command->options, .n = command->n_options, .base = own};
    char *argv[] = {option, word};
    assert_non_null(own);
    snprintf(option, sizeof(option), "--%s", name);
    snprintf(word, sizeof(word), "%s", value);
    options_default(&table);
    int rc = options_parse(&table, 1, &n_args, args, 2, argv, command->name);
    if (rc == 0 && (spec->type == OPT_ENUM || spec->type == OPT_SITE)) {
        assert_true(*(int *)((char *)own + spec->offset) >= 0);
        Js *document = js_object(); /* and the value is this word again */
        options_document(document, &table);
        assert_string_equal(js_str_of(js_member(document, spec->name)), value);
        js_free(document);
    }
    mem_free(own);
    return rc;
}

static bool has_choices(const OptionSpec *spec)
{
    return spec->type == OPT_CHOICE || spec->type == OPT_ENUM || spec->type == OPT_SITE ||
           (spec->type == OPT_LAYERS && spec->choices);
}

static void offered_words_are_taken(void **state)
{
    size_t n = 0;
    for (size_t c = 0; commands[c]; c++) {
        for (size_t i = 0; i < commands[c]->n_options; i++) {
            const OptionSpec *spec = &commands[c]->options[i];
            for (const char *at_word = has_choices(spec) ? spec->choices : ""; *at_word != '\0';) {
                char word[64];
                size_t length = strcspn(at_word, "|");
                snprintf(word, sizeof(word), "%.*s", (int)length, at_word);
                if (value_try(commands[c], spec, spec->name, word) != 0) {
                    fail_msg("%s --%s %s: %s", commands[c]->name, spec->name, word, err_message());
                }
                at_word += length + (at_word[length] == '|');
                n++;
            }
            if (has_choices(spec)) {
                assert_int_equal(value_try(commands[c], spec, spec->name, "zebra"), OGPT_EUSAGE);
            }
        }
    }
    assert_true(n >= 60);
}

/* However long a list of choices is, a help page shows all of it. */
static void all_words_are_shown(void **state)
{
    size_t longest = 0;
    for (size_t c = 0; commands[c]; c++) {
        Text text = {0};
        options_help(&text, commands[c]->options, commands[c]->n_options, 0);
        for (size_t i = 0; i < commands[c]->n_options; i++) {
            const OptionSpec *spec = &commands[c]->options[i];
            if (has_choices(spec) && spec->type != OPT_LAYERS) {
                assert_non_null(strstr(text.data, spec->choices));
                longest = strlen(spec->choices) > longest ? strlen(spec->choices) : longest;
            }
        }
        text_release(&text);
    }
    assert_true(longest > 80);
}

static void layers_are_taken_in_every_form(void **state)
{
    for (size_t c = 0; commands[c]; c++) {
        for (size_t i = 0; i < commands[c]->n_options; i++) {
            const OptionSpec *spec = &commands[c]->options[i];
            if (spec->type != OPT_LAYERS) {
                continue;
            }
            assert_int_equal(value_try(commands[c], spec, spec->name, "embed"), 0);
            assert_int_equal(value_try(commands[c], spec, spec->name, "3"), 0);
            int several = spec->max == 1 ? OGPT_EUSAGE : 0;
            assert_int_equal(value_try(commands[c], spec, spec->name, "2-5"), several);
            assert_int_equal(value_try(commands[c], spec, spec->name, "1,3,6"), several);
            if (spec->alias) {
                assert_int_equal(value_try(commands[c], spec, spec->alias, "3"), 0);
            }
        }
    }
}

static void defaults_are_offered(void **state)
{
    for (size_t c = 0; commands[c]; c++) {
        for (size_t i = 0; i < commands[c]->n_options; i++) {
            const OptionSpec *spec = &commands[c]->options[i];
            if (spec->def && spec->type != OPT_FLAG &&
                value_try(commands[c], spec, spec->name, spec->def) != 0) {
                fail_msg("%s --%s %s: %s", commands[c]->name, spec->name, spec->def, err_message());
            }
        }
    }
}

/* What a command would be refused for when it begins its work. */
static void tables_fit_the_database(void **state)
{
    for (size_t c = 0; commands[c]; c++) {
        void *options = calloc(1, commands[c]->options_bytes + 1); /* none of them typed */
        Context context = {.command = commands[c], .options = options};
        if (commands[c]->tables && study__check(&context, "{}") != 0) {
            fail_msg("%s", err_message());
        }
        free(options);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(offered_words_are_taken),        cmocka_unit_test(all_words_are_shown),
        cmocka_unit_test(layers_are_taken_in_every_form), cmocka_unit_test(defaults_are_offered),
        cmocka_unit_test(tables_fit_the_database),
    };
    commands_install();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
