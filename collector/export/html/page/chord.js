// SPDX-License-Identifier: GPL-2.0-or-later
// chord - who delays whom, as a chord diagram.
import { chordDirected, descending, ribbonArrow, arc, select as pick } from 'd3';
import { announce, byId, choice, fill, legendItem, showChoice } from './dom.js';
import * as format from './format.js';
import { matrixOf, pairsOf, RELATIONS } from './matrix.js';
import { whyEmpty } from './reasons.js';
import { dataTable, tableBehind } from './table.js';

const RADIUS = 205,
	BAND = 14,
	NR_COLOURS = 8,
	NARROW_PX = 520;
const LABELS = RELATIONS.map((r) => [r.id, r.label]),
	BY = ['task', 'name', 'cgroup'].map((by) => [by, by]);
const PATHS = [
	{ key: 'from_cgroup_path', label: 'from path', unit: 'text', detail: true },
	{ key: 'to_cgroup_path', label: 'to path', unit: 'text', detail: true },
];
const KEYS = '← → go from party to party, ↑ ↓ through the bands of one, Escape leaves it.';
// Names around the circle: few letters and large ones where there is little room, as the picture shrinks with it.
const WIDE = { size: 680, fontPx: 13, chars: 14 },
	NARROW = { size: 660, fontPx: 22, chars: 9 };

