/* tests/model/train/test_train_ranks.c - the fixed tree of sums: lanes of many ranks, which here
 * share one memory, give the bits of one rank; the update is dealt without a gap. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/ranks/ranks.h"
#include "model/train/trainer.h"

#define RANKS_TRIED 9

static const TrainObserver nobody = {0};

typedef struct Fixture {
    TrainOptions options;
    GameSource *source;
    Trainer trainer;
} Fixture;

static void fixture_make(Fixture *out, int64_t lanes, const char *optimizer)
{
    const GameVariant *variant = game_variant(4);
    const Vocab *vocab = vocab_of(variant);
    const GptConfig cfg = {.n_layers = 3,
                           .d_model = 32,
                           .n_heads = 2,
                           .d_head = 16,
                           .d_mlp = 128,
                           .n_ctx = vocab->n_ctx,
                           .d_vocab = vocab->d_vocab,
                           .eps = 1e-5f,
                           .seed = 1};
    out->options = TRAIN_OPTIONS_DEFAULT;
    out->options.optimizer = optimizer;
    out->options.lanes = lanes;
    out->options.batch = lanes;
    assert_int_equal(source_fresh(&out->source, variant, 1, RNG_FRESH), 0);
    assert_int_equal(trainer_init(&out->trainer, &cfg, &out->options, out->source, NULL, &nobody),
                     0);
}

static void fixture_free(Fixture *fixture)
{
    trainer_release(&fixture->trainer);
    source_free(fixture->source);
}

/* Numbers whose sum depends on the order in which they are added. */
static void fill_lanes(Trainer *t)
{
    size_t n = (size_t)t->options->lanes * t->gpt->n_numbers;
    for (size_t i = 0; i < n; i++) {
        t->lane_gradients[i] = sinf((float)i) * powf(10, (float)(i % 7) - 3);
    }
}

/* All ranks in turn: what each sends lies where the others look for it. */
static void sum_as(Trainer *t, int count)
{
    for (int rank = 0; rank < count; rank++) {
        ranks_pretend(rank, count);
        assert_int_equal(trainer_sum_own(t), 0);
    }
    for (int rank = 0; rank < count; rank++) {
        ranks_pretend(rank, count);
        assert_int_equal(trainer_sum_crossing(t), 0);
    }
    ranks_pretend(0, 1);
}

static void test_any_ranks_give_the_same_sum(void **state)
{
    (void)state;
    for (int64_t lanes = 1; lanes < RANKS_TRIED; lanes++) {
        Fixture f;
        fixture_make(&f, lanes, "muon");
        Trainer *t = &f.trainer;
        const size_t n = t->gpt->n_numbers;
        float *one = mem_alloc(n, sizeof(*one), "a sum");
        double *norms = mem_alloc(t->n_chunks, sizeof(*norms), "norms");
        assert_true(one && norms && t->n_chunks > 1);
        fill_lanes(t);
        assert_int_equal(trainer_sum_lanes(t), 0);
        memcpy(one, t->lane_gradients, n * sizeof(*one));
        memcpy(norms, t->chunk_norm, t->n_chunks * sizeof(*norms));
        for (int count = 2; count <= lanes; count++) {
            fill_lanes(t);
            memset(t->chunk_norm, 0, t->n_chunks * sizeof(*norms));
            sum_as(t, count);
            assert_memory_equal(t->lane_gradients, one, n * sizeof(*one));
            assert_memory_equal(t->chunk_norm, norms, t->n_chunks * sizeof(*norms));
        }
        if (lanes > 2) { /* and another order gives other bits */
            fill_lanes(t);
            for (int64_t lane = 1; lane < lanes; lane++) {
                for (size_t i = 0; i < n; i++) {
                    t->lane_gradients[i] += t->lane_gradients[(size_t)lane * n + i];
                }
            }
            assert_true(lanes == 3 || memcmp(t->lane_gradients, one, n * sizeof(*one)) != 0);
        }
        mem_free(one);
        mem_free(norms);
        fixture_free(&f);
    }
}

/* Every job of the update is done by one rank, the ranks in the order of the parameter vector. */
static void test_updates_are_dealt(void **state)
{
    static const char *const optimizers[] = {"muon", "adamw"};
    (void)state;
    for (size_t o = 0; o < 2; o++) {
        for (int count = 1; count < RANKS_TRIED; count++) {
            Fixture f;
            size_t busy = 0;
            int done[512] = {0};
            ranks_pretend(0, count); /* before trainer_init, which makes room for the cuts */
            fixture_make(&f, 8, optimizers[o]);
            Trainer *t = &f.trainer;
            assert_true(t->n_jobs > 0 && t->n_jobs < 512);
            assert_int_equal(t->cuts[0], 0);
            assert_int_equal(t->cuts[count], t->gpt->n_numbers * sizeof(float));
            for (int rank = 0; rank < count; rank++) {
                ranks_pretend(rank, count);
                assert_true(t->cuts[rank] <= t->cuts[rank + 1]);
                size_t here = 0;
                for (size_t i = 0; i < t->n_jobs; i++) {
                    here += trainer_updates_here(t, &t->jobs[i]);
                    done[i] += trainer_updates_here(t, &t->jobs[i]);
                }
                busy += here > 0;
            }
            for (size_t i = 0; i < t->n_jobs; i++) {
                assert_int_equal(done[i], 1);
            }
            assert_true(count == 1 || busy >= 2);
            fixture_free(&f);
        }
    }
    ranks_pretend(0, 1);
}

static void test_more_ranks_than_lanes(void **state)
{
    (void)state;
    TrainOptions options = TRAIN_OPTIONS_DEFAULT;
    options.lanes = 4;
    ranks_pretend(1, 4);
    assert_int_equal(train_check_ranks(&options), 0);
    ranks_pretend(1, 5);
    assert_int_equal(train_check_ranks(&options), OGPT_EUSAGE);
    assert_non_null(strstr(err_message(), "5 ranks for 4 lanes"));
    ranks_pretend(0, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_any_ranks_give_the_same_sum),
        cmocka_unit_test(test_updates_are_dealt),
        cmocka_unit_test(test_more_ranks_than_lanes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
