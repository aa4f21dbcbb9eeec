// SPDX-License-Identifier: Apache-2.0
//
// From the products of a tile (device/gemm.cuh) to moments, to values in the workspace, and to y; by one warpgroup.
#pragma once

#include <device/gemm.cuh>
#include <device/moments.cuh>
#include <device/nhwc.cuh>
#include <device/tensors.cuh>

#ifdef CS_HAS_SM90A

// Where a thread's values are: its first channel of the tile (the second is 8 further on), and its first column. Not
// kept from tile to tile: the products need the registers.
struct gemm_lane {
    int thread, warp, row, pair;
    __device__ __forceinline__ gemm_lane()
        : thread(opaque(thread_index())), warp(thread % GEMM_GROUP / 32), row(thread % 32 / 4), pair(thread % 4) {}
    __device__ __forceinline__ int channel(int half) const { return warp * 16 + half * 8 + row; }
};

// Calls visit(j, row, col) for each pair of the thread's values, z[4 j + 2 half] and the next: the place in the tile of
// the first, the second being on its right. Pairs beyond the tile are visited too. The compiler cannot keep the places
// from one call to the next: those of all pairs take more registers than there are.
template <class S, class Visit> __device__ __forceinline__ void gemm_for_pairs(int pitch, const Visit &visit) {
    int row = 0, col = opaque(thread_index() % 4 * 2);
#pragma unroll
    for (int j = 0; j < S::n / 8; ++j) {
        visit(j, row, col);
        col += 8;
        const bool wraps = col >= pitch;
        col = wraps ? col - pitch : col;
        row += wraps;
    }
}

// The same places as bits, one for each pair: those whose first and second value lie in the tile, and those with which
// a row of it begins, but the first. Found row by row, they do not wait for each other as the places themselves do.
class gemm_pairs {
    uint32_t inside_[2] = {}, begins_ = 0;

  public:
    __device__ __forceinline__ gemm_pairs(const conv_tile &tile, int pitch) {
        const int lead = opaque(thread_index()) % 4 * 2;
#pragma unroll 1
        for (int row = 0, column = -lead; row < tile.rows; ++row, column += pitch) {
#pragma unroll
            for (int i = 0; i < 2; ++i)
                inside_[i] |= from(column - i) & ~from(column - i + tile.cols);
            begins_ |= row > 0 ? from(column) & ~(from(column) << 1) : 0;
        }
    }

    // The compiler would else keep the answers to what one loop asks for the next one, each a bit to be put back.
    __device__ __forceinline__ uint32_t inside(int i) const { return opaque(static_cast<int>(inside_[i])); }
    __device__ __forceinline__ uint32_t begins() const { return opaque(static_cast<int>(begins_)); }

  private:
    // The pairs from a column on, counted from the thread's first.
    static __device__ __forceinline__ uint32_t from(int column) {
        const int pair = max(column + 7, 0) / 8;
        return pair < 32 ? ~0u << pair : 0;
    }
};

// The moments of a thread's two channels. Deviations are from the channel's first value, and then from the mean, so
// that nothing is lost where all are alike.
template <class S>
__device__ __forceinline__ void gemm_moments(const conv_tile &tile, const gemm_pairs &pairs, const gemm_values<S> &z,
                                             cs_moments (&moments)[2]) {
    const int quad = thread_index() % 32 & ~3;
    const float share = reciprocal_approx(static_cast<float>(tile.rows * tile.cols));
    const auto sum_of = [&](const float(&pivot)[2], float(&sum)[2], const auto &term) {
        const uint32_t inside[2] = {pairs.inside(0), pairs.inside(1)};
        float parts[4] = {}; // of the values of a pair and channel: so that sums do not wait for each other
#pragma unroll
        for (int j = 0; j < S::n / 8; ++j)
#pragma unroll
            for (int i = 0; i < 4; ++i)
                if (inside[i % 2] >> j & 1)
                    parts[i] += term(z[4 * j + i] - pivot[i / 2]);
#pragma unroll
        for (int half = 0; half < 2; ++half)
            sum[half] = sum_over_lanes<4>(parts[2 * half] + parts[2 * half + 1]);
    };
    float mean[2] = {shuffle(z[0], quad), shuffle(z[2], quad)}, sum[2];
    sum_of(mean, sum, [](float deviation) { return deviation; });
#pragma unroll
    for (int half = 0; half < 2; ++half)
        mean[half] += sum[half] * share;
    sum_of(mean, sum, [](float deviation) { return deviation * deviation; });
#pragma unroll
    for (int half = 0; half < 2; ++half)
        moments[half] = {mean[half], sum[half]};
}

