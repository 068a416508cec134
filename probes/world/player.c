/* probes/world/player.c - contract in probes/world/player.h. */
#include "probes/world/player.h"

#include <assert.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/hash.h"
#include "datasets/labels.h"
#include "model/prefix.h"
#include "probes/legality/answers.h"

#define SEAT_ROWS 256 /* branches of one pass */

struct PlayerSeat {
    const Player *player;
    Prefix *prefix; /* of a network; else NULL */
    PlayerLine lines[PLAYER_LINES];
    size_t n;
    float *misread; /* (room) of branches */
    size_t room;
    float *scores;    /* (SEAT_ROWS, n_squares, n_classes) of the probe */
    uint8_t *classes; /* (SEAT_ROWS, n_squares) */
};

const char *player_name(PlayerKind kind)
{
    static const char *const names[N_PLAYER_KINDS] = {PLAYER_KINDS(ENUM_NAME)};
    return names[kind];
}

/* ---- lines ---- */

PlayerLine player_line(const GameVariant *variant)
{
    PlayerLine line = {.board = variant->start};
    memset(line.moves, SQ_NONE, sizeof(line.moves));
    return line;
}

void player_line_play(PlayerLine *line, const GameVariant *variant, int sq)
{
    line->moves[line->n++] = (uint8_t)sq;
    board_play(variant, &line->board, sq);
}

PlayerLine player_line_of(const GameVariant *variant, const uint8_t *moves, int n)
{
    PlayerLine line = player_line(variant);
    for (int i = 0; i < n; i++) {
        player_line_play(&line, variant, moves[i]);
    }
    return line;
}

/* ---- answers by the rules ---- */

static void uniform(float *p, int V, uint64_t tokens)
{
    float each = tokens ? 1.0F / (float)__builtin_popcountll(tokens) : 0;
    for (int tok = 0; tok < V; tok++) {
        p[tok] = (tokens >> tok & 1) ? each : 0;
    }
}

void player_answer_alone(float *p, const Player *player, const PlayerLine *line)
{
    const Vocab *vocab = player->vocab;
    const GameVariant *variant = vocab->variant;
    uint64_t squares = 0;
    if (player->mlp) {
        history_mlp_answer(p, player->mlp, line->moves, line->n);
        return;
    }
    if (player->kind == PLAYER_RANDOM_MISTAKES) {
        Rng rng = rng_at(player->seed, RNG_WORLD, xxh3(line->moves, (size_t)line->n));
        if (mistakes_deal(p, player->answers, line->n,
                          answer_tokens(vocab, board_moves(variant, &line->board)), &rng)) {
            return;
        }
    }
    if (player->kind == PLAYER_EMPTIES) {
        squares = variant->squares & ~(line->board.mine | line->board.theirs);
    } else if (player->kind == PLAYER_EITHER_SIDE) {
        squares = lenient_moves(variant, &line->board);
    } else {
        squares = board_moves(variant, &line->board);
    }
    uniform(p, vocab->d_vocab, answer_tokens(vocab, squares));
}

/* What a plant says at its board, whatever the player answered. */
static void plant(float *p, const Player *player, const PlayerLine *line)
{
    const PlayerPlant *at = player->plant;
    if (at && board_same(&at->board, &line->board)) {
        uniform(p, player->vocab->d_vocab, 1ULL << at->token);
    }
}

/* ---- seats ---- */

int player_seat_new(PlayerSeat **out, const Player *player)
{
    PlayerSeat *seat = mem_calloc(1, sizeof(*seat), "a player's seat");
    int rc = 0;
    *out = seat;
    if (!seat) {
        return OGPT_ENOMEM;
    }
    seat->player = player;
    if (player->gpt) {
        rc = prefix_new_rows(&seat->prefix, &player->gpt->cfg, PLAYER_LINES, SEAT_ROWS, NULL);
    }
    if (rc == 0 && player->probe) {
        size_t n = SEAT_ROWS * (size_t)player->probe->n_squares;
        seat->scores =
            mem_alloc(n * (size_t)player->probe->n_classes, sizeof(float), "a probe's scores");
        seat->classes = mem_alloc(n, 1, "squares that a probe reads");
        rc = seat->scores && seat->classes ? 0 : OGPT_ENOMEM;
    }
    return rc;
}

void player_seat_free(PlayerSeat *seat)
{
    if (seat) {
        prefix_free(seat->prefix);
        mem_free(seat->misread);
        mem_free(seat->scores);
        mem_free(seat->classes);
        mem_free(seat);
    }
}

const float *player_misread(const PlayerSeat *seat)
{
    return seat->player->probe ? seat->misread : NULL;
}

