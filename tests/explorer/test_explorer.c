/* tests/explorer/test_explorer.c - a page as it is written: its parts, its policy, its numbers,
 * names that try to get out of their place, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/base64.h"
#include "base/err.h"
#include "base/files.h"
#include "base/formats/safetensors.h"
#include "base/rng.h"
#include "explorer/internal.h"
#include "num/blas.h"
#include "tests/there.h"

static char folder[] = "/tmp/ogpt-explorer-XXXXXX";
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
    if (blas_init() != 0 || !mkdtemp(folder) || gpt_new(&subject.model.gpt, &cfg) != 0) {
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
                                        "\xe2\x80\xae"
                                        "abc",
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_page_has_its_parts),
        cmocka_unit_test(test_names_stay_names),
        cmocka_unit_test(test_rounding_is_that_of_the_file),
        cmocka_unit_test(test_what_cannot_be_shown_is_refused),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
