/* cli/commands/results/demo_steps.h - the command lines that the demo takes, in the words of a
 * user. */
#ifndef OGPT_CLI_COMMANDS_RESULTS_DEMO_STEPS_H
#define OGPT_CLI_COMMANDS_RESULTS_DEMO_STEPS_H

#include "cli/commands/results/demo_report.h"

#define DEMO_STORE "results.db"
#define DEMO_GIVEN_STORE "given.db" /* of the networks that were given */

typedef struct DemoStep {
    const char *what, *line;
} DemoStep;

typedef struct DemoPart {
    const char *key;   /* of its results in the JSON document */
    int size;          /* of the boards */
    const char *store; /* results database of its steps */
    const DemoStep *steps;
    size_t n_steps;
    bool trained_long; /* every line of the claim is asked of it */
} DemoPart;

/* The part that trains a network, and those that take a network of their size. */
extern const DemoPart demo_train_part;
#define DEMO_GIVEN_PARTS 2
extern const DemoPart demo_given_parts[DEMO_GIVEN_PARTS];

typedef struct GivenModel {
    const char *path; /* NULL: none */
    char probe[32];   /* probe-<start of its hash> */
    char layer[12];   /* the middle one */
    bool has_probe;   /* in its directory */
} GivenModel;

/* What a network of each given part shows at once, with the probe in its directory: a board that is
 * read, and an edit of it. */
extern const DemoStep demo_looks[DEMO_GIVEN_PARTS];
/* What the minutes after that look are for. */
extern const char demo_plan[];

/* Say what the step is for and its command line, then take it in this process, with rows in the
 * database `store`. model: takes the place of MODEL and PROBE, or NULL. 0 or OGPT_E*. */
int demo_step_take(const Context *context, const DemoStep *step, const GivenModel *model,
                   const char *store);

/* The heading of a part; model: NULL for the network that the demo trains. */
void demo_part_heading(Text *out, const DemoPart *part, const GivenModel *model);
#define DEMO_REPORT "report.txt"
#define DEMO_PAGE "report.html"
/* Files of these names in a folder without the demo's results were written by someone else: then
 * OGPT_EUSAGE, unless --force. */
int demo_files_are_ours(const Context *context);
/* Write the page: of each part the claims, from the demo's document, and its runs. models: one a
 * given part, those without a path were not given. */
int demo_page_write(const Context *context, const Js *document, const GivenModel *models);

#endif
