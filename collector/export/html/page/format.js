// SPDX-License-Identifier: GPL-2.0-or-later
// format - numbers as the report prints them: 19.8ms, 1,204, 33.3 %.

function grouped(text) {
	return text.replace(/\B(?=(\d{3})+$)/g, ',');
}

function threeDigits(value) {
	return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

export function ns(value) {
	if (value === null || value === undefined) return '-';
	const size = Math.abs(value);

	if (size < 999.5) return `${Math.round(value)}ns`;
	if (size < 999.5e3) return `${threeDigits(value / 1e3)}us`;
	if (size < 999.5e6) return `${threeDigits(value / 1e6)}ms`;
	return `${threeDigits(value / 1e9)}s`;
}

export function count(value) {
	return value === null || value === undefined ? '-' : grouped(String(Math.round(value)));
}

export function decimal(value, decimals = 2) {
	if (value === null || value === undefined) return '-';
	const [whole, fraction] = value.toFixed(decimals).split('.');

	return grouped(whole) + (fraction ? `.${fraction}` : '');
}

export function pct(part, whole) {
	return whole > 0 ? `${((100 * part) / whole).toFixed(1)} %` : '-';
}

export function bytes(value) {
	if (value === null || value === undefined) return '-';
	const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
	let unit = 0;

	for (; value >= 1024 && unit < units.length - 1; unit++) value /= 1024;
	return unit ? `${threeDigits(value)} ${units[unit]}` : `${value} B`;
}

// A moment since the recording began, as exact as a step of stepNs needs it: "12.345 s".
export function moment(timeNs, stepNs = 1e6) {
	const decimals = Math.max(0, Math.min(9, Math.ceil(9 - Math.log10(Math.max(1, stepNs)))));

	return `${(timeNs / 1e9).toFixed(decimals)} s`;
}

export function plural(nr, one, many = `${one}s`) {
	return `${count(nr)} ${Math.round(nr) === 1 ? one : many}`;
}

// A cell of one of the report's tables, by the column's unit.
export function cell(value, column) {
	if (value === null || value === undefined) return '-';
	switch (column.unit) {
		case 'ns':
			return ns(value);
		case 'count':
			return count(value);
		case 'bytes':
			return bytes(value);
		case 'ms':
		case 'pct':
		case 'number':
			return decimal(value, column.decimals ?? 2);
		default:
			return String(value);
	}
}
