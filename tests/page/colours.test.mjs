// SPDX-License-Identifier: GPL-2.0-or-later
// The palette: text is readable, and what is drawn stands off the background, in both themes (WCAG 2.2, 1.4.3 and 1.4.11).
import assert from 'node:assert/strict';
import fs from 'node:fs';
import test from 'node:test';

const read = (name) =>
	fs.readFileSync(new URL(`../../collector/export/html/page/${name}`, import.meta.url), 'utf8');
const colours = (css) =>
	Object.fromEntries(
		[...css.matchAll(/--([\w-]+): (#[0-9a-f]{3,6});/g)].map(([, name, value]) => [name, value]),
	);
const light = colours(read('page.css')),
	dark = { ...light, ...colours(read('dark.css')) };

function luminance(hex) {
	const digits = hex.length === 4 ? [...hex.slice(1)].map((d) => d + d) : hex.slice(1).match(/../g);
	const [r, g, b] = digits
		.map((d) => parseInt(d, 16) / 255)
		.map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));

	return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(a, b) {
	const [high, low] = [luminance(a), luminance(b)].sort((x, y) => y - x);

	return (high + 0.05) / (low + 0.05);
}

for (const [theme, c] of [
	['light', light],
	['dark', dark],
]) {
	test(`${theme}: text is readable`, () => {
		for (const [text, back] of [
			['text', 'back'],
			['text-soft', 'back'],
			['text-soft', 'back-2'],
			['text', 'warn-back'],
			['accent', 'back'],
			['accent', 'warn-back'],
			['on-accent', 'accent'],
			['on-running', 'running'],
		])
			assert.ok(contrast(c[text], c[back]) >= 4.5, `${text} on ${back}: ${contrast(c[text], c[back])}`);
		for (const name of Object.keys(c).filter((n) => /^(frame-|match|less|same|more)/.test(n)))
			assert.ok(contrast('#111', c[name]) >= 4.5, `#111 on ${name}`);
	});
	test(`${theme}: what is drawn stands off the background`, () => {
		for (const name of ['running', 'stolen', 'waiting', 'depth', 'latency', 'latency-max', 'loss'])
			assert.ok(contrast(c[name], c.back) >= 3, `${name}: ${contrast(c[name], c.back)}`);
	});
	test(`${theme}: what was stolen stands off what it lies on`, () => {
		assert.ok(contrast(c.stolen, c.idle) >= 2.5, `on idle: ${contrast(c.stolen, c.idle)}`);
	});
}

test('both themes have the same names', () => {
	const own = Object.keys(colours(read('dark.css')));

	assert.deepEqual(
		own.filter((name) => !(name in light)),
		[],
	);
});
