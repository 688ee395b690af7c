// SPDX-License-Identifier: GPL-2.0-or-later
// main - unpacks the data and fills the page.
import { createChord } from './chord.js';
import { bytesOfBase64, columnsOf, inflate } from './data.js';
import { byId, reveal } from './dom.js';
import { createHeat } from './heat.js';
import { Model } from './model.js';
import { createPhase } from './phase.js';
import { createStackView } from './stackview.js';
import { createStore } from './store.js';
import { createTables } from './tables.js';
import { startTheme } from './theme.js';
import { createTimeline } from './timeline.js';
import { createSelectionBar, createTop } from './top.js';

function fail(error) {
	byId('problem').hidden = false;
	byId('problem-text').textContent = error.message;
	console.error(error);
}

async function start() {
	const data = byId('data');
	const model = new Model(columnsOf(await inflate(bytesOfBase64(data.textContent))));
	const store = createStore({
		view: model.range,
		selection: null,
		picking: null,
		drag: 'select',
		cause: null,
		chart: 'flame',
		group: 'stack',
		search: '',
		path: [],
		compare: !!model.meta.baseline,
		relation: 'occupants',
		by: 'task',
		heat: null,
		phase: null,
	});

	data.remove();
	startTheme();
	byId('content').hidden = false;
	byId('loading').remove();
	// one view that fails does not take the others with it
	for (const create of [
		createTop,
		createSelectionBar,
		createTimeline,
		createStackView,
		createHeat,
		createPhase,
		createChord,
		createTables,
	]) {
		try {
			create(model, store);
		} catch (error) {
			fail(error);
		}
		// what is there already is shown while the rest is made
		await new Promise((done) => setTimeout(done));
	}
	addEventListener('hashchange', () => reveal(location.hash.slice(1)));
	document.documentElement.dataset.ready = String(Math.round(performance.now()));
	// the place that the address names was not there yet
	if (location.hash) reveal(location.hash.slice(1))?.scrollIntoView();
}

start().catch((error) => {
	byId('loading').remove();
	fail(error);
});
