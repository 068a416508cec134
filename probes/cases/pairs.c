/* probes/cases/pairs.c - pairs of histories: drawn as natural cases are, judged by the rules,
 * written and read. */
#include "probes/cases/pairs.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/files.h"
#include "base/hash.h"
#include "game/notation.h"
#include "probes/cases/case_keys.h"

static const char header[] = "clean,corrupt";
static const char header_chosen[] = "clean,corrupt,target,other";
enum {
    MOVES_BYTES = 512, /* text of one history; 60 moves are 179 bytes */
    PAIR_LINE_BYTES = 2 * 3 * GAME_MAX_MOVES + 8,
};
#define PAIRS_MAX_FILE_BYTES ((size_t)1 << 29) /* as for cases */

const char *pair_kind_name(PairKind kind)
{
    static const char *const names[N_PAIR_KINDS] = {
        [PAIR_FLIP] = "flip", [PAIR_TRANSPOSITION] = "transposition", [PAIR_CHOSEN] = "chosen"};
    return names[kind];
}

PairKind pair_kind(const GamePair *pair)
{
    return pair->target ? PAIR_CHOSEN : pair->turned ? PAIR_FLIP : PAIR_TRANSPOSITION;
}

PairStats pairs_stats(const PairSet *set)
{
    PairStats stats = {.shortest = GAME_MAX_MOVES};
    double differ = 0.0, clean = 0.0, corrupt = 0.0, difference = 0.0;
    for (size_t i = 0; i < set->n; i++) {
        const GamePair *pair = &set->pairs[i];
        stats.shortest = pair->n_moves < stats.shortest ? pair->n_moves : stats.shortest;
        stats.longest = pair->n_moves > stats.longest ? pair->n_moves : stats.longest;
        for (int t = 0; t < pair->n_moves; t++) {
            differ += pair->clean[t] != pair->corrupt[t];
        }
        clean += __builtin_popcountll(pair->legal_clean);
        corrupt += __builtin_popcountll(pair->legal_corrupt);
        difference += __builtin_popcountll(pair->legal_clean ^ pair->legal_corrupt);
    }
    stats.mean_moves_that_differ = differ / (double)set->n;
    stats.mean_legal_clean = clean / (double)set->n;
    stats.mean_legal_corrupt = corrupt / (double)set->n;
    stats.mean_symmetric_difference = difference / (double)set->n;
    return stats;
}

void pairs_release(PairSet *set)
{
    mem_free(set->pairs);
    memset(set, 0, sizeof(*set));
}

static int add_pair(PairSet *set, const GamePair *pair)
{
    if (set->n == set->room) {
        size_t room = set->room ? 2 * set->room : 64;
        GamePair *grown = mem_realloc(set->pairs, room, sizeof(*grown), "pairs");
        if (!grown) {
            return OGPT_ENOMEM;
        }
        set->pairs = grown;
        set->room = room;
    }
    set->pairs[set->n++] = *pair;
    set->n_of[pair_kind(pair)]++;
    return 0;
}

/* ---- what the rules say ---- */

static int replay(Board *last, const GameVariant *variant, const uint8_t *moves, int n,
                  const char *which)
{
    Board after[GAME_MAX_MOVES];
    int n_legal = game_replay(variant, moves, n, after);
    if (n_legal != n) {
        return err_set(OGPT_EFORMAT, "%s: move %d is illegal", which, n_legal + 1);
    }
    *last = after[n - 1];
    return 0;
}

/* Replay both histories and compare their boards. */
static int derive_boards(GamePair *pair, const GameVariant *variant)
{
    const Board *clean = &pair->clean_board, *corrupt = &pair->corrupt_board;
    int n = pair->n_moves;
    int rc = replay(&pair->clean_board, variant, pair->clean, n, "clean");
    uint64_t one_sided;
    char name[3];
    rc = rc ? rc : replay(&pair->corrupt_board, variant, pair->corrupt, n, "corrupt");
    if (rc != 0) {
        return rc;
    }
    if (memcmp(pair->clean, pair->corrupt, (size_t)n) == 0) {
        return err_set(OGPT_EFORMAT, "both histories are the same, expected two");
    }
    one_sided = (clean->mine | clean->theirs) ^ (corrupt->mine | corrupt->theirs);
    pair->turned = one_sided | (board_discs(clean, BLACK) ^ board_discs(corrupt, BLACK));
    if (one_sided && !pair->target) {
        square_print(name, __builtin_ctzll(one_sided));
        return err_set(OGPT_EFORMAT,
                       "%s holds a disc on one of the two boards only, expected two orders of the "
                       "same squares",
                       name);
    }
    if (__builtin_popcountll(pair->turned) > 1 && !pair->target) {
        return err_set(OGPT_EFORMAT, "the boards differ in %d squares, expected one or none",
                       __builtin_popcountll(pair->turned));
    }
    pair->legal_clean = board_moves(variant, clean);
    pair->legal_corrupt = board_moves(variant, corrupt);
    return 0;
}

