/* cli/cmd_intervene.c - ogpt intervene: edit the board inside the network, and let the rules of
 * the game say whether it now plays on the edited board. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "cli/draw_case.h"
#include "cli/intervals.h"
#include "datasets/vocab.h"
#include "model/checkpoint.h"
#include "probes/edit_network.h"

#define AUTO "auto"
/* A closed share whose interval is wider than this says nothing, and the text says so. */
#define WIDE_INTERVAL 2.0

typedef struct InterveneOptions {
    const char *probe, *cases, *tune, *method, *site, *layers, *scale, *rule;
    int64_t probe_layer, show;
    bool ignore_bias, no_by_layer;
} InterveneOptions;

static const OptionSpec intervene_options[] = {
    {"probe", OPT_TEXT, offsetof(InterveneOptions, probe), .argument = "PROBE",
     .help = "probe of task mine or colour, fitted on this model; needed"},
    {"cases", OPT_TEXT, offsetof(InterveneOptions, cases), .argument = "FILE",
     .help = "cases to be reported (ogpt cases make); needed"},
    {"tune", OPT_TEXT, offsetof(InterveneOptions, tune), .argument = "FILE",
     .help = "other cases, on which auto layers and scale are chosen"},
    {"method", OPT_CHOICE, offsetof(InterveneOptions, method), .def = "add",
     .choices = "add|project", .argument = "METHOD",
     .help = "add a vector from the old to the new state, or negate the coordinate between them"},
    {"site", OPT_TEXT, offsetof(InterveneOptions, site), .def = "resid_post", .argument = "SITE",
     .help = "where in each block: resid_pre, z, attn_out, resid_mid, mlp_out, resid_post"},
    {"layers", OPT_TEXT, offsetof(InterveneOptions, layers), .argument = "LAYERS",
     .help = "3, 2-5, 1,3,6 or auto (default: auto with --tune)"},
    {"scale", OPT_TEXT, offsetof(InterveneOptions, scale), .argument = "X",
     .help = "add: length of the vector, or share of the residual's norm as in 0.5r; project: 1 "
             "negates; or auto (default: auto with --tune, else 1 for project)"},
    {"rule", OPT_CHOICE, offsetof(InterveneOptions, rule), .def = "topn",
     .choices = "topn|threshold", .argument = "RULE",
     .help = "predicted set: the top N tokens, or those above 1/(2N)"},
    {"probe-layer", OPT_INT, offsetof(InterveneOptions, probe_layer), -1, 63, .def = "-1",
     .argument = "L", .help = "layer whose directions every edited layer uses; -1: each its own"},
    {"ignore-bias", OPT_FLAG, offsetof(InterveneOptions, ignore_bias),
     .help = "project about the origin, as published for probes without bias, not about the "
             "probe's boundary"},
    {"no-by-layer", OPT_FLAG, offsetof(InterveneOptions, no_by_layer),
     .help = "leave out the table of single layers"},
    {"show", OPT_INT, offsetof(InterveneOptions, show), -1, CASES_MAX, .def = "-1", .argument = "N",
     .help = "also print case N (from 0) with the predictions; -1: none"},
};

/* Everything one run owns. */
typedef struct Session {
    Context *context;
    const InterveneOptions *given;
    ModelFile model;
    Probe probe;
    CaseSet cases, tuning;
    EditNetwork *network;
    EditPredictor predictor;
    EditPlan plan;
    bool any_layers, any_scale; /* to be tuned */
    EditSettings settings;
    Progress progress;
    bool tuned;
    EditReport report;
    SweepRow by_layer[EDIT_MAX_LAYERS];
    size_t n_by_layer;
} Session;

static void show_progress(void *context, size_t done, size_t total)
{
    Session *session = context;

    session->progress.total = (double)total;
    progress_step(&session->progress, (double)done, NULL);
}

static int needed(const char *value, const char *name, const char *hint)
{
    return value ? 0
                 : err_set(OGPT_EUSAGE, "intervene: --%s is missing: make one with %s", name, hint);
}

static bool is_auto(const char *text)
{
    return text && strcmp(text, AUTO) == 0;
}

