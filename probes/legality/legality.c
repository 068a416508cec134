/* probes/legality/legality.c - forward passes over fixed chunks of games, judged position by
 * position.
 *
 * Games are fetched in windows (so that a source larger than memory streams), and a window is
 * cut into fixed chunks, one forward pass each. A chunk leaves sums per game and per ply in its
 * own place; they are added up in chunk order afterwards, so the number of workers changes
 * nothing.
 */
#include "probes/legality/legality.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/process.h"
#include "datasets/labels.h"
#include "probes/legality/answers.h"

enum { CHUNK_GAMES = 16, WINDOW_CHUNKS = 64, WINDOW_GAMES = CHUNK_GAMES * WINDOW_CHUNKS };

void legality_add(LegalitySums *sums, const LegalitySums *more)
{
    sums->positions += more->positions;
    sums->loss += more->loss;
    sums->floor += more->floor;
    sums->kl += more->kl;
    sums->strict_errors += more->strict_errors;
    sums->lenient_errors += more->lenient_errors;
    sums->legal_mass += more->legal_mass;
    sums->set_f1 += more->set_f1;
}

/* One position: the board after a move, the token played next, the network's logits (V). */
static LegalitySums score_position(const Vocab *vocab, const Board *board, int played,
                                   const float *logits)
{
    uint64_t legal = answer_tokens(vocab, board_moves(vocab->variant, board));
    uint64_t lenient = answer_tokens(vocab, lenient_moves(vocab->variant, board));
    int n_legal = __builtin_popcountll(legal);
    uint64_t set = answer_top_set(logits, vocab->d_vocab, n_legal);
    int first = answer_top(logits, vocab->d_vocab);
    double log_total = answer_log_total(logits, vocab->d_vocab);
    LegalitySums out = {.positions = 1};
    out.floor = log(n_legal);
    out.loss = log_total - logits[played];
    for (uint64_t rest = legal; rest != 0; rest &= rest - 1) {
        out.legal_mass += exp(logits[__builtin_ctzll(rest)] - log_total);
    }
    out.kl = answer_uniform_kl(logits, vocab->d_vocab, legal);
    out.strict_errors = (legal >> first & 1) ? 0 : 1;
    out.lenient_errors = (lenient >> first & 1) ? 0 : 1;
    /* Both sets have n_legal members, so precision, recall and F1 are the same share. */
    out.set_f1 = (double)__builtin_popcountll(set & legal) / n_legal;
    return out;
}

int legality_add_game(LegalitySums *game, LegalitySums *by_ply, const GameVariant *variant,
                      const uint8_t *moves, const float *logits)
{
    const Vocab *vocab = vocab_of(variant);
    Board after[GAME_MAX_MOVES];
    int n = game_length(moves, variant->n_moves);
    int n_played = game_replay(variant, moves, n, after);
    if (n_played != n) {
        return err_set(OGPT_EFORMAT,
                       "game to be scored: move %d of %d is illegal; run ogpt verify on the corpus",
                       n_played + 1, n);
    }
    for (int t = 0; t + 1 < n; t++) {
        const float *row = logits + (size_t)t * (size_t)vocab->d_vocab;
        int bad = answer_bad_token(row, vocab->d_vocab);
        if (bad >= 0) {
            return err_set(OGPT_ENUM,
                           "the network's logit of token %d after %d moves is %g, expected a "
                           "finite number; the model is damaged or diverged",
                           bad, t + 1, (double)row[bad]);
        }
        LegalitySums position =
            score_position(vocab, &after[t], vocab->tok_of_sq[moves[t + 1]], row);
        legality_add(game, &position);
        legality_add(&by_ply[t], &position);
    }
    return 0;
}

/* One window of games on its way through the workers. */
typedef struct Window {
    const Gpt *gpt;
    const Vocab *vocab;
    Tape **tapes;         /* (pool_size) */
    const uint8_t *moves; /* (n_games, n_moves) */
    size_t n_games;
    LegalitySums *games;  /* (n_games) */
    LegalitySums *by_ply; /* (WINDOW_CHUNKS, GAME_MAX_MOVES) */
} Window;

