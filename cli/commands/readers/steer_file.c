/* cli/commands/readers/steer_file.c - contract in steer_file.h. */
#include "cli/commands/readers/steer_file.h"

#include "base/arena.h"
#include "base/err.h"
#include "cli/commands/common/made_model.h"

#define WORD "orthogonalised"

/* What is known before the study; it chooses the layer. */
static Js *describe(const SteerSession *session)
{
    const char *square = session->given->square;
    Js *what = js_object();
    js_set_str(what, "of", session->inputs.subject.model.model_hash);
    js_set_str(what, "target", steer_target_name(session->steer.options.target));
    js_set_str(what, "square", square ? square : "corners");
    return what;
}

int steering_file_check(const SteerSession *session)
{
    Js *known = describe(session);
    int rc = made_model_check(session->context, session->given->out, WORD, known);
    js_free(known);
    return rc;
}

int steering_file_write(SteerSession *session)
{
    const SteerStudy *study = &session->study;
    const size_t group = session->group < 0 ? 0 : (size_t)session->group;
    bool already = false;
    Gpt *gpt = NULL;
    float *r = mem_alloc(study->bank.width, sizeof(*r), "a direction");
    Js *what = describe(session);
    js_set_int(what, "layer", study->ablation_layer);
    int rc = r ? 0 : OGPT_ENOMEM;
    if (rc == 0) {
        steer_bank_unit(r, &study->bank, study->ablation_layer, group);
        rc = steer_orthogonalise(&gpt, session->steer.gpt, r);
    }
    rc = rc ? rc
            : made_model_publish(&already, session->out_hash, session->context, session->given->out,
                                 gpt, WORD, what);
    js_free(what);
    gpt_free(gpt);
    mem_free(r);
    return rc;
}
