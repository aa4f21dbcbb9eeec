% local row, g, k, packed = plan.row, plan.geometry, plan.geometry.k, plan.packed
% require_that(plan.strategy == "resident" and plan.dtype.name == "f32", "resident.cu.lua emits resident with f32 tensors")
% require_that(plan.epilogue.normalises, "the resident schedule is for a normalisation")
% require_that(k.chunks == 1, "all input channels are in shared memory")
% local shape = g.shape
% local fragments = shape.m * 128
% local slots = plan.epilogue.slots
${include("templates/parts/header.lua")}
#pragma once

#include <device/pointwise.cuh>
#include <device/resident.cuh>

#ifdef CS_HAS_SM90A
// One value of z through the pointwise steps.
static __device__ __forceinline__ float ${plan.name}_pointwise(float value, const channel_constants<${slots}> &constants) {
    ${include("templates/parts/pointwise.lua")}
}

// A computing warp's walk through the block's samples.
static __device__ __forceinline__ void ${plan.name}_compute(const resident_memory<${row.c_out}, ${g.padded}, ${shape.pixel_warps}> &memory, const cs_conv_args &args, const resident_band &band, int computer) {
    const mma_lane at;
    const int pixel_warp = computer % ${shape.pixel_warps}, part = computer / ${shape.pixel_warps};
    const int first_channel = part * ${shape.m * 16};
    const resident_segment segment = locate_segment(args, band, pixel_warp);
    const float *const packed = static_cast<const float *>(args.packed);

    uint32_t weights[${k.steps}][${shape.m}][4];
#pragma unroll
    for (int i = 0; i < ${k.steps * shape.m}; ++i) {
        const float4 fragment = load_global_16(packed + part * ${k.steps * fragments} + i * 128 + at.lane * 4);
        memcpy(weights[i / ${shape.m}][i % ${shape.m}], &fragment, sizeof fragment);
    }
    channel_constants<${slots}> constants[${shape.m * 2}];
#pragma unroll
    for (int i = 0; i < ${shape.m * 2}; ++i)
        constants[i] = load_constants<${slots}>(packed + ${packed.constants}, first_channel + i * 8 + resident_channel(at.channel()));

    const int plane = args.resident.plane, width = args.w;
    const float *const x = memory.inputs + segment.row * width + segment.col + at.pixel() + at.k() * ${k.axis == "channel" and "plane" or "1"};
    resident_ring ring;
    int parity = 0;
    for (int n = band.first; n < args.n; n += band.step, parity ^= 1, ring.advance(args.resident.buffers)) {
        float z[${shape.m}][${shape.n}][4] = {};
        mbarrier_wait(memory.inputs_full, parity);
        if (segment.cols > 0) {
% for step = 0, k.steps - 1 do
%     local low, high = k.quads[2 * step + 1], k.quads[2 * step + 2] or k.nothing
%     local function valid(quad)
%         return quad.lanes == 4 and "true" or quad.lanes == 0 and "false" or "at.k() < " .. quad.lanes
%     end
%     local function offset(quad)
%         return ("%d * plane + %d * width + %d"):format(quad.c, quad.ky, quad.kx)
%     end
            // ${low.label}; ${high.label}
            resident_step(z, weights[${step}], x + ${offset(low)}, ${valid(low)}, x + ${offset(high)}, ${valid(high)});
% end
        }
        mbarrier_arrive(memory.inputs_empty);

        mbarrier_wait(memory.buffer_empty + ring.index, ring.parity ^ 1);
        mbarrier_wait(memory.moments_empty, parity ^ 1);
#pragma unroll
        for (int i = 0; i < ${shape.m * shape.n * 4}; ++i) {
            const int m = i / ${shape.n * 4}, part_of_pair = i % 4;
            float &value = z[m][i / 4 % ${shape.n}][part_of_pair];
            value = ${plan.name}_pointwise(value, constants[m * 2 + part_of_pair / 2]);
        }
        keep_values<${row.c_out}>(args, segment, z, first_channel, memory.buffers + ring.index * ${row.c_out} * args.resident.pitch,
                         memory.warp_moments + pixel_warp * ${g.padded} + first_channel);
        mbarrier_arrive(memory.buffer_full + ring.index);
    }
}
#endif

extern "C" __global__ void __launch_bounds__(${g.threads}, 1) ${plan.name}(const cs_conv_args args) {
#ifdef CS_HAS_SM90A
    const resident_band band = locate_band<${row.kh}>(args);
    const resident_memory<${row.c_out}, ${g.padded}, ${shape.pixel_warps}> memory(args.resident, ${k.channels});
    const float *const packed = static_cast<const float *>(args.packed);
    const int warp = thread_index() / 32;
% if k.channels > row.c_in then
    for (int i = thread_index(); i < ${k.channels - row.c_in} * args.resident.plane; i += ${g.threads}) // planes of no channel
        memory.inputs[${row.c_in} * args.resident.plane + i] = 0.0f;
% end
    if (thread_index() == 0)
        memory.init_barriers();
    sync_threads();

    if (warp < 4) {
        registers_release<72>();
        if (warp == 0)
            run_loader<${row.c_in}>(memory, args, band);
        else if (warp == 1)
            run_publisher<${row.c_out}, ${g.padded}, ${shape.pixel_warps}>(memory, args, band);
        else if (warp == 2)
            run_merger<${row.c_out}>(memory, args, band, packed + ${packed.norm_weight}, packed + ${packed.norm_bias});
    } else if (warp < 8) {
        registers_release<56>();
        run_writer<${row.c_out}>(memory, args, band, warp - 4);
    } else {
        registers_acquire<192>();
        ${plan.name}_compute(memory, args, band, warp - 8);
    }
#else
    unsupported_architecture(args);
#endif
}

// The resident schedule merges on the way; there is nothing to do in a launch of its own.
extern "C" __global__ void ${plan.name}_merge(const cs_conv_args args) { (void)args; }

// Weights as a fragments: [part][step][channel tile][lane][4], rounded to tf32; padding is zero.
extern "C" __global__ void ${plan.name}_prepack(const cs_pack_args args) {
    float *const packed = static_cast<float *>(args.packed);
    const int first = static_cast<int>(block_index()) * block_threads() + thread_index();
    const int stride = static_cast<int>(block_count()) * block_threads();

    for (int i = first; i < ${packed.weights}; i += stride) {
        const int part = i % 4, lane = i / 4 % 32, m = i / 128 % ${shape.m};
        const int step = i / ${fragments} % ${k.steps}, block = i / ${k.steps * fragments};
        const int channel = block * ${shape.m * 16} + m * 16 + part % 2 * 8 + resident_channel(lane / 4);
        const int quad = step * 2 + part / 2;
        ${include("templates/parts/quad.lua", { chunk = "0" })}
        const bool real = quad < ${#k.quads} && channel < ${row.c_out} && c_in < ${row.c_in} && kx < ${row.kw};
        const uint32_t value = real ? tf32_round(load_element(args.parameter_dtype, args.weight, ((channel * ${row.c_in} + c_in) * ${row.kh} + ky) * ${row.kw} + kx)) : 0u;
        memcpy(packed + i, &value, sizeof value);
    }

    for (int channel = first; channel < ${g.padded}; channel += stride) {
        ${include("templates/parts/constants.lua", { params = "args" })}
    }
}
