// SPDX-License-Identifier: Apache-2.0
//
// The resident schedule on Hopper: one launch in which each block keeps a band of several samples in shared
// memory, its values after the pointwise steps, until the blocks of a sample have agreed on its statistics; then they
// are normalised and written once. x is read once and y is written once.
//
// A block's warps have roles, joined by mbarriers, and each walks the block's samples at its own pace:
//     stagers     (resident_stage.cuh)       bring a sample's inputs to shared memory as operands of products
//     computers   (resident_compute.cuh)     convolve; leave the values in a buffer and their moments beside it
//     publisher   (resident_statistics.cuh)  adds the band's moments to the sample's sums in global memory
//     merger      (resident_statistics.cuh)  waits until all bands have added theirs, makes the normalisation
//     writers     (resident_write.cuh)       normalise the buffer and write y, which frees the buffer
//
// The pixels of a sample are numbered along rows of x, each with the columns of padding on its left: of such a width,
// place p is row p / width, column p % width, so that the input under a tap is at a fixed distance whatever the pixel;
// what a row is padded with on its right is the left of the next one. Pixels beyond w_out are computed and dropped. A
// band is a number of tiles, wherever they end; or, of kernels for large images (in_parts), parts of whole rows, each
// with a buffer of its own, which computers and writers walk one by one.
//
// A kernel describes itself by a type S, which its template emits:
//     tensor              elements of x and y
//     operand             elements that the tensor cores take
//     c_in, c_out, kh, kw, pad_h, pad_w
//     n                   columns of a product: c_out, padded to 8, 16, 32 or 64
//     tiles               of 64 pixels that a computing warpgroup holds at once
//     in_parts            whether bands have parts
//     pitch               of a buffer's channels, in floats: known here, so that a value's place is an immediate offset
//     pieces              of a number in operands: 1, or 2 for products of the accuracy of fp32 (split.cuh)
//     planes              of operands, a piece: 16 bytes a pixel each
//     steps               products a tile and piece
//     by_channel, lanes   what a plane's 16 bytes are (resident_stage.cuh)
//     slots               pairs of constants a channel
//     stagers, writers    warps, RESIDENT_SERVANTS - 2 together
//     rounds              of loads that a stager has under way
//     fours               of values that a writer's lane has under way
//     zeros               pixels of zero behind each piece's planes: a tile where a step has half of its k only
//     sum_words, square_words  of a group's sums (resident_statistics.cuh)
//     fixed_bytes         what resident_memory has, but operands' planes and buffers
#pragma once

#include <device/args.h>
#include <device/pointwise.cuh>
#include <device/ptx.cuh>

// Warps in the order of their numbers: computers, and their servants: stagers, publisher, merger, writers. (The other
// way round, f16 loses 2 %.) Each warpgroup (four warps) has one number of registers.
constexpr int RESIDENT_COMPUTERS = 8, RESIDENT_SERVANTS = 8;
constexpr int RESIDENT_WARPS = RESIDENT_COMPUTERS + RESIDENT_SERVANTS;
constexpr int RESIDENT_GROUPS = RESIDENT_COMPUTERS / 4; // computing warpgroups
constexpr int RESIDENT_MAX_BUFFERS = 4;
constexpr int RESIDENT_TILE = 64; // pixels of a product

#ifdef CS_HAS_SM90A

// A block's band: `places` from number `place` on, of samples first, first + step, ...
struct resident_band {
    int first, step, place, places;
};

// Places of a row.
template <class S> __device__ __forceinline__ int width_of(const cs_conv_args &args) { return args.w + S::pad_w; }

template <class S> __device__ __forceinline__ resident_band locate_band(const cs_conv_args &args) {
    const cs_resident &r = args.resident;
    const int block = static_cast<int>(block_index());
    resident_band band;
    band.first = block / r.bands;
    band.step = r.lanes;
    band.place = block % r.bands * r.places;
    band.places = min(r.places, (args.h_out - 1) * width_of<S>(args) + args.w_out - band.place);
    return band;
}

// How many values a channel of y has of the places before this one.
template <class S> __device__ __forceinline__ int values_before(const cs_conv_args &args, int place) {
    return place / width_of<S>(args) * args.w_out + min(place % width_of<S>(args), args.w_out);
}

