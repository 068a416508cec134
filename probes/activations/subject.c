/* probes/activations/subject.c - see probes/activations/subject.h. */
#include "probes/activations/subject.h"

#include "base/err.h"

int subject_rules(GameRules *out, const Js *manifest, const char *path)
{
    const Js *rules = js_member(manifest, "rules");
    const char *name = js_str_of(rules);
    *out = RULES_CLASSIC;
    if (rules && (!name || !game_rules_parse(out, name))) {
        return err_set(OGPT_EFORMAT,
                       "%s: rules of its manifest or config.json: expected " GAME_RULES_WORDS
                       ", found %.40s; a newer program may know them",
                       path, name ? name : "no text");
    }
    return 0;
}

int subject_vocab(const Vocab **out, const GptConfig *cfg, const Js *manifest, const char *path)
{
    GameRules rules = RULES_CLASSIC;
    const int rc = subject_rules(&rules, manifest, path);
    if (rc != 0) {
        return rc;
    }
    const Vocab *vocab = vocab_by_size(cfg->d_vocab, rules);
    if (!vocab || vocab->n_ctx != cfg->n_ctx) {
        return err_set(OGPT_EFORMAT,
                       "%s: d_vocab %d and n_ctx %d fit no board: expected 61 and 59, 33 and "
                       "31, or 13 and 11",
                       path, cfg->d_vocab, cfg->n_ctx);
    }
    *out = vocab;
    return 0;
}

int subject_open(Subject *out, const char *path, char **warning)
{
    *out = (Subject){0};
    int rc = model_load(&out->model, path, warning);
    if (rc) {
        *out = (Subject){0};
        return rc;
    }
    rc = subject_vocab(&out->vocab, &out->model.gpt->cfg, out->model.manifest, out->model.path);
    if (rc) {
        subject_release(out);
        return rc;
    }
    out->variant = out->vocab->variant;
    out->size = out->variant->size;
    return 0;
}

void subject_release(Subject *subject)
{
    model_release(&subject->model);
    *subject = (Subject){0};
}

int subject_check_corpus(const Subject *subject, const char *path, const Corpus *corpus)
{
    const GameVariant *variant = corpus_info(corpus)->variant;
    const int size = variant->size;
    if (size != subject->size) {
        return err_set(OGPT_EFORMAT,
                       "%s: holds games of %dx%d, the model %s plays %dx%d; use a corpus of the "
                       "model's board size (ogpt generate FILE --games N --size %d)",
                       path, size, size, subject->model.path, subject->size, subject->size,
                       subject->size);
    }
    if (variant != subject->variant) {
        const char *wanted = game_rules_name(subject->variant->rules);
        return err_set(OGPT_EFORMAT,
                       "%s: holds games by the rules %s, the model %s plays by %s; use a corpus of "
                       "the model's rules (ogpt generate FILE --games N --size %d --rules %s)",
                       path, game_rules_name(variant->rules), subject->model.path, wanted,
                       subject->size, wanted);
    }
    return 0;
}

int subject_check_second(const Subject *subject, const char *option, const Subject *second)
{
    const GameVariant *own = subject->variant, *other = second->variant;
    if (own->size != other->size) {
        return err_set(OGPT_EFORMAT, "%s %s: plays on %dx%d, %s on %dx%d", option,
                       second->model.path, other->size, other->size, subject->model.path, own->size,
                       own->size);
    }
    return own == other ? 0
                        : err_set(OGPT_EFORMAT,
                                  "%s %s: plays by the rules %s, %s by %s; take a network of the "
                                  "same rules (ogpt convert --rules renames tokens)",
                                  option, second->model.path, game_rules_name(other->rules),
                                  subject->model.path, game_rules_name(own->rules));
}

int subject_check_start(const ModelFile *start, const char *path, const GameVariant *variant)
{
    GameRules rules = RULES_CLASSIC;
    int rc = subject_rules(&rules, start->manifest, path);
    if (rc == 0 && (rules == RULES_IAGO) != (variant->rules == RULES_IAGO)) {
        rc = err_set(OGPT_EUSAGE,
                     "--init-from %s: plays by the rules %s, the games are by %s, whose tokens "
                     "name other moves; rename those of the network (ogpt convert %s OUT --rules "
                     "%s), or take games by its rules",
                     path, game_rules_name(rules), game_rules_name(variant->rules), path,
                     game_rules_name(rules == RULES_IAGO ? RULES_CLASSIC : RULES_IAGO));
    }
    return rc;
}
