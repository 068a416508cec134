/* probes/latent/latent_score.c - see probes/latent/latent_score.h. */
#include "probes/latent/latent_score.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "num/blas.h"

enum { SCORED_PAIRS = 512 };

/* ---- what every direction says of every pair ---- */

typedef struct LatentSaying {
    const LatentFit *fit;
    const LatentRows *rows;
    uint64_t *says;    /* (n) bit s: the direction of square s says mine */
    float **work_rows; /* of a worker: (SCORED_PAIRS, width), then (SCORED_PAIRS, n_squares) */
} LatentSaying;

static int say_job(void *context, size_t chunk, size_t worker)
{
    const LatentSaying *saying = context;
    size_t width = saying->rows->width, S = saying->fit->n_squares, first = chunk * SCORED_PAIRS;
    size_t left = saying->rows->n - first, n = left < SCORED_PAIRS ? left : SCORED_PAIRS;
    float *x = saying->work_rows[worker], *score = x + SCORED_PAIRS * width;
    for (size_t i = 0; i < n * width; i++) {
        x[i] = saying->rows->first[first * width + i] - saying->rows->second[first * width + i];
    }
    gemm(false, true, n, S, width, 1, x, width, saying->fit->w, width, 0, score, S);
    for (size_t i = 0; i < n; i++) {
        uint64_t says = 0;
        for (size_t s = 0; s < S; s++) {
            says |= (uint64_t)((double)score[i * S + s] + saying->fit->bias[s] > 0) << s;
        }
        saying->says[first + i] = says;
    }
    return 0;
}

static int say_all(uint64_t *says, const LatentFit *fit, const LatentRows *rows, const Work *work)
{
    size_t workers = work_workers(work), size = SCORED_PAIRS * (rows->width + fit->n_squares);
    float *memory = mem_alloc(workers * size, sizeof(*memory), "scores of pairs");
    float **of_worker = mem_alloc(workers, sizeof(*of_worker), "scores of pairs");
    LatentSaying saying = {fit, rows, says, of_worker};
    for (size_t w = 0; w < workers && memory && of_worker; w++) {
        of_worker[w] = memory + w * size;
    }
    int rc = memory && of_worker ? pool_run(work->pool, (rows->n + SCORED_PAIRS - 1) / SCORED_PAIRS,
                                            say_job, &saying)
                                 : OGPT_ENOMEM;
    mem_free(memory);
    mem_free(of_worker);
    return rc;
}

/* ---- counts ---- */

typedef struct LatentCounts {
    size_t S;
    double *right;  /* (S, S): direction, square that was read */
    double *parity; /* (S) by the pairs that keep the direction's own square */
    double *pairs;  /* (S) of a square */
} LatentCounts;

static int counts_make(LatentCounts *out, size_t S)
{
    *out = (LatentCounts){.S = S};
    out->right = mem_calloc(S * S + 2 * S, sizeof(double), "what directions read");
    if (!out->right) {
        return OGPT_ENOMEM;
    }
    out->parity = out->right + S * S;
    out->pairs = out->parity + S;
    return 0;
}

static void count(LatentCounts *out, const uint64_t *says, const LatentPairs *pairs)
{
    size_t S = out->S;
    for (size_t i = 0; i < pairs->n; i++) {
        for (size_t square = 0; square < S; square++) {
            if (!latent_keeps(pairs, i, square)) {
                continue;
            }
            bool mine = latent_mine(pairs, i, square);
            out->pairs[square] += 1;
            for (size_t s = 0; s < S; s++) {
                out->right[s * S + square] += (says[i] >> s & 1) == mine;
            }
            out->parity[square] += (says[i] >> square & 1) == latent_even(pairs, i);
        }
    }
}

/* ---- scores ---- */

typedef struct LatentScoring {
    LatentScore *out;
    LatentCounts valid, test;
    const LatentPairs *pairs;   /* of the test split */
    uint64_t *says[2];          /* of the validation and the test pairs */
    bool *turn, *turn_parity;   /* (S): the sign that validation pairs say is the other one */
    double *sums[3], *pairs_of; /* (n_games) right: own square, parity, best square; how many */
    double *own, *own_pairs;    /* (n_games) of one square */
} LatentScoring;

