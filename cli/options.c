/* cli/options.c - option tables: parsing, range errors, "did you mean", help lines. */
#include "cli/options.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/files.h"

#define WORD_MAX 63
#define HELP_COLUMN 28 /* where the explanations start */

bool option_is_choice(const OptionSpec *spec)
{
    return spec->type == OPT_CHOICE || spec->type == OPT_ENUM || spec->type == OPT_SITE;
}

/* What help shows behind the name. */
const char *option_argument(const OptionSpec *spec)
{
    return option_is_choice(spec)     ? spec->choices
           : spec->type != OPT_LAYERS ? spec->argument
           : spec->max == 1           ? "LAYER"
                                      : "LAYERS";
}

static void *field_of(const OptionTable *table, const OptionSpec *spec)
{
    return (char *)table->base + spec->offset;
}

static void range_print(char *out, size_t size, const OptionSpec *spec)
{
    if (spec->type == OPT_INT) {
        snprintf(out, size, "%.0f..%.0f", spec->min, spec->max);
    } else {
        snprintf(out, size, "%g..%g", spec->min, spec->max);
    }
}

static int range_error(const OptionSpec *spec, const char *value, const char *command)
{
    char range[80];
    range_print(range, sizeof(range), spec);
    return err_set(OGPT_EUSAGE, "%s: --%s: %s %s expected, found '%s'; see 'ogpt %s --help'",
                   command, spec->name, spec->type == OPT_INT ? "a whole number" : "a number",
                   range, value, command);
}

bool int_read(int64_t *out, const char *text)
{
    const char *digits = text[0] == '-' ? text + 1 : text;
    if (digits[0] == '\0' || strspn(digits, "0123456789") != strlen(digits)) {
        return false;
    }
    errno = 0;
    *out = strtoll(text, NULL, 10);
    return errno == 0;
}

/* The program never leaves the C locale, so the decimal point is '.'. */
bool num_read(double *out, const char *text)
{
    char *end = NULL;
    if (text[0] == '\0' || strspn(text, "0123456789+-.eE") != strlen(text)) {
        return false;
    }
    *out = strtod(text, &end);
    return *end == '\0' && isfinite(*out);
}

static bool choice_has(const char *choices, const char *value)
{
    size_t length = strlen(value);
    for (const char *c = choices; length > 0;) {
        size_t n = strcspn(c, "|");
        if (n == length && strncmp(c, value, n) == 0) {
            return true;
        }
        if (c[n] == '\0') {
            break;
        }
        c += n + 1;
    }
    return false;
}

/* Copy the word that begins at *rest, and move behind its '|'. False after the last. */
static bool choice_next(char *word, size_t size, const char **rest)
{
    size_t length = strcspn(*rest, "|");
    if (**rest == '\0') {
        return false;
    }
    snprintf(word, size, "%.*s", (int)length, *rest);
    *rest += length + ((*rest)[length] == '|');
    return true;
}

/* The value of a word that is one of the choices. */
static int enum_value(const OptionSpec *spec, const char *value)
{
    char word[WORD_MAX + 1];
    const char *rest = spec->choices;
    if (spec->parse) {
        return spec->parse(value);
    }
    for (int i = 0; choice_next(word, sizeof(word), &rest); i++) {
        if (strcmp(word, value) == 0) {
            return i;
        }
    }
    return -1;
}

/* The word of `choices` that has this value, into word[WORD_MAX + 1]; false if there is none. */
static bool enum_word(char *word, const OptionSpec *spec, int value)
{
    const char *rest = spec->choices;
    while (choice_next(word, WORD_MAX + 1, &rest)) {
        if (enum_value(spec, word) == value) {
            return true;
        }
    }
    return false;
}

/* One of the choices, or another name that `parse` knows for one of them. */
static bool choice_taken(const OptionSpec *spec, const char *value)
{
    char word[WORD_MAX + 1];
    return choice_has(spec->choices, value) ||
           (spec->parse && spec->parse(value) >= 0 && enum_word(word, spec, spec->parse(value)));
}

