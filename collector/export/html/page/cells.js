// SPDX-License-Identifier: GPL-2.0-or-later
// cells - sums by row and slot of time (../cells.h): what is left of them in a selection.

export const FAMILY = { CPU: 0, DEVICE: 1, HEAT: 2, TASK: 3, PAIR: 4, STACK: 5 };
const FAMILY_SHIFT = 26,
	PLACES = 2 ** FAMILY_SHIFT;

export class Cells {
	constructor(columns) {
		const rows = columns.numbers('cells.row'),
			counts = columns.numbers('cells.count');

		this.ns = columns.numbers('cells.ns');
		this.nr = columns.numbers('cells.nr');
		this.slot = columns.numbers('cells.slot').slice(); // differences still
		this.rows = new Map(); // row: [begin, end) of its cells
		this.families = Object.values(FAMILY).map(() => []);
		let at = 0;
		for (let i = 0; i < rows.length; i++) {
			const begin = at;

			for (at++; at < begin + counts[i]; at++) this.slot[at] += this.slot[at - 1];
			this.rows.set(rows[i], [begin, at]);
			this.families[Math.floor(rows[i] / PLACES)]?.push(rows[i] % PLACES);
		}
	}

	places(family) {
		return this.families[family];
	}

	range(family, place) {
		return this.rows.get(family * PLACES + place) ?? [0, 0];
	}

	// The first cell of [begin, end) in slot or later.
	seek(begin, end, slot) {
		while (begin < end) {
			const middle = (begin + end) >> 1;

			if (this.slot[middle] < slot) begin = middle + 1;
			else end = middle;
		}
		return begin;
	}

	// What a row holds in slots [from, to); without slots, all of it.
	sum(family, place, slots) {
		let [begin, end] = this.range(family, place);
		const sum = { ns: 0, nr: 0 };

		if (slots) {
			begin = this.seek(begin, end, slots[0]);
			end = this.seek(begin, end, slots[1]);
		}
		for (let i = begin; i < end; i++) {
			sum.ns += this.ns[i];
			sum.nr += this.nr[i];
		}
		return sum;
	}

	each(family, place, use) {
		const [begin, end] = this.range(family, place);

		for (let i = begin; i < end; i++) use(this.slot[i], this.ns[i], this.nr[i]);
	}
}
