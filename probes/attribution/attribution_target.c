/* probes/attribution/attribution_target.c - contract in probes/attribution/attribution_target.h. */
#include "probes/attribution/attribution_target.h"

#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "probes/graph/pair_metric.h"

/* ---- targets ---- */

int attribution_target_logits(AttributionTarget *out, const Gpt *gpt, TargetMetric metric, int sq)
{
    *out = (AttributionTarget){.metric = metric, .sq = sq};
    return readout_of_logits(&out->readout, gpt);
}

/* Two class names joined by '-'. */
static int read_contrast(AttributionTarget *out, const char *path, const char *contrast)
{
    const Probe *probe = out->probe;
    out->one = probe->n_classes - 1;
    out->other = probe->n_classes - 2;
    if (!contrast) {
        return 0;
    }
    char first[16] = "";
    const char *dash = strchr(contrast, '-');
    if (dash && (size_t)(dash - contrast) < sizeof(first)) {
        memcpy(first, contrast, (size_t)(dash - contrast));
        out->one = probe_class(probe, first);
        out->other = probe_class(probe, dash + 1);
    }
    if (!dash || out->one < 0 || out->other < 0 || out->one == out->other) {
        return err_set(
            OGPT_EUSAGE,
            "--contrast \"%s\": expected two different classes of %s joined by '-', such "
            "as %s-%s",
            contrast, path, probe->classes[probe->n_classes - 1],
            probe->classes[probe->n_classes - 2]);
    }
    return 0;
}

static int check_probe(const Probe *probe, const char *path, int layer)
{
    HookSite site = probe->site;
    int rc = probe_check_linear(probe, path);
    if (rc == 0 && site != HOOK_RESID_PRE && site != HOOK_RESID_MID && site != HOOK_RESID_POST) {
        rc = err_set(OGPT_EUSAGE,
                     "%s reads %s, which is no sum of what the network's parts wrote; take a probe "
                     "of resid_pre, resid_mid or resid_post",
                     path, hook_site_name(site));
    }
    int index = probe_layer_index(probe, layer);
    if (rc == 0 && (index < 0 || !probe->fitted[index])) {
        rc = err_set(OGPT_EUSAGE, "%s holds no layer %d, it has %d layers from %d to %d", path,
                     layer, probe->n_layers, probe->layers[0], probe->layers[probe->n_layers - 1]);
    }
    return rc;
}

int attribution_target_board(AttributionTarget *out, const Probe *probe, const char *path,
                             int layer, int sq, const char *contrast)
{
    *out = (AttributionTarget){.metric = TARGET_BOARD, .sq = sq, .probe = probe};
    int rc = check_probe(probe, path, layer);
    rc = rc ? rc : read_contrast(out, path, contrast);
    if (rc != 0) {
        return rc;
    }
    size_t C = (size_t)probe->d_model, K = (size_t)probe->n_squares;
    size_t classes = (size_t)probe->n_classes;
    out->index = probe_layer_index(probe, layer);
    float *columns = mem_alloc(C * K, sizeof(*columns), "directions of a probe");
    float constant[BOARD_SQUARES];
    if (!columns) {
        return OGPT_ENOMEM;
    }
    const float *w = probe->weight[out->index], *b = probe->bias[out->index];
    for (size_t i = 0; i < C * K; i++) {
        columns[i] = w[i * classes + (size_t)out->one] - w[i * classes + (size_t)out->other];
    }
    for (size_t k = 0; k < K; k++) {
        constant[k] = b[k * classes + (size_t)out->one] - b[k * classes + (size_t)out->other];
    }
    rc = readout_of_columns(&out->readout, C, K, columns, constant);
    out->readout.site = probe_hook(&out->readout.layer, probe, layer);
    mem_free(columns);
    return rc;
}

void attribution_target_release(AttributionTarget *target)
{
    readout_release(&target->readout);
    *target = (AttributionTarget){0};
}

/* ---- positions ---- */

void attribution_positions_release(AttributionPositions *positions)
{
    positions_release(&positions->set);
    mem_free(positions->read);
    mem_free(positions->pairs);
    mem_free(positions->weights);
    mem_free(positions->shuffled);
    *positions = (AttributionPositions){0};
}

int attribution_positions_draw(AttributionPositions *out, GameSource *source, size_t n_games,
                               int plies, const Work *work)
{
    *out = (AttributionPositions){0};
    return positions_draw(&out->set, source, n_games, plies, work);
}

/* Room for n histories with one position each; with pairs if asked. */
static int allocate_histories(AttributionPositions *out, const Vocab *vocab, size_t n, bool pairs)
{
    size_t stride = (size_t)vocab->variant->n_moves;
    *out = (AttributionPositions){
        .set = {.vocab = vocab, .n_games = n, .n_positions = n},
    };
    out->set.moves = mem_alloc(n * stride, 1, "histories");
    out->set.first = mem_alloc(n + 1, sizeof(uint32_t), "positions");
    out->set.t = mem_alloc(n, 1, "positions");
    out->read = mem_alloc(n, 1, "positions");
    out->pairs = pairs ? mem_calloc(n, sizeof(*out->pairs), "boards of cases") : NULL;
    if (!out->set.moves || !out->set.first || !out->set.t || !out->read || (pairs && !out->pairs)) {
        attribution_positions_release(out);
        return OGPT_ENOMEM;
    }
    return 0;
}

