# tools/figures/boards.awk - the boards that `ogpt show` prints, as one SVG picture:
#     ogpt show tiny-6x6 --layers 4 --flip d4 --moves '...' | awk -v ring=d4 -f tools/figures/boards.awk >docs/boards.svg
# ring: the square that gets a ring on edited boards. One row of boards, in the order of the text; a block with the
# heading "edited board" begins a second half.
BEGIN { CELL = 26; GAP = 34; TOP = 30 }

function text(x, y, size, what, extra) {
    out = out sprintf("<text x=\"%d\" y=\"%d\" font-size=\"%d\" %s>%s</text>\n", x, y, size, extra, what)
}

function board(at, k, title, row, column, x, y, piece, half) {
    half = title_of[k]
    x = left[k]
    text(x, TOP - 10, 12, half, "font-weight=\"bold\"")
    out = out sprintf("<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"#2f7d4f\"/>\n", x, TOP, n * CELL, n * CELL)
    for (row = 1; row < n; row++) {
        out = out sprintf("<path d=\"M%d %dh%dM%d %dv%d\" stroke=\"#1f5636\"/>\n", x, TOP + row * CELL, n * CELL,
                          x + row * CELL, TOP, n * CELL)
    }
    for (row = 1; row <= n; row++) {
        for (column = 1; column <= n; column++) {
            piece = cell[k, row, column]
            at = sprintf("cx=\"%d\" cy=\"%d\"", x + (column - 0.5) * CELL, TOP + (row - 0.5) * CELL)
            if (piece == "X") out = out "<circle " at " r=\"10\" fill=\"#111\"/>\n"
            if (piece == "O") out = out "<circle " at " r=\"10\" fill=\"#f7f7f2\"/>\n"
            if (piece == "*") out = out "<circle " at " r=\"3\" fill=\"#f2c94c\"/>\n"
            if (second[k] && sprintf("%c%d", 96 + column, row) == ring)
                out = out "<circle " at " r=\"11\" fill=\"none\" stroke=\"#e4572e\" stroke-width=\"3\"/>\n"
        }
    }
}

/^ +a b / { # letters: where each board of this row of boards begins
    n_starts = 0
    size = 0
    for (i = 1; i <= length($0); i++) {
        letter = substr($0, i, 1)
        if (letter == "a") starts[++n_starts] = i
        if (letter != " " && n_starts == 1) size++
    }
    n = size
    for (k = 1; k <= n_starts; k++) {
        heading = substr(headings, starts[k] - 2)
        if (k < n_starts) heading = substr(heading, 1, starts[k + 1] - starts[k])
        sub(/^ +/, "", heading); sub(/ +$/, "", heading); sub(/: [0-9]+ wrong$/, "", heading); sub(/^layer/, "inside: layer", heading)
        if (heading == "edited board") edited = 1
        title_of[n_boards + k] = heading (edited && heading != "edited board" ? ", edited" : "")
        second[n_boards + k] = edited
    }
    first = n_boards
    n_boards += n_starts
    next
}
/^[1-8] [.XO*]/ && n_starts {
    for (k = 1; k <= n_starts; k++)
        for (column = 1; column <= n; column++)
            cell[first + k, $1 + 0, column] = substr($0, starts[k] + 2 * (column - 1), 1)
    next
}
{ headings = $0 }
END {
    x = 10
    for (k = 1; k <= n_boards; k++) {
        if (k > 1) x += n * CELL + GAP + (second[k] && !second[k - 1] ? 20 : 0)
        left[k] = x
    }
    for (k = 1; k <= n_boards; k++) board("", k)
    text(10, TOP + n * CELL + 20, 12, "yellow: legal moves; ring: the disc turned over inside the network", "")
    printf "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" font-family=\"sans-serif\">\n", \
           x + n * CELL + 10, TOP + n * CELL + 30
    printf "<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n%s</svg>\n", out
}
