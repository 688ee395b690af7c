// SPDX-License-Identifier: GPL-2.0-or-later
// Opens files in speedscope's own app and looks whether it shows the profiles and functions that are in them.
//
//   node speedscope.js MODULES FILE PROFILE NAME... [-- FILE PROFILE NAME...]...
//
// MODULES: node_modules; PROFILE: as speedscope lists it (a task's name, a cause, or what the file is called), with all of NAME in its
// table of functions and their times.
'use strict';
const fs = require('fs');
const path = require('path');
const { withPage, check, run } = require('./browser.js');

const [modules, ...rest] = process.argv.slice(2);
const groups = [[]];
for (const word of rest) {
	if (word === '--')
		groups.push([]);
	else
		groups[groups.length - 1].push(word);
}

async function open(page, origin, file) {
	await page.goto(`${origin}/app/index.html`);
	await page.setInputFiles('input[type=file]', file);
	await page.getByText('Sandwich').click({ timeout: 30000 });
}

// A file of one profile is called after it.
async function choose(page, what, profile) {
	const title = await page.title();
	let listed = '';

	if (!title.includes(profile)) {
		await page.keyboard.press('t');
		await page.locator('input[type=text]').fill(profile, { timeout: 5000 }); // shows those with these letters
		await page.waitForTimeout(500);
		listed = await page.evaluate(() => document.body.innerText);
		await page.keyboard.press('Enter');
	}
	check(`${what}: speedscope lists ${profile}`, title.includes(profile) || listed.includes(profile), `it lists ${listed.slice(0, 300)}`);
}

run(() => withPage(modules, { '/app/': path.join(modules, 'speedscope/dist/release') }, async (page, origin, errors) => {
	let opened;

	for (const [file, profile, ...names] of groups) {
		const what = path.basename(file);

		errors.length = 0;
		if (file !== opened)
			await open(page, origin, file);
		opened = file;
		await choose(page, what, profile);
		await page.waitForTimeout(500);
		const shown = await page.evaluate(() => document.body.innerText);
		for (const name of names)
			check(`${what}: speedscope shows ${name}`, shown.includes(name), `it shows ${shown.slice(0, 400)}`);
		check(`${what}: speedscope has nothing to complain about`, !errors.length, errors.join('; '));
		if (process.env.SCREENSHOT)
			fs.writeFileSync(process.env.SCREENSHOT, await page.screenshot());
	}
}));