template <class S>
__device__ __forceinline__ void gemm_write_moments(const cs_conv_args &args, const conv_tile &tile,
                                                   const gemm_values<S> &z) {
    const gemm_lane at;
    cs_moments moments[2];
    gemm_moments<S>(tile, gemm_pairs(tile, args.gemm.pitch), z, moments);
    const size_t tiles = static_cast<size_t>(args.tiles_h) * args.tiles_w;
#pragma unroll
    for (int half = 0; half < 2; ++half) {
        const int channel = tile.channel + at.channel(half);
        if (at.pair == 0 && channel < S::c_out)
            args.moments[(static_cast<size_t>(tile.n) * S::c_out + channel) * tiles + tile.index] = moments[half];
    }
}

// Values in the workspace, in the order in which threads hold them: [tile][warp][half][j / 2][lane][4], two pairs of
// neighbouring values of one channel.
template <class S> __device__ __forceinline__ float *gemm_kept(const cs_conv_args &args, int tile, int warp, int half) {
    return args.values + ((static_cast<size_t>(tile) * 4 + warp) * 2 + half) * (8 * S::n) + thread_index() % 32 * 4;
}

// Leaves a tile, number `index`, to the launches that merge and normalise.
template <class S>
__device__ __forceinline__ void gemm_keep(const cs_conv_args &args, const conv_tile &tile, int index,
                                          const gemm_values<S> &z) {
    gemm_write_moments<S>(args, tile, z);
    const gemm_lane at;
#pragma unroll
    for (int half = 0; half < 2; ++half) {
        float *const to = gemm_kept<S>(args, index, at.warp, half);
#pragma unroll
        for (int j = 0; j < S::n / 8; j += 2)
            store_global_16_kept(to + j * 64, {z[4 * j + 2 * half], z[4 * j + 2 * half + 1], z[4 * j + 4 + 2 * half],
                                               z[4 * j + 5 + 2 * half]});
    }
}

// One half of a thread's values: of one channel, columns 8 j + 2 (l % 4) and the next, as v[2 j] and v[2 j + 1].
template <class S> using gemm_half = float[S::n / 4];

template <class S>
__device__ __forceinline__ void gemm_load_kept(const cs_conv_args &args, int tile, int warp, int half,
                                               gemm_half<S> &values) {
    const float *const from = gemm_kept<S>(args, tile, warp, half);
#pragma unroll
    for (int j = 0; j < S::n / 8; j += 2) {
        const float4 v = load_kept_16(from + j * 64);
        values[2 * j] = v.x, values[2 * j + 1] = v.y, values[2 * j + 2] = v.z, values[2 * j + 3] = v.w;
    }
}

// Writes eight channels of the tile from `first` on to y, whose rows are contiguous, normalised (NORMALISE) and taken
// through what stands behind that: a warp stages them without what is no output, then writes each channel's rows, as
// one run where they lie one after the other in y. value(j, i): the thread's value of column 8 j + 2 (l % 4) + i.
// `staging`: [8][staged], the warp's own.
template <class S, bool NORMALISE, class Behind, class Value>
__device__ __forceinline__ void gemm_write_planes(const cs_conv_args &args, const conv_tile &tile, int first,
                                                  const Value &value, float *staging) {
    using tensor = typename S::tensor;
    const bool joined = tile.cols == args.w_out && args.y_strides[2] == args.w_out;
    const int pitch = joined ? tile.cols : (tile.cols + 3) / 4 * 4; // runs begin at multiples of 16 bytes
    const int runs = joined ? 1 : tile.rows, count = joined ? tile.rows * tile.cols : tile.cols;
    gemm_for_pairs<S>(args.gemm.pitch, [&](int j, int row, int col) {
        float *const to = staging + thread_index() % 32 / 4 * S::staged + row * pitch + col;
#pragma unroll
        for (int i = 0; i < 2; ++i)
            if (row < tile.rows && col + i < tile.cols)
                to[i] = value(j, i);
    });
    sync_warp();
    tensor *const y = static_cast<tensor *>(args.y);
    for (int c = 0; c < 8 && first + c < S::c_out; ++c) {
        cs_affine norm = {1.0f, 0.0f};
        if (NORMALISE)
            norm = normalisation<S::c_out>(args, tile, first + c);
        for (int run = 0; run < runs; ++run) {
            const int64_t place = y_place(args, tile.n, first + c, tile.row + run, tile.col);
            const run_cut<tensor> cut(y + place, count);
            const Behind behind(args, first + c, place);
            write_run<NORMALISE, S::n, 32>(y + place, staging + c * S::staged + run * pitch, 0, cut, norm, behind);
        }
    }
    sync_warp();
}

// ---- y with contiguous channels

