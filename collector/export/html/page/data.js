// SPDX-License-Identifier: GPL-2.0-or-later
// data - the columns that the collector packed into the page (FORMAT.md, ../pack.h): bytes to numbers and texts.

const DELTA = 1;

export function bytesOfBase64(text) {
	if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
	const binary = atob(text);
	const bytes = new Uint8Array(binary.length);

	for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
	return bytes;
}

export async function inflate(bytes) {
	if (typeof DecompressionStream === 'undefined')
		throw new Error(
			'this browser is too old for this page: it has no DecompressionStream (Chromium 80, Firefox 113, Safari 16.4 have)',
		);
	const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate'));

	return new Uint8Array(await new Response(stream).arrayBuffer());
}

function numbersOf(bytes, [coding, offset, length, count], name) {
	const numbers = new Float64Array(count);
	const end = offset + length;
	let at = offset,
		last = 0;

	// Bit operations are quick, and hold for four bytes. The first byte has the sign: it stays apart, as all together may need 54 bits.
	for (let i = 0; i < count; i++) {
		let byte = bytes[at++],
			rest = 0;
		const low = byte & 127;

		for (let shift = 0; byte & 128 && shift < 28; shift += 7) {
			byte = bytes[at++];
			rest |= (byte & 127) << shift;
		}
		for (let scale = 2 ** 28; byte & 128; scale *= 128) {
			byte = bytes[at++];
			rest += (byte & 127) * scale;
		}
		if (at > end) throw new Error(`the page's data is damaged: column ${name} ends within number ${i}`);
		if (coding === DELTA) last += low & 1 ? -(rest * 64 + (low >> 1)) - 1 : rest * 64 + (low >> 1);
		else last = rest * 128 + low;
		numbers[i] = last;
	}
	return numbers;
}

function textsOf(bytes, [, offset, length, count]) {
	const texts = new TextDecoder().decode(bytes.subarray(offset, offset + length)).split('\0');

	texts.length = count;
	return texts;
}

// columns.numbers(NAME), columns.texts(NAME): decoded when asked for, once. A column that is not there is empty.
export function columnsOf(bytes) {
	const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	const indexBytes = bytes.length >= 4 ? view.getUint32(bytes.length - 4, true) : 0;
	const decoded = new Map();

	if (!indexBytes || indexBytes > bytes.length - 4)
		throw new Error("the page's data is damaged: it has no index");
	const index = JSON.parse(
		new TextDecoder().decode(bytes.subarray(bytes.length - 4 - indexBytes, bytes.length - 4)),
	);
	const once = (name, decode, nothing) => {
		if (!decoded.has(name))
			decoded.set(name, Object.hasOwn(index, name) ? decode(bytes, index[name], name) : nothing);
		return decoded.get(name);
	};

	return {
		numbers: (name) => once(name, (b, entry) => numbersOf(b, entry, name), new Float64Array(0)),
		texts: (name) => once(name, textsOf, []),
	};
}