/* Options -> plan. Layers and scale that are not given are tuned where there are tuning cases. */
static int plan_parse(Session *session)
{
    const InterveneOptions *given = session->given;
    EditPlan *plan = &session->plan;
    int site = hook_site_parse(given->site), code = 0;

    if (site < 0) {
        return err_set(OGPT_EUSAGE,
                       "--site \"%s\": expected resid_pre, z, attn_out, resid_mid, mlp_out or "
                       "resid_post",
                       given->site);
    }
    plan->site = (HookSite)site;
    plan->method = strcmp(given->method, "add") == 0 ? METHOD_ADD : METHOD_PROJECT;
    plan->probe_layer = given->probe_layer < 0 ? PROBE_LAYER_OWN : (int)given->probe_layer;
    plan->ignore_bias = given->ignore_bias;
    plan->scale = (EditScale){1.0, false};
    session->any_layers = is_auto(given->layers) || (!given->layers && given->tune);
    session->any_scale = is_auto(given->scale) || (!given->scale && given->tune);
    if ((session->any_layers || session->any_scale) && !given->tune) {
        return err_set(OGPT_EUSAGE, "intervene: auto needs --tune FILE: layers and scale are never "
                                    "chosen on the reported cases; make tuning cases with ogpt "
                                    "cases make FILE --purpose tune");
    }
    if (given->tune && !session->any_layers && !session->any_scale) {
        return err_set(OGPT_EUSAGE, "intervene: --tune has nothing to choose: --layers and --scale "
                                    "are both given; leave one out or drop --tune");
    }
    if (!session->any_layers) {
        if (!given->layers) {
            return err_set(OGPT_EUSAGE, "intervene: --layers is missing: give layers such as 3 or "
                                        "2-5, or --tune FILE to choose them");
        }
        code = edit_layers_parse(&plan->layers, given->layers, session->model.gpt->cfg.n_layers);
    }
    if (code == 0 && !session->any_scale) {
        if (!given->scale && plan->method == METHOD_ADD) {
            return err_set(OGPT_EUSAGE, "intervene: --scale is missing: give a length such as 2.3 "
                                        "or 0.5r, or --tune FILE to choose it");
        }
        code = given->scale ? edit_scale_parse(&plan->scale, given->scale) : 0;
    }
    return code;
}

static int load_cases(CaseSet *out, const Session *session, const char *path)
{
    const Vocab *vocab = vocab_by_size(session->model.gpt->cfg.d_vocab);
    int code;

    if (!vocab) {
        return err_set(OGPT_EFORMAT, "%s: d_vocab %d, expected 13, 33 or 61 for a board",
                       session->model.path, session->model.gpt->cfg.d_vocab);
    }
    code = cases_read(out, vocab->variant, path);
    if (code == 0 && out->excluded > 0) {
        context_warn(session->context, "%s: %llu impossible cases are left out of every mean; %s",
                     path, (unsigned long long)out->excluded, out->first_excluded);
    }
    return code;
}

/* What is reported may not have been tuned on; the message names both files. */
static int check_disjoint(const Session *session)
{
    int code = cases_check_disjoint(&session->cases, &session->tuning);

    return code == OGPT_EUSAGE ? err_set(code, "--tune %s, --cases %s: %s", session->given->tune,
                                         session->given->cases, err_message())
                               : code;
}

static int session_load(Session *session)
{
    const InterveneOptions *given = session->given;
    Context *context = session->context;
    char *warning = NULL;
    int code = needed(given->probe, "probe", "ogpt probe fit MODEL --corpus CORPUS --out PROBE");

    code = code ? code : needed(given->cases, "cases", "ogpt cases make FILE");
    code = code ? code : model_load(&session->model, context->args[0], &warning);
    if (warning) {
        context_warn(context, "%s", warning);
        mem_free(warning);
    }
    code = code ? code : plan_parse(session);
    code = code ? code : probe_load(&session->probe, given->probe);
    code = code ? code
                : probe_check_model(&session->probe, given->probe, session->model.model_hash,
                                    &session->model.gpt->cfg);
    code = code ? code : load_cases(&session->cases, session, given->cases);
    if (code == 0 && given->tune) {
        code = load_cases(&session->tuning, session, given->tune);
        code = code ? code : check_disjoint(session);
    }
    if (code == 0 && given->show >= 0 && (size_t)given->show >= session->cases.n) {
        code = err_set(OGPT_EUSAGE, "--show %lld: %s holds cases 0 to %zu", (long long)given->show,
                       given->cases, session->cases.n - 1);
    }
    return code;
}

/* ---- tuning ---- */

