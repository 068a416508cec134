/* label: counted - Gradients at every hook site against central differences, in both engines
 * (built: double).
 *
 * A metric of the logits and one of a probe in the middle of the network, in passes that nobody
 * changes and in passes that hooks change at every site. A site is right when
 * ||g - g'|| <= 1e-5 * max(||g||, 1e-4 * ||gradients of the layer's stream||); each comparison is
 * made again with its largest number turned round, and must then fail.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "model/prefix.h"

enum { B = 2, T = 7, L = 3, C = 12, NH = 3, V = 9, N_CTX = 8, STRIDE = 16, MOST = B * T * NH * 16 };
#define STEP 1e-5
#define PROBE_LAYER 1
#define N_CLASSES 3

static const GptConfig cfg = {.n_layers = L,
                              .d_model = C,
                              .n_heads = NH,
                              .d_head = C / NH,
                              .d_mlp = 20,
                              .n_ctx = N_CTX,
                              .d_vocab = V,
                              .eps = 1e-5f};
static const uint8_t tokens[B * T] = {1, 5, 2, 8, 3, 6, 4, 7, 6, 1, 1, 0, 0, 0};
static const uint8_t lengths[B] = {7, 4};

/* The engine and the metric of a test. */
typedef struct Setting {
    bool prefix; /* the last position of kept sequences, else the full pass */
    bool probe;  /* the metric reads the probe's rows, else the logits */
    bool last;   /* it reads the last position of each sequence, else all of them */
    bool edited; /* hooks change the last row at every site and layer */
    bool fused;  /* they change it at z alone, and nobody looks at what fused kernels skip */
} Setting;

/* One pass: what hooks do to it, and what they find. */
typedef struct Listener {
    Setting setting;
    HookSite site; /* N_HOOK_SITES: no number is moved */
    int layer;
    size_t index; /* of the number that is moved, in the rows of its site */
    double by;
    double stream[B * T * C];                           /* the probe's rows, as they passed by */
    double gradients[N_HOOK_SITES][L][MOST];            /* found on the way back */
    size_t counts[N_HOOK_SITES][L], keys[N_HOOK_SITES]; /* numbers in each; keys in a row */
} Listener;

static Gpt *gpt;
static Tape *tape;
static Prefix *prefix;
static double weights[N_CLASSES][C];                 /* of the probe */
static double changes[N_HOOK_SITES][L][NH * STRIDE]; /* by hooks, of each place in a row */

/* ---- metrics ---- */

/* ln softmax(x)[wanted], and its gradient. */
static double log_softmax(double *d, const double *x, size_t n, size_t wanted)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += exp(x[i] - x[wanted]);
    }
    for (size_t i = 0; i < n; i++) {
        d[i] = (i == wanted ? 1 : 0) - exp(x[i] - x[wanted]) / sum;
    }
    return -log(sum);
}

/* A logit difference and the logarithm of a probability. */
static double metric_of_logits(double *d, const double *logits)
{
    double value = log_softmax(d, logits, V, 4) + logits[3] - logits[5];
    d[3] += 1;
    d[5] -= 1;
    return value;
}

/* The cross-entropy of a linear probe on one row. */
static double metric_of_row(double *d, const double *row)
{
    double scores[N_CLASSES], dscores[N_CLASSES];
    for (size_t k = 0; k < N_CLASSES; k++) {
        scores[k] = 0;
        for (size_t c = 0; c < C; c++) {
            scores[k] += weights[k][c] * row[c];
        }
    }
    double value = -log_softmax(dscores, scores, N_CLASSES, 1);
    for (size_t c = 0; c < C; c++) {
        d[c] = 0;
        for (size_t k = 0; k < N_CLASSES; k++) {
            d[c] -= dscores[k] * weights[k][c];
        }
    }
    return value;
}

/* The sum over all rows that count; d (rows, width) gets the gradient. */
static double metric_of_rows(double *d, const Setting *setting, const double *rows, size_t width,
                             double (*of_row)(double *, const double *))
{
    double sum = 0;
    memset(d, 0, B * (setting->prefix ? 1 : T) * width * sizeof(*d));
    for (size_t b = 0; b < B; b++) {
        for (size_t t = setting->last ? lengths[b] - 1U : 0; t < lengths[b]; t++) {
            size_t at = (setting->prefix ? b : b * T + t) * width;
            sum += of_row(d + at, rows + at);
        }
    }
    return sum;
}