export function createChord(model, store) {
	const box = byId('chord-chart'),
		readout = byId('chord-readout');
	let pairs = [],
		totalNs = 0,
		small = null,
		chords = null,
		ribbons = null,
		groups = null,
		chosen = { party: null, band: null }; // by keys

	const relation = () => RELATIONS.find((r) => r.id === store.get('relation'));
	// the second round of colours is paler
	const colour = (i) =>
		i < NR_COLOURS
			? `var(--party-${i})`
			: `color-mix(in srgb, var(--party-${i % NR_COLOURS}) 55%, var(--back))`;
	const layout = () => (box.clientWidth < NARROW_PX ? NARROW : WIDE);
	// in the middle: a task's tid is at its end
	const cut = (name) =>
		name.length > layout().chars ? `${name.slice(0, layout().chars - 5)}…${name.slice(-4)}` : name;

	function sides(i) {
		const to = small.matrix.reduce((sum, row) => sum + row[i], 0),
			from = small.matrix[i].reduce((a, b) => a + b, 0);

		return `${small.names[i]}: ${relation().from} for ${format.ns(from)} of others' waiting, ${relation().to} for ${format.ns(to)}`;
	}

	function pairText(from, to, ns) {
		return `${small.names[from]} → ${small.names[to]}: ${format.ns(ns)}, ${format.pct(ns, totalNs)}`;
	}

	function draw() {
		pairs = pairsOf(model, store.get('relation'), store.get('by'), store.get('selection'));
		totalNs = pairs.reduce((sum, pair) => sum + pair.ns, 0);
		const isEmpty = !totalNs;

		byId('chord-body').hidden = isEmpty;
		fill(
			byId('chord-empty'),
			isEmpty ? whyEmpty(model, 'runq', store.get('selection'), relation().nothing) : '',
		);
		box.replaceChildren();
		chosen = { party: null, band: null };
		if (isEmpty) return;
		small = matrixOf(pairs);
		const { size, fontPx } = layout();
		chords = chordDirected()
			.padAngle(Math.min(0.04, 1 / small.names.length))
			.sortSubgroups(descending)
			.sortChords(descending)(small.matrix);
		const picture = pick(box)
			.append('svg')
			.attr('viewBox', [-size / 2, -size / 2, size, size].join(' '))
			.attr('class', 'chord')
			.attr('role', 'img')
			.attr(
				'aria-label',
				`Chord diagram: ${relation().words}. ${pairs.length} pairs; the longest: ${pairText(...longest())}`,
			);

		ribbons = picture
			.append('g')
			.attr('class', 'ribbons')
			.selectAll('path')
			.data(chords)
			.join('path')
			.attr(
				'd',
				ribbonArrow()
					.radius(RADIUS - 2)
					.padAngle(0.006),
			)
			.style('fill', (d) => colour(d.source.index))
			.on('mouseover', (event, d) => point(pairText(d.source.index, d.target.index, d.source.value)))
			.on('mouseout', () => point(null));
		ribbons.append('title').text((d) => pairText(d.source.index, d.target.index, d.source.value));

		groups = picture
			.append('g')
			.selectAll('g')
			.data(chords.groups)
			.join('g')
			.attr('class', 'party')
			.on('mouseover', (event, d) => {
				point(sides(d.index));
				only(d.index, null);
			})
			.on('mouseout', () => {
				point(null);
				only(chosen.party, chosen.band);
			});
		groups
			.append('path')
			.attr(
				'd',
				arc()
					.innerRadius(RADIUS)
					.outerRadius(RADIUS + BAND),
			)
			.style('fill', (d) => colour(d.index))
			.append('title')
			.text((d) => sides(d.index));
		groups
			.filter((d) => (d.endAngle - d.startAngle) * (RADIUS + BAND) > fontPx * 0.8)
			.append('text')
			.attr('font-size', fontPx)
			.attr('transform', place)
			.attr('text-anchor', (d) => (isLeft(d) ? 'end' : 'start'))
			.attr('dy', '0.35em')
			.text((d) => cut(small.names[d.index]));
		lists();
		point(null);
	}

	const angle = (d) => (d.startAngle + d.endAngle) / 2;
	const isLeft = (d) => angle(d) > Math.PI;
	const place = (d) =>
		`rotate(${(angle(d) * 180) / Math.PI - 90}) translate(${RADIUS + BAND + 6}) ${isLeft(d) ? 'rotate(180)' : ''}`;

	function longest() {
		let best = [0, 0, -1];

		small.matrix.forEach((row, from) =>
			row.forEach((ns, to) => {
				if (ns > best[2]) best = [from, to, ns];
			}),
		);
		return best;
	}

	const touches = (d, party) => d.source.index === party || d.target.index === party;

	// Shows one band, or those of a party, or all.
	function only(party, band) {
		ribbons.classed('faded', (d) => (band ? d !== band : party !== null && !touches(d, party)));
		groups.classed('current', (d) => d.index === party);
	}

	function point(text) {
		readout.textContent = text ?? chosenText() ?? `${allText()}. Point at a band or a party to read it.`;
	}

	const allText = () => `${format.ns(totalNs)} in ${format.plural(pairs.length, 'pair')}`;

	function chosenText() {
		const { party, band } = chosen;

		if (band) return pairText(band.source.index, band.target.index, band.source.value);
		return party === null ? null : sides(party);
	}

	function choose(key) {
		const { party, band } = chosen,
			nr = small.names.length,
			bands = chords.filter((d) => touches(d, party)).sort((a, b) => b.source.value - a.source.value),
			place = bands.indexOf(band);

		switch (key) {
			case 'ArrowRight':
				return { party: party === null ? 0 : (party + 1) % nr, band: null };
			case 'ArrowLeft':
				return { party: party === null ? nr - 1 : (party + nr - 1) % nr, band: null };
			case 'ArrowDown':
				return { party, band: bands[Math.min(place + 1, bands.length - 1)] ?? null };
			case 'ArrowUp':
				return { party, band: bands[place - 1] ?? null };
			case 'Escape':
				return { party: null, band: null };
			default:
				return null;
		}
	}

	box.addEventListener('keydown', (event) => {
		const next = !event.altKey && !event.ctrlKey && !event.metaKey && totalNs ? choose(event.key) : null;

		if (!next) return;
		event.preventDefault();
		chosen = next;
		only(chosen.party, chosen.band);
		point(null);
		announce(chosenText() ?? allText());
	});
	box.setAttribute('aria-description', KEYS);

	function lists() {
		fill(
			byId('chord-legend'),
			small.names.map((name, i) => legendItem(colour(i), name)),
		);
		fill(
			byId('chord-note'),
			[
				`An arrow goes from who ${relation().from} to who ${relation().to}; as wide as the time waited.`,
				small.nrMerged
					? `${format.plural(small.nrMerged, 'party', 'parties')} with less are drawn as one; the table has them all.`
					: null,
				model.meta.merged.pairs
					? `${format.plural(model.meta.merged.pairs, 'wait')} found no room for which task it was: they go by name and cgroup, or from (others) to (others).`
					: null,
				model.meta.merged.tasks
					? `Up to ${format.plural(model.meta.merged.tasks, 'task')} share a place with others of the same name and cgroup.`
					: null,
			]
				.filter(Boolean)
				.join(' '),
		);
	}

	function numbers() {
		return dataTable(
			'chord',
			`Who delays whom: ${relation().words}`,
			[
				{ key: 'from', label: relation().from, unit: 'text' },
				{ key: 'to', label: relation().to, unit: 'text' },
				{ key: 'wait_ns', label: 'waited', unit: 'ns' },
				{ key: 'share_pct', label: 'share %', unit: 'pct', decimals: 1 },
				{ key: 'waits', label: 'waits', unit: 'count' },
				...(store.get('by') === 'cgroup' ? PATHS : []),
			],
			pairs.map(({ from, to, ns, nr }) => ({
				from: from.name,
				to: to.name,
				wait_ns: ns,
				share_pct: (100 * ns) / Math.max(1, totalNs),
				waits: nr,
				from_cgroup_path: from.path,
				to_cgroup_path: to.path,
			})),
		);
	}

	const choices = {
		relation: choice('Who', LABELS, store.get('relation'), (id) => store.set({ relation: id })),
		by: choice('By', BY, store.get('by'), (by) => store.set({ by })),
	};
	fill(byId('chord-controls'), Object.values(choices));
	draw();
	store.on(['relation', 'by', 'selection'], draw);
	let drawnAs = layout();
	new ResizeObserver(() => {
		if (layout() !== drawnAs) {
			drawnAs = layout();
			draw();
		}
	}).observe(box);
	store.on(Object.keys(choices), (state) => {
		for (const [key, node] of Object.entries(choices)) showChoice(node, state[key]);
	});
	tableBehind(byId('chord-table'), numbers, store, ['relation', 'by', 'selection']);
}
