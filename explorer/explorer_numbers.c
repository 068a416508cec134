/* explorer/explorer_numbers.c - numbers as float16 and base64. Contract in explorer/internal.h. */
#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/formats/base64.h"
#include "base/err.h"
#include "base/formats/safetensors.h"
#include "explorer/internal.h"
#include "game/play.h"
#include "model/checkpoint.h"

/* ---- rounding ---- */

/* A named run of numbers, for messages. */
typedef struct NumberRun {
    const char *name;
    const float *values;
    size_t n;
} NumberRun;

/* half = the number as float16; *change is raised to the change by it. */
static int round_number(uint16_t *half, double *change, const NumberRun *run, size_t i)
{
    float number = run->values[i];
    *half = float16_narrow(number);
    double difference = fabs((double)float16_widen(*half) - (double)number);
    if (!isfinite(difference)) {
        return err_set(OGPT_EFORMAT,
                       "%s, number %zu is %g; the page holds float16, at most 65504 in size",
                       run->name, i, (double)number);
    }
    *change = fmax(*change, difference);
    return 0;
}

int explorer_round_network(Gpt **out, double *weight_change, const Gpt *gpt)
{
    int rc = gpt_new(out, &gpt->cfg);
    if (rc == 0) {
        memcpy((*out)->params, gpt->params, gpt->n_numbers * sizeof(*gpt->params));
        rc = model_round_halves(*out, weight_change);
    }
    if (rc != 0) {
        gpt_free(*out);
        *out = NULL;
    }
    return rc;
}

/* ---- what rounding does to the logits ---- */

#define GAMES_A_PASS 16

/* Raise *out to the largest change of a logit, of rows that belong to a position. */
static void raise_change(double *out, const real *before, const real *after, const int *lengths,
                         const GptConfig *cfg)
{
    size_t V = (size_t)cfg->d_vocab, T = (size_t)cfg->n_ctx;
    for (size_t row = 0; row < GAMES_A_PASS * T; row++) {
        for (size_t v = 0; v < V && (int)(row % T) < lengths[row / T]; v++) {
            *out = fmax(*out, fabs((double)before[row * V + v] - (double)after[row * V + v]));
        }
    }
}

static int compare_games(double *out, const Gpt *gpt, const Gpt *rounded, const Subject *subject)
{
    const GptConfig *cfg = &gpt->cfg;
    size_t T = (size_t)cfg->n_ctx;
    Tape *tapes[2] = {NULL, NULL};
    uint8_t *tokens = mem_calloc(GAMES_A_PASS * T, 1, "tokens of random games");
    int rc = tokens ? 0 : OGPT_ENOMEM;
    for (int i = 0; i < 2 && rc == 0; i++) {
        rc = tape_new(&tapes[i], cfg, GAMES_A_PASS, TAPE_FORWARD, NULL);
    }
    for (uint64_t first = 0; first < EXPLORER_GAMES && rc == 0; first += GAMES_A_PASS) {
        int lengths[GAMES_A_PASS];
        for (size_t g = 0; g < GAMES_A_PASS; g++) {
            uint8_t moves[GAME_MAX_MOVES], target[GAME_MAX_MOVES];
            play_random(moves, subject->variant, 0, RNG_EVAL, first + g);
            lengths[g] = vocab_encode(tokens + g * T, target, subject->vocab, moves);
        }
        const real *before = gpt_forward(gpt, tapes[0], tokens, GAMES_A_PASS, T, NULL);
        raise_change(out, before, gpt_forward(rounded, tapes[1], tokens, GAMES_A_PASS, T, NULL),
                     lengths, cfg);
    }
    tape_free(tapes[0]);
    tape_free(tapes[1]);
    mem_free(tokens);
    return rc;
}

int explorer__logit_change(double *out, const Subject *subject)
{
    const Gpt *gpt = subject->model.gpt;
    double weight_change = 0;
    Gpt *rounded = NULL;
    *out = 0;
    int rc = explorer_round_network(&rounded, &weight_change, gpt);
    rc = rc ? rc : compare_games(out, gpt, rounded, subject);
    gpt_free(rounded);
    return rc;
}

/* ---- the numbers of the page ---- */

#define LINE_NUMBERS 1536 /* 3072 bytes: a line of 4096 characters */

/* Numbers on their way into the page, a line at a time. */
typedef struct NumberLines {
    StreamWriter *file;
    double *change;
    size_t n;
    uint8_t bytes[2 * LINE_NUMBERS];
} NumberLines;

static int lines_end(NumberLines *lines)
{
    char text[BASE64_LENGTH(2 * LINE_NUMBERS) + 2];
    size_t length = BASE64_LENGTH(2 * lines->n);
    base64_write(text, lines->bytes, 2 * lines->n);
    text[length] = '\n';
    lines->n = 0;
    return stream_writer_add(lines->file, text, length + 1);
}

static int lines_take(NumberLines *lines, const NumberRun *run)
{
    int rc = 0;
    for (size_t i = 0; i < run->n && rc == 0; i++) {
        uint16_t half;
        rc = round_number(&half, lines->change, run, i);
        lines->bytes[2 * lines->n] = (uint8_t)(half & 0xff);
        lines->bytes[2 * lines->n + 1] = (uint8_t)(half >> 8);
        lines->n++;
        if (rc == 0 && lines->n == LINE_NUMBERS) {
            rc = lines_end(lines);
        }
    }
    return rc;
}

uint64_t explorer__n_numbers_read(const ExplorerPage *page)
{
    const Probe *probe = page->probe;
    uint64_t n = page->subject->model.gpt->n_numbers;
    uint64_t row = (uint64_t)(probe->n_squares * probe->n_classes);
    for (int i = 0; i < probe->n_layers; i++) {
        n += probe->fitted[i] ? row * (uint64_t)(probe->d_model + 1) : 0;
    }
    return n;
}

uint64_t explorer__n_numbers(const ExplorerPage *page)
{
    ExplorerTensor tensors[EXPLORER_SAE_TENSORS];
    uint64_t n = explorer__n_numbers_read(page);
    const size_t n_tensors = page->sae ? explorer__sae_tensors(tensors, page->sae) : 0;
    for (size_t i = 0; i < n_tensors; i++) {
        n += tensors[i].n;
    }
    return n;
}

int explorer__write_numbers(StreamWriter *file, double *change, const ExplorerPage *page)
{
    ExplorerTensor tensors[EXPLORER_SAE_TENSORS];
    const size_t n_tensors = page->sae ? explorer__sae_tensors(tensors, page->sae) : 0;
    const Gpt *gpt = page->subject->model.gpt;
    const Probe *probe = page->probe;
    NumberLines lines = {.file = file, .change = change};
    NumberRun run = {"the network", gpt->params, gpt->n_numbers};
    size_t row = (size_t)(probe->n_squares * probe->n_classes);
    int rc = lines_take(&lines, &run);
    for (int i = 0; i < probe->n_layers && rc == 0; i++) {
        NumberRun weight = {"the probe", probe->weight[i], row * (size_t)probe->d_model};
        NumberRun bias = {"the probe", probe->bias[i], row};
        rc = lines_take(&lines, &weight);
        rc = rc ? rc : lines_take(&lines, &bias);
    }
    for (size_t i = 0; i < n_tensors && rc == 0; i++) {
        NumberRun values = {"the autoencoder", tensors[i].values, tensors[i].n};
        rc = lines_take(&lines, &values);
    }
    return rc || lines.n == 0 ? rc : lines_end(&lines);
}
