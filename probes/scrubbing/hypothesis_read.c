/* probes/scrubbing/hypothesis_read.c - reading a hypothesis strictly: words, lines, and who reads
 * whom. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/files.h"
#include "game/notation.h"
#include "probes/scrubbing/hypothesis.h"

enum { WORD_MAX = 40, HYPOTHESIS_FILE_MAX = 4 << 20 };

/* The names of the inputs of every node, and of the logits at [HYPOTHESIS_MAX_NODES], until all
 * nodes are known. */
typedef struct InputNames {
    char names[HYPOTHESIS_MAX_NODES + 1][HYPOTHESIS_MAX_NODES][HYPOTHESIS_NAME_MAX];
    size_t n[HYPOTHESIS_MAX_NODES + 1];
} InputNames;

typedef struct HypothesisReader {
    Hypothesis *out;
    const Graph *graph;
    InputNames *inputs;
    size_t line;
    size_t board_line, metric_line, logits_line; /* 0: none yet */
    const char *at, *end;                        /* the rest of the line */
    char word[WORD_MAX]; /* the word that was taken last; "": the line ended */
} HypothesisReader;

/* ---- words ---- */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* The next word into reader->word: a comma, "=", "<-", or letters up to a blank or one of these. A
 * longer word is cut: it is none that anybody knows. */
static void word_take(HypothesisReader *r)
{
    size_t n = 0;
    while (r->at < r->end && is_blank(*r->at)) {
        r->at++;
    }
    if (r->at < r->end && (*r->at == ',' || *r->at == '=')) {
        r->word[n++] = *r->at++;
    } else if (r->end - r->at >= 2 && r->at[0] == '<' && r->at[1] == '-') {
        r->word[n++] = *r->at++;
        r->word[n++] = *r->at++;
    } else {
        while (r->at < r->end && !is_blank(*r->at) && *r->at != ',' && *r->at != '=' &&
               *r->at != '<') {
            if (n + 1 < WORD_MAX) {
                r->word[n++] = *r->at;
            }
            r->at++;
        }
        if (n == 0 && r->at < r->end) {
            r->word[n++] = *r->at++; /* a stray '<' */
        }
    }
    r->word[n] = '\0';
}

static bool word_is(const HypothesisReader *r, const char *word)
{
    return strcmp(r->word, word) == 0;
}

/* OGPT_EFORMAT about the word that was taken last. */
static int word_wrong(const HypothesisReader *r, const char *expected)
{
    return r->word[0] ? err_set(OGPT_EFORMAT, "\"%s\", expected %s", r->word, expected)
                      : err_set(OGPT_EFORMAT, "the line ends, expected %s", expected);
}

static int square_take(int *sq, HypothesisReader *r, const char *what)
{
    const GameVariant *variant = r->out->variant;
    char expected[96];
    word_take(r);
    *sq = strlen(r->word) == 2 ? square_parse(variant, r->word) : -1;
    snprintf(expected, sizeof(expected), "a square of the %dx%d board behind %s", variant->size,
             variant->size, what);
    return *sq >= 0 ? 0 : word_wrong(r, expected);
}

/* ---- senders ---- */

/* A number, a range or a star, 0..n-1, from *at on. */
static bool range_take(int *first, int *last, const char **at, int n)
{
    char *end;
    if (**at == '*') {
        *first = 0;
        *last = n - 1;
        (*at)++;
        return n > 0;
    }
    if (**at < '0' || **at > '9') {
        return false;
    }
    long low = strtol(*at, &end, 10), high = low;
    if (*end == '-' && end[1] >= '0' && end[1] <= '9') {
        high = strtol(end + 1, &end, 10);
    }
    *at = end;
    *first = (int)(low < INT_MAX ? low : INT_MAX);
    *last = (int)(high < INT_MAX ? high : INT_MAX);
    return *first <= *last && *last < n;
}

