% local row, g, packed = plan.row, plan.geometry, plan.packed
% local shape, cut = g.shape, g.shape.cut
% require_that(plan.epilogue.normalises, "the resident schedule is for a normalisation")
% require_that(#plan.epilogue.behind.ops == 0, "its writers normalise and do no more")
% require_that(row.c_out <= shape.n, "a product has a column for each channel")
% local registers = g.registers_of
% require_that(registers.stager + registers.service + 2 * registers.computer <= 4 * registers.launch, "a block's warps share its registers")
% local S = plan.name .. "_shape"
% local side = plan.epilogue.before
% local slots = side.slots
${include("templates/parts/header.lua")}
#pragma once

#include <device/element.h>
#include <device/resident_compute.cuh>
#include <device/resident_stage.cuh>
#include <device/resident_statistics.cuh>
#include <device/resident_write.cuh>

#ifdef CS_HAS_SM90A
struct ${S} {
    using tensor = ${plan.dtype.c};
    using operand = ${shape.operand};
    static constexpr int c_in = ${row.c_in}, c_out = ${row.c_out}, kh = ${row.kh}, kw = ${row.kw}, pad_h = ${row.pad_h}, pad_w = ${row.pad_w};
    static constexpr int n = ${shape.n}, tiles = ${shape.tiles}, pieces = ${shape.pieces}, planes = ${cut.planes}, steps = ${cut.steps};
    static constexpr bool by_channel = ${cut.axis == "channel" and "true" or "false"}, in_parts = ${shape.in_parts and "true" or "false"};
    static constexpr int slots = ${slots}, lanes = ${cut.lanes}, zeros = ${cut.zeros}, pitch = ${shape.pitch};
    static constexpr int stagers = ${shape.stagers}, writers = ${shape.writers}, rounds = ${shape.rounds}, fours = ${shape.fours};
    static constexpr int sum_words = ${shape.words.sum}, square_words = ${shape.words.squares};
    static constexpr int fixed_bytes = ${shape.fixed_bytes};
};

// The products of the tile at place `tile`.
static __device__ __forceinline__ void ${plan.name}_products(resident_tile<${S}> &z, const resident_operands<${S}> &from, int tile) {
    const int plane = from.plane, width = from.width;
% if #cut.rows % 2 == 1 then
    const int zeros = ${cut.planes} * plane - tile;
% end
% for step = 0, cut.steps - 1 do
%     local low, high = cut.rows[2 * step + 1], cut.rows[2 * step + 2]
%     local function place(operand)
%         return operand and ("%d * plane + %d * width + %d"):format(operand.plane, operand.ky, operand.kx)
%     end
    // ${low.label}; ${high and high.label or "nothing"}
    resident_step<${S}, ${step}>(z, from, tile, ${place(low)}, ${place(high) or "zeros"});
% end
}

// One value of z through the pointwise steps.
static __device__ __forceinline__ float ${plan.name}_pointwise(float value${slots > 0 and (", const channel_constants<%d> &constants"):format(slots) or ""}) {
    ${include("templates/parts/pointwise.lua", { side = side })}
}

// A computing warp's walk through the block's samples.
static __device__ __forceinline__ void ${plan.name}_compute(const resident_memory<${S}> &memory, const cs_conv_args &args, const resident_band &band, int warp) {
    using places_type = resident_places<${S}>;
    ${shape.in_parts and "" or "const "}places_type places(args, band, warp);
% local constants = slots > 0 and (shape.keeps_constants and ", constants[places_type::channel_of(i)]" or ", memory.constants_of(places.channel(places_type::channel_of(i)))") or ""
% if slots > 0 and shape.keeps_constants then
    channel_constants<${slots}> constants[places_type::channels];
#pragma unroll
    for (int k = 0; k < places_type::channels; ++k)
        constants[k] = memory.constants_of(places.channel(k));
% end

    const auto through_epilogue = [&](resident_tile<${S}> &values) {
#pragma unroll
        for (int i = 0; i < ${shape.n // 2}; ++i)
            values[i] = ${plan.name}_pointwise(values[i]${constants});
    };

% -- A warp issues a tile's products and goes on: they run beneath the epilogue of the tile before.
% local last = shape.tiles - 1
% local function products(i)
%     local operands = "operands"
%     if shape.operands_of == "tile" then -- opaque, so that an earlier tile's places are not kept in registers
%         operands = ("resident_operands<%s>(memory, opaque(args.resident.pixels), opaque(width_of<%s>(args)))"):format(S, S)
%     end
%     local place = ("places.place_of(%d)%s"):format(i, shape.in_parts and " + walk.place()" or "")
%     return ("%s_products(z[%d], %s, %s);"):format(plan.name, i, operands, place)
% end
% local function keep(first, after)
%     local lead = shape.in_parts and " + run.lead" or ""
%     return ("keep_tiles<%s, %d, %d>(places, z, memory.buffer(ring.index)%s);"):format(S, first, after, lead)
% end
    resident_ring ring;
    resident_moments<${S}> moments;
    for (resident_walk<${S}> walk(args, band); walk.n < args.n; walk.advance(), ring.advance(args.resident.buffers)) {
        resident_tile<${S}> z[${shape.tiles}];
% if shape.in_parts then
        const resident_run run = walk.run();
        places.begin(run);
% end
% if shape.operands_of == "sample" then
        const resident_operands<${S}> operands(memory, args.resident.pixels, width_of<${S}>(args)); // anew for each sample: kept, they would fill registers
% end
        if (walk.at_first())
            mbarrier_wait(memory.inputs_full, walk.parity);
        wgmma_fence();
        ${products(0)}
        wgmma_commit();
% for i = 0, last do
%     if i < last then
        wgmma_fence();
        ${products(i + 1)}
        wgmma_commit();
%     end
        wgmma_wait<${i < last and 1 or 0}>(z[${i}]);
%     if i == last then
        if (walk.at_last())
            mbarrier_arrive(memory.inputs_empty);
%     end
        through_epilogue(z[${i}]);
%     if i == 0 then
        if (walk.at_first())
            moments.begin(places, z[0]);
%     end
        moments.add(places, ${i}, z[${i}]);
%     if i == shape.keeps_from then
        mbarrier_wait(memory.buffer_empty + ring.index, ring.parity ^ 1);
%     end
%     if i >= shape.keeps_from then
        ${keep(i == shape.keeps_from and 0 or i, i + 1)}
%     end
% end

        if (walk.at_last()) {
            mbarrier_wait(memory.moments_empty, walk.parity ^ 1);
            moments.write(places, memory);
            mbarrier_arrive(memory.moments_full);
        }

% if shape.keeps_from > last then
        mbarrier_wait(memory.buffer_empty + ring.index, ring.parity ^ 1);
        ${keep(0, last + 1)}
% end
        mbarrier_arrive(memory.buffer_full + ring.index);
    }
}
#endif

extern "C" __global__ void __launch_bounds__(${g.threads}, 1) ${plan.name}(const cs_conv_args args) {
#ifdef CS_HAS_SM90A
    const resident_memory<${S}> memory(args.resident);
    const float *const packed = static_cast<const float *>(args.packed);
    const int warp = thread_index() / 32;
    if (thread_index() == 0)
        memory.init_barriers();
    memory.load_parameters(packed, packed + ${packed.constants}, packed + ${packed.norm_weight}, packed + ${packed.norm_bias});
    sync_threads();

    // Each role finds its band itself: what all roles knew would be kept in registers of all.
    const int servant = warp - RESIDENT_COMPUTERS;
    if (warp < RESIDENT_COMPUTERS) {
        registers_acquire<${g.registers_of.computer}>();
        ${plan.name}_compute(memory, args, locate_band<${S}>(args), warp);
    } else if (servant < 4) {
        registers_release<${g.registers_of.stager}>();
% if shape.stagers < 4 then
        if (servant == ${shape.stagers}) {
            run_publisher(memory, args, locate_band<${S}>(args));
            return;
        }
% end
        resident_stager<${S}>(memory, args, locate_band<${S}>(args)).run();
    } else {
        registers_release<${g.registers_of.service}>();
% if shape.stagers == 4 then
        if (servant == 4) {
            run_publisher(memory, args, locate_band<${S}>(args));
            return;
        }
% end
        if (servant == ${shape.stagers + 1})
            run_merger(memory, args, locate_band<${S}>(args));
        else
            run_writer(memory, args, locate_band<${S}>(args), servant - ${shape.stagers + 2});
    }
#else
    unsupported_architecture(args);
#endif
}

// The resident schedule merges on the way; there is nothing to do in a launch of its own.
extern "C" __global__ void ${plan.name}_merge(const cs_conv_args args) { (void)args; }

// Weights as operands: [piece][step][half][column][16 bytes]; padding is zero.
extern "C" __global__ void ${plan.name}_prepack(const cs_pack_args args) {
    float *const packed = static_cast<float *>(args.packed);
    const int first = static_cast<int>(block_index()) * block_threads() + thread_index();
    const int stride = static_cast<int>(block_count()) * block_threads();

% local width = cut.width
    // Where each row of k begins; what does not exist has no channel.
    struct resident_row {
        int16_t c, ky, kx;
    };
    static constexpr resident_row rows[] = {
% for i = 1, 2 * cut.steps do
%     local operand = cut.rows[i] or { c = row.c_in, ky = 0, kx = 0 }
        {${operand.c}, ${operand.ky}, ${operand.kx}},
% end
    };
    for (int i = first; i < ${shape.weights // 16 * width}; i += stride) {
        const int lane = i % ${width}, channel = i / ${width} % ${shape.n};
        const int place = i / ${width * shape.n} % ${2 * cut.steps}, piece = i / ${width * shape.n * 2 * cut.steps};
        const resident_row row = rows[place];
        const int c_in = row.c${cut.axis == "channel" and " + lane" or ""}, ky = row.ky, kx = row.kx${cut.axis == "column" and " + lane" or ""};
        const bool real = channel < ${row.c_out} && c_in < ${row.c_in} && kx < ${row.kw};
% if cut.shared then
        const float whole = real ? load_weight(&args, channel, c_in, ky, kx) : 0.0f;
        const bool shared = kx >= ${cut.shared.first} && kx < ${cut.shared.after};
        const float value = shared ? shared_weight<${shape.operand}>(whole, row.kx == ${cut.shared.first}) : whole;
% else
        const float value = real ? load_weight(&args, channel, c_in, ky, kx) : 0.0f;
% end
        reinterpret_cast<${shape.operand} *>(packed)[i] = weight_piece<${shape.operand}>(value, piece, ${shape.pieces});
    }

    for (int channel = first; channel < ${shape.n}; channel += stride) {
        ${include("templates/parts/constants.lua", { params = "args", channels = shape.n })}
    }
}
