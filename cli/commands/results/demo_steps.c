/* cli/commands/results/demo_steps.c - contract in cli/commands/results/demo_steps.h. */
#include "cli/commands/results/demo_steps.h"

#include <stdio.h>
#include <string.h>

#include "cli/commands/results/typed_line.h"

/* 6x6: small enough to learn in minutes, large enough that guessing fails. 80 % of the corpus, some
 * 288,000 games, are for training, which takes 4400 batches of 64 of them, 281,600; the rest are
 * the validation and test games. The number of steps is fixed, so every machine makes the same
 * model of its kind. */
static const DemoStep train_steps[] = {
    {"Random legal games, nothing else, are all the network will ever see.",
     "generate games.ogpc --size 6 --games 360000"},
    {"A small GPT learns to predict the next move.",
     "train six --corpus games.ogpc --preset tiny --layers 4 --layers-from 4 --steps 4400 "
     "--report-every 400"},
    {"The engine counts how often its first choice breaks the rules.",
     "eval six --corpus games.ogpc --games 5000"},
    {"Linear probes look for the board in its residual stream, with controls that must fail.",
     "probe fit six --corpus games.ogpc --out probe --games 4000"},
    {"Cases for tuning an edit, and other cases for reporting it.",
     "cases make tune.csv --kind natural --n 400 --size 6 --purpose tune"},
    {"", "cases make cases.csv --kind natural --n 1000 --size 6"},
    {"One disc is turned over inside the network; the engine judges what it plays next.",
     "intervene six --probe probe --cases cases.csv --tune tune.csv"},
    {"One position to look at; the tables are the evidence.",
     "show six --probe probe --layers 1 --flip e2 "
     "--moves 'd5 e3 b2 b3 e2 e5 f6 b1 f3 e6 b4 d2 d6 a4 e1 f1'"},
};

/* The same questions to a network that was trained for longer; MODEL is replaced by its path, PROBE
 * for a name of its own: another network in the same folder has another one. */
static const DemoStep given_6x6_steps[] = {
    {"The same questions to a network that saw more games: does it play by the rules?",
     "eval MODEL --corpus games.ogpc --games 5000"},
    {"Can its board be read?", "probe fit MODEL --corpus games.ogpc --out PROBE --games 4000"},
    {"Does it play on an edited board?",
     "intervene MODEL --probe PROBE --cases cases.csv --tune tune.csv"},
    {"One position to look at; the tables are the evidence.",
     "show MODEL --probe PROBE --flip d4 "
     "--moves 'e4 e5 b3 e3 f6 a3 f4 d5 e2 f5 e6 f3 a2 b4 b2 c6'"},
};

static const DemoStep given_8x8_steps[] = {
    {"Games of the full board, only to ask by.", "generate games8.ogpc --games 40000"},
    {"The same questions to a network of that size: does it play by the rules?",
     "eval MODEL --corpus games8.ogpc --games 4000"},
    {"Can its board be read?", "probe fit MODEL --corpus games8.ogpc --out PROBE --games 4000"},
    {"Cases for tuning an edit, and other cases for reporting it.",
     "cases make tune8.csv --kind natural --n 400 --purpose tune"},
    {"", "cases make cases8.csv --kind natural --n 1000"},
    {"Does it play on an edited board?",
     "intervene MODEL --probe PROBE --cases cases8.csv --tune tune8.csv"},
    {"One position to look at; the tables are the evidence.",
     "show MODEL --probe PROBE --flip d4 --moves 'c4 e3 f3 g3 g2 g1 e6 c5 c3 c6 f4 d3 h3'"},
};

const DemoStep demo_looks[DEMO_GIVEN_PARTS] = {
    {"A look first: a network that was shown moves only, the board inside it, and one disc turned "
     "over there.",
     "show MODEL --layers LAYER --flip d4 "
     "--moves 'e4 e5 b3 e3 f6 a3 f4 d5 e2 f5 e6 f3 a2 b4 b2 c6'"},
    {"A look first: a network that was shown moves only, the board inside it, and one disc turned "
     "over there.",
     "show MODEL --layers LAYER --flip f4 "
     "--moves 'e6 f4 d3 e7 f5 e3 d7 g5 f3 d2 d1 g3 e2 c8 h3 c3 b4 f2 d6 c2'"},
};

const char demo_plan[] =
    "\n# That was one position, and it may be luck. The next minutes ask thousands, with controls "
    "that "
    "must fail: a small\n# network is trained from nothing, and then it and the networks given "
    "answer "
    "three questions. Does it play legally?\n# Can its board be read, better than from the moves "
    "alone? Does it play by the board that an edit writes?";

#define COUNT(list) (sizeof(list) / sizeof(list)[0])

const DemoPart demo_train_part = {"trained", 6, DEMO_STORE, train_steps, COUNT(train_steps), false};

const DemoPart demo_given_parts[DEMO_GIVEN_PARTS] = {
    {"given_6x6", 6, DEMO_GIVEN_STORE, given_6x6_steps, COUNT(given_6x6_steps), true},
    {"given_8x8", 8, DEMO_GIVEN_STORE, given_8x8_steps, COUNT(given_8x8_steps), true},
};

int demo_step_take(const Context *context, const DemoStep *step, const GivenModel *model,
                   const char *store)
{
    char line[256], *words[TYPED_WORDS_MAX] = {NULL};
    snprintf(line, sizeof(line), "%s", step->line);
    int n = typed_words(line, words);
    /* show computes nothing that is kept, so it knows no store. */
    if (strncmp(step->line, "show ", 5) != 0) {
        words[n++] = (char *)"--store";
        words[n++] = (char *)store;
    }
    if (context->quiet || context->json) {
        words[n++] = (char *)"--quiet";
    }
    Text shown = {0};
    for (int i = 0; i < n; i++) {
        if (model && strcmp(words[i], "MODEL") == 0) {
            words[i] = (char *)model->path;
        }
        if (model && strcmp(words[i], "PROBE") == 0) {
            words[i] = (char *)model->probe;
        }
        if (model && strcmp(words[i], "LAYER") == 0) {
            words[i] = (char *)model->layer;
        }
        text_add(&shown, strchr(words[i], ' ') ? " '%s'" : " %s", words[i]);
    }
    context_say(context, "%s%s\n$ ogpt%s", step->what[0] != '\0' ? "\n# " : "", step->what,
                shown.failed ? "" : shown.data);
    text_release(&shown);
    return typed_take(context, n, words, false);
}
