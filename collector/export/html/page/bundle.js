// SPDX-License-Identifier: GPL-2.0-or-later
// bundle - makes the one file of the page: node bundle.js NODE_MODULES OUT, with what npm ci made of the lock file.
//
// Script and style go in as they are, allowed by their hashes in the page's own policy, which allows nothing else. LICENCES.txt tells
// the licence of each package of which something is in the script; when it does not fit what is bundled, this fails.
// node bundle.js NODE_MODULES --licences writes it anew.
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const MARK = 'TIMETHIEF_DATA';
const here = path.dirname(fileURLToPath(import.meta.url));
const read = (name) => fs.readFileSync(path.join(here, name), 'utf8');

const [modulesArgument, out] = process.argv.slice(2);
if (!out) throw new Error('usage: node bundle.js NODE_MODULES OUT | NODE_MODULES --licences');
const modules = path.resolve(modulesArgument);
const { build, transform } = createRequire(`${modules}/`)('esbuild');

async function bundle() {
	const result = await build({
		absWorkingDir: here,
		entryPoints: ['main.js'],
		bundle: true,
		nodePaths: [modules],
		minify: true,
		format: 'iife',
		target: ['es2022'],
		charset: 'ascii',
		legalComments: 'none',
		loader: { '.css': 'empty' },
		metafile: true,
		write: false,
		logLevel: 'warning',
	});
	const [output] = Object.values(result.metafile.outputs);
	const used = Object.entries(output.inputs)
		.filter(([, input]) => input.bytesInOutput > 0)
		.map(([file]) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1]);

	return { script: result.outputFiles[0].text.trim(), packages: [...new Set(used.filter(Boolean))].sort() };
}

function licencesOf(packages) {
	const texts = packages.map((name) => {
		const folder = path.join(modules, name),
			{ version } = JSON.parse(fs.readFileSync(path.join(folder, 'package.json'), 'utf8'));
		const file = fs.readdirSync(folder).find((f) => /^licen[cs]e/i.test(f));

		if (!file) throw new Error(`${name} comes without a licence`);
		return `${name} ${version}\n\n${fs.readFileSync(path.join(folder, file), 'utf8').replaceAll('\r', '').trim()}\n`;
	});

	return [
		'The page is part of timethief, under the GNU General Public License, version 2 or later. In its script are parts of these packages:\n',
		...texts,
	].join(`\n${'-'.repeat(72)}\n\n`);
}

async function style() {
	const css = read('page.css').replaceAll('/* DARK */', read('dark.css'));

	return (
		await transform(css, { loader: 'css', minify: true, target: ['chrome111', 'firefox113', 'safari16.4'] })
	).code.trim();
}

const hashOf = (text) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
const markup = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');

async function page(file) {
	const { script, packages } = await bundle(),
		licences = read('LICENCES.txt'),
		css = await style();

	if (licences !== licencesOf(packages))
		throw new Error(
			'LICENCES.txt does not tell what is bundled: run node bundle.js NODE_MODULES --licences and look at what changed',
		);
	if (/<\/script|<!--/i.test(script) || script.includes(MARK) || /<\/style/i.test(css))
		throw new Error('the script or the style holds what would end it in the page');
	const parts = {
		STYLE: css,
		LICENCES: markup(licences),
		SCRIPT: script,
		POLICY: `default-src 'none'; script-src ${hashOf(script)}; style-src ${hashOf(css)}; img-src data:; base-uri 'none'; form-action 'none'`,
	};
	const text = read('page.html').replace(/%([A-Z]+)%/g, (whole, name) => parts[name] ?? whole);

	if (text.split(MARK).length !== 2)
		throw new Error(`the page holds ${MARK} ${text.split(MARK).length - 1} times, not once`);
	fs.writeFileSync(file, text);
}

if (out === '--licences') fs.writeFileSync(path.join(here, 'LICENCES.txt'), licencesOf((await bundle()).packages));
else await page(path.resolve(out));