/* Whether the other sign is right more often. */
static bool turned(double right, double pairs)
{
    return 2 * right < pairs;
}

/* Whether validation pairs say so of the direction of square s, where it reads `square`. */
static bool turned_at(const LatentScoring *scoring, size_t s, size_t square)
{
    return turned(scoring->valid.right[s * scoring->valid.S + square],
                  scoring->valid.pairs[square]);
}

/* Share of the test pairs of `square` that the direction of square s reads right. */
static double read_share(const LatentScoring *scoring, size_t s, size_t square)
{
    size_t S = scoring->test.S;
    double n = scoring->test.pairs[square], right = scoring->test.right[s * S + square];
    return n > 0 ? (turned_at(scoring, s, square) ? n - right : right) / n : NAN;
}

static bool is_judged(const LatentScoring *scoring, size_t square)
{
    return scoring->valid.pairs[square] >= LATENT_LEAST_PAIRS &&
           scoring->test.pairs[square] >= LATENT_LEAST_PAIRS;
}

/* Share of the validation pairs of `square`, with the better sign. */
static double valid_share(const LatentCounts *valid, size_t s, size_t square)
{
    double n = valid->pairs[square], right = valid->right[s * valid->S + square];
    return n > 0 ? fmax(right, n - right) / n : 0;
}

static void signs_and_best(LatentScoring *scoring, size_t s)
{
    const LatentCounts *valid = &scoring->valid;
    LatentSquare *square = &scoring->out->squares[s];
    double most = valid_share(valid, s, s);
    scoring->turn[s] = turned_at(scoring, s, s);
    scoring->turn_parity[s] = turned(valid->parity[s], valid->pairs[s]);
    square->judged = is_judged(scoring, s);
    square->best = s;
    for (size_t other = 0; other < valid->S; other++) {
        double share = is_judged(scoring, other) ? valid_share(valid, s, other) : 0;
        if (share > most) {
            most = share;
            square->best = other;
        }
    }
    square->best_accuracy = read_share(scoring, s, square->best);
}

/* The sums of one square's pairs, game by game. */
static void add_games(LatentScoring *scoring, size_t s)
{
    const LatentPairs *pairs = scoring->pairs;
    size_t best = scoring->out->squares[s].best;
    bool turn_best = turned_at(scoring, s, best);
    memset(scoring->own, 0, pairs->n_games * sizeof(double));
    memset(scoring->own_pairs, 0, pairs->n_games * sizeof(double));
    for (size_t i = 0; i < pairs->n; i++) {
        bool says = (scoring->says[1][i] >> s & 1) != 0;
        size_t game = pairs->game[i];
        if (latent_keeps(pairs, i, s)) {
            double right = (says != scoring->turn[s]) == latent_mine(pairs, i, s);
            scoring->own[game] += right;
            scoring->own_pairs[game] += 1;
            scoring->sums[0][game] += right;
            scoring->sums[1][game] += (says != scoring->turn_parity[s]) == latent_even(pairs, i);
            scoring->pairs_of[game] += 1;
        }
        if (latent_keeps(pairs, i, best)) {
            scoring->sums[2][game] += (says != turn_best) == latent_mine(pairs, i, best);
            scoring->sums[2][pairs->n_games + game] += 1;
        }
    }
}

static void score_squares(LatentScoring *scoring, const LatentFit *fit, uint64_t seed)
{
    LatentScore *out = scoring->out;
    size_t games = scoring->pairs->n_games;
    for (size_t s = 0; s < fit->n_squares; s++) {
        LatentSquare *square = &out->squares[s];
        double n = scoring->test.pairs[s], parity = scoring->test.parity[s];
        signs_and_best(scoring, s);
        add_games(scoring, s);
        square->loss = fit->loss[s];
        square->accuracy = bootstrap_ratio(scoring->own, scoring->own_pairs, games, seed);
        square->parity = n > 0 ? (scoring->turn_parity[s] ? n - parity : parity) / n : NAN;
        out->judged += square->judged;
        out->found += square->judged && square->accuracy.value >= LATENT_FOUND;
        out->parity_found += square->judged && square->parity >= LATENT_FOUND;
        out->own += square->judged && square->best == s;
    }
    out->unconverged = latent_unconverged(fit);
    out->accuracy = bootstrap_ratio(scoring->sums[0], scoring->pairs_of, games, seed);
    out->parity = bootstrap_ratio(scoring->sums[1], scoring->pairs_of, games, seed);
    out->best = bootstrap_ratio(scoring->sums[2], scoring->sums[2] + games, games, seed);
}