static int layers_set(const OptionSpec *spec, LayerList *field, const char *value,
                      const char *command)
{
    const char *reason = layers_read(field, value, spec->choices, (int)spec->max);
    return !reason ? 0
                   : err_set(OGPT_EUSAGE, "%s: --%s: %s, found '%s'; see 'ogpt %s --help'", command,
                             spec->name, reason, value, command);
}

static int value_set(const OptionTable *table, const OptionSpec *spec, const char *value,
                     const char *command)
{
    void *field = field_of(table, spec);
    int64_t whole = 0;
    double number = 0;
    switch (spec->type) {
    case OPT_FLAG: *(bool *)field = true; return 0;
    case OPT_INT:
        if (!int_read(&whole, value) || (double)whole < spec->min || (double)whole > spec->max) {
            return range_error(spec, value, command);
        }
        *(int64_t *)field = whole;
        return 0;
    case OPT_NUM:
        if (!num_read(&number, value) || number < spec->min || number > spec->max) {
            return range_error(spec, value, command);
        }
        *(double *)field = number;
        return 0;
    case OPT_LAYERS: return layers_set(spec, field, value, command);
    case OPT_ENUM:
    case OPT_SITE:
    case OPT_CHOICE:
        if (!choice_taken(spec, value)) {
            return err_set(OGPT_EUSAGE, "%s: --%s: one of %s expected, found '%s'", command,
                           spec->name, spec->choices, value);
        }
        if (spec->type == OPT_CHOICE) {
            *(const char **)field = value;
        } else {
            *(int *)field = enum_value(spec, value);
        }
        return 0;
    case OPT_OUT:
    case OPT_TEXT:
        if (value[0] == '\0') {
            return err_set(OGPT_EUSAGE, "%s: --%s: %s expected, found an empty text", command,
                           spec->name, option_argument(spec));
        }
        *(const char **)field = value;
        return 0;
    }
    return 0;
}

void options_default(OptionTable *table)
{
    for (size_t i = 0; i < table->n; i++) {
        const OptionSpec *spec = &table->specs[i];
        void *field = field_of(table, spec);
        switch (spec->type) {
        case OPT_FLAG: *(bool *)field = false; break;
        case OPT_INT: *(int64_t *)field = spec->def ? strtoll(spec->def, NULL, 10) : 0; break;
        case OPT_NUM: *(double *)field = spec->def ? strtod(spec->def, NULL) : NAN; break;
        case OPT_LAYERS:
            *(LayerList *)field = (LayerList){.word = LAYERS_UNSET};
            if (spec->def) {
                layers_read(field, spec->def, spec->choices, (int)spec->max);
            }
            break;
        case OPT_ENUM:
        case OPT_SITE: *(int *)field = spec->def ? enum_value(spec, spec->def) : -1; break;
        case OPT_OUT:
        case OPT_TEXT:
        case OPT_CHOICE: *(const char **)field = spec->def; break;
        }
    }
}

static int unknown_option(OptionTable *tables, size_t n_tables, const char *name,
                          const char *command)
{
    Suggestion near = {.word = name};
    for (size_t t = 0; t < n_tables; t++) {
        for (size_t i = 0; i < tables[t].n; i++) {
            suggestion_offer(&near, tables[t].specs[i].name);
        }
    }
    if (near.best) {
        return err_set(OGPT_EUSAGE, "%s: unknown option '--%s'; did you mean '--%s'?", command,
                       name, near.best);
    }
    return err_set(OGPT_EUSAGE, "%s: unknown option '--%s'; 'ogpt %s --help' lists all", command,
                   name, command);
}

