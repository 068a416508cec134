/* report/readers/heads_result.c - contract in report/readers/heads_result.h. */
#include "report/readers/heads_result.h"

#include <math.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/err.h"
#include "game/notation.h"
#include "report/largest.h"

/* ---- columns ---- */

static const Column whole_columns[] = {
    {"source", "games from", .type = COLUMN_TEXT},
    {"model_hash", NULL, .type = COLUMN_TEXT},
    {"probe", "probe", .type = COLUMN_TEXT},
    {"games", "games", .type = COLUMN_COUNT},
    {"queries", "positions", .type = COLUMN_COUNT},
    {"disputed_games", "games with a pass", .type = COLUMN_COUNT},
    {"disputed_queries", "positions after it", .type = COLUMN_COUNT,
     .meaning = "where mover and parity disagree about the owner of a move"},
    {"disputed_ply", "their mean ply", .digits = 1},
    {"preferring", "heads with a preference", .type = COLUMN_COUNT,
     .meaning = "of at least 10 %, for mine or theirs"},
    {"counting", "of these, by parity", .type = COLUMN_COUNT},
    {"knowing", "of these, by the mover", .type = COLUMN_COUNT},
    {"hard_games", "games with changed attention", .type = COLUMN_COUNT},
    {"strict_error", "strict error there", .unit = "%", .digits = 3, .interval = true},
    {"kl", "KL there", .unit = "nats", .digits = 4, .interval = true},
    {"rotations", "rotations", .type = COLUMN_COUNT},
    {"chance", "composition by chance", .digits = 4, .meaning = "1 / sqrt(d_model), exact"},
    {"rotated", "measured", .digits = 5, .meaning = "root mean square over rotated pairs"},
    {"rotated_error", "standard error", .digits = 6},
    {"impossible", "not looked for", .type = COLUMN_TEXT},
};
const TableSpec heads_table = {
    .name = "heads_run", .kind = "heads", TABLE_COLUMNS(whole_columns), .record = true};

static const Column control_columns[] = {
    {"detector", "detector", .type = COLUMN_TEXT},
    {"meaning", "looks at", .type = COLUMN_TEXT, .flags = COLUMN_MINOR},
    {"against", "against", .type = COLUMN_TEXT, .flags = COLUMN_MINOR},
    {"heads", "heads", .type = COLUMN_COUNT,
     .meaning = "p after Holm below 0.05, score at least 10 %"},
    {"best_head", "most", .type = COLUMN_TEXT},
    {"best", "score", .unit = "%", .digits = 1, .interval = true},
    {"random_heads", "random heads", .type = COLUMN_COUNT,
     .meaning = "the same of a network with random weights"},
    {"random_best", "random score", .unit = "%", .digits = 1, .interval = true},
};
const TableSpec heads_controls_table = {
    "controls", "head_controls", "what heads look at, and what a network with random weights does",
    TABLE_COLUMNS(control_columns)};

static const Column list_columns[] = {
    {"head", "head", .type = COLUMN_TEXT},
    {"layer", NULL, .type = COLUMN_LAYER},
    {"number", NULL, .type = COLUMN_COUNT},
    {"kind", "kind", .type = COLUMN_TEXT,
     .meaning = "largest score of at least 10 % with p after Holm below 0.05"},
    {"score", "score", .unit = "%", .digits = 1, .interval = true, .flags = COLUMN_BRIEF},
    {"square", "square", .type = COLUMN_TEXT, .flags = COLUMN_MINOR,
     .meaning = "the one with most attention beyond uniform"},
    {"follows", "follows", .type = COLUMN_TEXT, .meaning = "after a pass: the mover, or parity"},
    {"entropy", "entropy", .unit = "nats", .digits = 2, .interval = true, .flags = COLUMN_BRIEF},
    {"largest", "largest", .unit = "%", .digits = 1, .interval = true, .flags = COLUMN_BRIEF,
     .meaning = "mean of the largest weight"},
    {"age", "age", .unit = "plies", .digits = 1, .interval = true, .flags = COLUMN_BRIEF},
    {"hard_strict", "hard: strict", .unit = "%", .digits = 3, .interval = true,
     .flags = COLUMN_BRIEF, .meaning = "more strict error if it attends to one key only"},
    {"hard_kl", "hard: KL", .digits = 4, .interval = true, .flags = COLUMN_BRIEF},
    {"uniform_strict", "uniform: strict", .unit = "%", .digits = 3, .interval = true,
     .flags = COLUMN_BRIEF, .meaning = "the same if it attends to all keys alike"},
    {"uniform_kl", "uniform: KL", .digits = 4, .interval = true, .flags = COLUMN_BRIEF},
};
const TableSpec heads_list_table = {"heads", "head_list", "heads", TABLE_COLUMNS(list_columns)};

