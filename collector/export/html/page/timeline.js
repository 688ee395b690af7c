// SPDX-License-Identifier: GPL-2.0-or-later
// timeline - what each CPU did over time, who waited for it, and what each disk had to do.
import { AXIS_HEIGHT, drawAxis, drawSelection, gutterOf, onAxis, Scale, sizeCanvas } from './axis.js';
import { byId, choice, el, fill, legendItem } from './dom.js';
import * as format from './format.js';
import {
	drawArea,
	drawCpu,
	drawLatency,
	drawLosses,
	drawNames,
	drawRequests,
	drawSlices,
	LATENCY_MIN_NS,
} from './lanes.js';
import { whyEmpty } from './reasons.js';
import { panSpan, zoomSpan } from './span.js';
import { dataTable, tableBehind } from './table.js';
import { Timeline } from './rows.js';

const NR_STRETCHES = 24; // rows of the table behind

// The rows of the picture: what, how high, and where each begins.
function layOut(data) {
	const rows = [],
		many = data.cpus.length > 8;
	let y = AXIS_HEIGHT + 4;
	const add = (row, height, gap) => {
		rows.push({ ...row, y, height });
		y += height + gap;
	};

	for (const cpu of data.cpus) {
		add({ kind: 'cpu', cpu, label: `CPU ${cpu.cpu}` }, many ? 16 : 34, 2);
		add({ kind: 'queue', cpu, label: ' queue' }, many ? 10 : 22, many ? 4 : 10);
	}
	for (const device of data.devices) {
		add({ kind: 'depth', device, label: device.name }, 30, 4);
		add({ kind: 'latency', device, label: ' latency' }, 44, 12);
	}
	return { rows, height: y + 2 };
}

// Ends of scales, over the whole session in as many columns as are drawn: zooming changes none. CPUs share one, disks have their own for
// queues: a slow one has a hundred times the queue of another.
function peaksOf(data, range) {
	const nr = 1200,
		width = (range[1] - range[0]) / nr,
		peaks = { queue: 1, depth: [], latency: LATENCY_MIN_NS * 10 };

	for (let i = 0; i < nr; i++) {
		const from = range[0] + i * width;

		for (const cpu of data.cpus)
			peaks.queue = Math.max(peaks.queue, cpu.waiting.sum(from, from + width) / width);
		data.devices.forEach((device, d) => {
			peaks.depth[d] = Math.max(peaks.depth[d] ?? 0, device.inflight.sum(from, from + width) / width);
		});
	}
	for (const device of data.devices) peaks.latency = Math.max(peaks.latency, device.latencyMax.max(...range));
	return {
		...peaks,
		queue: Math.ceil(peaks.queue),
		depth: peaks.depth.map((depth) => (depth > 1 ? Math.ceil(depth) : Math.ceil(depth * 10) / 10)),
	};
}

