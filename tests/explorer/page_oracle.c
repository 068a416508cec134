/* tests/explorer/page_oracle.c - what the program computes, as text that the JavaScript of the page
 * is compared with.
 *
 *   page_oracle rules SIZE N            random games: moves, and a hash of all boards and legal
 * moves page_oracle round MODEL PROBE OUT   the network and its probe, rounded to float16, as OUT
 * and OUT/probe; MODEL "random": random weights, 4x4 page_oracle read OUT N              random
 * games of that network: moves; then for each position the logits, and the classes of each layer
 *   page_oracle neurons OUT N MOVES     N neurons of that network, spread over it: layer, neuron,
 * activations after every move; cosines of what it reads with the probe's differences of classes,
 * (squares, differences); cosines of what it writes with the directions of the moves
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/formats/safetensors.h"
#include "base/rng.h"
#include "explorer/explorer_page.h"
#include "game/notation.h"
#include "game/play.h"
#include "num/blas.h"
#include "probes/activations/passes.h"

#define SEED 17

/* ---- rules ---- */

static uint32_t hash_add(uint32_t hash, uint32_t value)
{
    return (hash ^ value) * 16777619u;
}

/* As boardHash of explorer/core/rules.js: empty 0, black 1, white 2, and 3 more where a move is
 * legal. */
static uint32_t hash_board(uint32_t hash, const GameVariant *variant, const Board *board)
{
    uint64_t black = board_discs(board, BLACK), white = board_discs(board, WHITE);
    uint64_t legal = board_moves(variant, board);
    for (int sq = 0; sq < BOARD_SQUARES; sq++) {
        hash = hash_add(
            hash, (uint32_t)((black >> sq & 1) + 2 * (white >> sq & 1) + 3 * (legal >> sq & 1)));
    }
    return hash_add(hash, board->to_move == BLACK ? 1 : 2);
}

static int print_rules(int size, uint64_t n)
{
    const GameVariant *variant = game_variant(size);
    for (uint64_t game = 0; game < n; game++) {
        uint8_t moves[GAME_MAX_MOVES];
        Board after[GAME_MAX_MOVES];
        char text[3 * GAME_MAX_MOVES + 1];
        int length = play_random(moves, variant, SEED, RNG_TEST, game);
        game_replay(variant, moves, length, after);
        uint32_t hash = hash_board(2166136261u, variant, &variant->start);
        int passes = 0;
        for (int t = 0; t < length; t++) {
            hash = hash_board(hash, variant, &after[t]);
            passes += t + 1 < length && t > 0 && after[t].to_move == after[t - 1].to_move;
        }
        moves_print(text, moves, length);
        printf("%s|%08x|%d\n", text, hash, passes);
    }
    return 0;
}

/* ---- a rounded network and probe ---- */

static void round_all(float *values, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        values[i] = float16_widen(float16_narrow(values[i]));
    }
}

static int random_subject(Gpt **gpt, Probe *probe)
{
    const Vocab *vocab = vocab_of(game_variant(4));
    GptConfig cfg = {.n_layers = 3,
                     .d_model = 24,
                     .n_heads = 3,
                     .d_head = 8,
                     .d_mlp = 96,
                     .n_ctx = vocab->n_ctx,
                     .d_vocab = vocab->d_vocab,
                     .eps = 1e-5f};
    Rng rng = rng_at(SEED, RNG_TEST, 1);
    *probe = (Probe){.task = "mine",
                     .labels = "mover",
                     .solver = "newton",
                     .site = HOOK_RESID_POST,
                     .classes = {"empty", "theirs", "mine"},
                     .size = 4,
                     .n_squares = 16,
                     .d_model = 24,
                     .n_classes = 3,
                     .n_layers = 4,
                     .layers = {LAYER_EMBED, 0, 1, 2}};
    int rc = gpt_new(gpt, &cfg);
    rc = rc ? rc : probe_allocate(probe);
    for (size_t i = 0; rc == 0 && i < (*gpt)->n_numbers; i++) {
        (*gpt)->params[i] = (real)(0.4 * rng_normal(&rng));
    }
    for (int l = 0; rc == 0 && l < probe->n_layers; l++) {
        for (size_t i = 0; i < 24 * 48; i++) {
            probe->weight[l][i] = (float)(0.2 * rng_normal(&rng));
        }
        for (size_t i = 0; i < 48; i++) {
            probe->bias[l][i] = (float)(0.2 * rng_normal(&rng));
        }
        probe->fitted[l] = true;
    }
    return rc;
}

static int save_model(char hash[HASH_HEX_SIZE], const Gpt *gpt, const char *path)
{
    Publish *publish = NULL;
    int rc = publish_begin(&publish, path, false);
    rc = rc ? rc : model_save(publish, hash, gpt, NULL, false);
    return rc ? rc : publish_commit(publish, NULL);
}

