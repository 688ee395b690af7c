// SPDX-License-Identifier: GPL-2.0-or-later
// store - what the person has chosen; views subscribe to the parts they show. Listeners run once a frame, however much changed in it.

export function createStore(initial, schedule = (run) => requestAnimationFrame(run)) {
	const state = { ...initial };
	const listeners = [];
	let changed = new Set(),
		isScheduled = false;

	const flush = () => {
		const keys = changed;

		isScheduled = false;
		changed = new Set();
		for (const { on, run } of listeners) {
			if (on.some((key) => keys.has(key))) run(state);
		}
	};

	return {
		get: (key) => state[key],
		set(patch) {
			for (const [key, value] of Object.entries(patch)) {
				if (state[key] === value) continue;
				state[key] = value;
				changed.add(key);
			}
			if (changed.size && !isScheduled) {
				isScheduled = true;
				schedule(flush);
			}
		},
		on(keys, run) {
			listeners.push({ on: keys, run });
		},
	};
}
