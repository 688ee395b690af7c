// SPDX-License-Identifier: GPL-2.0-or-later
// stacks - a tree of functions out of the entries of the profile: of one cause, in a selection, beside a baseline.
import { FAMILY } from './cells.js';
import { CAUSES } from './model.js';

export const KINDS = ['kernel', 'program', 'inlined', 'made', 'task'];
const KIND_MADE = 3,
	KIND_TASK = 4;
const NODES_MAX = 15000;

function profileOf(columns, prefix) {
	return {
		names: columns.texts(`${prefix}name`),
		parent: columns.numbers(`${prefix}node.parent`),
		name: columns.numbers(`${prefix}node.name`),
		kind: columns.numbers(`${prefix}node.kind`),
		cause: columns.numbers(`${prefix}entry.cause`),
		task: columns.texts(`${prefix}entry.task`),
		cgroup: columns.numbers(`${prefix}entry.cgroup`),
		node: columns.numbers(`${prefix}entry.node`),
		ns: columns.numbers(`${prefix}entry.ns`),
	};
}

// value: ns of this session; base: ns of the baseline; both with all that is below.
function newNode(parent, name, kind) {
	return { name, kind, value: 0, base: 0, self: 0, baseSelf: 0, parent, byName: null, children: [] };
}

function child(parent, name, kind) {
	let node = parent.byName?.get(name);

	if (!node) {
		node = newNode(parent, name, kind);
		parent.byName ??= new Map();
		parent.byName.set(name, node);
		parent.children.push(node);
	}
	return node;
}

export class Stacks {
	constructor(model) {
		this.model = model;
		this.profile = profileOf(model.columns, '');
		this.baseline = model.meta.baseline && profileOf(model.columns, 'base.');
	}

	// ns of entry i in a selection
	weight(i, slots) {
		return slots ? this.model.cells.sum(FAMILY.STACK, i, slots).ns : this.profile.ns[i];
	}

	// The baseline's hits have tasks, and no cgroups.
	compares(group) {
		return !!this.baseline && group !== 'cgroup';
	}

	// group: 'stack', or by 'task' or 'cgroup' first. The root's value is the cause's whole time.
	tree(cause, selection, group) {
		const root = newNode(null, 'all', KIND_MADE);
		const slots = this.model.slots(selection);

		this.add(root, this.profile, cause, group, (i) => this.weight(i, slots), 'self');
		if (this.compares(group)) this.add(root, this.baseline, cause, group, (i) => this.baseline.ns[i], 'baseSelf');
		return finish(root);
	}

	add(root, profile, cause, group, weightOf, key) {
		const wanted = CAUSES.indexOf(cause),
			made = new Map(); // by group: by node of the profile
		const groupOf = (i) => (group === 'task' ? profile.task[i] : this.model.cgroupName(profile.cgroup[i]));

		for (let i = 0; i < profile.cause.length; i++) {
			if (profile.cause[i] !== wanted) continue;
			const weight = weightOf(i);
			if (!weight) continue;
			const top = group === 'stack' ? root : child(root, groupOf(i), KIND_TASK);
			if (!made.has(top)) made.set(top, new Map([[0, top]]));
			// an entry without a stack goes by its task's name: "(others)"
			const node =
				profile.node[i] || group === 'task'
					? descend(profile, made.get(top), profile.node[i])
					: child(top, profile.task[i] || '[no_stack]', KIND_MADE);
			node[key] += weight;
		}
	}
}

// The tree's node for a node of the profile (place + 1), made with all above it.
function descend(profile, made, node) {
	const path = [];

	for (; !made.has(node); node = profile.parent[node - 1]) path.push(node);
	let at = made.get(node);
	while (path.length) {
		const next = path.pop();

		at = child(at, profile.names[profile.name[next - 1]] ?? '', profile.kind[next - 1]);
		made.set(next, at);
	}
	return at;
}

// Adds up from the leaves on. node.children are sorted by name, and the NODES_MAX widest only; node.all are all.
function finish(root) {
	const order = [root];

	for (let i = 0; i < order.length; i++) {
		for (const node of order[i].children) order.push(node);
	}
	for (let i = order.length - 1; i >= 0; i--) {
		const node = order[i];

		node.value += node.self;
		node.base += node.baseSelf;
		if (node.parent) {
			node.parent.value += node.value;
			node.parent.base += node.base;
		}
	}
	const widthOf = (node) => Math.max(node.value, node.base);
	const least =
		order.length > NODES_MAX ? Float64Array.from(order, widthOf).sort()[order.length - NODES_MAX] : 0;
	root.nrLeftOut = 0;
	for (const node of order) {
		const children = least ? node.children.filter((c) => widthOf(c) >= least) : node.children;

		if (widthOf(node) >= least) root.nrLeftOut += node.children.length - children.length;
		node.all = node.children;
		node.children = [...children].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
		node.byName = null;
	}
	return root;
}

export function pathOf(node) {
	const path = [];

	for (; node.parent; node = node.parent) path.unshift(node.name);
	return path;
}

// As far along a path of names as the tree goes.
export function follow(root, path) {
	let at = root;

	for (const name of path) {
		const next = at.children.find((c) => c.name === name);

		if (!next) break;
		at = next;
	}
	return at;
}

// The node itself, or the first one on the way to the root that is in nodes (a Set); null: none is.
export function nearestOf(node, nodes) {
	while (node && !nodes.has(node)) node = node.parent;
	return node;
}

export function matches(name, term) {
	return !!term && name.toLowerCase().includes(term.toLowerCase());
}

// Frames that match, and the time below them, each ns once.
export function search(root, term) {
	let nr = 0,
		ns = 0;
	const todo = [[root, false]];

	while (todo.length) {
		const [node, isBelow] = todo.pop();
		const found = node.parent && matches(node.name, term);

		if (found) {
			nr++;
			if (!isBelow) ns += node.value;
		}
		for (const c of node.children) todo.push([c, isBelow || found]);
	}
	return { nr, ns };
}

// By function: time with it on the stack (once per stack), and on top of it, of a node and all that is on it. Sorted by the first.
export function functions(root) {
	const byName = new Map(),
		above = new Map();
	const visit = (node) => {
		const f = byName.get(node.name) ?? {
			name: node.name,
			kind: node.kind,
			self: 0,
			total: 0,
			baseSelf: 0,
			baseTotal: 0,
		};

		byName.set(node.name, f);
		f.self += node.self;
		f.baseSelf += node.baseSelf;
		if (!above.get(node.name)) {
			f.total += node.value;
			f.baseTotal += node.base;
		}
	};
	// an explicit stack: trees may be a thousand deep
	const todo = (root.parent ? [root] : root.all).map((node) => [node, false]);
	while (todo.length) {
		const [node, isLeft] = todo.pop();

		if (isLeft) {
			above.set(node.name, above.get(node.name) - 1);
			continue;
		}
		visit(node);
		above.set(node.name, (above.get(node.name) ?? 0) + 1);
		todo.push([node, true], ...node.all.map((c) => [c, false]));
	}
	return [...byName.values()].sort(
		(a, b) => b.total - a.total || b.baseTotal - a.baseTotal || (a.name < b.name ? -1 : 1),
	);
}

// How much more or less per second than in the baseline, -1 (gone) to 1 (new): as a part of the larger one.
export function difference(node, perSecond, basePerSecond) {
	const now = node.value * perSecond,
		then = node.base * basePerSecond,
		larger = Math.max(now, then);

	return larger ? (now - then) / larger : 0;
}
