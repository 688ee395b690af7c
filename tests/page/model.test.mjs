// SPDX-License-Identifier: GPL-2.0-or-later
import assert from 'node:assert/strict';
import test from 'node:test';
import { gridOf } from '../../collector/export/html/page/grid.js';
import { matrixOf, pairsOf, PARTIES_MAX } from '../../collector/export/html/page/matrix.js';
import { whyEmpty, whyNoStacks } from '../../collector/export/html/page/reasons.js';
import { cpuRows, diskRows, taskColumns, taskRows } from '../../collector/export/html/page/sums.js';
import { evidenceOf } from '../../collector/export/html/page/top.js';
import { cells, model, MS } from './made.mjs';

const first = [0, 2 * MS],
	second = [2 * MS, 4 * MS];

test('a selection grows to whole slots and stays within the session', () => {
	const m = model({});

	assert.deepEqual(m.snap([0.5 * MS, 1.1 * MS]), first);
	assert.deepEqual(m.snap([1.9 * MS, 2.1 * MS]), [0, 4 * MS]);
	assert.deepEqual(m.snap([-9 * MS, 99 * MS]), [0, 4 * MS]);
	assert.deepEqual(m.snap([3 * MS, 3 * MS]), second);
	assert.deepEqual(m.slots(second), [1, 2]);
});

test('sums of a selection add up to those of the whole', () => {
	const m = model(
		cells([
			[
				0,
				0,
				[
					[0, 30, 2],
					[1, 12, 1],
				],
			],
			[0, 2, [[1, 100, 4]]],
			[0, 3, [[0, 50, 1]]],
			[1, 19, [[0, 500, 5]]],
			[1, 23, [[0, 4096, 0]]],
			[
				3,
				2 * 4 + 1,
				[
					[0, 50, 1],
					[1, 100, 4],
				],
			],
		]),
	);

	assert.deepEqual(
		cpuRows(m, null).map((r) => [r.stolen_ns, r.gaps, r.waits, r.wait_sum_ns]),
		[[42, 3, 5, 150]],
	);
	assert.deepEqual(
		cpuRows(m, first).map((r) => [r.stolen_ns, r.gaps, r.waits, r.wait_sum_ns]),
		[[30, 2, 1, 50]],
	);
	assert.deepEqual(
		cpuRows(m, second).map((r) => [r.stolen_ns, r.gaps, r.waits, r.wait_sum_ns]),
		[[12, 1, 4, 100]],
	);
	assert.deepEqual(
		diskRows(m, first).map((r) => [r.device, r.reads, r.r_await_ns, r.read_bytes]),
		[['vda', 5, 100, 4096]],
	);
	assert.deepEqual(diskRows(m, second), []);
	assert.deepEqual(
		taskRows(m, second).map((r) => [r.task, r.runq_ns, r.cgroup]),
		[['sh 11', 100, 'web']],
	);
	assert.deepEqual(m.causeTotals(first), { steal: 0, runq: 50, disk: 0, cpu: 0 });
});

test('tasks have a column for each cause that was asked for', () => {
	const keys = (causes) => taskColumns(model({}, { meta: { causes } })).map((column) => column.key);

	assert.deepEqual(keys(['steal', 'cpu']), ['task', 'steal_ns', 'cpu_ns', 'cgroup']);
});

test('percentiles are upper bounds of their bucket', () => {
	const m = model(
		cells([
			[2, 1, [[0, 0, 98]]],
			[2, 2, [[1, 0, 1]]],
			[2, 3, [[1, 0, 1]]],
		]),
	);
	const all = m.histogram(0, null);

	assert.deepEqual(
		[50, 98, 99, 100].map((pct) => m.percentile(all, pct)),
		[9, 9, 99, 999],
	);
	assert.equal(m.percentile(m.histogram(0, second), 50), 99);
	assert.equal(m.percentile(new Float64Array(4), 50), null);
});

