/* tests/explorer/features_oracle.c - what the program computes of features, as text that the
 * JavaScript of the page is compared with. MODEL is a network whose numbers are float16 numbers.
 *
 *   features_oracle round SAE MODEL       that autoencoder, rounded to float16 and made one of
 *                                         MODEL, as MODEL/sae
 *   features_oracle make KIND SITE LAYER MODEL OUT
 *                                         a random one, of float16 numbers
 *   features_oracle codes MODEL SAE N     random games: moves; then for each position the features
 *                                         that are on, as NUMBER:VALUE
 *   features_oracle clamp MODEL SAE N     positions: moves, a feature, its value there, another
 *                                         value; wrong moves without a clamp, clamped to 0 and to
 *                                         the other value; changes of ln p of each move, twice
 *   features_oracle columns MODEL SAE N   features, spread over it: cosines of the column with each
 *                                         class of each square, and with each move
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/formats/safetensors.h"
#include "base/rng.h"
#include "game/notation.h"
#include "game/play.h"
#include "num/blas.h"
#include "probes/features/features_clamp.h"
#include "probes/features/features_directions.h"
#include "probes/features/features_inputs.h"
#include "probes/sae/sae.h"

enum { SEED = 17, MADE_FEATURES = 60, MADE_K = 6 };

/* ---- autoencoders of float16 numbers ---- */

static void round_all(float *values, size_t n)
{
    for (size_t i = 0; values && i < n; i++) {
        values[i] = float16_widen(float16_narrow(values[i]));
    }
}

static int save_rounded(Sae *sae, const Subject *subject, const char *path)
{
    const size_t m = sae->cfg.features, d = sae->cfg.d_in;
    memcpy(sae->cfg.model_hash, subject->model.model_hash, sizeof(sae->cfg.model_hash));
    round_all(sae->w_enc, m * d);
    round_all(sae->w_dec, m * sae->cfg.d_out);
    round_all(sae->b_enc, m);
    round_all(sae->b_dec, sae->cfg.d_out);
    round_all(sae->theta, m);
    round_all(sae->r_mag, m);
    round_all(sae->b_mag, m);
    return sae_save(sae, path, NULL);
}

static int round_shipped(const char *from, const char *model)
{
    char goal[FILES_PATH_MAX];
    Subject subject = {0};
    Sae *sae = NULL;
    int rc = subject_open(&subject, model, NULL);
    rc = rc ? rc : sae_open(&sae, from);
    rc = rc ? rc : path_join(goal, model, SAE_FOLDER);
    rc = rc ? rc : save_rounded(sae, &subject, goal);
    sae_free(sae);
    subject_release(&subject);
    return rc;
}

/* About a tenth of its features are on: the network's rows are some units long. */
static void fill(Sae *sae)
{
    const size_t m = sae->cfg.features, d = sae->cfg.d_in, out = sae->cfg.d_out;
    Rng rng = rng_at(SEED, RNG_TEST, 2);
    for (size_t j = 0; j < m; j++) {
        double length = 0;
        for (size_t c = 0; c < out; c++) {
            sae->w_dec[j * out + c] = (float)rng_normal(&rng);
            length += (double)sae->w_dec[j * out + c] * (double)sae->w_dec[j * out + c];
        }
        for (size_t c = 0; c < out; c++) {
            sae->w_dec[j * out + c] /= (float)sqrt(length);
        }
        for (size_t c = 0; c < d; c++) {
            sae->w_enc[j * d + c] = (float)(rng_normal(&rng) / sqrt((double)d));
        }
        sae->b_enc[j] = (float)(-0.5 + 0.3 * rng_normal(&rng));
        if (sae->theta) {
            sae->theta[j] = (float)(0.3 + 0.1 * fabs(rng_normal(&rng)));
        }
        if (sae->r_mag) {
            sae->r_mag[j] = (float)(0.3 * rng_normal(&rng));
            sae->b_mag[j] = (float)(0.3 * rng_normal(&rng));
        }
    }
    for (size_t c = 0; c < out; c++) {
        sae->b_dec[c] = (float)(0.2 * rng_normal(&rng));
    }
}

