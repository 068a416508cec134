/* probes/legality/legality.c - see probes/legality/legality.h. Games go through the network by
 * probes/activations/passes.h and are judged position by position. */
#include "probes/legality/legality.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "datasets/labels.h"
#include "probes/activations/passes.h"
#include "probes/legality/answers.h"

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

/* Score one position: the board after a move, the token played next, the logits (V). */
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

typedef struct Scoring {
    LegalityScore *out;
    const GameVariant *variant;
    LegalitySums *by_ply; /* (passes_window, GAME_MAX_MOVES) sums of each pass of a window */
} Scoring;

static int score_pass(void *context, const PassBatch *pass)
{
    const Scoring *scoring = context;
    size_t n_moves = (size_t)scoring->variant->n_moves,
           V = (size_t)vocab_of(scoring->variant)->d_vocab;
    LegalitySums *by_ply = scoring->by_ply + pass->slot * GAME_MAX_MOVES;
    int rc = 0;
    memset(by_ply, 0, GAME_MAX_MOVES * sizeof(*by_ply));
    for (size_t b = 0; b < pass->B && rc == 0; b++) {
        rc = legality_add_game(&scoring->out->games[pass->game + b], by_ply, scoring->variant,
                               pass->moves + b * n_moves, pass->logits + b * pass->T * V);
    }
    return rc;
}

/* Sums are added in the order of the games, so that the number of workers changes nothing. */
static int add_window(void *context, size_t first, size_t n)
{
    const Scoring *scoring = context;
    LegalityScore *out = scoring->out;
    size_t n_passes = (n + PASS_GAMES - 1) / PASS_GAMES;
    for (size_t i = first; i < first + n; i++) {
        legality_add(&out->total, &out->games[i]);
    }
    for (size_t i = 0; i < n_passes * GAME_MAX_MOVES; i++) {
        legality_add(&out->by_ply[i % GAME_MAX_MOVES], &scoring->by_ply[i]);
    }
    out->n_games += n;
    return 0;
}

int legality_score(LegalityScore *out, const Gpt *gpt, GameSource *source, uint64_t first, size_t n,
                   const Work *work)
{
    const GameVariant *variant = source_variant(source);
    Scoring scoring = {.out = out, .variant = variant};
    PassGames games = {.vocab = vocab_of(variant), .n = n, .source = source, .first = first};
    PassCalls calls = {.context = &scoring, .visit = score_pass, .gather = add_window};
    memset(out, 0, sizeof(*out));
    out->games = mem_calloc(n, sizeof(*out->games), "sums of the scored games");
    scoring.by_ply =
        mem_alloc(passes_window(work) * GAME_MAX_MOVES, sizeof(*scoring.by_ply), "sums by ply");
    calls.results[0] = (PassResult){out->games, sizeof(*out->games), .by_game = true};
    calls.results[1] =
        (PassResult){scoring.by_ply, GAME_MAX_MOVES * sizeof(*scoring.by_ply), false};
    calls.n_results = 2;
    int rc = out->games && scoring.by_ply ? passes_run(gpt, &games, &calls, work) : OGPT_ENOMEM;
    mem_free(scoring.by_ply);
    if (rc) {
        legality_release(out);
    }
    return rc;
}

void legality_release(LegalityScore *score)
{
    mem_free(score->games);
    memset(score, 0, sizeof(*score));
}

int legality_errors(LegalityErrors *out, const LegalityScore *score, uint64_t seed)
{
    size_t n = score->n_games;
    double *sums = mem_alloc(3 * n, sizeof(*sums), "errors by game");
    if (!sums) {
        return OGPT_ENOMEM;
    }
    double *strict = sums, *lenient = sums + n, *positions = sums + 2 * n;
    for (size_t i = 0; i < n; i++) {
        strict[i] = score->games[i].strict_errors;
        lenient[i] = score->games[i].lenient_errors;
        positions[i] = score->games[i].positions;
    }
    out->strict = bootstrap_ratio(strict, positions, n, seed);
    out->lenient = bootstrap_ratio(lenient, positions, n, seed);
    mem_free(sums);
    return 0;
}
