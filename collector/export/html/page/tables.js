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
	taskColumns,
	taskRows,
} from './sums.js';
import { whyEmpty } from './reasons.js';
import { dataTable } from './table.js';

function tablesOf(model, name, section) {
	const tables = model.meta.tables.filter((t) => t.section === name && section.tables[t.name]);

	return tables.map((t) =>
		dataTable(`report-${name}-${t.name}`, `${section.title}: ${t.title ?? t.name}`, t.columns, section.tables[t.name], {
			leftOut: section.rows_left_out[t.name],
		}),
	);
}

// One part to open for each section; its tables are made then.
function reportSections(model) {
	return Object.entries(model.report.sections).map(([name, section]) => {
		const nr = Object.keys(section.tables).length,
			body = el('div'),
			details = el(
				'details',
				{ class: 'section', id: `report-${name}` },
				el('summary', null, `${section.title} (${format.plural(nr, 'table')})`),
				section.notes.map((note) => el('p', { class: 'note' }, note)),
				nr ? body : el('p', { class: 'note' }, 'The report has no table here.'),
			);

		details.addEventListener('toggle', () => fill(body, tablesOf(model, name, section)), { once: true });
		return details;
	});
}

export function createTables(model, store) {
	const show = () => {
		const selection = store.get('selection'),
			where = selection ? 'in the selection' : 'in the whole session';

		fill(
			byId('tables-selection'),
			dataTable('cpus', `CPUs, ${where}`, CPU_COLUMNS, cpuRows(model, selection), {
				empty: whyEmpty(model, 'runq', selection, 'nothing happened on a CPU'),
			}),
			dataTable('disks', `Disks, ${where}`, DISK_COLUMNS, diskRows(model, selection), {
				empty: whyEmpty(model, 'disk', selection),
			}),
			dataTable('tasks', `Tasks, ${where}`, taskColumns(model), taskRows(model, selection), {
				empty: whyEmpty(model, 'runq', selection, 'no task lost or spent time'),
			}),
			dataTable(
				'longest',
				`The longest waits, gaps and requests, ${where}`,
				LONGEST_COLUMNS,
				longestRows(model, selection),
				{ empty: 'none of the longest ended here', note: ' of the 256 longest of each in the session' },
			),
		);
	};

	fill(byId('tables-report'), reportSections(model));
	show();
	store.on(['selection'], show);
}
