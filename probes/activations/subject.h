/* probes/activations/subject.h - the network under study: its weights, and the board it plays.
 *
 * Opened and checked in one place, so that every command refuses the same things in the same
 * words. A Subject is read only and may be shared by threads.
 */
#ifndef OGPT_PROBES_ACTIVATIONS_SUBJECT_H
#define OGPT_PROBES_ACTIVATIONS_SUBJECT_H

#include "datasets/corpus.h"
#include "datasets/vocab.h"
#include "model/checkpoint.h"

typedef struct Subject {
    ModelFile model;            /* weights (model.gpt), path, hash; owned */
    const Vocab *vocab;         /* of its board and rules; static */
    const GameVariant *variant; /* static */
    int size;                   /* 4, 6 or 8 */
} Subject;

/* Load `path` (as model_load: a model or a run directory) and find its board. *warning as in
 * model_load. Returns 0, OGPT_EIO, OGPT_EFORMAT (damaged; or a network of no board), OGPT_ENOMEM;
 * after an error *out is empty and needs no release. */
int subject_open(Subject *out, const char *path, char **warning);
/* An empty Subject ({0}) may be released too. */
void subject_release(Subject *subject);

/* The rules by which a network was trained: "rules" of its manifest (NULL or without it: classic).
 * `path` is for the message. Returns 0 or OGPT_EFORMAT. */
int subject_rules(GameRules *out, const Js *manifest, const char *path);
/* The vocabulary of a network's board: by d_vocab, n_ctx, its rules. Returns 0 or OGPT_EFORMAT. */
int subject_vocab(const Vocab **out, const GptConfig *cfg, const Js *manifest, const char *path);

/* Refuse a corpus of another board size or of other rules: OGPT_EFORMAT naming the file, both sizes
 * or rules, and what to do. */
int subject_check_corpus(const Subject *subject, const char *path, const Corpus *corpus);
/* Refuse a second network, named by `option` ("--beside"), that plays on another board or by other
 * rules, and so reads other games or other tokens: OGPT_EFORMAT with both sides. */
int subject_check_second(const Subject *subject, const char *option, const Subject *second);
/* Refuse a network as the start of training on games of a variant whose tokens name other moves
 * (iago's, or all others for a network of iago): OGPT_EUSAGE. `path`: as it was named. */
int subject_check_start(const ModelFile *start, const char *path, const GameVariant *variant);

#endif
