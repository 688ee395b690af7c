// SPDX-License-Identifier: GPL-2.0-or-later
// heat - latencies over time: how many, of which length, when. Logarithmic in length and in colour.
import { interpolateCividis } from 'd3';
import { AXIS_HEIGHT, drawAxis, drawSelection, gutterOf, onAxis, Scale, sizeCanvas } from './axis.js';
import { byId, fill, select } from './dom.js';
import * as format from './format.js';
import { gridOf } from './grid.js';
import { whyEmpty } from './reasons.js';
import { dataTable, tableBehind } from './table.js';
import { color, isDark } from './theme.js';

const HEIGHT = 220,
	COLUMN_MIN_PX = 3;

const PERCENTILES = [50, 90, 99, 99.9],
	NR_STRETCHES = 24; // of the table of the time
const nrOf = (histogram) => histogram.reduce((a, b) => a + b, 0);

const NR_SHADES = 64;
let shades = null,
	shadesAreDark = null;

// part 0 to 1: the more, the farther from the background; the least is well off it, too. From a table: maps have ten thousands of cells.
export function heatColor(part) {
	if (!shades || shadesAreDark !== isDark()) {
		shadesAreDark = isDark();
		shades = Array.from({ length: NR_SHADES }, (_, i) => {
			const at = 0.12 + (0.88 * i) / (NR_SHADES - 1);

			return interpolateCividis(shadesAreDark ? at : 1 - at);
		});
	}
	return shades[Math.round(part * (NR_SHADES - 1))];
}

export function heatLegend(node, least, most) {
	const stops = Array.from({ length: 9 }, (_, i) => heatColor(i / 8)).join(',');

	fill(node, least, ' ', document.createElement('i'), ' ', most);
	node.querySelector('i').style.background = `linear-gradient(to right, ${stops})`;
}

// The buckets in use over the whole session, [first, end); null: none is.
function usedBuckets(model, map) {
	const histogram = model.histogram(map, null);
	const first = histogram.findIndex((nr) => nr > 0),
		last = histogram.findLastIndex((nr) => nr > 0);

	return first < 0 ? null : [Math.max(0, first - 1), Math.min(histogram.length, last + 2)];
}

