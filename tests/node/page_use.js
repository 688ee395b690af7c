// SPDX-License-Identifier: GPL-2.0-or-later
// The page is operated by mouse, wheel, touch and keys, and every view draws.
//
//   page_use.js NODE_MODULES PAGE COMPARED_PAGE WIDE_PAGE      of a session with steal, two disks, and stacks (made_busy); with a baseline; of 64 CPUs
'use strict';
const { check, run } = require('./browser');
const { withSession, settled, behind, pick, parseCsv, tableOf } = require('./page_lib');

const [modules, file, compared, wide] = process.argv.slice(2);

const LENGTH_S = 9,
	BASELINE_S = 3; // of the sessions that page.t makes

const view = async (page) =>
	(await page.textContent('#timeline-resolution'))
		.match(/Shown: ([\d.]+) s to ([\d.]+) s/)
		.slice(1)
		.map(Number);
const selected = async (page) =>
	(await page.isDisabled('#selection-clear'))
		? null
		: [Number(await page.inputValue('#selection-from')), Number(await page.inputValue('#selection-to'))];
// What a screen reader says next, once it is something else than before.
async function said(page, act) {
	await page.evaluate(() => {
		document.getElementById('status').textContent = '';
	});
	await act();
	await page.waitForFunction(() => document.getElementById('status').textContent, null, { timeout: 5000 });
	return page.textContent('#status');
}
const nrFrames = (page) => page.locator('#flame g.frame').count();

// How many pixels of a canvas have another colour than the most frequent one.
const drawn = (page, id) =>
	page.evaluate((canvas) => {
		const { width, height } = document.getElementById(canvas),
			counts = new Map();
		const { data } = document.getElementById(canvas).getContext('2d').getImageData(0, 0, width, height);

		for (let i = 0; i < data.length; i += 4) {
			const colour = (data[i] << 24) | (data[i + 1] << 16) | (data[i + 2] << 8) | data[i + 3];

			counts.set(colour, (counts.get(colour) ?? 0) + 1);
		}
		return data.length / 4 - Math.max(...counts.values());
	}, id);

async function pointOf(page, id, part) {
	await page.locator(`#${id}`).scrollIntoViewIfNeeded();
	const box = await page.locator(`#${id}`).boundingBox();

	return { x: box.x + 108 + (box.width - 108) * part, y: box.y + Math.min(60, box.height / 2) };
}

async function everyViewDraws(page) {
	for (const id of ['timeline-canvas', 'heat-canvas', 'phase-canvas'])
		check(`${id} is drawn`, (await drawn(page, id)) > 1000, 'it is empty');
	check('the flame graph is drawn', (await nrFrames(page)) > 20, `${await nrFrames(page)} frames`);
	await pick(page, 'stacks-controls', 'sunburst');
	check('the sunburst is drawn', (await page.locator('#sunburst path').count()) > 20, 'no rings');
	check('the flame graph is not', !(await page.isVisible('#flame')), 'both are there');
	await pick(page, 'stacks-controls', 'flame');
	for (const relation of ['occupants', 'preempters', 'wakers']) {
		await pick(page, 'chord-controls', relation);
		check(
			`the chord diagram of ${relation} is drawn`,
			(await page.locator('#chord-chart .ribbons path').count()) > 10,
			'no bands',
		);
	}
	await pick(page, 'chord-controls', 'cgroup');
	check(
		'by cgroup it has their names',
		(await page.textContent('#chord-legend')).includes('postgresql'),
		await page.textContent('#chord-legend'),
	);
	for (const option of await page
		.locator('#heat-controls option')
		.evaluateAll((options) => options.map((o) => o.value))) {
		await page.selectOption('#heat-controls select', option);
		await settled(page);
		check(`the heat map ${option} is drawn`, (await drawn(page, 'heat-canvas')) > 100, 'it is empty');
	}
}

