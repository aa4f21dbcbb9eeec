// SPDX-License-Identifier: Apache-2.0
//
// What holds of the report's page, checked in a browser: behind the page's own scripts, whose names are seen here.

const checks = [];

function test(name, check) {
  checks.push({ name, check });
}

function assert(condition, words) {
  if (!condition) {
    throw new Error(words);
  }
}

function assertEqual(value, wanted, what) {
  assert(value === wanted, `${what} is ${value}, and should be ${wanted}`);
}

// ---- The page as a reader sees it -----------------------------------------------------------------------------------

const hasGpuKernels = atlas.kernels.some((kernel) => kernel.unit);

function tableRows() {
  return [...document.querySelectorAll('#kernels tbody tr')];
}

function headingNamed(title) {
  return [...document.querySelectorAll('#kernels th')].find((heading) => heading.textContent === title);
}

function cellTexts(title) {
  const place = headingNamed(title).cellIndex;
  return tableRows().map((row) => row.cells[place].textContent);
}

function cellOfKernel(name, title) {
  const row = tableRows().find((candidate) => candidate.cells[0].textContent === name);
  return row.cells[headingNamed(title).cellIndex].textContent;
}

function setFilter(words) {
  filterBox.value = words;
  filterBox.dispatchEvent(new Event('input', { bubbles: true }));
}

function chooseGpu(name) {
  gpuChoice.value = name;
  gpuChoice.dispatchEvent(new Event('change', { bubbles: true }));
}

function press(title) {
  headingNamed(title).querySelector('button').click();
}

function soon() {
  return new Promise((resolve) => setTimeout(resolve, 50));
}

async function opened(name) {
  const part = document.getElementById(name);
  part.open = true;
  await soon();
  return part;
}

// Whether texts that begin with numbers are in order, and empty ones last.
function assertOrdered(texts, sign) {
  const filled = texts.filter((text) => text !== '');
  assert(filled.length > 0, 'the column is empty');
  assert(texts.slice(0, filled.length).every((text) => text !== ''), 'an empty cell stands before others');
  const numbers = filled.map((text) => parseFloat(text.replace('~', '')));
  assert(numbers.every((number, i) => i === 0 || sign * (number - numbers[i - 1]) >= 0), 'it is in no such order');
}

// ---- The table ------------------------------------------------------------------------------------------------------

test('there is a row and a part for every kernel', () => {
  assert(atlas.kernels.length > 0, 'there is no kernel');
  assertEqual(tableRows().length, atlas.kernels.length, 'the number of rows');
  assertEqual(document.querySelectorAll('details.kernel').length, atlas.kernels.length, 'the number of parts');
});

test('a column of numbers is sorted in both directions', () => {
  press('Shared, KiB');
  assertEqual(headingNamed('Shared, KiB').getAttribute('aria-sort'), 'ascending', 'aria-sort');
  assertOrdered(cellTexts('Shared, KiB'), 1);
  press('Shared, KiB');
  assertEqual(headingNamed('Shared, KiB').getAttribute('aria-sort'), 'descending', 'aria-sort');
  assertOrdered(cellTexts('Shared, KiB'), -1);
});

test('a column of words is sorted, and the others say that they are not', () => {
  press('Strategy');
  const texts = cellTexts('Strategy');
  assert(texts.every((text, i) => i === 0 || texts[i - 1].localeCompare(text) <= 0), 'it is in no order');
  assertEqual(headingNamed('Shared, KiB').getAttribute('aria-sort'), 'none', 'aria-sort of another column');
});

test('the keyboard reaches what sorts', () => {
  const button = headingNamed('Threads').querySelector('button');
  button.focus();
  assertEqual(document.activeElement, button, 'what has the focus');
  assertEqual(button.tabIndex, 0, 'tabIndex');
});

test('the filter leaves the kernels that have all of its words', () => {
  const words = ['F16', 'c3_'];
  setFilter(words.join(' '));
  const names = cellTexts('Kernel');
  assert(names.length > 0 && names.length < atlas.kernels.length, `${names.length} rows are left`);
  assert(names.every((name) => words.every((word) => name.includes(word.toLowerCase()))), 'a row lacks a word');
  assertEqual(document.getElementById('count').textContent, `${names.length} of ${atlas.kernels.length} kernels`,
    'the count');
  const parts = [...document.querySelectorAll('details.kernel')].filter((part) => !part.hidden);
  assertEqual(parts.length, names.length, 'the number of parts');
});

test('a filter that nothing has leaves nothing, and an empty one all', () => {
  setFilter('no such kernel');
  assertEqual(tableRows().length, 0, 'the number of rows');
  setFilter('');
  assertEqual(tableRows().length, atlas.kernels.length, 'the number of rows');
});

// ---- Kernels --------------------------------------------------------------------------------------------------------

const seed = `conv_f32_c8_k3x3_o32_bamsg_${hasGpuKernels ? 'resident_sm90a' : 'host_base'}`;

