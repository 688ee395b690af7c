// SPDX-License-Identifier: GPL-2.0-or-later
// csv - rows as CSV (RFC 4180). What a spreadsheet would take for a formula gets a ' in front: names are anybody's.

function field(value) {
	if (value === null || value === undefined) return '';
	if (typeof value === 'number') return String(value);
	const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value);

	return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

export function csv(header, rows) {
	return [header, ...rows].map((row) => row.map(field).join(',') + '\r\n').join('');
}