static int sender_twice(const Graph *graph, size_t sender)
{
    char name[GRAPH_NAME_MAX];
    graph_sender_name(name, graph_sender(graph, sender));
    return err_set(OGPT_EFORMAT, "%s is in two groups of the node, expected it in one", name);
}

/* Put the senders that a word names into a group (1 and up). Returns 0 or OGPT_EFORMAT: one is in
 * another group already. *known false: the word names none of this network. */
static int senders_mark(bool *known, HypothesisNode *node, uint8_t group, const Graph *graph,
                        const char *word)
{
    int layer = -1, last_layer = -1, head = -1, last_head = -1;
    const char *at = word + 1;
    bool mlp = strncmp(word, "mlp", 3) == 0, all = strcmp(word, "*") == 0;
    *known = true;
    for (size_t s = 0; s < graph->n_senders && all; s++) {
        if (node->senders[s] && node->senders[s] != group) {
            return sender_twice(graph, s);
        }
        node->senders[s] = group;
    }
    if (all) {
        return 0;
    }
    if (strcmp(word, "input") != 0) {
        at = mlp ? word + 3 : at;
        *known = (mlp || word[0] == 'L') && range_take(&layer, &last_layer, &at, graph->n_layers) &&
                 (mlp || (*at++ == 'H' && range_take(&head, &last_head, &at, graph->n_heads))) &&
                 *at == '\0';
    }
    for (int l = layer; l <= last_layer && *known; l++) {
        for (int h = head; h <= last_head; h++) {
            SenderKind kind = l < 0 ? SENDER_INPUT : mlp ? SENDER_MLP : SENDER_HEAD;
            size_t s = graph_sender_index(graph, (Sender){kind, l, h});
            if (node->senders[s] && node->senders[s] != group) {
                return sender_twice(graph, s);
            }
            node->senders[s] = group;
        }
    }
    return 0;
}

/* One group of senders, up to "at", "and" or "carries", which is left in reader->word. */
static int senders_take(HypothesisNode *node, HypothesisReader *r)
{
    const Graph *graph = r->graph;
    char expected[160];
    size_t n_words = 0;
    snprintf(expected, sizeof(expected),
             "input, L0H0 to L%dH%d, mlp0 to mlp%d, or *, then at, and or carries",
             graph->n_layers - 1, graph->n_heads - 1, graph->n_layers - 1);
    for (word_take(r); !word_is(r, "at") && !word_is(r, "carries") && !word_is(r, "and");
         word_take(r), n_words++) {
        bool known;
        int rc = senders_mark(&known, node, (uint8_t)node->n_groups, graph, r->word);
        if (rc != 0 || !known) {
            return rc ? rc : word_wrong(r, expected);
        }
    }
    return n_words > 0 ? 0 : word_wrong(r, expected);
}

static void senders_count(HypothesisNode *node, const Graph *graph)
{
    for (size_t s = 0; s < graph->n_senders; s++) {
        if (node->senders[s]) {
            node->first = node->n_senders == 0 ? s : node->first;
            node->last = s;
            node->n_senders++;
        }
    }
}

/* ---- places and features ---- */

static int place_take(ReadPlace *place, HypothesisReader *r)
{
    static const char *const words[] = {"self", "back", "placed", "last-set", "mine", "theirs"};
    int kind = 0;
    int rc = 0;
    *place = (ReadPlace){.sq = -1};
    word_take(r);
    while (kind <= PLACE_THEIRS && !word_is(r, words[kind])) {
        kind++;
    }
    if (kind > PLACE_THEIRS) {
        return word_wrong(r, "self, back, placed, last-set, mine or theirs behind at");
    }
    place->kind = (PlaceKind)kind;
    if (place->kind == PLACE_BACK) {
        char *end;
        word_take(r);
        place->back = (int)strtol(r->word, &end, 10);
        if (strlen(r->word) > 2 || *end != '\0' || place->back < 1 ||
            place->back >= r->out->variant->n_moves) {
            rc = word_wrong(r, "a number of positions from 1 on behind back");
        }
    } else if (place->kind == PLACE_PLACED || place->kind == PLACE_LAST_SET) {
        rc = square_take(&place->sq, r, words[kind]);
        if (rc == 0 && place->kind == PLACE_PLACED && (r->out->variant->centre >> place->sq & 1)) {
            rc = word_wrong(r, "a square that a move fills: the centre is full from the start");
        }
    }
    return rc;
}