test('a heat map counts each event once, whatever the width of its columns', () => {
	const m = model(
		cells([
			[
				2,
				1,
				[
					[0, 0, 3],
					[1, 0, 4],
				],
			],
			[2, 2, [[1, 0, 5]]],
		]),
	);
	const sum = (grid) => [...grid.columns.values()].flatMap((c) => [...c]).reduce((a, b) => a + b, 0);

	assert.equal(sum(gridOf(m, 0, [0, 4], [0, 2], 1)), 12);
	assert.equal(sum(gridOf(m, 0, [0, 4], [0, 2], 2)), 12);
	assert.equal(gridOf(m, 0, [0, 4], [0, 2], 2).most, 7);
	assert.equal(sum(gridOf(m, 0, [0, 4], [1, 2], 1)), 9);
});

const pairs = {
	'pair.relation': [0, 0, 1, 0],
	'pair.from': [4, 3, 3, 0],
	'pair.to': [2, 2, 2, 3],
	...cells([
		[4, 0, [[0, 70, 1]]],
		[
			4,
			1,
			[
				[0, 20, 1],
				[1, 5, 2],
			],
		],
		[4, 2, [[1, 9, 1]]],
		[4, 3, [[1, 1, 1]]],
	]),
};

test('pairs: by task, by cgroup, and of a selection', () => {
	const m = model(pairs),
		brief = (list) => list.map((p) => `${p.from.name} > ${p.to.name} ${p.ns}/${p.nr}`);

	assert.deepEqual(brief(pairsOf(m, 'occupants', 'task', null)), [
		'(stolen) > sh 11 70/1',
		'sh 12 > sh 11 25/3',
		'(others) > sh 12 1/1',
	]);
	assert.deepEqual(brief(pairsOf(m, 'occupants', 'cgroup', null)), [
		'(stolen) > web 70/1',
		'web > web 25/3',
		'(others) > web 1/1',
	]);
	assert.deepEqual(brief(pairsOf(m, 'occupants', 'name', null)), [
		'(stolen) > sh 70/1',
		'sh > sh 25/3',
		'(others) > sh 1/1',
	]);
	assert.deepEqual(brief(pairsOf(m, 'preempters', 'task', first)), []);
	assert.deepEqual(brief(pairsOf(m, 'preempters', 'task', second)), ['sh 12 > sh 11 9/1']);
});

test('a task that moved is one task, in each cgroup what it had there; cgroups of one name have their paths', () => {
	const m = model({
		...pairs,
		'party.tid': [0, 0, 11, 11, 0],
		'party.task': [0, 1, 3, 3, 4],
		'party.cgroup': [0, 0, 1, 2, 0],
		'cgroup.name': ['web', 'web'],
		'cgroup.path': ['/a/web', '/b/web'],
		...cells([
			[3, 2 * 4 + 1, [[0, 5, 1]]],
			[3, 3 * 4 + 1, [[1, 6, 1]]],
			[4, 0, [[0, 70, 1]]],
			[4, 1, [[0, 25, 3]]],
		]),
	});

	assert.deepEqual(
		taskRows(m, null).map((r) => [r.task, r.runq_ns, r.cgroup]),
		[['sh 11', 11, '/b/web']],
	);
	assert.deepEqual(
		pairsOf(m, 'occupants', 'cgroup', null).map((p) => [p.from.name, p.from.path, p.to.name, p.to.path, p.ns]),
		[
			['(stolen)', null, '/a/web', '/a/web', 70],
			['/b/web', '/b/web', '/a/web', '/a/web', 25],
		],
	);
});

test('who is named as a word of ours is not it', () => {
	const m = model({
		...pairs,
		'party.name': ['(others)', 'idle', 'idle', '(others)', '(stolen)'],
		'cgroup.name': ['(stolen)'],
	});
	const sides = (by) => new Set(pairsOf(m, 'occupants', by, null).flatMap((pair) => [pair.from, pair.to])).size;

	assert.equal(sides('name'), 4, '(others), (stolen), and tasks called idle and (others)');
	assert.equal(sides('cgroup'), 3, '(others), (stolen), and a cgroup called so');
	assert.deepEqual(matrixOf(pairsOf(m, 'occupants', 'name', null)).names, ['idle', '(stolen)', '(others)', '(others)']);
});