test('each kernel opens with its plan, its header and its source', async () => {
  for (const kernel of atlas.kernels) {
    document.getElementById(kernel.name).open = true;
  }
  await soon();
  for (const kernel of atlas.kernels) {
    const part = document.getElementById(kernel.name);
    const plan = part.querySelector('dl').textContent;
    assert(plan.includes(`${kernel.strategy}, math ${kernel.math}`), `${kernel.name} lacks its plan`);
    assert(/row(.*\/)?shapes\.lua:\d+strategy/.test(plan), `${kernel.name} lacks its row`);
    assert(part.querySelector('.header').textContent.includes('Operator'), `${kernel.name} lacks its header`);
    assertEqual(part.querySelector('.source pre').textContent, kernel.source, `the source of ${kernel.name}`);
  }
});

// As page.sh adds it; in one piece it would end this script, too.
const markup = ['<', '/script><script>console.error("a source was run")<', '/script><', '!-- '].join('');

test('markup in a source is text', async () => {
  const source = (await opened(seed)).querySelector('.source pre').textContent;
  assert(source.includes(markup), 'it lacks the markup');
});

test('a link of the table opens the kernel', async () => {
  const part = document.getElementById(seed);
  part.open = false;
  document.querySelector(`#kernels a[href="#${seed}"]`).click();
  await soon();
  assert(part.open, 'it is not open');
  part.open = false;
  document.querySelector(`#kernels a[href="#${seed}"]`).click();
  await soon();
  assert(part.open, 'it is not open the second time');
});

// ---- GPUs -----------------------------------------------------------------------------------------------------------

if (hasGpuKernels) {
  test('figures follow from the size and the measured time', () => {
    chooseGpu('h200');
    const ms = measurementOf(kernelOf.get(seed), 'h200').ms;
    const bytes = 4 * 128 * (8 * 256 * 256 + 32 * 254 * 254), flops = 2 * 128 * 254 * 254 * 2304;
    assertEqual(cellOfKernel(seed, 'GB/s'), digits(bytes / ms / 1e6), 'GB/s');
    assertEqual(cellOfKernel(seed, 'TFLOP/s'), digits(flops / ms / 1e9), 'TFLOP/s');
    assertEqual(cellOfKernel(seed, 'Of the roof'), percent(bytes / 3910e6 / ms), 'the share of the roof');
  });

  test('a GPU that was measured has filled points, and one that was not hollow ones that say so', () => {
    chooseGpu('h200');
    assert(document.querySelector('.point.measured') && !document.querySelector('.point.predicted'), 'of h200');
    chooseGpu('rtx4090');
    assert(document.querySelector('.point.predicted') && !document.querySelector('.point.measured'), 'of rtx4090');
    assert(document.getElementById('plot-caption').textContent.includes('Predicted, not measured'), 'the caption');
    assert(document.getElementById('table-note').textContent.includes('Nothing was measured'), 'the note');
  });

  test('a kernel has no time on a GPU that does not run it', () => {
    chooseGpu('rtx4090');
    assertEqual(cellOfKernel(seed, 'Predicted, µs'), '', 'its time');
    assertEqual(cellOfKernel(seed, 'Occupancy'), '', 'its occupancy');
  });

  test('every GPU has a roofline whose points are within the plot', () => {
    for (const profile of atlas.profiles) {
      chooseGpu(profile.name);
      const points = [...document.querySelectorAll('.point')];
      assert(points.length > 0, `${profile.name} has no point`);
      assertEqual(document.querySelectorAll('.roof').length, units.length, `the roofs of ${profile.name}`);
      assert(points.every((point) => {
        const x = point.cx.baseVal.value, y = point.cy.baseVal.value;
        return x >= plot.left && x <= plot.width - plot.right && y >= plot.top && y <= plot.height - plot.bottom;
      }), `a point of ${profile.name} is outside`);
    }
  });

  test('what has no value stands last in both directions', () => {
    chooseGpu('h200');
    press('Predicted, µs');
    assertOrdered(cellTexts('Predicted, µs'), 1);
    press('Predicted, µs');
    assertOrdered(cellTexts('Predicted, µs'), -1);
  });

  test('each layer of a sweep is beside the fastest other', () => {
    const layers = atlas.sweeps.flatMap((sweep) => sweep.workloads);
    const compared = layers.filter((layer) => layer.rows.some((row) => row.kind === 'peer'));
    assert(compared.length > 0, 'there is no sweep');
    assertEqual(document.querySelectorAll('.comparison').length, layers.length, 'the number of comparisons');
    assertEqual(document.querySelectorAll('.bar.peer').length, compared.length, 'the number of others');
  });
}

// ---- The whole page -------------------------------------------------------------------------------------------------

test('the page is as wide as the screen', () => {
  const page = document.documentElement;
  assert(page.scrollWidth <= page.clientWidth, `${page.scrollWidth} pixels of ${page.clientWidth}`);
});

test('nothing is loaded from elsewhere', () => {
  assertEqual(performance.getEntriesByType('resource').length, 0, 'the number of files');
});

async function run() {
  for (const { name, check } of checks) {
    try {
      await check();
      console.log(`ok ${name}`);
    } catch (error) {
      console.log(`FAILED ${name}: ${error.message}`);
    }
  }
  console.log('all checked');
}

run();
