// SPDX-License-Identifier: GPL-2.0-or-later
// model - the session as views ask for it: times, CPUs, disks, parties, and what is in a selection.
import { Cells, FAMILY } from './cells.js';

export const CAUSES = ['steal', 'runq', 'disk', 'cpu'];
export const CAUSE_WORDS = { steal: 'Stolen', runq: 'Run queue', disk: 'Disk', cpu: 'On CPU' };
const DATA_VERSION = 1;

// Places within families, as FORMAT.md has them.
const CPU_SUMS = [
	'stolen',
	'shedSteal',
	'woken',
	'preempted',
	'waitStolen',
	'shedWait',
	'user',
	'kernel',
	'idle',
	'sampleStolen',
	'unsampled',
];
const DEVICE_SUMS = [
	'read',
	'write',
	'discard',
	'flush',
	'readBytes',
	'writeBytes',
	'discardBytes',
	'flushBytes',
	'queue',
	'requeue',
	'device',
	'stolen',
	'flushTime',
	'shed',
	'failed',
	'readNoEnd',
	'writeNoEnd',
	'discardNoEnd',
	'flushNoEnd',
];
const HEATS = ['read', 'write', 'queue', 'device'];
const FLAG = { TASK: 1, WORD: 2, OURS: 4 };

export class Model {
	constructor(columns) {
		this.columns = columns;
		this.meta = JSON.parse(columns.texts('meta')[0]);
		this.report = JSON.parse(columns.texts('report')[0]);
		if (this.meta.version !== DATA_VERSION)
			throw new Error(
				`this page knows data of version ${DATA_VERSION}, and holds version ${this.meta.version}`,
			);
		this.time = this.meta.time;
		this.cells = new Cells(columns);
		this.cpus = Array.from(columns.numbers('cpu.id'));
		this.devices = columns.texts('device.name');
		this.partyNames = columns.texts('party.name');
		this.partyFlags = columns.numbers('party.flags');
		this.partyTids = columns.numbers('party.tid');
		this.partyCgroups = columns.numbers('party.cgroup');
		this.partyTasks = columns.numbers('party.task');
		this.cgroupNames = columns.texts('cgroup.name');
		this.cgroupPaths = columns.texts('cgroup.path');
		this.bucketUppers = columns.numbers('coarse.upper');
		// two cgroups may have one short name: then their paths tell them apart
		const nrOfName = new Map();
		for (const name of this.cgroupNames) nrOfName.set(name, (nrOfName.get(name) ?? 0) + 1);
		this.cgroupLabels = this.cgroupNames.map((name, i) =>
			name && nrOfName.get(name) === 1 ? name : this.cgroupPaths[i] || name || '/',
		);
	}

	// --- times: ns since the page's origin; shown since the recording's start ---

	get range() {
		return [this.time.from_ns, Math.max(this.time.to_ns, this.time.from_ns + 1)];
	}

	shown(timeNs) {
		return timeNs + this.time.since_start_ns;
	}

	// The whole slots around a stretch of time, as [first, end); null for no selection.
	slots(selection) {
		const width = this.time.slot_ns;

		return selection && [Math.floor(selection[0] / width), Math.ceil(selection[1] / width)];
	}

	// A selection as exact as the numbers in it: whole slots, cut where the session ends.
	snap([from, to]) {
		const [begin, end] = this.range,
			width = this.time.slot_ns;
		const first = Math.floor(Math.min(Math.max(from, begin), end - 1) / width) * width;
		const last = Math.max(Math.ceil(Math.min(to, end) / width) * width, first + width);

		return [Math.max(first, begin), Math.min(last, end)];
	}

	length(selection) {
		const [from, to] = selection ?? this.range;

		return to - from;
	}

	// --- names ---

	// As the report has it: "sh 4711".
	partyName(party) {
		const name = this.partyNames[party] ?? '(others)',
			flags = this.partyFlags[party];

		return this.isTask(party)
			? `${name || 'tid'} ${this.partyTids[party]}${flags & FLAG.OURS ? ' (timethief)' : ''}`
			: name;
	}

	isTask(party) {
		return !!(this.partyFlags[party] & FLAG.TASK);
	}

	// "idle", "(stolen)" and such; a task may have the same name.
	isWord(party) {
		return !!(this.partyFlags[party] & FLAG.WORD);
	}

	isIdle(party) {
		return this.isWord(party) && this.partyNames[party] === 'idle';
	}

	// What a party is by cgroup: its cgroup's name, or itself when it is no task.
	partyGroup(party) {
		return this.isWord(party)
			? this.partyNames[party]
			: this.cgroupName(this.partyCgroups[party]);
	}

	// Its cgroup's whole path; null: it is in none, or that is not known.
	partyPath(party) {
		const placePlusOne = this.partyCgroups[party];

		return (placePlusOne && this.cgroupPaths[placePlusOne - 1]) || null;
	}

	cgroupName(placePlusOne) {
		return placePlusOne ? this.cgroupLabels[placePlusOne - 1] : '(cgroup not known)';
	}

	// --- sums of a selection (null = the whole session) ---

