/* tests/fuzz/fuzz_write_corpus.c - games into a corpus file, blocks in any order, the writer
 * closed in between: what is read is what was written. Games are bytes of playable squares; a
 * corpus does not ask whether they are legal until it is verified. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "datasets/corpus.h"
#include "tests/fuzz/fuzz.h"

#define BLOCKS_MAX 3

static void file_remove(const char *path)
{
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < sizeof(suffixes) / sizeof(*suffixes); i++) {
        char name[600];
        snprintf(name, sizeof(name), "%s%s", path, suffixes[i]);
        unlink(name);
    }
}

/* The squares of the board and SQ_NONE, chosen by the input again and again. */
static void games_draw(uint8_t *moves, size_t n_bytes, const GameVariant *variant,
                       const FuzzInput *input)
{
    const uint64_t playable = variant->squares & ~variant->centre;
    for (size_t i = 0; i < n_bytes; i++) {
        const uint8_t byte = input->n > 0 ? input->at[i % input->n] : 0;
        const uint8_t sq = (uint8_t)((byte + i / (input->n + 1)) % BOARD_SQUARES);
        moves[i] = playable >> sq & 1 ? sq : SQ_NONE;
    }
}

static void blocks_write(const char *path, const CorpusInfo *meta, const uint8_t *moves,
                         unsigned order, bool reopen)
{
    const uint64_t n_blocks = (meta->n_games + CORPUS_BLOCK_GAMES - 1) / CORPUS_BLOCK_GAMES;
    Corpus *corpus = NULL;
    fuzz_require(corpus_create(&corpus, path, meta) == 0, "a corpus can be begun");
    for (uint64_t i = 0; i < n_blocks; i++) {
        const uint64_t block = (i + order) % n_blocks;
        if (reopen) {
            corpus_close(corpus);
            fuzz_require(corpus_create(&corpus, path, meta) == 0, "and gone on with");
        }
        fuzz_require(!corpus_has_block(corpus, block) &&
                         corpus_write_blocks(corpus, block, 1,
                                             moves + block * CORPUS_BLOCK_GAMES *
                                                         (uint64_t)meta->variant->n_moves) == 0,
                     "each block is taken once");
    }
    fuzz_require(corpus_finish(corpus) == 0, "and finished");
    corpus_close(corpus);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    FuzzInput input = {data, size};
    CorpusInfo meta = {.variant = game_variant(4 + 2 * (fuzz_byte(&input) % 2)),
                       .source = "import"};
    const uint8_t order = fuzz_byte(&input);
    /* Blocks and rest apart: an input is of as many blocks in builds whose blocks are longer. */
    const uint64_t whole = fuzz_byte(&input) % BLOCKS_MAX;
    const uint64_t rest = fuzz_number(&input, 2) % CORPUS_BLOCK_GAMES;
    meta.n_games = whole * CORPUS_BLOCK_GAMES + rest + 1;
    const size_t n_bytes = (size_t)meta.n_games * (size_t)meta.variant->n_moves;
    uint8_t *moves = mem_alloc(n_bytes, 1, "games");
    uint8_t *back = mem_alloc(n_bytes, 1, "games");
    games_draw(moves, n_bytes, meta.variant, &input);
    char path[512];
    Corpus *corpus = NULL;
    snprintf(path, sizeof(path), "%s/written.ogpc", fuzz_dir());
    blocks_write(path, &meta, moves, order % 3, order >= 128);
    fuzz_require(corpus_open(&corpus, path, false) == 0, "what was written can be opened");
    fuzz_require(corpus_read(corpus, back, 0, meta.n_games) == 0, "and read");
    char hash[HASH_HEX_SIZE];
    sha256_of(hash, moves, n_bytes);
    fuzz_plant(back, n_bytes);
    fuzz_require(memcmp(back, moves, n_bytes) == 0, "with the same games");
    fuzz_require(strcmp(corpus_info(corpus)->content_hash, hash) == 0, "and their content hash");
    corpus_close(corpus);
    file_remove(path);
    mem_free(back);
    mem_free(moves);
    return 0;
}
