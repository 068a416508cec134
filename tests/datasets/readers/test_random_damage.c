/* tests/datasets/readers/test_random_damage.c (links: datasets) - 10,000 random damages of files of
 * every text format: every game that is read is kept, rejected or without moves, and a damage costs
 * the games that it touches, never others. */
#include "tests/datasets/import_test.h"

#include "base/rng.h"

#define N_GAMES 6
#define MOST 64
#define STRETCH 40
#define EDGE 1

/* The games of all files below, in their order. */
static const char *const games_in_files[N_GAMES] = {"f5 d6 c3 d3 c4 f4", "d3 c5 f6 f5 e6 e3",
                                                    "e6 f4 e3 f6 g5 d6", "c4 c3 d3 c5 b4 e3",
                                                    "f5 f4 e3 f6 d3 c5", "d3 c3 c4 c5 d6 f4"};

/* How a format states one game, by its moves in names with blanks. */
typedef struct Writer {
    const char *format, *head;
    void (*write)(FILE *file, int number, const char *moves);
} Writer;

static void write_pgn(FILE *file, int number, const char *moves)
{
    fprintf(file, "[Event \"%d\"]\n[White \"J\xe1n\"]\n[Result \"*\"]\n\n1. ", number);
    for (int t = 0; t < 6; t++) {
        fprintf(file, "%.2s%s", moves + 3 * t, t == 1 ? " {a comment} (1. f5)\n" : " ");
    }
    fputs("*\n\n", file);
}

static void write_ggf(FILE *file, int number, const char *moves)
{
    fprintf(file, "(;GM[Othello]PC[GGS/os]PB[%d]PW[b]RE[?]TY[8]", number);
    for (int t = 0; t < 6; t++) {
        fprintf(file, "%s[%.2s//1.%d]", t % 2 == 0 ? "B" : "W", moves + 3 * t, t);
    }
    fputs(";)\n", file);
}

static void write_text(FILE *file, int number, const char *moves)
{
    fprintf(file, "%s # %d\n", moves, number);
}

static void write_logistello(FILE *file, int number, const char *moves)
{
    for (int t = 0; t < 6; t++) {
        fprintf(file, "%c%.2s", t % 2 == 0 ? '+' : '-', moves + 3 * t);
    }
    fprintf(file, ": +0%d 0\n", number);
}

static void write_csv(FILE *file, int number, const char *moves)
{
    fprintf(file, "%d,\"a, b\",%s,x\n", number, moves);
}

static void write_drops(FILE *file, int number, const char *moves)
{
    for (int t = 0; t < 6; t++) {
        fprintf(file, "P@%c%c ", moves[3 * t], '1' + '8' - moves[3 * t + 1]);
    }
    fprintf(file, "# %d\n", number);
}

static const Writer writers[] = {{"pgn", "", write_pgn},
                                 {"ggf", "", write_ggf},
                                 {"text", "", write_text},
                                 {"logistello", "", write_logistello},
                                 {"csv", "id,who,moves,y\n", write_csv},
                                 {"drops", "", write_drops}};
#define N_WRITERS (sizeof(writers) / sizeof(*writers))

/* The file of a format; where[i] is its first byte of game i, where[N_GAMES] its size. */
static uint8_t *file_of(const Writer *writer, size_t where[N_GAMES + 1])
{
    char *bytes = NULL;
    size_t n = 0;
    FILE *file = open_memstream(&bytes, &n);
    assert_non_null(file);
    fputs(writer->head, file);
    for (int i = 0; i < N_GAMES; i++) {
        fflush(file);
        where[i] = n;
        writer->write(file, i + 1, games_in_files[i]);
    }
    fclose(file);
    where[N_GAMES] = n;
    return (uint8_t *)bytes;
}

/* Games of the file "games" as they come out of the check. */
typedef struct Found {
    int n, n_kept, n_rejected, n_without_moves;
    char kept[MOST][3 * GAME_MAX_MOVES + 1];
} Found;

static void read_found(Found *out, const char *format)
{
    const ReadOptions options = read_options(format);
    const CheckOptions check = {.variant = game_variant(8), .first_move = SQ_NONE};
    GameReader *reader = NULL;
    RawGame games[8];
    size_t n = 0;
    memset(out, 0, sizeof(*out));
    if (game_reader_open(&reader, path_of("games"), &options) != 0) {
        fail_msg("%s: %s", format, err_message());
    }
    while (game_reader_next(reader, games, 8, &n) == 0 && n > 0) {
        for (size_t i = 0; i < n; i++) {
            CheckedGame game;
            game_check(&game, &games[i], &check);
            out->n++;
            out->n_rejected += game.verdict == CHECK_REJECTED && games[i].fault[0] != '\0';
            out->n_without_moves += game.verdict == CHECK_NO_MOVES;
            if (game.verdict == CHECK_LEGAL) {
                assert_true(out->n_kept < MOST);
                moves_print(out->kept[out->n_kept++], game.moves, game_length(game.moves, 60));
            }
        }
    }
    assert_int_equal(game_reader_bytes_read(reader), game_reader_bytes(reader));
    game_reader_close(reader);
}

