// SPDX-License-Identifier: GPL-2.0-or-later
// stackview - the stacks of a cause as flame graph or sunburst: what is shown, where it is zoomed to, what is searched.
import { announce, byId, choice, el, fill, freshId, legendItem, showChoice } from './dom.js';
import { createFlame } from './flame.js';
import * as format from './format.js';
import { CAUSE_WORDS, CAUSES } from './model.js';
import { whyNoStacks } from './reasons.js';
import { difference, follow, functions, KINDS, matches, pathOf, search, Stacks } from './stacks.js';
import { createSunburst } from './sunburst.js';
import { dataTable, tableBehind } from './table.js';
import { color, onTheme } from './theme.js';

const CHARTS = [
	['flame', 'Flame graph'],
	['sunburst', 'Sunburst'],
];
const COLOURS = [
	['no', 'by kind'],
	['yes', 'difference'],
];
const GROUPS = [
	['stack', 'stacks only'],
	['task', 'task first'],
	['cgroup', 'cgroup first'],
];
const STACK_KEYS =
	'Arrow keys go from frame to frame, Enter zooms in, Backspace zooms out, Escape shows everything.';

// A tint that stays the same for a name, so that neighbours can be told apart.
function shade(name, nr) {
	let hash = 0;

	for (let i = 0; i < name.length; i++) hash = (hash * 31 + name.charCodeAt(i)) >>> 0;
	return hash % nr;
}