export function createHeat(model, store) {
	const canvas = byId('heat-canvas'),
		readout = byId('heat-readout'),
		maps = model.heatMaps;
	let scale = new Scale(model.range, 0, 1),
		drawn = null;

	const current = () => maps.find((m) => m.id === store.get('heat')) ?? maps[0];
	const yOf = (bucket, [first, end]) =>
		AXIS_HEIGHT + (HEIGHT - AXIS_HEIGHT) * (1 - (bucket - first) / (end - first));

	function draw() {
		const { map, section, title, nothing } = current(),
			buckets = usedBuckets(model, map);

		byId('heat-body').hidden = !buckets;
		fill(byId('heat-empty'), buckets ? '' : whyEmpty(model, section, null, nothing));
		drawn = null;
		if (!buckets) return;
		const { context, width } = sizeCanvas(canvas, HEIGHT),
			slotNs = model.time.slot_ns;
		scale = new Scale(store.get('view'), gutterOf(width), width);
		const columnSlots = Math.max(1, Math.ceil((scale.perPx * COLUMN_MIN_PX) / slotNs));
		// whole columns: what a cell of one shows does not depend on where the picture ends
		const [first, end] = [Math.floor(scale.from / slotNs / columnSlots), Math.ceil(scale.to / slotNs / columnSlots)],
			slots = [first * columnSlots, end * columnSlots];
		drawn = { buckets, columnNs: columnSlots * slotNs, ...gridOf(model, map, buckets, slots, columnSlots) };

		drawAxis(context, scale, HEIGHT, model);
		context.save();
		context.beginPath();
		context.rect(scale.left, AXIS_HEIGHT, scale.width, HEIGHT - AXIS_HEIGHT);
		context.clip();
		for (const [column, counts] of drawn.columns) {
			const x0 = scale.x(column * drawn.columnNs),
				x1 = scale.x((column + 1) * drawn.columnNs);

			counts.forEach((nr, i) => {
				if (!nr) return;
				const y0 = yOf(buckets[0] + i + 1, buckets),
					y1 = yOf(buckets[0] + i, buckets);
				context.fillStyle = heatColor(drawn.most > 1 ? Math.log(nr) / Math.log(drawn.most) : 1);
				context.fillRect(x0, y0, Math.max(1, x1 - x0), Math.max(1, y1 - y0));
			});
		}
		context.restore();
		drawSelection(context, scale, HEIGHT, store);
		drawLatencies(context, buckets);
		canvas.setAttribute('aria-label', `Heat map. ${title}, over time.`);
		heatLegend(
			byId('heat-legend'),
			'1',
			`${format.count(Math.max(1, drawn.most))} ${current().what} in a cell of ${format.ns(drawn.columnNs)}`,
		);
	}

	function drawLatencies(context, buckets) {
		const low = Math.max(1, model.bucketLower(buckets[0])),
			high = model.bucketUppers[buckets[1] - 1];

		context.fillStyle = color('text-soft');
		context.textAlign = 'right';
		context.textBaseline = 'middle';
		for (let power = 10 ** Math.ceil(Math.log10(low)); power <= high; power *= 10) {
			const bucket = model.bucketUppers.findIndex((upper) => upper >= power),
				y = yOf(bucket, buckets);

			if (y > AXIS_HEIGHT + 4 && y < HEIGHT - 4)
				context.fillText(format.ns(power).replace(/\.0+(?=\D)/, ''), scale.left - 6, y);
		}
	}

	function tell(x, y) {
		if (x === null || !drawn || x < scale.left || y < AXIS_HEIGHT) {
			readout.textContent = 'Point at the picture to read it.';
			return;
		}
		const { buckets, columnNs, columns } = drawn,
			column = Math.floor(scale.time(x) / columnNs);
		const bucket = Math.floor(
			buckets[0] + (buckets[1] - buckets[0]) * (1 - (y - AXIS_HEIGHT) / (HEIGHT - AXIS_HEIGHT)),
		);
		const nr = columns.get(column)?.[bucket - buckets[0]] ?? 0;

		readout.textContent =
			`${format.moment(model.shown(column * columnNs), columnNs)}, for ${format.ns(columnNs)} · ${format.ns(model.bucketLower(bucket))} to ` +
			`${format.ns(model.bucketUppers[bucket])} · ${format.count(nr)} ${current().what}`;
	}

	// How many there are, and percentiles, of a stretch of time; null: the whole session.
	function about(stretch) {
		const histogram = model.histogram(current().map, stretch),
			nr = nrOf(histogram),
			percentiles = PERCENTILES.map((pct) => `p${pct} ${format.ns(model.percentile(histogram, pct))}`);

		return [`${format.count(nr)} ${current().what}`, ...(nr ? percentiles : [])].join(', ');
	}

	function summarize() {
		const selection = store.get('selection');

		byId('heat-summary').textContent =
			`${selection ? 'In the selection' : 'In the whole session'}: ${about(selection)}. ` +
			'Percentiles are upper bounds of buckets: at most 25 % high, never low.';
	}

	function byLength() {
		const histogram = model.histogram(current().map, store.get('selection')),
			rows = [];

		histogram.forEach(
			(nr, bucket) =>
				nr && rows.push({ from_ns: model.bucketLower(bucket), to_ns: model.bucketUppers[bucket], nr }),
		);
		return dataTable(
			'heat-length',
			`${current().title}, by length, in what is selected`,
			[
				{ key: 'from_ns', label: 'from', unit: 'ns' },
				{ key: 'to_ns', label: 'to', unit: 'ns' },
				{ key: 'nr', label: current().what, unit: 'count' },
			],
			rows,
		);
	}

	// As the picture has it, for who cannot see it: in stretches of whole slots, so that each is counted once.
	function overTime() {
		const slotNs = model.time.slot_ns,
			[first, end] = model.slots(store.get('selection') ?? store.get('view')),
			slots = Math.ceil((end - first) / NR_STRETCHES),
			rows = [];

		for (let slot = first; slot < end; slot += slots) {
			const stretch = [slot * slotNs, Math.min(slot + slots, end) * slotNs],
				histogram = model.histogram(current().map, stretch);

			rows.push({
				from: model.shown(Math.max(stretch[0], model.range[0])) / 1e9,
				to: model.shown(Math.min(stretch[1], model.range[1])) / 1e9,
				nr: nrOf(histogram),
				p50_ns: model.percentile(histogram, 50),
				p99_ns: model.percentile(histogram, 99),
				longest_ns: model.percentile(histogram, 100),
			});
		}
		return dataTable(
			'heat-time',
			`${current().title}, over the time that is selected or shown`,
			[
				{ key: 'from', label: 'from s', unit: 'number', decimals: 6 },
				{ key: 'to', label: 'to s', unit: 'number', decimals: 6 },
				{ key: 'nr', label: current().what, unit: 'count' },
				{ key: 'p50_ns', label: 'p50', unit: 'ns' },
				{ key: 'p99_ns', label: 'p99', unit: 'ns' },
				{ key: 'longest_ns', label: 'longest', unit: 'ns' },
			],
			rows,
			{ note: ' percentiles and longest are upper bounds of buckets' },
		);
	}

	if (!maps.some((m) => m.id === store.get('heat')))
		store.set({ heat: (maps.find((m) => usedBuckets(model, m.map)) ?? maps[0]).id });
	const options = maps.map((m) => [m.id, m.title]);
	fill(
		byId('heat-controls'),
		select('Show', options, current().id, (heat) => store.set({ heat })),
	);
	store.on(['heat'], () => {
		byId('heat-controls').querySelector('select').value = current().id;
	});
	store.on(['selection', 'heat'], summarize);
	tableBehind(byId('heat-table'), () => [byLength(), overTime()], store, ['heat', 'selection', 'view']);
	onAxis(canvas, model, store, { scaleOf: () => scale, tell, about, draw, keys: ['heat'] });
	summarize();
}
