// SPDX-License-Identifier: GPL-2.0-or-later
// axis - the axis of time that the timeline and the heat maps share: drawing it, and zoom, pan and selection on it, by mouse, wheel, keys
// and touch.
import { announce } from './dom.js';
import * as format from './format.js';
import { panSpan, ticksOf, zoomSpan } from './span.js';
import { color, onTheme } from './theme.js';

export const AXIS_HEIGHT = 22;
const DRAG_MIN_PX = 4;

const KEYS =
	'← → move, + − zoom, Home End go to the ends, 0 shows everything, Shift with ← → selects, Enter selects what is shown, ' +
	'Escape selects nothing.';

// Where moments are on a canvas that is width wide, with names on its left.
export class Scale {
	constructor([from, to], left, width) {
		this.from = from;
		this.to = to;
		this.left = left;
		this.width = Math.max(1, width - left);
		this.perPx = (to - from) / this.width;
	}

	x(timeNs) {
		return this.left + (timeNs - this.from) / this.perPx;
	}

	time(x) {
		return this.from + (x - this.left) * this.perPx;
	}
}

export function gutterOf(width) {
	return width < 640 ? 62 : 108;
}

// A canvas as wide as its box, sharp on any screen; draw in CSS pixels.
export function sizeCanvas(canvas, height) {
	const width = canvas.parentElement.clientWidth,
		ratio = window.devicePixelRatio || 1;

	if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
		canvas.width = Math.round(width * ratio);
		canvas.height = Math.round(height * ratio);
		canvas.style.height = `${height}px`;
	}
	const context = canvas.getContext('2d');
	context.setTransform(ratio, 0, 0, ratio, 0, 0);
	context.clearRect(0, 0, width, height);
	context.font = `12px ${getComputedStyle(document.body).fontFamily}`;
	return { context, width, height };
}

// As much of a text as fits.
export function fitText(context, text, width) {
	if (context.measureText(text).width <= width) return text;
	let length = text.length;

	while (length > 1 && context.measureText(`${text.slice(0, length)}…`).width > width) length--;
	return `${text.slice(0, length)}…`;
}

export function drawAxis(context, scale, height, model) {
	const shift = model.time.since_start_ns;
	const { step, at } = ticksOf(scale.from + shift, scale.to + shift, scale.width / 90);

	context.strokeStyle = color('grid');
	context.fillStyle = color('text-soft');
	context.lineWidth = 1;
	context.textAlign = 'left';
	context.textBaseline = 'middle';
	for (const moment of at) {
		const x = Math.round(scale.x(moment - shift)) + 0.5,
			label = format.moment(moment, step);

		context.beginPath();
		context.moveTo(x, AXIS_HEIGHT - 5);
		context.lineTo(x, height);
		context.stroke();
		if (x + context.measureText(label).width + 6 < scale.left + scale.width)
			context.fillText(label, x + 3, AXIS_HEIGHT / 2);
	}
}

// What changes what a chart on the axis shows.
const AXIS_KEYS = ['view', 'selection', 'picking'];

// What is selected, or just being so, stays clear; the rest is dimmed.
export function drawSelection(context, scale, height, store) {
	const selection = store.get('picking') ?? store.get('selection');

	if (!selection) return;
	const [x0, x1] = selection.map((t) => Math.min(Math.max(scale.x(t), scale.left), scale.left + scale.width));

	context.fillStyle = color('dim');
	context.fillRect(scale.left, AXIS_HEIGHT, x0 - scale.left, height - AXIS_HEIGHT);
	context.fillRect(x1, AXIS_HEIGHT, scale.left + scale.width - x1, height - AXIS_HEIGHT);
	context.fillStyle = color('accent');
	context.fillRect(x0, AXIS_HEIGHT - 4, Math.max(1, x1 - x0), 4);
	for (const [moment, x] of [
		[selection[0], x0],
		[selection[1], x1],
	]) {
		if (moment > scale.from && moment < scale.to) context.fillRect(x - 0.5, AXIS_HEIGHT - 4, 1.5, height);
	}
}