static int feature_take(Feature *feature, HypothesisReader *r)
{
    static const char *const words[] = {"everything", "nothing", "mover", "last"};
    *feature = (Feature){.sq = -1};
    word_take(r);
    for (int kind = 0; kind < FEATURE_TASK; kind++) {
        if (word_is(r, words[kind])) {
            feature->kind = (FeatureKind)kind;
            return 0;
        }
    }
    feature->kind = FEATURE_TASK;
    feature->task = task_find(r->word);
    if (!feature->task) {
        return word_wrong(
            r, "everything, nothing, mover, last or a task behind carries (" TASK_NAMES ")");
    }
    return 0;
}

/* Whether a square may follow: what comes next is neither a comma nor "<-" nor the end. */
static bool square_follows(const HypothesisReader *r)
{
    HypothesisReader ahead = *r;
    word_take(&ahead);
    return ahead.word[0] != '\0' && !word_is(&ahead, ",") && !word_is(&ahead, "<-");
}

/* Commas between places, up to "and" or "carries". */
static int places_take(NodeGroup *group, HypothesisReader *r)
{
    int rc = 0;
    do {
        if (group->n_places == HYPOTHESIS_MAX_PLACES) {
            return err_set(OGPT_EFORMAT, "more than %d positions behind at", HYPOTHESIS_MAX_PLACES);
        }
        rc = place_take(&group->places[group->n_places++], r);
        if (rc == 0) {
            word_take(r);
        }
    } while (rc == 0 && word_is(r, ","));
    return rc || word_is(r, "carries") || word_is(r, "and")
               ? rc
               : word_wrong(r, "a comma, and or carries");
}

/* Groups of senders, up to "carries". */
static int groups_take(HypothesisNode *node, HypothesisReader *r)
{
    int rc = 0;
    do {
        if (node->n_groups == HYPOTHESIS_MAX_GROUPS) {
            return err_set(OGPT_EFORMAT, "more than %d groups of senders", HYPOTHESIS_MAX_GROUPS);
        }
        NodeGroup *group = &node->groups[node->n_groups++];
        rc = senders_take(node, r);
        rc = rc ? rc : word_is(r, "at") ? places_take(group, r) : 0;
    } while (rc == 0 && word_is(r, "and"));
    senders_count(node, r->graph);
    return rc;
}

/* Commas between features, up to "<-" or the end. */
static int features_take(HypothesisNode *node, HypothesisReader *r)
{
    int rc = 0;
    do {
        if (node->n_features == HYPOTHESIS_MAX_FEATURES) {
            return err_set(OGPT_EFORMAT, "more than %d features behind carries",
                           HYPOTHESIS_MAX_FEATURES);
        }
        Feature *feature = &node->features[node->n_features++];
        rc = feature_take(feature, r);
        if (rc == 0 && feature->task && square_follows(r)) {
            rc = square_take(&feature->sq, r, feature->task->name);
        }
        if (rc == 0) {
            word_take(r);
        }
    } while (rc == 0 && word_is(r, ","));
    return rc || word_is(r, "<-") || r->word[0] == '\0' ? rc
                                                        : word_wrong(r, "a comma, <- or the end");
}

/* ---- lines ---- */

