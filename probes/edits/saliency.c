/* probes/edits/saliency.c - one case a square, all of the same history, in one query. */
#include "probes/edits/saliency.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "datasets/labels.h"
#include "datasets/vocab.h"
#include "game/notation.h"
#include "probes/legality/answers.h"

_Static_assert(BOARD_SQUARES <= EDIT_CHUNK_CASES, "a board is one query");

/* ln p - ln(1 - p) of one token: its logit minus the logarithm of the sum over the others. */
static double log_odds(const float *logits, int d_vocab, int tok)
{
    double largest = -INFINITY, sum = 0.0;
    for (int other = 0; other < d_vocab; other++) {
        largest = other != tok ? fmax(largest, (double)logits[other]) : largest;
    }
    for (int other = 0; other < d_vocab; other++) {
        sum += other != tok ? exp((double)logits[other] - largest) : 0.0;
    }
    return (double)logits[tok] - largest - log(sum);
}

static double probability(double odds)
{
    return 1.0 / (1.0 + exp(-odds));
}

/* The cases: one for each square that is edited. */
static int make_cases(CaseSet *set, const uint8_t *moves, int n, SaliencyPlaced placed)
{
    EditCase whole = {.n_moves = n, .n_squares = 1};
    Board after[GAME_MAX_MOVES];
    int rc = 0;
    memset(whole.moves, SQ_NONE, sizeof(whole.moves));
    memcpy(whole.moves, moves, (size_t)n);
    if (game_replay(set->variant, moves, n, after) != n) {
        return err_set(OGPT_EUSAGE, "the moves are not legal; check them with ogpt show");
    }
    set->cases = mem_alloc(BOARD_SQUARES, sizeof(*set->cases), "squares to be edited");
    if (!set->cases) {
        return OGPT_ENOMEM;
    }
    for (int sq = 0; sq < BOARD_SQUARES && rc == 0; sq++) {
        const Board *board = &after[n - 1];
        bool black = board_discs(board, BLACK) >> sq & 1,
             white = board_discs(board, WHITE) >> sq & 1;
        bool places_black = (placed == PLACED_MINE) == (board->to_move == BLACK);
        CaseVerdict verdict;
        EditCase *edit = &set->cases[set->n];
        if ((set->variant->squares >> sq & 1) == 0 || (!black && !white && placed == PLACED_NONE)) {
            continue;
        }
        *edit = whole;
        edit->squares[0] = (CaseSquare){.sq = (uint8_t)sq,
                                        .from = black   ? LABEL_BLACK
                                                : white ? LABEL_WHITE
                                                        : LABEL_EMPTY,
                                        .to = black                   ? LABEL_WHITE
                                              : white || places_black ? LABEL_BLACK
                                                                      : LABEL_WHITE};
        rc = case_derive(edit, &verdict, set->variant);
        set->n++;
    }
    return rc;
}

static void summarise(Saliency *out)
{
    double deciding = 0.0, other = 0.0, wins = 0.0;
    int n_other;
    for (int i = 0; i < out->n; i++) {
        bool decides = out->squares[i].legal != out->legal;
        out->n_deciding += decides;
        *(decides ? &deciding : &other) += fabs(out->squares[i].effect);
    }
    n_other = out->n - out->n_deciding;
    for (int i = 0; i < out->n; i++) {
        for (int j = 0; j < out->n; j++) {
            double a = fabs(out->squares[i].effect), b = fabs(out->squares[j].effect);
            if (out->squares[i].legal != out->legal && out->squares[j].legal == out->legal) {
                wins += a > b ? 1.0 : a == b ? 0.5 : 0.0;
            }
        }
    }
    out->deciding_effect = out->n_deciding ? deciding / out->n_deciding : NAN;
    out->other_effect = n_other ? other / n_other : NAN;
    out->separation = out->n_deciding && n_other ? wins / ((double)out->n_deciding * n_other) : NAN;
}

