// SPDX-License-Identifier: GPL-2.0-or-later
// lanes - drawing the rows of the timeline, each into its own part of the canvas.
import { AXIS_HEIGHT, fitText } from './axis.js';
import * as format from './format.js';
import { color } from './theme.js';

export const LATENCY_MIN_NS = 1000; // where the scale of latencies begins
const LABEL_MIN_PX = 34;

export function drawCpu(context, scale, row, data) {
	const bottom = row.y + row.height;

	context.fillStyle = color('idle');
	context.fillRect(scale.left, row.y, scale.width, row.height);
	for (let px = 0; px < scale.width; px++) {
		const from = scale.time(scale.left + px),
			part = data.cpuIn(row.cpu, from, from + scale.perPx);
		let y = bottom;
		const bar = (name, timeNs) => {
			const height = (row.height * timeNs) / scale.perPx;

			context.fillStyle = color(name);
			context.fillRect(scale.left + px, y - height, 1, height);
			y -= height;
		};

		if (part.running) bar('running', part.running);
		if (part.stolen) bar('stolen', part.stolen);
		// the bins' own rounding is no gap
		if (part.unseen > scale.perPx * 1e-6) bar('unseen', part.unseen);
	}
}

// Single slices, with the task's name where there is room.
export function drawSlices(context, scale, row, data) {
	const model = data.model,
		bottom = row.y + row.height;
	let nr = 0;

	context.fillStyle = color('unseen');
	context.fillRect(scale.left, row.y, scale.width, row.height);
	context.textBaseline = 'middle';
	context.textAlign = 'left';
	data.slices(row.cpu, scale.from, scale.to, (from, to, party) => {
		const x = scale.x(Math.max(from, scale.from)),
			width = scale.x(Math.min(to, scale.to)) - x;

		if (party < 0) return;
		const isIdle = model.isIdle(party);
		context.fillStyle = isIdle ? color('idle') : color(nr++ % 2 ? 'running' : 'running-2');
		context.fillRect(x, row.y, Math.max(width, 0.5), row.height);
		if (width > LABEL_MIN_PX && row.height > 12 && !isIdle) {
			context.fillStyle = color('on-running');
			context.fillText(fitText(context, model.partyName(party), width - 6), x + 3, row.y + row.height / 2);
		}
	});
	context.fillStyle = color('stolen');
	data.gapsIn(row.cpu.cpu, scale.from, scale.to, (i, from, to) => {
		const x = scale.x(Math.max(from, scale.from));

		context.fillRect(x, row.y, Math.max(1, scale.x(Math.min(to, scale.to)) - x), bottom - row.y);
	});
}

export function drawArea(context, scale, row, peak, name, valueAt) {
	const bottom = row.y + row.height;

	context.fillStyle = color(name);
	for (let px = 0; px < scale.width; px++) {
		const from = scale.time(scale.left + px),
			value = valueAt(from, from + scale.perPx);
		const height = Math.min(row.height, (row.height * value) / peak);

		// what is there is seen, however small beside the peak
		if (height > 0) context.fillRect(scale.left + px, bottom - Math.max(height, 1), 1, Math.max(height, 1));
	}
	context.fillStyle = color('grid');
	context.fillRect(scale.left, bottom, scale.width, 1);
}

function latencyY(row, latencyNs, peak) {
	const part = Math.log(Math.max(latencyNs, LATENCY_MIN_NS) / LATENCY_MIN_NS) / Math.log(peak / LATENCY_MIN_NS);

	return row.y + row.height * (1 - Math.min(1, part));
}

export function drawLatency(context, scale, row, data, peak) {
	const bottom = row.y + row.height;

	for (let px = 0; px < scale.width; px++) {
		const from = scale.time(scale.left + px),
			part = data.deviceIn(row.device, from, from + scale.perPx);

		if (part.requests < 1e-9) continue;
		const mean = latencyY(row, part.latency / part.requests, peak),
			max = latencyY(row, part.latencyMax, peak);
		context.fillStyle = color('latency-back');
		context.fillRect(scale.left + px, mean, 1, bottom - mean);
		context.fillStyle = color('latency');
		context.fillRect(scale.left + px, mean - 1, 1, 2);
		context.fillStyle = color('latency-max');
		context.fillRect(scale.left + px, max - 1, 1, 2);
	}
	context.fillStyle = color('grid');
	context.fillRect(scale.left, bottom, scale.width, 1);
}

// Each request from start to completion, as high as it took long.
export function drawRequests(context, scale, row, data, peak) {
	data.requestsIn(row.device.device, scale.from, scale.to, (i, from, to) => {
		const y = latencyY(row, to - from, peak),
			x = scale.x(Math.max(from, scale.from));

		context.fillStyle = color('latency');
		context.fillRect(x, y, Math.max(1, scale.x(Math.min(to, scale.to)) - x), 1);
		context.fillStyle = color('latency-max');
		context.fillRect(Math.min(scale.x(to), scale.left + scale.width) - 2, y - 1, 3, 3);
	});
	context.fillStyle = color('grid');
	context.fillRect(scale.left, row.y + row.height, scale.width, 1);
}

export function drawLosses(context, scale, height, data) {
	context.fillStyle = color('loss');
	for (const loss of data.losses) {
		if (loss.to_ns < scale.from || loss.since_ns > scale.to) continue;
		const x0 = scale.x(Math.max(loss.since_ns, scale.from)),
			x1 = scale.x(Math.min(loss.to_ns, scale.to));

		context.fillRect(x0, AXIS_HEIGHT, Math.max(2, x1 - x0), 3);
	}
}

export function drawNames(context, scale, rows, peaks, data) {
	context.textAlign = 'left';
	context.textBaseline = 'middle';
	for (const row of rows) {
		const isMain = row.kind === 'cpu' || row.kind === 'depth';

		context.fillStyle = color(isMain ? 'text' : 'text-soft');
		context.fillText(
			fitText(context, row.label, scale.left - 6),
			2,
			row.y + (row.height >= 30 ? 9 : row.height / 2),
		);
	}
	context.textAlign = 'right';
	context.fillStyle = color('text-soft');
	context.font = context.font.replace('12px', '10px');
	for (const row of rows) {
		if (row.kind === 'latency') {
			context.fillText(format.ns(peaks.latency), scale.left - 4, row.y + 22);
			context.fillText('1us', scale.left - 4, row.y + row.height - 3);
		} else if (row.kind === 'depth') {
			context.fillText(
				`0 – ${peaks.depth[data.devices.indexOf(row.device)]}`,
				scale.left - 4,
				row.y + row.height - 5,
			);
		} else if (row.kind === 'queue' && row.height > 12 && scale.left > 70) {
			context.fillText(`0 – ${peaks.queue}`, scale.left - 4, row.y + row.height / 2);
		}
	}
	context.font = context.font.replace('10px', '12px');
}
