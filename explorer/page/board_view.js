/* board_view.js - one drawing of a board for the screen and for files, and a board of buttons.
 *
 * A drawing is {size, labels, cells: Map square -> cell, arrows, title}. A cell: disc (EMPTY, BLACK,
 * WHITE), strength 0..1, heat -1..1, mark ('wrong', 'hit', 'missed', 'false'), edited, dot, last,
 * chosen. Marks differ in shape as well as in colour. Colours are those of the style sheet. */

const BOARD_EDGE = 4.6, BOARD_RIM = 1;

/* The colours of the style sheet. They are read when its theme changes: to ask for them at each drawing
 * makes the browser compute its style each time. */
let palette = null;

function paletteRead() {
    const style = getComputedStyle(document.documentElement);
    palette = Object.fromEntries(['board', 'line', 'frame', 'black', 'white', 'edge', 'hit', 'wrong', 'edit', 'ink', 'quiet']
        .map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
}

function drawCell(cell, x, y, colours) {
    const out = [], cx = x + 5, cy = y + 5;
    const ring = (r, props) => out.push(svg('circle', { cx, cy, r, fill: 'none', ...props }));
    if (cell.heat) {
        out.push(svg('rect', { x, y, width: 10, height: 10, fill: cell.heat > 0 ? colours.hit : colours.wrong,
            'fill-opacity': Math.min(1, Math.abs(cell.heat)).toFixed(3) }));
    }
    if (cell.edited) {
        out.push(svg('rect', { x: x + 0.1, y: y + 0.1, width: 9.8, height: 9.8, fill: colours.edit, 'fill-opacity': 0.55 }));
    }
    if (cell.disc) {
        out.push(svg('circle', { cx, cy, r: 3.9, fill: cell.disc === BLACK ? colours.black : colours.white,
            stroke: colours.edge, 'stroke-width': 0.35, opacity: (cell.strength ?? 1).toFixed(3) }));
    }
    if (cell.last) {
        ring(1, { fill: cell.disc === BLACK ? colours.white : colours.black, stroke: 'none', opacity: 0.75 });
    }
    if (cell.dot) {
        ring(1.15, { fill: colours.ink, 'fill-opacity': 0.42 });
    }
    if (cell.mark === 'wrong') {
        out.push(svg('rect', { x: x + 0.75, y: y + 0.75, width: 8.5, height: 8.5, rx: 0.8, fill: 'none',
            stroke: colours.wrong, 'stroke-width': 1.15 }));
    }
    if (cell.mark === 'hit') {
        ring(2.9, { fill: colours.hit, 'fill-opacity': (0.35 + 0.65 * (cell.weight ?? 1)).toFixed(3) });
    }
    if (cell.mark === 'missed') {
        ring(2.7, { stroke: colours.hit, 'stroke-width': 0.8, 'stroke-dasharray': '1.5 1.1' });
    }
    if (cell.mark === 'false') {
        out.push(svg('path', { d: `M${cx - 2.3} ${cy - 2.3}l4.6 4.6m0 -4.6l-4.6 4.6`, stroke: colours.wrong,
            'stroke-width': 1.25, 'stroke-linecap': 'round' }));
    }
    if (cell.chosen) {
        out.push(svg('rect', { x: x + 0.5, y: y + 0.5, width: 9, height: 9, fill: 'none', stroke: colours.ink,
            'stroke-width': 0.8, 'stroke-dasharray': '2 1.2' }));
    }
    return out;
}

/* An arrow from the centre of a key to that of the query, as wide as its weight. */
function drawArrow({ from, to, weight }, colours) {
    const x = (sq) => 10 * (sq & 7) + 5, y = (sq) => 10 * (sq >> 3) + 5;
    const width = (0.5 + 2.3 * weight).toFixed(2), opacity = (0.3 + 0.65 * weight).toFixed(3);
    if (from === to) {
        return [svg('circle', { cx: x(to), cy: y(to), r: 4.5, fill: 'none', stroke: colours.hit, 'stroke-width': width, opacity })];
    }
    const dx = x(to) - x(from), dy = y(to) - y(from), long = Math.hypot(dx, dy), ux = dx / long, uy = dy / long;
    const ex = x(to) - 4.4 * ux, ey = y(to) - 4.4 * uy, head = 1.6 + 2 * weight;
    const back = (side) => `${(ex - head * ux + side * head * 0.55 * uy).toFixed(2)} ${(ey - head * uy - side * head * 0.55 * ux).toFixed(2)}`;
    return [svg('line', { x1: x(from), y1: y(from), x2: ex - head * 0.8 * ux, y2: ey - head * 0.8 * uy,
        stroke: colours.hit, 'stroke-width': width, opacity, 'stroke-linecap': 'round' }),
    svg('path', { d: `M${ex.toFixed(2)} ${ey.toFixed(2)}L${back(1)}L${back(-1)}Z`, fill: colours.hit, opacity })];
}

function drawBoard({ size, labels = false, cells, arrows = [], title = '' }) {
    const colours = palette, edge = labels ? BOARD_EDGE : BOARD_RIM, rim = BOARD_RIM, side = 10 * size;
    const out = svg('svg', { xmlns: SVG_NAMES, viewBox: `${-edge} ${-edge} ${side + edge + rim} ${side + edge + rim}`,
        'aria-hidden': 'true', focusable: 'false' });
    if (title) {
        out.append(svg('title', { text: title }));
    }
    out.append(svg('rect', { x: -rim / 2, y: -rim / 2, width: side + rim, height: side + rim, rx: 1.2, fill: colours.board,
        stroke: colours.frame, 'stroke-width': rim }));
    const grid = Array.from({ length: size - 1 }, (_, i) => `M${10 * i + 10} 0v${side}M0 ${10 * i + 10}h${side}`);
    out.append(svg('path', { d: grid.join(''), fill: 'none', stroke: colours.line, 'stroke-width': 0.25 }));
    for (let i = 0; labels && i < size; i++) {
        const text = { fill: colours.quiet, 'font-size': 2.9, 'font-family': 'system-ui, sans-serif', 'text-anchor': 'middle' };
        out.append(svg('text', { x: 10 * i + 5, y: -1.7, ...text, text: 'abcdefgh'[i] }),
            svg('text', { x: -2.8, y: 10 * i + 6, ...text, text: i + 1 }));
    }
    for (const [sq, cell] of cells) {
        out.append(...drawCell(cell, 10 * (sq & 7), 10 * (sq >> 3), colours));
    }
    arrows.forEach((arrow) => out.append(...drawArrow(arrow, colours)));
    return out;
}

/* A drawing under a grid of buttons: names for screen readers, arrow keys between them. */
class BoardView {
    constructor(root, size, label, onSquare, onLook = () => {}) {
        const edge = BOARD_EDGE, whole = 10 * size + edge + BOARD_RIM, share = (x) => `${100 * x / whole}%`;
        this.root = root;
        this.size = size;
        this.picture = el('div', { class: 'picture' });
        this.buttons = new Map();
        this.drawing = null;
        const grid = el('div', { class: 'cells', role: 'group', 'aria-label': label,
            style: { left: share(edge), top: share(edge), width: share(10 * size), height: share(10 * size),
                'grid-template-columns': `repeat(${size}, 1fr)` } });
        boardSquares(size).forEach((sq, i) => {
            const button = el('button', { type: 'button', tabindex: i ? '-1' : '0', 'data-square': squareName(sq),
                on: { click: () => onSquare(sq), mouseenter: () => onLook(sq), focus: () => onLook(sq),
                    mouseleave: () => onLook(null), blur: () => onLook(null) } });
            this.buttons.set(sq, button);
            grid.append(button);
        });
        rovingFocus(grid, size);
        root.classList.add('board');
        root.replaceChildren(this.picture, grid);
    }

    /* names: square -> what it is, in words. */
    show(drawing, names) {
        this.drawing = { ...drawing, size: this.size, labels: true };
        this.picture.replaceChildren(drawBoard(this.drawing));
        for (const [sq, button] of this.buttons) {
            button.setAttribute('aria-label', `${squareName(sq)}, ${names(sq)}`);
        }
    }
}

/* ---- files ---- */

function saveBlob(blob, name) {
    const link = el('a', { href: URL.createObjectURL(blob), download: name });
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

function pictureText(drawing) {
    const picture = drawBoard(drawing);
    picture.removeAttribute('aria-hidden');
    picture.setAttribute('width', '84mm');
    picture.setAttribute('height', '84mm');
    return new XMLSerializer().serializeToString(picture);
}

function saveSvg(drawing, name) {
    saveBlob(new Blob([pictureText(drawing)], { type: 'image/svg+xml' }), `${name}.svg`);
}

async function savePng(drawing, name) {
    const image = new Image(), canvas = el('canvas', { width: 1200, height: 1200 });
    image.src = 'data:image/svg+xml;charset=utf-8,' + encodeURIComponent(pictureText(drawing));
    await image.decode();
    canvas.getContext('2d').drawImage(image, 0, 0, 1200, 1200);
    const blob = await new Promise((resolve) => canvas.toBlob(resolve, 'image/png'));
    saveBlob(blob, `${name}.png`);
    return blob.size;
}