constexpr int GEMM_SLICE = 64;                // columns that are staged at a time
constexpr int GEMM_PIXEL = GEMM_CHANNELS + 4; // floats from one to the next: a warp's stores go to different banks
constexpr int GEMM_SLICE_FLOATS = GEMM_SLICE * GEMM_PIXEL;

// What one of THREADS threads writes of a tile: some neighbouring channels, 16 bytes, of every so manieth pixel.
template <class S, int THREADS, bool NORMALISE, class Behind> class gemm_pixel_writer {
    using tensor = typename S::tensor;
    static constexpr int VECTOR = 16 / sizeof(tensor), PARTS = GEMM_CHANNELS / VECTOR;
    static_assert(THREADS % PARTS == 0, "a thread keeps its channels and walks over the pixels");

    const cs_conv_args &args_;
    const conv_tile &tile_;
    const int thread_, part_, channel_, count_; // count_: of the channels, those that y has
    const bool whole_;
    const int64_t place_; // of channel_ of the tile's first pixel
    cs_affine norms_[VECTOR];

  public:
    __device__ __forceinline__ gemm_pixel_writer(const cs_conv_args &args, const conv_tile &tile)
        : args_(args), tile_(tile), thread_(opaque(thread_index()) % THREADS), part_(thread_ % PARTS * VECTOR),
          channel_(tile.channel + part_), count_(S::c_out - channel_),
          whole_(count_ >= VECTOR && pixels_are_aligned<VECTOR>(args.y, args.y_strides)),
          place_(pixel_place(args, tile, 0, 0) + channel_) {
        load_normalisations<S::c_out, NORMALISE>(norms_, args, tile, channel_);
    }

    // Columns `first` to `first` + `count` - 1 of the tile, as they are staged.
    __device__ __forceinline__ void write(const float *staging, int first, int count) const {
        if (count_ <= 0)
            return;
        const int pitch = args_.gemm.pitch;
#pragma unroll 2
        for (int i = thread_ / PARTS; i < count; i += THREADS / PARTS) {
            const int row = (first + i) / pitch, col = first + i - row * pitch;
            if (row < tile_.rows && col < tile_.cols)
                write_pixel(staging + i * GEMM_PIXEL + part_, row * args_.y_strides[2] + col * args_.y_strides[3]);
        }
    }

  private:
    __device__ __forceinline__ void write_pixel(const float *staged, int64_t at) const {
        float results[VECTOR];
#pragma unroll
        for (int i = 0; i < VECTOR; i += 4) {
            const float4 four = load_shared_16(staged + i);
            memcpy(results + i, &four, sizeof four);
        }
#pragma unroll
        for (int i = 0; i < VECTOR; ++i)
            if (i < count_)
                results[i] =
                    finished_value<NORMALISE, Behind>(args_, results[i], norms_[i], channel_ + i, place_ + at + i);
        write_channels<tensor>(static_cast<tensor *>(args_.y) + place_ + at, results, whole_, count_);
    }
};

// Writes a tile to y, whose channels are contiguous, as gemm_write_planes does planes; by THREADS threads, that wait
// for each other by sync(). A warp has channels warp * 8 * HALVES to (warp + 1) * 8 * HALVES - 1 of the tile, its
// threads value(half, j, i) of channel 8 half + l / 4 of those and column 8 j + 2 (l % 4) + i. `staging`:
// [GEMM_SLICE_FLOATS].
template <class S, int THREADS, int HALVES, bool NORMALISE, class Behind, class Value, class Sync>
__device__ __forceinline__ void gemm_write_pixels(const cs_conv_args &args, const conv_tile &tile, const Value &value,
                                                  float *staging, const Sync &sync) {
    const int thread = opaque(thread_index()) % THREADS, lane = thread % 32; // not kept from tile to tile
    float *const to = staging + lane % 4 * 2 * GEMM_PIXEL + thread / 32 * 8 * HALVES + lane / 4;
#pragma unroll
    for (int first = 0; first < S::n; first += GEMM_SLICE) {
        if (first >= tile.rows * args.gemm.pitch)
            break;
#pragma unroll
        for (int j = 0; j < GEMM_SLICE / 8; ++j)
            if (first + 8 * j < S::n)
#pragma unroll
                for (int k = 0; k < 2 * HALVES; ++k)
                    to[(8 * j + k % 2) * GEMM_PIXEL + k / 2 * 8] = value(k / 2, first / 8 + j, k % 2);
        sync();
        gemm_pixel_writer<S, THREADS, NORMALISE, Behind>(args, tile)
            .write(staging, first, min(GEMM_SLICE, S::n - first));
        sync();
    }
}

#endif
