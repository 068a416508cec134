/* cli/commands/edits/play_session.h - one run of ogpt play: what it opened, and the lines that a
 * person or a script types (play_lines.c). */
#ifndef OGPT_CLI_COMMANDS_EDITS_PLAY_SESSION_H
#define OGPT_CLI_COMMANDS_EDITS_PLAY_SESSION_H

#include "cli/command.h"
#include "report/results/show_result.h"

typedef struct PlaySession {
    Context *context;
    Subject subject;
    Probe probe;
    char probe_path[FILES_PATH_MAX];
    Dialogue dialogue;
    ShowFindings found; /* of dialogue.game, at the layer that is shown and edited */
    bool ended;         /* quit was typed */
    int stdout_rc;      /* the first error of writing an answer: ends the dialogue */
} PlaySession;

/* Answer with one part of the result: an event and what belongs to it. Takes over the document and
 * releases the text. */
int play_answer(PlaySession *session, const char *event, Js *document, Text *text);
/* The position as it is. */
int play_answer_position(PlaySession *session, const char *event);
/* The network's moves, until a person is to move or the game is over. */
int play_network_moves(PlaySession *session);
/* Answer a line that is refused with the reason that is set now. */
int play_refuse(PlaySession *session);
/* One typed line: a move or a command. Returns 0 also for a line that is refused (which is answered
 * with the reason), else what ends the dialogue. */
int play_line(PlaySession *session, char *line);

#endif
