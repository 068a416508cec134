/* tests/probes/steering/test_steer_run.c - a direction that is added, taken out of a pass, and
 * taken out of weights. links: model/planted */
#include "probes/steering/steer_fixture.h"

#include "base/err.h"
#include "model/planted/planted.h"

/* Rounding: numbers of the order of 1 through 2 layers of 16 numbers. */
#define LOGIT_TOLERANCE 1e-5

/* Answers (n, d_vocab) of a network; owned. */
static float *answers_of(const Gpt *gpt, const SteerCases *cases, const SteerChange *change)
{
    const size_t n = cases->n * (size_t)cases->vocab->d_vocab;
    float *answers = mem_alloc(n, sizeof(*answers), "answers");
    SteerScore *scores = mem_alloc(cases->n, sizeof(*scores), "scores");
    assert_int_equal(steer_run(scores, answers, gpt, cases, change, NULL, WORK_ALONE), 0);
    mem_free(scores);
    return answers;
}

/* Ablation of a group's direction in the pass, and in the weights. `spoil`: a tensor that keeps its
 * part along the direction. Returns the largest difference of a logit. */
static double compare_ablations(const Gpt *gpt, int size, size_t spoil, double *moved)
{
    const SteerChange nothing = STEER_NO_CHANGE;
    SteerCases cases = some_cases(size, STEER_MINE, 8);
    SteerFit fit = some_fit(size, STEER_MINE, 80);
    SteerBank bank = some_bank(gpt, &fit, HOOK_RESID_POST);
    const SteerChange change = {.kind = STEER_ABLATE, .bank = &bank, .group = 5, .layer = 1};
    const size_t n = cases.n * (size_t)cases.vocab->d_vocab;
    float *r = mem_alloc(bank.width, sizeof(*r), "a direction");
    Gpt *weights;
    steer_bank_unit(r, &bank, 1, 5);
    assert_int_equal(steer_orthogonalise(&weights, gpt, r), 0);
    if (spoil) {
        memcpy(weights->params + spoil, gpt->params + spoil, bank.width * sizeof(real));
    }
    float *clean = answers_of(gpt, &cases, &nothing);
    float *by_pass = answers_of(gpt, &cases, &change);
    float *by_weights = answers_of(weights, &cases, &nothing);
    float *by_both = answers_of(weights, &cases, &change);
    *moved = largest_gap(clean, by_pass, n);
    const double error = largest_gap(by_pass, by_weights, n);
    if (!spoil) { /* twice is once: in the pass behind the weights, and in the weights */
        Gpt *twice;
        assert_true(largest_gap(by_both, by_weights, n) < LOGIT_TOLERANCE);
        assert_int_equal(steer_orthogonalise(&twice, weights, r), 0);
        for (size_t i = 0; i < twice->n_numbers; i++) {
            assert_true(fabs((double)twice->params[i] - (double)weights->params[i]) < 1e-6);
        }
        gpt_free(twice);
    }
    mem_free(clean);
    mem_free(by_pass);
    mem_free(by_weights);
    mem_free(by_both);
    mem_free(r);
    gpt_free(weights);
    steer_bank_release(&bank);
    steer_fit_release(&fit);
    steer_cases_release(&cases);
    return error;
}

static void test_ablation_is_orthogonal_weights(void **state)
{
    Gpt *gpt = noisy_network(6, 64, 5);
    double moved;
    assert_true(compare_ablations(gpt, 6, 0, &moved) < LOGIT_TOLERANCE);
    assert_true(moved > 0.1); /* or both did nothing */
    /* Each tensor that writes counts: with one left as it was, the two are no longer the same. */
    const TensorMap *map = &gpt->map;
    const size_t block = map->block_stride;
    const size_t spoilt[] = {map->W_E + 5 * 16, map->W_pos, map->W_O + block,
                             map->b_O,          map->W_out, map->b_out + block};
    for (size_t i = 0; i < sizeof(spoilt) / sizeof(spoilt[0]); i++) {
        assert_true(compare_ablations(gpt, 6, spoilt[i], &moved) > 1e-3);
    }
    /* As a file without LayerNorm weights is read: ones and zeros. */
    for (int l = 0; l < 2; l++) {
        for (int c = 0; c < 16; c++) {
            real *params = gpt->params + (size_t)l * block + c;
            params[map->ln1_w] = params[map->ln2_w] = 1;
            params[map->ln1_b] = params[map->ln2_b] = 0;
        }
    }
    assert_true(compare_ablations(gpt, 6, 0, &moved) < LOGIT_TOLERANCE);
    assert_true(moved > 0.1);
    gpt_free(gpt);
}

