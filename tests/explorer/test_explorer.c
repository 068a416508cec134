/* tests/explorer/test_explorer.c - a page as it is written: its parts, its policy, its numbers,
 * features, names that try to get out of their place, and what is refused. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/formats/base64.h"
#include "base/err.h"
#include "base/files.h"
#include "base/formats/safetensors.h"
#include "base/rng.h"
#include "explorer/internal.h"
#include "num/blas.h"
#include "tests/folder.h"
#include "tests/there.h"

static char folder[FOLDER_MAX];
static Subject subject;
static Probe probe;

static int open_all(void **state)
{
    const Vocab *vocab = vocab_of(game_variant(4));
    GptConfig cfg = {.n_layers = 2,
                     .d_model = 8,
                     .n_heads = 2,
                     .d_head = 4,
                     .d_mlp = 32,
                     .n_ctx = vocab->n_ctx,
                     .d_vocab = vocab->d_vocab,
                     .eps = 1e-5f};
    subject = (Subject){.vocab = vocab, .variant = vocab->variant, .size = 4};
    if (blas_init() != 0 || folder_make(folder) != 0 || gpt_new(&subject.model.gpt, &cfg) != 0) {
        return -1;
    }
    memset(subject.model.model_hash, 'a', HASH_HEX_SIZE - 1);
    Rng rng = rng_at(5, RNG_TEST, 0);
    for (size_t t = 0; t < subject.model.gpt->n_specs;
         t++) { /* what lies between tensors stays 0 */
        const TensorSpec *spec = &subject.model.gpt->specs[t];
        for (size_t i = 0; i < spec->count; i++) {
            subject.model.gpt->params[spec->offset + i] = (real)(0.3 * rng_normal(&rng));
        }
    }
    probe = (Probe){.task = "mine",
                    .classes = {"empty", "theirs", "mine"},
                    .labels = "mover",
                    .solver = "newton",
                    .site = HOOK_RESID_POST,
                    .size = 4,
                    .n_squares = 16,
                    .d_model = 8,
                    .n_classes = 3,
                    .n_layers = 2,
                    .layers = {LAYER_EMBED, 1},
                    .fitted = {true, true}};
    if (probe_allocate(&probe) != 0) {
        return -1;
    }
    probe.weight[1][3] = 0.1f;
    return 0;
}

static int close_all(void **state)
{
    probe_release(&probe);
    gpt_free(subject.model.gpt);
    return dir_remove(folder);
}

static ExplorerPage page_named(const char *name)
{
    return (ExplorerPage){.subject = &subject, .probe = &probe, .version = "0", .model_name = name};
}

static char *path_of(const char *name)
{
    static char path[FILES_PATH_MAX];
    assert_int_equal(path_join(path, folder, name), 0);
    return path;
}

static char *written(ExplorerWritten *out, const ExplorerPage *page)
{
    void *text = NULL;
    size_t n = 0;
    assert_int_equal(explorer_write(out, page, path_of("page.html"), true), 0);
    assert_int_equal(file_read_all(&text, &n, path_of("page.html"), 1 << 22), 0);
    assert_int_equal(n, out->page_bytes);
    assert_int_equal(strlen(text), n);
    return text;
}

static size_t count_of(const char *text, const char *word)
{
    size_t n = 0;
    for (const char *at = text; (at = strstr(at, word)); at++) {
        n++;
    }
    return n;
}

static void test_page_has_its_parts(void **state)
{
    ExplorerWritten out;
    ExplorerPage page = page_named("four");
    char *text = written(&out, &page), *numbers = strstr(text, "id=\"numbers\">\n");
    assert_int_equal(out.n_parameters, subject.model.gpt->n_numbers);
    assert_int_equal(out.n_numbers, out.n_parameters + 2 * (8 + 1) * 48);
    assert_int_equal(count_of(text, "{{"), 0);
    assert_int_equal(count_of(text, "'sha256-"), 3);
    assert_non_null(strstr(text, "default-src 'none'"));
    assert_int_equal(count_of(text, "http://") - count_of(text, "'http://www.w3.org/2000/svg'"), 0);
    assert_int_equal(count_of(text, "https://"), 0);
    assert_true(out.code_bytes < 150000);
    assert_true(out.code_bytes > 20000);
    assert_non_null(numbers);
    size_t length = strcspn(numbers + 14, "<"), lines = (out.n_numbers + 1535) / 1536;
    assert_int_equal(length - lines, BASE64_LENGTH(2 * out.n_numbers));
    assert_true(out.weight_change > 0 && out.weight_change < 1e-3);
    assert_true(out.logit_change > 0 && out.logit_change < 0.1);
    mem_free(text);
}

