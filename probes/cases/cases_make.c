/* probes/cases/cases_make.c - drawing cases from random games.
 *
 * Candidate c is a pure function of (seed, purpose, c): game c of the purpose, and from a second
 * stream the prefix length and the edit. Workers judge candidates in fixed blocks. The set holds
 * the first n candidates that are accepted, in order, so it does not depend on the workers.
 */
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/process.h"
#include "base/rng.h"
#include "datasets/labels.h"
#include "game/play.h"
#include "probes/cases/case_keys.h"

enum { BLOCK_CANDIDATES = 32, WINDOW_BLOCKS = 32 };
enum { WINDOW_CANDIDATES = BLOCK_CANDIDATES * WINDOW_BLOCKS };

/* The game's moves are drawn from stream c; the choices here come from stream c + 2^63, so that
 * the two never share a number. */
#define CHOICE_STREAM (1ULL << 63)

typedef enum DrawVerdict {
    VERDICT_REDRAW,     /* the edit leaves the legal moves as they are, or cannot be made */
    VERDICT_OTHER_HALF, /* a prefix that belongs to the other purpose: not counted */
    VERDICT_STANDS
} DrawVerdict;

typedef struct CaseWindow {
    const GameVariant *variant;
    const CaseDraw *draw;
    uint64_t seed;
    uint64_t first;        /* candidate number of drawn[0] */
    EditCase *drawn;       /* (WINDOW_CANDIDATES) */
    DrawVerdict *verdicts; /* (WINDOW_CANDIDATES) */
} CaseWindow;

int case_before_end(const GameVariant *variant)
{
    return variant->size == 4 ? 1 : 10;
}

int case_min_moves(const GameVariant *variant)
{
    return variant->size == 4 ? 3 : 5;
}

const char *case_make_options_check(const CaseMakeOptions *options, const GameVariant *variant)
{
    if (options->n < 1 || options->n > CASES_MAX) {
        return "the number of cases must be 1 to 1000000";
    }
    if (options->n_squares < 1 || options->n_squares > CASE_MAX_SQUARES) {
        return "1 to 8 squares can be edited at once";
    }
    if (options->natural && options->edit != CASE_FLIP) {
        return "a natural case is a flip: histories of equal length hold the same number of "
               "discs; erase and place need --kind unnatural";
    }
    if (options->min_moves < 1 || options->before_end < 1) {
        return "the prefix needs at least one move, and so does the rest of the game";
    }
    if (options->max_moves != 0 && options->max_moves < options->min_moves) {
        return "--max-moves is below --min-moves";
    }
    if (options->min_moves + options->before_end > variant->n_moves) {
        return "games on this board are too short for the shortest prefix and the moves before "
               "the end together; lower --min-moves or --before-end";
    }
    return NULL;
}

/* Edit every square of `mask`; a flip or an erasure depends on the disc that is there. */
static void set_squares(EditCase *edit, uint64_t mask, const Board *board, CaseEdit kind, Rng *rng)
{
    edit->n_squares = 0;
    for (uint64_t rest = mask; rest != 0; rest &= rest - 1) {
        int sq = __builtin_ctzll(rest);
        bool black = board_discs(board, BLACK) >> sq & 1;
        CaseSquare square = {.sq = (uint8_t)sq};
        if (kind == CASE_PLACE) {
            square.from = LABEL_EMPTY;
            square.to = rng_below(rng, 2) ? LABEL_BLACK : LABEL_WHITE;
        } else {
            square.from = black ? LABEL_BLACK : LABEL_WHITE;
            square.to = kind == CASE_ERASE ? LABEL_EMPTY : black ? LABEL_WHITE : LABEL_BLACK;
        }
        edit->squares[edit->n_squares++] = square;
    }
}

/* Whether the edit can be seen: the mover stays the same and its legal moves change. A draw of the
 * same board edits nothing, so nothing changes. */
static bool edit_shows(EditCase *edit, const GameVariant *variant)
{
    CaseVerdict verdict;
    return case_derive(edit, &verdict, variant) == 0 && verdict == CASE_SOUND &&
           edit->edited.to_move == edit->before.to_move &&
           (edit->n_squares == 0 || edit->legal_edited != edit->legal_before);
}

/* Play moves[first..n-1]; false if one is illegal. */
static bool play_on(Board *board, const GameVariant *variant, const uint8_t *moves, int first,
                    int n)
{
    for (int t = first; t < n; t++) {
        if (board_flips(variant, board, moves[t]) == 0) {
            return false;
        }
        board_play(variant, board, moves[t]);
    }
    return true;
}