static const Column pattern_columns[] = {
    {"head", "head", .type = COLUMN_TEXT},
    {"layer", NULL, .type = COLUMN_LAYER},
    {"number", NULL, .type = COLUMN_COUNT},
    {"detector", "detector", .type = COLUMN_TEXT},
    {"square", "square", .type = COLUMN_TEXT},
    {"queries", "positions", .type = COLUMN_COUNT},
    {"share", "share", .unit = "%", .digits = 1},
    {"uniform", "uniform", .unit = "%", .digits = 1},
    {"shuffled", "shuffled", .unit = "%", .digits = 1},
    {"excess", "excess", .unit = "%", .digits = 1, .interval = true},
    {"excess_p_holm", NULL, .digits = 4},
    {"beyond", "beyond", .unit = "%", .digits = 1, .interval = true},
    {"beyond_p_holm", NULL, .digits = 4},
    {"score", "score", .unit = "%", .digits = 1, .meaning = "excess or beyond, by detector"},
    {"p", NULL, .digits = 4},
    {"p_holm", "p Holm", .digits = 4},
};
static const FigurePart pattern_parts[] = {{.x = "detector", .y = {"score"}, .series = "head"}};
static const FigureSpec pattern_figures[] = {{.name = "heads",
                                              .title = "what heads look at, beyond chance",
                                              .kind = FIGURE_MATRIX,
                                              FIGURE_PARTS(pattern_parts),
                                              .signs = true}};
const TableSpec heads_patterns_table = {"patterns", "head_patterns", NULL,
                                        TABLE_COLUMNS(pattern_columns),
                                        TABLE_FIGURES(pattern_figures)};

#define FOLLOW_COLUMNS                                                                             \
    {"head", "head", .type = COLUMN_TEXT}, {"layer", NULL, .type = COLUMN_LAYER},                  \
        {"number", NULL, .type = COLUMN_COUNT}, {"verdict", "follows", .type = COLUMN_TEXT},       \
        {"preference",     "preference",                                                           \
         .unit = "%",      .digits = 2,                                                            \
         .interval = true, .meaning = "attention on mine (below 0: theirs) minus the other half"}, \
        {"follow", "follow", .digits = 2, .interval = true, .meaning = "0 parity, 1 the mover"},   \
        {"twin", "twin", .digits = 2, .interval = true,                                            \
         .meaning = "noise: such keys where none is disputed; 0 for any head"},                    \
        {"seen", "seen", .unit = "%", .digits = 2},                                                \
        {"by_parity", "if parity", .unit = "%", .digits = 2},                                      \
    {                                                                                              \
        "by_mover", "if mover", .unit = "%", .digits = 2                                           \
    }
static const Column follow_columns[] = {FOLLOW_COLUMNS};
static const FigurePart follow_parts[] = {
    {.x = "head", .y = {"follow"}, .where = "verdict", .is = "parity|mover|neither"},
    {.x = "head", .y = {"twin"}, .where = "verdict", .is = "parity|mover|neither"}};
static const FigureSpec follow_figures[] = {{.name = "follow",
                                             .title = "after a pass: 0 by parity, 1 by the mover",
                                             .kind = FIGURE_DOTS,
                                             FIGURE_PARTS(follow_parts)}};
const TableSpec heads_follow_table = {"follow", "head_follow", NULL, TABLE_COLUMNS(follow_columns),
                                      TABLE_FIGURES(follow_figures)};
static const Column follow_top_columns[] = {FOLLOW_COLUMNS};
const TableSpec heads_follow_top_table = {
    .name = "follow_top",
    .title =
        "after a forced pass: the owner of a move, or every second move? (largest preferences)",
    TABLE_COLUMNS(follow_top_columns)};

