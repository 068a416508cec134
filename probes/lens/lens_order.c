/* probes/lens/lens_order.c - see probes/lens/lens_order.h. From yes and no to shares. */
#include "probes/lens/lens_order.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"

static const char *const criterion_names[N_LENS_CRITERIA] = {LENS_CRITERIA(ENUM_NAME)};

static const LensPair pairs[N_LENS_PAIRS] = {{LENS_BOARD_RIGHT, LENS_MOVE_LOGIT},
                                             {LENS_BOARD_RIGHT, LENS_MOVE_TUNED},
                                             {LENS_BOARD_RIGHT, LENS_MOVE_LEGAL},
                                             {LENS_BOARD_MOVES, LENS_MOVE_TUNED},
                                             {LENS_BOARD_MOVES, LENS_MOVE_LEGAL}};

const char *lens_criterion_name(LensCriterion criterion)
{
    return criterion_names[criterion];
}

int lens_order_make(LensOrder *out, int n_layers, size_t n_positions)
{
    size_t n_holds = N_LENS_CRITERIA * (size_t)n_layers * n_positions;
    *out = (LensOrder){.n_layers = n_layers,
                       .n = n_positions,
                       .n_rows = N_LENS_PAIRS * 2 * (LENS_BANDS + 1),
                       .n_arrivals = (size_t)n_layers * (LENS_BANDS + 1)};
    out->holds = mem_calloc(n_holds, 1, "order of board and move");
    out->rows = mem_calloc(out->n_rows, sizeof(*out->rows), "order of board and move");
    out->arrivals = mem_calloc(out->n_arrivals, sizeof(*out->arrivals), "order of board and move");
    if (!out->holds || !out->rows || !out->arrivals) {
        lens_order_release(out);
        return OGPT_ENOMEM;
    }
    return 0;
}

void lens_order_release(LensOrder *order)
{
    mem_free(order->holds);
    mem_free(order->rows);
    mem_free(order->arrivals);
    *order = (LensOrder){0};
}

/* ---- bands of plies ---- */

/* Positions t of a band: *from .. *to. */
static void band_of(int *from, int *to, const PositionSet *set, int band)
{
    int T = set->vocab->n_ctx;
    *from = band == LENS_BANDS ? 0 : T * band / LENS_BANDS;
    *to = band == LENS_BANDS ? T - 1 : T * (band + 1) / LENS_BANDS - 1;
}

static bool in_band(const PositionSet *set, size_t i, int band)
{
    int from, to;
    band_of(&from, &to, set, band);
    return set->t[i] >= from && set->t[i] <= to;
}

/* ---- shares ---- */

enum { COUNT, FIRST_MOVE, FIRST_BOARD, SAME_LAYER, NEITHER, LEAD, N_ORDER_COLUMNS };

typedef struct OrderRun {
    LensOrder *order;
    const PositionSet *set;
    const AblationDraws *draws;
    double *columns; /* (N_ORDER_COLUMNS or criteria + 1, n_games) */
} OrderRun;

/* The layer at which a criterion arrives; n_layers: never. */
static int arrival(const LensOrder *order, LensCriterion criterion, size_t i, bool settled)
{
    const uint8_t *holds = order->holds + (size_t)criterion * (size_t)order->n_layers * order->n;
    int at = order->n_layers;
    if (settled) {
        while (at > 0 && holds[(size_t)(at - 1) * order->n + i]) {
            at--;
        }
        return at;
    }
    for (int layer = order->n_layers - 1; layer >= 0; layer--) {
        at = holds[(size_t)layer * order->n + i] ? layer : at;
    }
    return at;
}

static void fill_order(const OrderRun *run, LensOrderRow *row, int band)
{
    size_t n_games = run->set->n_games;
    double *columns = run->columns;
    int never = run->order->n_layers;
    memset(columns, 0, N_ORDER_COLUMNS * n_games * sizeof(double));
    for (size_t g = 0; g < n_games; g++) {
        for (size_t i = run->set->first[g]; i < run->set->first[g + 1]; i++) {
            if (!in_band(run->set, i, band)) {
                continue;
            }
            int board = arrival(run->order, row->pair.board, i, row->settled);
            int move = arrival(run->order, row->pair.move, i, row->settled);
            columns[COUNT * n_games + g] += 1;
            columns[FIRST_MOVE * n_games + g] += move < board;
            columns[FIRST_BOARD * n_games + g] += board < move;
            columns[SAME_LAYER * n_games + g] += board == move && board < never;
            columns[NEITHER * n_games + g] += board == move && board == never;
            columns[LEAD * n_games + g] += (move < board) - (board < move);
            row->positions++;
        }
    }
    Interval *out[N_ORDER_COLUMNS] = {NULL,           &row->move_first, &row->board_first,
                                      &row->together, &row->neither,    &row->lead};
    for (int column = FIRST_MOVE; column < N_ORDER_COLUMNS; column++) {
        *out[column] =
            ablation_draws_ratio(run->draws, columns + (size_t)column * n_games, columns);
    }
}

static void fill_arrival(const OrderRun *run, LensArrival *out, int layer, int band)
{
    size_t n_games = run->set->n_games, n = run->order->n;
    double *columns = run->columns;
    memset(columns, 0, N_ORDER_COLUMNS * n_games * sizeof(double));
    for (size_t g = 0; g < n_games; g++) {
        for (size_t i = run->set->first[g]; i < run->set->first[g + 1]; i++) {
            if (!in_band(run->set, i, band)) {
                continue;
            }
            columns[g] += 1;
            out->positions++;
            for (size_t criterion = 0; criterion < N_LENS_CRITERIA; criterion++) {
                size_t at = (criterion * (size_t)run->order->n_layers + (size_t)layer) * n + i;
                columns[(criterion + 1) * n_games + g] += run->order->holds[at];
            }
        }
    }
    for (size_t criterion = 0; criterion < N_LENS_CRITERIA; criterion++) {
        out->holds[criterion] =
            ablation_draws_ratio(run->draws, columns + (criterion + 1) * n_games, columns);
    }
}

int lens_order_finish(LensOrder *order, const PositionSet *set, const AblationDraws *draws)
{
    _Static_assert((int)N_LENS_CRITERIA < (int)N_ORDER_COLUMNS, "columns serve both");
    OrderRun run = {.order = order, .set = set, .draws = draws};
    size_t at = 0;
    run.columns =
        mem_alloc(N_ORDER_COLUMNS * set->n_games, sizeof(double), "order of board and move");
    if (!run.columns) {
        return OGPT_ENOMEM;
    }
    for (int pair = 0; pair < N_LENS_PAIRS; pair++) {
        for (int settled = 0; settled < 2; settled++) {
            for (int band = 0; band <= LENS_BANDS; band++) {
                LensOrderRow *row = &order->rows[at++];
                *row = (LensOrderRow){.pair = pairs[pair], .settled = settled};
                band_of(&row->ply_from, &row->ply_to, set, band);
                row->ply_from++;
                row->ply_to++;
                fill_order(&run, row, band);
            }
        }
    }
    at = 0;
    for (int layer = 0; layer < order->n_layers; layer++) {
        for (int band = 0; band <= LENS_BANDS; band++) {
            LensArrival *row = &order->arrivals[at++];
            *row = (LensArrival){.layer = layer - 1};
            band_of(&row->ply_from, &row->ply_to, set, band);
            row->ply_from++;
            row->ply_to++;
            fill_arrival(&run, row, layer, band);
        }
    }
    mem_free(run.columns);
    return 0;
}