async function timelineByMouse(page) {
	const whole = await view(page),
		a = await pointOf(page, 'timeline-canvas', 0.25),
		b = await pointOf(page, 'timeline-canvas', 0.5);

	await page.mouse.move(a.x, a.y);
	await page.mouse.down();
	await page.mouse.move(b.x, b.y, { steps: 5 });
	await page.keyboard.press('Escape');
	await page.mouse.move(b.x + 50, b.y);
	await page.mouse.up();
	await settled(page);
	check('Escape while dragging selects nothing', (await selected(page)) === null, String(await selected(page)));

	await page.mouse.move(a.x, a.y);
	await page.mouse.down();
	await page.mouse.move(b.x, b.y, { steps: 5 });
	await page.mouse.up();
	await settled(page);
	const [from, to] = (await selected(page)) ?? [];
	check(
		'dragging selects',
		Math.abs(from - (whole[0] + (whole[1] - whole[0]) / 4)) < 0.2 &&
			Math.abs(to - (whole[0] + whole[1]) / 2) < 0.2,
		`${from} to ${to}`,
	);

	await page.click('#selection-zoom');
	await settled(page);
	const zoomed = await view(page);
	check(
		'zooming to the selection shows it',
		Math.abs(zoomed[0] - from) < 0.05 && Math.abs(zoomed[1] - to) < 0.05,
		zoomed.join(' to '),
	);

	const middle = await pointOf(page, 'timeline-canvas', 0.5);
	await page.mouse.move(middle.x, middle.y);
	await page.keyboard.down('Control');
	await page.mouse.wheel(0, -400);
	await page.keyboard.up('Control');
	await settled(page);
	const wheeled = await view(page);
	check(
		'the wheel zooms in where the mouse is',
		wheeled[1] - wheeled[0] < (zoomed[1] - zoomed[0]) * 0.7 &&
			Math.abs(wheeled[0] + wheeled[1] - zoomed[0] - zoomed[1]) < 0.2,
		wheeled.join(' to '),
	);

	await page.keyboard.down('Shift');
	await page.mouse.down();
	await page.mouse.move(middle.x + 200, middle.y, { steps: 4 });
	await page.mouse.up();
	await page.keyboard.up('Shift');
	await settled(page);
	const moved = await view(page);
	check(
		'Shift and dragging moves',
		moved[0] < wheeled[0] - 0.01 && Math.abs(moved[1] - moved[0] - wheeled[1] + wheeled[0]) < 0.01,
		moved.join(' to '),
	);
	await page.mouse.move(middle.x + 20, middle.y);
	check(
		'pointing reads the numbers',
		/CPU 0 .*running [\d.]+ %.*run-queue length/.test(await page.textContent('#timeline-readout')),
		await page.textContent('#timeline-readout'),
	);

	for (let i = 0; i < 4; i++) await page.click('#timeline-controls button[title="Zoom in"]');
	await settled(page);
	check(
		'far in there are single slices',
		(await page.textContent('#timeline-resolution')).includes('Single slices'),
		await page.textContent('#timeline-resolution'),
	);
	check('and they are drawn', (await drawn(page, 'timeline-canvas')) > 1000, 'it is empty');
	await page.mouse.move(middle.x + 21, middle.y);
	check(
		'which are told exactly',
		/CPU 0 · \S.*, for [\d.]+(ns|us|ms|s)( · |, stolen)/.test(await page.textContent('#timeline-readout')),
		await page.textContent('#timeline-readout'),
	);
	await page.mouse.move(middle.x + 21, middle.y + 110); // vda's
	check(
		'as are requests',
		/^[\d.]+ s · vd[ab] · (no request under way|\d+ requests? under way, the longest: (read|write|flush|discard) of \S+, \S+ of it in the queue, for \S)/.test(
			await page.textContent('#timeline-readout'),
		),
		await page.textContent('#timeline-readout'),
	);
	await page.click('#selection-clear');
	await page.click('#timeline-controls button[title="All of it"]');
	await settled(page);
	check(
		'and back to everything',
		(await selected(page)) === null && (await view(page)).join() === whole.join(),
		(await view(page)).join(' to '),
	);
}

