/* cli/commands/common/model_input.h - the network and the games that a command names. */
#ifndef OGPT_CLI_COMMANDS_COMMON_MODEL_INPUT_H
#define OGPT_CLI_COMMANDS_COMMON_MODEL_INPUT_H

#include "cli/command.h"
#include "probes/activations/subject.h"
#include "report/pages/page_set.h"

/* model_load, with what it passed over as a warning. Returns as model_load; model_release. */
int context_model_load(const Context *context, ModelFile *out, const char *path);
/* A network as a user types it: a shipped one by its name alone. Part of `path`. */
const char *context_model_name(const char *path);
/* What the pages of --pages say of the network that is the first argument. */
PageSetAbout context_pages_about(const Context *context, const char *path, const char *model_hash);
/* subject_open, with what it passed over as a warning. Returns as subject_open; subject_release. */
int context_subject_open(const Context *context, Subject *out, const char *path);

/* A network and a corpus of its board (path NULL: none), opened and checked before any work; {0}
 * may be released. */
typedef struct StudyInputs {
    Subject subject;
    Corpus *corpus;
} StudyInputs;
int context_inputs_open(const Context *context, StudyInputs *out, const char *model,
                        const char *corpus);
/* Divide the games of a corpus by the rules of the network's training, too, with a word if they are
 * others (datasets/split.h). `path`: its file. */
void context_inputs_divide(const Context *context, Corpus *corpus, const char *path,
                           const ModelFile *model);
/* Refuse a corpus of another board (subject_check_corpus), and divide it as above. */
int context_inputs_match(const Context *context, const Subject *subject, Corpus *corpus,
                         const char *path);
void context_inputs_release(StudyInputs *inputs);

#endif