static const Column circuit_columns[] = {
    {"head", "head", .type = COLUMN_TEXT},
    {"layer", NULL, .type = COLUMN_LAYER},
    {"number", NULL, .type = COLUMN_COUNT},
    {"copying", "copying", .digits = 2, .meaning = "logits: 1 copies, -1 takes away"},
    {"copying_empty", "empty", .digits = 2, .meaning = "the same into the probe's empty squares"},
    {"copying_mine", "mine", .digits = 2, .meaning = "and into mine - theirs"},
    {"own_empty", "cos empty", .digits = 2, .meaning = "of its own square"},
    {"other_empty", "empty, other", .digits = 2, .meaning = "of another square"},
    {"own_mine", "cos mine", .digits = 2},
    {"other_mine", "mine, other", .digits = 2},
    {"moves_spread", "QK moves", .unit = "nats", .digits = 2,
     .meaning = "deviation of the score over keys"},
    {"places_spread", "QK places", .unit = "nats", .digits = 2},
    {"parity_score", "QK parity", .unit = "nats", .digits = 2,
     .meaning = "keys of odd age minus even"},
    {"line_score", "QK line", .unit = "nats", .digits = 2,
     .meaning = "keys in one line minus others"},
};
const TableSpec heads_circuits_table = {
    "circuits", "head_circuits", "what heads do, by their weights", TABLE_COLUMNS(circuit_columns)};

#define COMPOSITION_COLUMNS                                                                        \
    {"from_head", "from", .type = COLUMN_TEXT}, {"to_head", "to", .type = COLUMN_TEXT},            \
        {"channel", "by", .type = COLUMN_TEXT}, {"composition", "score", .digits = 4},             \
        {"rotated_mean", "rotated", .digits = 4}, {"rotated_deviation", "deviation", .digits = 4}, \
    {                                                                                              \
        "z", "z", .digits = 1                                                                      \
    }
static const Column composition_columns[] = {COMPOSITION_COLUMNS};
static const FigurePart composition_parts[] = {
    {.x = "to_head", .y = {"z"}, .series = "from_head", .facet = "channel"}};
static const FigureSpec composition_figures[] = {
    {.name = "composition",
     .title = "heads that read what a head wrote, z against rotations",
     .kind = FIGURE_MATRIX,
     FIGURE_PARTS(composition_parts),
     .signs = true}};
const TableSpec heads_composition_table = {"composition", "head_compositions", NULL,
                                           TABLE_COLUMNS(composition_columns),
                                           TABLE_FIGURES(composition_figures)};
static const Column composition_top_columns[] = {COMPOSITION_COLUMNS};
const TableSpec heads_composition_top_table = {.name = "composition_top",
                                               .title =
                                                   "heads that read what a head wrote (largest z)",
                                               TABLE_COLUMNS(composition_top_columns)};

static const Column matrix_columns[] = {
    {"head", "head", .type = COLUMN_TEXT}, {"circuit", "circuit", .type = COLUMN_TEXT},
    {"row", "row", .type = COLUMN_TEXT},   {"column", "column", .type = COLUMN_TEXT},
    {"value", "value", .digits = 4},
};
static const FigurePart matrix_parts[] = {
    {.x = "column", .y = {"value"}, .series = "row", .facet = "circuit"}};
static const FigureSpec matrix_figures[] = {{.name = "matrices",
                                             .title = "circuits of a head",
                                             .kind = FIGURE_MATRIX,
                                             FIGURE_PARTS(matrix_parts),
                                             .signs = true}};
const TableSpec heads_matrices_table = {"matrices", NULL, NULL, TABLE_COLUMNS(matrix_columns),
                                        TABLE_FIGURES(matrix_figures)};

/* ---- names ---- */

void heads_name(char out[HEADS_NAME_MAX], size_t n_heads, size_t head)
{
    snprintf(out, HEADS_NAME_MAX, "L%zuH%zu", head / n_heads, head % n_heads);
}

int heads_parse(int *out, const GptConfig *cfg, const char *text, const char *option)
{
    int layer = -1, head = -1, length = 0;
    bool read = sscanf(text, "L%dH%d%n", &layer, &head, &length) == 2 && text[length] == '\0';
    if (!read || layer < 0 || layer >= cfg->n_layers || head < 0 || head >= cfg->n_heads) {
        return err_set(OGPT_EUSAGE, "%s \"%s\": expected a head from L0H0 to L%dH%d", option, text,
                       cfg->n_layers - 1, cfg->n_heads - 1);
    }
    *out = layer * cfg->n_heads + head;
    return 0;
}

