/* cli/commands/common/shared_options.h - rows of option tables that commands share, so that one
 * thing has one name, one range and one explanation everywhere. */
#ifndef OGPT_CLI_COMMANDS_COMMON_SHARED_OPTIONS_H
#define OGPT_CLI_COMMANDS_COMMON_SHARED_OPTIONS_H

#include "cli/command.h"
#include "game/board.h"
#include "model/sites.h"

/* --site: the field is an int that holds a HookSite. names: HOOK_NAMES_VECTOR, HOOK_NAMES_CAPTURE
 * or HOOK_NAMES_STREAM. TransformerLens's names and older ones are taken too. */
#define OPTION_SITE(at_, names_, help_)                                                            \
    OPTION_ROW("site", OPT_SITE, at_, help_, .def = "resid_post", .choices = names_,               \
               .parse = hook_site_parse)
/* --layers: any number of them, all unless told; the field is a LayerList. */
#define OPTION_LAYERS(at_, help_)                                                                  \
    OPTION_ROW("layers", OPT_LAYERS, at_, help_, .def = "all", .choices = "all")
/* --layers where exactly one makes sense; --layer is its older name. */
#define OPTION_ONE_LAYER(at_, help_)                                                               \
    OPTION_ROW("layers", OPT_LAYERS, at_, help_, .max = 1, .alias = "layer")
/* --pages: a folder, and below it a page for each: "head" (report/pages/page_set.h). */
#define OPTION_PAGES(at_, each_)                                                                   \
    OPTION_OUT("pages", at_, "DIR", "also make a page for each " each_ ", and an index, in DIR",   \
               .kept = true)
/* --corpus, without which the command can do nothing. */
#define OPTION_CORPUS(at_, help_) OPTION_TEXT("corpus", at_, "CORPUS", help_, .required = true)
/* --rules of games that are made; the field is an int that holds a GameRules, -1 if there is no
 * .def and none is given. */
#define OPTION_RULES(at_, help_, ...)                                                              \
    OPTION_ENUM("rules", at_, GAME_RULES_WORDS, help_, __VA_ARGS__)
/* --memory of a study that keeps what it computes (context_check_memory). */
#define OPTION_MEMORY(at_)                                                                         \
    OPTION_INT("memory", at_, "MIB", 1, 1e6, "how much memory it may take", .def = "4096")

#endif