static void test_project_twice_is_once(void **state)
{
    float r[3] = {0.6F, 0.8F, 0}, x[3] = {1, 2, 3}, once[3];
    steer_project(x, r, 3);
    memcpy(once, x, sizeof(once));
    assert_true(fabs(x[0] + 0.32) < 1e-6 && fabs(x[1] - 0.24) < 1e-6 && x[2] == 3);
    steer_project(x, r, 3);
    assert_true(largest_gap(x, once, 3) < 1e-7);
}

static void test_scale_zero_changes_no_bit(void **state)
{
    Gpt *gpt = noisy_network(6, 64, 5);
    const SteerChange nothing = STEER_NO_CHANGE;
    SteerCases cases = some_cases(6, STEER_OCCUPIED, 8);
    SteerFit fit = some_fit(6, STEER_OCCUPIED, 80);
    const size_t bytes = cases.n * (size_t)cases.vocab->d_vocab * sizeof(float);
    float *clean = answers_of(gpt, &cases, &nothing);
    const HookSite sites[] = {HOOK_RESID_PRE, HOOK_Q, HOOK_Z, HOOK_POST, HOOK_RESID_POST};
    for (size_t i = 0; i < sizeof(sites) / sizeof(sites[0]); i++) {
        SteerBank bank = some_bank(gpt, &fit, sites[i]);
        SteerChange change = {
            .kind = STEER_ADD, .bank = &bank, .group = -1, .layers = 3, .alpha = 0, .all = true};
        float *still = answers_of(gpt, &cases, &change);
        assert_memory_equal(clean, still, bytes);
        change.alpha = 0.5;
        float *moved = answers_of(gpt, &cases, &change);
        assert_memory_not_equal(clean, moved, bytes);
        change.all = false;
        float *last = answers_of(gpt, &cases, &change);
        assert_memory_not_equal(moved, last, bytes);
        mem_free(still);
        mem_free(moved);
        mem_free(last);
        steer_bank_release(&bank);
    }
    mem_free(clean);
    steer_fit_release(&fit);
    steer_cases_release(&cases);
    gpt_free(gpt);
}

/* Tokens ahead of one. */
static int n_ahead(const float *logits, int V, int tok)
{
    int ahead = 0;
    for (int other = 0; other < V; other++) {
        ahead += logits[other] > logits[tok] || (logits[other] == logits[tok] && other < tok);
    }
    return ahead;
}

/* Members of one of the first n, and of a set of n, but not of both. */
static int wrong_moves(const float *logits, int V, uint64_t legal)
{
    const int n = __builtin_popcountll(legal);
    int wrong = 0;
    for (int tok = 0; tok < V; tok++) {
        wrong += (n_ahead(logits, V, tok) < n) != (int)(legal >> tok & 1);
    }
    return wrong;
}

static double kl_by_hand(const float *from, const float *to, int V)
{
    double p_sum = 0, q_sum = 0, kl = 0;
    for (int tok = 0; tok < V; tok++) {
        p_sum += exp(from[tok]);
        q_sum += exp(to[tok]);
    }
    for (int tok = 0; tok < V; tok++) {
        const double p = exp(from[tok]) / p_sum, q = exp(to[tok]) / q_sum;
        kl += p * log(p / q);
    }
    return kl;
}

static double mean_logit(const float *logits, int V, uint64_t tokens)
{
    double sum = 0;
    for (int tok = 0; tok < V; tok++) {
        sum += tokens >> tok & 1 ? (double)logits[tok] : 0;
    }
    return sum / __builtin_popcountll(tokens);
}

/* Mean logit of the newly legal moves minus that of the newly illegal; without any, of those that
 * are legal on both boards. */
static double metric_by_hand(const float *logits, int V, const SteerCase *at)
{
    const uint64_t both = at->before & at->edited;
    const uint64_t gained = at->edited & ~at->before, lost = at->before & ~at->edited;
    if (!at->cares || (!both && (!gained || !lost))) {
        return 0;
    }
    return mean_logit(logits, V, gained ? gained : both) -
           mean_logit(logits, V, lost ? lost : both);
}