/* ---- passes ---- */

/* A change of the last rows of a site, a function of the site, the layer and the place in a row:
 * the same in both engines, though their rows have room for different numbers of keys. */
static void change_rows(const HookPoint *point)
{
    size_t keys = point->width < NH ? 1 : point->width / NH; /* of a head, where by_key */
    bool by_key = point->site == HOOK_SCORES || point->site == HOOK_PATTERN;
    bool scale = point->width == 1;
    for (size_t b = 0; b < B; b++) {
        double *row =
            point->value + (b * point->T + (point->T == 1 ? 0 : lengths[b] - 1U)) * point->width;
        for (size_t i = 0; i < point->width; i++) {
            size_t place = by_key ? i / keys * STRIDE + i % keys : i;
            double change = changes[point->site][point->layer][place];
            if (!by_key || i % keys < lengths[b]) {
                row[i] += scale ? 0.5 + fabs(change) : change;
            }
        }
    }
}

static void forward_hook(void *context, const HookPoint *point)
{
    Listener *listener = context;
    if (listener->setting.edited || (listener->setting.fused && point->site == HOOK_Z)) {
        change_rows(point);
    }
    if (point->site == listener->site && point->layer == listener->layer) {
        point->value[listener->index] += listener->by;
    }
    if (point->site == HOOK_RESID_POST && point->layer == PROBE_LAYER) {
        memcpy(listener->stream, point->value, point->B * point->T * C * sizeof(*point->value));
    }
}

static void backward_hook(void *context, const HookPoint *point)
{
    Listener *listener = context;
    size_t n = point->B * point->T * point->width;
    assert_non_null(point->gradient);
    assert_true(n <= MOST);
    if (point->site == HOOK_RESID_POST && point->layer == PROBE_LAYER && listener->setting.probe) {
        double d[B * T * C];
        metric_of_rows(d, &listener->setting, listener->stream, C, metric_of_row);
        for (size_t i = 0; i < n; i++) {
            point->gradient[i] += d[i];
        }
    }
    memcpy(listener->gradients[point->site][point->layer], point->gradient,
           n * sizeof(*point->gradient));
    listener->counts[point->site][point->layer] = n;
    listener->keys[point->site] = point->width / NH;
}

static Hooks hooks_of(Listener *listener, void (*fn)(void *, const HookPoint *))
{
    Hooks hooks = {.fn = fn, .context = listener};
    for (int site = 0; site < N_HOOK_SITES; site++) {
        hooks.sites[site] = hook_site_outside((HookSite)site) ? 1 : (1U << L) - 1;
    }
    return hooks;
}

/* The metric after a forward pass; dlogits gets its gradient. */
static double forward(double *dlogits, Listener *listener)
{
    Hooks hooks = hooks_of(listener, forward_hook);
    const Setting *setting = &listener->setting;
    double d[B * T * C];
    const double *logits;
    if (!setting->edited) { /* as few sites as the pass needs, so that fused kernels are tested */
        memset(hooks.sites, 0, sizeof(hooks.sites));
        hooks.sites[HOOK_RESID_POST] = 1U << PROBE_LAYER;
        hooks.sites[HOOK_Z] = setting->fused ? (1U << L) - 1 : 0;
        if (listener->site < N_HOOK_SITES) {
            hooks.sites[listener->site] |= 1U << listener->layer;
        }
    }
    logits = setting->prefix ? prefix_last(prefix, gpt, &hooks)
                             : gpt_forward(gpt, tape, tokens, B, T, &hooks);
    return setting->probe ? metric_of_rows(d, setting, listener->stream, C, metric_of_row)
                          : metric_of_rows(dlogits, setting, logits, V, metric_of_logits);
}

