/* cli/commands/edits/page_features.h - the autoencoder whose features a page shows, and what
 * they stand for: the numbers of ogpt sae features with its defaults. */
#ifndef OGPT_CLI_COMMANDS_EDITS_PAGE_FEATURES_H
#define OGPT_CLI_COMMANDS_EDITS_PAGE_FEATURES_H

#include "cli/command.h"
#include "explorer/explorer_page.h"
#include "probes/features/features_study.h"

typedef struct PageFeatures {
    Sae *sae; /* NULL: there is none */
    char path[FILES_PATH_MAX];
    FeaturesStudyInput study;
    FeaturesStudy found;
} PageFeatures;

/* Open the autoencoder that was given, or the one in the model's directory, into page->sae. If none
 * was given and none that fits is there, a line says so. Returns 0 or OGPT_E*. */
int page_features_open(PageFeatures *out, const Context *context, ExplorerPage *page,
                       const char *given);
/* Make the table of its features, behind study_begin: page->features. Returns 0 or OGPT_E*. */
int page_features_make(PageFeatures *features, Context *context, ExplorerPage *page);
void page_features_release(PageFeatures *features);

#endif