// A channel's values of the band: `count` of y from number `first` on, of a buffer from `lead` on. Where they are
// aligned, what stands `lead` before them is at a multiple of 16 bytes in y too, in each channel.
struct resident_run {
    int first, count, lead;
    bool aligned;
};

template <class S> __device__ __forceinline__ resident_run run_of(const cs_conv_args &args, const resident_band &band) {
    resident_run run;
    run.first = values_before<S>(args, band.place);
    run.count = values_before<S>(args, band.place + band.places) - run.first;
    run.aligned = args.resident.y_aligned && args.h_out * args.w_out % 4 == 0;
    run.lead = run.aligned ? run.first % 4 : 0;
    return run;
}

// A block's bands of sample after sample; of kernels in parts, a band's parts one after the other.
template <class S> struct resident_walk {
    const int step, places, parts; // from a sample to the next; places of a part; parts of a band
    const resident_run band;
    const int part_values;   // of a channel in a whole part
    int n, part = 0, parity; // sample, part, and 0 for the first sample, then 1, 0, ...

    __device__ __forceinline__ resident_walk(const cs_conv_args &args, const resident_band &band)
        : step(band.step), places(args.resident.part), parts(S::in_parts ? (band.places + places - 1) / places : 1),
          band(run_of<S>(args, band)), part_values(S::in_parts ? values_before<S>(args, places) : 0), n(band.first),
          parity(0) {}
    __device__ __forceinline__ bool at_first() const { return !S::in_parts || part == 0; }
    __device__ __forceinline__ bool at_last() const { return !S::in_parts || part + 1 == parts; }
    __device__ __forceinline__ int place() const { return S::in_parts ? part * places : 0; } // in the band
    __device__ __forceinline__ resident_run run() const {
        if (!S::in_parts)
            return band;
        const int before = part * part_values, first = band.first + before;
        return {first, min(part_values, band.count - before), band.aligned ? first % 4 : 0, band.aligned};
    }
    __device__ __forceinline__ void advance() {
        ++part;
        if (part < parts)
            return;
        part = 0;
        n += step;
        parity ^= 1;
    }
};

// One channel's share of a sample's two sums.
struct resident_sums {
    double sum, squares;
};

// A group's statistics.
struct resident_group {
    double mean;
    float rstd;
};

