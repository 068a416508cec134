/* answer.js - what the network plays, judged by the rules: legal moves of the edited board against
 * its first choices, before the edit and after it. */

/* Cells of a judged answer on a board: discs pale, signs on the squares. */
function answerCells(app, board, answer, p) {
    const top = Math.max(...p.values());
    return new Map(boardSquares(app.size).map((sq) => [sq, {
        disc: board.cells[sq], strength: 0.28,
        mark: answer.hits.includes(sq) ? 'hit' : answer.missed.includes(sq) ? 'missed' : answer.wrong.includes(sq) ? 'false' : '',
        weight: (p.get(sq) || 0) / top,
    }]));
}

function buildAnswer(app) {
    app.answerParts = ['before', 'after'].map((name) => {
        const picture = el('div', { class: 'picture' }), caption = el('figcaption');
        const figure = el('figure', { 'data-answer': name }, picture, caption);
        byId('answer-boards').append(figure);
        return { name, picture, caption, figure };
    });
}

function mistakes(answer) {
    const list = (squares) => squares.map((sq) => sq < 0 ? 'no move' : squareName(sq)).join(' ');
    const parts = [];
    if (answer.missed.length) {
        parts.push(`misses ${list(answer.missed)}`);
    }
    if (answer.wrong.length) {
        parts.push(`takes ${list(answer.wrong)}`);
    }
    return parts.join(', ');
}

/* The sentence that says what came out. */
function verdictText(app, before, after) {
    const n = before.legal.length, moves = (k) => k === 1 ? '1 legal move' : `${k} legal moves`;
    if (boardIsOver(app.board)) {
        return 'The game is over: there is nothing to play.';
    }
    if (!n) {
        return 'No side can move on the changed board: there is nothing to judge.';
    }
    if (!app.edit) {
        return before.error === 0 ? `Its ${n === 1 ? 'first choice is the' : `${n} first choices are exactly the`} ${moves(n)}.`
            : `Of ${moves(n)}, it ${mistakes(before)}.`;
    }
    const other = app.editedBoard.mover !== app.board.mover ? ` ${sideWord(app.editedBoard.mover)} moves there.` : '';
    return `The ${app.state.edits.length ? 'changed ' : ''}board has ${moves(n)}.${other} Mistakes on it: ${before.error} before your change, ${after.error} after` +
        (after.error ? ` (it ${mistakes(after)}).` : '.');
}

function answerTable(app, before, after) {
    const legalTrue = new Set(boardMoves(app.board)), edited = Boolean(app.edit), other = app.state.edits.length;
    const pBefore = app.judge.probabilities(app.view.before.logits);
    const pAfter = edited ? app.judge.probabilities(app.view.after.logits) : pBefore;
    const squares = [...new Set([...before.legal, ...after.predicted, ...before.predicted, ...legalTrue])].filter((sq) => sq >= 0);
    /* First the moves that the change makes legal or illegal: they are what is to be seen. */
    const differs = (sq) => legalTrue.has(sq) !== before.legal.includes(sq);
    squares.sort((a, b) => differs(b) - differs(a) || pAfter.get(b) - pAfter.get(a));
    const bar = (p, chosen) => el('td', { class: 'bar' }, el('span', { class: chosen ? 'chosen' : '', style: { width: `${Math.max(0.5, 100 * p).toFixed(1)}%` } }),
        el('b', { text: percent(p, 1) }));
    const sign = (sq, answer) => answer.hits.includes(sq) ? '●' : answer.missed.includes(sq) ? '◌' : answer.wrong.includes(sq) ? '✗' : '';
    const word = (sq, answer) => ({ '●': 'hit', '◌': 'missed', '✗': 'illegal' })[sign(sq, answer)] || 'not chosen';
    const cell = (sq, answer, p) => [el('td', { class: 'sign', 'aria-label': word(sq, answer), text: sign(sq, answer) }), bar(p.get(sq) || 0, answer.predicted.includes(sq))];
    const rows = squares.slice(0, 24).map((sq) => el('tr', { class: differs(sq) ? 'differs' : before.legal.includes(sq) ? '' : 'illegal' }, el('th', { scope: 'row', text: squareName(sq) }),
        el('td', { text: other ? `${legalTrue.has(sq) ? 'yes' : 'no'} → ${before.legal.includes(sq) ? 'yes' : 'no'}` : before.legal.includes(sq) ? 'yes' : 'no' }),
        ...cell(sq, before, pBefore), ...(edited ? cell(sq, after, pAfter) : [])));
    const head = (text, wide) => el('th', { scope: 'col', colspan: wide, text });
    return [el('caption', { class: 'hidden', text: 'Moves by probability' }),
        el('thead', {}, el('tr', {}, head('move'), head('legal'), head(edited ? 'before' : 'probability', 2), edited ? head('after', 2) : null)),
        el('tbody', {}, ...rows)];
}

function drawAnswer(app) {
    const edited = Boolean(app.edit), [first, second] = app.answerParts;
    second.figure.hidden = !edited;
    byId('answer-boards').classList.toggle('two', edited);
    if (!app.view) {
        first.picture.replaceChildren(drawBoard({ size: app.size, labels: true, cells: new Map() }));
        first.caption.textContent = '';
        byId('answers').replaceChildren();
        byId('verdict').textContent = app.state.at ? 'It reads no more moves than this.' : 'It reads moves, so it has nothing to say before the first.';
        return;
    }
    const board = app.editedBoard, before = app.judge.answer(app.view.before.logits, board);
    const after = edited ? app.judge.answer(app.view.after.logits, board) : before;
    const show = (part, answer, view, text) => {
        part.picture.replaceChildren(drawBoard({ size: app.size, labels: true, cells: answerCells(app, board, answer, app.judge.probabilities(view.logits)) }));
        part.caption.textContent = text;
    };
    const count = (answer) => answer.error === 0 ? 'no mistake' : answer.error === 1 ? '1 mistake' : `${answer.error} mistakes`;
    show(first, before, app.view.before, edited ? `Before: ${count(before)}` : count(before));
    if (edited) {
        show(second, after, app.view.after, `After: ${count(after)}`);
    }
    app.answers = { before, after };
    byId('verdict').textContent = verdictText(app, before, after);
    byId('answers').replaceChildren(...answerTable(app, before, after));
}
