// SPDX-License-Identifier: Apache-2.0
//
// The data of cli/report.c, and the figures that follow from them. Times are milliseconds, rates 1e12 flops or 1e9
// bytes a second.
'use strict';

const atlas = JSON.parse(document.getElementById('data').textContent);
const profileOf = new Map(atlas.profiles.map((profile) => [profile.name, profile]));
const kernelOf = new Map(atlas.kernels.map((kernel) => [kernel.name, kernel]));
const measuredGpus = new Set(atlas.measured.map((time) => time.gpu));

// ---- Where products are formed, and a GPU's rate there --------------------------------------------------------------

const units = [
  { id: 'ffma', title: 'FFMA', rate: (profile) => profile.fp32_tflops },
  { id: 'tf32x3', title: 'tensor cores, 3 TF32 products for one of fp32', rate: (profile) => profile.tf32_tflops / 3 },
  { id: 'tf32', title: 'tensor cores, TF32', rate: (profile) => profile.tf32_tflops },
  { id: 'f16', title: 'tensor cores, F16 and BF16', rate: (profile) => profile.f16_tflops },
];

// The unit of a CUDA kernel.
function unitOf(kernel) {
  const tf32 = kernel.math === 'fp32' ? 'tf32x3' : 'tf32';
  const id = kernel.unit === 'ffma' ? 'ffma' : kernel.unit.endsWith('_tf32') ? tf32 : 'f16';
  return units.find((unit) => unit.id === id);
}

// ---- Work -----------------------------------------------------------------------------------------------------------

const elementBytes = { f32: 4, f16: 2, bf16: 2 };

function outputs(input, pad, dilation, taps, stride) {
  return Math.floor((input + 2 * pad - dilation * (taps - 1) - 1) / stride) + 1;
}

// The least that a problem of size { n, h, w } asks for: tensors read once, y written once.
function workOf(kernel, size) {
  const k = kernel;
  const pixels = size.n * outputs(size.h, k.pad_h, k.dilation_h, k.kh, k.stride_h) *
    outputs(size.w, k.pad_w, k.dilation_w, k.kw, k.stride_w);
  const added = k.epilogue.split('+').filter((step) => step === 'add_tensor').length;
  const elements = size.n * k.c_in * size.h * size.w + pixels * k.c_out * (1 + added);
  return { flops: 2 * pixels * k.multiply_adds, bytes: elements * elementBytes[k.dtype] };
}

function referenceOf(kernel) {
  return { n: kernel.ref_n, h: kernel.ref_h, w: kernel.ref_w };
}

// The shortest times that moving the bytes and doing the flops take on a GPU.
function floorOf(kernel, profile, size) {
  const work = workOf(kernel, size);
  const memory = work.bytes / profile.stream_gbs / 1e6;
  const arithmetic = work.flops / unitOf(kernel).rate(profile) / 1e9;
  return { memory, arithmetic, ms: Math.max(memory, arithmetic) };
}

// ---- Times ----------------------------------------------------------------------------------------------------------

// All measured times of a kernel, the best to show first: of the kernel as it is, then the latest.
function measuredOf(kernel, gpu) {
  const times = atlas.measured.filter((time) => time.kernel === kernel.name && time.gpu === gpu).reverse();
  return times.sort((a, b) => a.other_plan - b.other_plan || (b.date || '').localeCompare(a.date || ''));
}

// The measured time of the reference problem, or undefined.
function measurementOf(kernel, gpu) {
  return measuredOf(kernel, gpu).find((time) => time.n === kernel.ref_n && time.h === kernel.ref_h &&
    time.w === kernel.ref_w);
}

function predictedMs(kernel, gpu) {
  const prediction = kernel.predicted && kernel.predicted[gpu];
  return prediction && prediction.ms;
}

// What is known of a kernel's reference problem on a GPU: { ms, isMeasured, gbs, tflops, share, intensity }, or null.
// The time is measured where one was, else predicted.
function speedOf(kernel, gpu) {
  const measurement = measurementOf(kernel, gpu);
  const ms = measurement ? measurement.ms : predictedMs(kernel, gpu);
  if (ms === undefined || !kernel.unit) {
    return null;
  }
  const size = referenceOf(kernel);
  const work = workOf(kernel, size);
  return {
    ms,
    isMeasured: measurement !== undefined,
    gbs: work.bytes / ms / 1e6,
    tflops: work.flops / ms / 1e9,
    share: floorOf(kernel, profileOf.get(gpu), size).ms / ms,
    intensity: work.flops / work.bytes,
  };
}
