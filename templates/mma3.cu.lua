% -- fp32 on tensor cores: the kernel of mma, with numbers in two pieces.
% require_that(plan.geometry.shape.pieces == 2, "mma3.cu.lua emits three products for one")
${include("templates/mma.cu.lua")}