static void set_history(AttributionPositions *out, size_t game, const uint8_t *moves, int n)
{
    size_t stride = (size_t)out->set.vocab->variant->n_moves;
    memset(out->set.moves + game * stride, SQ_NONE, stride);
    memcpy(out->set.moves + game * stride, moves, (size_t)n);
    out->set.first[game] = (uint32_t)game;
    out->set.first[game + 1] = (uint32_t)game + 1;
    out->set.t[game] = (uint8_t)(n - 1);
    out->read[game] = (uint8_t)n;
}

int attribution_positions_of_game(AttributionPositions *out, const Vocab *vocab,
                                  const uint8_t *moves, int n)
{
    int rc = allocate_histories(out, vocab, 1, false);
    if (rc == 0) {
        set_history(out, 0, moves, n);
    }
    return rc;
}

int attribution_positions_of_cases(AttributionPositions *out, const CaseSet *cases)
{
    int rc = allocate_histories(out, vocab_of(cases->variant), cases->n, true);
    for (size_t i = 0; i < cases->n && rc == 0; i++) {
        const EditCase *edit = &cases->cases[i];
        GamePair *pair = &out->pairs[i];
        set_history(out, i, edit->moves, edit->n_moves);
        pair->clean_board = edit->before;
        pair->corrupt_board = edit->edited;
        pair->legal_clean = edit->legal_before;
        pair->legal_corrupt = edit->legal_edited;
        for (int s = 0; s < edit->n_squares; s++) {
            pair->turned |= 1ULL << edit->squares[s].sq;
        }
    }
    return rc;
}

int attribution_positions_of_pairs(AttributionPositions *out, const PairSet *pairs)
{
    int rc = allocate_histories(out, vocab_of(pairs->variant), pairs->n, true);
    for (size_t i = 0; i < pairs->n && rc == 0; i++) {
        set_history(out, i, pairs->pairs[i].clean, pairs->pairs[i].n_moves);
        out->pairs[i] = pairs->pairs[i];
    }
    return rc;
}

int attribution_positions_read(AttributionPositions *out, const GameVariant *variant,
                               const char *path, int n_ctx)
{
    bool of_pairs;
    PairSet pairs = {0};
    CaseSet cases = {0};
    *out = (AttributionPositions){0};
    int rc = pairs_here(&of_pairs, path);
    if (rc == 0 && of_pairs) {
        rc = pairs_read(&pairs, variant, path);
        rc = rc ? rc : attribution_positions_of_pairs(out, &pairs);
    } else if (rc == 0) {
        rc = cases_read(&cases, variant, path);
        rc = rc ? rc : attribution_positions_of_cases(out, &cases);
    }
    for (size_t i = 0; i < out->set.n_games && rc == 0; i++) {
        if (out->read[i] > n_ctx) {
            rc = err_set(OGPT_EFORMAT, "%s: history %zu has %d moves, the network reads %d", path,
                         i + 1, out->read[i], n_ctx);
        }
    }
    pairs_release(&pairs);
    cases_release(&cases);
    return rc;
}

/* ---- what a position asks for ---- */

typedef struct Aim {
    AttributionPositions *positions;
    const AttributionTarget *target;
    const Task *task; /* board */
    size_t K;
} Aim;

static void aim_at_board(float *weights, const Aim *aim, const TaskPosition *position,
                         uint64_t squares)
{
    const AttributionTarget *target = aim->target;
    uint8_t labels[BOARD_SQUARES];
    int n = 0;
    aim->task->label(labels, position);
    for (size_t k = 0; k < aim->K; k++) {
        int sq = task_square(position->variant, (int)k);
        bool asked = (target->sq < 0 || sq == target->sq) && (squares >> sq & 1) != 0;
        bool one = labels[k] == target->one, other = labels[k] == target->other;
        weights[k] = asked && (one || other || target->as_is)
                         ? (other && !target->as_is ? -1.0f : 1.0f)
                         : 0.0f;
        n += weights[k] != 0;
    }
    for (size_t k = 0; k < aim->K && n > 1; k++) {
        weights[k] /= (float)n;
    }
}

static void aim_at_move(float *weights, const Aim *aim, const TaskPosition *position)
{
    const Vocab *vocab = aim->positions->set.vocab;
    int sq = aim->target->sq;
    if (sq < 0 && position->t + 1 < position->variant->n_moves) {
        sq = position->moves[position->t + 1];
    }
    if (sq < 0 || sq == SQ_NONE) {
        return;
    }
    for (size_t k = 0; k < aim->K && aim->target->metric == TARGET_CENTRED; k++) {
        weights[k] = -1.0f / (float)aim->K;
    }
    weights[vocab->tok_of_sq[sq] - 1] += 1.0f;
}

