// SPDX-License-Identifier: GPL-2.0-or-later
// Opens text in speedscope's own app and looks whether it shows the tasks and functions that are in it.
//
//   node speedscope.js MODULES FILE PROFILE NAME...   MODULES: node_modules; PROFILE: a task's name as speedscope shows it, with all of NAME
//                                                     among its functions
'use strict';
const fs = require('fs');
const path = require('path');
const { withPage, check, run } = require('./browser.js');

const [modules, file, profile, ...names] = process.argv.slice(2);

run(() => withPage(modules, { '/app/': path.join(modules, 'speedscope/dist/release') }, async (page, origin, errors) => {
	const what = path.basename(file);

	await page.goto(`${origin}/app/index.html`);
	await page.setInputFiles('input[type=file]', file);
	await page.getByText('Sandwich').waitFor({ timeout: 30000 });
	// all tasks are in one list
	const title = await page.title();
	await page.keyboard.press('t');
	await page.waitForTimeout(500);
	const listed = await page.evaluate(() => document.body.innerText);
	check(`${what}: speedscope lists ${profile}`, listed.includes(profile) || title.includes(profile), `it shows ${listed.slice(0, 300)}`);
	const entry = page.getByText(profile, { exact: false }).first();
	if (await entry.count())
		await entry.click();
	await page.getByText('Sandwich').click();
	await page.waitForTimeout(500);
	const shown = await page.evaluate(() => document.body.innerText);
	for (const name of names)
		check(`${what}: speedscope shows ${name}`, shown.includes(name), `it shows ${shown.slice(0, 400)}`);
	check(`${what}: speedscope has nothing to complain about`, !errors.length, errors.join('; '));
	if (process.env.SCREENSHOT)
		fs.writeFileSync(process.env.SCREENSHOT, await page.screenshot());
}));