/* Swap every pair of moves of the prefix and replay. Some pairs reach a board with exactly
 * n_squares discs turned over, the same mover and other legal moves: one of them is chosen
 * uniformly (reservoir sampling). */
static bool draw_natural(EditCase *edit, const GameVariant *variant, int n_squares, Rng *rng)
{
    Board after[GAME_MAX_MOVES];
    EditCase chosen = *edit;
    int n = edit->n_moves;
    uint32_t n_found = 0;
    game_replay(variant, edit->moves, n, after);
    for (int i = 0; i < n; i++) {
        for (int j = i + 1; j < n; j++) {
            EditCase trial = *edit;
            Board board = i > 0 ? after[i - 1] : variant->start;
            uint64_t turned;
            memcpy(trial.witness, edit->moves, sizeof(trial.witness));
            trial.witness[i] = edit->moves[j];
            trial.witness[j] = edit->moves[i];
            trial.has_witness = true;
            if (!play_on(&board, variant, trial.witness, i, n) ||
                board.to_move != after[n - 1].to_move) {
                continue;
            }
            turned = board.mine ^ after[n - 1].mine;
            if (__builtin_popcountll(turned) != n_squares) {
                continue;
            }
            set_squares(&trial, turned, &after[n - 1], CASE_FLIP, rng);
            if (edit_shows(&trial, variant) && rng_below(rng, ++n_found) == 0) {
                chosen = trial;
            }
        }
    }
    *edit = chosen;
    return n_found > 0;
}

/* n_squares different squares among those that the kind of edit can change. */
bool cases__draw_unnatural(EditCase *edit, const GameVariant *variant,
                           const CaseMakeOptions *options, Rng *rng)
{
    Board after[GAME_MAX_MOVES];
    const Board *board = &after[edit->n_moves - 1];
    uint64_t possible, chosen = 0;
    game_replay(variant, edit->moves, edit->n_moves, after);
    possible = board->mine | board->theirs;
    if (options->edit == CASE_PLACE) {
        possible = variant->squares & ~possible;
    } else if (options->edit == CASE_ERASE) {
        possible &= ~variant->centre;
    }
    for (int i = 0; i < options->n_squares; i++) {
        int n_left = __builtin_popcountll(possible);
        uint64_t bit;
        if (n_left == 0) {
            return false;
        }
        bit = 1ULL << mask_select(possible, (int)rng_below(rng, (uint32_t)n_left));
        chosen |= bit;
        possible &= ~bit;
    }
    set_squares(edit, chosen, board, options->edit, rng);
    return edit_shows(edit, variant);
}

static DrawVerdict draw_candidate(EditCase *edit, const GameVariant *variant, const CaseDraw *draw,
                                  uint64_t seed, uint64_t candidate)
{
    const CaseMakeOptions *options = &draw->options;
    RngPurpose purpose = options->tune ? RNG_TUNE_CASES : RNG_CASES;
    Rng rng = rng_at(seed, purpose, candidate | CHOICE_STREAM);
    uint8_t moves[GAME_MAX_MOVES];
    int n = play_random(moves, variant, seed, purpose, candidate);
    int longest = n - options->before_end;
    bool stands;
    memset(edit, 0, sizeof(*edit));
    memset(edit->moves, SQ_NONE, sizeof(edit->moves));
    if (options->max_moves != 0 && longest > options->max_moves) {
        longest = options->max_moves;
    }
    if (longest < options->min_moves) {
        return VERDICT_REDRAW;
    }
    edit->n_moves =
        options->min_moves + (int)rng_below(&rng, (uint32_t)(longest - options->min_moves + 1));
    memcpy(edit->moves, moves, (size_t)edit->n_moves);
    if ((case_prefix_hash(edit) & 1) != (options->tune ? 1 : 0)) {
        return VERDICT_OTHER_HALF;
    }
    if (options->no_passes && case_has_pass(edit, variant)) {
        return VERDICT_REDRAW;
    }
    stands = options->natural
                 ? draw_natural(edit, variant, draw->same_board ? 0 : options->n_squares, &rng)
                 : cases__draw_unnatural(edit, variant, options, &rng);
    if (stands && draw->pairs) {
        stands = !cases__history_has_pass(variant, edit->witness, edit->n_moves);
    }
    return stands ? VERDICT_STANDS : VERDICT_REDRAW;
}