static void put_head(Table *table, const HeadsFindings *f, size_t head)
{
    char name[HEADS_NAME_MAX];
    heads_name(name, f->study->patterns.NH, head);
    table_row(table);
    table_text(table, "head", name);
    table_int(table, "layer", (int64_t)(head / f->study->patterns.NH));
    table_int(table, "number", (int64_t)(head % f->study->patterns.NH));
}

static void put_square(Table *table, const HeadsFindings *f, int sq)
{
    char name[8];
    square_print(name, sq);
    table_text(table, "square", name);
}

/* ---- rows ---- */

/* How many heads look at one side's moves more than at the other's, and what they go by. */
static void verdicts_count(Table *table, const HeadFollows *follows, size_t n_heads)
{
    int n = 0, n_of[N_HEAD_VERDICTS] = {0};
    for (size_t h = 0; h < n_heads; h++) {
        if (fabs(follows->heads[h].preference.value) >= HEAD_KIND_LEAST) {
            n++;
            n_of[follows->heads[h].verdict]++;
        }
    }
    table_int(table, "preferring", n);
    table_int(table, "counting", n_of[HEAD_FOLLOWS_PARITY]);
    table_int(table, "knowing", n_of[HEAD_FOLLOWS_MOVER]);
}

static void whole_fill(Table *table, const HeadsFindings *f)
{
    table_text(table, "source", f->source);
    table_text(table, "model_hash", f->model_hash);
    table_text(table, "probe", f->probe);
    table_int(table, "games", (int64_t)f->study->patterns.n_games);
    table_int(table, "queries", (int64_t)f->study->patterns.queries);
    table_int(table, "disputed_games", (int64_t)f->study->follows.n_games);
    table_int(table, "disputed_queries", (int64_t)f->study->follows.n_queries);
    table_num(table, "disputed_ply", f->study->follows.mean_ply);
    if (f->study->follows.heads) {
        verdicts_count(table, &f->study->follows, f->study->patterns.H);
    }
    if (f->study->hard.losses) {
        table_int(table, "hard_games", (int64_t)f->study->hard.n_games);
        table_estimate(table, "strict_error", f->study->hard.strict);
        table_estimate(table, "kl", f->study->hard.kl);
    }
    table_int(table, "rotations", (int64_t)f->study->options.rotations);
    table_num(table, "chance", f->study->composition.null);
    table_num(table, "rotated", f->study->composition.rotated);
    table_num(table, "rotated_error", f->study->composition.rotated_error);
    table_text(table, "impossible",
               "duplicate-token and induction heads: no square is played twice");
}

/* How many heads score enough after Holm, and the head of the largest score. */
static int count_heads(size_t *best, const HeadPatterns *patterns, HeadDetector d)
{
    int n = 0;
    double most = -INFINITY;
    *best = 0;
    for (size_t h = 0; h < patterns->H; h++) {
        const PairedTest *test = head_score_of(&patterns->heads[h].scores[d], d);
        n += test->p_holm < 0.05 && test->difference.value >= HEAD_KIND_LEAST;
        if (test->difference.value > most) {
            most = test->difference.value;
            *best = h;
        }
    }
    return n;
}

static void controls_fill(Table *table, const HeadsFindings *f)
{
    for (int d = 0; d < N_HEAD_DETECTORS; d++) {
        HeadDetector detector = (HeadDetector)d;
        char name[HEADS_NAME_MAX];
        size_t best;
        int n = count_heads(&best, &f->study->patterns, detector);
        heads_name(name, f->study->patterns.NH, best);
        table_row(table);
        table_text(table, "detector", head_detector_name(detector));
        table_text(table, "meaning", head_detector_meaning(detector));
        table_text(table, "against",
                   head_detector_kind(detector) == HEAD_AGE ? "uniform" : "other games");
        table_int(table, "heads", n);
        table_text(table, "best_head", name);
        table_estimate(
            table, "best",
            head_score_of(&f->study->patterns.heads[best].scores[d], detector)->difference);
        if (f->study->random.heads) {
            n = count_heads(&best, &f->study->random, detector);
            table_int(table, "random_heads", n);
            table_estimate(
                table, "random_best",
                head_score_of(&f->study->random.heads[best].scores[d], detector)->difference);
        }
    }
}

