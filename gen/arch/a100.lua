-- SPDX-License-Identifier: Apache-2.0
--
-- Figures of NVIDIA's datasheet of the 80 GB SXM4 module and of the A100 whitepaper; nothing here was measured.
return {
    name = "a100",
    title = "NVIDIA A100 SXM4 80 GB (Ampere, sm_80)",
    compute_capability = 80,
    sms = 108,
    clock_ghz = 1.41,
    registers_per_sm = 65536,
    registers_per_thread = 255,
    threads_per_block = 1024,
    threads_per_sm = 2048,
    warps_per_sm = 64,
    blocks_per_sm = 32,
    shared_per_sm = 164 * 1024,
    shared_per_block = 163 * 1024,
    shared_bytes_per_cycle = 128, -- of an SM
    special_per_cycle = 16, -- of an SM: results of exp2, reciprocal, tanh
    l2_bytes = 40 * 1024 * 1024,
    l2_bytes_per_cycle = 5120, -- of the whole GPU, read
    dram_gbs = 2039,
    stream_gbs = 2039, -- not measured: the datasheet's rate
    f16_tflops = 312, -- and bf16; sums in fp32, dense
    tf32_tflops = 156,
    fp32_tflops = 19.5,
    mma_share = 1, -- of the tensor cores' rates that mma.sync reaches: all
}