/* Take the option argv[*i] and its value; *i ends on the last word used. */
static int option_take(OptionTable *tables, size_t n_tables, int *i, int argc, char **argv,
                       const char *command)
{
    char name[WORD_MAX + 1];
    const char *typed = argv[*i] + 2;
    size_t length = strcspn(typed, "=");
    const char *value = typed[length] == '=' ? typed + length + 1 : NULL;
    snprintf(name, sizeof(name), "%.*s", (int)(length < sizeof(name) ? length : sizeof(name)),
             typed);
    for (size_t t = 0; t < n_tables; t++) {
        for (size_t k = 0; k < tables[t].n; k++) {
            const OptionSpec *spec = &tables[t].specs[k];
            if (strcmp(spec->name, name) != 0 && !(spec->alias && strcmp(spec->alias, name) == 0)) {
                continue;
            }
            if (tables[t].given[k]) {
                return err_set(OGPT_EUSAGE, "%s: --%s given twice; give it once", command, name);
            }
            tables[t].given[k] = true;
            if (spec->type == OPT_FLAG && value) {
                return err_set(OGPT_EUSAGE, "%s: --%s takes no value, found '%s'", command, name,
                               value);
            }
            if (spec->type != OPT_FLAG && !value) {
                /* A forgotten value must not swallow the next option. */
                bool missing = *i + 1 >= argc || strncmp(argv[*i + 1], "--", 2) == 0 ||
                               strcmp(argv[*i + 1], "-h") == 0;
                if (missing) {
                    return err_set(OGPT_EUSAGE, "%s: --%s needs a value: --%s %s", command, name,
                                   name, option_argument(spec));
                }
                *i += 1;
                value = argv[*i];
            }
            return value_set(&tables[t], spec, value, command);
        }
    }
    return unknown_option(tables, n_tables, name, command);
}

int options_parse(OptionTable *tables, size_t n_tables, int *n_args, const char **args, int argc,
                  char **argv, const char *command)
{
    bool options_end = false;
    *n_args = 0;
    for (int i = 0; i < argc; i++) {
        const char *word = argv[i];
        if (!options_end && strcmp(word, "--") == 0) {
            options_end = true;
        } else if (!options_end && strcmp(word, "-h") == 0) {
            static char help[] = "--help";
            char *words[] = {help};
            int at = 0, rc = option_take(tables, n_tables, &at, 1, words, command);
            if (rc != 0) {
                return rc;
            }
        } else if (!options_end && strncmp(word, "--", 2) == 0) {
            int rc = option_take(tables, n_tables, &i, argc, argv, command);
            if (rc != 0) {
                return rc;
            }
        } else if (!options_end && word[0] == '-' && word[1] != '\0') {
            return err_set(OGPT_EUSAGE,
                           "%s: '%s' is neither an option nor an argument; options begin with two "
                           "hyphens, and '--' goes before a name that begins with one",
                           command, word);
        } else if (word[0] == '\0') {
            return err_set(OGPT_EUSAGE, "%s: argument %d is an empty text", command, *n_args + 1);
        } else {
            args[(*n_args)++] = word;
        }
    }
    return 0;
}

int options_check_required(const OptionTable *table, const char *command, const char *examples)
{
    for (size_t i = 0; i < table->n; i++) {
        const OptionSpec *spec = &table->specs[i];
        if (spec->required && !table->given[i]) {
            return err_set(OGPT_EUSAGE, "%s: --%s %s is required, as in: %.*s", command, spec->name,
                           option_argument(spec), (int)strcspn(examples, "\n"), examples);
        }
    }
    return 0;
}

int options_check_outputs(const OptionTable *table)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < table->n; i++) {
        const OptionSpec *spec = &table->specs[i];
        const char *path = spec->type == OPT_OUT ? *(const char **)field_of(table, spec) : NULL;
        rc = path ? path_check_writable(path) : 0;
    }
    return rc;
}

/* Whether both are there, regular files, and one file under any two names. */
static bool one_file_there(const char *a, const char *b)
{
    PathKind kinds[2] = {PATH_MISSING, PATH_MISSING};
    return path_kind(&kinds[0], a) == 0 && path_kind(&kinds[1], b) == 0 && kinds[0] == PATH_FILE &&
           kinds[1] == PATH_FILE && path_holds(a, b);
}