/* All six numbers of a score against counts and sums by hand. */
static void test_scores(void **state)
{
    Gpt *gpt = noisy_network(6, 64, 5);
    const SteerChange nothing = STEER_NO_CHANGE;
    SteerCases cases = some_cases(6, STEER_MINE, 30);
    SteerFit fit = some_fit(6, STEER_MINE, 80);
    SteerBank bank = some_bank(gpt, &fit, HOOK_RESID_POST);
    const SteerChange change = {
        .kind = STEER_ADD, .bank = &bank, .group = -1, .layers = 2, .alpha = 3};
    const int V = cases.vocab->d_vocab;
    SteerScore *scores = mem_alloc(cases.n, sizeof(*scores), "scores");
    float *clean = answers_of(gpt, &cases, &nothing), *moved = answers_of(gpt, &cases, &change);
    size_t n_strict = 0, n_apart = 0, n_metric = 0, n_errors = 0;
    assert_int_equal(steer_run(scores, NULL, gpt, &cases, &change, clean, WORK_ALONE), 0);
    for (size_t i = 0; i < cases.n; i++) {
        const float *logits = moved + i * (size_t)V, *before = clean + i * (size_t)V;
        const SteerCase *at = &cases.at[i];
        const SteerScore *score = &scores[i];
        bool strict_edited = false, strict_before = false;
        for (int tok = 0; tok < V; tok++) {
            const bool first = n_ahead(logits, V, tok) == 0;
            strict_edited = strict_edited || (first && !(at->edited >> tok & 1));
            strict_before = strict_before || (first && !(at->before >> tok & 1));
        }
        assert_true(score->edited == wrong_moves(logits, V, at->edited));
        assert_true(score->before == wrong_moves(logits, V, at->before));
        assert_true(score->strict_edited == strict_edited);
        assert_true(score->strict_before == strict_before);
        assert_true(fabs(score->metric - metric_by_hand(logits, V, at)) < 1e-5); /* 24 bits */
        assert_true(fabs(score->kl - kl_by_hand(before, logits, V)) < 1e-9);
        n_strict += strict_before;
        n_apart += strict_before != strict_edited;
        n_errors += score->edited != score->before;
        n_metric += fabs(score->metric) > 0.01;
    }
    /* Both answers occur, and the two boards disagree. */
    assert_true(n_strict > 0 && n_strict < cases.n && n_apart > 0);
    assert_true(n_errors > 0 && n_metric > 0);
    mem_free(scores);
    mem_free(clean);
    mem_free(moved);
    steer_bank_release(&bank);
    steer_fit_release(&fit);
    steer_cases_release(&cases);
    gpt_free(gpt);
}

/* The vector of a wrong group is made as long as that of the case's own: seven times as long it
 * does the same, and where the own one is seven times as long it does another thing. */
static void test_wrong_vector_is_as_long_as_the_own(void **state)
{
    Gpt *gpt = noisy_network(6, 64, 5);
    SteerCases cases = some_cases(6, STEER_MINE, 8);
    SteerFit fit = some_fit(6, STEER_MINE, 80);
    SteerBank bank = some_bank(gpt, &fit, HOOK_RESID_POST);
    const SteerChange change = {
        .kind = STEER_ADD, .bank = &bank, .wrong = true, .group = -1, .layers = 3, .alpha = 0.5};
    const size_t V = (size_t)cases.vocab->d_vocab;
    for (size_t i = 0; i < cases.n; i += 5) {
        const size_t groups[2] = {cases.at[i].wrong, cases.at[i].group};
        SteerCases one;
        assert_int_equal(steer_cases_pick(&one, &cases, &i, 1), 0);
        float *wrong = answers_of(gpt, &one, &change);
        for (int own = 0; own < 2; own++) {
            SteerBank longer;
            assert_int_equal(steer_bank_copy(&longer, &bank), 0);
            for (int layer = 0; layer < 2; layer++) {
                float *v = steer_bank_at(&longer, layer, groups[own]);
                for (size_t c = 0; c < longer.width; c++) {
                    v[c] *= 7;
                }
            }
            SteerChange other = change;
            other.bank = &longer;
            float *changed = answers_of(gpt, &one, &other);
            const double gap = largest_gap(wrong, changed, V);
            assert_true(own ? gap > 100 * LOGIT_TOLERANCE : gap < LOGIT_TOLERANCE);
            mem_free(changed);
            steer_bank_release(&longer);
        }
        mem_free(wrong);
        steer_cases_release(&one);
    }
    steer_bank_release(&bank);
    steer_fit_release(&fit);
    steer_cases_release(&cases);
    gpt_free(gpt);
}

/* ---- a head that is known ---- */

