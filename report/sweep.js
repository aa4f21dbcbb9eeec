// SPDX-License-Identifier: Apache-2.0
//
// Recorded sweeps: this library's time of each layer beside the fastest of the others'.

// The row of a kind with the least time, of those that compute what `like` does; undefined where there is none.
function fastest(rows, kind, like) {
  const fitting = rows.filter((row) => row.kind === kind && row.dtype === like.dtype &&
    (kind === 'floor' || row.math === like.math));
  return fitting.reduce((best, row) => (best && best.ms <= row.ms ? best : row), undefined);
}

function comparisonsOf(sweep) {
  return sweep.workloads.flatMap((workload) => workload.rows.filter((row) => row.kind === 'library').map((row) => ({
    workload,
    row,
    floor: fastest(workload.rows, 'floor', row),
    peer: fastest(workload.rows, 'peer', row),
  })));
}

function bar(ms, most, kind) {
  return element('div', { class: `bar ${kind}`, style: `inline-size: ${(100 * ms / most).toFixed(2)}%` });
}

function timeLine(title, row, most, kind) {
  return row ? [element('span', {}, title), element('span', { class: 'track' }, bar(row.ms, most, kind)),
    element('span', { class: 'number' }, `${microseconds(row.ms)} µs`)] : [];
}

function drawComparison({ workload, row, floor, peer }) {
  const most = Math.max(row.ms, peer ? peer.ms : 0);
  const name = row.name.replace(/^convsmith /, '');
  const title = element('p', {}, element('strong', {}, workload.name), ` ${workload.what}; ${workload.chain}, `,
    kernelOf.has(name) ? kernelLink(name) : name, peer ? `: ${(peer.ms / row.ms).toFixed(2)} times as fast` : '');
  return element('div', { class: 'comparison' }, title, element('div', { class: 'bars' },
    ...timeLine('convsmith', row, most, 'library'), ...timeLine(peer ? peer.name : '', peer, most, 'peer'),
    ...timeLine(floor ? floor.name : '', floor, most, 'floor')));
}

function drawSweep(sweep) {
  const title = `${profileOf.get(sweep.gpu).title}, ${sweep.file} of ${sweep.date}: the fastest other of the same ` +
    'element type and math, and a plain kernel that reads x once and writes y once.';
  return element('div', {}, element('p', { class: 'note' }, title), ...comparisonsOf(sweep).map(drawComparison));
}

function drawSweeps() {
  const none = element('p', { class: 'note' }, 'No sweep was recorded.');
  document.getElementById('sweeps').replaceChildren(...(atlas.sweeps.length ? atlas.sweeps.map(drawSweep) : [none]));
}
