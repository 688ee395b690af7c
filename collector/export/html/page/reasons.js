// SPDX-License-Identifier: GPL-2.0-or-later
// reasons - why a view has nothing to show, and what to do about it.

const HOW = {
	steal: 'record on a virtual machine whose hypervisor reports steal time; timethief doctor tells what this one gives',
	runq: 'record with timethief record --probe runq, or without --probe',
	disk: 'record with timethief record --probe disk, or without --probe',
	cpu: 'record with timethief record --probe cpu or --stacks',
};

const NOTHING = {
	steal: 'no time was stolen',
	runq: 'no task waited for a CPU',
	disk: 'no disk request ended',
	cpu: 'no CPU was sampled',
};

// Of a section (steal, runq, disk, cpu). selection: whether a part of the time is selected. nothing: what there was none of.
export function whyEmpty(model, section, selection, nothing = NOTHING[section]) {
	const probe = model.probe(section);
	const only = model.report.interval.only;

	if (model.report.source.name === 'procfs')
		return `This session has counters only (source procfs), no single events or requests: record as root, with BPF or SystemTap.`;
	if (section === 'steal' && !model.report.host.steal_reported && !model.cells.places(0).length)
		return sentence(model.notes('steal')[0] ?? 'this host reports no steal time', HOW.steal);
	if (!probe || !probe.rung)
		return sentence(`the probe ${section} was off${probe?.detail ? ` (${probe.detail})` : ''}`, HOW[section]);
	if (section === 'steal' && !model.report.host.steal_reported)
		return sentence(model.notes('steal')[0] ?? 'this host reports no steal time', HOW.steal);
	if (selection)
		return sentence(`${nothing} in the selected time`, 'select more, or clear the selection');
	return sentence(nothing + (only ? ` of what was asked for (${only})` : ''));
}

export function whyNoStacks(model, cause, selection) {
	if (!model.meta.causes.includes(cause))
		return `This page was made without ${cause}: export it with -e ${cause}, or without -e.`;
	return whyEmpty(model, cause, selection);
}

function sentence(what, how) {
	return `${what[0].toUpperCase()}${what.slice(1)}${how ? `. To see something here: ${how}` : ''}.`;
}
