/* tests/fuzz/fuzz_write_cases.c - a case made from a game that the input plays: written and read
 * back it is the same. Byte 0: the board's size; byte 1: moves; then a byte a move and two a
 * square to be edited. */
#include <string.h>

#include "base/arena.h"
#include "datasets/labels.h"
#include "probes/cases/cases.h"
#include "tests/fuzz/fuzz.h"

static void moves_draw(EditCase *edit, const GameVariant *variant, FuzzInput *input)
{
    Board board = variant->start;
    const int wanted = 1 + fuzz_byte(input) % variant->n_moves;
    memset(edit->moves, SQ_NONE, sizeof(edit->moves));
    while (edit->n_moves < wanted && board_moves(variant, &board) != 0) {
        uint64_t moves = board_moves(variant, &board);
        for (int skip = fuzz_byte(input) % __builtin_popcountll(moves); skip > 0; skip--) {
            moves &= moves - 1;
        }
        const int sq = __builtin_ctzll(moves);
        edit->moves[edit->n_moves++] = (uint8_t)sq;
        board_play(variant, &board, sq);
    }
    edit->before = board;
}

static void squares_draw(EditCase *edit, const GameVariant *variant, FuzzInput *input)
{
    int last = -1;
    do {
        int sq = last + 1 + fuzz_byte(input) % 16;
        while (sq < BOARD_SQUARES && !(variant->squares >> sq & 1)) {
            sq++;
        }
        if (sq >= BOARD_SQUARES) {
            break;
        }
        CaseSquare *square = &edit->squares[edit->n_squares++];
        const uint64_t black = board_discs(&edit->before, BLACK);
        const uint64_t white = board_discs(&edit->before, WHITE);
        square->sq = (uint8_t)sq;
        square->from = black >> sq & 1 ? LABEL_BLACK : white >> sq & 1 ? LABEL_WHITE : LABEL_EMPTY;
        square->to = (uint8_t)((square->from + 1 + fuzz_byte(input) % 2) % 3);
        last = sq;
    } while (input->n > 0 && edit->n_squares < CASE_MAX_SQUARES);
}

static bool cases_equal(const EditCase *a, const EditCase *b)
{
    return a->n_moves == b->n_moves && memcmp(a->moves, b->moves, (size_t)a->n_moves) == 0 &&
           a->n_squares == b->n_squares &&
           memcmp(a->squares, b->squares, (size_t)a->n_squares * sizeof(*a->squares)) == 0 &&
           a->edited.mine == b->edited.mine && a->edited.theirs == b->edited.theirs &&
           a->edited.to_move == b->edited.to_move && a->legal_edited == b->legal_edited;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    FuzzInput input = {data, size};
    EditCase edit = {0};
    CaseSet back;
    CaseVerdict verdict = CASE_SOUND;
    char *text = NULL;
    size_t n_bytes = 0;
    const GameVariant *variant = game_variant(4 + 2 * (fuzz_byte(&input) % 3));
    moves_draw(&edit, variant, &input);
    squares_draw(&edit, variant, &input);
    if (edit.n_squares == 0) {
        return 0;
    }
    fuzz_require(case_derive(&edit, &verdict, variant) == 0, "a case that was made is sound");
    const CaseSet set = {.variant = variant, .cases = &edit, .n = 1};
    fuzz_require(cases_print(&text, &n_bytes, &set) == 0, "it prints");
    const int rc = cases_parse(&back, variant, text, n_bytes, "print");
    fuzz_require((rc == 0) == (verdict == CASE_SOUND),
                 "it reads back unless no game can go on there");
    if (rc == 0) {
        fuzz_plant(edit.moves, (size_t)edit.n_moves);
        fuzz_require(back.n == 1 && cases_equal(&back.cases[0], &edit), "to the same case");
        cases_release(&back);
    }
    mem_free(text);
    return 0;
}
