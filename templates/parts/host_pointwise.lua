% -- The functions of a CPU kernel's epilogue, of one vector of values each: <name>_pointwise of z, and <name>_behind of
% -- normalised values where there is something behind the normalisation. `channels`: those that constants are packed of.
% local side, behind = plan.epilogue.before, plan.epilogue.behind
% local function parameters(of)
%     return (of.slots > 0 and ", const float *constants" or "") .. (of.tensors > 0 and ", const cs_conv_args *args, const cs_tile *tile, int channel, int row, int col" or "")
% end
% if side.tensors > 0 or behind.tensors > 0 then
#include <device/host_tensors.h>
% end
% if plan.row.layout == "nhwc" then
#include <device/host_nhwc.h>
% end

/* One vector of z through the pointwise steps. */
CS_INLINE cs_vec ${plan.name}_pointwise(cs_vec value${parameters(side)}) {
% if side.tensors > 0 then
    cs_vec value_tensors[${side.tensors}];
    cs_load_tensors(value_tensors, ${side.tensors}, 0, args, ${plan.dtype.element}, ${plan.row.c_out}, tile, channel, row, col);
% end
    ${include("templates/parts/pointwise.lua", { side = side })}
}
% if #behind.ops > 0 then

/* One vector of normalised values through the steps behind the normalisation. */
CS_INLINE cs_vec ${plan.name}_behind(cs_vec value${parameters(behind)}) {
%     if behind.tensors > 0 then
    cs_vec value_tensors[${behind.tensors}];
    cs_load_tensors(value_tensors, ${behind.tensors}, ${behind.first_tensor}, args, ${plan.dtype.element}, ${plan.row.c_out}, tile, channel, row, col);
%     end
    ${include("templates/parts/pointwise.lua", { side = behind })}
}
% end
