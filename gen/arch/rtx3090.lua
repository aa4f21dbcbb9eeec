-- SPDX-License-Identifier: Apache-2.0
--
-- Figures of NVIDIA's GA102 whitepaper; nothing here was measured.
return {
    name = "rtx3090",
    title = "NVIDIA GeForce RTX 3090 (Ampere, sm_86)",
    compute_capability = 86,
    sms = 82,
    clock_ghz = 1.695,
    registers_per_sm = 65536,
    registers_per_thread = 255,
    threads_per_block = 1024,
    threads_per_sm = 1536,
    warps_per_sm = 48,
    blocks_per_sm = 16,
    shared_per_sm = 100 * 1024,
    shared_per_block = 99 * 1024,
    shared_bytes_per_cycle = 128, -- of an SM
    special_per_cycle = 16, -- of an SM: results of exp2, reciprocal, tanh
    l2_bytes = 6 * 1024 * 1024,
    l2_bytes_per_cycle = 64 * 82, -- not known: what its multiprocessors can take
    dram_gbs = 936,
    stream_gbs = 936, -- not measured: the datasheet's rate
    f16_tflops = 71, -- and bf16; sums in fp32, dense
    tf32_tflops = 35.6,
    fp32_tflops = 35.6,
    mma_share = 1, -- of the tensor cores' rates that mma.sync reaches: all
}
