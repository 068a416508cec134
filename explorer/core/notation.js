/* notation.js - squares and games as text. */

const NOTATION_MAX = 4000; /* characters of a pasted game */
const PASS_WORDS = ['pass', '0000', '--', 'pa', 'ps', '@@'];

function squareName(sq) {
    return 'abcdefgh'[sq & 7] + ((sq >> 3) + 1);
}

/* "c4" or "C4" -> square, -1 if it is none of this board. */
function squareParse(size, text) {
    if (!/^[a-h][1-8]$/i.test(text)) {
        return -1;
    }
    const column = text.toLowerCase().charCodeAt(0) - 97, row = Number(text[1]) - 1;
    return column < size && row < size ? 8 * row + column : -1;
}

function sideName(side) {
    return side === BLACK ? 'black' : 'white';
}

function movesPrint(moves, between = ' ') {
    return moves.map(squareName).join(between);
}

/* At most a few characters of what was found; what cannot be shown as its number. */
function shown(text) {
    const out = Array.from(text).slice(0, 6).map((c) =>
        /[ -~]/.test(c) ? c : '\\u' + c.codePointAt(0).toString(16).padStart(4, '0'));
    return out.length ? '“' + out.join('') + '”' : 'the end';
}

function refuseMove(board, sq) {
    const name = squareName(sq), side = sideName(board.mover);
    if (board.cells[sq] !== EMPTY) {
        return `${name} is occupied`;
    }
    if (boardIsOver(board)) {
        return `the game is over, but ${name} follows`;
    }
    const would = boardFlips(board, sq, otherSide(board.mover)).length;
    return `${name} turns nothing over for ${side}, who is to move` +
        (would ? ` (it would for ${sideName(otherSide(board.mover))})` : '');
}

/* Games as people write them: f5d6c3, F5 D6, f5-d6, "1. f5 d6 2. c3", a pass where one is forced.
 * Returns {moves, error}: error is '' or why the game ends where it does; moves are those before. */
function movesParse(size, text) {
    let board = boardStart(size), at = 0, owed = false;
    const moves = [];
    const refuse = (reason) => ({ moves, error: `move ${moves.length + 1}: ${reason}` });
    if (text.length > NOTATION_MAX) {
        return refuse(`a game of ${text.length} characters, expected at most ${NOTATION_MAX}`);
    }
    while (at < text.length) {
        const rest = text.slice(at), lower = rest.toLowerCase();
        const pass = PASS_WORDS.find((word) => lower.startsWith(word));
        const skipped = /^([ \t\r\n\u00a0,-]|\d+\.+(?!\d))/.exec(rest);
        if (pass) {
            if (!owed && !boardIsOver(board)) {
                return refuse(`a pass, but ${sideName(board.mover)} has a legal move`);
            }
            owed = false;
            at += pass.length;
            continue;
        }
        if (skipped) {
            at += skipped[0].length;
            continue;
        }
        const sq = squareParse(size, rest.slice(0, 2));
        if (sq < 0 || /^..\d(?!\d*\.)/.test(rest) && !lower.slice(2).startsWith('0000')) {
            const last = 'abcdefgh'[size - 1] + size;
            return refuse(`expected a square a1 to ${last}, found ${shown(rest)}`);
        }
        if (!boardFlips(board, sq, board.mover).length) {
            return refuse(refuseMove(board, sq));
        }
        const step = boardPlay(board, sq);
        board = step.board;
        owed = step.passed;
        moves.push(sq);
        at += 2;
    }
    return { moves, error: '' };
}