// "1.000 s to 2.500 s", as exact as a step of stepNs needs it.
export function stretchText(model, [from, to], stepNs) {
	return `${format.moment(model.shown(from), stepNs)} to ${format.moment(model.shown(to), stepNs)}`;
}

// canvas: what is operated. scaleOf(): its Scale as drawn last. hover(x, y) or hover(null): where the pointer is. about(span): what a stretch
// of time has, in words.
function operate(canvas, model, store, scaleOf, hover, about) {
	const whole = model.range;
	const view = () => store.get('view');
	const show = (span) => store.set({ view: span });
	const pick = (span) => store.set({ selection: span && model.snap(span) });
	const pointers = new Map();
	let drag = null,
		grown = { anchor: null, head: null, selection: null };

	const xOf = (event) => event.clientX - canvas.getBoundingClientRect().left;
	const yOf = (event) => event.clientY - canvas.getBoundingClientRect().top;

	function pinch() {
		const [a, b] = [...pointers.values()];
		const distance = Math.max(20, Math.abs(a - b)),
			middle = (a + b) / 2;

		if (drag?.distance)
			show(
				zoomSpan(
					panSpan(view(), (drag.middle - middle) * scaleOf().perPx, whole),
					drag.distance / distance,
					scaleOf().time(middle),
					whole,
				),
			);
		drag = { distance, middle };
	}

	canvas.addEventListener('pointerdown', (event) => {
		if (event.button > 1) return;
		hover(xOf(event), yOf(event)); // a finger points by touching
		pointers.set(event.pointerId, xOf(event));
		canvas.setPointerCapture(event.pointerId);
		if (pointers.size === 2) return pinch();
		const isPan = event.button === 1 || event.shiftKey || store.get('drag') === 'pan';
		drag = { from: xOf(event), last: xOf(event), isPan, moved: false };
		if (event.button === 1) event.preventDefault();
	});
	canvas.addEventListener('pointermove', (event) => {
		const x = xOf(event);

		if (event.pointerType !== 'touch' || pointers.size) hover(x, yOf(event));
		if (!pointers.has(event.pointerId)) return;
		pointers.set(event.pointerId, x);
		if (pointers.size === 2) return pinch();
		if (!drag || drag.distance || (!drag.moved && Math.abs(x - drag.from) < DRAG_MIN_PX)) return;
		drag.moved = true;
		if (drag.isPan) show(panSpan(view(), (drag.last - x) * scaleOf().perPx, whole));
		else
			store.set({
				picking: model.snap([drag.from, x].sort((a, b) => a - b).map((at) => scaleOf().time(at))),
			});
		drag.last = x;
	});
	canvas.addEventListener('pointerup', (event) => {
		if (!pointers.delete(event.pointerId)) return;
		// only now: the views that are not on the axis take their time
		if (store.get('picking')) store.set({ selection: store.get('picking'), picking: null });
		// a click beside the selection ends it
		if (drag && !drag.distance && !drag.moved && !drag.isPan) {
			const selection = store.get('selection'),
				at = scaleOf().time(drag.from);

			if (selection && (at < selection[0] || at > selection[1])) pick(null);
		}
		if (!pointers.size) drag = null;
	});
	const dropDrag = () => {
		drag = null;
		store.set({ picking: null });
	};
	// the browser scrolls the page with this finger
	canvas.addEventListener('pointercancel', (event) => {
		if (pointers.delete(event.pointerId)) dropDrag();
	});
	canvas.addEventListener('pointerleave', (event) => {
		if (event.pointerType !== 'touch') hover(null);
	});
	canvas.addEventListener('dblclick', (event) =>
		show(zoomSpan(view(), 0.25, scaleOf().time(xOf(event)), whole)),
	);

	// Turning the wheel scrolls the page, until the chart was clicked or Ctrl is held: nobody gets stuck in it. A chart that is higher than
	// its box it scrolls.
	const isScrolled = () => canvas.parentElement.scrollHeight > canvas.parentElement.clientHeight + 1;
	canvas.addEventListener(
		'wheel',
		(event) => {
			const sideways = event.shiftKey && !event.deltaX ? event.deltaY : event.deltaX;

			if (Math.abs(sideways) > Math.abs(event.shiftKey ? 0 : event.deltaY)) {
				event.preventDefault();
				show(panSpan(view(), sideways * scaleOf().perPx, whole));
			} else if (event.ctrlKey || event.metaKey || (document.activeElement === canvas && !isScrolled())) {
				event.preventDefault();
				show(
					zoomSpan(
						view(),
						1.0015 ** (event.deltaY * (event.deltaMode ? 20 : 1)),
						scaleOf().time(xOf(event)),
						whole,
					),
				);
			}
		},
		{ passive: false },
	);

	canvas.addEventListener('keydown', (event) => {
		if (event.altKey || event.ctrlKey || event.metaKey || !pressed(event.key, event.shiftKey)) return;
		event.preventDefault();
		// who cannot see it is told; what is selected then, the bar tells
		announce(() => `Shown: ${stretchText(model, view(), scaleOf().perPx)}. ${about(view())}`);
	});

	function pressed(key, shift) {
		const [from, to] = view(),
			length = to - from,
			middle = (from + to) / 2;

		switch (key) {
			case 'ArrowLeft':
			case 'ArrowRight':
				return (
					shift
						? grow(key === 'ArrowRight' ? 1 : -1)
						: show(panSpan(view(), (key === 'ArrowRight' ? 1 : -1) * length * 0.1, whole)),
					true
				);
			case '+':
			case '=':
				return (show(zoomSpan(view(), 0.6, middle, whole)), true);
			case '-':
			case '_':
				return (show(zoomSpan(view(), 1 / 0.6, middle, whole)), true);
			case 'Home':
				return (show(panSpan(view(), whole[0] - from, whole)), true);
			case 'End':
				return (show(panSpan(view(), whole[1] - to, whole)), true);
			case '0':
				return (show(whole), true);
			case 'Enter':
				return (pick(view()), true);
			case 'Escape':
				return (drag ? dropDrag() : pick(null), true);
		}
		return false;
	}

	// Moves one end of the selection, as text is selected: the other one stays, and may be passed. Without a selection both begin in the
	// middle of what is shown.
	function grow(direction) {
		const [from, to] = view(),
			step = Math.max((to - from) / 20, model.time.slot_ns),
			selection = store.get('selection');

		if (!selection) grown = { anchor: (from + to) / 2, head: (from + to) / 2 };
		else if (selection !== grown.selection) grown = { anchor: selection[0], head: selection[1] };
		grown.head = Math.min(Math.max(grown.head + direction * step, whole[0]), whole[1]);
		pick([grown.anchor, grown.head].sort((a, b) => a - b));
		grown.selection = store.get('selection');
	}
}

// Draws anew when the canvas's box has another width, or a pixel another size.
function onResize(canvas, draw) {
	const size = () => `${canvas.parentElement.clientWidth} ${window.devicePixelRatio}`;
	let drawn = size();
	const check = () => {
		if (size() === drawn) return;
		drawn = size();
		draw();
	};

	new ResizeObserver(check).observe(canvas.parentElement);
	addEventListener('resize', check);
}

// Makes a chart of a canvas: drawn now and whenever the axis, the theme, the width or one of keys changes; operated, read by tell(x, y), and
// put into words by about(span).
export function onAxis(canvas, model, store, { scaleOf, tell, about, draw, keys }) {
	canvas.setAttribute('aria-description', KEYS);
	operate(canvas, model, store, scaleOf, tell, about);
	store.on([...AXIS_KEYS, ...keys], draw);
	onTheme(draw);
	onResize(canvas, draw);
	tell(null);
	draw();
}
