// SPDX-License-Identifier: Apache-2.0
//
// The page at work: what the GPU and the filter let show.

const gpuChoice = document.getElementById('gpu');
const filterBox = document.getElementById('filter');

const searchText = new Map(atlas.kernels.map((kernel) => [kernel, [kernel.name, kernel.strategy, kernel.schedule,
  kernel.dtype, kernel.math, kernel.layout, kernel.target, kernel.device, kernel.epilogue].join(' ').toLowerCase()]));

// The kernels of which each word of the filter is in the name or in a column of words.
function filteredKernels() {
  const words = filterBox.value.toLowerCase().split(/\s+/).filter((word) => word);
  return atlas.kernels.filter((kernel) => words.every((word) => searchText.get(kernel).includes(word)));
}

function redraw() {
  const kernels = filteredKernels();
  drawTable(kernels, gpuChoice.value);
  drawRoofline(kernels, gpuChoice.value);
  showParts(kernels);
  document.getElementById('count').textContent = `${kernels.length} of ${atlas.kernels.length} kernels`;
}

// A link to the part that the address names already opens it, too.
function openLinked(event) {
  const link = event.target.closest('a[href^="#"]');
  if (link && link.getAttribute('href') === location.hash) {
    openNamed();
  }
}

function begin() {
  for (const profile of atlas.profiles) {
    const title = profile.title + (measuredGpus.has(profile.name) ? ', measured' : '');
    gpuChoice.append(element('option', { value: profile.name }, title));
  }
  gpuChoice.value = (atlas.profiles.find((profile) => measuredGpus.has(profile.name)) || atlas.profiles[0]).name;
  document.getElementById('controls').addEventListener('submit', (event) => event.preventDefault());
  gpuChoice.addEventListener('change', redraw);
  filterBox.addEventListener('input', redraw);
  document.addEventListener('click', openLinked);
  window.addEventListener('hashchange', openNamed);
  drawHeadings(redraw);
  drawParts();
  drawSweeps();
  redraw();
  openNamed();
}

begin();
