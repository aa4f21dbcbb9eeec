% -- Elements of 16 bits on tensor cores: the kernel of mma, with channels in pairs.
% require_that(plan.dtype.bytes == 2, "mma16.cu.lua emits kernels with f16 or bf16 tensors")
${include("templates/mma.cu.lua")}
