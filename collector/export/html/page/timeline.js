// SPDX-License-Identifier: GPL-2.0-or-later
// timeline - what each CPU did over time, who waited for it, and what each disk had to do.
import {
	AXIS_HEIGHT,
	drawAxis,
	drawSelection,
	gutterOf,
	onAxis,
	Scale,
	sizeCanvas,
	stretchText,
} from './axis.js';
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
import { GROUPS } from './sums.js';
import { panSpan, zoomSpan } from './span.js';
import { dataTable, tableBehind } from './table.js';
import { Timeline } from './rows.js';

const NR_STRETCHES = 24; // of the table behind, at most
const NOT_KNOWN = 'not recorded';
const CPUS_FEW = 8;
const HEIGHT_MIN_PX = 360,
	HEIGHT_MAX_PART = 0.75; // of the window; what is higher is scrolled

const COLUMNS = [
	{ key: 'from', label: 'from s', unit: 'number', decimals: 6 },
	{ key: 'to', label: 'to s', unit: 'number', decimals: 6 },
	{ key: 'where', label: 'where', unit: 'text' },
	{ key: 'running_pct', label: 'running %', unit: 'number' },
	{ key: 'stolen_pct', label: 'stolen %', unit: 'number' },
	{ key: 'idle_pct', label: 'idle %', unit: 'number' },
	{ key: 'queue', label: 'queue', unit: 'number' },
	{ key: 'mean_ns', label: 'mean latency', unit: 'ns' },
	{ key: 'longest_ns', label: 'longest', unit: 'ns' },
];

