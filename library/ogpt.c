/* library/ogpt.c - contract in library/ogpt.h. */
#include "library/ogpt.h"

#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "game/notation.h"
#include "num/blas.h"
#include "probes/activations/subject.h"
#include "probes/board/probe.h"
#include "probes/edits/decode.h"
#include "probes/legality/answers.h"

struct OgptReader {
    Subject subject;
    Probe probe;
    Board board; /* after the moves */
    Colour viewer;
    int n_moves;
    Decoded decoded; /* after the last move; unset without one */
};

static int check_probe(const OgptReader *reader, const char *path)
{
    const Probe *probe = &reader->probe;
    int rc = subject_check_probe(&reader->subject, path, probe);
    rc = rc ? rc : probe_check_finished(probe, path);
    if (rc == 0 && strcmp(probe->task, "mine") != 0 && strcmp(probe->task, "colour") != 0) {
        rc = err_set(OGPT_EUSAGE, "%s reads task %s; a probe of mine or colour is required", path,
                     probe->task);
    }
    return rc;
}

int ogpt_reader_open(OgptReader **out, const char *model, const char *probe)
{
    char path[FILES_PATH_MAX], *warning = NULL;
    OgptReader *reader = mem_calloc(1, sizeof(*reader), "a reader");
    *out = NULL;
    if (!reader) {
        return OGPT_ENOMEM;
    }
    int rc = blas_reserve(1);
    rc = rc ? rc : path_join(path, model, PROBE_FOLDER);
    rc = rc ? rc : subject_open(&reader->subject, model, &warning);
    mem_free(warning); /* an older checkpoint was taken: its hash tells */
    rc = rc ? rc : probe_load(&reader->probe, probe ? probe : path);
    rc = rc ? rc : check_probe(reader, probe ? probe : path);
    if (rc) {
        ogpt_reader_close(reader);
        return rc;
    }
    reader->board = reader->subject.variant->start;
    *out = reader;
    return 0;
}

void ogpt_reader_close(OgptReader *reader)
{
    if (reader) {
        probe_release(&reader->probe);
        subject_release(&reader->subject);
        mem_free(reader);
    }
}

int ogpt_reader_size(const OgptReader *reader)
{
    return reader->subject.size;
}

int ogpt_reader_layers(const OgptReader *reader)
{
    return reader->probe.n_layers;
}

int ogpt_reader_layer(const OgptReader *reader, int place)
{
    return reader->probe.layers[place];
}

int ogpt_reader_play(OgptReader *reader, const char *text)
{
    const GameVariant *variant = reader->subject.variant;
    uint8_t moves[GAME_MAX_MOVES];
    Board after[GAME_MAX_MOVES];
    LabelConvention convention;
    int n = 0;
    int rc = moves_parse(moves, &n, variant, text);
    if (rc == 0 && n == 0) {
        rc = err_set(OGPT_EUSAGE, "no move found; give at least one, such as \"d3\"");
    }
    rc = rc ? rc : convention_parse(&convention, reader->probe.labels);
    Decoded *decoded = rc ? NULL : mem_alloc(1, sizeof(*decoded), "a decoded board");
    if (!decoded) {
        return rc ? rc : OGPT_ENOMEM;
    }
    rc = decode_game(decoded, &reader->subject, &reader->probe, moves, n, NULL);
    if (rc == 0) {
        game_replay(variant, moves, n, after);
        TaskPosition position = {variant, moves, after, n - 1, convention};
        reader->viewer = task_viewer(&position);
        reader->board = after[n - 1];
        reader->n_moves = n;
        reader->decoded = *decoded;
    }
    mem_free(decoded);
    return rc;
}

static void draw(char *out, int size, uint64_t black, uint64_t white)
{
    for (int i = 0; i < size * size; i++) {
        int sq = 8 * (i / size) + i % size;
        out[i] = black >> sq & 1 ? 'X' : white >> sq & 1 ? 'O' : '.';
    }
    out[size * size] = '\0';
}

void ogpt_reader_board(const OgptReader *reader, char *out)
{
    draw(out, reader->subject.size, board_discs(&reader->board, BLACK),
         board_discs(&reader->board, WHITE));
}

static int check_moves(const OgptReader *reader)
{
    return reader->n_moves > 0 ? 0 : err_set(OGPT_EUSAGE, "no move has been played yet");
}

int ogpt_reader_read(const OgptReader *reader, char *out, int place)
{
    uint64_t black = 0, white = 0;
    int rc = check_moves(reader), n = reader->probe.n_layers;
    if (rc == 0 && (place < 0 || place >= n)) {
        rc = err_set(OGPT_EUSAGE, "a layer in 0..%d expected, found %d", n - 1, place);
    }
    if (rc == 0) {
        decode_discs(&black, &white, &reader->probe, reader->viewer,
                     reader->decoded.classes[place]);
        draw(out, reader->subject.size, black, white);
    }
    return rc;
}

int ogpt_reader_next(const OgptReader *reader, float *out)
{
    const Vocab *vocab = reader->subject.vocab;
    double p[BOARD_SQUARES];
    int size = reader->subject.size, rc = check_moves(reader);
    if (rc) {
        return rc;
    }
    answer_probabilities(p, reader->decoded.logits, vocab->d_vocab);
    for (int i = 0; i < size * size; i++) {
        int tok = vocab->tok_of_sq[8 * (i / size) + i % size];
        out[i] = tok == TOK_PAD ? 0 : (float)p[tok];
    }
    return 0;
}

const char *ogpt_error(void)
{
    return err_message();
}

const char *ogpt_version(void)
{
    return OGPT_VERSION;
}
