/* cli/commands/common/game_input.c - contract in game_input.h. */
#include "cli/commands/common/game_input.h"

#include <stdio.h>

#include "base/err.h"

void context_games_words(char *out, const Context *context, const char *corpus, const char *splits)
{
    if (corpus) {
        snprintf(out, GAME_WORDS_MAX, "%s split of %s", splits, corpus);
    } else {
        snprintf(out, GAME_WORDS_MAX, "fresh games of seed %llu",
                 (unsigned long long)context->seed);
    }
}

const GameVariant *context_variant(const Context *context, int rules)
{
    return game_variant_with(context->size > 0 ? context->size : 8,
                             rules < 0 ? RULES_CLASSIC : (GameRules)rules);
}

int context_check_memory(size_t bytes, int64_t allowed_mib, const char *advice)
{
    const size_t mib = (bytes >> 20) + 1;
    return mib <= (size_t)allowed_mib
               ? 0
               : err_set(OGPT_EUSAGE,
                         "it would take %zu MiB of memory, allowed are %lld: take %s, or a larger "
                         "--memory",
                         mib, (long long)allowed_mib, advice);
}
