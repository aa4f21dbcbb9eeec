-- Made-up times of kernels of shapes.lua, which are in its table.
return {
    format = 1, device = "A made-up GPU", compute_capability = 90, multiprocessors = 132,
    driver = "580.65.06", runtime = 13000, version = "0.1.0", date = "2026-11-23",
    problems = {
        { n = 2, h = 30, w = 40, groups = 5, kernels = {
            { name = "odd_conv_f32_c5_k3x3_o20_bg_ffma_sm80", us = 12.5, spread = 0.01 },
            { name = "generic_f32_sm80", us = 80, spread = 0.02 },
        } },
        { n = 3, h = 41, w = 50, groups = 0, kernels = {
            { name = "odd_conv_f32_c3_k7x7_o16_s_ffma_sm80", us = 3, spread = 0 },
            { name = "odd_conv_of_a_shape_that_went", us = 2, spread = 0 },
            { name = "generic_f32_sm80", us = 1, spread = 0.5 },
        } },
    },
}
