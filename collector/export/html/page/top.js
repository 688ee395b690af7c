// SPDX-License-Identifier: GPL-2.0-or-later
// top - what was recorded, what was lost, and the findings, each with the way to its evidence.
import { stretchText } from './axis.js';
import { announce, byId, el, fill, reveal } from './dom.js';
import * as format from './format.js';
import { CAUSE_WORDS } from './model.js';
import { dataTable } from './table.js';

// The map of the disk that a finding begins with: of its reads or writes when it is about them, else the first one with something in it.
function heatOfDisk({ text }, model) {
	const device = model.devices.findIndex((name, i) => i && text.startsWith(`${name}:`)),
		order = text.includes(': writes took') ? ['write', 'device', 'queue', 'read'] : ['read', 'device', 'queue', 'write'];
	const maps = order.map((heat) => model.heatMaps.find((m) => m.device === device && m.heat === heat));

	return maps.find((m) => m && model.histogram(m.map, null).some((nr) => nr > 0))?.id ?? null;
}

// Where the evidence of a finding is: the part of the page, and what is to be chosen there.
export function evidenceOf(finding, model) {
	// of counters there is nothing to draw
	if (model.report.source.name === 'procfs' && model.report.sections[finding.section])
		return { id: `report-${finding.section}`, label: 'the tables', set: {} };

	switch (finding.section) {
		case 'steal':
			return finding.code === 'steal-quota'
				? { id: 'phase', label: 'steal by part of the second', set: { phase: 'stolen' } }
				: { id: 'heat', label: 'heat map of steal gaps', set: { heat: 'steal' } };
		case 'disk': {
			const heat = heatOfDisk(finding, model);

			return heat
				? { id: 'heat', label: 'heat map of this disk', set: { heat } }
				: { id: 'tables', label: 'table of disks', set: {} };
		}
		case 'runq':
			return { id: 'chord', label: 'who delays whom', set: { relation: 'occupants' } };
		case 'cpu':
			return { id: 'stacks', label: 'flame graph of CPU time', set: { cause: 'cpu', path: [] } };
		default:
			return { id: 'lost', label: 'what was lost', set: {} };
	}
}

function machineOf({ hypervisor }) {
	if (hypervisor === 'none') return 'no hypervisor';
	return !hypervisor || hypervisor === 'unknown' ? 'hypervisor unknown' : `${hypervisor} guest`;
}

function facts(model) {
	const { report, meta } = model,
		{ host, session, interval, source } = report;
	const stretch = interval.dur_ns,
		steal = host.steal_reported ? 'steal is reported' : 'reports no steal';
	const list = [
		[
			'Host',
			`${host.hostname}, ${machineOf(host)}, ${format.plural(host.nr_cpus_online, 'CPU')} (${host.arch}), ${steal}`,
		],
		['Kernel', host.kernel_release],
		[
			'Recorded',
			`${interval.start} + ${format.ns(stretch)}, ${format.plural(report.nr_events, 'event')}${session.whole ? '' : ', the recording does not end properly'}`,
		],
		['Command', session.command],
		[
			'Source',
			`${source.name}${source.reason ? ` (${source.reason})` : ''}: ${source.probes.map((p) => `${p.probe} ${p.rung ?? 'off'}`).join(', ')}`,
		],
		['Only', interval.only],
		['Verified', report.verified.map((check) => check.text).join('; ') || null],
		[
			'Baseline',
			meta.baseline &&
				`${meta.baseline.file}: ${meta.baseline.hostname}, ${meta.baseline.start} + ${format.ns(meta.baseline.dur_ns)}` +
					(meta.baseline.lost.length
						? `, lost ${meta.baseline.lost.map((l) => `${format.count(l.count)} ${l.words}`).join(', ')}`
						: ''),
		],
	];

	return list.filter(([, text]) => text).flatMap(([name, text]) => [el('dt', null, name), el('dd', null, text)]);
}

// By key of meta.merged.
const MERGED = {
	tasks: 'or less tasks share a place with others of their name and cgroup',
	devices: 'requests are of "(other disks)"',
	stacks: 'hits have no stack of their own',
	moves: 'moves of tasks to another cgroup are not told apart',
	pairs: 'waits go by name and cgroup, or from (others) to (others)',
	rows: 'rows of the timeline are left empty',
};

