/* report/claims/claim_table.c - the table of claims; contract in report/claims/claim_table.h.
 *
 * A line that a number is compared with, such as .25 or .9, is where the claim would be refuted;
 * what a control scores is never written here.
 */
#include "report/claims/claim_table.h"

/* A number in rows of a kind: which rows, which column. */
#define IN(kind_, where_, key_, ...)                                                               \
    {                                                                                              \
        .kind = kind_, .where = where_, .key = key_, __VA_ARGS__                                   \
    }

static const ClaimRun neurons = {
    "neurons", "threshold=0.7 legal=false no-controls=false", {"neurons {net}"}};
static const ClaimRun autoencoder = {
    "sae eval",
    NULL,
    {"sae train {net} --k 16 --activations 2000000 --out claims-sae-{hash}",
     "sae eval {net} claims-sae-{hash} --twin-activations 200000"}};
static const ClaimRun adversary = {
    "world adversary", "goal=all", {"world adversary {net} --games 500"}};
/* Nothing else that changes what is edited: a run of one layer is another question. */
#define AS_TUNED                                                                                   \
    " method=null preset=null probe=null layers=null scale=null site=null direction=difference "   \
    "positions=last probe-layer=-1 ignore-bias=false rule=topn"
static const ClaimRun edit = {
    "intervene",
    "cases=claims-cases-{size}.csv tune=claims-tune-{size}.csv" AS_TUNED,
    {"cases make claims-cases-{size}.csv --n 500 --size {n}",
     "cases make claims-tune-{size}.csv --n 200 --size {n} --purpose tune",
     "intervene {net} --cases claims-cases-{size}.csv --tune claims-tune-{size}.csv"}};
static const ClaimRun found_edit = {
    "intervene",
    "cases=claims-found-{hash}/cases.csv tune=claims-any-tune-{size}.csv" AS_TUNED,
    {"world adversary {net} --games 1000 --opening 6 --goal illegal --found "
     "claims-found-{hash}",
     "cases make claims-any-tune-{size}.csv --n 200 --size {n} --kind unnatural --purpose tune",
     "intervene {net} --cases claims-found-{hash}/cases.csv --tune claims-any-tune-{size}.csv"}};
static const ClaimRun compression = {
    "world compression", "states>=100 suffixes>=10", {"world compression {net}"}};
static const ClaimRun distinction = {
    "world distinction", "states>=100", {"world distinction {net}"}};
static const ClaimRun bias = {"world inductive-bias",
                              "states>=400 trained>=100 triples>=300",
                              {"world inductive-bias {net}"}};
static const ClaimRun alignment = {
    "world align",
    "games>=50 fit-games>=100",
    {"train claims-iago-{hash} --fresh --size {n} {shape} --rules iago --minutes 10",
     "world align claims-iago-{hash} {net}"}};
static const ClaimRun heads = {"heads", NULL, {"heads {net}"}};
static const ClaimRun lens = {"lens", NULL, {"lens {net}"}};
static const ClaimRun scrub = {"scrub",
                               "hypothesis=previous-colour-{size} n>=200",
                               {"scrub {net} --hypothesis previous-colour-{size}"}};
static const ClaimRun circuit = {
    "circuit",
    "pairs=claims-pairs-{size}.csv direction=noising positions=last ln=recomputed",
    {"cases pairs claims-pairs-{size}.csv --n 100 --size {n}",
     "circuit {net} --pairs claims-pairs-{size}.csv --method 'exact,atp,atp*'"}};

