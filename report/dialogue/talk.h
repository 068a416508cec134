/* report/dialogue/talk.h - a dialogue about one game: lines that a person or a script types, and
 * the answer to each, as text and as a JSON object.
 */
#ifndef OGPT_REPORT_DIALOGUE_TALK_H
#define OGPT_REPORT_DIALOGUE_TALK_H

#include "probes/dialogue/dialogue.h"
#include "report/results/show_result.h"

typedef struct Talk {
    Dialogue dialogue;
    ShowFindings found; /* of dialogue.game, at the one layer that is shown and edited */
    bool force;         /* save replaces a file of games */
    /* Takes an answer: the document is its own now; text NULL: out of memory. */
    int (*answer)(void *context, Js *document, const char *text);
    void *context;
    bool ended;    /* quit was typed */
    int answer_rc; /* the first error of `answer`: ends the dialogue */
} Talk;

/* The position; the document's "event" is this word. Returns 0 or what `answer` returned. */
int talk_position(Talk *talk, const char *event);
/* The network's moves, until a person is to move or the game is over. Returns 0, OGPT_EINTR, ... */
int talk_network_moves(Talk *talk);
/* One typed line, which is cut up: a move or a command. Returns 0 also for a line that is refused,
 * which is answered with the reason; else what ends the dialogue. */
int talk_line(Talk *talk, char *line);
/* Answer a line with the reason that is set now (base/err.h). */
int talk_refuse(Talk *talk);
/* The name of a legal first move on this board, for messages: d3, c2 or b1. Returns out. */
const char *talk_example(char out[4], const Talk *talk);
/* The last answer: the moves of the game. */
int talk_end(Talk *talk);

/* A move that was made, and a pass behind it; whose turn it is, or how the game ended
 * (talk_text.c). */
void talk_print_played(Text *text, const TypedGame *game, const DialogueMove *move);
void talk_print_turn(Text *text, const TypedGame *game);
Js *talk_played_json(const DialogueMove *move);

#endif