bool options_one_file(const char *a, const char *b)
{
    PathKind kinds[2] = {PATH_MISSING, PATH_MISSING};
    char places[2][FILES_PATH_MAX];
    if (path_kind(&kinds[0], a) != 0 || path_kind(&kinds[1], b) != 0 || kinds[0] != kinds[1]) {
        return false;
    }
    if (kinds[0] == PATH_FILE) {
        return path_holds(a, b);
    }
    bool missing = kinds[0] == PATH_MISSING;
    bool same = missing && path_plain(places[0], a) == 0 && path_plain(places[1], b) == 0 &&
                strcmp(places[0], places[1]) == 0;
    return same || (missing && path_resolve(places[0], a) == 0 && path_resolve(places[1], b) == 0 &&
                    strcmp(places[0], places[1]) == 0);
}

static int named_twice(const char *path)
{
    return err_set(OGPT_EUSAGE, "%s: another word of this command line names it; give another name",
                   path);
}

int options_check_input(const OptionTable *table, const char *input, bool written,
                        const char *const outputs[], size_t n)
{
    for (size_t i = 0; i < table->n + n; i++) {
        const OptionSpec *spec = i < table->n ? &table->specs[i] : NULL;
        const char *path = !spec                   ? outputs[i - table->n]
                           : spec->type == OPT_OUT ? *(const char **)field_of(table, spec)
                                                   : NULL;
        if (path && (written ? options_one_file(path, input) : one_file_there(path, input))) {
            return named_twice(path);
        }
    }
    return 0;
}

int options_check_inputs(const OptionTable *table, const char *const outputs[], size_t n)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < table->n; i++) {
        const OptionSpec *spec = &table->specs[i];
        const char *text = spec->type == OPT_TEXT ? *(const char **)field_of(table, spec) : NULL;
        rc = text ? options_check_input(table, text, false, outputs, n) : 0;
        const char *path = spec->type == OPT_OUT ? *(const char **)field_of(table, spec) : NULL;
        for (size_t j = i + 1; rc == 0 && path && j < table->n; j++) {
            const OptionSpec *other = &table->specs[j];
            const char *place =
                other->type == OPT_OUT ? *(const char **)field_of(table, other) : NULL;
            rc = place && options_one_file(path, place) ? named_twice(path) : 0;
        }
    }
    return rc;
}

bool option_given(const OptionTable *table, const char *name)
{
    for (size_t i = 0; i < table->n; i++) {
        if (strcmp(table->specs[i].name, name) == 0) {
            return table->given[i];
        }
    }
    return false;
}

static Js *value_json(const OptionSpec *spec, const void *field)
{
    char word[WORD_MAX + 1];
    const char *text = NULL;
    switch (spec->type) {
    case OPT_FLAG: return js_bool(*(const bool *)field);
    case OPT_INT: return js_int(*(const int64_t *)field);
    case OPT_NUM: return js_num(*(const double *)field);
    case OPT_ENUM:
    case OPT_SITE: return enum_word(word, spec, *(const int *)field) ? js_str(word) : js_null();
    case OPT_LAYERS: text = ((const LayerList *)field)->text; break;
    case OPT_OUT:
    case OPT_TEXT:
    case OPT_CHOICE: text = *(const char *const *)field; break;
    }
    return text ? js_str(text) : js_null();
}

/* A stored value as it would be typed, into out[64] or borrowed from `value`; NULL if it has not
 * the type of the option. */
static const char *stored_text(char out[64], const OptionSpec *spec, const Js *value)
{
    bool number = spec->type == OPT_INT || spec->type == OPT_NUM;
    if (js_type(value) == JS_STR) {
        return number ? NULL : js_str_of(value);
    }
    if (js_type(value) == JS_INT) {
        snprintf(out, 64, "%lld", (long long)js_int_of(value));
    } else {
        snprintf(out, 64, "%.17g", js_num_of(value));
    }
    return number && (js_type(value) == JS_INT || js_type(value) == JS_NUM) ? out : NULL;
}

