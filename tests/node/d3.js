// SPDX-License-Identifier: GPL-2.0-or-later
// What d3-hierarchy, d3-flame-graph and the d3js_trace page make of our trees.
//
//   node d3.js MODULES SUNBURST.json D3JS_TRACE.js TOTAL_NS NAME NS...   NS: what the nodes of this name must come to, all together
'use strict';
const fs = require('fs');
const path = require('path');
const vm = require('vm');
const { withPage, check, run } = require('./browser.js');

const [modules, sunburst, trace, total, ...wanted] = process.argv.slice(2);
const tree = JSON.parse(fs.readFileSync(sunburst));

function expectValues(who, values) {
	for (let i = 0; i < wanted.length; i += 2)
		check(`${who}: ${wanted[i]} has ${wanted[i + 1]} ns`, values[wanted[i]] === Number(wanted[i + 1]), `it has ${values[wanted[i]]}`);
}

// A name may be below itself, when a function calls itself: only the outermost counts.
function sumUp(root) {
	const values = {};

	(function visit(node, above) {
		if (!above.has(node.data.name))
			values[node.data.name] = (values[node.data.name] || 0) + node.value;
		for (const child of node.children || [])
			visit(child, new Set([...above, node.data.name]));
	})(root, new Set());
	return values;
}

async function withHierarchy() {
	const { hierarchy } = await import(path.join(modules, 'd3-hierarchy/dist/d3-hierarchy.mjs'));
	const root = hierarchy(tree).sum((d) => d.value);

	check('d3.hierarchy().sum(): the root is all time', root.value === Number(total), `it is ${root.value}, not ${total}`);
	expectValues('d3.hierarchy().sum()', sumUp(root));
	return hierarchy;
}

// As the page's script loads it: a global variable, d3.layout.partition().value(d => d.size).
function withTrace(hierarchy) {
	const page = {};

	vm.runInNewContext(fs.readFileSync(trace, 'utf8'), page);
	const root = hierarchy(page.trace_json).sum((d) => (d.children ? 0 : d.size));
	check('trace_json: the root is all time', root.value === Number(total), `it is ${root.value}, not ${total}`);
	expectValues('trace_json', sumUp(root));
}

// In both of its modes, and the frame that is drawn as wide as its share.
async function withFlameGraph() {
	const routes = { '/m/': modules, '/tree.json': sunburst };
	// each adds itself to the global d3
	const parts = ['color', 'interpolate', 'timer', 'dispatch', 'ease', 'selection', 'transition', 'array', 'format', 'time', 'time-format', 'scale',
		'hierarchy'];
	const scripts = parts.map((part) => `d3-${part}/dist/d3-${part}.js`);

	await withPage(modules, routes, async (page, origin, errors) => {
		await page.route(`${origin}/`, (route) => route.fulfill({
			contentType: 'text/html',
			body: `<!doctype html><meta charset=utf-8><link rel=icon href="data:,"><div id=chart></div>
				${['internmap/dist/internmap.js', ...scripts, 'd3-flame-graph/dist/d3-flamegraph.umd.js'].map((s) => `<script src="/m/${s}"></script>`).join('')}`,
		}));
		await page.goto(`${origin}/`);
		for (const selfValue of [false, true]) {
			const who = `d3-flame-graph, selfValue(${selfValue})`;
			const found = await page.evaluate(async (self) => {
				const data = await (await fetch('/tree.json')).json();

				document.getElementById('chart').innerHTML = '';
				d3.select('#chart').datum(data).call(flamegraph.default().width(1000).minFrameSize(0).transitionDuration(0).selfValue(self));
				await new Promise((done) => setTimeout(done, 300));
				const nodes = d3.selectAll('#chart g.frame').data();
				const root = nodes.find((n) => !n.parent);
				const frame = d3.selectAll('#chart g.frame').filter((n) => n.depth === 1).nodes()[0];
				return { total: root.value, nr: nodes.length, part: d3.select(frame).datum().value,
					width: Number(frame.getAttribute('width') || frame.querySelector('rect').getAttribute('width')) };
			}, selfValue);
			check(`${who}: the root is all time`, found.total === Number(total), `it is ${found.total}, not ${total}`);
			check(`${who}: a frame is as wide as its share`, Math.abs(found.width - (1000 * found.part) / found.total) < 0.5,
				`${found.width} of 1000 for ${found.part} of ${found.total}`);
			check(`${who}: every frame is there`, found.nr > 50, `${found.nr} frames`);
		}
		check('d3-flame-graph has nothing to complain about', !errors.length, errors.join('; '));
		if (process.env.SCREENSHOT)
			fs.writeFileSync(process.env.SCREENSHOT, await page.screenshot());
	});
}

run(async () => {
	withTrace(await withHierarchy());
	await withFlameGraph();
});
