// SPDX-License-Identifier: GPL-2.0-or-later
import assert from 'node:assert/strict';
import test from 'node:test';
import { csv } from '../../collector/export/html/page/csv.js';
import * as format from '../../collector/export/html/page/format.js';

test('times have three digits and the unit that fits', () => {
	const texts = [
		[0, '0ns'],
		[999, '999ns'],
		[1000, '1.00us'],
		[19800, '19.8us'],
		[999499, '999us'],
		[999600, '1.00ms'],
		[1234567890, '1.23s'],
		[null, '-'],
	];

	for (const [value, text] of texts) assert.equal(format.ns(value), text);
});

test('numbers are grouped by thousands', () => {
	assert.equal(format.count(1234567), '1,234,567');
	assert.equal(format.decimal(1234.5), '1,234.50');
	assert.equal(format.decimal(-0.25, 1), '-0.3');
	assert.equal(format.decimal(7, 0), '7');
	assert.equal(format.plural(1, 'gap'), '1 gap');
	assert.equal(format.plural(2, 'party', 'parties'), '2 parties');
});

test('a moment is as exact as its step', () => {
	assert.equal(format.moment(1500000000, 1e9), '2 s');
	assert.equal(format.moment(1500000000, 1e8), '1.5 s');
	assert.equal(format.moment(1234567891, 1), '1.234567891 s');
});

test('bytes count in 1024', () => {
	assert.equal(format.bytes(1023), '1023 B');
	assert.equal(format.bytes(1536), '1.50 KiB');
});

test('CSV: what needs quotes has them, numbers are whole, nothing is a formula', () => {
	assert.equal(
		csv(
			['a', 'b'],
			[
				['x,"y"', 1234567],
				[null, '=1+1'],
				['-', -5],
			],
		),
		'a,b\r\n"x,""y""",1234567\r\n,\'=1+1\r\n\'-,-5\r\n',
	);
});
