// SPDX-License-Identifier: GPL-2.0-or-later
// Whatever names a session holds, the page shows them as text and runs nothing; it asks for nothing; and it can be read by anybody: axe-core
// finds nothing serious, in both themes, wide and narrow.
//
//   page_safe.js NODE_MODULES PAGE HOSTILE_PAGE EMPTY_PAGE
'use strict';
const fs = require('fs');
const path = require('path');
const { check, run } = require('./browser');
const { withSession, ready, settled, behind, pick, unveil } = require('./page_lib');

const [modules, file, hostile, empty] = process.argv.slice(2);
const axe = fs.readFileSync(path.join(modules, 'axe-core/axe.min.js'), 'utf8');

async function accessible(page, name) {
	// the policy would not let a script element in
	await page.evaluate(axe);
	const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }));
	const serious = violations.filter((v) => ['serious', 'critical'].includes(v.impact));

	check(
		`axe-core finds nothing serious: ${name}`,
		!serious.length,
		serious
			.map((v) => `${v.id} (${v.nodes.length}): ${v.nodes[0].target} ${v.nodes[0].failureSummary}`)
			.join('; '),
	);
	const lesser = violations.filter((v) => !serious.includes(v));
	if (lesser.length)
		console.log(`# axe-core, lesser, ${name}: ${lesser.map((v) => `${v.id} (${v.nodes.length})`).join(', ')}`);
}

async function fits(page, name) {
	const { width, inside } = await page.evaluate(() => ({
		width: document.documentElement.scrollWidth,
		inside: document.documentElement.clientWidth,
	}));

	check(`nothing is wider than the window: ${name}`, width <= inside, `${width} of ${inside}`);
}

run(async () => {
	await withSession(modules, file, async (page, errors, requests) => {
		for (const [theme, width] of [
			['light', 1280],
			['light', 400],
			['dark', 1280],
			['dark', 400],
		]) {
			const name = `${theme}, ${width} pixels`;

			await page.emulateMedia({ colorScheme: theme });
			await page.setViewportSize({ width, height: 900 });
			requests.length = 0;
			await page.reload();
			await ready(page);
			await fits(page, name);
			await unveil(page);
			await fits(page, `${name}, all opened`);
			// each theme and each width once: it takes long
			if ((theme === 'dark') === (width === 400)) {
				await pick(page, 'stacks-controls', theme === 'dark' ? 'sunburst' : 'flame');
				await accessible(page, name);
			}
			check(
				`nothing is asked for: ${name}`,
				requests.filter((url) => !url.startsWith('data:')).length === 1,
				requests.join(),
			);
			check(`nothing to complain about: ${name}`, !errors.length, errors.join('; '));
		}
		const refused = await page.evaluate(async () => {
			const image = new Promise((done) => {
				const i = new Image();
				i.onload = () => done(false);
				i.onerror = () => done(true);
				i.src = '/x.png';
			});
			const script = document.createElement('script');
			script.textContent = 'window.ran = true';
			document.body.append(script);
			return {
				fetch: await fetch('/x').then(
					() => false,
					() => true,
				),
				image: await image,
				inline: !window.ran,
			};
		});
		check(
			'the policy forbids requests and scripts',
			refused.fetch && refused.image && refused.inline,
			JSON.stringify(refused),
		);
		await page.selectOption('#theme', 'dark');
		await settled(page);
		check(
			'the theme is chosen by hand',
			(await page.evaluate(() => getComputedStyle(document.body).backgroundColor)) === 'rgb(20, 23, 27)',
			'not dark',
		);
	});
	await withSession(modules, hostile, async (page, errors) => {
		// elements of HTML that the page itself has not, or has once; titles in pictures are of SVG
		const strangers = () =>
			page.evaluate(() =>
				[...document.querySelectorAll('img, b, [onload], [onclick], [onerror], title, script')]
					.filter((node) => node.namespaceURI.endsWith('xhtml') || node.localName !== 'title')
					.map((node) => node.localName)
					.sort()
					.join(),
			);
		const before = await strangers();

		for (const cause of ['steal', 'runq', 'disk', 'cpu']) {
			for (const group of ['task', 'cgroup', 'stack']) {
				await pick(page, 'stacks-controls', cause);
				await pick(page, 'stacks-controls', group);
			}
		}
		await pick(page, 'stacks-controls', 'sunburst');
		await pick(page, 'chord-controls', 'cgroup');
		await unveil(page);
		await page.fill('#stacks-controls input[type=search]', '<script>alert(4)');
		await settled(page);
		check(
			'hostile names are found as text',
			(await page.textContent('#stacks-found')).startsWith('1 frame'),
			await page.textContent('#stacks-found'),
		);
		const functions = (await behind(page, 'stacks-table')).map((row) => row.name);
		check(
			'functions',
			functions.includes('<script>alert(4)</script>') && functions.includes('<svg onload=alert(5)>'),
			functions.join(),
		);
		const text = await page.evaluate(() => document.body.innerText);
		for (const name of [
			'<img src=x onerror=alert(1)>',
			'<script>alert(7)</script>',
			'<i onload=a()>',
			'</script><b>',
			'<b onclick=alert(8)>',
		])
			check(`is shown as it is: ${name}`, text.includes(name), 'it is not there');
		check(
			'nothing of them became an element',
			before === 'script,title' && (await strangers()) === before,
			`${before}, then ${await strangers()}`,
		);
		check('hostile: nothing ran, nothing to complain about', !errors.length, errors.join('; '));
	});
	await withSession(modules, empty, async (page, errors) => {
		for (const id of ['timeline', 'stacks', 'heat', 'phase', 'chord'])
			check(
				`an empty ${id} says why`,
				(await page.textContent(`#${id}-empty`)).includes('counters only'),
				await page.textContent(`#${id}-empty`),
			);
		await accessible(page, 'an empty page');
		check('empty: nothing to complain about', !errors.length, errors.join('; '));
	});
});
