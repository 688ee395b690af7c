// SPDX-License-Identifier: GPL-2.0-or-later
// rows - what is drawn along the time, for any stretch at once: sums of a row between two moments cost the same however long.

// Sums of bins; within a bin evenly spread, over what the range [from, to] has of it.
export class SumRow {
	constructor(values, binNs, range) {
		this.binNs = binNs;
		this.range = range;
		this.before = new Float64Array(values.length + 1);
		for (let i = 0; i < values.length; i++) this.before[i + 1] = this.before[i] + values[i];
	}

	until(timeNs) {
		const nr = this.before.length - 1,
			{ binNs } = this,
			[begin, end] = this.range,
			bin = Math.min(Math.max(Math.floor(timeNs / binNs), 0), nr - 1);

		if (nr <= 0) return 0;
		const from = Math.max(bin * binNs, begin),
			to = Math.min((bin + 1) * binNs, end),
			part = to > from ? Math.min(Math.max((timeNs - from) / (to - from), 0), 1) : Number(timeNs >= to);

		return this.before[bin] + (this.before[bin + 1] - this.before[bin]) * part;
	}

	sum(fromNs, toNs) {
		return this.until(toNs) - this.until(fromNs);
	}
}

// Maxima of bins: of every bin that the stretch touches.
export class MaxRow {
	constructor(values, binNs) {
		this.binNs = binNs;
		this.levels = [values];
		while (this.levels.at(-1).length > 1) {
			const below = this.levels.at(-1),
				level = new Float64Array(Math.ceil(below.length / 2));

			for (let i = 0; i < level.length; i++) level[i] = Math.max(below[2 * i], below[2 * i + 1] ?? 0);
			this.levels.push(level);
		}
	}

	max(fromNs, toNs) {
		let begin = Math.max(0, Math.floor(fromNs / this.binNs)),
			end = Math.min(this.levels[0].length, Math.ceil(toNs / this.binNs)),
			max = 0;

		for (let level = 0; begin < end; level++) {
			if (begin & 1) max = Math.max(max, this.levels[level][begin++]);
			if (end & 1) max = Math.max(max, this.levels[level][--end]);
			begin >>= 1;
			end >>= 1;
		}
		return max;
	}
}

const CPU_ROWS = ['task', 'idle', 'stolen', 'stolen_idle', 'waiting'];

// One row of what all of them have on average.
function meanOf(cpus) {
	const mean = {};

	for (const name of CPU_ROWS) {
		const { binNs, before, range } = cpus[0][name],
			values = new Float64Array(before.length - 1);

		for (const cpu of cpus)
			for (let i = 0; i < values.length; i++)
				values[i] += (cpu[name].before[i + 1] - cpu[name].before[i]) / cpus.length;
		mean[name] = new SumRow(values, binNs, range);
	}
	return mean;
}

export const FLAG = { PREEMPTED: 1, UNSEEN: 2, BEGINS: 4, ENDS: 8 };

export class Timeline {
	constructor(model) {
		const { columns, time } = model;
		const binNs = time.bin_ns,
			nr = time.nr_bins;
		const rowsOf = (name, count, Row) => {
			const values = columns.numbers(name);

			return Array.from({ length: count }, (_, i) => new Row(values.subarray(i * nr, (i + 1) * nr), binNs, model.range));
		};

		this.model = model;
		this.binNs = binNs;
		this.cpus = model.cpus.map((cpu) => ({ cpu }));
		for (const name of CPU_ROWS)
			rowsOf(`time.${name}`, this.cpus.length, SumRow).forEach((row, i) => {
				this.cpus[i][name] = row;
			});
		this.meanCpu = this.cpus.length ? meanOf(this.cpus) : null;
		const nrDevices = nr ? columns.numbers('time.requests').length / nr : 0;
		this.devices = Array.from({ length: nrDevices }, (_, device) => ({ device, name: model.devices[device] }));
		for (const name of ['inflight', 'requests', 'latency'])
			rowsOf(`time.${name}`, nrDevices, SumRow).forEach((row, i) => {
				this.devices[i][name] = row;
			});
		rowsOf('time.latency_max', nrDevices, MaxRow).forEach((row, i) => {
			this.devices[i].latencyMax = row;
		});
		this.devices = this.devices.filter((d) => d.requests.sum(...model.range) > 0);
		this.losses = model.meta.losses;
		this.hasEvents = model.meta.events.all;
		this.switches = null;
	}

