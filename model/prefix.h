/* model/prefix.h - sequences that are computed once, for many edits of their last position.
 *
 * Attention only looks back, so a change at the last position of a sequence changes nothing that
 * the network computed before it. A Prefix keeps, for a batch of sequences of different lengths,
 * the keys and values of every block and position, and the residual stream of the last position
 * before every block and after the last one. prefix_last then runs the last positions alone, as
 * the rows of one matrix product, from the first block that a hook touches.
 *
 * Logits equal those of gpt_forward within float rounding, because the same products are done in
 * other shapes. They depend only on the sequences in the batch: the same bytes on any thread.
 * Legend (num/kernels.h): B sequences, C channels, V vocabulary. Each worker needs a Prefix of its
 * own. Every call borrows the network, which must not change between calls.
 */
#ifndef OGPT_MODEL_PREFIX_H
#define OGPT_MODEL_PREFIX_H

#include "model/gpt.h"

typedef struct Prefix Prefix;

/* Bytes for batches of up to max_batch sequences. Filling runs PREFIX_FILL of them at a time, so
 * most of it is keys and values: 2 * L * max_batch * n_ctx * C numbers.
 * mode  TAPE_FORWARD, or TAPE_GRADIENT for prefix_gradient: then every prefix_last runs all blocks
 *       and keeps what the way back needs */
#define PREFIX_FILL 16
size_t prefix_bytes(const GptConfig *cfg, size_t max_batch, TapeMode mode);
/* Kernels NULL: the fast set. Returns 0 or OGPT_ENOMEM. */
int prefix_new(Prefix **out, const GptConfig *cfg, size_t max_batch, TapeMode mode,
               const Kernels *kernels);
void prefix_free(Prefix *prefix);
/* The same for TAPE_FORWARD and up to max_rows >= max_batch rows in one prefix_rows. */
size_t prefix_rows_bytes(const GptConfig *cfg, size_t max_batch, size_t max_rows);
int prefix_new_rows(Prefix **out, const GptConfig *cfg, size_t max_batch, size_t max_rows,
                    const Kernels *kernels);

/* Read B sequences, 1 <= B <= max_batch: tokens (B, stride), of which the first lengths[b] count,
 * 1 <= lengths[b] <= n_ctx and <= stride. hooks (may be NULL) see and may change rows of all
 * positions, PREFIX_FILL sequences at a time (HookPoint.first says which); the cache keeps what
 * they leave. At the last position that holds in the blocks that prefix_last does not run: in those
 * that it runs, its own hooks must make the edit again. Positions behind a sequence's last are
 * padding. */
void prefix_fill(Prefix *prefix, const Gpt *gpt, const uint8_t *tokens, size_t stride,
                 const uint8_t *lengths, size_t B, const Hooks *hooks);
/* Give back the memory that filling works in: prefix_fill must not be called again. */
void prefix_seal(Prefix *prefix);
/* Logits (B,V) at the last position of every sequence, borrowed until the next call. hooks (may
 * be NULL) see rows (B,1,width) of the last position. HOOK_SCORES and HOOK_PATTERN have n_ctx
 * keys, rounded up to a multiple of 16, for each head; minus infinity and zero behind the sequence,
 * where nothing is read back. Every call starts from the cache as prefix_fill left it: the edits
 * and tokens of earlier calls are gone. */
const real *prefix_last(Prefix *prefix, const Gpt *gpt, const Hooks *hooks);
/* prefix_last for n rows, each the last position of a sequence of its own choice: row r that of
 * sequences[r], so that many edits of one sequence go through the network together. The rows do not
 * see one another; prefix_append and prefix_gradient must not follow. */
const real *prefix_rows(Prefix *prefix, const Gpt *gpt, const uint16_t *sequences, size_t n,
                        const Hooks *hooks);
/* Make each sequence one token longer and return the logits (B,V) after it. The last position
 * stays as the last prefix_last left it, edits included; the new position is not edited. A
 * sequence stays as it is if its token is 0 (the pad) or if it has n_ctx tokens already; its logits
 * then mean nothing. May be repeated. Borrowed as above. */
const real *prefix_append(Prefix *prefix, const Gpt *gpt, const uint8_t *tokens);
/* The logits (n,V) after sequences that are tried one token longer: row r is sequence sequences[r],
 * as prefix_append left it, with tokens[r] behind it; it must have fewer than n_ctx tokens. Nothing
 * is kept, so many next tokens of one sequence go through the network together, and prefix_append
 * may follow. The rows do not see one another. n <= max_rows; hooks as in prefix_last. Borrowed as
 * above; prefix_gradient must not follow. */
const real *prefix_branches(Prefix *prefix, const Gpt *gpt, const uint16_t *sequences,
                            const uint8_t *tokens, size_t n, const Hooks *hooks);
/* The gradient of any metric of the last prefix_last, or prefix_append, at every hook site of the
 * last positions, of a Prefix made for TAPE_GRADIENT: gpt_gradient, rows (B,1,width). dlogits (B,V)
 * or NULL. Everything at earlier positions is a constant, keys and values included; for a metric of
 * the last position that is no loss, because no earlier position reads from it. Rows of sequences
 * that prefix_append left as they were mean nothing. */
void prefix_gradient(Prefix *prefix, const Gpt *gpt, const real *dlogits, const Hooks *hooks);

#endif
