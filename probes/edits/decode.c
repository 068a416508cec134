/* probes/edits/decode.c - reading one typed game. See probes/edits/decode.h. */
#include "probes/edits/decode.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "probes/activations/passes.h"
#include "probes/activations/subject.h"
#include "probes/edits/edit_methods.h"
#include "probes/legality/answers.h"

typedef struct Decoding {
    Decoded *out;
    const Probe *probe;
    const DecodeEdit *edit;
    size_t last; /* position to be read */
    int d_vocab;
    float *scratch; /* EDIT_ROW_SCRATCH(d_model) */
    float scores[BOARD_SQUARES * TASK_MAX_CLASSES];
} Decoding;

/* p[s] = the largest of softmax(scores of square s). */
static void best_probabilities(float *p, const float *scores, const Probe *probe)
{
    int K = probe->n_classes;
    for (int s = 0; s < probe->n_squares; s++) {
        const float *score = scores + s * K;
        float largest = score[0], sum = 0;
        for (int k = 1; k < K; k++) {
            largest = score[k] > largest ? score[k] : largest;
        }
        for (int k = 0; k < K; k++) {
            sum += expf(score[k] - largest);
        }
        p[s] = 1 / sum;
    }
}

/* The edit comes first, so that the probe reads the edited row. */
static int read_hook(void *context, const PassBatch *pass, const HookPoint *point)
{
    Decoding *reading = context;
    const Probe *probe = reading->probe;
    const DecodeEdit *edit = reading->edit;
    float *row = point->value + reading->last * point->width;
    if (edit && point->site == edit->plan.site && edit->plan.layers >> point->layer & 1) {
        EditSquares squares = {
            .n = 1, .squares = {edit->square}, .from = {edit->from_class}, .to = {edit->to_class}};
        edit_row(row, reading->scratch, &edit->plan, edit->directions, point->layer, &squares);
    }
    for (int i = 0; i < probe->n_layers; i++) {
        int block;
        HookSite site = probe_hook(&block, probe, probe->layers[i]);
        if (probe->fitted[i] && point->site == site && point->layer == block) {
            probe_classify(reading->out->classes[i], reading->scores, probe, i, row, 1);
            best_probabilities(reading->out->p[i], reading->scores, probe);
        }
    }
    return 0;
}

static int read_logits(void *context, const PassBatch *pass)
{
    Decoding *reading = context;
    size_t V = (size_t)reading->d_vocab;
    memcpy(reading->out->logits, pass->logits + reading->last * V, V * sizeof(float));
    int bad = answer_bad_token(reading->out->logits, reading->d_vocab);
    return bad < 0 ? 0 : err_set(OGPT_ENUM, "the network's score of token %d is not finite", bad);
}

static PassCalls reading_calls(Decoding *reading)
{
    const Probe *probe = reading->probe;
    PassCalls calls = {.context = reading, .hook = read_hook, .visit = read_logits};
    for (int i = 0; i < probe->n_layers; i++) {
        passes_hook_layer(&calls, probe->site, probe->layers[i]);
    }
    if (reading->edit) {
        calls.sites[reading->edit->plan.site] |= reading->edit->plan.layers;
    }
    return calls;
}

int decode_game(Decoded *out, const Subject *subject, const Probe *probe, const uint8_t *moves,
                int n, const DecodeEdit *edit)
{
    const Gpt *gpt = subject->model.gpt;
    uint8_t game[GAME_MAX_MOVES], read = (uint8_t)n;
    Decoding reading = {.out = out, .probe = probe, .edit = edit, .d_vocab = gpt->cfg.d_vocab};
    if (n < 1 || n > gpt->cfg.n_ctx) {
        return err_set(OGPT_EUSAGE,
                       "%d moves, expected 1 to %d: the network is asked for the "
                       "move after them",
                       n, gpt->cfg.n_ctx);
    }
    memset(out, 0, sizeof(*out));
    memset(game, SQ_NONE, sizeof(game));
    memcpy(game, moves, (size_t)n);
    reading.last = (size_t)n - 1;
    reading.scratch =
        mem_alloc(EDIT_ROW_SCRATCH(probe->d_model), sizeof(float), "scratch of an edit");
    if (!reading.scratch) {
        return OGPT_ENOMEM;
    }
    PassGames games = {
        .vocab = subject->vocab, .n = 1, .moves = game, .read = &read, .games_a_pass = 1};
    PassCalls calls = reading_calls(&reading);
    const int rc = passes_run(gpt, &games, &calls, WORK_ALONE);
    mem_free(reading.scratch);
    return rc;
}

bool decode_discs(uint64_t *black, uint64_t *white, const Probe *probe, Colour viewer,
                  const uint8_t *classes)
{
    const GameVariant *variant = game_variant(probe->size);
    int class_white = probe_class(probe, "white"), class_black = probe_class(probe, "black");
    int mine = probe_class(probe, "mine"), theirs = probe_class(probe, "theirs");
    if (mine >= 0 && theirs >= 0) {
        class_black = viewer == BLACK ? mine : theirs;
        class_white = viewer == BLACK ? theirs : mine;
    }
    bool coloured = class_white >= 0 && class_black >= 0;
    *black = *white = 0;
    for (int i = 0; i < probe->n_squares; i++) {
        uint64_t bit = UINT64_C(1) << task_square(variant, i);
        if (coloured ? classes[i] == class_black : classes[i] != 0) {
            *black |= bit;
        } else if (coloured && classes[i] == class_white) {
            *white |= bit;
        }
    }
    return coloured;
}