function lost(model) {
	const { meta } = model,
		clamped = model.columns.numbers('clamped')[0] ?? 0,
		items = meta.lost.map((l) => `${format.count(l.count)} ${l.words}`);

	if (clamped) items.push(`${format.plural(clamped, 'number')} beyond 2^53, cut down to that`);
	const merged = Object.entries(MERGED)
		.filter(([what]) => meta.merged[what])
		.map(([what, words]) => `${format.count(meta.merged[what])} ${words}`);
	const together = merged.length ? el('p', null, `Put together, for want of room: ${merged.join(', ')}.`) : null;

	if (!items.length) return [el('p', null, 'Nothing was lost.'), together];
	const rows = meta.losses.map((l) => ({
		what: l.words,
		cpu: l.cpu,
		from: model.shown(l.since_ns) / 1e9,
		to: model.shown(l.to_ns) / 1e9,
		count: l.count,
	}));

	const hasShed = meta.lost.some((l) => l.words.includes('shed'));

	return [
		el(
			'p',
			null,
			`Lost: ${items.join(', ')}.`,
			hasShed
				? ' What was shed is missing as single events only: sums hold it, counted when its stretch ended, of no task ([shed]).'
				: null,
		),
		together,
		rows.length
			? el(
					'details',
					{ class: 'behind' },
					el('summary', null, 'When'),
					dataTable(
						'losses',
						'When something was lost',
						[
							{ key: 'what', label: 'what', unit: 'text' },
							{ key: 'cpu', label: 'CPU', unit: 'count' },
							{ key: 'from', label: 'from s', unit: 'number', decimals: 3 },
							{ key: 'to', label: 'to s', unit: 'number', decimals: 3 },
							{ key: 'count', label: 'how many', unit: 'count' },
						],
						rows,
						{ leftOut: meta.merged.losses },
					),
				)
			: null,
	];
}

export function createTop(model, store) {
	const { report } = model;

	document.title = `${report.host.hostname}: ${report.session.file} – timethief`;
	byId('title').textContent = report.session.file;
	fill(byId('facts'), facts(model));
	fill(byId('lost'), lost(model));
	byId('lost').classList.toggle('is-lossy', model.meta.lost.length > 0);
	const follow = (id, set) => {
		reveal(id);
		store.set({ ...set, selection: null }); // it is about the whole session
	};
	fill(
		byId('findings-list'),
		report.findings.map((finding) => {
			const { id, label, set } = evidenceOf(finding, model);

			return el(
				'li',
				null,
				finding.text,
				' ',
				el('a', { href: `#${id}`, click: () => follow(id, set) }, `See: ${label}`),
			);
		}),
	);
	byId('findings-none').hidden = report.findings.length > 0;
	byId('version').textContent = report.session.tool_version;
}

// The bar that says what is selected, wherever one has scrolled to.
export function createSelectionBar(model, store) {
	const text = byId('selection-text'),
		from = byId('selection-from'),
		to = byId('selection-to');
	const seconds = (timeNs) => model.shown(timeNs) / 1e9;
	const typedIn = new Set(); // what is being typed is not overwritten

	function put(input, value) {
		if (!typedIn.has(input)) input.value = value;
	}

	function show() {
		const selection = store.get('picking') ?? store.get('selection'),
			[begin, end] = selection ?? model.range;

		text.textContent = selection
			? `Selected ${format.ns(end - begin)}`
			: 'Nothing selected: numbers are of the whole session';
		// of the whole session a millisecond tells enough, outwards
		put(from, selection ? seconds(begin) : Math.floor(seconds(begin) * 1000) / 1000);
		put(to, selection ? seconds(end) : Math.ceil(seconds(end) * 1000) / 1000);
		byId('selection-clear').disabled = byId('selection-zoom').disabled = !selection;
	}

	// For who cannot see how all views change.
	function inWords(selection) {
		const totals = model.causeTotals(selection);

		return (
			`Selected ${stretchText(model, selection, model.time.slot_ns)}: ` +
			model.meta.causes.map((cause) => `${CAUSE_WORDS[cause].toLowerCase()} ${format.ns(totals[cause])}`).join(', ')
		);
	}

	function typed({ target }) {
		typedIn.delete(target);
		const [begin, end] = [from, to].map(
			(input) => Math.round(Number(input.value) * 1e9) - model.time.since_start_ns,
		);

		if (Number.isFinite(begin) && Number.isFinite(end) && end > begin)
			store.set({ selection: model.snap([begin, end]) });
		else show();
	}

	for (const input of [from, to]) {
		input.addEventListener('input', () => typedIn.add(input));
		input.addEventListener('change', typed);
	}
	byId('selection-clear').addEventListener('click', () => store.set({ selection: null }));
	byId('selection-zoom').addEventListener('click', () => store.set({ view: store.get('selection') }));
	byId('selection-resolution').textContent = `in steps of ${format.ns(model.time.slot_ns)}`;
	store.on(['selection', 'picking'], show);
	store.on(['selection'], ({ selection }) => announce(selection ? inWords(selection) : 'Nothing selected'));
	show();
}