export function createStackView(model, store) {
	const stacks = new Stacks(model),
		hasBaseline = !!stacks.baseline;
	const box = byId('stacks-chart'),
		readout = byId('stacks-readout');
	let tree = null,
		zoom = null,
		current = null;

	const perSecond = () => 1e9 / model.length(store.get('selection'));
	const basePerSecond = hasBaseline ? 1e9 / Math.max(1, model.meta.baseline.dur_ns) : 0;
	const compares = () => stacks.compares(store.get('group'));
	const isDifferential = () => compares() && store.get('compare');

	function paint(node) {
		if (matches(node.name, store.get('search')) && node.parent) return color('match');
		if (isDifferential()) {
			const part = difference(node, perSecond(), basePerSecond),
				strength = Math.round(Math.abs(part) * 100);

			return `color-mix(in srgb, ${color(part > 0 ? 'more' : 'less')} ${strength}%, ${color('same')})`;
		}
		return color(`frame-${KINDS[node.kind] ?? 'made'}-${shade(node.name, 3)}`);
	}

	function label(node) {
		const seconds = model.length(store.get('selection')) / 1e9;
		let text =
			`${node.name}: ${format.ns(node.value)}, ${format.pct(node.value, tree.value)} of ${CAUSE_WORDS[store.get('cause')].toLowerCase()} time` +
			`, ${format.ns(node.value / seconds)} per second`;

		if (node.kind !== 3 && node.kind !== 4) text += `, ${KINDS[node.kind]}`;
		if (compares()) {
			const now = node.value * perSecond(),
				then = node.base * basePerSecond;

			text += `; baseline ${format.ns(then)} per second, ${then ? `${now >= then ? '+' : ''}${format.decimal((100 * (now - then)) / then, 1)} %` : 'new'}`;
		}
		return text;
	}

	function point(text) {
		readout.textContent = text ?? (current ? label(current) + whereMarked() : 'Point at a frame to read it.');
	}

	const actions = { paint, label, zoomed: (node) => zoomTo(node), pointed: point };
	const charts = {
		flame: createFlame(byId('flame'), actions),
		sunburst: createSunburst(byId('sunburst'), actions),
	};

	let isDrawn = true;
	function mark() {
		isDrawn = !current || charts[store.get('chart')].mark(current);
	}

	function whereMarked() {
		return isDrawn ? '' : '. Too small or too deep to be drawn here, marked is the nearest frame that is; Enter zooms in';
	}

	function zoomTo(node) {
		current = node;
		store.set({ path: pathOf(node) });
	}

	function rebuild() {
		const cause = store.get('cause'),
			selection = store.get('selection');

		tree = stacks.tree(cause, selection, store.get('group'));
		current = null;
		const isEmpty = !tree.value;
		byId('stacks-body').hidden = isEmpty;
		fill(byId('stacks-empty'), isEmpty ? whyNoStacks(model, cause, selection) : '');
		fill(byId('stacks-note'), isEmpty ? '' : notes(cause));
		show();
	}

	function notes(cause) {
		const texts = [];

		if (!model.meta.has_stacks)
			texts.push(
				'There are no stacks in what is shown, so frames are tasks and causes only: record with --stacks to see functions.',
			);
		if (cause === 'disk') texts.push('Requests may overlap: their time may add up to more than went by.');
		if (cause === 'disk' && model.meta.stacked_device)
			texts.push(`${model.meta.stacked_device} lies on other disks, so its I/O is there twice.`);
		if (cause === 'cpu') texts.push('Sampled: a frame is as exact as it has samples.');
		if (model.meta.merged.stacks)
			texts.push(
				`${format.plural(model.meta.merged.stacks, 'hit')} found no room for the whole stack: they are under (others), or cut.`,
			);
		if (tree.nrLeftOut)
			texts.push(`${format.plural(tree.nrLeftOut, 'narrow frame')} left out with what is above.`);
		if (hasBaseline)
			texts.push(
				compares()
					? 'The baseline is the whole of its session, compared per second; frames that only it has are in the table.'
					: 'Nothing of the baseline is known by cgroup: in this order nothing is compared.',
			);
		return texts.join(' ');
	}

	function show() {
		const kind = store.get('chart');

		byId('flame').hidden = kind !== 'flame';
		byId('sunburst').hidden = kind !== 'sunburst';
		if (!tree.value) return;
		zoom = follow(tree, store.get('path'));
		charts[kind].show(tree, zoom);
		mark();
		crumbs();
		found();
		point(null);
		box.setAttribute(
			'aria-label',
			`${kind === 'flame' ? 'Flame graph' : 'Sunburst'}, cause ${CAUSE_WORDS[store.get('cause')]}`,
		);
	}

	function crumbs() {
		const path = [];

		for (let node = zoom; node; node = node.parent) path.unshift(node);
		fill(
			byId('stacks-crumbs'),
			path.map((node, i) =>
				el(
					'li',
					null,
					i === path.length - 1
						? el('span', { 'aria-current': 'true' }, node.name)
						: el('button', { type: 'button', click: () => zoomTo(node) }, node.name),
				),
			),
		);
	}

	function found() {
		const term = store.get('search'),
			result = term ? search(tree, term) : null;

		byId('stacks-found').textContent = !result
			? ''
			: result.nr
				? `${format.plural(result.nr, 'frame')} found: ${format.ns(result.ns)}, ${format.pct(result.ns, tree.value)}`
				: 'nothing found';
	}

	// --- keys: from frame to frame, on the tree itself, so that both pictures are operated alike ---

	const byWidth = (nodes) => nodes.filter((n) => n.value > 0);

	function step(node, key) {
		const siblings = node.parent ? byWidth(node.parent.children) : [node],
			place = siblings.indexOf(node);

		switch (key) {
			case 'ArrowDown':
				return byWidth(node.children).reduce((a, b) => (a && a.value >= b.value ? a : b), null) ?? node;
			case 'ArrowUp':
				return node === zoom ? node : (node.parent ?? node);
			case 'ArrowLeft':
				return siblings[place - 1] ?? node;
			case 'ArrowRight':
				return siblings[place + 1] ?? node;
			default:
				return null;
		}
	}

	box.addEventListener('keydown', (event) => {
		if (event.target !== box || event.altKey || event.ctrlKey || event.metaKey || !tree.value) return;
		const next = step(current ?? zoom, event.key);

		if (next) {
			current = next;
			mark();
			point(null);
			announce(label(current) + whereMarked());
		} else if (event.key === 'Enter') {
			zoomTo(current ?? zoom);
		} else if (event.key === 'Backspace') {
			zoomTo(zoom.parent ?? zoom);
		} else if (event.key === 'Escape') {
			zoomTo(tree);
		} else {
			return;
		}
		event.preventDefault();
	});
	box.setAttribute('aria-description', STACK_KEYS);

	// --- controls ---

	function causeLabel(cause, totals) {
		return `${CAUSE_WORDS[cause]} ${totals[cause] ? format.ns(totals[cause]) : '–'}`;
	}

	function controls() {
		const id = freshId('search'),
			totals = model.causeTotals(store.get('selection')),
			causes = CAUSES.map((cause) => [cause, causeLabel(cause, totals)]);
		// by key of the store
		const choices = {
			cause: choice('Cause', causes, store.get('cause'), (cause) => store.set({ cause, path: [] })),
			chart: choice('Picture', CHARTS, store.get('chart'), (chart) => store.set({ chart })),
			group: choice('Order', GROUPS, store.get('group'), (group) => store.set({ group, path: [] })),
		};
		const compare = (on) => store.set({ compare: on === 'yes' });

		fill(
			byId('stacks-controls'),
			Object.values(choices),
			hasBaseline ? choice('Colours', COLOURS, store.get('compare') ? 'yes' : 'no', compare) : null,
			el(
				'div',
				{ class: 'select' },
				el('label', { for: id }, 'Search'),
				el('input', {
					id,
					type: 'search',
					value: store.get('search'),
					placeholder: 'part of a name',
					spellcheck: 'false',
					input: (event) => store.set({ search: event.target.value.trim() }),
				}),
			),
		);
		store.on(Object.keys(choices), (state) => {
			for (const [key, node] of Object.entries(choices)) showChoice(node, state[key]);
		});
		store.on(['selection'], () => {
			const now = model.causeTotals(store.get('selection'));

			choices.cause.querySelectorAll('span').forEach((span, i) => {
				span.textContent = causeLabel(CAUSES[i], now);
			});
		});
	}

	function legend() {
		const entries = isDifferential()
			? [
					['less', 'less than in the baseline'],
					['same', 'the same'],
					['more', 'more'],
				]
			: [
					['frame-kernel-1', 'kernel'],
					['frame-program-1', 'program'],
					['frame-inlined-1', 'inlined'],
					['frame-task-1', 'task or cgroup'],
					['frame-made-1', '[cause or gap]'],
				];

		fill(
			byId('stacks-legend'),
			[...entries, ['match', 'found by search']].map(([name, text]) => legendItem(`var(--${name})`, text)),
		);
	}

	function numbers() {
		const base = compares()
			? [
					{ key: 'base_ns', label: 'baseline', unit: 'ns' },
					{ key: 'change_ns', label: 'change per s', unit: 'ns' },
				]
			: [];
		const rows = functions(zoom?.value ? zoom : tree).map((f) => ({
			name: f.name,
			kind: KINDS[f.kind],
			total_ns: f.total,
			share_pct: (100 * f.total) / Math.max(1, tree.value),
			self_ns: f.self,
			base_ns: f.baseTotal,
			change_ns: f.total * perSecond() - f.baseTotal * basePerSecond,
		}));

		return dataTable(
			'functions',
			`Functions, ${CAUSE_WORDS[store.get('cause')].toLowerCase()} time`,
			[
				{ key: 'name', label: 'function', unit: 'text' },
				{ key: 'total_ns', label: 'with it on the stack', unit: 'ns' },
				{ key: 'share_pct', label: 'share %', unit: 'pct', decimals: 1 },
				{ key: 'self_ns', label: 'on top', unit: 'ns' },
				...base,
				{ key: 'kind', label: 'kind', unit: 'text' },
			],
			rows,
			{ empty: 'no functions' },
		);
	}

	if (!store.get('cause')) {
		const totals = model.causeTotals(null),
			rank = ['steal', 'cpu', 'runq', 'disk'];

		store.set({ cause: rank.find((cause) => totals[cause]) ?? 'cpu' });
	}
	controls();
	legend();
	rebuild();
	store.on(['cause', 'selection', 'group'], rebuild);
	store.on(['path', 'chart'], show);
	store.on(['search', 'compare'], () => {
		legend();
		if (tree.value) {
			charts[store.get('chart')].repaint();
			found();
			point(null);
		}
	});
	onTheme(() => tree.value && charts[store.get('chart')].repaint());
	let width = box.clientWidth;
	new ResizeObserver(() => {
		if (box.clientWidth && box.clientWidth !== width) {
			width = box.clientWidth;
			show();
		}
	}).observe(box);
	tableBehind(byId('stacks-table'), numbers, store, ['cause', 'selection', 'group', 'path']);
}
