/* report/runs/run_words.h - what the words and numbers of a report mean: from the pages of docs/,
 * which the program carries.
 *
 * docs/GLOSSARY.md has a row "| word | meaning |" for each word, docs/METHODS.md and
 * docs/METHODS_READERS.md a row "| `key`, `key` | formula | unit |" for each number, under headings
 * that name the commands.
 */
#ifndef OGPT_REPORT_RUNS_RUN_WORDS_H
#define OGPT_REPORT_RUNS_RUN_WORDS_H

#include "report/table.h"

/* A page of docs/; the last of run_documents has no name. Made by cmake/embed.cmake. */
typedef struct RunDocument {
    const char *name, *text;
    size_t length;
} RunDocument;
extern const RunDocument run_documents[];

/* Words and numbers that a report uses. Begins as {0}. */
typedef struct RunWords {
    Text seen; /* all text that people read */
    Js *keys;  /* an array of {command, key, heading} */
} RunWords;

void run_words_release(RunWords *words);
/* A text that the report shows; a column of a table of a run of this command. */
void run_words_see(RunWords *words, const char *text);
void run_words_column(RunWords *words, const char *command, const Column *column);
/* Words of the glossary that were seen, in its order; rows of both pages for the columns. */
void run_words_glossary(Table *out, const RunWords *words);
void run_words_methods(Table *out, const RunWords *words);

#endif