/* Why two histories whose boards may differ so make no pair; NULL if they do. */
static const char *why_no_pair(const GamePair *pair, const GameVariant *variant)
{
    if (cases__history_has_pass(variant, pair->clean, pair->n_moves)) {
        return "a side passes in the clean history, expected none";
    }
    if (cases__history_has_pass(variant, pair->corrupt, pair->n_moves)) {
        return "a side passes in the corrupt history, expected none";
    }
    if (pair->legal_clean == 0 || pair->legal_corrupt == 0) {
        return "the game is over on one of the boards, expected a side to move on both";
    }
    if (pair->turned && pair->legal_clean == pair->legal_corrupt && !pair->target) {
        return "the boards differ and their legal moves do not, so no answer can show it; expected "
               "other legal moves";
    }
    return NULL;
}

int pair_derive(GamePair *pair, const GameVariant *variant)
{
    int rc = derive_boards(pair, variant);
    const char *reason = rc ? NULL : why_no_pair(pair, variant);
    return reason ? err_set(OGPT_EFORMAT, "%s", reason) : rc;
}

/* ---- from cases ---- */

static GamePair pair_of_case(const EditCase *edit)
{
    GamePair pair = {.n_moves = edit->n_moves};
    memset(pair.clean, SQ_NONE, sizeof(pair.clean));
    memset(pair.corrupt, SQ_NONE, sizeof(pair.corrupt));
    memcpy(pair.clean, edit->moves, (size_t)edit->n_moves);
    memcpy(pair.corrupt, edit->witness, (size_t)edit->n_moves);
    return pair;
}

int pairs_make(PairSet *out, const GameVariant *variant, const PairMakeOptions *options,
               const Work *work)
{
    const CaseDraw draw = {.options = {.n = options->n,
                                       .natural = true,
                                       .edit = CASE_FLIP,
                                       .n_squares = 1,
                                       .min_moves = options->min_moves,
                                       .max_moves = options->max_moves,
                                       .before_end = options->before_end,
                                       .no_passes = true},
                           .pairs = true,
                           .same_board = options->kind == PAIR_TRANSPOSITION,
                           .what = "pairs"};
    const char *reason =
        options->n < 1 || options->n > CASES_MAX ? "the number of pairs must be 1 to 1000000"
        : options->kind > PAIR_TRANSPOSITION     ? "only flips and transpositions are drawn"
                                                 : case_make_options_check(&draw.options, variant);
    CaseSet cases;
    int rc;
    memset(out, 0, sizeof(*out));
    out->variant = variant;
    if (reason) {
        return err_set(OGPT_EUSAGE, "pairs: %s", reason);
    }
    rc = cases__draw(&cases, variant, &draw, work);
    if (rc != 0) {
        return rc;
    }
    out->redraws = cases.redraws;
    for (size_t i = 0; i < cases.n && rc == 0; i++) {
        GamePair pair = pair_of_case(&cases.cases[i]);
        rc = pair_derive(&pair, variant);
        rc = rc ? rc : add_pair(out, &pair);
    }
    cases_release(&cases);
    if (rc != 0) {
        pairs_release(out);
    }
    return rc;
}

/* ---- files ---- */

/* Append ",b1" for a square. */
static size_t add_square(char *text, uint64_t square)
{
    text[0] = ',';
    square_print(text + 1, __builtin_ctzll(square));
    return 3;
}