static int check_move(const CaseSet *set, const Vocab *vocab, int move)
{
    const Board *board = &set->cases[0].before;
    char name[3];
    if (board_is_over(set->variant, board)) {
        return err_set(OGPT_EUSAGE, "the game is over: no move to be explained");
    }
    if (move == -1) {
        return 0;
    }
    if (move < 0 || move >= BOARD_SQUARES || vocab->tok_of_sq[move] == TOK_PAD ||
        ((board->mine | board->theirs) >> move & 1)) {
        square_print(name, move >= 0 && move < BOARD_SQUARES ? move : 0);
        return err_set(OGPT_EUSAGE, "move %s: expected an empty square of the board", name);
    }
    return 0;
}

/* The empty square with the token of highest logit. A game that goes on has one; without any,
 * SQ_NONE of the pad. */
static int first_choice(const float *logits, const Vocab *vocab, const Board *board)
{
    int best = TOK_PAD;
    for (int tok = 1; tok < vocab->d_vocab; tok++) {
        bool empty = ((board->mine | board->theirs) >> vocab->sq_of_tok[tok] & 1) == 0;
        if (empty && (best == TOK_PAD || logits[tok] > logits[best])) {
            best = tok;
        }
    }
    return vocab->sq_of_tok[best];
}

/* Enter the answers under one arm. Arm null gives the log-odds of the move without an edit, arm
 * edit those with each square edited. */
static int enter(Saliency *out, const CaseSet *set, Arm arm, const float *logits)
{
    const Vocab *vocab = vocab_of(set->variant);
    size_t V = (size_t)vocab->d_vocab;
    for (size_t i = 0; i < set->n; i++) {
        const EditCase *edit = &set->cases[i];
        double odds = log_odds(logits + i * V, vocab->d_vocab, vocab->tok_of_sq[out->move]);
        if (!isfinite(odds)) {
            return err_set(OGPT_ENUM,
                           "the log-odds of the move are %g, expected a finite "
                           "number; the scale is too large or the model is damaged",
                           odds);
        }
        if (arm == ARM_NULL) {
            out->log_odds = odds;
            out->p = probability(odds);
        } else {
            out->squares[out->n++] = (SaliencySquare){.sq = edit->squares[0].sq,
                                                      .from = edit->squares[0].from,
                                                      .to = edit->squares[0].to,
                                                      .p = probability(odds),
                                                      .effect = odds - out->log_odds,
                                                      .legal = edit->legal_edited >> out->move & 1};
        }
    }
    return 0;
}

int saliency_map(Saliency *out, const EditPredictor *predictor, const SaliencyQuestion *question,
                 const EditPlan *plan)
{
    static const Arm asked[] = {ARM_NULL, ARM_EDIT};
    const Vocab *vocab = vocab_of(question->variant);
    float logits[EDIT_CHUNK_CASES * EDIT_MAX_VOCAB];
    double *norms =
        mem_calloc((size_t)EDIT_CHUNK_CASES * EDIT_MAX_LAYERS, sizeof(*norms), "lengths of edits");
    size_t order[BOARD_SQUARES];
    CaseSet set = {.variant = question->variant};
    EditQuery query = {.set = &set, .order = order, .norms = norms};
    int rc = norms ? make_cases(&set, question->moves, question->n, question->placed) : OGPT_ENOMEM;
    memset(out, 0, sizeof(*out));
    rc = rc ? rc : check_move(&set, vocab, question->move);
    if (rc != 0) {
        goto done;
    }
    out->move = question->move;
    out->board = set.cases[0].before;
    for (size_t i = 0; i < set.n; i++) {
        order[i] = i;
    }
    query.n = set.n;
    /* Both queries name the same cases, so that a network reads the history once. */
    for (int a = 0; a < 2 && rc == 0; a++) {
        query.arm = asked[a];
        query.plan = arm_is_plain(asked[a]) ? NULL : plan;
        rc = predictor->predict(predictor->context, logits, &query, 0);
        if (rc == 0 && asked[a] == ARM_NULL) {
            out->move =
                question->move >= 0 ? question->move : first_choice(logits, vocab, &out->board);
            out->legal = set.cases[0].legal_before >> out->move & 1;
        }
        rc = rc ? rc : enter(out, &set, asked[a], logits);
    }
    summarise(out);
done:
    cases_release(&set);
    mem_free(norms);
    return rc;
}
