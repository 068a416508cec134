/* probes/cases/cases.c - the rules' verdict on each case; statistics; writing case files. */
#include "probes/cases/cases.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "datasets/labels.h"
#include "game/notation.h"
#include "probes/cases/case_keys.h"

const char *case_state_name(int state)
{
    static const char *const names[] = {"empty", "white", "black"};
    return names[state];
}

const char *case_verdict_text(CaseVerdict verdict)
{
    static const char *const texts[N_CASE_VERDICTS] = {
        [CASE_SOUND] = "it is sound",
        [CASE_CENTRE_EMPTIED] = "it empties a centre square",
        [CASE_GAME_OVER] = "the game is over before the edit",
        [CASE_NO_MOVE] = "neither side has a move on the edited board"};
    return texts[verdict];
}

void cases_release(CaseSet *set)
{
    mem_free(set->cases);
    memset(set, 0, sizeof(*set));
}

int cases__add(CaseSet *set, const EditCase *edit)
{
    if (set->n == set->room) {
        size_t room = set->room ? 2 * set->room : 64;
        EditCase *grown = mem_realloc(set->cases, room, sizeof(*grown), "cases");
        if (!grown) {
            return OGPT_ENOMEM;
        }
        set->cases = grown;
        set->room = room;
    }
    set->cases[set->n++] = *edit;
    return 0;
}

static int state_of(const Board *board, int sq)
{
    if (board_discs(board, BLACK) >> sq & 1) {
        return LABEL_BLACK;
    }
    return board_discs(board, WHITE) >> sq & 1 ? LABEL_WHITE : LABEL_EMPTY;
}

/* Change the squares of `before`; if its mover then has no move, the other side moves. */
static Board edited_board(const GameVariant *variant, const EditCase *edit)
{
    uint64_t discs[2] = {board_discs(&edit->before, BLACK), board_discs(&edit->before, WHITE)};
    Board board, swapped;
    for (int i = 0; i < edit->n_squares; i++) {
        uint64_t bit = 1ULL << edit->squares[i].sq;
        discs[BLACK] &= ~bit;
        discs[WHITE] &= ~bit;
        if (edit->squares[i].to != LABEL_EMPTY) {
            discs[edit->squares[i].to == LABEL_BLACK ? BLACK : WHITE] |= bit;
        }
    }
    board = board_from_discs(discs[BLACK], discs[WHITE], edit->before.to_move);
    swapped = board_swapped(&board);
    return board_moves(variant, &board) == 0 && board_moves(variant, &swapped) != 0 ? swapped
                                                                                    : board;
}

static int check_witness(const EditCase *edit, const GameVariant *variant)
{
    Board after[GAME_MAX_MOVES], reached;
    int n = edit->n_moves;
    int n_legal = game_replay(variant, edit->witness, n, after);
    if (n_legal != n) {
        return err_set(OGPT_EFORMAT, "the witness's move %d is illegal", n_legal + 1);
    }
    reached = after[n - 1];
    if (reached.mine != edit->edited.mine || reached.theirs != edit->edited.theirs ||
        reached.to_move != edit->edited.to_move) {
        return err_set(OGPT_EFORMAT, "the witness does not reach the edited board");
    }
    return 0;
}

int case_derive(EditCase *edit, CaseVerdict *verdict, const GameVariant *variant)
{
    Board after[GAME_MAX_MOVES];
    int n_legal = game_replay(variant, edit->moves, edit->n_moves, after);
    uint64_t emptied = 0;
    *verdict = CASE_SOUND;
    if (n_legal != edit->n_moves) {
        return err_set(OGPT_EFORMAT, "move %d is illegal", n_legal + 1);
    }
    edit->before = after[edit->n_moves - 1];
    for (int i = 0; i < edit->n_squares; i++) {
        const CaseSquare *square = &edit->squares[i];
        int state = state_of(&edit->before, square->sq);
        char name[3];
        square_print(name, square->sq);
        if (state != square->from) {
            return err_set(OGPT_EFORMAT, "after %d moves %s is %s, the case says %s", edit->n_moves,
                           name, case_state_name(state), case_state_name(square->from));
        }
        if (square->from == square->to) {
            return err_set(OGPT_EFORMAT, "%s is to become %s, which it is; expected a change", name,
                           case_state_name(square->to));
        }
        emptied |= square->to == LABEL_EMPTY ? 1ULL << square->sq : 0;
    }
    edit->edited = edited_board(variant, edit);
    edit->legal_before = board_moves(variant, &edit->before);
    edit->legal_edited = board_moves(variant, &edit->edited);
    if (emptied & variant->centre) {
        *verdict = CASE_CENTRE_EMPTIED;
    } else if (edit->legal_before == 0) {
        *verdict = CASE_GAME_OVER;
    } else if (edit->legal_edited == 0) {
        *verdict = CASE_NO_MOVE;
    }
    return edit->has_witness ? check_witness(edit, variant) : 0;
}