/* listener->gradients of the pass that the setting describes. */
static void backward(Listener *listener)
{
    double dlogits[B * T * V];
    Hooks hooks = hooks_of(listener, backward_hook);
    const double *d = listener->setting.probe ? NULL : dlogits;
    listener->site = N_HOOK_SITES;
    forward(dlogits, listener);
    if (listener->setting.fused) {
        hooks.sites[HOOK_SCORES] = hooks.sites[HOOK_PATTERN] = 0;
        hooks.sites[HOOK_LN1_SCALE] = hooks.sites[HOOK_LN2_SCALE] = 0;
        hooks.sites[HOOK_FINAL_SCALE] = 0;
    }
    if (listener->setting.prefix) {
        prefix_gradient(prefix, gpt, d, &hooks);
    } else {
        gpt_gradient(gpt, tape, NULL, d, &hooks, NULL);
    }
}

/* ---- comparisons ---- */

static double norm(const double *x, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += x[i] * x[i];
    }
    return sqrt(sum);
}

static double distance(const double *a, const double *b, size_t n)
{
    double d[MOST];
    for (size_t i = 0; i < n; i++) {
        d[i] = a[i] - b[i];
    }
    return norm(d, n);
}

/* Under the sanitizers, which look at the code and not at the numbers, every 11th number is moved,
 * the largest among them. */
static size_t stride(void)
{
    const char *sanitized = getenv("OGPT_SANITIZED");
    return sanitized && strcmp(sanitized, "1") == 0 ? 11 : 1;
}

static void check_site(Listener *listener, HookSite site, int layer)
{
    double dlogits[B * T * V], found[MOST], turned[MOST];
    const double *g = listener->gradients[site][layer];
    size_t n = listener->counts[site][layer], largest = 0;
    double all = norm(listener->gradients[HOOK_RESID_PRE][0], B * T * C), error, size;
    assert_true(n > 0 && all > 0.1);
    listener->site = site;
    listener->layer = layer;
    for (size_t i = 1; i < n; i++) {
        largest = fabs(g[i]) > fabs(g[largest]) ? i : largest;
    }
    memcpy(found, g, sizeof(found));
    for (size_t i = largest % stride(); i < n; i += stride()) {
        listener->index = i;
        listener->by = STEP;
        found[i] = forward(dlogits, listener);
        listener->by = -STEP;
        found[i] = (found[i] - forward(dlogits, listener)) / (2 * STEP);
    }
    size = fmax(norm(g, n), 1e-4 * all);
    error = distance(g, found, n) / size;
    if (!(error <= 1e-5)) {
        fail_msg("%s, layer %d: relative error %g of the gradient", hook_site_name(site), layer,
                 error);
    }
    if (norm(g, n) > 1e-4 * all) {
        memcpy(turned, g, sizeof(turned));
        turned[largest] = -turned[largest];
        assert_true(distance(turned, found, n) / size > 1e-5);
        turned[largest] = 0;
        assert_true(distance(turned, found, n) / size > 1e-5);
    }
}

static void check_setting(Setting setting)
{
    static Listener listener;
    int n_moved = 0, n_inside = 0;
    listener = (Listener){.setting = setting};
    backward(&listener);
    for (int site = 0; site < N_HOOK_SITES; site++) {
        n_inside += !hook_site_outside((HookSite)site);
        for (int layer = 0; layer < (hook_site_outside((HookSite)site) ? 1 : L); layer++) {
            check_site(&listener, (HookSite)site, layer);
            n_moved += norm(listener.gradients[site][layer], listener.counts[site][layer]) > 0;
        }
    }
    /* Behind the probe nothing can move its scores; before it, and for the logits, all can. */
    assert_int_equal(n_moved, setting.probe ? n_inside * (PROBE_LAYER + 1)
                                            : n_inside * L + N_HOOK_SITES - n_inside);
}

static void test_full_pass(void **state)
{
    (void)state;
    check_setting((Setting){.probe = false});
    check_setting((Setting){.probe = true});
}

static void test_full_pass_edited(void **state)
{
    (void)state;
    check_setting((Setting){.probe = false, .edited = true});
    check_setting((Setting){.probe = true, .edited = true});
}