// The rows of the picture: what, how high, and where each begins.
function layOut(data) {
	const rows = [],
		many = data.cpus.length > CPUS_FEW;
	let y = AXIS_HEIGHT + 4;
	const add = (row, height, gap) => {
		rows.push({ ...row, y, height });
		y += height + gap;
	};
	const addCpu = (cpu, name, isLow) => {
		add({ kind: 'cpu', cpu, name, label: name }, isLow ? 16 : 34, 2);
		add({ kind: 'queue', cpu, name, label: ' queue' }, isLow ? 10 : 22, isLow ? 4 : 10);
	};
	const addCpus = () => data.cpus.forEach((cpu) => addCpu(cpu, `CPU ${cpu.cpu}`, many));

	if (!many) addCpus();
	else addCpu(data.meanCpu, 'Mean CPU', false);
	for (const device of data.devices) {
		add({ kind: 'depth', device, label: device.name }, 30, 4);
		add({ kind: 'latency', device, label: ' latency' }, 44, 12);
	}
	// many of them would hide the disks
	if (many) addCpus();
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
		box = canvas.parentElement,
		readout = byId('timeline-readout');
	const { rows, height: allHeight } = layOut(data),
		peaks = peaksOf(data, range);
	const isStealKnown = model.isRecorded('steal');
	let scale = new Scale(range, 0, 1);

	fill(byId('timeline-empty'), whatIsMissing(model, data));
	if (!rows.length) {
		byId('timeline-body').hidden = true;
		return;
	}

	const isExact = () => data.hasEvents && scale.perPx < data.binNs / 2;

	// The canvas is as high as its box, however many CPUs there are: what the box is scrolled to is drawn.
	function draw() {
		const height = Math.min(allHeight, Math.max(HEIGHT_MIN_PX, Math.round(innerHeight * HEIGHT_MAX_PART)));

		box.style.height = `${height}px`;
		byId('timeline-rest').style.height = `${allHeight - height}px`;
		const { context, width } = sizeCanvas(canvas, height),
			shown = rows
				.filter((row) => row.y + row.height > box.scrollTop && row.y < box.scrollTop + height)
				.map((row) => ({ ...row, y: row.y - box.scrollTop }));

		scale = new Scale(store.get('view'), gutterOf(width), width);
		drawAxis(context, scale, height, model);
		context.save();
		context.beginPath();
		context.rect(0, AXIS_HEIGHT, width, height - AXIS_HEIGHT);
		context.clip();
		for (const row of shown) {
			if (row.kind === 'cpu')
				(isExact() && row.cpu !== data.meanCpu ? drawSlices : drawCpu)(context, scale, row, data);
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
		drawNames(context, scale, shown, peaks, data);
		context.restore();
		drawLosses(context, scale, height, data);
		drawSelection(context, scale, height, store);
		tellResolution();
	}

	function tellResolution() {
		const { nr, max } = model.meta.events,
			shows = `Shown: ${stretchText(model, store.get('view'), scale.perPx)}. `;
		const each = isExact()
			? 'Single slices, gaps and requests, exact to the nanosecond; queues in bins of ' +
				`${format.ns(data.binNs)}.`
			: `A column of pixels is the mean over ${format.ns(scale.perPx)}, bins are ${format.ns(data.binNs)}` +
				(data.hasEvents
					? '; zoom in to see single slices.'
					: `; single events are left out, as there are ${format.count(nr)}, more than ${format.count(max)}.`);

		const more =
			allHeight > box.clientHeight
				? ' There are more rows than fit: the wheel, and ↑ ↓ on the keys, scroll to them; the wheel with Ctrl zooms.'
				: '';
		const scope = model.meta.has_task_filter
			? ' Tasks are not chosen from here: a CPU shows whoever had it, a disk all of its requests.'
			: '';

		byId('timeline-resolution').textContent =
			shows + each + ' Queues hold no wait and no request that had not ended by the end.' + more + scope;
	}

	function tell(x, y) {
		if (x === null || x < scale.left) {
			readout.textContent = 'Point at the picture to read it.';
			return;
		}
		const at = scale.time(x),
			isFine = scale.perPx < data.binNs, // finer than bins are: that of the moment
			begin = isFine ? Math.max(range[0], Math.floor(at / data.binNs) * data.binNs) : at,
			stretch = [begin, Math.min(begin + Math.max(scale.perPx, data.binNs), range[1])];
		const row = rows.filter((r) => y + box.scrollTop >= r.y - 2).at(-1) ?? rows[0];

		readout.textContent = `${format.moment(model.shown(at), scale.perPx)} · ${row.cpu ? aboutCpu(row, stretch, at) : aboutDisk(row.device, stretch, at)}`;
	}

	function aboutCpu({ cpu, name }, [from, to], at) {
		const part = data.cpuIn(cpu, from, to),
			share = (timeNs) => format.pct(timeNs, to - from),
			queue = `run-queue length ${queueText(part.waiting / (to - from))}`;

		if (isExact() && cpu !== data.meanCpu) return `${name} · ${aboutSlice(cpu, at)} · ${queue}`;
		return (
			`${name} · running ${share(part.running)} · stolen ${isStealKnown ? share(part.stolen) : NOT_KNOWN} · idle ${share(part.idle)}` +
			(part.unseen > (to - from) * 1e-6 ? ` · not known ${share(part.unseen)}` : '') +
			` · ${queue}`
		);
	}

	const queueText = (length) => (model.isRecorded('runq') ? format.decimal(length) : NOT_KNOWN);

	// Who had a CPU at a moment, for how long, and how long it waited for that.
	function aboutSlice(cpu, at) {
		let text = 'not recorded';

		data.slices(cpu, at, at + 1, (from, to, party, waitNs) => {
			text =
				party < 0
					? 'who ran is not known'
					: `${model.partyName(party)}, for ${format.ns(to - from)}` +
						(waitNs ? ` after a wait of ${format.ns(waitNs)}` : '');
		});
		data.gapsIn(cpu.cpu, at, at + 1, (_, from, to) => {
			text += `, stolen from it now for ${format.ns(to - from)}`;
		});
		return text;
	}

	function aboutDisk(device, [from, to], at) {
		return isExact()
			? `${device.name} · ${aboutRequest(device, at)} · queue ${format.decimal(data.deviceIn(device, from, to).inflight / (to - from))}`
			: aboutDevice(device, [from, to]);
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

	// The longest of the requests that were under way at a moment.
	function aboutRequest({ device }, at) {
		const all = [];

		data.requestsIn(device, at, at + scale.perPx, (i) => all.push(i));
		if (!all.length) return 'no request under way';
		const { ns, queue, group, party } = data.requests,
			longest = all.reduce((a, b) => (ns[b] > ns[a] ? b : a));

		return (
			`${format.plural(all.length, 'request')} under way, the longest: ${GROUPS[group[longest]]} of ${format.ns(ns[longest])}, ` +
			`${format.ns(queue[longest])} of it in the queue, for ${model.partyName(party[longest])}`
		);
	}

	// A stretch of time in words: of all CPUs together, and of each disk.
	function about([from, to]) {
		const mean = data.meanCpu && data.cpuIn(data.meanCpu, from, to),
			share = (what) =>
				`${what} ${what === 'stolen' && !isStealKnown ? NOT_KNOWN : format.pct(mean[what], to - from)}`;

		return [
			mean &&
				`${format.plural(data.cpus.length, 'CPU')}: ${['running', 'stolen', 'idle'].map(share).join(', ')}, ` +
					`${queueText((mean.waiting * data.cpus.length) / (to - from))} tasks waiting`,
			...data.devices.map((device) => aboutDevice(device, [from, to]).replace(' · ', ': ').replaceAll(' · ', ', ')),
		]
			.filter(Boolean)
			.join('. ');
	}

	function numbers() {
		const [from, to] = store.get('selection') ?? store.get('view'),
			first = Math.floor(from / data.binNs),
			nrBins = Math.ceil(to / data.binNs) - first,
			bins = Math.ceil(nrBins / NR_STRETCHES), // of each stretch: whole ones
			table = [];

		for (let i = 0; i < nrBins; i += bins) {
			const begin = Math.max(range[0], (first + i) * data.binNs),
				end = Math.min(range[1], (first + i + bins) * data.binNs),
				width = end - begin,
				when = { from: model.shown(begin) / 1e9, to: model.shown(end) / 1e9 };

			for (const cpu of data.cpus) {
				const part = data.cpuIn(cpu, begin, end),
					share = (what) => (what !== 'stolen' || isStealKnown ? (100 * part[what]) / width : null);

				table.push({
					...when,
					where: `CPU ${cpu.cpu}`,
					running_pct: share('running'),
					stolen_pct: share('stolen'),
					idle_pct: share('idle'),
					queue: model.isRecorded('runq') ? part.waiting / width : null,
				});
			}
			for (const device of data.devices) {
				const part = data.deviceIn(device, begin, end),
					hasAny = part.requests >= 0.5;

				table.push({
					...when,
					where: device.name,
					queue: part.inflight / width,
					mean_ns: hasAny ? part.latency / part.requests : null,
					longest_ns: hasAny ? part.latencyMax : null,
				});
			}
		}
		return table;
	}

	controls(model, store, range);
	legend(data);
	tableBehind(
		byId('timeline-table'),
		() => dataTable('timeline', 'Timeline, in stretches of whole bins of what is selected or shown', COLUMNS, numbers()),
		store,
		['view', 'selection'],
	);
	onAxis(canvas, model, store, { scaleOf: () => scale, tell, about, draw, keys: [] });
	box.addEventListener('scroll', draw);
}

// Why rows that one would expect are not there.
function whatIsMissing(model, data) {
	const missing = [];

	if (!data.cpus.length) missing.push(whyEmpty(model, 'runq', null));
	if (!data.devices.length) missing.push(whyEmpty(model, 'disk', null));
	return [...new Set(missing)].join(' ');
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