int pairs_print(char **out, size_t *n_bytes, const PairSet *set)
{
    char *text = mem_alloc(set->n * PAIR_LINE_BYTES + sizeof(header_chosen) + 1, 1, "pair file");
    bool chosen = set->n_of[PAIR_CHOSEN] > 0; /* then all are */
    size_t used;
    *out = text;
    *n_bytes = 0;
    if (!text) {
        return OGPT_ENOMEM;
    }
    used =
        (size_t)snprintf(text, sizeof(header_chosen) + 1, "%s\n", chosen ? header_chosen : header);
    for (size_t i = 0; i < set->n; i++) {
        const GamePair *pair = &set->pairs[i];
        moves_print(text + used, pair->clean, pair->n_moves);
        used += strlen(text + used);
        text[used++] = ',';
        moves_print(text + used, pair->corrupt, pair->n_moves);
        used += strlen(text + used);
        if (chosen) {
            used += add_square(text + used, pair->target);
            used += add_square(text + used, pair->other);
        }
        text[used++] = '\n';
    }
    text[used] = '\0';
    *n_bytes = used;
    return 0;
}

/* One history from text[0..n_bytes-1]. */
static int parse_history(uint8_t *moves, int *n, const GameVariant *variant, const char *text,
                         size_t n_bytes, const char *which)
{
    char field[MOVES_BYTES];
    int rc = 0;
    if (n_bytes >= sizeof(field)) {
        return err_set(OGPT_EFORMAT, "%s: a field of %zu bytes, expected %d at most", which,
                       n_bytes, MOVES_BYTES - 1);
    }
    if (memchr(text, '\0', n_bytes)) {
        return err_set(OGPT_EFORMAT, "%s: a zero byte, expected text", which);
    }
    memcpy(field, text, n_bytes);
    field[n_bytes] = '\0';
    rc = moves_parse(moves, n, variant, field);
    if (rc != 0) {
        return err_set(rc, "%s: %s; expected a game of the %dx%d board", which, err_message(),
                       variant->size, variant->size);
    }
    return *n > 0 ? 0 : err_set(OGPT_EFORMAT, "%s: no move, expected at least one", which);
}

/* The square of a move, from text[0..n_bytes-1]. */
static int parse_square(uint64_t *out, const GameVariant *variant, const char *text, size_t n_bytes,
                        const char *which)
{
    char name[3] = "";
    int sq = -1;
    if (n_bytes == 2) {
        memcpy(name, text, 2);
        sq = square_parse(variant, name);
    }
    if (sq < 0 || (variant->centre >> sq & 1)) {
        return err_set(OGPT_EFORMAT, "%s: expected one square of the %dx%d board that moves fill",
                       which, variant->size, variant->size);
    }
    *out = 1ULL << sq;
    return 0;
}

enum { FIELDS_MAX = 4 };

/* Cut a line at its commas: the fields' starts, and the line's end + 1 behind the last. */
static int cut_fields(const char *at[FIELDS_MAX + 1], const char *line, size_t length, int expected)
{
    const char *end = line + length;
    int n = 0;
    for (at[n++] = line; n <= expected; n++) {
        const char *comma = memchr(at[n - 1], ',', (size_t)(end - at[n - 1]));
        at[n] = comma ? comma + 1 : end + 1;
        if (!comma) {
            break;
        }
    }
    return n;
}

/* One line of a file, and the pair that it holds once it is read. */
typedef struct PairLine {
    const char *text;
    size_t length;
    bool chosen;
    GamePair pair;
} PairLine;