// The block's shared memory: what has the same size for every problem first, then operands, then buffers.
template <class S> struct resident_memory {
    char *weights;            // [pieces][steps][2][n][16 bytes]
    cs_moments *warp_moments; // [computers][n]
    float *warp_counts;       // [computers]: pixels
    resident_sums *sums;      // [n]
    resident_group *groups;   // [n]
    cs_affine *scales;        // [n]: group_norm's weight and bias
    cs_affine *normalisation; // [2][n]
    cs_affine *constants;     // [n][slots]
    uint64_t *inputs_full, *inputs_empty, *moments_full, *moments_empty;
    uint64_t *buffer_full, *buffer_empty;               // [RESIDENT_MAX_BUFFERS]
    uint64_t *normalisation_full, *normalisation_empty; // [2]
    char *operands;                                     // [pieces][planes * pixels + zeros][16 bytes]
    float *buffers;                                     // [buffers][c_out][S::pitch]

    static constexpr int weight_bytes = S::pieces * S::steps * 2 * S::n * 16;
    static constexpr int barriers = 4 + 2 * RESIDENT_MAX_BUFFERS + 4;
    const int piece_pixels; // of operands

    __device__ __forceinline__ explicit resident_memory(const cs_resident &r)
        : piece_pixels(S::planes * r.pixels + S::zeros) {
        weights = shared_memory<char>();
        warp_moments = reinterpret_cast<cs_moments *>(weights + weight_bytes);
        sums = reinterpret_cast<resident_sums *>(warp_moments + RESIDENT_COMPUTERS * S::n);
        groups = reinterpret_cast<resident_group *>(sums + S::n);
        scales = reinterpret_cast<cs_affine *>(groups + S::n);
        normalisation = scales + S::n;
        constants = normalisation + 2 * S::n;
        inputs_full = reinterpret_cast<uint64_t *>(constants + S::n * S::slots);
        inputs_empty = inputs_full + 1;
        moments_full = inputs_full + 2;
        moments_empty = inputs_full + 3;
        buffer_full = inputs_full + 4;
        buffer_empty = buffer_full + RESIDENT_MAX_BUFFERS;
        normalisation_full = buffer_empty + RESIDENT_MAX_BUFFERS;
        normalisation_empty = normalisation_full + 2;
        warp_counts = reinterpret_cast<float *>(inputs_full + barriers);
        operands = reinterpret_cast<char *>(warp_counts + RESIDENT_COMPUTERS);
        buffers = reinterpret_cast<float *>(operands + S::pieces * piece_pixels * 16);
        static_assert(
            weight_bytes + RESIDENT_COMPUTERS * (S::n * sizeof(cs_moments) + sizeof(float)) +
                    S::n * (sizeof(resident_sums) + sizeof(resident_group) + (3 + S::slots) * sizeof(cs_affine)) +
                    barriers * sizeof(uint64_t) + S::pieces * S::zeros * 16 ==
                S::fixed_bytes,
            "the plan knows the sizes");
        static_assert(S::fixed_bytes % 16 == 0, "operands are read 16 bytes at a time");
    }

    __device__ __forceinline__ channel_constants<S::slots> constants_of(int channel) const {
        channel_constants<S::slots> values;
        for (int i = 0; i < S::slots; ++i) {
            values.value[2 * i] = constants[channel * S::slots + i].a;
            values.value[2 * i + 1] = constants[channel * S::slots + i].b;
        }
        return values;
    }

    __device__ __forceinline__ float *buffer(int index) const { return buffers + index * S::c_out * S::pitch; }

    // By one thread, before the block's first sync_threads. Each lane of a warp arrives for itself: no slower than one
    // for all of them (0.459 ms and 0.458), and a race detector can follow it.
    __device__ __forceinline__ void init_barriers() const {
        mbarrier_init(inputs_full, S::stagers * 32);
        mbarrier_init(inputs_empty, RESIDENT_COMPUTERS * 32);
        mbarrier_init(moments_full, RESIDENT_COMPUTERS * 32);
        mbarrier_init(moments_empty, 32);
        for (int i = 0; i < RESIDENT_MAX_BUFFERS; ++i) {
            mbarrier_init(buffer_full + i, RESIDENT_COMPUTERS * 32);
            mbarrier_init(buffer_empty + i, S::writers * 32);
        }
        for (int i = 0; i < 2; ++i) {
            mbarrier_init(normalisation_full + i, 32);
            mbarrier_init(normalisation_empty + i, S::writers * 32);
        }
        mbarrier_init_fence();
    }

    // By all threads, before the first sync_threads: the parameters, and the zeros.
    __device__ __forceinline__ void load_parameters(const float *packed, const float *packed_constants,
                                                    const float *norm_weight, const float *norm_bias) const {
        const int threads = RESIDENT_WARPS * 32;
        float *const to = reinterpret_cast<float *>(weights);
        for (int i = thread_index(); i < weight_bytes / 16; i += threads)
            store_shared_16(to + i * 4, load_global_16(packed + i * 4));
        for (int i = thread_index(); i < S::n * S::slots; i += threads)
            constants[i] = {load_global(packed_constants + 2 * i), load_global(packed_constants + 2 * i + 1)};
        for (int c = thread_index(); c < S::c_out; c += threads)
            scales[c] = {load_global(norm_weight + c), load_global(norm_bias + c)};
        for (int i = thread_index(); i < S::pieces * S::zeros; i += threads) {
            char *const behind = operands + (i / RESIDENT_TILE + 1) * piece_pixels * 16;
            store_shared_16(reinterpret_cast<float *>(behind - (i % RESIDENT_TILE + 1) * 16), {0.0f, 0.0f, 0.0f, 0.0f});
        }
        fence_async_shared();
    }
};

// A place in a ring of buffers, and the parity of the round.
struct resident_ring {
    int index = 0, parity = 0;
    __device__ __forceinline__ void advance(int size) {
        if (++index == size) {
            index = 0;
            parity ^= 1;
        }
    }
};

#endif