int latent_score(LatentScore *out, const LatentFit *fit, const LatentSplit *valid,
                 const LatentSplit *test, const Work *work)
{
    size_t S = fit->n_squares, games = test->pairs->n_games;
    LatentScoring scoring = {.out = out, .pairs = test->pairs};
    *out = (LatentScore){0};
    double *sums = mem_calloc(7 * games, sizeof(*sums), "what games give");
    uint64_t *says =
        mem_alloc(valid->pairs->n + test->pairs->n, sizeof(*says), "what directions say");
    bool *turn = mem_calloc(2 * S, sizeof(*turn), "signs of directions");
    out->squares = mem_calloc(S, sizeof(*out->squares), "scores of squares");
    int rc = counts_make(&scoring.valid, S);
    rc = rc ? rc : counts_make(&scoring.test, S);
    rc = rc || (sums && says && turn && out->squares) ? rc : OGPT_ENOMEM;
    if (rc == 0) {
        scoring.says[0] = says;
        scoring.says[1] = says + valid->pairs->n;
        scoring.turn = turn;
        scoring.turn_parity = turn + S;
        scoring.sums[0] = sums;
        scoring.sums[1] = sums + games;
        scoring.sums[2] = sums + 2 * games; /* and its pairs behind it */
        scoring.pairs_of = sums + 4 * games;
        scoring.own = sums + 5 * games;
        scoring.own_pairs = sums + 6 * games;
        rc = say_all(scoring.says[0], fit, valid->rows, work);
        rc = rc ? rc : say_all(scoring.says[1], fit, test->rows, work);
    }
    if (rc == 0) {
        count(&scoring.valid, scoring.says[0], valid->pairs);
        count(&scoring.test, scoring.says[1], test->pairs);
        score_squares(&scoring, fit, work->seed);
    }
    mem_free(scoring.valid.right);
    mem_free(scoring.test.right);
    mem_free(sums);
    mem_free(says);
    mem_free(turn);
    if (rc != 0) {
        latent_score_release(out);
    }
    return rc;
}

void latent_score_release(LatentScore *score)
{
    mem_free(score->squares);
    *score = (LatentScore){0};
}

size_t latent_score_bytes(size_t valid, size_t test, size_t games, size_t width, size_t n_squares,
                          const Work *work)
{
    return (valid + test) * sizeof(uint64_t) + 7 * games * sizeof(double) +
           2 * (n_squares + 2) * n_squares * sizeof(double) +
           work_workers(work) * SCORED_PAIRS * (width + n_squares) * sizeof(float);
}

/* ---- majority ---- */

int latent_majority(Interval *out, const LatentPairs *train, const LatentPairs *test,
                    const Work *work)
{
    size_t S = train->n_squares, cells = GAME_MAX_MOVES * S;
    int32_t *balance = mem_calloc(cells, sizeof(*balance), "labels of plies");
    double *right = mem_calloc(2 * test->n_games, sizeof(*right), "what games give");
    int rc = balance && right ? 0 : OGPT_ENOMEM;
    for (size_t i = 0; i < train->n && rc == 0; i++) {
        for (size_t s = 0; s < S; s++) {
            if (latent_keeps(train, i, s)) {
                balance[train->ply[i] * S + s] += latent_mine(train, i, s) ? 1 : -1;
            }
        }
    }
    for (size_t i = 0; i < test->n && rc == 0; i++) {
        for (size_t s = 0; s < S; s++) {
            if (latent_keeps(test, i, s)) {
                bool mine = balance[test->ply[i] * S + s] > 0;
                right[test->game[i]] += mine == latent_mine(test, i, s);
                right[test->n_games + test->game[i]] += 1;
            }
        }
    }
    if (rc == 0) {
        *out = bootstrap_ratio(right, right + test->n_games, test->n_games, work->seed);
    }
    mem_free(balance);
    mem_free(right);
    return rc;
}
