/* dom.js - elements made without any text being read as HTML. */

const SVG_NAMES = 'http://www.w3.org/2000/svg';

/* props: text, on: {event: function}, style: {property: value}; anything else is an attribute. */
function fill(element, props, children) {
    for (const [name, value] of Object.entries(props)) {
        if (name === 'text') {
            element.textContent = value;
        } else if (name === 'on') {
            Object.entries(value).forEach(([event, run]) => element.addEventListener(event, run));
        } else if (name === 'style') {
            Object.entries(value).forEach(([property, x]) => element.style.setProperty(property, x));
        } else if (name.startsWith('aria-') && typeof value === 'boolean') {
            element.setAttribute(name, String(value));
        } else if (value !== null && value !== undefined && value !== false) {
            element.setAttribute(name, value === true ? '' : value);
        }
    }
    element.append(...children.filter((child) => child !== null && child !== undefined));
    return element;
}

function el(name, props = {}, ...children) {
    return fill(document.createElement(name), props, children);
}

function svg(name, props = {}, ...children) {
    return fill(document.createElementNS(SVG_NAMES, name), props, children);
}

function byId(id) {
    return document.getElementById(id);
}

function percent(p, digits = 0) {
    const text = (100 * p).toFixed(digits);
    return (p > 0 && Number(text) === 0 ? `<${(10 ** -digits).toFixed(digits)}` : text) + ' %';
}

function signed(x, digits = 2) {
    const text = Math.abs(x).toFixed(digits);
    return (x < 0 && Number(text) !== 0 ? '−' : '+') + text;
}

/* One of the children has the focus and the tab stop, arrow keys move it: columns is a number, or a
 * function that gives it. */
function rovingFocus(root, columns, selector = 'button') {
    root.addEventListener('keydown', (event) => {
        const items = [...root.querySelectorAll(selector)], at = items.indexOf(event.target);
        const wide = typeof columns === 'function' ? columns() : columns;
        const row = Math.floor(at / wide), first = row * wide, last = Math.min(first + wide, items.length) - 1;
        const goal = { ArrowLeft: at - 1, ArrowRight: at + 1, ArrowUp: at - wide, ArrowDown: at + wide,
            Home: first, End: last }[event.key];
        if (at < 0 || goal === undefined || event.ctrlKey || event.altKey || event.metaKey) {
            return;
        }
        event.preventDefault();
        if (items[goal]) {
            items.forEach((item, i) => item.setAttribute('tabindex', i === goal ? '0' : '-1'));
            items[goal].focus();
        }
    });
    root.addEventListener('focusin', (event) => {
        if (event.target.matches(selector)) {
            root.querySelectorAll(selector).forEach((item) =>
                item.setAttribute('tabindex', item === event.target ? '0' : '-1'));
        }
    });
}

/* Text to the clipboard; where a browser forbids that, as from some files, by the old way. */
async function copyText(text) {
    try {
        await navigator.clipboard.writeText(text);
        return true;
    } catch {
        const area = el('textarea', { style: { position: 'fixed', opacity: '0' } });
        area.value = text;
        document.body.append(area);
        area.select();
        const done = document.execCommand('copy');
        area.remove();
        return done;
    }
}
