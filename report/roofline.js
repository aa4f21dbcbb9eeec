// SPDX-License-Identifier: Apache-2.0
//
// The roofline of a GPU: flops a second over flops a byte, both logarithmic; a slope for DRAM, a roof for each unit
// that forms products, and a point a kernel.

const plot = { width: 960, height: 540, left: 64, right: 28, top: 16, bottom: 52 };

// ---- Axes -----------------------------------------------------------------------------------------------------------

// From a range of values to places: whole decades around it.
function logScale(values, from, to) {
  const low = Math.floor(Math.log10(Math.min(...values)));
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...values))));
  const place = (value) => from + (to - from) * (Math.log10(value) - low) / (high - low);
  return { low: 10 ** low, high: 10 ** high, place, decades: high - low, first: low };
}

function scalesOf(profile, points) {
  const rates = units.map((unit) => unit.rate(profile));
  const ridges = rates.map((rate) => 1000 * rate / profile.stream_gbs);
  return {
    x: logScale([...ridges, ...points.map((point) => point.speed.intensity)], plot.left, plot.width - plot.right),
    y: logScale([...rates, ...points.map((point) => point.speed.tflops)], plot.height - plot.bottom, plot.top),
  };
}

function tickText(value) {
  return value >= 1 ? String(value) : value.toPrecision(1);
}

function ticksOf(scale) {
  const ticks = [];
  for (let i = 0; i <= scale.decades; i++) {
    ticks.push(10 ** (scale.first + i));
  }
  return ticks;
}

function drawAxes({ x, y }) {
  const bottom = plot.height - plot.bottom, right = plot.width - plot.right;
  const vertical = ticksOf(x).flatMap((value) => [
    svg('line', { class: 'grid', x1: x.place(value), x2: x.place(value), y1: plot.top, y2: bottom }),
    svg('text', { x: x.place(value), y: bottom + 18, 'text-anchor': 'middle' }, tickText(value)),
  ]);
  const horizontal = ticksOf(y).flatMap((value) => [
    svg('line', { class: 'grid', x1: plot.left, x2: right, y1: y.place(value), y2: y.place(value) }),
    svg('text', { x: plot.left - 8, y: y.place(value) + 4, 'text-anchor': 'end' }, tickText(value)),
  ]);
  return [...vertical, ...horizontal,
    svg('text', { x: (plot.left + right) / 2, y: plot.height - 8, 'text-anchor': 'middle' },
      'flops a byte of tensors read and written once'),
    svg('text', { transform: `translate(14 ${plot.height / 2}) rotate(-90)`, 'text-anchor': 'middle' }, 'TFLOP/s')];
}

// ---- Roofs ----------------------------------------------------------------------------------------------------------

// The slope of DRAM up to a unit's rate, where the unit's roof begins.
function drawRoof(profile, unit, { x, y }) {
  const rate = unit.rate(profile), slope = profile.stream_gbs / 1000;
  const start = Math.max(x.low, y.low / slope), ridge = rate / slope;
  const path = `M ${x.place(start)} ${y.place(start * slope)} L ${x.place(ridge)} ${y.place(rate)} ` +
    `L ${x.place(x.high)} ${y.place(rate)}`;
  return svg('path', { class: `roof ${unit.id}`, d: path });
}

// Above their roofs, and where these are near to each other above the label before.
function drawRoofLabels(profile, { x, y }) {
  let above = Infinity;
  const rising = [...units].sort((a, b) => a.rate(profile) - b.rate(profile));
  return rising.map((unit) => {
    above = Math.min(y.place(unit.rate(profile)) - 5, above - 15);
    return svg('text', { class: unit.id, x: x.place(x.high) - 4, y: above, 'text-anchor': 'end' },
      `${unit.title}: ${digits(unit.rate(profile))} TFLOP/s`);
  });
}

function drawSlopeLabel(profile, { x, y }) {
  const slope = profile.stream_gbs / 1000, at = Math.max(x.low, y.low / slope);
  return svg('text', { x: x.place(at) + 34, y: y.place(at * slope) - 8 }, `DRAM: ${digits(profile.stream_gbs)} GB/s`);
}

// ---- Points ---------------------------------------------------------------------------------------------------------

// Of measured times where the GPU was measured, else of predicted ones.
function pointsOf(kernels, gpu) {
  return kernels.map((kernel) => ({ kernel, speed: speedOf(kernel, gpu) }))
    .filter((point) => point.speed && point.speed.isMeasured === measuredGpus.has(gpu));
}

// Links that the keyboard reaches in the table.
function drawPoint({ kernel, speed }, { x, y }) {
  const kind = speed.isMeasured ? 'measured' : 'predicted';
  const words = `${kernel.name}\n${kind} ${microseconds(speed.ms)} µs, ${digits(speed.tflops)} TFLOP/s, ` +
    `${digits(speed.gbs)} GB/s, ${percent(speed.share)} of the roof`;
  const circle = svg('circle', { class: `point ${unitOf(kernel).id} ${kind}`, cx: x.place(speed.intensity),
    cy: y.place(speed.tflops), r: 4.5 }, svg('title', {}, words));
  return svg('a', { href: `#${kernel.name}`, tabindex: -1, 'aria-label': words }, circle);
}

// ---- The plot -------------------------------------------------------------------------------------------------------

function captionOf(profile, points) {
  const files = [...new Set(atlas.measured.filter((time) => time.gpu === profile.name).map((time) => time.file))];
  const times = measuredGpus.has(profile.name)
    ? `${points.length} kernels with measured times (${files.join(', ')}).`
    : `Predicted, not measured: nothing was timed on this GPU; ${points.length} kernels with predicted times, hollow.`;
  const dram = profile.stream_gbs === profile.dram_gbs ? 'the datasheet’s rate'
    : `what a plain kernel streams; the datasheet has ${digits(profile.dram_gbs)} GB/s`;
  return `${profile.title}. ${times} The slope is ${dram}. Roofs are the datasheet’s.`;
}

function drawRoofline(kernels, gpu) {
  const profile = profileOf.get(gpu), points = pointsOf(kernels, gpu), scales = scalesOf(profile, points);
  const picture = svg('svg', { viewBox: `0 0 ${plot.width} ${plot.height}`, role: 'group',
    'aria-labelledby': 'roofline-title plot-caption' },
  ...drawAxes(scales), ...units.map((unit) => drawRoof(profile, unit, scales)), ...drawRoofLabels(profile, scales),
  drawSlopeLabel(profile, scales),
  ...points.map((point) => drawPoint(point, scales)));
  document.getElementById('plot').replaceChildren(picture);
  document.getElementById('plot-caption').textContent = captionOf(profile, points);
}