/* The kernels that never hold scores, patterns and scales, behind a changed z. */
static void test_fused_kernels(void **state)
{
    (void)state;
    static Listener listener;
    listener = (Listener){.setting = {.fused = true}};
    backward(&listener);
    for (int site = 0; site < N_HOOK_SITES; site++) {
        for (int layer = 0; layer < L && listener.counts[site][layer] > 0; layer++) {
            check_site(&listener, (HookSite)site, layer);
        }
    }
    assert_true(listener.counts[HOOK_Q][0] > 0 && listener.counts[HOOK_SCORES][0] == 0);
}

static void test_last_position(void **state)
{
    (void)state;
    check_setting((Setting){.prefix = true, .last = true, .probe = false});
    check_setting((Setting){.prefix = true, .last = true, .probe = true});
}

static void test_last_position_edited(void **state)
{
    (void)state;
    check_setting((Setting){.prefix = true, .last = true, .probe = false, .edited = true});
    check_setting((Setting){.prefix = true, .last = true, .probe = true, .edited = true});
}

/* The largest difference between the engines in the last rows of a site; `shift` compares with the
 * numbers of another sequence and must differ. */
static double engines_differ(const Listener *full, const Listener *rows, HookSite site, int layer,
                             size_t shift)
{
    size_t wide = full->counts[site][layer] / (B * T), narrow = rows->counts[site][layer] / B;
    double worst = 0;
    for (size_t b = 0; b < B; b++) {
        const double *x = full->gradients[site][layer] + (b * T + lengths[b] - 1U) * wide;
        const double *y = rows->gradients[site][layer] + (b + shift) % B * narrow;
        for (size_t i = 0; i < wide; i++) {
            size_t at = wide == narrow ? i : i / T * STRIDE + i % T;
            bool seen = wide == narrow || i % T < lengths[b];
            worst = fmax(worst, seen ? fabs(x[i] - y[at]) : 0);
        }
    }
    return worst;
}

static void test_engines_agree(void **state)
{
    (void)state;
    static Listener full, rows;
    for (int i = 0; i < 4; i++) {
        Setting setting = {.last = true, .probe = i & 1, .edited = i & 2};
        int last = setting.probe ? PROBE_LAYER : L - 1;
        full = (Listener){.setting = setting};
        setting.prefix = true;
        rows = (Listener){.setting = setting};
        backward(&full);
        backward(&rows);
        for (int site = 0; site < N_HOOK_SITES; site++) {
            bool outside = hook_site_outside((HookSite)site);
            for (int layer = 0; layer < (outside ? 1 : L); layer++) {
                assert_true(engines_differ(&full, &rows, (HookSite)site, layer, 0) < 1e-10);
                assert_true((outside ? setting.probe : layer > last) ||
                            engines_differ(&full, &rows, (HookSite)site, layer, 1) > 1e-4);
            }
        }
    }
}

/* A hook may stop the gradient: what it leaves is what earlier sites get. */
typedef struct Stop {
    double first[B * T * C], last[B * T * C]; /* gradients of the first and the last stream */
} Stop;

static void stop_hook(void *context, const HookPoint *point)
{
    Stop *stop = context;
    size_t n_bytes = point->B * point->T * point->width * sizeof(*point->gradient);
    if (point->site == HOOK_RESID_PRE) {
        memcpy(stop->first, point->gradient, n_bytes);
    } else if (point->site == HOOK_RESID_POST) {
        memcpy(stop->last, point->gradient, n_bytes);
    } else {
        memset(point->gradient, 0, n_bytes);
    }
}

