// SPDX-License-Identifier: GPL-2.0-or-later
// phase - the same part of each second beside each other: what comes back at a period of a second's part shows as a stripe.
import { AXIS_HEIGHT, drawAxis, drawSelection, gutterOf, onAxis, Scale, sizeCanvas } from './axis.js';
import { byId, choice, fill, showChoice } from './dom.js';
import * as format from './format.js';
import { heatColor, heatLegend } from './heat.js';
import { whyEmpty } from './reasons.js';
import { dataTable, tableBehind } from './table.js';
import { color } from './theme.js';

const HEIGHT = 220,
	ROWS = 64,
	SECOND_NS = 1e9;
// name of the column, words, section, what there was none of
const KINDS = [
	['stolen', 'stolen', 'steal'],
	['waiting', 'run-queue length', 'runq'],
	['running', 'running', 'runq', 'no task ran'],
];
const LABELS = KINDS.map(([kind, label]) => [kind, label]);

// ns by part of a second, in columns [first, end).
export function profileOf(values, first, end) {
	const sums = new Float64Array(ROWS);

	for (let i = first * ROWS; i < Math.min(end * ROWS, values.length); i++) sums[i % ROWS] += values[i];
	return sums;
}

export function createPhase(model, store) {
	const canvas = byId('phase-canvas'),
		readout = byId('phase-readout'),
		seconds = model.time.phase_seconds,
		columnNs = seconds * SECOND_NS;
	const values = Object.fromEntries(KINDS.map(([kind]) => [kind, model.columns.numbers(`phase.${kind}`)]));
	const hasAny = (kind) => values[kind].some((ns) => ns > 0);
	let scale = new Scale(model.range, 0, 1);

	const kindOf = () => KINDS.find(([kind]) => kind === store.get('phase'));
	const columnsOf = ([from, to]) => [Math.max(0, Math.floor(from / columnNs)), Math.ceil(to / columnNs)];
	// as the timeline has it: of one CPU's time, or tasks
	const rateOf = (ns) =>
		ns / (columnNs / ROWS) / (store.get('phase') === 'waiting' ? 1 : Math.max(1, model.cpus.length));
	// with --from they need not begin with a second of the recording
	const columnText = (column) => {
		const [from, to] = [column, column + 1].map((c) =>
			format.moment(model.shown(c * columnNs), model.time.since_start_ns % SECOND_NS ? 1e6 : SECOND_NS),
		);

		return seconds > 1 ? `each second from ${from} to ${to}` : `second from ${from}`;
	};
	const offsetText = (row) =>
		`${format.decimal((row * 1000) / ROWS, 1)} to ${format.decimal(((row + 1) * 1000) / ROWS, 1)} ms`;
	const worded = (rate) =>
		store.get('phase') === 'waiting'
			? `${format.decimal(rate)} tasks`
			: `${format.decimal(100 * rate, 1)} % of the CPUs`;

	function draw() {
		const [kind, , section, nothing] = kindOf();

		byId('phase-body').hidden = !hasAny(kind);
		fill(byId('phase-empty'), hasAny(kind) ? '' : whyEmpty(model, section, null, nothing));
		if (!hasAny(kind)) return;
		const { context, width } = sizeCanvas(canvas, HEIGHT);
		scale = new Scale(store.get('view'), gutterOf(width), width);
		const [first, end] = columnsOf(store.get('view')),
			height = (HEIGHT - AXIS_HEIGHT) / ROWS;
		const most = values[kind].reduce((a, b) => Math.max(a, b), 0);

		drawAxis(context, scale, HEIGHT, model);
		context.save();
		context.beginPath();
		context.rect(scale.left, AXIS_HEIGHT, scale.width, HEIGHT - AXIS_HEIGHT);
		context.clip();
		for (let column = first; column < end; column++) {
			for (let row = 0; row < ROWS; row++) {
				const ns = values[kind][column * ROWS + row];

				if (!ns) continue;
				const x = scale.x(column * columnNs);
				context.fillStyle = heatColor(Math.sqrt(ns / most));
				context.fillRect(
					x,
					HEIGHT - (row + 1) * height,
					Math.max(1, scale.x((column + 1) * columnNs) - x - (scale.perPx < columnNs / 12 ? 1 : 0)),
					height + 0.5,
				);
			}
		}
		context.restore();
		drawSelection(context, scale, HEIGHT, store);
		context.fillStyle = color('text-soft');
		context.textAlign = 'right';
		context.textBaseline = 'middle';
		for (const part of [0, 0.25, 0.5, 0.75, 1])
			context.fillText(
				`${part * 1000} ms`,
				scale.left - 6,
				Math.min(HEIGHT - 6, Math.max(AXIS_HEIGHT + 6, HEIGHT - part * (HEIGHT - AXIS_HEIGHT))),
			);
		heatLegend(byId('phase-legend'), '0', worded(rateOf(most)));
		byId('phase-note').textContent = model.meta.has_task_filter ? 'Of all tasks: they are not chosen from here.' : '';
	}

	function tell(x, y) {
		if (x === null || x < scale.left || y < AXIS_HEIGHT) {
			readout.textContent = 'Point at the picture to read it.';
			return;
		}
		const column = Math.floor(scale.time(x) / columnNs),
			row = Math.min(ROWS - 1, Math.floor((ROWS * (HEIGHT - y)) / (HEIGHT - AXIS_HEIGHT)));
		const ns = values[store.get('phase')][column * ROWS + row] ?? 0;

		readout.textContent =
			`${columnText(column)}, ${offsetText(row)} into it · ` +
			`${kindOf()[1]} ${worded(rateOf(ns))}`;
	}

	// How long of [from, to] a part of the second is, in columns of one second; longer columns count as whole.
	const covered = (row, [from, to]) => {
		const [first, end] = columnsOf([from, to]);
		let ns = 0;

		for (let column = first; column < end; column++) {
			const begin = seconds > 1 ? 0 : column * SECOND_NS + (row * SECOND_NS) / ROWS;

			ns += seconds > 1 ? columnNs / ROWS : Math.max(0, Math.min(model.range[1], begin + SECOND_NS / ROWS) - Math.max(model.range[0], begin));
		}
		return ns;
	};

	// Where in the second there is most of it.
	function about(span) {
		const [first, end] = columnsOf(span),
			shares = profileOf(values[store.get('phase')], first, end).map((ns, row) => ns / Math.max(1, covered(row, span))),
			most = shares.reduce((a, b) => Math.max(a, b), 0);

		return most
			? `${kindOf()[1]}: most at ${offsetText(shares.indexOf(most))} of a second, ${worded(rateOf((most * columnNs) / ROWS))}`
			: `${kindOf()[1]}: none`;
	}

	function numbers() {
		const [first, end] = columnsOf(store.get('selection') ?? model.range);
		const sums = KINDS.map(([kind]) => profileOf(values[kind], first, end));

		return dataTable(
			'phase',
			'By part of the second, all seconds of what is selected together',
			[
				{ key: 'offset_ms', label: 'ms into the second', unit: 'number' },
				...KINDS.map(([kind, label]) => ({
					key: `${kind}_ns`,
					label: kind === 'waiting' ? 'waiting' : label,
					unit: 'ns',
				})),
			],
			Array.from({ length: ROWS }, (_, row) => ({
				offset_ms: (row * 1000) / ROWS,
				...Object.fromEntries(KINDS.map(([kind], i) => [`${kind}_ns`, sums[i][row]])),
			})),
			{ note: seconds > 1 ? ` in columns of ${seconds} s` : ' in whole seconds' },
		);
	}

	if (!store.get('phase')) store.set({ phase: hasAny('stolen') ? 'stolen' : 'waiting' });
	const kinds = choice('Show', LABELS, store.get('phase'), (phase) => store.set({ phase }));
	fill(byId('phase-controls'), kinds);
	store.on(['phase'], (state) => showChoice(kinds, state.phase));
	tableBehind(byId('phase-table'), numbers, store, ['selection']);
	onAxis(canvas, model, store, { scaleOf: () => scale, tell, about, draw, keys: ['phase'] });
}