/* Whatever a name is, the page has the same elements, and the name is there as data. */
static void test_names_stay_names(void **state)
{
    static const char *const names[] = {"</script><script>alert(1)</script>",
                                        "\"'`<!--",
                                        "a\xe2\x80\xa8z",
                                        ("\xe2\x80\xae"
                                         "abc"),
                                        "{{numbers}}",
                                        "&lt;b&gt;"};
    ExplorerWritten out;
    ExplorerPage plain = page_named("four");
    char *text = written(&out, &plain);
    size_t scripts = count_of(text, "<script"), tags = count_of(text, "<");
    mem_free(text);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        ExplorerPage page = page_named(names[i]);
        page.probe_name = names[i];
        text = written(&out, &page);
        assert_int_equal(count_of(text, "<script"), scripts);
        assert_int_equal(count_of(text, "<"), tags);
        assert_int_equal(count_of(text, "alert(1)"), i == 0 ? 2 : 0);
        mem_free(text);
    }
}

static void test_rounding_is_that_of_the_file(void **state)
{
    Gpt *rounded = NULL;
    double change = 0;
    size_t differ = 0;
    const Gpt *gpt = subject.model.gpt;
    assert_int_equal(explorer_round_network(&rounded, &change, gpt), 0);
    for (size_t i = 0; i < gpt->n_numbers; i++) {
        float expected = float16_widen(float16_narrow(gpt->params[i]));
        assert_memory_equal(&rounded->params[i], &expected, sizeof(expected));
        differ += rounded->params[i] != gpt->params[i];
    }
    assert_true(differ > gpt->n_numbers / 4); /* the twin: most numbers do change */
    gpt_free(rounded);

    real *first = &subject.model.gpt->params[gpt->specs[2].offset], kept = *first;
    *first = 70000.0f;
    assert_int_equal(explorer_round_network(&rounded, &change, gpt), OGPT_EFORMAT);
    assert_non_null(strstr(err_message(), gpt->specs[2].name));
    assert_null(rounded);
    ExplorerWritten out;
    ExplorerPage page = page_named("four");
    assert_int_equal(explorer_write(&out, &page, path_of("none.html"), false), OGPT_EFORMAT);
    assert_false(file_exists(path_of("none.html")));
    *first = kept;
}

static void test_what_cannot_be_shown_is_refused(void **state)
{
    ExplorerPage page = page_named("four");
    assert_int_equal(explorer_check(&page, "probe"), 0);
    const GameVariant *classic = subject.variant;
    subject.variant = game_variant_with(subject.size, RULES_NO_MID_FLIP);
    assert_int_equal(explorer_check(&page, "probe"), OGPT_EUSAGE);
    assert_non_null(strstr(err_message(), "plays by the rules no-mid-flip"));
    subject.variant = classic;
    snprintf(probe.task, sizeof(probe.task), "empty");
    assert_int_equal(explorer_check(&page, "probe"), OGPT_EUSAGE);
    assert_non_null(strstr(err_message(), "found task empty"));
    snprintf(probe.task, sizeof(probe.task), "mine");
    probe.site = HOOK_POST;
    assert_int_equal(explorer_check(&page, "probe"), OGPT_EUSAGE);
    assert_non_null(strstr(err_message(), "found site mlp_post"));
    probe.site = HOOK_RESID_POST;
    probe.n_hidden = 4;
    assert_int_equal(explorer_check(&page, "probe"), OGPT_EUSAGE);
    probe.n_hidden = 0;
    probe.fitted[1] = false;
    assert_int_equal(explorer_check(&page, "probe"), OGPT_EUSAGE);
    probe.fitted[1] = true;
    size_t kept = subject.model.gpt->n_numbers;
    subject.model.gpt->n_numbers = EXPLORER_MAX_NUMBERS;
    assert_int_equal(explorer_check(&page, "probe"), OGPT_EUSAGE);
    subject.model.gpt->n_numbers = kept;

    ExplorerWritten out;
    assert_int_equal(explorer_write(&out, &page, path_of("twice.html"), false), 0);
    assert_int_equal(explorer_write(&out, &page, path_of("twice.html"), false), OGPT_EUSAGE);
    assert_int_equal(explorer_write(&out, &page, path_of("twice.html"), true), 0);
    assert_int_equal(explorer_write(&out, &page, path_of("no/where.html"), false), OGPT_EIO);
}

