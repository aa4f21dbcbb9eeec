-- SPDX-License-Identifier: Apache-2.0
--
-- Figures of NVIDIA's datasheet, the size of L2 as the driver reports it; what was measured says so.
return {
    name = "h200",
    title = "NVIDIA H200 (Hopper, sm_90)",
    compute_capability = 90,
    sms = 132,
    clock_ghz = 1.98,
    registers_per_sm = 65536,
    registers_per_thread = 255,
    threads_per_block = 1024,
    threads_per_sm = 2048,
    warps_per_sm = 64,
    blocks_per_sm = 32,
    shared_per_sm = 228 * 1024,
    shared_per_block = 227 * 1024,
    shared_bytes_per_cycle = 128, -- of an SM
    special_per_cycle = 16, -- of an SM: results of exp2, reciprocal, tanh
    l2_bytes = 60 * 1024 * 1024,
    l2_bytes_per_cycle = 64 * 132, -- not known: what its multiprocessors can take
    dram_gbs = 4800,
    stream_gbs = 3910, -- measured: a plain kernel that reads 0.27 GB and writes 1.06 GB
    f16_tflops = 989, -- and bf16; sums in fp32, dense
    tf32_tflops = 495,
    fp32_tflops = 67,
    mma_share = 0.62, -- of the tensor cores' rates that mma.sync reaches, by others' measurements
}