static int read_line(void *line, const GameVariant *variant)
{
    PairLine *one = line;
    GamePair *pair = &one->pair;
    const bool chosen = one->chosen;
    const char *at[FIELDS_MAX + 1];
    int expected = chosen ? FIELDS_MAX : 2, n_corrupt = 0;
    int n = cut_fields(at, one->text, one->length, expected);
    int rc;
    memset(pair, 0, sizeof(*pair));
    if (n != expected) {
        return err_set(OGPT_EFORMAT, "%s, expected %s fields: %s",
                       n == 1         ? "no comma"
                       : n < expected ? "too few commas"
                       : chosen       ? "more than three commas"
                                      : "more than one comma",
                       chosen ? "four" : "two", chosen ? header_chosen : header);
    }
    rc = parse_history(pair->clean, &pair->n_moves, variant, at[0], (size_t)(at[1] - at[0] - 1),
                       "clean");
    rc = rc ? rc
            : parse_history(pair->corrupt, &n_corrupt, variant, at[1], (size_t)(at[2] - at[1] - 1),
                            "corrupt");
    if (rc == 0 && n_corrupt != pair->n_moves) {
        rc = err_set(OGPT_EFORMAT, "corrupt of %d moves, expected %d as in clean", n_corrupt,
                     pair->n_moves);
    }
    if (rc == 0 && chosen) {
        rc = parse_square(&pair->target, variant, at[2], (size_t)(at[3] - at[2] - 1), "target");
        rc = rc ? rc
                : parse_square(&pair->other, variant, at[3], (size_t)(at[4] - at[3] - 1), "other");
        if (rc == 0 && pair->target == pair->other) {
            rc = err_set(OGPT_EFORMAT, "target and other are one square, expected two");
        }
    }
    return rc ? rc : pair_derive(pair, variant);
}

/* Whether no earlier pair has one of the two histories. */
static bool take_histories(CaseKeys *keys, const GamePair *pair)
{
    const uint64_t clean = xxh3(pair->clean, (size_t)pair->n_moves);
    const uint64_t corrupt = xxh3(pair->corrupt, (size_t)pair->n_moves);
    if (case_keys_has(keys, clean) || case_keys_has(keys, corrupt)) {
        return false;
    }
    return case_keys_add(keys, clean) && case_keys_add(keys, corrupt);
}

/* The pairs below the header; lines are counted from it. */
static int parse_pairs(PairSet *out, CaseKeys *keys, bool chosen, const char *at, const char *end,
                       const char *origin)
{
    PairLine one = {.chosen = chosen};
    int rc = 0;
    for (size_t line = 2; at < end && rc == 0; line++) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        size_t length = (size_t)((newline ? newline : end) - at);
        one.text = at;
        one.length = length > 0 && at[length - 1] == '\r' ? length - 1 : length;
        rc = read_line(&one, out->variant);
        rc = rc ? cases__refuse_line(rc, out->variant, read_line, &one) : 0;
        rc = out->n == CASES_MAX ? err_set(OGPT_EFORMAT, "more than %d pairs", CASES_MAX) : rc;
        if (rc == 0 && !take_histories(keys, &one.pair)) {
            rc = err_set(OGPT_EFORMAT, "a history of an earlier pair, expected new ones: intervals "
                                       "take the pairs for independent; remove one of them");
        }
        rc = rc ? err_set(rc, "%s:%zu: %s", origin, line, err_message()) : add_pair(out, &one.pair);
        at += length + (newline ? 1 : 0);
    }
    return rc || out->n > 0 ? rc
                            : err_set(OGPT_EFORMAT, "%s: a header, and no pair below it", origin);
}

/* Natural cases: those that make no pair, or come from the game of an earlier one, are left out. */
static int take_cases(PairSet *out, CaseKeys *keys, const CaseSet *cases, const char *origin)
{
    int rc = 0;
    out->left_out = cases->excluded;
    for (size_t i = 0; i < cases->n && rc == 0; i++) {
        GamePair pair = pair_of_case(&cases->cases[i]);
        rc = derive_boards(&pair, out->variant);
        if (rc == 0 && !why_no_pair(&pair, out->variant) && take_histories(keys, &pair)) {
            rc = add_pair(out, &pair);
        } else {
            out->left_out++;
        }
    }
    return rc || out->n > 0 ? rc
                            : err_set(OGPT_EFORMAT,
                                      "%s: none of the %zu natural cases makes a pair, expected "
                                      "histories without a pass: ogpt cases pairs",
                                      origin, cases->n);
}

/* The bytes of a byte order mark, as spreadsheets write it. */
static size_t mark_bytes(const char *text, size_t n_bytes)
{
    return n_bytes >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
}

/* The bytes of the mark and the header line with its end if the text begins with one of the two,
 * else 0. */