static void plan_json(Js *object, const EditPlan *plan)
{
    Js *layers = js_array();

    for (int l = 0; l < EDIT_MAX_LAYERS; l++) {
        if (plan->layers >> l & 1) {
            js_push(layers, js_int(l));
        }
    }
    js_set_str(object, "method", plan->method == METHOD_ADD ? "add" : "project");
    js_set_str(object, "site", hook_site_name(plan->site));
    js_set(object, "layers", layers);
    js_set_num(object, "scale", plan->scale.value);
    js_set_str(object, "scale_unit", plan->scale.relative ? "r" : "absolute");
}

static Js *sweep_row_json(const SweepRow *row)
{
    Js *object = js_object();

    plan_json(object, &row->plan);
    js_set_num(object, "error", row->error);
    js_set_num(object, "f1", row->f1);
    js_set_num(object, "kl", row->kl);
    js_set_num(object, "closed", row->closed);
    return object;
}

/* Sweep layers and scales over the tuning cases, keep every row, take the best. */
static int tune(Session *session)
{
    const Gpt *gpt = session->model.gpt;
    EditPlan *plans = NULL;
    SweepRow *rows = NULL;
    size_t n = 0;
    int code =
        edit_plans_to_try(&plans, &n, &session->plan, session->any_layers, session->any_scale,
                          edit_layers_possible(&session->probe, &gpt->cfg));

    if (code == 0) {
        rows = mem_calloc(n, sizeof *rows, "sweep over layers and scales");
        code = rows ? 0 : OGPT_ENOMEM;
    }
    for (size_t i = 0; i < n && code == 0; i++) {
        code = edit_plan_check(&plans[i], &session->probe, &gpt->cfg);
    }
    if (code == 0 && n == 0) {
        code = err_set(OGPT_EFORMAT, "%s: no fitted layer that could be edited",
                       session->given->probe);
    }
    if (code == 0) {
        session->progress = progress_begin(session->context, "tuning", "chunks", 1);
        code = intervene_sweep(rows, &session->predictor, &session->tuning, plans, n,
                               &session->settings);
        progress_end(&session->progress);
    }
    if (code == 0) {
        Js *kept = js_array();

        for (size_t i = 0; i < n; i++) {
            js_push(kept, sweep_row_json(&rows[i]));
        }
        code = context_add_all(session->context, "edit_sweep", kept);
        session->plan = rows[sweep_best(rows, n)].plan;
        session->tuned = true;
    }
    mem_free(rows);
    mem_free(plans);
    return code;
}

/* The same edit in each single layer, on the reported cases: where in the network the board can
 * be changed. Nothing is chosen by it. */
static int score_layers(Session *session)
{
    uint64_t possible = edit_layers_possible(&session->probe, &session->model.gpt->cfg);
    EditPlan plans[EDIT_MAX_LAYERS];
    int code;

    for (int l = 0; l < EDIT_MAX_LAYERS; l++) {
        if (possible >> l & 1) {
            plans[session->n_by_layer] = session->plan;
            plans[session->n_by_layer++].layers = 1ULL << l;
        }
    }
    session->progress = progress_begin(session->context, "by layer", "chunks", 1);
    code = intervene_sweep(session->by_layer, &session->predictor, &session->cases, plans,
                           session->n_by_layer, &session->settings);
    progress_end(&session->progress);
    return code;
}

/* ---- the result ---- */

static Js *result_json(const Session *session)
{
    const EditReport *report = &session->report;
    Js *document = js_object(), *by_layer = js_array();

    plan_json(document, &session->plan);
    js_set_str(document, "rule", session->given->rule);
    js_set_str(document, "model_hash", session->model.model_hash);
    js_set_str(document, "probe", session->given->probe);
    js_set_str(document, "tuned_on", session->tuned ? session->given->tune : "");
    js_set_int(document, "cases", (int64_t)report->n);
    js_set_int(document, "excluded", (int64_t)session->cases.excluded);
    js_set_num(document, "null_error", report->mean.null_error);
    js_set_num(document, "self_error", report->mean.self_error);
    js_set_interval(document, "edit_error", report->edit_error);
    js_set_interval(document, "closed", report->closed);
    js_set_interval(document, "gain", report->gain);
    js_set_interval(document, "random_error", report->random_error);
    js_set_interval(document, "random_closed", report->random_closed);
    js_set_num(document, "wrong_square_error", report->mean.wrong_square_error);
    js_set_interval(document, "wrong_square_closed", report->wrong_square_closed);
    js_set_num(document, "ideal_null", report->mean.ideal_null);
    js_set_num(document, "drift", report->mean.drift);
    js_set_num(document, "false_positives", report->mean.false_positives);
    js_set_num(document, "false_negatives", report->mean.false_negatives);
    js_set_num(document, "f1", report->mean.f1);
    js_set_num(document, "kl", report->mean.kl);
    for (size_t i = 0; i < session->n_by_layer; i++) {
        Js *row = js_object();

        js_set_int(row, "layer", __builtin_ctzll(session->by_layer[i].plan.layers));
        js_set_num(row, "edit_error", session->by_layer[i].error);
        js_set_num(row, "closed", session->by_layer[i].closed);
        js_push(by_layer, row);
    }
    js_set(document, "by_layer", by_layer);
    return document;
}

