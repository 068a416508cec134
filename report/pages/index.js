/* index.js - a long list sorted by a click on a heading, and filtered by words. Without it the list is whole. */
'use strict';
(() => {
    const GROUP_ROWS = 64; /* as in long_list.c */
    const collator = new Intl.Collator('en', { numeric: true });

    /* A cell as what it is sorted by: its number without the interval, or its text. */
    function valueOf(cell, isNumber) {
        return isNumber ? Number.parseFloat(cell.textContent.replace(/,/g, '')) : cell.textContent;
    }

    class LongList {
        constructor(table) {
            this.table = table;
            this.rows = [...table.tBodies].flatMap((body) => [...body.rows]);
            this.texts = new Map();
            this.shown = () => true;
        }

        /* Rows into their groups: those that are shown first, and no group where none is. */
        place() {
            const shown = this.rows.filter(this.shown), hidden = shown.length < this.rows.length ? this.rows.filter((row) => !this.shown(row)) : [];
            const groups = [...this.table.tBodies], end = Math.ceil(shown.length / GROUP_ROWS);
            shown.forEach((row) => { row.hidden = false; });
            hidden.forEach((row) => { row.hidden = true; });
            groups.forEach((group, g) => {
                const rows = shown.slice(g * GROUP_ROWS, (g + 1) * GROUP_ROWS);
                group.replaceChildren(...rows);
                group.hidden = g >= end;
                group.style.setProperty('--r', rows.length);
            });
            groups[groups.length - 1].append(...hidden);
            return shown.length;
        }

        sort(column, heading) {
            const isNumber = heading.classList.contains('n'), was = heading.getAttribute('aria-sort');
            const down = was ? was === 'ascending' : isNumber, sign = down ? -1 : 1;
            const missing = (value) => isNumber ? Number.isNaN(value) : value === '-' || value === '';
            const keyed = this.rows.map((row, i) => ({ row, i, value: valueOf(row.cells[column], isNumber) }));
            keyed.sort((a, b) => missing(a.value) - missing(b.value) ||
                sign * (missing(a.value) ? 0 : isNumber ? a.value - b.value : collator.compare(a.value, b.value)) || a.i - b.i);
            this.rows = keyed.map((one) => one.row);
            this.table.querySelectorAll('th[aria-sort]').forEach((th) => th.removeAttribute('aria-sort'));
            heading.setAttribute('aria-sort', down ? 'descending' : 'ascending');
            this.place();
        }

        textOf(row) {
            if (!this.texts.has(row)) {
                this.texts.set(row, [...row.cells].map((cell) => cell.textContent).join(' ').toLowerCase());
            }
            return this.texts.get(row);
        }

        /* "entropy>2": a test of a number; anything else is text that the row must hold. Null: no such heading. */
        testOf(word) {
            const found = /^(.+?)(<=|>=|<|>|=)(-?[\d.]+)$/.exec(word);
            if (!found) {
                return (row) => this.textOf(row).includes(word);
            }
            const name = found[1].replace(/_/g, ' '), limit = Number(found[3]);
            const column = this.headings.findIndex((heading) => heading.startsWith(name));
            const holds = { '<': (x) => x < limit, '>': (x) => x > limit, '<=': (x) => x <= limit, '>=': (x) => x >= limit, '=': (x) => x === limit }[found[2]];
            return column < 0 || Number.isNaN(limit) ? null : (row) => holds(valueOf(row.cells[column], true));
        }

        filter(text) {
            const tests = text.toLowerCase().split(/\s+/).filter(Boolean).map((word) => this.testOf(word)), wrong = tests.includes(null);
            this.shown = (row) => wrong || tests.every((test) => test(row));
            const n = this.place();
            return wrong ? `no such heading; ${n} rows` : text.trim() ? `${n} of ${this.rows.length} rows` : `${n} rows`;
        }

        /* The controls; without this script there is none that does nothing. */
        open(section) {
            const cells = [...this.table.tHead.rows[0].cells], make = (name) => document.createElement(name);
            this.headings = cells.map((cell) => cell.textContent.trim().toLowerCase());
            cells.forEach((cell, column) => {
                const button = make('button');
                button.type = 'button';
                button.append(...cell.childNodes);
                button.addEventListener('click', () => this.sort(column, cell));
                cell.append(button);
            });
            const line = make('p'), label = make('label'), input = make('input'), said = make('output');
            const number = this.headings[cells.findIndex((cell) => cell.classList.contains('n'))] || 'n';
            line.className = 'filter';
            label.textContent = 'Show rows with ';
            Object.assign(input, { type: 'search', autocomplete: 'off', spellcheck: false, placeholder: `words, or ${number.split(' (')[0].replace(/ /g, '_')}>0.5` });
            said.textContent = `${this.rows.length} rows`;
            label.append(input);
            line.append(label, ' ', said);
            section.prepend(line);
            input.addEventListener('input', () => { said.textContent = this.filter(input.value); });
        }
    }

    document.addEventListener('DOMContentLoaded', () => {
        for (const table of document.querySelectorAll('.sorted table.long')) {
            new LongList(table).open(table.closest('.sorted'));
        }
    });
})();
