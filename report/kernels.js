// SPDX-License-Identifier: Apache-2.0
//
// A part for each kernel, drawn when it is opened first: its plan, what GPUs make of it, and its source.

// ---- The plan -------------------------------------------------------------------------------------------------------

function pair(a, b) {
  return a === b ? String(a) : `${a}×${b}`;
}

function convolutionWords(k) {
  const parts = [`${k.c_in} → ${k.c_out} channels, ${k.kh}×${k.kw}`, `stride ${pair(k.stride_h, k.stride_w)}`,
    `padding ${pair(k.pad_h, k.pad_w)}`, `dilation ${pair(k.dilation_h, k.dilation_w)}`];
  return parts.join(', ') + (k.conv_groups > 1 ? `, conv_groups ${k.conv_groups}` : '');
}

function referenceWords(k) {
  const size = referenceOf(k), work = workOf(k, size);
  return `${sizeWords(size)}${k.ref_groups ? `, ${k.ref_groups} groups` : ''}: ${digits(work.flops / 1e9)} GFLOP, ` +
    `${digits(work.bytes / 1e6)} MB`;
}

// The rows of a plan; those without a value are left out.
const planRows = [
  ['Convolution', convolutionWords],
  ['Epilogue', (k) => k.epilogue || 'none'],
  ['Tensors', (k) => `${k.dtype}, ${k.layout}`],
  ['Strategy', (k) => `${k.strategy}, math ${k.math}, schedule ${k.schedule}, for ${k.target}`],
  ['Tile', (k) => `${k.tile_c} channels × ${k.tile_h} rows × ${k.tile_w} columns a block of ${k.threads} threads`],
  ['Registers', (k) => k.registers && `${k.registers} a thread, as ${k.registers_from === 'nvcc' ? 'nvcc said'
    : 'planned'}${k.registers_from === 'nvcc' ? `; planned: ${k.planned_registers}` : ''}`],
  ['Shared memory', (k) => k.unit && `${kib(k.shared_bytes)} KiB a block` +
    (k.static_shared_bytes ? ` and ${k.static_shared_bytes} bytes of nvcc’s` : '')],
  ['Scratch', (k) => !k.unit && `${kib(k.shared_bytes)} KiB of stack a thread`],
  ['Parameters', (k) => `${k.packed_bytes} bytes packed`],
  ['Multiply-adds', (k) => `${k.multiply_adds} an output pixel`],
  ['Reference', referenceWords],
];

function drawPlan(kernel) {
  const rows = planRows.map(([title, words]) => [title, words(kernel)]).filter(([, words]) => words);
  for (const relief of kernel.reliefs || []) {
    rows.push(['Planned anew', `${relief.name}, since ptxas had ${relief.because}`]);
  }
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
  return [drawPlan(kernel), ...tables, ...drawSource(kernel)];
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