static int make(const char *kind, const char *site, const char *layer, const char *model,
                const char *goal)
{
    Subject subject = {0};
    Sae *sae = NULL;
    const int parsed = sae_kind_parse(kind), place = hook_site_parse(site);
    int rc = subject_open(&subject, model, NULL);
    if (rc == 0 && (parsed < 0 || place < 0)) {
        rc = err_set(OGPT_EUSAGE, "no kind %s or no site %s", kind, site);
    }
    if (rc == 0) {
        const bool coder = parsed == SAE_TRANSCODER;
        const size_t width = hook_width(&subject.model.gpt->cfg, (HookSite)place, 0);
        const SaeConfig cfg = {.kind = (SaeKind)parsed,
                               .d_in = width,
                               .d_out = width,
                               .features = MADE_FEATURES,
                               .k = sae_has_k((SaeKind)parsed) ? MADE_K : 0,
                               .site = coder ? HOOK_LN2 : (HookSite)place,
                               .site_out = coder ? HOOK_MLP_OUT : (HookSite)place,
                               .layer = strcmp(layer, "embed") == 0 ? LAYER_EMBED
                                                                    : (int)strtol(layer, NULL, 10),
                               .scale = 1,
                               .scale_out = 1};
        rc = sae_new(&sae, &cfg);
    }
    if (rc == 0) {
        fill(sae);
        rc = save_rounded(sae, &subject, goal);
    }
    sae_free(sae);
    subject_release(&subject);
    return rc;
}

/* ---- codes ---- */

/* A network, an autoencoder, games, and what the one says of the other there. */
typedef struct FeaturesOracle {
    Subject subject;
    Sae *sae;
    FeaturesSet set;
    float *code; /* (positions, features) */
} FeaturesOracle;

static int oracle_open(FeaturesOracle *it, const char *model, const char *path, size_t games)
{
    GameSource *source = NULL;
    int rc = subject_open(&it->subject, model, NULL);
    rc = rc ? rc : sae_open(&it->sae, path);
    rc = rc ? rc : source_fresh(&source, it->subject.variant, SEED, RNG_TEST);
    rc = rc ? rc : positions_draw(&it->set.set.set, source, games, 0, WORK_ALONE);
    source_free(source);
    if (rc == 0) {
        const SaeConfig *cfg = &it->sae->cfg;
        const SiteLayers where = {cfg->site, &cfg->layer, 1};
        const size_t n = it->set.set.set.n_positions;
        it->set.x = mem_alloc(n * cfg->d_in, sizeof(float), "rows");
        it->code = mem_alloc(n * cfg->features, sizeof(float), "features");
        rc = it->set.x && it->code ? activations_capture(&it->set.x, &it->set.set.set,
                                                         it->subject.model.gpt, &where, WORK_ALONE)
                                   : OGPT_ENOMEM;
        if (rc == 0) {
            sae_encode(it->sae, it->set.x, n, it->code);
        }
    }
    return rc;
}

static void oracle_close(FeaturesOracle *it)
{
    mem_free(it->code);
    features_set_release(&it->set);
    sae_free(it->sae);
    subject_release(&it->subject);
}

static void print_history(const FeaturesOracle *it, size_t game, int n)
{
    char text[3 * GAME_MAX_MOVES + 1];
    const PositionSet *set = &it->set.set.set;
    moves_print(text, set->moves + game * (size_t)set->vocab->variant->n_moves, n);
    printf("%s", text);
}

static int print_codes(FeaturesOracle *it)
{
    const PositionSet *set = &it->set.set.set;
    const size_t m = it->sae->cfg.features;
    for (size_t g = 0; g < set->n_games; g++) {
        printf("game ");
        print_history(it, g, set->t[set->first[g + 1] - 1] + 1);
        putchar('\n');
        for (size_t i = set->first[g]; i < set->first[g + 1]; i++) {
            for (size_t j = 0, n = 0; j < m; j++) {
                if (it->code[i * m + j] > 0) {
                    printf("%s%zu:%.9g", n++ ? " " : "", j, (double)it->code[i * m + j]);
                }
            }
            putchar('\n');
        }
    }
    return 0;
}

/* ---- clamping ---- */

static void print_changes(const FeaturesClamp *clamp, const Vocab *vocab)
{
    for (int tok = 1; tok < vocab->d_vocab; tok++) {
        printf("%c%.9g", tok > 1 ? ' ' : '|', clamp->change[vocab->sq_of_tok[tok]]);
    }
}

/* A feature that is on at a position, two times of three, or one that is off. */
static size_t pick_feature(const float *code, size_t m, Rng *rng, bool on)
{
    size_t j = rng_below(rng, m);
    for (size_t tries = 0; tries < m && (code[j] > 0) != on; tries++) {
        j = (j + 1) % m;
    }
    return j;
}

