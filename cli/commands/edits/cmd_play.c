/* cli/commands/edits/cmd_play.c - ogpt play: a game against a network, or of the network with
 * itself, with the board that it holds beside the true one after every move. Plain lines in, plain
 * text (or one JSON document a line) out, so that a script can play. */
#include "base/arena.h"
#include "base/err.h"
#include "base/lines.h"
#include "cli/commands/common/model_input.h"
#include "cli/commands/common/probe_input.h"
#include "cli/commands/common/shared_options.h"
#include "cli/study.h"
#include "game/notation.h"
#include "report/dialogue/talk.h"

typedef struct PlayOptions {
    const char *probe, *moves;
    int human; /* place in HUMAN_NAMES */
    LayerList layers;
    double temperature;
    int64_t top;
} PlayOptions;

#define HUMAN_NAMES "black|white|both|none"
/* The sides of the network, by the word of --human. */
static const unsigned network_sides[] = {DIALOGUE_SIDE(WHITE), DIALOGUE_SIDE(BLACK), 0,
                                         DIALOGUE_BOTH};

#define AT(field) offsetof(PlayOptions, field)
static const OptionSpec options[] = {
    OPTION_PROBE(AT(probe), "what reads the board inside the network"),
    OPTION_ENUM("human", AT(human), HUMAN_NAMES,
                "your discs; the network plays the others, none: both sides", .def = "black",
                .argument = "SIDE"),
    OPTION_TEXT("moves", AT(moves), "MOVES", "begin behind these moves, such as \"f5 d6\""),
    OPTION_ONE_LAYER(AT(layers), "the layer that is shown and edited (default: the middle one)"),
    OPTION_NUM("temperature", AT(temperature), "T", 0, 100,
               "of the network's draws; 0: always its first choice", .def = "1"),
    OPTION_INT("top", AT(top), "N", 1, 60, "how many of the network's moves hint lists",
               .def = "5"),
};

typedef struct PlaySession {
    Subject subject;
    Probe probe;
    char probe_path[FILES_PATH_MAX];
    Talk talk;
} PlaySession;

static int answer_tell(void *context, Js *document, const char *text)
{
    return context_part(context, document, text);
}

static int play_open(PlaySession *session, Context *context)
{
    const PlayOptions *given = context->options;
    uint8_t moves[GAME_MAX_MOVES];
    int n = 0;
    Talk *talk = &session->talk;
    TypedGame *game = &talk->dialogue.game;
    int rc = context_subject_open(context, &session->subject, context->args[0]);
    rc = rc ? rc
            : context_probe_open(context, &session->probe, session->probe_path, &session->subject,
                                 given->probe);
    rc = rc ? rc : typed_game_init(game, &session->subject, &session->probe, session->probe_path);
    if (rc == 0 && given->moves && (rc = moves_parse(moves, &n, game->variant, given->moves))) {
        rc = err_set(rc, "--moves: %s", err_message());
    }
    talk->dialogue.network = network_sides[given->human];
    talk->dialogue.temperature = given->temperature;
    talk->dialogue.seed = context->seed;
    talk->force = context->force;
    talk->answer = answer_tell;
    talk->context = context;
    talk->found = (ShowFindings){.game = game,
                                 .model_hash = session->subject.model.model_hash,
                                 .top = (int)given->top,
                                 .style = context->style};
    rc = rc ? rc
            : typed_game_layer(&talk->found.only, game,
                               given->layers.n > 0 ? given->layers.layers[0] : TYPED_LAYER_MIDDLE,
                               given->layers.text);
    return rc ? rc : typed_game_read(game, moves, n);
}

static int play_run(Context *context)
{
    char square[4];
    LinesReader reader = {.fd = 0};
    char line[LINES_MAX];
    bool end = false;
    PlaySession *session = mem_calloc(1, sizeof(*session), "a game");
    if (!session) {
        return OGPT_ENOMEM;
    }
    Talk *talk = &session->talk;
    int rc = play_open(session, context);
    rc = rc ? rc : study_begin(context, NULL, false);
    if (rc == 0) {
        context_say(context, "seed %llu; type a move such as %s, or help",
                    (unsigned long long)context->seed, talk_example(square, talk));
    }
    rc = rc ? rc : talk_position(talk, "start");
    rc = rc ? rc : talk_network_moves(talk);
    while (rc == 0 && !end && !talk->ended) {
        rc = lines_next(line, &end, &reader);
        if (rc == OGPT_EFORMAT) { /* too long to be anything */
            rc = talk_refuse(talk);
        } else if (rc == 0 && !end) {
            rc = talk_line(talk, line);
        }
    }
    rc = rc ? rc : talk_end(talk);
    typed_game_release(&talk->dialogue.game);
    probe_release(&session->probe);
    subject_release(&session->subject);
    mem_free(session);
    return rc;
}

const Command cmd_play = {
    .name = "play",
    .arguments = "MODEL [--human SIDE]",
    .summary = "play against a network, and watch the board inside it",
    .examples = "ogpt play tiny-8x8\n"
                "ogpt play tiny-8x8 --human none --temperature 0\n"
                "printf 'f5\\nhint\\nflip d5\\nsave game.pgn\\n' | ogpt play tiny-8x8 --seed 3",
    COMMAND_OPTIONS(options, PlayOptions),
    .min_args = 1,
    .max_args = 1,
    .model_args = 1,
    .uses = USES_SEED | USES_FORCE | USES_BOARDS,
    .run = play_run,
};
