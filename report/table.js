// SPDX-License-Identifier: Apache-2.0
//
// The table of kernels: columns as data, sorted by the buttons in their headings.

// Of each: `value` of a kernel and, where it depends on that, of a GPU; undefined where there is none. `text` of a
// value, and of the kernel; `isNumber` sorts by numbers and stands to the right.
const columns = [
  { title: 'Kernel', value: (k) => k.name, cell: (k) => kernelLink(k.name) },
  { title: 'Strategy', value: (k) => k.strategy },
  { title: 'Schedule', value: (k) => k.schedule },
  { title: 'Type', about: 'element type of the tensors', value: (k) => k.dtype },
  { title: 'Math', value: (k) => k.math },
  { title: 'Layout', value: (k) => k.layout },
  { title: 'Target', value: (k) => k.target },
  { title: 'Tile', about: 'channels × rows × columns of a block', value: (k) => k.tile_c * k.tile_h * k.tile_w,
    isNumber: true, text: (value, k) => `${k.tile_c}×${k.tile_h}×${k.tile_w}` },
  { title: 'Threads', about: 'of a block', value: (k) => k.threads, isNumber: true },
  { title: 'Registers', about: 'of a thread, as nvcc said or, with ~, as planned', isNumber: true,
    value: (k) => k.registers, text: (value, k) => (k.registers_from === 'nvcc' ? '' : '~') + value },
  { title: 'Shared, KiB', about: 'shared memory of a block, or of a CPU kernel its scratch', isNumber: true,
    value: (k) => k.shared_bytes + (k.static_shared_bytes || 0), text: kib },
  { title: 'Occupancy', about: 'warps that a multiprocessor holds, of those it has room for', isNumber: true,
    value: (k, gpu) => k.occupancy && k.occupancy[gpu] && k.occupancy[gpu].fraction, text: percent },
  { title: 'Predicted, µs', isNumber: true, value: predictedMs, text: microseconds },
  { title: 'Measured, µs', isNumber: true, text: measuredText,
    value: (k, gpu) => (measurementOf(k, gpu) || {}).ms },
  { title: 'GB/s', about: 'tensors read once and y written once, by the time', isNumber: true,
    value: (k, gpu) => (speedOf(k, gpu) || {}).gbs, text: speedText(digits) },
  { title: 'TFLOP/s', about: 'two flops a multiply-add that is not padding', isNumber: true,
    value: (k, gpu) => (speedOf(k, gpu) || {}).tflops, text: speedText(digits) },
  { title: 'Of the roof', about: 'the least time by DRAM and the unit of products, of the time', isNumber: true,
    value: (k, gpu) => (speedOf(k, gpu) || {}).share, text: speedText(percent) },
];

function measuredText(ms, kernel, gpu) {
  return microseconds(ms) + (measurementOf(kernel, gpu).other_plan ? '†' : '');
}

// What follows from a predicted time has a ~.
function speedText(text) {
  return (value, kernel, gpu) => (speedOf(kernel, gpu).isMeasured ? '' : '~') + text(value);
}

// ---- Cells ----------------------------------------------------------------------------------------------------------

function cellOf(column, kernel, gpu) {
  const value = column.value(kernel, gpu);
  const cell = element('td', column.isNumber ? { class: 'number' } : {});
  if (value !== undefined) {
    const text = column.text ? column.text(value, kernel, gpu) : String(value);
    cell.append(column.cell ? column.cell(kernel) : text);
  }
  return cell;
}

function rowOf(kernel, gpu) {
  const row = element('tr', {}, ...columns.map((column) => cellOf(column, kernel, gpu)));
  row.kernel = kernel;
  return row;
}

// ---- Order ----------------------------------------------------------------------------------------------------------

function compareValues(a, b) {
  return typeof a === 'number' ? a - b : a.localeCompare(b);
}

// The kernels by a column, those without a value last in either direction.
function sortedKernels(kernels, column, direction, gpu) {
  const sign = direction === 'descending' ? -1 : 1;
  const pairs = kernels.map((kernel) => ({ kernel, value: column.value(kernel, gpu) }));
  pairs.sort((a, b) => {
    if (a.value === undefined || b.value === undefined) {
      return (a.value === undefined) - (b.value === undefined);
    }
    return sign * compareValues(a.value, b.value);
  });
  return pairs.map((pair) => pair.kernel);
}

// ---- The table ------------------------------------------------------------------------------------------------------

const order = { column: null, direction: 'none' };

function headingOf(column, redraw) {
  const button = element('button', { type: 'button', ...(column.about ? { title: column.about } : {}) }, column.title);
  button.addEventListener('click', () => {
    order.direction = order.column === column && order.direction === 'ascending' ? 'descending' : 'ascending';
    order.column = column;
    redraw();
  });
  return element('th', { scope: 'col', 'aria-sort': 'none', ...(column.isNumber ? { class: 'number' } : {}) }, button);
}

// Draws the headings, whose buttons call `redraw`.
function drawHeadings(redraw) {
  const headings = columns.map((column) => headingOf(column, redraw));
  document.querySelector('#kernels thead').replaceChildren(element('tr', {}, ...headings));
}

function drawTable(kernels, gpu) {
  const headings = document.querySelectorAll('#kernels th');
  columns.forEach((column, i) => {
    headings[i].setAttribute('aria-sort', column === order.column ? order.direction : 'none');
  });
  const sorted = order.column ? sortedKernels(kernels, order.column, order.direction, gpu) : kernels;
  document.querySelector('#kernels tbody').replaceChildren(...sorted.map((kernel) => rowOf(kernel, gpu)));
  document.getElementById('table-note').textContent = tableNote(kernels, gpu);
}

function tableNote(kernels, gpu) {
  const title = profileOf.get(gpu).title;
  if (!kernels.some((kernel) => kernel.unit)) {
    return 'No kernel here is for GPUs: the program was built without CUDA, or the filter leaves none.';
  }
  if (!measuredGpus.has(gpu)) {
    return `Nothing was measured on ${title}: values with ~ follow from predicted times.`;
  }
  const isOlder = kernels.some((kernel) => (measurementOf(kernel, gpu) || {}).other_plan);
  const isAbove = kernels.some((kernel) => (speedOf(kernel, gpu) || {}).share > 1);
  return `Occupancy and times are of ${title}; values with ~ follow from predicted times.` +
    (isOlder ? ' † was measured of a kernel of that name that was planned otherwise.' : '') +
    (isAbove ? ' Tensors that stay in L2 from call to call can be faster than the roof of DRAM.' : '');
}
