/* tests/probes/sae/training/test_ranks_sae.c - the first rank has no memory for the state of
 * another one: all learn it, and nobody waits. The suite runs this as one rank that takes itself
 * for the first of two; tests/ranks/ranks_sae.sh starts it as two. */
#include "tests/base/base_test.h"

#include "base/arena.h"
#include "base/ranks/ranks.h"
#include "num/blas.h"
#include "probes/sae/training/sae_train.h"

enum { WIDTH = 16, HIDDEN_ONES = 24, FEATURES = 256, BATCH = 100, STEPS = 4 };

/* Behind the first autoencoder the next allocation fails. */
static int fail_behind(void *context, size_t job, Sae *sae)
{
    *(size_t *)context += 1;
    mem_fail_at(1, 0);
    sae_free(sae);
    return 0;
}

static void all_learn_that_the_first_has_no_memory(void **state)
{
    static float columns[HIDDEN_ONES * WIDTH];
    SaePlantedRows planted = {WIDTH, HIDDEN_ONES, 2, 2 * BATCH, 3, columns};
    SaeTrainOptions options = {.kind = SAE_TOPK,
                               .features = FEATURES,
                               .k = 3,
                               .activations = STEPS * BATCH,
                               .batch = BATCH,
                               .seed = 1};
    const bool alone = ranks_count() == 1;
    const SaeStream stream = sae_stream_planted(&planted);
    SaeTrainJob jobs[2];
    size_t taken = 0;
    for (size_t i = 0; i < HIDDEN_ONES * WIDTH; i++) {
        Rng rng = rng_at(7, RNG_TEST, i);
        columns[i] = (float)(0.25 * rng_normal(&rng));
    }
    sae_train_complete(&options);
    for (size_t i = 0; i < 2; i++) {
        jobs[i] = (SaeTrainJob){.stream = &stream, .options = &options};
    }
    const SaeTrainSet set = {jobs, 2, &taken, fail_behind};
    if (alone) {
        ranks_pretend(0, 2);
    }
    const int rc = sae_train_set(&set, WORK_ALONE);
    mem_fail_at(0, 0);
    assert_refused(rc, OGPT_ENOMEM, "the state of another rank's autoencoder");
    assert_int_equal(taken, ranks_first() ? 1 : 0);
    if (alone) {
        ranks_pretend(0, 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(all_learn_that_the_first_has_no_memory)};
    int rc = ranks_begin();
    rc = rc ? rc : blas_init();
    if (rc) {
        fprintf(stderr, "%s\n", err_message());
        return 1;
    }
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    return ranks_leave(failed, failed ? 1 : 0);
}
