// SPDX-License-Identifier: Apache-2.0
//
// A part for each kernel, drawn when it is opened first: its plan, what GPUs make of it, and its source.

// ---- The plan -------------------------------------------------------------------------------------------------------

// The lines of `convsmith-gen --explain` as [title, words]: titles are 13 characters behind 4 blanks, and blank in a line
// that goes on with the one before. Those of GPUs are left to the table.
function planRows(words) {
  let title = '';
  const rows = [];
  for (const line of words.split('\n').filter((text) => text)) {
    title = line.slice(4, 17).trim() || title;
    if (!profileOf.has(title)) {
      rows.push([title, line.slice(18).trim()]);
    }
  }
  return rows;
}

function drawPlan(plan) {
  if (plan === null) {
    return element('p', { class: 'note' }, 'The manifest plans no such kernel.');
  }
  const rows = [['row', plan.row], ...planRows(plan.words)];
  return element('dl', {}, ...rows.flatMap(([title, words]) => [element('dt', {}, title), element('dd', {}, words)]));
}

// ---- Tables ---------------------------------------------------------------------------------------------------------

function drawRows(caption, headings, rows) {
  const heading = element('tr', {}, ...headings.map((title) => element('th', { scope: 'col' }, title)));
  const lines = rows.map((cells) => element('tr', {}, ...cells.map((cell) => element('td', {}, String(cell)))));
  return element('div', { class: 'scroll' }, element('table', {}, element('caption', {}, caption),
    element('thead', {}, heading), element('tbody', {}, ...lines)));
}

function predictionWords(prediction) {
  if (!prediction) {
    return '';
  }
  if (prediction.refused) {
    return `no launch: ${prediction.refused}`;
  }
  const launches = prediction.launches.map((launch) => `${launch.what} ${microseconds(launch.ms)} by ${launch.bound}`);
  return `${microseconds(prediction.ms)} µs (${launches.join(', ')})`;
}

function profileRow(kernel, profile) {
  const held = kernel.occupancy[profile.name], floor = floorOf(kernel, profile, referenceOf(kernel));
  const measurement = measurementOf(kernel, profile.name);
  return [profile.title, `${held.blocks} blocks, ${held.warps} of ${profile.warps_per_sm} warps`, held.limit,
    `${microseconds(floor.ms)} µs, ${floor.memory >= floor.arithmetic ? 'memory' : 'arithmetic'}`,
    predictionWords(kernel.predicted[profile.name]), measurement ? `${microseconds(measurement.ms)} µs` : ''];
}

function drawProfiles(kernel) {
  const rows = atlas.profiles.filter((profile) => kernel.occupancy[profile.name])
    .map((profile) => profileRow(kernel, profile));
  return drawRows('GPUs', ['GPU', 'A multiprocessor holds', 'limited by', 'Floor', 'Predicted', 'Measured'], rows);
}

function drawCompiled(kernel) {
  const names = ['registers', 'stack', 'spill_stores', 'spill_loads', 'shared'];
  const rows = Object.entries(kernel.compiled).map(([arch, of]) => [arch, ...names.map((name) => of[name])]);
  return drawRows('What nvcc made of it (registers a thread, bytes)',
    ['Architecture', 'Registers', 'Stack', 'Spill stores', 'Spill loads', 'Static shared'], rows);
}

function drawMeasured(kernel) {
  const rows = atlas.profiles.flatMap((profile) => measuredOf(kernel, profile.name)).map((time) =>
    [profileOf.get(time.gpu).title, sizeWords(time), `${microseconds(time.ms)} µs`, time.file, time.date || '',
      time.other_plan ? 'planned otherwise then' : '']);
  return drawRows('Measured times', ['GPU', 'Problem', 'Time', 'File', 'Date', ''], rows);
}

// ---- The source -----------------------------------------------------------------------------------------------------

// The comment that a generated file begins with, without its slashes.
function headerOf(source) {
  const lines = source.split('\n');
  const end = lines.findIndex((line) => !line.startsWith('//'));
  return lines.slice(0, end).map((line) => line.replace(/^\/\/ ?/, '')).join('\n');
}

function drawSource(kernel) {
  if (kernel.source === null) {
    return [element('p', { class: 'note' }, 'The source was not there when the page was written.')];
  }
  const file = `kernels/${kernel.name}.${kernel.unit ? 'cuh' : 'h'}`;
  return [element('pre', { class: 'header' }, headerOf(kernel.source)),
    element('details', { class: 'source' }, element('summary', {}, file), element('pre', {}, kernel.source))];
}

// ---- Parts ----------------------------------------------------------------------------------------------------------

function drawPart(kernel) {
  const tables = kernel.unit ? [drawProfiles(kernel)] : [];
  if (Object.keys(kernel.compiled || {}).length) {
    tables.push(drawCompiled(kernel));
  }
  if (atlas.measured.some((time) => time.kernel === kernel.name)) {
    tables.push(drawMeasured(kernel));
  }
  return [drawPlan(kernel.plan), ...tables, ...drawSource(kernel)];
}

function partOf(kernel) {
  const part = element('details', { class: 'kernel', id: kernel.name },
    element('summary', {}, element('code', {}, kernel.name)));
  part.addEventListener('toggle', () => {
    if (part.open && part.children.length === 1) {
      part.append(...drawPart(kernel));
    }
  });
  return part;
}

function drawParts() {
  document.getElementById('kernel-parts').replaceChildren(...atlas.kernels.map(partOf));
}

function showParts(kernels) {
  const shown = new Set(kernels);
  for (const kernel of atlas.kernels) {
    document.getElementById(kernel.name).hidden = !shown.has(kernel);
  }
}

// Opens the part that the page's address names, if it does.
function openNamed() {
  const name = decodeURIComponent(location.hash.slice(1));
  if (kernelOf.has(name)) {
    const part = document.getElementById(name);
    part.hidden = false;
    part.open = true;
    part.scrollIntoView();
  }
}
