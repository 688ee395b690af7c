// SPDX-License-Identifier: GPL-2.0-or-later
// theme - light, dark, or as the system has it; canvases ask here for the colours of page.css.
import { byId } from './dom.js';

const listeners = [];
let cache = new Map();

export function color(name) {
	if (!cache.has(name))
		cache.set(name, getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim());
	return cache.get(name);
}

export function isDark() {
	return color('scheme') === 'dark';
}

export function onTheme(run) {
	listeners.push(run);
}

function changed() {
	cache = new Map();
	for (const run of listeners) run();
}

export function startTheme() {
	const picker = byId('theme');

	picker.addEventListener('change', () => {
		if (picker.value === 'auto') delete document.documentElement.dataset.theme;
		else document.documentElement.dataset.theme = picker.value;
		changed();
	});
	for (const query of ['(prefers-color-scheme: dark)', 'print']) matchMedia(query).addEventListener('change', changed);
}

export function wantsMotion() {
	return !matchMedia('(prefers-reduced-motion: reduce)').matches;
}