/* Whether game i came out as it was written; the games before are found before it. */
static bool was_kept(const Found *found, int game, int *from)
{
    for (int i = *from; i < found->n_kept; i++) {
        if (strcmp(found->kept[i], games_in_files[game]) == 0) {
            *from = i + 1;
            return true;
        }
    }
    return false;
}

/* One damage at a place: a byte set, removed, put in, or up to STRETCH bytes removed. Returns the
 * new size; *end: behind the last byte of the sound file that is not as it was. */
static size_t damage(size_t *end, uint8_t *bytes, size_t n, size_t place, Rng *rng)
{
    static const char special[] = "[](){}\"\\;%*-+,:#\n\0 9";
    const uint8_t byte = rng_below(rng, 2) == 0
                             ? (uint8_t)special[rng_below(rng, sizeof(special) - 1)]
                             : (uint8_t)rng_below(rng, 256);
    *end = place + 1;
    switch (rng_below(rng, 4)) {
    case 0: bytes[place] = byte; return n;
    case 1: memmove(bytes + place, bytes + place + 1, n - place - 1); return n - 1;
    case 2:
        memmove(bytes + place + 1, bytes + place, n - place);
        bytes[place] = byte;
        return n + 1;
    default: break;
    }
    size_t length = 1 + rng_below(rng, STRETCH);
    length = length < n - place ? length : n - place;
    *end = place + length;
    memmove(bytes + place, bytes + place + length, n - place - length);
    return n - length;
}

/* Whether a damage lies in game g, or in the EDGE bytes before it, a line end. */
static bool is_touched(const size_t where[N_GAMES + 1], int g, size_t place, size_t end)
{
    return place < where[g + 1] && end + EDGE > where[g];
}

static void a_damage_costs_only_what_it_touches(void **state)
{
    static Found found;
    static const int n_rounds[N_WRITERS] = {4000, 2500, 2000, 500, 500, 500};
    for (size_t w = 0; w < N_WRITERS; w++) {
        size_t where[N_GAMES + 1];
        uint8_t *sound = file_of(&writers[w], where);
        const size_t n_sound = where[N_GAMES];
        uint8_t *bytes = malloc(n_sound + 1);
        uint64_t n_lost = 0;
        assert_non_null(bytes);
        put("games", sound, n_sound);
        read_found(&found, "auto");
        assert_int_equal(found.n_kept, N_GAMES);
        for (int i = 0; i < n_rounds[w]; i++) {
            Rng rng = rng_at(7, RNG_TEST, (uint64_t)i);
            const size_t first = strlen(writers[w].head);
            const size_t place = first + rng_below(&rng, (uint32_t)(n_sound - first));
            size_t end = 0;
            memcpy(bytes, sound, n_sound);
            const size_t n = damage(&end, bytes, n_sound, place, &rng);
            put("games", bytes, n);
            read_found(&found, writers[w].format);
            if (found.n != found.n_kept + found.n_rejected + found.n_without_moves) {
                fail_msg("%s, damage %d: read %d, kept %d, rejected %d, without moves %d",
                         writers[w].format, i, found.n, found.n_kept, found.n_rejected,
                         found.n_without_moves);
            }
            for (int g = 0, from = 0; g < N_GAMES; g++) {
                const bool kept = was_kept(&found, g, &from);
                n_lost += !kept;
                if (!kept && !is_touched(where, g, place, end)) {
                    fail_msg("%s, damage %d at byte %zu lost game %d:\n%.*s", writers[w].format, i,
                             place, g + 1, (int)n, (const char *)bytes);
                }
            }
        }
        assert_true(n_lost > 0); /* damage is noticed */
        free(bytes);
        free(sound);
    }
}

/* The import counts what the reader gives: read = kept + rejected + without moves, and with
 * --dedupe + duplicates. */
static void the_import_counts_every_game(void **state)
{
    static Found found;
    for (size_t w = 0; w < 3; w++) {
        size_t where[N_GAMES + 1];
        uint8_t *sound = file_of(&writers[w], where);
        uint8_t *bytes = malloc(where[N_GAMES] + 1);
        assert_non_null(bytes);
        for (int i = 0; i < 12; i++) {
            Rng rng = rng_at(8, RNG_TEST, (uint64_t)i);
            ImportOptions options = import_options(8);
            ImportResult result;
            size_t end = 0;
            const size_t place = rng_below(&rng, (uint32_t)where[N_GAMES]);
            memcpy(bytes, sound, where[N_GAMES]);
            const size_t n = damage(&end, bytes, where[N_GAMES], place, &rng);
            put("games", bytes, n);
            options.read.format = writers[w].format;
            options.skip_bad = true;
            options.dedupe = true;
            read_found(&found, writers[w].format);
            assert_int_equal(import_into(&result, "games", &options), 0);
            const ImportCounts *counts = &result.counts;
            assert_int_equal(counts->read, found.n);
            assert_int_equal(counts->rejected, found.n_rejected);
            assert_int_equal(counts->games + counts->duplicates, found.n_kept);
            assert_int_equal(counts->read, counts->games + counts->duplicates + counts->rejected +
                                               counts->no_moves);
        }
        free(bytes);
        free(sound);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_damage_costs_only_what_it_touches),
        cmocka_unit_test(the_import_counts_every_game),
    };
    return cmocka_run_group_tests(tests, work_create, work_remove);
}
