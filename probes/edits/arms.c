/* probes/edits/arms.c - the table of arms. See probes/edits/arms.h. */
#include "probes/edits/arms.h"

static const struct {
    const char *name, *meaning;
    ArmKind kind;
} arms[N_ARMS] = {
#define ARM_ROW(constant, name, kind, change, meaning) {name, meaning, PASS_##kind},
    EDIT_ARMS(ARM_ROW)};

const char *arm_name(Arm arm)
{
    return arms[arm].name;
}

const char *arm_meaning(Arm arm)
{
    return arms[arm].meaning;
}

bool arm_is_plain(Arm arm)
{
    return arms[arm].kind == PASS_PLAIN || arms[arm].kind == PASS_OWN;
}

bool arm_is_own(Arm arm)
{
    return arms[arm].kind == PASS_OWN;
}

bool arm_is_listed(Arm arm)
{
    return arms[arm].kind != PASS_DESCENT;
}

bool arm_is_asked(Arm arm, const EditPlan *plan)
{
    ArmKind kind = arms[arm].kind;
    return kind != PASS_NONE && (kind != PASS_DESCENT || plan->method == METHOD_GRADIENT) &&
           (kind != PASS_RIVAL || plan->method == METHOD_SAE);
}
