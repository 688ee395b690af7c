// SPDX-License-Identifier: GPL-2.0-or-later
// span - stretches of time: zooming, panning, and ticks.

export const SPAN_MIN_NS = 10000;

// [from, to] moved and shrunk so that it lies in the whole.
export function clampSpan([from, to], [begin, end]) {
	const length = Math.min(Math.max(to - from, SPAN_MIN_NS), end - begin);
	const first = Math.min(Math.max(from, begin), end - length);

	return [first, first + length];
}

// factor < 1 zooms in; at stays where it is.
export function zoomSpan([from, to], factor, at, whole) {
	const length = Math.min(Math.max((to - from) * factor, SPAN_MIN_NS), whole[1] - whole[0]);
	const part = to > from ? (at - from) / (to - from) : 0.5;

	return clampSpan([at - part * length, at + (1 - part) * length], whole);
}

export function panSpan([from, to], byNs, whole) {
	return clampSpan([from + byNs, to + byNs], whole);
}

// Round moments in [from, to], at most nrMax of them: {step, at: [...]}
export function ticksOf(from, to, nrMax) {
	const rough = (to - from) / Math.max(1, nrMax),
		power = 10 ** Math.floor(Math.log10(Math.max(1, rough)));
	const step = [1, 2, 5, 10].map((f) => f * power).find((s) => s >= rough) ?? power;
	const at = [];

	for (let i = Math.ceil(from / step); i * step <= to; i++) at.push(i * step);
	return { step, at };
}