static int round_subject(const char *model, const char *probe_path, const char *goal)
{
    Gpt *gpt = NULL, *rounded = NULL;
    Probe probe = {0};
    double change = 0;
    char path[FILES_PATH_MAX];
    bool random = strcmp(model, "random") == 0;
    ModelFile file = {0};
    int rc = random ? random_subject(&gpt, &probe) : model_load(&file, model, NULL);
    rc = rc || random ? rc : probe_load(&probe, probe_path);
    rc = rc ? rc : explorer_round_network(&rounded, &change, random ? gpt : file.gpt);
    rc = rc ? rc : save_model(probe.model_hash, rounded, goal);
    size_t row = (size_t)(probe.n_squares * probe.n_classes);
    for (int l = 0; l < probe.n_layers && rc == 0; l++) {
        round_all(probe.weight[l], row * (size_t)probe.d_model);
        round_all(probe.bias[l], row);
    }
    rc = rc ? rc : path_join(path, goal, "probe");
    rc = rc ? rc : probe_save(&probe, path);
    probe_release(&probe);
    gpt_free(rounded);
    gpt_free(gpt);
    model_release(&file);
    return rc;
}

/* ---- what they read ---- */

#define READ_GAMES 16 /* a pass */

typedef struct OracleReading {
    Subject subject;
    Probe probe;
    uint8_t moves[READ_GAMES * GAME_MAX_MOVES], read[READ_GAMES];
    uint8_t classes[READ_GAMES * GAME_MAX_MOVES][LAYERS_MAX][BOARD_SQUARES];
    float scores[BOARD_SQUARES * TASK_MAX_CLASSES];
} OracleReading;

static int read_rows(void *context, const PassBatch *pass, const HookPoint *point)
{
    OracleReading *it = context;
    for (int i = 0; i < it->probe.n_layers; i++) {
        int block;
        HookSite site = probe_hook(&block, &it->probe, it->probe.layers[i]);
        for (size_t r = 0; r < point->B * point->T && site == point->site && block == point->layer;
             r++) {
            probe_classify(it->classes[r][i], it->scores, &it->probe, i,
                           point->value + r * point->width, 1);
        }
    }
    return 0;
}

static int print_pass(void *context, const PassBatch *pass)
{
    const OracleReading *it = context;
    size_t V = (size_t)it->subject.vocab->d_vocab;
    size_t stride = (size_t)it->subject.variant->n_moves;
    for (size_t g = 0; g < pass->B; g++) {
        char text[3 * GAME_MAX_MOVES + 1];
        moves_print(text, it->moves + g * stride, it->read[g]);
        printf("game %s\n", text);
        for (size_t row = g * pass->T; row < g * pass->T + it->read[g]; row++) {
            for (size_t v = 0; v < V; v++) {
                printf("%s%.9g", v ? " " : "", (double)pass->logits[row * V + v]);
            }
            for (int i = 0; i < it->probe.n_layers; i++) {
                putchar('|');
                for (int s = 0; s < it->probe.n_squares; s++) {
                    putchar('0' + it->classes[row][i][s]);
                }
            }
            putchar('\n');
        }
    }
    return 0;
}

static int print_readings(const char *path, uint64_t n)
{
    static OracleReading it;
    char probe_path[FILES_PATH_MAX];
    PassCalls calls = {.context = &it, .hook = read_rows, .visit = print_pass};
    int rc = subject_open(&it.subject, path, NULL);
    rc = rc ? rc : path_join(probe_path, path, "probe");
    rc = rc ? rc : probe_load(&it.probe, probe_path);
    for (int i = 0; i < it.probe.n_layers && rc == 0; i++) {
        passes_hook_layer(&calls, it.probe.site, it.probe.layers[i]);
    }
    for (uint64_t first = 0; first < n && rc == 0; first += READ_GAMES) {
        PassGames games = {.vocab = it.subject.vocab,
                           .n = n - first < READ_GAMES ? n - first : READ_GAMES,
                           .moves = it.moves,
                           .read = it.read};
        for (size_t g = 0; g < games.n; g++) {
            int length = play_random(it.moves + g * (size_t)it.subject.variant->n_moves,
                                     it.subject.variant, SEED, RNG_TEST, first + g);
            it.read[g] =
                (uint8_t)(length < it.subject.vocab->n_ctx ? length : it.subject.vocab->n_ctx);
        }
        rc = passes_run(it.subject.model.gpt, &games, &calls, WORK_ALONE);
    }
    probe_release(&it.probe);
    subject_release(&it.subject);
    return rc;
}

/* ---- neurons ---- */

typedef struct OracleNeurons {
    Subject subject;
    Probe probe;
    float *acts[LAYERS_MAX]; /* (moves, d_mlp), owned */
} OracleNeurons;

static int keep_activations(void *context, const PassBatch *pass, const HookPoint *point)
{
    OracleNeurons *it = context;
    size_t n = point->T * point->width;
    float *kept = malloc(n * sizeof(*kept));
    for (size_t i = 0; kept && i < n; i++) {
        kept[i] = (float)point->value[i];
    }
    it->acts[point->layer] = kept;
    return kept ? 0 : OGPT_ENOMEM;
}

static double cosine(const double *a, const double *b, size_t n)
{
    double product = 0, first = 0, second = 0;
    for (size_t c = 0; c < n; c++) {
        product += a[c] * b[c];
        first += a[c] * a[c];
        second += b[c] * b[c];
    }
    return product / sqrt(first * second);
}

