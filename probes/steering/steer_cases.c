/* probes/steering/steer_cases.c - see probes/steering/steer_cases.h. */
#include "probes/steering/steer_cases.h"

#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/rng.h"
#include "game/play.h"
#include "probes/cases/case_keys.h"
#include "probes/legality/answers.h"

/* The wrong group is drawn from another stream than the group. */
#define WRONG_STREAM (1ULL << 62)

typedef struct SteerDrawing {
    const PositionSet *set;
    SteerTarget target;
    SteerGroups groups;
    uint64_t seed;
    SteerCase *cases; /* (n_positions) in the order of the set */
    bool *sound;      /* (n_positions) */
} SteerDrawing;

/* Groups of this class, as bits. */
static uint64_t groups_of(const SteerDrawing *drawing, const Board *board, SteerClass class)
{
    const GameVariant *variant = drawing->set->vocab->variant;
    uint64_t groups = 0;
    for (size_t g = 0; g < steer_groups(drawing->target, variant); g++) {
        bool is = steer_class(drawing->target, variant, g, board) == class;
        groups |= (uint64_t)is << g;
    }
    return groups;
}

static uint64_t steered_groups(const SteerDrawing *drawing)
{
    const GameVariant *variant = drawing->set->vocab->variant;
    uint64_t groups = 0;
    for (size_t g = 0; g < steer_groups(drawing->target, variant); g++) {
        groups |= (uint64_t)steer_group_steered(drawing->target, variant, g) << g;
    }
    return groups & drawing->groups.steered;
}

static size_t choose(uint64_t groups, uint64_t seed, uint64_t index)
{
    Rng rng = rng_at(seed, RNG_STEER, index);
    return (size_t)mask_select(groups,
                               (int)rng_below(&rng, (uint32_t)__builtin_popcountll(groups)));
}

/* Another group, of the same class if there is one. */
static size_t wrong_group(const SteerDrawing *drawing, const Board *board, size_t group,
                          size_t index)
{
    const GameVariant *variant = drawing->set->vocab->variant;
    const uint64_t own = 1ULL << group;
    uint64_t others = groups_of(drawing, board, STEER_FROM) & drawing->groups.wrong & ~own;
    if (others == 0) {
        for (size_t g = 0; g < steer_groups(drawing->target, variant); g++) {
            others |= (uint64_t)(steer_group(drawing->target, variant, g) != 0) << g;
        }
        others &= ~own;
    }
    return choose(others, drawing->seed, index | WRONG_STREAM);
}

static void visit_position(void *context, const TaskPosition *position, size_t index)
{
    const SteerDrawing *drawing = context;
    const Vocab *vocab = drawing->set->vocab;
    const Board *board = &position->after[position->t];
    const uint64_t groups = groups_of(drawing, board, STEER_FROM) & steered_groups(drawing);
    SteerCase *out = &drawing->cases[index];
    CaseVerdict verdict;
    if (groups == 0) {
        return;
    }
    *out = (SteerCase){.group = choose(groups, drawing->seed, index)};
    out->wrong = wrong_group(drawing, board, out->group, index);
    out->edit.n_moves = position->t + 1;
    memset(out->edit.moves, SQ_NONE, sizeof(out->edit.moves));
    memcpy(out->edit.moves, position->moves, (size_t)out->edit.n_moves);
    steer_edit(&out->edit, drawing->target, vocab->variant, out->group, board);
    if (case_derive(&out->edit, &verdict, vocab->variant) != 0 || verdict != CASE_SOUND ||
        out->edit.edited.to_move != out->edit.before.to_move) {
        return;
    }
    out->before = answer_tokens(vocab, out->edit.legal_before);
    out->edited = answer_tokens(vocab, out->edit.legal_edited);
    out->cares = out->before != out->edited;
    drawing->sound[index] = true;
}

/* ---- in the order of the passes ---- */

static void spread(real *weights, uint64_t tokens, double total)
{
    const int n = __builtin_popcountll(tokens);
    for (; tokens != 0; tokens &= tokens - 1) {
        weights[__builtin_ctzll(tokens)] += (real)(total / n);
    }
}

static void set_weights(real *weights, const SteerCase *at)
{
    const uint64_t both = at->before & at->edited;
    const uint64_t up = at->edited & ~at->before ? at->edited & ~at->before : both;
    const uint64_t down = at->before & ~at->edited ? at->before & ~at->edited : both;
    if (at->cares && up && down) {
        spread(weights, up, 1.0);
        spread(weights, down, -1.0);
    }
}

static int allocate(SteerCases *out, size_t n)
{
    const size_t n_moves = (size_t)out->vocab->variant->n_moves;
    out->at = mem_calloc(n, sizeof(*out->at), "steered positions");
    out->moves = mem_alloc(n * n_moves, 1, "steered positions");
    out->read = mem_alloc(n, 1, "steered positions");
    out->weights =
        mem_calloc(n * (size_t)out->vocab->d_vocab, sizeof(real), "metrics of positions");
    out->sums = mem_alloc(4 * out->n_games, sizeof(*out->sums), "sums of games");
    return out->at && out->moves && out->read && out->weights && out->sums ? 0 : OGPT_ENOMEM;
}

/* Take the sound ones, shortest first; histories of one length in the order of the set. */
static void gather(SteerCases *out, const SteerDrawing *drawing)
{
    const PositionSet *set = drawing->set;
    const size_t n_moves = (size_t)out->vocab->variant->n_moves;
    for (int length = 1; length <= (int)n_moves; length++) {
        for (size_t g = 0; g < set->n_games; g++) {
            for (size_t i = set->first[g]; i < set->first[g + 1]; i++) {
                if (!drawing->sound[i] || drawing->cases[i].edit.n_moves != length) {
                    continue;
                }
                SteerCase *at = &out->at[out->n];
                *at = drawing->cases[i];
                at->game = g;
                memcpy(out->moves + out->n * n_moves, at->edit.moves, n_moves);
                out->read[out->n] = (uint8_t)length;
                set_weights(out->weights + out->n * (size_t)out->vocab->d_vocab, at);
                out->n_caring += at->cares;
                out->n++;
            }
        }
    }
}