static Js *case_rows(const Session *session)
{
    Js *rows = js_array();

    for (size_t i = 0; i < session->report.n; i++) {
        const CaseScore *score = &session->report.cases[i];
        const EditCase *edit = &session->cases.cases[i];
        uint64_t squares = 0;
        Js *row = js_object();

        for (int s = 0; s < edit->n_squares; s++) {
            squares |= 1ULL << edit->squares[s].sq;
        }
        js_set_int(row, "case_index", (int64_t)i);
        js_set(row, "square", squares_json(squares));
        js_set_num(row, "null_error", score->null_error);
        js_set_num(row, "self_error", score->self_error);
        js_set_num(row, "edit_error", score->edit_error);
        js_set_num(row, "random_error", score->random_error);
        js_set_num(row, "wrong_square_error", score->wrong_square_error);
        js_set_num(row, "drift", score->drift);
        js_set_num(row, "kl", score->kl);
        js_push(rows, row);
    }
    return rows;
}

static void print_report(Text *text, const Session *session)
{
    const EditReport *report = &session->report;
    const CaseScore *mean = &report->mean;
    char layers[192], scale[32];

    edit_layers_print(layers, session->plan.layers);
    edit_scale_print(scale, session->plan.scale);
    text_add(text, "%s at hook_%s of layers %s, scale %s: %s\n", session->given->method,
             hook_site_name(session->plan.site), layers, scale,
             session->tuned ? "chosen on the tuning cases, not on these" : "as given");
    text_add(text, "%zu cases, %llu impossible ones left out; mean wrong moves a case:\n",
             report->n, (unsigned long long)session->cases.excluded);
    text_add(text, "  null           %6.3f   not edited, judged by the edited board\n",
             mean->null_error);
    text_add(text, "  edit           %6.3f   [%.3f, %.3f]\n", report->edit_error.value,
             report->edit_error.low, report->edit_error.high);
    text_add(text, "  self           %6.3f   not edited, judged by its own board\n",
             mean->self_error);
    text_add(text, "  closed         %6.3f   [%.3f, %.3f]  (null - edit) / (null - self)\n",
             report->closed.value, report->closed.low, report->closed.high);
    if (!(report->closed.high - report->closed.low < WIDE_INTERVAL)) {
        text_add(text, "                 null and self differ little: the share is uncertain\n");
    }
    text_add(text,
             "  random         %6.3f   random direction of equal length; closes %.3f "
             "[%.3f, %.3f]\n",
             mean->random_error, report->random_closed.value, report->random_closed.low,
             report->random_closed.high);
    text_add(text,
             "  wrong square   %6.3f   direction of another square; closes %.3f "
             "[%.3f, %.3f]\n",
             mean->wrong_square_error, report->wrong_square_closed.value,
             report->wrong_square_closed.low, report->wrong_square_closed.high);
    text_add(text, "  ideal null     %6.3f   a perfect model of the board before the edit\n",
             mean->ideal_null);
    text_add(text, "  drift          %6.3f   edited, judged by the board before the edit\n",
             mean->drift);
    text_add(text, "  F1 %.3f, KL %.3f nats from uniform over the edited board's legal moves\n",
             mean->f1, mean->kl);
    for (size_t i = 0; i < session->n_by_layer; i++) {
        text_add(text, "%slayer %-2d  edit %6.3f  closed %6.3f\n",
                 i == 0 ? "the same edit in one layer alone:\n  " : "  ",
                 __builtin_ctzll(session->by_layer[i].plan.layers), session->by_layer[i].error,
                 session->by_layer[i].closed);
    }
}