static void centre(double *values, size_t n)
{
    double sum = 0;
    for (size_t c = 0; c < n; c++) {
        sum += values[c];
    }
    for (size_t c = 0; c < n; c++) {
        values[c] -= sum / (double)n;
    }
}

#define WIDTH_MAX 512

static void print_neuron(const OracleNeurons *it, int layer, size_t k, int n_moves)
{
    const Gpt *gpt = it->subject.model.gpt;
    const Probe *probe = &it->probe;
    const real *block = gpt->params + (size_t)layer * gpt->map.block_stride;
    size_t C = (size_t)gpt->cfg.d_model, M = (size_t)gpt->cfg.d_mlp, V = (size_t)gpt->cfg.d_vocab;
    size_t K = (size_t)probe->n_classes, row = K * (size_t)probe->n_squares;
    const float *weight = probe->weight[probe_layer_index(probe, layer - 1)];
    double read[WIDTH_MAX], wrote[WIDTH_MAX], other[WIDTH_MAX];
    for (size_t c = 0; c < C; c++) {
        read[c] = (double)block[gpt->map.ln2_w + c] * (double)block[gpt->map.W_in + c * M + k];
        wrote[c] = (double)block[gpt->map.W_out + k * C + c];
    }
    centre(read, C);
    printf("%d %zu|", layer, k);
    for (int t = 0; t < n_moves; t++) {
        printf("%s%.9g", t ? " " : "", (double)it->acts[layer][(size_t)t * M + k]);
    }
    for (size_t i = 0; i < row;
         i++) { /* class i % K less the one before it, the first less the last */
        size_t less = i % K ? i - 1 : i + K - 1;
        for (size_t c = 0; c < C; c++) {
            other[c] = (double)weight[c * row + i] - (double)weight[c * row + less];
        }
        printf("%c%.9g", i ? ' ' : '|', cosine(read, other, C));
    }
    for (size_t v = 1; v < V; v++) {
        for (size_t c = 0; c < C; c++) {
            other[c] = (double)gpt->params[gpt->map.lnf_w + c] *
                       (double)gpt->params[gpt->map.W_U + c * V + v];
        }
        centre(other, C);
        printf("%c%.9g", v > 1 ? ' ' : '|', cosine(wrote, other, C));
    }
    putchar('\n');
}

static int print_neurons(const char *path, size_t n, const char *text)
{
    static OracleNeurons it;
    char probe_path[FILES_PATH_MAX];
    PassCalls calls = {.context = &it, .hook = keep_activations};
    uint8_t moves[GAME_MAX_MOVES], read[1];
    int length = 0;
    int rc = subject_open(&it.subject, path, NULL);
    rc = rc ? rc : path_join(probe_path, path, "probe");
    rc = rc ? rc : probe_load(&it.probe, probe_path);
    rc = rc ? rc : moves_parse(moves, &length, it.subject.variant, text);
    if (rc == 0) {
        const GptConfig *cfg = &it.subject.model.gpt->cfg;
        size_t all = (size_t)cfg->n_layers * (size_t)cfg->d_mlp, M = (size_t)cfg->d_mlp;
        PassGames games = {.vocab = it.subject.vocab, .n = 1, .moves = moves, .read = read};
        read[0] = (uint8_t)length;
        calls.sites[HOOK_POST] = ((uint64_t)1 << cfg->n_layers) - 1;
        rc = cfg->d_model <= WIDTH_MAX
                 ? passes_run(it.subject.model.gpt, &games, &calls, WORK_ALONE)
                 : err_set(OGPT_EUSAGE, "a network of %d", cfg->d_model);
        for (size_t i = 0; i < n && rc == 0; i++) {
            size_t at = (2 * i + 1) * all / (2 * n);
            print_neuron(&it, (int)(at / M), at % M, length);
        }
    }
    for (int l = 0; l < LAYERS_MAX; l++) {
        free(it.acts[l]);
    }
    probe_release(&it.probe);
    subject_release(&it.subject);
    return rc;
}

int main(int argc, char **argv)
{
    int rc = blas_init();
    if (argc == 4 && strcmp(argv[1], "rules") == 0) {
        rc = print_rules((int)strtol(argv[2], NULL, 10), strtoull(argv[3], NULL, 10));
    } else if (argc == 5 && strcmp(argv[1], "round") == 0) {
        rc = rc ? rc : round_subject(argv[2], argv[3], argv[4]);
    } else if (argc == 4 && strcmp(argv[1], "read") == 0) {
        rc = rc ? rc : print_readings(argv[2], strtoull(argv[3], NULL, 10));
    } else if (argc == 5 && strcmp(argv[1], "neurons") == 0) {
        rc = rc ? rc : print_neurons(argv[2], strtoull(argv[3], NULL, 10), argv[4]);
    } else {
        fprintf(stderr, "page_oracle: see the head of page_oracle.c\n");
        return 2;
    }
    if (rc != 0) {
        fprintf(stderr, "page_oracle: %s\n", err_message());
    }
    return rc ? 1 : 0;
}