const Player *player_of_seat(const PlayerSeat *seat)
{
    return seat->player;
}

/* Probabilities of n rows of logits. */
static int probabilities(float *p, const real *logits, size_t n, size_t V)
{
    double row[BOARD_SQUARES];
    for (size_t r = 0; r < n; r++) {
        if (answer_bad_token(logits + r * V, (int)V) >= 0) {
            return err_set(OGPT_ENUM, "the network's logits are not finite; the model is damaged "
                                      "or diverged");
        }
        answer_probabilities(row, logits + r * V, (int)V);
        for (size_t tok = 0; tok < V; tok++) {
            p[r * V + tok] = (float)row[tok];
        }
    }
    return 0;
}

/* The answers after the lines that are kept, of logits (n, V) or by the rules. */
static int answer_lines(float *p, const PlayerSeat *seat, const real *logits)
{
    const Player *player = seat->player;
    size_t V = (size_t)player->vocab->d_vocab;
    int rc = 0;
    for (size_t i = 0; i < seat->n && rc == 0; i++) {
        const PlayerLine *line = &seat->lines[i];
        if (board_is_over(player->vocab->variant, &line->board)) {
            uniform(p + i * V, (int)V, 0);
            continue;
        }
        if (logits) {
            rc = probabilities(p + i * V, logits + i * V, 1, V);
        } else {
            player_answer_alone(p + i * V, player, line);
        }
        plant(p + i * V, player, line);
    }
    return rc;
}

int player_start(float *p, PlayerSeat *seat, const PlayerLine *lines, size_t n)
{
    const Player *player = seat->player;
    uint8_t tokens[PLAYER_LINES * GAME_MAX_MOVES] = {0}, lengths[PLAYER_LINES];
    const real *logits = NULL;
    assert(n >= 1 && n <= PLAYER_LINES);
    memcpy(seat->lines, lines, n * sizeof(*lines));
    seat->n = n;
    if (player->gpt) {
        for (size_t i = 0; i < n; i++) {
            assert(lines[i].n >= 1 && lines[i].n <= player->vocab->n_ctx);
            lengths[i] = (uint8_t)lines[i].n;
            for (int t = 0; t < lines[i].n; t++) {
                tokens[i * GAME_MAX_MOVES + (size_t)t] =
                    player->vocab->tok_of_sq[lines[i].moves[t]];
            }
        }
        prefix_fill(seat->prefix, player->gpt, tokens, GAME_MAX_MOVES, lengths, n, NULL);
        logits = p ? prefix_last(seat->prefix, player->gpt, NULL) : NULL;
    }
    return p ? answer_lines(p, seat, logits) : 0;
}

int player_go_on(float *p, PlayerSeat *seat, const uint8_t *squares)
{
    const Player *player = seat->player;
    uint8_t tokens[PLAYER_LINES] = {0};
    for (size_t i = 0; i < seat->n; i++) {
        if (squares[i] != SQ_NONE) {
            tokens[i] = player->vocab->tok_of_sq[squares[i]];
            player_line_play(&seat->lines[i], player->vocab->variant, squares[i]);
        }
    }
    const real *logits = player->gpt ? prefix_append(seat->prefix, player->gpt, tokens) : NULL;
    return p ? answer_lines(p, seat, logits) : 0;
}

int player_follow(float *p, PlayerSeat *seat, const PlayerLine *lines)
{
    int rc = 0, steps = 0;
    for (size_t i = 0; i < seat->n; i++) {
        int more = lines[i].n - seat->lines[i].n;
        steps = more > steps ? more : steps;
    }
    for (; steps > 0 && rc == 0;
         steps--) { /* those with fewer moves wait: the last step is theirs */
        uint8_t next[PLAYER_LINES] = {0};
        for (size_t i = 0; i < seat->n; i++) {
            int at = seat->lines[i].n;
            next[i] = lines[i].n - at >= steps ? lines[i].moves[at] : SQ_NONE;
        }
        rc = player_go_on(steps == 1 ? p : NULL, seat, next);
    }
    return rc;
}

/* ---- branches ---- */

/* One pass of branches, while the probe looks on. */
typedef struct BranchPass {
    PlayerSeat *seat;
    const PlayerBranch *branches;
    size_t first, n;
} BranchPass;

static PlayerLine branch_line(const PlayerSeat *seat, const PlayerBranch *branch)
{
    PlayerLine line = seat->lines[branch->line];
    player_line_play(&line, seat->player->vocab->variant, branch->sq);
    return line;
}

