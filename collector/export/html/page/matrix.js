// SPDX-License-Identifier: GPL-2.0-or-later
// matrix - who delays whom in a selection, by task, task's name or cgroup: a small matrix to draw and all of its cells to list.
import { FAMILY } from './cells.js';

export const RELATIONS = [
	{
		id: 'occupants',
		label: 'Occupant → waiter',
		from: 'had the CPU',
		to: 'waited for it',
		words: 'who had the CPU that others waited for',
		nothing: 'no task waited for a CPU',
	},
	{
		id: 'preempters',
		label: 'Preempter → victim',
		from: 'took the CPU',
		to: 'lost it',
		words: 'who took the CPU from whom',
		nothing: 'no task lost a CPU that it wanted to keep',
	},
	{
		id: 'wakers',
		label: 'Waker → woken',
		from: 'woke',
		to: 'was woken and waited',
		words: 'who woke whom',
		nothing: 'no task waited after it was woken',
	},
];
export const PARTIES_MAX = 14;
const OTHERS = '(others)';

// What tells who is one: a task, all of a name, or a cgroup. A word of ours is itself in each, whoever has the same name.
const keysOf = (model) => ({
	task: (party) => (model.isTask(party) ? model.partyTasks[party] : `t${model.partyNames[party]}`),
	name: (party) => `t${model.partyNames[party]}`,
	cgroup: (party) => `c${model.partyCgroups[party]}`,
});

// All cells with something in them, heaviest first: [{from, to, ns, nr}]. from, to: {name, path, isWord}, the same object for the same one;
// path: by cgroup, null of who is in none.
export function pairsOf(model, relation, by, selection) {
	const { columns, cells } = model;
	const kinds = columns.numbers('pair.relation'),
		froms = columns.numbers('pair.from'),
		tos = columns.numbers('pair.to');
	const wanted = RELATIONS.findIndex((r) => r.id === relation),
		slots = model.slots(selection);
	const names = {
		task: (party) => model.partyName(party),
		name: (party) => model.partyNames[party],
		cgroup: (party) => model.partyGroup(party),
	};
	const keyOf = keysOf(model)[by],
		sides = [],
		ids = new Map(), // by key
		idOfParty = new Map();
	const idOf = (party) => {
		if (!idOfParty.has(party)) {
			const isWord = model.isWord(party),
				key = isWord ? `w${model.partyNames[party]}` : keyOf(party);

			if (!ids.has(key)) {
				ids.set(key, sides.length);
				sides.push({ name: names[by](party), path: by === 'cgroup' ? model.partyPath(party) : null, isWord });
			}
			idOfParty.set(party, ids.get(key));
		}
		return idOfParty.get(party);
	};
	const byKey = new Map();

	for (let i = 0; i < kinds.length; i++) {
		if (kinds[i] !== wanted) continue;
		const { ns, nr } = cells.sum(FAMILY.PAIR, i, slots);
		if (!ns && !nr) continue;
		const from = idOf(froms[i]),
			to = idOf(tos[i]),
			key = from * 2 ** 20 + to;
		const pair = byKey.get(key) ?? { from, to, ns: 0, nr: 0 };
		byKey.set(key, pair);
		pair.ns += ns;
		pair.nr += nr;
	}
	return [...byKey.values()]
		.map(({ from, to, ns, nr }) => ({ from: sides[from], to: sides[to], ns, nr }))
		.sort((a, b) => b.ns - a.ns || b.nr - a.nr);
}

// The PARTIES_MAX parties with most time on either side, the rest together as "(others)": matrix[from][to] in ns. pairs: as of pairsOf.
export function matrixOf(pairs) {
	const weights = new Map();

	for (const { from, to, ns } of pairs) {
		weights.set(from, (weights.get(from) ?? 0) + ns);
		weights.set(to, (weights.get(to) ?? 0) + ns);
	}
	const ranked = [...weights]
		.filter(([side, ns]) => ns > 0 && !(side.isWord && side.name === OTHERS))
		.sort((a, b) => b[1] - a[1])
		.map(([side]) => side);
	const shown = ranked.slice(0, PARTIES_MAX),
		names = shown.map((side) => side.name),
		places = new Map(shown.map((side, i) => [side, i]));
	const nrMerged = ranked.length - names.length;
	const needsOthers = pairs.some(({ from, to, ns }) => ns > 0 && (!places.has(from) || !places.has(to)));

	if (needsOthers) names.push(nrMerged ? `(${nrMerged} others)` : OTHERS);
	const matrix = names.map(() => new Float64Array(names.length));
	for (const { from, to, ns } of pairs) {
		if (ns > 0) matrix[places.get(from) ?? names.length - 1][places.get(to) ?? names.length - 1] += ns;
	}
	return { names, matrix, nrMerged };
}
