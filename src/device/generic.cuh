// SPDX-License-Identifier: Apache-2.0
//
// The generic CUDA kernels' bodies. Blocks walk over tiles, or sets of values, so that there may be more of them than a
// launch has blocks.
#pragma once

#include <device/generic_epilogue.cuh>
#include <device/generic_pack.h>
#include <device/generic_products.cuh>
#include <device/generic_statistics.cuh>

// The tile of what is not a product of matrices.
using generic_plain = generic_shape<64, 64, 1>;

// Pixels and channels of tile `tile` of channel tiles of `channels` of a range of `range`: they are the channels of one
// group of the convolution after the other, or all of them.
template <class S>
__device__ __forceinline__ generic_place locate_tile(const cs_generic_args &args, int64_t tile, int64_t channel_tiles,
                                                     int range, int range_tiles) {
    const int64_t pixel = tile / channel_tiles * S::pixels, channel_tile = tile % channel_tiles;
    const int64_t rest = args.all_pixels - pixel;
    const int first = static_cast<int>(channel_tile % range_tiles) * S::channels;
    return {pixel, rest < S::pixels ? static_cast<int>(rest) : S::pixels,
            static_cast<int>(channel_tile / range_tiles) * range + first, min(S::channels, range - first)};
}

template <class S, class E, bool DIRECT> __device__ __forceinline__ void generic_convolve(const cs_generic_args &args) {
    generic_memory<S> &memory = *shared_memory<generic_memory<S>>();
    const int range = DIRECT ? args.weight.c_out : args.weight.group_out;
    const int64_t tiles = args.pixel_tiles * args.channel_tiles;
    for (int64_t tile = block_index(); tile < tiles; tile += block_count()) {
        const generic_place place = locate_tile<S>(args, tile, args.channel_tiles, range, args.group_tiles);
        locate_pixels<S>(args, place, memory.pixels);
        sync_threads();
        if constexpr (DIRECT)
            generic_direct<S, E>(args, place, memory);
        else
            generic_products<S, E>(args, place, memory);
        const int last = args.program.normalisation;
        generic_epilogue<S, E>(args, place, 0, last, last < args.program.count, memory.values, memory.pixels);
        sync_threads();
    }
}

template <class E> __device__ __forceinline__ void generic_apply(const cs_generic_args &args) {
    using S = generic_plain;
    generic_memory<S> &memory = *shared_memory<generic_memory<S>>();
    const int range_tiles = (args.weight.c_out + S::channels - 1) / S::channels;
    const int64_t tiles = (args.all_pixels + S::pixels - 1) / S::pixels * range_tiles;
    for (int64_t tile = block_index(); tile < tiles; tile += block_count()) {
        const generic_place place = locate_tile<S>(args, tile, range_tiles, args.weight.c_out, range_tiles);
        locate_pixels<S>(args, place, memory.pixels);
        sync_threads();
        const generic_share share = share_of_thread<S>(false);
        for (int i = 0; i < S::values; ++i) {
            const int channel = share.channel + i * share.next_channel;
            if (share.pixel < place.pixels && channel < place.channels)
                memory.values[channel * S::pitch + share.pixel] = load_global(
                    args.values + memory.pixels[share.pixel].value + (place.channel + channel) * args.pixels);
        }
        sync_threads();
        generic_epilogue<S, E>(args, place, args.program.normalisation, args.program.count, false, memory.values,
                               memory.pixels);
        sync_threads();
    }
}

__device__ __forceinline__ void generic_prepack(const cs_generic_pack_args &args) {
    const cs_generic_weight &w = args.weight;
    const int64_t begin = block_index() * block_threads() + thread_index(), step = block_count() * block_threads();
    float *const packed = static_cast<float *>(args.pack.packed);
    const int64_t weights = w.conv_groups * w.taps * args.weight_room;
    for (int64_t i = begin; i < weights; i += step) {
        const int64_t channel = i % args.weight_room, row = i / args.weight_room;
        packed[i] = channel < w.group_out
                        ? cs_generic_weight_of(&args, row / w.taps * w.group_out + channel, row % w.taps)
                        : 0.0f;
    }
    for (int64_t channel = begin; channel < w.c_out; channel += step)
        cs_generic_pack_operands(&args, channel);
}