async function timelineByKeys(page) {
	const whole = await view(page),
		press = async (...keys) => {
			for (const key of keys) await page.keyboard.press(key);
			await settled(page);
		};

	await page.focus('#timeline-canvas');
	const words = await said(page, () => press('+', '+', '+'));
	check(
		'and a screen reader hears what is shown',
		/^Shown: [\d.]+ s to [\d.]+ s\. 2 CPUs: running [\d.]+ %, stolen [\d.]+ %, idle .* tasks waiting\. vda: queue/.test(words),
		words,
	);
	const zoomed = await view(page);
	check('+ zooms in', zoomed[1] - zoomed[0] < (whole[1] - whole[0]) / 4, zoomed.join(' to '));
	await press('ArrowRight');
	check('→ moves', (await view(page))[0] > zoomed[0], (await view(page)).join(' to '));
	await press('Home');
	check('Home goes to the beginning', (await view(page))[0] === whole[0], (await view(page)).join(' to '));
	await press('Enter');
	const first = await selected(page);
	check(
		'Enter selects what is shown',
		first && Math.abs(first[1] - (await view(page))[1]) < 0.05,
		String(first),
	);
	const more = await said(page, () => press('Shift+ArrowRight'));
	check('Shift → selects more', (await selected(page))[1] > first[1], String(await selected(page)));
	check(
		'and what is in it is said',
		/^Selected [\d.]+ s to [\d.]+ s: stolen .*, run queue .*, disk .*, on cpu /.test(more),
		more,
	);
	await press('Shift+ArrowLeft', 'Shift+ArrowLeft');
	check('Shift ← selects less', (await selected(page))[1] < first[1], String(await selected(page)));
	await press('Escape', 'Shift+ArrowLeft');
	const [begin, end] = (await selected(page)) ?? [],
		[from, to] = await view(page);
	check(
		'without a selection it begins in the middle',
		begin < end && Math.abs(end - (from + to) / 2) < 0.02,
		`${begin} to ${end} of ${from} to ${to}`,
	);
	await press('Escape', '0');
	check(
		'Escape and 0 undo it',
		(await selected(page)) === null && (await view(page)).join() === whole.join(),
		String(await selected(page)),
	);
}

async function timelineByTouch(page) {
	const whole = await view(page),
		client = await page.context().newCDPSession(page),
		{ x, y } = await pointOf(page, 'timeline-canvas', 0.5);
	const touch = (type, ...points) =>
		client.send('Input.dispatchTouchEvent', {
			type,
			touchPoints: points.map(([px, py], id) => ({ x: px, y: py, id })),
		});

	await touch('touchStart', [x - 40, y], [x + 40, y]);
	for (let i = 1; i <= 5; i++) await touch('touchMove', [x - 40 - 20 * i, y], [x + 40 + 20 * i, y]);
	await touch('touchEnd');
	await settled(page);
	const [from, to] = await view(page);
	check('two fingers zoom', to - from < (whole[1] - whole[0]) * 0.6, `${from} to ${to}`);
	await page.click('#timeline-controls button[title="All of it"]');

	await page.evaluate(() => {
		document.getElementById('timeline-readout').textContent = '';
	});
	await touch('touchStart', [x, y]);
	await touch('touchEnd');
	check(
		'a tap reads the numbers',
		(await page.textContent('#timeline-readout')).includes('run-queue length'),
		await page.textContent('#timeline-readout'),
	);
	await touch('touchStart', [x - 100, y]);
	await touch('touchMove', [x, y]);
	await touch('touchCancel');
	await settled(page);
	check('a touch that scrolls the page selects nothing', (await selected(page)) === null, String(await selected(page)));

	await touch('touchStart', [x - 100, y]);
	for (let i = 1; i <= 5; i++) await touch('touchMove', [x - 100 + 40 * i, y]);
	await touch('touchEnd');
	await settled(page);
	const [first, last] = (await selected(page)) ?? [];
	check(
		'one finger selects',
		Math.abs((first + last) / 2 - (whole[0] + whole[1]) / 2) < 0.1 && last - first > 1,
		`${first} to ${last}`,
	);
	await page.click('#selection-clear');
	await settled(page);
}

