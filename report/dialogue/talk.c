/* report/dialogue/talk.c - what can be typed, and the answer to it. Contract in
 * report/dialogue/talk.h. */
#include "report/dialogue/talk.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "base/process.h"
#include "base/suggest.h"
#include "datasets/export.h"
#include "game/notation.h"

static int talk_answer(Talk *talk, const char *event, Js *document, Text *text)
{
    Js *whole = js_object();
    void *it = NULL;
    const char *key;
    const Js *value;
    js_set_str(whole, "event", event);
    while (js_next(document, &it, &key, &value)) {
        js_set(whole, key, js_keep(value));
    }
    js_free(document);
    int rc = talk->answer(talk->context, whole, text->failed ? NULL : text->data);
    talk->answer_rc = talk->answer_rc ? talk->answer_rc : rc;
    text_release(text);
    return rc;
}

int talk_position(Talk *talk, const char *event)
{
    Text text = {0};
    text_add(&text, "\n");
    show_print_position(&text, &talk->found);
    talk_print_turn(&text, &talk->dialogue.game);
    return talk_answer(talk, event, show_position_json(&talk->found), &text);
}

static int move_answer(Talk *talk, const DialogueMove *move)
{
    Text text = {0};
    Js *document = show_position_json(&talk->found);
    js_set(document, "played", talk_played_json(move));
    talk_print_played(&text, &talk->dialogue.game, move);
    show_print_position(&text, &talk->found);
    talk_print_turn(&text, &talk->dialogue.game);
    return talk_answer(talk, "move", document, &text);
}

int talk_network_moves(Talk *talk)
{
    int rc = 0;
    while (rc == 0 && dialogue_network_moves(&talk->dialogue)) {
        DialogueMove move;
        if (interrupt_pending()) {
            return err_set(OGPT_EINTR, "interrupted");
        }
        rc = dialogue_answer(&move, &talk->dialogue);
        rc = rc ? rc : move_answer(talk, &move);
    }
    return rc;
}

/* ---- commands ---- */

const char *talk_example(char out[4], const Talk *talk)
{
    const int half = talk->dialogue.game.variant->size / 2;
    snprintf(out, 4, "%c%c", 'a' + half - 1, '0' + half - 1);
    return out;
}

static int run_undo(Talk *talk, const char *argument)
{
    int n = 0;
    int rc = dialogue_undo(&n, &talk->dialogue);
    return rc ? rc : talk_position(talk, "undo");
}

static int run_hint(Talk *talk, const char *argument)
{
    Text text = {0};
    show_print_hint(&text, &talk->found);
    return talk_answer(talk, "hint", show_position_json(&talk->found), &text);
}

static int run_flip(Talk *talk, const char *argument)
{
    TypedGame *game = &talk->dialogue.game;
    const TypedEdit asked = {.name = "flip",
                             .label = "flip",
                             .text = argument,
                             .layer = talk->dialogue.game.probe->layers[talk->found.only],
                             .scale = 1};
    Text text = {0};
    int rc = typed_game_edit(game, &asked);
    if (rc != 0) {
        return rc;
    }
    text_add(&text, "\n");
    show_print_edit(&text, &talk->found);
    if (game->verdict != CASE_SOUND) {
        text_add(&text, "this edit counts in no mean: %s\n", case_verdict_text(game->verdict));
    }
    Js *document = show_edit_json(&talk->found);
    game->edit_name = NULL; /* the game goes on unedited */
    return talk_answer(talk, "flip", document, &text);
}

static int run_board(Talk *talk, const char *argument)
{
    return talk_position(talk, "board");
}

static int run_save(Talk *talk, const char *path)
{
    const Dialogue *dialogue = &talk->dialogue;
    const TypedGame *game = &dialogue->game;
    const char *players[2];
    Text text = {0};
    if (game->n_moves == 0) {
        return err_set(OGPT_EUSAGE, "save: expected a game, found no move yet");
    }
    for (int side = 0; side < 2; side++) {
        bool network = (dialogue->network & DIALOGUE_SIDE(side)) != 0;
        players[side] = network ? "network" : "human";
    }
    int rc = export_one(path, game->variant, game->moves, game->n_moves, players, talk->force);
    if (rc != 0) {
        return rc;
    }
    Js *document = js_object();
    js_set_str(document, "path", path);
    js_set_int(document, "plies", game->n_moves);
    text_add(&text, "%s: %d moves; read it with ogpt import CORPUS %s --size %d\n", path,
             game->n_moves, path, game->variant->size);
    return talk_answer(talk, "save", document, &text);
}

static int run_help(Talk *talk, const char *argument);

static int run_quit(Talk *talk, const char *argument)
{
    talk->ended = true;
    return 0;
}

