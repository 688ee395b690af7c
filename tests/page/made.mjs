// SPDX-License-Identifier: GPL-2.0-or-later
// made - a small session as the page unpacks it, that nobody recorded: 4 bins of 1 ms on one CPU, two slots of 2 ms.
import { Model } from '../../collector/export/html/page/model.js';

export const MS = 1e6;

export function columns(plain) {
	return {
		numbers: (name) => Float64Array.from(plain[name] ?? []),
		texts: (name) => plain[name] ?? [],
		has: (name) => name in plain,
	};
}

const FAMILY = 2 ** 26;

// rows: [[family, place, [[slot, ns, nr], ...]], ...]
export function cells(rows) {
	const sorted = [...rows].sort((a, b) => a[0] - b[0] || a[1] - b[1]);

	return {
		'cells.row': sorted.map(([family, place]) => family * FAMILY + place),
		'cells.count': sorted.map(([, , list]) => list.length),
		'cells.slot': sorted.flatMap(([, , list]) => list.map(([slot], i) => (i ? slot - list[i - 1][0] : slot))),
		'cells.ns': sorted.flatMap(([, , list]) => list.map(([, ns]) => ns)),
		'cells.nr': sorted.flatMap(([, , list]) => list.map(([, , nr]) => nr)),
	};
}

const meta = {
	version: 1,
	time: {
		since_start_ns: 0,
		from_ns: 0,
		to_ns: 4 * MS,
		whole_ns: 4 * MS,
		bin_ns: MS,
		nr_bins: 4,
		slot_ns: 2 * MS,
		phase_seconds: 1,
	},
	causes: ['steal', 'runq', 'disk', 'cpu'],
	events: { nr: 3, max: 500000, all: true },
	lost: [],
	losses: [],
	tables: [],
	merged: { stacks: 0, pairs: 0, tasks: 0, moves: 0, devices: 0, losses: 0 },
	baseline: null,
	stacked_device: null,
	has_stacks: true,
};
const report = {
	host: { hostname: 'h', kernel_release: '6.1', steal_reported: true },
	session: { file: 's.tt' },
	interval: { only: null },
	findings: [],
	source: {
		name: 'bpf',
		probes: ['steal', 'disk', 'runq', 'cpu'].map((probe) => ({ probe, rung: 'some', detail: '' })),
	},
	sections: { steal: { notes: [] } },
};

export function model(plain, changes = {}) {
	return new Model(
		columns({
			meta: [JSON.stringify({ ...meta, ...changes.meta })],
			report: [JSON.stringify({ ...report, ...changes.report })],
			'cpu.id': [0],
			'device.name': ['(other disks)', 'vda'],
			'party.name': ['(others)', 'idle', 'sh', 'sh', '(stolen)'],
			'party.flags': [2, 2, 1, 1, 2],
			'party.tid': [0, 0, 11, 12, 0],
			'party.task': [0, 1, 2, 3, 4],
			'party.cgroup': [0, 0, 1, 1, 0],
			'cgroup.name': ['web'],
			'cgroup.path': ['/web'],
			'coarse.upper': [0, 9, 99, 999],
			...plain,
		}),
	);
}
