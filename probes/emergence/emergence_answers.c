/* probes/emergence/emergence_answers.c - what a checkpoint does with its board: the lens at the
 * middle, edits along the probe's directions, one answer after two histories of one board, heads
 * that look at one side's moves. Contract in probes/emergence/emergence_parts.h.
 */
#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "probes/edits/edit_measure.h"
#include "probes/edits/edit_network.h"
#include "probes/emergence/emergence_parts.h"
#include "probes/lens/lens_ref.h"
#include "probes/world/transposition.h"

/* ---- positions ---- */

typedef struct LegalVisit {
    uint64_t *legal; /* (n_positions) tokens */
    const Vocab *vocab;
} LegalVisit;

static void visit_legal(void *context, const TaskPosition *position, size_t index)
{
    const LegalVisit *visit = context;
    visit->legal[index] =
        answer_tokens(visit->vocab, board_moves(position->variant, &position->after[position->t]));
}

int emergence_answers_new(EmergenceAnswers *out, const PositionSet *test, size_t n,
                          const Work *work)
{
    const GameVariant *variant = test->vocab->variant;
    const CaseMakeOptions edits = {.n = n,
                                   .natural = false,
                                   .edit = CASE_FLIP,
                                   .n_squares = 1,
                                   .min_moves = case_min_moves(variant),
                                   .before_end = case_before_end(variant)};
    const PairMakeOptions pairs = {.n = n,
                                   .kind = PAIR_TRANSPOSITION,
                                   .min_moves = case_min_moves(variant),
                                   .before_end = case_before_end(variant)};
    const Work quiet = work_quiet(work);
    *out = (EmergenceAnswers){.vocab = test->vocab, .n = n};
    out->legal = mem_alloc(test->n_positions, sizeof(*out->legal), "legal moves of positions");
    LegalVisit visit = {out->legal, test->vocab};
    int rc =
        out->legal ? positions_visit(test, LABELS_MOVER, visit_legal, &visit, &quiet) : OGPT_ENOMEM;
    rc = rc ? rc : cases_make(&out->edits, variant, &edits, &quiet);
    return rc ? rc : pairs_make(&out->pairs, variant, &pairs, &quiet);
}

void emergence_answers_release(EmergenceAnswers *answers)
{
    mem_free(answers->legal);
    cases_release(&answers->edits);
    pairs_release(&answers->pairs);
    *answers = (EmergenceAnswers){0};
}

/* ---- curves ---- */

int emergence_lens(double *values, const EmergenceAnswers *answers, const PositionSet *test,
                   const Gpt *gpt, const float *rows)
{
    int rc = 0;
    for (size_t g = 0; g < test->n_games && rc == 0; g++) {
        values[2 * g] = values[2 * g + 1] = 0;
        for (size_t i = test->first[g]; i < test->first[g + 1] && rc == 0; i++) {
            double wide[BOARD_SQUARES];
            float logits[BOARD_SQUARES];
            rc = lens_ref_logits(wide, gpt, rows + i * (size_t)gpt->cfg.d_model, NULL, NULL);
            for (int tok = 0; rc == 0 && tok < gpt->cfg.d_vocab; tok++) {
                logits[tok] = (float)wide[tok];
            }
            if (rc == 0 && answers->legal[i] != 0) {
                values[2 * g] +=
                    answer_score(logits, gpt->cfg.d_vocab, answers->legal[i], RULE_TOPN).f1;
                values[2 * g + 1]++;
            }
        }
    }
    return rc;
}

int emergence_edits(double *values, const EmergenceAnswers *answers, const Gpt *gpt,
                    const Probe *probe, const Work *work)
{
    BoardDirections directions = {0};
    EditNetwork *network = NULL;
    EditMetrics metrics = {0};
    EditPlan plan = EDIT_PLAN_DEFAULT;
    const EditMeasureOptions options = {.scoring = {RULE_TOPN, "edits", NULL}};
    plan.method = METHOD_PROJECT;
    plan.layers = 1ULL << probe->layers[0];
    int rc = direction_board_of_probe(&directions, probe);
    rc = rc ? rc : edit_plan_check(&plan, &directions, &gpt->cfg);
    rc = rc ? rc : edit_network_new(&network, gpt, &directions, work_workers(work), work->seed);
    if (rc == 0) {
        const EditPredictor predictor = edit_network_predictor(network);
        rc = edit_measure(&metrics, &predictor, &answers->edits, &plan, &options, work);
    }
    for (size_t i = 0; rc == 0 && i < answers->n; i++) {
        CaseMetrics one;
        rc = edit_metrics_case(&one, &metrics, i);
        double null = rc ? 0 : one.of[ARM_NULL][METRIC_ERROR].part;
        values[2 * i] = rc ? 0 : null - one.of[ARM_EDIT][METRIC_ERROR].part;
        values[2 * i + 1] = null;
    }
    edit_metrics_release(&metrics);
    edit_network_free(network);
    direction_board_release(&directions);
    return rc;
}

int emergence_transposition(double *values, const EmergenceAnswers *answers, const Gpt *gpt,
                            const Work *work)
{
    const Player player = {.kind = PLAYER_NETWORK, .vocab = answers->vocab, .gpt = gpt};
    return world_transposition_pairs(values, &player, &answers->pairs, work);
}

/* The head whose mean excess on one side's moves is the largest; *sign: 1 mine, -1 theirs. */
static size_t head_choose(double *sign, const HeadPatterns *patterns)
{
    size_t best = 0;
    double most = -1;
    for (size_t h = 0; h < patterns->H; h++) {
        double excess = patterns->heads[h].scores[HEAD_MINE].excess.difference.value;
        if (fabs(excess) > most) {
            most = fabs(excess);
            best = h;
            *sign = excess < 0 ? -1 : 1;
        }
    }
    return best;
}

int emergence_heads(double *head, double *beyond, const HeadGames *fit, const HeadGames *test,
                    const Gpt *gpt, const Work *work)
{
    HeadPatterns chosen = {0}, scored = {0};
    double sign = 1;
    int rc = head_patterns_run(&chosen, gpt, fit, NULL, work);
    rc = rc ? rc : head_patterns_run(&scored, gpt, test, NULL, work);
    if (rc == 0) {
        size_t best = head_choose(&sign, &chosen);
        for (size_t g = 0; g < test->n; g++) {
            const double *sums = scored.mine + (best * test->n + g) * 2;
            head[2 * g] = sign * sums[0];
            beyond[2 * g] = sign * sums[1];
            head[2 * g + 1] = beyond[2 * g + 1] = scored.mine_queries[g];
        }
    }
    head_patterns_release(&chosen);
    head_patterns_release(&scored);
    return rc;
}
