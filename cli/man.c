/* cli/man.c - manual pages, from the command table and the option tables: ogpt help --man. */
#include "cli/framework.h"

#include <string.h>

/* Text of a page: a backslash is an escape, a hyphen would become a dash, and a dot or a quote that
 * begins a line a request. */
static void roff_add(Text *text, const char *plain, bool line_start)
{
    for (; *plain != '\0'; plain++) {
        const char *before = line_start && (*plain == '.' || *plain == '\'') ? "\\&" : "";
        const char *escape = *plain == '\\' ? "\\e" : *plain == '-' ? "\\-" : NULL;
        text_add(text, "%s", before);
        if (escape) {
            text_add(text, "%s", escape);
        } else {
            text_add(text, "%c", *plain);
        }
        line_start = *plain == '\n';
    }
}

/* "probe fit": the page ogpt-probe-fit. */
static void page_name(Text *text, const char *command)
{
    text_add(text, "ogpt\\-");
    for (const char *c = command; *c != '\0'; c++) {
        text_add(text, *c == ' ' || *c == '-' ? "\\-" : "%c", *c);
    }
}

static void options_section(Text *text, const OptionSpec *specs, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        Text meaning = {0};
        const char *argument = specs[i].type == OPT_FLAG ? "" : option_argument(&specs[i]);
        text_add(text, ".TP\n\\fB\\-\\-");
        roff_add(text, specs[i].name, false);
        text_add(text, "\\fR \\fI");
        roff_add(text, argument, false);
        text_add(text, "\\fR\n");
        option_meaning(&meaning, &specs[i]);
        roff_add(text, meaning.data ? meaning.data : "", true);
        text_add(text, "\n");
        text->failed = text->failed || meaning.failed;
        text_release(&meaning);
    }
}

static void examples_section(Text *text, const char *examples)
{
    text_add(text, ".SH EXAMPLES\n.nf\n");
    roff_add(text, examples, true);
    text_add(text, "\n.fi\n");
}

static void title(Text *text, const char *command, const char *summary)
{
    text_add(text, ".TH \"OGPT%s%s\" 1 \"\" \"ogpt %s\"\n.SH NAME\n", command ? " " : "",
             command ? command : "", program__get()->version);
    if (command) {
        page_name(text, command);
    } else {
        text_add(text, "ogpt");
    }
    text_add(text, " \\- ");
    roff_add(text, summary, false);
    text_add(text, "\n.SH SYNOPSIS\n.B ogpt ");
}

void help__man(Text *text, const Command *command)
{
    if (command) {
        OptionSpec common[OPTIONS_MAX];
        title(text, command->name, command->summary);
        roff_add(text, command->name, false);
        text_add(text, "\n");
        roff_add(text, command->arguments, true);
        text_add(text, "\n.SH OPTIONS\n");
        options_section(text, command->options, command->n_options);
        options_section(text, common, common__specs(common, command));
        examples_section(text, command->examples);
        text_add(text, ".SH SEE ALSO\n.BR ogpt (1)\n");
        return;
    }
    title(text, NULL, "a world-model laboratory for Othello");
    text_add(text, "COMMAND\n[\\fIARGUMENTS\\fR] [\\fIOPTIONS\\fR]\n.SH COMMANDS\n");
    for (size_t i = 0; command__at(i); i++) {
        text_add(text, ".TP\n.BR ");
        page_name(text, command__at(i)->name);
        text_add(text, " (1)\n");
        roff_add(text, command__at(i)->summary, true);
        text_add(text, "\n");
    }
    text_add(text, ".SH EXIT STATUS\n");
    roff_add(text, help__exit_codes, true);
}
