-- SPDX-License-Identifier: Apache-2.0
--
-- Figures of NVIDIA's Ada whitepaper; nothing here was measured.
return {
    name = "rtx4090",
    title = "NVIDIA GeForce RTX 4090 (Ada, sm_89)",
    compute_capability = 89,
    sms = 128,
    clock_ghz = 2.52,
    registers_per_sm = 65536,
    registers_per_thread = 255,
    threads_per_block = 1024,
    threads_per_sm = 1536,
    warps_per_sm = 48,
    blocks_per_sm = 24,
    shared_per_sm = 100 * 1024,
    shared_per_block = 99 * 1024,
    shared_bytes_per_cycle = 128, -- of an SM
    special_per_cycle = 16, -- of an SM: results of exp2, reciprocal, tanh
    l2_bytes = 72 * 1024 * 1024,
    l2_bytes_per_cycle = 64 * 128, -- not known: what its multiprocessors can take
    dram_gbs = 1008,
    stream_gbs = 1008, -- not measured: the datasheet's rate
    f16_tflops = 165.2, -- and bf16; sums in fp32, dense
    tf32_tflops = 82.6,
    fp32_tflops = 82.6,
    mma_share = 1, -- of the tensor cores' rates that mma.sync reaches: all
}
