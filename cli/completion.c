/* cli/completion.c - ogpt completion: what a shell offers for the next word, from the command table
 * and the option tables. */
#include "cli/framework.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"

/* Inside single quotes; the characters of `special` get a backslash (zsh reads some by itself). */
static void quoted_add(Text *text, const char *plain, const char *special, const char *quote)
{
    for (; *plain != '\0'; plain++) {
        if (*plain == '\'') {
            text_add(text, "%s", quote);
        } else {
            text_add(text, strchr(special, *plain) ? "\\%c" : "%c", *plain);
        }
    }
}

/* "mine|colour" with blanks. */
static void words_add(Text *text, const OptionSpec *spec)
{
    for (const char *c = spec->choices ? spec->choices : ""; *c != '\0'; c++) {
        text_add(text, "%c", *c == '|' ? ' ' : *c);
    }
}

/* Numbers are typed; words are offered; anything else may be a file. */
static bool is_number(const OptionSpec *spec)
{
    return spec->type == OPT_INT || spec->type == OPT_NUM;
}

/* The first words of all commands, or the second words of a group, with blanks between. */
static void names_add(Text *text, const char *group)
{
    const char *last = "";
    size_t length = group ? strlen(group) : 0;
    for (size_t i = 0; command__at(i); i++) {
        const char *name = command__at(i)->name;
        size_t first = strcspn(name, " ");
        if (group && (first != length || strncmp(name, group, length) != 0)) {
            continue;
        }
        if (group) {
            text_add(text, "%s ", name + first + 1);
        } else if (strncmp(last, name, first) != 0 || strcspn(last, " ") != first) {
            text_add(text, "%.*s ", (int)first, name);
        }
        last = name;
    }
    text_add(text, group ? "" : "help");
}

/* Whether this command is the first of a group; what follows a command of the same first word is in
 * none. */
static bool begins_group(size_t i, char group[32])
{
    const char *name = command__at(i)->name;
    size_t first = strcspn(name, " ");
    snprintf(group, 32, "%.*s", (int)first, name);
    const char *before = i > 0 ? command__at(i - 1)->name : "";
    return name[first] == ' ' &&
           (strncmp(before, name, first) != 0 || (before[first] != ' ' && before[first] != '\0'));
}

static void bash_command(Text *text, const Command *command, const OptionSpec *specs, size_t n)
{
    text_add(text, "    '%s')\n        options='", command->name);
    for (size_t i = 0; i < n; i++) {
        text_add(text, "%s--%s", i > 0 ? " " : "", specs[i].name);
    }
    text_add(text, "'\n        case $prev in\n");
    for (size_t i = 0; i < n; i++) {
        if (specs[i].choices || is_number(&specs[i])) {
            text_add(text, "        --%s) options='", specs[i].name);
            words_add(text, &specs[i]);
            text_add(text, "' value=1 ;;\n");
        }
    }
    text_add(text, "        esac ;;\n");
}

static void zsh_command(Text *text, const Command *command, const OptionSpec *specs, size_t n)
{
    text_add(text, "    '%s') _arguments", command->name);
    for (size_t i = 0; i < n; i++) {
        const OptionSpec *spec = &specs[i];
        text_add(text, " \\\n        '--%s[", spec->name);
        quoted_add(text, spec->help, "[]:\\", "'\\''");
        text_add(text, "]");
        if (spec->type != OPT_FLAG) {
            text_add(text, ":value:%s", spec->choices ? "(" : is_number(spec) ? "" : "_files");
            words_add(text, spec);
            text_add(text, "%s", spec->choices ? ")" : "");
        }
        text_add(text, "'");
    }
    text_add(text, " \\\n        '*:file:_files' ;;\n");
}

static void fish_command(Text *text, const Command *command, const OptionSpec *specs, size_t n)
{
    char when[120];
    size_t first = strcspn(command->name, " ");
    const char *second = command->name + first + (command->name[first] == ' ');
    snprintf(when, sizeof(when), "__fish_seen_subcommand_from %.*s%s%s", (int)first, command->name,
             *second ? "; and __fish_seen_subcommand_from " : "", second);
    for (size_t i = 0; i < n; i++) {
        const OptionSpec *spec = &specs[i];
        text_add(text, "complete -c ogpt -n '%s' -l %s %s", when, spec->name,
                 spec->type == OPT_FLAG             ? ""
                 : spec->choices || is_number(spec) ? "-x "
                                                    : "-r -F ");
        if (spec->choices) {
            text_add(text, "-a '");
            words_add(text, spec);
            text_add(text, "' ");
        }
        text_add(text, "-d '");
        quoted_add(text, spec->help, "\\", "\\'");
        text_add(text, "'\n");
    }
}

