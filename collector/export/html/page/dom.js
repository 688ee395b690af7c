// SPDX-License-Identifier: GPL-2.0-or-later
// dom - elements made from data. Whatever a name holds, it goes in as text or as an attribute's value, never as markup.

function build(node, attributes, children) {
	for (const [key, value] of Object.entries(attributes ?? {})) {
		if (value === null || value === undefined || value === false) continue;
		if (typeof value === 'function') node.addEventListener(key, value);
		else node.setAttribute(key, value === true ? '' : value);
	}
	node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
	return node;
}

// A function as an attribute's value listens to that event.
export function el(name, attributes, ...children) {
	return build(document.createElement(name), attributes, children);
}

export function fill(node, ...children) {
	node.replaceChildren(
		...children.flat().filter((child) => child !== null && child !== undefined && child !== false),
	);
	return node;
}

// An entry of a legend; colour as in CSS.
export function legendItem(colour, text) {
	const swatch = el('span', { class: 'swatch' });

	swatch.style.background = colour;
	return el('li', null, swatch, text);
}

export function byId(id) {
	return document.getElementById(id);
}

// The part of the page with this id, opened if it is one to open.
export function reveal(id) {
	const part = byId(id);

	if (part instanceof HTMLDetailsElement) part.open = true;
	return part;
}

let nrIds = 0;
export function freshId(prefix) {
	return `${prefix}-${++nrIds}`;
}

// A group of radio buttons that look like one switch. options: [[value, label]]
export function choice(legend, options, value, onChange) {
	const name = freshId('choice');

	return el(
		'fieldset',
		{ class: 'choice' },
		el('legend', null, legend),
		el(
			'div',
			{ class: 'choice-options' },
			options.map(([key, label]) =>
				el(
					'label',
					null,
					el('input', {
						type: 'radio',
						name,
						value: key,
						checked: key === value,
						change: () => onChange(key),
					}),
					el('span', null, label),
				),
			),
		),
	);
}

export function showChoice(node, value) {
	for (const input of node.querySelectorAll('input')) input.checked = input.value === value;
}

// As choice, for more options than fit beside each other.
export function select(label, options, value, onChange) {
	const id = freshId('select');

	return el(
		'div',
		{ class: 'select' },
		el('label', { for: id }, label),
		el(
			'select',
			{ id, change: (event) => onChange(event.target.value) },
			options.map(([key, text]) => el('option', { value: key, selected: key === value }, text)),
		),
	);
}

export async function copyText(text) {
	try {
		await navigator.clipboard.writeText(text);
		return true;
	} catch {
		// not allowed here, as in a file of some browsers
	}
	const area = el('textarea', { class: 'off-screen', 'aria-hidden': 'true', tabindex: '-1' });

	area.value = text;
	document.body.append(area);
	area.select();
	const done = document.execCommand('copy');
	area.remove();
	return done;
}

const STILL_MS = 250;
let announceTimer;
// Said by a screen reader, once things are still: a text, or what a function then tells. Of several only the last.
export function announce(text) {
	clearTimeout(announceTimer);
	announceTimer = setTimeout(() => {
		byId('status').textContent = typeof text === 'function' ? text() : text;
	}, STILL_MS);
}
