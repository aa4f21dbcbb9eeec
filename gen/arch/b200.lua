-- SPDX-License-Identifier: Apache-2.0
--
-- A GPU of NVIDIA's HGX B200 datasheet; multiprocessors, clock and L2 as the driver reports them. Nothing here was
-- measured.
return {
    name = "b200",
    title = "NVIDIA B200 (Blackwell, sm_100)",
    compute_capability = 100,
    sms = 148,
    clock_ghz = 1.965,
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
    l2_bytes = 132644864,
    l2_bytes_per_cycle = 64 * 148, -- not known: what its multiprocessors can take
    dram_gbs = 8000,
    stream_gbs = 8000, -- not measured: the datasheet's rate
    f16_tflops = 2250, -- and bf16; sums in fp32, dense
    tf32_tflops = 1125,
    fp32_tflops = 75,
    mma_share = 0.62, -- of the tensor cores' rates that mma.sync reaches: not known, Hopper's
}