/* The names behind "<-". index: of the node, or HYPOTHESIS_MAX_NODES for the logits. */
static int inputs_take(HypothesisReader *r, size_t index)
{
    InputNames *inputs = r->inputs;
    for (word_take(r); r->word[0]; word_take(r)) {
        if (inputs->n[index] == HYPOTHESIS_MAX_NODES) {
            return err_set(OGPT_EFORMAT, "more than %d nodes behind <-", HYPOTHESIS_MAX_NODES);
        }
        if (strlen(r->word) >= HYPOTHESIS_NAME_MAX || word_is(r, ",") || word_is(r, "=") ||
            word_is(r, "<-")) {
            return word_wrong(r, "the name of a node behind <-");
        }
        memcpy(inputs->names[index][inputs->n[index]++], r->word, strlen(r->word) + 1);
    }
    return 0;
}

static int node_find(const Hypothesis *hypothesis, const char *name)
{
    for (size_t i = 0; i < hypothesis->n_nodes; i++) {
        if (strcmp(hypothesis->nodes[i].name, name) == 0) {
            return (int)i;
        }
    }
    return -1;
}

static int node_take(HypothesisReader *r)
{
    Hypothesis *out = r->out;
    HypothesisNode *node = &out->nodes[out->n_nodes];
    int rc = 0;
    if (out->n_nodes == HYPOTHESIS_MAX_NODES) {
        return err_set(OGPT_EFORMAT, "more than %d nodes", HYPOTHESIS_MAX_NODES);
    }
    word_take(r);
    if (!r->word[0] || strchr("=,<*", r->word[0]) || strlen(r->word) >= HYPOTHESIS_NAME_MAX ||
        word_is(r, "logits")) {
        return word_wrong(r, "a name of up to 23 characters behind node");
    }
    if (node_find(out, r->word) >= 0) {
        return err_set(OGPT_EFORMAT, "node %s is there already, in line %zu; expected another name",
                       r->word, out->nodes[node_find(out, r->word)].line);
    }
    memcpy(node->name, r->word, strlen(r->word) + 1);
    node->line = r->line;
    node->senders = out->block + out->n_nodes * r->graph->n_senders;
    word_take(r);
    rc = word_is(r, "=") ? groups_take(node, r) : word_wrong(r, "= behind the node's name");
    rc = rc ? rc : features_take(node, r);
    rc = rc ? rc : word_is(r, "<-") ? inputs_take(r, out->n_nodes) : 0;
    out->n_nodes++;
    return rc;
}

/* Heads and squares have names on every board, so only the file can say which one it means. */
static int board_take(HypothesisReader *r)
{
    char own[16];
    int size = r->out->variant->size;
    if (r->board_line) {
        return err_set(OGPT_EFORMAT, "a second board, expected one; the first is in line %zu",
                       r->board_line);
    }
    r->board_line = r->line;
    snprintf(own, sizeof(own), "%dx%d", size, size);
    word_take(r);
    if (!word_is(r, "4x4") && !word_is(r, "6x6") && !word_is(r, "8x8")) {
        return word_wrong(r, "4x4, 6x6 or 8x8 behind board");
    }
    if (!word_is(r, own)) {
        return err_set(OGPT_EFORMAT,
                       "a hypothesis about a network of the board %s, expected %s: this network "
                       "plays that one",
                       r->word, own);
    }
    word_take(r);
    return r->word[0] ? word_wrong(r, "the end of the line") : 0;
}

static int metric_take(HypothesisReader *r)
{
    Hypothesis *out = r->out;
    bool legal, empty;
    int rc = 0;
    if (r->metric_line) {
        return err_set(OGPT_EFORMAT, "a second metric, expected one; the first is in line %zu",
                       r->metric_line);
    }
    r->metric_line = r->line;
    word_take(r);
    legal = word_is(r, "legal");
    empty = word_is(r, "empty");
    if (!legal && !empty) {
        return word_wrong(r, "legal, legal SQUARE or empty SQUARE behind metric");
    }
    if (empty || square_follows(r)) {
        out->metric = legal ? SCRUB_LEGAL_SQUARE : SCRUB_EMPTY_SQUARE;
        rc = square_take(&out->metric_sq, r, "metric");
        if (rc == 0 && (out->variant->centre >> out->metric_sq & 1)) {
            rc = word_wrong(r, "a square that can be played: the network has no logit of a centre "
                               "square");
        }
    }
    word_take(r);
    return rc || !r->word[0] ? rc : word_wrong(r, "the end of the line");
}