async function stacks(page) {
	await pick(page, 'stacks-controls', 'cpu');
	await page.fill('#stacks-controls input[type=search]', 'SCHEDULE');
	await settled(page);
	check(
		'search counts what it finds',
		/^\d+ frames? found: .*%/.test(await page.textContent('#stacks-found')),
		await page.textContent('#stacks-found'),
	);
	const match = await page.evaluate(() =>
		getComputedStyle(document.documentElement).getPropertyValue('--match').trim(),
	);
	check('and marks it', (await page.locator(`#flame rect[fill="${match}"]`).count()) > 0, 'nothing is marked');
	await page.fill('#stacks-controls input[type=search]', '');

	await page.locator('#flame g.frame', { hasText: 'main' }).first().click();
	await settled(page);
	check(
		'a click zooms',
		(await page.textContent('#stacks-crumbs')) === 'allmain',
		await page.textContent('#stacks-crumbs'),
	);
	await pick(page, 'stacks-controls', 'sunburst');
	check(
		'the sunburst is zoomed to the same',
		(await page.textContent('#sunburst .sunburst-middle')).includes('up'),
		await page.textContent('#sunburst .sunburst-middle'),
	);
	await page.locator('#stacks-crumbs button').first().click();
	await settled(page);
	check(
		'the breadcrumb leads back',
		(await page.textContent('#stacks-crumbs')) === 'all',
		await page.textContent('#stacks-crumbs'),
	);
	await pick(page, 'stacks-controls', 'flame');

	await page.focus('#stacks-chart');
	await page.keyboard.press('ArrowDown');
	const first = await page.textContent('#stacks-readout');
	check('↓ goes to the widest frame, and reads it', /^\S.*: .*% of on cpu time/.test(first), first);
	await page.keyboard.press('Enter');
	await settled(page);
	check(
		'Enter zooms',
		(await page.locator('#stacks-crumbs li').count()) === 2,
		await page.textContent('#stacks-crumbs'),
	);
	await page.keyboard.press('Backspace');
	await settled(page);
	check(
		'Backspace zooms out',
		(await page.locator('#stacks-crumbs li').count()) === 1,
		await page.textContent('#stacks-crumbs'),
	);

	// deeper than there are rings, or too thin: the nearest one that is drawn is marked
	await pick(page, 'stacks-controls', 'sunburst');
	await page.focus('#stacks-chart');
	for (let i = 0; i < 9; i++) await page.keyboard.press('ArrowDown');
	check(
		'a frame that is not drawn is told of',
		(await page.textContent('#stacks-readout')).includes('Enter zooms in') &&
			(await page.locator('#sunburst path.current').count()) === 1,
		await page.textContent('#stacks-readout'),
	);
	await page.keyboard.press('Enter');
	await settled(page);
	check(
		'and Enter zooms there',
		(await page.locator('#stacks-crumbs li').count()) === 10,
		await page.textContent('#stacks-crumbs'),
	);
	await page.keyboard.press('Escape');
	await pick(page, 'stacks-controls', 'flame');

	// with the keys of radio buttons
	await page.focus('#stacks-controls input[value="cpu"]');
	await page.keyboard.press('ArrowLeft');
	await settled(page);
	check(
		'causes are switched by keys',
		await page.isChecked('#stacks-controls input[value="disk"]'),
		'disk is not chosen',
	);
	await pick(page, 'stacks-controls', 'task');
	check('by task, tasks come first', (await page.textContent('#flame')).includes('postgres'), 'no task');
}

