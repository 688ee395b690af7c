// SPDX-License-Identifier: GPL-2.0-or-later
// grid - the cells of a heat map.
import { FAMILY } from './cells.js';

// Counts by column of columnSlots slots and bucket: {columns: Map(column: Float64Array), most}
export function gridOf(model, map, [first, end], [fromSlot, toSlot], columnSlots) {
	const columns = new Map(),
		nrBuckets = model.bucketUppers.length;
	let most = 0;

	for (let bucket = first; bucket < end; bucket++) {
		model.cells.each(FAMILY.HEAT, map * nrBuckets + bucket, (slot, ns, nr) => {
			const column = Math.floor(slot / columnSlots);

			if (slot < fromSlot || slot >= toSlot) return;
			if (!columns.has(column)) columns.set(column, new Float64Array(end - first));
			const counts = columns.get(column);
			counts[bucket - first] += nr;
			most = Math.max(most, counts[bucket - first]);
		});
	}
	return { columns, most };
}
