// SPDX-License-Identifier: GPL-2.0-or-later
// page_data.js PAGE [FROM TO]: what is in a page of timethief export -f html, read as collector/export/html/FORMAT.md says, without the page's own script:
// {"report", "meta", "columns": {NAME: count}, "sums": {...}} for tests. FROM TO: sums over these slots only.
'use strict';
const fs = require('fs');
const zlib = require('zlib');

const html = fs.readFileSync(process.argv[2], 'utf8');
const slots = process.argv[4] ? [Number(process.argv[3]), Number(process.argv[4])] : [0, Infinity];
const bytes = zlib.inflateSync(Buffer.from(html.match(/<script type="?application\/octet-stream"? id="?data"?>([A-Za-z0-9+/=]+)<\/script>/)[1], 'base64'));
const nrIndexBytes = bytes.readUInt32LE(bytes.length - 4);
const index = JSON.parse(bytes.subarray(bytes.length - 4 - nrIndexBytes, bytes.length - 4));

function column(name) {
	const [coding, offset, length, count] = index[name];
	const data = bytes.subarray(offset, offset + length);
	const numbers = [];
	let value = 0, scale = 1, last = 0;

	if (coding === 2)
		return data.toString('utf8').split('\0').slice(0, -1);
	for (const byte of data) {
		value += (byte & 127) * scale;
		scale *= 128;
		if (byte & 128)
			continue;
		if (coding === 1)
			last += value % 2 ? -(value + 1) / 2 : value / 2;
		numbers.push(coding === 1 ? last : value);
		value = 0;
		scale = 1;
	}
	if (numbers.length !== count)
		throw new Error(`${name}: ${numbers.length} numbers instead of ${count}`);
	return numbers;
}

const add = (numbers) => numbers.reduce((a, b) => a + b, 0);

// Sums of cells by family, and by the place modulo what repeats in it.
function cellSums() {
	const modulus = [11, 19, Infinity, 4, Infinity, Infinity];
	const counts = column('cells.count'), ns = column('cells.ns'), nr = column('cells.nr'), slot = column('cells.slot');
	const sums = {};
	let at = 0;

	column('cells.row').forEach((row, i) => {
		const family = Math.floor(row / 2 ** 26), place = row % 2 ** 26;
		const key = `${family}:${family === 2 ? 'map' + Math.floor(place / 164) : Number.isFinite(modulus[family]) ? place % modulus[family] : 'all'}`;
		let now = 0;

		sums[key] = sums[key] || { ns: 0, nr: 0 };
		for (let j = 0; j < counts[i]; j++, at++) {
			now += slot[at];
			if (now < slots[0] || now >= slots[1])
				continue;
			sums[key].ns += ns[at];
			sums[key].nr += nr[at];
		}
	});
	return sums;
}

console.log(JSON.stringify({
	report: JSON.parse(column('report')[0]),
	meta: JSON.parse(column('meta')[0]),
	columns: Object.fromEntries(Object.entries(index).map(([name, entry]) => [name, entry[3]])),
	cells: index['cells.row'] ? cellSums() : {},
	time: Object.fromEntries(Object.keys(index).filter((n) => n.startsWith('time.')).map((n) => [n, add(column(n))])),
	windows_ns: add(column('window.end')) - add(column('window.begin')),
	entries_ns: add(column('entry.ns')),
	base_entries_ns: index['base.entry.ns'] ? add(column('base.entry.ns')) : null,
}));