static int draw_block(void *context, size_t job, size_t worker)
{
    CaseWindow *window = context;
    size_t first = job * BLOCK_CANDIDATES;
    if (interrupt_pending()) {
        return err_set(OGPT_EINTR, "interrupted while making %s; nothing was written",
                       window->draw->what);
    }
    for (size_t i = first; i < first + BLOCK_CANDIDATES; i++) {
        window->verdicts[i] = draw_candidate(&window->drawn[i], window->variant, window->draw,
                                             window->seed, window->first + i);
    }
    return 0;
}

/* Whether no earlier case is the same; among pairs, whether none has one of the two histories. */
static bool draw_is_new(CaseKeys *keys, const EditCase *edit, const CaseDraw *draw)
{
    uint64_t clean, corrupt;
    if (!draw->pairs) {
        return case_keys_add(keys, case_hash(edit));
    }
    clean = case_prefix_hash(edit);
    corrupt = xxh3(edit->witness, (size_t)edit->n_moves);
    if (case_keys_has(keys, clean) || case_keys_has(keys, corrupt)) {
        return false;
    }
    return case_keys_add(keys, clean) && case_keys_add(keys, corrupt);
}

/* Take the accepted candidates of one window, in order, until the set is full. */
static int take_window(CaseSet *out, CaseKeys *keys, const CaseWindow *window)
{
    size_t n = window->draw->options.n;
    int rc = 0;
    for (size_t i = 0; i < WINDOW_CANDIDATES && out->n < n && rc == 0; i++) {
        if (window->verdicts[i] == VERDICT_STANDS &&
            draw_is_new(keys, &window->drawn[i], window->draw)) {
            rc = cases__add(out, &window->drawn[i]);
        } else if (window->verdicts[i] != VERDICT_OTHER_HALF) {
            out->redraws++;
        }
    }
    return rc;
}

int cases__draw(CaseSet *out, const GameVariant *variant, const CaseDraw *draw, const Work *work)
{
    CaseWindow window = {.variant = variant, .draw = draw, .seed = work->seed};
    CaseKeys keys = {0};
    size_t n = draw->options.n;
    /* Far more candidates than any kind needs: on 8x8 about one in four is accepted. */
    uint64_t most = 1000 * (uint64_t)n + 100000;
    int rc;
    memset(out, 0, sizeof(*out));
    out->variant = variant;
    window.drawn = mem_alloc(WINDOW_CANDIDATES, sizeof(*window.drawn), "candidates for cases");
    window.verdicts =
        mem_alloc(WINDOW_CANDIDATES, sizeof(*window.verdicts), "candidates for cases");
    rc = case_keys_init(&keys, draw->pairs ? 2 * n : n);
    if (!window.drawn || !window.verdicts) {
        rc = OGPT_ENOMEM;
    }
    while (rc == 0 && out->n < n) {
        if (window.first >= most) {
            rc = err_set(OGPT_EUSAGE,
                         "%s: only %zu different %s of %zu found in %llu random games; "
                         "ask for fewer or for longer prefixes",
                         draw->what, out->n, draw->what, n, (unsigned long long)window.first);
            break;
        }
        rc = pool_run(work->pool, WINDOW_BLOCKS, draw_block, &window);
        rc = rc ? rc : take_window(out, &keys, &window);
        window.first += WINDOW_CANDIDATES;
        work_tick(work, draw->what, (double)out->n, (double)n);
    }
    case_keys_release(&keys);
    mem_free(window.verdicts);
    mem_free(window.drawn);
    if (rc != 0) {
        cases_release(out);
    }
    return rc;
}

int cases_make(CaseSet *out, const GameVariant *variant, const CaseMakeOptions *options,
               const Work *work)
{
    const char *reason = case_make_options_check(options, variant);
    memset(out, 0, sizeof(*out));
    out->variant = variant;
    return reason
               ? err_set(OGPT_EUSAGE, "cases: %s", reason)
               : cases__draw(out, variant, &(CaseDraw){.options = *options, .what = "cases"}, work);
}

int cases_leave_out(CaseSet *tuning, const CaseSet *reported)
{
    CaseKeys keys = {0};
    size_t n_kept = 0;
    int rc = case_keys_init(&keys, reported->n);
    if (rc != 0) {
        return rc;
    }
    for (size_t i = 0; i < reported->n; i++) {
        case_keys_add(&keys, case_prefix_hash(&reported->cases[i]));
    }
    for (size_t i = 0; i < tuning->n; i++) {
        if (!case_keys_has(&keys, case_prefix_hash(&tuning->cases[i]))) {
            tuning->cases[n_kept++] = tuning->cases[i];
        }
    }
    tuning->left_out += tuning->n - n_kept;
    tuning->n = n_kept;
    case_keys_release(&keys);
    return 0;
}
