// SPDX-License-Identifier: GPL-2.0-or-later
// page_open.js MODULES PAGE: ms from asking for the page until everything in it is drawn (html[data-ready]), in a fresh Chromium, and ms of CPU of the page's
// main thread in that time. Without a script in the page, until it is loaded.
'use strict';
const fs = require('fs');
const path = require('path');

async function main(modules, page) {
	const { chromium } = require(path.join(modules, 'playwright-core'));
	const browser = await chromium.launch({
		executablePath: process.env.CHROMIUM || '/usr/bin/chromium', headless: true, args: ['--no-sandbox', '--disable-gpu'],
	});

	try {
		const tab = await browser.newPage({ viewport: { width: 1280, height: 900 } });
		const devtools = await tab.context().newCDPSession(tab);
		const has_script = fs.readFileSync(page, 'utf8').includes('dataset.ready');

		await devtools.send('Performance.enable', { timeDomain: 'threadTicks' });
		const began = process.hrtime.bigint();
		await tab.goto(`file://${path.resolve(page)}`, { timeout: 120000 });
		if (has_script)
			await tab.waitForSelector('html[data-ready]', { state: 'attached', timeout: 120000 });
		const wall_ms = Number(process.hrtime.bigint() - began) / 1e6;
		const { metrics } = await devtools.send('Performance.getMetrics');
		const cpu_s = metrics.find((m) => m.name === 'ThreadTime').value;

		console.log(wall_ms.toFixed(0), (cpu_s * 1000).toFixed(0));
	} finally {
		await browser.close();
	}
}

main(process.argv[2], process.argv[3]).catch((error) => {
	console.error(String(error));
	process.exit(1);
});
