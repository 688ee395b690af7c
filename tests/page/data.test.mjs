// SPDX-License-Identifier: GPL-2.0-or-later
import assert from 'node:assert/strict';
import test from 'node:test';
import zlib from 'node:zlib';
import { bytesOfBase64, columnsOf, inflate } from '../../collector/export/html/page/data.js';

function leb128(value) {
	const bytes = [];
	let left = BigInt(value);

	for (; left >= 128n; left >>= 7n) bytes.push(Number(left & 127n) | 128);
	return [...bytes, Number(left)];
}

function packed(columns) {
	const bytes = [],
		index = {};

	for (const [name, [coding, values]] of Object.entries(columns)) {
		const offset = bytes.length;
		let last = 0n;

		for (const value of values) {
			if (coding === 2) {
				bytes.push(...new TextEncoder().encode(value), 0);
				continue;
			}
			const delta = BigInt(value) - last;
			bytes.push(...leb128(coding === 1 ? (delta >= 0n ? 2n * delta : -2n * delta - 1n) : value));
			last = BigInt(value);
		}
		index[name] = [coding, offset, bytes.length - offset, values.length];
	}
	const text = new TextEncoder().encode(JSON.stringify(index));
	return Uint8Array.from([...bytes, ...text, text.length & 255, text.length >> 8, 0, 0]);
}

const numbers = [0, 1, 127, 128, 2 ** 28 - 1, 2 ** 28, 2 ** 31, 2 ** 32 + 5, Number.MAX_SAFE_INTEGER];

test('numbers of every size come back', () => {
	const columns = columnsOf(packed({ up: [0, numbers], down: [1, [...numbers].reverse()] }));

	assert.deepEqual([...columns.numbers('up')], numbers);
	assert.deepEqual([...columns.numbers('down')], [...numbers].reverse());
});

test('texts come back, empty ones and such of other alphabets, too', () => {
	const texts = ['', 'a', '日本語', '<script>', ''];

	assert.deepEqual(columnsOf(packed({ t: [2, texts] })).texts('t'), texts);
});

test('a column that is not there is empty, whatever its name', () => {
	const columns = columnsOf(packed({ a: [0, [1]] }));

	assert.equal(columns.numbers('b').length, 0);
	assert.deepEqual(columns.texts('constructor'), []);
});

test('damage is told', () => {
	const bytes = packed({ a: [0, [300, 300]] });

	bytes[3] |= 128;
	assert.throws(() => columnsOf(bytes).numbers('a'), /column a ends within number 1/);
	assert.throws(() => columnsOf(Uint8Array.from([1, 2])), /no index/);
	assert.throws(() => columnsOf(Uint8Array.from([0, 0, 0, 99])), /no index/);
});

test('base64 of a zlib stream is unpacked', async () => {
	const raw = Uint8Array.from({ length: 1000 }, (_, i) => (i * 7) & 255);

	assert.deepEqual(await inflate(bytesOfBase64(zlib.deflateSync(raw).toString('base64'))), raw);
});