static void read_probe(void *context, const HookPoint *point)
{
    const BranchPass *pass = context;
    const PlayerSeat *seat = pass->seat;
    const Probe *probe = seat->player->probe;
    size_t S = (size_t)probe->n_squares;
    LabelConvention convention = LABELS_MOVER;
    convention_parse(&convention, probe->labels); /* checked when the probe was read */
    probe_classify(seat->classes, seat->scores, probe, seat->player->probe_layer, point->value,
                   pass->n);
    for (size_t r = 0; r < pass->n; r++) {
        PlayerLine line = branch_line(seat, &pass->branches[pass->first + r]);
        uint8_t labels[BOARD_SQUARES];
        int wrong = 0;
        labels_mine(labels, seat->player->vocab->variant, &line.board, line.n - 1, convention);
        for (size_t s = 0; s < S; s++) {
            wrong += labels[s] != seat->classes[r * S + s];
        }
        seat->misread[pass->first + r] = (float)wrong / (float)S;
    }
}

static int network_branches(float *p, PlayerSeat *seat, const PlayerBranch *branches, size_t n)
{
    const Player *player = seat->player;
    const Probe *probe = player->probe;
    BranchPass pass = {.seat = seat, .branches = branches};
    Hooks hooks = {.fn = read_probe, .context = &pass};
    size_t V = (size_t)player->vocab->d_vocab;
    uint16_t owners[SEAT_ROWS];
    uint8_t tokens[SEAT_ROWS];
    int rc = 0;
    if (probe) {
        int block = 0;
        HookSite site = probe_hook(&block, probe, probe->layers[player->probe_layer]);
        hooks.sites[site] = 1ULL << block;
    }
    for (; pass.first < n && rc == 0; pass.first += SEAT_ROWS) {
        pass.n = n - pass.first < SEAT_ROWS ? n - pass.first : SEAT_ROWS;
        for (size_t r = 0; r < pass.n; r++) {
            owners[r] = branches[pass.first + r].line;
            tokens[r] = player->vocab->tok_of_sq[branches[pass.first + r].sq];
        }
        const real *logits = prefix_branches(seat->prefix, player->gpt, owners, tokens, pass.n,
                                             probe ? &hooks : NULL);
        rc = probabilities(p + pass.first * V, logits, pass.n, V);
    }
    return rc;
}

int player_branches(float *p, PlayerSeat *seat, const PlayerBranch *branches, size_t n)
{
    const Player *player = seat->player;
    size_t V = (size_t)player->vocab->d_vocab;
    int rc = 0;
    if (player->probe && n > seat->room) {
        float *larger = mem_realloc(seat->misread, n, sizeof(*larger), "squares read wrongly");
        if (!larger) {
            return OGPT_ENOMEM;
        }
        seat->misread = larger;
        seat->room = n;
    }
    if (player->gpt) {
        rc = network_branches(p, seat, branches, n);
    }
    for (size_t r = 0; r < n && rc == 0; r++) {
        PlayerLine line;
        if (player->gpt && !player->plant) {
            break;
        }
        line = branch_line(seat, &branches[r]);
        if (!player->gpt) {
            player_answer_alone(p + r * V, player, &line);
        }
        plant(p + r * V, player, &line);
    }
    return rc;
}

/* ---- all players ---- */

int player_set_make(PlayerSet *out, const Gpt *gpt, const Vocab *vocab, size_t mistake_games,
                    size_t history_steps, const Work *work)
{
    const HistoryLesson lesson = {.steps = history_steps};
    *out = (PlayerSet){0};
    int rc = gpt_new(&out->random, &gpt->cfg);
    if (rc == 0) {
        gpt_init(out->random, work->seed, RNG_CONTROL);
        rc = mistakes_learn(&out->answers, gpt, vocab, mistake_games, work);
        rc = rc ? rc : history_mlp_learn(&out->mlp, vocab, &lesson, work);
    }
    for (int kind = 0; kind < N_PLAYER_KINDS; kind++) {
        out->players[kind] = (Player){.kind = (PlayerKind)kind, .vocab = vocab, .seed = work->seed};
    }
    out->players[PLAYER_NETWORK].gpt = gpt;
    out->players[PLAYER_RANDOM_MODEL].gpt = out->random;
    out->players[PLAYER_RANDOM_MISTAKES].answers = &out->answers;
    out->players[PLAYER_HISTORY_MLP].mlp = &out->mlp;
    return rc;
}

void player_set_release(PlayerSet *set)
{
    gpt_free(set->random);
    mistakes_release(&set->answers);
    history_mlp_release(&set->mlp);
    *set = (PlayerSet){0};
}