static int logits_take(HypothesisReader *r)
{
    if (r->logits_line) {
        return err_set(OGPT_EFORMAT, "the logits a second time, expected once; line %zu has them",
                       r->logits_line);
    }
    r->logits_line = r->line;
    word_take(r);
    return word_is(r, "<-") ? inputs_take(r, HYPOTHESIS_MAX_NODES)
                            : word_wrong(r, "<- behind logits");
}

static int line_take(HypothesisReader *r, const char *line, size_t length)
{
    const char *comment = memchr(line, '#', length);
    if (length > HYPOTHESIS_LINE_MAX) {
        return err_set(OGPT_EFORMAT, "a line of %zu bytes, expected %d at most", length,
                       HYPOTHESIS_LINE_MAX);
    }
    for (size_t i = 0; i < length; i++) {
        if ((unsigned char)line[i] < ' ' && !is_blank(line[i])) {
            return err_set(OGPT_EFORMAT, "byte %d at character %zu, expected text",
                           (unsigned char)line[i], i + 1);
        }
    }
    r->at = line;
    r->end = comment ? comment : line + length;
    word_take(r);
    return !r->word[0]            ? 0
           : word_is(r, "board")  ? board_take(r)
           : word_is(r, "metric") ? metric_take(r)
           : word_is(r, "logits") ? logits_take(r)
           : word_is(r, "node")   ? node_take(r)
                                  : word_wrong(r, "board, metric, logits, node or a comment (#)");
}

/* ---- who reads whom ---- */

/* Every sender of `input` writes before any sender of `reader` reads. */
static int order_check(const HypothesisNode *reader, const HypothesisNode *input,
                       const Graph *graph)
{
    char early[GRAPH_NAME_MAX], late[GRAPH_NAME_MAX];
    /* All heads of a layer see the same, and its MLP sees more, so the first reads least. */
    if (input->last < graph_reads(graph, reader->first)) {
        return 0;
    }
    graph_sender_name(early, graph_sender(graph, reader->first));
    graph_sender_name(late, graph_sender(graph, input->last));
    return err_set(OGPT_EFORMAT,
                   "node %s reads node %s, but %s reads before %s writes; expected inputs from "
                   "earlier parts of the network",
                   reader->name, input->name, early, late);
}

/* inputs[] from the names; reader NULL: the logits. */
static int inputs_resolve(HypothesisReader *r, HypothesisNode *reader, size_t index)
{
    Hypothesis *out = r->out;
    const InputNames *names = r->inputs;
    int *inputs = reader ? reader->inputs : out->inputs;
    size_t *n_inputs = reader ? &reader->n_inputs : &out->n_inputs;
    int rc = 0;
    for (size_t i = 0; i < names->n[index] && rc == 0; i++) {
        const char *name = names->names[index][i];
        int found = node_find(out, name);
        if (found < 0) {
            return err_set(OGPT_EFORMAT, "\"%s\" is no node of this file, expected the name of one",
                           name);
        }
        for (size_t k = 0; k < *n_inputs; k++) {
            const HypothesisNode *other = &out->nodes[inputs[k]];
            for (size_t s = 0; s < r->graph->n_senders; s++) {
                if (other->senders[s] && out->nodes[found].senders[s]) {
                    char sender[GRAPH_NAME_MAX];
                    graph_sender_name(sender, graph_sender(r->graph, s));
                    return err_set(OGPT_EFORMAT,
                                   "%s reads %s twice, in %s and in %s; expected one node for it",
                                   reader ? reader->name : "logits", sender, other->name, name);
                }
            }
        }
        rc = reader ? order_check(reader, &out->nodes[found], r->graph) : 0;
        inputs[(*n_inputs)++] = found;
    }
    return rc;
}