	cpuSums(cpu, selection) {
		return this.sumsOf(FAMILY.CPU, cpu, CPU_SUMS, selection);
	}

	cpusWithSums() {
		return this.cells.places(FAMILY.CPU).map((place) => Math.floor(place / CPU_SUMS.length));
	}

	deviceSums(device, selection) {
		return this.sumsOf(FAMILY.DEVICE, device, DEVICE_SUMS, selection);
	}

	sumsOf(family, which, names, selection) {
		const slots = this.slots(selection);

		return Object.fromEntries(
			names.map((name, i) => [name, this.cells.sum(family, which * names.length + i, slots)]),
		);
	}

	// [{party, steal, runq, disk, cpu}] in ns, of who has any; a task that moved from cgroup to cgroup is one
	taskSums(selection) {
		const slots = this.slots(selection),
			parties = new Map();

		for (const place of this.cells.places(FAMILY.TASK)) {
			const { ns } = this.cells.sum(FAMILY.TASK, place, slots);
			const party = this.partyTasks[Math.floor(place / CAUSES.length)];

			if (!ns) continue;
			if (!parties.has(party)) parties.set(party, { party, steal: 0, runq: 0, disk: 0, cpu: 0 });
			parties.get(party)[CAUSES[place % CAUSES.length]] += ns;
		}
		return [...parties.values()];
	}

	causeTotals(selection) {
		const slots = this.slots(selection),
			totals = { steal: 0, runq: 0, disk: 0, cpu: 0 };

		for (const place of this.cells.places(FAMILY.TASK))
			totals[CAUSES[place % CAUSES.length]] += this.cells.sum(FAMILY.TASK, place, slots).ns;
		return totals;
	}

	// --- latencies ---

	// [{id, title, what, nothing?, device?}] of all heat maps that this session can have
	get heatMaps() {
		const maps = [
			{ id: 'runq', map: 0, title: 'Run queue: waits for a CPU', what: 'waits', section: 'runq' },
			{ id: 'steal', map: 1, title: 'Stolen: length of gaps', what: 'gaps', section: 'steal' },
		];
		const words = {
			read: ['reads', 'start to completion', 'no read ended'],
			write: ['writes', 'start to completion', 'no write ended'],
			queue: ['requests', 'time in the queue', 'no time in the queue is known'],
			device: ['requests', 'time in the device', 'no time in the device is known'],
		};

		this.devices.forEach((name, device) => {
			if (!device && !this.hasDevice(device)) return;
			HEATS.forEach((heat, i) =>
				maps.push({
					id: `${heat}-${device}`,
					map: 2 + device * HEATS.length + i,
					device,
					heat,
					title: `${name}: ${words[heat].slice(0, 2).join(', ')}`,
					what: words[heat][0],
					nothing: `${words[heat][2]} on ${name}`,
					section: 'disk',
				}),
			);
		});
		return maps;
	}

	// How long a CPU was recorded in a selection.
	recorded(cpu, selection) {
		const [from, to] = selection ?? this.range,
			cpus = this.columns.numbers('window.cpu'),
			begins = this.columns.numbers('window.begin'),
			ends = this.columns.numbers('window.end');

		return cpus.reduce(
			(sum, of, i) => sum + (of === cpu ? Math.max(0, Math.min(to, ends[i]) - Math.max(from, begins[i])) : 0),
			0,
		);
	}

	// Whether a section has numbers of its own at all. Steal is never said to be 0 where it was not looked for.
	isRecorded(section) {
		return !!this.probe(section)?.rung && (section !== 'steal' || this.report.host.steal_reported);
	}

	hasDevice(device) {
		return (
			this.deviceSums(device, null).read.nr +
				this.deviceSums(device, null).write.nr +
				this.deviceSums(device, null).discard.nr +
				this.deviceSums(device, null).flush.nr >
			0
		);
	}

	// How many fell into each bucket.
	histogram(map, selection) {
		const slots = this.slots(selection),
			nr = new Float64Array(this.bucketUppers.length);

		for (let bucket = 0; bucket < nr.length; bucket++)
			nr[bucket] = this.cells.sum(FAMILY.HEAT, map * nr.length + bucket, slots).nr;
		return nr;
	}

	bucketLower(bucket) {
		return bucket ? this.bucketUppers[bucket - 1] + 1 : 0;
	}

	// The upper bound of the bucket that the percentile lies in; null of nothing.
	percentile(histogram, pct) {
		const total = histogram.reduce((a, b) => a + b, 0);
		// 99.9 % of 1000 is a little more than 999 in binary
		let left = Math.ceil((total * pct) / 100 - total * 1e-9);

		if (!total) return null;
		for (let bucket = 0; bucket < histogram.length; bucket++) {
			left -= histogram[bucket];
			if (left <= 0) return this.bucketUppers[bucket];
		}
		return null;
	}

	// --- what is not there, and why ---

	probe(name) {
		return this.report.source.probes.find((probe) => probe.probe === name);
	}

	notes(section) {
		return this.report.sections[section]?.notes ?? [];
	}
}
