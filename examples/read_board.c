/* The board that a network holds after the last move of a game. Build and run it (docs/LIBRARY.md):
 *   cc read_board.c $(pkg-config --cflags --libs ogpt) -o read_board
 *   ./read_board MODEL "f5 d6 c3" [PROBE] */
#include <ogpt.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    OgptReader *reader = NULL;
    char truth[65], read[65];
    if (argc < 3 || ogpt_reader_open(&reader, argv[1], argc > 3 ? argv[3] : NULL) != 0 ||
        ogpt_reader_play(reader, argv[2]) != 0) {
        fprintf(stderr, "read_board: %s\n", argc < 3 ? "MODEL and MOVES expected" : ogpt_error());
        return 1;
    }
    int size = ogpt_reader_size(reader), middle = ogpt_reader_layers(reader) / 2, wrong = 0;
    ogpt_reader_board(reader, truth);
    if (ogpt_reader_read(reader, read, middle) != 0) {
        fprintf(stderr, "read_board: %s\n", ogpt_error());
        return 1;
    }
    printf("true board, and what layer %d holds\n", ogpt_reader_layer(reader, middle));
    for (int row = 0; row < size; row++) {
        printf("%.*s  %.*s\n", size, truth + size * row, size, read + size * row);
    }
    for (int i = 0; i < size * size; i++) {
        wrong += truth[i] != read[i];
    }
    printf("squares read wrong: %d\n", wrong);
    ogpt_reader_close(reader);
    return 0;
}