int options_take(OptionTable *table, const Js *values, const char *origin)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < table->n; i++) {
        const OptionSpec *spec = &table->specs[i];
        const Js *value = js_member(values, spec->name);
        bool taken = spec->type == OPT_INT || spec->type == OPT_NUM || spec->type == OPT_TEXT ||
                     spec->type == OPT_CHOICE || spec->type == OPT_ENUM;
        char number[64];
        if (!value || js_type(value) == JS_NULL || table->given[i] || !taken) {
            continue;
        }
        const char *text = stored_text(number, spec, value);
        rc = !text ? err_set(OGPT_EFORMAT, "%s: its option \"%s\" has not the type of --%s", origin,
                             spec->name, spec->name)
             : *text != '\0' ? value_set(table, spec, text, origin)
                             : 0;
    }
    return rc == OGPT_EUSAGE ? err_set(OGPT_EFORMAT, "%s", err_message()) : rc;
}

void options_document(Js *object, const OptionTable *table)
{
    for (size_t i = 0; i < table->n; i++) {
        const OptionSpec *spec = &table->specs[i];
        js_set(object, spec->name, value_json(spec, field_of(table, spec)));
        if (spec->alias) {
            js_set(object, spec->alias, value_json(spec, field_of(table, spec)));
        }
    }
}

void option_meaning(Text *text, const OptionSpec *spec)
{
    const char *between = " (";
    text_add(text, "%s", spec->help);
    if (spec->type == OPT_INT || spec->type == OPT_NUM) {
        char range[80];
        range_print(range, sizeof(range), spec);
        text_add(text, "%s%s", between, range);
        between = ", ";
    }
    if (spec->type == OPT_LAYERS) {
        const char *rest = spec->choices ? spec->choices : "";
        char word[WORD_MAX + 1];
        text_add(text, "%s%s", between,
                 spec->max == 1 ? "such as 3 or embed" : "such as 3 or embed,0 or 2-5");
        while (choice_next(word, sizeof(word), &rest)) {
            text_add(text, " or %s", word);
        }
        between = ", ";
    }
    if (spec->required) {
        text_add(text, "%srequired", between);
        between = ", ";
    } else if (spec->def) {
        text_add(text, "%sdefault %s", between, spec->def);
        between = ", ";
    }
    text_add(text, "%s", between[0] == ',' ? ")" : "");
}

/* An argument from `column` on; a list of choices that is too long goes on in the next line.
 * Returns whether it stayed in one. */
static bool argument_add(Text *text, const char *argument, int column, int width)
{
    bool one_line = true;
    for (int at = column; *argument != '\0';) {
        int length = (int)strcspn(argument, "|");
        length += argument[length] == '|';
        if (width > 0 && at > column && at + length > width) {
            text_add(text, "\n%*s", column, "");
            at = column;
            one_line = false;
        }
        text_add(text, "%.*s", length, argument);
        argument += length;
        at += length;
    }
    return one_line;
}

void options_help(Text *text, const OptionSpec *specs, size_t n, int width)
{
    for (size_t i = 0; i < n; i++) {
        const OptionSpec *spec = &specs[i];
        const char *argument = spec->type == OPT_FLAG ? "" : option_argument(spec);
        int length = (int)(strlen("  --") + strlen(spec->name));
        text_add(text, "  --%s", spec->name);
        bool fits = true;
        if (argument[0] != '\0') {
            text_add(text, " ");
            fits = argument_add(text, argument, length + 1, width);
            length += 1 + (int)strlen(argument);
        }
        fits = fits && length < HELP_COLUMN - 1;
        text_add(text, "%s%*s", fits ? "" : "\n", fits ? HELP_COLUMN - length : HELP_COLUMN, "");
        option_meaning(text, spec);
        text_add(text, "\n");
    }
}
