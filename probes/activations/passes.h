/* probes/activations/passes.h - the one engine that pushes games through the network.
 *
 * A pass is one forward pass over a fixed number of games (PASS_GAMES). Several passes run at a
 * time over the pool, with one tape a worker. A window is the passes between two calls of `gather`
 * (passes_window). What a pass computes does not depend on the number of workers. Callers say
 * which games (PassGames) and what happens on the way (PassCalls): hooks read and write sites,
 * `visit` reads the logits, `gather` adds up in the order of the games.
 *
 * Start reading at passes_run; activations_capture in probes/activations/activations.c is the
 * shortest caller: one hook that copies rows.
 */
#ifndef OGPT_PROBES_ACTIVATIONS_PASSES_H
#define OGPT_PROBES_ACTIVATIONS_PASSES_H

#include "base/work.h"
#include "datasets/batch.h"
#include "model/gpt.h"

#define PASS_GAMES 16     /* games a pass: about a thousand tokens, enough for matrix products */
#define PASS_GAMES_MAX 64 /* at most */

/* Which games, and how much of each. Borrowed during the call. */
typedef struct PassGames {
    const Vocab *vocab; /* of the games' board */
    size_t n;
    const uint8_t *moves; /* (n, n_moves); NULL: games first .. first+n-1 of `source` are fetched */
    GameSource *source;
    uint64_t first;
    /* (n) moves 0 .. read[g]-1 of game g are the input, at least 1 and at most n_ctx, with pads
     * behind a game's end; a pass is as long as the largest `read` of its games. NULL: the input is
     * all moves but the last, padded to n_ctx. */
    const uint8_t *read;
    size_t games_a_pass; /* 0: PASS_GAMES */
} PassGames;

/* One pass under way, or done. Borrowed from the worker until the call returns. */
typedef struct PassBatch {
    size_t game;            /* the pass holds games game .. game+B-1 of those given */
    size_t B, T;            /* games, positions of each */
    const uint8_t *moves;   /* (B, n_moves) */
    const uint8_t *tokens;  /* (B, T) the network's input; TOK_PAD behind a game's end */
    const uint8_t *targets; /* (B, T) the token played next, TOK_PAD where none is scored */
    const real *logits;     /* (B, T, d_vocab); NULL inside a hook. gpt_loss overwrites them with
                             * its gradient, on the same memory: read them before */
    const Gpt *gpt;         /* the network, as gpt_gradient wants it */
    Tape *tape;             /* of this pass; `visit` may call gpt_gradient or gpt_loss on it */
    size_t worker;          /* in 0 .. work_workers-1: for scratch of one's own */
    size_t slot; /* in 0 .. passes_window-1: a place that no other pass of the window has */
} PassBatch;

/* What the passes leave behind in memory, so that several ranks can each do some of them
 * (base/ranks/ranks.h) and all have the whole afterwards. */
typedef struct PassResult {
    void *base; /* by_game: of game g at base + g * n_bytes; else of a slot at base + slot * n_bytes
                 */
    size_t n_bytes; /* of a game, or of a pass */
    bool by_game;
} PassResult;
#define PASS_RESULTS_MAX 4

/* What happens on the way; all members may be zero. hook and visit run on a worker: they may write
 * only what belongs to the games of the pass, to its worker or to its slot. Each returns 0 or
 * OGPT_E*, which ends the run; after an error of a hook the rest of its pass is not hooked. */
typedef struct PassCalls {
    void *context;
    TapeMode mode; /* of the tapes; TAPE_GRADIENT where visit asks for gradients */
    /* Called at each site with the layer's bit set in sites[site] (bit l: layer l). point->value
     * (B, T, width) may be changed in place: the pass goes on with what is left there. */
    int (*hook)(void *context, const PassBatch *pass, const HookPoint *point);
    uint64_t sites[N_HOOK_SITES];
    /* Everything that hook and visit write and that is read after the pass: then the passes are
     * dealt to the ranks. Without results every rank does all passes. */
    PassResult results[PASS_RESULTS_MAX];
    size_t n_results;
    /* Called once a pass, behind the last layer. */
    int (*visit)(void *context, const PassBatch *pass);
    /* Called on the calling thread after a window: its games are first .. first+n-1, its passes
     * lie in the slots 0, 1, ... in the order of the games. */
    int (*gather)(void *context, size_t first, size_t n);
} PassCalls;

/* Passes between two calls of gather: 64, or 4 a worker of all ranks if that is more. */
size_t passes_window(const Work *work);
/* Bytes that a run needs: a tape of this mode a worker. games_a_pass as above. */
size_t passes_bytes(const GptConfig *cfg, TapeMode mode, size_t games_a_pass, const Work *work);

/* Ask for a hook at a site of a layer. LAYER_EMBED is the input of block 0, whatever the site: the
 * hook then sees site HOOK_RESID_PRE and layer 0. */
void passes_hook_layer(PassCalls *calls, HookSite site, int layer);

/* OGPT_EFORMAT unless the network has the tokens and the context of the vocabulary's board. */
int passes_check_board(const GptConfig *cfg, const Vocab *vocab);

/* Push the games through. work: the pool; tick("games", done, n) after each window. Returns 0,
 * OGPT_EFORMAT (network and games are of different boards), OGPT_EINTR (between two passes),
 * OGPT_ENOMEM, what fetching gave, or the error of the lowest-numbered pass whose hook or visit
 * failed. */
int passes_run(const Gpt *gpt, const PassGames *games, const PassCalls *calls, const Work *work);

#endif
