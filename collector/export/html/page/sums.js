// SPDX-License-Identifier: GPL-2.0-or-later
// sums - tables of what is in a selection: CPUs, disks, tasks.
import { CAUSE_WORDS } from './model.js';

const ns = (key, label) => ({ key, label, unit: 'ns' });
const count = (key, label) => ({ key, label, unit: 'count' });
const share = (key, label) => ({ key, label, unit: 'pct', decimals: 2 });

export const CPU_COLUMNS = [
	{ key: 'cpu', label: 'CPU', unit: 'text' },
	ns('stolen_ns', 'stolen'),
	share('steal_pct', '%steal'),
	count('gaps', 'gaps'),
	count('waits', 'waits'),
	ns('wait_sum_ns', 'waited'),
	ns('wait_mean_ns', 'mean wait'),
	ns('stolen_of_waits_ns', 'of it stolen'),
	count('preempted', 'after preemption'),
	ns('user_ns', 'user (sampled)'),
	ns('kernel_ns', 'kernel (sampled)'),
	ns('idle_ns', 'idle (sampled)'),
];

export function cpuRows(model, selection) {
	const ids = [...new Set([...model.cpus, ...model.cpusWithSums()])].sort((a, b) => a - b);
	const of = (section, value) => (model.isRecorded(section) ? value : null);

	return ids.map((cpu) => {
		const sums = model.cpuSums(cpu, selection),
			recorded = model.recorded(cpu, selection),
			waits = sums.woken.nr + sums.preempted.nr,
			waited = sums.woken.ns + sums.preempted.ns;

		return {
			cpu,
			stolen_ns: of('steal', sums.stolen.ns),
			steal_pct: of('steal', recorded ? (100 * sums.stolen.ns) / recorded : null),
			gaps: of('steal', sums.stolen.nr),
			waits: of('runq', waits),
			wait_sum_ns: of('runq', waited + sums.shedWait.ns),
			wait_mean_ns: waits ? waited / waits : null,
			stolen_of_waits_ns: of('runq', of('steal', sums.waitStolen.ns)),
			preempted: of('runq', sums.preempted.nr),
			user_ns: of('cpu', sums.user.ns),
			kernel_ns: of('cpu', sums.kernel.ns),
			idle_ns: of('cpu', sums.idle.ns),
		};
	});
}

export const DISK_COLUMNS = [
	{ key: 'device', label: 'disk', unit: 'text' },
	count('reads', 'reads'),
	ns('r_await_ns', 'mean read'),
	{ key: 'read_bytes', label: 'read', unit: 'bytes' },
	count('writes', 'writes'),
	ns('w_await_ns', 'mean write'),
	{ key: 'written_bytes', label: 'written', unit: 'bytes' },
	count('discards', 'discards'),
	count('flushes', 'flushes'),
	ns('total_ns', 'time in all'),
	ns('queue_ns', 'in the queue'),
	ns('device_ns', 'in the device'),
	ns('stolen_ns', 'of it stolen'),
	count('failed', 'failed'),
];

export function diskRows(model, selection) {
	return model.devices
		.map((device, i) => {
			const sums = model.deviceSums(i, selection),
				mean = ({ ns: sum, nr }, noEnd) => (nr > noEnd.nr ? sum / (nr - noEnd.nr) : null);

			return {
				device,
				reads: sums.read.nr,
				r_await_ns: mean(sums.read, sums.readNoEnd),
				read_bytes: sums.readBytes.ns,
				writes: sums.write.nr,
				w_await_ns: mean(sums.write, sums.writeNoEnd),
				written_bytes: sums.writeBytes.ns,
				discards: sums.discard.nr,
				flushes: sums.flush.nr,
				total_ns: sums.read.ns + sums.write.ns + sums.discard.ns + sums.flush.ns,
				queue_ns: sums.queue.ns,
				device_ns: sums.device.ns,
				stolen_ns: sums.stolen.ns,
				failed: sums.failed.nr,
			};
		})
		.filter((row) => row.reads + row.writes + row.discards + row.flushes);
}

export const LONGEST_COLUMNS = [
	{ key: 'what', label: 'what', unit: 'text' },
	ns('ns', 'how long'),
	{ key: 'end', label: 'ended at s', unit: 'number', decimals: 6 },
	{ key: 'who', label: 'who', unit: 'text' },
	{ key: 'where', label: 'where', unit: 'text' },
];
const LONGEST = ['wait for a CPU', 'stolen', 'request'];
export const GROUPS = ['read', 'write', 'discard', 'flush'];

// The longest single waits, gaps and requests; those that ended in the selection.
export function longestRows(model, selection) {
	const column = (name) => model.columns.numbers(`worst.${name}`),
		[what, ts, ns_, party, where, group] = ['what', 'ts', 'ns', 'party', 'where', 'group'].map(column);
	const [from, to] = selection ?? model.range,
		rows = [];

	for (let i = 0; i < what.length; i++) {
		if (selection && (ts[i] <= from || ts[i] > to)) continue;
		const isRequest = LONGEST[what[i]] === 'request';
		rows.push({
			what: isRequest ? GROUPS[group[i]] : LONGEST[what[i]],
			ns: ns_[i],
			end: model.shown(ts[i]) / 1e9,
			who: model.partyName(party[i]),
			where: isRequest ? model.devices[where[i]] : `CPU ${where[i]}`,
		});
	}
	return rows.sort((a, b) => b.ns - a.ns);
}

// Of the causes that the page was made with.
export function taskColumns(model) {
	return [
		{ key: 'task', label: 'task', unit: 'text' },
		...model.meta.causes.map((cause) => ns(`${cause}_ns`, CAUSE_WORDS[cause].toLowerCase())),
		{ key: 'cgroup', label: 'cgroup', unit: 'text' },
	];
}

export function taskRows(model, selection) {
	const weight = (sums) => sums.steal + sums.runq + sums.disk + sums.cpu;

	return model
		.taskSums(selection)
		.sort((a, b) => weight(b) - weight(a))
		.map((sums) => ({
			task: model.partyName(sums.party),
			steal_ns: sums.steal,
			runq_ns: sums.runq,
			disk_ns: sums.disk,
			cpu_ns: sums.cpu,
			cgroup: model.partyCgroups[sums.party] ? model.cgroupName(model.partyCgroups[sums.party]) : null,
		}));
}