static int node_check(const HypothesisReader *r, const HypothesisNode *node)
{
    size_t index = (size_t)(node - r->out->nodes);
    bool read = false;
    for (size_t s = 0; s < r->graph->n_senders; s++) {
        if (node->senders[s] && node->groups[node->senders[s] - 1].n_places > 0 &&
            graph_sender(r->graph, s).kind != SENDER_HEAD) {
            char name[GRAPH_NAME_MAX];
            graph_sender_name(name, graph_sender(r->graph, s));
            return err_set(OGPT_EFORMAT,
                           "%s at positions, expected heads only: nothing else reads "
                           "earlier positions",
                           name);
        }
    }
    for (size_t i = 0; i < r->out->n_nodes; i++) {
        for (size_t k = 0; k < r->out->nodes[i].n_inputs; k++) {
            read = read || r->out->nodes[i].inputs[k] == (int)index;
        }
    }
    for (size_t k = 0; k < r->out->n_inputs; k++) {
        read = read || r->out->inputs[k] == (int)index;
    }
    return read ? 0
                : err_set(OGPT_EFORMAT, "nobody reads node %s, expected its name behind a <-",
                          node->name);
}

static int graph_check(HypothesisReader *r, const char *origin)
{
    Hypothesis *out = r->out;
    int rc = 0;
    if (!r->logits_line) {
        return err_set(OGPT_EFORMAT, "%s: no line logits <- NODES, expected one", origin);
    }
    rc = inputs_resolve(r, NULL, HYPOTHESIS_MAX_NODES);
    if (rc != 0) {
        return err_set(rc, "%s:%zu: %s", origin, r->logits_line, err_message());
    }
    for (size_t i = 0; i < out->n_nodes && rc == 0; i++) {
        rc = inputs_resolve(r, &out->nodes[i], i);
        rc = rc ? err_set(rc, "%s:%zu: %s", origin, out->nodes[i].line, err_message()) : 0;
    }
    for (size_t i = 0; i < out->n_nodes && rc == 0; i++) {
        rc = node_check(r, &out->nodes[i]);
        rc = rc ? err_set(rc, "%s:%zu: %s", origin, out->nodes[i].line, err_message()) : 0;
    }
    return rc;
}

/* ---- files ---- */

int hypothesis_parse(Hypothesis *out, const Graph *graph, const GameVariant *variant,
                     const char *text, size_t n_bytes, const char *origin)
{
    HypothesisReader reader = {.out = out, .graph = graph};
    const char *at = text, *end = text + n_bytes;
    int rc = 0;
    *out = (Hypothesis){.variant = variant, .metric_sq = -1};
    out->block =
        mem_calloc(HYPOTHESIS_MAX_NODES * graph->n_senders, sizeof(*out->block), "hypothesis");
    reader.inputs = mem_calloc(1, sizeof(*reader.inputs), "hypothesis");
    rc = out->block && reader.inputs ? 0 : OGPT_ENOMEM;
    while (at < end && rc == 0) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        size_t length = (size_t)((newline ? newline : end) - at);
        reader.line++;
        rc = line_take(&reader, at, length);
        rc = rc ? err_set(rc, "%s:%zu: %s", origin, reader.line, err_message()) : 0;
        at += length + (newline ? 1 : 0);
    }
    rc = rc ? rc : graph_check(&reader, origin);
    mem_free(reader.inputs);
    if (rc != 0) {
        hypothesis_release(out);
    }
    return rc;
}

int hypothesis_read(Hypothesis *out, const Graph *graph, const GameVariant *variant,
                    const char *path)
{
    void *text = NULL;
    size_t n_bytes = 0;
    int rc =
        file_read_named(&text, &n_bytes, path, HYPOTHESIS_FILE_MAX, "a hypothesis (a text file)");
    memset(out, 0, sizeof(*out));
    rc = rc ? rc : hypothesis_parse(out, graph, variant, text, n_bytes, path);
    mem_free(text);
    return rc;
}
