// SPDX-License-Identifier: GPL-2.0-or-later
// The numbers in the page are those of `report --json` of the same session: of all of it, and of a part that is selected.
//
//   page_numbers.js NODE_MODULES TOOL SESSION PAGE FROM_S TO_S
'use strict';
const { check, run } = require('./browser');
const { withSession, tableOf, behind, reportOf, pick, selectTime, settled, unveil } = require('./page_lib');

const [modules, tool, session, file, fromS, toS] = process.argv.slice(2);
const sum = (rows, key) => rows.reduce((total, row) => total + Number(row[key]), 0);
const rowsOf = (report, section, table) => report.sections[section]?.tables[table] ?? [];
const allOf = (report, section, table = 'cpus') =>
	rowsOf(report, section, table).find((row) => row.cpu === 'all') ?? {};

function same(name, got, wanted) {
	check(name, got === wanted, `the page has ${got}, the report ${wanted}`);
}

// pairs: [[what, in the page, in the report], ...]
function allSame(name, pairs) {
	const wrong = pairs
		.filter(([, got, wanted]) => got !== wanted)
		.map(([what, got, wanted]) => `${what}: the page has ${got}, the report ${wanted}`);

	check(
		`${name} (${pairs.length})`,
		pairs.length && !wrong.length,
		wrong.join('; ') || 'there is nothing to compare',
	);
}

// Every cell of every table of the report.
async function reportTables(page, report) {
	await unveil(page);
	for (const [section, { tables }] of Object.entries(report.sections)) {
		const wrong = [];
		let nr = 0,
			place = 0;

		for (const [table, wanted] of Object.entries(tables)) {
			const got = await tableOf(page, `#report-${section}`, place++);

			if (got.length !== wanted.length) wrong.push(`${table} has ${got.length} rows, not ${wanted.length}`);
			wanted.forEach((row, i) =>
				Object.entries(row).forEach(([key, value]) => {
					nr++;
					if (got[i]?.[key] !== (value === null ? '' : String(value)) && got[i]?.[key] !== `'${value}`)
						wrong.push(`${table} ${i} ${key}: ${got[i]?.[key]}, not ${value}`);
				}),
			);
		}
		check(`report tables: ${section} (${nr} cells)`, !wrong.length, wrong.slice(0, 5).join('; '));
	}
}

async function selectionTables(page, report, what) {
	const cpus = await tableOf(page, '#tables-selection', 0),
		disks = await tableOf(page, '#tables-selection', 1),
		tasks = await tableOf(page, '#tables-selection', 2);
	const steal = allOf(report, 'steal'),
		runq = allOf(report, 'runq'),
		cpu = allOf(report, 'cpu');

	allSame(
		`${what}: all CPUs`,
		[
			['stolen_ns', steal.stolen_ns],
			['gaps', steal.gaps],
			['waits', runq.waits],
			['wait_sum_ns', runq.wait_sum_ns],
			['preempted', runq.preempted],
			['stolen_of_waits_ns', runq.stolen_ns],
			['user_ns', cpu.user_ns],
			['kernel_ns', cpu.kernel_ns],
			['idle_ns', cpu.idle_ns],
		].map(([key, wanted]) => [key, sum(cpus, key), wanted ?? 0]),
	);
	for (const cpu of rowsOf(report, 'steal', 'cpus').filter((row) => row.cpu !== 'all')) {
		const got = cpus.find((row) => `cpu${row.cpu}` === cpu.cpu);

		check(
			`${what}: %steal of ${cpu.cpu}`,
			Math.abs(got?.steal_pct - cpu.steal_pct) < 0.001 + cpu.steal_pct * 1e-4,
			`the page has ${got?.steal_pct}, the report ${cpu.steal_pct}`,
		);
	}
	for (const device of rowsOf(report, 'disk', 'devices')) {
		const got = disks.find((row) => row.device === device.device),
			split = rowsOf(report, 'disk', 'split').find((row) => row.device === device.device);

		if (device.reads + device.writes + device.discards + device.flushes === 0) continue;
		allSame(`${what}: disk ${device.device}`, [
			...['reads', 'writes', 'discards', 'flushes', 'read_bytes', 'written_bytes'].map((key) => [
				key,
				Number(got?.[key]),
				device[key],
			]),
			...['total_ns', 'queue_ns', 'stolen_ns'].map((key) => [key, Number(got?.[key]), split[key]]),
		]);
	}
	allSame(`${what}: all tasks`, [
		['stolen', sum(tasks, 'steal_ns'), steal.stolen_ns ?? 0],
		['waited', sum(tasks, 'runq_ns'), runq.wait_sum_ns ?? 0],
		['disk', sum(tasks, 'disk_ns'), sum(rowsOf(report, 'disk', 'split'), 'total_ns')],
		...rowsOf(report, 'steal', 'victims').map((victim) => [
			victim.victim,
			Number(tasks.find((row) => row.task === victim.victim)?.steal_ns),
			victim.stolen_ns,
		]),
	]);
}

async function stacks(page, report, what) {
	const totals = {
		steal: allOf(report, 'steal').stolen_ns ?? 0,
		runq: allOf(report, 'runq').wait_sum_ns ?? 0,
		disk: sum(rowsOf(report, 'disk', 'split'), 'total_ns'),
	};

	for (const [cause, wanted] of Object.entries(totals)) {
		await pick(page, 'stacks-controls', cause);
		if (!wanted) {
			check(
				`${what}: no ${cause} stacks, and why`,
				(await page.textContent('#stacks-empty')).length > 20,
				'it says nothing',
			);
			continue;
		}
		same(
			`${what}: ${cause} time of all functions`,
			sum(await behind(page, 'stacks-table'), 'self_ns'),
			wanted,
		);
	}
}