static void aim_at_delta(float *weights, const Aim *aim, const TaskPosition *position,
                         const GamePair *pair)
{
    const Board *board = &position->after[position->t];
    real of_tokens[BOARD_SQUARES];
    GamePair own = {.clean_board = *board};
    own.legal_clean = own.legal_corrupt = board_moves(position->variant, board);
    pair_weights(of_tokens, aim->positions->set.vocab, pair ? pair : &own);
    for (size_t k = 0; k < aim->K; k++) {
        weights[k] = (float)of_tokens[k + 1];
    }
}

/* Weights (K) of one position; all zero: it asks for nothing. */
static void aim_one(float *weights, const Aim *aim, const TaskPosition *position,
                    const GamePair *pair)
{
    memset(weights, 0, aim->K * sizeof(*weights));
    switch (aim->target->metric) {
    case TARGET_BOARD: aim_at_board(weights, aim, position, pair ? pair->turned : ~0ULL); break;
    case TARGET_DELTA: aim_at_delta(weights, aim, position, pair); break;
    default: aim_at_move(weights, aim, position);
    }
}

/* The next game that has a prediction at ply t. */
static size_t other_game(const PositionSet *set, size_t game, int t)
{
    int stride = set->vocab->variant->n_moves;
    for (size_t step = 1; step < set->n_games; step++) {
        size_t other = (game + step) % set->n_games;
        if (game_length(set->moves + other * (size_t)stride, stride) > t + 1) {
            return other;
        }
    }
    return game;
}

static void aim_visit(void *context, const TaskPosition *position, size_t index)
{
    const Aim *aim = context;
    const PositionSet *set = &aim->positions->set;
    size_t stride = (size_t)set->vocab->variant->n_moves;
    size_t game = (size_t)(position->moves - set->moves) / stride;
    const GamePair *pairs = aim->positions->pairs;
    aim_one(aim->positions->weights + index * aim->K, aim, position, pairs ? pairs + game : NULL);
    if (aim->positions->shuffled) {
        Board after[GAME_MAX_MOVES];
        size_t other = other_game(set, game, position->t);
        TaskPosition there = *position;
        there.moves = set->moves + other * stride;
        there.after = after;
        /* Only this far: a later illegal move is reported where its own game is replayed. */
        if (game_replay(position->variant, there.moves, position->t + 1, after) ==
            position->t + 1) {
            aim_one(aim->positions->shuffled + index * aim->K, aim, &there, NULL);
        }
    }
}

static bool asks(const float *weights, size_t K)
{
    for (size_t k = 0; k < K; k++) {
        if (weights[k] != 0) {
            return true;
        }
    }
    return false;
}

/* Take out the positions that ask for nothing; their games stay. */
static int leave_out(AttributionPositions *positions, size_t K)
{
    PositionSet *set = &positions->set;
    size_t kept = 0, end = 0;
    for (size_t g = 0; g < set->n_games; g++) {
        size_t begin = end;
        end = set->first[g + 1];
        set->first[g] = (uint32_t)kept;
        for (size_t i = begin; i < end; i++) {
            if (asks(positions->weights + i * K, K)) {
                set->t[kept] = set->t[i];
                memmove(positions->weights + kept * K, positions->weights + i * K,
                        K * sizeof(float));
                if (positions->shuffled) {
                    memmove(positions->shuffled + kept * K, positions->shuffled + i * K,
                            K * sizeof(float));
                }
                kept++;
            }
        }
    }
    set->first[set->n_games] = (uint32_t)kept;
    positions->left_out = set->n_positions - kept;
    set->n_positions = kept;
    return kept > 0 ? 0
                    : err_set(OGPT_EUSAGE,
                              "none of the %zu positions has what is asked for: no square of the "
                              "two classes, or no move on one side only",
                              positions->left_out);
}

int attribution_aim(AttributionPositions *positions, const AttributionTarget *target,
                    const Work *work)
{
    PositionSet *set = &positions->set;
    Aim aim = {.positions = positions, .target = target, .K = target->readout.n_columns};
    LabelConvention convention = LABELS_MOVER;
    int rc = 0;
    if (target->metric == TARGET_BOARD) {
        aim.task = task_find(target->probe->task);
        rc = convention_parse(&convention, target->probe->labels);
        if (rc == 0 && !aim.task) {
            rc = err_set(OGPT_EFORMAT, "the probe's task \"%s\" is unknown", target->probe->task);
        }
    }
    if (rc != 0) {
        return rc;
    }
    mem_free(positions->weights);
    mem_free(positions->shuffled);
    positions->shuffled = NULL;
    positions->weights =
        mem_calloc(set->n_positions * aim.K, sizeof(float), "weights of positions");
    if (!positions->pairs && set->n_games > 1) {
        positions->shuffled =
            mem_calloc(set->n_positions * aim.K, sizeof(float), "weights of positions");
    }
    if (!positions->weights || (!positions->pairs && set->n_games > 1 && !positions->shuffled)) {
        return OGPT_ENOMEM;
    }
    rc = positions_visit(set, convention, aim_visit, &aim, work);
    return rc ? rc : leave_out(positions, aim.K);
}
