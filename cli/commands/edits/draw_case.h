/* cli/commands/edits/draw_case.h - intervention cases and predictions on them, as plain text. */
#ifndef OGPT_CLI_COMMANDS_EDITS_DRAW_CASE_H
#define OGPT_CLI_COMMANDS_EDITS_DRAW_CASE_H

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
/* One line a verdict: how many cases are no part of any mean, and why. Nothing when there are
 * none. The JSON members: excluded, excluded_by[]: reason, cases, first_line. */
void draw_exclusions(Text *text, const CaseSet *set, const char *label);
void exclusions_json(Js *out, const CaseSet *set);
/* Squares of a mask as an array of names. */
Js *squares_json(uint64_t squares);

#endif
