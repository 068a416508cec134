/* judge.js - an answer of the network, judged by the rules (probes/legality/answers.h): with N legal
 * moves its N first choices count (rule topn). Of two equal logits the lower token is ahead. */

class Judge {
    constructor(about) {
        this.sqOfTok = about.sq_of_tok;
        this.tokOfSq = new Map(about.sq_of_tok.map((sq, tok) => [sq, tok]).filter(([sq]) => sq >= 0));
    }

    tokens(moves) {
        return moves.map((sq) => this.tokOfSq.get(sq));
    }

    /* The n first tokens, best first. */
    first(logits, n) {
        return Array.from(logits.keys()).sort((a, b) => logits[b] - logits[a] || a - b).slice(0, n);
    }

    /* Probability by square; [-1]: the pad. */
    probabilities(logits) {
        const p = softmax(logits);
        return new Map(this.sqOfTok.map((sq, tok) => [sq, p[tok]]));
    }

    /* {legal, predicted, hits, missed, wrong: squares; error}. A predicted pad counts as wrong; it is
     * square -1. A legal move on a centre square has no token, and cannot count. */
    answer(logits, board) {
        const legal = boardMoves(board).filter((sq) => this.tokOfSq.has(sq));
        const predicted = this.first(logits, legal.length).map((tok) => this.sqOfTok[tok]);
        const hits = predicted.filter((sq) => legal.includes(sq));
        const missed = legal.filter((sq) => !predicted.includes(sq));
        const wrong = predicted.filter((sq) => !legal.includes(sq));
        return { legal, predicted, hits, missed, wrong, error: missed.length + wrong.length };
    }
}