static int print_clamp(FeaturesOracle *it, Rng *rng, bool on)
{
    const PositionSet *set = &it->set.set.set;
    const SaeConfig *cfg = &it->sae->cfg;
    const GameVariant *variant = set->vocab->variant;
    const size_t i = rng_below(rng, set->n_positions), m = cfg->features;
    Board after[GAME_MAX_MOVES];
    FeaturesClamp out[N_FEATURES_CLAMPS];
    FeaturesSight sight = {.position = (uint32_t)i, .n_moves = set->t[i] + 1};
    while (set->first[sight.game + 1] <= i) {
        sight.game++;
    }
    game_replay(variant, set->moves + sight.game * (size_t)variant->n_moves, sight.n_moves, after);
    sight.board = after[sight.n_moves - 1];
    const size_t j = pick_feature(it->code + i * m, m, rng, on);
    sight.value = (double)it->code[i * m + j];
    FeaturesClamping clamping = {.gpt = it->subject.model.gpt,
                                 .site = cfg->site,
                                 .layer = cfg->layer,
                                 .feature = j,
                                 .column = it->sae->w_dec + j * cfg->d_in,
                                 .mean = (double)(1 + rng_below(rng, 40)) / 8,
                                 .set = set,
                                 .sights = &sight,
                                 .n = 1};
    int rc = features_clamp(out, &clamping, WORK_ALONE);
    if (rc == 0) {
        const bool was_on = sight.value > 0;
        const FeaturesClamp *zero = &out[was_on ? FEATURES_ON_ZERO : FEATURES_OFF_ZERO];
        const FeaturesClamp *mean = &out[was_on ? FEATURES_ON_MEAN : FEATURES_OFF_MEAN];
        print_history(it, sight.game, sight.n_moves);
        printf("|%zu %.9g %.9g|%g %g %g", j, sight.value, clamping.mean, zero->wrong_clean,
               zero->wrong, mean->wrong);
        print_changes(zero, set->vocab);
        print_changes(mean, set->vocab);
        putchar('\n');
    }
    return rc;
}

/* ---- columns ---- */

static int print_columns(const FeaturesOracle *it, const char *model, size_t n)
{
    char path[FILES_PATH_MAX];
    Probe probe = {0};
    FeaturesDirections directions = {0};
    const SaeConfig *cfg = &it->sae->cfg;
    const Vocab *vocab = it->subject.vocab;
    int rc = path_join(path, model, PROBE_FOLDER);
    rc = rc ? rc : probe_load(&probe, path);
    rc = rc ? rc
            : features_directions_make(&directions, it->subject.model.gpt, vocab, cfg->site,
                                       cfg->layer, &probe, SEED);
    for (size_t i = 0; i < n && rc == 0; i++) {
        const size_t j = (2 * i + 1) * cfg->features / (2 * n);
        double cosines[BOARD_SQUARES];
        printf("%zu", j);
        for (int class = 0; class < probe.n_classes; class ++) {
            features_cosines(cosines, &directions, it->sae->w_dec + j * cfg->d_in, class);
            for (int s = 0; s < probe.n_squares; s++) {
                printf("%c%.9g", s ? ' ' : '|', cosines[task_square(vocab->variant, s)]);
            }
        }
        features_cosines(cosines, &directions, it->sae->w_dec + j * cfg->d_in, -1);
        for (int tok = 1; tok < vocab->d_vocab; tok++) {
            printf("%c%.9g", tok > 1 ? ' ' : '|', cosines[vocab->sq_of_tok[tok]]);
        }
        putchar('\n');
    }
    features_directions_release(&directions);
    probe_release(&probe);
    return rc;
}

static int ask(const char *what, const char *model, const char *path, size_t n)
{
    static FeaturesOracle it;
    Rng rng = rng_at(SEED, RNG_TEST, 3);
    const bool clamp = strcmp(what, "clamp") == 0, codes = strcmp(what, "codes") == 0;
    int rc = oracle_open(&it, model, path, clamp ? 20 : codes ? n : 1);
    for (size_t i = 0; i < n && clamp && rc == 0; i++) {
        rc = print_clamp(&it, &rng, i % 3 != 0);
    }
    rc = rc || !codes ? rc : print_codes(&it);
    rc = rc || clamp || codes ? rc : print_columns(&it, model, n);
    oracle_close(&it);
    return rc;
}

int main(int argc, char **argv)
{
    int rc = blas_init();
    if (argc == 4 && strcmp(argv[1], "round") == 0) {
        rc = rc ? rc : round_shipped(argv[2], argv[3]);
    } else if (argc == 7 && strcmp(argv[1], "make") == 0) {
        rc = rc ? rc : make(argv[2], argv[3], argv[4], argv[5], argv[6]);
    } else if (argc == 5) {
        rc = rc ? rc : ask(argv[1], argv[2], argv[3], strtoull(argv[4], NULL, 10));
    } else {
        fprintf(stderr, "features_oracle: see the head of features_oracle.c\n");
        return 2;
    }
    if (rc != 0) {
        fprintf(stderr, "features_oracle: %s\n", err_message());
    }
    return rc ? 1 : 0;
}
