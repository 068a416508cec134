/* probes/heads/head_study.c - see probes/heads/head_study.h. */
#include "probes/heads/head_study.h"

#include "base/arena.h"
#include "base/err.h"

enum { SCANNED_A_GAME = 60 };

int head_study_draw(HeadStudy *out, const Vocab *vocab, GameSource *source,
                    const HeadStudyOptions *options, const Work *work)
{
    size_t n_pass = options->pass_games;
    *out = (HeadStudy){.options = *options};
    int rc = head_games_read(&out->games, vocab, source, options->games, work);
    return rc ? rc
              : head_games_disputed(&out->disputed, vocab, source, n_pass, n_pass * SCANNED_A_GAME,
                                    work);
}

size_t head_study_bytes(const HeadStudyOptions *options, const GptConfig *cfg, const Work *work)
{
    size_t parts[3] = {head_patterns_bytes(cfg, options->games, work),
                       head_hard_bytes(cfg, options->hard_games, work),
                       head_composition_bytes(cfg, work)};
    size_t largest = 0;
    for (int i = 0; i < 3; i++) {
        largest = parts[i] > largest ? parts[i] : largest;
    }
    const size_t H = (size_t)cfg->n_layers * (size_t)cfg->n_heads;
    return largest + (options->games + options->pass_games) *
                         ((size_t)cfg->n_ctx * sizeof(HeadKeys) + 3 * H * sizeof(double));
}

/* The patterns of a network that was never trained. */
static int measure_random(HeadStudy *study, const GptConfig *cfg, const Work *work)
{
    Gpt *gpt = NULL;
    HeadGames few = study->games; /* the first of them, borrowed */
    size_t wanted = study->options.random_games;
    few.n = few.n < wanted ? few.n : wanted;
    int rc = gpt_new(&gpt, cfg);
    if (rc == 0) {
        gpt_init(gpt, work->seed, RNG_CONTROL);
        rc = head_patterns_run(&study->random, gpt, &few, NULL, work);
    }
    gpt_free(gpt);
    return rc;
}

static int measure_matrices(HeadStudy *study, const Gpt *gpt, const Probe *probe)
{
    const Vocab *vocab = study->games.vocab;
    int rc = 0;
    for (int i = 0; i < N_HEAD_CIRCUITS && rc == 0; i++) {
        HeadCircuitKind kind = (HeadCircuitKind)i;
        size_t n = head_circuit_size(vocab, kind);
        study->matrices[i] = mem_alloc(n * n, sizeof(double), "circuits of a head");
        rc = study->matrices[i] ? head_circuit_matrix(study->matrices[i], gpt, vocab, probe,
                                                      (size_t)study->options.head, kind)
                                : OGPT_ENOMEM;
    }
    return rc;
}

int head_study_run(HeadStudy *study, const Gpt *gpt, const Probe *probe, const Work *work)
{
    const HeadStudyOptions *options = &study->options;
    size_t H = (size_t)gpt->cfg.n_layers * (size_t)gpt->cfg.n_heads;
    study->circuits = mem_calloc(H, sizeof(*study->circuits), "circuits of heads");
    int rc = study->circuits ? 0 : OGPT_ENOMEM;
    rc = rc ? rc : head_patterns_run(&study->patterns, gpt, &study->games, &study->disputed, work);
    rc = rc ? rc
            : head_follow_run(&study->follows, gpt, &study->patterns, &study->games,
                              &study->disputed, work);
    rc = rc || options->random_games == 0 ? rc : measure_random(study, &gpt->cfg, work);
    rc = rc || options->hard_games == 0
             ? rc
             : head_hard_run(&study->hard, gpt, &study->games, options->hard_games, work);
    rc = rc ? rc : head_composition_run(&study->composition, gpt, options->rotations, work);
    rc = rc ? rc : head_circuits_run(study->circuits, gpt, study->games.vocab, probe, work);
    return rc || options->head < 0 ? rc : measure_matrices(study, gpt, probe);
}

void head_study_release(HeadStudy *study)
{
    for (int i = 0; i < N_HEAD_CIRCUITS; i++) {
        mem_free(study->matrices[i]);
    }
    mem_free(study->circuits);
    head_composition_release(&study->composition);
    head_hard_release(&study->hard);
    head_follow_release(&study->follows);
    head_patterns_release(&study->patterns);
    head_patterns_release(&study->random);
    head_games_release(&study->games);
    head_games_release(&study->disputed);
    *study = (HeadStudy){0};
}