/* --show N: the case, and what the network plays before and after the edit. */
static int show_case(Session *session, Text *text, Js *document)
{
    size_t index = (size_t)session->given->show;
    const EditCase *edit = &session->cases.cases[index];
    const GameVariant *variant = session->cases.variant;
    EditRule rule = session->settings.rule;
    uint64_t before = 0, after = 0;
    int code = intervene_predict(&before, &session->predictor, &session->cases, index, VERSION_NONE,
                                 &session->plan, rule);

    code = code ? code
                : intervene_predict(&after, &session->predictor, &session->cases, index,
                                    VERSION_EDIT, &session->plan, rule);
    if (code != 0) {
        return code;
    }
    Js *shown = case_json(variant, edit, index);
    const Vocab *vocab = vocab_of(variant);
    uint64_t squares[2] = {0, 0};

    for (int tok = 1; tok < vocab->d_vocab; tok++) {
        squares[0] |= before >> tok & 1 ? 1ULL << vocab->sq_of_tok[tok] : 0;
        squares[1] |= after >> tok & 1 ? 1ULL << vocab->sq_of_tok[tok] : 0;
    }
    js_set(shown, "predicted_before", squares_json(squares[0]));
    js_set(shown, "predicted_after", squares_json(squares[1]));
    js_set(document, "case", shown);
    draw_case(text, variant, edit, index);
    draw_prediction(text, variant, "plays before  ", before, edit->legal_before);
    draw_prediction(text, variant, "plays after   ", after, edit->legal_edited);
    text_add(text, "(! is illegal on that board)\n\n");
    return 0;
}

static int finish(Session *session)
{
    Js *document = result_json(session);
    Text text = {0};
    int code = context_add(session->context, "edit_results", js_keep(document));

    code = code ? code : context_add_all(session->context, "edit_cases", case_rows(session));
    if (code == 0 && session->given->show >= 0) {
        code = show_case(session, &text, document);
    }
    if (code == 0) {
        print_report(&text, session);
        code = context_result(session->context, js_keep(document), text.data);
    }
    if (code == 0 && session->given->show < 0) {
        context_next(session->context, "%s --show 0", session->context->command_line);
    }
    js_free(document);
    text_release(&text);
    return code;
}

static int session_run(Session *session)
{
    Context *context = session->context;
    int code = session_load(session);

    code = code ? code : context_pool(context);
    code = code ? code : context_run_begin(context, session->model.path, false);
    code = code ? code
                : edit_network_new(&session->network, session->model.gpt, &session->probe,
                                   pool_size(context->pool), context->seed);
    if (code != 0) {
        return code;
    }
    session->predictor = edit_network_predictor(session->network);
    session->settings = (EditSettings){
        .rule = strcmp(session->given->rule, "topn") == 0 ? RULE_TOPN : RULE_THRESHOLD,
        .seed = context->seed,
        .pool = context->pool,
        .progress = show_progress,
        .context = session};
    if (session->any_layers || session->any_scale) {
        code = tune(session);
    }
    code = code ? code : edit_plan_check(&session->plan, &session->probe, &session->model.gpt->cfg);
    if (code == 0) {
        session->progress = progress_begin(context, "cases", "chunks", 1);
        code = intervene_score(&session->report, &session->predictor, &session->cases,
                               &session->plan, &session->settings);
        progress_end(&session->progress);
    }
    if (code == 0 && !session->given->no_by_layer) {
        code = score_layers(session);
    }
    return code ? code : finish(session);
}

static int intervene_run(Context *context)
{
    Session *session = mem_calloc(1, sizeof *session, "intervention");
    int code;

    if (!session) {
        return OGPT_ENOMEM;
    }
    session->context = context;
    session->given = context->options;
    code = session_run(session);
    intervene_release(&session->report);
    edit_network_free(session->network);
    cases_release(&session->tuning);
    cases_release(&session->cases);
    probe_release(&session->probe);
    model_release(&session->model);
    mem_free(session);
    return code;
}

const Command cmd_intervene = {
    .name = "intervene",
    .arguments = "MODEL --probe PROBE --cases FILE [--tune FILE]",
    .summary = "edit the board inside the network and judge its moves by the rules",
    .examples = "  ogpt intervene runs/tiny --probe probe --cases cases.csv --tune tune.csv\n"
                "  ogpt intervene runs/tiny --probe probe --cases cases.csv --layers 3-6 "
                "--scale 0.1r\n"
                "  ogpt intervene runs/tiny --probe probe --cases cases.csv --method project "
                "--layers 4 --show 0\n",
    .options = intervene_options,
    .n_options = sizeof intervene_options / sizeof intervene_options[0],
    .options_bytes = sizeof(InterveneOptions),
    .min_args = 1,
    .max_args = 1,
    .uses = USES_SEED | USES_THREADS | USES_STORE,
    .run = intervene_run,
};
