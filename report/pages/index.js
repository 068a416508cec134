/* index.js - the lists of an index sorted by a click on a heading, and filtered by words. Without it the page is whole. */
'use strict';
(() => {
    const collator = new Intl.Collator('en', { numeric: true });

    /* A cell as what it is sorted by: its number without the interval, or its text. */
    function valueOf(cell, isNumber) {
        const text = cell ? cell.textContent : '';
        return isNumber ? Number.parseFloat(text.replace(/,/g, '')) : text;
    }

    function sortBy(table, column, button) {
        const body = table.tBodies[0], heading = button.closest('th'), isNumber = heading.classList.contains('n');
        const was = heading.getAttribute('aria-sort'), down = was ? was === 'ascending' : isNumber, sign = down ? -1 : 1;
        const rows = [...body.rows].map((row, i) => ({ row, i, value: valueOf(row.cells[column], isNumber) }));
        const missing = (value) => isNumber ? Number.isNaN(value) : value === '-' || value === '';
        rows.sort((a, b) => {
            const apart = missing(a.value) - missing(b.value);
            return apart || sign * (missing(a.value) ? 0 : isNumber ? a.value - b.value : collator.compare(a.value, b.value)) || a.i - b.i;
        });
        body.append(...rows.map((one) => one.row));
        table.querySelectorAll('th[aria-sort]').forEach((th) => th.removeAttribute('aria-sort'));
        heading.setAttribute('aria-sort', down ? 'descending' : 'ascending');
    }

    /* "entropy>2": a test of a number; anything else is text that the row must hold. Null: a heading that there is not. */
    function testOf(word, headings) {
        const found = /^(.+?)(<=|>=|<|>|=)(-?[\d.]+)$/.exec(word);
        if (!found) {
            return (row) => row.text.includes(word);
        }
        const column = headings.findIndex((heading) => heading.startsWith(found[1].replace(/_/g, ' '))), limit = Number(found[3]);
        const holds = { '<': (x) => x < limit, '>': (x) => x > limit, '<=': (x) => x <= limit, '>=': (x) => x >= limit, '=': (x) => x === limit }[found[2]];
        return column < 0 || Number.isNaN(limit) ? null : (row) => holds(valueOf(row.row.cells[column], true));
    }

    function makeFilter(table, section) {
        const all = [...table.tBodies[0].rows].map((row) => ({ row, text: '' }));
        const headings = [...table.tHead.rows[0].cells].map((cell) => cell.textContent.trim().toLowerCase());
        const label = document.createElement('label'), input = document.createElement('input'), said = document.createElement('output');
        const line = document.createElement('p');
        line.className = 'filter';
        label.textContent = 'Show rows with ';
        input.type = 'search';
        input.autocomplete = 'off';
        input.spellcheck = false;
        input.placeholder = `words, or ${headings.find((_, i) => table.tHead.rows[0].cells[i].classList.contains('n'))?.split(' ')[0] || 'n'}>1`;
        said.setAttribute('aria-live', 'polite');
        said.textContent = `${all.length} rows`;
        label.append(input);
        line.append(label, ' ', said);
        section.prepend(line);
        input.addEventListener('input', () => {
            const tests = input.value.toLowerCase().split(/\s+/).filter(Boolean).map((word) => testOf(word, headings));
            const wrong = tests.includes(null);
            let shown = 0;
            for (const one of all) {
                one.text ||= one.row.textContent.toLowerCase();
                const on = wrong || tests.every((test) => test(one));
                one.row.hidden = !on;
                shown += on;
            }
            said.textContent = wrong ? `no such heading; ${all.length} rows` : `${shown} of ${all.length} rows`;
        });
    }

    document.addEventListener('DOMContentLoaded', () => {
        for (const table of document.querySelectorAll('.sorted table')) {
            if (!table.tHead || table.classList.contains('turned')) {
                continue;
            }
            [...table.tHead.rows[0].cells].forEach((cell, column) => {
                const button = document.createElement('button');
                button.type = 'button';
                button.append(...cell.childNodes);
                button.addEventListener('click', () => sortBy(table, column, button));
                cell.append(button);
            });
            makeFilter(table, table.closest('.sorted'));
        }
    });
})();