export function createTimeline(model, store) {
	const data = new Timeline(model),
		range = model.range;
	const canvas = byId('timeline-canvas'),
		readout = byId('timeline-readout');
	const { rows, height } = layOut(data),
		peaks = peaksOf(data, range);
	let scale = new Scale(range, 0, 1);

	if (!rows.length) {
		byId('timeline-body').hidden = true;
		fill(byId('timeline-empty'), whyEmpty(model, 'runq', null));
		return;
	}

	const isExact = () => data.hasEvents && scale.perPx < data.binNs / 2;

	function draw() {
		const { context, width } = sizeCanvas(canvas, height);

		scale = new Scale(store.get('view'), gutterOf(width), width);
		drawAxis(context, scale, height, model);
		for (const row of rows) {
			if (row.kind === 'cpu') (isExact() ? drawSlices : drawCpu)(context, scale, row, data);
			else if (row.kind === 'queue')
				drawArea(
					context,
					scale,
					row,
					peaks.queue,
					'waiting',
					(from, to) => row.cpu.waiting.sum(from, to) / (to - from),
				);
			else if (row.kind === 'depth')
				drawArea(
					context,
					scale,
					row,
					peaks.depth[data.devices.indexOf(row.device)],
					'depth',
					(from, to) => row.device.inflight.sum(from, to) / (to - from),
				);
			else (isExact() ? drawRequests : drawLatency)(context, scale, row, data, peaks.latency);
		}
		drawLosses(context, scale, height, data);
		drawSelection(context, scale, height, store);
		drawNames(context, scale, rows, peaks, data);
		tellResolution();
	}

	function tellResolution() {
		const { nr, max } = model.meta.events,
			[from, to] = store.get('view');
		const shows = `Shown: ${format.moment(model.shown(from), scale.perPx)} to ${format.moment(model.shown(to), scale.perPx)}. `;
		const each = isExact()
			? 'Single slices, gaps and requests, exact to the nanosecond; queues in bins of ' +
				`${format.ns(data.binNs)}.`
			: `A column of pixels is the mean over ${format.ns(scale.perPx)}, bins are ${format.ns(data.binNs)}` +
				(data.hasEvents
					? '; zoom in to see single slices.'
					: `; single events are left out, as there are ${format.count(nr)}, more than ${format.count(max)}.`);

		const scope = model.report.interval.only ? ' Of the whole machine: filters choose in the other views.' : '';

		byId('timeline-resolution').textContent = shows + each + scope;
	}

	function tell(x, y) {
		if (x === null || x < scale.left) {
			readout.textContent = 'Point at the picture to read it.';
			return;
		}
		const at = scale.time(x),
			stretch = [at, at + Math.max(scale.perPx, isExact() ? 0 : data.binNs)];
		const row = rows.filter((r) => y >= r.y - 2).at(-1) ?? rows[0];

		readout.textContent = `${format.moment(model.shown(at), scale.perPx)} · ${row.cpu ? aboutCpu(row.cpu, stretch, at) : aboutDevice(row.device, stretch)}`;
	}

	function aboutCpu(cpu, [from, to], at) {
		const part = data.cpuIn(cpu, from, to),
			share = (timeNs) => format.pct(timeNs, to - from);
		let who = '';

		if (isExact())
			data.slices(cpu, at, at + 1, (_, __, party) => {
				who = ` · ${party < 0 ? 'who ran is not known' : model.partyName(party)}`;
			});
		return (
			`CPU ${cpu.cpu}${who} · running ${share(part.running)} · stolen ${share(part.stolen)} · idle ${share(part.idle)}` +
			(part.unseen > (to - from) * 1e-6 ? ` · not known ${share(part.unseen)}` : '') +
			` · run-queue length ${format.decimal(part.waiting / (to - from))}`
		);
	}

	function aboutDevice(device, [from, to]) {
		const part = data.deviceIn(device, from, to),
			nr = Math.round(part.requests);

		return (
			`${device.name} · queue ${format.decimal(part.inflight / (to - from))}` +
			(nr
				? ` · ${format.plural(nr, 'request')}, mean ${format.ns(part.latency / part.requests)}, longest ${format.ns(part.latencyMax)}`
				: ' · no request ended')
		);
	}

	const columns = () => [
		{ key: 'from', label: 'from s', unit: 'number', decimals: 6 },
		{ key: 'to', label: 'to s', unit: 'number', decimals: 6 },
		...data.cpus
			.flatMap(({ cpu }) => [
				[`running${cpu}`, `CPU ${cpu} running %`],
				[`stolen${cpu}`, `CPU ${cpu} stolen %`],
				[`idle${cpu}`, `CPU ${cpu} idle %`],
				[`queue${cpu}`, `CPU ${cpu} queue`],
			])
			.map(([key, label]) => ({ key, label, unit: 'number' })),
		...data.devices.flatMap(({ device, name }) => [
			{ key: `depth${device}`, label: `${name} queue`, unit: 'number' },
			{ key: `mean${device}`, label: `${name} mean latency`, unit: 'ns' },
			{ key: `max${device}`, label: `${name} longest`, unit: 'ns' },
		]),
	];

	function numbers() {
		const [from, to] = store.get('selection') ?? store.get('view'),
			width = (to - from) / NR_STRETCHES;

		return Array.from({ length: NR_STRETCHES }, (_, i) => {
			const begin = from + i * width,
				end = begin + width,
				row = { from: model.shown(begin) / 1e9, to: model.shown(end) / 1e9 };

			for (const cpu of data.cpus) {
				const part = data.cpuIn(cpu, begin, end);

				for (const what of ['running', 'stolen', 'idle'])
					row[`${what}${cpu.cpu}`] = (100 * part[what]) / width;
				row[`queue${cpu.cpu}`] = part.waiting / width;
			}
			for (const device of data.devices) {
				const part = data.deviceIn(device, begin, end);

				row[`depth${device.device}`] = part.inflight / width;
				row[`mean${device.device}`] = part.requests >= 0.5 ? part.latency / part.requests : null;
				row[`max${device.device}`] = part.requests >= 0.5 ? part.latencyMax : null;
			}
			return row;
		});
	}

	controls(model, store, range);
	legend(data);
	tableBehind(
		byId('timeline-table'),
		() => dataTable('Timeline, in equal stretches of what is selected or shown', columns(), numbers()),
		store,
		['view', 'selection'],
	);
	onAxis(canvas, model, store, { scaleOf: () => scale, tell, draw, keys: [] });
}

function controls(model, store, range) {
	const view = () => store.get('view'),
		middle = () => (view()[0] + view()[1]) / 2;
	const button = (label, title, press) =>
		el('button', { type: 'button', title, 'aria-label': title, click: press }, label);

	fill(
		byId('timeline-controls'),
		choice(
			'Drag',
			[
				['select', 'selects'],
				['pan', 'moves'],
			],
			store.get('drag'),
			(drag) => store.set({ drag }),
		),
		el(
			'div',
			{ class: 'buttons', role: 'group', 'aria-label': 'Zoom' },
			button('−', 'Zoom out', () => store.set({ view: zoomSpan(view(), 2, middle(), range) })),
			button('+', 'Zoom in', () => store.set({ view: zoomSpan(view(), 0.5, middle(), range) })),
			button('←', 'Earlier', () => store.set({ view: panSpan(view(), (view()[0] - view()[1]) / 4, range) })),
			button('→', 'Later', () => store.set({ view: panSpan(view(), (view()[1] - view()[0]) / 4, range) })),
			button('All', 'All of it', () => store.set({ view: range })),
			button('Select what is shown', 'Select what is shown', () =>
				store.set({ selection: model.snap(view()) }),
			),
		),
	);
}

function legend(data) {
	const entries = [
		['running', 'running'],
		['idle', 'idle'],
		['stolen', 'stolen'],
		['unseen', 'not known'],
		['waiting', 'run-queue length'],
	];

	if (data.devices.length)
		entries.push(
			['depth', 'disk queue'],
			['latency', 'mean latency (logarithmic)'],
			['latency-max', 'longest request'],
		);
	if (data.losses.length) entries.push(['loss', 'something was lost']);
	fill(
		byId('timeline-legend'),
		entries.map(([name, label]) => legendItem(`var(--${name})`, label)),
	);
}
