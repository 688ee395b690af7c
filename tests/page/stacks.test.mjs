// SPDX-License-Identifier: GPL-2.0-or-later
import assert from 'node:assert/strict';
import test from 'node:test';
import {
	difference,
	follow,
	functions,
	nearestOf,
	pathOf,
	search,
	Stacks,
} from '../../collector/export/html/page/stacks.js';
import { cells, model, MS } from './made.mjs';

// main > read > [runq], main > main; and one entry without a stack
const profile = {
	name: ['main', 'read', '[runq]'],
	'node.parent': [0, 1, 2, 1],
	'node.name': [0, 1, 2, 0],
	'node.kind': [1, 0, 3, 1],
	'entry.cause': [1, 1, 3, 1],
	'entry.task': ['sh', 'vi', 'sh', '(others)'],
	'entry.cgroup': [1, 0, 1, 0],
	'entry.node': [3, 4, 1, 0],
	'entry.ns': [100, 30, 7, 5],
	...cells([
		[
			5,
			0,
			[
				[0, 60, 1],
				[1, 40, 1],
			],
		],
		[5, 1, [[1, 30, 1]]],
		[5, 2, [[0, 7, 1]]],
		[5, 3, [[0, 5, 1]]],
	]),
};
const outline = (node) =>
	`${node.name} ${node.value}${node.children.length ? ` (${node.children.map(outline).join(', ')})` : ''}`;

test('a tree of one cause, with what has no stack', () => {
	const stacks = new Stacks(model(profile));

	assert.equal(
		outline(stacks.tree('runq', null, 'stack')),
		'all 135 ((others) 5, main 130 (main 30, read 100 ([runq] 100)))',
	);
	assert.equal(outline(stacks.tree('cpu', null, 'stack')), 'all 7 (main 7)');
	assert.equal(stacks.tree('disk', null, 'stack').value, 0);
});

test('a selection has its own time, and the parts are the whole', () => {
	const stacks = new Stacks(model(profile));

	assert.equal(
		outline(stacks.tree('runq', [0, 2 * MS], 'stack')),
		'all 65 ((others) 5, main 60 (read 60 ([runq] 60)))',
	);
	assert.equal(
		outline(stacks.tree('runq', [2 * MS, 4 * MS], 'stack')),
		'all 70 (main 70 (main 30, read 40 ([runq] 40)))',
	);
});

test('by task and by cgroup first', () => {
	const stacks = new Stacks(model(profile));

	assert.deepEqual(
		stacks.tree('runq', null, 'task').children.map((c) => [c.name, c.value]),
		[
			['(others)', 5],
			['sh', 100],
			['vi', 30],
		],
	);
	assert.deepEqual(
		stacks.tree('runq', null, 'cgroup').children.map((c) => [c.name, c.value]),
		[
			['(cgroup not known)', 35],
			['web', 100],
		],
	);
});

test('paths lead there and back, as far as there is something', () => {
	const tree = new Stacks(model(profile)).tree('runq', null, 'stack'),
		node = follow(tree, ['main', 'read', 'gone']);

	assert.equal(node.name, 'read');
	assert.deepEqual(pathOf(node), ['main', 'read']);
});

test('the nearest of some nodes is itself or above', () => {
	const tree = new Stacks(model(profile)).tree('runq', null, 'stack'),
		main = follow(tree, ['main']),
		read = follow(tree, ['main', 'read']);

	assert.equal(nearestOf(read, new Set([main, read])), read);
	assert.equal(nearestOf(read, new Set([tree, main])), main);
	assert.equal(nearestOf(read, new Set()), null);
});

test('search counts each ns once, and frames within frames', () => {
	const tree = new Stacks(model(profile)).tree('runq', null, 'stack');

	assert.deepEqual(search(tree, 'MAIN'), { nr: 2, ns: 130 });
	assert.deepEqual(search(tree, 'r'), { nr: 3, ns: 105 });
	assert.deepEqual(search(tree, '.*'), { nr: 0, ns: 0 });
});

test('a function that calls itself is counted once', () => {
	const [main] = functions(new Stacks(model(profile)).tree('runq', null, 'stack'));

	assert.deepEqual([main.name, main.total, main.self], ['main', 130, 30]);
});

test('a baseline is found by names, and compared per second', () => {
	const base = {
		'base.name': ['read', 'main', 'gone'],
		'base.node.parent': [0, 1, 1],
		'base.node.name': [1, 0, 2],
		'base.node.kind': [1, 0, 0],
		'base.entry.cause': [1, 1],
		'base.entry.task': ['sh', 'sh'],
		'base.entry.node': [2, 3],
		'base.entry.ns': [400, 80],
	};
	const tree = new Stacks(model({ ...profile, ...base }, { meta: { baseline: { dur_ns: 8 * MS } } })).tree(
		'runq',
		null,
		'stack',
	);
	const read = follow(tree, ['main', 'read']),
		gone = follow(tree, ['main', 'gone']);

	assert.deepEqual([read.value, read.base], [100, 400]);
	assert.deepEqual([gone.value, gone.base], [0, 80]);
	assert.equal(difference(read, 1 / 4, 1 / 8), -0.5);
	assert.equal(difference(gone, 1 / 4, 1 / 8), -1);
	assert.equal(difference({ value: 5, base: 0 }, 1, 1), 1);
	assert.equal(difference({ value: 0, base: 0 }, 1, 1), 0);
});