async function chordByKeys(page) {
	await pick(page, 'chord-controls', 'occupants');
	await pick(page, 'chord-controls', 'task');
	await page.focus('#chord-chart');
	const party = await said(page, () => page.keyboard.press('ArrowRight'));
	check('→ goes to a party, and says its time', /had the CPU for .* of others' waiting/.test(party), party);
	const nrShown = () => page.locator('#chord-chart .ribbons path:not(.faded)').count();
	const ofParty = await nrShown();
	const band = await said(page, () => page.keyboard.press('ArrowDown'));
	check('↓ goes to its widest band', /^.* → .*: .*, [\d.]+ %$/.test(band), band);
	check('which alone is shown', ofParty > 1 && (await nrShown()) === 1, `${ofParty}, then ${await nrShown()}`);
	await page.keyboard.press('Escape');
	check('Escape shows them all', (await nrShown()) > ofParty, `${await nrShown()} of ${ofParty}`);
}

async function selectionFilters(page) {
	await pick(page, 'stacks-controls', 'cpu');
	const before = {
		stacks: await behind(page, 'stacks-table'),
		chord: await behind(page, 'chord-table'),
		heat: await page.textContent('#heat-summary'),
	};

	// one after the other, before anything is drawn
	await page.evaluate(() => {
		const type = (id, value, ...events) => {
			document.getElementById(id).value = value;
			for (const name of events) document.getElementById(id).dispatchEvent(new Event(name));
		};

		type('selection-from', '1', 'input', 'change');
		type('selection-to', '2', 'input');
	});
	await settled(page);
	check(
		'what is being typed stays',
		(await page.inputValue('#selection-to')) === '2',
		await page.inputValue('#selection-to'),
	);
	await page.evaluate(() => document.getElementById('selection-to').dispatchEvent(new Event('change')));
	await settled(page);
	check(
		'a selection filters the tables',
		(await page.textContent('#tables-selection')).includes('in the selection'),
		'it does not say so',
	);
	const sumOf = (rows) => rows.reduce((sum, row) => sum + Number(row.self_ns), 0);
	check(
		'and the stacks',
		Math.abs(sumOf(await behind(page, 'stacks-table')) / sumOf(before.stacks) - 1 / LENGTH_S) < 0.03,
		`${sumOf(await behind(page, 'stacks-table'))} of ${sumOf(before.stacks)}`,
	);
	check(
		'and the chord diagram',
		(await behind(page, 'chord-table')).length < before.chord.length,
		'as many pairs as before',
	);
	check('and the heat map', (await page.textContent('#heat-summary')) !== before.heat, 'the same summary');
	await pick(page, 'stacks-controls', 'steal');
	check(
		'where nothing was stolen it says so',
		(await page.textContent('#stacks-empty')).includes('in the selected time'),
		await page.textContent('#stacks-empty'),
	);
	const sortedBy = () =>
		page.locator('#tables-selection .table-box').nth(2).locator('th[aria-sort] button').getAttribute('title');
	await page.click('#tables-selection .table-box:nth-child(3) th button[title=disk_ns]');
	await page.click('#selection-clear');
	await settled(page);
	check('a table stays sorted when the selection changes', (await sortedBy()) === 'disk_ns', await sortedBy());
}

async function findingsAndTables(page) {
	const links = page.locator('#findings-list a');

	check('there are findings', (await links.count()) > 0, 'none');
	for (let i = 0; i < (await links.count()); i++) {
		const id = (await links.nth(i).getAttribute('href')).slice(1);

		await links.nth(i).click();
		await settled(page);
		const top = await page.evaluate(
			(target) => document.getElementById(target).getBoundingClientRect().top,
			id,
		);
		check(`finding ${i + 1} leads to its evidence`, top >= -5 && top < 600, `${id} is at ${top}`);
	}
	check(
		'the disk finding has chosen its disk',
		(await page.inputValue('#heat-controls select')).startsWith('read-'),
		await page.inputValue('#heat-controls select'),
	);

	const header = page.locator('#tables-selection .table-box').nth(2).locator('th button').nth(1);
	await header.focus();
	await page.keyboard.press('Enter');
	const [column, rows] = [
		await page
			.locator('#tables-selection .table-box')
			.nth(2)
			.locator('th[aria-sort]')
			.getAttribute('aria-sort'),
		(await tableOf(page, '#tables-selection', 2)).map((row) => Number(row.steal_ns)),
	];
	check(
		'a column is sorted by key',
		column === 'descending' && rows.every((ns, i) => !i || rows[i - 1] >= ns),
		rows.slice(0, 4).join(),
	);
	await page.keyboard.press('Enter');
	const up = (await tableOf(page, '#tables-selection', 2)).map((row) => Number(row.steal_ns));
	check(
		'and the other way',
		up.every((ns, i) => !i || up[i - 1] <= ns),
		up.slice(0, 4).join(),
	);
	const toggle = page.locator('#report-runq [data-toggle=details]').first();
	await page.evaluate(() => {
		location.hash = '#report-runq';
	});
	await toggle.waitFor({ timeout: 5000 }); // the address opens the part that it names
	await toggle.focus();
	await page.keyboard.press('Enter');
	check(
		'who shows all columns stays there',
		(await page.evaluate(() => document.activeElement.textContent)) === 'Fewer columns',
		await page.evaluate(() => document.activeElement.outerHTML),
	);
	check(
		'what was copied is CSV',
		parseCsv(await page.evaluate(() => window.copied)).length === up.length,
		'other rows',
	);
}

async function onPaper(page) {
	const look = (media) =>
		page.emulateMedia(media).then(() =>
			page.evaluate(() => {
				const of = (selector) => getComputedStyle(document.querySelector(selector));

				return {
					back: of('body').backgroundColor,
					text: of('body').color,
					rows: of('.table-scroll').overflow,
					swatch: of('#timeline-legend .swatch').backgroundColor,
				};
			}),
		);
	const [screen, forced, paper] = [
		await look({ colorScheme: 'dark' }),
		await look({ colorScheme: 'light', forcedColors: 'active' }),
		await look({ colorScheme: 'dark', forcedColors: 'none', media: 'print' }),
	];

	check('the screen may be dark', screen.back !== 'rgb(255, 255, 255)', screen.back);
	check(
		'paper is white, and tables on it are whole',
		paper.back === 'rgb(255, 255, 255)' && paper.text !== screen.text && paper.rows === 'visible',
		JSON.stringify(paper),
	);
	check('legends keep their colours where others are forced', forced.swatch === paper.swatch, JSON.stringify(forced));
	await page.emulateMedia({ media: null, colorScheme: null, forcedColors: null });
}

async function baseline(page) {
	await pick(page, 'stacks-controls', 'cpu');
	const functions = await behind(page, 'stacks-table');
	const fills = new Set(
		await page.locator('#flame rect').evaluateAll((rects) => rects.map((rect) => rect.getAttribute('fill'))),
	);

	check(
		'a baseline is told of',
		(await page.textContent('#facts')).includes('Baseline'),
		await page.textContent('#facts'),
	);
	check(
		'functions have its time',
		functions.some((row) => Number(row.base_ns) > 0),
		'none',
	);
	const first = functions.find((row) => Number(row.base_ns) > 0 && Number(row.total_ns) > 0);
	const change = Number(first.total_ns) / LENGTH_S - Number(first.base_ns) / BASELINE_S;
	check(
		'compared per second',
		Math.abs(Number(first.change_ns) - change) <= Math.abs(change) * 0.01 + 1,
		`${first.change_ns}, not ${change}`,
	);
	check(
		'and colours by difference',
		(await page.textContent('#stacks-legend')).includes('more') &&
			[...fills].every((fill) => fill.startsWith('color-mix')),
		[...fills].slice(0, 3).join(),
	);
	await pick(page, 'stacks-controls', 'no');
	check(
		'or by kind',
		!(await page.textContent('#stacks-legend')).includes('more'),
		await page.textContent('#stacks-legend'),
	);
}

async function manyCpus(page) {
	const box = page.locator('#timeline .chart'),
		height = await box.evaluate((node) => [node.clientHeight, node.scrollHeight, node.firstChild.clientHeight]);

	check(
		'64 CPUs are scrolled through, with a canvas no higher than its box',
		height[1] > 2 * height[0] && height[2] === height[0],
		height.join(),
	);
	const at = async () => {
		const { x, y } = await pointOf(page, 'timeline-canvas', 0.5);

		await page.mouse.move(x, y);
		await page.mouse.move(x + 1, y);
		return page.textContent('#timeline-readout');
	};
	check('they begin with their mean', (await at()).includes('Mean CPU'), await at());
	await box.evaluate((node) => node.scrollTo(0, node.scrollHeight));
	await settled(page);
	check('and end with the last', /CPU 4\d · running/.test(await at()), await at());
	await page.focus('#timeline-canvas');
	const seen = await view(page);
	await page.mouse.wheel(0, -200);
	await page.waitForTimeout(300);
	check(
		'the wheel scrolls them, also once they were clicked',
		(await view(page)).join() === seen.join() &&
			(await box.evaluate((node) => node.scrollTop + node.clientHeight < node.scrollHeight - 100)),
		`${await view(page)}`,
	);
	check('which are drawn', (await drawn(page, 'timeline-canvas')) > 1000, 'it is empty');
}

run(async () => {
	await withSession(modules, wide, async (page, errors) => {
		await manyCpus(page);
		check('wide: the page has nothing to complain about', !errors.length, errors.join('; '));
	});
	await withSession(modules, file, async (page, errors) => {
		await everyViewDraws(page);
		await timelineByMouse(page);
		await timelineByKeys(page);
		await timelineByTouch(page);
		await stacks(page);
		await chordByKeys(page);
		await selectionFilters(page);
		await findingsAndTables(page);
		await onPaper(page);
		check('use: the page has nothing to complain about', !errors.length, errors.join('; '));
	});
	await withSession(modules, compared, async (page, errors) => {
		await baseline(page);
		check('compared: the page has nothing to complain about', !errors.length, errors.join('; '));
	});
});
