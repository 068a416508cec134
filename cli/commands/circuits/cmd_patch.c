/* cli/commands/circuits/cmd_patch.c - ogpt patch: parts of one run put into another. */
#include "base/process.h"
#include "cli/commands/circuits/patch_session.h"
#include "cli/commands/common/shared_options.h"
#include "report/circuits/patch_result.h"

#define AT(field) offsetof(PatchGiven, field)
static const OptionSpec options[] = {
    OPTION_TEXT("pairs", AT(pairs), "FILE", "pairs of histories (ogpt cases pairs)",
                .required = true),
    OPTION_TEXT("control", AT(control), "FILE",
                "transpositions: pairs that should show nothing (default: as many as pairs, drawn "
                "from the seed)"),
    OPTION_TEXT("sites", AT(sites), "LIST", "hook sites, separated by commas, or all",
                .def = "resid_post,attn_out,mlp_out"),
    OPTION_LAYERS(AT(layers), "layers of the sites"),
    OPTION_INT("back", AT(back), "N", 0, 59,
               "sites: the last N positions one by one; 0: all, last, previous, changed, same",
               .def = "0"),
    OPTION_TEXT("edges", AT(edges), "LIST",
                "in place of sites: a set of edges, such as \"L0H1->mlp2,L2H3->logits\", or each "
                "one alone, without wrong moves"),
    OPTION_ENUM("direction", AT(direction), PATCH_DIRECTION_NAMES "|both",
                "noising: the clean run gets parts of the corrupt one; denoising: the reverse",
                .def = "both", .argument = "DIRECTION"),
    OPTION_FLAG("noise", AT(noise),
                "sites: causal tracing too, with Gaussian noise on the embeddings"),
    OPTION_ENUM("positions", AT(scope), PATCH_SCOPE_NAMES,
                "edges: senders are patched at the last position, or at all", .def = "last",
                .argument = "WHERE"),
    OPTION_ENUM("ln", AT(norm), PATCH_NORM_NAMES,
                "edges: LayerNorm of a receiver, computed again or divided by the base run's scale",
                .def = "recomputed", .argument = "NORM"),
    OPTION_INT("top", AT(top), "N", 1, 100000, "rows that are printed", .def = "20"),
    OPTION_INT("memory", AT(memory), "MIB", 1, 1e6, "how much memory the runs may take",
               .def = "4096"),
};

static int run(PatchSession *session)
{
    Context *context = session->in.context;
    double began = clock_seconds();
    PatchStudy study = {0};
    int rc = study_begin(context, session->in.subject.model.path, true);
    rc = rc ? rc : patch_session_begin(session);
    if (rc == 0) {
        Work work = *study_work(context, "patch", session->given->edges ? "edges" : "passes");
        work.journal = &session->in.blocks.callbacks;
        work.memory_bytes = (size_t)session->given->memory << 20;
        rc = patch_study_run(&study, &session->asked, &work);
    }
    if (rc == 0) {
        patch_report(context->report,
                     &(PatchFindings){.study = &study,
                                      .asked = &session->asked,
                                      .model_hash = session->in.subject.model.model_hash,
                                      .pairs_file = session->given->pairs,
                                      .seconds = clock_seconds() - began,
                                      .top = (int)session->given->top,
                                      .colour = context->style.colour});
        rc = kept_blocks_end(&session->in.blocks);
    }
    patch_study_release(&study);
    return rc;
}

static int patch_run(Context *context)
{
    PatchSession session = {0};
    int rc = patch_session_load(&session, context);
    rc = rc ? rc : run(&session);
    patch_session_release(&session);
    return rc;
}

const Command cmd_patch = {
    .name = "patch",
    .arguments = "MODEL --pairs FILE [--sites LIST|--edges LIST]",
    .summary = "what happens when a part of one run is put into another: sites, paths, every edge",
    .examples = "ogpt patch tiny-8x8 --pairs pairs.csv --sites resid_post,attn_out,mlp_out\n"
                "ogpt patch tiny-8x8 --pairs pairs.csv --sites z --layers 0,1 --back 6 --noise\n"
                "ogpt patch tiny-8x8 --pairs pairs.csv --edges 'L0H1->mlp2,L2H3->logits'\n"
                "ogpt patch tiny-6x6 --pairs pairs6.csv --edges each --direction noising",
    COMMAND_OPTIONS(options, PatchGiven),
    .min_args = 1,
    .max_args = 1,
    .model_args = 1,
    .uses = USES_SEED | USES_THREADS | USES_STORE | USES_FORCE | USES_BOARDS | USES_RANKS,
    COMMAND_TABLES(&patch_table, &patch_runs_table, &patch_sites_table, &patch_edges_table,
                   &patch_top_table),
    .run = patch_run,
};
