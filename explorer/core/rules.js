/* rules.js - the rules of Othello on 4x4, 6x6 and 8x8, in the words of game/board.h: a square is
 * 8*row + column on every size, forced passes are made at once, and when the game is over the side
 * to move stays the one that would have been next. */

const EMPTY = 0;
const BLACK = 1;
const WHITE = 2;
const SIZES = [4, 6, 8];

const RULES_STEPS = [[-1, -1], [-1, 0], [-1, 1], [0, -1], [0, 1], [1, -1], [1, 0], [1, 1]];

function otherSide(side) {
    return BLACK + WHITE - side;
}

/* All squares of a board, row after row. */
function boardSquares(size) {
    const out = [];
    for (let row = 0; row < size; row++) {
        for (let column = 0; column < size; column++) {
            out.push(8 * row + column);
        }
    }
    return out;
}

function boardCentre(size) {
    const low = size / 2 - 1, high = size / 2;
    return [8 * low + low, 8 * low + high, 8 * high + low, 8 * high + high];
}

/* cells[sq] is EMPTY, BLACK or WHITE; mover is the side really to move. */
function boardStart(size) {
    const cells = new Uint8Array(64);
    const [topLeft, topRight, bottomLeft, bottomRight] = boardCentre(size);
    cells[topLeft] = cells[bottomRight] = WHITE;
    cells[topRight] = cells[bottomLeft] = BLACK;
    return { size, cells, mover: BLACK };
}

/* How many discs `side` turns over in one direction by a move on (row, column). */
function lineTurned(board, row, column, [down, right], side) {
    const { size, cells } = board, other = otherSide(side);
    let r = row + down, c = column + right, n = 0;
    while (r >= 0 && r < size && c >= 0 && c < size && cells[8 * r + c] === other) {
        r += down;
        c += right;
        n++;
    }
    return n > 0 && r >= 0 && r < size && c >= 0 && c < size && cells[8 * r + c] === side ? n : 0;
}

/* Discs that `side` turns over by a move on sq; none: the move is illegal. */
function boardFlips(board, sq, side) {
    const flips = [];
    for (const step of board.cells[sq] === EMPTY ? RULES_STEPS : []) {
        const n = lineTurned(board, sq >> 3, sq & 7, step, side);
        for (let i = 1; i <= n; i++) {
            flips.push(sq + i * (8 * step[0] + step[1]));
        }
    }
    return flips;
}

/* Legal moves in ascending order, at most `most` of them. */
function boardMoves(board, side = board.mover, most = 64) {
    const out = [];
    for (let row = 0; row < board.size; row++) {
        for (let column = 0; column < board.size; column++) {
            const sq = 8 * row + column;
            for (let i = 0; board.cells[sq] === EMPTY && i < RULES_STEPS.length; i++) {
                if (lineTurned(board, row, column, RULES_STEPS[i], side) > 0) {
                    if (out.push(sq) === most) {
                        return out;
                    }
                    break;
                }
            }
        }
    }
    return out;
}

function boardCanMove(board, side) {
    return boardMoves(board, side, 1).length > 0;
}

function boardIsOver(board) {
    return !boardCanMove(board, board.mover) && !boardCanMove(board, otherSide(board.mover));
}

/* The board after a legal move; passed: the other side had to pass. */
function boardPlay(board, sq) {
    const side = board.mover;
    const after = { size: board.size, cells: board.cells.slice(), mover: otherSide(side) };
    for (const flipped of boardFlips(board, sq, side)) {
        after.cells[flipped] = side;
    }
    after.cells[sq] = side;
    const blocked = !boardCanMove(after, after.mover), over = blocked && !boardCanMove(after, side);
    if (blocked && !over) {
        after.mover = side;
    }
    return { board: after, passed: blocked && !over, over };
}

/* Boards before the first move and after each. moves must be legal. */
function boardReplay(size, moves) {
    const boards = [boardStart(size)], passed = [false];
    for (const sq of moves) {
        const step = boardPlay(boards[boards.length - 1], sq);
        boards.push(step.board);
        passed.push(step.passed);
    }
    return { boards, passed };
}

/* A board with squares changed, [{sq, to}]. The mover stays unless only the other side can move
 * there (probes/cases/cases.h). */
function boardEdited(board, squares) {
    const edited = { size: board.size, cells: board.cells.slice(), mover: board.mover };
    for (const { sq, to } of squares) {
        edited.cells[sq] = to;
    }
    if (!boardCanMove(edited, edited.mover) && boardCanMove(edited, otherSide(edited.mover))) {
        edited.mover = otherSide(edited.mover);
    }
    return edited;
}

/* The hash that the tests compare with the engine's: of discs, side to move and legal moves. */
function boardHash(board, hash) {
    const legal = new Set(boardMoves(board));
    let h = hash;
    for (let sq = 0; sq < 64; sq++) {
        const value = board.cells[sq] + (legal.has(sq) ? 3 : 0);
        h = Math.imul(h ^ value, 16777619) >>> 0;
    }
    return Math.imul(h ^ board.mover, 16777619) >>> 0;
}
