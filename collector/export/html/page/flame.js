// SPDX-License-Identifier: GPL-2.0-or-later
// flame - the flame graph, by d3-flame-graph.
import { select } from 'd3';
import flamegraph from 'd3-flame-graph';
import { nearestOf } from './stacks.js';
import { wantsMotion } from './theme.js';

const CELL_PX = 18,
	MIN_FRAME_PX = 0.8;

// paint(node) and label(node): of a node of stacks.js; zoomed(node): it was clicked. mark(node) marks it, or else the one nearest to it on the
// way to the root that is drawn, and tells whether it is itself.
export function createFlame(box, { paint, label, zoomed, pointed }) {
	let chart = null,
		byNode = new Map(),
		shownTree = null;

	function show(tree, zoomNode) {
		const isNew = tree !== shownTree || box.clientWidth !== chart?.width();

		if (isNew) rebuild(tree);
		if (!isNew || zoomNode !== tree) zoomTo(zoomNode);
	}

	function rebuild(tree) {
		box.replaceChildren();
		forget(tree);
		shownTree = tree;
		chart = flamegraph()
			.width(box.clientWidth)
			.cellHeight(CELL_PX)
			.minFrameSize(MIN_FRAME_PX)
			.inverted(true)
			.resetHeightOnZoom(true)
			.transitionDuration(0)
			.setColorMapper((d) => paint(d.data))
			.setLabelHandler((d) => label(d.data))
			.setSearchHandler(() => {})
			.setDetailsHandler((text) => pointed(text))
			.onClick((d) => zoomed(d.data));
		select(box).datum(tree).call(chart);
		byNode = new Map();
		select(box)
			.datum()
			.each((d) => byNode.set(d.data, d));
		// from now on: frames that come at once need not move
		chart.transitionDuration(wantsMotion() ? 250 : 0);
	}

	// d3-flame-graph leaves marks in the data: a tree may be shown again.
	function forget(node) {
		const todo = [node];

		while (todo.length) {
			const at = todo.pop();

			at.fade = at.hide = false;
			todo.push(...at.children);
		}
	}

	function zoomTo(node) {
		const handler = chart.onClick();

		chart.onClick(() => {});
		chart.zoomTo(byNode.get(node) ?? byNode.get(shownTree));
		chart.onClick(handler);
	}

	return {
		show,
		repaint: () => chart?.update(),
		mark(node) {
			const frames = select(box).selectAll('g.frame');
			const shown = nearestOf(node, new Set(frames.data().map((d) => d.data)));

			frames.classed('current', (d) => d.data === shown);
			box.querySelector('g.frame.current')?.scrollIntoView({ block: 'nearest' });
			return shown === node;
		},
	};
}
