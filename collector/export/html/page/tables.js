// SPDX-License-Identifier: GPL-2.0-or-later
// tables - what is in the selection, added up, and the report's own tables of the whole session.
import { byId, el, fill } from './dom.js';
import * as format from './format.js';
import {
	CPU_COLUMNS,
	cpuRows,
	DISK_COLUMNS,
	diskRows,
	LONGEST_COLUMNS,
	longestRows,
	TASK_COLUMNS,
	taskRows,
} from './sums.js';
import { dataTable } from './table.js';

const NR_TASKS = 1000;

function reportTables(model) {
	const sections = [];

	for (const [name, section] of Object.entries(model.report.sections)) {
		const described = model.meta.tables.filter((t) => t.section === name);
		const tables = described
			.filter((t) => section.tables[t.name])
			.map((t) =>
				dataTable(`${section.title}: ${t.title ?? t.name}`, t.columns, section.tables[t.name], {
					leftOut: section.rows_left_out[t.name],
				}),
			);

		sections.push(
			el(
				'details',
				{ class: 'section', id: `report-${name}` },
				el('summary', null, `${section.title} (${format.plural(described.length, 'table')})`),
				section.notes.map((note) => el('p', { class: 'note' }, note)),
				tables.length ? tables : el('p', { class: 'note' }, 'The report has no table here.'),
			),
		);
	}
	return sections;
}

export function createTables(model, store) {
	const show = () => {
		const selection = store.get('selection'),
			tasks = taskRows(model, selection),
			where = selection ? 'in the selection' : 'in the whole session';

		fill(
			byId('tables-selection'),
			dataTable(`CPUs, ${where}`, CPU_COLUMNS, cpuRows(model, selection)),
			dataTable(`Disks, ${where}`, DISK_COLUMNS, diskRows(model, selection), {
				empty: 'no disk request ended',
			}),
			dataTable(`Tasks, ${where}`, TASK_COLUMNS, tasks.slice(0, NR_TASKS), {
				leftOut: Math.max(0, tasks.length - NR_TASKS),
				empty: 'no task lost or spent time',
			}),
			dataTable(
				`The longest waits, gaps and requests, ${where}`,
				LONGEST_COLUMNS,
				longestRows(model, selection),
				{ empty: 'none of the longest ended here', note: ' of the 256 longest of each in the session' },
			),
		);
	};

	fill(byId('tables-report'), reportTables(model));
	show();
	store.on(['selection'], show);
}