static size_t header_bytes(bool *chosen, const char *text, size_t n_bytes)
{
    size_t n = mark_bytes(text, n_bytes);
    const char *end = n_bytes > n ? memchr(text + n, '\n', n_bytes - n) : NULL;
    size_t length = (end ? (size_t)(end - text) : n_bytes) - n;
    size_t shown = length > 0 && text[n + length - 1] == '\r' ? length - 1 : length;
    *chosen = shown == sizeof(header_chosen) - 1 && memcmp(text + n, header_chosen, shown) == 0;
    if (!*chosen && !(shown == sizeof(header) - 1 && memcmp(text + n, header, shown) == 0)) {
        return 0;
    }
    return n + length + (end ? 1 : 0);
}

int pairs_parse(PairSet *out, const GameVariant *variant, const char *text, size_t n_bytes,
                const char *origin)
{
    const char *newline = n_bytes > 0 ? memchr(text, '\n', n_bytes) : NULL;
    size_t n_mark = mark_bytes(text, n_bytes);
    bool chosen;
    size_t n_header = header_bytes(&chosen, text, n_bytes), n_lines = 1;
    CaseSet cases = {0};
    CaseKeys keys = {0};
    int rc = 0;
    memset(out, 0, sizeof(*out));
    out->variant = variant;
    for (; newline; n_lines++) {
        const char *next = newline + 1;
        newline = memchr(next, '\n', n_bytes - (size_t)(next - text));
    }
    if (n_header == 0 && n_bytes - n_mark >= 6 && memcmp(text + n_mark, "moves,", 6) == 0) {
        rc = cases__parse_natural(&cases, variant, text, n_bytes, origin);
    } else if (n_header == 0) {
        rc = err_set(OGPT_EFORMAT,
                     "%s:1: expected the header %s of a pair file (ogpt cases pairs) or %s of "
                     "natural cases (ogpt cases make)",
                     origin, header, cases__header_witness);
    }
    rc = rc ? rc : case_keys_init(&keys, 2 * n_lines);
    if (rc == 0) {
        rc = n_header ? parse_pairs(out, &keys, chosen, text + n_header, text + n_bytes, origin)
                      : take_cases(out, &keys, &cases, origin);
    }
    case_keys_release(&keys);
    cases_release(&cases);
    if (rc != 0) {
        pairs_release(out);
    }
    return rc;
}

int pairs_read(PairSet *out, const GameVariant *variant, const char *path)
{
    void *text = NULL;
    size_t n_bytes = 0;
    int rc = file_read_named(&text, &n_bytes, path, PAIRS_MAX_FILE_BYTES, "a pair file (CSV)");
    memset(out, 0, sizeof(*out));
    rc = rc ? rc : pairs_parse(out, variant, text, n_bytes, path);
    mem_free(text);
    return rc;
}

int pairs_read_transpositions(PairSet *out, const GameVariant *variant, const char *path)
{
    int rc = pairs_read(out, variant, path);
    size_t others = out->n - out->n_of[PAIR_TRANSPOSITION];
    if (rc == 0 && others > 0) {
        rc = err_set(OGPT_EFORMAT,
                     "%s: %zu of %zu pairs are no transpositions; expected transpositions alone "
                     "(ogpt cases pairs FILE --kind transposition)",
                     path, others, out->n);
    }
    return rc;
}

void pairs_hash(Sha256 *hash, const PairSet *set)
{
    sha256_add(hash, &set->n, sizeof(set->n)); /* where this set ends and the next begins */
    for (size_t i = 0; i < set->n; i++) {
        const GamePair *pair = &set->pairs[i];
        sha256_add(hash, &pair->n_moves, sizeof(pair->n_moves));
        sha256_add(hash, pair->clean, (size_t)pair->n_moves);
        sha256_add(hash, pair->corrupt, (size_t)pair->n_moves);
        sha256_add(hash, &pair->target, sizeof(pair->target));
        sha256_add(hash, &pair->other, sizeof(pair->other));
    }
}

int pairs_here(bool *out, const char *path)
{
    void *text = NULL;
    size_t n_bytes = 0;
    PathKind kind;
    bool chosen;
    *out = false;
    int rc = path_kind(&kind, path);
    if (rc != 0 || kind == PATH_DIRECTORY) {
        return rc; /* the reader of cases says what it expected */
    }
    rc = file_read_all(&text, &n_bytes, path, PAIRS_MAX_FILE_BYTES);
    *out = rc == 0 && header_bytes(&chosen, text, n_bytes) > 0;
    mem_free(text);
    return rc;
}