/* Without a pass black makes the even moves, so the side to move after move t follows from t. */
bool cases__history_has_pass(const GameVariant *variant, const uint8_t *moves, int n)
{
    Board after[GAME_MAX_MOVES];
    bool found = false;
    game_replay(variant, moves, n, after);
    for (int t = 0; t < n; t++) {
        found = found || after[t].to_move != (t % 2 == 0 ? WHITE : BLACK);
    }
    return found;
}

bool case_has_pass(const EditCase *edit, const GameVariant *variant)
{
    return cases__history_has_pass(variant, edit->moves, edit->n_moves);
}

CaseStats cases_stats(const CaseSet *set)
{
    CaseStats stats = {.shortest = GAME_MAX_MOVES};
    double before = 0.0, edited = 0.0, difference = 0.0;
    for (size_t i = 0; i < set->n; i++) {
        const EditCase *edit = &set->cases[i];
        stats.shortest = edit->n_moves < stats.shortest ? edit->n_moves : stats.shortest;
        stats.longest = edit->n_moves > stats.longest ? edit->n_moves : stats.longest;
        stats.n_passes += case_has_pass(edit, set->variant);
        stats.n_unchanged += edit->legal_before == edit->legal_edited;
        stats.n_mover_changed += edit->before.to_move != edit->edited.to_move;
        stats.n_witnesses += edit->has_witness;
        before += __builtin_popcountll(edit->legal_before);
        edited += __builtin_popcountll(edit->legal_edited);
        difference += __builtin_popcountll(edit->legal_before ^ edit->legal_edited);
    }
    stats.mean_legal_before = before / (double)set->n;
    stats.mean_legal_edited = edited / (double)set->n;
    stats.mean_symmetric_difference = difference / (double)set->n;
    return stats;
}

/* ---- writing ---- */

const char cases__header_plain[] = "moves,square,from,to";
const char cases__header_witness[] = "moves,square,from,to,witness";

/* A line is at most the moves twice, eight squares, 16 words and the commas. */
enum { LINE_BYTES = 2 * 3 * GAME_MAX_MOVES + CASE_MAX_SQUARES * (3 + 6 + 6) + 8 };

static size_t print_line(char *out, const EditCase *edit, bool with_witness)
{
    char *at = out;
    moves_print(at, edit->moves, edit->n_moves);
    at += strlen(at);
    for (int field = 0; field < 3; field++) {
        for (int i = 0; i < edit->n_squares; i++) {
            const CaseSquare *square = &edit->squares[i];
            char name[3];
            const char *word = name;
            square_print(name, square->sq);
            if (field > 0) {
                word = case_state_name(field == 1 ? square->from : square->to);
            }
            at += snprintf(at, 8, "%c%s", i == 0 ? ',' : ' ', word);
        }
    }
    if (with_witness) {
        *at++ = ',';
        if (edit->has_witness) {
            moves_print(at, edit->witness, edit->n_moves);
            at += strlen(at);
        }
    }
    *at++ = '\n';
    return (size_t)(at - out);
}

int cases_print(char **out, size_t *n_bytes, const CaseSet *set)
{
    bool with_witness = false;
    size_t used;
    char *text = mem_alloc(set->n * LINE_BYTES + sizeof(cases__header_witness) + 1, 1, "case file");
    *out = text;
    *n_bytes = 0;
    if (!text) {
        return OGPT_ENOMEM;
    }
    for (size_t i = 0; i < set->n; i++) {
        with_witness = with_witness || set->cases[i].has_witness;
    }
    used = (size_t)snprintf(text, sizeof(cases__header_witness) + 1, "%s\n",
                            with_witness ? cases__header_witness : cases__header_plain);
    for (size_t i = 0; i < set->n; i++) {
        used += print_line(text + used, &set->cases[i], with_witness);
    }
    text[used] = '\0';
    *n_bytes = used;
    return 0;
}

int cases_hash(Sha256 *hash, const CaseSet *set)
{
    char *text = NULL;
    size_t n_bytes = 0;
    int rc = set->n > 0 ? cases_print(&text, &n_bytes, set) : 0;
    if (rc == 0) {
        sha256_add(hash, &n_bytes, sizeof(n_bytes));
        sha256_add(hash, text ? text : "", n_bytes);
    }
    mem_free(text);
    return rc;
}
