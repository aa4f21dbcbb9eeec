// SPDX-License-Identifier: Apache-2.0
//
// The machine, by name: what Hopper (sm_90a) has more. Part of device/ptx.cuh.
#pragma once

#ifdef __CUDA_ARCH_FEAT_SM90_ALL
#define CS_HAS_SM90A

__device__ __forceinline__ uint32_t shared_address(const void *shared) {
    return static_cast<uint32_t>(__cvta_generic_to_shared(shared));
}

// Barriers in shared memory whose phases complete after so many arrivals. A wait for a parity returns once the phase of
// that parity is complete; before the first phase, parity 1 counts as complete.
__device__ __forceinline__ void mbarrier_init(uint64_t *barrier, int arrivals) {
    asm volatile("mbarrier.init.shared.b64 [%0], %1;" ::"r"(shared_address(barrier)), "r"(arrivals) : "memory");
}
__device__ __forceinline__ void mbarrier_init_fence() {
    asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
    asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
}
__device__ __forceinline__ void mbarrier_arrive(uint64_t *barrier) {
    asm volatile("mbarrier.arrive.shared.b64 _, [%0];" ::"r"(shared_address(barrier)) : "memory");
}
__device__ __forceinline__ void mbarrier_wait(uint64_t *barrier, int parity) {
    asm volatile("{\n"
                 ".reg .pred complete;\n"
                 "again: mbarrier.try_wait.parity.shared.b64 complete, [%0], %1;\n"
                 "@!complete bra again;\n"
                 "}" ::"r"(shared_address(barrier)),
                 "r"(parity)
                 : "memory");
}
// Makes this thread's ordinary writes to shared memory visible to wgmma.
__device__ __forceinline__ void fence_async_shared() { asm volatile("fence.proxy.async.shared::cta;" ::: "memory"); }

// Between ordinary writes to global memory and a counter that tells of them; and between having seen that in the
// counter and a tensor_load of them.
__device__ __forceinline__ void fence_async_global() {
    asm volatile("fence.proxy.async.global;\n"
                 "fence.acq_rel.gpu;\n"
                 "fence.proxy.async.global;" ::
                     : "memory");
}

// Adds to the bytes that the barrier's phase waits for, and arrives.
__device__ __forceinline__ void mbarrier_expect(uint64_t *barrier, int bytes) {
    asm volatile("mbarrier.arrive.expect_tx.shared.b64 _, [%0], %1;" ::"r"(shared_address(barrier)), "r"(bytes)
                 : "memory");
}

// Copies `bytes` to shared memory, all a multiple of 16, and counts them at the barrier.
__device__ __forceinline__ void bulk_load(void *shared, const void *global, int bytes, uint64_t *barrier) {
    asm volatile("cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1], %2, [%3];" ::"r"(
                     shared_address(shared)),
                 "l"(global), "r"(bytes), "r"(shared_address(barrier))
                 : "memory");
}

// Copies the box of a tensor that begins at column c, w, h, n, its first index the fastest; what lies outside is zero.
// The map is in constant memory: a kernel's argument. All bytes of the box are counted at the barrier.
__device__ __forceinline__ void tensor_load(void *shared, const cs_tensor_map &map, int c, int w, int h, int n,
                                            uint64_t *barrier) {
    asm volatile("cp.async.bulk.tensor.4d.shared::cluster.global.tile.mbarrier::complete_tx::bytes [%0], [%1, {%3, "
                 "%4, %5, %6}], [%2];" ::"r"(shared_address(shared)),
                 "l"(&map), "r"(shared_address(barrier)), "r"(c), "r"(w), "r"(h), "r"(n)
                 : "memory");
}

// A barrier of so many threads, whole warps that all come to it. There are those of numbers 1 to 15.
__device__ __forceinline__ void sync_some_threads(int number, int threads) {
    asm volatile("bar.sync %0, %1;" ::"r"(number), "r"(threads) : "memory");
}

// Changes the registers that each thread of a warpgroup has; all its warps call it.
template <int REGISTERS> __device__ __forceinline__ void registers_release() {
    asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" ::"n"(REGISTERS));
}
template <int REGISTERS> __device__ __forceinline__ void registers_acquire() {
    asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" ::"n"(REGISTERS));
}

#endif