static void test_gradient_is_stopped(void **state)
{
    (void)state;
    static Listener listener;
    static Stop stop;
    double dlogits[B * T * V];
    Hooks hooks = {.fn = stop_hook, .context = &stop};
    hooks.sites[HOOK_RESID_PRE] = 1;
    hooks.sites[HOOK_RESID_POST] = 1U << (L - 1);
    listener = (Listener){.site = N_HOOK_SITES};
    forward(dlogits, &listener);
    gpt_gradient(gpt, tape, NULL, dlogits, &hooks, NULL);
    assert_true(norm(stop.first, B * T * C) > 0.1);
    assert_true(distance(stop.first, stop.last, B * T * C) > 0.1);
    /* With both branches of every block cut, the stream passes its gradient down unchanged. */
    hooks.sites[HOOK_ATTN_OUT] = hooks.sites[HOOK_MLP_OUT] = (1U << L) - 1;
    gpt_gradient(gpt, tape, NULL, dlogits, &hooks, NULL);
    assert_true(norm(stop.first, B * T * C) > 0.1);
    assert_true(distance(stop.first, stop.last, B * T * C) == 0);
    hooks.sites[HOOK_RESID_MID] = 2;
    gpt_gradient(gpt, tape, NULL, dlogits, &hooks, NULL);
    assert_true(norm(stop.first, B * T * C) == 0);
}

/* Where nobody looks, the gradients of parameters have the bits of gpt_backward. With hooks at
 * every site they are equal within rounding. */
static void test_parameters_too(void **state)
{
    (void)state;
    static Listener listener;
    static double plain[8192], beside[8192], alone[8192];
    double dlogits[B * T * V];
    Hooks hooks = hooks_of(&listener, backward_hook);
    Tape *train = NULL;
    assert_true(gpt->n_numbers <= 8192);
    assert_int_equal(tape_new(&train, &cfg, B, TAPE_TRAIN, NULL), 0);
    const double *logits = gpt_forward(gpt, train, tokens, B, T, NULL);
    listener = (Listener){.site = N_HOOK_SITES};
    metric_of_rows(dlogits, &listener.setting, logits, V, metric_of_logits);
    memcpy((double *)logits, dlogits, sizeof(dlogits)); /* where gpt_loss leaves its gradient */
    gpt_backward(gpt, train, tokens, 1, plain);
    gpt_forward(gpt, tape, tokens, B, T, NULL);
    gpt_gradient(gpt, tape, tokens, dlogits, NULL, alone);
    gpt_gradient(gpt, tape, tokens, dlogits, &hooks, beside);
    assert_memory_equal(alone, plain, sizeof(plain));
    assert_true(norm(plain, 8192) > 1);
    for (size_t i = 0; i < 8192; i++) {
        assert_true(fabs(beside[i] - plain[i]) < 1e-10);
    }
    tape_free(train);
}

static int set_up(void **state)
{
    (void)state;
    if (gpt_new(&gpt, &cfg) != 0 || tape_new(&tape, &cfg, B, TAPE_GRADIENT, NULL) != 0 ||
        prefix_new(&prefix, &cfg, B, TAPE_GRADIENT, NULL) != 0) {
        return -1;
    }
    /* Large weights everywhere, as in test_gradients.c. */
    for (size_t i = 0; i < gpt->n_specs; i++) {
        Rng rng = rng_at(7, RNG_TEST, i);
        for (size_t j = 0; j < gpt->specs[i].count; j++) {
            gpt->params[gpt->specs[i].offset + j] =
                (gpt->specs[i].init_std < 0 ? 1 : 0) + 0.3 * rng_normal(&rng);
        }
    }
    for (size_t i = 0; i < N_HOOK_SITES * L * NH * STRIDE; i++) {
        size_t place = i % (NH * STRIDE), at = i / (NH * STRIDE);
        Rng rng = rng_at(5, RNG_TEST, at * 1000 + place);
        changes[at / L][at % L][place] = 0.3 * rng_normal(&rng);
    }
    Rng rng = rng_at(7, RNG_TEST, 1000);
    for (size_t i = 0; i < N_CLASSES * C; i++) {
        weights[i / C][i % C] = rng_normal(&rng);
    }
    prefix_fill(prefix, gpt, tokens, T, lengths, B, NULL);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    prefix_free(prefix);
    tape_free(tape);
    gpt_free(gpt);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_full_pass),
        cmocka_unit_test(test_full_pass_edited),
        cmocka_unit_test(test_fused_kernels),
        cmocka_unit_test(test_last_position),
        cmocka_unit_test(test_last_position_edited),
        cmocka_unit_test(test_engines_agree),
        cmocka_unit_test(test_gradient_is_stopped),
        cmocka_unit_test(test_parameters_too),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
