// SPDX-License-Identifier: GPL-2.0-or-later
// Pages of `export -f html` in a browser, for tests: opening one, reading its tables, and the report they are to equal.
'use strict';
const { execFileSync } = require('child_process');
const path = require('path');
const { withPage } = require('./browser');

// use(page, errors) on the page in file, of which nothing but itself may be asked for.
async function withSession(modules, file, use) {
	const name = `/${path.basename(file)}`;

	await withPage(modules, { [name]: file }, async (page, origin, errors) => {
		const requests = [];

		page.on('request', (request) => requests.push(request.url()));
		page.on('dialog', (dialog) => {
			errors.push(`dialog: ${dialog.message()}`);
			dialog.dismiss();
		});
		await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' });
		await page.setViewportSize({ width: 1280, height: 900 });
		await page.addInitScript(() => {
			Object.defineProperty(navigator, 'clipboard', {
				value: {
					writeText: (text) => {
						window.copied = text;
						return Promise.resolve();
					},
				},
			});
			document.addEventListener('securitypolicyviolation', (event) =>
				console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`),
			);
		});
		await page.goto(`${origin}${name}`);
		await ready(page);
		await use(page, errors, requests);
	});
}

async function ready(page) {
	await page.waitForSelector('html[data-ready]', { timeout: 60000 });
	await settled(page);
}

// Views are drawn in the frame after a change.
function settled(page) {
	return page.evaluate(
		() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done)))),
	);
}

function parseCsv(text) {
	const rows = [[]];

	for (const [, quoted, plain, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/g)) {
		rows.at(-1).push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
		if (end !== ',') rows.push([]);
	}
	const [header, ...values] = rows.slice(0, -1);

	return values.map((row) => Object.fromEntries(header.map((key, i) => [key, row[i]])));
}

// All rows of the i-th table in a part of the page, as its button copies them.
async function tableOf(page, selector, i = 0) {
	const text = await page.evaluate(
		async ([where, place]) => {
			window.copied = null;
			[...document.querySelectorAll(`${where} .table-box`)][place]
				.querySelector('.table-foot button')
				.click();
			await new Promise((done) => setTimeout(done));
			return window.copied;
		},
		[selector, i],
	);

	return parseCsv(text);
}

// Opens whatever can be opened.
async function unveil(page) {
	await page.evaluate(() =>
		document.querySelectorAll('details').forEach((details) => {
			details.open = true;
		}),
	);
	await settled(page);
}

// The table behind a chart, opened if need be.
async function behind(page, id) {
	await page.evaluate((box) => {
		document.querySelector(`#${box} details`).open = true;
	}, id);
	await settled(page);
	return tableOf(page, `#${id}`);
}

function reportOf(tool, session, ...options) {
	const sections = ['steal', 'disk', 'runq', 'cpu', 'chord'].flatMap((section) => ['--section', section]);

	return JSON.parse(
		execFileSync(tool, ['report', '-q', '--json', ...sections, ...options, session], { maxBuffer: 1 << 28 }),
	);
}

const pick = async (page, box, value) => {
	await page.check(`#${box} input[value="${value}"]`, { force: true });
	await settled(page);
};

async function selectTime(page, fromS, toS) {
	await page.fill('#selection-from', String(fromS));
	await page.press('#selection-from', 'Tab'); // both are shown anew after that
	await settled(page);
	await page.fill('#selection-to', String(toS));
	await page.press('#selection-to', 'Enter');
	await settled(page);
}

module.exports = { withSession, ready, settled, unveil, parseCsv, tableOf, behind, reportOf, pick, selectTime };
