// SPDX-License-Identifier: GPL-2.0-or-later
// A page in headless Chromium, served from folders on this machine and from nowhere else. For tests.
'use strict';
const fs = require('fs');
const http = require('http');
const os = require('os');
const path = require('path');

const types = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.json': 'application/json', '.txt': 'text/plain' };

// routes: { '/prefix/': folder or file }
function serve(routes) {
	const server = http.createServer((request, response) => {
		const url = decodeURIComponent(request.url.split('?')[0]);
		const prefix = Object.keys(routes).find((p) => url.startsWith(p));
		const file = prefix && (prefix.endsWith('/') ? path.join(routes[prefix], path.normalize('/' + url.slice(prefix.length))) : routes[prefix]);

		if (!file || !fs.existsSync(file) || fs.statSync(file).isDirectory()) {
			response.writeHead(404).end();
			return;
		}
		response.writeHead(200, { 'Content-Type': types[path.extname(file)] || 'application/octet-stream' });
		fs.createReadStream(file).pipe(response);
	});
	return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}

// Runs use(page, origin, errors), where errors collects what the page complains about, and ends everything it started.
async function withPage(modules, routes, use) {
	const { chromium } = require(path.join(modules, 'playwright-core'));
	const server = await serve(routes);
	const origin = `http://127.0.0.1:${server.address().port}`;
	const profile = fs.mkdtempSync(path.join(os.tmpdir(), 'timethief-chromium-'));
	const errors = [];
	let context;

	try {
		context = await chromium.launchPersistentContext(profile, {
			executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
			headless: true,
			args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--disable-sync',
				'--enable-unsafe-swiftshader'],
		});
		await context.route('**/*', (route) => {
			const url = route.request().url();
			if (url.startsWith(origin) || url.startsWith('blob:') || url.startsWith('data:'))
				return route.continue();
			errors.push(`asked for ${url}`);
			return route.abort();
		});
		const page = await context.newPage();
		await page.setViewportSize({ width: 1280, height: 4000 }); // lists draw what is in sight only
		page.on('pageerror', (error) => errors.push(String(error)));
		page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
		await use(page, origin, errors);
	} finally {
		if (context)
			await context.close();
		server.close();
		fs.rmSync(profile, { recursive: true, force: true });
	}
}

// "ok NAME" or "not ok NAME - WHY", as the tests in shell say it.
let nrBad = 0;
function check(name, good, why) {
	const text = good ? `ok ${name}` : `not ok ${name} - ${why}`;

	nrBad += good ? 0 : 1;
	console.log(text.replace(/[\n\r]+/g, ' '));
}

function run(main) {
	main().then(() => process.exit(nrBad ? 1 : 0), (error) => {
		check('the browser', false, error.stack || error);
		process.exit(1);
	});
}

module.exports = { withPage, check, run };