/* ---- features ---- */

enum { FEATURES = 5 };

static Sae *sae_made(SaeKind kind)
{
    const SaeConfig cfg = {.kind = kind,
                           .d_in = 8,
                           .d_out = 8,
                           .features = FEATURES,
                           .k = sae_has_k(kind) ? 2 : 0,
                           .site = HOOK_RESID_POST,
                           .site_out = HOOK_RESID_POST,
                           .layer = 1};
    Rng rng = rng_at(6, RNG_TEST, 0);
    Sae *sae = NULL;
    assert_int_equal(sae_new(&sae, &cfg), 0);
    memset(sae->cfg.model_hash, 'a', HASH_HEX_SIZE - 1);
    for (size_t i = 0; i < FEATURES * 8; i++) {
        sae->w_enc[i] = (float)rng_normal(&rng);
        sae->w_dec[i] = (float)rng_normal(&rng);
    }
    for (size_t j = 0; j < FEATURES && sae->theta; j++) {
        sae->theta[j] = 0.1f;
    }
    sae_prepare(sae);
    return sae;
}

/* Feature 0 says that square number 6, c2, is mine; 1 is dead; 2 says nothing. */
static void rows_made(FeaturesRow rows[FEATURES])
{
    const FeaturesProperty own = {.pair = 2 * COVERAGE_SQUARES + 6,
                                  .precision = 0.5,
                                  .recall = 0.25,
                                  .f1 = {0.33333, 0.2, 0.45}};
    const FeaturesProperty shuffled = {.pair = 3, .f1 = {0.125, 0.1, 0.15}};
    const FeaturesProperty none = {.pair = -1, .precision = NAN, .recall = NAN};
    for (size_t j = 0; j < FEATURES; j++) {
        rows[j] = (FeaturesRow){.alive = j != 1,
                                .density = 0.1,
                                .mean_on = j == 3 ? NAN : 1.5,
                                .largest = 2,
                                .own = j == 2 ? none : own,
                                .shuffled = shuffled};
    }
}

static void test_features_are_in_the_page(void **state)
{
    FeaturesRow rows[FEATURES];
    const FeaturesTable table = {.n = FEATURES, .rows = rows};
    ExplorerWritten plain, out;
    ExplorerPage page = page_named("four");
    Sae *sae = sae_made(SAE_BATCHTOPK);
    rows_made(rows);
    char *text = written(&plain, &page);
    assert_non_null(strstr(text, "\"sae\":null"));
    const size_t scripts = count_of(text, "</script>");
    assert_true(isnan(plain.feature_change) && isnan(plain.features_turned));
    mem_free(text);
    page.sae = sae;
    page.features = &table;
    page.sae_name = "</script>";
    page.n_fit_games = 7;
    page.n_test_games = 3;
    assert_int_equal(explorer_check_sae(&page, "sae"), 0);
    text = written(&out, &page);
    /* Encoder and decoder, bias and threshold of each feature, bias of the decoder. */
    const uint64_t first = plain.n_numbers;
    assert_int_equal(out.n_numbers, first + 2 * FEATURES * 8 + 2 * FEATURES + 8);
    char begin[160];
    snprintf(begin, sizeof(begin),
             "\"begin\":{\"w_enc\":%d,\"b_enc\":%d,\"w_dec\":%d,\"b_dec\":%d,\"theta\":%d}",
             (int)first, (int)first + 40, (int)first + 45, (int)first + 85, (int)first + 93);
    assert_non_null(strstr(text, begin));
    assert_non_null(
        strstr(text, "\"kind\":\"batchtopk\",\"site\":\"resid_post\",\"layer\":1,\"features\":5"));
    assert_non_null(strstr(text, "\"fit_games\":7,\"test_games\":3"));
    /* c2 is square 10 of 64; its class is 2. */
    assert_non_null(strstr(text,
                           "\"rows\":[[10,2,1000,5000,2500,3333,2000,4500,1250,1000,1500,1.5,2.0],"
                           "null,[-1,-1,1000,null,null,0,0,0,1250,1000,1500,1.5,2.0],"
                           "[10,2,1000,5000,2500,3333,2000,4500,1250,1000,1500,null,2.0],"));
    assert_int_equal(count_of(text, "</script>"), scripts);
    assert_true(out.feature_change > 0 && out.feature_change < 0.1);
    assert_true(out.features_turned >= 0 && out.features_turned < 0.02);
    mem_free(text);

    sae->w_dec[3] = 70000.0f;
    assert_int_equal(explorer_write(&out, &page, path_of("none.html"), false), OGPT_EFORMAT);
    assert_non_null(strstr(err_message(), "the autoencoder, number 3 is 70000"));
    sae_free(sae);
}