test('the matrix holds all the time, in few parties', () => {
	const side = (name) => ({ name, path: null, isWord: false }),
		targets = ['b0', 'b1', 'b2'].map(side);
	const many = Array.from({ length: 40 }, (_, i) => ({
		from: side(`a${i}`),
		to: targets[i % 3],
		ns: 100 - i,
		nr: 1,
	}));
	const { names, matrix, nrMerged } = matrixOf(many);

	assert.equal(names.length, PARTIES_MAX + 1);
	assert.equal(names.at(-1), `(${nrMerged} others)`);
	assert.equal(
		matrix.flatMap((row) => [...row]).reduce((a, b) => a + b, 0),
		many.reduce((sum, p) => sum + p.ns, 0),
	);
	assert.deepEqual(matrixOf([{ from: side('a'), to: side('b'), ns: 5, nr: 1 }]).names, ['a', 'b']);
});

test('what is empty says why, and what to do', () => {
	const off = {
		report: { source: { name: 'bpf', probes: [{ probe: 'disk', rung: null, detail: 'not asked for' }] } },
	};
	const noSteal = {
		report: { host: { steal_reported: false }, sections: { steal: { notes: ['not reported here'] } } },
	};
	const counters = { report: { source: { name: 'procfs', probes: [] } } };

	assert.match(whyEmpty(model({}, off), 'disk', null), /probe disk was off \(not asked for\).*--probe/);
	assert.match(whyEmpty(model({}, noSteal), 'steal', null), /Not reported here.*doctor/);
	assert.match(whyEmpty(model({}, counters), 'runq', null), /counters only/);
	assert.match(whyEmpty(model({}), 'runq', null), /No task waited/);
	assert.match(whyEmpty(model({}), 'runq', first), /in the selected time/);
	assert.match(whyEmpty(model({}), 'disk', null, 'no write ended on vda'), /^No write ended on vda\.$/);
	assert.match(whyEmpty(model({}), 'runq', first, 'no task ran'), /^No task ran in the selected time/);
	assert.match(whyNoStacks(model({}, { meta: { causes: ['steal'] } }), 'cpu', null), /-e cpu/);
});

test('data of another version is refused', () => {
	assert.throws(() => model({}, { meta: { version: 2 } }), /version 1, and holds version 2/);
});

test('each kind of finding leads to the view that shows it', () => {
	const heatOf = (map) => [2, (2 + 4 + map) * 4 + 1, [[0, 0, 1]]];
	const m = model({ 'device.name': ['(other disks)', 'vda'], ...cells([heatOf(0), heatOf(1), heatOf(3)]) }),
		of = (section, code, text) => evidenceOf({ section, code, text }, m);

	assert.deepEqual(of('steal', 'steal-quota', 'cpu1 was stolen').set, { phase: 'stolen' });
	assert.deepEqual(of('steal', 'steal-busy-vm', 'x').set, { heat: 'steal' });
	assert.deepEqual(of('disk', 'disk-latency', 'vda: writes took 3ms').set, { heat: 'write-1' });
	assert.deepEqual(of('disk', 'disk-latency', 'vda: reads took 3ms').set, { heat: 'read-1' });
	assert.deepEqual(of('disk', 'disk-latency', 'vdz: reads took 3ms').id, 'tables', 'it is one of the other disks');
	const ofDiscards = model(cells([heatOf(3)]));
	assert.deepEqual(
		evidenceOf({ section: 'disk', code: 'disk-latency', text: 'vda: discards took 3ms' }, ofDiscards).set,
		{ heat: 'device-1' },
	);
	assert.equal(of('runq', 'runq-wait', 'x').id, 'chord');
	assert.equal(of('cpu', 'x', 'x').id, 'stacks');
	assert.equal(of('', 'x', 'x').id, 'lost');
	const counters = model({}, { report: { source: { name: 'procfs', probes: [] } } });
	assert.equal(evidenceOf({ section: 'steal', code: 'steal-busy-vm', text: 'x' }, counters).id, 'report-steal');
	assert.equal(evidenceOf({ section: '', code: 'x', text: 'x' }, counters).id, 'lost');
});
