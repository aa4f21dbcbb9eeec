// SPDX-License-Identifier: Apache-2.0
//
// The resident schedule's writers: a channel's values of a band lie together in y, so they are written as one run.
#pragma once

#include <cstring>
#include <device/resident.cuh>

#ifdef CS_HAS_SM90A

// Four elements nearest to values, and their store.
template <class T> struct resident_four {
    uint32_t first, second;
    __device__ __forceinline__ explicit resident_four(float4 v)
        : first(pack_elements<T>(v.x, v.y)), second(pack_elements<T>(v.z, v.w)) {}
    __device__ __forceinline__ void store(T *y) const { store_global_8(y, first, second); }
};
template <> struct resident_four<float> {
    float4 values;
    __device__ __forceinline__ explicit resident_four(float4 v) : values(v) {}
    __device__ __forceinline__ void store(float *y) const { store_global_16(y, values); }
};

// One writer's share of a sample: every S::writers-th channel, from its own number on. A channel's values are
// numbered as in its buffer, from `begin` to `end`.
template <class S> struct resident_writer {
    using tensor = typename S::tensor;
    static constexpr int EDGES = 8; // of a channel, more than there are where most are written four at a time

    const cs_conv_args &args;
    const int writer, lane;
    const size_t plane;         // values of a channel's plane in y
    size_t first;               // of a sample's channel in y: where number 0 is or would be
    int begin, body, tail, end; // from body to tail four values are written at once

    __device__ __forceinline__ resident_writer(const cs_conv_args &args, const resident_band &band, int writer)
        : args(args), writer(writer), lane(thread_index() % 32), plane(static_cast<size_t>(args.h_out) * args.w_out) {
        take(run_of<S>(args, band));
    }

    __device__ __forceinline__ void take(const resident_run &run) {
        first = run.first - run.lead;
        begin = run.lead;
        end = run.lead + run.count;
        body = run.aligned ? min((begin + 3) / 4 * 4, end) : begin;
        tail = run.aligned ? max(end / 4 * 4, body) : begin;
    }

    // Calls write(run of y, run of values, normalisation) for each channel.
    template <class Write>
    __device__ __forceinline__ void for_channels(tensor *y, const float *values, const cs_affine *norm,
                                                 Write write) const {
        tensor *to = y + writer * plane;
        const float *from = values + writer * S::pitch;
#pragma unroll 2
        for (int c = writer; c < S::c_out; c += S::writers) {
            write(to, from, norm[c]);
            to += S::writers * plane;
            from += S::writers * S::pitch;
        }
    }

    // y: where number 0 of the band's values of the sample is or would be. values: [c_out][S::pitch]. norm: [c_out].
    __device__ __forceinline__ void write(tensor *y, const float *values, const cs_affine *norm) const {
        for (int start = body + lane * 4; start - lane * 4 < tail; start += S::fours * 128) {
            const int left = tail - start; // of this lane's values, those below it
            for_channels(y + start, values + start, norm, [left](tensor *to, const float *from, cs_affine n) {
                float4 v[S::fours];
#pragma unroll
                for (int i = 0; i < S::fours; ++i)
                    if (i * 128 < left)
                        v[i] = load_shared_16(from + i * 128);
#pragma unroll
                for (int i = 0; i < S::fours; ++i) {
                    const resident_four<tensor> four(
                        {v[i].x * n.a + n.b, v[i].y * n.a + n.b, v[i].z * n.a + n.b, v[i].w * n.a + n.b});
                    if (i * 128 < left)
                        four.store(to + i * 128);
                }
            });
        }
        write_edges(y, values, norm);
    }

    // What stands before the body and behind it, one by one: EDGES neighbours of several channels at once.
    __device__ __forceinline__ void write_edges(tensor *y, const float *values, const cs_affine *norm) const {
        const int head = body - begin, edges = head + end - tail;
#pragma unroll 1
        for (int i = lane % EDGES; i < edges; i += EDGES) {
            const int at = i < head ? begin + i : tail + i - head;
#pragma unroll 1
            for (int c = writer + lane / EDGES * S::writers; c < S::c_out; c += 32 / EDGES * S::writers)
                store_global(y + c * plane + at, from_float<tensor>(values[c * S::pitch + at] * norm[c].a + norm[c].b));
        }
    }
};

template <class S>
__device__ __forceinline__ void run_writer(const resident_memory<S> &memory, const cs_conv_args &args,
                                           const resident_band &band, int writer) {
    resident_writer<S> job(args, band, writer);
    resident_ring buffer, norm;
    for (resident_walk<S> walk(args, band); walk.n < args.n; walk.advance()) {
        if (S::in_parts)
            job.take(walk.run());
        if (walk.at_first())
            mbarrier_wait(memory.normalisation_full + norm.index, norm.parity);
        mbarrier_wait(memory.buffer_full + buffer.index, buffer.parity);
        const size_t to = static_cast<size_t>(walk.n) * S::c_out * job.plane + job.first;
        job.write(static_cast<typename S::tensor *>(args.y) + to, memory.buffer(buffer.index),
                  memory.normalisation + norm.index * S::n);
        mbarrier_arrive(memory.buffer_empty + buffer.index);
        buffer.advance(args.resident.buffers);
        if (walk.at_last()) {
            mbarrier_arrive(memory.normalisation_empty + norm.index);
            norm.advance(2);
        }
    }
}

#endif