/* Two games begin alike: the same history twice would count as two games. */
static int drop_repeated(size_t *repeated, const SteerDrawing *drawing)
{
    const size_t n = drawing->set->n_positions;
    CaseKeys keys;
    int rc = case_keys_init(&keys, n);
    for (size_t i = 0; i < n && rc == 0; i++) {
        if (drawing->sound[i] && !case_keys_add(&keys, case_prefix_hash(&drawing->cases[i].edit))) {
            drawing->sound[i] = false;
            ++*repeated;
        }
    }
    case_keys_release(&keys);
    return rc;
}

static int take(SteerCases *out, const SteerDrawing *drawing)
{
    const PositionSet *set = drawing->set;
    size_t n = 0;
    *out = (SteerCases){.vocab = set->vocab, .target = drawing->target, .n_games = set->n_games};
    int rc = drop_repeated(&out->repeated, drawing);
    for (size_t i = 0; i < set->n_positions; i++) {
        n += drawing->sound[i];
    }
    out->left_out = set->n_positions - n - out->repeated;
    rc = rc ? rc : allocate(out, n);
    if (rc == 0) {
        gather(out, drawing);
    }
    if (rc == 0 && out->n_caring == 0) {
        rc = err_set(OGPT_EFORMAT,
                     "%zu games: in none of %zu positions does steering to \"%s\" change the legal "
                     "moves; take more games or positions, or another square",
                     set->n_games, set->n_positions, steer_target_name(drawing->target));
    }
    return rc;
}

int steer_cases_draw(SteerCases *out, GameSource *source, SteerTarget target, SteerGroups groups,
                     size_t n_games, int plies, const Work *work)
{
    PositionSet set = {0};
    SteerDrawing drawing = {.set = &set, .target = target, .groups = groups, .seed = work->seed};
    *out = (SteerCases){0};
    int rc = positions_draw(&set, source, n_games, plies, work);
    if (rc == 0) {
        drawing.cases = mem_calloc(set.n_positions, sizeof(*drawing.cases), "steered positions");
        drawing.sound = mem_calloc(set.n_positions, sizeof(*drawing.sound), "steered positions");
        rc = drawing.cases && drawing.sound ? 0 : OGPT_ENOMEM;
    }
    rc = rc ? rc : positions_visit(&set, LABELS_MOVER, visit_position, &drawing, work);
    rc = rc ? rc : take(out, &drawing);
    if (rc) {
        steer_cases_release(out);
    }
    mem_free(drawing.cases);
    mem_free(drawing.sound);
    positions_release(&set);
    return rc;
}

/* Put a case behind those of a set that has the room; the two may be one set. */
static void append(SteerCases *out, const SteerCases *from, size_t index)
{
    const size_t n_moves = (size_t)from->vocab->variant->n_moves;
    const size_t V = (size_t)from->vocab->d_vocab, n = out->n++;
    out->at[n] = from->at[index];
    memmove(out->moves + n * n_moves, from->moves + index * n_moves, n_moves);
    out->read[n] = from->read[index];
    memmove(out->weights + n * V, from->weights + index * V, V * sizeof(real));
    out->n_caring += out->at[n].cares;
}

int steer_cases_leave_out(SteerCases *tuning, const SteerCases *reported)
{
    const size_t n = tuning->n;
    CaseKeys keys;
    int rc = case_keys_init(&keys, reported->n);
    for (size_t i = 0; i < reported->n && rc == 0; i++) {
        case_keys_add(&keys, case_prefix_hash(&reported->at[i].edit));
    }
    if (rc == 0) {
        tuning->n = tuning->n_caring = 0;
    }
    for (size_t i = 0; i < n && rc == 0; i++) {
        if (!case_keys_has(&keys, case_prefix_hash(&tuning->at[i].edit))) {
            append(tuning, tuning, i);
        }
    }
    tuning->repeated += n - tuning->n;
    case_keys_release(&keys);
    if (rc == 0 && tuning->n_caring == 0) {
        rc = err_set(OGPT_EFORMAT,
                     "each of the %zu tuning positions is reported too, or its legal moves stay: "
                     "take more --tuning-games",
                     n);
    }
    return rc;
}

int steer_cases_pick(SteerCases *out, const SteerCases *from, const size_t *indices, size_t n)
{
    *out = (SteerCases){.vocab = from->vocab, .target = from->target, .n_games = from->n_games};
    int rc = allocate(out, n);
    for (size_t i = 0; i < n && rc == 0; i++) {
        append(out, from, indices[i]);
    }
    return rc;
}

void steer_cases_release(SteerCases *cases)
{
    mem_free(cases->at);
    mem_free(cases->moves);
    mem_free(cases->read);
    mem_free(cases->weights);
    mem_free(cases->sums);
    *cases = (SteerCases){0};
}

void steer_cases_hash(Sha256 *hash, const SteerCases *cases)
{
    const size_t n_moves = (size_t)cases->vocab->variant->n_moves;
    sha256_add(hash, &cases->n, sizeof(cases->n));
    sha256_add(hash, cases->moves, cases->n * n_moves);
    sha256_add(hash, cases->read, cases->n);
    for (size_t i = 0; i < cases->n; i++) {
        const size_t which[3] = {cases->at[i].group, cases->at[i].wrong, cases->at[i].game};
        sha256_add(hash, which, sizeof(which));
    }
}