// Tasks change their names: in a part of the session the report has those of then, the page those of the end.
const byTid = (name) => /\d+(?=( \(timethief\))?$)/.exec(name)?.[0] ?? name;

// The page tells idle from tasks of which no cgroup is known, the report does not.
const NO_CGROUP = '(idle or unknown)';
const byCgroup = (name, path) => path || (['idle', '(cgroup not known)'].includes(name) ? NO_CGROUP : name);

// {ns, nr} by pair. named(name, path): what a party is known by
function pairsOf(rows, named = (name) => name) {
	const sums = new Map();

	for (const row of rows) {
		const key = `${named(row.from, row.from_cgroup_path)} > ${named(row.to, row.to_cgroup_path)}`,
			{ ns, nr } = sums.get(key) ?? { ns: 0, nr: 0 };

		sums.set(key, { ns: ns + Number(row.wait_ns), nr: nr + Number(row.waits) });
	}
	return sums;
}

const total = (pairs) => [...pairs.values()].reduce((ns, pair) => ns + pair.ns, 0);

async function chord(page, report, what, by) {
	const named = by === 'cgroup' ? byCgroup : undefined;

	await pick(page, 'chord-controls', by);
	for (const relation of ['occupants', 'preempters', 'wakers']) {
		await pick(page, 'chord-controls', relation);
		const wanted = pairsOf(rowsOf(report, 'chord', relation), named);
		if (!wanted.size) continue;
		const got = pairsOf(await behind(page, 'chord-table'), named);
		const wrong = [...wanted].filter(([key, { ns, nr }]) => got.get(key)?.ns !== ns || got.get(key).nr !== nr);

		check(
			`${what}: ${relation} by ${by} (${wanted.size} pairs)`,
			!wrong.length && got.size === wanted.size,
			`${got.size} pairs, not ${wanted.size}; ${JSON.stringify(wrong[0])}: ${JSON.stringify(got.get(wrong[0]?.[0]))}`,
		);
	}
}

// A report --from has not seen who ran before that: then it says "(not known)" where the page knows. All else is the same.
async function chordOfPart(page, report, what) {
	await pick(page, 'chord-controls', 'task');
	for (const relation of ['occupants', 'preempters', 'wakers']) {
		await pick(page, 'chord-controls', relation);
		const wanted = pairsOf(rowsOf(report, 'chord', relation), byTid);
		if (!wanted.size) continue;
		const got = pairsOf(await behind(page, 'chord-table'), byTid);
		const wrong = [...wanted].filter(
			([key, { ns }]) => !key.startsWith('(not known) ') && !(got.get(key)?.ns >= ns),
		);

		check(
			`${what}: ${relation} (${wanted.size} pairs)`,
			!wrong.length && total(got) === total(wanted),
			`${total(got)} ns, not ${total(wanted)}; ${JSON.stringify(wrong[0])}: ${JSON.stringify(got.get(wrong[0]?.[0]))}`,
		);
	}
}

async function heat(page, report, what) {
	const { waits = 0, wait_p99_ns: p99 } = allOf(report, 'runq');

	await page.selectOption('#heat-controls select', 'runq');
	await settled(page);
	if (!waits) return;
	same(`${what}: waits in the heat map`, sum(await behind(page, 'heat-table'), 'nr'), waits);
	const [, number, unit] = /p99 ([\d.]+)(ns|us|ms|s)/.exec(await page.textContent('#heat-summary')) ?? [];
	const ns = Number(number) * { ns: 1, us: 1e3, ms: 1e6, s: 1e9 }[unit];
	same(`${what}: and over the time`, sum(await tableOf(page, '#heat-table', 1), 'nr'), waits);
	check(
		`${what}: p99 is at most 25 % above the report's`,
		ns >= p99 * 0.985 && ns <= p99 * 1.26,
		`${ns} and ${p99}`,
	);
}

async function timeline(page, report) {
	const rows = await behind(page, 'timeline-table');

	for (const cpu of rowsOf(report, 'steal', 'cpus').filter((row) => row.cpu !== 'all')) {
		const own = rows.filter((row) => row.where === `CPU ${cpu.cpu.slice(3)}`),
			length = (row) => row.to - row.from,
			mean =
				own.reduce((total, row) => total + row.stolen_pct * length(row), 0) /
				own.reduce((total, row) => total + length(row), 0);

		check(
			`timeline: %steal of ${cpu.cpu}`,
			Math.abs(mean - cpu.steal_pct) < 0.05,
			`the page has ${mean}, the report ${cpu.steal_pct}`,
		);
	}
}

run(async () => {
	await withSession(modules, file, async (page, errors) => {
		const report = reportOf(tool, session),
			full = reportOf(tool, session, '--top', '100000');

		await reportTables(page, report);
		await selectionTables(page, full, 'whole');
		await stacks(page, full, 'whole');
		await chord(page, full, 'whole', 'task');
		await chord(page, reportOf(tool, session, '--top', '100000', '--by', 'cgroup'), 'whole', 'cgroup');
		await heat(page, full, 'whole');
		await timeline(page, full);

		await selectTime(page, fromS, toS);
		const from = await page.inputValue('#selection-from'),
			to = await page.inputValue('#selection-to');
		const part = reportOf(tool, session, '--top', '100000', '--from', from, '--to', to);
		check(
			'a selection is smaller than the whole',
			Number(to) - Number(from) < full.interval.dur_ns / 1e9 / 1.5,
			`${from} to ${to}`,
		);
		await selectionTables(page, part, 'selected');
		await stacks(page, part, 'selected');
		await chordOfPart(page, part, 'selected');
		await heat(page, part, 'selected');
		check('numbers: the page has nothing to complain about', !errors.length, errors.join('; '));
	});
});