/* logit[k] that a vector of the stream adds, in the planted network (its LayerNorm is affine). */
static double logit_of(const Gpt *gpt, const float *vector, size_t k)
{
    const size_t C = (size_t)gpt->cfg.d_model, V = (size_t)gpt->cfg.d_vocab;
    double mean = 0, sum = 0;
    for (size_t c = 0; c < C; c++) {
        mean += (double)vector[c] / (double)C;
    }
    for (size_t c = 0; c < C; c++) {
        sum += ((double)vector[c] - mean) / PLANTED_UNIT *
               (double)gpt->params[gpt->map.W_U + c * V + k];
    }
    return sum;
}

/* What the head writes for token k, on the mean over positions where the square is empty: minus
 * half the strength for each one in which k was played, times what uniform attention leaves of it.
 */
static double written(const SteerFit *fit, const PlantedTruth *truth, size_t group, size_t k)
{
    const Vocab *vocab = fit->set.vocab;
    double sum = 0, n = 0;
    for (size_t g = 0; g < fit->set.n_games; g++) {
        const uint8_t *moves = fit->set.moves + g * (size_t)vocab->variant->n_moves;
        for (size_t i = fit->set.first[g]; i < fit->set.first[g + 1]; i++) {
            if (fit->labels[i * fit->n_groups + group] == STEER_TO) {
                bool played = false;
                for (int t = 0; t <= fit->set.t[i]; t++) {
                    played = played || vocab->tok_of_sq[moves[t]] == k;
                }
                n++;
                sum -= played ? truth->strength / 2 * (double)truth->n_tokens / (fit->set.t[i] + 1)
                              : 0;
            }
        }
    }
    return sum / n;
}

static void test_function_vector_is_the_planted_write(void **state)
{
    for (int twin = 0; twin < 2; twin++) {
        const PlantedOptions options = {
            .kind = PLANTED_EMPTINESS, .size = 4, .seed = 2, .twin = twin == 1};
        const SteerChange nothing = STEER_NO_CHANGE;
        PlantedTruth truth;
        Gpt *gpt;
        assert_int_equal(planted_make(&gpt, &options), 0);
        assert_int_equal(planted_truth(&truth, &options), 0);
        SteerCases cases = some_cases(4, STEER_OCCUPIED, 60);
        SteerFit fit = some_fit(4, STEER_OCCUPIED, 100);
        SteerBank from, to, bank;
        SteerHead heads[PLANTED_LAYERS * PLANTED_HEADS];
        SteerScore *scores = mem_alloc(cases.n, sizeof(*scores), "scores");
        float *clean = answers_of(gpt, &cases, &nothing);
        assert_int_equal(steer_run(scores, NULL, gpt, &cases, &nothing, NULL, WORK_ALONE), 0);
        assert_int_equal(steer_bank_means(&from, &to, gpt, &fit, HOOK_Z, WORK_ALONE), 0);
        assert_int_equal(steer_heads_rank(heads, gpt, &cases, &to, scores, clean, WORK_ALONE), 0);
        if (twin) {
            assert_true(fabs(heads[0].effect.value) < 1e-4);
        } else {
            assert_int_equal(heads[0].layer, truth.parts[1].layer);
            assert_int_equal(heads[0].head, truth.parts[1].index);
            assert_true(heads[0].effect.low > 0.5);
            assert_true(fabs(heads[1].effect.value) < 1e-4);
        }
        assert_int_equal(steer_heads_bank(&bank, HOOK_RESID_POST, gpt, &to, NULL, heads, 1), 0);
        double largest = 0;
        for (size_t g = 0; g < fit.n_groups; g++) {
            if (!steer_group_steered(STEER_OCCUPIED, fit.set.vocab->variant, g)) {
                continue;
            }
            for (size_t k = 1; k < (size_t)gpt->cfg.d_vocab; k++) {
                const double found = logit_of(gpt, steer_bank_at(&bank, 1, g), k);
                const double wanted = twin ? 0 : written(&fit, &truth, g, k);
                assert_true(fabs(found - wanted) < 1e-3);
                largest = fmax(largest, fabs(found));
            }
        }
        assert_true(twin ? largest < 1e-3 : largest > 1);
        steer_bank_release(&from);
        steer_bank_release(&to);
        steer_bank_release(&bank);
        mem_free(scores);
        mem_free(clean);
        steer_fit_release(&fit);
        steer_cases_release(&cases);
        gpt_free(gpt);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ablation_is_orthogonal_weights),
        cmocka_unit_test(test_project_twice_is_once),
        cmocka_unit_test(test_scale_zero_changes_no_bit),
        cmocka_unit_test(test_scores),
        cmocka_unit_test(test_wrong_vector_is_as_long_as_the_own),
        cmocka_unit_test(test_function_vector_is_the_planted_write),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
