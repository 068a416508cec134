/* cli/commands/circuits/circuit_files.c - the circuit as files. Contract in
 * cli/commands/circuits/circuit_session.h. */
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "cli/commands/circuits/circuit_session.h"
#include "cli/commands/edits/case_file.h"
#include "report/circuits/circuit_picture.h"

static int write_json(const Context *context, const char *path, const CircuitFindings *found)
{
    char *text = NULL;
    Js *json = circuit_json(found);
    int rc = js_print(&text, json, 2);
    rc = rc ? rc : casefile_publish(context, path, text, strlen(text), "edges");
    mem_free(text);
    js_free(json);
    return rc;
}

int circuit_files_write(const CircuitSession *session, const CircuitFindings *found)
{
    const CircuitGiven *given = session->given;
    const Context *context = session->in.context;
    Text dot = {0};
    char title[512];
    const char *name = strrchr(context->args[0], '/');
    int rc = 0;
    name = name && name[1] ? name + 1 : context->args[0];
    snprintf(title, sizeof(title), "%.200s: %zu strongest edges of %zu (%s, %zu pairs)", name,
             found->study->top, found->study->n_edges, found->study->methods[0].name,
             found->study->n_pairs);
    if (given->dot) {
        circuit_picture_dot(&dot, found, title);
        rc = dot.failed ? err_set(OGPT_ENOMEM, "%s: no memory for the graph", given->dot)
                        : casefile_publish(context, given->dot, dot.data, dot.length, "edges");
    }
    if (given->out && rc == 0) {
        rc = write_json(context, given->out, found);
    }
    text_release(&dot);
    return rc;
}
