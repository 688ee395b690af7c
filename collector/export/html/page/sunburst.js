// SPDX-License-Identifier: GPL-2.0-or-later
// sunburst - the same stacks in rings, from the middle out. Operated as flame.js says.
import { arc, hierarchy, partition, select } from 'd3';
import { nearestOf } from './stacks.js';

const RINGS_MAX = 6,
	RINGS_MIN = 3, // where there are fewer, they would be as wide as the picture
	SIZE = 640,
	MIN_ANGLE = 0.003,
	CHAR_PX = 7.6; // of a name in a ring

export function createSunburst(box, { paint, label, zoomed, pointed }) {
	const radius = SIZE / 2;
	let ring = 0; // its width
	const shape = arc()
		.startAngle((d) => d.x0)
		.endAngle((d) => d.x1)
		.padAngle((d) => Math.min((d.x1 - d.x0) / 3, 0.003))
		.padRadius(radius / 2)
		.innerRadius((d) => d.y0 * ring)
		.outerRadius((d) => Math.max(d.y0 * ring, d.y1 * ring - 1));

	let middleNode = null;

	function show(tree, zoomNode) {
		middleNode = zoomNode;
		const root = hierarchy(zoomNode, (node) => node.children);

		// a node's own time stays bare beside its children
		root.each((d) => {
			d.value = d.data.value;
		});
		root.sort((a, b) => b.value - a.value);
		partition().size([2 * Math.PI, root.height + 1])(root);
		const visible = root
			.descendants()
			.filter((d) => d.depth && d.depth <= RINGS_MAX && d.x1 - d.x0 > MIN_ANGLE);
		const nrRings = visible.reduce((most, d) => Math.max(most, d.depth), RINGS_MIN);

		ring = radius / (nrRings + 1);

		box.replaceChildren();
		const picture = select(box)
			.append('svg')
			.attr('viewBox', `${-radius} ${-radius} ${SIZE} ${SIZE}`)
			.attr('class', 'sunburst')
			.attr('aria-hidden', 'true');
		const arcs = picture
			.selectAll('path')
			.data(visible)
			.join('path')
			.attr('d', shape)
			.attr('fill', (d) => paint(d.data))
			.on('click', (event, d) => zoomed(d.data))
			.on('mouseover', (event, d) => pointed(label(d.data)))
			.on('mouseout', () => pointed(null));
		arcs.append('title').text((d) => label(d.data));
		picture
			.append('g')
			.attr('class', 'sunburst-labels')
			.selectAll('text')
			.data(visible.filter(hasRoom))
			.join('text')
			.attr('transform', turn)
			.attr('dy', '0.35em')
			.text((d) => cut(d.data.name, ring));
		const middle = picture
			.append('g')
			.attr('class', 'sunburst-middle')
			.on('click', () => zoomed(zoomNode.parent ?? zoomNode));
		middle.append('circle').attr('r', ring - 1);
		middle
			.append('text')
			.attr('dy', '-0.1em')
			.text(zoomNode.parent ? '↑ up' : 'all');
		middle
			.append('text')
			.attr('dy', '1.1em')
			.attr('class', 'small')
			.text(zoomNode.parent ? cut(zoomNode.name, 2 * ring) : 'click to zoom');
	}

	const hasRoom = (d) => (((d.x1 - d.x0) * (d.y0 + d.y1)) / 2) * ring > 13;
	const cut = (name, width) => {
		const chars = Math.floor(width / CHAR_PX);

		return name.length > chars ? `${name.slice(0, chars - 1)}…` : name;
	};
	const turn = (d) => {
		const angle = (((d.x0 + d.x1) / 2) * 180) / Math.PI;

		return `rotate(${angle - 90}) translate(${((d.y0 + d.y1) / 2) * ring},0) rotate(${angle < 180 ? 0 : 180})`;
	};

	return {
		show,
		repaint: () =>
			select(box)
				.selectAll('path')
				.attr('fill', (d) => paint(d.data)),
		mark(node) {
			const arcs = select(box).selectAll('path'),
				shown = nearestOf(node, new Set([middleNode, ...arcs.data().map((d) => d.data)]));

			arcs.classed('current', (d) => d.data === shown);
			select(box)
				.select('.sunburst-middle')
				.classed('current', shown === middleNode);
			return shown === node;
		},
	};
}
