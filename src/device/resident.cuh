// SPDX-License-Identifier: Apache-2.0
//
// The resident schedule: one cooperative launch in which each block keeps a band of rows of several samples in shared
// memory, its values after the pointwise steps, until the blocks of a sample have agreed on its statistics; then they
// are normalised and written once. x is read once and y is written once.
//
// A block's warps have roles, joined by mbarriers, and each walks the block's samples at its own pace:
//     computers   wait for a sample's inputs, convolve, leave values in a buffer and moments beside it
//     loader      brings the next sample's inputs as soon as the computers have read the last one's
//     publisher   adds the band's moments to the sample's sums in global memory
//     merger      waits until all bands have added theirs, makes the normalisation from them
//     writers     normalise the buffer and write y, which frees the buffer
//
// The sums are 64-bit integers in fixed point: integer additions commute, so the result is the same bit for bit in
// whatever order the bands arrive, and one word tells both the sum and whether it is complete.
#pragma once

#include <device/mma.cuh>

// Fragment row r of eight is channel resident_channel(r) of eight: a buffer's pitch is 4 modulo 8 floats, and in this
// order a warp's stores fall into different banks.
__device__ __forceinline__ int resident_channel(int row) { return row < 4 ? 2 * row : 2 * row - 7; }

#ifdef CS_HAS_SM90A

constexpr int RESIDENT_MAX_BUFFERS = 4;
constexpr int RESIDENT_COMPUTERS = 8, RESIDENT_WRITERS = 4; // warps
constexpr int RESIDENT_COLUMNS = 64;                        // of a row that a warp computes

// A block's band: rows from `row` (`rows` of them inside y), of samples first, first + step, ...
struct resident_band {
    int first, step, row, rows, input_rows;
};

template <int KH> __device__ __forceinline__ resident_band locate_band(const cs_conv_args &args) {
    const cs_resident &r = args.resident;
    const int block = static_cast<int>(block_index());
    resident_band band;
    band.first = block / r.bands;
    band.step = r.lanes;
    band.row = block % r.bands * r.rows;
    band.rows = min(r.rows, args.h_out - band.row);
    band.input_rows = band.rows + KH - 1;
    return band;
}

// What a computing warp computes of the band: a row, and `cols` of its columns from `col`; nothing when cols is 0.
struct resident_segment {
    int row, col, cols;
};

__device__ __forceinline__ resident_segment locate_segment(const cs_conv_args &args, const resident_band &band,
                                                           int pixel_warp) {
    const int segments = args.resident.segments;
    resident_segment segment;
    segment.row = pixel_warp / segments;
    segment.col = pixel_warp % segments * RESIDENT_COLUMNS;
    segment.cols = segment.row < band.rows ? min(RESIDENT_COLUMNS, args.w_out - segment.col) : 0;
    return segment;
}

