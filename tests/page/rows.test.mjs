// SPDX-License-Identifier: GPL-2.0-or-later
import assert from 'node:assert/strict';
import test from 'node:test';
import { MaxRow, SumRow, Timeline } from '../../collector/export/html/page/rows.js';
import { clampSpan, panSpan, SPAN_MIN_NS, ticksOf, zoomSpan } from '../../collector/export/html/page/span.js';
import { model, MS } from './made.mjs';

test('sums of any stretch, within bins evenly', () => {
	const row = new SumRow(Float64Array.from([10, 0, 30]), 100, [0, 300]);

	assert.equal(row.sum(0, 300), 40);
	assert.equal(row.sum(50, 150), 5);
	assert.equal(row.sum(200, 250), 15);
	assert.equal(row.sum(-100, 1000), 40);
	assert.equal(new SumRow(new Float64Array(0), 100, [0, 0]).sum(0, 100), 0);
});

test('what is in the first and the last bin lies within the session', () => {
	const row = new SumRow(Float64Array.from([40, 10, 30]), 100, [60, 225]);

	assert.equal(row.sum(0, 60), 0);
	assert.equal(row.sum(60, 80), 20);
	assert.equal(row.sum(200, 225), 30);
	assert.equal(row.sum(220, 225), 6);
	assert.equal(row.sum(0, 300), 80);
});

test('maxima of any stretch are those of the bins it touches', () => {
	const values = Float64Array.from({ length: 37 }, (_, i) => (i * 7919) % 101),
		row = new MaxRow(values, 10);

	for (let from = 0; from < 37; from++) {
		for (let to = from + 1; to <= 37; to++)
			assert.equal(row.max(from * 10, to * 10), Math.max(...values.subarray(from, to)));
	}
	assert.equal(row.max(12, 13), values[1]);
});

const bins = {
	'time.task': [MS, MS / 2, 0, 0],
	'time.idle': [0, MS / 2, MS, 0],
	'time.stolen': [MS / 4, 0, 0, 0],
	'time.stolen_idle': [0, 0, MS / 5, 0],
	'time.waiting': [2 * MS, 0, 0, 0],
	'time.inflight': [0, 0, 0, 0, MS, 0, 0, 0],
	'time.requests': [0, 0, 0, 0, 3, 0, 0, 0],
	'time.latency': [0, 0, 0, 0, 300, 0, 0, 0],
	'time.latency_max': [0, 0, 0, 0, 200, 0, 0, 0],
};

test('what was stolen is not running and not idle; what is missing is not known', () => {
	const timeline = new Timeline(model(bins)),
		all = timeline.cpuIn(timeline.cpus[0], 0, 4 * MS);

	assert.equal(all.running, 1.25 * MS);
	assert.equal(all.idle, 1.3 * MS);
	assert.equal(all.stolen, 0.45 * MS);
	assert.equal(all.unseen, MS);
	assert.equal(all.waiting, 2 * MS);
});

test('the mean of CPUs is that of their bins', () => {
	const twice = Object.fromEntries(Object.entries(bins).map(([name, values]) => [name, [...values, ...values]]));

	twice['time.task'] = [...bins['time.task'], 0, 0, 0, 0]; // none on the second
	const timeline = new Timeline(model({ ...twice, 'cpu.id': [0, 3], 'device.name': ['(other disks)'] })),
		mean = timeline.cpuIn(timeline.meanCpu, 0, 4 * MS);

	assert.equal(mean.running, MS / 2);
	assert.equal(mean.stolen, 0.45 * MS);
	assert.equal(mean.waiting, 2 * MS);
});

test('disks without a request are not drawn', () => {
	const timeline = new Timeline(model(bins));

	assert.deepEqual(
		timeline.devices.map((d) => d.name),
		['vda'],
	);
	assert.deepEqual(timeline.deviceIn(timeline.devices[0], 0, 4 * MS), {
		inflight: MS,
		requests: 3,
		latency: 300,
		latencyMax: 200,
	});
});

test('single slices: who ran, from when to when, and where it is not known', () => {
	const timeline = new Timeline(
		model({
			...bins,
			'switch.cpu': [0, 0, 0, 0],
			'switch.ts': [10, 100, 200, 300],
			'switch.party': [2, 1, 3, 0],
			'switch.wait': [0, 0, 5, 0],
			'switch.flags': [4, 0, 2, 8],
		}),
	);
	const slices = [];

	timeline.slices(timeline.cpus[0], 50, 280, (...slice) => slices.push(slice));
	assert.deepEqual(slices, [
		[10, 100, 2, 0],
		[100, 200, -1, 0],
		[200, 300, 3, 5],
	]);
});

test('requests and gaps that began before, or end after', () => {
	const timeline = new Timeline(
		model({
			...bins,
			'gap.cpu': [0, 0],
			'gap.ts': [100, 500],
			'gap.ns': [90, 10],
			'gap.party': [2, 2],
			'request.device': [1, 1],
			'request.ts': [50, 400],
			'request.ns': [10, 390],
			'request.queue': [0, 0],
			'request.group': [0, 0],
			'request.party': [2, 2],
		}),
	);
	const seen = [];

	timeline.gapsIn(0, 60, 70, (i) => seen.push(`gap ${i}`));
	timeline.requestsIn(1, 60, 70, (i) => seen.push(`request ${i}`));
	assert.deepEqual(seen, ['gap 0', 'request 1']);
});

test('spans stay in the whole, and what is pointed at stays where it is', () => {
	const whole = [0, 1e9];

	assert.deepEqual(panSpan([0, 1e8], -5e8, whole), [0, 1e8]);
	assert.deepEqual(panSpan([0, 1e8], 5e9, whole), [9e8, 1e9]);
	assert.deepEqual(zoomSpan([0, 1e9], 0.5, 2.5e8, whole), [1.25e8, 6.25e8]);
	assert.deepEqual(zoomSpan([2e8, 3e8], 1000, 2e8, whole), whole);
	assert.equal(clampSpan([5, 5], whole)[1], SPAN_MIN_NS + 5);
});

test('ticks are round and not too many', () => {
	const { step, at } = ticksOf(0.3e9, 9.9e9, 10);

	assert.equal(step, 1e9);
	assert.deepEqual(
		at,
		[1, 2, 3, 4, 5, 6, 7, 8, 9].map((s) => s * 1e9),
	);
	assert.ok(ticksOf(0, 7, 5).at.length <= 8);
});
