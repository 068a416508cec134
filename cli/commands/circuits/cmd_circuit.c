/* cli/commands/circuits/cmd_circuit.c - ogpt circuit: which edges matter, and how well gradients
 * find them. */
#include "base/arena.h"
#include "base/err.h"
#include "base/files.h"
#include "base/process.h"
#include "base/ranks/ranks.h"
#include "cli/commands/circuits/circuit_session.h"
#include "cli/commands/common/hint_words.h"
#include "report/circuits/feature_circuit_result.h"

#define AT(field) offsetof(CircuitGiven, field)
static const OptionSpec options[] = {
    OPTION_TEXT("pairs", AT(pairs), "FILE", "pairs of histories (ogpt cases pairs)",
                .required = true),
    OPTION_TEXT("control", AT(control), "FILE",
                "transpositions: pairs that should show nothing (default: as many as pairs, drawn "
                "from the seed)"),
    OPTION_ENUM(
        "nodes", AT(nodes), CIRCUIT_NODES_NAMES,
        "parts: heads, MLPs and the edges between them; sae: features of an autoencoder, in "
        "the rows of its site",
        .def = "parts", .argument = "WHAT"),
    OPTION_TEXT("sae", AT(sae), "DIR", "with --nodes sae: the autoencoder (default MODEL/sae)"),
    OPTION_TEXT(
        "method", AT(methods), "LIST",
        "exact, atp (or eap), atp-qk, atp-drop, atp*, eap-ig, clean-corrupted, acdc, or all",
        .def = "exact,atp,atp-qk,atp-drop,atp*,eap-ig,clean-corrupted"),
    OPTION_INT("points", AT(points), "N", 1, ESTIMATE_POINTS_MAX,
               "of eap-ig: runs between the two embeddings; of features: between the two rows",
               .def = "5"),
    OPTION_ENUM("positions", AT(positions), PATCH_SCOPE_NAMES,
                "senders, or features, are patched at the last position, or at all", .def = "last",
                .argument = "WHERE"),
    OPTION_ENUM("direction", AT(direction), PATCH_DIRECTION_NAMES,
                "noising: the clean run gets parts of the corrupt one; denoising: the reverse",
                .def = "noising", .argument = "DIRECTION"),
    OPTION_ENUM("ln", AT(norm), PATCH_NORM_NAMES,
                "LayerNorm of a receiver with a patched edge: computed again, or divided by the "
                "scale of the base run",
                .def = "recomputed", .argument = "NORM"),
    OPTION_INT("top", AT(top), "N", 1, 100000,
               "edges of the circuit that is shown and written, or features", .def = "50"),
    OPTION_NUM("tau", AT(tau), "X", 1e-9, 1e9,
               "of acdc: an edge goes if the distance from the full network grows by less",
               .def = "0.001"),
    OPTION_ENUM("distance", AT(distance), ACDC_DISTANCE_NAMES,
                "of acdc: KL of the answers in nats, or the share of Delta that is lost",
                .def = "kl", .argument = "NAME"),
    OPTION_FLAG("no-curves", AT(no_curves), "leave out faithfulness and controls"),
    OPTION_OUT("out", AT(out), "FILE.json", "the circuit: nodes, edges, scores by every method",
               .kept = true),
    OPTION_OUT("dot", AT(dot), "FILE.dot", "the circuit as text for graphviz", .kept = true),
};

static int run(CircuitSession *session, CircuitStudy *study)
{
    Context *context = session->in.context;
    double began = clock_seconds();
    int rc = circuit_session_begin(session);
    if (rc == 0) {
        Work work = *study_work(context, "circuit", "edges");
        work.journal = &session->in.blocks.callbacks;
        context_say(context, "%zu edges, %zu pairs: up to %zu MiB of memory",
                    session->in.graph.n_edges, session->in.pairs.n,
                    (circuit_study_bytes(&session->question, &session->options, &work) >> 20) + 1);
        rc = circuit_study_run(study, &session->question, &session->options, &work);
    }
    CircuitFindings found = {.study = study,
                             .question = &session->question,
                             .options = &session->options,
                             .model_hash = session->in.subject.model.model_hash,
                             .pairs_file = session->given->pairs,
                             .seconds = clock_seconds() - began};
    rc = rc || !ranks_first() ? rc : circuit_files_write(session, &found);
    if (rc == 0) {
        circuit_report(context->report, &found);
        rc = kept_blocks_end(&session->in.blocks);
        char name[FILES_PATH_MAX];
        context_name_free(name, "circuit", ".svg");
        study_next_again(context, "--figure graph --svg", name);
    }
    return rc;
}

static int circuit_run(Context *context)
{
    const CircuitGiven *given = context->options;
    CircuitSession session = {0};
    int unfit = feature_circuit_session_check(context);
    if (unfit || given->nodes == CIRCUIT_NODES_SAE) {
        return unfit ? unfit : feature_circuit_session_run(context);
    }
    CircuitStudy *study = mem_calloc(1, sizeof(*study), "circuit");
    int rc = study ? circuit_session_load(&session, context) : OGPT_ENOMEM;
    rc = rc ? rc : study_begin(context, session.in.subject.model.path, true);
    rc = rc ? rc : run(&session, study);
    if (study) {
        circuit_study_release(study);
    }
    pair_session_release(&session.in);
    mem_free(study);
    return rc;
}

const Command cmd_circuit = {
    .name = "circuit",
    .arguments = "MODEL --pairs FILE [--method LIST | --nodes sae [--sae DIR]]",
    .summary = "which edges of a network matter: exact effects, estimates graded by them, circuits",
    .examples = "ogpt circuit tiny-8x8 --pairs pairs.csv\n"
                "ogpt circuit tiny-6x6 --pairs pairs6.csv --method exact,atp,acdc --tau 0.01\n"
                "ogpt circuit tiny-8x8 --pairs pairs.csv --method 'atp*' --svg circuit.svg --out "
                "circuit.json\n"
                "ogpt circuit tiny-6x6 --pairs pairs6.csv --nodes sae",
    COMMAND_OPTIONS(options, CircuitGiven),
    .min_args = 1,
    .max_args = 1,
    .model_args = 1,
    .uses = USES_SEED | USES_THREADS | USES_STORE | USES_FORCE | USES_RANKS,
    COMMAND_TABLES(&circuit_table, &circuit_compare_table, &circuit_nodes_table,
                   &circuit_faithfulness_table, &circuit_completeness_table, &circuit_acdc_table,
                   &circuit_controls_table, &circuit_strongest_table, &circuit_edges_table,
                   &feature_circuit_table, &feature_circuit_bases_table,
                   &feature_circuit_curves_table, &feature_circuit_estimates_table,
                   &feature_circuit_features_table, &feature_circuit_controls_table),
    .run = circuit_run,
};
