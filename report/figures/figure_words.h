/* report/figures/figure_words.h - what series, panels and lines of a figure are called. Words are
 * owned; NULL: out of memory. */
#ifndef OGPT_REPORT_FIGURES_FIGURE_WORDS_H
#define OGPT_REPORT_FIGURES_FIGURE_WORDS_H

#include "report/table.h"

/* The word of a value: a number behind the name of its column, unless `bare`; a list of layers as
 * "0-2,5". An absent value is "". */
char *figure_word(const Column *column, const Js *value, bool bare);
/* Words of the program are written as people write them: "random model", but no path. */
void figure_word_smooth(char *word);
/* Whether a word is one of "a|b". */
bool figure_word_is_listed(const char *word, const char *list);
/* "LABEL: WORD, MORE" of those that are neither NULL nor empty. */
char *figure_name_join(const char *label, const char *word, const char *more);

#endif
