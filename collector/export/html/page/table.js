// SPDX-License-Identifier: GPL-2.0-or-later
// table - tables that can be sorted, and copied as CSV. The table behind a chart is made when it is opened.
import { csv } from './csv.js';
import { announce, copyText, el, fill } from './dom.js';
import * as format from './format.js';

const ROWS_SHOWN = 100;
const texts = new Intl.Collator('en', { numeric: true }); // cpu2 before cpu10

function compare(a, b) {
	if (a === b) return 0;
	// what is not there comes last
	if (a === null || a === undefined) return 1;
	if (b === null || b === undefined) return -1;
	if (typeof a === 'string' && typeof b === 'string') return texts.compare(a, b);
	return a < b ? -1 : 1;
}

// How a table was sorted and unfolded last, by id: it stays so when it is made anew for other rows.
const states = new Map();

// id: of the table, in the page. columns: [{key, label, unit, decimals, detail}], rows: [{key: value}]
export function dataTable(id, caption, columns, rows, options = {}) {
	if (!states.has(id)) states.set(id, { key: null, down: true, details: false, all: false });
	const state = states.get(id);
	const box = el('div', { class: 'table-box' });
	const hasDetails = columns.some((c) => c.detail);
	const shown = () => columns.filter((c) => state.details || !c.detail);
	const sorted = () => {
		const { key, down } = state;

		return columns.some((column) => column.key === key)
			? [...rows].sort((a, b) => {
					const [x, y] = [a[key], b[key]];

					return x === null || x === undefined || y === null || y === undefined
						? compare(x, y)
						: (down ? -1 : 1) * compare(x, y);
				})
			: rows;
	};

	async function copy(button) {
		const ok = await copyText(
			csv(
				columns.map((c) => c.key),
				sorted().map((row) => columns.map((c) => row[c.key])),
			),
		);

		button.textContent = ok ? 'Copied' : 'Copying is not allowed here';
		announce(ok ? `${caption}: ${rows.length} rows copied as CSV` : 'Copying is not allowed here');
		setTimeout(() => {
			button.textContent = 'Copy as CSV';
		}, 2000);
	}

	function header(column) {
		const isSorted = state.key === column.key;

		return el(
			'th',
			{
				scope: 'col',
				class: column.unit === 'text' ? null : 'number',
				'aria-sort': isSorted ? (state.down ? 'descending' : 'ascending') : null,
			},
			el(
				'button',
				{ type: 'button', title: column.key, click: () => sortBy(column) },
				column.label,
				el('span', { class: 'arrow', 'aria-hidden': 'true' }, isSorted ? (state.down ? '▼' : '▲') : ''),
			),
		);
	}

	function sortBy(column) {
		state.down = state.key === column.key ? !state.down : column.unit !== 'text';
		state.key = column.key;
		showAndFocus(() => box.querySelectorAll('th button')[shown().indexOf(column)]);
	}

	// What was pressed is made anew, and keeps the focus.
	function showAndFocus(find) {
		show();
		find().focus();
	}

	function row(values) {
		return el(
			'tr',
			null,
			shown().map((column, i) =>
				i
					? el(
							'td',
							{ class: column.unit === 'text' ? null : 'number' },
							format.cell(values[column.key], column),
						)
					: el(
							'th',
							{ scope: 'row', class: column.unit === 'text' ? null : 'number' },
							format.cell(values[column.key], column),
						),
			),
		);
	}

	function toggle(label, key) {
		return el(
			'button',
			{
				type: 'button',
				'data-toggle': key,
				click: () => {
					state[key] = !state[key];
					showAndFocus(() => box.querySelector(`[data-toggle=${key}]`));
				},
			},
			label,
		);
	}

	function show() {
		const part = state.all ? sorted() : sorted().slice(0, ROWS_SHOWN);
		const copyButton = el('button', { type: 'button', click: () => copy(copyButton) }, 'Copy as CSV');

		fill(
			box,
			el(
				'div',
				{ class: 'table-scroll', tabindex: '0', role: 'region', 'aria-label': caption },
				el(
					'table',
					null,
					el(
						'caption',
						null,
						caption,
						options.note ? el('span', { class: 'note' }, options.note) : null,
					),
					el('thead', null, el('tr', null, shown().map(header))),
					el('tbody', null, part.map(row)),
				),
			),
			el(
				'p',
				{ class: 'table-foot' },
				copyButton,
				hasDetails ? toggle(state.details ? 'Fewer columns' : 'All columns', 'details') : null,
				rows.length > ROWS_SHOWN
					? toggle(state.all ? 'Fewer rows' : `All ${format.count(rows.length)} rows`, 'all')
					: null,
				rows.length ? null : el('span', { class: 'note' }, options.empty ?? 'no rows'),
				options.leftOut
					? el('span', { class: 'note' }, `${format.plural(options.leftOut, 'more row')} left out`)
					: null,
			),
		);
	}

	show();
	return box;
}

// A <details> that holds what make() returns, one or more, made anew while it is open and one of keys changes. To be called after the view has
// subscribed, when make() tells what the view found out.
export function tableBehind(box, make, store, keys) {
	const details = el('details', { class: 'behind' }, el('summary', null, 'The numbers behind this chart'));
	const body = el('div');
	const show = () => {
		if (details.open) fill(body, make());
	};

	details.append(body);
	details.addEventListener('toggle', show);
	store.on(keys, show);
	fill(box, details);
	return show;
}