static void test_numbers_of_each_kind(void **state)
{
    static const size_t more[N_SAE_KINDS] = {[SAE_GATED] = 2 * FEATURES,
                                             [SAE_BATCHTOPK] = FEATURES,
                                             [SAE_JUMPRELU] = FEATURES,
                                             [SAE_MATRYOSHKA] = FEATURES};
    ExplorerPage page = page_named("four");
    const uint64_t plain = explorer__n_numbers(&page);
    for (SaeKind kind = SAE_STANDARD; kind < SAE_TRANSCODER; kind++) {
        Sae *sae = sae_made(kind);
        page.sae = sae;
        assert_int_equal(explorer_check_sae(&page, "sae"), 0);
        assert_int_equal(explorer__n_numbers(&page) - plain,
                         2 * FEATURES * 8 + FEATURES + 8 + more[kind]);
        sae_free(sae);
    }
}

static void test_other_autoencoders_are_refused(void **state)
{
    ExplorerPage page = page_named("four");
    Sae *sae = sae_made(SAE_TRANSCODER);
    page.sae = sae;
    assert_int_equal(explorer_check_sae(&page, "coder"), OGPT_EUSAGE);
    assert_non_null(strstr(err_message(), "coder: a transcoder"));
    sae_free(sae);
    page.sae = sae = sae_made(SAE_GATED);
    sae->cfg.site = sae->cfg.site_out = HOOK_ATTN_OUT;
    assert_int_equal(explorer_check_sae(&page, "sae"), OGPT_EUSAGE);
    assert_non_null(strstr(err_message(), "found site attn_out"));
    sae->cfg.site = sae->cfg.site_out = HOOK_RESID_MID;
    assert_int_equal(explorer_check_sae(&page, "sae"), 0);
    sae->cfg.layer = 2;
    assert_int_equal(explorer_check_sae(&page, "sae"), OGPT_EFORMAT);
    sae->cfg.layer = 0;
    sae->cfg.model_hash[0] = 'b';
    assert_int_equal(explorer_check_sae(&page, "sae"), OGPT_EFORMAT);
    sae->cfg.model_hash[0] = 'a';
    size_t kept = subject.model.gpt->n_numbers;
    subject.model.gpt->n_numbers = EXPLORER_MAX_NUMBERS - 100;
    assert_int_equal(explorer_check_sae(&page, "sae"), OGPT_EUSAGE);
    subject.model.gpt->n_numbers = kept;
    assert_int_equal(explorer_check_sae(&page, "sae"), 0);
    sae_free(sae);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_page_has_its_parts),
        cmocka_unit_test(test_names_stay_names),
        cmocka_unit_test(test_rounding_is_that_of_the_file),
        cmocka_unit_test(test_what_cannot_be_shown_is_refused),
        cmocka_unit_test(test_features_are_in_the_page),
        cmocka_unit_test(test_numbers_of_each_kind),
        cmocka_unit_test(test_other_autoencoders_are_refused),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
