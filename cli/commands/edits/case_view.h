/* cli/commands/edits/case_view.h - intervention cases and predictions on them, as plain text. */
#ifndef OGPT_CLI_COMMANDS_EDITS_CASE_VIEW_H
#define OGPT_CLI_COMMANDS_EDITS_CASE_VIEW_H

#include "cli/command.h"
#include "probes/cases/cases.h"

/* Moves, edit, both boards with their legal moves, and the witness. */
void draw_case(Text *text, const GameVariant *variant, const EditCase *edit, size_t index);
/* One line: the predicted tokens, legal ones first, each illegal one with '!', then the legal
 * moves that are missing. */
void draw_prediction(Text *text, const GameVariant *variant, const char *title, uint64_t tokens,
                     uint64_t legal);
/* The case as JSON: moves, squares, from, to, witness, both boards and legal moves. */
Js *case_json(const GameVariant *variant, const EditCase *edit, size_t index);
/* One line a verdict: how many cases count in no mean, and why. Nothing when there are none. As
 * JSON: a list of reason, cases, first_line. */
void draw_exclusions(Text *text, const CaseSet *set, const char *label);
Js *exclusions_json(const CaseSet *set);
/* Squares of a mask as an array of names; those that a case edits. */
Js *squares_json(uint64_t squares);
Js *squares_edited_json(const EditCase *edit);

#endif