static void list_fill(Table *table, const HeadsFindings *f)
{
    for (size_t h = 0; h < f->study->patterns.H; h++) {
        const HeadPattern *head = &f->study->patterns.heads[h];
        put_head(table, f, h);
        if (head->kind >= 0) {
            HeadDetector d = (HeadDetector)head->kind;
            table_text(table, "kind", head_detector_name(d));
            table_estimate(table, "score", head_score_of(&head->scores[d], d)->difference);
        }
        put_square(table, f, head->square);
        if (f->study->follows.heads) {
            table_text(table, "follows", head_verdict_name(f->study->follows.heads[h].verdict));
        }
        table_estimate(table, "entropy", head->entropy);
        table_estimate(table, "largest", head->largest);
        table_estimate(table, "age", head->age);
        if (f->study->hard.losses) {
            const HeadLoss *loss = f->study->hard.losses + h * N_HEAD_REPLACEMENTS;
            table_estimate(table, "hard_strict", loss[HEAD_HARD].strict);
            table_estimate(table, "hard_kl", loss[HEAD_HARD].kl);
            table_estimate(table, "uniform_strict", loss[HEAD_UNIFORM].strict);
            table_estimate(table, "uniform_kl", loss[HEAD_UNIFORM].kl);
        }
    }
}

static void patterns_fill(Table *table, const HeadsFindings *f)
{
    for (size_t i = 0; i < f->study->patterns.H * N_HEAD_DETECTORS; i++) {
        size_t h = i / N_HEAD_DETECTORS;
        HeadDetector d = (HeadDetector)(i % N_HEAD_DETECTORS);
        const HeadScore *score = &f->study->patterns.heads[h].scores[d];
        const PairedTest *test = head_score_of(score, d);
        put_head(table, f, h);
        table_text(table, "detector", head_detector_name(d));
        if (d == HEAD_SQUARE) {
            put_square(table, f, f->study->patterns.heads[h].square);
        }
        table_int(table, "queries", (int64_t)score->queries);
        table_num(table, "share", score->share);
        table_num(table, "uniform", score->uniform);
        table_num(table, "shuffled", score->shuffled);
        table_estimate(table, "excess", score->excess.difference);
        table_num(table, "excess_p_holm", score->excess.p_holm);
        table_estimate(table, "beyond", score->beyond.difference);
        table_num(table, "beyond_p_holm", score->beyond.p_holm);
        table_num(table, "score", test->difference.value);
        table_num(table, "p", test->p);
        table_num(table, "p_holm", test->p_holm);
    }
    table->hidden = true;
}

static void follow_row(Table *table, const HeadsFindings *f, size_t h)
{
    const HeadFollow *follow = &f->study->follows.heads[h];
    put_head(table, f, h);
    table_text(table, "verdict", head_verdict_name(follow->verdict));
    table_estimate(table, "preference", follow->preference);
    table_estimate(table, "follow", follow->follow);
    table_estimate(table, "twin", follow->twin);
    table_num(table, "seen", follow->seen);
    table_num(table, "by_parity", follow->parity);
    table_num(table, "by_mover", follow->mover);
}

static void circuits_fill(Table *table, const HeadsFindings *f)
{
    for (size_t h = 0; h < f->study->patterns.H; h++) {
        const HeadCircuit *circuit = &f->study->circuits[h];
        put_head(table, f, h);
        table_num(table, "copying", circuit->copying);
        table_num(table, "copying_empty", circuit->copying_empty);
        table_num(table, "copying_mine", circuit->copying_mine);
        table_num(table, "own_empty", circuit->own_empty);
        table_num(table, "other_empty", circuit->other_empty);
        table_num(table, "own_mine", circuit->own_mine);
        table_num(table, "other_mine", circuit->other_mine);
        table_num(table, "moves_spread", circuit->moves_spread);
        table_num(table, "places_spread", circuit->places_spread);
        table_num(table, "parity_score", circuit->parity);
        table_num(table, "line_score", circuit->line);
    }
}

static double z_of(const HeadComposition *c, size_t at)
{
    return c->deviation[at] > 0 ? (c->score[at] - c->mean[at]) / c->deviation[at] : NAN;
}

