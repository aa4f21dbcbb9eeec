% -- The class of what stands behind the normalisation in CUDA kernels, as nothing_behind (src/device/tile.cuh) is where
% -- nothing does. Empty there. Its constants are packed from `from` on.
% local side = plan.epilogue.behind
% local name = plan.name .. "_behind"
% local slots, tensors = side.slots > 0, side.tensors > 0
% local members = {}
% if slots then
%     members[1] = ("constants(load_constants<%d>(static_cast<const float *>(args.packed) + %d, channel))"):format(side.slots, from)
% end
% if tensors then
%     members[#members + 1] = "tensors(args, place)"
% end
% local head = ("%s(const cs_conv_args &%s, int%s, int64_t%s)"):format(name, #members > 0 and "args" or "", slots and " channel" or "", tensors and " place" or "")
% if #side.ops > 0 then

// The steps behind the normalisation, for values of one channel.
struct ${name} {
%     if slots then
    channel_constants<${side.slots}> constants;
%     end
%     if tensors then
    tensor_places<${plan.dtype.c}, ${side.first_tensor}, ${side.tensors}> tensors;
%     end
%     if #members > 0 then
    __device__ __forceinline__ ${head}
        : ${table.concat(members, ", ")} {}
%     else
    __device__ __forceinline__ ${head} {}
%     end
    __device__ __forceinline__ float operator()(float value, int64_t${tensors and " at" or ""}) const {
%     if tensors then
        const tensor_values<${side.tensors}> value_tensors = tensors.load(at, true);
%     end
        ${include("templates/parts/pointwise.lua", { side = side })}
    }
};
% end
