/* cli/commands/common/kept_blocks.c - contract in cli/commands/common/kept_blocks.h. */
#include "cli/commands/common/kept_blocks.h"

#include <string.h>

#include "base/arena.h"

void kept_blocks_text(Sha256 *hash, const char *text)
{
    sha256_add(hash, text, strlen(text) + 1);
}

int kept_blocks_key(Sha256 **hash, const Context *context, const char *model_hash)
{
    int rc = sha256_new(hash);
    if (rc != 0) {
        *hash = NULL;
        return rc;
    }
    kept_blocks_text(*hash, OGPT_VERSION);
    kept_blocks_text(*hash, context->command->name);
    sha256_add(*hash, &context->seed, sizeof(context->seed));
    kept_blocks_text(*hash, model_hash);
    return 0;
}

int kept_blocks_options(Sha256 *hash, const Context *context)
{
    char *options = NULL;
    int rc = js_print(&options, context->options_json, 0);
    if (rc == 0) {
        kept_blocks_text(hash, options);
    }
    mem_free(options);
    return rc;
}

int kept_blocks_begin(KeptWork *blocks, const Context *context, Sha256 *hash, int rc)
{
    *blocks = (KeptWork){.journal = {.store = context->store}};
    blocks->callbacks = store_journal_work(&blocks->journal);
    if (rc == 0) {
        sha256_finish(hash, blocks->journal.key);
    } else if (hash) {
        sha256_free(hash);
    }
    return rc;
}

int kept_blocks_end(const KeptWork *blocks)
{
    return store_journal_drop(blocks->journal.store, blocks->journal.key);
}