static int score_chunk(void *context, size_t job, size_t worker)
{
    Window *window = context;
    const GameVariant *variant = window->vocab->variant;
    size_t n_moves = (size_t)variant->n_moves, n_ctx = (size_t)window->vocab->n_ctx;
    size_t first = job * CHUNK_GAMES;
    size_t B = window->n_games - first < CHUNK_GAMES ? window->n_games - first : CHUNK_GAMES;
    uint8_t input[CHUNK_GAMES * GAME_MAX_MOVES], target[CHUNK_GAMES * GAME_MAX_MOVES];
    LegalitySums *by_ply = window->by_ply + job * GAME_MAX_MOVES;
    const real *logits;
    int rc = 0;
    memset(by_ply, 0, GAME_MAX_MOVES * sizeof(*by_ply));
    batch_encode(input, target, window->vocab, window->moves + first * n_moves, B);
    logits = gpt_forward(window->gpt, window->tapes[worker], input, B, n_ctx, NULL);
    for (size_t b = 0; b < B && rc == 0; b++) {
        rc = legality_add_game(&window->games[first + b], by_ply, variant,
                               window->moves + (first + b) * n_moves,
                               logits + b * n_ctx * (size_t)window->vocab->d_vocab);
    }
    return rc;
}

static int check_shapes(const Gpt *gpt, const Vocab *vocab)
{
    if (gpt->cfg.d_vocab != vocab->d_vocab || gpt->cfg.n_ctx != vocab->n_ctx) {
        return err_set(OGPT_EFORMAT,
                       "the model has d_vocab %d and n_ctx %d, games on %dx%d need %d and %d; use "
                       "games of the model's board size",
                       gpt->cfg.d_vocab, gpt->cfg.n_ctx, vocab->variant->size, vocab->variant->size,
                       vocab->d_vocab, vocab->n_ctx);
    }
    return 0;
}

static int make_tapes(Tape ***out, const Gpt *gpt, size_t n)
{
    int rc = 0;
    *out = mem_calloc(n, sizeof **out, "forward passes");
    if (!*out) {
        return OGPT_ENOMEM;
    }
    for (size_t i = 0; i < n && rc == 0; i++) {
        rc = tape_new(&(*out)[i], &gpt->cfg, CHUNK_GAMES, TAPE_FORWARD, NULL);
    }
    return rc;
}

static void free_tapes(Tape **tapes, size_t n)
{
    for (size_t i = 0; tapes && i < n; i++) {
        tape_free(tapes[i]);
    }
    mem_free(tapes);
}

int legality_score(LegalityScore *out, const Gpt *gpt, GameSource *source, uint64_t first, size_t n,
                   Pool *pool, void (*progress)(void *context, size_t games_done), void *context)
{
    const Vocab *vocab = vocab_of(source_variant(source));
    size_t n_workers = pool ? pool_size(pool) : 1;
    Window window = {.gpt = gpt, .vocab = vocab};
    uint8_t *moves = NULL;
    int rc;
    memset(out, 0, sizeof(*out));
    rc = check_shapes(gpt, vocab);
    if (rc != 0) {
        return rc;
    }
    rc = make_tapes(&window.tapes, gpt, n_workers);
    if (rc != 0) {
        goto done;
    }
    out->games = mem_calloc(n, sizeof(*out->games), "sums of the scored games");
    moves = mem_alloc(WINDOW_GAMES, (size_t)vocab->variant->n_moves, "games to be scored");
    window.by_ply =
        mem_alloc((size_t)WINDOW_CHUNKS * GAME_MAX_MOVES, sizeof(*window.by_ply), "sums by ply");
    if (!out->games || !moves || !window.by_ply) {
        rc = OGPT_ENOMEM;
        goto done;
    }
    window.moves = moves;
    while (out->n_games < n) {
        size_t n_chunks;
        if (interrupt_pending()) {
            rc = err_set(OGPT_EINTR, "interrupted after scoring %zu of %zu games", out->n_games, n);
            goto done;
        }
        window.n_games = n - out->n_games < WINDOW_GAMES ? n - out->n_games : WINDOW_GAMES;
        window.games = out->games + out->n_games;
        rc = source_fetch(source, moves, first + out->n_games, window.n_games, pool);
        if (rc != 0) {
            goto done;
        }
        n_chunks = (window.n_games + CHUNK_GAMES - 1) / CHUNK_GAMES;
        rc = pool_run(pool, n_chunks, score_chunk, &window);
        if (rc != 0) {
            goto done;
        }
        for (size_t i = 0; i < window.n_games; i++) {
            legality_add(&out->total, &window.games[i]);
        }
        for (size_t i = 0; i < n_chunks * GAME_MAX_MOVES; i++) {
            legality_add(&out->by_ply[i % GAME_MAX_MOVES], &window.by_ply[i]);
        }
        out->n_games += window.n_games;
        if (progress) {
            progress(context, out->n_games);
        }
    }
done:
    free_tapes(window.tapes, n_workers);
    mem_free(window.by_ply);
    mem_free(moves);
    if (rc != 0) {
        legality_release(out);
    }
    return rc;
}

void legality_release(LegalityScore *score)
{
    mem_free(score->games);
    memset(score, 0, sizeof(*score));
}