static void composition_row(Table *table, const HeadsFindings *f, size_t at)
{
    const HeadComposition *c = &f->study->composition;
    char name[HEADS_NAME_MAX];
    table_row(table);
    heads_name(name, c->NH, at / c->H % c->H);
    table_text(table, "from_head", name);
    heads_name(name, c->NH, at % c->H);
    table_text(table, "to_head", name);
    table_text(table, "channel", head_channel_name((HeadChannel)(at / c->H / c->H)));
    table_num(table, "composition", c->score[at]);
    table_num(table, "rotated_mean", c->mean[at]);
    table_num(table, "rotated_deviation", c->deviation[at]);
    table_num(table, "z", z_of(c, at));
}

/* ---- the largest ---- */

static void follow_fill(Report *report, const HeadsFindings *f)
{
    size_t H = f->study->patterns.H;
    Table *all = report_table(report, &heads_follow_table);
    Largest *order = mem_alloc(H, sizeof(*order), "order of heads");
    for (size_t h = 0; h < H; h++) {
        follow_row(all, f, h);
        if (order) {
            order[h] = (Largest){fabs(f->study->follows.heads[h].preference.value), h};
        }
    }
    all->hidden = true;
    Table *top = report_table(report, &heads_follow_top_table);
    top->undocumented = true;
    if (order) {
        largest_sort(order, H);
    }
    for (size_t i = 0; order && i < H && i < (size_t)f->top; i++) {
        follow_row(top, f, order[i].index);
    }
    mem_free(order);
}

static void composition_fill(Report *report, const HeadsFindings *f)
{
    const HeadComposition *c = &f->study->composition;
    size_t size = N_HEAD_CHANNELS * c->H * c->H, n = 0;
    Table *all = report_table(report, &heads_composition_table);
    Largest *order = mem_alloc(size, sizeof(*order), "order of pairs");
    for (size_t at = 0; at < size; at++) {
        if (isnan(c->score[at])) {
            continue;
        }
        composition_row(all, f, at);
        if (order && !isnan(z_of(c, at))) {
            order[n++] = (Largest){z_of(c, at), at};
        }
    }
    all->hidden = true;
    Table *top = report_table(report, &heads_composition_top_table);
    top->undocumented = true;
    if (order) {
        largest_sort(order, n);
    }
    for (size_t i = 0; order && i < n && i < (size_t)f->top; i++) {
        composition_row(top, f, order[i].index);
    }
    mem_free(order);
}

/* ---- whole matrices ---- */

static void place_name(char out[32], const HeadsFindings *f, HeadCircuitKind kind, size_t i)
{
    if (kind == HEAD_QK_PLACES) {
        snprintf(out, 32, "%zu", i);
    } else {
        square_print(out, f->study->games.vocab->sq_of_tok[i + 1]);
    }
}

static void matrices_fill(Table *table, const HeadsFindings *f)
{
    char head[HEADS_NAME_MAX], row[32], column[32];
    heads_name(head, f->study->patterns.NH, (size_t)f->study->options.head);
    for (int kind = 0; kind < N_HEAD_CIRCUITS; kind++) {
        size_t n = head_circuit_size(f->study->games.vocab, (HeadCircuitKind)kind);
        for (size_t i = 0; i < n * n; i++) {
            if (isnan(f->study->matrices[kind][i])) {
                continue;
            }
            place_name(row, f, (HeadCircuitKind)kind, i / n);
            place_name(column, f, (HeadCircuitKind)kind, i % n);
            table_row(table);
            table_text(table, "head", head);
            table_text(table, "circuit", head_circuit_name((HeadCircuitKind)kind));
            table_text(table, "row", row);
            table_text(table, "column", column);
            table_num(table, "value", f->study->matrices[kind][i]);
        }
    }
    table->hidden = true;
}

void heads_report(Report *report, const HeadsFindings *findings)
{
    whole_fill(report_table(report, &heads_table), findings);
    controls_fill(report_table(report, &heads_controls_table), findings);
    list_fill(report_table(report, &heads_list_table), findings);
    patterns_fill(report_table(report, &heads_patterns_table), findings);
    if (findings->study->follows.heads) {
        follow_fill(report, findings);
    } else {
        report_warn(report, "no game has a position after a forced pass that can be compared: "
                            "mine and parity are not told apart");
    }
    circuits_fill(report_table(report, &heads_circuits_table), findings);
    composition_fill(report, findings);
    if (findings->study->options.head >= 0) {
        matrices_fill(report_table(report, &heads_matrices_table), findings);
    }
}