/* `format` for each group and the words that may follow: a branch of a `case`, or a line. */
static void groups_add(Text *text, const char *format)
{
    char group[32];
    text_add(text, format, "completion", "bash zsh fish");
    for (size_t i = 0; command__at(i); i++) {
        if (begins_group(i, group)) {
            Text names = {0};
            names_add(&names, group);
            text_add(text, format, group, names.data ? names.data : "");
            text->failed = text->failed || names.failed;
            text_release(&names);
        }
    }
}

static void fish_names(Text *text)
{
    text_add(text,
             "# Completion of ogpt for fish.\ncomplete -c ogpt -n __fish_use_subcommand -f -a '");
    names_add(text, NULL);
    text_add(text, "'\n");
    groups_add(text, "complete -c ogpt -n '__fish_seen_subcommand_from %s' -f -a '%s'\n");
}

typedef void CommandRows(Text *text, const Command *command, const OptionSpec *specs, size_t n);

static void commands_add(Text *text, CommandRows *rows)
{
    for (size_t i = 0; command__at(i); i++) {
        const Command *command = command__at(i);
        OptionSpec specs[2 * OPTIONS_MAX];
        size_t n = command->n_options;
        for (size_t k = 0; k < n; k++) {
            specs[k] = command->options[k];
        }
        rows(text, command, specs, n + common__specs(specs + n, command));
    }
}

/* The command's own words, then options; files where neither fits (-o default). */
static void bash_script(Text *text)
{
    text_add(text, "# Completion of ogpt for bash.\n_ogpt() {\n"
                   "    local word=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}\n"
                   "    local command=${COMP_WORDS[1]} options= value=\n    COMPREPLY=()\n"
                   "    if ((COMP_CWORD == 1)); then\n        COMPREPLY=($(compgen -W '");
    names_add(text, NULL);
    text_add(text, "' -- \"$word\"))\n        return\n    fi\n    case $command in\n");
    groups_add(text, "    %s)\n"
                     "        if ((COMP_CWORD == 2)); then\n"
                     "            COMPREPLY=($(compgen -W '%s' -- \"$word\"))\n"
                     "            return\n"
                     "        fi\n"
                     "        command=\"$command ${COMP_WORDS[2]}\" ;;\n");
    text_add(text, "    esac\n    case $command in\n");
    commands_add(text, bash_command);
    text_add(text, "    esac\n"
                   "    if [[ $word == -* || -n $value ]]; then\n"
                   "        COMPREPLY=($(compgen -W \"$options\" -- \"$word\"))\n"
                   "    fi\n}\ncomplete -o default -F _ogpt ogpt\n");
}

static void zsh_script(Text *text)
{
    text_add(text, "#compdef ogpt\n# Completion of ogpt for zsh.\n_ogpt() {\n"
                   "    local command=$words[2]\n    if ((CURRENT == 2)); then\n        compadd ");
    names_add(text, NULL);
    text_add(text, "\n        return\n    fi\n    case $command in\n");
    groups_add(text, "    %s)\n"
                     "        if ((CURRENT == 3)); then\n"
                     "            compadd %s\n"
                     "            return\n"
                     "        fi\n"
                     "        command=\"$command $words[3]\"\n"
                     "        shift words\n"
                     "        ((CURRENT--)) ;;\n");
    text_add(text, "    esac\n    shift words\n    ((CURRENT--))\n    case $command in\n");
    commands_add(text, zsh_command);
    text_add(text, "    esac\n}\n_ogpt \"$@\"\n");
}

static void fish_script(Text *text)
{
    fish_names(text);
    commands_add(text, fish_command);
}

static int completion_run(Context *context)
{
    static const struct {
        const char *shell;
        void (*write)(Text *text);
    } scripts[] = {{"bash", bash_script}, {"zsh", zsh_script}, {"fish", fish_script}};
    for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++) {
        if (strcmp(scripts[i].shell, context->args[0]) == 0) {
            Text *text = study_text(context);
            scripts[i].write(text);
            study_json(context, "script", js_str(text->data ? text->data : ""));
            return 0;
        }
    }
    return err_set(OGPT_EUSAGE, "completion: one of bash, zsh, fish expected, found '%s'",
                   context->args[0]);
}

const Command completion_command = {
    .name = "completion",
    .arguments = "SHELL",
    .summary = "what bash, zsh or fish reads to complete command lines",
    .examples = "ogpt completion bash > ogpt.bash\n"
                "ogpt completion zsh > _ogpt\n"
                "ogpt completion fish > ogpt.fish",
    .min_args = 1,
    .max_args = 1,
    .run = completion_run,
};