const FieldClaim claim_table[CLAIM_MAX] = {
    {1, "nearly half of the neurons of layer 5 are rules of the board", "arXiv:2511.00059",
     "45 % have R2 > 0.7",
     "holds if more neurons are rules than in every control (random weights, rotated neurons, "
     "boards of other games) and than weighted sums say; fails if not more than one of these",
     .asks = {{"rules against controls", &neurons,
               IN("neuron_layers", "layer=5 arm=trained", "rules"), CLAIM_ABOVE,
               IN("neuron_layers", "layer=5 arm=random|rotated|shuffled", "rules"),
               "the largest control", .digits = 1, .percent = true},
              {"rules against weighted sums", &neurons,
               IN("neuron_layers", "layer=5 arm=trained", "rules"), CLAIM_ABOVE,
               IN("neuron_layers", "layer=5 arm=trained", "linear"), "the linear twin", .digits = 1,
               .percent = true}}},
    {2, "neurons that detect flanks at F1 > 0.99 cover three quarters of them: a bag of heuristics",
     "jylin04 et al. 2024, LessWrong", "610 neurons cover 75 % of the flanks",
     "fails if less than a quarter is covered, on the games that were fitted on or on others; "
     "there is no interval: all flanks are counted",
     .asks = {{"flanks covered, games fitted on", &neurons,
               IN("neuron_cover", "arm=trained demand=0.99", "covered"), CLAIM_ABOVE,
               .beyond = "a quarter", .line = .25, .digits = 1, .percent = true},
              {"flanks covered, held-out games", &neurons,
               IN("neuron_cover", "arm=trained demand=0.99", "covered_held"), CLAIM_ABOVE,
               .beyond = "a quarter", .line = .25, .digits = 1, .percent = true}}},
    {3, "sparse autoencoders find the board better than neurons do", "SAE_BoardGameEval 2024", NULL,
     "coverage of squares (mean over them of the F1 of the best feature, chosen on other games) of "
     "a "
     "trained autoencoder minus that of its twin at equal L0: holds if above 0 for the neurons and "
     "for an autoencoder of random weights, fails if below 0 for one. Only autoencoders that were "
     "trained on 900,000 rows or more count, and twins of random weights on 200,000",
     .asks = {{"coverage minus that of neurons", &autoencoder,
               IN("sae_differences", "group_l0>=1 twin=neurons activations>=900000", "coverage"),
               CLAIM_ABOVE, .beyond = "no difference", .digits = 3, .tell = "dictionary",
               .demand = "autoencoder that was trained on 900,000 rows"},
              {"coverage minus that of random weights", &autoencoder,
               IN("sae_differences",
                  "group_l0>=1 twin=random_weights activations>=900000 twin_activations>=200000",
                  "coverage"),
               CLAIM_ABOVE, .beyond = "no difference", .digits = 3, .tell = "dictionary",
               .demand = "autoencoder that was trained on 900,000 rows beside one of random "
                         "weights trained on 200,000"}}},
    {4,
     "probes are not causal: an opponent that plays for the probe's errors wins less than one that "
     "plays for illegal moves",
     "adversarial sequences, ICLR 2026", "chess: 97 % by illegal moves, 54 % by the probe's errors",
     "fails if at the positions where playing for illegal moves succeeded edits along the probe's "
     "directions remove more wrong moves than random directions as long, or if playing for the "
     "probe's errors wins more; holds if they remove fewer and it wins less. These positions were "
     "chosen for the network's errors, so the gap to its own board, `closed`, is not asked about",
     .asks = {{"games won by playing for illegal moves", &adversary,
               IN("world_adversaries", "player=network opponent=illegal", "success"), CLAIM_ABOVE,
               IN("world_adversaries", "player=network opponent=misread", "success"),
               "by playing for the probe's errors", .digits = 1, .percent = true},
              {"wrong moves that an edit removes where it erred", &found_edit,
               IN("edit_results", "cases>=20", "removed"), CLAIM_BELOW,
               IN("edit_results", "cases>=20", "random_removed"), "by a random direction",
               .digits = 1, .percent = true}}},
    {5, "what a network learns anew goes by the set of legal moves, not by the board",
     "arXiv:2507.06952",
     "Othello transformer: R-IB .703, D-IB .624, states with one legal set less apart",
     "bits that are learned of some states, said of others: D of states with different legal moves "
     "minus D of states with the same ones, the boards as far from each other. Holds if more than "
     ".05, fails if less; a table of legal sets has 1, a table of boards 0",
     .asks = {{"more apart by legal moves", &bias, IN("world_bias", "learner=network", "legal_gap"),
               CLAIM_ABOVE, .beyond = "a twentieth", .line = .05, .digits = 3}}},
    {6, "a network trained on random games recovers the world model", "arXiv:2406.03689", NULL,
     "holds if it scores better than as many mistakes made at random, both in compression (states, "
     "eps .01) and in telling boards apart that differ in one owner (recall, eps .01); fails if it "
     "is worse in one",
     .asks = {{"compression", &compression,
               IN("world_compression", "player=network eps=0.01", "compression"), CLAIM_ABOVE,
               IN("world_compression", "player=random_mistakes eps=0.01", "compression"),
               "random mistakes", .digits = 1, .percent = true},
              {"boards told apart by one owner", &distinction,
               IN("world_distinction", "player=network pair_kind=flip eps=0.01", "recall"),
               CLAIM_ABOVE,
               IN("world_distinction", "player=random_mistakes pair_kind=flip eps=0.01", "recall"),
               "random mistakes", .digits = 1, .percent = true}}},
    {7, "heads that look at \"mine\" or \"theirs\" follow the side that moved",
     "Hazineh et al. 2023; Jim-Maar 2024, thesis", NULL,
     "of the heads with a preference that either know the mover or count plies after a forced "
     "pass: "
     "holds if more than half know, fails if fewer",
     .asks = {{"heads that know the mover", &heads,
               IN("heads", NULL, "knowing", .beside = "counting"), CLAIM_ABOVE, .beyond = "half",
               .line = .5, .digits = 0, .percent = true}}},
    {8, "late in the game the move is decoded before the board", "arXiv:2309.00941, 5.4",
     "moves first from about move 30",
     "in the second half of the game (tuned lens; both asked for the same set of legal moves): "
     "holds if the move leads by all pairs of criteria, both rules of arrival and all moves, fails "
     "if the board leads by one row of a question and the move by none, not decided if rows of a "
     "question disagree",
     .asks = {{"lead of the move over the whole board", &lens,
               IN("lens_order", "board_criterion=board move_criterion=tuned|legal ply_from>={late}",
                  "lead"),
               CLAIM_ABOVE, .beyond = "no lead", .digits = 1, .percent = true, .agree = true,
               .tell = "move_criterion arrival_rule ply_from ply_to"},
              {"lead over the moves of the read board", &lens,
               IN("lens_order", "board_criterion=board_moves ply_from>={late}", "lead"),
               CLAIM_ABOVE, .beyond = "no lead", .digits = 1, .percent = true, .agree = true,
               .tell = "move_criterion arrival_rule ply_from ply_to"}}},
    {9, "one rotation maps a network of permuted tokens to one of the usual at all layers",
     "MetaOthello 2026", NULL,
     "of a network that was trained on permuted tokens, not renamed, with maps fitted on other "
     "games, where both play legally (strict error below 5 %): holds if at every layer alpha by "
     "the one map for all is above .5 and a map of the layer's "
     "own is "
     "better by less than .1 of alpha, fails if not at one",
     .asks = {{"strict error of the network of permuted tokens", &alignment,
               IN("alignment", "origin=trained rules=iago", "strict_error"), CLAIM_BELOW,
               .beyond = "a twentieth", .line = .05, .digits = 1, .percent = true, .premise = true},
              {"strict error of this network", &alignment,
               IN("alignment", "origin=trained rules=iago", "other_strict_error"), CLAIM_BELOW,
               .beyond = "a twentieth", .line = .05, .digits = 1, .percent = true, .premise = true},
              {"alpha by one rotation for all layers", &alignment,
               IN("alignment_maps", "origin=trained rules=iago map=shared", "alpha"), CLAIM_ABOVE,
               .beyond = "half", .line = .5, .digits = 2, .tell = "layer"},
              {"lead of a rotation for each layer", &alignment,
               IN("alignment_layers", "origin=trained rules=iago", "lead"), CLAIM_BELOW,
               .beyond = "a tenth", .line = .1, .digits = 2, .tell = "layer"}}},
    {10, "edits work because legal sets overlap: the play hardly leaves the old board",
     "othellogpt-deconstruction, report 3", NULL,
     "drift is the share of the way from the old board's moves to as many mistakes by the old "
     "board "
     "as were made by the new one. If edits close more than half: holds if it is less than half, "
     "fails if more",
     .asks = {{"gap that an edit closes", &edit, IN("edit_results", NULL, "closed"), CLAIM_ABOVE,
               .beyond = "half", .line = .5, .digits = 1, .percent = true, .premise = true},
              {"drift away from the old board", &edit,
               IN("edit_results", NULL, "drift", .from = "self_error", .to = "null_error"),
               CLAIM_BELOW, .beyond = "half", .line = .5, .digits = 1, .percent = true}}},
    {11, "the board is kept by attention to the previous colour and flips by MLPs",
     "Jim-Maar thesis 2024",
     "the circuit predicts what attention writes with .804 (the true pattern: .818), above .97 at "
     "some layers and places",
     "the heads of layers 1 to 5 of 8 read the last position and the two before it; what they "
     "would have read elsewhere comes from another game, all else is left whole, earlier "
     "positions too. Holds if more than .9 of the answer (logits of legal moves above the others) "
     "is left, and more than with two older positions instead; fails if less in one",
     .asks = {{"share of the answer that is left", &scrub,
               IN("scrub_rows", "kind=hypothesis", "score"), CLAIM_ABOVE, .beyond = "nine tenths",
               .line = .9, .digits = 3},
              {"share beside that of older positions", &scrub,
               IN("scrub_rows", "kind=hypothesis", "score"), CLAIM_ABOVE,
               IN("scrub_rows", "kind=elsewhere", "score"), "older positions", .digits = 3}}},
    {12, "AtP* beats AtP", "arXiv:2403.00745", NULL,
     "edges to check until 90 % of the 50 strongest are found, AtP* minus AtP, on the same pairs: "
     "holds if fewer, fails if more",
     .asks = {{"edges to check, AtP* minus AtP", &circuit,
               IN("circuit_compare", "method=atp*", "recall_cost_90_gain"), CLAIM_BELOW,
               .beyond = "no gain", .digits = 0}}},
};
