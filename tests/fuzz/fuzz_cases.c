/* tests/fuzz/fuzz_cases.c - any bytes as a case file. Byte 0: the board's size. Cases that can be
 * read are consistent, print, and the print reads back to the same print. */
#include <string.h>

#include "base/arena.h"
#include "probes/cases/cases.h"
#include "tests/fuzz/fuzz.h"

static void case_check(const CaseSet *set, const EditCase *edit)
{
    fuzz_require(edit->n_moves >= 1 && edit->n_moves <= set->variant->n_moves &&
                     edit->n_squares >= 1 && edit->n_squares <= CASE_MAX_SQUARES,
                 "a case has moves and squares");
    fuzz_require(edit->legal_before == board_moves(set->variant, &edit->before) &&
                     edit->legal_edited == board_moves(set->variant, &edit->edited) &&
                     edit->legal_edited != 0,
                 "its boards have the moves that it says");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    FuzzInput input = {data, size};
    CaseSet set;
    CaseSet again;
    char *text = NULL;
    char *second = NULL;
    size_t n_bytes = 0;
    size_t n_second = 0;
    const GameVariant *variant = game_variant(4 + 2 * (fuzz_byte(&input) % 3));
    char *exact = mem_alloc(input.n, 1, "case file"); /* not one byte more */
    memcpy(exact, input.at, input.n);
    if (cases_parse(&set, variant, exact, input.n, "cases.csv") == 0) {
        for (size_t i = 0; i < set.n; i++) {
            case_check(&set, &set.cases[i]);
        }
        fuzz_require(cases_print(&text, &n_bytes, &set) == 0, "cases print");
        fuzz_require(cases_parse(&again, variant, text, n_bytes, "print") == 0 &&
                         again.n == set.n && again.excluded == 0,
                     "the print can be read");
        fuzz_require(cases_print(&second, &n_second, &again) == 0, "and printed");
        fuzz_plant(second, n_second);
        fuzz_require(n_second == n_bytes && memcmp(text, second, n_bytes) == 0,
                     "the second print is the first");
        cases_release(&again);
        cases_release(&set);
    }
    mem_free(second);
    mem_free(text);
    mem_free(exact);
    return 0;
}
