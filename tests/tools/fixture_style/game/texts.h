/* game/texts.h - allowed: base/twice.h, dialect.c, README.md, ba*.c, <stdio.h>, game_right(),
 * names_of_*, w_last, blocks.0.hook_x, game/dialect, `game_right`, config.json, fixture_NAME.c, "Of", "of the".
 * A sentence may end with dialect.c. Refused from here on: game/absent.h and absent.md,
 * no*such.c, game_absent, absent(), gone_*, game/gone.
 * Of a sentence, the first word.
 */
static const char *help = "the layer. Of these, one";
