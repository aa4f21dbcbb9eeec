% -- The class of what stands behind the normalisation in CUDA kernels, as nothing_behind (src/device/tile.cuh) is where
% -- nothing does. Empty there.
% local side = plan.epilogue.behind
% local name = plan.name .. "_behind"
% if #side.ops > 0 then

// The steps behind the normalisation, for one channel.
struct ${name} {
%     if side.slots > 0 then
    const channel_constants<${side.slots}> constants;
    __device__ __forceinline__ ${name}(const cs_conv_args &args, int channel, int64_t)
        : constants(load_constants<${side.slots}>(static_cast<const float *>(args.packed) + ${from}, channel)) {}
%     else
    __device__ __forceinline__ ${name}(const cs_conv_args &, int, int64_t) {}
%     end
    __device__ __forceinline__ float operator()(float value, int64_t) const {
        ${include("templates/parts/pointwise.lua", { side = side })}
    }
};
% end