static const struct TalkCommand {
    const char *name, *argument, *help;
    int (*run)(Talk *talk, const char *argument);
} commands[] = {
    {"undo", "", "take moves back until you are to move", run_undo},
    {"hint", "", "the legal moves, by the rules and by the network", run_hint},
    {"flip", "SQUARE", "its moves with one disc turned over inside; the game goes on as it was",
     run_flip},
    {"board", "", "the true board beside the one that is read", run_board},
    {"save", "FILE", "write the game as PGN", run_save},
    {"help", "", "this list", run_help},
    {"quit", "", "end; so does the end of the input", run_quit},
};
#define N_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static int run_help(Talk *talk, const char *argument)
{
    char square[4];
    Text text = {0};
    Js *document = js_object(), *list = js_array();
    text_add(&text, "  %-12s  a move; forced passes are made for you\n",
             talk_example(square, talk));
    for (size_t i = 0; i < N_COMMANDS; i++) {
        char words[32];
        snprintf(words, sizeof(words), "%s %s", commands[i].name, commands[i].argument);
        text_add(&text, "  %-12s  %s\n", words, commands[i].help);
        js_push(list, js_str(words));
    }
    js_set(document, "commands", list);
    return talk_answer(talk, "help", document, &text);
}

/* ---- lines ---- */

static int unknown_word(const Talk *talk, const char *word)
{
    char square[4];
    Suggestion near = {.word = word};
    char list[128] = "";
    for (size_t i = 0; i < N_COMMANDS; i++) {
        snprintf(list + strlen(list), sizeof(list) - strlen(list), "%s%s", i ? ", " : "",
                 commands[i].name);
        suggestion_offer(&near, commands[i].name);
    }
    return near.best
               ? err_set(OGPT_EUSAGE, "'%s' is no move and no command; did you mean '%s'?", word,
                         near.best)
               : err_set(OGPT_EUSAGE,
                         "'%s' is no move and no command; expected a square such as %s, or %s",
                         word, talk_example(square, talk), list);
}

static int run_move(Talk *talk, int sq)
{
    DialogueMove move;
    int rc = dialogue_play(&move, &talk->dialogue, sq);
    rc = rc ? rc : move_answer(talk, &move);
    return rc ? rc : talk_network_moves(talk);
}

static int run_words(Talk *talk, const char *word, const char *argument)
{
    int sq = strlen(word) == 2 ? square_parse(talk->dialogue.game.variant, word) : -1;
    if (sq >= 0 && argument[0] == '\0') {
        return run_move(talk, sq);
    }
    if (argument[0] == '\0' && pass_length(word, strlen(word)) == strlen(word)) {
        return dialogue_pass(&talk->dialogue);
    }
    for (size_t i = 0; i < N_COMMANDS; i++) {
        const struct TalkCommand *command = &commands[i];
        if (strcasecmp(word, command->name) != 0) {
            continue;
        }
        if ((command->argument[0] == '\0') != (argument[0] == '\0')) {
            return err_set(OGPT_EUSAGE, "%s: expected %s behind it, found '%s'", command->name,
                           command->argument[0] ? command->argument : "nothing", argument);
        }
        return command->run(talk, argument);
    }
    return sq >= 0
               ? err_set(OGPT_EUSAGE, "%s: one move a line, found '%s' behind it", word, argument)
               : unknown_word(talk, word);
}

int talk_refuse(Talk *talk)
{
    Text text = {0};
    Js *document = js_object();
    js_set_str(document, "message", err_message());
    text_add(&text, "? %s\n", err_message());
    return talk_answer(talk, "error", document, &text);
}

int talk_line(Talk *talk, char *line)
{
    char *word = line + strspn(line, " ");
    size_t length = strcspn(word, " ");
    char *argument = word + length + strspn(word + length, " ");
    size_t end = strlen(argument);
    while (end > 0 && argument[end - 1] == ' ') {
        argument[--end] = '\0';
    }
    word[length] = '\0';
    int rc = word[0] == '\0' ? 0 : run_words(talk, word, argument);
    bool refused = rc == OGPT_EUSAGE || rc == OGPT_EFORMAT || rc == OGPT_EIO;
    return talk->answer_rc ? talk->answer_rc : refused ? talk_refuse(talk) : rc;
}

int talk_end(Talk *talk)
{
    const TypedGame *game = &talk->dialogue.game;
    char moves[3 * GAME_MAX_MOVES + 1];
    Text text = {0};
    moves_print(moves, game->moves, game->n_moves);
    text_add(&text, "%d moves: %s\n", game->n_moves, moves);
    return talk_answer(talk, "end", show_position_json(&talk->found), &text);
}