	// There may be a million: decoded when somebody zooms in so far.
	readEvents() {
		const { columns } = this.model;

		if (this.switches) return;
		this.switches = {
			cpu: columns.numbers('switch.cpu'),
			ts: columns.numbers('switch.ts'),
			party: columns.numbers('switch.party'),
			wait: columns.numbers('switch.wait'),
			flags: columns.numbers('switch.flags'),
		};
		this.gaps = {
			cpu: columns.numbers('gap.cpu'),
			ts: columns.numbers('gap.ts'),
			ns: columns.numbers('gap.ns'),
			party: columns.numbers('gap.party'),
		};
		this.requests = {
			device: columns.numbers('request.device'),
			ts: columns.numbers('request.ts'),
			ns: columns.numbers('request.ns'),
			queue: columns.numbers('request.queue'),
			group: columns.numbers('request.group'),
			party: columns.numbers('request.party'),
		};
		const { cpu } = this.switches;
		let at = 0;
		for (const row of this.cpus) {
			while (at < cpu.length && cpu[at] < row.cpu) at++;
			row.first = at;
			while (at < cpu.length && cpu[at] === row.cpu) at++;
			row.end = at;
		}
		this.longestGapNs = longest(this.gaps.ns);
		this.longestRequestNs = longest(this.requests.ns);
	}

	// What a CPU did in a stretch, in ns; unseen: it was off, or nothing is known.
	cpuIn(row, fromNs, toNs) {
		const stolenTask = row.stolen.sum(fromNs, toNs),
			stolenIdle = row.stolen_idle.sum(fromNs, toNs);
		const running = Math.max(0, row.task.sum(fromNs, toNs) - stolenTask),
			idle = Math.max(0, row.idle.sum(fromNs, toNs) - stolenIdle);
		const stolen = stolenTask + stolenIdle;

		return {
			running,
			idle,
			stolen,
			unseen: Math.max(0, toNs - fromNs - running - idle - stolen),
			waiting: row.waiting.sum(fromNs, toNs),
		};
	}

	deviceIn(row, fromNs, toNs) {
		return {
			inflight: row.inflight.sum(fromNs, toNs),
			requests: row.requests.sum(fromNs, toNs),
			latency: row.latency.sum(fromNs, toNs),
			latencyMax: row.latencyMax.max(fromNs, toNs),
		};
	}

	// Calls use(fromNs, toNs, party or -1 when it is not known, waitNs before it) for each slice of a CPU that touches the stretch; whole ones.
	slices(row, fromNs, toNs, use) {
		this.readEvents();
		const { ts, party, wait, flags } = this.switches;
		let i = Math.max(row.first, lowerBound(ts, row.first, row.end, fromNs) - 1);

		for (; i < row.end && ts[i] < toNs; i++) {
			const next = i + 1 < row.end ? ts[i + 1] : this.model.range[1];

			if (flags[i] & FLAG.ENDS || next <= fromNs) continue;
			use(ts[i], next, i + 1 < row.end && flags[i + 1] & FLAG.UNSEEN ? -1 : party[i], wait[i]);
		}
	}

	gapsIn(cpu, fromNs, toNs, use) {
		this.readEvents();
		spansIn(
			this.gaps,
			this.longestGapNs,
			fromNs,
			toNs,
			(i) => this.gaps.cpu[i] === cpu && use(i, this.gaps.ts[i] - this.gaps.ns[i], this.gaps.ts[i]),
		);
	}

	requestsIn(device, fromNs, toNs, use) {
		this.readEvents();
		spansIn(
			this.requests,
			this.longestRequestNs,
			fromNs,
			toNs,
			(i) =>
				this.requests.device[i] === device &&
				use(i, this.requests.ts[i] - this.requests.ns[i], this.requests.ts[i]),
		);
	}
}

function longest(values) {
	return values.reduce((a, b) => Math.max(a, b), 0);
}

function lowerBound(sorted, begin, end, value) {
	while (begin < end) {
		const middle = (begin + end) >> 1;

		if (sorted[middle] < value) begin = middle + 1;
		else end = middle;
	}
	return begin;
}

// Spans sorted by their end, of at most longestNs.
function spansIn(spans, longestNs, fromNs, toNs, use) {
	for (
		let i = lowerBound(spans.ts, 0, spans.ts.length, fromNs);
		i < spans.ts.length && spans.ts[i] - longestNs < toNs;
		i++
	) {
		if (spans.ts[i] - spans.ns[i] < toNs) use(i);
	}
}
