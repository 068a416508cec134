/* cli/commands/common/shared_options.h - rows of option tables that commands share, so that one thing has
 * one name, one range and one explanation everywhere. */
#ifndef OGPT_CLI_COMMANDS_COMMON_SHARED_OPTIONS_H
#define OGPT_CLI_COMMANDS_COMMON_SHARED_OPTIONS_H

#include "cli/command.h"
#include "model/sites.h"

/* --site: the field is an int that holds a HookSite. */
#define OPTION_SITE(at_, help_)                                                                    \
    {                                                                                              \
        .name = "site", .type = OPT_SITE, .offset = at_, .def = "resid_post",                      \
        .choices = HOOK_NAMES_VECTOR, .parse = hook_site_parse, .help = help_                      \
    }
/* --layers: any number of them, all unless told; the field is a LayerList. */
#define OPTION_LAYERS(at_, help_)                                                                  \
    {                                                                                              \
        .name = "layers", .type = OPT_LAYERS, .offset = at_, .def = "all", .choices = "all",       \
        .help = help_                                                                              \
    }
/* --layers where exactly one makes sense; --layer is its older name. */
#define OPTION_ONE_LAYER(at_, help_)                                                               \
    {                                                                                              \
        .name = "layers", .type = OPT_LAYERS, .offset = at_, .max = 1, .alias = "layer",           \
        .help = help_                                                                              \
    }
/* --corpus, without which the command can do nothing. */
#define OPTION_CORPUS(at_, help_)                                                                  \
    {                                                                                              \
        .name = "corpus", .type = OPT_TEXT, .offset = at_, .argument = "CORPUS", .help = help_,    \
        .required = true                                                                           \
    }

#endif