// The block's shared memory. C: channels, PADDED: of all computers together, PIXEL_WARPS: computers of a channel.
template <int C, int PADDED, int PIXEL_WARPS> struct resident_memory {
    float *inputs, *buffers;
    cs_moments *warp_moments;    // [PIXEL_WARPS][PADDED]
    cs_moments *channel_moments; // [C]
    cs_affine *normalisation;    // [2][C]
    uint64_t *inputs_full, *inputs_empty, *moments_empty;
    uint64_t *buffer_full, *buffer_empty;               // [RESIDENT_MAX_BUFFERS]
    uint64_t *normalisation_full, *normalisation_empty; // [2]

    __device__ __forceinline__ resident_memory(const cs_resident &r, int planes) {
        inputs = shared_memory<float>();
        buffers = inputs + planes * r.plane;
        warp_moments = reinterpret_cast<cs_moments *>(buffers + r.buffers * C * r.pitch);
        channel_moments = warp_moments + PIXEL_WARPS * PADDED;
        normalisation = reinterpret_cast<cs_affine *>(channel_moments + C);
        inputs_full = reinterpret_cast<uint64_t *>(normalisation + 2 * C);
        inputs_empty = inputs_full + 1;
        moments_empty = inputs_full + 2;
        buffer_full = inputs_full + 3;
        buffer_empty = buffer_full + RESIDENT_MAX_BUFFERS;
        normalisation_full = buffer_empty + RESIDENT_MAX_BUFFERS;
        normalisation_empty = normalisation_full + 2;
    }

    // By one thread, before the block's first sync_threads. Each lane of a warp arrives for itself.
    __device__ __forceinline__ void init_barriers() const {
        mbarrier_init(inputs_full, 32);
        mbarrier_init(inputs_empty, RESIDENT_COMPUTERS * 32);
        mbarrier_init(moments_empty, 32);
        for (int i = 0; i < RESIDENT_MAX_BUFFERS; ++i) {
            mbarrier_init(buffer_full + i, RESIDENT_COMPUTERS * 32);
            mbarrier_init(buffer_empty + i, RESIDENT_WRITERS * 32);
        }
        for (int i = 0; i < 2; ++i) {
            mbarrier_init(normalisation_full + i, 32);
            mbarrier_init(normalisation_empty + i, RESIDENT_WRITERS * 32);
        }
        mbarrier_init_fence();
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

// ---- Loader
// ----------------------------------------------------------------------------------------------------------

// One lane's share of a sample's inputs: whole planes by bulk copies when every one of them is 16-byte aligned, else
// element by element. Either way each lane arrives once on `full`.
template <int C_IN>
__device__ __forceinline__ void load_band(float *inputs, const cs_conv_args &args, const resident_band &band, int n,
                                          uint64_t *full) {
    const int lane = thread_index() % 32;
    const size_t plane = static_cast<size_t>(args.h) * args.w;
    const float *from = static_cast<const float *>(args.x) + static_cast<size_t>(n) * C_IN * plane +
                        static_cast<size_t>(band.row) * args.w;
    const int count = band.input_rows * args.w;
    if (args.resident.aligned) {
        const int planes = (C_IN - lane + 31) / 32;
        if (planes > 0)
            mbarrier_expect(full, planes * count * 4);
        else
            mbarrier_arrive(full);
        for (int c = lane; c < C_IN; c += 32)
            bulk_load(inputs + c * args.resident.plane, from + c * plane, count * 4, full);
    } else {
        for (int c = 0; c < C_IN; ++c)
            for (int i = lane; i < count; i += 32)
                cp_async_4(inputs + c * args.resident.plane + i, from + c * plane + i, true);
        cp_async_arrive(full);
    }
}

template <int C_IN, class M>
__device__ __forceinline__ void run_loader(const M &memory, const cs_conv_args &args, const resident_band &band) {
    int parity = 0;
    for (int n = band.first; n < args.n; n += band.step, parity ^= 1) {
        mbarrier_wait(memory.inputs_empty, parity ^ 1);
        load_band<C_IN>(memory.inputs, args, band, n, memory.inputs_full);
    }
}

// ---- Computers
// -------------------------------------------------------------------------------------------------------

// One step of eight k with the weights' fragments in registers; as mma_step, but inputs are taken as they are: the
// tensor core ignores the bits that tf32 does not have.
template <int M, int N>
__device__ __forceinline__ void resident_step(float (&d)[M][N][4], const uint32_t (&weights)[M][4], const float *low,
                                              bool low_valid, const float *high, bool high_valid) {
#pragma unroll
    for (int n = 0; n < N; ++n) {
        const uint32_t b[2] = {low_valid ? float_bits(low[n * 8]) : 0u, high_valid ? float_bits(high[n * 8]) : 0u};
#pragma unroll
        for (int m = 0; m < M; ++m)
            mma_m16n8k8_tf32(d[m][n], weights[m], b);
    }
}

// Leaves a warp's values in the buffer, [channel][row][column], and their moments in `moments`, [M * 16]. `channel` is
// the first of its channels. FULL: all of the segment's columns are inside, and rows begin at an even float.
template <bool FULL, int C, int M, int N>
__device__ __forceinline__ void keep_segment(const cs_conv_args &args, const resident_segment &segment,
                                             const float (&values)[M][N][4], int channel, float *buffer,
                                             cs_moments *moments) {
    const mma_lane at;
    const int cols = segment.cols - at.pixel_pair(); // of this thread's pairs, the columns inside
    const float inverse = FULL ? 1.0f / (N * 8) : 1.0f / static_cast<float>(max(segment.cols, 1));
    const auto inside = [&](int col) { return FULL || col < cols; };
#pragma unroll
    for (int i = 0; i < M * 2; ++i) {
        const int offset = i * 8 + resident_channel(at.channel());
        const float(&row)[N][4] = values[i / 2];
        const int first = i % 2 * 2;
        float *const to = buffer + (channel + offset) * args.resident.pitch + segment.row * args.w_out + segment.col +
                          at.pixel_pair();
        if (channel + offset < C) {
#pragma unroll
            for (int n = 0; n < N; ++n) {
                if (FULL) {
                    store_shared_8(to + n * 8, row[n][first], row[n][first + 1]);
                } else {
                    if (inside(n * 8))
                        to[n * 8] = row[n][first];
                    if (inside(n * 8 + 1))
                        to[n * 8 + 1] = row[n][first + 1];
                }
            }
        }
        float sum = 0.0f, m2 = 0.0f;
#pragma unroll
        for (int n = 0; n < N; ++n)
            sum += (inside(n * 8) ? row[n][first] : 0.0f) + (inside(n * 8 + 1) ? row[n][first + 1] : 0.0f);
        const float mean = sum_over_lanes<4>(sum) * inverse;
#pragma unroll
        for (int n = 0; n < N; ++n) {
            const float left = row[n][first] - mean, right = row[n][first + 1] - mean;
            m2 += (inside(n * 8) ? left * left : 0.0f) + (inside(n * 8 + 1) ? right * right : 0.0f);
        }
        m2 = sum_over_lanes<4>(m2);
        if (at.k() == 0)
            moments[offset] = {mean, m2};
    }
}

template <int C, int M, int N>
__device__ __forceinline__ void keep_values(const cs_conv_args &args, const resident_segment &segment,
                                            const float (&values)[M][N][4], int channel, float *buffer,
                                            cs_moments *moments) {
    if (segment.cols == N * 8 && args.w_out % 2 == 0)
        keep_segment<true, C>(args, segment, values, channel, buffer, moments);
    else
        keep_segment<false, C>(args, segment, values, channel, buffer, moments);
}

// ---- Publisher
// -------------------------------------------------------------------------------------------------------

// A band's sum in fixed point: bits 0-47 the sum, 48-55 how many bands had something that is no number, 56-63 how many
// bands are in.
constexpr uint64_t RESIDENT_BAND = 1ull << 56, RESIDENT_INVALID = 1ull << 48, RESIDENT_SUM = RESIDENT_INVALID - 1;

__device__ __forceinline__ uint64_t fixed_point(double sum, double scale) {
    return sum >= 0.0 ? RESIDENT_BAND + static_cast<uint64_t>(sum * scale + 0.5) : RESIDENT_BAND + RESIDENT_INVALID;
}

// The publisher's figures that are the same for all samples.
template <int C, int PIXEL_WARPS> struct resident_counts {
    float warp[PIXEL_WARPS], band, band_inverse; // pixels
    int channels;                                // of a group
    float channels_inverse;
    double group; // values of the band in a group

    __device__ __forceinline__ resident_counts(const cs_conv_args &args, const resident_band &at) {
#pragma unroll
        for (int i = 0; i < PIXEL_WARPS; ++i)
            warp[i] = static_cast<float>(locate_segment(args, at, i).cols);
        band = static_cast<float>(at.rows * args.w_out);
        band_inverse = 1.0f / band;
        channels = C / args.groups;
        channels_inverse = 1.0f / static_cast<float>(channels);
        group = static_cast<double>(band) * channels;
    }
};

// The moments of each channel of the band, from those of its pixel warps.
template <int C, int PADDED, int PIXEL_WARPS, class M>
__device__ __forceinline__ void merge_warps(const M &memory, const resident_counts<C, PIXEL_WARPS> &counts) {
    for (int c = thread_index() % 32; c < C; c += 32) {
        cs_moments part[PIXEL_WARPS];
        float sum = 0.0f, m2 = 0.0f;
#pragma unroll
        for (int i = 0; i < PIXEL_WARPS; ++i) {
            part[i] = memory.warp_moments[i * PADDED + c];
            sum += counts.warp[i] * part[i].mean;
        }
        const float mean = sum * counts.band_inverse;
#pragma unroll
        for (int i = 0; i < PIXEL_WARPS; ++i)
            m2 += part[i].m2 + counts.warp[i] * (part[i].mean - mean) * (part[i].mean - mean);
        memory.channel_moments[c] = {mean, m2};
    }
}

// Adds the band's share of each group to its two sums: of the values v, and of (v - 1/2)^2.
template <int C, int PIXEL_WARPS, class M>
__device__ __forceinline__ void publish_groups(const M &memory, const cs_conv_args &args,
                                               const resident_counts<C, PIXEL_WARPS> &counts, int n) {
    for (int group = thread_index() % 32; group < args.groups; group += 32) {
        const cs_moments *const moments = memory.channel_moments + group * counts.channels;
        float sum = 0.0f, m2 = 0.0f;
        for (int c = 0; c < counts.channels; ++c)
            sum += moments[c].mean;
        const float mean = sum * counts.channels_inverse;
        for (int c = 0; c < counts.channels; ++c)
            m2 += moments[c].m2 + counts.band * (moments[c].mean - mean) * (moments[c].mean - mean);
        const double exact = static_cast<double>(mean), centred = exact - 0.5, scale = args.resident.scale;
        uint64_t *const sums = args.resident.sums + (static_cast<size_t>(n) * args.groups + group) * 2;
        reduce_add_global(sums, fixed_point(counts.group * exact, scale));
        reduce_add_global(sums + 1, fixed_point(static_cast<double>(m2) + counts.group * centred * centred, scale));
    }
}

template <int C, int PADDED, int PIXEL_WARPS, class M>
__device__ __forceinline__ void run_publisher(const M &memory, const cs_conv_args &args, const resident_band &band) {
    const resident_counts<C, PIXEL_WARPS> counts(args, band);
    resident_ring ring;
    for (int n = band.first; n < args.n; n += band.step, ring.advance(args.resident.buffers)) {
        mbarrier_wait(memory.buffer_full + ring.index, ring.parity);
        merge_warps<C, PADDED>(memory, counts);
        mbarrier_arrive(memory.moments_empty);
        sync_warp();
        publish_groups(memory, args, counts, n);
        sync_warp();
    }
}

// ---- Merger
// ----------------------------------------------------------------------------------------------------------

// Waits until all bands are in, and returns their sum times `factor`; NaN when a band had something that is no number.
__device__ __forceinline__ double await_sum(const uint64_t *word, int bands, double factor) {
    uint64_t bits;
    do
        bits = load_relaxed_global(word);
    while (bits / RESIDENT_BAND != static_cast<uint64_t>(bands));
    const bool valid = (bits & (RESIDENT_BAND - 1)) < RESIDENT_INVALID;
    return valid ? static_cast<double>(bits & RESIDENT_SUM) * factor : static_cast<double>(NAN);
}

// weight, bias: [C]. Biased variance, as PyTorch's GroupNorm.
template <int C, class M>
__device__ __forceinline__ void run_merger(const M &memory, const cs_conv_args &args, const resident_band &band,
                                           const float *weight, const float *bias) {
    const int channels = C / args.groups;
    const double factor = 1.0 / (args.resident.scale * channels * args.h_out * args.w_out);
    resident_ring ring;
    for (int n = band.first; n < args.n; n += band.step, ring.advance(2)) {
        mbarrier_wait(memory.normalisation_empty + ring.index, ring.parity ^ 1);
        for (int group = thread_index() % 32; group < args.groups; group += 32) {
            const uint64_t *const sums = args.resident.sums + (static_cast<size_t>(n) * args.groups + group) * 2;
            const double mean = await_sum(sums, args.resident.bands, factor), centred = mean - 0.5;
            const double variance = await_sum(sums + 1, args.resident.bands, factor) - centred * centred;
            const float rstd =
                1.0f / sqrtf(static_cast<float>(variance > 0.0 ? variance : variance - variance) + args.eps);
            for (int c = group * channels; c < (group + 1) * channels; ++c) {
                const float a = rstd * load_global(weight + c);
                const double b = static_cast<double>(load_global(bias + c)) - mean * static_cast<double>(a);
                memory.normalisation[ring.index * C + c] = {a, static_cast<float>(b)};
            }
        }
        mbarrier_arrive(memory.normalisation_full + ring.index);
    }
}

// ---- Writers
// ---------------------------------------------------------------------------------------------------------

// Normalises `count` values and writes them to y: four at a time when both ends allow it.
__device__ __forceinline__ void write_run(float *y, const float *values, int count, bool aligned, cs_affine norm) {
    constexpr int BATCH = 4;
    const int lane = thread_index() % 32;
    const int whole = aligned ? count / 4 : 0;
    for (int start = lane; start < whole; start += 32 * BATCH) {
        float4 v[BATCH];
#pragma unroll
        for (int i = 0; i < BATCH; ++i)
            if (start + i * 32 < whole)
                v[i] = load_shared_16(values + (start + i * 32) * 4);
#pragma unroll
        for (int i = 0; i < BATCH; ++i)
            if (start + i * 32 < whole)
                store_global_16(y + (start + i * 32) * 4, {v[i].x * norm.a + norm.b, v[i].y * norm.a + norm.b,
                                                           v[i].z * norm.a + norm.b, v[i].w * norm.a + norm.b});
    }
    for (int i = whole * 4 + lane; i < count; i += 32)
        store_global(y + i, values[i] * norm.a + norm.b);
}

template <int C, class M>
__device__ __forceinline__ void run_writer(const M &memory, const cs_conv_args &args, const resident_band &band,
                                           int writer) {
    const cs_resident &r = args.resident;
    const int count = band.rows * args.w_out;
    resident_ring buffer, norm;
    for (int n = band.first; n < args.n; n += band.step, buffer.advance(r.buffers), norm.advance(2)) {
        mbarrier_wait(memory.normalisation_full + norm.index, norm.parity);
        mbarrier_wait(memory.buffer_full + buffer.index, buffer.parity);
        const float *const values = memory.buffers + buffer.index * C * r.pitch;
        for (int c = writer; c < C; c += RESIDENT_WRITERS) {
            const size_t to = ((static_cast<size_t>(n) * C + c) * args.h_out + band.row) * args.w_out;
            write_run(static_cast<float *>(args.y) + to, values + c * r.pitch, count, r.y_aligned && to % 4 == 0,
                      memory.normalisation[norm.index * C + c]);
        }
        mbarrier_arrive(memory.buffer_empty + buffer.index);
        mbarrier_arrive(memory.normalisation_empty + norm.index);
    }
}

#endif
